#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "store/publish.h"
#include "store/seal.h"

static void
write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");

    fputs(text, file);
    fclose(file);
}

static void
change_byte(const char *path, long at)
{
    FILE *file = fopen(path, "r+b");

    fseek(file, at, SEEK_SET);
    fputc('#', file);
    fclose(file);
}

Test(seal, every_changed_byte_is_seen)
{
    char path[64];
    bool is_sealed = true;

    snprintf(path, sizeof path, "/tmp/hg_seal_%ld", (long)getpid());
    cr_assert_eq(hg_seal_check(path, &is_sealed), HG_E_NOTFOUND);
    write_file(path, "short");
    cr_assert_eq(hg_seal_check(path, &is_sealed), HG_OK);
    cr_assert(!is_sealed);
    write_file(path, "a file that nobody has sealed yet");
    cr_assert_eq(hg_seal_check(path, &is_sealed), HG_OK);
    cr_assert(!is_sealed);
    cr_assert_eq(hg_seal_put(path), HG_OK);
    cr_assert_eq(hg_file_size(path), 33 + 16);
    cr_assert_eq(hg_seal_check(path, &is_sealed), HG_OK);
    cr_assert(is_sealed);
    for (long at = 0; at < 33 + 16; at++) { /* a broken mark makes a file without a seal */
        write_file(path, "a file that nobody has sealed yet");
        cr_assert_eq(hg_seal_put(path), HG_OK);
        change_byte(path, at);
        if (at < 33 || at >= 33 + 8) {
            cr_assert_eq(hg_seal_check(path, &is_sealed), HG_E_VERIFY, "byte %ld", at);
        } else {
            cr_assert_eq(hg_seal_check(path, &is_sealed), HG_OK);
            cr_assert(!is_sealed);
        }
    }
    unlink(path);
    cr_assert_eq(hg_seal_put("/nowhere/file"), HG_E_NOTFOUND);
}
