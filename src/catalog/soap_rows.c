/* Rows of SOAP: stored values with their masks, and what satellites take from their hosts. A
 * host may stand anywhere in the file, but the file is ordered by cells, so hosts of a part are
 * read in few runs of rows.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "catalog/check.h"
#include "catalog/layout.h"
#include "catalog/soap.h"

enum { MAX_GAP = 4096 };

static hg_source
whole_numbers(const char *name, const char *path)
{
    hg_source source = {.n_path = 1, .element = {-1, -1, -1}, .factor = 1, .disk = HG_I64};

    source.column = (hg_column){.type = HG_COLUMN_I64, .width = 1};
    snprintf(source.column.name, HG_NAME_MAX, "%s", name);
    snprintf(source.path[0], sizeof source.path[0], "%s", path);
    return source;
}

/* Where rows of a mask were not computed, columns get the value that means "missing". */
static hg_status
apply_mask(const hg_plan *plan, int number, int64_t first, int n_source,
           const hg_source *const source[], hg_table *table)
{
    const hg_soap_plan *own = plan->extra;
    const hg_soap_mask *m = &own->mask[number - 1];
    hg_table counts = {.n = table->n};
    hg_source count[HG_SOAP_COUNTS];
    const hg_source *list[HG_SOAP_COUNTS];
    int n = 0;
    hg_status status;

    for (int i = 0; i < m->n; i++) {
        char name[16];

        if (m->count[i][0] != '\0') {
            snprintf(name, sizeof name, "#%d", i);
            count[n] = whole_numbers(name, m->count[i]);
            list[n] = &count[n];
            n++;
        }
    }
    status = hg_plan_read_flat(plan, first, table->n, n, list, &counts);
    for (int64_t i = 0; i < table->n && status == HG_OK; i++) {
        int64_t sum = 0;

        for (int c = 0; c < counts.n_column; c++) {
            sum += ((const int64_t *)counts.column[c].data)[i];
        }
        for (int s = 0; s < n_source && sum < m->threshold; s++) {
            const hg_column *c = hg_table_find(table, source[s]->column.name);

            for (int k = 0; k < c->width && source[s]->kind % HG_SOAP_HOSTED == number; k++) {
                hg_column_set(c->type, c->data, i * c->width + k, hg_layout_fill(c->type));
            }
        }
    }
    hg_table_clear(&counts);
    return status;
}

/* Rows as they are stored, masks applied. */
static hg_status
read_stored(const hg_plan *plan, int64_t first, int64_t n, int n_source,
            const hg_source *const source[], hg_table *table)
{
    const hg_soap_plan *own = plan->extra;

    HG_TRY(hg_plan_read_flat(plan, first, n, n_source, source, table));
    for (int k = 1; k <= own->n_mask; k++) {
        bool is_used = false;

        for (int s = 0; s < n_source; s++) {
            is_used = is_used || source[s]->kind % HG_SOAP_HOSTED == k;
        }
        if (is_used) {
            HG_TRY(apply_mask(plan, k, first, n_source, source, table));
        }
    }
    return HG_OK;
}

/* A satellite and its host. */
typedef struct link {
    int64_t host, row;
} link;

static int
compare_links(const void *a, const void *b)
{
    const link *x = a, *y = b;

    return x->host != y->host ? (x->host > y->host) - (x->host < y->host)
                              : (x->row > y->row) - (x->row < y->row);
}

static void
copy_element(const hg_column *from, int64_t i, const hg_column *to, int64_t j)
{
    const size_t row = (size_t)from->width * hg_type_size(hg_layout_type(from->type));

    memcpy((char *)to->data + (size_t)j * row, (const char *)from->data + (size_t)i * row, row);
}

/* Give satellites the values of their hosts. Hosts stand close to each other in the file, which
 * is ordered by cells, so they are read in runs. */
static hg_status
fetch_hosts(const hg_plan *plan, int64_t n, const link links[], int n_source,
            const hg_source *const source[], hg_table *table)
{
    for (int64_t low = 0, high; low < n; low = high) {
        const int64_t first = links[low].host;
        hg_table hosts = {0};
        hg_status status;

        high = low + 1;
        while (high < n && links[high].host - links[high - 1].host <= MAX_GAP &&
               links[high].host - first < HG_ROWS_PER_PART) {
            high++;
        }
        hosts.n = links[high - 1].host - first + 1;
        status = read_stored(plan, first, hosts.n, n_source, source, &hosts);
        for (int64_t i = low; i < high && status == HG_OK; i++) {
            for (int s = 0; s < n_source; s++) {
                copy_element(&hosts.column[s], links[i].host - first,
                             hg_table_find(table, hosts.column[s].name), links[i].row);
            }
        }
        hg_table_clear(&hosts);
        HG_TRY(status);
    }
    return HG_OK;
}

/* Host rows of all rows: -1 for centrals, HG_HOST_MISSING where the catalogue has none. */
static hg_status
read_hosts(const hg_plan *plan, int64_t first, int64_t n, int64_t host[], link links[],
           int64_t *n_link)
{
    const hg_source index = whole_numbers("#host", "SOAP/HostHaloIndex");
    const hg_source central = whole_numbers("#central", "InputHalos/IsCentral");
    const hg_source *const list[] = {&index, &central};
    hg_table t = {.n = n};
    hg_status status = hg_plan_read_flat(plan, first, n, 2, list, &t);

    *n_link = 0;
    for (int64_t i = 0; i < n && status == HG_OK; i++) {
        int64_t row = hg_table_i64(&t, "#host")[i];

        host[i] = hg_table_i64(&t, "#central")[i] == 1 ? -1
                  : row >= 0 && row < plan->n_row      ? row
                                                       : HG_HOST_MISSING;
        if (host[i] >= 0) {
            links[(*n_link)++] = (link){host[i], i};
        }
    }
    hg_table_clear(&t);
    if (status == HG_OK) {
        qsort(links, (size_t)*n_link, sizeof *links, compare_links);
    }
    return status;
}

/* Columns that need the hosts of the rows: those that are made are added, the others were read
 * and are corrected for satellites. */
static hg_status
use_hosts(const hg_plan *plan, int64_t first, int n_source, const hg_source *const source[],
          hg_table *table)
{
    hg_source id = *hg_plan_find(plan, "id");
    const hg_source **wanted = NULL;
    int64_t *host = NULL, *column = NULL, n_link = 0;
    link *links = NULL;
    int n = 0;
    hg_status status;

    strcpy(id.column.name, "host_id");
    HG_TRY_OR(done, status, hg_mem_array(&wanted, (size_t)n_source, sizeof *wanted));
    HG_TRY_OR(done, status, hg_mem_array(&host, (size_t)table->n, sizeof *host));
    HG_TRY_OR(done, status, hg_mem_array(&links, (size_t)table->n, sizeof *links));
    HG_TRY_OR(done, status, read_hosts(plan, first, table->n, host, links, &n_link));
    for (int s = 0; s < n_source; s++) {
        if (source[s]->kind >= HG_SOAP_HOST_ID) {
            HG_TRY_OR(
                done, status,
                hg_table_add(table, source[s]->column.name, "", HG_COLUMN_I64, 1, &column));
            memcpy(column, host, (size_t)table->n * sizeof *column);
        }
        if (source[s]->kind != HG_SOAP_HOST_ROW) {
            wanted[n++] = source[s]->kind == HG_SOAP_HOST_ID ? &id : source[s];
        }
    }
    status = n > 0 ? fetch_hosts(plan, n_link, links, n, wanted, table) : HG_OK;
done:
    hg_mem_free(wanted);
    hg_mem_free(host);
    hg_mem_free(links);
    return status;
}

hg_status
hg_soap_read(const hg_plan *plan, int64_t first, int64_t n, int n_source,
             const hg_source *const source[], hg_table *table)
{
    const hg_source **list = NULL, **hosted;
    int n_stored = 0, n_hosted = 0;
    hg_status status;

    HG_TRY(hg_mem_array(&list, 2 * (size_t)n_source + 1, sizeof *list));
    hosted = list + n_source;
    for (int s = 0; s < n_source; s++) {
        if (source[s]->kind >= HG_SOAP_HOSTED) {
            hosted[n_hosted++] = source[s];
        }
        if (source[s]->kind < HG_SOAP_HOST_ID) {
            list[n_stored++] = source[s];
        }
    }
    status = read_stored(plan, first, n, n_stored, list, table);
    if (status == HG_OK && n_hosted > 0 && n > 0) {
        status = use_hosts(plan, first, n_hosted, hosted, table);
    }
    hg_mem_free(list);
    return status;
}
