/* The mesh is right above 8 cells of it, pairs are cheap below 10. Edges of the counts are
 * logarithmic up to 6 cells and whole cells from there to 10, so that the curve can change over
 * at 8 and the two can be compared on bins of two cells on both sides. */
#include "emulate/measure_pairs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "halograft/log.h"
#include "stats/correlation.h"
#include "stats/pairs.h"
#include "stats/projected.h"

enum { EDGE_MAX = 512, MATCH = 8, FIRST = 6, LAST = 10 };

/* Logarithmic bins of equal width, at most `dln`, from low to high; returns their number. */
static int
log_edges(double low, double high, double dln, int room, double edge[])
{
    int n = (int)ceil(log(high / low) / fmax(dln, 0.01) - 1e-9);

    n = n < 1 ? 1 : n < room ? n : room - 1;
    for (int i = 0; i <= n; i++) {
        edge[i] = i < n ? low * pow(high / low, (double)i / n) : high;
    }
    return n;
}

/* Bins of the counts of xi(r), or 0 when the mesh reaches all that is wanted. */
static int
pair_edges(const hg_params_measure *o, double cell, double edge[EDGE_MAX])
{
    const double low = o->r_min > 0 ? o->r_min : o->rp_min;
    int n = 0;

    if (!o->pairs || low >= MATCH * cell) {
        return 0;
    }
    edge[0] = low;
    if (low < FIRST * cell) {
        n = log_edges(low, FIRST * cell, o->dlnr, EDGE_MAX - LAST, edge);
    }
    for (int k = FIRST + 1; k <= LAST; k++) {
        if (k * cell > edge[n] * (1 + 1e-9)) {
            edge[++n] = k * cell;
        }
    }
    return n;
}

/* Bins of the mesh part from `low`. */
static int
mesh_edges(const hg_params_measure *o, double box, double low, double edge[EDGE_MAX])
{
    const double cell = box / (double)o->mesh;
    const double high = o->r_max > 0 ? o->r_max : 0.25 * box;
    int n = low < high ? hg_bin_edges(low, high, 2 * cell, o->dlnr, EDGE_MAX, edge) : 0;

    /* a rest at the end that is narrower than the mesh can tell is left out */
    return n > 1 && edge[n] - edge[n - 1] < 2 * cell ? n - 1 : n;
}

static void
put_shell(hg_curve *curve, int i, double low, double high)
{
    curve->x_low[i] = low;
    curve->x_high[i] = high;
    curve->x[i] = 0.75 * (pow(high, 4) - pow(low, 4)) / (pow(high, 3) - pow(low, 3));
}

static hg_status
describe_overlap(const hg_sample_task *task, const hg_fine *fine, const hg_pairs *pairs,
                 hg_attributes *a)
{
    const double cell = fine->box / (double)fine->mesh;
    hg_overlap overlap;

    HG_TRY(hg_correlation_overlap(fine, pairs, FIRST * cell, LAST * cell, &overlap));
    HG_TRY(hg_attributes_real(a, "overlap_low", FIRST * cell));
    HG_TRY(hg_attributes_real(a, "overlap_high", LAST * cell));
    HG_TRY(hg_attributes_real(a, "overlap_bins", overlap.n));
    HG_TRY(hg_attributes_real(a, "overlap_chi2", overlap.chi2));
    HG_TRY(hg_attributes_real(a, "overlap_worst", overlap.worst));
    HG_TRY(hg_attributes_real(a, "coinciding_pairs", (double)pairs->zero));
    if (overlap.n > 0 && task->is_first) {
        hg_log_info("measure: xi of %s, %s: pairs and mesh from %.3g to %.3g Mpc: chi2 per bin "
                    "%.2f",
                    task->source->name, task->sample->name, FIRST * cell, LAST * cell,
                    overlap.chi2);
    }
    if (overlap.n > 0 && overlap.chi2 > 3 && task->is_loud) {
        hg_log_warn("measure: xi of '%s', sample '%s': pairs and mesh differ between %.3g and "
                    "%.3g Mpc by chi2 %.1f per bin; use a finer Measure.mesh",
                    task->source->name, task->sample->name, FIRST * cell, LAST * cell,
                    overlap.chi2);
    }
    return HG_OK;
}

/* xi(r): bins of the counts up to r_match, then bins of the mesh. */
static hg_status
add_xi(const hg_sample_task *task, const hg_fine *fine, const hg_pairs *pairs)
{
    const hg_params_measure *o = &task->plan->params->measure;
    const double cell = task->box / (double)o->mesh;
    const double match = pairs->n > 0 ? MATCH * cell : 0;
    const double high = o->r_max > 0 ? o->r_max : 0.25 * task->box;
    double edge[EDGE_MAX];
    int n_pair = 0, n_mesh;
    hg_label label;
    hg_curve *curve = NULL;

    while (n_pair < pairs->n && pairs->edge[n_pair + 1] < fmin(match, high) * (1 + 1e-9)) {
        n_pair++;
    }
    n_mesh =
        mesh_edges(o, task->box,
                   n_pair > 0 ? match : fmax(o->r_min, o->r_min > 0 ? 0 : MATCH * cell), edge);
    if (n_mesh > 0 && edge[0] < MATCH * cell * (1 - 1e-9) && task->is_loud) {
        hg_log_warn("measure: xi(r) below 8 cells (%.3g Mpc) is blurred by the mesh; set "
                    "Measure.pairs",
                    MATCH * cell);
    }
    hg_sample_label(task, "xi", &label);
    snprintf(label.x_name, sizeof label.x_name, "r");
    snprintf(label.x_unit, sizeof label.x_unit, "Mpc");
    snprintf(label.y_name, sizeof label.y_name, "xi");
    HG_TRY(hg_statistics_curve(task->statistics, &label, n_pair + n_mesh,
                               n_pair > 0 ? HG_CURVE_COUNT : 0, &curve));
    for (int i = 0; i < n_pair; i++) {
        put_shell(curve, i, pairs->edge[i], pairs->edge[i + 1]);
        curve->y[i] = hg_pairs_xi(pairs, i, 0);
        curve->error[i] = hg_pairs_xi_error(pairs, i, 0);
        curve->count[i] = pairs->count[i];
    }
    HG_TRY(hg_correlation_shells(fine, n_mesh, edge, curve->y + n_pair, curve->error + n_pair));
    for (int i = 0; i < n_mesh; i++) {
        put_shell(curve, n_pair + i, edge[i], edge[i + 1]);
    }
    HG_TRY(hg_attributes_text(&curve->attributes, "estimator",
                              n_pair > 0 ? "below r_match DD/RR - 1, count = ordered pairs, "
                                           "Poisson errors; above it shell transform of P(k), "
                                           "taper exp(-(k / 0.75 k_N)^4), Gaussian errors"
                                         : "shell transform of P(k), taper exp(-(k / 0.75 "
                                           "k_N)^4), Gaussian errors"));
    if (n_pair > 0) {
        HG_TRY(hg_attributes_real(&curve->attributes, "r_match", match));
        HG_TRY(describe_overlap(task, fine, pairs, &curve->attributes));
    }
    return hg_sample_attributes(task, &curve->attributes);
}

static hg_status
add_projected(const hg_sample_task *task, const hg_pairs *pairs)
{
    hg_label label;
    hg_curve *curve = NULL;

    hg_sample_label(task, "wp", &label);
    label.log_y = true;
    snprintf(label.x_name, sizeof label.x_name, "rp");
    snprintf(label.x_unit, sizeof label.x_unit, "Mpc");
    snprintf(label.y_name, sizeof label.y_name, "wp");
    snprintf(label.y_unit, sizeof label.y_unit, "Mpc");
    HG_TRY(hg_statistics_curve(task->statistics, &label, pairs->n, HG_CURVE_COUNT, &curve));
    hg_pairs_projected(pairs, curve->y, curve->error, curve->count);
    for (int i = 0; i < pairs->n; i++) {
        const double low = pairs->edge[i], high = pairs->edge[i + 1];

        curve->x_low[i] = low;
        curve->x_high[i] = high;
        curve->x[i] = 2.0 / 3 * (pow(high, 3) - pow(low, 3)) / (high * high - low * low);
    }
    HG_TRY(hg_attributes_text(&curve->attributes, "estimator",
                              "2 pi_max (DD/RR - 1), count = ordered pairs, Poisson errors"));
    HG_TRY(hg_attributes_real(&curve->attributes, "pi_max", pairs->pi_max));
    return hg_sample_attributes(task, &curve->attributes);
}

static hg_status
add_multipoles(const hg_sample_task *task, const hg_pairs *pairs)
{
    static const char *const names[] = {"xi_monopole", "xi_quadrupole", "xi_hexadecapole"};
    double xi[3 * EDGE_MAX], error[3 * EDGE_MAX];

    hg_pairs_multipoles(pairs, HG_LEGENDRE_MEAN, xi, error);
    for (int l = 0; l < 3; l++) {
        hg_label label;
        hg_curve *curve = NULL;

        hg_sample_label(task, names[l], &label);
        snprintf(label.x_name, sizeof label.x_name, "s");
        snprintf(label.x_unit, sizeof label.x_unit, "Mpc");
        snprintf(label.y_name, sizeof label.y_name, "xi_%d", 2 * l);
        HG_TRY(hg_statistics_curve(task->statistics, &label, pairs->n, HG_CURVE_COUNT, &curve));
        for (int i = 0; i < pairs->n; i++) {
            put_shell(curve, i, pairs->edge[i], pairs->edge[i + 1]);
            curve->y[i] = xi[l * pairs->n + i];
            curve->error[i] = error[l * pairs->n + i];
            for (int j = 0; j < pairs->n_second; j++) {
                curve->count[i] += pairs->count[i * pairs->n_second + j];
            }
        }
        HG_TRY(
            hg_attributes_text(&curve->attributes, "estimator",
                               "DD/RR - 1 in (s, mu), count = ordered pairs, Poisson errors"));
        HG_TRY(hg_attributes_real(&curve->attributes, "mu_bins", pairs->n_second));
        HG_TRY(hg_sample_attributes(task, &curve->attributes));
    }
    return HG_OK;
}

static hg_status
measure_projected(const hg_comm *comm, const hg_sample_task *task, int64_t n,
                  const double position[][3])
{
    const hg_params_measure *o = &task->plan->params->measure;
    double edge[EDGE_MAX];
    hg_pairs_bins bins = {.kind = HG_PAIRS_RP_PI,
                          .edge = edge,
                          .n_second = 1,
                          .pi_max = o->pi_max,
                          .los = hg_measure_los(o)};
    hg_pairs pairs;
    hg_status status;

    if (!o->pairs || !(o->pi_max > 0) || !(o->rp_min < o->rp_max)) {
        return HG_OK;
    }
    if (fmax(o->rp_max, o->pi_max) > task->box / 2) {
        if (task->is_loud) {
            hg_log_warn(
                "measure: no wp(rp): Measure.rp_max or Measure.pi_max is above half the "
                "box of %g Mpc",
                task->box);
        }
        return HG_OK;
    }
    bins.n = log_edges(o->rp_min, o->rp_max, o->rp_dln, EDGE_MAX, edge);
    HG_TRY(hg_pairs_count(comm, &bins, task->box, n, position, NULL, &pairs));
    status = hg_comm_agree(comm, add_projected(task, &pairs));
    hg_pairs_clear(&pairs);
    return status;
}

static hg_status
measure_multipoles(const hg_comm *comm, const hg_sample_task *task, hg_pairs_bins bins,
                   int64_t n, const double position[][3])
{
    const hg_params_measure *o = &task->plan->params->measure;
    hg_pairs pairs;
    hg_status status;

    if (hg_measure_los(o) == HG_LOS_NONE || bins.n == 0) {
        return HG_OK;
    }
    bins.kind = HG_PAIRS_S_MU;
    bins.n_second = (int)o->mu_bins;
    bins.los = hg_measure_los(o);
    HG_TRY(hg_pairs_count(comm, &bins, task->box, n, position, NULL, &pairs));
    status = hg_comm_agree(comm, add_multipoles(task, &pairs));
    hg_pairs_clear(&pairs);
    return status;
}

hg_status
hg_measure_pairs(const hg_comm *comm, const hg_sample_task *task, const hg_fine *fine,
                 int64_t n, const double position[][3])
{
    const hg_params_measure *o = &task->plan->params->measure;
    double edge[EDGE_MAX];
    hg_pairs_bins bins = {.kind = HG_PAIRS_R,
                          .n = pair_edges(o, task->box / (double)o->mesh, edge),
                          .edge = edge,
                          .n_second = 1};
    hg_pairs pairs = {.n = 0};
    hg_status status = HG_OK;

    if (bins.n > 0 && edge[bins.n] > task->box / 2) {
        if (task->is_loud) {
            hg_log_warn("measure: xi(r) is that of the mesh alone, because ten of its %d cells "
                        "are more than half the box",
                        (int)o->mesh);
        }
        bins.n = 0;
    }
    hg_phase_start("measure: pairs");
    if (bins.n > 0) {
        HG_TRY_OR(done, status,
                  hg_pairs_count(comm, &bins, task->box, n, position, NULL, &pairs));
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, add_xi(task, fine, &pairs)));
    HG_TRY_OR(done, status, measure_multipoles(comm, task, bins, n, position));
    status = measure_projected(comm, task, n, position);
done:
    hg_phase_stop("measure: pairs");
    hg_pairs_clear(&pairs);
    return status;
}
