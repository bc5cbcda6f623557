/* A small CSV reader is enough: no quoting, commas only, one header line that names the
 * columns. */
#include "suite/regions.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "store/publish.h"

enum { MAX_COLUMNS = 64 };

static const char *const names[] = {"region", "run", "hydro",  "dmo",    "twin",  "x",
                                    "y",      "z",   "radius", "weight", "delta", "redshift"};
enum { REGION, RUN, HYDRO, DMO, TWIN, X, Y, Z, RADIUS, WEIGHT, DELTA, REDSHIFT, N_NAME };

/* Cut a line at commas in place; fields are trimmed. */
static int
split_line(char *line, char *field[MAX_COLUMNS])
{
    int n = 0;
    char *rest = line;

    while (rest != NULL && n < MAX_COLUMNS) {
        char *comma = strchr(rest, ',');

        if (comma != NULL) {
            *comma = '\0';
        }
        field[n++] = hg_text_trim(rest, strlen(rest) + 1, rest);
        rest = comma != NULL ? comma + 1 : NULL;
    }
    return n;
}

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
parse_row(const char *path, int line, const int column[N_NAME], int n_field,
          char *const field[], const char *run, hg_region *r)
{
    double *const numbers[N_NAME] = {
        [X] = &r->centre[0],      [Y] = &r->centre[1],   [Z] = &r->centre[2],
        [RADIUS] = &r->radius,    [WEIGHT] = &r->weight, [DELTA] = &r->delta,
        [REDSHIFT] = &r->redshift};

    memset(r, 0, sizeof *r);
    snprintf(r->run, sizeof r->run, "%s", run);
    for (int i = 0; i < N_NAME; i++) {
        const char *text = column[i] >= 0 && column[i] < n_field ? field[column[i]] : "";

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
        } else if (i == HYDRO) {
            HG_TRY(join_folder(path, text, sizeof r->hydro, r->hydro));
        } else if (i == DMO) {
            HG_TRY(join_folder(path, text, sizeof r->dmo, r->dmo));
        } else if (i == TWIN) {
            HG_TRY(join_folder(path, text, sizeof r->twin, r->twin));
        }
    }
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
    return HG_OK;
}

static hg_status
find_columns(const char *path, int n_field, char *const field[], int column[N_NAME])
{
    for (int i = 0; i < N_NAME; i++) {
        column[i] = -1;
        for (int k = 0; k < n_field; k++) {
            if (strcmp(field[k], names[i]) == 0) {
                column[i] = k;
            }
        }
        if (column[i] < 0 && (i == REGION || i == HYDRO)) {
            return HG_FAIL(HG_E_FORMAT, "'%s': the header line has no column '%s'", path,
                           names[i]);
        }
    }
    for (int k = 0; k < n_field; k++) {
        const char *near;
        bool known = false;

        for (int i = 0; i < N_NAME; i++) {
            known = known || column[i] == k;
        }
        near = known ? NULL : hg_text_nearest(field[k], N_NAME, names);
        if (near != NULL) {
            return HG_FAIL(HG_E_FORMAT, "'%s': unknown column '%s', did you mean '%s'?", path,
                           field[k], near);
        }
    }
    return HG_OK;
}

static hg_status
parse_table(const char *path, char *text, const char *run, int *n, hg_region **regions)
{
    char *rest = NULL, *field[MAX_COLUMNS];
    int column[N_NAME], line = 0, n_column = 0;

    for (char *p = text; p != NULL && *p != '\0'; p = rest) {
        int n_field;

        rest = strchr(p, '\n');
        if (rest != NULL) {
            *rest++ = '\0';
        }
        line++;
        hg_text_trim(p, strlen(p) + 1, p);
        if (p[0] == '\0' || p[0] == '#') {
            continue;
        }
        n_field = split_line(p, field);
        if (n_column == 0) {
            HG_TRY(find_columns(path, n_field, field, column));
            n_column = n_field;
            continue;
        }
        if (n_field != n_column) {
            return HG_FAIL(HG_E_FORMAT, "'%s', line %d: %d fields, the header line has %d",
                           path, line, n_field, n_column);
        }
        HG_TRY(hg_mem_resize(regions, (size_t)*n + 1, sizeof **regions));
        HG_TRY(parse_row(path, line, column, n_field, field, run, &(*regions)[*n]));
        for (int i = 0; i < *n; i++) {
            if ((*regions)[i].region == (*regions)[*n].region &&
                strcmp((*regions)[i].run, (*regions)[*n].run) == 0) {
                return HG_FAIL(HG_E_INPUT,
                               "'%s', line %d: region %lld of run '%s' is listed twice", path,
                               line, (long long)(*regions)[*n].region, (*regions)[*n].run);
            }
        }
        ++*n;
    }
    return *n > 0 ? HG_OK : HG_FAIL(HG_E_INPUT, "region table '%s' has no regions", path);
}

hg_status
hg_regions_read(const hg_comm *comm, const char *path, const char *run, int *n,
                hg_region **regions)
{
    hg_text text = {0};
    hg_status status = HG_OK;

    *n = 0;
    *regions = NULL;
    if (comm->rank == 0) {
        status = hg_text_read(path, &text);
        if (status == HG_OK && text.data == NULL) {
            status = HG_FAIL(HG_E_INPUT, "region table '%s' is empty", path);
        }
        if (status == HG_OK) {
            status = parse_table(path, text.data, run, n, regions);
        }
        hg_text_clear(&text);
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
        double d = position[k] - region->centre[k];

        if (isfinite(box)) {
            d -= box * round(d / box);
        }
        sum += d * d;
    }
    return !isfinite(region->radius) || sum <= region->radius * region->radius;
}
