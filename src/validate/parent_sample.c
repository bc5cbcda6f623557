/* Every rank reads its parts and keeps a share of their haloes; all ranks get all of them,
 * sorted by row. The share is that of the catalogue before the selection, so that one pass is
 * enough. */
#include "validate/parent_sample.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/order.h"
#include "base/random.h"
#include "emulate/baryons.h"
#include "emulate/sidecars.h"
#include "halograft/log.h"
#include "store/publish.h"
#include "suite/paths.h"
#include "table/split.h"

enum { MASS, DENSITY, EXTRAS };

/* What is read of what. */
struct work {
    const hg_validation *v;
    hg_catalog *catalog;
    hg_expression *selection; /* NULL = all */
    const char *pick;         /* NULL = a random sample */
    hg_expression *picked;
    int64_t most; /* that may be picked */
    hg_recipe extra[EXTRAS];
    bool has[EXTRAS];
    hg_names names;
    double factor, share; /* of m_dm; of the haloes */
    int width;            /* doubles per halo: row, extras, features */
    int64_t n, n_all;
    double *halo; /* shape (n, width) */
};

/* The extras that the parent has the columns of; a mass that is the first feature is none. */
static hg_status
choose_extras(struct work *w)
{
    const hg_params_validate *p = &w->v->params->validate;
    const char *text[EXTRAS] = {p->mass != NULL ? p->mass : "m200c | log10", p->overdensity};

    w->has[MASS] = strcmp(w->v->mass_name, w->v->features.spec[0].name) != 0;
    w->has[DENSITY] = text[DENSITY] != NULL;
    for (int k = 0; k < EXTRAS; k++) {
        hg_names names = {.n = 0};

        if (!w->has[k]) {
            continue;
        }
        HG_TRY(hg_recipe_parse(k == MASS ? "mass" : "overdensity", text[k], &w->extra[k]));
        HG_TRY(hg_names_add_recipes(&names, &(hg_recipes){.n = 1, .recipe = &w->extra[k]}));
        w->has[k] = k == MASS || hg_names_check(&names, w->catalog, "the sample") == HG_OK;
        for (int i = 0; i < names.n && w->has[k]; i++) {
            HG_TRY(hg_names_add(&w->names, names.v[i]));
        }
    }
    return HG_OK;
}

static hg_status
plan(struct work *w)
{
    const hg_params *p = w->v->params;
    const double factor = hg_baryons_factor(&w->v->rows.frame, hg_catalog_frame(w->catalog));

    w->width = 1 + EXTRAS + w->v->features.n;
    w->factor = strcmp(p->parent.baryon_factor, "auto") == 0 && factor > 0 ? factor : 1;
    w->share = (double)p->validate.parent_rows / (double)hg_catalog_n_row(w->catalog);
    w->share = w->pick == NULL ? fmin(1, w->share) : 1;
    if (w->pick != NULL && hg_expression_create(w->pick, &w->picked) != HG_OK) {
        hg_error_prefix("haloes of the parent: ");
        return hg_error_last()->status;
    }
    if (w->picked != NULL) {
        HG_TRY(hg_names_add_expression(&w->names, w->picked));
    }
    HG_TRY(hg_names_add_recipes(&w->names, &w->v->features));
    HG_TRY(choose_extras(w));
    if (p->selection.apply != NULL) {
        HG_TRY(hg_expression_create(p->selection.apply, &w->selection));
        HG_TRY(hg_names_add_expression(&w->names, w->selection));
    }
    HG_TRY(hg_names_check(&w->names, w->catalog, "the model"));
    return hg_names_add(&w->names, HG_CATALOG_ROW);
}

/* The haloes of a table that are selected and in the sample; of too many picked ones none. */
static hg_status
cut_rows(struct work *w, hg_table *table)
{
    const int64_t *row = hg_table_i64(table, HG_CATALOG_ROW);
    const uint64_t seed = (uint64_t)w->v->params->meta.seed;
    uint8_t *keep = NULL;
    hg_status status;

    HG_TRY_OR(end, status, hg_mem_array(&keep, (size_t)table->n, 1));
    memset(keep, 1, (size_t)table->n);
    HG_TRY_OR(end, status, hg_expression_keep(w->selection, table, keep));
    HG_TRY_OR(end, status, hg_expression_keep(w->picked, table, keep));
    for (int64_t i = 0; i < table->n; i++) {
        w->n_all += keep[i];
        keep[i] = keep[i] && hg_split_takes(hg_mix64((uint64_t)row[i]), seed, w->share) &&
                  (w->pick == NULL || w->n_all <= w->most);
    }
    hg_table_keep(table, keep);
end:
    hg_mem_free(keep);
    return status;
}

static hg_status
take_rows(struct work *w, const hg_table *table)
{
    const int64_t *row = hg_table_i64(table, HG_CATALOG_ROW);
    const size_t width = (size_t)w->width;
    double *to;

    HG_TRY(hg_mem_resize(&w->halo, (size_t)(w->n + table->n) * width, sizeof *w->halo));
    to = w->halo + (size_t)w->n * width;
    for (int64_t i = 0; i < table->n; i++) {
        to[i * w->width] = (double)row[i];
        to[i * w->width + 1 + DENSITY] = (double)NAN;
    }
    for (int k = 0; k < EXTRAS; k++) {
        if (w->has[k]) {
            HG_TRY(hg_recipe_evaluate(&w->extra[k], table, width, to + 1 + k));
        }
    }
    for (int f = 0; f < w->v->features.n; f++) {
        HG_TRY(
            hg_recipe_evaluate(&w->v->features.recipe[f], table, width, to + 1 + EXTRAS + f));
    }
    w->n += table->n;
    return HG_OK;
}

static hg_status
read_parts(const hg_comm *comm, struct work *w)
{
    hg_status status = HG_OK;

    for (int64_t part = comm->rank; part < hg_catalog_n_part(w->catalog) && status == HG_OK;
         part += comm->size) {
        hg_table table = {.frame = *hg_catalog_frame(w->catalog)};

        status = hg_catalog_read(w->catalog, part, w->names.n, w->names.p, &table);
        status = status == HG_OK ? cut_rows(w, &table) : status;
        if (status == HG_OK && table.n > 0) {
            hg_baryons_scale(&table, w->factor);
            status = take_rows(w, &table);
        }
        hg_table_clear(&table);
    }
    return status;
}

/* All haloes on all ranks, in order. */
static hg_status
gather(const hg_comm *comm, struct work *w, hg_parent_sample *s)
{
    const size_t size = (size_t)w->width * sizeof *w->halo;
    const int nf = w->v->features.n;
    double *all = NULL;
    hg_status status;

    s->n_all = w->n_all;
    hg_comm_sum(comm, 1, &s->n_all);
    if (w->pick != NULL && s->n_all > w->most) {
        return HG_FAIL(HG_E_INPUT,
                       "'%s' picks %" PRId64 " haloes of the parent, more than the %" PRId64
                       " that Explain.haloes allows",
                       w->pick, s->n_all, w->most);
    }
    HG_TRY_OR(end, status, hg_comm_gather_rows(comm, w->n, size, w->halo, &s->n, &all));
    if (s->n == 0) {
        status =
            w->pick != NULL
                ? HG_FAIL(HG_E_INPUT, "'%s' picks no halo of the parent", w->pick)
                : HG_FAIL(HG_E_INPUT, "no halo of the parent is left to compare with: check "
                                      "Selection.apply, or raise Validate.parent_rows");
        goto end;
    }
    qsort(all, (size_t)s->n, size, hg_order_f64); /* the number of the row leads */
    status = hg_mem_array(&s->row, (size_t)s->n, sizeof *s->row);
    status = status == HG_OK ? hg_mem_array(&s->mass, (size_t)s->n, sizeof *s->mass) : status;
    if (status == HG_OK && w->has[DENSITY]) {
        status = hg_mem_array(&s->density, (size_t)s->n, sizeof *s->density);
    }
    if (status == HG_OK) {
        status = hg_mem_array(&s->x, (size_t)s->n * (size_t)nf, sizeof *s->x);
    }
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    for (int64_t i = 0; i < s->n; i++) {
        const double *from = all + i * w->width;

        s->row[i] = (int64_t)from[0];
        for (int f = 0; f < nf; f++) {
            s->x[i * nf + f] = (float)from[1 + EXTRAS + f];
        }
        s->mass[i] = w->has[MASS] ? from[1 + MASS] : (double)s->x[i * nf];
        if (s->density != NULL) {
            s->density[i] = from[1 + DENSITY];
        }
    }
end:
    hg_mem_free(all);
    return status;
}

hg_status
hg_parent_sample_read(const hg_comm *comm, const hg_validation *v, const char *pick,
                      int64_t most, hg_parent_sample *s)
{
    struct work w = {.v = v, .pick = pick, .most = most};
    hg_sidecars sidecars = {0};
    hg_catalog_options options;
    char buffer[HG_PATH_MAX];
    const char *file[1];
    hg_status status;

    *s = (hg_parent_sample){0};
    hg_phase_start("validate: parent");
    status = hg_paths_parent(v->params, sizeof buffer, buffer, file, &options);
    options.rows_per_part = v->params->output.rows_per_part;
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    HG_TRY_OR(end, status, hg_catalog_open(comm, &options, &w.catalog));
    HG_TRY_OR(end, status, hg_comm_agree(comm, hg_sidecars_parse(v->params, &sidecars)));
    HG_TRY_OR(end, status,
              hg_sidecars_join(comm, v->params, &sidecars, NULL, false, true, w.catalog));
    HG_TRY_OR(end, status, hg_comm_agree(comm, plan(&w)));
    HG_TRY_OR(end, status, hg_comm_agree(comm, read_parts(comm, &w)));
    status = gather(comm, &w, s);
    if (status == HG_OK) {
        hg_log_info("validate: %" PRId64 " of the %" PRId64 " haloes of the parent", s->n,
                    s->n_all);
    }
end:
    for (int k = 0; k < EXTRAS; k++) {
        hg_recipe_clear(&w.extra[k]);
    }
    hg_expression_free(w.selection);
    hg_expression_free(w.picked);
    hg_sidecars_clear(&sidecars);
    hg_catalog_close(w.catalog);
    hg_mem_free(w.halo);
    hg_phase_stop("validate: parent");
    return status;
}

void
hg_parent_sample_clear(hg_parent_sample *s)
{
    hg_mem_free(s->row);
    hg_mem_free(s->x);
    hg_mem_free(s->mass);
    hg_mem_free(s->density);
    *s = (hg_parent_sample){0};
}
