/* A model large enough for the memory that ranks of a node share: it is read straight into
 * that, on one node and on several, and what fails on the way fails on all ranks and leaves
 * nothing. */
#include "mpi_fault.h"
#include "mpi_folder.h"

#include <stdio.h>
#include <stdlib.h>

#include "forest_data.h"
#include "store/seal.h"

MPI_SUITE(model_load);

enum { N = 1000, P = 3, TREES = 1500, LARGE = 36 << 20, ON_THE_WAY = 17 << 20 };

static uint64_t
save_model(const char *path)
{
    test_rows rows = make_rows(N, P, 1, world.rank, world.size);
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;
    hg_forest *f = NULL;
    uint64_t hash;

    o.trees = TREES;
    o.min_leaf = 1;
    o.bag = HG_BAG_NONE;
    o.threads = 1;
    all_assert(hg_forest_train(&world, &o, &rows.data, &f) == HG_OK);
    all_assert(hg_forest_save(&world, f, path, 0) == HG_OK);
    all_assert(hg_forest_leaves(f) * 28 > LARGE);
    hash = hg_forest_hash(f);
    hg_forest_free(f);
    clear_rows(&rows);
    return hash;
}

/* the bytes a rank keeps of a model */
static int64_t
load_model(const char *path, uint64_t hash)
{
    const int64_t before = hg_mem_used();
    hg_forest *f = NULL;
    int64_t kept;

    all_assert(hg_forest_load(&world, path, &f) == HG_OK);
    all_assert(hg_forest_hash(f) == hash);
    kept = hg_mem_used() - before;
    hg_forest_free(f);
    all_assert(hg_mem_used() == before);
    return kept;
}

static void
expect_refusal(const char *path, hg_status wanted)
{
    const int64_t before = hg_mem_used();
    hg_forest *f = NULL;

    all_assert(hg_forest_load(&world, path, &f) == wanted && f == NULL);
    all_assert(is_same(hg_error_last()->status) && hg_mem_used() == before);
}

/* turn a byte of the file over and seal it again, so that only its content can tell */
static void
damage(const char *path)
{
    hg_comm_barrier(&world);
    if (world.rank == 0) {
        FILE *file = fopen(path, "r+b");
        int byte;

        cr_assert_not_null(file);
        fseek(file, -(LARGE / 4), SEEK_END);
        byte = fgetc(file);
        fseek(file, -1, SEEK_CUR);
        fputc(byte ^ 1, file);
        fclose(file);
        cr_assert_eq(hg_seal_put(path), HG_OK);
    }
    hg_comm_barrier(&world);
}

Test(model_load, no_rank_holds_more_on_the_way_than_it_keeps)
{
    static const char *const per_node[] = {"0", "1", "2"};
    char path[256];
    uint64_t hash;

    share_folder();
    snprintf(path, sizeof path, "%s", in_folder("model.hdf5"));
    hash = save_model(path);
    for (int i = 0; i < 3; i++) {
        int64_t kept;

        setenv("HG_RANKS_PER_NODE", per_node[i], 1);
        kept = load_model(path, hash);
        hg_mem_budget(hg_mem_used() + kept + ON_THE_WAY);
        all_assert(load_model(path, hash) == kept);
        /* the last rank has not even room for what it keeps */
        hg_mem_budget(world.rank == world.size - 1 ? hg_mem_used() + kept / 2 : 0);
        expect_refusal(path, HG_E_MEMORY);
        hg_mem_budget(0);
    }
    unsetenv("HG_RANKS_PER_NODE");
    damage(path);
    expect_refusal(path, HG_E_VERIFY);
    drop_folder();
}

Test(model_load, any_fault_reaches_every_rank_and_leaks_nothing)
{
    const int64_t before = hg_mem_used();
    char path[256];
    fault_loop loops[] = {{.on_each = true},
                          {.of_memory = true, .on_each = true, .growth = 0.25}};

    share_folder();
    snprintf(path, sizeof path, "%s", in_folder("model.hdf5"));
    save_model(path);
    for (int k = 0; k < 2; k++) {
        while (fault_next(&loops[k])) {
            hg_forest *f = NULL;

            fault_status(&loops[k], hg_forest_load(&world, path, &f));
            hg_forest_free(f);
            all_assert(hg_mem_used() == before);
        }
        all_assert(loops[k].n_failed > 5);
    }
    drop_folder();
}
