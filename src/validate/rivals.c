/* Baselines see what the forest sees: the rows of its training, weighted as its training is.
 * The mean of an open value is compared on rows that are open; the rival of a label is its
 * share. */
#include "validate/rivals.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "stats/baseline.h"

/* Which feature a baseline takes; HG_RIVAL_MASS = the mass, HG_RIVAL_ALL = all features. */
enum { HG_RIVAL_MASS = -1, HG_RIVAL_ALL = -2 };

typedef struct rival {
    hg_baseline_kind kind;
    int feature;
    double strength;
} rival;

/* Features for isotonic regression. */
static hg_status
list_proxies(const hg_validation *v, int *n, int proxy[])
{
    static const char *const usual[] = {"m_bound", "vmax"};
    const hg_strings *given = &v->params->validate.proxies;

    *n = 0;
    for (int i = 0; i < given->n; i++) {
        if (*n == HG_RIVALS_MAX - 4) {
            return HG_FAIL(HG_E_PARAM, "Validate.proxies names more than %d features", *n);
        }
        HG_TRY(
            hg_recipes_feature(&v->features, "Validate.proxies", given->v[i], &proxy[(*n)++]));
    }
    for (size_t i = 0; i < sizeof usual / sizeof usual[0] && given->n == 0; i++) {
        for (int f = 0; f < v->features.n; f++) {
            if (strcmp(v->features.spec[f].name, usual[i]) == 0) {
                proxy[(*n)++] = f;
            }
        }
    }
    if (*n == 0) {
        proxy[(*n)++] = HG_RIVAL_MASS;
    }
    return HG_OK;
}

static const char *
name_of(const hg_validation *v, int proxy)
{
    return proxy >= 0 ? v->features.spec[proxy].name : "mass";
}

static hg_status
list_rivals(const hg_validation *v, int *n, rival list[], char name[][HG_RIVAL_NAME])
{
    const hg_params_validate *p = &v->params->validate;
    int proxy[HG_RIVALS_MAX] = {0}, n_proxy = 0, k = 0;

    HG_TRY(list_proxies(v, &n_proxy, proxy));
    snprintf(name[k], HG_RIVAL_NAME, "training mean");
    list[k++] = (rival){HG_BASELINE_MEAN, HG_RIVAL_MASS, 0};
    snprintf(name[k], HG_RIVAL_NAME, "line %.36s", name_of(v, proxy[0]));
    list[k++] = (rival){HG_BASELINE_LINE, proxy[0], 0};
    for (int i = 0; i < n_proxy; i++) {
        snprintf(name[k], HG_RIVAL_NAME, "isotonic %.36s", name_of(v, proxy[i]));
        list[k++] = (rival){HG_BASELINE_ISOTONIC, proxy[i], 0};
    }
    snprintf(name[k], HG_RIVAL_NAME, "matching %.36s", name_of(v, proxy[0]));
    list[k++] = (rival){HG_BASELINE_MATCHING, proxy[0], p->matching_scatter};
    snprintf(name[k], HG_RIVAL_NAME, "ridge");
    list[k++] = (rival){HG_BASELINE_RIDGE, HG_RIVAL_ALL, p->ridge};
    *n = k;
    return HG_OK;
}

hg_status
hg_rivals_list(const hg_validation *v, int *n, char name[HG_RIVALS_MAX][HG_RIVAL_NAME])
{
    rival list[HG_RIVALS_MAX];

    return list_rivals(v, n, list, name);
}

/* Arrays of the rows of one fit. */
struct fit {
    double *x, *y, *weight, *predicted;
};

/* What a baseline takes of a row. */
static void
copy_inputs(const hg_validation *v, const rival *one, int64_t row, double x[])
{
    const int nf = v->features.n;

    if (one->feature == HG_RIVAL_MASS) {
        x[0] = v->mass[row];
    } else if (one->feature >= 0) {
        x[0] = (double)v->rows.x[row * nf + one->feature];
    } else {
        for (int f = 0; f < nf; f++) {
            x[f] = (double)v->rows.x[row * nf + f];
        }
    }
}

static hg_status
fit_one(const hg_folds *folds, int fold, const rival *one, int t, int64_t n,
        const int64_t row[], struct fit *fit, double guess[], double reference[])
{
    const hg_validation *v = folds->validation;
    const int nx = one->feature == HG_RIVAL_ALL ? v->features.n : 1;
    hg_baseline *baseline = NULL;
    int64_t n_fit = 0;

    for (int64_t i = 0; i < v->rows.n; i++) {
        const double y = hg_validation_truth(v, i, t);

        if (isfinite(y) && hg_folds_train(folds, i, fold)) {
            copy_inputs(v, one, i, fit->x + n_fit * nx);
            fit->y[n_fit] = y;
            fit->weight[n_fit++] = v->params->model.weighted ? v->rows.weight[i] : 1;
        }
    }
    HG_TRY(hg_baseline_fit(v->role[t].is_label ? HG_BASELINE_MEAN : one->kind, one->strength,
                           n_fit, nx, fit->x, fit->y, fit->weight, &baseline));
    for (int64_t i = 0; i < n; i++) {
        copy_inputs(v, one, row[i], fit->x + i * nx);
    }
    hg_baseline_predict(baseline, n, fit->x, fit->predicted);
    hg_baseline_free(baseline);
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = row[i] * v->targets.n + t;

        guess[at] = fit->predicted[i];
        if (one->kind == HG_BASELINE_MEAN) {
            reference[at] = fit->predicted[i];
        }
    }
    return HG_OK;
}

hg_status
hg_rivals_fill(const hg_folds *folds, int fold, int64_t n, const int64_t row[], double guess[],
               double reference[])
{
    const size_t n_all = (size_t)folds->validation->rows.n;
    const int nt = folds->validation->targets.n;
    char name[HG_RIVALS_MAX][HG_RIVAL_NAME];
    rival list[HG_RIVALS_MAX];
    struct fit fit = {0};
    int n_rival = 0;
    hg_status status;

    HG_TRY(list_rivals(folds->validation, &n_rival, list, name));
    HG_TRY_OR(
        done, status,
        hg_mem_array(&fit.x, n_all * (size_t)folds->validation->features.n, sizeof *fit.x));
    HG_TRY_OR(done, status, hg_mem_array(&fit.y, n_all, sizeof *fit.y));
    HG_TRY_OR(done, status, hg_mem_array(&fit.weight, n_all, sizeof *fit.weight));
    HG_TRY_OR(done, status, hg_mem_array(&fit.predicted, (size_t)n, sizeof *fit.predicted));
    for (int r = 0; r < n_rival; r++) {
        for (int t = 0; t < nt && status == HG_OK; t++) {
            status = fit_one(folds, fold, &list[r], t, n, row, &fit,
                             guess + (size_t)r * n_all * (size_t)nt, reference);
        }
    }
done:
    hg_mem_free(fit.x);
    hg_mem_free(fit.y);
    hg_mem_free(fit.weight);
    hg_mem_free(fit.predicted);
    return status;
}
