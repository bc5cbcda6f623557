/* The parent is read three times and never held. First centrals go into a lattice whose cubes
 * of three cells a side say how dense the surroundings of a halo are; then the classes of
 * surroundings are cut so that each bin of mass falls into equal parts; then haloes and draws
 * are counted. Everything that is summed over ranks is an integer. */
#include "design/survey.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "halograft/log.h"
#include "store/publish.h"
#include "suite/paths.h"

enum { SHADES = 512 }; /* steps of log2(1 + count), 32 per octave, from which classes are cut */

hg_status
hg_design_evaluate(const hg_expression *expression, const char *what, const hg_table *table,
                   double **value)
{
    hg_status status;

    HG_TRY(hg_mem_array(value, (size_t)table->n, sizeof **value));
    status = hg_expression_evaluate(expression, table, *value);
    if (status != HG_OK) {
        hg_error_prefix("%s: ", what);
        hg_mem_free(*value);
        *value = NULL;
    }
    return status;
}

hg_status
hg_design_survey_pass(const hg_comm *comm, hg_design_survey *survey, const hg_names *names,
                      hg_design_visit visit, void *work)
{
    const hg_catalog *catalog = survey->catalog;
    hg_status status = HG_OK;

    for (int64_t part = comm->rank; part < hg_catalog_n_part(catalog) && status == HG_OK;
         part += comm->size) {
        hg_table table = {.frame = *hg_catalog_frame(catalog)};

        status = hg_catalog_read(catalog, part, names->n, names->p, &table);
        if (status == HG_OK) {
            status = visit(survey, &table, work);
        }
        hg_table_clear(&table);
    }
    return hg_comm_agree(comm, status);
}

static hg_status
list_columns(hg_design_survey *s)
{
    const char *target = s->params->design.target;

    HG_TRY(hg_expression_create(s->params->design.mass, &s->mass));
    HG_TRY(hg_expression_create(s->params->measure.central, &s->central));
    for (int d = 0; d < HG_DESIGN_DRAWS; d++) {
        const hg_column *column;

        hg_predicted_name(target, d, sizeof s->draw[d], s->draw[d]);
        column = hg_catalog_find(s->catalog, s->draw[d]);
        if (column == NULL) {
            break;
        }
        snprintf(s->unit, sizeof s->unit, "%s", column->unit);
        s->n_draw++;
    }
    if (s->n_draw == 0) {
        return HG_FAIL(HG_E_NOTFOUND,
                       "the grafted catalogue has no draws of '%s' (Design.target): apply a "
                       "model that has this target, with Scatter.draws",
                       target);
    }
    HG_TRY(hg_names_add(&s->names, "position"));
    HG_TRY(hg_names_add_expression(&s->names, s->mass));
    HG_TRY(hg_names_add_expression(&s->names, s->central));
    for (int d = 0; d < s->n_draw; d++) {
        HG_TRY(hg_names_add(&s->names, s->draw[d]));
    }
    return hg_names_check(&s->names, s->catalog, "design");
}

hg_status
hg_design_survey_open(const hg_comm *comm, const hg_params *params, hg_design_survey *survey)
{
    hg_catalog_options options, galaxies = HG_CATALOG_OPTIONS_INIT;
    char buffer[HG_PATH_MAX], name[HG_PATH_MAX], path[HG_PATH_MAX];
    const char *file[1], *grafted = path;
    hg_catalog *side = NULL;
    hg_status status;

    *survey = (hg_design_survey){.params = params};
    HG_TRY(hg_text_path(sizeof name, name, "%s.hdf5", params->output.catalogue));
    HG_TRY(hg_paths_output(params, name, sizeof path, path));
    HG_TRY(hg_paths_parent(params, sizeof buffer, buffer, file, &options));
    HG_TRY(hg_catalog_open(comm, &options, &survey->catalog));
    galaxies.n_file = 1;
    galaxies.files = &grafted;
    status = hg_catalog_open(comm, &galaxies, &side);
    if (status != HG_OK) {
        hg_error_prefix("design needs the parent with galaxies, which 'apply' makes: ");
        return status;
    }
    status = hg_catalog_join(survey->catalog, side);
    if (status != HG_OK) {
        hg_catalog_close(side);
        return hg_comm_agree(comm, status);
    }
    survey->box = hg_catalog_frame(survey->catalog)->box;
    if (!(survey->box > 0)) {
        status = HG_FAIL(HG_E_INPUT, "the parent is no periodic box, or its side is not known: "
                                     "give Parent.box");
    }
    status = status == HG_OK ? list_columns(survey) : status;
    return hg_comm_agree(comm, status);
}

void
hg_design_survey_close(hg_design_survey *survey)
{
    hg_expression_free(survey->mass);
    hg_expression_free(survey->central);
    hg_catalog_close(survey->catalog);
    hg_mem_free(survey->lattice);
    hg_mem_free(survey->flat);
    hg_mem_free(survey->peak);
    hg_mem_free(survey->edge);
    hg_mem_free(survey->halo);
    hg_mem_free(survey->around);
    hg_mem_free(survey->drawn);
    hg_mem_free(survey->inside);
    *survey = (hg_design_survey){0};
}

/* Mass, kind and place of the rows of a part. */
typedef struct rows {
    double *mass, *central;
    const hg_column *position, *draw[HG_DESIGN_DRAWS];
} rows;

static void
rows_clear(rows *r)
{
    hg_mem_free(r->mass);
    hg_mem_free(r->central);
}

static hg_status
rows_read(const hg_design_survey *s, const hg_table *table, rows *r)
{
    *r = (rows){0};
    HG_TRY(hg_design_evaluate(s->mass, "Design.mass", table, &r->mass));
    HG_TRY(hg_design_evaluate(s->central, "Measure.central", table, &r->central));
    HG_TRY(hg_table_need(table, "position", &r->position));
    for (int d = 0; d < s->n_draw; d++) {
        HG_TRY(hg_table_need(table, s->draw[d], &r->draw[d]));
    }
    return HG_OK;
}

static void
position_of(const rows *r, int64_t i, double x[3])
{
    for (int k = 0; k < 3; k++) {
        x[k] = hg_column_value(r->position, i, k);
    }
}

/* Haloes of a known mass for which the model says something. */
static bool
rows_hold(const hg_design_survey *s, const rows *r, int64_t i)
{
    bool is_known = r->mass[i] > 0 && isfinite(r->mass[i]);

    for (int d = 0; d < s->n_draw && is_known; d++) {
        is_known = !isnan(hg_column_value(r->draw[d], i, 0));
    }
    return is_known;
}

static size_t
lattice_cell(const hg_design_survey *s, const double x[3])
{
    size_t cell = 0;

    for (int k = 0; k < 3; k++) {
        int at = (int)(x[k] / s->box * s->n_side);

        at = at < 0 ? 0 : at < s->n_side ? at : s->n_side - 1;
        cell = cell * (size_t)s->n_side + (size_t)at;
    }
    return cell;
}

/* First pass: least and largest mass of the rows seen. */
static hg_status
look_at(hg_design_survey *s, const hg_table *table, void *work)
{
    const int64_t most = s->params->design.peaks;
    double *range = work;
    rows r;
    hg_status status = rows_read(s, table, &r);

    if (status == HG_OK) { /* a full list of peaks and one part more */
        status = hg_mem_resize(&s->peak, (size_t)(s->n_peak + table->n), sizeof *s->peak);
    }
    for (int64_t i = 0; i < table->n && status == HG_OK; i++) {
        double x[3];

        position_of(&r, i, x);
        if (r.central[i] > 0) {
            s->lattice[lattice_cell(s, x)]++;
            s->n_central++;
        }
        if (!rows_hold(s, &r, i)) {
            continue;
        }
        range[0] = fmin(range[0], r.mass[i]);
        range[1] = fmax(range[1], r.mass[i]);
        if (r.central[i] > 0) {
            s->peak[s->n_peak++] =
                (hg_design_peak){r.mass[i], table->first + i, {x[0], x[1], x[2]}};
        }
    }
    hg_design_peaks_keep(&s->n_peak, most, s->peak);
    rows_clear(&r);
    return status;
}

/* The steps of the target: from half a dex below what counts to 4 dex above. */
static void
choose_steps(hg_design_survey *s)
{
    const hg_params_design *d = &s->params->design;
    double least = d->least;

    for (int t = 0; t < d->thresholds.n; t++) {
        least = fmin(least, d->thresholds.v[t]);
    }
    s->fine_low = HG_DESIGN_STEP * floor(log10(least) / HG_DESIGN_STEP) - 0.5;
    s->n_fine = (int)(4.5 / HG_DESIGN_STEP);
}

/* Bins of mass and cells that a range of masses needs. */
static void
set_cells(hg_design_survey *s, const double range[2])
{
    const hg_params_design *d = &s->params->design;

    s->n_class = (int)d->environments;
    s->mass_low = floor(log10(range[0]) / d->mass_width) * d->mass_width;
    s->n_mass = 1 + (int)floor((log10(range[1]) - s->mass_low) / d->mass_width);
    s->n_cell = s->n_mass * s->n_class * 2;
}

static hg_status
range_of_part(hg_design_survey *s, int64_t part, double range[2])
{
    hg_table table = {0};
    rows r = {0};
    hg_status status;

    HG_TRY_OR(done, status, hg_catalog_read(s->catalog, part, s->names.n, s->names.p, &table));
    HG_TRY_OR(done, status, rows_read(s, &table, &r));
    for (int64_t i = 0; i < table.n; i++) {
        if (rows_hold(s, &r, i)) {
            range[0] = fmin(range[0], r.mass[i]);
            range[1] = fmax(range[1], r.mass[i]);
        }
    }
done:
    rows_clear(&r);
    hg_table_clear(&table);
    return status;
}

static int
side_of_lattice(const hg_design_survey *s)
{
    const double cell = cbrt(4 * M_PI / 3) * s->params->design.environment_radius / 3;

    return (int)fmin(HG_DESIGN_LATTICE, fmax(3, floor(s->box / cell)));
}

hg_status
hg_design_survey_foresee(const hg_comm *comm, hg_design_survey *survey)
{
    const int64_t n_part = hg_catalog_n_part(survey->catalog);
    double range[2] = {HUGE_VAL, -HUGE_VAL};
    hg_status status = HG_OK;

    if (comm->rank == 0 && n_part > 0) {
        status = range_of_part(survey, 0, range);
        if (status == HG_OK && n_part > 1) {
            status = range_of_part(survey, n_part - 1, range);
        }
    }
    HG_TRY(hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, range, sizeof range);
    survey->n_side = side_of_lattice(survey);
    choose_steps(survey);
    if (range[1] > 0) {
        set_cells(survey, range);
    }
    return HG_OK;
}

/* Sums over three neighbours along one axis, around the box. */
static void
sum_threes(int64_t n, int64_t stride, int64_t line[], int64_t copy[])
{
    for (int64_t i = 0; i < n; i++) {
        copy[i] = line[i * stride];
    }
    for (int64_t i = 0; i < n; i++) {
        line[i * stride] = copy[i] + copy[(i + 1) % n] + copy[(i + n - 1) % n];
    }
}

static hg_status
smooth_lattice(hg_design_survey *s)
{
    const int64_t n = s->n_side;
    int64_t *copy = NULL;

    HG_TRY(hg_mem_zeros(&s->flat, (size_t)(n * n), sizeof *s->flat));
    HG_TRY(hg_mem_array(&copy, (size_t)n, sizeof *copy));
    for (int64_t i = 0; i < n * n * n; i++) {
        s->flat[i / n] += s->lattice[i];
    }
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++) {
            sum_threes(n, 1, s->lattice + (i * n + j) * n, copy);
        }
    }
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++) {
            sum_threes(n, n, s->lattice + i * n * n + j, copy);
        }
    }
    for (int64_t i = 0; i < n * n; i++) {
        sum_threes(n, n * n, s->lattice + i, copy);
    }
    hg_mem_free(copy);
    return HG_OK;
}

/* Peaks of all ranks. */
static hg_status
gather_peaks(const hg_comm *comm, hg_design_survey *s)
{
    hg_design_peak *all = NULL;
    int64_t n = 0;

    HG_TRY(hg_comm_gather_rows(comm, s->n_peak, sizeof *all, s->peak, &n, &all));
    hg_mem_free(s->peak);
    s->peak = all;
    hg_design_peaks_keep(&n, s->params->design.peaks, s->peak);
    s->n_peak = n;
    return HG_OK;
}

static int
mass_bin(const hg_design_survey *s, double mass)
{
    const int bin = (int)floor((log10(mass) - s->mass_low) / s->params->design.mass_width);

    return bin < 0 ? 0 : bin < s->n_mass ? bin : s->n_mass - 1;
}

static int
shade_of(int64_t count)
{
    const int shade = (int)floor(32 * log2(1 + (double)count));

    return shade < SHADES ? shade : SHADES - 1;
}

static int64_t
around_row(const hg_design_survey *s, const double x[3])
{
    const int64_t count = s->lattice[lattice_cell(s, x)] - 1; /* without itself or its host */

    return count > 0 ? count : 0;
}

/* Second pass: how many haloes of a bin of mass have surroundings of each shade. */
static hg_status
shade_rows(hg_design_survey *s, const hg_table *table, void *work)
{
    int64_t *shade = work;
    rows r;
    hg_status status = rows_read(s, table, &r);

    for (int64_t i = 0; i < table->n && status == HG_OK; i++) {
        double x[3];

        if (rows_hold(s, &r, i)) {
            position_of(&r, i, x);
            shade[mass_bin(s, r.mass[i]) * SHADES + shade_of(around_row(s, x))]++;
        }
    }
    rows_clear(&r);
    return status;
}

/* Least shade of every class but the first, so that classes hold about equally many. */
static void
cut_classes(hg_design_survey *s, const int64_t shade[])
{
    for (int m = 0; m < s->n_mass; m++) {
        int64_t total = 0, sum = 0;
        int level = 1;

        for (int k = 0; k < SHADES; k++) {
            total += shade[m * SHADES + k];
        }
        for (int k = 0; k < SHADES && level < s->n_class; k++) {
            sum += shade[m * SHADES + k];
            while (level < s->n_class && sum * s->n_class >= total * level) {
                s->edge[m * (s->n_class - 1) + level - 1] = k + 1;
                level++;
            }
        }
    }
}

hg_status
hg_design_survey_look(const hg_comm *comm, hg_design_survey *survey)
{
    const hg_params_design *d = &survey->params->design;
    hg_design_survey *s = survey;
    double range[2] = {HUGE_VAL, -HUGE_VAL};
    int64_t *shade = NULL;
    size_t n_lattice;
    hg_status status;

    s->n_side = side_of_lattice(s);
    n_lattice = (size_t)s->n_side * (size_t)s->n_side * (size_t)s->n_side;
    status = hg_mem_zeros(&s->lattice, n_lattice, sizeof *s->lattice);
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status, hg_design_survey_pass(comm, s, &s->names, look_at, range));
    hg_comm_sum(comm, n_lattice, s->lattice);
    hg_comm_sum(comm, 1, &s->n_central);
    hg_comm_min_double(comm, 1, &range[0]);
    hg_comm_max_double(comm, 1, &range[1]);
    if (!(range[1] > 0) || s->n_central == 0) {
        return HG_FAIL(HG_E_INPUT,
                       "the parent has no haloes with '%s' above 0 and draws of "
                       "'%s', or no centrals",
                       d->mass, d->target);
    }
    HG_TRY_OR(done, status, gather_peaks(comm, s));
    set_cells(s, range);
    status = smooth_lattice(s);
    if (status == HG_OK) {
        status = hg_mem_zeros(&shade, (size_t)s->n_mass * SHADES, sizeof *shade);
    }
    if (status == HG_OK) {
        status = hg_mem_zeros(&s->edge, (size_t)(s->n_mass * s->n_class), sizeof *s->edge);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status, hg_design_survey_pass(comm, s, &s->names, shade_rows, shade));
    hg_comm_sum(comm, (size_t)s->n_mass * SHADES, shade);
    cut_classes(s, shade);
done:
    hg_mem_free(shade);
    return status;
}

static int
cell_of(const hg_design_survey *s, double mass, bool is_central, int64_t around)
{
    const int m = mass_bin(s, mass), shade = shade_of(around);
    int level = 0;

    while (level < s->n_class - 1 && shade >= s->edge[m * (s->n_class - 1) + level]) {
        level++;
    }
    return (m * s->n_class + level) * 2 + (is_central ? 0 : 1);
}

/* What the third pass needs besides the survey. */
typedef struct counting {
    const hg_design_candidates *candidates;
    int *found;
} counting;

static void
count_draws(hg_design_survey *s, const rows *r, int64_t i, int cell)
{
    for (int d = 0; d < s->n_draw; d++) {
        const double value = hg_column_value(r->draw[d], i, 0);
        const double step =
            value > 0 ? floor((log10(value) - s->fine_low) / HG_DESIGN_STEP) : -1;

        if (step >= 0) {
            s->drawn[(size_t)cell * (size_t)s->n_fine + (size_t)fmin(step, s->n_fine - 1)]++;
        }
    }
}

/* Third pass. */
static hg_status
count_rows(hg_design_survey *s, const hg_table *table, void *work)
{
    const counting *c = work;
    rows r;
    hg_status status = rows_read(s, table, &r);

    for (int64_t i = 0; i < table->n && status == HG_OK; i++) {
        double x[3];
        int64_t around;
        int cell, n;

        if (!rows_hold(s, &r, i)) {
            continue;
        }
        position_of(&r, i, x);
        around = around_row(s, x);
        cell = cell_of(s, r.mass[i], r.central[i] > 0, around);
        s->halo[cell]++;
        s->around[cell] += around;
        count_draws(s, &r, i, cell);
        n = hg_design_candidates_at(c->candidates, x, c->found);
        for (int k = 0; k < n; k++) {
            s->inside[(size_t)c->found[k] * (size_t)s->n_cell + (size_t)cell]++;
        }
    }
    rows_clear(&r);
    return status;
}

hg_status
hg_design_survey_count(const hg_comm *comm, const hg_design_candidates *candidates,
                       hg_design_survey *survey)
{
    hg_design_survey *s = survey;
    const size_t n = (size_t)s->n_cell, n_inside = (size_t)candidates->n * n;
    counting c = {candidates, NULL};
    hg_status status;

    choose_steps(s);
    HG_TRY_OR(agree, status, hg_mem_zeros(&s->halo, n, sizeof *s->halo));
    HG_TRY_OR(agree, status, hg_mem_zeros(&s->around, n, sizeof *s->around));
    HG_TRY_OR(agree, status, hg_mem_zeros(&s->drawn, n * (size_t)s->n_fine, sizeof *s->drawn));
    HG_TRY_OR(agree, status, hg_mem_zeros(&s->inside, n_inside, sizeof *s->inside));
    status = hg_mem_array(&c.found, (size_t)candidates->n, sizeof *c.found);
agree:
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status, hg_design_survey_pass(comm, s, &s->names, count_rows, &c));
    hg_comm_sum(comm, n, s->halo);
    hg_comm_sum(comm, n, s->around);
    hg_comm_sum(comm, n * (size_t)s->n_fine, s->drawn);
    hg_comm_sum(comm, n_inside, s->inside);
done:
    hg_mem_free(c.found);
    return status;
}
