/* Files of unfinished work. Their content is known here, so that damage that is not refused
 * can be told from damage that has changed what comes out. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/verify.h"
#include "base/random.h"
#include "base/text.h"
#include "catalog/output.h"
#include "catalog/part_files.h"
#include "damage.h"
#include "halograft/forest.h"
#include "store/publish.h"
#include "validate/search.h"

enum { N = 40, N_TREE = 4, N_PART = 3, N_POINT = 4, N_FOLD = 3, N_ENTRY = 2 };

static void
refuse(const damage_task *task, const char *what)
{
    fprintf(stderr, "'%s' went unnoticed: %s\n", task->path, what);
    abort();
}

/* ---- part files of a training ---- */

static hg_status
grow(const damage_task *task, bool is_first)
{
    static float x[N];
    static double y[N];
    static uint64_t key[N];
    hg_field_spec spec = {.name = "x", .expression = "x"};
    hg_train_options options = HG_TRAIN_OPTIONS_INIT;
    const hg_train_data data = {.n = N,
                                .n_feature = 1,
                                .n_target = 1,
                                .x = x,
                                .y = y,
                                .key = key,
                                .feature = &spec,
                                .target = &spec};
    const hg_train_parts parts = {.path = task->open,
                                  .n_tree = is_first ? N_TREE : 0,
                                  .merge = !is_first,
                                  .overwrite = is_first};
    static uint64_t hash;
    hg_forest *forest = NULL;
    hg_status status;

    for (int i = 0; i < N; i++) {
        key[i] = hg_mix64((uint64_t)i + 1);
        x[i] = (float)(key[i] >> 40);
        y[i] = sqrt((double)x[i]) + i % 3;
    }
    options.trees = N_TREE;
    options.oob_trees_min = 1;
    options.threads = 1;
    status = hg_forest_train_parts(task->comm, &options, &data, &parts, &forest);
    if (forest != NULL && hash != 0 && hg_forest_hash(forest) != hash) {
        refuse(task, "the forest is another");
    }
    hash = forest != NULL ? hg_forest_hash(forest) : hash;
    hg_forest_free(forest);
    return status;
}

static hg_status
make_grown(const damage_task *task)
{
    return grow(task, true);
}

static hg_status
look_grown(const damage_task *task)
{
    return grow(task, false);
}

/* ---- journal of a catalogue ---- */

static hg_status
write_part(hg_output *output, int64_t part)
{
    hg_table table = {.n = N, .first = part * N};
    hg_status status;
    int64_t *id = NULL;
    double *mass = NULL;

    HG_TRY_OR(done, status, hg_table_add(&table, "id", "", HG_COLUMN_I64, 1, &id));
    HG_TRY_OR(done, status, hg_table_add(&table, "m200c", "Msun", HG_COLUMN_F64, 1, &mass));
    for (int64_t i = 0; i < N; i++) {
        id[i] = part * N + i;
        mass[i] = 1e10 * (double)(1 + id[i]);
    }
    status = hg_output_part(output, part, &table);
done:
    hg_table_clear(&table);
    return status;
}

/* Make what does not stand yet; stop before the master, or finish. */
static hg_status
write_parts(const damage_task *task, bool is_first)
{
    const hg_output_column columns[] = {{.name = "id"}, {.name = "m200c"}};
    const hg_output_options options = {.path = task->open,
                                       .overwrite = is_first,
                                       .resume = !is_first,
                                       .frame = HG_FRAME_UNKNOWN,
                                       .n_column = 2,
                                       .column = columns,
                                       .parameters = "",
                                       .run_name = "run",
                                       .identity = "Meta.seed: 3\nmodel: \"m\\\n"};
    hg_output *output = NULL;
    hg_status status, finished;

    HG_TRY(hg_output_create(task->comm, &options, &output));
    status = HG_OK;
    for (int64_t part = 0; part < N_PART && status == HG_OK; part++) {
        if (!hg_output_has_part(output, part)) {
            status = write_part(output, part);
        }
    }
    status = status == HG_OK ? hg_output_commit(task->comm, output) : status;
    finished = hg_output_finish(task->comm, output, is_first || status != HG_OK);
    return status != HG_OK ? status : finished;
}

static hg_status
make_parts(const damage_task *task)
{
    return write_parts(task, true);
}

static hg_status
look_parts(const damage_task *task)
{
    hg_findings findings = {.n_wrong = 0};
    char file[HG_PATH_MAX];
    bool is_wrong;

    for (int64_t which = HG_FILE_MANIFEST; which <= HG_FILE_MASTER; which++) {
        HG_TRY(hg_part_file(task->open, which, false, sizeof file, file));
        unlink(file);
    }
    HG_TRY(write_parts(task, false));
    is_wrong = hg_verify_file(task->comm, file, &findings) != HG_OK || findings.n_wrong > 0;
    hg_findings_clear(&findings);
    if (is_wrong) {
        refuse(task, "the catalogue that was resumed is wrong");
    }
    return HG_OK;
}

/* ---- journal of a search ---- */

static hg_search_sum
sum_of(int i)
{
    return (hg_search_sum){.weight = 1 + i, .square = sqrt((double)i)};
}

static hg_status
with_search(const damage_task *task, bool is_first)
{
    static const char *const identity = "Meta.seed: 3\nrows: 77\n";
    hg_search_sum sum[N_POINT * N_FOLD * N_ENTRY] = {{0, 0}};
    const hg_folds folds = {.n = N_FOLD};
    hg_search search = {.folds = &folds, .points.n = N_POINT, .n_entry = N_ENTRY, .sum = sum};
    uint8_t done[N_POINT * N_FOLD] = {0};

    for (int i = 0; i < N_POINT * N_FOLD * N_ENTRY && is_first; i++) {
        sum[i] = sum_of(i);
    }
    if (is_first) {
        return hg_search_journals_close(&search, task->open, identity);
    }
    HG_TRY(hg_search_journals_open(&search, task->open, identity, true, false, done));
    for (int i = 0; i < N_POINT * N_FOLD * N_ENTRY; i++) {
        const hg_search_sum right = sum_of(i);

        if (done[i / N_ENTRY] != 0 && memcmp(&right, &sum[i], sizeof right) != 0) {
            refuse(task, "an error is another");
        }
    }
    return HG_OK;
}

static hg_status
make_trials(const damage_task *task)
{
    return with_search(task, true);
}

static hg_status
look_trials(const damage_task *task)
{
    return with_search(task, false);
}

const damage_kind damage_grown = {"grown", true, look_grown, make_grown};
const damage_kind damage_parts = {"parts", false, look_parts, make_parts};
const damage_kind damage_trials = {"trials", false, look_trials, make_trials};
