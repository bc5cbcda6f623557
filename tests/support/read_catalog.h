/** A whole catalogue on every rank, part by part. */
#ifndef HG_TEST_READ_CATALOG_H
#define HG_TEST_READ_CATALOG_H

#include "catalog_test.h"
#include "mpi_test.h"

/** Read all rows; `format` is the one that must have been found, NULL for any. */
static inline hg_status
read_catalog(const hg_catalog_options *options, const char *format, int n,
             const char *const names[], hg_table *table)
{
    hg_catalog *catalog = NULL;
    hg_status status;

    *table = (hg_table){0};
    HG_TRY(hg_catalog_open(&world, options, &catalog));
    status =
        format == NULL || strcmp(hg_catalog_format(catalog), format) == 0 ? HG_OK : HG_E_ARG;
    table->frame = *hg_catalog_frame(catalog);
    for (int64_t part = 0; part < hg_catalog_n_part(catalog) && status == HG_OK; part++) {
        hg_table rows = {0};

        status = hg_catalog_read(catalog, part, n, names, &rows);
        status = status == HG_OK ? hg_table_append(table, &rows) : status;
        hg_table_clear(&rows);
    }
    hg_catalog_close(catalog);
    if (status != HG_OK) {
        hg_table_clear(table);
    }
    return status;
}

#endif
