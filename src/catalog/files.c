/* A pattern is matched against the entries of its folder: what stands before and after {file}
 * must agree, what stands between must be digits. So no file count need be known in advance,
 * and sets that begin at 1 or have gaps are found as they are.
 */
#include "catalog/files.h"

#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "store/publish.h"

static hg_status
add_file(hg_files *files, const char *path, int64_t number)
{
    size_t n = (size_t)files->n + 1;

    HG_TRY(hg_mem_resize(&files->path, n, sizeof *files->path));
    files->path[files->n] = NULL;
    HG_TRY(hg_mem_resize(&files->number, n, sizeof *files->number));
    HG_TRY(hg_mem_string(&files->path[files->n], path));
    files->number[files->n++] = number;
    return HG_OK;
}

/* The number of a name such as "tab_099.12.hdf5" or "tab.12.csv.gz": digits between the last
 * two dots, the ending of compressed files apart. */
static int64_t
number_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char name[512];
    char *dot, *start;

    snprintf(name, sizeof name, "%s", slash != NULL ? slash + 1 : path);
    dot = strrchr(name, '.');
    if (dot != NULL && strcmp(dot, ".gz") == 0) {
        *dot = '\0';
        dot = strrchr(name, '.');
    }
    if (dot == NULL) {
        return -1;
    }
    *dot = '\0';
    start = strrchr(name, '.');
    if (start == NULL || start[1] == '\0' || strlen(start) > 18 ||
        start[1 + strspn(start + 1, "0123456789")] != '\0') {
        return -1;
    }
    return strtoll(start + 1, NULL, 10);
}

/* Find {file...} in a pattern; its end. */
static const char *
find_mark(const char *pattern, const char **end)
{
    const char *mark = strstr(pattern, "{file");

    if (mark == NULL || (mark[5] != '}' && mark[5] != ':')) {
        return NULL;
    }
    *end = strchr(mark, '}');
    if (*end == NULL) {
        return NULL;
    }
    ++*end;
    return mark;
}

static hg_status
expand_pattern(const char *pattern, hg_files *files)
{
    const char *end = NULL, *mark = find_mark(pattern, &end), *slash, *base;
    char folder[HG_PATH_MAX], path[HG_PATH_MAX];
    size_t head, tail = strlen(end);
    struct dirent *entry;
    int before = files->n;
    hg_status status = HG_OK;
    DIR *dir;

    slash = strrchr(pattern, '/');
    if (slash != NULL && slash > mark) {
        return HG_FAIL(HG_E_PARAM, "pattern '%s': {file} must stand in the name of the file",
                       pattern);
    }
    base = slash != NULL ? slash + 1 : pattern;
    head = (size_t)(mark - base);
    HG_TRY(hg_text_path(sizeof folder, folder, "%.*s",
                        slash != NULL ? (int)(slash - pattern) + 1 : 2,
                        slash != NULL ? pattern : "./"));
    dir = opendir(folder);
    if (dir == NULL) {
        return HG_FAIL(HG_E_NOTFOUND, "folder '%s' of pattern '%s' cannot be opened", folder,
                       pattern);
    }
    while (status == HG_OK && (entry = readdir(dir)) != NULL) {
        const char *name = entry->d_name;
        size_t n = strlen(name), digits;

        if (n <= head + tail || strncmp(name, base, head) != 0 ||
            strcmp(name + n - tail, end) != 0) {
            continue;
        }
        digits = strspn(name + head, "0123456789");
        if (digits != n - head - tail || digits > 18) {
            continue;
        }
        status = hg_text_path(sizeof path, path, "%.*s%s",
                              slash != NULL ? (int)strlen(folder) : 0, folder, name);
        if (status == HG_OK) {
            status = add_file(files, path, strtoll(name + head, NULL, 10));
        }
    }
    closedir(dir);
    if (status == HG_OK && files->n == before) {
        status = HG_FAIL(HG_E_NOTFOUND, "no file matches '%s'", pattern);
    }
    return status;
}

/* Insertion sort by number, stable; lists are mostly in order already. */
static void
sort_files(hg_files *files)
{
    for (int i = 1; i < files->n; i++) {
        for (int j = i; j > 0 && files->number[j] < files->number[j - 1]; j--) {
            int64_t number = files->number[j];
            char *path = files->path[j];

            files->number[j] = files->number[j - 1];
            files->path[j] = files->path[j - 1];
            files->number[j - 1] = number;
            files->path[j - 1] = path;
        }
    }
}

static int
compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static hg_status
refuse_duplicates(const hg_files *files)
{
    const char **sorted = NULL;
    hg_status status = HG_OK;

    HG_TRY(hg_mem_array(&sorted, (size_t)files->n, sizeof *sorted));
    for (int i = 0; i < files->n; i++) {
        sorted[i] = files->path[i];
    }
    qsort(sorted, (size_t)files->n, sizeof *sorted, compare_paths);
    for (int i = 1; i < files->n && status == HG_OK; i++) {
        if (strcmp(sorted[i], sorted[i - 1]) == 0) {
            status = HG_FAIL(HG_E_INPUT, "file '%s' is named twice", sorted[i]);
        }
    }
    hg_mem_free(sorted);
    return status;
}

hg_status
hg_files_expand(int n, const char *const names[], hg_files *files)
{
    const char *end;
    hg_status status = HG_OK;

    *files = (hg_files){0};
    if (n == 0) {
        return HG_FAIL(HG_E_PARAM, "no file of the catalogue is named");
    }
    for (int i = 0; i < n && status == HG_OK; i++) {
        if (find_mark(names[i], &end) != NULL) {
            status = expand_pattern(names[i], files);
        } else if (!hg_file_exists(names[i])) {
            status = HG_FAIL(HG_E_NOTFOUND, "file '%s' does not exist", names[i]);
        } else {
            status = add_file(files, names[i], number_of(names[i]));
        }
    }
    if (status == HG_OK) {
        sort_files(files);
        status = refuse_duplicates(files);
    }
    if (status != HG_OK) {
        hg_files_clear(files);
    }
    return status;
}

void
hg_files_clear(hg_files *files)
{
    for (int i = 0; i < files->n; i++) {
        hg_mem_free(files->path[i]);
    }
    hg_mem_free(files->path);
    hg_mem_free(files->number);
    *files = (hg_files){0};
}

hg_status
hg_header_agree(size_t n, const hg_header_item item[], double tolerance, const char *what,
                const char *first, const char *path)
{
    for (size_t i = 0; i < n; i++) {
        const double a = item[i].a, b = item[i].b;

        if (tolerance > 0 ? fabs(a - b) > tolerance * fabs(a) : a != b) {
            return HG_FAIL(HG_E_INPUT,
                           "%s is %.12g in '%s', but %.12g in '%s': these files are not one %s",
                           item[i].name, a, first, b, path, what);
        }
    }
    return HG_OK;
}
