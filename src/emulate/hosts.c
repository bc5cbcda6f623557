/* A host may stand in any file. Every rank keeps the haloes whose id hashes to it, sorted; a
 * question goes to the rank that must know and comes back with row and values. Some catalogues
 * name the immediate host, which may be a satellite itself: then its host is asked for next. */
#include "emulate/hosts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "catalog/check.h"
#include "table/identity.h"

enum { HOPS = 16, NONE = -1 };

/* One halo; `value` has hosts->n numbers. */
typedef struct record {
    int64_t id, place; /* place: region and run, where ids are told apart by them */
    int64_t row, host;
    double value[];
} record;

struct hg_hosts {
    int n;
    const hg_strings *columns;
    size_t size; /* bytes of a record */
    int64_t n_record;
    unsigned char *records; /* sorted by id and place */
};

typedef struct question {
    int64_t id, place;
    int64_t index; /* row of the table that asks */
    int64_t rank;
} question;

static int
owner_of(const hg_comm *comm, int64_t id, int64_t place)
{
    return (int)(hg_halo_key_of((uint64_t)place, id) % (uint64_t)comm->size);
}

static int
compare_records(const void *a, const void *b)
{
    const record *x = a, *y = b;

    if (x->id != y->id) {
        return (x->id > y->id) - (x->id < y->id);
    }
    return (x->place > y->place) - (x->place < y->place);
}

/* Rows of a table as records, appended to `all`. */
static hg_status
add_records(const hg_comm *comm, const hg_hosts *h, const hg_table *t, int64_t *n,
            unsigned char **all, int **target)
{
    const hg_column *region = hg_table_find(t, "region"), *run = hg_table_find(t, "run");
    const int64_t *id = hg_table_i64(t, "id"), *row = hg_table_i64(t, "row");
    const hg_column *host = hg_table_find(t, "host_id");

    HG_TRY(hg_mem_resize(all, (size_t)(*n + t->n), h->size));
    HG_TRY(hg_mem_resize(target, (size_t)(*n + t->n), sizeof **target));
    for (int64_t i = 0; i < t->n; i++, ++*n) {
        record *r = (record *)(void *)(*all + (size_t)*n * h->size);

        r->id = id[i];
        r->place = hg_halo_place(region, run, i);
        r->row = row[i];
        r->host = hg_column_integer(host, i);
        for (int c = 0; c < h->n; c++) {
            r->value[c] = hg_column_value(hg_table_find(t, h->columns->v[c]), i, 0);
        }
        (*target)[*n] = owner_of(comm, r->id, r->place);
    }
    return HG_OK;
}

static hg_status
read_records(const hg_comm *comm, const hg_hosts *h, const hg_catalog *catalog, int64_t *n,
             unsigned char **all, int **target)
{
    const char *names[HG_LIST_MAX + 5] = {"id", "row", "host_id"};
    int n_name = 3;

    for (int i = 0; i < 2; i++) {
        const char *place = i == 0 ? "region" : "run";

        if (hg_catalog_find(catalog, place) != NULL) {
            names[n_name++] = place;
        }
    }
    for (int c = 0; c < h->n; c++) {
        const hg_column *column = hg_catalog_find(catalog, h->columns->v[c]);

        if (column != NULL && column->width != 1) {
            return HG_FAIL(HG_E_INPUT,
                           "column '%s' of hosts has %d elements, name one: '%s[0]'",
                           column->name, column->width, column->name);
        }
        names[n_name++] = h->columns->v[c];
    }
    for (int64_t p = comm->rank; p < hg_catalog_n_part(catalog); p += comm->size) {
        hg_table t = {.n = 0};
        hg_status status = hg_catalog_read(catalog, p, n_name, names, &t);

        if (status == HG_OK) {
            status = add_records(comm, h, &t, n, all, target);
        }
        hg_table_clear(&t);
        HG_TRY(status);
    }
    return HG_OK;
}

hg_status
hg_hosts_create(const hg_comm *comm, const hg_catalog *catalog, const hg_strings *columns,
                hg_hosts **hosts)
{
    unsigned char *all = NULL;
    int *target = NULL;
    int64_t n = 0;
    hg_hosts *h = NULL;
    hg_status status;

    *hosts = NULL;
    status = hg_mem_zeros(&h, 1, sizeof *h);
    if (status == HG_OK) {
        h->columns = columns;
        h->n = columns->n;
        h->size = sizeof(record) + (size_t)h->n * sizeof(double);
        status = read_records(comm, h, catalog, &n, &all, &target);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status,
              hg_comm_exchange(comm, n, h->size, all, target, &h->n_record, &h->records));
    if (h->n_record > 0) {
        qsort(h->records, (size_t)h->n_record, h->size, compare_records);
    }
done:
    hg_mem_free(all);
    hg_mem_free(target);
    if (status != HG_OK) {
        hg_hosts_free(h);
        return status;
    }
    *hosts = h;
    return HG_OK;
}

void
hg_hosts_free(hg_hosts *hosts)
{
    if (hosts != NULL) {
        hg_mem_free(hosts->records);
        hg_mem_free(hosts);
    }
}

/* Answers to the questions of one hop: a record whose id is the index of the row that asked,
 * and whose place says whether the halo was found. */
static hg_status
ask(const hg_comm *comm, const hg_hosts *h, int64_t n, const question questions[],
    const int target[], int64_t *n_answer, unsigned char **answers)
{
    question *got = NULL;
    unsigned char *mine = NULL;
    int *back = NULL;
    int64_t n_got = 0;
    hg_status status;

    HG_TRY_OR(done, status,
              hg_comm_exchange(comm, n, sizeof *got, questions, target, &n_got, &got));
    status = hg_mem_zeros(&mine, (size_t)n_got, h->size);
    if (status == HG_OK) {
        status = hg_mem_array(&back, (size_t)n_got, sizeof *back);
    }
    for (int64_t i = 0; i < n_got && status == HG_OK; i++) {
        const record key = {.id = got[i].id, .place = got[i].place};
        record *answer = (record *)(void *)(mine + (size_t)i * h->size);
        const record *found = h->n_record > 0 ? bsearch(&key, h->records, (size_t)h->n_record,
                                                        h->size, compare_records)
                                              : NULL;

        if (found != NULL) {
            memcpy(answer, found, h->size);
        }
        answer->place = found != NULL;
        answer->id = got[i].index;
        back[i] = (int)got[i].rank;
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    status = hg_comm_exchange(comm, n_got, h->size, mine, back, n_answer, answers);
done:
    hg_mem_free(got);
    hg_mem_free(mine);
    hg_mem_free(back);
    return status;
}

/* The state of one join. */
typedef struct join {
    const hg_hosts *h;
    hg_table *table;
    int64_t *host_row;
    float **value; /* columns host_X */
    int64_t *host; /* shape (n): the halo asked for next, NONE when done */
    int64_t *top;  /* shape (n): the host found last */
    uint8_t *missing;
} join;

static hg_status
add_columns(join *j)
{
    const hg_hosts *h = j->h;

    HG_TRY(hg_table_add(j->table, "host_row", "", HG_COLUMN_I64, 1, &j->host_row));
    HG_TRY(hg_mem_array(&j->value, (size_t)h->n + 1, sizeof *j->value));
    for (int c = 0; c < h->n; c++) {
        const hg_column own = *hg_table_find(j->table, h->columns->v[c]);
        char name[HG_NAME_MAX + 8];

        snprintf(name, sizeof name, "host_%s", own.name);
        HG_TRY(hg_table_add(j->table, name, own.unit, HG_COLUMN_F32, 1, &j->value[c]));
        for (int64_t i = 0; i < j->table->n; i++) {
            j->value[c][i] = (float)hg_column_value(&own, i, 0);
        }
    }
    HG_TRY(hg_mem_array(&j->host, (size_t)j->table->n, sizeof *j->host));
    return hg_mem_array(&j->top, (size_t)j->table->n, sizeof *j->top);
}

static void
start_join(join *j)
{
    const hg_column *host = hg_table_find(j->table, "host_id");

    for (int64_t i = 0; i < j->table->n; i++) {
        j->host[i] = hg_column_integer(host, i);
        j->host_row[i] = j->top[i] = NONE;
        j->missing[i] = j->host[i] == HG_HOST_MISSING;
        if (j->missing[i]) {
            j->host[i] = NONE;
        }
    }
}

/* Questions of this rank: one for each row that is not done. */
static hg_status
collect(const hg_comm *comm, const join *j, int64_t *n, question **questions, int **target)
{
    const hg_column *region = hg_table_find(j->table, "region"),
                    *run = hg_table_find(j->table, "run");

    *n = 0;
    HG_TRY(hg_mem_array(questions, (size_t)j->table->n, sizeof **questions));
    HG_TRY(hg_mem_array(target, (size_t)j->table->n, sizeof **target));
    for (int64_t i = 0; i < j->table->n; i++) {
        if (j->host[i] != NONE) {
            const int64_t place = hg_halo_place(region, run, i);

            (*questions)[*n] = (question){j->host[i], place, i, comm->rank};
            (*target)[(*n)++] = owner_of(comm, j->host[i], place);
        }
    }
    return HG_OK;
}

static void
take_answers(join *j, int64_t n, const unsigned char *answers)
{
    for (int64_t k = 0; k < n; k++) {
        const record *r = (const record *)(const void *)(answers + (size_t)k * j->h->size);
        const int64_t i = r->id;

        if (r->place == 0) {
            j->missing[i] = j->top[i] == NONE;
            j->host[i] = NONE;
            continue;
        }
        j->top[i] = j->host[i];
        j->host_row[i] = r->row;
        for (int c = 0; c < j->h->n; c++) {
            j->value[c][i] = (float)r->value[c];
        }
        /* a halo that is its own host is a top host */
        j->host[i] = r->host == j->top[i] || r->host == HG_HOST_MISSING ? NONE : r->host;
    }
}

static hg_status
hop(const hg_comm *comm, join *j, int64_t *left)
{
    question *questions = NULL;
    unsigned char *answers = NULL;
    int *target = NULL;
    int64_t n = 0, n_answer = 0;
    hg_status status = collect(comm, j, &n, &questions, &target);

    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status, ask(comm, j->h, n, questions, target, &n_answer, &answers));
    take_answers(j, n_answer, answers);
    *left = 0;
    for (int64_t i = 0; i < j->table->n; i++) {
        *left += j->host[i] != NONE;
    }
    hg_comm_sum(comm, 1, left);
done:
    hg_mem_free(questions);
    hg_mem_free(answers);
    hg_mem_free(target);
    return status;
}

static void
finish_join(join *j)
{
    const hg_column *host = hg_table_find(j->table, "host_id");

    for (int64_t i = 0; i < j->table->n; i++) {
        if (j->top[i] != NONE && host->type == HG_COLUMN_I64) {
            ((int64_t *)host->data)[i] = j->top[i];
        }
        for (int c = 0; c < j->h->n && j->missing[i]; c++) {
            j->value[c][i] = NAN;
        }
    }
}

hg_status
hg_hosts_join(const hg_comm *comm, const hg_hosts *hosts, hg_table *table, uint8_t missing[])
{
    join j = {.h = hosts, .table = table, .missing = missing};
    int64_t left = 1;
    hg_status status = add_columns(&j);

    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    start_join(&j);
    for (int i = 0; i < HOPS && left > 0; i++) {
        HG_TRY_OR(done, status, hop(comm, &j, &left));
    }
    finish_join(&j);
done:
    hg_mem_free(j.value);
    hg_mem_free(j.host);
    hg_mem_free(j.top);
    return status;
}
