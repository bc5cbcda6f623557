/* Bytes follow from the arrays of the two schemes (forest_train.c, distribute.c): a record of
 * 4 (features + targets + 2) bytes in whole lines of 64, the copies of it, and what is kept per
 * row, leaf and tree. By rows the peak is where features move into the records, or where trees
 * grow; docs/performance.md compares it with a measurement. */
#include "emulate/scheme.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/memory.h"
#include "halograft/log.h"

/* share of the machine that may be used; buffers of the exchange of rows */
static const double machine_share = 0.8, buffers = 8 << 20;

hg_scheme
hg_scheme_choose(const hg_params *params, const int ranks[2], int64_t n_row, int n_feature,
                 int n_target, int threads)
{
    const hg_params_model *m = &params->model;
    const double n = (double)n_row, share = n / ranks[0], o = n_target;
    const double record = 64 * ceil((n_feature + (m->weighted ? 2 : 1) * o + 2) / 16);
    const double bag = strcmp(m->bag, "none") == 0 ? 1 : 0.63;
    const double leaves = fmax(bag * n / (1.5 * (double)m->min_leaf), 1);
    const double model = (double)m->trees * (leaves * (24 + 4 * o) + 4 * n);
    const double growing = n * (record + 17 + 8 * o) + leaves * (16 + 12 * o);
    hg_scheme s;

    s.trees = share * (record + 4 * n_feature + 16 * o + 60) +
              n * (record / ranks[1] + 58 + 16 * o) + threads * growing + 1.3 * model;
    s.rows = buffers + fmax(share * (record + 4 * n_feature + 8 * o + 36),
                            share * (1.25 * record + 16 * o + 40) + 8 * 16 * leaves / ranks[0] +
                                leaves * (16 + 8 * (o + 1)));
    s.limit = params->run.memory_max > 0 ? params->run.memory_max
                                         : machine_share * (double)hg_mem_machine() / ranks[1];
    s.by_rows = strcmp(m->scheme, "rows") == 0 ||
                (strcmp(m->scheme, "auto") == 0 && s.limit > 0 && s.trees > s.limit);
    return s;
}

hg_status
hg_scheme_agree(const hg_comm *comm, const hg_params *params, int64_t n_row, int n_feature,
                int n_target, bool is_plain, bool *by_rows)
{
    const char *wanted = params->model.scheme;
    const int ranks[2] = {comm->size, comm->node_size};
    const int threads =
        params->run.threads > 0 ? (int)params->run.threads : omp_get_max_threads();
    hg_scheme s;

    hg_comm_sum(comm, 1, &n_row);
    s = hg_scheme_choose(params, ranks, n_row, n_feature, n_target, threads);
    hg_comm_min_double(comm, 1, &s.limit); /* machines may differ */
    hg_comm_max_double(comm, 1, &s.trees);
    *by_rows = strcmp(wanted, "rows") == 0 ||
               (strcmp(wanted, "auto") == 0 && is_plain && s.limit > 0 && s.trees > s.limit);
    if (*by_rows && !is_plain) {
        return HG_FAIL(HG_E_PARAM,
                       "Model.scheme is 'rows', which trains targets that are plain numbers, "
                       "without hurdles, labels, chains or twin runs, and with Model.splitter "
                       "random: set it to 'trees'");
    }
    hg_log_info("train: by %s (Model.scheme %s): per rank about %.1f MiB by trees, %.1f MiB by "
                "rows, %.0f MiB are there",
                *by_rows ? "rows" : "trees", wanted, s.trees / 1048576, s.rows / 1048576,
                s.limit / 1048576);
    return HG_OK;
}
