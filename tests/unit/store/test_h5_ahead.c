/* What the system is told is caught here, in the place of the C library's function. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/h5.h"

static int n_told;
static off_t told_at, told_bytes;

int
posix_fadvise(int handle, off_t at, off_t bytes, int advice)
{
    cr_assert_geq(handle, 0);
    cr_assert_eq(advice, POSIX_FADV_WILLNEED);
    n_told++;
    told_at = at;
    told_bytes = bytes;
    return 0;
}

static void
tell(hg_h5 *f, const char *name, int64_t first, int64_t n)
{
    n_told = 0;
    told_at = told_bytes = -1;
    hg_h5_read_ahead(f, name, first, n);
}

Test(h5_ahead, tells_the_bytes_of_the_rows_and_nothing_where_there_are_none)
{
    const int64_t dims[2] = {1000, 3}, before = hg_mem_used();
    const hg_h5_layout contiguous = {.chunk = 0}, chunked = {.chunk = 100, .fletcher32 = true};
    static double data[3000];
    int64_t place = 0;
    char path[64];
    hg_h5 *f = NULL;

    snprintf(path, sizeof path, "/tmp/hg_h5_ahead_%ld.hdf5", (long)getpid());
    cr_assert_eq(hg_h5_create(path, &f), HG_OK);
    cr_assert_eq(hg_h5_write(f, "a/flat", HG_F64, 2, dims, &contiguous, data), HG_OK);
    cr_assert_eq(hg_h5_write(f, "a/pieces", HG_F32, 2, dims, &chunked, data), HG_OK);
    cr_assert_eq(hg_h5_close(f), HG_OK);

    cr_assert_eq(hg_h5_open(path, &f), HG_OK);
    cr_assert_eq(hg_h5_place(f, "a/flat", &place), HG_OK);
    tell(f, "a/flat", 10, 20);
    cr_assert(n_told == 1 && told_at == place + 10 * 24 && told_bytes == 20 * 24,
              "%d: %lld bytes at %lld, not 480 at %lld", n_told, (long long)told_bytes,
              (long long)told_at, (long long)place + 240);
    /* rows 250 to 449 are in chunks 2, 3 and 4 of 100 x 12 bytes and a checksum of 4 */
    tell(f, "a/pieces", 250, 200);
    cr_assert(n_told == 1 && told_bytes >= 3 * 1204 && told_bytes <= 4 * 1204, "%d: %lld bytes",
              n_told, (long long)told_bytes);

    tell(f, "a/flat", 10, 0);
    cr_assert_eq(n_told, 0, "no rows");
    tell(f, "a/flat", 990, 11);
    cr_assert_eq(n_told, 0, "beyond the end");
    tell(f, "a/none", 0, 1);
    tell(f, "none/at/all", 0, 1);
    tell(f, "none", 0, 1);
    tell(f, "a", 0, 1);
    cr_assert_eq(n_told, 0, "no dataset");
    cr_assert_eq(hg_h5_close(f), HG_OK);
    cr_assert_eq(hg_mem_used(), before);
    unlink(path);
}
