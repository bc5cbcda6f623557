/* Tables are long, one number per line, as those of validate. */
#include "explain/explain_output.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "store/publish.h"

/* ---- the list of importances ---- */
static hg_importance_line *
add_line(hg_explanation *found, const char *method, const char *target, const char *set)
{
    const double none = (double)NAN;
    hg_importance_line *line = &found->line[found->n_line++];

    *line = (hg_importance_line){.method = method,
                                 .set = set,
                                 .value = none,
                                 .error = none,
                                 .repeat = none,
                                 .share = none,
                                 .share_error = none};
    snprintf(line->target, sizeof line->target, "%s", target);
    return line;
}

static void
list_impurities(hg_explanation *found)
{
    double value[HG_FEATURES_MAX], error[HG_FEATURES_MAX];
    char name[80];

    for (int s = 0; s < hg_stages_count(found->model); s++) {
        const hg_forest *f = hg_stages_forest(found->model, s);

        if (hg_stages_use(found->model, s) == HG_STAGE_DRAW) {
            continue;
        }
        hg_forest_importance(f, value);
        hg_forest_importance_error(f, error);
        for (int o = 0; o < hg_forest_targets(f); o++) {
            hg_haloes_output_name(found->model, s, o, sizeof name, name);
            for (int k = 0; k < hg_forest_features(f); k++) {
                hg_importance_line *line =
                    add_line(found, "impurity", name, hg_forest_feature(f, k)->name);

                line->value = value[k];
                line->error = error[k];
            }
        }
    }
}

static void
list_growths(hg_explanation *found, const char *method, const hg_growth growth[])
{
    const hg_importance *all = found->importance;

    for (int s = 0; s < all->n_scored && growth != NULL; s++) {
        for (int k = 0; k < all->sets.n; k++) {
            const hg_growth *g = &growth[s * all->sets.n + k];
            hg_importance_line *line =
                add_line(found, method, all->scored[s].name, all->sets.set[k].name);

            line->value = g->value;
            line->error = g->error;
            line->repeat = g->repeat;
            line->share = g->value / all->scored[s].variance;
            line->share_error = g->error / all->scored[s].variance;
        }
    }
}

static void
list_shapley(hg_explanation *found)
{
    const hg_haloes *haloes = found->haloes;
    const int nf = found->folds->validation->features.n;
    const double n = (double)haloes->n;
    char name[80];

    for (int s = 0; s < haloes->n_stage; s++) {
        const hg_haloes_stage *stage = &haloes->stage[s];

        for (int o = 0; o < stage->n_target; o++) {
            hg_haloes_output_name(found->model, stage->stage, o, sizeof name, name);
            for (int k = 0; k < nf; k++) {
                hg_importance_line *line = add_line(
                    found, "shapley", name, found->folds->validation->features.spec[k].name);
                double sum = 0, square = 0;

                for (int64_t i = 0; i < haloes->n; i++) {
                    const double x =
                        fabs(stage->parts.shapley[(i * nf + k) * stage->n_target + o]);

                    sum += x;
                    square += x * x;
                }
                line->value = sum / n;
                line->error =
                    n > 1 ? sqrt(fmax(0, square - sum * sum / n) / (n * (n - 1))) : (double)NAN;
            }
        }
    }
}

hg_status
hg_explanation_list(hg_explanation *found)
{
    size_t most = 2 * (size_t)found->importance->n_scored * (size_t)found->importance->sets.n;

    for (int s = 0; s < hg_stages_count(found->model); s++) {
        const hg_forest *f = hg_stages_forest(found->model, s);

        most += 2 * (size_t)hg_forest_targets(f) * (size_t)hg_forest_features(f);
    }
    HG_TRY(hg_mem_array(&found->line, most, sizeof *found->line));
    list_impurities(found);
    list_growths(found, "permutation", found->importance->permuted);
    list_growths(found, "drop_column", found->importance->dropped);
    list_shapley(found);
    return HG_OK;
}

/* ---- tables ---- */
static hg_status
add_importances(const hg_explanation *found, hg_text *text)
{
    HG_TRY(hg_text_add(text,
                       "method,target,features,value,error,repeat_error,share,share_error\n"));
    for (int i = 0; i < found->n_line; i++) {
        const hg_importance_line *line = &found->line[i];

        HG_TRY(hg_text_add(text, "%s,%s,%s,", line->method, line->target, line->set));
        HG_TRY(hg_text_add_number(text, 9, line->value, ','));
        HG_TRY(hg_text_add_number(text, 9, line->error, ','));
        HG_TRY(hg_text_add_number(text, 9, line->repeat, ','));
        HG_TRY(hg_text_add_number(text, 9, line->share, ','));
        HG_TRY(hg_text_add_number(text, 9, line->share_error, '\n'));
    }
    return HG_OK;
}

hg_status
hg_explanation_add_importance(const hg_explanation *found, const char *path, hg_bundle *bundle)
{
    hg_text text = {0};

    return hg_bundle_text(bundle, path, add_importances(found, &text), &text);
}

/* Parts of one prediction; 17 digits, so that they still sum to it. */
static hg_status
add_halo(const hg_explanation *found, const hg_haloes_stage *stage, int o, int64_t i,
         hg_text *text)
{
    const hg_validation *v = found->folds->validation;
    const int64_t row = found->haloes->row[i];
    char name[80];

    hg_haloes_output_name(found->model, stage->stage, o, sizeof name, name);
    for (int kind = 0; kind < 2; kind++) {
        const double *part = kind == 0 ? stage->parts.path : stage->parts.shapley;

        HG_TRY(found->haloes->of_parent ? hg_text_add(text, "%" PRId64, row)
                                        : hg_text_add(text, "%016" PRIx64 ",%" PRId64,
                                                      v->rows.key[row], v->rows.number[row]));
        HG_TRY(hg_text_add(text, ",%s,%s,%.17g,%.17g", name, kind == 0 ? "path" : "shapley",
                           stage->mean[i * stage->n_target + o], stage->parts.base[o]));
        for (int k = 0; k < v->features.n; k++) {
            HG_TRY(hg_text_add(text, ",%.17g",
                               part[(i * v->features.n + k) * stage->n_target + o]));
        }
        HG_TRY(hg_text_append(text, "\n", 1));
    }
    return HG_OK;
}

static hg_status
add_haloes(const hg_explanation *found, hg_text *text)
{
    const hg_validation *v = found->folds->validation;

    HG_TRY(hg_text_add(text, "%s,target,method,mean,base",
                       found->haloes->of_parent ? "row" : "key,region"));
    for (int k = 0; k < v->features.n; k++) {
        HG_TRY(hg_text_add(text, ",%s", v->features.spec[k].name));
    }
    HG_TRY(hg_text_append(text, "\n", 1));
    for (int s = 0; s < found->haloes->n_stage; s++) {
        const hg_haloes_stage *stage = &found->haloes->stage[s];

        for (int o = 0; o < stage->n_target; o++) {
            for (int64_t i = 0; i < found->haloes->n; i++) {
                HG_TRY(add_halo(found, stage, o, i, text));
            }
        }
    }
    return HG_OK;
}

hg_status
hg_explanation_add_haloes(const hg_explanation *found, const char *path, hg_bundle *bundle)
{
    hg_text text = {0};

    return hg_bundle_text(bundle, path, add_haloes(found, &text), &text);
}

/* ---- the terminal ---- */
static const hg_importance_line *
find_line(const hg_explanation *found, const char *method, const char *target, const char *set)
{
    for (int i = 0; i < found->n_line; i++) {
        const hg_importance_line *line = &found->line[i];

        if (strcmp(line->method, method) == 0 && strcmp(line->target, target) == 0 &&
            strcmp(line->set, set) == 0) {
            return line;
        }
    }
    return NULL;
}

static void
print_cell(double value, double error)
{
    char text[48] = "-";

    if (isfinite(value)) {
        snprintf(text, sizeof text, isfinite(error) ? "%.4f+-%.4f" : "%.4f", value, error);
    }
    printf(" %17s", text);
}

static int
compare_lines(const void *a, const void *b)
{
    const hg_importance_line *p = *(const hg_importance_line *const *)a,
                             *q = *(const hg_importance_line *const *)b;

    return p->value != q->value ? (p->value < q->value ? 1 : -1) : (p > q) - (p < q);
}

static void
print_set(const hg_explanation *found, const char *target, const char *set)
{
    static const char *const methods[] = {"permutation", "drop_column", "shapley", "impurity"};

    printf("  %-26.26s", set);
    for (int m = 0; m < 4; m++) {
        const hg_importance_line *line = find_line(found, methods[m], target, set);

        if (line == NULL) {
            print_cell((double)NAN, (double)NAN);
        } else if (m < 2) {
            print_cell(line->share, line->share_error);
        } else {
            print_cell(line->value, line->error);
        }
    }
    printf("\n");
}

void
hg_explanation_print(const hg_explanation *found)
{
    const hg_importance *all = found->importance;
    const char *by = all->permuted != NULL  ? "permutation"
                     : all->dropped != NULL ? "drop_column"
                                            : "impurity";
    const hg_importance_line **sorted = NULL;

    if (hg_mem_array(&sorted, (size_t)found->n_line, sizeof(const hg_importance_line *)) !=
        HG_OK) {
        return; /* the table on the terminal is no more than a comfort */
    }
    if (all->permuted != NULL || all->dropped != NULL) {
        printf("held out: %s\n", found->folds->text);
    }
    for (int s = 0; s < all->n_scored; s++) {
        const char *target = all->scored[s].name;
        size_t n = 0;

        for (int i = 0; i < found->n_line; i++) {
            if (strcmp(found->line[i].method, by) == 0 &&
                strcmp(found->line[i].target, target) == 0) {
                sorted[n++] = &found->line[i];
            }
        }
        qsort(sorted, n, sizeof *sorted, compare_lines);
        printf("%s: fall of R^2 when features are permuted or left out, mean |Shapley value|, "
               "impurity\n  %-26s %17s %17s %17s %17s\n",
               target, "", "permutation", "drop-column", "Shapley", "impurity");
        for (size_t i = 0; i < n; i++) {
            print_set(found, target, sorted[i]->set);
        }
    }
    hg_mem_free(sorted);
}
