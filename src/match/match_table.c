/* One rank holds what is written: a few dozen bytes for an object. */
#include "match/match_table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "match/match_compare.h"
#include "store/h5.h"
#include "store/publish.h"
#include "store/textfile.h"

static const double bin_width = 0.5; /* dex */

void
hg_match_result_clear(hg_match_result *result)
{
    for (int s = 0; s < 2; s++) {
        hg_mem_free(result->object[s]);
    }
    hg_mem_free(result->pair);
    *result = (hg_match_result){0};
}

static int
compare_objects(const void *x, const void *y)
{
    const hg_match_object *a = x, *b = y;

    HG_COMPARE(a->id, b->id)
    HG_COMPARE(a->row, b->row)
    return 0;
}

static int
compare_pairs(const void *x, const void *y)
{
    const hg_match_pair *a = x, *b = y;

    HG_COMPARE(a->key[0], b->key[0])
    return 0;
}

static int
compare_links(const void *x, const void *y)
{
    const hg_match_link *a = x, *b = y;

    HG_COMPARE(a->partner, b->partner)
    return 0;
}

const hg_match_object *
hg_match_find(const hg_match_result *result, int side, int64_t id)
{
    int64_t low = 0, high = result->n[side];

    while (low < high) {
        const int64_t middle = low + (high - low) / 2;

        if (result->object[side][middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < result->n[side] && result->object[side][low].id == id
               ? &result->object[side][low]
               : NULL;
}

hg_status
hg_match_sort(hg_match_result *result, const char *const name[2])
{
    for (int s = 0; s < 2; s++) {
        hg_match_object *o = result->object[s];

        if (result->n[s] > 0) {
            qsort(o, (size_t)result->n[s], sizeof *o, compare_objects);
        }
        for (int64_t i = 1; i < result->n[s]; i++) {
            if (o[i].id == o[i - 1].id) {
                return HG_FAIL(HG_E_INPUT,
                               "'%s': rows %" PRId64 " and %" PRId64
                               " have the same id %" PRId64,
                               name[s], o[i - 1].row, o[i].row, o[i].id);
            }
        }
    }
    if (result->n_pair > 0) {
        qsort(result->pair, (size_t)result->n_pair, sizeof *result->pair, compare_pairs);
    }
    for (int64_t i = 0; i < result->n_pair; i++) {
        for (int s = 0; s < 2; s++) {
            if (hg_match_find(result, s, result->pair[i].key[s]) == NULL) {
                return HG_FAIL(HG_E_INPUT,
                               "there are particles of object %" PRId64
                               ", which is not in '%s': lists and catalogue do not belong "
                               "together",
                               result->pair[i].key[s], name[s]);
            }
        }
    }
    return HG_OK;
}

/* Whether each object of a side is matched. */
static hg_status
mark_matched(const hg_match_result *r, int side, uint8_t **matched)
{
    HG_TRY(hg_mem_zeros(matched, (size_t)r->n[side] + 1, 1));
    for (int64_t i = 0; i < r->n_pair; i++) {
        (*matched)[hg_match_find(r, side, r->pair[i].key[side]) - r->object[side]] = 1;
    }
    return HG_OK;
}

static int
compare_fractions(const void *x, const void *y)
{
    const hg_match_fraction *a = x, *b = y;

    HG_COMPARE(b->central, a->central)
    HG_COMPARE(a->mass_low, b->mass_low)
    return 0;
}

hg_status
hg_match_count(const hg_match_result *result, int side, int *n, hg_match_fraction **fractions)
{
    uint8_t *matched = NULL;
    hg_status status = mark_matched(result, side, &matched);

    *n = 0;
    *fractions = NULL;
    for (int64_t i = 0; i < result->n[side] && status == HG_OK; i++) {
        const hg_match_object *o = &result->object[side][i];
        const double low = bin_width * floor(log10(o->mass) / bin_width);
        int b = 0;

        while (b < *n &&
               ((*fractions)[b].mass_low != low || (*fractions)[b].central != o->central)) {
            b++;
        }
        if (b == *n) {
            status = hg_mem_resize(fractions, (size_t)*n + 1, sizeof **fractions);
            if (status != HG_OK) {
                break;
            }
            (*fractions)[(*n)++] = (hg_match_fraction){.mass_low = low, .central = o->central};
        }
        (*fractions)[b].n++;
        (*fractions)[b].n_matched += matched[i];
    }
    if (*n > 0) {
        qsort(*fractions, (size_t)*n, sizeof **fractions, compare_fractions);
    }
    hg_mem_free(matched);
    return status;
}

/* A column of int64 or double made from n items. */
typedef double (*number_of)(const void *item);
typedef int64_t (*integer_of)(const void *item);

static hg_status
write_column(hg_h5 *file, const char *group, const char *name, int64_t n, const void *items,
             size_t size, integer_of integer, number_of number)
{
    char path[96];
    int64_t *value = NULL;
    double *real = NULL;
    hg_status status;

    HG_TRY(hg_text_path(sizeof path, path, "%s/%s", group, name));
    HG_TRY(hg_mem_array(&value, (size_t)n, sizeof *value));
    real = (double *)(void *)value; /* both have eight bytes */
    for (int64_t i = 0; i < n; i++) {
        const void *item = (const char *)items + (size_t)i * size;

        if (integer != NULL) {
            value[i] = integer(item);
        } else {
            real[i] = number(item);
        }
    }
    status = hg_h5_write(file, path, integer != NULL ? HG_I64 : HG_F64, 1, &n, NULL, value);
    hg_mem_free(value);
    return status;
}

/* A pair as it is written. */
typedef struct pair_line {
    int64_t id[2], row[2];
    double quality[2]; /* shared fractions, or distance and log mass ratio */
} pair_line;

static pair_line
line_of(const hg_match_result *r, const hg_match_pair *p)
{
    pair_line l = {.quality = {p->distance, p->mass_ratio}};

    for (int s = 0; s < 2; s++) {
        l.id[s] = p->key[s];
        l.row[s] = hg_match_find(r, s, p->key[s])->row;
        if (!r->by_place) {
            l.quality[s] = (double)p->shared[s] / (double)p->given[s];
        }
    }
    return l;
}

#define MEMBER(function, type, result, member) \
    static result function(const void *item)   \
    {                                          \
        return ((const type *)item)->member;   \
    }
MEMBER(line_id, pair_line, int64_t, id[0])
MEMBER(line_partner, pair_line, int64_t, id[1])
MEMBER(line_row, pair_line, int64_t, row[0])
MEMBER(line_partner_row, pair_line, int64_t, row[1])
MEMBER(line_first, pair_line, double, quality[0])
MEMBER(line_second, pair_line, double, quality[1])
MEMBER(object_id, hg_match_object, int64_t, id)
MEMBER(object_row, hg_match_object, int64_t, row)
MEMBER(object_mass, hg_match_object, double, mass)
MEMBER(object_central, hg_match_object, int64_t, central)
MEMBER(fraction_mass, hg_match_fraction, double, mass_low)
MEMBER(fraction_central, hg_match_fraction, int64_t, central)
MEMBER(fraction_n, hg_match_fraction, int64_t, n)
MEMBER(fraction_matched, hg_match_fraction, int64_t, n_matched)

static const char *const qualities[2][2] = {{"Shared", "SharedByPartner"},
                                            {"Distance", "LogMassRatio"}};

static hg_status
write_pairs(hg_h5 *file, const hg_match_result *r, const pair_line line[])
{
    const struct {
        const char *name;
        integer_of integer;
        number_of number;
    } columns[] = {{"Id", line_id, NULL},
                   {"Row", line_row, NULL},
                   {"PartnerId", line_partner, NULL},
                   {"PartnerRow", line_partner_row, NULL},
                   {qualities[r->by_place][0], NULL, line_first},
                   {qualities[r->by_place][1], NULL, line_second}};

    for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++) {
        HG_TRY(write_column(file, "Matched", columns[c].name, r->n_pair, line, sizeof *line,
                            columns[c].integer, columns[c].number));
    }
    return HG_OK;
}

static hg_status
write_unmatched(hg_h5 *file, const hg_match_result *r, int side)
{
    const char *group = side == 0 ? "Unmatched" : "UnmatchedPartners";
    uint8_t *matched = NULL;
    hg_match_object *alone = NULL;
    int64_t n = 0;
    hg_status status;

    HG_TRY_OR(done, status, mark_matched(r, side, &matched));
    HG_TRY_OR(done, status, hg_mem_array(&alone, (size_t)r->n[side], sizeof *alone));
    for (int64_t i = 0; i < r->n[side]; i++) {
        if (!matched[i]) {
            alone[n++] = r->object[side][i];
        }
    }
    HG_TRY_OR(done, status,
              write_column(file, group, "Id", n, alone, sizeof *alone, object_id, NULL));
    HG_TRY_OR(done, status,
              write_column(file, group, "Row", n, alone, sizeof *alone, object_row, NULL));
    HG_TRY_OR(done, status,
              write_column(file, group, "Mass", n, alone, sizeof *alone, NULL, object_mass));
    status =
        write_column(file, group, "Central", n, alone, sizeof *alone, object_central, NULL);
done:
    hg_mem_free(alone);
    hg_mem_free(matched);
    return status;
}

static hg_status
write_fractions(hg_h5 *file, const hg_match_result *r, int side)
{
    const char *group = side == 0 ? "Fractions" : "FractionsOfPartners";
    hg_match_fraction *f = NULL;
    int n = 0;
    hg_status status;

    HG_TRY_OR(done, status, hg_match_count(r, side, &n, &f));
    HG_TRY_OR(done, status,
              write_column(file, group, "LogMassLow", n, f, sizeof *f, NULL, fraction_mass));
    HG_TRY_OR(done, status,
              write_column(file, group, "Central", n, f, sizeof *f, fraction_central, NULL));
    HG_TRY_OR(done, status, write_column(file, group, "N", n, f, sizeof *f, fraction_n, NULL));
    status = write_column(file, group, "Matched", n, f, sizeof *f, fraction_matched, NULL);
done:
    hg_mem_free(f);
    return status;
}

/* What a file is made of. */
struct content {
    const hg_match_result *result;
    const pair_line *line;
    const char *parameters;
};

static hg_status
fill_file(const void *context, const char *temporary)
{
    const struct content *content = context;
    const hg_match_result *r = content->result;
    hg_h5 *file = NULL;
    hg_status status, closed;

    HG_TRY(hg_h5_create(temporary, &file));
    HG_TRY_OR(done, status, write_pairs(file, r, content->line));
    for (int s = 0; s < 2; s++) {
        HG_TRY_OR(done, status, write_unmatched(file, r, s));
        HG_TRY_OR(done, status, write_fractions(file, r, s));
    }
    HG_TRY_OR(done, status,
              hg_h5_put_string(file, "/", "Method", r->by_place ? "place" : "particles"));
    status = hg_h5_put_string(file, "/", "Parameters", content->parameters);
done:
    closed = hg_h5_close(file);
    return status == HG_OK ? closed : status;
}

static hg_status
write_csv(const char *path, const hg_match_result *r, const pair_line line[])
{
    hg_text text = {0};
    hg_status status;

    HG_TRY_OR(
        done, status,
        hg_text_add(&text, "id,row,partner_id,partner_row,%s\n",
                    r->by_place ? "distance,log_mass_ratio" : "shared,shared_by_partner"));
    for (int64_t i = 0; i < r->n_pair; i++) {
        const pair_line *l = &line[i];

        HG_TRY_OR(done, status,
                  hg_text_add(
                      &text, "%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%.6g,%.6g\n",
                      l->id[0], l->row[0], l->id[1], l->row[1], l->quality[0], l->quality[1]));
    }
    status = hg_publish_text(path, hg_text_string(&text));
done:
    hg_text_clear(&text);
    return status;
}

hg_status
hg_match_table_write(const hg_match_result *result, const char *path, const char *parameters,
                     bool csv)
{
    struct content content = {.result = result, .parameters = parameters};
    char name[HG_PATH_MAX];
    pair_line *line = NULL;
    hg_status status;

    HG_TRY(hg_mem_array(&line, (size_t)result->n_pair, sizeof *line));
    for (int64_t i = 0; i < result->n_pair; i++) {
        line[i] = line_of(result, &result->pair[i]);
    }
    HG_TRY_OR(done, status, hg_text_path(sizeof name, name, "%s.csv", path));
    if (csv) {
        HG_TRY_OR(done, status, write_csv(name, result, line));
    }
    HG_TRY_OR(done, status, hg_text_path(sizeof name, name, "%s.hdf5", path));
    content.line = line;
    status = hg_publish_file(name, fill_file, &content);
done:
    hg_mem_free(line);
    return status;
}

static hg_status
read_hdf5(const char *path, int64_t *n, hg_match_link **links)
{
    hg_h5 *file = NULL;
    int64_t *id[2] = {NULL, NULL};
    hg_h5_info info[2];
    hg_status status, closed;

    HG_TRY(hg_h5_open(path, &file));
    HG_TRY_OR(done, status, hg_h5_read_all(file, "Matched/Id", HG_I64, &id[0], &info[0]));
    HG_TRY_OR(done, status,
              hg_h5_read_all(file, "Matched/PartnerId", HG_I64, &id[1], &info[1]));
    if (info[0].n_dim != 1 || info[1].n_dim != 1 || info[0].dims[0] != info[1].dims[0]) {
        HG_TRY_OR(done, status,
                  HG_FAIL(HG_E_FORMAT,
                          "Matched/Id and PartnerId of '%s' are no two lists of the "
                          "same length",
                          path));
    }
    HG_TRY_OR(done, status, hg_mem_array(links, (size_t)info[0].dims[0], sizeof **links));
    *n = info[0].dims[0];
    for (int64_t i = 0; i < *n; i++) {
        (*links)[i] = (hg_match_link){id[0][i], id[1][i]};
    }
done:
    closed = hg_h5_close(file);
    hg_mem_free(id[0]);
    hg_mem_free(id[1]);
    return status == HG_OK ? closed : status;
}

/* Field k of a line, cut at commas; false when there is none. */
static bool
take_field(const char *line, int k, size_t n, char field[])
{
    for (; k > 0 && line != NULL; k--) {
        line = strchr(line, ',');
        line = line != NULL ? line + 1 : NULL;
    }
    if (line == NULL || strcspn(line, ",") >= n) {
        return false;
    }
    memcpy(field, line, strcspn(line, ","));
    field[strcspn(line, ",")] = '\0';
    hg_text_trim(field, n, field);
    return true;
}

static hg_status
read_csv_lines(const char *path, hg_textfile *file, int64_t *n, hg_match_link **links)
{
    static const char *const names[2] = {"id", "partner_id"};
    int column[2] = {-1, -1};
    int64_t room = 0;
    char *line, field[64];

    HG_TRY(hg_textfile_line(file, &line));
    for (int k = 0; line != NULL && take_field(line, k, sizeof field, field); k++) {
        for (int s = 0; s < 2; s++) {
            column[s] = strcmp(field, names[s]) == 0 ? k : column[s];
        }
    }
    if (column[0] < 0 || column[1] < 0) {
        return HG_FAIL(HG_E_FORMAT,
                       "the first line of '%s' does not name the columns id and "
                       "partner_id",
                       path);
    }
    for (;;) {
        int64_t id[2];

        HG_TRY(hg_textfile_line(file, &line));
        if (line == NULL) {
            return HG_OK;
        }
        if (line[0] == '\0') {
            continue;
        }
        for (int s = 0; s < 2; s++) {
            if (!take_field(line, column[s], sizeof field, field) ||
                !hg_text_integer(field, &id[s])) {
                return HG_FAIL(HG_E_FORMAT,
                               "'%s', line %" PRId64 ": no whole number in column %s", path,
                               hg_textfile_number(file), names[s]);
            }
        }
        if (id[1] < 0) {
            continue;
        }
        if (*n == room) {
            room = 2 * room + 1024;
            HG_TRY(hg_mem_resize(links, (size_t)room, sizeof **links));
        }
        (*links)[(*n)++] = (hg_match_link){id[0], id[1]};
    }
}

static hg_status
read_csv(const char *path, int64_t *n, hg_match_link **links)
{
    hg_textfile *file = NULL;
    hg_status status;

    HG_TRY(hg_textfile_open(path, &file));
    status = read_csv_lines(path, file, n, links);
    hg_textfile_close(file);
    return status;
}

static int
compare_ids(const void *x, const void *y)
{
    const hg_match_link *a = x, *b = y;

    HG_COMPARE(a->id, b->id)
    return 0;
}

/* One to one; the links are left in order of partner. */
static hg_status
check_links(const char *path, int64_t n, hg_match_link link[])
{
    for (int pass = 0; pass < 2 && n > 0; pass++) {
        qsort(link, (size_t)n, sizeof *link, pass == 0 ? compare_ids : compare_links);
        for (int64_t i = 1; i < n; i++) {
            const int64_t id = pass == 0 ? link[i].id : link[i].partner;

            if (id == (pass == 0 ? link[i - 1].id : link[i - 1].partner)) {
                return HG_FAIL(HG_E_INPUT, "%s %" PRId64 " stands twice in '%s'",
                               pass == 0 ? "id" : "partner", id, path);
            }
        }
    }
    return HG_OK;
}

hg_status
hg_match_table_read(const hg_comm *comm, const char *path, int64_t *n, hg_match_link **links)
{
    const size_t length = strlen(path);
    hg_status status = HG_OK;

    *n = 0;
    *links = NULL;
    if (comm->rank == 0) {
        status = length > 5 && strcmp(path + length - 5, ".hdf5") == 0
                     ? read_hdf5(path, n, links)
                     : read_csv(path, n, links);
        status = status == HG_OK ? check_links(path, *n, *links) : status;
    }
    HG_TRY_OR(fail, status, hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, n, sizeof *n);
    status = comm->rank != 0 ? hg_mem_array(links, (size_t)*n, sizeof **links) : HG_OK;
    HG_TRY_OR(fail, status, hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, *links, (size_t)*n * sizeof **links);
    return HG_OK;
fail:
    hg_mem_free(*links);
    *links = NULL;
    *n = 0;
    return status;
}
