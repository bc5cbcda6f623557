/* Haloes of AHF (NAME.AHF_halos), one file or one per rank. The first line names the columns.
 * Lengths are comoving kpc/h, masses Msun/h, velocities proper peculiar km/s; sigV is
 * three-dimensional. Mvir is the bound mass within the radius of the overdensity that the run
 * was told, which the file does not say. hostHalo is -1 or, with the hashed ids of parallel
 * runs, 0 where there is none; 0 is a halo where ids begin at 0. Box, redshift and cosmology
 * stand in the log of AHF only and must be given. Knollmann & Knebe 2009 (ApJS 182, 608) and
 * the manual of AHF.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "catalog/columns.h"
#include "catalog/heading.h"
#include "store/textfile.h"

enum { STORED = 0, HOST, HOST_OR_ZERO, CENTRAL, CENTRAL_OR_ZERO };

/* Values are multiplied by 10^power h^h / sqrt(dimensions) after the offset. */
static const struct {
    const char *name, *from;
    int power, h, dimensions;
    double offset, sign;
} wanted[] = {
    {"id", "id", 0, 0, 1, 0, 1},
    {"n_part", "npart", 0, 0, 1, 0, 1},
    {"m_bound", "mvir", 0, -1, 1, 0, 1},
    {"mvir", "mvir", 0, -1, 1, 0, 1},
    {"rvir", "rvir", -3, -1, 1, 0, 1},
    {"m_bound", "mhalo", 0, -1, 1, 0, 1},
    {"mvir", "mhalo", 0, -1, 1, 0, 1},
    {"rvir", "rhalo", -3, -1, 1, 0, 1},
    {"r_vmax", "rmax", -3, -1, 1, 0, 1},
    {"vmax", "vmax", 0, 0, 1, 0, 1},
    {"sigma_v", "sigv", 0, 0, 3, 0, 1},
    {"spin_bullock", "lambda", 0, 0, 1, 0, 1},
    {"spin_peebles", "lambdae", 0, 0, 1, 0, 1},
    {"b_to_a", "b", 0, 0, 1, 0, 1},
    {"c_to_a", "c", 0, 0, 1, 0, 1},
    {"x_off", "com_offset", -3, -1, 1, 0, 1},
    {"e_kin", "ekin", 0, -1, 1, 0, 1},
    {"e_pot", "epot", 0, -1, 1, 0, 1},
    {"f_contam", "fmhires", 0, 0, 1, -1, -1}, /* 1 - fMhires */
    {"gas_mass", "m_gas", 0, -1, 1, 0, 1},
    {"stellar_mass", "m_star", 0, -1, 1, 0, 1},
};

/* The first line, and whether the first halo, the most massive one, has the id 0. */
static hg_status
read_head(const char *path, hg_heading *head, bool *is_ours, bool *from_zero)
{
    hg_textfile *file = NULL;
    char *line = NULL;
    hg_status status;

    *is_ours = *from_zero = false;
    HG_TRY_OR(done, status, hg_textfile_open(path, &file));
    HG_TRY_OR(done, status, hg_textfile_line(file, &line));
    if (line == NULL || line[0] != '#') {
        goto done;
    }
    hg_heading_read(line, head);
    *is_ours = hg_heading_find(head, "id") >= 0 && hg_heading_find(head, "hosthalo") >= 0 &&
               hg_heading_find(head, "numsubstruct") >= 0 && hg_heading_find(head, "xc") >= 0;
    HG_TRY_OR(done, status, hg_textfile_line(file, &line));
    if (*is_ours && line != NULL) {
        char *p = line;

        for (int k = 0; k < hg_heading_find(head, "id"); k++) {
            p += strspn(p, " \t");
            p += strcspn(p, " \t");
        }
        *from_zero = strtoull(p, NULL, 10) == 0;
    }
done:
    hg_textfile_close(file);
    return status;
}

static bool
probe(const char *path, hg_text *reason)
{
    hg_heading *head = NULL;
    bool is_ours = false, from_zero = false;
    hg_status status = hg_mem_array(&head, 1, sizeof *head);

    if (status == HG_OK) {
        status = read_head(path, head, &is_ours, &from_zero);
    }
    if (status == HG_OK && is_ours) {
        status = hg_text_add(reason, "first line names AHF's columns ID, hostHalo, "
                                     "numSubStruct, Xc\n");
    }
    hg_mem_free(head);
    return status == HG_OK && is_ours;
}

static hg_status
add_wanted(const hg_heading *head, hg_plan *plan)
{
    static const char *const position[] = {"xc", "yc", "zc"}, *const velocity[] = {"vxc", "vyc",
                                                                                   "vzc"};
    const double h = plan->frame.h;
    hg_source *source = NULL;

    HG_TRY(hg_heading_add_vector(head, position, "position", plan, &source));
    if (source != NULL) {
        source->factor = 1e-3 / h;
    }
    HG_TRY(hg_heading_add_vector(head, velocity, "velocity", plan, &source));
    for (size_t w = 0; w < sizeof wanted / sizeof wanted[0]; w++) {
        const int at = hg_heading_find(head, wanted[w].from);

        if (at < 0) {
            continue;
        }
        HG_TRY(hg_heading_add(head, at, false, wanted[w].name, plan, &source));
        source->offset = wanted[w].offset;
        source->factor = wanted[w].sign * pow(10, wanted[w].power) * pow(h, wanted[w].h) /
                         sqrt((double)wanted[w].dimensions);
    }
    return HG_OK;
}

static hg_status
add_columns(const hg_heading *head, bool from_zero, hg_plan *plan)
{
    const int host = hg_heading_find(head, "hosthalo");
    hg_source *source = NULL;

    HG_TRY(add_wanted(head, plan));
    HG_TRY(hg_heading_add(head, host, false, "host_id", plan, &source));
    source->kind = from_zero ? HOST : HOST_OR_ZERO;
    HG_TRY(hg_heading_add(head, host, false, "central", plan, &source));
    source->kind = from_zero ? CENTRAL : CENTRAL_OR_ZERO;
    return hg_heading_add_others(head, plan);
}

static hg_status
plan_files(const hg_catalog_options *options, const hg_files *files, hg_plan *plan)
{
    const hg_yaml none = {0};
    hg_heading *head = NULL;
    hg_text_plan *kind = NULL;
    bool is_ours = false, from_zero = false, zero = false;
    hg_status status = HG_OK;

    HG_TRY(hg_mem_array(&head, 1, sizeof *head));
    plan->frame.h = options->frame.h;
    for (int i = files->n - 1; i >= 0; i--) {
        HG_TRY_OR(done, status, read_head(files->path[i], head, &is_ours, &zero));
        from_zero = from_zero || zero;
        if (!is_ours) {
            status =
                HG_FAIL(HG_E_FORMAT,
                        "'%s' does not begin with the names of AHF's columns (ID, hostHalo, "
                        "numSubStruct, Xc)",
                        files->path[i]);
            goto done;
        }
    }
    if (!(plan->frame.h > 0)) {
        status = HG_FAIL(HG_E_INPUT,
                         "'%s' is in units of 1/h but does not say which h (AHF writes it into "
                         "its log): set h in the section of the catalogue",
                         files->path[0]);
        goto done;
    }
    HG_TRY_OR(done, status, add_columns(head, from_zero, plan));
    HG_TRY_OR(done, status, hg_mem_zeros(&kind, 1, sizeof *kind));
    kind->is_text = 1;
    plan->extra = kind;
    plan->n_extra = sizeof *kind;
    status = hg_texttable_plan(&none, files, plan);
done:
    hg_mem_free(head);
    return status;
}

/* A column that follows from hostHalo, which was read under the name `raw`. */
static hg_status
derive(const hg_source *source, const char *raw, hg_table *table)
{
    const bool or_zero = source->kind == HOST_OR_ZERO || source->kind == CENTRAL_OR_ZERO;
    const bool is_host = source->kind == HOST || source->kind == HOST_OR_ZERO;
    void *data = NULL;
    const int64_t *from;

    HG_TRY(hg_table_add(table, source->column.name, "", is_host ? HG_COLUMN_I64 : HG_COLUMN_U8,
                        1, &data));
    from = hg_table_i64(table, raw);
    for (int64_t i = 0; i < table->n; i++) {
        const bool none = from[i] == -1 || (or_zero && from[i] == 0);

        if (is_host) {
            ((int64_t *)data)[i] = none ? -1 : from[i];
        } else {
            ((uint8_t *)data)[i] = none;
        }
    }
    hg_table_drop(table, raw);
    return HG_OK;
}

static hg_status
read_rows(const hg_plan *plan, int64_t first, int64_t n, int n_source,
          const hg_source *const source[], hg_table *table)
{
    return hg_texttable_read_derived(plan, first, n, n_source, source, derive, table);
}

const hg_format hg_format_ahf = {
    .name = "ahf", .probe = probe, .plan = plan_files, .read = read_rows};
