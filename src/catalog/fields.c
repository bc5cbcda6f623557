/* Formats grow new fields with every version, so fields are taken as they are found and only
 * the few that have a canonical name are known by it. A field must be in every file that has
 * rows: what one part lacks would be read as zeros, or stop a run in the middle.
 */
#include "catalog/fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "catalog/layout.h"
#include "halograft/log.h"

enum { MAX_WIDTH = 64 };

/* Name of the column of a dataset: its path below the group that is walked. */
static bool
name_column(const hg_fields *w, const char *path, char name[HG_NAME_MAX])
{
    const char *below = path + strlen(w->group) + (w->group[0] != '\0');
    size_t n = strlen(w->prefix);

    if (n + strlen(below) >= HG_NAME_MAX) {
        return false;
    }
    memcpy(name, w->prefix, n);
    strcpy(name + n, below);
    for (char *c = name; *c != '\0'; c++) {
        *c = *c == '/' || *c == ' ' || *c == '-' ? '_' : *c;
    }
    return true;
}

static hg_status
add_field(const hg_fields *w, const char *path, const char *name, const hg_h5_info *info)
{
    hg_source *source = NULL;

    HG_TRY(hg_plan_add_source(w->plan, name, &source));
    HG_TRY(hg_text_path(sizeof source->path[0], source->path[0], "%s", path));
    source->disk = info->type;
    source->kind = w->kind;
    source->column.unit[0] = '\0';
    source->column.width = (int)info->row;
    source->column.type = info->type == HG_F64   ? HG_COLUMN_F64
                          : info->type == HG_F32 ? HG_COLUMN_F32
                                                 : HG_COLUMN_I64;
    return w->add(w, source);
}

static hg_status
take_dataset(hg_fields *w, const char *path)
{
    char name[HG_NAME_MAX];
    const hg_source *known;
    hg_h5_info info;

    if (!name_column(w, path, name)) {
        return HG_OK;
    }
    HG_TRY(hg_h5_describe(w->file, path, &info));
    if (!info.numeric || info.row < 1 || info.row > MAX_WIDTH ||
        (info.dims[0] != w->rows && !w->is_strict)) {
        return HG_OK;
    }
    if (info.dims[0] != w->rows) {
        return HG_FAIL(HG_E_FORMAT,
                       "dataset '%s' in '%s' has %" PRId64 " rows, the header says %" PRId64,
                       path, hg_h5_path(w->file), info.dims[0], w->rows);
    }
    known = hg_plan_find(w->plan, name);
    if (known != NULL && known->column.width != info.row) {
        return HG_FAIL(HG_E_FORMAT,
                       "dataset '%s' in '%s' has %" PRId64
                       " elements per row, other files have %d",
                       path, hg_h5_path(w->file), info.row, known->column.width);
    }
    if (known != NULL) {
        w->seen[known - w->plan->source] = 1;
        return HG_OK;
    }
    return w->is_known ? HG_OK : add_field(w, path, name, &info);
}

/* A walk and the group it has come to. */
typedef struct place {
    hg_fields *walk;
    const char *group;
} place;

static hg_status
visit(const char *name, bool is_group, void *context)
{
    place *at = context;
    char path[128];

    if (strlen(at->group) + 1 + strlen(name) >= sizeof path) {
        return HG_OK;
    }
    HG_TRY(hg_text_path(sizeof path, path, "%s%s%s", at->group, at->group[0] != '\0' ? "/" : "",
                        name));
    if (!is_group) {
        return take_dataset(at->walk, path);
    }
    return at->walk->is_deep ? hg_h5_list(at->walk->file, path, visit,
                                          &(place){.walk = at->walk, .group = path})
                             : HG_OK;
}

static void
drop_unseen(hg_fields *w)
{
    hg_plan *plan = w->plan;
    int kept = 0;

    for (int s = 0; s < plan->n_source; s++) {
        if (plan->source[s].kind == w->kind && !w->seen[s]) {
            hg_log_warn("catalogue: '%s' is missing in '%s', so it cannot be read",
                        plan->source[s].path[0], hg_h5_path(w->file));
            continue;
        }
        plan->source[kept++] = plan->source[s];
    }
    plan->n_source = kept;
}

hg_status
hg_fields_scan(hg_fields *fields)
{
    const char *group = fields->group[0] != '\0' ? fields->group : "/";
    hg_status status;

    HG_TRY(hg_mem_zeros(&fields->seen, (size_t)fields->plan->n_source + 1, 1));
    status = hg_h5_list(fields->file, group, visit,
                        &(place){.walk = fields, .group = fields->group});
    if (status == HG_OK && fields->is_known) {
        drop_unseen(fields);
    }
    hg_mem_free(fields->seen);
    fields->seen = NULL;
    return status;
}

hg_status
hg_fields_name(hg_plan *plan, size_t n, const hg_alias alias[])
{
    for (size_t i = 0; i < n; i++) {
        const hg_source *field = hg_plan_find(plan, alias[i].field);
        const int element = alias[i].element;
        const hg_layout_entry *entry = hg_layout_find(alias[i].name);
        hg_source *source = NULL;
        hg_source copy;

        if (field == NULL || hg_plan_find(plan, alias[i].name) != NULL ||
            (element >= 0 ? element >= field->column.width
                          : entry->width != field->column.width)) {
            continue;
        }
        if (strcmp(field->column.unit, entry->unit) != 0) {
            return HG_FAIL(HG_E_FORMAT,
                           "dataset '%s' of '%s' is in '%s', not in a unit of %s: its "
                           "attributes are not what this format has",
                           field->path[0], hg_plan_path(plan, 0), field->column.unit,
                           entry->unit);
        }
        copy = *field;
        HG_TRY(hg_plan_add_source(plan, alias[i].name, &source));
        copy.column = source->column;
        copy.element[0] = element;
        *source = copy;
    }
    return HG_OK;
}

hg_status
hg_fields_make(hg_plan *plan, const char *name, int kind)
{
    hg_source *source = NULL;

    HG_TRY(hg_plan_add_source(plan, name, &source));
    source->kind = kind;
    return HG_OK;
}
