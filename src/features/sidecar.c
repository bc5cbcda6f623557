/* A side-car is a catalogue of halograft with the parts of its catalogue. Its master says for
 * which catalogue it was made and by which recipe. */
#include "features/sidecar.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "catalog/output.h"
#include "store/h5.h"
#include "store/publish.h"
#include "suite/paths.h"

static const char identity_item[] = "catalogue";

hg_status
hg_sidecar_path(const hg_params *params, hg_derived_kind kind, hg_sidecar_of of,
                const hg_region *region, size_t n, char path[])
{
    const char *given =
        kind == HG_DERIVED_HISTORY ? params->history.folder : params->environment.folder;
    char folder[HG_PATH_MAX], run[sizeof region->run];

    if (given != NULL) {
        HG_TRY(hg_text_path(sizeof folder, folder, "%s", given));
    } else {
        HG_TRY(hg_paths_output(params, hg_derived_name(kind), sizeof folder, folder));
    }
    if (of == HG_SIDECAR_PARENT || of == HG_SIDECAR_ZOOMS) {
        return hg_text_path(n, path, "%s/%s", folder,
                            of == HG_SIDECAR_PARENT ? "parent" : "zooms");
    }
    snprintf(run, sizeof run, "%s", region->run);
    for (char *p = run; *p != '\0'; p++) {
        *p = isalnum((unsigned char)*p) || *p == '-' ? *p : '_';
    }
    return hg_text_path(n, path, "%s/%s_%" PRId64 "%s", folder, run, region->region,
                        of == HG_SIDECAR_TWIN ? "_twin" : "");
}

/* Columns of the rows [first, first + table->n); `at` moves on to the next part. */
static hg_status
fill_part(const hg_derived *e, int64_t n, const int64_t row[], const float value[], int64_t *at,
          hg_table *table)
{
    const int64_t begin = *at;

    while (*at < n && row[*at] < table->first + table->n) {
        ++*at;
    }
    for (int c = 0; c < e->n_column; c++) {
        float *column = NULL;

        HG_TRY(hg_table_add(table, e->column[c].name, e->column[c].unit, HG_COLUMN_F32, 1,
                            &column));
        for (int64_t i = 0; i < table->n; i++) {
            column[i] = NAN;
        }
        for (int64_t i = begin; i < *at; i++) {
            column[row[i] - table->first] = value[i * e->n_column + c];
        }
    }
    return HG_OK;
}

static hg_status
write_parts(const hg_comm *comm, const hg_derived *e, const hg_catalog *catalog, int turn,
            int64_t n, const int64_t row[], const float value[], hg_output *output)
{
    int64_t at = 0;
    hg_status status = HG_OK;

    for (int64_t part = 0; part < hg_catalog_n_part(catalog) && status == HG_OK; part++) {
        hg_table table = {.n = hg_catalog_part_rows(catalog, part),
                          .first = hg_catalog_part_first(catalog, part)};

        if ((part + turn) % comm->size != comm->rank) {
            continue;
        }
        status = fill_part(e, n, row, value, &at, &table);
        if (status == HG_OK) {
            status = hg_output_part(output, part, &table);
        }
        hg_table_clear(&table);
    }
    return hg_comm_agree(comm, status);
}

hg_status
hg_sidecar_write(const hg_comm *comm, const hg_params *params, const hg_derived *e,
                 const char *path, bool overwrite, const hg_catalog *catalog, int turn,
                 int64_t n, const int64_t row[], const float value[])
{
    hg_text provenance = {0};
    hg_output_options options;
    hg_output *output = NULL;
    hg_status status, end;

    status = hg_text_add(&provenance, "%s: %016" PRIx64 "\n%s", identity_item,
                         hg_catalog_identity(catalog), hg_text_string(&e->recipe));
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    options = (hg_output_options){.path = path,
                                  .overwrite = overwrite,
                                  .frame = *hg_catalog_frame(catalog),
                                  .n_column = e->n_column,
                                  .column = e->column,
                                  .parameters = hg_params_text(params),
                                  .provenance = hg_text_string(&provenance),
                                  .run_name = params->meta.name,
                                  .seed = (uint64_t)params->meta.seed};
    HG_TRY_OR(done, status, hg_output_create(comm, &options, &output));
    status = write_parts(comm, e, catalog, turn, n, row, value, output);
    end = hg_output_finish(comm, output, status != HG_OK);
    status = status != HG_OK ? status : end;
done:
    hg_text_clear(&provenance);
    return status;
}

/* On rank 0: made for this catalogue, and by this recipe. */
static hg_status
check_master(hg_derived_kind kind, const char *path, const hg_catalog *catalog,
             const char *recipe, const char *whose)
{
    char text[8192], name[HG_PATH_MAX + 40];
    uint64_t identity = 0;
    hg_h5 *file = NULL;
    hg_status status, closed;

    HG_TRY(hg_h5_open(path, &file));
    status = hg_h5_get_string(file, "Provenance", "Details", sizeof text, text);
    closed = hg_h5_close(file);
    HG_TRY(status != HG_OK ? status : closed);
    if (sscanf(text, "catalogue: %" SCNx64, &identity) != 1) {
        return HG_FAIL(HG_E_FORMAT, "'%s' holds no %s of a catalogue", path,
                       hg_derived_name(kind));
    }
    if (identity != hg_catalog_identity(catalog)) {
        return HG_FAIL(HG_E_INPUT,
                       "'%s' was made for another catalogue, or for an earlier state of this "
                       "one: run 'halograft features' again",
                       path);
    }
    snprintf(name, sizeof name, "'%s'", path);
    return hg_derived_compare(kind, recipe, whose, text, name);
}

hg_status
hg_sidecar_join(const hg_comm *comm, hg_derived_kind kind, const char *path,
                hg_catalog *catalog, const char *recipe, const char *whose)
{
    char master[HG_PATH_MAX];
    const char *file[1] = {master};
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
    hg_catalog *side = NULL;
    hg_status status, joined;

    HG_TRY(hg_text_path(sizeof master, master, "%s.hdf5", path)); /* the same on all ranks */
    options.format = "halograft";
    options.n_file = 1;
    options.files = file;
    status = HG_OK;
    if (comm->rank == 0 && !hg_file_exists(master)) {
        status =
            HG_FAIL(HG_E_NOTFOUND, "there is no %s '%s': make it with 'halograft features'",
                    hg_derived_name(kind), master);
    } else if (comm->rank == 0) {
        status = check_master(kind, master, catalog, recipe, whose);
    }
    HG_TRY(hg_comm_agree(comm, status));
    HG_TRY(hg_catalog_open(comm, &options, &side));
    joined = hg_catalog_join(catalog, side);
    if (joined != HG_OK) {
        hg_catalog_close(side);
    }
    return hg_comm_agree(comm, joined);
}
