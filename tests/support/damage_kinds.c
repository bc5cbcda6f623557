/* What is read again by some command, beside what damage_made.c makes and reads. */
#include <math.h>
#include <string.h>

#include "audit/diff.h"
#include "audit/verify.h"
#include "base/memory.h"
#include "catalog/inspect.h"
#include "catalog/members.h"
#include "damage.h"
#include "features/history_read.h"
#include "halograft/catalog.h"
#include "halograft/stages.h"
#include "match/match_table.h"
#include "suite/regions.h"

enum { PARTS_MAX = 3 };

static hg_status
judge(hg_status status, hg_findings *findings)
{
    if (status == HG_OK && findings->n_wrong > 0) {
        status = HG_E_VERIFY;
    }
    hg_findings_clear(findings);
    return status;
}

static hg_status
look_verify(const damage_task *task)
{
    hg_findings findings = {.n_wrong = 0};

    return judge(hg_verify_file(task->comm, task->open, &findings), &findings);
}

static hg_status
look_diff(const damage_task *task)
{
    hg_findings findings = {.n_wrong = 0};
    const hg_diff_options options = {.provenance = true};

    return judge(hg_diff_files(task->path, task->open, &options, &findings), &findings);
}

static hg_status
look_model(const damage_task *task)
{
    hg_stages *stages = NULL;
    const hg_status status = hg_stages_load(task->comm, task->open, &stages);

    hg_stages_free(stages);
    return status;
}

static hg_status
look_inspect(const damage_task *task)
{
    hg_text report = {0};
    const hg_status status = hg_catalog_inspect(task->open, task->mapping, -1, &report);

    hg_text_clear(&report);
    return status;
}

/* ---- catalogues ---- */

static hg_status
read_part(hg_catalog *catalog, int64_t part)
{
    hg_status status = HG_OK;

    for (int i = 0; i < hg_catalog_n_column(catalog); i++) {
        const char *name = hg_catalog_column(catalog, i)->name;
        hg_table table = {.n = 0};
        const hg_status read = hg_catalog_read(catalog, part, 1, &name, &table);

        status = status == HG_OK ? read : status;
        hg_table_clear(&table);
    }
    return status;
}

/* Open the catalogue and read every column of its first parts. */
static hg_status
read_catalogue(hg_catalog_options *options, const damage_task *task)
{
    hg_catalog *catalog = NULL;
    hg_status status = HG_OK;

    options->format = task->format;
    options->n_file = 1;
    options->files = &task->open;
    options->mapping = task->mapping;
    options->rows_per_part = 500;
    if (strcmp(task->format, "ahf") == 0 || strcmp(task->format, "lgadget3") == 0 ||
        strcmp(task->format, "hbt") == 0) {
        options->frame.h = 0.5; /* these do not say it themselves */
        options->frame.box = 100;
    }
    if (strcmp(task->format, "lgadget3") == 0) {
        options->frame.redshift = 0;
    }
    HG_TRY(hg_catalog_open(task->comm, options, &catalog));
    for (int64_t part = 0; part < hg_catalog_n_part(catalog) && part < PARTS_MAX; part++) {
        const hg_status read = read_part(catalog, part);

        status = status == HG_OK ? read : status;
    }
    hg_catalog_close(catalog);
    return status;
}

static hg_status
look_read(const damage_task *task)
{
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;

    options.particles = strcmp(task->format, "gadget") == 0;
    return read_catalogue(&options, task);
}

static hg_status
look_truth(const damage_task *task)
{
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;

    options.truth = true;
    return read_catalogue(&options, task);
}

static hg_status
look_trees(const damage_task *task)
{
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;

    options.trees = true;
    return read_catalogue(&options, task);
}

static hg_status
look_runs(const damage_task *task)
{
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;

    options.run_table = task->path;
    options.run = "2";
    return read_catalogue(&options, task);
}

/* ---- tables and lists ---- */

static hg_status
look_regions(const damage_task *task)
{
    hg_region *regions = NULL;
    int n = 0;
    const hg_status status = hg_regions_read(task->comm, task->open, "run", &n, &regions);

    hg_mem_free(regions);
    return status;
}

static hg_status
look_pairs(const damage_task *task)
{
    hg_match_link *links = NULL;
    int64_t n = 0;
    const hg_status status = hg_match_table_read(task->comm, task->open, &n, &links);

    hg_mem_free(links);
    return status;
}

static hg_status
look_members(const damage_task *task)
{
    const hg_members_options options = {
        .format = task->format, .ids = task->open, .catalogue = task->mapping};
    hg_members members = {0};
    const hg_status status = hg_members_read(task->comm, &options, &members);

    hg_members_clear(&members);
    return status;
}

static hg_status
look_history(const damage_task *task)
{
    const hg_params_options options = {.path = task->open, .snap = -1};
    hg_params *params = NULL;
    hg_history_recipe recipe;
    hg_branches *branches = NULL;
    hg_status status;

    HG_TRY(hg_params_read(task->comm, &options, &params));
    status = hg_history_parse(params, &recipe);
    if (status == HG_OK) {
        status =
            hg_history_read(task->comm, params, &recipe, &recipe.param->files, 0, &branches);
    }
    hg_branches_free(branches);
    hg_params_free(params);
    return status;
}

const damage_kind *
damage_find(const char *name)
{
    static const damage_kind kinds[] = {
        {"verify", true, look_verify, NULL},    {"manifest", false, look_verify, NULL},
        {"model", true, look_model, NULL},      {"read", false, look_read, NULL},
        {"truth", false, look_truth, NULL},     {"trees", false, look_trees, NULL},
        {"runs", false, look_runs, NULL},       {"regions", false, look_regions, NULL},
        {"pairs", false, look_pairs, NULL},     {"members", false, look_members, NULL},
        {"history", false, look_history, NULL}, {"inspect", false, look_inspect, NULL},
        {"diff", false, look_diff, NULL}};
    static const damage_kind *const made[] = {&damage_grown, &damage_parts, &damage_trials};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(name, kinds[i].name) == 0) {
            return &kinds[i];
        }
    }
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        if (strcmp(name, made[i]->name) == 0) {
            return made[i];
        }
    }
    return NULL;
}
