/* Growing lists of curves, maps and scores in memory. */
#include "stats/curve.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

/* Make room for one more element of `size` bytes in a list. */
static hg_status
grow_list(void *list, int n, int *room, size_t size)
{
    if (n < *room) {
        return HG_OK;
    }
    HG_TRY(hg_mem_resize(list, (size_t)(2 * *room + 16), size));
    *room = 2 * *room + 16;
    return HG_OK;
}

const hg_attribute *
hg_attributes_find(const hg_attributes *attributes, const char *name)
{
    for (int i = 0; i < attributes->n; i++) {
        if (strcmp(attributes->v[i].name, name) == 0) {
            return &attributes->v[i];
        }
    }
    return NULL;
}

static hg_status
add_attribute(hg_attributes *attributes, const hg_attribute *attribute)
{
    for (int i = 0; i < attributes->n; i++) {
        if (strcmp(attributes->v[i].name, attribute->name) == 0) {
            attributes->v[i] = *attribute;
            return HG_OK;
        }
    }
    HG_TRY(grow_list(&attributes->v, attributes->n, &attributes->room, sizeof *attribute));
    attributes->v[attributes->n++] = *attribute;
    return HG_OK;
}

hg_status
hg_attributes_real(hg_attributes *attributes, const char *name, double value)
{
    hg_attribute attribute = {.value = value};

    snprintf(attribute.name, sizeof attribute.name, "%s", name);
    return add_attribute(attributes, &attribute);
}

hg_status
hg_attributes_text(hg_attributes *attributes, const char *name, const char *text)
{
    hg_attribute attribute = {.is_text = true};

    snprintf(attribute.name, sizeof attribute.name, "%s", name);
    snprintf(attribute.text, sizeof attribute.text, "%s", text);
    return add_attribute(attributes, &attribute);
}

void
hg_attributes_clear(hg_attributes *attributes)
{
    hg_mem_free(attributes->v);
    *attributes = (hg_attributes){0};
}

hg_status
hg_statistics_curve(hg_statistics *statistics, const hg_label *label, int64_t n, int contents,
                    hg_curve **out)
{
    const size_t m = (size_t)n;
    hg_curve curve = {.label = *label, .n = n};
    double **const array[] = {&curve.x, &curve.x_low, &curve.x_high, &curve.y, &curve.error};
    const int n_band = contents & HG_CURVE_BAND ? 2 : 0;
    const int n_draw = contents & HG_CURVE_DRAWS ? 1 : 0;
    const int n_array = 5 + n_band + n_draw + (contents & HG_CURVE_JACKKNIFE ? 1 : 0);
    double *block = NULL;

    HG_TRY(grow_list(&statistics->curve, statistics->n_curve, &statistics->room_curve,
                     sizeof curve));
    HG_TRY(hg_mem_zeros(&block, m * (size_t)n_array + 1, sizeof *block));
    for (int i = 0; i < 5; i++) {
        *array[i] = block + (size_t)i * m;
    }
    if (contents & HG_CURVE_BAND) {
        curve.low = block + 5 * m;
        curve.high = block + 6 * m;
    }
    if (contents & HG_CURVE_DRAWS) {
        curve.draw_error = block + (size_t)(5 + n_band) * m;
    }
    if (contents & HG_CURVE_JACKKNIFE) {
        curve.jackknife_error = block + (size_t)(5 + n_band + n_draw) * m;
    }
    if (contents & HG_CURVE_COUNT) {
        hg_status status = hg_mem_zeros(&curve.count, m + 1, sizeof *curve.count);

        if (status != HG_OK) {
            hg_mem_free(block);
            return status;
        }
    }
    statistics->curve[statistics->n_curve] = curve;
    *out = &statistics->curve[statistics->n_curve++];
    return HG_OK;
}

hg_status
hg_statistics_map(hg_statistics *statistics, const hg_label *label, int64_t n_x, int64_t n_y,
                  hg_map **out)
{
    hg_map map = {.label = *label, .n_x = n_x, .n_y = n_y};

    HG_TRY(grow_list(&statistics->map, statistics->n_map, &statistics->room_map, sizeof map));
    HG_TRY(hg_mem_zeros(&map.counts, (size_t)(n_x * n_y) + 1, sizeof *map.counts));
    hg_status status = hg_mem_zeros(&map.x_edges, (size_t)(n_x + n_y + 2), sizeof(double));

    if (status != HG_OK) {
        hg_mem_free(map.counts);
        return status;
    }
    map.y_edges = map.x_edges + n_x + 1;
    statistics->map[statistics->n_map] = map;
    *out = &statistics->map[statistics->n_map++];
    return HG_OK;
}

hg_status
hg_statistics_score(hg_statistics *statistics, const char *name, hg_score **out)
{
    hg_score score = {.name = ""};

    snprintf(score.name, sizeof score.name, "%s", name);
    HG_TRY(grow_list(&statistics->score, statistics->n_score, &statistics->room_score,
                     sizeof score));
    statistics->score[statistics->n_score] = score;
    *out = &statistics->score[statistics->n_score++];
    return HG_OK;
}

hg_status
hg_statistics_covariance(hg_statistics *statistics, const hg_label *label, const char *kind,
                         int n_curve, const char *const curve[], int64_t n, bool diagonal,
                         hg_covariance **out)
{
    const size_t m = (size_t)n, blocks = (size_t)(n_curve * n_curve);
    hg_covariance covariance = {
        .label = *label, .n_curve = n_curve, .n = n, .diagonal = diagonal};

    HG_ASSERT(n_curve >= 1 && n_curve <= HG_COVARIANCE_CURVES);
    snprintf(covariance.kind, sizeof covariance.kind, "%s", kind);
    snprintf(covariance.label.name, sizeof covariance.label.name, "%s_%.100s", kind, curve[0]);
    for (int k = 0; k < n_curve; k++) {
        snprintf(covariance.curve[k], sizeof covariance.curve[k], "%s", curve[k]);
    }
    HG_TRY(grow_list(&statistics->covariance, statistics->n_covariance,
                     &statistics->room_covariance, sizeof covariance));
    HG_TRY(hg_mem_zeros(&covariance.value, 2 * m + blocks * m * (diagonal ? 1 : m) + 1,
                        sizeof *covariance.value));
    covariance.x_low = covariance.value + blocks * m * (diagonal ? 1 : m);
    covariance.x_high = covariance.x_low + m;
    statistics->covariance[statistics->n_covariance] = covariance;
    *out = &statistics->covariance[statistics->n_covariance++];
    return HG_OK;
}

double
hg_covariance_value(const hg_covariance *c, int a, int64_t i, int b, int64_t j)
{
    if (c->diagonal) {
        return i == j ? c->value[(a * c->n_curve + b) * c->n + i] : 0;
    }
    return c->value[((a * c->n + i) * c->n_curve + b) * c->n + j];
}

static void
clear_covariance(hg_covariance *covariance)
{
    hg_mem_free(covariance->value);
    hg_attributes_clear(&covariance->attributes);
}

static void
clear_curve(hg_curve *curve)
{
    hg_mem_free(curve->x);
    hg_mem_free(curve->count);
    hg_attributes_clear(&curve->attributes);
}

void
hg_statistics_clear(hg_statistics *statistics)
{
    for (int i = 0; i < statistics->n_curve; i++) {
        clear_curve(&statistics->curve[i]);
    }
    for (int i = 0; i < statistics->n_covariance; i++) {
        clear_covariance(&statistics->covariance[i]);
    }
    for (int i = 0; i < statistics->n_map; i++) {
        hg_mem_free(statistics->map[i].counts);
        hg_mem_free(statistics->map[i].x_edges);
        hg_attributes_clear(&statistics->map[i].attributes);
    }
    for (int i = 0; i < statistics->n_score; i++) {
        hg_attributes_clear(&statistics->score[i].attributes);
    }
    hg_mem_free(statistics->curve);
    hg_mem_free(statistics->covariance);
    hg_mem_free(statistics->map);
    hg_mem_free(statistics->score);
    hg_attributes_clear(&statistics->provenance);
    hg_text_clear(&statistics->parameters);
    hg_bundle_clear(&statistics->beside);
    *statistics = (hg_statistics){0};
}

const hg_curve *
hg_statistics_find(const hg_statistics *statistics, const char *catalogue, const char *name)
{
    for (int i = 0; i < statistics->n_curve; i++) {
        const hg_label *label = &statistics->curve[i].label;

        if (strcmp(label->catalogue, catalogue) == 0 && strcmp(label->name, name) == 0) {
            return &statistics->curve[i];
        }
    }
    return NULL;
}

/* Bins of two draws agree by their lower edge; a draw may lack bins at the ends. */
static int64_t
find_bin(const hg_curve *curve, double x_low)
{
    for (int64_t i = 0; i < curve->n; i++) {
        if (curve->x_low[i] == x_low) {
            return i;
        }
    }
    return -1;
}

/* Mean and standard deviation of bin i over the draws in [first, n_curve); a draw without the
 * bin counts as 0 where the statistic is a mass function, else it is left out. */
static void
average_bin(const hg_statistics *statistics, int first, const hg_label *label, double x_low,
            double *mean, double *deviation)
{
    const bool zero = strcmp(label->statistic, "mass_function") == 0;
    double sum = 0, square = 0;
    int n = 0;

    for (int pass = 0; pass < 2; pass++) {
        for (int c = first; c < statistics->n_curve; c++) {
            const hg_curve *curve = &statistics->curve[c];
            int64_t i = -1;
            double y = 0;

            if (strcmp(curve->label.name, label->name) != 0) {
                continue;
            }
            i = find_bin(curve, x_low);
            y = i >= 0 ? curve->y[i] : zero ? 0 : (double)NAN;
            if (isfinite(y) && pass == 0) {
                sum += y;
                n++;
            } else if (isfinite(y)) {
                square += (y - sum / n) * (y - sum / n);
            }
        }
    }
    *mean = n > 0 ? sum / n : (double)NAN;
    *deviation = n > 1 ? sqrt(square / (n - 1)) : (double)NAN;
}

/* A copy of a curve with room for draw_error, filled with the averages. */
static hg_status
average_curve(const hg_statistics *statistics, int first, const hg_curve *from,
              hg_statistics *into)
{
    hg_curve *to = NULL;
    int draws = 0;

    HG_TRY(hg_statistics_curve(into, &from->label, from->n,
                               HG_CURVE_DRAWS | (from->low != NULL ? HG_CURVE_BAND : 0) |
                                   (from->count != NULL ? HG_CURVE_COUNT : 0) |
                                   (from->jackknife_error != NULL ? HG_CURVE_JACKKNIFE : 0),
                               &to));
    for (int c = first; c < statistics->n_curve; c++) {
        draws += strcmp(statistics->curve[c].label.name, from->label.name) == 0;
    }
    for (int64_t i = 0; i < from->n; i++) {
        to->x[i] = from->x[i];
        to->x_low[i] = from->x_low[i];
        to->x_high[i] = from->x_high[i];
        to->error[i] = from->error[i];
        if (from->low != NULL) {
            to->low[i] = from->low[i];
            to->high[i] = from->high[i];
        }
        if (from->count != NULL) {
            to->count[i] = from->count[i];
        }
        if (from->jackknife_error != NULL) {
            to->jackknife_error[i] = from->jackknife_error[i];
        }
        average_bin(statistics, first, &from->label, from->x_low[i], &to->y[i],
                    &to->draw_error[i]);
    }
    for (int i = 0; i < from->attributes.n; i++) {
        HG_TRY(add_attribute(&to->attributes, &from->attributes.v[i]));
    }
    return hg_attributes_real(&to->attributes, "draws", draws);
}

/* Covariance of a curve over the draws that have its bins; none for fewer than two. */
static hg_status
spread_curve(hg_statistics *statistics, int first, const hg_curve *from, const double mean[])
{
    const char *const name = from->label.name;
    hg_label label = from->label;
    hg_covariance *c = NULL;
    int draws = 0;

    snprintf(label.statistic, sizeof label.statistic, "covariance");
    label.y_unit[0] = '\0';
    HG_TRY(hg_statistics_covariance(statistics, &label, "draws", 1, &name, from->n, false, &c));
    for (int k = first; k < statistics->n_curve; k++) {
        const hg_curve *draw = &statistics->curve[k];

        if (strcmp(draw->label.name, name) != 0 || draw->n != from->n) {
            continue;
        }
        draws++;
        for (int64_t i = 0; i < c->n; i++) {
            for (int64_t j = 0; j < c->n; j++) {
                c->value[i * c->n + j] += (draw->y[i] - mean[i]) * (draw->y[j] - mean[j]);
            }
        }
    }
    for (int64_t i = 0; i < c->n * c->n; i++) {
        c->value[i] = draws > 1 ? c->value[i] / (draws - 1) : (double)NAN;
    }
    memcpy(c->x_low, from->x_low, (size_t)c->n * sizeof *c->x_low);
    memcpy(c->x_high, from->x_high, (size_t)c->n * sizeof *c->x_high);
    return hg_attributes_real(&c->attributes, "draws", draws);
}

/* Keep the first of covariances that share catalogue and name. */
static void
drop_repeated(hg_statistics *statistics)
{
    int kept = 0;

    for (int c = 0; c < statistics->n_covariance; c++) {
        const hg_label *label = &statistics->covariance[c].label;
        bool is_new = true;

        for (int k = 0; k < kept; k++) {
            const hg_label *other = &statistics->covariance[k].label;

            is_new = is_new && (strcmp(label->catalogue, other->catalogue) != 0 ||
                                strcmp(label->name, other->name) != 0);
        }
        if (is_new) {
            statistics->covariance[kept++] = statistics->covariance[c];
        } else {
            clear_covariance(&statistics->covariance[c]);
        }
    }
    statistics->n_covariance = kept;
}

hg_status
hg_statistics_average(hg_statistics *statistics, int first)
{
    hg_statistics fresh = {0};
    hg_status status = HG_OK;

    for (int c = first; c < statistics->n_curve && status == HG_OK; c++) {
        const hg_curve *curve = &statistics->curve[c];

        if (hg_statistics_find(&fresh, curve->label.catalogue, curve->label.name) == NULL) {
            status = average_curve(statistics, first, curve, &fresh);
            if (status == HG_OK && curve->label.sample[0] != '\0' && curve->n > 0) {
                status =
                    spread_curve(statistics, first, curve, fresh.curve[fresh.n_curve - 1].y);
            }
        }
    }
    if (status != HG_OK) {
        hg_statistics_clear(&fresh);
        return status;
    }
    for (int c = first; c < statistics->n_curve; c++) {
        clear_curve(&statistics->curve[c]);
    }
    for (int c = 0; c < fresh.n_curve; c++) {
        statistics->curve[first + c] = fresh.curve[c];
    }
    statistics->n_curve = first + fresh.n_curve;
    drop_repeated(statistics);
    hg_mem_free(fresh.curve);
    return HG_OK;
}

/* Whether two curves are the same statistic of different catalogues. */
static bool
is_sibling(const hg_curve *a, const hg_curve *b)
{
    return strcmp(a->label.statistic, b->label.statistic) == 0 &&
           strcmp(a->label.name, b->label.name) == 0;
}

/* Next bin of any sibling with x_low above `after`; NULL when there is none. */
static const hg_curve *
next_bin(const hg_statistics *statistics, const hg_curve *curve, double after, int64_t *bin)
{
    const hg_curve *found = NULL;

    for (int c = 0; c < statistics->n_curve; c++) {
        const hg_curve *other = &statistics->curve[c];

        for (int64_t i = 0; i < other->n && is_sibling(curve, other); i++) {
            if (other->x_low[i] > after &&
                (found == NULL || other->x_low[i] < found->x_low[*bin])) {
                found = other;
                *bin = i;
            }
        }
    }
    return found;
}

static void
copy_bin(const hg_curve *from, int64_t i, hg_curve *to, int64_t k)
{
    to->y[k] = from->y[i];
    to->error[k] = from->error[i];
    if (from->low != NULL) {
        to->low[k] = from->low[i];
        to->high[k] = from->high[i];
    }
    if (from->count != NULL) {
        to->count[k] = from->count[i];
    }
    if (from->draw_error != NULL) {
        to->draw_error[k] = from->draw_error[i];
    }
}

/* A copy of a curve with the bins of all its siblings. */
static hg_status
align_curve(const hg_statistics *statistics, const hg_curve *from, hg_statistics *into)
{
    const hg_attribute *limit = hg_attributes_find(&from->attributes, "upper_limit");
    const hg_curve *source = NULL;
    hg_curve *to = NULL;
    double after = -HUGE_VAL;
    int64_t n = 0, i = 0;

    while ((source = next_bin(statistics, from, after, &i)) != NULL) {
        after = source->x_low[i];
        n++;
    }
    HG_TRY(hg_statistics_curve(into, &from->label, n,
                               (from->draw_error != NULL ? HG_CURVE_DRAWS : 0) |
                                   (from->low != NULL ? HG_CURVE_BAND : 0) |
                                   (from->count != NULL ? HG_CURVE_COUNT : 0),
                               &to));
    after = -HUGE_VAL;
    for (int64_t k = 0; k < n; k++) {
        source = next_bin(statistics, from, after, &i);
        after = source->x_low[i];
        to->x[k] = source->x[i];
        to->x_low[k] = source->x_low[i];
        to->x_high[k] = source->x_high[i];
        to->error[k] = limit != NULL ? limit->value : 0;
        i = find_bin(from, after);
        if (i >= 0) {
            copy_bin(from, i, to, k);
        }
    }
    to->attributes = from->attributes; /* handed over when all went well */
    return HG_OK;
}

hg_status
hg_statistics_align(hg_statistics *statistics, const char *name)
{
    hg_statistics fresh = {0};
    hg_status status = HG_OK;
    int k = 0;

    for (int c = 0; c < statistics->n_curve && status == HG_OK; c++) {
        if (strcmp(statistics->curve[c].label.statistic, name) == 0) {
            status = align_curve(statistics, &statistics->curve[c], &fresh);
        }
    }
    for (int c = 0; c < fresh.n_curve && status != HG_OK; c++) {
        fresh.curve[c].attributes = (hg_attributes){0};
    }
    for (int c = 0; c < statistics->n_curve && status == HG_OK; c++) {
        if (strcmp(statistics->curve[c].label.statistic, name) == 0) {
            statistics->curve[c].attributes = (hg_attributes){0};
            clear_curve(&statistics->curve[c]);
            statistics->curve[c] = fresh.curve[k++];
        }
    }
    if (status == HG_OK) {
        fresh.n_curve = 0;
    }
    hg_statistics_clear(&fresh);
    return status;
}
