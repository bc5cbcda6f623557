/* statistics.hdf5 and its CSV twin. Names become group names with '/' replaced by '_'; numbers
 * in CSV have 17 digits, so the twin holds the same values. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "stats/curve.h"
#include "store/h5.h"
#include "store/publish.h"
#include "store/seal.h"

enum { GROUP_MAX = 512, LIST_MAX = 4096 };

/* "/root/first/second" with slashes inside the names replaced. */
static void
group_name(char group[GROUP_MAX], const char *root, const char *first, const char *second)
{
    char part[2][HG_LABEL_MAX];

    snprintf(part[0], sizeof part[0], "%s", first);
    snprintf(part[1], sizeof part[1], "%s", second);
    for (int k = 0; k < 2; k++) {
        for (char *c = part[k]; *c != '\0'; c++) {
            *c = *c == '/' ? '_' : *c;
        }
    }
    snprintf(group, GROUP_MAX, second[0] != '\0' ? "/%s/%s/%s" : "/%s/%s", root, part[0],
             part[1]);
}

static hg_status
write_array(hg_h5 *file, const char *group, const char *name, hg_type type, int64_t n,
            const void *data)
{
    char path[GROUP_MAX + 32];

    if (data == NULL) {
        return HG_OK;
    }
    snprintf(path, sizeof path, "%s/%s", group, name);
    return hg_h5_write(file, path, type, 1, &n, NULL, data);
}

static hg_status
write_attributes(hg_h5 *file, const char *group, const hg_attributes *attributes)
{
    for (int i = 0; i < attributes->n; i++) {
        const hg_attribute *a = &attributes->v[i];

        if (a->is_text) {
            HG_TRY(hg_h5_put_string(file, group, a->name, a->text));
        } else {
            HG_TRY(hg_h5_put_real(file, group, a->name, a->value));
        }
    }
    return HG_OK;
}

static hg_status
write_label(hg_h5 *file, const char *group, const hg_label *label)
{
    HG_TRY(hg_h5_put_string(file, group, "name", label->name));
    HG_TRY(hg_h5_put_string(file, group, "catalogue", label->catalogue));
    HG_TRY(hg_h5_put_string(file, group, "statistic", label->statistic));
    HG_TRY(hg_h5_put_string(file, group, "sample", label->sample));
    HG_TRY(hg_h5_put_string(file, group, "column", label->column));
    HG_TRY(hg_h5_put_string(file, group, "x_name", label->x_name));
    HG_TRY(hg_h5_put_string(file, group, "x_unit", label->x_unit));
    HG_TRY(hg_h5_put_string(file, group, "y_name", label->y_name));
    HG_TRY(hg_h5_put_string(file, group, "y_unit", label->y_unit));
    HG_TRY(hg_h5_put_integer(file, group, "log_x", label->log_x));
    return hg_h5_put_integer(file, group, "log_y", label->log_y);
}

static hg_status
write_curve(hg_h5 *file, const hg_curve *curve)
{
    char group[GROUP_MAX];

    group_name(group, "curves", curve->label.catalogue, curve->label.name);
    HG_TRY(hg_h5_group(file, group));
    HG_TRY(write_label(file, group, &curve->label));
    HG_TRY(write_attributes(file, group, &curve->attributes));
    HG_TRY(write_array(file, group, "x", HG_F64, curve->n, curve->x));
    HG_TRY(write_array(file, group, "x_low", HG_F64, curve->n, curve->x_low));
    HG_TRY(write_array(file, group, "x_high", HG_F64, curve->n, curve->x_high));
    HG_TRY(write_array(file, group, "y", HG_F64, curve->n, curve->y));
    HG_TRY(write_array(file, group, "error", HG_F64, curve->n, curve->error));
    HG_TRY(write_array(file, group, "low", HG_F64, curve->n, curve->low));
    HG_TRY(write_array(file, group, "high", HG_F64, curve->n, curve->high));
    HG_TRY(write_array(file, group, "count", HG_I64, curve->n, curve->count));
    HG_TRY(write_array(file, group, "draw_error", HG_F64, curve->n, curve->draw_error));
    return write_array(file, group, "jackknife_error", HG_F64, curve->n,
                       curve->jackknife_error);
}

static hg_status
write_covariance(hg_h5 *file, const hg_covariance *c)
{
    const int64_t m = c->n_curve * c->n;
    const int64_t dims[2][3] = {{m, m, 0}, {c->n_curve, c->n_curve, c->n}};
    char group[GROUP_MAX], path[GROUP_MAX + 32];

    group_name(group, "covariance", c->label.catalogue, c->label.name);
    snprintf(path, sizeof path, "%s/covariance", group);
    HG_TRY(hg_h5_group(file, group));
    HG_TRY(write_label(file, group, &c->label));
    HG_TRY(hg_h5_put_string(file, group, "kind", c->kind));
    HG_TRY(hg_h5_put_integer(file, group, "diagonal", c->diagonal));
    HG_TRY(hg_h5_put_integer(file, group, "curves", c->n_curve));
    for (int k = 0; k < c->n_curve; k++) {
        char name[32];

        snprintf(name, sizeof name, "curve_%d", k + 1);
        HG_TRY(hg_h5_put_string(file, group, name, c->curve[k]));
    }
    HG_TRY(write_attributes(file, group, &c->attributes));
    HG_TRY(write_array(file, group, "x_low", HG_F64, c->n, c->x_low));
    HG_TRY(write_array(file, group, "x_high", HG_F64, c->n, c->x_high));
    return hg_h5_write(file, path, HG_F64, c->diagonal ? 3 : 2, dims[c->diagonal], NULL,
                       c->value);
}

static hg_status
write_map(hg_h5 *file, const hg_map *map)
{
    const int64_t dims[2] = {map->n_x, map->n_y};
    char group[GROUP_MAX], path[GROUP_MAX + 32];

    group_name(group, "maps", map->label.catalogue, map->label.name);
    snprintf(path, sizeof path, "%s/counts", group);
    HG_TRY(hg_h5_group(file, group));
    HG_TRY(write_label(file, group, &map->label));
    HG_TRY(write_attributes(file, group, &map->attributes));
    HG_TRY(write_array(file, group, "x_edges", HG_F64, map->n_x + 1, map->x_edges));
    HG_TRY(write_array(file, group, "y_edges", HG_F64, map->n_y + 1, map->y_edges));
    return hg_h5_write(file, path, HG_I64, 2, dims, NULL, map->counts);
}

static hg_status
write_content(const void *context, hg_h5 *file)
{
    const hg_statistics *statistics = context;
    char group[GROUP_MAX];

    HG_TRY(hg_h5_group(file, "/curves"));
    HG_TRY(hg_h5_group(file, "/covariance"));
    HG_TRY(hg_h5_group(file, "/maps"));
    HG_TRY(hg_h5_group(file, "/metrics"));
    HG_TRY(hg_h5_group(file, "/Provenance"));
    HG_TRY(hg_h5_put_string(file, "/", "format", "halograft statistics 1"));
    for (int i = 0; i < statistics->n_curve; i++) {
        HG_TRY(write_curve(file, &statistics->curve[i]));
    }
    for (int i = 0; i < statistics->n_covariance; i++) {
        HG_TRY(write_covariance(file, &statistics->covariance[i]));
    }
    for (int i = 0; i < statistics->n_map; i++) {
        HG_TRY(write_map(file, &statistics->map[i]));
    }
    for (int i = 0; i < statistics->n_score; i++) {
        group_name(group, "metrics", statistics->score[i].name, "");
        HG_TRY(hg_h5_group(file, group));
        HG_TRY(hg_h5_put_string(file, group, "name", statistics->score[i].name));
        HG_TRY(write_attributes(file, group, &statistics->score[i].attributes));
    }
    HG_TRY(write_attributes(file, "/Provenance", &statistics->provenance));
    return hg_h5_put_string(file, "/Provenance", "parameters",
                            hg_text_string(&statistics->parameters));
}

/* One number of a CSV line; an absent array gives an empty field. */
static hg_status
add_number(hg_text *text, const double *array, int64_t i)
{
    return array == NULL ? hg_text_add(text, ",") : hg_text_add(text, ",%.17g", array[i]);
}

static hg_status
add_csv_curve(hg_text *text, const hg_curve *curve)
{
    const double *const array[] = {curve->x,    curve->x_low,     curve->x_high,
                                   curve->y,    curve->error,     curve->low,
                                   curve->high, curve->draw_error};

    for (int64_t i = 0; i < curve->n; i++) {
        HG_TRY(hg_text_add(text, "%s,%s,%s,\"%s\",%s", curve->label.catalogue,
                           curve->label.name, curve->label.statistic, curve->label.sample,
                           curve->label.column));
        for (size_t k = 0; k < sizeof array / sizeof array[0]; k++) {
            HG_TRY(add_number(text, array[k], i));
        }
        if (curve->count != NULL) {
            HG_TRY(hg_text_add(text, ",%" PRId64, curve->count[i]));
        } else {
            HG_TRY(hg_text_add(text, ","));
        }
        HG_TRY(add_number(text, curve->jackknife_error, i));
        HG_TRY(hg_text_add(text, "\n"));
    }
    return HG_OK;
}

/* One half of a matrix, without what is zero by its form. */
static hg_status
add_csv_covariance(hg_text *text, const hg_covariance *c)
{
    const int64_t m = c->n_curve * c->n;

    for (int64_t k = 0; k < m * m; k++) {
        const int64_t i = k / m % c->n, j = k % m % c->n;
        const int a = (int)(k / m / c->n), b = (int)(k % m / c->n);

        if (k % m >= k / m && (i == j || !c->diagonal)) {
            HG_TRY(hg_text_add(text, "%s,%s,%s,%s,%.17g,%.17g,%.17g,%.17g,%.17g\n",
                               c->label.catalogue, c->kind, c->curve[a], c->curve[b],
                               c->x_low[i], c->x_high[i], c->x_low[j], c->x_high[j],
                               hg_covariance_value(c, a, i, b, j)));
        }
    }
    return HG_OK;
}

static hg_status
csv_curves(const hg_statistics *statistics, hg_text *text)
{
    HG_TRY(hg_text_add(text, "catalogue,name,statistic,sample,column,x,x_low,x_high,y,error,"
                             "low,high,draw_error,count,jackknife_error\n"));
    for (int i = 0; i < statistics->n_curve; i++) {
        HG_TRY(add_csv_curve(text, &statistics->curve[i]));
    }
    return HG_OK;
}

static hg_status
csv_covariances(const hg_statistics *statistics, hg_text *text)
{
    HG_TRY(hg_text_add(text, "catalogue,kind,curve,other_curve,x_low,x_high,other_x_low,"
                             "other_x_high,covariance\n"));
    for (int i = 0; i < statistics->n_covariance; i++) {
        HG_TRY(add_csv_covariance(text, &statistics->covariance[i]));
    }
    return HG_OK;
}

/* Write a twin beside the file, named after it. */
static hg_status
write_csv(hg_statistics *statistics, const char *path, const char *tail,
          hg_status (*fill)(const hg_statistics *, hg_text *))
{
    char name[HG_PATH_MAX];
    const char *end = strrchr(path, '.');
    hg_text text = {0};
    hg_status status;

    HG_TRY(hg_text_path(sizeof name, name, "%.*s%s.csv",
                        end != NULL ? (int)(end - path) : (int)strlen(path), path, tail));
    status = fill(statistics, &text);
    return hg_bundle_text(&statistics->beside, name, status, &text);
}

/* Of the file and of the text beside it. */
static double
bytes_of(const hg_statistics *s)
{
    double n = 0;

    for (int i = 0; i < s->n_curve; i++) {
        n += 6 * (double)s->curve[i].n;
    }
    for (int i = 0; i < s->n_covariance; i++) {
        const hg_covariance *c = &s->covariance[i];

        n += (double)c->n_curve * (double)c->n_curve * (double)c->n *
             (c->diagonal ? 1 : (double)c->n);
    }
    return 24 * n;
}

static hg_status
fill_file(const void *statistics, const char *temporary)
{
    return hg_seal_file(temporary, write_content, statistics);
}

hg_status
hg_statistics_write(hg_statistics *statistics, const char *path)
{
    HG_TRY(hg_space_check(path, bytes_of(statistics)));
    HG_TRY(write_csv(statistics, path, "_covariance", csv_covariances));
    HG_TRY(write_csv(statistics, path, "", csv_curves));
    /* last: where it is, all of them are */
    HG_TRY(hg_bundle_fill(&statistics->beside, path, fill_file, statistics));
    return hg_bundle_publish(&statistics->beside);
}

/* Names of the links of a group. */
typedef struct name_list {
    int n;
    char (*name)[HG_LABEL_MAX];
} name_list;

static hg_status
add_name(const char *name, bool is_group, void *context)
{
    name_list *list = context;

    (void)is_group;
    if (list->n >= LIST_MAX) {
        return HG_FAIL(HG_E_FORMAT, "more than %d statistics in one group", LIST_MAX);
    }
    if (list->n % 64 == 0) {
        HG_TRY(hg_mem_resize(&list->name, (size_t)list->n + 64, sizeof *list->name));
    }
    snprintf(list->name[list->n++], sizeof *list->name, "%s", name);
    return HG_OK;
}

/* Whether an attribute belongs to the label and not to the free ones. */
static bool
is_label_name(const char *name)
{
    static const char *const names[] = {
        "name",   "catalogue", "statistic", "sample",  "column", "x_name",
        "x_unit", "y_name",    "y_unit",    "log_x",   "log_y",  "kind",
        "curves", "diagonal",  "curve_1",   "curve_2", "curve_3"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static hg_status
read_attributes(hg_h5 *file, const char *group, hg_attributes *attributes)
{
    name_list list = {0};
    hg_status status = hg_h5_list_attributes(file, group, add_name, &list);

    for (int i = 0; i < list.n && status == HG_OK; i++) {
        char text[sizeof attributes->v->text];
        double value = 0;

        if (is_label_name(list.name[i]) || strcmp(list.name[i], "parameters") == 0) {
            continue;
        }
        if (hg_h5_get_real(file, group, list.name[i], &value) == HG_OK) {
            status = hg_attributes_real(attributes, list.name[i], value);
        } else {
            status = hg_h5_get_string(file, group, list.name[i], sizeof text, text);
            if (status == HG_OK) {
                status = hg_attributes_text(attributes, list.name[i], text);
            }
        }
    }
    hg_mem_free(list.name);
    return status;
}

static hg_status
read_label(hg_h5 *file, const char *group, hg_label *label)
{
    int64_t log_x = 0, log_y = 0;

    HG_TRY(hg_h5_get_string(file, group, "name", sizeof label->name, label->name));
    HG_TRY(
        hg_h5_get_string(file, group, "catalogue", sizeof label->catalogue, label->catalogue));
    HG_TRY(
        hg_h5_get_string(file, group, "statistic", sizeof label->statistic, label->statistic));
    HG_TRY(hg_h5_get_string(file, group, "sample", sizeof label->sample, label->sample));
    HG_TRY(hg_h5_get_string(file, group, "column", sizeof label->column, label->column));
    HG_TRY(hg_h5_get_string(file, group, "x_name", sizeof label->x_name, label->x_name));
    HG_TRY(hg_h5_get_string(file, group, "x_unit", sizeof label->x_unit, label->x_unit));
    HG_TRY(hg_h5_get_string(file, group, "y_name", sizeof label->y_name, label->y_name));
    HG_TRY(hg_h5_get_string(file, group, "y_unit", sizeof label->y_unit, label->y_unit));
    HG_TRY(hg_h5_get_integer(file, group, "log_x", &log_x));
    HG_TRY(hg_h5_get_integer(file, group, "log_y", &log_y));
    label->log_x = log_x != 0;
    label->log_y = log_y != 0;
    return HG_OK;
}

static hg_status
read_array(hg_h5 *file, const char *group, const char *name, hg_type type, int64_t n,
           void *data)
{
    char path[GROUP_MAX + 32];

    if (data == NULL) {
        return HG_OK;
    }
    snprintf(path, sizeof path, "%s/%s", group, name);
    return hg_h5_read(file, path, 0, n, type, data);
}

static bool
has_array(hg_h5 *file, const char *group, const char *name)
{
    char path[GROUP_MAX + 32];

    snprintf(path, sizeof path, "%s/%s", group, name);
    return hg_h5_is_dataset(file, path);
}

static hg_status
read_curve(hg_h5 *file, const char *group, hg_statistics *statistics)
{
    char path[GROUP_MAX + 32];
    hg_label label = {.name = ""};
    hg_curve *curve = NULL;
    hg_h5_info info;

    snprintf(path, sizeof path, "%s/x", group);
    HG_TRY(read_label(file, group, &label));
    HG_TRY(hg_h5_describe(file, path, &info));
    HG_TRY(hg_statistics_curve(
        statistics, &label, info.dims[0],
        (has_array(file, group, "low") ? HG_CURVE_BAND : 0) |
            (has_array(file, group, "count") ? HG_CURVE_COUNT : 0) |
            (has_array(file, group, "draw_error") ? HG_CURVE_DRAWS : 0) |
            (has_array(file, group, "jackknife_error") ? HG_CURVE_JACKKNIFE : 0),
        &curve));
    HG_TRY(read_array(file, group, "x", HG_F64, curve->n, curve->x));
    HG_TRY(read_array(file, group, "x_low", HG_F64, curve->n, curve->x_low));
    HG_TRY(read_array(file, group, "x_high", HG_F64, curve->n, curve->x_high));
    HG_TRY(read_array(file, group, "y", HG_F64, curve->n, curve->y));
    HG_TRY(read_array(file, group, "error", HG_F64, curve->n, curve->error));
    HG_TRY(read_array(file, group, "low", HG_F64, curve->n, curve->low));
    HG_TRY(read_array(file, group, "high", HG_F64, curve->n, curve->high));
    HG_TRY(read_array(file, group, "count", HG_I64, curve->n, curve->count));
    HG_TRY(read_array(file, group, "draw_error", HG_F64, curve->n, curve->draw_error));
    HG_TRY(
        read_array(file, group, "jackknife_error", HG_F64, curve->n, curve->jackknife_error));
    return read_attributes(file, group, &curve->attributes);
}

static hg_status
read_covariance(hg_h5 *file, const char *group, hg_statistics *statistics)
{
    char path[GROUP_MAX + 32], kind[16], name[HG_COVARIANCE_CURVES][HG_LABEL_MAX];
    const char *names[HG_COVARIANCE_CURVES];
    int64_t n_curve = 0, diagonal = 0;
    hg_label label = {.name = ""};
    hg_covariance *c = NULL;
    hg_h5_info info;

    HG_TRY(read_label(file, group, &label));
    HG_TRY(hg_h5_get_string(file, group, "kind", sizeof kind, kind));
    HG_TRY(hg_h5_get_integer(file, group, "diagonal", &diagonal));
    HG_TRY(hg_h5_get_integer(file, group, "curves", &n_curve));
    snprintf(path, sizeof path, "%s/x_low", group);
    HG_TRY(hg_h5_describe(file, path, &info));
    if (n_curve < 1 || n_curve > HG_COVARIANCE_CURVES) {
        return HG_FAIL(HG_E_FORMAT, "'%s' in '%s' is no covariance", group, hg_h5_path(file));
    }
    for (int k = 0; k < n_curve; k++) {
        char attribute[16];

        snprintf(attribute, sizeof attribute, "curve_%d", k + 1);
        HG_TRY(hg_h5_get_string(file, group, attribute, sizeof name[k], name[k]));
        names[k] = name[k];
    }
    HG_TRY(hg_statistics_covariance(statistics, &label, kind, (int)n_curve, names, info.dims[0],
                                    diagonal != 0, &c));
    HG_TRY(read_array(file, group, "x_low", HG_F64, c->n, c->x_low));
    HG_TRY(read_array(file, group, "x_high", HG_F64, c->n, c->x_high));
    snprintf(path, sizeof path, "%s/covariance", group);
    HG_TRY(hg_h5_describe(file, path, &info));
    const int64_t rows = c->diagonal ? n_curve : n_curve * c->n;

    if (info.n_dim != (c->diagonal ? 3 : 2) || info.dims[0] != rows || info.dims[1] != rows ||
        (c->diagonal && info.dims[2] != c->n)) {
        return HG_FAIL(HG_E_FORMAT, "'%s' in '%s' does not fit its bins", path,
                       hg_h5_path(file));
    }
    HG_TRY(hg_h5_read(file, path, 0, rows, HG_F64, c->value));
    return read_attributes(file, group, &c->attributes);
}

static hg_status
read_map(hg_h5 *file, const char *group, hg_statistics *statistics)
{
    char path[GROUP_MAX + 32];
    hg_label label = {.name = ""};
    hg_map *map = NULL;
    hg_h5_info info;

    snprintf(path, sizeof path, "%s/counts", group);
    HG_TRY(read_label(file, group, &label));
    HG_TRY(hg_h5_describe(file, path, &info));
    if (info.n_dim != 2) {
        return HG_FAIL(HG_E_FORMAT, "'%s' in '%s' is no map", path, hg_h5_path(file));
    }
    HG_TRY(hg_statistics_map(statistics, &label, info.dims[0], info.dims[1], &map));
    HG_TRY(hg_h5_read(file, path, 0, map->n_x, HG_I64, map->counts));
    HG_TRY(read_array(file, group, "x_edges", HG_F64, map->n_x + 1, map->x_edges));
    HG_TRY(read_array(file, group, "y_edges", HG_F64, map->n_y + 1, map->y_edges));
    return read_attributes(file, group, &map->attributes);
}

static hg_status
read_score(hg_h5 *file, const char *group, hg_statistics *statistics)
{
    hg_score *score = NULL;

    HG_TRY(hg_statistics_score(statistics, "", &score));
    HG_TRY(hg_h5_get_string(file, group, "name", sizeof score->name, score->name));
    return read_attributes(file, group, &score->attributes);
}

typedef hg_status (*read_one)(hg_h5 *file, const char *group, hg_statistics *statistics);

/* Read all groups below a root, `depth` levels down. */
static hg_status
read_tree(hg_h5 *file, const char *root, int depth, read_one read, hg_statistics *statistics)
{
    name_list list = {0};
    hg_status status;

    if (depth == 0) {
        return read(file, root, statistics);
    }
    status = hg_h5_list(file, root, add_name, &list);
    for (int i = 0; i < list.n && status == HG_OK; i++) {
        char group[GROUP_MAX];

        status = hg_text_path(sizeof group, group, "%s/%s", root, list.name[i]);
        if (status == HG_OK) {
            status = read_tree(file, group, depth - 1, read, statistics);
        }
    }
    hg_mem_free(list.name);
    return status;
}

hg_status
hg_statistics_read(const char *path, hg_statistics *statistics)
{
    hg_h5 *file = NULL;
    hg_status status, closed;
    bool is_sealed; /* files of older versions are not */

    *statistics = (hg_statistics){0};
    HG_TRY(hg_seal_check(path, &is_sealed));
    HG_TRY(hg_h5_open(path, &file));
    HG_TRY_OR(done, status, read_tree(file, "/curves", 2, read_curve, statistics));
    if (hg_h5_exists(file, "/covariance")) { /* files of older versions have none */
        HG_TRY_OR(done, status, read_tree(file, "/covariance", 2, read_covariance, statistics));
    }
    HG_TRY_OR(done, status, read_tree(file, "/maps", 2, read_map, statistics));
    HG_TRY_OR(done, status, read_tree(file, "/metrics", 1, read_score, statistics));
    HG_TRY_OR(done, status, read_attributes(file, "/Provenance", &statistics->provenance));
    status = hg_h5_get_text(file, "/Provenance", "parameters", &statistics->parameters);
done:
    closed = hg_h5_close(file);
    status = status != HG_OK ? status : closed;
    if (status != HG_OK) {
        hg_statistics_clear(statistics);
    }
    return status;
}
