/* Part files are found by their names alone; their content is read by checkpoint.c. */
#include "forest/part_list.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "halograft/stages.h"

hg_status
hg_part_list_add(hg_part_list *names, const char *name)
{
    HG_TRY(hg_mem_resize(&names->v, (size_t)names->n + 1, sizeof *names->v));
    snprintf(names->v[names->n++], HG_PATH_MAX, "%s", name);
    return HG_OK;
}

/* path of the model without ".hdf5" */
static void
get_stem(const char *path, char stem[HG_PATH_MAX])
{
    size_t n = strlen(path);

    snprintf(stem, HG_PATH_MAX, "%s", path);
    if (n > 5 && n < HG_PATH_MAX && strcmp(path + n - 5, ".hdf5") == 0) {
        stem[n - 5] = '\0';
    }
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* "PATH.trees-" of stage 0 and "PATH.stageS.trees-" of the others */
static hg_status
get_part_stem(const char *path, int stage, char stem[HG_PATH_MAX])
{
    char whole[HG_PATH_MAX];

    get_stem(path, whole);
    return stage == 0 ? hg_text_path(HG_PATH_MAX, stem, "%s.trees-", whole)
                      : hg_text_path(HG_PATH_MAX, stem, "%s.stage%d.trees-", whole, stage);
}

hg_status
hg_part_path(const char *model, int stage, int64_t first, int64_t last, char path[HG_PATH_MAX])
{
    char stem[HG_PATH_MAX];

    HG_TRY(get_part_stem(model, stage, stem));
    return hg_text_path(HG_PATH_MAX, path, "%s%" PRId64 "-%" PRId64 ".hdf5", stem, first, last);
}

hg_status
hg_part_list_find(const char *path, int stage, int first, int last, hg_part_list *names)
{
    char stem[HG_PATH_MAX], full[HG_PATH_MAX];
    char *slash;
    const char *base;
    hg_status status = HG_OK;
    struct dirent *entry;
    DIR *folder;
    size_t n;

    HG_TRY(get_part_stem(path, stage, stem));
    slash = strrchr(stem, '/');
    base = slash != NULL ? slash + 1 : stem;
    n = strlen(base);
    if (slash != NULL) {
        *slash = '\0';
    }
    folder = opendir(slash == NULL ? "." : stem[0] == '\0' ? "/" : stem);
    if (folder == NULL) {
        return HG_OK; /* no folder, no parts */
    }
    while (status == HG_OK && (entry = readdir(folder)) != NULL) {
        int low, high, end = 0;

        if (strncmp(entry->d_name, base, n) == 0 &&
            sscanf(entry->d_name + n, "%d-%d.hdf5%n", &low, &high, &end) == 2 && end > 0 &&
            entry->d_name[n + (size_t)end] == '\0' && low < last && high >= first) {
            status = hg_text_path(sizeof full, full, "%s%s%s", slash != NULL ? stem : "",
                                  slash != NULL ? "/" : "", entry->d_name);
            status = status == HG_OK ? hg_part_list_add(names, full) : status;
        }
    }
    closedir(folder);
    if (names->n > 1) {
        qsort(names->v, (size_t)names->n, sizeof *names->v, compare_names);
    }
    return status;
}

hg_status
hg_part_list_remove(const hg_part_list *names)
{
    for (int64_t i = 0; i < names->n; i++) {
        if (unlink(names->v[i]) != 0 && errno != ENOENT) {
            return HG_FAIL(HG_E_WRITE, "'%s' cannot be removed: %s", names->v[i],
                           strerror(errno));
        }
    }
    return HG_OK;
}

hg_status
hg_forest_remove_parts(const hg_comm *comm, const char *path)
{
    hg_part_list names = {0};
    char stem[HG_PATH_MAX];
    hg_status status = HG_OK;

    if (comm->rank == 0) {
        get_stem(path, stem);
        hg_publish_sweep(stem);
    }
    for (int s = 0; comm->rank == 0 && s < HG_STAGES_MAX && status == HG_OK; s++) {
        status = hg_part_list_find(path, s, 0, INT32_MAX, &names);
    }
    if (comm->rank == 0 && status == HG_OK) {
        status = hg_part_list_remove(&names);
    }
    hg_mem_free(names.v);
    return hg_comm_agree(comm, status);
}
