/* Ratios need a truth; without one the curves are only listed. Medians over bins resist the
 * emptiest bins, which the range shows. */
#include "emulate/summary.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/order.h"
#include "base/text.h"
#include "stats/curve.h"
#include "store/publish.h"

/* Of the scores of a comparison row by row, those that are read first. */
static bool
is_shown(const hg_score *score, const char *name)
{
    static const char *const first[] = {"n", "bias", "rmse", "r2", "pearson"};

    if (strstr(score->name, "_predicted_true_") == NULL) {
        return true;
    }
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
        if (strcmp(name, first[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void
print_scores(const hg_statistics *s)
{
    for (int i = 0; i < s->n_score; i++) {
        const hg_score *score = &s->score[i];

        printf("  %-36s", score->name);
        for (int k = 0; k < score->attributes.n; k++) {
            const hg_attribute *a = &score->attributes.v[k];

            if (!a->is_text && isfinite(a->value) && is_shown(score, a->name)) {
                printf(fabs(a->value - rint(a->value)) > 0 ? " %s %.4f" : " %s %.0f", a->name,
                       a->value);
            }
        }
        printf("\n");
    }
}

/* Median and range of y over the truth's y, in bins where both are finite and not zero. */
static hg_status
print_ratio(const hg_curve *curve, const hg_curve *truth)
{
    double *ratio = NULL;
    size_t n = 0;

    if (truth->n != curve->n) {
        return HG_OK;
    }
    HG_TRY(hg_mem_array(&ratio, (size_t)curve->n, sizeof *ratio));
    for (int64_t i = 0; i < curve->n; i++) {
        double r = curve->y[i] / truth->y[i];

        if (isfinite(r) && r != 0) {
            ratio[n++] = r;
        }
    }
    if (n > 0) {
        qsort(ratio, n, sizeof *ratio, hg_order_f64);
        printf("  %-40s %-12s %7.3f  [%.3f, %.3f] in %zu bins\n", curve->label.name,
               curve->label.catalogue, ratio[n / 2], ratio[0], ratio[n - 1], n);
    }
    hg_mem_free(ratio);
    return HG_OK;
}

static hg_status
print_curves(const hg_statistics *s)
{
    bool has_truth = false;

    for (int i = 0; i < s->n_curve; i++) {
        has_truth = has_truth || strcmp(s->curve[i].label.catalogue, "truth") == 0;
    }
    if (!has_truth) {
        printf("curves: %d (no catalogue is called 'truth', so there is nothing to compare "
               "with)\n",
               s->n_curve);
        return HG_OK;
    }
    printf("curves over those of 'truth': median and range over bins\n");
    for (int i = 0; i < s->n_curve; i++) {
        const hg_curve *truth = hg_statistics_find(s, "truth", s->curve[i].label.name);

        if (truth != NULL && truth != &s->curve[i]) {
            HG_TRY(print_ratio(&s->curve[i], truth));
        }
    }
    return HG_OK;
}

hg_status
hg_summary_print(const char *path)
{
    hg_statistics s = {0};
    char file[HG_PATH_MAX];
    struct stat info;
    hg_status status;

    HG_TRY(hg_text_path(
        sizeof file, file,
        stat(path, &info) == 0 && S_ISDIR(info.st_mode) ? "%s/statistics.hdf5" : "%s", path));
    HG_TRY(hg_statistics_read(file, &s));
    printf("statistics '%s'\n", file);
    if (s.n_score > 0) {
        printf("scores (in the unit of the transformed target, mostly dex)\n");
        print_scores(&s);
    }
    status = print_curves(&s);
    hg_statistics_clear(&s);
    return status;
}
