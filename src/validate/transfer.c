/* Held-out errors are sorted by distance and weighted by what their haloes stand for in the
 * parent (transfer_ratios.h). All steps after the forests are sums in the order of rows on
 * every rank. */
#include "validate/transfer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/order.h"
#include "halograft/log.h"
#include "table/split.h"
#include "validate/held_out.h"
#include "validate/transfer_ratios.h"

enum { CLASS_HALOES = 300, CLASSES_MAX = 64 };

const double hg_transfer_levels[HG_TRANSFER_LEVELS] = {0.68, 0.95};

/* ---- who is compared ---- */
static hg_status
choose_rows(hg_transfer *x)
{
    const hg_validation *v = x->folds->validation;
    const double share = fmin(1, (double)v->params->validate.parent_rows / (double)v->rows.n);

    HG_TRY(hg_mem_array(&x->row, (size_t)v->rows.n, sizeof *x->row));
    for (int64_t i = 0; i < v->rows.n; i++) {
        if (v->rows.weight[i] > 0 &&
            hg_split_takes(v->rows.key[i], x->folds->split.seed + 3, share)) {
            x->row[x->n++] = i;
        }
    }
    return x->n >= 2 * HG_TRANSFER_RATIO_LEAF
               ? HG_OK
               : HG_FAIL(HG_E_INPUT,
                         "%d training haloes are too few to compare with the parent: raise "
                         "Validate.parent_rows, or set Validate.parent to false",
                         (int)x->n);
}

/* ---- predictions of the parent ---- */
static hg_status
predict_slice(const hg_comm *comm, const hg_transfer *x, const hg_stages *model,
              double spread[], double domain[])
{
    const int nf = x->folds->validation->features.n, nt = x->guesses->n_target;
    hg_predict_options options = HG_PREDICT_OPTIONS_INIT;
    hg_prediction result = {0};
    int64_t first, end;
    hg_status status;

    options.training_rows = 0;
    hg_held_out_slice(x->parent.n, comm, &first, &end);
    result.mean = x->mean + first * nt;
    result.spread = spread + first * nt;
    result.domain = x->domain + first;
    status = hg_stages_predict(model, &options, end - first, NULL, x->parent.x + first * nf,
                               &result);
    for (int64_t i = first; i < end && status == HG_OK; i++) {
        domain[i] = x->domain[i];
    }
    return status;
}

/* Rms over values of the spread in units of `scale`; closed values do not count. */
static double
distance_of(const hg_validation *v, const double spread[], const double scale[])
{
    double sum = 0;
    int n = 0;

    for (int t = 0; t < v->targets.n; t++) {
        if (scale[t] > 0 && isfinite(spread[t])) {
            sum += pow(spread[t] / scale[t], 2);
            n++;
        }
    }
    return n > 0 ? sqrt(sum / n) : 0;
}

static void
find_distances(hg_transfer *x, const double spread[])
{
    const hg_validation *v = x->folds->validation;
    const int nt = v->targets.n;
    double scale[HG_TARGETS_MAX] = {0};

    for (int t = 0; t < nt; t++) {
        double sum = 0;
        int64_t n = 0;

        for (int64_t i = 0; i < x->n && !v->role[t].is_label; i++) {
            const double s = x->guesses->spread[x->row[i] * nt + t];

            if (isfinite(s)) {
                sum += s * s;
                n++;
            }
        }
        scale[t] = n > 0 ? sqrt(sum / (double)n) : 0;
    }
    for (int64_t i = 0; i < x->n; i++) {
        x->distance[i] = distance_of(v, x->guesses->spread + x->row[i] * nt, scale);
    }
    for (int64_t i = 0; i < x->parent.n; i++) {
        x->parent_distance[i] = distance_of(v, spread + i * nt, scale);
    }
}

static hg_status
predict_parent(const hg_comm *comm, hg_transfer *x)
{
    const size_t n = (size_t)x->parent.n, all = n * (size_t)x->guesses->n_target;
    const hg_trial whole = {
        .fold = HG_FOLD_NONE, .share = 1, .options = x->folds->validation->options};
    hg_stages *model = NULL;
    double *spread = NULL, *domain = NULL;
    hg_status status = hg_mem_zeros(&spread, all, sizeof *spread);

    status = status == HG_OK ? hg_mem_zeros(&domain, n, sizeof *domain) : status;
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    HG_TRY_OR(end, status, hg_held_out_train(comm, x->folds, &whole, &model));
    HG_TRY_OR(end, status, hg_comm_agree(comm, predict_slice(comm, x, model, spread, domain)));
    HG_TRY_OR(end, status, hg_held_out_join(comm, all, x->mean));
    HG_TRY_OR(end, status, hg_held_out_join(comm, all, spread));
    HG_TRY_OR(end, status, hg_held_out_join(comm, n, domain));
    for (size_t i = 0; i < n; i++) {
        x->domain[i] = (uint8_t)domain[i];
    }
    find_distances(x, spread);
end:
    hg_stages_free(model);
    hg_mem_free(spread);
    hg_mem_free(domain);
    return status;
}

/* ---- features ---- */
/* Distance of two samples, which are sorted, and the share of b beyond a. */
static void
compare_samples(int64_t n_a, float a[], int64_t n_b, float b[], hg_transfer_feature *f)
{
    int64_t i = 0, k = 0;

    qsort(a, (size_t)n_a, sizeof *a, hg_order_f32);
    qsort(b, (size_t)n_b, sizeof *b, hg_order_f32);
    while (i < n_a && k < n_b) {
        const float value = a[i] < b[k] ? a[i] : b[k];

        for (; i < n_a && a[i] <= value; i++) {
        }
        for (; k < n_b && b[k] <= value; k++) {
        }
        f->ks = fmax(f->ks, fabs((double)i / (double)n_a - (double)k / (double)n_b));
    }
    for (k = 0; k < n_b; k++) {
        f->below += (b[k] < a[0]) / (double)n_b;
        f->above += (b[k] > a[n_a - 1]) / (double)n_b;
    }
}

static hg_status
compare_feature(hg_transfer *x, int feature, hg_massed a[], hg_massed b[], float value[])
{
    const hg_validation *v = x->folds->validation;
    const int nf = v->features.n;

    for (int64_t i = 0; i < x->n; i++) {
        value[i] = v->rows.x[x->row[i] * nf + feature];
        a[i] = (hg_massed){(float)v->mass[x->row[i]], value[i], (int)(i % 2)};
    }
    for (int64_t i = 0; i < x->parent.n; i++) {
        value[x->n + i] = x->parent.x[i * nf + feature];
        b[i] = (hg_massed){(float)x->parent.mass[i], value[x->n + i], (int)(i % 2)};
    }
    HG_TRY(hg_shift_at_mass_measure(x->n, a, x->parent.n, b, &x->feature[feature].at_mass));
    compare_samples(x->n, value, x->parent.n, value + x->n, &x->feature[feature]);
    return HG_OK;
}

static hg_status
compare_features(hg_transfer *x)
{
    const size_t n_a = (size_t)x->n, n_b = (size_t)x->parent.n;
    hg_massed *a = NULL, *b = NULL;
    float *value = NULL;
    hg_status status;

    HG_TRY_OR(end, status, hg_mem_array(&a, n_a, sizeof *a));
    HG_TRY_OR(end, status, hg_mem_array(&b, n_b, sizeof *b));
    HG_TRY_OR(end, status, hg_mem_array(&value, n_a + n_b, sizeof *value));
    for (int f = 0; f < x->folds->validation->features.n && status == HG_OK; f++) {
        status = compare_feature(x, f, a, b, value);
    }
end:
    hg_mem_free(a);
    hg_mem_free(b);
    hg_mem_free(value);
    return status;
}

/* ---- errors ---- */
/* A held-out halo, or its score. */
typedef struct hg_held {
    double place, error, weight, mass;
    int class; /* of mass; 0 until there are classes */
} hg_held;

static int
compare_held(const void *a, const void *b)
{
    const hg_held *x = a, *y = b;

    if (x->class != y->class) {
        return x->class < y->class ? -1 : 1;
    }
    return x->place != y->place ? (x->place > y->place) - (x->place < y->place)
                                : (x->error > y->error) - (x->error < y->error);
}

/* Bins of equal weight along the distance. */
static void
bin_errors(int64_t n, const hg_held held[], hg_transfer_target *t)
{
    double all = 0, before = 0;
    int64_t i = 0;

    for (int64_t k = 0; k < n; k++) {
        all += held[k].weight;
    }
    t->n_bin = HG_TRANSFER_BINS;
    t->edge[0] = held[0].place;
    for (int b = 0; b < HG_TRANSFER_BINS; b++) {
        double sum = 0, square = 0, error = 0, squares = 0, place = 0;

        for (; i < n && (before + sum < all * (b + 1) / HG_TRANSFER_BINS || sum <= 0 ||
                         b + 1 == HG_TRANSFER_BINS);
             i++) {
            const double w = held[i].weight;

            sum += w;
            square += w * w;
            place += w * held[i].place;
            error += w * held[i].error;
            squares += w * held[i].error * held[i].error;
        }
        before += sum;
        t->edge[b + 1] = i < n ? held[i].place : held[n - 1].place;
        t->centre[b] = sum > 0 ? place / sum : t->edge[b + 1];
        t->rmse[b] = sum > 0 ? sqrt(squares / sum) : t->rmse[b - 1];
        t->bias[b] = sum > 0 ? error / sum : t->bias[b - 1];
        t->n_eff[b] = square > 0 ? sum * sum / square : 0;
    }
}

/* Straight between the centres of bins, constant beyond. */
static double
interpolate(const hg_transfer_target *t, const double y[], double place)
{
    int b = 0;

    while (b < t->n_bin && t->centre[b] < place) {
        b++;
    }
    if (b == 0 || b == t->n_bin || !(t->centre[b] > t->centre[b - 1])) {
        return y[b == t->n_bin ? b - 1 : b];
    }
    return y[b - 1] +
           (y[b] - y[b - 1]) * (place - t->centre[b - 1]) / (t->centre[b] - t->centre[b - 1]);
}

/* Classes of mass with intervals of their own, twice as wide as bins of mass (a decade) or
 * more, so that each has enough held-out haloes; the last takes what is left over. */
static int
find_classes(const hg_transfer *x, int64_t n, const hg_held held[], double edge[])
{
    const double width = 2 * x->folds->validation->params->validate.mass_width;
    int64_t count[CLASSES_MAX] = {0}, sum = 0;
    double low = held[0].mass, high = held[0].mass;
    int n_class = 0;

    for (int64_t i = 0; i < n; i++) {
        low = fmin(low, held[i].mass);
        high = fmax(high, held[i].mass);
    }
    low = floor(low / width);
    if (floor(high / width) - low >= CLASSES_MAX) {
        return 1;
    }
    for (int64_t i = 0; i < n; i++) {
        count[(int)(floor(held[i].mass / width) - low)]++;
    }
    for (int k = 0; k < CLASSES_MAX; k++) {
        sum += count[k];
        if (sum >= CLASS_HALOES) { /* its upper edge, which the last does without */
            edge[n_class++] = (low + k + 1) * width;
            sum = 0;
        }
    }
    return n_class > 0 ? n_class : 1;
}

static int
class_of(double mass, int n_class, const double edge[])
{
    int k = 0;

    while (k + 1 < n_class && mass >= edge[k]) {
        k++;
    }
    return k;
}

/* Least score below which the share `level` of the weight lies, that of the new halo at
 * infinity with it. */
static double
find_quantile(int64_t n, const hg_held score[], const double below[], double weight,
              double level)
{
    const double wanted = below[0] + level * (below[n] - below[0] + weight);
    int64_t low = 0, high = n;

    while (low < high) {
        const int64_t middle = low + (high - low) / 2;

        if (below[middle + 1] < wanted) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < n ? score[low].place : (double)INFINITY;
}

static hg_status
find_intervals(hg_transfer *x, int64_t n, hg_held held[], hg_transfer_target *t)
{
    const size_t n_parent = (size_t)x->parent.n;
    double *below = NULL, edge[CLASSES_MAX];
    const int n_class = find_classes(x, n, held, edge);
    int64_t start[CLASSES_MAX + 1] = {0};

    HG_TRY(hg_mem_array(&t->error, n_parent, sizeof *t->error));
    HG_TRY(hg_mem_array(&t->bias_of, n_parent, sizeof *t->bias_of));
    HG_TRY(hg_mem_array(&t->half, HG_TRANSFER_LEVELS * n_parent, sizeof *t->half));
    HG_TRY(hg_mem_array(&below, (size_t)n + 1, sizeof *below));
    for (int64_t i = 0; i < n; i++) { /* the place of a score is its value */
        const double expected = interpolate(t, t->rmse, held[i].place);

        held[i].place = expected > 0 ? fabs(held[i].error) / expected : 0;
        held[i].class = class_of(held[i].mass, n_class, edge);
        start[held[i].class + 1]++;
    }
    for (int k = 0; k < n_class; k++) {
        start[k + 1] += start[k];
    }
    qsort(held, (size_t)n, sizeof *held, compare_held);
    below[0] = 0;
    for (int64_t i = 0; i < n; i++) {
        below[i + 1] = below[i] + held[i].weight;
    }
    for (size_t i = 0; i < n_parent; i++) {
        t->error[i] = interpolate(t, t->rmse, x->parent_distance[i]);
        t->bias_of[i] = interpolate(t, t->bias, x->parent_distance[i]);
        for (int l = 0; l < HG_TRANSFER_LEVELS; l++) {
            const int k = class_of(x->parent.mass[i], n_class, edge);

            t->half[(size_t)l * n_parent + i] =
                t->error[i] *
                find_quantile(start[k + 1] - start[k], held + start[k], below + start[k],
                              x->parent_ratio[i] * x->parent_weight, hg_transfer_levels[l]);
        }
    }
    hg_mem_free(below);
    return HG_OK;
}

static hg_status
find_errors(hg_transfer *x, int target)
{
    const hg_validation *v = x->folds->validation;
    hg_held *held = NULL;
    int64_t n = 0;
    hg_status status = HG_OK;

    HG_TRY(hg_mem_array(&held, (size_t)x->n, sizeof *held));
    for (int64_t i = 0; i < x->n && !v->role[target].is_label; i++) {
        const double e = x->guesses->mean[x->row[i] * v->targets.n + target] -
                         hg_validation_truth(v, x->row[i], target);

        if (isfinite(e)) {
            held[n++] = (hg_held){.place = x->distance[i],
                                  .error = e,
                                  .weight = x->ratio[i],
                                  .mass = v->mass[x->row[i]]};
        }
    }
    if (n > 0) {
        qsort(held, (size_t)n, sizeof *held, compare_held);
        bin_errors(n, held, &x->target[target]);
        status = find_intervals(x, n, held, &x->target[target]);
    }
    hg_mem_free(held);
    return status;
}

static hg_status
allocate(hg_transfer *x)
{
    const size_t n = (size_t)x->n, n_parent = (size_t)x->parent.n;

    HG_TRY(hg_mem_zeros(&x->ratio, n, sizeof *x->ratio));
    HG_TRY(hg_mem_zeros(&x->distance, n, sizeof *x->distance));
    HG_TRY(hg_mem_zeros(&x->parent_ratio, n_parent, sizeof *x->parent_ratio));
    HG_TRY(hg_mem_zeros(&x->parent_distance, n_parent, sizeof *x->parent_distance));
    HG_TRY(hg_mem_zeros(&x->domain, n_parent, sizeof *x->domain));
    HG_TRY(hg_mem_zeros(&x->feature, (size_t)x->folds->validation->features.n,
                        sizeof *x->feature));
    return hg_mem_zeros(&x->mean, n_parent * (size_t)x->guesses->n_target, sizeof *x->mean);
}

hg_status
hg_transfer_run(const hg_comm *comm, const hg_folds *folds, const hg_guesses *guesses,
                hg_transfer *x)
{
    hg_log_level level;
    hg_status status;

    *x = (hg_transfer){.folds = folds, .guesses = guesses};
    HG_TRY(hg_parent_sample_read(comm, folds->validation, NULL, 0, &x->parent));
    level = hg_log_change(HG_LOG_WARN); /* as for the forests of folds */
    hg_log_change(level > HG_LOG_INFO || level < HG_LOG_WARN ? level : HG_LOG_WARN);
    hg_phase_start("validate: transfer");
    status = choose_rows(x);
    status = status == HG_OK ? allocate(x) : status;
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    HG_TRY_OR(end, status, hg_transfer_ratios_find(comm, x));
    HG_TRY_OR(end, status, predict_parent(comm, x));
    status = compare_features(x);
    for (int t = 0; t < guesses->n_target && status == HG_OK; t++) {
        status = find_errors(x, t);
    }
    status = hg_comm_agree(comm, status);
end:
    hg_log_change(level);
    hg_phase_stop("validate: transfer");
    return status;
}

void
hg_transfer_clear(hg_transfer *x)
{
    void *const blocks[] = {x->row,          x->ratio,           x->distance,
                            x->parent_ratio, x->parent_distance, x->mean,
                            x->domain,       x->feature};

    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        hg_mem_free(blocks[i]);
    }
    for (int t = 0; t < HG_TARGETS_MAX; t++) {
        hg_mem_free(x->target[t].error);
        hg_mem_free(x->target[t].bias_of);
        hg_mem_free(x->target[t].half);
    }
    hg_parent_sample_clear(&x->parent);
    *x = (hg_transfer){0};
}
