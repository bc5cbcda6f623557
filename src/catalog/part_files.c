/* Renames within one folder are atomic one by one, not together; hence the order of an
 * exchange, and the rule that a catalogue without a master is unfinished. */
#include "catalog/part_files.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "store/publish.h"

/* Ends of names behind NAME, by number + 3. */
static const char *const ends[] = {".journal.jsonl", ".xxh3", ".hdf5"};
enum { N_END = sizeof ends / sizeof ends[0] };

/* Length of the folder in front of NAME, with its slash. */
static int
folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? (int)(slash - path) + 1 : 0;
}

hg_status
hg_part_file(const char *path, int64_t number, bool staged, size_t n, char file[])
{
    const int folder = folder_length(path);
    char end[32];

    if (number < 0) {
        snprintf(end, sizeof end, "%s", ends[number - HG_FILE_JOURNAL]);
    } else {
        snprintf(end, sizeof end, ".%" PRId64 ".hdf5", number);
    }
    return hg_text_path(n, file, "%.*s%s%s%s%s", folder, path, staged ? "." : "", path + folder,
                        end, staged ? ".new" : "");
}

/* Whether a file belongs to the catalogue, and its number. */
static bool
find_number(const char *file, const char *name, bool staged, int64_t *number)
{
    const char *tail = staged ? ".new" : "";
    const size_t n_name = strlen(name), n_tail = strlen(tail);
    size_t n_file;
    char end[32], *rest = NULL;

    if (staged && *file++ != '.') {
        return false;
    }
    n_file = strlen(file);
    if (n_file < n_name + n_tail || n_file - n_name - n_tail >= sizeof end ||
        strncmp(file, name, n_name) != 0 || strcmp(file + n_file - n_tail, tail) != 0) {
        return false;
    }
    snprintf(end, sizeof end, "%.*s", (int)(n_file - n_name - n_tail), file + n_name);
    for (int i = 0; i < N_END; i++) {
        if (strcmp(end, ends[i]) == 0) {
            *number = HG_FILE_JOURNAL + i;
            return true;
        }
    }
    if (end[0] != '.' || end[1] < '0' || end[1] > '9') {
        return false;
    }
    *number = strtoll(end + 1, &rest, 10);
    return strcmp(rest, ".hdf5") == 0;
}

/* Which files of a folder to remove. */
typedef struct choice {
    const char *name;
    int64_t first;
    bool staged, temporary;
} choice;

/* A temporary name is a dot, the name, and ".tmp-JOB". */
static bool
is_temporary(const char *file, const char *name)
{
    const char *end = strstr(file, ".tmp-");
    char whole[HG_PATH_MAX];
    int64_t number;

    if (file[0] != '.' || end == NULL) {
        return false;
    }
    snprintf(whole, sizeof whole, "%.*s", (int)(end - file) - 1, file + 1);
    return find_number(whole, name, false, &number) || find_number(whole, name, true, &number);
}

static bool
is_chosen(const char *file, const choice *c)
{
    int64_t number;

    return c->temporary ? is_temporary(file, c->name)
                        : find_number(file, c->name, c->staged, &number) && number >= c->first;
}

static void
remove_chosen(const char *path, choice c)
{
    const int n = folder_length(path);
    char folder[HG_PATH_MAX], file[2 * HG_PATH_MAX];
    struct dirent *entry;
    DIR *dir;

    c.name = path + n;
    snprintf(folder, sizeof folder, "%.*s", n > 0 ? n : 2, n > 0 ? path : "./");
    dir = opendir(folder);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (is_chosen(entry->d_name, &c)) {
            snprintf(file, sizeof file, "%s%s", folder, entry->d_name);
            unlink(file);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
}

void
hg_part_files_remove(const char *path, int64_t first, bool staged)
{
    remove_chosen(path, (choice){.first = first, .staged = staged});
}

void
hg_part_files_remove_temporary(const char *path)
{
    remove_chosen(path, (choice){.temporary = true});
}

static hg_status
remove_old(const char *path, int64_t number)
{
    char file[HG_PATH_MAX];

    HG_TRY(hg_part_file(path, number, false, sizeof file, file));
    if (unlink(file) != 0 && errno != ENOENT) {
        return HG_FAIL(HG_E_WRITE, "'%s' cannot be removed: %s", file, strerror(errno));
    }
    return HG_OK;
}

static hg_status
take_place(const char *path, int64_t number)
{
    char from[HG_PATH_MAX], to[HG_PATH_MAX];

    HG_TRY(hg_part_file(path, number, true, sizeof from, from));
    HG_TRY(hg_part_file(path, number, false, sizeof to, to));
    /* not every catalogue has a journal */
    if (rename(from, to) != 0 && !(errno == ENOENT && number == HG_FILE_JOURNAL)) {
        return HG_FAIL(HG_E_WRITE, "'%s' cannot be renamed to '%s': %s", from, to,
                       strerror(errno));
    }
    return HG_OK;
}

/* When something behind the master fails, it loses its final name again: who is told of a
 * failure must not find what looks finished. */
static void
withdraw(const char *path, int64_t number, bool keep)
{
    char final[HG_PATH_MAX], staged[HG_PATH_MAX];

    if (hg_part_file(path, number, false, sizeof final, final) == HG_OK &&
        hg_part_file(path, number, true, sizeof staged, staged) == HG_OK) {
        (void)(keep ? rename(final, staged) : unlink(final));
    }
}

/* What comes behind the master, journal included where it does. */
static hg_status
finish(const char *path, bool with_journal)
{
    HG_TRY(take_place(path, HG_FILE_MANIFEST));
    if (with_journal) {
        HG_TRY(take_place(path, HG_FILE_JOURNAL));
    }
    return hg_folder_sync(path);
}

hg_status
hg_part_files_exchange(const char *path, int64_t n_part)
{
    hg_status status;

    HG_TRY(remove_old(path, HG_FILE_MASTER));
    HG_TRY(remove_old(path, HG_FILE_MANIFEST));
    HG_TRY(remove_old(path, HG_FILE_JOURNAL));
    HG_TRY(hg_folder_sync(path));
    hg_part_files_remove(path, n_part, false);
    for (int64_t part = 0; part < n_part; part++) {
        HG_TRY(take_place(path, part));
    }
    HG_TRY(take_place(path, HG_FILE_JOURNAL));
    HG_TRY(hg_folder_sync(path));
    HG_TRY(take_place(path, HG_FILE_MASTER));
    status = finish(path, false);
    if (status != HG_OK) {
        withdraw(path, HG_FILE_MANIFEST, false);
        withdraw(path, HG_FILE_MASTER, false);
    }
    return status;
}

hg_status
hg_part_files_replace(const char *path)
{
    hg_status status;

    HG_TRY(remove_old(path, HG_FILE_MANIFEST));
    HG_TRY(take_place(path, HG_FILE_MASTER));
    hg_part_files_remove(path, 0, false);
    status = finish(path, true);
    if (status != HG_OK) {
        withdraw(path, HG_FILE_MANIFEST, false);
        withdraw(path, HG_FILE_MASTER, true);
        withdraw(path, HG_FILE_JOURNAL, true);
    }
    return status;
}
