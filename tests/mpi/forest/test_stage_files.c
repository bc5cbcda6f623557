/* Models of several stages over ranks, in files and from tasks: the same bits however they were
 * made, and one clear sentence on all ranks when they cannot be. */
#include "mpi_fault.h"
#include "mpi_folder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forest_data.h"
#include "halograft/stages.h"

MPI_SUITE(stage_files);

enum { N = 200, P = 4, NO = 5, TREES = 12, DRAWS = 2 };
enum { PLAIN, LABEL, HURDLE, TWIN, CHAINED };

/* the chained target comes after one with a hurdle, which is open on the same rows as its twin
 */
static const hg_target_role roles[NO] = {[LABEL] = {.is_label = 1},
                                         [HURDLE] = {.has_hurdle = 1},
                                         [TWIN] = {.has_hurdle = 1},
                                         [CHAINED] = {.after = 1u << HURDLE}};

static test_rows
make_stage_rows(int64_t first, int64_t step)
{
    test_rows r = make_rows(N, P, NO, first, step);

    for (int64_t i = 0; i < r.data.n; i++) {
        const uint64_t row = (uint64_t)(first + i * step);
        double *y = r.y + i * NO;

        y[LABEL] = test_uniform(row, 2000) < 0.3;
        if (test_uniform(row, 3000) + 0.1 * (double)r.x[i * P] < 0.5) {
            y[HURDLE] = y[TWIN] = (double)NAN;
        }
        y[CHAINED] += isnan(y[HURDLE]) ? -3 : y[HURDLE];
    }
    for (int t = 0; t < NO; t++) {
        snprintf(r.spec[t].name, sizeof r.spec[t].name, "target%d", t);
    }
    return r;
}

static hg_train_options
few_trees(void)
{
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;

    o.trees = TREES;
    o.threads = 1;
    o.seed = 9;
    o.oob_trees_min = 1;
    return o;
}

/* hash of all that is predicted of the rows of the test, half of them training rows */
static uint64_t
predict_hash(const hg_stages *m, int threads)
{
    test_rows rows = make_stage_rows(0, 1);
    const size_t n = N * NO;
    hg_predict_options o = HG_PREDICT_OPTIONS_INIT;
    double *block = NULL;
    uint64_t hash = 0;
    hg_prediction r;

    o.n_draw = DRAWS;
    o.threads = threads;
    all_assert(hg_mem_array(&block, (DRAWS + 3) * n, sizeof *block) == HG_OK);
    r = (hg_prediction){.mean = block,
                        .probability = block + n,
                        .spread = block + 2 * n,
                        .draw = block + 3 * n};
    for (int i = 0; i < N; i += 2) {
        rows.key[i] += 12345; /* not in the training */
    }
    all_assert(hg_stages_predict(m, &o, N, rows.key, rows.x, &r) == HG_OK);
    for (size_t i = 0; i < (DRAWS + 3) * n; i++) {
        uint64_t bits;

        memcpy(&bits, &block[i], sizeof bits);
        hash = hg_mix64(hash ^ bits) + i;
    }
    for (int i = 0; i < N; i++) { /* what belongs together is open together */
        for (int d = 0; d <= DRAWS; d++) {
            const double *y = (d == DRAWS ? block : r.draw + d * (int)n) + i * NO;

            cr_assert(isfinite(y[PLAIN]) && isfinite(y[CHAINED]));
            cr_assert_eq(isinf(y[HURDLE]), isinf(y[TWIN]));
            cr_assert(d == DRAWS || fabs(y[LABEL] - 0.5) == 0.5);
        }
    }
    hg_mem_free(block);
    clear_rows(&rows);
    return hash;
}

Test(stage_files, model_and_draws_are_the_same_for_any_ranks_and_threads)
{
    uint64_t first[2] = {0}, hash[2];

    for (int n = 1; n <= world.size; n++) { /* all rows on n ranks, the others train alone */
        const int is_in = world.rank < n;
        test_rows rows;
        hg_comm part;

        all_assert(hg_comm_split(&world, is_in ? 0 : 1 + world.rank, &part) == HG_OK);
        rows = is_in ? make_stage_rows(n - 1 - part.rank, n) : make_stage_rows(0, 1);
        for (int threads = 1; threads <= 2; threads++) {
            hg_train_options o = few_trees();
            hg_stages *m = NULL;

            o.threads = threads;
            rows.data.group = rows.group;
            o.bag = HG_BAG_GROUP;
            all_assert(hg_stages_train(&part, &o, &rows.data, roles, NULL, &m) == HG_OK);
            all_assert(hg_stages_count(m) == 5); /* the twins share one */
            hash[0] = hg_stages_hash(m);
            hash[1] = predict_hash(m, threads);
            if (n == 1 && threads == 1) {
                memcpy(first, hash, sizeof first);
            }
            all_assert(memcmp(hash, first, sizeof hash) == 0);
            hg_stages_free(m);
        }
        clear_rows(&rows);
        hg_comm_clear(&part);
    }
    hg_comm_broadcast(&world, 0, hash, sizeof hash);
    all_assert(memcmp(hash, first, sizeof hash) == 0);
}

Test(stage_files, a_plain_model_is_its_forest)
{
    test_rows rows = make_rows(N, P, 2, world.rank, world.size);
    const hg_target_role plain[2] = {{0}, {0}};
    hg_train_options o = few_trees();
    hg_forest *f = NULL;
    hg_stages *m = NULL;

    all_assert(hg_forest_train(&world, &o, &rows.data, &f) == HG_OK);
    all_assert(hg_stages_train(&world, &o, &rows.data, plain, NULL, &m) == HG_OK);
    all_assert(hg_stages_hash(m) == hg_forest_hash(f) && hg_stages_count(m) == 1);
    hg_stages_free(m);
    hg_forest_free(f);
    clear_rows(&rows);
}

Test(stage_files, files_give_back_what_was_written_and_damage_is_found)
{
    test_rows rows = make_stage_rows(world.rank, world.size);
    hg_train_options o = few_trees();
    hg_stages *m = NULL, *g = NULL;
    hg_forest *one = NULL;
    fault_loop f = {.on_each = true};
    uint64_t hash;
    int64_t used;

    share_folder();
    all_assert(hg_stages_train(&world, &o, &rows.data, roles, NULL, &m) == HG_OK);
    all_assert(hg_forest_set_meta(hg_stages_forest(m, 0), "frame", "h: 0.7") == HG_OK);
    hash = predict_hash(m, 1);
    all_assert(hg_stages_save(&world, m, in_folder("model.hdf5"), 0) == HG_OK);
    all_assert(hg_stages_save(&world, m, in_folder("model.hdf5"), 0) == HG_E_EXISTS);
    all_assert(hg_stages_load(&world, in_folder("model.hdf5"), &g) == HG_OK);
    all_assert(hg_stages_hash(g) == hg_stages_hash(m) && predict_hash(g, 1) == hash);
    all_assert(strcmp(hg_forest_get_meta(hg_stages_forest(g, 0), "frame"), "h: 0.7") == 0);
    all_assert(hg_stages_targets(g) == NO);
    for (int t = 0; t < NO; t++) {
        all_assert(memcmp(hg_stages_role(g, t), &roles[t], sizeof roles[t]) == 0);
        all_assert(strcmp(hg_stages_target(g, t)->name, rows.spec[t].name) == 0);
    }
    hg_stages_free(g);
    all_assert(hg_forest_load(&world, in_folder("model.hdf5"), &one) == HG_E_FORMAT &&
               one == NULL);
    used = hg_mem_used();
    while (fault_next(&f)) { /* faults at every agreement of a load */
        all_assert((fault_status(&f, hg_stages_load(&world, in_folder("model.hdf5"), &g)) ==
                    HG_OK) == (g != NULL));
        hg_stages_free(g);
        all_assert(hg_mem_used() == used);
    }
    all_assert(f.n_failed > 9 * world.size);
    hg_comm_barrier(&world);
    if (world.rank == 0) {
        cr_assert_eq(truncate(in_folder("model.hdf5"), 4096), 0);
    }
    hg_comm_barrier(&world);
    all_assert(hg_stages_load(&world, in_folder("model.hdf5"), &g) == HG_E_FORMAT);
    hg_stages_free(m);
    clear_rows(&rows);
    drop_folder();
}

Test(stage_files, tasks_and_resumed_trainings_join_to_the_whole)
{
    test_rows rows = make_stage_rows(world.rank, world.size);
    hg_train_options o = few_trees();
    hg_stages *whole = NULL, *m = NULL;
    char path[256];
    hg_train_parts parts = {.path = path, .interval = 1e-9, .n_tree = TREES / 2};

    share_folder();
    snprintf(path, sizeof path, "%s", in_folder("model.hdf5"));
    all_assert(hg_stages_train(&world, &o, &rows.data, roles, NULL, &whole) == HG_OK);
    for (parts.first_tree = 0; parts.first_tree < TREES; parts.first_tree += TREES / 2) {
        all_assert(hg_stages_train(&world, &o, &rows.data, roles, &parts, &m) == HG_OK);
        all_assert(m == NULL);
    }
    parts.first_tree = parts.n_tree = 0;
    all_assert(hg_stages_train(&world, &o, &rows.data, roles, &parts, &m) == HG_E_EXISTS);
    parts.merge = 1; /* the stage for chained means is grown now */
    all_assert(hg_stages_train(&world, &o, &rows.data, roles, &parts, &m) == HG_OK);
    all_assert(hg_stages_hash(m) == hg_stages_hash(whole));
    all_assert(hg_stages_save(&world, m, path, 1) == HG_OK);
    all_assert(hg_forest_remove_parts(&world, path) == HG_OK);
    hg_stages_free(m);
    hg_stages_free(whole);
    parts.merge = 0;
    parts.resume = 1; /* from the model alone, and with more trees */
    o.trees = TREES + 4;
    all_assert(hg_stages_train(&world, &o, &rows.data, roles, NULL, &whole) == HG_OK);
    all_assert(hg_stages_train(&world, &o, &rows.data, roles, &parts, &m) == HG_OK);
    all_assert(hg_stages_hash(m) == hg_stages_hash(whole));
    all_assert(hg_forest_remove_parts(&world, path) == HG_OK);
    hg_stages_free(m);
    hg_stages_free(whole);
    clear_rows(&rows);
    drop_folder();
}

/* the sentence of a training that must fail */
static const char *
refusal(const test_rows *rows, const hg_target_role role[], hg_status status)
{
    hg_train_options o = few_trees();
    hg_stages *m = NULL;

    all_assert(hg_stages_train(&world, &o, &rows->data, role, NULL, &m) == status && m == NULL);
    return hg_error_last()->message;
}

Test(stage_files, impossible_targets_are_named)
{
    test_rows rows = make_stage_rows(world.rank, world.size);
    hg_target_role role[NO];

    memcpy(role, roles, sizeof role);
    role[HURDLE].after = 1u << CHAINED;
    all_assert(strstr(refusal(&rows, role, HG_E_PARAM), "'target2' comes after itself") !=
               NULL);
    role[HURDLE].after = 1u << NO;
    refusal(&rows, role, HG_E_ARG);
    rows.y[LABEL] = 0.5;
    all_assert(strstr(refusal(&rows, roles, HG_E_INPUT), "must be 0 or 1") != NULL);
    rows.y[LABEL] = 1;
    rows.y[PLAIN] = (double)NAN;
    all_assert(strstr(refusal(&rows, roles, HG_E_INPUT), "'target0'") != NULL);
    rows.y[PLAIN] = 1;
    for (int64_t i = 0; i < rows.data.n; i++) {
        rows.y[i * NO + LABEL] = 1;
    }
    all_assert(strstr(refusal(&rows, roles, HG_E_INPUT), "is 1 in all 200") != NULL);
    for (int64_t i = 0; i < rows.data.n; i++) {
        rows.y[i * NO + LABEL] = (double)(i % 2);
        rows.y[i * NO + HURDLE] = (double)NAN;
    }
    all_assert(strstr(refusal(&rows, roles, HG_E_INPUT),
                      "'target2' is above its hurdle in none") != NULL);
    clear_rows(&rows);
}

Test(stage_files, any_fault_reaches_every_rank_and_leaks_nothing)
{
    test_rows rows = make_stage_rows(world.rank, world.size);
    hg_train_options o = few_trees();
    const int64_t used = hg_mem_used();
    fault_loop loops[] = {{.step = 4}, {.of_memory = true, .step = 17}};

    o.trees = 6;
    for (int k = 0; k < 2; k++) {
        while (fault_next(&loops[k])) {
            hg_stages *m = NULL;
            hg_status status = hg_stages_train(&world, &o, &rows.data, roles, NULL, &m);

            all_assert((fault_status(&loops[k], status) == HG_OK) == (m != NULL));
            hg_stages_free(m);
            all_assert(hg_mem_used() == used);
        }
        all_assert(loops[k].n_failed > 10);
    }
    clear_rows(&rows);
}
