/* Every rank reads its parts of all catalogues and keeps one row of numbers per halo: log mass,
 * which half it belongs to, and the features. Rank 0 gathers them; the parent is thinned evenly
 * before, so that this fits. */
#include "emulate/feature_sample.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "emulate/baryons.h"
#include "emulate/sidecars.h"
#include "features/run_catalogues.h"
#include "suite/recipes.h"
#include "suite/regions.h"

enum { SAMPLE = 1 << 20 };

typedef struct work {
    const hg_params *params;
    hg_run_catalogues members;
    hg_sidecars sidecars;
    hg_feature_sample *sample;
    bool is_loud;
    hg_expression *selection; /* NULL = all rows */
    hg_names names;
    double factor; /* of the parent's m_dm */
} work;

static const hg_catalog *
parent_of(const work *w)
{
    return w->members.member[0].catalog;
}

/* The first catalogue that lacks a column, or NULL. */
static const hg_run_catalogue *
find_lack(const work *w, const char *name)
{
    char base[HG_NAME_MAX]; /* of "position[0]" */

    snprintf(base, sizeof base, "%.*s", (int)strcspn(name, "["), name);
    for (int i = 0; i < w->members.n; i++) {
        const hg_catalog *catalog = w->members.member[i].catalog;

        if (strcmp(name, HG_CATALOG_ROW) != 0 && strcmp(name, "redshift") != 0 &&
            hg_catalog_find(catalog, base) == NULL) {
            return &w->members.member[i];
        }
    }
    return NULL;
}

static const char *
find_lacking(const work *w, const hg_names *names, const hg_run_catalogue **who)
{
    for (int i = 0; i < names->n; i++) {
        *who = find_lack(w, names->v[i]);
        if (*who != NULL) {
            return names->v[i];
        }
    }
    return NULL;
}

static void
list_columns(const work *w)
{
    static const char *const titles[] = {
        "shared columns:", "only in the parent:", "not in the parent:"};
    const hg_catalog *parent = parent_of(w);

    for (int kind = 0; kind < 3; kind++) {
        const hg_catalog *from =
            kind < 2 || w->members.n < 2 ? parent : w->members.member[1].catalog;

        printf("%s", titles[kind]);
        for (int i = 0; i < hg_catalog_n_column(from); i++) {
            const char *name = hg_catalog_column(from, i)->name;

            if (kind == 2 ? hg_catalog_find(parent, name) == NULL
                          : (find_lack(w, name) == NULL) == (kind == 0)) {
                printf(" %s", name);
            }
        }
        printf("\n");
    }
}

/* Features that all catalogues can compute, and a line on each of the others. */
static hg_status
choose_features(work *w)
{
    hg_feature_sample *s = w->sample;

    for (int f = 0; f < s->features.n && f < HG_FEATURE_SAMPLE_MAX; f++) {
        hg_recipes one = {
            .n = 1, .recipe = &s->features.recipe[f], .spec = &s->features.spec[f]};
        const hg_run_catalogue *who = NULL;
        hg_names names = {.n = 0};
        const char *lack;

        HG_TRY(hg_names_add_recipes(&names, &one));
        lack = find_lacking(w, &names, &who);
        if (lack == NULL) {
            s->use[s->n_use++] = f;
            HG_TRY(hg_names_add_recipes(&w->names, &one));
        } else if (w->is_loud) {
            printf("not shared: feature '%s' needs '%s', which '%s' has not\n",
                   s->features.recipe[f].name, lack, who->name);
        }
    }
    return HG_OK;
}

static hg_status
choose_selection(work *w)
{
    const hg_params_selection *s = &w->params->selection;
    const char *text = s->apply != NULL ? s->apply : s->train;
    const hg_run_catalogue *who = NULL;
    hg_names names = {.n = 0};
    const char *lack;

    if (text == NULL) {
        return HG_OK;
    }
    HG_TRY(hg_expression_create(text, &w->selection));
    HG_TRY(hg_names_add_expression(&names, w->selection));
    lack = find_lacking(w, &names, &who);
    if (lack == NULL) {
        return hg_names_add_expression(&w->names, w->selection);
    }
    if (w->is_loud) {
        printf("rows are not selected: '%s' needs '%s', which '%s' has not\n", text, lack,
               who->name);
    }
    hg_expression_free(w->selection);
    w->selection = NULL;
    return HG_OK;
}

static hg_status
plan(work *w)
{
    const char *mass = w->params->match.mass;
    const hg_run_catalogue *who = find_lack(w, mass);

    if (who != NULL) {
        return HG_FAIL(HG_E_NOTFOUND,
                       "'%s' has no column '%s', the mass at which haloes are compared: name "
                       "another in Match.mass",
                       who->name, mass);
    }
    w->names.n = 0;
    HG_TRY(hg_names_add(&w->names, mass));
    HG_TRY(hg_recipes_parse(&w->params->features, "Features", &w->sample->features));
    HG_TRY(choose_features(w));
    return choose_selection(w);
}

/* Rows of a table that count: inside the region, clean, selected, and in the sample. */
static hg_status
cut_rows(const work *w, const hg_run_catalogue *m, int64_t step, const hg_table *table,
         uint8_t keep[])
{
    const hg_column *contamination = hg_table_find(table, "f_contam");
    const int64_t *row = hg_table_i64(table, HG_CATALOG_ROW);

    for (int64_t i = 0; i < table->n; i++) {
        keep[i] = row[i] % step == 0 &&
                  (contamination == NULL ||
                   hg_column_value(contamination, i, 0) <= w->params->zooms.contamination_max);
    }
    hg_region_cut(m->region, table, keep);
    for (int k = 0; k < HG_DERIVED_KINDS; k++) {
        if (w->sidecars.used[k]) { /* haloes without environment or history do not train */
            (void)hg_derived_cut(&w->sidecars.derived[k], table, keep);
        }
    }
    return hg_expression_keep(w->selection, table, keep);
}

static hg_status
take_rows(const work *w, const hg_table *table, hg_feature_rows *s)
{
    const hg_column *mass = hg_table_find(table, w->params->match.mass);
    const int64_t *row = hg_table_i64(table, HG_CATALOG_ROW);
    const int width = 2 + w->sample->n_use;
    float *to;
    double *value = NULL;
    hg_status status;

    HG_TRY(hg_mem_resize(&s->row, (size_t)(s->n + table->n) * (size_t)width, sizeof *s->row));
    HG_TRY(hg_mem_array(&value, (size_t)table->n, sizeof *value));
    to = s->row + s->n * width;
    for (int64_t i = 0; i < table->n; i++) {
        to[i * width] = (float)log10(hg_column_value(mass, i, 0));
        to[i * width + 1] = (float)(row[i] / 7 % 2);
    }
    status = HG_OK;
    for (int f = 0; f < w->sample->n_use && status == HG_OK; f++) {
        status =
            hg_recipe_evaluate(&w->sample->features.recipe[w->sample->use[f]], table, 1, value);
        for (int64_t i = 0; i < table->n && status == HG_OK; i++) {
            to[i * width + 2 + f] = (float)value[i];
        }
    }
    s->n += table->n;
    hg_mem_free(value);
    return status;
}

static hg_status
read_member(const hg_comm *comm, work *w, const hg_run_catalogue *m, hg_feature_rows *s)
{
    const bool is_parent = m->of == HG_SIDECAR_PARENT;
    const int64_t n_row = hg_catalog_n_row(m->catalog);
    const int64_t step = n_row / SAMPLE + 1;
    hg_names names = w->names;
    hg_status status = HG_OK;

    HG_TRY(hg_names_add(&names, HG_CATALOG_ROW));
    if (m->region != NULL && isfinite(m->region->radius)) {
        HG_TRY(hg_names_add(&names, "position"));
    }
    if (!is_parent && hg_catalog_find(m->catalog, "f_contam") != NULL) {
        HG_TRY(hg_names_add(&names, "f_contam"));
    }
    for (int64_t part = comm->rank; part < hg_catalog_n_part(m->catalog) && status == HG_OK;
         part += comm->size) {
        hg_table table = {.frame = *hg_catalog_frame(m->catalog)};
        uint8_t *keep = NULL;

        status = hg_catalog_read(m->catalog, part, names.n, names.p, &table);
        if (status == HG_OK) {
            status = hg_mem_array(&keep, (size_t)table.n, 1);
        }
        if (status == HG_OK) {
            status = cut_rows(w, m, step, &table, keep);
        }
        if (status == HG_OK) {
            hg_table_keep(&table, keep);
            hg_baryons_scale(&table, is_parent && w->factor > 0 ? w->factor : 1);
            status = take_rows(w, &table, s);
        }
        hg_mem_free(keep);
        hg_table_clear(&table);
    }
    if (status != HG_OK && strstr(hg_error_last()->message, m->name) == NULL) {
        hg_error_prefix("'%s': ", m->name);
    }
    return hg_comm_agree(comm, status);
}

/* Rank 0 holds all rows from here on, the others none. */
static hg_status
gather(const hg_comm *comm, int n_use, hg_feature_rows *rows)
{
    hg_feature_rows all = {0};
    const hg_status status = hg_comm_gather_rows(
        comm, rows->n, (size_t)(2 + n_use) * sizeof *rows->row, rows->row, &all.n, &all.row);

    hg_mem_free(rows->row);
    *rows = (hg_feature_rows){0};
    if (comm->rank == 0 && status == HG_OK) {
        *rows = all;
    } else {
        hg_mem_free(all.row);
    }
    return status;
}

static hg_status
read_all(const hg_comm *comm, work *w)
{
    hg_feature_sample *s = w->sample;

    HG_TRY(hg_comm_agree(comm, hg_sidecars_parse(w->params, &w->sidecars)));
    HG_TRY(hg_run_catalogues_open(comm, w->params, &w->members));
    s->parent_identity = hg_catalog_identity(parent_of(w));
    for (int i = 0; i < w->members.n; i++) {
        hg_run_catalogue *m = &w->members.member[i];

        HG_TRY(hg_sidecars_join(comm, w->params, &w->sidecars, m->region,
                                m->of == HG_SIDECAR_TWIN, m->of == HG_SIDECAR_PARENT,
                                m->catalog));
    }
    if (w->is_loud) {
        list_columns(w);
    }
    HG_TRY(hg_comm_agree(comm, plan(w)));
    w->factor = 1;
    if (w->members.n > 1 && strcmp(w->params->parent.baryon_factor, "auto") == 0) {
        w->factor = hg_baryons_factor(hg_catalog_frame(w->members.member[1].catalog),
                                      hg_catalog_frame(parent_of(w)));
    }
    if (w->is_loud && w->factor != 1) {
        printf("m_dm of the parent, which has no baryons, times %.4f (1 - Omega_b/Omega_m)\n",
               w->factor);
    }
    for (int i = 0; i < w->members.n; i++) {
        HG_TRY(read_member(comm, w, &w->members.member[i], i == 0 ? &s->parent : &s->zooms));
    }
    HG_TRY(gather(comm, s->n_use, &s->zooms));
    return gather(comm, s->n_use, &s->parent);
}

hg_status
hg_feature_sample_read(const hg_comm *comm, const hg_params *params, bool is_loud,
                       hg_feature_sample *sample)
{
    work *w = NULL;
    hg_status status;

    *sample = (hg_feature_sample){0};
    status = hg_comm_agree(comm, hg_mem_zeros(&w, 1, sizeof *w));
    if (status == HG_OK) {
        w->params = params;
        w->sample = sample;
        w->is_loud = is_loud && comm->rank == 0;
        status = read_all(comm, w);
    }
    if (w != NULL) {
        hg_run_catalogues_clear(&w->members);
        hg_sidecars_clear(&w->sidecars);
        hg_expression_free(w->selection);
    }
    hg_mem_free(w);
    return status;
}

void
hg_feature_sample_clear(hg_feature_sample *sample)
{
    hg_recipes_clear(&sample->features);
    hg_mem_free(sample->zooms.row);
    hg_mem_free(sample->parent.row);
    *sample = (hg_feature_sample){0};
}

hg_status
hg_feature_sample_pick(const hg_feature_rows *rows, int n_use, int f, hg_massed **halo)
{
    HG_TRY(hg_mem_array(halo, (size_t)rows->n + 1, sizeof **halo));
    for (int64_t i = 0; i < rows->n; i++) {
        const float *row = rows->row + i * (2 + n_use);

        (*halo)[i] = (hg_massed){row[0], row[2 + f], row[1] > 0};
    }
    return HG_OK;
}
