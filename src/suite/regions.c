/* The columns of the table are found by name; what they mean is checked line by line. */
#include "suite/regions.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "table/sheet.h"

static const char *const names[] = {
    "region",   "run",   "hydro", "dmo",   "hydro_ids", "dmo_ids",        "match",
    "twin",     "x",     "y",     "z",     "radius",    "weight",         "delta",
    "redshift", "own_x", "own_y", "own_z", "boundary",  "boundary_radius"};
enum {
    REGION,
    RUN,
    HYDRO,
    DMO,
    HYDRO_IDS,
    DMO_IDS,
    MATCH,
    TWIN,
    X,
    Y,
    Z,
    RADIUS,
    WEIGHT,
    DELTA,
    REDSHIFT,
    OWN_X,
    OWN_Y,
    OWN_Z,
    BOUNDARY,
    BOUNDARY_RADIUS,
    N_NAME
};

static hg_status
join_folder(const char *table, const char *file, size_t n, char out[])
{
    const char *slash = strrchr(table, '/');

    if (file[0] == '\0' || file[0] == '/' || slash == NULL) {
        return hg_text_path(n, out, "%s", file);
    }
    return hg_text_path(n, out, "%.*s/%s", (int)(slash - table), table, file);
}

static hg_status
check_row(const char *path, int line, const hg_region *r)
{
    if (r->hydro[0] == '\0') {
        return HG_FAIL(HG_E_FORMAT, "'%s', line %d: no file in column 'hydro'", path, line);
    }
    if (r->weight < 0) {
        return HG_FAIL(HG_E_INPUT, "'%s', line %d: weight %g is negative", path, line,
                       r->weight);
    }
    if (r->radius <= 0) {
        return HG_FAIL(HG_E_INPUT,
                       "'%s', line %d: radius %g is not positive: leave the field empty to use "
                       "all haloes of the file",
                       path, line, r->radius);
    }
    if (r->boundary[0] != '\0' && !(r->boundary_radius > r->radius)) {
        return HG_FAIL(
            HG_E_INPUT,
            "'%s', line %d: what is in 'boundary' needs a boundary_radius up to which "
            "it is complete, beyond the radius of the region: %g and %g",
            path, line, r->boundary_radius, r->radius);
    }
    return HG_OK;
}

static hg_status
parse_row(const char *path, const hg_sheet *sheet, int row, const int column[N_NAME],
          const char *run, hg_region *r)
{
    const int line = sheet->line[row + 1];
    double *const numbers[N_NAME] = {[X] = &r->centre[0],
                                     [Y] = &r->centre[1],
                                     [Z] = &r->centre[2],
                                     [RADIUS] = &r->radius,
                                     [WEIGHT] = &r->weight,
                                     [DELTA] = &r->delta,
                                     [REDSHIFT] = &r->redshift,
                                     [OWN_X] = &r->own[0],
                                     [OWN_Y] = &r->own[1],
                                     [OWN_Z] = &r->own[2],
                                     [BOUNDARY_RADIUS] = &r->boundary_radius};
    char *const files[N_NAME] = {
        [HYDRO] = r->hydro,      [DMO] = r->dmo,     [HYDRO_IDS] = r->hydro_ids,
        [DMO_IDS] = r->dmo_ids,  [MATCH] = r->match, [TWIN] = r->twin,
        [BOUNDARY] = r->boundary};

    memset(r, 0, sizeof *r);
    snprintf(r->run, sizeof r->run, "%s", run);
    for (int i = 0; i < N_NAME; i++) {
        const char *text = column[i] >= 0 ? hg_sheet_field(sheet, row, column[i]) : "";

        if (numbers[i] != NULL) {
            *numbers[i] = (double)NAN;
            if (text[0] != '\0' && strcmp(text, "nan") != 0 &&
                !hg_text_real(text, numbers[i])) {
                return HG_FAIL(HG_E_FORMAT,
                               "'%s', line %d: '%s' in column '%s' is not a number", path, line,
                               text, names[i]);
            }
        } else if (i == REGION && !hg_text_integer(text, &r->region)) {
            return HG_FAIL(HG_E_FORMAT, "'%s', line %d: '%s' is not the number of a region",
                           path, line, text);
        } else if (i == RUN && text[0] != '\0') {
            if (strlen(text) >= sizeof r->run) {
                return HG_FAIL(HG_E_FORMAT, "'%s', line %d: the name of the run is too long",
                               path, line);
            }
            strcpy(r->run, text);
        } else if (files[i] != NULL) {
            HG_TRY(join_folder(path, text, sizeof r->hydro, files[i]));
        }
    }
    return check_row(path, line, r);
}

/* the last column of a name, or -1 */
static int
column_of(const hg_sheet *sheet, const char *name)
{
    int column = -1;

    for (int k = 0; k < sheet->n_column; k++) {
        column = strcmp(hg_sheet_name(sheet, k), name) == 0 ? k : column;
    }
    return column;
}

static hg_status
find_columns(const char *path, const hg_sheet *sheet, int column[N_NAME])
{
    for (int i = 0; i < N_NAME; i++) {
        column[i] = column_of(sheet, names[i]);
    }
    for (int i = 0; i < N_NAME; i++) {
        if (column[i] < 0 && (i == REGION || i == HYDRO)) {
            return HG_FAIL(HG_E_FORMAT, "'%s': the header line has no column '%s'", path,
                           names[i]);
        }
    }
    for (int k = 0; k < sheet->n_column; k++) {
        const char *name = hg_sheet_name(sheet, k);
        const hg_hint hint = hg_text_hint(name, N_NAME, names);
        bool known = false;

        for (int i = 0; i < N_NAME; i++) {
            known = known || column[i] == k;
        }
        if (!known && hint.text[0] != '\0') {
            return HG_FAIL(HG_E_FORMAT, "'%s': unknown column '%s'%s", path, name, hint.text);
        }
    }
    return HG_OK;
}

static bool
is_same(const hg_region *a, const hg_region *b)
{
    return a->region == b->region && strcmp(a->run, b->run) == 0;
}

static hg_status
parse_table(const char *path, const hg_sheet *sheet, const char *run, int *n,
            hg_region **regions)
{
    int column[N_NAME];

    HG_TRY(find_columns(path, sheet, column));
    if (sheet->n_row == 0) {
        return HG_FAIL(HG_E_INPUT, "region table '%s' has no regions", path);
    }
    HG_TRY(hg_mem_array(regions, (size_t)sheet->n_row, sizeof **regions));
    for (*n = 0; *n < sheet->n_row; ++*n) {
        hg_region *r = &(*regions)[*n];

        HG_TRY(parse_row(path, sheet, *n, column, run, r));
        for (int i = 0; i < *n; i++) {
            if (is_same(&(*regions)[i], r) && !((*regions)[i].redshift < r->redshift ||
                                                (*regions)[i].redshift > r->redshift)) {
                return HG_FAIL(HG_E_INPUT,
                               "'%s', line %d: region %lld of run '%s' is listed twice and not "
                               "at two redshifts",
                               path, sheet->line[*n + 1], (long long)r->region, r->run);
            }
        }
    }
    return HG_OK;
}

hg_status
hg_regions_read(const hg_comm *comm, const char *path, const char *run, int *n,
                hg_region **regions)
{
    hg_sheet sheet = {0};
    hg_status status = HG_OK;

    *n = 0;
    *regions = NULL;
    if (comm->rank == 0) {
        status = hg_sheet_read(path, &sheet);
        if (status == HG_OK) {
            status = parse_table(path, &sheet, run, n, regions);
        }
        hg_sheet_clear(&sheet);
    }
    HG_TRY_OR(fail, status, hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, n, sizeof *n);
    if (comm->rank != 0) {
        status = hg_mem_array(regions, (size_t)*n, sizeof **regions);
    }
    HG_TRY_OR(fail, status, hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, *regions, (size_t)*n * sizeof **regions);
    return HG_OK;
fail:
    hg_mem_free(*regions);
    *regions = NULL;
    *n = 0;
    return status;
}

bool
hg_regions_repeats(int n, const hg_region regions[], int i)
{
    int count = 0;

    for (int j = 0; j < n; j++) {
        count += is_same(&regions[i], &regions[j]);
    }
    return count > 1;
}

double
hg_regions_effective(int n, const hg_region regions[])
{
    double sum = 0, sum2 = 0;

    for (int i = 0; i < n; i++) {
        double w = isfinite(regions[i].weight) ? regions[i].weight : 1;

        sum += w;
        sum2 += w * w;
    }
    return sum2 > 0 ? sum * sum / sum2 : 0;
}

bool
hg_region_holds(const hg_region *region, double box, const double position[3])
{
    double sum = 0;

    for (int k = 0; k < 3; k++) {
        double d =
            position[k] - (isfinite(region->own[k]) ? region->own[k] : region->centre[k]);

        if (isfinite(box)) {
            d -= box * round(d / box);
        }
        sum += d * d;
    }
    return !isfinite(region->radius) || sum <= region->radius * region->radius;
}

void
hg_region_cut(const hg_region *region, const hg_table *table, uint8_t keep[])
{
    const hg_column *position = hg_table_find(table, "position");

    if (region == NULL || position == NULL || !isfinite(region->radius)) {
        return;
    }
    for (int64_t i = 0; i < table->n; i++) {
        double x[3];

        for (int k = 0; k < 3; k++) {
            x[k] = hg_column_value(position, i, k);
        }
        keep[i] = keep[i] && hg_region_holds(region, table->frame.box, x);
    }
}
