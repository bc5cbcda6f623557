/* The mesh is right above 8 cells of it, pairs are cheap below 10. Edges of the counts are
 * logarithmic up to 6 cells and whole cells from there to 10, so that the curve can change over
 * at 8 and the two can be compared on bins of two cells on both sides. */
#include "measure/measure_pairs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "halograft/log.h"
#include "measure/measure_covariance.h"
#include "stats/correlation.h"
#include "stats/pairs.h"
#include "stats/projected.h"

enum { EDGE_MAX = 512, MATCH = 8, FIRST = 6, LAST = HG_PAIR_CELLS, DISTANCE = -1 };

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

static double
largest_separation(const hg_params_measure *o, double box)
{
    return o->r_max > 0 ? o->r_max : 0.25 * box;
}

/* Bins of the mesh part from `low`. */
static int
mesh_edges(const hg_params_measure *o, double box, double low, double edge[EDGE_MAX])
{
    const double cell = box / (double)o->mesh, high = largest_separation(o, box);
    int n = low < high ? hg_bin_edges(low, high, 2 * cell, o->dlnr, EDGE_MAX, edge) : 0;

    /* a rest at the end that is narrower than the mesh can tell is left out */
    return n > 1 && edge[n] - edge[n - 1] < 2 * cell ? n - 1 : n;
}

hg_status
hg_measure_pairs_check(const hg_params_measure *o, const hg_measured *source)
{
    const double box = hg_catalog_frame(source->catalog)->box;
    const double high = largest_separation(o, box);
    double edge[EDGE_MAX];
    int n;

    if (!(box > 0)) {
        return HG_OK;
    }
    if (high > 0.5 * box) {
        return HG_FAIL(HG_E_PARAM,
                       "Measure.r_max is %g Mpc, above half the box of catalogue '%s' (%s), "
                       "which is %g Mpc wide: separations beyond that are not defined",
                       o->r_max, source->name, source->path, box);
    }
    if (o->r_min >= high) {
        return HG_FAIL(HG_E_PARAM,
                       "Measure.r_min is %g Mpc, not below the largest separation of %g Mpc "
                       "for catalogue '%s'",
                       o->r_min, high, source->name);
    }
    n = hg_bin_edges(o->r_min, high, 2 * box / (double)o->mesh, o->dlnr, EDGE_MAX, edge);
    if (edge[n] < high * (1 - 1e-12)) {
        return HG_FAIL(HG_E_PARAM,
                       "Measure.dlnr of %g makes more than %d bins of xi(r) up to %g Mpc: "
                       "choose a larger one",
                       o->dlnr, EDGE_MAX - 1, high);
    }
    return HG_OK;
}

static void
put_shell(hg_curve *curve, int i, double low, double high)
{
    curve->x_low[i] = low;
    curve->x_high[i] = high;
    curve->x[i] = 0.75 * (pow(high, 4) - pow(low, 4)) / (pow(high, 3) - pow(low, 3));
}

/* What a curve of one multipole, or of counts in r (l = DISTANCE), is made of. */
typedef struct xi_parts {
    int l;
    const char *statistic;
    const hg_pairs *pairs; /* empty: the mesh alone */
    const hg_fine *fine;
    int n_pair, n_mesh;
    double match;
    double edge[EDGE_MAX]; /* of the mesh part */
} xi_parts;

static hg_status
describe_overlap(const hg_sample_task *task, const xi_parts *parts, hg_attributes *a)
{
    const double cell = parts->fine->box / (double)parts->fine->mesh;
    const int l = parts->l == DISTANCE ? 0 : parts->l;
    hg_overlap overlap;

    HG_TRY(hg_correlation_overlap(parts->fine, parts->pairs, l, FIRST * cell, LAST * cell,
                                  &overlap));
    HG_TRY(hg_attributes_real(a, "r_match", parts->match));
    HG_TRY(hg_attributes_real(a, "overlap_low", FIRST * cell));
    HG_TRY(hg_attributes_real(a, "overlap_high", LAST * cell));
    HG_TRY(hg_attributes_real(a, "overlap_bins", overlap.n));
    HG_TRY(hg_attributes_real(a, "overlap_chi2", overlap.chi2));
    HG_TRY(hg_attributes_real(a, "overlap_worst", overlap.worst));
    HG_TRY(hg_attributes_real(a, "coinciding_pairs",
                              (double)parts->pairs->zero / parts->pairs->copies));
    if (overlap.n > 0 && task->is_first && parts->l == DISTANCE) {
        hg_log_info("measure: xi of %s, %s: pairs and mesh from %.3g to %.3g Mpc: chi2 per bin "
                    "%.2f",
                    task->source->name, task->name, FIRST * cell, LAST * cell, overlap.chi2);
    }
    if (overlap.n > 0 && overlap.chi2 > 3 && task->is_loud) {
        hg_log_warn("measure: %s of '%s', sample '%s': pairs and mesh differ between %.3g and "
                    "%.3g Mpc by chi2 %.1f per bin; use a finer Measure.mesh",
                    parts->statistic, task->source->name, task->name, FIRST * cell, LAST * cell,
                    overlap.chi2);
    }
    return HG_OK;
}

/* Bins of the counts up to r_match, then bins of the mesh. */
static void
plan_parts(const hg_sample_task *task, xi_parts *parts)
{
    const hg_params_measure *o = &task->plan->params->measure;
    const double cell = task->box / (double)o->mesh;
    const double high = largest_separation(o, task->box);
    double low = fmax(o->r_min, o->r_min > 0 ? 0 : MATCH * cell);

    parts->match = parts->pairs->n > 0 ? MATCH * cell : 0;
    while (parts->n_pair < parts->pairs->n &&
           parts->pairs->edge[parts->n_pair + 1] < fmin(parts->match, high) * (1 + 1e-9)) {
        parts->n_pair++;
    }
    low = parts->n_pair > 0 ? parts->match : low;
    parts->n_mesh = mesh_edges(o, task->box, low, parts->edge);
    if (parts->n_mesh > 0 && parts->edge[0] < MATCH * cell * (1 - 1e-9) && task->is_loud) {
        hg_log_warn("measure: xi(r) below 8 cells (%.3g Mpc) is blurred by the mesh; set "
                    "Measure.pairs",
                    MATCH * cell);
    }
}

/* Estimates, errors and counts of the bins of pairs. */
static void
fill_pairs(const xi_parts *parts, hg_curve *curve)
{
    double xi[3 * HG_PAIRS_BIN_MAX], error[3 * HG_PAIRS_BIN_MAX];
    const hg_pairs *pairs = parts->pairs;
    const int row = (parts->l == DISTANCE ? 0 : parts->l / 2) * pairs->n;

    if (parts->n_pair > 0) {
        hg_pairs_multipoles(pairs, HG_LEGENDRE_MEAN, xi, error);
    }
    for (int i = 0; i < parts->n_pair; i++) {
        put_shell(curve, i, pairs->edge[i], pairs->edge[i + 1]);
        curve->y[i] = xi[row + i];
        curve->error[i] = error[row + i];
        for (int j = 0; j < pairs->n_second; j++) {
            curve->count[i] += pairs->count[i * pairs->n_second + j];
        }
    }
}

static hg_status
add_xi(const hg_sample_task *task, const hg_fine *fine, const hg_pairs *pairs,
       const hg_jackknife *cut, int l, const char *statistic)
{
    xi_parts parts = {.l = l, .statistic = statistic, .pairs = pairs, .fine = fine};
    const int contents =
        (pairs->n > 0 ? HG_CURVE_COUNT : 0) | (cut->n_region > 0 ? HG_CURVE_JACKKNIFE : 0);
    hg_label label;
    hg_curve *curve = NULL;

    plan_parts(task, &parts);
    hg_sample_label(task, statistic, &label);
    snprintf(label.x_name, sizeof label.x_name, l == DISTANCE ? "r" : "s");
    snprintf(label.x_unit, sizeof label.x_unit, "Mpc");
    if (l == DISTANCE) {
        snprintf(label.y_name, sizeof label.y_name, "xi");
    } else {
        snprintf(label.y_name, sizeof label.y_name, "xi_%d", l);
    }
    HG_TRY(hg_statistics_curve(task->statistics, &label, parts.n_pair + parts.n_mesh, contents,
                               &curve));
    fill_pairs(&parts, curve);
    HG_TRY(hg_measure_jackknife_errors(cut, l == DISTANCE ? 0 : l / 2, parts.n_pair, curve));
    HG_TRY(hg_correlation_shells(fine, l == DISTANCE ? 0 : l, parts.n_mesh, parts.edge,
                                 curve->y + parts.n_pair, curve->error + parts.n_pair));
    for (int i = 0; i < parts.n_mesh; i++) {
        put_shell(curve, parts.n_pair + i, parts.edge[i], parts.edge[i + 1]);
    }
    HG_TRY(hg_attributes_text(
        &curve->attributes, "estimator",
        parts.n_pair > 0 ? "below r_match DD/RR - 1, count = pairs, Poisson errors; above it "
                           "shell transform of P(k), taper exp(-(k / 0.75 k_N)^4), Gaussian "
                           "errors"
                         : "shell transform of P(k), taper exp(-(k / 0.75 k_N)^4), Gaussian "
                           "errors"));
    if (parts.n_pair > 0) {
        HG_TRY(describe_overlap(task, &parts, &curve->attributes));
    }
    if (l != DISTANCE) {
        HG_TRY(hg_attributes_real(&curve->attributes, "mu_bins", pairs->n_second));
    }
    return hg_sample_attributes(task, &curve->attributes);
}

static hg_status
add_projected(const hg_sample_task *task, const hg_pairs *pairs, const hg_jackknife *cut)
{
    hg_label label;
    hg_curve *curve = NULL;

    hg_sample_label(task, "wp", &label);
    label.log_y = true;
    snprintf(label.x_name, sizeof label.x_name, "rp");
    snprintf(label.x_unit, sizeof label.x_unit, "Mpc");
    snprintf(label.y_name, sizeof label.y_name, "wp");
    snprintf(label.y_unit, sizeof label.y_unit, "Mpc");
    HG_TRY(hg_statistics_curve(task->statistics, &label, pairs->n,
                               HG_CURVE_COUNT | (cut->n_region > 0 ? HG_CURVE_JACKKNIFE : 0),
                               &curve));
    hg_pairs_projected(pairs, curve->y, curve->error, curve->count);
    HG_TRY(hg_measure_jackknife_errors(cut, 0, pairs->n, curve));
    for (int i = 0; i < pairs->n; i++) {
        const double low = pairs->edge[i], high = pairs->edge[i + 1];

        curve->x_low[i] = low;
        curve->x_high[i] = high;
        curve->x[i] = 2.0 / 3 * (pow(high, 3) - pow(low, 3)) / (high * high - low * low);
    }
    HG_TRY(hg_attributes_text(&curve->attributes, "estimator",
                              "2 pi_max (DD/RR - 1), count = pairs, Poisson errors"));
    HG_TRY(hg_attributes_real(&curve->attributes, "pi_max", pairs->pi_max));
    return hg_sample_attributes(task, &curve->attributes);
}

hg_status
hg_measure_pairs_curves(const hg_sample_task *task, const hg_fine *fine,
                        const hg_pair_sums *sums)
{
    static const char *const names[] = {"xi_monopole", "xi_quadrupole", "xi_hexadecapole"};
    static const char *const distance = "xi", *const projected = "wp";

    HG_TRY(add_xi(task, fine, &sums->distance, &sums->distance_cut, DISTANCE, "xi"));
    HG_TRY(hg_measure_jackknife(task, &sums->distance, &sums->distance_cut, &distance));
    for (int pole = 0; pole < 3 && sums->mu.n > 0; pole++) {
        HG_TRY(add_xi(task, fine, &sums->mu, &sums->mu_cut, 2 * pole, names[pole]));
    }
    HG_TRY(hg_measure_jackknife(task, &sums->mu, &sums->mu_cut, names));
    if (sums->projected.n > 0) {
        HG_TRY(add_projected(task, &sums->projected, &sums->projected_cut));
    }
    return hg_measure_jackknife(task, &sums->projected, &sums->projected_cut, &projected);
}

/* Bins of wp, none where it is not wanted or the box is too small. */
static int
projected_edges(const hg_sample_task *task, double edge[EDGE_MAX])
{
    const hg_params_measure *o = &task->plan->params->measure;

    if (!o->pairs || !(o->pi_max > 0) || !(o->rp_min < o->rp_max)) {
        return 0;
    }
    if (fmax(o->rp_max, o->pi_max) > task->box / 2) {
        if (task->is_loud) {
            hg_log_warn(
                "measure: no wp(rp): Measure.rp_max or Measure.pi_max is above half the "
                "box of %g Mpc",
                task->box);
        }
        return 0;
    }
    return log_edges(o->rp_min, o->rp_max, o->rp_dln, EDGE_MAX, edge);
}

/* Count in some bins and add to the sums. */
static hg_status
count_bins(const hg_comm *comm, const hg_sample_task *task, const hg_pairs_bins *bins,
           const hg_points *a, const hg_points *b, hg_pairs *sum, hg_jackknife *cut)
{
    const int regions = (int)task->plan->params->measure.jackknife;
    hg_status status = HG_OK;
    const hg_pairs_task count = {.bins = bins,
                                 .box = task->box,
                                 .a = hg_points_view(a),
                                 .b = hg_points_view(b),
                                 .cross = task->sample[1] >= 0,
                                 .common = task->common,
                                 .regions = regions};
    hg_pairs pairs;

    if (bins->n == 0) {
        return HG_OK;
    }
    HG_TRY(hg_pairs_measure(comm, &count, &pairs));
    if (regions > 0) {
        status = hg_jackknife_add(comm, &count, &pairs, cut);
    }
    hg_pairs_join(sum, &pairs);
    return status;
}

hg_status
hg_measure_pairs_count(const hg_comm *comm, const hg_sample_task *task, const hg_points *a,
                       const hg_points *b, hg_los los, int line, hg_pair_sums *sums)
{
    const hg_params_measure *o = &task->plan->params->measure;
    double edge[EDGE_MAX];
    hg_pairs_bins bins = {.kind = HG_PAIRS_R,
                          .n = pair_edges(o, task->box / (double)o->mesh, edge),
                          .edge = edge,
                          .n_second = 1,
                          .pi_max = o->pi_max,
                          .los = los};
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
    if (line == 0 || task->is_redshift) {
        HG_TRY_OR(done, status,
                  count_bins(comm, task, &bins, a, b, &sums->distance, &sums->distance_cut));
    }
    if (los != HG_LOS_NONE) {
        bins.kind = HG_PAIRS_S_MU;
        bins.n_second = (int)o->mu_bins;
        HG_TRY_OR(done, status, count_bins(comm, task, &bins, a, b, &sums->mu, &sums->mu_cut));
    }
    bins.kind = HG_PAIRS_RP_PI;
    bins.n_second = 1;
    bins.n = projected_edges(task, edge);
    status = count_bins(comm, task, &bins, a, b, &sums->projected, &sums->projected_cut);
done:
    hg_phase_stop("measure: pairs");
    return status;
}

void
hg_pair_sums_clear(hg_pair_sums *sums)
{
    hg_pairs_clear(&sums->distance);
    hg_pairs_clear(&sums->mu);
    hg_pairs_clear(&sums->projected);
    hg_jackknife_clear(&sums->distance_cut);
    hg_jackknife_clear(&sums->mu_cut);
    hg_jackknife_clear(&sums->projected_cut);
}
