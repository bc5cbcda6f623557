/* Names follow from quantity and epoch: m_bound_z1, m_bound_z0p5, m_bound_a0p25, m_bound_peak,
 * m_bound_peak_scale, m_bound_half_scale; the point of a number is written p. */
#include "features/history_recipe.h"

#include <stdio.h>
#include <string.h>

#include "catalog/layout.h"
#include "features/history.h"

static hg_status
add_column(hg_history_recipe *h, hg_history_kind kind, int quantity, double scale,
           const char *end, const char *what)
{
    const char *name = h->param->columns.v[quantity];
    const hg_layout_entry *known = hg_layout_find(name);
    hg_history_column *c = &h->column[h->n_column];
    char own[HG_NAME_MAX];
    const bool is_value = kind == HG_HISTORY_EPOCH || kind == HG_HISTORY_PEAK;

    if (h->n_column == HG_HISTORY_MAX) {
        return HG_FAIL(HG_E_PARAM, "section History asks for more than %d columns",
                       HG_HISTORY_MAX);
    }
    if (snprintf(own, sizeof own, "%s_%s", name, end) >= HG_NAME_MAX) {
        return HG_FAIL(HG_E_PARAM, "History.columns: '%s' is too long a name", name);
    }
    for (char *p = own + strlen(name); *p != '\0'; p++) {
        *p = *p == '.' ? 'p' : *p == '-' ? 'm' : *p;
    }
    for (int i = 0; i < h->n_column; i++) {
        if (strcmp(h->column[i].output.name, own) == 0) {
            return HG_FAIL(HG_E_PARAM, "section History asks twice for the column '%s'", own);
        }
    }
    *c = (hg_history_column){.kind = kind, .quantity = quantity, .scale = scale};
    memcpy(c->output.name, own, sizeof own);
    snprintf(c->output.unit, HG_UNIT_MAX, "%s", is_value && known != NULL ? known->unit : "");
    snprintf(c->output.description, sizeof c->output.description,
             "%.40s of the main branch: %s", name, what);
    snprintf(c->output.path, sizeof c->output.path, "SOAP/History/%s", own);
    h->n_column++;
    return HG_OK;
}

static hg_status
add_epochs(hg_history_recipe *h, int quantity)
{
    const hg_params_history *p = h->param;
    char end[40], what[80];

    for (int i = 0; i < p->redshifts.n; i++) {
        snprintf(end, sizeof end, "z%g", p->redshifts.v[i]);
        snprintf(what, sizeof what, "at redshift %g", p->redshifts.v[i]);
        HG_TRY(
            add_column(h, HG_HISTORY_EPOCH, quantity, 1 / (1 + p->redshifts.v[i]), end, what));
    }
    for (int i = 0; i < p->scales.n; i++) {
        snprintf(end, sizeof end, "a%g", p->scales.v[i]);
        snprintf(what, sizeof what, "at scale factor %g", p->scales.v[i]);
        HG_TRY(add_column(h, HG_HISTORY_EPOCH, quantity, p->scales.v[i], end, what));
    }
    if (!p->peaks) {
        return HG_OK;
    }
    HG_TRY(add_column(h, HG_HISTORY_PEAK, quantity, 0, "peak", "largest value"));
    HG_TRY(add_column(h, HG_HISTORY_PEAK_SCALE, quantity, 0, "peak_scale",
                      "scale factor of the largest value"));
    return add_column(h, HG_HISTORY_HALF_SCALE, quantity, 0, "half_scale",
                      "scale factor at half of the last value");
}

hg_status
hg_history_parse(const hg_params *params, hg_history_recipe *h)
{
    const hg_params_history *p = &params->history;

    *h = (hg_history_recipe){.param = p};
    if (p->files.n == 0 && p->zooms.n == 0) {
        return HG_OK;
    }
    if (p->columns.n < 1 || p->columns.n > HG_BRANCH_VALUES) {
        return HG_FAIL(HG_E_PARAM,
                       "History.columns must list 1 to %d quantities, the mass first",
                       HG_BRANCH_VALUES);
    }
    h->n_quantity = p->columns.n;
    for (int q = 0; q < h->n_quantity; q++) {
        HG_TRY(add_epochs(h, q));
    }
    if (h->n_column == 0) {
        return HG_FAIL(HG_E_PARAM, "section History asks for no column: list redshifts or "
                                   "scales, or set peaks");
    }
    return HG_OK;
}

hg_status
hg_history_write(const hg_history_recipe *h, hg_text *text)
{
    HG_TRY(hg_text_add(text, "mass: %s\nphantoms: %s\ncolumns:", h->param->columns.v[0],
                       h->param->phantoms));
    for (int i = 0; i < h->n_column; i++) {
        HG_TRY(hg_text_add(text, " %s", h->column[i].output.name));
    }
    return hg_text_add(text, "\n");
}

void
hg_history_fill(const void *recipe, int n, const double scale[], const double value[],
                float out[])
{
    const hg_history_recipe *h = recipe;
    hg_peak peak[HG_BRANCH_VALUES];

    for (int q = 0; q < h->n_quantity; q++) {
        peak[q] = hg_branch_peak(&(hg_branch){n, scale, value + (size_t)q * (size_t)n});
    }
    for (int c = 0; c < h->n_column; c++) {
        const hg_history_column *column = &h->column[c];
        const hg_peak *p = &peak[column->quantity];
        const hg_branch branch = {n, scale, value + (size_t)column->quantity * (size_t)n};
        double x = column->kind == HG_HISTORY_PEAK         ? p->value
                   : column->kind == HG_HISTORY_PEAK_SCALE ? p->scale
                                                           : p->half_scale;

        if (column->kind == HG_HISTORY_EPOCH) {
            hg_branch_at(&branch, 1, &column->scale, &x);
        }
        out[c] = (float)x;
    }
}
