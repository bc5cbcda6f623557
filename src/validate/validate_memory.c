/* Bytes follow from the arrays: all rows on every rank (training_rows.h), what is kept of each
 * (folds.h, guesses.h; the model that is explained), and the larger of two: one fold's forest,
 * trained by the ranks that work on it (held_out.c), and the comparison with the parent
 * (transfer.c), for which a part of the parent is read, a forest tells both apart, and one of
 * all rows predicts the parent. */
#include "validate/validate_memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "emulate/estimate.h"
#include "emulate/scheme.h"
#include "suite/allowance.h"
#include "validate/transfer_ratios.h"

static const double mebibyte = 1048576;

/* baselines, where no features are named for them; bytes that abundance matching needs for each
 * row it is fitted to, with what qsort() takes (baseline.c) */
enum { RIVALS = 5, MATCHING = 104 };

/* bytes of a halo of both sides while they are compared feature by feature: mass, value and
 * half, the value, an entry of a run, a step (shift_at_mass.c) */
enum { COMPARED = 12 + 4 + 8 + 16 };

/* What is counted. */
typedef struct inputs {
    const hg_params *params;
    hg_ranks ranks;
    int threads;
    bool is_explain;
    int64_t n, n_parent; /* training rows, haloes of the parent */
    int n_stage;
    hg_stage_shape shape[HG_STAGES_MAX];
} inputs;

typedef struct parts {
    double rows, kept, fold, parent;
} parts;

static double
bytes_of_rows(const hg_params *params)
{
    const double nf = params->features.n, nt = params->targets.n;
    const double levels = params->validate.resolution.n + params->validate.resolution_masses.n;
    /* mass, central and overdensity are extras of a row; weight, keys, groups, place, run and
     * number of the region; mass; fold, block and unit */
    return 4 * nf * (1 + levels) + 8 * nt + 8 * 3 + 8 * 7 + 8 + 16;
}

/* what is kept of each row, and the model that is explained */
static double
bytes_kept(const inputs *in, double folds)
{
    const double nf = in->params->features.n, nt = in->params->targets.n, n = (double)in->n;

    return in->is_explain ? n * (8 + (4 * nf + 32 * nt) / folds) +
                                hg_scheme_model(in->params, in->n, in->n_stage, in->shape,
                                                in->ranks.sharing)
                          : n * (8 + 8 * nt * (6 + in->params->validate.parent + RIVALS));
}

/* a forest of n rows that a team of ranks trains */
static double
bytes_of_forest(const inputs *in, int team, int64_t n)
{
    const hg_ranks ranks = {team, team, in->ranks.sharing > 1 ? team : 1};
    const hg_scheme s =
        hg_scheme_choose(in->params, ranks, n, in->n_stage, in->shape, in->threads);

    return in->is_explain ? s.means : s.draws;
}

/* of each fold: its forest grows, and then baselines are fitted beside it */
static double
bytes_of_fold(const inputs *in, double folds)
{
    const int team = (int)fmax((double)in->ranks.all / folds, 1);
    const int64_t n_train = (int64_t)((double)in->n * (1 - 1 / folds));
    const double forest = bytes_of_forest(in, team, n_train);
    const double rivals = hg_scheme_model(in->params, n_train, in->n_stage, in->shape, 1) +
                          (double)in->n * (8 * in->params->features.n + 16 + 8 / folds) +
                          (double)n_train * MATCHING;

    return in->is_explain ? forest : fmax(forest, rivals);
}

/* the forest that tells n training haloes from those of the parent */
static double
bytes_of_judge(const inputs *in, int64_t n_both)
{
    const hg_stage_shape shape = {.n_feature = in->params->features.n, .n_target = 1};
    hg_params params = *in->params;

    params.model.trees = HG_TRANSFER_RATIO_TREES;
    params.model.min_leaf = HG_TRANSFER_RATIO_LEAF;
    params.model.splitter = "random";
    params.model.bag = "row";
    return hg_scheme_choose(&params, in->ranks, n_both, 1, &shape, in->threads).means;
}

static double
bytes_of_parent(const inputs *in)
{
    const double nf = in->params->features.n, nt = in->params->targets.n;
    const double most = (double)in->params->validate.parent_rows;
    const double n = fmin((double)in->n, most), np = fmin((double)in->n_parent, most);
    const double part = fmin((double)in->n_parent, (double)in->params->output.rows_per_part);
    /* a part in columns of 8 bytes; the haloes taken so far, and with those of the part */
    const double width = 8 * (3 + nf), own = np / in->ranks.all;
    const double read = fmax(part * (8 * (nf + 3) + 1) + 2 * width * own, width * (own + np));
    /* row, mass, surroundings and features of the parent; which rows, ratios and distances of
     * both, means and flags of the parent */
    const double sample =
        np * (24 + 4 * nf) + 8 * (double)in->n + 16 * n + np * (16 + 1 + 8 * nt);
    const double judge = 8 * n + bytes_of_judge(in, (int64_t)(n + np));
    const double predicted = np * 8 * (1 + 2 * nt) + bytes_of_forest(in, in->ranks.all, in->n);
    /* of each target errors, biases and half widths of two levels, and held-out haloes */
    const double compared = fmax((n + np) * COMPARED, 32 * np * nt + 56 * n);

    return fmax(read, sample + fmax(fmax(judge, predicted), compared));
}

static parts
sum_up(const inputs *in)
{
    const hg_params *params = in->params;
    const double n = (double)in->n;
    const double folds = params->validate.folds > 0 ? (double)params->validate.folds : n;
    const bool has_parent = params->validate.parent && !in->is_explain;

    return (parts){n * bytes_of_rows(params), bytes_kept(in, folds), bytes_of_fold(in, folds),
                   has_parent ? bytes_of_parent(in) : 0};
}

hg_status
hg_validate_estimate(const hg_comm *comm, const hg_params *params, int threads, bool is_explain)
{
    const char *name = is_explain ? "explain" : "validate";
    inputs in = {.params = params,
                 .ranks = hg_scheme_ranks(comm->size, comm->node_size),
                 .threads = threads,
                 .is_explain = is_explain};
    int64_t *n_parent = params->validate.parent && !is_explain ? &in.n_parent : NULL;
    double all;
    parts p;

    HG_TRY(hg_emulate_count_training(comm, params, &in.n, n_parent, &in.n_stage, in.shape));
    p = sum_up(&in);
    all = p.rows + p.kept + fmax(p.fold, p.parent) + HG_LIBRARY_MIB * mebibyte;
    if (comm->rank == 0) {
        printf("training  at most %" PRId64 " haloes\n", in.n);
        printf("%-9s %.0f MiB/rank: rows %.0f, what is kept of each %.0f, a fold %.0f", name,
               all / mebibyte, p.rows / mebibyte, p.kept / mebibyte, p.fold / mebibyte);
        if (n_parent != NULL) {
            printf(" or the parent %.0f", p.parent / mebibyte);
        }
        printf("\n");
        fflush(stdout);
    }
    return hg_allowance_check(params, name, all, "rows (Selection) or trees");
}
