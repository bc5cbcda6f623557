/** A folder of a test's own. */
#ifndef HG_TEST_FOLDER_H
#define HG_TEST_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char test_folder[256];

static int
remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

static inline void
folder_create(void)
{
    const char *base = getenv("TMPDIR");

    snprintf(test_folder, sizeof test_folder, "%s/hg-test-XXXXXX",
             base != NULL ? base : "/tmp");
    if (mkdtemp(test_folder) == NULL) {
        abort();
    }
}

static inline void
folder_remove(void)
{
    nftw(test_folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/** A path in the folder; kept for the life of the test. */
static inline const char *
in_folder(const char *name)
{
    static char pool[1 << 18];
    static size_t used;
    char *path = pool + used;

    used += (size_t)snprintf(path, 512, "%s/%s", test_folder, name) + 1;
    if (used + 512 > sizeof pool) {
        used = 0;
    }
    return path;
}

#endif
