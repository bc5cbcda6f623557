/* Rows of subhaloes with the values of their groups. Groups and their subhaloes may stand in
 * different files, so groups are addressed by their global number: the groups that a range of
 * rows refers to are an almost contiguous range (Subfind writes subhaloes in the order of their
 * groups), which is read once and looked up per row.
 *
 * Where files are missing, global numbers are found per run of consecutive files. The group
 * number stored with each subhalo is global, so a run of rows of one group, as long as
 * GroupNsubs of a group, tells which group it is; GroupFirstSub then tells the global number of
 * the first row. Every complete group of the run must agree, so a wrong match is not possible
 * unless all groups look alike; then the first group with subhaloes is matched to the first
 * row.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "catalog/check.h"
#include "catalog/subfind.h"

/* Read a dataset of several files into one array of integers. `groups` tells whether rows are
 * groups or subhaloes. */
static hg_status
read_integers(const hg_plan *plan, int low, int high, const char *name, bool groups,
              int64_t **data, int64_t *n)
{
    int64_t at = 0, total = 0;
    hg_status status = HG_OK;

    *data = NULL;
    for (int i = low; i < high; i++) {
        total += groups ? plan->file[i].extra[HG_SUBFIND_GROUPS] : plan->file[i].rows;
    }
    HG_TRY(hg_mem_array(data, (size_t)total, sizeof **data));
    for (int i = low; i < high && status == HG_OK; i++) {
        int64_t rows = groups ? plan->file[i].extra[HG_SUBFIND_GROUPS] : plan->file[i].rows;
        hg_h5 *file = NULL;
        hg_status closed;

        if (rows == 0) {
            continue;
        }
        status = hg_h5_open(hg_plan_path(plan, i), &file);
        if (status == HG_OK) {
            status = hg_h5_read(file, name, 0, rows, HG_I64, *data + at);
            closed = hg_h5_close(file);
            status = status != HG_OK ? status : closed;
        }
        at += rows;
    }
    if (status != HG_OK) {
        hg_mem_free(*data);
        *data = NULL;
    }
    *n = total;
    return status;
}

/* One run of consecutive files. */
typedef struct segment {
    int64_t n_group, n_row;
    int64_t *nsubs; /* shape (n_group) */
    int64_t *first_sub;
    int64_t *link; /* shape (n_row); global group of each subhalo */
} segment;

/* Whether the first group having global number `group0` agrees with all rows; gives the global
 * number of the first row. */
static bool
try_origin(const segment *s, int64_t group0, int64_t *sub0)
{
    int64_t expected = -1; /* next group that should have rows */
    bool any = false;

    for (int64_t row = 0; row < s->n_row;) {
        int64_t end = row + 1, group = s->link[row] - group0, missing;

        while (end < s->n_row && s->link[end] == s->link[row]) {
            end++;
        }
        if (group >= 0 && group < s->n_group) {
            /* runs at the edges may be cut: their other rows are in missing files */
            missing = s->nsubs[group] - (end - row);
            if (missing < 0 || (missing > 0 && row > 0 && end < s->n_row)) {
                return false;
            }
            for (int64_t g = expected; g >= 0 && g < group; g++) {
                if (s->nsubs[g] > 0) {
                    return false;
                }
            }
            if (row > 0 || missing == 0) {
                int64_t origin = s->first_sub[group] - row;

                if (any && origin != *sub0) {
                    return false;
                }
                *sub0 = origin;
                any = true;
            } else if (end < s->n_row) {
                *sub0 = s->first_sub[group] + missing;
                any = true;
            }
            expected = group + 1;
        } else if (group >= 0 && expected >= 0) {
            for (int64_t g = expected; g < s->n_group; g++) {
                if (s->nsubs[g] > 0) {
                    return false;
                }
            }
            expected = s->n_group;
        }
        row = end;
    }
    return any;
}

static bool
find_origin(const segment *s, int64_t *group0, int64_t *sub0)
{
    int64_t j = 0, natural, last, reach;

    while (j < s->n_group && s->nsubs[j] == 0) {
        j++;
    }
    if (j == s->n_group || s->n_row == 0) {
        return false;
    }
    natural = s->link[0] - j;
    last = s->link[s->n_row - 1];
    reach = s->n_group + (last > s->link[0] ? last - s->link[0] : 0);
    for (int64_t d = 0; d <= reach; d++) {
        for (int sign = -1; sign <= (d > 0 ? 1 : -1); sign += 2) {
            *group0 = natural - sign * d;
            if (*group0 >= 0 && try_origin(s, *group0, sub0)) {
                return true;
            }
        }
    }
    return false;
}

static hg_status
load_segment(const hg_plan *plan, int low, int high, segment *s)
{
    const hg_subfind_plan *own = plan->extra;
    int64_t n = 0;

    HG_TRY(read_integers(plan, low, high, own->nsubs, true, &s->nsubs, &s->n_group));
    HG_TRY(read_integers(plan, low, high, own->lord, true, &s->first_sub, &n));
    HG_TRY(read_integers(plan, low, high, own->link, false, &s->link, &s->n_row));
    for (int64_t i = 0; i < s->n_row; i++) {
        s->link[i] -= own->base;
    }
    return HG_OK;
}

static hg_status
locate_segment(hg_plan *plan, int low, int high, bool from_start)
{
    segment s = {0};
    int64_t group0 = from_start ? 0 : -1, sub0 = 0;
    hg_status status = HG_OK;

    if (!from_start) {
        HG_TRY_OR(done, status, load_segment(plan, low, high, &s));
        if (!find_origin(&s, &group0, &sub0)) {
            group0 = -1;
            if (s.n_row > 0) {
                status =
                    HG_FAIL(HG_E_INPUT,
                            "the global numbers of the subhaloes from '%s' on cannot be found "
                            "from GroupFirstSub: add the files with their groups",
                            hg_plan_path(plan, low));
                goto done;
            }
        }
    }
    for (int i = low; i < high; i++) {
        int64_t *extra = plan->file[i].extra;

        extra[HG_SUBFIND_FIRST_GROUP] = group0;
        extra[HG_SUBFIND_FIRST_SUB] = sub0;
        group0 += group0 >= 0 ? extra[HG_SUBFIND_GROUPS] : 0;
        sub0 += plan->file[i].rows;
    }
done:
    hg_mem_free(s.nsubs);
    hg_mem_free(s.first_sub);
    hg_mem_free(s.link);
    return status;
}

hg_status
hg_subfind_locate(const hg_files *files, hg_plan *plan)
{
    for (int low = 0, high; low < files->n; low = high) {
        high = low + 1;
        while (high < files->n && files->number[high] == files->number[high - 1] + 1) {
            high++;
        }
        HG_TRY(locate_segment(plan, low, high, files->number[low] == 0));
    }
    return HG_OK;
}

/* Values of the groups [low, low + n) in a table of its own; groups that are not among the
 * files keep NaN or -1, and known[] says which are there. */
static hg_status
read_groups(const hg_plan *plan, int64_t low, int n_source, const hg_source *const source[],
            hg_table *groups, uint8_t known[])
{
    for (int s = 0; s < n_source; s++) {
        const hg_column *c = &source[s]->column;
        void *data = NULL;

        HG_TRY(hg_table_add(groups, c->name, c->unit, c->type, c->width, &data));
        for (int64_t i = 0; i < groups->n * c->width; i++) {
            hg_column_set(c->type, data, i, (double)NAN);
        }
    }
    for (int f = 0; f < plan->n_file; f++) {
        const int64_t first = plan->file[f].extra[HG_SUBFIND_FIRST_GROUP];
        const int64_t count = plan->file[f].extra[HG_SUBFIND_GROUPS];
        int64_t from = first > low ? first : low;
        int64_t end = first + count < low + groups->n ? first + count : low + groups->n;
        hg_status status = HG_OK, closed;
        hg_h5 *file = NULL;

        if (first < 0 || end <= from) {
            continue;
        }
        memset(known + (from - low), 1, (size_t)(end - from));
        HG_TRY(hg_h5_open(hg_plan_path(plan, f), &file));
        for (int s = 0; s < n_source && status == HG_OK; s++) {
            const hg_column *c = hg_table_find(groups, source[s]->column.name);

            status =
                hg_source_read(file, source[s], from - first, end - from, from - low, c->data);
        }
        closed = hg_h5_close(file);
        HG_TRY(status != HG_OK ? status : closed);
    }
    return HG_OK;
}

/* Copy the value of each row's group. */
static hg_status
spread(const hg_table *groups, int64_t low, const int64_t link[], hg_table *table)
{
    for (int c = 0; c < groups->n_column; c++) {
        const hg_column *from = &groups->column[c];
        void *data = NULL;

        if (strcmp(from->name, "\x01"
                               "first") == 0) {
            continue;
        }
        HG_TRY(hg_table_add(table, from->name, from->unit, from->type, from->width, &data));
        for (int64_t i = 0; i < table->n; i++) {
            size_t row = (size_t)from->width * (from->type == HG_COLUMN_F64   ? 8
                                                : from->type == HG_COLUMN_I64 ? 8
                                                : from->type == HG_COLUMN_U8  ? 1
                                                                              : 4);

            memcpy((char *)data + (size_t)i * row,
                   (const char *)from->data + (size_t)(link[i] - low) * row, row);
        }
    }
    return HG_OK;
}

/* Global number of a row. */
static int64_t
global_id(const hg_plan *plan, int *file, int64_t row)
{
    while (row >= plan->file[*file].first + plan->file[*file].rows) {
        ++*file;
    }
    return plan->file[*file].extra[HG_SUBFIND_FIRST_SUB] + row - plan->file[*file].first;
}

/* id, central and host_id, as far as they are wanted. `rank` is NULL without ranks in groups.
 */
static hg_status
make_columns(const hg_plan *plan, int64_t first, int n_source, const hg_source *const source[],
             const int64_t first_sub[], const int64_t rank[], hg_table *table)
{
    const hg_subfind_plan *own = plan->extra;
    int file = table->n > 0 ? hg_plan_find_file(plan, first) : 0;
    int64_t *id = NULL, *host = NULL;
    uint8_t *central = NULL;

    for (int s = 0; s < n_source; s++) {
        const hg_column *c = &source[s]->column;

        if (source[s]->kind == HG_SUBFIND_ID) {
            HG_TRY(hg_table_add(table, c->name, c->unit, c->type, 1, &id));
        } else if (source[s]->kind == HG_SUBFIND_CENTRAL) {
            HG_TRY(hg_table_add(table, c->name, c->unit, c->type, 1, &central));
        } else {
            HG_TRY(hg_table_add(table, c->name, c->unit, c->type, 1, &host));
        }
    }
    for (int64_t i = 0; i < table->n; i++) {
        int64_t me = global_id(plan, &file, first + i);
        int64_t lord = first_sub != NULL ? first_sub[i] : HG_HOST_MISSING;
        bool missing = lord == HG_HOST_MISSING;

        /* Illustris-1: unsigned, all ones is "none" */
        lord = own->first_sub == HG_U32 && lord == UINT32_MAX ? -1 : lord;
        if (id != NULL) {
            id[i] = me;
        }
        if (central != NULL) {
            central[i] = missing && rank == NULL ? HG_CENTRAL_UNKNOWN
                         : rank != NULL          ? rank[i] == 0
                                                 : lord == me;
        }
        if (host != NULL) {
            host[i] = missing ? HG_HOST_MISSING : lord == me ? -1 : lord;
        }
    }
    return HG_OK;
}

static hg_source
whole_numbers(const char *name, const char *path, int kind)
{
    hg_source source = {.n_path = 1, .element = {-1, -1, -1}, .factor = 1, .kind = kind};

    source.column = (hg_column){.type = HG_COLUMN_I64, .width = 1};
    source.disk = HG_I64;
    strcpy(source.column.name, name);
    strcpy(source.path[0], path);
    return source;
}

/* Groups [low, high) hold all that are in the files. */
static void
find_bounds(const hg_plan *plan, int64_t *low, int64_t *high)
{
    *low = INT64_MAX;
    *high = 0;
    for (int f = 0; f < plan->n_file; f++) {
        const int64_t first = plan->file[f].extra[HG_SUBFIND_FIRST_GROUP];
        const int64_t end = first + plan->file[f].extra[HG_SUBFIND_GROUPS];

        if (first >= 0) {
            *low = first < *low ? first : *low;
            *high = end > *high ? end : *high;
        }
    }
}

/* Read what needs the groups of the rows: fields of groups, centrals and hosts. */
static hg_status
read_with_groups(const hg_plan *plan, int64_t first, int n_group, const hg_source *group[],
                 int n_made, const hg_source *const made[], hg_table *table)
{
    const hg_subfind_plan *own = plan->extra;
    const hg_source link = whole_numbers("\x01"
                                         "link",
                                         own->link, HG_SUBFIND_SUBHALO);
    const hg_source rank = whole_numbers("\x01"
                                         "rank",
                                         own->rank, HG_SUBFIND_SUBHALO);
    const hg_source lord = whole_numbers("\x01"
                                         "first",
                                         own->lord, HG_SUBFIND_GROUP);
    const hg_source *const needed[] = {&link, &rank};
    hg_table rows = {.n = table->n}, groups = {0};
    int64_t low = INT64_MAX, high = -1, *g, *first_sub = NULL, lowest, beyond;
    uint8_t *known = NULL;
    hg_status status;

    HG_TRY_OR(
        done, status,
        hg_plan_read_flat(plan, first, table->n, own->rank[0] != '\0' ? 2 : 1, needed, &rows));
    g = hg_table_i64(&rows, link.column.name);
    find_bounds(plan, &lowest, &beyond);
    for (int64_t i = 0; i < rows.n; i++) {
        /* numbers without sense must not decide about memory */
        g[i] = g[i] >= own->base && g[i] - own->base >= lowest && g[i] - own->base < beyond
                   ? g[i] - own->base
                   : beyond;
        low = g[i] < low ? g[i] : low;
        high = g[i] > high ? g[i] : high;
    }
    groups.n = rows.n > 0 ? high - low + 1 : 0;
    group[n_group] = &lord;
    HG_TRY_OR(done, status, hg_mem_zeros(&known, (size_t)groups.n, 1));
    HG_TRY_OR(done, status, read_groups(plan, low, n_group + 1, group, &groups, known));
    HG_TRY_OR(done, status, spread(&groups, low, g, table));
    HG_TRY_OR(done, status, hg_mem_array(&first_sub, (size_t)rows.n, sizeof *first_sub));
    for (int64_t i = 0; i < rows.n; i++) {
        first_sub[i] = known[g[i] - low] ? hg_table_i64(&groups, lord.column.name)[g[i] - low]
                                         : HG_HOST_MISSING;
    }
    status = make_columns(plan, first, n_made, made, first_sub,
                          own->rank[0] != '\0' ? hg_table_i64(&rows, rank.column.name) : NULL,
                          table);
done:
    hg_table_clear(&rows);
    hg_table_clear(&groups);
    hg_mem_free(known);
    hg_mem_free(first_sub);
    return status;
}

hg_status
hg_subfind_read(const hg_plan *plan, int64_t first, int64_t n, int n_source,
                const hg_source *const source[], hg_table *table)
{
    const hg_source **list = NULL, **flat, **group, **made;
    int n_flat = 0, n_group = 0, n_made = 0;
    bool needs_groups = false;
    hg_status status;

    HG_TRY(hg_mem_array(&list, 3 * (size_t)(n_source + 1), sizeof *list));
    flat = list;
    group = flat + n_source + 1;
    made = group + n_source + 1;
    for (int s = 0; s < n_source; s++) {
        if (source[s]->kind == HG_SUBFIND_SUBHALO) {
            flat[n_flat++] = source[s];
        } else if (source[s]->kind == HG_SUBFIND_GROUP) {
            group[n_group++] = source[s];
        } else {
            made[n_made++] = source[s];
            needs_groups = needs_groups || source[s]->kind != HG_SUBFIND_ID;
        }
    }
    status = hg_plan_read_flat(plan, first, n, n_flat, flat, table);
    if (status == HG_OK && (n_group > 0 || needs_groups)) {
        status = read_with_groups(plan, first, n_group, group, n_made, made, table);
    } else if (status == HG_OK) {
        status = make_columns(plan, first, n_made, made, NULL, NULL, table);
    }
    hg_mem_free(list);
    return status;
}
