/* What a finished model holds in memory, counted, against what is foreseen: where most of it
 * are the columns of its rows, where most are trees, and whether or not ranks share the trees.
 */
#include "mpi_test.h"

#include <stdlib.h>

#include "base/memory.h"
#include "emulate/scheme.h"
#include "forest_data.h"

MPI_SUITE(scheme);

enum { N = 40000, N_FEATURE = 4, N_TARGET = 2 };

static double
foresee(int trees, int min_leaf)
{
    const hg_stage_shape shape = {.n_feature = N_FEATURE, .n_target = N_TARGET};
    char text[2][32];
    const char *set[2] = {text[0], text[1]};
    hg_params_options options = {.n_set = 2, .set = set, .snap = -1};
    hg_params *params = NULL;
    double bytes;

    snprintf(text[0], sizeof text[0], "Model.trees=%d", trees);
    snprintf(text[1], sizeof text[1], "Model.min_leaf=%d", min_leaf);
    all_assert(hg_params_read(&world, &options, &params) == HG_OK);
    bytes = hg_scheme_model(params, N, 1, &shape,
                            hg_scheme_ranks(world.size, world.node_size).sharing);
    hg_params_free(params);
    return bytes;
}

static double
count(const test_rows *rows, int trees, int min_leaf)
{
    const int64_t before = hg_mem_used();
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;
    hg_forest *forest = NULL;
    double bytes;

    o.trees = trees;
    o.min_leaf = min_leaf;
    o.threads = 1;
    all_assert(hg_forest_train(&world, &o, &rows->data, &forest) == HG_OK);
    bytes = (double)(hg_mem_used() - before);
    hg_forest_free(forest);
    all_assert(hg_mem_used() == before);
    return bytes;
}

Test(scheme, memory_of_a_model_is_foreseen)
{
    static const int shape[2][2] = {{2, 100}, {40, 2}}; /* trees, min_leaf */
    test_rows rows = make_rows(N, N_FEATURE, N_TARGET, world.rank, world.size);

    for (int apart = 0; apart < 2; apart++) {
        setenv("HG_SHARED", apart ? "off" : "on", 1);
        for (int k = 0; k < 2; k++) {
            const double found = count(&rows, shape[k][0], shape[k][1]);
            const double foreseen = foresee(shape[k][0], shape[k][1]);

            if (world.rank == 0) {
                fprintf(stderr, "%d trees%s: %.0f foreseen, %.0f counted\n", shape[k][0],
                        apart ? ", each rank its own" : "", foreseen, found);
            }
            all_assert(found / foreseen > 0.85 && found / foreseen < 1.15);
        }
    }
    unsetenv("HG_SHARED");
    clear_rows(&rows);
}
