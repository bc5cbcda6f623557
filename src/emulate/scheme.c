/* Bytes follow from the arrays of the two schemes (forest_train.c, distribute.c): a record of
 * 4 (features + targets + 2) bytes in whole lines of 64, the copies of it, and what is kept per
 * row, leaf and tree. By rows the peak is where features move into the records, or where trees
 * grow; docs/performance.md compares it with a measurement. */
#include "emulate/scheme.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "forest/threads.h"
#include "halograft/log.h"
#include "par/shared.h"

/* share of the machine that may be used; buffers of the exchange of rows, or of the scatter */
static const double machine_share = 0.8, buffers = 8 << 20;

/* the rows of a training, and over what they are spread */
typedef struct hg_spread {
    const hg_params_model *model;
    double n, share; /* on all ranks, on one */
    double threads, ranks, sharing;
    bool has_mates; /* leaves list their rows: for draws */
} hg_spread;

double
hg_scheme_leaves(const hg_params_model *model, double n_row)
{
    const double bag = strcmp(model->bag, "none") == 0 ? 1 : 0.63;

    /* random thresholds leave half as many rows again in a leaf as they must, but one alone
     * where that is enough */
    return fmax(bag * n_row / (1.5 * (double)model->min_leaf - 0.5), 1);
}

static double
leaves_of(const hg_spread *s)
{
    return hg_scheme_leaves(s->model, s->n);
}

static double
record_of(const hg_spread *s, const hg_stage_shape *shape)
{
    const double channels = (s->model->weighted ? 2 : 1) * (shape->n_target + 1) + 1;

    return 64 * ceil((shape->n_feature + channels) / 16);
}

/* the trees of a finished forest */
static double
forest_of(const hg_spread *s, const hg_stage_shape *shape)
{
    return (double)s->model->trees *
           (leaves_of(s) * (24 + 4 * shape->n_target) + (s->has_mates ? 4 * s->n : 0));
}

/* what it keeps of the rows: three numbers of 8 bytes, values, residuals, two of 4 bytes and
 * one of 2, and the list by which haloes of the parent are found */
static double
columns_of(const hg_spread *s, const hg_stage_shape *shape)
{
    return s->n * (50 + 8 * shape->n_target);
}

/* one forest by trees: rows as given, their records, what threads grow in, the forest */
static double
trees_of(const hg_spread *s, const hg_stage_shape *shape)
{
    const hg_params_model *m = s->model;
    const double o = shape->n_target, f = shape->n_feature, record = record_of(s, shape);
    /* ranks that share no memory have their own trees apart until all go to one place per copy;
     * elsewhere there is some room for trees that are larger than the first */
    const double copies =
        s->ranks > s->sharing ? 1 / s->ranks + 1 / s->sharing : 1.1 / s->sharing;
    double rows = record / s->sharing + 8 + 8 * o, arena = record, histograms = 0;

    if (strcmp(m->splitter, "best") == 0) {
        const double bins = (double)m->bins;
        const double binned =
            16 * ceil(((o + 3) * (m->weighted ? 8 : 4) + f * (bins > 256 ? 2 : 1)) / 16);
        const double lines = 8 * ceil((o + 2) / 8) * 8 * bins * fmax(m->max_features * f, 1);

        rows += binned / s->sharing;
        arena = 2 * binned;
        histograms = fmin(8 * lines, 64 << 20);
    }
    return s->share * (4 * f + 16 * o + 60) + s->n * rows + columns_of(s, shape) +
           s->threads *
               (s->n * (arena + 21 + 8 * o) + leaves_of(s) * (20 + 12 * o) + histograms) +
           copies * forest_of(s, shape);
}

/* all forests by trees, one after the other: those that are finished stay, and where there are
 * several, rows of a stage are copied and predictions kept */
static double
stages_of(const hg_spread *s, int n_stage, const hg_stage_shape shape[])
{
    double finished = 0, most = 0, copies = 0;

    for (int k = 0; k < n_stage; k++) {
        copies = n_stage == 1 ? 0 : s->share * (4 * shape[k].n_feature + 24 * n_stage + 40);
        most = fmax(most, finished + copies + trees_of(s, &shape[k]));
        finished += forest_of(s, &shape[k]) / s->sharing + columns_of(s, &shape[k]);
    }
    return most;
}

static double
rows_of(const hg_spread *s, const hg_stage_shape *shape)
{
    const double o = shape->n_target, record = record_of(s, shape), leaves = leaves_of(s);

    return buffers + fmax(s->share * (record + 4 * shape->n_feature + 8 * o + 68),
                          s->share * (1.25 * record + 16 * o + 40) +
                              8 * 16 * leaves / s->ranks + leaves * (16 + 8 * (o + 1)));
}

double
hg_scheme_model(const hg_params *params, int64_t n_row, int n_stage,
                const hg_stage_shape shape[], int sharing)
{
    const hg_spread s = {.model = &params->model, .n = (double)n_row, .has_mates = true};
    double bytes = 0;

    for (int k = 0; k < n_stage; k++) {
        bytes += forest_of(&s, &shape[k]) / sharing + columns_of(&s, &shape[k]);
    }
    return bytes;
}

hg_ranks
hg_scheme_ranks(int all, int per_node)
{
    return (hg_ranks){all, per_node, hg_shared_ranks(per_node)};
}

hg_scheme
hg_scheme_choose(const hg_params *params, hg_ranks ranks, int64_t n_row, int n_stage,
                 const hg_stage_shape shape[], int threads)
{
    const hg_params_model *m = &params->model;
    hg_spread spread = {.model = m,
                        .n = (double)n_row,
                        .share = (double)n_row / ranks.all,
                        .threads = fmin(threads, ceil((double)m->trees / ranks.all)),
                        .ranks = ranks.all,
                        .sharing = ranks.sharing};
    hg_scheme s;

    s.is_plain = n_stage == 1 && !shape[0].is_label && strcmp(m->splitter, "best") != 0;
    s.means = stages_of(&spread, n_stage, shape);
    spread.has_mates = true;
    s.draws = stages_of(&spread, n_stage, shape);
    s.trees = s.draws + buffers;
    s.rows = rows_of(&spread, &shape[0]);
    s.limit = params->run.memory_max > 0
                  ? params->run.memory_max
                  : machine_share * (double)hg_mem_machine() / ranks.per_node;
    s.by_rows =
        strcmp(m->scheme, "rows") == 0 ||
        (strcmp(m->scheme, "auto") == 0 && s.is_plain && s.limit > 0 && s.trees > s.limit);
    return s;
}

hg_status
hg_scheme_agree(const hg_comm *comm, const hg_params *params, int64_t n_row, int n_stage,
                const hg_stage_shape shape[], bool has_twins, bool *by_rows)
{
    const char *wanted = params->model.scheme;
    const int threads = hg_threads((int)params->run.threads);
    bool is_plain;
    hg_scheme s;

    hg_comm_sum(comm, 1, &n_row);
    s = hg_scheme_choose(params, hg_scheme_ranks(comm->size, comm->node_size), n_row, n_stage,
                         shape, threads);
    is_plain = s.is_plain && !has_twins;
    hg_comm_min_double(comm, 1, &s.limit); /* machines may differ */
    hg_comm_max_double(comm, 1, &s.trees);
    *by_rows = strcmp(wanted, "rows") == 0 ||
               (strcmp(wanted, "auto") == 0 && is_plain && s.limit > 0 && s.trees > s.limit);
    if (*by_rows && !is_plain) {
        return HG_FAIL(HG_E_PARAM,
                       "Model.scheme is 'rows', which trains targets that are plain numbers, "
                       "without hurdles, labels, chains, twin runs or "
                       "Scatter.library_by, and with Model.splitter random: set it to 'trees'");
    }
    hg_log_info("train: by %s (Model.scheme %s): per rank about %.1f MiB by trees, %.1f MiB by "
                "rows, %.0f MiB are there",
                *by_rows ? "rows" : "trees", wanted, s.trees / 1048576, s.rows / 1048576,
                s.limit / 1048576);
    return HG_OK;
}
