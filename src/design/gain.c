/* Candidates are dealt round robin over ranks. The gain of one is computed by one rank alone,
 * and the greatest is found by exact comparisons, so the choice does not depend on how many
 * ranks there are. All gains are computed anew after each choice: the table is small against
 * the reading of the parent, and lazy evaluation would need an order that ranks share. */
#include "design/gain.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/memory.h"
#include "design/candidates.h"

static double
told(const hg_design_problem *p, size_t i, int64_t n)
{
    const double variance = p->within[i] + (double)n * p->between[i];

    return n > 0 && variance > 0 ? (double)n / variance : 0;
}

static double
left(const hg_design_problem *p, size_t i, double information)
{
    const double first = p->within[i] + p->between[i];

    return first > 0 ? p->weight[i] / (1 / first + information) : 0;
}

void
hg_design_inform(const hg_design_problem *problem, int region, double information[])
{
    const int64_t *count = problem->count + (size_t)region * (size_t)problem->n_cell;

    for (int q = 0; q < problem->n_quantity; q++) {
        for (int c = 0; c < problem->n_cell; c++) {
            const size_t i = (size_t)q * (size_t)problem->n_cell + (size_t)c;

            information[i] += told(problem, i, count[c]);
        }
    }
}

double
hg_design_error(const hg_design_problem *problem, int first, int end,
                const double information[])
{
    double sum = 0;

    for (int q = first; q < end; q++) {
        for (int c = 0; c < problem->n_cell; c++) {
            const size_t i = (size_t)q * (size_t)problem->n_cell + (size_t)c;

            sum += left(problem, i, information[i]);
        }
    }
    return sum;
}

static double
gain_of(const hg_design_problem *p, int region, const double information[])
{
    const int64_t *count = p->count + (size_t)region * (size_t)p->n_cell;
    double sum = 0;

    for (int q = 0; q < p->n_quantity; q++) {
        for (int c = 0; c < p->n_cell; c++) {
            const size_t i = (size_t)q * (size_t)p->n_cell + (size_t)c;

            if (count[c] > 0 && p->weight[i] > 0) {
                sum += left(p, i, information[i]) -
                       left(p, i, information[i] + told(p, i, count[c]));
            }
        }
    }
    return sum;
}

static bool
overlaps(const hg_design_problem *p, int a, int b)
{
    const double reach = p->place[a].radius + p->place[b].radius + p->gap;

    return hg_design_distance2(p->box, p->place[a].centre, p->place[b].centre) < reach * reach;
}

/* Regions that a new one excludes, itself among them. */
static void
exclude(const hg_design_problem *p, int region, uint8_t is_free[])
{
    for (int r = 0; r < p->n_region; r++) {
        is_free[r] = is_free[r] && r != region && !overlaps(p, r, region);
    }
}

/* The best of the free candidates; -1 when there is none. */
static int
find_best(const hg_comm *comm, const hg_design_problem *p, int first, const uint8_t is_free[],
          const double information[])
{
    double best = -1, most;
    int64_t which = p->n_region;

    for (int r = first + comm->rank; r < p->n_region; r += comm->size) {
        if (is_free[r]) {
            const double worth = gain_of(p, r, information) / p->cost[r];

            if (worth > best) {
                best = worth;
                which = r;
            }
        }
    }
    most = best;
    hg_comm_max_double(comm, 1, &most);
    which = best < most ? p->n_region : which;
    hg_comm_min(comm, 1, &which);
    return which < p->n_region ? (int)which : -1;
}

hg_status
hg_design_choose(const hg_comm *comm, const hg_design_problem *problem, int n_given,
                 int n_wanted, double information[], hg_design_choice choice[])
{
    uint8_t *is_free = NULL;
    hg_status status =
        hg_comm_agree(comm, hg_mem_array(&is_free, (size_t)problem->n_region, sizeof *is_free));

    HG_TRY(status);
    for (int r = 0; r < problem->n_region; r++) {
        is_free[r] = 1;
    }
    for (int r = 0; r < n_given; r++) {
        exclude(problem, r, is_free);
    }
    for (int k = 0; k < n_wanted && status == HG_OK; k++) {
        const int region = find_best(comm, problem, n_given, is_free, information);

        if (region < 0) {
            status = HG_FAIL(HG_E_PARAM,
                             "only %d of %d regions find a place that overlaps no other one: "
                             "ask for fewer in Design.regions, for smaller Design.radii, or "
                             "for more Design.candidates",
                             k, n_wanted);
            break;
        }
        choice[k].region = region;
        choice[k].gain = gain_of(problem, region, information);
        hg_design_inform(problem, region, information);
        choice[k].error = hg_design_error(problem, 0, problem->n_quantity, information);
        exclude(problem, region, is_free);
    }
    hg_mem_free(is_free);
    return status;
}
