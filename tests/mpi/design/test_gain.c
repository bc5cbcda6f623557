/* ranks: 1 3 */
/* The choice of regions: against all possible choices of tiny problems, and the parts it is
 * made of against closed forms. */
#include "mpi_test.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "design/candidates.h"
#include "design/gain.h"
#include "design/goal.h"

MPI_SUITE(design);

enum { CELLS = 4, QUANTITIES = 3, REGIONS = 9, GIVEN = 1, WANTED = 3 };

static double within[QUANTITIES * CELLS], between[QUANTITIES * CELLS],
    weight[QUANTITIES * CELLS], cost[REGIONS];
static int64_t count[REGIONS * CELLS];
static hg_design_place place[REGIONS];

/* Regions far apart on a line, with haloes by chance. */
static hg_design_problem
tiny_problem(uint64_t seed)
{
    hg_stream s = hg_stream_start(seed, 0, 0, HG_PURPOSE_CANDIDATE);

    for (int i = 0; i < QUANTITIES * CELLS; i++) {
        within[i] = hg_stream_uniform(&s);
        between[i] = 0.1 * hg_stream_uniform(&s);
        weight[i] = hg_stream_uniform(&s);
    }
    for (int r = 0; r < REGIONS; r++) {
        cost[r] = 1;
        place[r] = (hg_design_place){{10.0 * r, 5, 5}, 4};
        for (int c = 0; c < CELLS; c++) {
            count[r * CELLS + c] = hg_stream_below(&s, 12);
        }
    }
    return (hg_design_problem){CELLS, QUANTITIES, within, between, weight, REGIONS,
                               place, cost,       count,  100,     0};
}

/* Error of a set of regions from the definition. */
static double
error_of(const hg_design_problem *p, int n, const int set[])
{
    double sum = 0;

    for (int i = 0; i < QUANTITIES * CELLS; i++) {
        double precision = 1 / (p->within[i] + p->between[i]);

        for (int k = 0; k < n; k++) {
            const double m = (double)p->count[set[k] * CELLS + i % CELLS];

            precision += m > 0 ? 1 / (p->within[i] / m + p->between[i]) : 0;
        }
        sum += p->weight[i] / precision;
    }
    return sum;
}

static void
choose(const hg_design_problem *p, hg_design_choice choice[WANTED])
{
    double information[QUANTITIES * CELLS] = {0};

    hg_design_inform(p, 0, information);
    all_assert(hg_design_choose(&world, p, GIVEN, WANTED, information, choice) == HG_OK);
}

Test(design, each_step_is_the_best_by_brute_force)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        const hg_design_problem p = tiny_problem(seed);
        hg_design_choice choice[WANTED];
        int set[GIVEN + WANTED] = {0};

        choose(&p, choice);
        for (int k = 0; k < WANTED; k++) {
            const double before = error_of(&p, GIVEN + k, set);
            double best = before;
            int which = -1;

            for (int r = GIVEN; r < REGIONS; r++) {
                bool is_new = true;

                for (int i = 0; i < GIVEN + k; i++) {
                    is_new = is_new && set[i] != r;
                }
                set[GIVEN + k] = r;
                if (is_new && error_of(&p, GIVEN + k + 1, set) < best) {
                    best = error_of(&p, GIVEN + k + 1, set);
                    which = r;
                }
            }
            set[GIVEN + k] = which;
            all_assert(choice[k].region == which);
            all_assert(fabs(choice[k].error - best) < 1e-12);
            all_assert(fabs(choice[k].gain - (before - best)) < 1e-12);
            all_assert(k == 0 || choice[k].gain <= choice[k - 1].gain);
        }
    }
}

Test(design, the_set_is_near_the_best_of_all_sets)
{
    int same = 0;

    for (uint64_t seed = 1; seed <= 20; seed++) {
        const hg_design_problem p = tiny_problem(seed);
        const int none[] = {0};
        const double start = error_of(&p, GIVEN, none);
        hg_design_choice choice[WANTED];
        double best = start;

        choose(&p, choice);
        for (int a = 1; a < REGIONS; a++) {
            for (int b = a + 1; b < REGIONS; b++) {
                for (int c = b + 1; c < REGIONS; c++) {
                    best = fmin(best, error_of(&p, 4, (int[]){0, a, b, c}));
                }
            }
        }
        all_assert(start - choice[WANTED - 1].error >= (1 - exp(-1)) * (start - best));
        same += choice[WANTED - 1].error < best + 1e-12;
    }
    all_assert(same >= 12);
}

Test(design, costs_and_neighbours_count)
{
    hg_design_problem p = tiny_problem(3);
    hg_design_choice choice[WANTED];
    double information[QUANTITIES * CELLS] = {0};
    int first;

    choose(&p, choice);
    first = choice[0].region;
    cost[first] = 1e6;
    choose(&p, choice);
    all_assert(choice[0].region != first && choice[1].region != first);
    cost[first] = 1;
    p.gap = 3; /* centres are 10 Mpc apart, two radii are 8: the next ones are excluded */
    choose(&p, choice);
    for (int k = 0; k < WANTED; k++) {
        all_assert(choice[k].region > 1); /* region 0 is given */
        for (int i = 0; i < k; i++) {
            all_assert(abs(choice[k].region - choice[i].region) > 1);
        }
    }
    p.gap = 41;
    all_assert(hg_design_choose(&world, &p, GIVEN, WANTED, information, choice) == HG_E_PARAM);
    all_assert(strstr(hg_error_last()->message, "only 1 of 3 regions find a place") != NULL);
}

Test(design, a_sphere_is_found_for_every_point_in_it)
{
    const double box = 50;
    hg_params_options options = {.snap = -1};
    hg_params *params = NULL;
    hg_design_candidates c;
    const hg_design_peak peak[] = {{1e14, 5, {49.9, 0.1, 25}}};
    const hg_region region[] = {{.region = 4, .centre = {-1, 3, 4}, .radius = 6},
                                {.region = 5, .centre = {1, 3, 4}, .radius = (double)NAN}};
    int found[1000];

    all_assert(hg_params_read(&world, &options, &params) == HG_OK);
    params->design.candidates = 40;
    for (double radius = 5; radius <= 25; radius += 10) {
        params->design.radii.n = 1;
        params->design.radii.v[0] = radius;
        all_assert(hg_design_candidates_make(params, box, 2, region, 1, peak, &c) == HG_OK);
        all_assert(c.n == 42 && c.n_given == 1 && fabs(c.place[0].centre[0] - 49) < 1e-12);
        for (int i = 0; i < 500; i++) {
            hg_stream s = hg_stream_start(7, 0, (uint64_t)i, HG_PURPOSE_CANDIDATE);
            const double x[] = {box * hg_stream_uniform(&s), box * hg_stream_uniform(&s),
                                box * hg_stream_uniform(&s)};
            const int n = hg_design_candidates_at(&c, x, found);
            int held = 0;

            for (int k = 0; k < c.n; k++) {
                double d2 = 0;

                for (int a = 0; a < 3; a++) {
                    double d = fabs(x[a] - c.place[k].centre[a]);

                    d = d > box / 2 ? box - d : d;
                    d2 += d * d;
                }
                held += d2 <= c.place[k].radius * c.place[k].radius;
            }
            all_assert(n == held);
        }
        hg_design_candidates_clear(&c);
    }
    hg_params_free(params);
    all_assert(hg_mem_used() == 0);
}

Test(design, scatter_between_regions_is_that_of_the_analysis_of_variance)
{
    /* groups {1, 3}, {5}, {8, 10, 12}: means 2, 5, 10, total mean 6.5; between 62.5 / 2 less
     * within 10 / 3 over n0 = (6 - 14 / 6) / 2 */
    const uint64_t group[] = {9, 9, 4, 7, 7, 7, 7};
    const float residual[] = {1, 0, 3, 0, 5, 0, 8, 0, 10, 0, (float)NAN, 0, 12, 0};
    const double mean2 = (2 * 20.25 + 2.25 + 3 * 12.25) / 2, within2 = (2 + 8) / 3.0;

    all_assert(fabs(hg_design_region_scatter(7, group, 2, residual) -
                    sqrt((mean2 - within2) / ((6 - 14.0 / 6) / 2))) < 1e-12);
    all_assert(hg_design_region_scatter(4, group + 3, 2, residual + 6) == 0);
    all_assert(hg_design_region_scatter(0, group, 1, residual) == 0);
}
