/* Mapping files of format "columns", over a small text table or a small HDF5 file (first byte):
 * what is accepted must be readable or refused row by row. */
#include "fuzz.h"

#include <math.h>

#include "halograft/catalog.h"
#include "store/h5.h"

static const char table_text[] = "id,x,y,z,mass,flag\n1,0.5,1.5,2.5,1e10,0\n"
                                 "2,3.5,4.5,5.5,2e10,1\n18446744073709551615,6,7,8,nan,2\n";

static char hdf5_path[64];

static void
remove_hdf5(void)
{
    unlink(hdf5_path);
}

static const char *
make_hdf5(void)
{
    const double x[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const int64_t id[4] = {1, 2, 3, 4};
    hg_h5 *file = NULL;

    if (hdf5_path[0] == '\0') {
        snprintf(hdf5_path, sizeof hdf5_path, "/tmp/fuzz_mapping_%ld.hdf5", (long)getpid());
        if (hg_h5_create(hdf5_path, &file) != HG_OK ||
            hg_h5_write(file, "Halos/Pos", HG_F64, 2, (int64_t[]){4, 3}, NULL, x) != HG_OK ||
            hg_h5_write(file, "Halos/Mass", HG_F64, 1, (int64_t[]){4}, NULL, x) != HG_OK ||
            hg_h5_write(file, "Halos/ID", HG_I64, 1, (int64_t[]){4}, NULL, id) != HG_OK ||
            hg_h5_group(file, "Header") != HG_OK ||
            hg_h5_put_real(file, "Header", "BoxSize", 100) != HG_OK ||
            hg_h5_put_integer(file, "Header", "N", 4) != HG_OK ||
            hg_h5_put_string(file, "Header", "Text", "words") != HG_OK ||
            hg_h5_close(file) != HG_OK) {
            abort();
        }
        atexit(remove_hdf5);
    }
    return hdf5_path;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
    hg_catalog *catalog = NULL;
    const char *path;
    int64_t before;

    if (size == 0) {
        return 0;
    }
    fuzz_start();
    before = hg_mem_used();
    path = data[0] % 2 == 0 ? fuzz_file(1, (const uint8_t *)table_text, sizeof table_text - 1)
                            : make_hdf5();
    options.format = "columns";
    options.mapping = fuzz_file(0, data + 1, size - 1);
    options.n_file = 1;
    options.files = &path;
    options.on_bad_rows = data[0] % 4 < 2 ? "error" : "flag";
    if (hg_catalog_open(&fuzz_world, &options, &catalog) == HG_OK) {
        for (int i = 0; i < hg_catalog_n_column(catalog); i++) {
            const char *name = hg_catalog_column(catalog, i)->name;
            hg_table table = {.n = 0};

            if (hg_catalog_read(catalog, 0, 1, &name, &table) == HG_OK &&
                table.n != hg_catalog_n_row(catalog)) {
                abort();
            }
            hg_table_clear(&table);
        }
        hg_catalog_close(catalog);
    }
    fuzz_check_memory(before);
    return 0;
}
