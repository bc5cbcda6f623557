/* Bins of mass lie on multiples of their width, so that runs can be compared; quarters of the
 * overdensity follow the rows at hand. */
#include "validate/subsets.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/order.h"

static hg_status
add_cut(hg_cuts *cuts, const char *name, const char *x_name, int n, int64_t n_row, hg_cut **cut)
{
    hg_cut *c = &cuts->cut[cuts->n++];

    snprintf(c->name, sizeof c->name, "%s", name);
    snprintf(c->x_name, sizeof c->x_name, "%s", x_name);
    c->n = n;
    *cut = c;
    HG_TRY(hg_mem_zeros(&c->bin, (size_t)n_row, sizeof *c->bin));
    return hg_mem_zeros(&c->x, 3 * (size_t)n, sizeof *c->x);
}

static void
set_edges(hg_cut *c, int bin, double low, double high)
{
    c->x[bin] = 0.5 * (low + high);
    c->x[c->n + bin] = low;
    c->x[2 * c->n + bin] = high;
}

static hg_status
cut_by_mass(const hg_validation *v, hg_cuts *cuts)
{
    const double width = v->params->validate.mass_width;
    const int64_t n = v->rows.n;
    double low = (double)INFINITY, high = -(double)INFINITY, n_bin;
    hg_cut *c;

    for (int64_t i = 0; i < n; i++) {
        low = fmin(low, floor(v->mass[i] / width));
        high = fmax(high, floor(v->mass[i] / width));
    }
    n_bin = high - low + 1;
    if (!(n_bin <= HG_CUT_BINS_MAX)) {
        return HG_FAIL(HG_E_PARAM,
                       "Validate.mass_width of %g makes %.0f bins of '%s': take wider ones, or "
                       "a recipe with a logarithm in Validate.mass",
                       width, n_bin, v->mass_name);
    }
    HG_TRY(add_cut(cuts, "mass", v->mass_name, (int)n_bin, n, &c));
    for (int64_t i = 0; i < n; i++) {
        c->bin[i] = (int)(floor(v->mass[i] / width) - low);
    }
    for (int b = 0; b < c->n; b++) {
        set_edges(c, b, (low + b) * width, (low + b + 1) * width);
    }
    return HG_OK;
}

static hg_status
cut_by_kind(const hg_validation *v, hg_cuts *cuts)
{
    hg_cut *c;

    HG_TRY(add_cut(cuts, "kind", "0 centrals, 1 satellites", 2, v->rows.n, &c));
    for (int64_t i = 0; i < v->rows.n; i++) {
        const double central = hg_validation_extra_of(v, HG_EXTRA_CENTRAL, i);

        c->bin[i] = isnan(central) ? -1 : central == 0;
    }
    set_edges(c, 1, 1, 1);
    return HG_OK;
}

static hg_status
cut_by_overdensity(const hg_validation *v, hg_cuts *cuts)
{
    const int64_t n = v->rows.n;
    double *sorted = NULL, edge[5];
    hg_cut *c;

    HG_TRY(add_cut(cuts, "overdensity", "overdensity", 4, n, &c));
    HG_TRY(hg_mem_array(&sorted, (size_t)n, sizeof *sorted));
    for (int64_t i = 0; i < n; i++) {
        sorted[i] = hg_validation_extra_of(v, HG_EXTRA_OVERDENSITY, i);
    }
    qsort(sorted, (size_t)n, sizeof *sorted, hg_order_f64);
    for (int q = 0; q <= 4; q++) {
        edge[q] = sorted[q * (n - 1) / 4];
    }
    hg_mem_free(sorted);
    for (int64_t i = 0; i < n; i++) {
        const double x = hg_validation_extra_of(v, HG_EXTRA_OVERDENSITY, i);

        c->bin[i] = (x >= edge[1]) + (x >= edge[2]) + (x >= edge[3]);
    }
    for (int q = 0; q < 4; q++) {
        set_edges(c, q, edge[q], edge[q + 1]);
    }
    return HG_OK;
}

static hg_status
cut_by_region(const hg_validation *v, hg_cuts *cuts)
{
    const int64_t n = v->rows.n;
    int64_t *number = NULL, n_number = 0;
    hg_status status = HG_OK;
    hg_cut *c;

    HG_TRY(hg_mem_array(&number, (size_t)n, sizeof *number));
    memcpy(number, v->rows.number, (size_t)n * sizeof *number);
    qsort(number, (size_t)n, sizeof *number, hg_order_i64);
    for (int64_t i = 0; i < n; i++) {
        if (i == 0 || number[i] != number[n_number - 1]) {
            number[n_number++] = number[i];
        }
    }
    if (n_number > 1 && n_number <= HG_CUT_BINS_MAX) {
        HG_TRY_OR(done, status,
                  add_cut(cuts, "region", "number of the region", (int)n_number, n, &c));
        for (int64_t i = 0; i < n; i++) {
            const int64_t *found = bsearch(&v->rows.number[i], number, (size_t)n_number,
                                           sizeof *number, hg_order_i64);

            c->bin[i] = (int)(found - number);
        }
        for (int b = 0; b < c->n; b++) {
            set_edges(c, b, (double)number[b], (double)number[b]);
        }
    }
done:
    hg_mem_free(number);
    return status;
}

hg_status
hg_cuts_make(const hg_folds *folds, hg_cuts *cuts)
{
    const hg_validation *v = folds->validation;
    hg_cut *c;

    *cuts = (hg_cuts){0};
    HG_TRY(add_cut(cuts, "all", "", 1, v->rows.n, &c));
    HG_TRY(cut_by_mass(v, cuts));
    if (v->has_central) {
        HG_TRY(cut_by_kind(v, cuts));
    }
    if (v->has_overdensity) {
        HG_TRY(cut_by_overdensity(v, cuts));
    }
    HG_TRY(cut_by_region(v, cuts));
    if (folds->n <= HG_CUT_BINS_MAX) {
        HG_TRY(add_cut(cuts, "fold", "number of the fold", folds->n, v->rows.n, &c));
        memcpy(c->bin, folds->of, (size_t)v->rows.n * sizeof *c->bin);
        for (int b = 0; b < c->n; b++) {
            set_edges(c, b, b, b);
        }
    }
    return HG_OK;
}

void
hg_cut_name(const hg_cut *cut, int bin, size_t n, char text[])
{
    const double *low = cut->x + cut->n, *high = low + cut->n;

    if (strcmp(cut->name, "all") == 0) {
        snprintf(text, n, "all");
    } else if (strcmp(cut->name, "kind") == 0) {
        snprintf(text, n, bin == 0 ? "centrals" : "satellites");
    } else if (low[bin] < high[bin]) {
        snprintf(text, n, "%s %g to %g", cut->name, low[bin], high[bin]);
    } else {
        snprintf(text, n, "%s %g", cut->name, cut->x[bin]);
    }
}

void
hg_cuts_clear(hg_cuts *cuts)
{
    for (int i = 0; i < cuts->n; i++) {
        hg_mem_free(cuts->cut[i].bin);
        hg_mem_free(cuts->cut[i].x);
    }
    *cuts = (hg_cuts){0};
}
