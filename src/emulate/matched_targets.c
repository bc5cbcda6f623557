/* Ranks read the parts of the catalogue with galaxies and share the targets of what is matched,
 * a few numbers for each halo of a zoom. So the catalogue with features may be cut into parts
 * in any way, as the parent's is. */
#include "emulate/matched_targets.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "match/match.h"
#include "store/publish.h"

/* A link by its first id. */
typedef struct id_slot {
    int64_t id;
    int64_t slot;
} id_slot;

/* Records (slot, good, targets) of the haloes this rank has read. */
typedef struct collector {
    hg_matched *matched;
    const hg_recipes *targets;
    double contamination;
    id_slot *slot;
    int64_t n, room;
    double *record;
} collector;

static int
compare_slots(const void *x, const void *y)
{
    const id_slot *a = x, *b = y;

    return a->id < b->id ? -1 : a->id > b->id;
}

static hg_status
sort_slots(collector *c)
{
    HG_TRY(hg_mem_array(&c->slot, (size_t)c->matched->n, sizeof *c->slot));
    for (int64_t i = 0; i < c->matched->n; i++) {
        c->slot[i] = (id_slot){c->matched->link[i].id, i};
    }
    if (c->matched->n > 0) {
        qsort(c->slot, (size_t)c->matched->n, sizeof *c->slot, compare_slots);
    }
    return HG_OK;
}

/* Keep the matched rows of a part, evaluate their targets, and note them. */
static hg_status
take_part(collector *c, hg_table *table)
{
    const hg_column *contamination = hg_table_find(table, "f_contam");
    const int nt = c->targets->n;
    const size_t size = (size_t)nt + 2;
    double *record;
    uint8_t *keep = NULL;
    hg_status status;

    if (c->n + table->n > c->room) {
        c->room = 2 * (c->n + table->n);
        HG_TRY(hg_mem_resize(&c->record, (size_t)c->room * size, sizeof *c->record));
    }
    HG_TRY(hg_mem_array(&keep, (size_t)table->n, 1));
    record = c->record + (size_t)c->n * size;
    for (int64_t i = 0; i < table->n; i++) {
        const id_slot wanted = {hg_table_i64(table, "id")[i], 0};
        const id_slot *found = c->matched->n == 0
                                   ? NULL
                                   : bsearch(&wanted, c->slot, (size_t)c->matched->n,
                                             sizeof wanted, compare_slots);

        keep[i] = found != NULL;
        if (found != NULL) {
            record[0] = (double)found->slot;
            record[1] = contamination == NULL ||
                        hg_column_value(contamination, i, 0) <= c->contamination;
            record += size;
        }
    }
    hg_table_keep(table, keep);
    status = HG_OK;
    for (int t = 0; t < nt && table->n > 0; t++) {
        HG_TRY_OR(done, status,
                  hg_recipe_evaluate(&c->targets->recipe[t], table, size,
                                     c->record + (size_t)c->n * size + 2 + (size_t)t));
    }
    c->n += table->n;
done:
    hg_mem_free(keep);
    return status;
}

static hg_status
read_parts(const hg_comm *comm, const hg_catalog *catalog, hg_names *names, collector *c)
{
    hg_status status = sort_slots(c);

    for (int64_t part = comm->rank; part < hg_catalog_n_part(catalog) && status == HG_OK;
         part += comm->size) {
        hg_table table = {.frame = *hg_catalog_frame(catalog)};

        status = hg_catalog_read(catalog, part, names->n, names->p, &table);
        if (status == HG_OK) {
            status = take_part(c, &table);
        }
        hg_table_clear(&table);
    }
    return status;
}

/* Put all records in their places; every link must have found its halo. */
static hg_status
place_records(const char *path, int64_t n, const double record[], hg_matched *m)
{
    const size_t nt = (size_t)m->n_target, size = nt + 2;
    uint8_t *found = NULL;
    hg_status status;

    HG_TRY_OR(done, status, hg_mem_zeros(&found, (size_t)m->n, 1));
    HG_TRY_OR(done, status, hg_mem_zeros(&m->is_good, (size_t)m->n, 1));
    HG_TRY_OR(done, status, hg_mem_array(&m->y, (size_t)m->n * nt, sizeof *m->y));
    for (int64_t i = 0; i < n; i++) {
        const double *r = record + (size_t)i * size;
        const size_t slot = (size_t)r[0];

        found[slot] = 1;
        m->is_good[slot] = r[1] != 0;
        memcpy(m->y + slot * nt, r + 2, nt * sizeof *r);
    }
    for (int64_t i = 0; i < m->n && status == HG_OK; i++) {
        if (!found[i]) {
            status = HG_FAIL(HG_E_INPUT,
                             "the table of pairs '%s' names halo %" PRId64
                             ", which the catalogue with galaxies does not have",
                             path, m->link[i].id);
        }
    }
done:
    hg_mem_free(found);
    return status;
}

static hg_status
list_names(const hg_catalog *catalog, const hg_recipes *targets, hg_names *names)
{
    HG_TRY(hg_names_add_recipes(names, targets));
    HG_TRY(hg_names_check(names, catalog, "training"));
    HG_TRY(hg_names_add(names, "id"));
    return hg_catalog_find(catalog, "f_contam") != NULL ? hg_names_add(names, "f_contam")
                                                        : HG_OK;
}

static hg_status
read_targets(const hg_comm *comm, const hg_catalog_options *options, collector *c,
             hg_recipes *targets)
{
    hg_catalog *catalog = NULL;
    hg_names *names = NULL;
    hg_status status = hg_mem_zeros(&names, 1, sizeof *names);

    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status, hg_catalog_open(comm, options, &catalog));
    status = list_names(catalog, targets, names);
    if (status == HG_OK) {
        hg_recipes_take_units(targets, catalog);
        c->matched->frame = *hg_catalog_frame(catalog);
        status = read_parts(comm, catalog, names, c);
    }
    if (status != HG_OK && strstr(hg_error_last()->message, options->files[0]) == NULL) {
        hg_error_prefix("'%s': ", options->files[0]);
    }
    status = hg_comm_agree(comm, status);
done:
    hg_catalog_close(catalog);
    hg_mem_free(names);
    return status;
}

hg_status
hg_matched_read(const hg_comm *comm, const hg_params *params, const hg_region *region,
                bool by_place, const hg_catalog_options *options, hg_recipes *targets,
                hg_matched *matched)
{
    const char *file = region->hydro;
    hg_catalog_options one = *options;
    collector c = {.matched = matched,
                   .targets = targets,
                   .contamination = params->zooms.contamination_max};
    double *all = NULL;
    int64_t n_all = 0;
    char path[HG_PATH_MAX];
    hg_status status;

    *matched = (hg_matched){.n_target = targets->n};
    one.n_file = 1;
    one.files = &file;
    HG_TRY(hg_match_path(params, region, by_place, sizeof path, path));
    status = hg_match_table_read(comm, path, &matched->n, &matched->link);
    if (status == HG_E_NOTFOUND) {
        hg_error_prefix("Zooms.features needs pairs of haloes (halograft match): ");
    }
    HG_TRY_OR(done, status, status);
    HG_TRY_OR(done, status, read_targets(comm, &one, &c, targets));
    HG_TRY_OR(done, status,
              hg_comm_gather_rows(comm, c.n, ((size_t)targets->n + 2) * sizeof *all, c.record,
                                  &n_all, &all));
    status = hg_comm_agree(comm, place_records(path, n_all, all, matched));
done:
    hg_mem_free(all);
    hg_mem_free(c.slot);
    hg_mem_free(c.record);
    if (status != HG_OK) {
        hg_matched_clear(matched);
    }
    return status;
}

void
hg_matched_clear(hg_matched *matched)
{
    hg_mem_free(matched->link);
    hg_mem_free(matched->is_good);
    hg_mem_free(matched->y);
    *matched = (hg_matched){0};
}

int64_t
hg_matched_find(const hg_matched *matched, int64_t partner)
{
    int64_t low = 0, high = matched->n;

    while (low < high) {
        const int64_t middle = low + (high - low) / 2;

        if (matched->link[middle].partner < partner) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < matched->n && matched->link[low].partner == partner && matched->is_good[low]
               ? low
               : -1;
}
