/* One place decides where things are, so that `mock`, `train`, `apply`, `measure` and `run`
 * agree. */
#include "suite/paths.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/publish.h"

hg_status
hg_paths_output(const hg_params *params, const char *name, size_t n, char path[])
{
    if (strchr(name, '/') != NULL) {
        return hg_text_path(n, path, "%s", name);
    }
    return hg_text_path(n, path, "%s/%s", params->output.folder, name);
}

hg_status
hg_paths_folder(const char *path, size_t n, char folder[])
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL) {
        return hg_text_path(n, folder, ".");
    }
    return hg_text_path(n, folder, "%.*s", slash > path ? (int)(slash - path) : 1, path);
}

hg_status
hg_paths_table(const char *path, const char *what, size_t n, char table[])
{
    const char *end = strrchr(path, '.'), *slash = strrchr(path, '/');
    const size_t length =
        end != NULL && (slash == NULL || end > slash) ? (size_t)(end - path) : strlen(path);

    return hg_text_path(n, table, "%.*s_%s.csv", (int)length, path, what);
}

hg_status
hg_paths_make_folder(const hg_comm *comm, const char *path)
{
    char folder[HG_PATH_MAX];

    HG_TRY(hg_paths_folder(path, sizeof folder, folder));
    return hg_folder_make(comm, folder);
}

bool
hg_paths_is_mock(const hg_params *params)
{
    return params->parent.files.n == 0;
}

hg_status
hg_paths_regions(const hg_params *params, size_t n, char path[])
{
    if (params->zooms.regions != NULL) {
        return hg_text_path(n, path, "%s", params->zooms.regions);
    }
    if (params->zooms.files.n > 0) {
        path[0] = '\0';
        return HG_OK;
    }
    return hg_paths_output(params, "regions.csv", n, path);
}

hg_status
hg_paths_parent(const hg_params *params, size_t n, char buffer[], const char *file[],
                hg_catalog_options *options)
{
    const hg_params_parent *parent = &params->parent;

    *options = (hg_catalog_options)HG_CATALOG_OPTIONS_INIT;
    options->format = parent->format;
    options->mapping = parent->mapping;
    options->snap = hg_params_snap(params);
    options->run_table = parent->run_table;
    options->run = parent->run;
    options->partial = parent->partial;
    options->on_bad_rows = parent->on_bad_rows;
    options->frame.box = parent->box;
    options->frame.redshift = parent->redshift;
    options->frame.h = parent->h;
    options->frame.particle_mass = parent->particle_mass;
    options->frame.omega_m = parent->omega_m;
    options->frame.omega_b = parent->omega_b;
    options->n_file = parent->files.n;
    options->files = parent->files.v;
    if (hg_paths_is_mock(params)) {
        HG_TRY(hg_paths_output(params, "parent.hdf5", n, buffer));
        file[0] = buffer;
        options->n_file = 1;
        options->files = file;
    }
    return HG_OK;
}

void
hg_paths_zooms(const hg_params *params, hg_catalog_options *options)
{
    const hg_params_zooms *zooms = &params->zooms;

    *options = (hg_catalog_options)HG_CATALOG_OPTIONS_INIT;
    options->format = zooms->format;
    options->mapping = zooms->mapping;
    options->snap = hg_params_snap(params);
    options->run_table = zooms->run_table;
    options->run = zooms->run;
    options->partial = zooms->partial;
    options->on_bad_rows = zooms->on_bad_rows;
    options->frame.h = zooms->h;
}

hg_status
hg_paths_wisdom(const hg_params *params, size_t n, char path[])
{
    const char *given = params->measure.wisdom;
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

    path[0] = '\0';
    if (given != NULL && given[0] != '\0') {
        return strcmp(given, "none") == 0 ? HG_OK : hg_text_path(n, path, "%s", given);
    }
    if (cache != NULL && cache[0] == '/') {
        return hg_text_path(n, path, "%s/halograft", cache);
    }
    return home == NULL || home[0] != '/' ? HG_OK
                                          : hg_text_path(n, path, "%s/.cache/halograft", home);
}
