/* Tables are long, one number per line: whoever reads them picks what is wanted by name. */
#include "validate/validate_output.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "store/bundle.h"

void
hg_marks_target(const hg_findings *found, const hg_marks *m, size_t n, char name[])
{
    hg_validation_entry_name(found->folds->validation, m->target, m->is_label, n, name);
}

const char *
hg_marks_method(const hg_findings *found, const hg_marks *m)
{
    return m->method < 0 ? "forest" : found->guesses->rival_name[m->method];
}

static hg_status
add_marks(const hg_findings *found, const hg_marks *m, hg_text *text)
{
    char target[80], bin[80];

    hg_marks_target(found, m, sizeof target, target);
    hg_cut_name(&found->cuts->cut[m->cut], m->bin, sizeof bin, bin);
    for (int i = 0; i < hg_marks_count(m->is_label); i++) {
        if (isfinite(m->value[i])) {
            HG_TRY(hg_text_add(text, "%s,%s,%s,%s,", target, hg_marks_method(found, m), bin,
                               hg_marks_name(m->is_label, i)));
            HG_TRY(hg_text_add_number(text, 9, m->value[i], ','));
            HG_TRY(hg_text_add_number(text, 9, m->error[i], '\n'));
        }
    }
    return HG_OK;
}

hg_status
hg_findings_add_scores(const hg_findings *found, const char *path, hg_bundle *bundle)
{
    hg_text text = {0};
    hg_status status = hg_text_add(&text, "target,method,rows,metric,value,error\n");

    for (int64_t i = 0; i < found->scoring->n && status == HG_OK; i++) {
        status = add_marks(found, &found->scoring->marks[i], &text);
    }
    return hg_bundle_text(bundle, path, status, &text);
}

/* what another method needs to train on the same rows: it trains fold k on those that are
 * neither in it nor in its buffer */
static hg_status
add_features(const hg_folds *folds, int64_t row, hg_text *text)
{
    const hg_validation *v = folds->validation;
    const char *space = "";

    HG_TRY(hg_text_append(text, ",", 1));
    for (int k = 0; k < folds->n && folds->split.kind == HG_SPLIT_SLABS; k++) {
        if (k != folds->of[row] && !hg_folds_train(folds, row, k)) {
            HG_TRY(hg_text_add(text, "%s%d", space, k));
            space = " ";
        }
    }
    for (int f = 0; f < v->features.n; f++) {
        HG_TRY(hg_text_add(text, ",%.9g", (double)v->rows.x[row * v->features.n + f]));
    }
    return HG_OK;
}

static hg_status
add_row(const void *context, int64_t row, hg_text *text)
{
    const hg_findings *found = context;
    const hg_validation *v = found->folds->validation;
    const hg_guesses *g = found->guesses;

    HG_TRY(hg_text_add(text, "%016" PRIx64 ",%" PRId64 ",%d,%d,%.9g,%.9g", v->rows.key[row],
                       v->rows.number[row], found->folds->of[row], found->folds->block[row],
                       v->rows.weight[row], v->mass[row]));
    for (int t = 0; t < g->n_target; t++) {
        const int64_t at = row * g->n_target + t;
        const double list[] = {hg_validation_truth(v, row, t), g->mean[at], g->draw[at],
                               g->pit[at], g->probability[at]};

        for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
            HG_TRY(hg_text_append(text, ",", 1));
            HG_TRY(isfinite(list[i]) ? hg_text_add(text, "%.9g", list[i]) : HG_OK);
        }
        for (int r = 0; r < g->n_rival; r++) {
            HG_TRY(hg_text_add(text, ",%.9g", g->rival[r * g->n * g->n_target + at]));
        }
    }
    if (v->params->validate.row_features) {
        HG_TRY(add_features(found->folds, row, text));
    }
    return hg_text_append(text, "\n", 1);
}

static hg_status
add_head(const void *context, hg_text *text)
{
    const hg_findings *found = context;
    static const char *const what[] = {"", "_mean", "_draw", "_pit", "_probability"};
    const hg_guesses *g = found->guesses;
    const hg_validation *v = found->folds->validation;

    HG_TRY(hg_text_add(text, "key,region,fold,block,weight,mass"));
    for (int t = 0; t < g->n_target; t++) {
        const char *name = v->targets.spec[t].name;

        for (size_t i = 0; i < sizeof what / sizeof what[0]; i++) {
            HG_TRY(hg_text_add(text, ",%s%s", name, what[i]));
        }
        for (int r = 0; r < g->n_rival; r++) {
            HG_TRY(hg_text_add(text, ",%s %s", name, g->rival_name[r]));
        }
    }
    if (v->params->validate.row_features) {
        HG_TRY(hg_text_add(text, ",in_buffer_of"));
        for (int f = 0; f < v->features.n; f++) {
            HG_TRY(hg_text_add(text, ",feature %s", v->features.spec[f].name));
        }
    }
    return hg_text_append(text, "\n", 1);
}

hg_status
hg_findings_add_rows(const hg_findings *found, const char *path, hg_bundle *bundle)
{
    const hg_bundle_table lines = {found->guesses->n, add_head, add_row, found};

    return hg_bundle_lines(bundle, path, &lines);
}

static void
print_cell(const hg_marks *m, const char *name, bool with_error)
{
    const double value = hg_marks_value(m, name), error = hg_marks_error(m, name);
    char text[48] = "-";

    if (isfinite(value)) {
        snprintf(text, sizeof text, with_error && isfinite(error) ? "%.3f+-%.3f" : "%.3f",
                 value, error);
    }
    printf(" %13s", text);
}

static void
print_head(const hg_marks *m, const char *name)
{
    const double n_eff = hg_marks_value(m, "n_eff");

    printf("%s: %.0f rows", name, hg_marks_value(m, "n"));
    if (isfinite(n_eff)) {
        printf(", by weight effectively %.0f", n_eff);
    }
    printf("\n%-24s", "");
}

void
hg_findings_print(const hg_findings *found)
{
    static const char *const shown[2][8] = {
        {"rmse", "bias", "nmad", "r2", "within", "gain", "cover68", "crps"},
        {"share", "brier", "f1", "auc", "calibration"}};
    char name[80], last[80] = "";

    printf("held out: %s, errors from %d blocks\n", found->folds->text, found->folds->n_block);
    for (int64_t i = 0; i < found->scoring->n; i++) {
        const hg_marks *m = &found->scoring->marks[i];
        const char *const *list = shown[m->is_label];

        if (m->cut > 0) {
            continue;
        }
        hg_marks_target(found, m, sizeof name, name);
        if (strcmp(name, last) != 0) {
            print_head(m, name);
            for (int k = 0; k < 8 && list[k] != NULL; k++) {
                printf(" %13s", list[k]);
            }
            printf("\n");
            snprintf(last, sizeof last, "%s", name);
        }
        printf("  %-22s", hg_marks_method(found, m));
        for (int k = 0; k < 8 && list[k] != NULL; k++) {
            print_cell(m, list[k], k < 4);
        }
        printf("\n");
    }
}
