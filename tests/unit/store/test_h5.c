#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/h5.h"
#include "store/publish.h"

static char path[64];

static void
name_file(void)
{
    snprintf(path, sizeof path, "/tmp/hg_h5_%ld.hdf5", (long)getpid());
}

static void
remove_file(void)
{
    unlink(path);
}

TestSuite(h5, .init = name_file, .fini = remove_file);

static void
write_sample(void)
{
    hg_h5 *f = NULL;
    const int64_t dims[2] = {100, 3};
    const hg_h5_layout layout = HG_H5_PART;
    double data[300];

    for (int i = 0; i < 300; i++) {
        data[i] = i;
    }
    cr_assert_eq(hg_h5_create(path, &f), HG_OK);
    cr_assert_eq(hg_h5_write(f, "a/b/m", HG_F64, 2, dims, &layout, data), HG_OK);
    cr_assert_eq(hg_h5_put_real(f, "a", "Time", 0.5), HG_OK);
    cr_assert_eq(hg_h5_put_integer(f, "", "n", INT64_C(1) << 60), HG_OK);
    cr_assert_eq(hg_h5_put_string(f, "a/b/m", "unit", "Msun"), HG_OK);
    cr_assert_eq(hg_h5_put_strings(f, "a", "types", 2, (const char *const[]){"one", "two"}),
                 HG_OK);
    cr_assert_eq(hg_h5_close(f), HG_OK);
}

Test(h5, what_is_written_is_read_back_in_any_type)
{
    hg_h5 *f = NULL;
    hg_h5_info info;
    float part[30];
    int64_t column[10], big = 0;
    double time = 0;
    char unit[16];

    write_sample();
    cr_assert_eq(hg_h5_open(path, &f), HG_OK);
    cr_assert_eq(hg_h5_describe(f, "a/b/m", &info), HG_OK);
    cr_assert(info.n_dim == 2 && info.dims[0] == 100 && info.row == 3 && info.type == HG_F64);
    cr_assert_eq(hg_h5_read(f, "a/b/m", 10, 10, HG_F32, part), HG_OK);
    cr_assert(part[0] == 30.0f && part[29] == 59.0f);
    cr_assert_eq(hg_h5_read_column(f, "a/b/m", 90, 10, 2, HG_I64, column), HG_OK);
    cr_assert(column[0] == 272 && column[9] == 299);
    cr_assert_eq(hg_h5_get_real(f, "a", "Time", &time), HG_OK);
    cr_assert_eq(hg_h5_get_integer(f, "/", "n", &big), HG_OK);
    cr_assert_eq(hg_h5_get_string(f, "a/b/m", "unit", sizeof unit, unit), HG_OK);
    cr_assert(time == 0.5 && big == INT64_C(1) << 60);
    cr_assert_str_eq(unit, "Msun");
    cr_assert_eq(hg_h5_get_string(f, "a", "types", sizeof unit, unit), HG_OK);
    cr_assert_str_eq(unit, "one");
    cr_assert(hg_h5_exists(f, "a/b") && !hg_h5_exists(f, "a/c/d") && hg_h5_exists(f, "a@Time"));
    cr_assert_eq(hg_h5_read(f, "a/b/m", 95, 10, HG_F32, part), HG_E_SHAPE);
    cr_assert_eq(hg_h5_read(f, "a/none", 0, 1, HG_F32, part), HG_E_NOTFOUND);
    cr_assert_eq(hg_h5_close(f), HG_OK);
    cr_assert_eq(hg_mem_used(), 0);
}

Test(h5, missing_foreign_and_truncated_files_are_told_apart)
{
    hg_h5 *f = NULL;
    FILE *text;

    cr_assert_eq(hg_h5_open("/tmp/hg_there_is_no_such_file", &f), HG_E_NOTFOUND);
    text = fopen(path, "w");
    fputs("not HDF5 at all", text);
    fclose(text);
    cr_assert_eq(hg_h5_open(path, &f), HG_E_FORMAT);
    write_sample();
    cr_assert_eq(truncate(path, hg_file_size(path) - 100), 0);
    cr_assert_eq(hg_h5_open(path, &f), HG_E_FORMAT);
    cr_assert(strstr(hg_error_last()->message, "truncated") != NULL, "%s",
              hg_error_last()->message);
    cr_assert_null(f);
}

Test(h5, shapes_whose_bytes_do_not_fit_into_64_bits_are_refused)
{
    const int64_t dims[][3] = {
        {10000000000, 3, 2}, {INT64_C(1) << 54, 4, 2}, {0, INT64_C(1) << 31, INT64_C(1) << 31}};
    const hg_h5_layout layout = HG_H5_PART;
    hg_h5 *f = NULL;
    hg_h5_info info;

    cr_assert_eq(hg_h5_create(path, &f), HG_OK);
    cr_assert_eq(hg_h5_reserve(f, "fits", HG_I8, 3, dims[0], &layout), HG_OK);
    cr_assert_eq(hg_h5_reserve(f, "large", HG_I8, 3, dims[1], &layout), HG_OK);
    cr_assert_eq(hg_h5_reserve(f, "empty", HG_I8, 3, dims[2], NULL), HG_OK);
    cr_assert_eq(hg_h5_describe(f, "fits", &info), HG_OK);
    cr_assert_eq(info.row, 6);
    cr_assert_eq(info.dims[0], 10000000000);
    cr_assert_eq(hg_h5_describe(f, "large", &info), HG_E_FORMAT);
    cr_assert(strstr(hg_error_last()->message, "'large'") != NULL);
    cr_assert_eq(hg_h5_describe(f, "empty", &info), HG_E_FORMAT);
    cr_assert_eq(hg_h5_close(f), HG_OK);
}

Test(h5, a_checksummed_dataset_notices_a_changed_byte)
{
    unsigned char *bytes = NULL;
    int64_t size;
    FILE *file;
    hg_h5 *f = NULL;
    double data[300];
    const double needle = 150;
    int found = 0;

    write_sample();
    size = hg_file_size(path);
    cr_assert_eq(hg_mem_array(&bytes, (size_t)size, 1), HG_OK);
    file = fopen(path, "r+b");
    cr_assert_eq(fread(bytes, 1, (size_t)size, file), (size_t)size);
    for (int64_t i = 0; i + 8 <= size && !found; i++) {
        if (memcmp(bytes + i, &needle, 8) == 0) {
            fseek(file, (long)i, SEEK_SET);
            fputc(bytes[i] ^ 1, file);
            found = 1;
        }
    }
    fclose(file);
    hg_mem_free(bytes);
    cr_assert(found);
    cr_assert_eq(hg_h5_open(path, &f), HG_OK);
    cr_assert_eq(hg_h5_read(f, "a/b/m", 0, 100, HG_F64, data), HG_E_READ);
    cr_assert(strstr(hg_error_last()->message, "checksum") != NULL, "HDF5's reason is lost: %s",
              hg_error_last()->message);
    cr_assert_eq(hg_h5_close(f), HG_OK);
}

Test(h5, equal_content_gives_equal_bytes)
{
    uint64_t first, second;
    int64_t bytes;

    write_sample();
    cr_assert_eq(hg_file_hash(path, &first, &bytes), HG_OK);
    sleep(1);
    write_sample();
    cr_assert_eq(hg_file_hash(path, &second, &bytes), HG_OK);
    cr_assert_eq(first, second);
}

Test(h5, a_virtual_dataset_joins_files_and_fills_what_is_missing)
{
    char part[2][80], master[80];
    const char *names[2];
    const int64_t rows[2] = {2, 3};
    hg_h5 *f = NULL;
    double all[5];

    for (int i = 0; i < 2; i++) {
        const double data[3] = {i, i, i};

        snprintf(part[i], sizeof part[i], "%s.%d", path, i);
        names[i] = strrchr(part[i], '/') + 1;
        cr_assert_eq(hg_h5_create(part[i], &f), HG_OK);
        cr_assert_eq(hg_h5_write(f, "g/x", HG_F64, 1, &rows[i], NULL, data), HG_OK);
        cr_assert_eq(hg_h5_close(f), HG_OK);
    }
    snprintf(master, sizeof master, "%s.master", path);
    cr_assert_eq(hg_h5_create(master, &f), HG_OK);
    cr_assert_eq(hg_h5_virtual(f, "g/x", HG_F64, 1, 2, names, rows, (double)NAN), HG_OK);
    cr_assert_eq(hg_h5_close(f), HG_OK);
    unlink(part[1]);
    cr_assert_eq(hg_h5_open(master, &f), HG_OK);
    cr_assert_eq(hg_h5_read(f, "g/x", 0, 5, HG_F64, all), HG_OK);
    cr_assert(all[0] == 0 && all[1] == 0 && isnan(all[2]) && isnan(all[4]));
    cr_assert_eq(hg_h5_close(f), HG_OK);
    unlink(part[0]);
    unlink(master);
}

Test(publish, only_whole_files_get_their_final_name)
{
    char temporary[128];
    uint64_t hash = 0, again = 0;
    int64_t bytes;
    FILE *file;

    name_file();
    cr_assert_eq(hg_publish_name(path, sizeof temporary, temporary), HG_OK);
    cr_assert_eq(hg_publish(temporary, path, &hash), HG_E_WRITE);
    cr_assert(!hg_file_exists(path));
    file = fopen(temporary, "w");
    fputs("content", file);
    fclose(file);
    cr_assert_eq(hg_publish(temporary, path, &hash), HG_OK);
    cr_assert(hg_file_exists(path) && !hg_file_exists(temporary));
    cr_assert_eq(hg_file_hash(path, &again, &bytes), HG_OK);
    cr_assert(hash == again && bytes == 7);
    remove_file();
    cr_assert_eq(hg_publish_text("/no/such/folder/x", "y"), HG_E_WRITE);
}
