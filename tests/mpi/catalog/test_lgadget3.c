/* Subhalo tables written array by array, as the code does. */
#include "mpi_folder.h"

#include <math.h>

#include "read_catalog.h"

MPI_SUITE(lgadget3);

enum { DISPERSIONS = 1, SHAPES = 2, ENERGIES = 4 };

typedef struct writer {
    FILE *file;
    bool swap, wide;
} writer;

static void
put(const writer *w, size_t size, const void *number)
{
    unsigned char bytes[8];

    for (size_t k = 0; k < size; k++) {
        bytes[w->swap ? size - 1 - k : k] = ((const unsigned char *)number)[k];
    }
    fwrite(bytes, 1, size, w->file);
}

static void
put_int(const writer *w, int64_t value)
{
    const int32_t narrow = (int32_t)value;

    put(w, 4, &narrow);
}

static void
put_long(const writer *w, int64_t value)
{
    put(w, 8, &value);
}

static void
put_real(const writer *w, double value)
{
    const float narrow = (float)value;

    if (w->wide) {
        put(w, 8, &value);
    } else {
        put(w, 4, &narrow);
    }
}

/* n rows of so many numbers: base + step * row + k. */
static void
put_reals(const writer *w, int n, int row, double base, double step)
{
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < row; k++) {
            put_real(w, base + step * i + k);
        }
    }
}

/* Groups from number `first` on; subhaloes with these group numbers, rows from `row` on. */
static void
write_tab(const char *name, bool swap, bool wide, int options, int n_group, int64_t first,
          int n_sub, const int64_t group[], int64_t row)
{
    const writer w = {fopen(in_folder(name), "wb"), swap, wide};

    put_int(&w, n_group);
    put_long(&w, 3);
    put_int(&w, 0);
    put_long(&w, 0);
    put_int(&w, 2);
    put_int(&w, n_sub);
    put_long(&w, 7);
    for (int a = 0; a < 2; a++) {
        for (int i = 0; i < n_group; i++) {
            put_int(&w, 50);
        }
    }
    for (int i = 0; i < n_group; i++) {
        put_long(&w, first + i);
    }
    put_reals(&w, n_group, 9, 0, 1);
    put_reals(&w, n_group, 1, 200 + (double)first, 1); /* Mean200 */
    put_reals(&w, n_group, 1, 100 + (double)first, 1); /* Crit200 */
    put_reals(&w, n_group, options & DISPERSIONS ? 5 : 2, 150, 1);
    for (int i = 0; i < 2 * n_group; i++) {
        put_int(&w, 0);
    }
    for (int i = 0; i < n_sub; i++) {
        put_int(&w, 20 + row + i);
    }
    for (int i = 0; i < n_sub; i++) {
        put_int(&w, 0);
    }
    for (int i = 0; i < n_sub; i++) {
        put_long(&w, group[i]);
    }
    for (int i = 0; i < n_sub; i++) {
        put_long(&w, 0);
    }
    put_reals(&w, n_sub, 3, 3 * (double)row, 3); /* SubPos */
    put_reals(&w, n_sub, 3, -(double)row, -1);   /* SubVel */
    put_reals(&w, n_sub, 6, 0, 1);
    put_reals(&w, n_sub, 1, 300, 0); /* SubVelDisp */
    put_reals(&w, n_sub, 1, 400 + (double)row, 1);
    put_reals(&w, n_sub, 2, 0.1, 0);
    put_reals(&w, n_sub, options & SHAPES ? 6 : 0, 1, 0);
    put_reals(&w, n_sub, options & ENERGIES ? 11 : 0, 1, 0);
    fclose(w.file);
}

static hg_status
read_tabs(hg_table *table)
{
    static const char *const names[] = {"position", "velocity", "central", "host_id",
                                        "n_part",   "m_bound",  "m200c",   "m200m",
                                        "vmax",     "sigma_v",  "group"};
    const char *pattern = in_folder("tab.{file}");
    hg_catalog_options options = one_file(&pattern);

    options.format = "lgadget3";
    options.frame.box = 100;
    options.frame.h = 0.5;
    options.frame.redshift = 1;
    options.frame.particle_mass = 1e9;
    options.rows_per_part = 3;
    return read_catalog(&options, "lgadget3", 11, names, table);
}

Test(lgadget3, layouts_byte_orders_and_groups_over_files)
{
    static const int64_t group[7] = {10, 10, 11, 11, 11, 12, 12};
    static const int64_t begin[7] = {0, 0, 2, 2, 2, 5, 5};

    share_folder();
    for (int kind = 0; kind < 32; kind += 3) {
        hg_table t = {0};

        hg_comm_barrier(&world);
        if (world.rank == 0) {
            write_tab("tab.0", kind & 8, kind & 16, kind & 7, 2, 10, 4, group, 0);
            write_tab("tab.1", kind & 8, kind & 16, kind & 7, 1, 12, 3, group + 4, 4);
        }
        hg_comm_barrier(&world);
        all_assert(read_tabs(&t) == HG_OK);
        all_assert(t.n == 7);
        for (int64_t i = 0; i < 7; i++) {
            const double of_group = (double)group[i];

            all_assert(hg_table_i64(&t, "id")[i] == i &&
                       hg_table_i64(&t, "group")[i] == group[i]);
            all_assert(hg_table_u8(&t, "central")[i] == (begin[i] == i));
            all_assert(hg_table_i64(&t, "host_id")[i] == (begin[i] == i ? -1 : begin[i]));
            all_assert(hg_table_i64(&t, "n_part")[i] == 20 + i);
            all_assert(hg_table_f32(&t, "m_bound")[i] == (float)(1e9 * (double)(20 + i)));
            all_assert(hg_table_f32(&t, "m200c")[i] == (float)(2e10 * (100 + of_group)));
            all_assert(hg_table_f32(&t, "m200m")[i] == (float)(2e10 * (200 + of_group)));
            all_assert(hg_table_f32(&t, "vmax")[i] == 400 + (float)i);
            for (int k = 0; k < 3; k++) {
                all_assert(hg_table_f64(&t, "position")[3 * i + k] ==
                           (double)(2 * (3 * i + k)));
                all_assert(hg_table_f32(&t, "velocity")[3 * i + k] == (float)(k - i));
            }
        }
        hg_table_clear(&t);
    }
    if (world.rank == 0) {
        cr_expect_eq(truncate(in_folder("tab.1"), 200), 0);
    }
    hg_comm_barrier(&world);
    {
        hg_table t = {0};

        all_assert(read_tabs(&t) == HG_E_FORMAT);
        all_assert(strstr(hg_error_last()->message, "fit no layout") != NULL);
        if (world.rank == 0) {
            unlink(in_folder("tab.1"));
        }
        hg_comm_barrier(&world);
        all_assert(read_tabs(&t) != HG_OK);
    }
    drop_folder();
}
