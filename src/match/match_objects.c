/* Parts are dealt round robin, and a part is cut down to what lies in a region before the next
 * is read, so a parent of any size leaves only what is near the zooms. */
#include "match/match_objects.h"

#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "suite/recipes.h"

/* Objects read so far. */
typedef struct object_list {
    const hg_match_reading *reading;
    double box;
    hg_names names;
    int64_t n, room;
    hg_match_object *object;
} object_list;

static bool
is_wanted(const object_list *l, const double position[3])
{
    for (int r = 0; r < l->reading->n_region; r++) {
        hg_region region = l->reading->region[r];

        region.radius += l->reading->margin;
        if (hg_region_holds(&region, l->box, position)) {
            return true;
        }
    }
    return l->reading->n_region == 0;
}

static hg_status
take_rows(object_list *l, const hg_table *table)
{
    const hg_column *id = hg_table_find(table, "id"), *row = hg_table_find(table, "row"),
                    *mass = hg_table_find(table, l->reading->mass),
                    *central = hg_table_find(table, "central"),
                    *place = hg_table_find(table, "position");

    if (l->n + table->n > l->room) {
        l->room = 2 * (l->n + table->n);
        HG_TRY(hg_mem_resize(&l->object, (size_t)l->room, sizeof *l->object));
    }
    for (int64_t i = 0; i < table->n; i++) {
        hg_match_object o = {.id = hg_column_integer(id, i),
                             .row = hg_column_integer(row, i),
                             .mass = hg_column_value(mass, i, 0),
                             .central = central != NULL ? hg_column_integer(central, i) : -1};

        for (int k = 0; k < 3 && place != NULL; k++) {
            o.position[k] = hg_column_value(place, i, k);
        }
        if (!(o.mass > 0) || !isfinite(o.mass)) {
            return HG_FAIL(HG_E_INPUT,
                           "row %" PRId64 ": %s = %g is no mass: name another column in "
                           "Match.mass",
                           o.row, l->reading->mass, o.mass);
        }
        if (is_wanted(l, o.position)) {
            l->object[l->n++] = o;
        }
    }
    return HG_OK;
}

static hg_status
list_names(object_list *l, const hg_catalog *catalog)
{
    HG_TRY(hg_names_add(&l->names, l->reading->mass));
    if (l->reading->with_place) {
        HG_TRY(hg_names_add(&l->names, "position"));
    }
    HG_TRY(hg_names_check(&l->names, catalog, "match"));
    HG_TRY(hg_names_add(&l->names, "id"));
    HG_TRY(hg_names_add(&l->names, "row"));
    return hg_catalog_find(catalog, "central") != NULL ? hg_names_add(&l->names, "central")
                                                       : HG_OK;
}

static hg_status
read_parts(const hg_comm *comm, const hg_catalog *catalog, object_list *l)
{
    hg_status status = HG_OK;

    for (int64_t part = comm->rank; part < hg_catalog_n_part(catalog) && status == HG_OK;
         part += comm->size) {
        hg_table table = {0};

        status = hg_catalog_read(catalog, part, l->names.n, l->names.p, &table);
        if (status == HG_OK) {
            status = take_rows(l, &table);
        }
        hg_table_clear(&table);
    }
    return status;
}

hg_status
hg_match_objects_read(const hg_comm *comm, const hg_match_reading *reading, hg_frame *frame,
                      int64_t *n, hg_match_object **objects)
{
    object_list *l = NULL;
    hg_catalog *catalog = NULL;
    hg_status status = hg_mem_zeros(&l, 1, sizeof *l);

    *n = 0;
    *objects = NULL;
    HG_TRY(hg_comm_agree(comm, status));
    HG_TRY_OR(done, status, hg_catalog_open(comm, reading->catalog, &catalog));
    l->reading = reading;
    l->box = hg_catalog_frame(catalog)->box;
    status = list_names(l, catalog);
    if (status == HG_OK) {
        status = read_parts(comm, catalog, l);
    }
    if (status != HG_OK) {
        hg_error_prefix("'%s': ", reading->catalog->files[0]);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    if (frame != NULL) {
        *frame = *hg_catalog_frame(catalog);
    }
    *n = l->n;
    *objects = l->object;
    l->object = NULL;
done:
    hg_catalog_close(catalog);
    hg_mem_free(l->object);
    hg_mem_free(l);
    return status;
}
