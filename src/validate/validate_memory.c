/* Bytes follow from the arrays: all rows on every rank (training_rows.h), what is kept of each
 * (folds.h, guesses.h), and one fold's forest, trained by the ranks that work on it
 * (held_out.c). */
#include "validate/validate_memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "emulate/estimate.h"
#include "emulate/scheme.h"
#include "suite/allowance.h"
#include "validate/validation.h"

static const double mebibyte = 1048576;

/* baselines, where no features are named for them; bytes that abundance matching needs for each
 * row it is fitted to, with what qsort() takes (baseline.c) */
enum { RIVALS = 5, MATCHING = 104 };

typedef struct parts {
    double rows, kept, fold;
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

static double
bytes_kept(const hg_params *params, bool is_explain, double folds)
{
    const double nf = params->features.n, nt = params->targets.n;

    return is_explain ? 8 + (4 * nf + 32 * nt) / folds
                      : 8 + 8 * nt * (6 + params->validate.parent + RIVALS);
}

static parts
sum_up(const hg_comm *comm, const hg_params *params, int threads, bool is_explain, double n,
       int n_stage, const hg_stage_shape shape[])
{
    const double folds = params->validate.folds > 0 ? (double)params->validate.folds : n;
    const int team = (int)fmax((double)comm->size / folds, 1), ranks[2] = {team, team};
    const int64_t n_train = (int64_t)(n * (1 - 1 / folds));
    const double forest =
        hg_scheme_choose(params, ranks, n_train, n_stage, shape, threads).means;
    /* of each fold: its forest grows, and then baselines are fitted beside it */
    const double rivals = hg_scheme_model(params, n_train, n_stage, shape) +
                          n * (8 * params->features.n + 16 + 8 / folds) +
                          (double)n_train * MATCHING;

    return (parts){n * bytes_of_rows(params), n * bytes_kept(params, is_explain, folds),
                   is_explain ? forest : fmax(forest, rivals)};
}

hg_status
hg_validate_estimate(const hg_comm *comm, const hg_params *params, int threads, bool is_explain)
{
    const char *name = is_explain ? "explain" : "validate";
    hg_stage_shape shape[HG_STAGES_MAX];
    int n_stage = 0;
    int64_t n = 0;
    double all;
    parts p;

    HG_TRY(hg_emulate_count_training(comm, params, &n, &n_stage, shape));
    p = sum_up(comm, params, threads, is_explain, (double)n, n_stage, shape);
    all = p.rows + p.kept + p.fold + HG_LIBRARY_MIB * mebibyte;
    if (comm->rank == 0) {
        printf("training  at most %" PRId64 " haloes\n", n);
        printf("%-9s %.0f MiB/rank: rows %.0f, what is kept of each %.0f, a fold %.0f\n", name,
               all / mebibyte, p.rows / mebibyte, p.kept / mebibyte, p.fold / mebibyte);
        fflush(stdout);
    }
    return hg_allowance_check(params, name, all, "rows (Selection) or trees");
}
