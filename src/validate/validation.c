/* Rows are read as training reads them, then gathered: each fold needs nearly all of them. */
#include "validate/validation.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "emulate/train.h"
#include "halograft/log.h"

static bool
is_by(const hg_params *params, const char *name)
{
    return strcmp(params->validate.by, name) == 0;
}

static hg_status
make_coarser(const void *context, const hg_table *table, const uint64_t key[],
             const uint64_t place[], size_t stride, double value[])
{
    return hg_coarsening_evaluate(context, table, key, place, stride, value);
}

/* Which further values are wanted, as recipes in the order of the enumeration. */
static hg_status
list_extras(const hg_params *params, hg_validation *v)
{
    const hg_params_validate *p = &params->validate;
    char place[16];
    const struct {
        const char *name, *text;
        bool is_optional;
    } all[HG_EXTRA_COUNT] = {
        {"mass", p->mass != NULL ? p->mass : "m200c | log10", p->mass == NULL},
        {"central", p->central, !hg_params_given(params, "Validate", "central")},
        {"overdensity", p->overdensity, false},
        {"place", is_by(params, "slabs") ? place : NULL, false},
        {"fold", is_by(params, "column") ? p->column : NULL, false},
        {"particles", v->coarsening.n > 0 ? p->particles_of : NULL, false},
        {"speed_radius", v->coarsening.n > 0 && p->softening > 0 ? "r_vmax" : NULL, false},
    };
    hg_entries *entries = NULL;
    hg_status status;

    snprintf(place, sizeof place, "position[%d]", p->axis[0] - 'x');
    if (is_by(params, "column") && p->column == NULL) {
        return HG_FAIL(HG_E_PARAM,
                       "Validate.by is 'column': give the expression for the number "
                       "of the fold in Validate.column");
    }
    HG_TRY(hg_mem_zeros(&entries, 1, sizeof *entries));
    for (int i = 0; i < HG_EXTRA_COUNT; i++) {
        v->slot[i] = -1;
        if (all[i].text != NULL) {
            v->slot[i] = entries->n;
            v->extras.optional[entries->n] = all[i].is_optional;
            entries->v[entries->n++] = (hg_entry){.name = all[i].name, .text = all[i].text};
        }
    }
    status = hg_recipes_parse(entries, "Validate", &v->extras.set);
    hg_mem_free(entries);
    v->extras.n_more = v->coarsening.n_value;
    v->extras.more = make_coarser;
    v->extras.context = &v->coarsening;
    return status;
}

double
hg_validation_extra_of(const hg_validation *v, hg_validation_extra which, int64_t row)
{
    return v->slot[which] >= 0 ? v->rows.extra[row * v->rows.n_extra + v->slot[which]]
                               : (double)NAN;
}

/* Mass by Validate.mass, else by m200c, else the first feature. */
static hg_status
find_masses(hg_validation *v)
{
    const hg_training_rows *r = &v->rows;
    bool is_known = true;

    HG_TRY(hg_mem_array(&v->mass, (size_t)r->n, sizeof *v->mass));
    for (int64_t i = 0; i < r->n; i++) {
        v->mass[i] = hg_validation_extra_of(v, HG_EXTRA_MASS, i);
        is_known = is_known && isfinite(v->mass[i]);
        v->has_central =
            v->has_central || isfinite(hg_validation_extra_of(v, HG_EXTRA_CENTRAL, i));
    }
    v->has_overdensity = v->slot[HG_EXTRA_OVERDENSITY] >= 0;
    snprintf(v->mass_name, sizeof v->mass_name, "%.60s",
             v->params->validate.mass != NULL ? v->params->validate.mass : "log10 m200c");
    if (!is_known) {
        snprintf(v->mass_name, sizeof v->mass_name, "%.60s", v->features.spec[0].name);
        for (int64_t i = 0; i < r->n; i++) {
            v->mass[i] = (double)r->x[i * v->features.n];
        }
    }
    return HG_OK;
}

double
hg_validation_truth(const hg_validation *v, int64_t row, int target)
{
    return v->rows.y[row * v->targets.n + target];
}

/* Draws of residuals need trees that did not see a row. */
hg_status
hg_validation_check_draws(const hg_validation *v)
{
    const hg_params *params = v->params;
    const char *method = params->scatter.method;

    if (params->validate.draws == 0 || strcmp(method, "none") == 0) {
        return HG_OK;
    }
    if (params->validate.draws == 1) {
        return HG_FAIL(HG_E_PARAM,
                       "one draw of a halo cannot be scored: set Validate.draws to 2 "
                       "or more, or to 0");
    }
    if (strcmp(method, "twins") == 0) {
        return HG_FAIL(HG_E_PARAM, "draws of twins are not the whole scatter and cannot be "
                                   "validated: set Scatter.method to another, or "
                                   "Validate.draws to 0");
    }
    if (v->options.bag == HG_BAG_NONE && strcmp(method, "leaf-value") != 0) {
        return HG_FAIL(
            HG_E_PARAM,
            "models with Model.bag: none have no out-of-bag data, and Scatter.method "
            "'%s' draws from it: set it to leaf-value, or Validate.draws to 0, or "
            "give the model a bag",
            method);
    }
    return HG_OK;
}

hg_status
hg_validation_open(const hg_comm *comm, const hg_params *params, hg_validation *v)
{
    hg_status status;
    int64_t n_read;

    *v = (hg_validation){.params = params};
    status = hg_train_recipes(params, &v->features, &v->targets, v->role);
    if (status == HG_OK) {
        status = hg_coarsening_open(params, &v->features, &v->coarsening);
    }
    if (status == HG_OK) {
        status = list_extras(params, v);
    }
    HG_TRY(hg_comm_agree(comm, status));
    hg_phase_start("validate: read");
    status =
        hg_training_rows_trace(comm, params, &v->features, &v->targets, &v->extras, &v->rows);
    if (status == HG_OK) {
        n_read = v->rows.n_read;
        hg_comm_sum(comm, 1, &n_read);
        status = hg_training_rows_gather(comm, v->features.n, v->targets.n, &v->rows);
    }
    hg_phase_stop("validate: read");
    HG_TRY(status);
    hg_log_info("validate: %" PRId64 " of %" PRId64 " rows are used", v->rows.n, n_read);
    if (v->rows.n == 0) {
        return HG_FAIL(HG_E_INPUT,
                       "no rows are left to validate with: check Selection.train, the "
                       "regions' radii and Zooms.contamination_max");
    }
    v->options = hg_train_tree_options(params, v->rows.has_group);
    return hg_comm_agree(comm, find_masses(v));
}

void
hg_validation_close(hg_validation *v)
{
    hg_training_rows_clear(&v->rows);
    hg_coarsening_clear(&v->coarsening);
    hg_recipes_clear(&v->extras.set);
    hg_recipes_clear(&v->targets);
    hg_recipes_clear(&v->features);
    hg_mem_free(v->mass);
    *v = (hg_validation){0};
}

void
hg_validation_entry_name(const hg_validation *v, int target, bool is_label, size_t n,
                         char name[])
{
    snprintf(name, n, "%.56s%s", v->targets.spec[target].name,
             is_label && !v->role[target].is_label ? " open" : "");
}
