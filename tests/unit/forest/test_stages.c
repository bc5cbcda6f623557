/* A law with gates, labels and a chain whose probabilities are known, against what a model of
 * several stages says of it. */
#include "mpi_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "halograft/stages.h"

MPI_SUITE(stages);

enum { TRAIN = 16000, TEST = 16000, P = 3, NO = 4, DRAWS = 10, BINS = 5 };
enum { FIRST, CHAINED, GATED, LABEL };

static const double first_sigma = 0.5;

/* training and test rows, with room for what a model says of the latter */
struct law {
    float *x;
    double *y, *mean, *probability, *draw;
    uint64_t *key;
    uint8_t *origin;
};

static double
chance_of_gate(const float x[])
{
    return 0.1 + 0.8 * (double)x[0];
}

static double
chance_of_chained(double first)
{
    return 1 / (1 + exp(-2 * (first - 1)));
}

static double
mean_of_first(const float x[])
{
    return 2 * (double)x[0] + (double)x[1];
}

static double
mean_of_chained(const float x[], double first)
{
    return 0.5 * (double)x[2] + first * first;
}

/* the first target is plain; the chained one is open with a chance that follows from the first
 * and then its square; the label is 1 with a chance of 0.2 where the gate is open, else 0.8 */
static void
make_row(uint64_t key, float x[], double y[])
{
    hg_stream s = hg_stream_start(43, 0, key, HG_PURPOSE_GALAXY);
    int is_open;

    for (int f = 0; f < P; f++) {
        x[f] = hg_stream_float(&s);
    }
    y[FIRST] = mean_of_first(x) + first_sigma * hg_stream_normal(&s);
    is_open = hg_stream_uniform(&s) < chance_of_gate(x);
    y[GATED] = (double)NAN;
    if (is_open) {
        y[GATED] = (double)x[1] + 0.3 * hg_stream_normal(&s);
    }
    y[LABEL] = hg_stream_uniform(&s) < (is_open ? 0.2 : 0.8);
    is_open = hg_stream_uniform(&s) < chance_of_chained(y[FIRST]);
    y[CHAINED] = (double)NAN;
    if (is_open) {
        y[CHAINED] = mean_of_chained(x, y[FIRST]) + 0.1 * hg_stream_normal(&s);
    }
}

static struct law
make_law(void)
{
    const size_t n = TRAIN + TEST;
    struct law l = {.x = malloc(n * P * sizeof *l.x),
                    .y = malloc(n * NO * sizeof *l.y),
                    .mean = malloc(n * NO * sizeof *l.mean),
                    .probability = malloc(n * NO * sizeof *l.probability),
                    .draw = malloc(DRAWS * n * NO * sizeof *l.draw),
                    .key = malloc(n * sizeof *l.key),
                    .origin = malloc(n)};

    for (size_t i = 0; i < n; i++) {
        l.key[i] = i + 1;
        make_row(l.key[i], l.x + i * P, l.y + i * NO);
    }
    return l;
}

static void
free_law(struct law *l)
{
    free(l->x);
    free(l->y);
    free(l->mean);
    free(l->probability);
    free(l->draw);
    free(l->key);
    free(l->origin);
}

static hg_stages *
train(const struct law *l, int is_chained)
{
    static const hg_field_spec spec[NO] = {
        {.name = "first"}, {.name = "chained"}, {.name = "gated"}, {.name = "label"}};
    const hg_target_role role[NO] = {
        [CHAINED] = {.has_hurdle = 1, .after = is_chained ? 1u << FIRST : 0},
        [GATED] = {.has_hurdle = 1},
        [LABEL] = {.is_label = 1}};
    const hg_train_data data = {.n = TRAIN,
                                .n_feature = P,
                                .n_target = NO,
                                .feature = spec,
                                .target = spec,
                                .x = l->x,
                                .y = l->y,
                                .key = l->key};
    hg_train_options options = HG_TRAIN_OPTIONS_INIT;
    hg_stages *m = NULL;

    options.trees = 48;
    options.min_leaf = 10;
    cr_assert_eq(hg_stages_train(&world, &options, &data, role, NULL, &m), HG_OK, "%s",
                 hg_error_last()->message);
    return m;
}

static void
predict(const hg_stages *m, struct law *l)
{
    hg_predict_options options = HG_PREDICT_OPTIONS_INIT;

    options.n_draw = DRAWS;
    cr_assert_eq(hg_stages_predict(m, &options, TRAIN + TEST, l->key, l->x,
                                   &(hg_prediction){.mean = l->mean,
                                                    .draw = l->draw,
                                                    .origin = l->origin,
                                                    .probability = l->probability}),
                 HG_OK, "%s", hg_error_last()->message);
}

static const double *
draw_of(const struct law *l, int64_t d, int64_t i)
{
    return l->draw + (d * (TRAIN + TEST) + i) * NO;
}

static int
is_closed(double v)
{
    return isinf(v) && v < 0;
}

/* KS statistic of the randomised probability integral transform of a target, where closed is
 * the smallest value there is */
static double
pit_of(const struct law *l, int t, int64_t first, int64_t n)
{
    enum { CELLS = 1000 };
    double count[CELLS] = {0}, sum = 0, worst = 0;

    for (int64_t i = first; i < first + n; i++) {
        hg_stream s = hg_stream_start(44, 0, l->key[i], HG_PURPOSE_GALAXY);
        const double y = isnan(l->y[i * NO + t]) ? -HUGE_VAL : l->y[i * NO + t];
        int below = 0, level = 0;

        for (int64_t d = 0; d < DRAWS; d++) {
            const double v = draw_of(l, d, i)[t];

            below += v < y;
            level += v <= y && v >= y;
        }
        count[(int)(CELLS * (below + hg_stream_uniform(&s) * (level + 1)) / (DRAWS + 1))]++;
    }
    for (int k = 0; k < CELLS; k++) {
        sum += count[k] / (double)n - 1.0 / CELLS;
        worst = fmax(worst, fabs(sum));
    }
    return worst;
}

/* chance that the chained target is open, given the features: over the scatter of the first,
 * by the midpoint rule */
static double
integrate_chance(const float x[])
{
    double sum = 0, norm = 0;

    for (double z = -4.95; z < 5; z += 0.1) {
        const double w = exp(-0.5 * z * z);

        norm += w;
        sum += w * chance_of_chained(mean_of_first(x) + first_sigma * z);
    }
    return sum / norm;
}

/* Brier score of a probability over the test rows, against that of the law's own */
static void
check_brier(const struct law *l)
{
    double score[2] = {0}, best[2] = {0};

    for (int64_t i = TRAIN; i < TRAIN + TEST; i++) {
        const float *x = l->x + i * P;
        const double gate = !isnan(l->y[i * NO + GATED]), open = !isnan(l->y[i * NO + CHAINED]);

        score[0] += pow(l->probability[i * NO + GATED] - gate, 2) / TEST;
        best[0] += pow(chance_of_gate(x) - gate, 2) / TEST;
        score[1] += pow(l->probability[i * NO + CHAINED] - open, 2) / TEST;
        best[1] += pow(integrate_chance(x) - open, 2) / TEST;
        cr_assert(isnan(l->probability[i * NO + FIRST]));
    }
    for (int k = 0; k < 2; k++) {
        cr_assert(score[k] > best[k] - 0.001 && score[k] < best[k] + 0.006,
                  "Brier score %g against %g", score[k], best[k]);
    }
}

/* closed shares in bins of the first feature; joint shares of gate and label */
static void
check_shares(const struct law *l)
{
    double open[BINS] = {0}, wanted[BINS] = {0}, n[BINS] = {0}, both[2] = {0};

    for (int64_t i = TRAIN; i < TRAIN + TEST; i++) {
        const int bin = (int)((double)l->x[i * P] * BINS);

        n[bin]++;
        wanted[bin] += chance_of_gate(l->x + i * P);
        both[0] += 0.2 * chance_of_gate(l->x + i * P) / TEST;
        for (int64_t d = 0; d < DRAWS; d++) {
            const double *v = draw_of(l, d, i);

            open[bin] += !is_closed(v[GATED]) / (double)DRAWS;
            both[1] += (!is_closed(v[GATED]) && v[LABEL] > 0.5) / (double)(DRAWS * TEST);
            cr_assert(fabs(v[LABEL] - 0.5) == 0.5);
        }
    }
    for (int k = 0; k < BINS; k++) {
        const double p = wanted[k] / n[k];
        const double sigma = sqrt(p * (1 - p) * BINS * (1.0 / TRAIN + 1.0 / (DRAWS * TEST)));

        cr_assert(fabs(open[k] / n[k] - p) < 3 * sigma, "open share %g of %g +- %g in bin %d",
                  open[k] / n[k], p, sigma, k);
    }
    /* independent labels would be 1 and open together in 0.25 of the rows, not in 0.1 */
    cr_assert_float_eq(both[1], both[0], 0.015, "%g against %g", both[1], both[0]);
}

/* correlation of the scatter of the first and the chained target where both are open: about
 * their means over the law, of the test rows (draw = -1) or of draws */
static double
correlation_of(const struct law *l, int draw)
{
    double aa = 0, ab = 0, bb = 0, a_mean = 0, b_mean = 0, n = 0;

    for (int64_t i = TRAIN; i < TRAIN + TEST; i++) {
        const float *x = l->x + i * P;
        const double *v = draw < 0 ? l->y + i * NO : draw_of(l, draw, i);
        const double a = v[FIRST] - mean_of_first(x);
        const double b = v[CHAINED] - mean_of_chained(x, mean_of_first(x));

        if (isfinite(v[CHAINED])) {
            n++;
            a_mean += a;
            b_mean += b;
            aa += a * a;
            ab += a * b;
            bb += b * b;
        }
    }
    a_mean /= n;
    b_mean /= n;
    return (ab / n - a_mean * b_mean) /
           sqrt((aa / n - a_mean * a_mean) * (bb / n - b_mean * b_mean));
}

/* the mean is that over the scatter of the first target among open rows, which exceeds the
 * value at the mean of the first by its variance and by the selection */
static void
check_mean(const struct law *l)
{
    double bias = 0, naive = 0, n = 0;

    for (int64_t i = TRAIN; i < TRAIN + TEST; i++) {
        const double y = l->y[i * NO + CHAINED];

        if (!isnan(y) && !is_closed(l->mean[i * NO + CHAINED])) {
            bias += l->mean[i * NO + CHAINED] - y;
            naive += mean_of_chained(l->x + i * P, mean_of_first(l->x + i * P)) - y;
            n++;
        }
    }
    cr_assert(naive / n < -0.2, "%g", naive / n);
    cr_assert(fabs(bias / n) < 0.07, "bias of the mean %g", bias / n);
}

Test(stages, gates_labels_and_chains_follow_their_law)
{
    struct law l = make_law();
    hg_stages *m = train(&l, 1);
    double truth, worst = 0;

    cr_assert_eq(hg_stages_count(m), 7);
    predict(m, &l);
    for (int64_t i = 0; i < TRAIN + TEST; i++) {
        cr_assert_eq(l.origin[i] == HG_ROW_NEW, i >= TRAIN);
    }
    check_brier(&l);
    check_shares(&l);
    check_mean(&l);
    for (int t = 0; t < LABEL; t++) {
        worst = fmax(worst, pit_of(&l, t, TRAIN, TEST));
        cr_assert(worst < 0.02, "KS %g of target %d", worst, t);
        /* a training row that lent itself scatter would stand in the middle of its draws */
        worst = fmax(worst, pit_of(&l, t, 0, TRAIN));
        cr_assert(worst < 0.02, "KS %g of target %d, training rows", worst, t);
    }
    truth = correlation_of(&l, -1);
    cr_assert(truth > 0.75, "%g", truth);
    cr_assert_float_eq(correlation_of(&l, 0), truth, 0.05, "%g against %g",
                       correlation_of(&l, 0), truth);
    hg_stages_free(m);
    m = train(&l, 0);
    cr_assert_eq(hg_stages_count(m), 4);
    predict(m, &l);
    cr_assert(correlation_of(&l, 0) < 0.2, "%g without the chain", correlation_of(&l, 0));
    hg_stages_free(m);
    free_law(&l);
}
