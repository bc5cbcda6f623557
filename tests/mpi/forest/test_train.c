/* The forest over ranks: the same bits however rows and trees are spread, the same failure on
 * every rank, and files that give back what was written. */
#include "mpi_fault.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forest/model.h"
#include "forest_data.h"

MPI_SUITE(train);

enum { N = 400, P = 7, NO = 3, TREES = 40 };

static hg_train_options
few_trees(int threads)
{
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;

    o.trees = TREES;
    o.threads = threads;
    o.seed = 5;
    return o;
}

/* rows in another order: backwards, from another start */
static void
shuffle(test_rows *r)
{
    const int64_t n = r->data.n;

    for (int64_t i = 0; i < n / 2; i++) {
        int64_t j = n - 1 - i;

        for (int f = 0; f < P; f++) {
            float keep = r->x[i * P + f];

            r->x[i * P + f] = r->x[j * P + f];
            r->x[j * P + f] = keep;
        }
        for (int o = 0; o < NO; o++) {
            double keep = r->y[i * NO + o];

            r->y[i * NO + o] = r->y[j * NO + o];
            r->y[j * NO + o] = keep;
        }
        uint64_t key = r->key[i], group = r->group[i];
        double weight = r->weight[i];

        r->key[i] = r->key[j];
        r->group[i] = r->group[j];
        r->weight[i] = r->weight[j];
        r->key[j] = key;
        r->group[j] = group;
        r->weight[j] = weight;
    }
}

/* hash of a forest; bag 0 to 2, with weights or not, and a splitter */
static uint64_t
train_hash(const hg_comm *comm, test_rows *r, int threads, const int which[3])
{
    hg_train_options o = few_trees(threads);
    hg_forest *f = NULL;
    uint64_t hash;

    o.bag = (hg_bag)which[0];
    o.splitter = (hg_splitter)which[2];
    r->data.group = o.bag == HG_BAG_GROUP ? r->group : NULL;
    r->data.weight = which[1] ? r->weight : NULL;
    all_assert(hg_forest_train(comm, &o, &r->data, &f) == HG_OK);
    hash = hg_forest_hash(f);
    hg_forest_free(f);
    return hash;
}

/* hash and peak of counted memory of a training on nodes of so many ranks */
static uint64_t
train_on_nodes(int per_node, test_rows *rows, const int which[3], int64_t *peak)
{
    char text[16];
    hg_comm comm;
    uint64_t hash;

    snprintf(text, sizeof text, "%d", per_node);
    setenv("HG_RANKS_PER_NODE", text, 1);
    all_assert(hg_comm_split(&world, 0, &comm) == HG_OK);
    hash = train_hash(&comm, rows, 1, which);
    unsetenv("HG_RANKS_PER_NODE");
    hg_comm_clear(&comm);
    *peak = hg_mem_peak();
    return hash;
}

Test(train, ranks_of_a_node_share_the_rows)
{
    enum { MANY = 10000, RECORD = 64 }; /* bytes of a record of 7 features and 3 targets */
    const int which[2][3] = {{HG_BAG_ROW, 0, HG_SPLITTER_RANDOM},
                             {HG_BAG_ROW, 0, HG_SPLITTER_BEST}};
    test_rows rows = make_rows(MANY, P, NO, world.rank, world.size);

    for (int k = 0; k < 2; k++) {
        int64_t together, apart;
        uint64_t hash = train_on_nodes(world.size, &rows, which[k], &together);

        all_assert(train_on_nodes(1, &rows, which[k], &apart) == hash);
        /* the peak of a rank only grows, so the first case alone can show the difference */
        all_assert(k > 0 ||
                   apart - together >= (int64_t)MANY * RECORD * (world.size - 1) / world.size);
    }
    clear_rows(&rows);
}

Test(train, forest_is_the_same_for_any_ranks_threads_and_order)
{
    enum { CASES = 5 };
    static const int cases[CASES][3] = {{HG_BAG_NONE, 0, HG_SPLITTER_RANDOM},
                                        {HG_BAG_ROW, 1, HG_SPLITTER_RANDOM},
                                        {HG_BAG_GROUP, 0, HG_SPLITTER_RANDOM},
                                        {HG_BAG_GROUP, 0, HG_SPLITTER_BEST},
                                        {HG_BAG_ROW, 1, HG_SPLITTER_BEST}};
    uint64_t hash[CASES], first[CASES] = {0};

    for (int n = 1; n <= world.size; n++) { /* all rows on n ranks, the others train alone */
        test_rows rows;
        hg_comm part;
        int is_in = world.rank < n;

        all_assert(hg_comm_split(&world, is_in ? 0 : 1 + world.rank, &part) == HG_OK);
        rows = is_in ? make_rows(N, P, NO, n - 1 - part.rank, n) : make_rows(N, P, NO, 0, 1);
        for (int threads = 1; threads <= 2; threads++) {
            for (int c = 0; c < CASES; c++) {
                hash[c] = train_hash(&part, &rows, threads, cases[c]);
                first[c] = n == 1 && threads == 1 ? hash[c] : first[c];
                all_assert(hash[c] == first[c]);
            }
            shuffle(&rows);
        }
        clear_rows(&rows);
        hg_comm_clear(&part);
    }
    cr_assert(first[0] != first[1] && first[1] != first[2] && first[2] != first[3]);
    hg_comm_broadcast(&world, 0, hash, sizeof hash);
    all_assert(memcmp(hash, first, sizeof hash) == 0);
}

Test(train, all_rows_on_one_rank_and_more_ranks_than_trees)
{
    test_rows rows = make_rows(world.rank == world.size - 1 ? N : 0, P, NO, 0, 1);
    test_rows all = make_rows(N, P, NO, 0, 1);
    hg_train_options o = few_trees(1);
    hg_forest *f = NULL, *alone = NULL;
    hg_comm self;

    o.trees = 2;
    all_assert(hg_comm_split(&world, world.rank, &self) == HG_OK);
    all_assert(hg_forest_train(&world, &o, &rows.data, &f) == HG_OK);
    all_assert(hg_forest_train(&self, &o, &all.data, &alone) == HG_OK);
    all_assert(hg_forest_hash(f) == hg_forest_hash(alone));
    hg_forest_free(f);
    hg_forest_free(alone);
    clear_rows(&rows);
    clear_rows(&all);
    hg_comm_clear(&self);
}

Test(train, bad_rows_are_named_on_every_rank)
{
    test_rows rows = make_rows(N, P, NO, world.rank, world.size);
    hg_train_options o = few_trees(1);
    hg_forest *f = NULL;
    char key[32];
    uint64_t bad = 0;

    /* the last rank has a value that is not finite */
    if (world.rank == world.size - 1) {
        rows.x[5 * P + 3] = INFINITY;
        bad = rows.key[5];
    }
    hg_comm_broadcast(&world, world.size - 1, &bad, sizeof bad);
    snprintf(key, sizeof key, "%llu", (unsigned long long)bad);
    all_assert(hg_forest_train(&world, &o, &rows.data, &f) == HG_E_INPUT && f == NULL);
    all_assert(strstr(hg_error_last()->message, key) != NULL);
    all_assert(strstr(hg_error_last()->message, "'column 3'") != NULL);
    all_assert(hg_error_last()->rank == world.size - 1);
    rows.x[5 * P + 3] = 0;
    rows.y[2] = (double)NAN;
    all_assert(hg_forest_train(&world, &o, &rows.data, &f) == HG_E_INPUT);
    all_assert(strstr(hg_error_last()->message, "target 'column 2'") != NULL);
    rows.y[2] = 0;
    for (int k = 0; k < 3; k++) {
        rows.weight[3] = k == 0 ? 0 : k == 1 ? -1 : (double)NAN;
        rows.data.weight = rows.weight;
        all_assert(hg_forest_train(&world, &o, &rows.data, &f) == HG_E_INPUT);
        all_assert(strstr(hg_error_last()->message, "weight") != NULL);
    }
    rows.data.weight = NULL;
    /* the same key twice, on two ranks where there are two, in two groups */
    bad = rows.key[0];
    hg_comm_broadcast(&world, 0, &bad, sizeof bad);
    if (world.rank == world.size - 1) {
        rows.key[7] = bad;
    }
    rows.data.group = rows.group;
    snprintf(key, sizeof key, "%llu", (unsigned long long)bad);
    all_assert(hg_forest_train(&world, &o, &rows.data, &f) == HG_E_INPUT && f == NULL);
    all_assert(strstr(hg_error_last()->message, key) != NULL);
    rows.data.n = 0;
    all_assert(hg_forest_train(&world, &o, &rows.data, &f) == HG_E_INPUT);
    rows.data.n_target = world.rank == 0 ? NO - 1 : NO;
    all_assert(world.size == 1 || hg_forest_train(&world, &o, &rows.data, &f) == HG_E_SHAPE);
    rows.data.n_target = NO;
    o.max_features = 0;
    all_assert(hg_forest_train(&world, &o, &rows.data, &f) == HG_E_ARG && f == NULL);
    o.max_features = 1;
    o.splitter = HG_SPLITTER_BEST;
    o.bins = 1;
    all_assert(hg_forest_train(&world, &o, &rows.data, &f) == HG_E_ARG && f == NULL);
    clear_rows(&rows);
}

/* predictions of a forest, hashed over all ranks' memory */
static void
predict_some(const hg_forest *f, double mean[], double draw[])
{
    test_rows rows = make_rows(N, P, NO, 0, 1);
    hg_predict_options o = HG_PREDICT_OPTIONS_INIT;

    o.n_draw = 1;
    cr_assert_eq(hg_forest_predict(f, &o, N, rows.key, rows.x,
                                   &(hg_prediction){.mean = mean, .draw = draw}),
                 HG_OK);
    clear_rows(&rows);
}

Test(train, a_saved_forest_comes_back_and_a_damaged_one_does_not)
{
    test_rows rows = make_rows(N, P, NO, world.rank, world.size);
    hg_train_options o = few_trees(1);
    hg_forest *f = NULL, *g = NULL;
    double *mean[2], *draw[2];
    char path[64] = "", *text = NULL;
    int64_t size = 0, used;
    fault_loop loop = {.on_each = true};
    FILE *file;

    if (world.rank == 0) {
        snprintf(path, sizeof path, "/tmp/hg_model_%ld.hdf5", (long)getpid());
    }
    hg_comm_broadcast(&world, 0, path, sizeof path);
    rows.data.weight = rows.weight;
    rows.data.group = rows.group;
    o.bag = HG_BAG_GROUP;
    o.splitter = HG_SPLITTER_BEST;
    o.bins = 300;
    o.seed = 0xFFFFFFFFFFFFFFF1u;
    all_assert(hg_forest_train(&world, &o, &rows.data, &f) == HG_OK);
    all_assert(hg_mem_zeros(&text, 100001, 1) == HG_OK);
    memset(text, 'p', 100000);
    all_assert(hg_forest_set_meta(f, "parameters", text) == HG_OK);
    all_assert(hg_forest_set_meta(f, "cosmology", "h: 0.6") == HG_OK);
    all_assert(hg_forest_set_meta(f, "cosmology", "h: 0.7") == HG_OK);
    all_assert(hg_forest_save(&world, f, path, 0) == HG_OK);
    all_assert(hg_forest_save(&world, f, path, 0) == HG_E_EXISTS);
    all_assert(hg_forest_save(&world, f, path, 1) == HG_OK);
    all_assert(hg_forest_load(&world, path, &g) == HG_OK);
    all_assert(hg_forest_hash(g) == hg_forest_hash(f));
    all_assert(hg_forest_options(g)->seed == o.seed);
    all_assert(hg_forest_options(g)->bag == HG_BAG_GROUP);
    all_assert(hg_forest_options(g)->splitter == HG_SPLITTER_BEST);
    all_assert(hg_forest_options(g)->bins == 300);
    all_assert(strcmp(hg_forest_get_meta(g, "parameters"), text) == 0);
    all_assert(strcmp(hg_forest_get_meta(g, "cosmology"), "h: 0.7") == 0);
    all_assert(hg_forest_meta_count(g) == 2 && hg_forest_get_meta(g, "other") == NULL);
    all_assert(strcmp(hg_forest_feature(g, 6)->name, "column 6") == 0);
    all_assert(strcmp(hg_forest_target(g, 2)->unit, "dex") == 0);
    all_assert(hg_forest_weight(g, 17) == hg_forest_weight(f, 17));
    for (int i = 0; i < 2; i++) {
        all_assert(hg_mem_array(&mean[i], N * NO, sizeof(double)) == HG_OK);
        all_assert(hg_mem_array(&draw[i], N * NO, sizeof(double)) == HG_OK);
        predict_some(i == 0 ? f : g, mean[i], draw[i]);
    }
    all_assert(memcmp(mean[0], mean[1], N * NO * sizeof(double)) == 0);
    all_assert(memcmp(draw[0], draw[1], N * NO * sizeof(double)) == 0);
    hg_forest_free(g);
    used = hg_mem_used();
    while (fault_next(&loop)) { /* faults at every agreement of a load */
        all_assert((fault_status(&loop, hg_forest_load(&world, path, &g)) == HG_OK) ==
                   (g != NULL));
        hg_forest_free(g);
        all_assert(hg_mem_used() == used);
    }
    all_assert(loop.n_failed > 2 * world.size);
    /* one byte turned over, then cut short, then no model at all */
    if (world.rank == 0) {
        file = fopen(path, "r+b");
        fseek(file, 0, SEEK_END);
        size = ftell(file);
        fseek(file, size / 2, SEEK_SET);
        int byte = fgetc(file);
        fseek(file, size / 2, SEEK_SET);
        fputc(byte ^ 1, file);
        fclose(file);
    }
    hg_comm_barrier(&world);
    all_assert(hg_forest_load(&world, path, &g) == HG_E_VERIFY && g == NULL);
    hg_comm_barrier(&world);
    if (world.rank == 0) {
        cr_assert_eq(truncate(path, size / 2), 0);
    }
    hg_comm_barrier(&world);
    all_assert(hg_forest_load(&world, path, &g) == HG_E_FORMAT);
    hg_comm_barrier(&world);
    if (world.rank == 0) {
        file = fopen(path, "wb");
        fputs("no model", file);
        fclose(file);
    }
    hg_comm_barrier(&world);
    all_assert(hg_forest_load(&world, path, &g) == HG_E_FORMAT);
    hg_comm_barrier(&world);
    if (world.rank == 0) {
        unlink(path);
    }
    hg_comm_barrier(&world);
    all_assert(hg_forest_load(&world, path, &g) == HG_E_NOTFOUND);
    all_assert(hg_forest_save(&world, f, "/nowhere/model.hdf5", 0) == HG_E_WRITE);
    for (int i = 0; i < 2; i++) {
        hg_mem_free(mean[i]);
        hg_mem_free(draw[i]);
    }
    hg_mem_free(text);
    hg_forest_free(f);
    clear_rows(&rows);
}

static void
train_with_faults(hg_splitter splitter, int trees, int step)
{
    test_rows rows = make_rows(N, P, NO, world.rank, world.size);
    hg_train_options o = few_trees(1);
    const int64_t used = hg_mem_used();
    fault_loop loops[] = {{.step = 1}, {.of_memory = true, .step = step}};

    o.trees = trees;
    o.splitter = splitter;
    rows.data.group = rows.group;
    rows.data.weight = rows.weight;
    for (int k = 0; k < 2; k++) {
        o.threads = k + 1;
        while (fault_next(&loops[k])) {
            hg_forest *f = NULL;

            all_assert((fault_status(&loops[k], hg_forest_train(&world, &o, &rows.data, &f)) ==
                        HG_OK) == (f != NULL));
            hg_forest_free(f);
            all_assert(hg_mem_used() == used);
        }
    }
    all_assert(loops[0].n_failed > 8 && loops[1].n_failed > 40 / step);
    clear_rows(&rows);
}

Test(train, any_fault_reaches_every_rank_and_leaks_nothing)
{
    train_with_faults(HG_SPLITTER_RANDOM, 5, 1);
}

Test(train, any_fault_among_best_splits_reaches_every_rank_and_leaks_nothing)
{
    train_with_faults(HG_SPLITTER_BEST, 1, 11);
}
