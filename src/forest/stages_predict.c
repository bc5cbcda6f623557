/* Application of a model, stage by stage for a block of rows. Means go from stage to stage as
 * means, draws as draws: draw d of a target is made with draw d of what it comes after. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "forest/model.h"
#include "forest/stage.h"

enum { N_PART = 2, BLOCK = 1 << 17 };

/* results of all stages for a block of rows */
typedef struct hg_stage_bench {
    const hg_stages *m;
    const hg_predict_options *options;
    const uint64_t *key;
    const float *x;
    int64_t n;
    int n_draw;
    float *input;   /* shape (n, features and inputs of a stage) */
    double *mean;   /* shape (n, n_target, N_PART) */
    double *draw;   /* shape (n_draw, n, n_target, N_PART) */
    double *spread; /* shape (n, n_target, N_PART); NULL when not asked for */
    double *stage_mean, *stage_draw, *stage_spread; /* of the stage at work, its own columns */
    double *stage_quantile; /* shape (n_quantile, n, columns); NULL when not asked for */
} hg_stage_bench;

static hg_status
init_bench(hg_stage_bench *b, int64_t n_most)
{
    const size_t n = (size_t)n_most, n_draw = (size_t)b->n_draw;
    const size_t values = n * (size_t)b->m->n_target, columns = values * N_PART;
    size_t n_feature = 0;

    for (int s = 0; s < b->m->n; s++) {
        const size_t f = (size_t)b->m->stage[s].forest->n_feature;

        n_feature = f > n_feature ? f : n_feature;
    }
    HG_TRY(hg_mem_array(&b->input, n * n_feature, sizeof *b->input));
    HG_TRY(hg_mem_array(&b->mean, columns, sizeof *b->mean));
    HG_TRY(hg_mem_array(&b->draw, columns * n_draw, sizeof *b->draw));
    HG_TRY(hg_mem_array(&b->stage_mean, values, sizeof *b->stage_mean));
    HG_TRY(hg_mem_array(&b->stage_draw, values * n_draw, sizeof *b->stage_draw));
    return hg_mem_array(&b->stage_spread, values, sizeof *b->stage_spread);
}

static void
clear_bench(hg_stage_bench *b)
{
    hg_mem_free(b->input);
    hg_mem_free(b->mean);
    hg_mem_free(b->draw);
    hg_mem_free(b->spread);
    hg_mem_free(b->stage_mean);
    hg_mem_free(b->stage_draw);
    hg_mem_free(b->stage_spread);
    hg_mem_free(b->stage_quantile);
}

static size_t
place_of(const hg_stage_bench *b, int64_t i, int target, int part)
{
    return (size_t)((i * b->m->n_target + target) * N_PART + part);
}

/* put the columns of a stage where they belong among those of all targets */
static void
keep_columns(const hg_stage_bench *b, const hg_stage *stage, const double from[], double to[])
{
    for (int64_t i = 0; i < b->n; i++) {
        for (int o = 0; o < stage->n_output; o++) {
            to[place_of(b, i, stage->output[o].target, stage->output[o].part)] =
                from[i * stage->n_output + o];
        }
    }
}

/* features of a stage; its inputs are means, or the values of a draw, where a closed target
 * takes the value it had in training */
static const float *
make_features(const hg_stage_bench *b, const hg_stage *stage, const double *draw)
{
    const int n_base = b->m->stage[0].forest->n_feature, n_feature = n_base + stage->n_input;

    if (stage->n_input == 0) {
        return b->x;
    }
    for (int64_t i = 0; i < b->n; i++) {
        float *x = b->input + i * n_feature;

        memcpy(x, b->x + i * n_base, (size_t)n_base * sizeof *x);
        for (int k = 0; k < stage->n_input; k++) {
            const int t = stage->input[k].target;
            const size_t at = place_of(b, i, t, stage->input[k].part);
            double v = draw != NULL ? draw[at] : b->mean[at];

            if (draw != NULL && stage->input[k].part == HG_PART_VALUE &&
                b->m->role[t].has_hurdle && !(draw[place_of(b, i, t, HG_PART_OPEN)] > 0)) {
                v = stage->closed[k];
            }
            x[n_base + k] = (float)(isnan(v) ? b->mean[at] : v); /* a draw without a mate */
        }
    }
    return b->input;
}

static hg_predict_options
options_of(const hg_stage_bench *b, int s)
{
    hg_predict_options o = *b->options;

    o.seed = hg_stage_seed(b->options->seed, s);
    o.method = b->m->stage[s].is_label ? HG_DRAW_LEAF : b->options->method;
    return o;
}

/* a stage that serves means, and draws unless it has inputs; `rows` is where results that do
 * not belong to targets go */
static hg_status
predict_means(hg_stage_bench *b, int s, const hg_prediction *rows)
{
    const hg_stage *stage = &b->m->stage[s];
    hg_predict_options o = options_of(b, s);
    hg_prediction r = s == 0 ? *rows : (hg_prediction){0};

    r.mean = b->stage_mean;
    r.spread = b->spread != NULL ? b->stage_spread : NULL;
    r.quantile = stage->is_label ? NULL : b->stage_quantile;

    o.n_draw = stage->use == HG_STAGE_BOTH ? b->n_draw : 0;
    r.draw = o.n_draw > 0 ? b->stage_draw : NULL;
    HG_TRY(
        hg_forest_predict(stage->forest, &o, b->n, b->key, make_features(b, stage, NULL), &r));
    keep_columns(b, stage, b->stage_mean, b->mean);
    if (b->spread != NULL) {
        keep_columns(b, stage, b->stage_spread, b->spread);
    }
    for (int64_t d = 0; d < o.n_draw; d++) {
        keep_columns(b, stage, b->stage_draw + d * b->n * stage->n_output,
                     b->draw + (size_t)d * place_of(b, b->n, 0, 0));
    }
    return HG_OK;
}

/* a stage with inputs that serves draws */
static hg_status
predict_draws(hg_stage_bench *b, int s)
{
    const hg_stage *stage = &b->m->stage[s];
    hg_predict_options o = options_of(b, s);

    o.n_draw = 1;
    o.moved_rows = 1;
    for (int d = 0; d < b->n_draw; d++) {
        double *draw = b->draw + (size_t)d * place_of(b, b->n, 0, 0);

        o.first_realisation = b->options->first_realisation + (uint64_t)d;
        HG_TRY(hg_forest_predict(stage->forest, &o, b->n, b->key, make_features(b, stage, draw),
                                 &(hg_prediction){.draw = b->stage_draw}));
        keep_columns(b, stage, b->stage_draw, draw);
    }
    return HG_OK;
}

/* value of a target from its parts; a closed one is -infinity */
static double
join_parts(const hg_stage_bench *b, int t, const double part[], double threshold)
{
    return b->m->role[t].has_hurdle && part[HG_PART_OPEN] < threshold ? -HUGE_VAL
                                                                      : part[HG_PART_VALUE];
}

/* results of the block, which begins at row `first` of `n_all` */
static void
give_results(const hg_stage_bench *b, int64_t first, int64_t n_all, const hg_prediction *r)
{
    const int64_t n_target = b->m->n_target;

    for (int64_t i = 0; i < b->n; i++) {
        for (int t = 0; t < n_target; t++) {
            const hg_target_role *role = &b->m->role[t];
            const double *mean = b->mean + place_of(b, i, t, 0);
            const int64_t to = (first + i) * n_target + t;

            if (r->mean != NULL) {
                r->mean[to] = join_parts(b, t, mean, 0.5);
            }
            if (r->probability != NULL) {
                r->probability[to] = role->has_hurdle ? mean[HG_PART_OPEN]
                                     : role->is_label ? mean[HG_PART_VALUE]
                                                      : (double)NAN;
            }
            if (r->spread != NULL) {
                r->spread[to] = b->spread[place_of(b, i, t, HG_PART_VALUE)];
            }
            for (int64_t d = 0; d < b->n_draw; d++) {
                const size_t at = (size_t)d * place_of(b, b->n, 0, 0) + place_of(b, i, t, 0);

                r->draw[d * n_all * n_target + to] = join_parts(b, t, b->draw + at, 0.5);
            }
        }
    }
}

/* results of rows, not of targets, from row `first` on */
static hg_prediction
skip_rows(const hg_stage_bench *b, const hg_prediction *r, int64_t first)
{
    const int words = hg_forest_mask_words(b->m->stage[0].forest);

    return (hg_prediction){.outside = r->outside != NULL ? r->outside + first * words : NULL,
                           .in_tails = r->in_tails != NULL ? r->in_tails + first * words : NULL,
                           .n_eff = r->n_eff != NULL ? r->n_eff + first : NULL,
                           .n_group = r->n_group != NULL ? r->n_group + first : NULL,
                           .domain = r->domain != NULL ? r->domain + first : NULL,
                           .origin = r->origin != NULL ? r->origin + first : NULL};
}

/* the quantiles of a stage, for the rows from `first` on of `n_all`; labels have none */
static void
give_quantiles(const hg_stage_bench *b, const hg_stage *stage, int64_t first, int64_t n_all,
               double quantile[])
{
    for (int64_t q = 0; q < b->options->n_quantile; q++) {
        for (int64_t i = 0; i < b->n; i++) {
            for (int o = 0; o < stage->n_output; o++) {
                const int64_t to = (q * n_all + first + i) * b->m->n_target;

                if (!stage->is_label) {
                    quantile[to + stage->output[o].target] =
                        b->stage_quantile[(q * b->n + i) * stage->n_output + o];
                } else if (stage->output[o].part == HG_PART_VALUE) {
                    quantile[to + stage->output[o].target] = (double)NAN;
                }
            }
        }
    }
}

static hg_status
predict_block(hg_stage_bench *b, int64_t first, int64_t n_all, const hg_prediction *r)
{
    const hg_prediction rows = skip_rows(b, r, first);

    for (int s = 0; s < b->m->n; s++) {
        if (b->m->stage[s].use == HG_STAGE_DRAW) {
            HG_TRY(predict_draws(b, s));
        } else {
            HG_TRY(predict_means(b, s, &rows));
            if (r->quantile != NULL) {
                give_quantiles(b, &b->m->stage[s], first, n_all, r->quantile);
            }
        }
    }
    give_results(b, first, n_all, r);
    return HG_OK;
}

hg_status
hg_stages_predict(const hg_stages *m, const hg_predict_options *options, int64_t n,
                  const uint64_t key[], const float x[], const hg_prediction *r)
{
    const int64_t n_feature = m->stage[0].forest->n_feature;
    hg_stage_bench b = {.m = m, .options = options};
    hg_status status;

    if (m->n == 1 && !m->stage[0].is_label && r->probability == NULL) {
        return hg_forest_predict(m->stage[0].forest, options, n, key, x, r);
    }
    b.n_draw = r->draw != NULL ? options->n_draw : 0;
    status = init_bench(&b, n < BLOCK ? n : BLOCK);
    if (status == HG_OK && r->spread != NULL) {
        status =
            hg_mem_array(&b.spread, (size_t)((n < BLOCK ? n : BLOCK) * m->n_target) * N_PART,
                         sizeof *b.spread);
    }
    if (status == HG_OK && r->quantile != NULL) {
        status = hg_mem_array(&b.stage_quantile,
                              (size_t)((n < BLOCK ? n : BLOCK) * m->n_target) *
                                  (size_t)options->n_quantile,
                              sizeof *b.stage_quantile);
    }
    for (int64_t first = 0; first < n && status == HG_OK; first += BLOCK) {
        b.n = n - first < BLOCK ? n - first : BLOCK;
        b.key = key != NULL ? key + first : NULL;
        b.x = x + first * n_feature;
        status = predict_block(&b, first, n, r);
    }
    clear_bench(&b);
    return status;
}
