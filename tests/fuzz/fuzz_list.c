/* Text catalogues: headers and rows of Rockstar and AHF lists, region and run tables. The first
 * byte chooses the reader. */
#include "fuzz.h"

#include <math.h>

#include "halograft/catalog.h"
#include "table/sheet.h"

static void
read_catalogue(const char *path, const char *format)
{
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
    hg_catalog *catalog = NULL;

    options.format = format;
    options.n_file = 1;
    options.files = &path;
    options.rows_per_part = 3;
    if (strcmp(format, "rockstar") != 0) { /* its lists say it themselves */
        options.frame.h = 0.5;
        options.frame.box = 100;
    }
    if (hg_catalog_open(&fuzz_world, &options, &catalog) != HG_OK) {
        return;
    }
    for (int64_t part = 0; part < hg_catalog_n_part(catalog) && part < 4; part++) {
        for (int i = 0; i < hg_catalog_n_column(catalog); i++) {
            const char *name = hg_catalog_column(catalog, i)->name;
            hg_table table = {.n = 0};

            if (hg_catalog_read(catalog, part, 1, &name, &table) == HG_OK &&
                table.n != hg_catalog_part_rows(catalog, part)) {
                abort();
            }
            hg_table_clear(&table);
        }
    }
    hg_catalog_close(catalog);
}

static void
read_sheet(const char *path)
{
    hg_sheet sheet = {0};

    if (hg_sheet_read(path, &sheet) == HG_OK) {
        size_t n = 0;

        for (int row = 0; row < sheet.n_row; row++) {
            for (int column = 0; column < sheet.n_column; column++) {
                n += strlen(hg_sheet_field(&sheet, row, column));
                n += strlen(hg_sheet_name(&sheet, column));
            }
        }
        if (n > (size_t)1 << 40) {
            abort();
        }
    }
    hg_sheet_clear(&sheet);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const formats[] = {"rockstar", "ahf", "auto"};
    const char *path;
    int64_t before;

    if (size == 0) {
        return 0;
    }
    fuzz_start();
    before = hg_mem_used();
    path = fuzz_file(0, data + 1, size - 1);
    if (data[0] % 4 < 3) {
        read_catalogue(path, formats[data[0] % 4]);
    } else {
        read_sheet(path);
    }
    fuzz_check_memory(before);
    return 0;
}
