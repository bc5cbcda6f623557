/* The table of points in the order of their numbers as CSV, the best first on the terminal; in
 * the statistics file a score per point, and curves. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "store/publish.h"
#include "suite/paths.h"
#include "validate/search.h"

enum { SHOWN = 20 };

/* ---- tables ---- */
static hg_status
add_numbers(const hg_search *s, const hg_search_result *r, hg_text *text)
{
    HG_TRY(hg_text_add(text, ",%.9g,%.9g", r->score, r->error));
    for (int e = 0; e < s->n_entry; e++) {
        HG_TRY(hg_text_add(text, ",%.9g,%.9g", r->rmse[e], r->rmse_error[e]));
    }
    return hg_text_append(text, "\n", 1);
}

static hg_status
add_head(const hg_search *s, hg_text *text)
{
    HG_TRY(hg_text_add(text, ",score,score_error"));
    for (int e = 0; e < s->n_entry; e++) {
        HG_TRY(hg_text_add(text, ",%s rmse,%s rmse_error", s->entry[e].name, s->entry[e].name));
    }
    return hg_text_append(text, "\n", 1);
}

static hg_status
add_points(const hg_search *s, hg_text *text)
{
    HG_TRY(hg_text_add(text, "point,rank"));
    for (int a = 0; a < HG_SEARCH_AXES; a++) {
        HG_TRY(hg_text_add(text, ",%s", hg_search_axis_name(a)));
    }
    HG_TRY(add_head(s, text));
    for (int i = 0; i < s->points.n_search; i++) {
        HG_TRY(hg_text_add(text, "%d,%d", i, s->result[i].rank));
        for (int a = 0; a < HG_SEARCH_AXES; a++) {
            char value[32];

            hg_search_axis_text(&s->points.point[i], a, sizeof value, value);
            HG_TRY(hg_text_add(text, ",%s", value));
        }
        HG_TRY(add_numbers(s, &s->result[i], text));
    }
    return HG_OK;
}

static hg_status
add_shares(const hg_search *s, hg_text *text)
{
    HG_TRY(hg_text_add(text, "share,rows"));
    HG_TRY(add_head(s, text));
    for (int i = s->points.n_search; i < s->points.n; i++) {
        HG_TRY(hg_text_add(text, "%.9g,%.9g", s->points.point[i].share, s->result[i].rows));
        HG_TRY(add_numbers(s, &s->result[i], text));
    }
    return HG_OK;
}

static hg_status
add_table(const hg_search *s, const char *path, const char *what,
          hg_status (*add)(const hg_search *, hg_text *), hg_bundle *bundle)
{
    char table[HG_PATH_MAX];
    hg_text text = {0};
    hg_status status = add(s, &text);

    if (status == HG_OK) {
        status = hg_paths_table(path, what, sizeof table, table);
    }
    return hg_bundle_text(bundle, table, status, &text);
}

/* ---- the statistics file ---- */
static hg_status
add_score(const hg_search *s, int i, hg_statistics *statistics)
{
    const hg_search_result *r = &s->result[i];
    hg_score *score = NULL;
    char name[HG_LABEL_MAX];

    snprintf(name, sizeof name, "search_%05d", i);
    HG_TRY(hg_statistics_score(statistics, name, &score));
    HG_TRY(hg_attributes_real(&score->attributes, "rank", r->rank));
    for (int a = 0; a < HG_SEARCH_AXES; a++) {
        hg_search_axis_text(&s->points.point[i], a, sizeof name, name);
        HG_TRY(hg_attributes_text(&score->attributes, hg_search_axis_name(a), name));
    }
    HG_TRY(hg_attributes_real(&score->attributes, "score", r->score));
    HG_TRY(hg_attributes_real(&score->attributes, "score_error", r->error));
    for (int e = 0; e < s->n_entry; e++) {
        snprintf(name, sizeof name, "%.50s rmse", s->entry[e].name);
        HG_TRY(hg_attributes_real(&score->attributes, name, r->rmse[e]));
        snprintf(name, sizeof name, "%.50s rmse_error", s->entry[e].name);
        HG_TRY(hg_attributes_real(&score->attributes, name, r->rmse_error[e]));
    }
    return HG_OK;
}

/* Errors of an entry over the points of the search, or over training rows. */
static hg_status
add_curve(const hg_search *s, int entry, bool is_learning, hg_statistics *statistics)
{
    const int first = is_learning ? s->points.n_search : 0,
              n = is_learning ? s->points.n - first : s->points.n_search;
    hg_label label = {.log_x = is_learning};
    hg_curve *curve = NULL;

    if (n == 0) {
        return HG_OK;
    }
    snprintf(label.statistic, sizeof label.statistic, is_learning ? "learning" : "search");
    snprintf(label.name, sizeof label.name, "%.20s_%.80s", label.statistic,
             s->entry[entry].name);
    snprintf(label.catalogue, sizeof label.catalogue, "forest");
    snprintf(label.column, sizeof label.column, "%.63s", s->entry[entry].name);
    snprintf(label.x_name, sizeof label.x_name, is_learning ? "training rows" : "point");
    snprintf(label.y_name, sizeof label.y_name, "rmse");
    HG_TRY(hg_statistics_curve(statistics, &label, n, 0, &curve));
    for (int i = 0; i < n; i++) {
        curve->x[i] = is_learning ? s->result[first + i].rows : i;
        curve->x_low[i] = curve->x_high[i] = curve->x[i];
        curve->y[i] = s->result[first + i].rmse[entry];
        curve->error[i] = s->result[first + i].rmse_error[entry];
    }
    return hg_attributes_text(&curve->attributes, "description",
                              "Held-out rows; errors from the scatter over folds");
}

/* ---- the terminal ---- */
static void
print_numbers(const hg_search *s, const hg_search_result *r)
{
    printf("  %.4f+-%.4f", r->score, r->error);
    for (int e = 0; e < s->n_entry; e++) {
        char text[48];

        snprintf(text, sizeof text, "%.4f+-%.4f", r->rmse[e], r->rmse_error[e]);
        printf("  %18s", text);
    }
    printf("\n");
}

static void
print_head(const hg_search *s)
{
    printf("  %14s", "score");
    for (int e = 0; e < s->n_entry; e++) {
        printf("  %18.18s", s->entry[e].name);
    }
    printf("\n");
}

static void
print_point(const hg_search *s, int i, bool with_names)
{
    for (int a = 0; a < HG_SEARCH_AXES; a++) {
        char value[32];

        if (s->points.varied[a]) {
            hg_search_axis_text(&s->points.point[i], a, sizeof value, value);
            if (with_names) {
                printf(" %s: %s,", hg_search_axis_name(a), value);
            } else {
                printf("  %12s", value);
            }
        }
    }
}

static int
find_rank(const hg_search *s, int rank)
{
    int i = 0;

    while (s->result[i].rank != rank) {
        i++;
    }
    return i;
}

static void
print_search(const hg_search *s)
{
    const int n = s->points.n_search, best = find_rank(s, 1);

    printf("rank  point");
    for (int a = 0; a < HG_SEARCH_AXES; a++) {
        if (s->points.varied[a]) {
            printf("  %12s", hg_search_axis_name(a));
        }
    }
    print_head(s);
    for (int rank = 1; rank <= n && rank <= SHOWN; rank++) {
        const int i = find_rank(s, rank);

        printf("%4d  %5d", rank, i);
        print_point(s, i, false);
        print_numbers(s, &s->result[i]);
    }
    if (n > SHOWN) {
        printf("... and %d more in the tables\n", n - SHOWN);
    }
    printf("best: point %d,", best);
    print_point(s, best, true);
    printf(" score %.4f+-%.4f", s->result[best].score, s->result[best].error);
    for (int e = 0; e < s->n_entry; e++) {
        printf(", %s rmse %.4f+-%.4f", s->entry[e].name, s->result[best].rmse[e],
               s->result[best].rmse_error[e]);
    }
    printf("\n");
}

static void
print_learning(const hg_search *s)
{
    printf("learning curve, section Model as it is\n%7s  %9s", "share", "rows");
    print_head(s);
    for (int i = s->points.n_search; i < s->points.n; i++) {
        printf("%7g  %9.0f", s->points.point[i].share, s->result[i].rows);
        print_numbers(s, &s->result[i]);
    }
}

hg_status
hg_search_write(const hg_search *s, const char *path, hg_statistics *statistics)
{
    for (int i = 0; i < s->points.n_search; i++) {
        HG_TRY(add_score(s, i, statistics));
    }
    for (int e = 0; e < s->n_entry; e++) {
        HG_TRY(add_curve(s, e, false, statistics));
        HG_TRY(add_curve(s, e, true, statistics));
    }
    printf("held out: %s; rmse and errors over folds; score: mean square error over the "
           "variance of the truth\n",
           s->folds->text);
    if (s->points.n_search > 0) {
        HG_TRY(add_table(s, path, "points", add_points, &statistics->beside));
        print_search(s);
    }
    if (s->points.n > s->points.n_search) {
        HG_TRY(add_table(s, path, "learning", add_shares, &statistics->beside));
        print_learning(s);
    }
    return hg_statistics_write(statistics, path);
}
