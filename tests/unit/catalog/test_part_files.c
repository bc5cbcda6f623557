#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/part_files.h"
#include "store/publish.h"

static char folder[] = "/tmp/hg_part_files_XXXXXX", path[64];
static int flush_fails_at; /* which flush from now on fails, 0 = none */

/* In the place of the system's. */
int
fsync(int file)
{
    (void)file;
    if (flush_fails_at > 0 && --flush_fails_at == 0) {
        errno = EIO;
        return -1;
    }
    return 0;
}

static const char *
name_of(int64_t number, bool staged)
{
    static char file[256];

    cr_assert_eq(hg_part_file(path, number, staged, sizeof file, file), HG_OK);
    return file;
}

/* An old catalogue of four parts and a staged one of two, whose files hold these words. */
static void
make_both(void)
{
    for (int64_t k = HG_FILE_JOURNAL; k < 4; k++) {
        cr_assert_eq(hg_publish_text(name_of(k, false), "old"), HG_OK);
        if (k < 2) {
            cr_assert_eq(hg_publish_text(name_of(k, true), "new"), HG_OK);
        }
    }
}

static bool
holds(int64_t number, const char *word)
{
    char text[8] = "";
    FILE *file = fopen(name_of(number, false), "r");

    if (file == NULL || fgets(text, sizeof text, file) == NULL) {
        text[0] = '\0';
    }
    if (file != NULL) {
        fclose(file);
    }
    return strcmp(text, word) == 0;
}

static void
make_folder(void)
{
    cr_assert(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/galaxies", folder);
}

static void
remove_folder(void)
{
    rmdir(folder);
}

TestSuite(part_files, .init = make_folder, .fini = remove_folder);

Test(part_files, an_exchange_leaves_the_new_catalogue_alone)
{
    make_both();
    cr_assert_eq(hg_part_files_exchange(path, 2), HG_OK);
    for (int64_t k = HG_FILE_JOURNAL; k < 4; k++) {
        cr_assert(holds(k, k < 2 ? "new" : ""), "file %d", (int)k);
        cr_assert(!hg_file_exists(name_of(k, true)));
    }
    hg_part_files_remove(path, HG_FILE_JOURNAL, false);
    cr_assert_eq(rmdir(folder), 0); /* it knows all its files */
}

Test(part_files, an_exchange_that_stops_leaves_no_master)
{
    make_both();
    unlink(name_of(1, true));
    cr_assert_eq(hg_part_files_exchange(path, 2), HG_E_WRITE);
    cr_assert(holds(0, "new") && holds(HG_FILE_MASTER, ""));
    hg_part_files_remove(path, HG_FILE_JOURNAL, true);
    cr_assert(!hg_file_exists(name_of(HG_FILE_MASTER, true)));
    hg_part_files_remove(path, HG_FILE_JOURNAL, false);
    cr_assert_eq(rmdir(folder), 0);
}

/* All renames are done by then, but perhaps not on the disk. */
Test(part_files, what_fails_behind_the_master_leaves_nothing_that_looks_finished)
{
    make_both();
    flush_fails_at = 3;
    cr_assert_eq(hg_part_files_exchange(path, 2), HG_E_WRITE);
    cr_assert_eq(flush_fails_at, 0);
    cr_assert(holds(HG_FILE_MASTER, "") && holds(HG_FILE_MANIFEST, ""));
    cr_assert(holds(0, "new") && holds(1, "new") && holds(HG_FILE_JOURNAL, "new"));
    hg_part_files_remove(path, HG_FILE_JOURNAL, false);

    make_both();
    flush_fails_at = 1;
    cr_assert_eq(hg_part_files_replace(path), HG_E_WRITE);
    cr_assert(holds(HG_FILE_MASTER, "") && holds(HG_FILE_MANIFEST, ""));
    cr_assert_eq(hg_part_files_replace(path),
                 HG_E_WRITE); /* the manifest is to be made again */
    cr_assert(holds(HG_FILE_MASTER, ""));
    cr_assert_eq(hg_publish_text(name_of(HG_FILE_MANIFEST, true), "new"), HG_OK);
    cr_assert_eq(hg_part_files_replace(path), HG_OK); /* resumed */
    cr_assert(holds(HG_FILE_MASTER, "new") && holds(HG_FILE_JOURNAL, "new"));
    hg_part_files_remove(path, HG_FILE_JOURNAL, true);
    hg_part_files_remove(path, HG_FILE_JOURNAL, false);
    cr_assert_eq(rmdir(folder), 0);
}

Test(part_files, other_files_are_left_alone)
{
    static const char *const others[] = {"galaxies.0.hdf5.bak", "galaxies2.0.hdf5",
                                         "galaxies.x.hdf5",     "galaxies",
                                         ".galaxies.hdf5",      ".galaxies.1.hdf5.new2"};
    char file[256];

    make_both();
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        snprintf(file, sizeof file, "%s/%s", folder, others[i]);
        cr_assert_eq(hg_publish_text(file, "other"), HG_OK);
    }
    hg_part_files_remove(path, HG_FILE_JOURNAL, true);
    cr_assert(holds(0, "old") && !hg_file_exists(name_of(0, true)));
    hg_part_files_remove(path, 1, false);
    cr_assert(holds(0, "old") && holds(HG_FILE_MASTER, "old") && holds(1, ""));
    hg_part_files_remove(path, HG_FILE_JOURNAL, false);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        snprintf(file, sizeof file, "%s/%s", folder, others[i]);
        cr_assert_eq(unlink(file), 0);
    }
    cr_assert_eq(rmdir(folder), 0);
}
