/* Each rank reads whole regions on its own. What is kept is one integer per region and bin, so
 * sums and resamplings are the same for any ranks. Regions are drawn with replacement and their
 * weights renormalised: rows of one region share their environment, so rows must not be drawn.
 */
#include "measure/measure_zooms.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/order.h"
#include "base/random.h"
#include "halograft/log.h"
#include "store/publish.h"
#include "suite/paths.h"
#include "suite/regions.h"

/* Counts of one column in all regions. */
typedef struct zoom_counts {
    const hg_measure_plan *plan;
    const char *column;
    char unit[HG_UNIT_MAX];
    int n_region;
    const hg_region *region;
    int64_t *count; /* shape (n_region, mass_axis.n) */
} zoom_counts;

static hg_status
count_rows(const zoom_counts *z, const hg_table *table, const hg_region *region,
           int64_t count[])
{
    const hg_column *column = NULL, *position = NULL, *contamination = NULL;

    HG_TRY(hg_table_need(table, z->column, &column));
    HG_TRY(hg_table_need(table, "position", &position));
    contamination = hg_table_find(table, "f_contam");
    for (int64_t i = 0; i < table->n; i++) {
        double x[3];
        int bin = hg_axis_bin(&z->plan->mass_axis, hg_column_value(column, i, 0));

        for (int k = 0; k < 3; k++) {
            x[k] = hg_column_value(position, i, k);
        }
        if (bin >= 0 && hg_region_holds(region, table->frame.box, x) &&
            (contamination == NULL || hg_column_value(contamination, i, 0) <=
                                          z->plan->params->zooms.contamination_max)) {
            count[bin]++;
        }
    }
    return HG_OK;
}

static bool
find_column(const hg_catalog *catalog, const char *name, char unit[HG_UNIT_MAX])
{
    for (int i = 0; i < hg_catalog_n_column(catalog); i++) {
        const hg_column *column = hg_catalog_column(catalog, i);

        if (strcmp(column->name, name) == 0) {
            snprintf(unit, HG_UNIT_MAX, "%s", column->unit);
            return true;
        }
    }
    return false;
}

static hg_status
count_region(const hg_comm *self, zoom_counts *z, int i)
{
    const hg_params_zooms *o = &z->plan->params->zooms;
    const char *file = z->region[i].hydro, *names[] = {z->column, "position", "f_contam"};
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
    hg_catalog *catalog = NULL;
    char unit[HG_UNIT_MAX];
    int n_name = 2;
    hg_status status;

    options.format = o->format;
    options.mapping = o->mapping;
    options.partial = o->partial;
    options.frame.h = o->h;
    options.n_file = 1;
    options.files = &file;
    HG_TRY(hg_catalog_open(self, &options, &catalog));
    n_name += find_column(catalog, "f_contam", unit);
    status = find_column(catalog, z->column, z->unit) && find_column(catalog, "position", unit)
                 ? HG_OK
                 : HG_FAIL(HG_E_NOTFOUND, "region file '%s' has no column '%s' or no positions",
                           file, z->column);
    for (int64_t part = 0; part < hg_catalog_n_part(catalog) && status == HG_OK; part++) {
        hg_table table = {.n = 0};

        status = hg_catalog_read(catalog, part, n_name, names, &table);
        if (status == HG_OK) {
            status = count_rows(z, &table, &z->region[i],
                                z->count + (int64_t)i * z->plan->mass_axis.n);
        }
        hg_table_clear(&table);
    }
    hg_catalog_close(catalog);
    return status;
}

/* Density per dex of one bin with region i taken times[i] times. */
static double
weigh_bin(const zoom_counts *z, const int times[], int bin)
{
    const hg_axis *axis = &z->plan->mass_axis;
    double sum = 0, weight = 0;

    for (int i = 0; i < z->n_region; i++) {
        const hg_region *r = &z->region[i];
        double volume = 4 * M_PI / 3 * r->radius * r->radius * r->radius;
        double w = r->weight * (times != NULL ? times[i] : 1);

        sum += w / volume * (double)z->count[(int64_t)i * axis->n + bin];
        weight += w;
    }
    return sum / weight / axis->step;
}

/* Density per dex of 1.84 objects of the mean weight, the 84 per cent limit where none is. */
static double
upper_limit(const zoom_counts *z)
{
    const int n = z->plan->mass_axis.n;
    double sum = 0;
    int64_t total = 0;

    for (int bin = 0; bin < n; bin++) {
        sum += weigh_bin(z, NULL, bin);
        for (int i = 0; i < z->n_region; i++) {
            total += z->count[(int64_t)i * n + bin];
        }
    }
    return 1.841 * sum / (double)(total > 0 ? total : 1);
}

/* Fill error and percentiles of the bins from resamplings; sample has shape (n_boot, n). */
static void
resample(const zoom_counts *z, int first, int n_boot, int times[], double sample[],
         hg_curve *curve)
{
    const uint64_t seed = (uint64_t)z->plan->params->meta.seed;

    for (int b = 0; b < n_boot; b++) {
        hg_stream s = hg_stream_start(seed, 0, (uint64_t)b, HG_PURPOSE_BOOTSTRAP);

        memset(times, 0, (size_t)z->n_region * sizeof *times);
        for (int i = 0; i < z->n_region; i++) {
            times[hg_stream_below(&s, (uint32_t)z->n_region)]++;
        }
        for (int64_t k = 0; k < curve->n; k++) {
            sample[k * n_boot + b] = weigh_bin(z, times, first + (int)k);
        }
    }
    for (int64_t k = 0; k < curve->n; k++) {
        double *v = sample + k * n_boot, mean = 0, square = 0;

        for (int b = 0; b < n_boot; b++) {
            mean += v[b] / n_boot;
        }
        for (int b = 0; b < n_boot; b++) {
            square += (v[b] - mean) * (v[b] - mean);
        }
        qsort(v, (size_t)n_boot, sizeof *v, hg_order_f64);
        curve->error[k] = sqrt(square / (n_boot - 1));
        curve->low[k] = v[(int)(0.16 * (n_boot - 1))];
        curve->high[k] = v[(int)(0.84 * (n_boot - 1))];
    }
}

static hg_status
add_curve(const zoom_counts *z, hg_statistics *statistics)
{
    const hg_axis *axis = &z->plan->mass_axis;
    const int n_boot = (int)z->plan->params->measure.bootstrap;
    const hg_histogram counts = {
        .x = {.step = 1, .n = z->n_region}, .y = *axis, .count = z->count};
    hg_label label = {.catalogue = "zooms",
                      .statistic = "mass_function",
                      .y_name = "dn/dlog10",
                      .y_unit = "Mpc^-3 dex^-1",
                      .log_x = true,
                      .log_y = true};
    const double limit = upper_limit(z);
    hg_curve *curve = NULL;
    double *sample = NULL;
    int *times = NULL, first, end;
    hg_status status;

    hg_histogram_range_y(&counts, &first, &end);
    snprintf(label.name, sizeof label.name, "mass_function_%s", z->column);
    snprintf(label.column, sizeof label.column, "%s", z->column);
    snprintf(label.x_name, sizeof label.x_name, "%s", z->column);
    snprintf(label.x_unit, sizeof label.x_unit, "%s", z->unit);
    HG_TRY(hg_statistics_curve(statistics, &label, end - first, HG_CURVE_COUNT | HG_CURVE_BAND,
                               &curve));
    for (int bin = first; bin < end; bin++) {
        curve->x[bin - first] = hg_axis_centre(axis, bin);
        curve->x_low[bin - first] = hg_axis_edge(axis, bin);
        curve->x_high[bin - first] = hg_axis_edge(axis, bin + 1);
        curve->y[bin - first] = weigh_bin(z, NULL, bin);
        for (int i = 0; i < z->n_region; i++) {
            curve->count[bin - first] += z->count[(int64_t)i * axis->n + bin];
        }
    }
    HG_TRY_OR(done, status, hg_mem_array(&times, (size_t)z->n_region, sizeof *times));
    HG_TRY_OR(done, status,
              hg_mem_array(&sample, (size_t)(end - first) * (size_t)n_boot, sizeof *sample));
    resample(z, first, n_boot, times, sample, curve);
    for (int64_t k = 0; k < curve->n; k++) { /* resampling nothing gives nothing */
        curve->error[k] = curve->count[k] > 0 ? curve->error[k] : limit;
    }
    HG_TRY_OR(done, status, hg_attributes_real(&curve->attributes, "upper_limit", limit));
    HG_TRY_OR(done, status, hg_attributes_real(&curve->attributes, "width", axis->step));
    HG_TRY_OR(done, status, hg_attributes_real(&curve->attributes, "regions", z->n_region));
    HG_TRY_OR(done, status,
              hg_attributes_real(&curve->attributes, "regions_effective",
                                 hg_regions_effective(z->n_region, z->region)));
    status = hg_attributes_real(&curve->attributes, "resamplings", n_boot);
done:
    hg_mem_free(times);
    hg_mem_free(sample);
    return status;
}

static hg_status
measure_column(const hg_comm *comm, const hg_comm *self, zoom_counts *z,
               hg_statistics *statistics)
{
    const size_t n = (size_t)z->n_region * (size_t)z->plan->mass_axis.n;
    hg_status status = hg_mem_zeros(&z->count, n, sizeof *z->count);

    for (int i = comm->rank; i < z->n_region && status == HG_OK; i += comm->size) {
        status = count_region(self, z, i);
    }
    status = hg_comm_agree(comm, status);
    if (status == HG_E_NOTFOUND) { /* galaxies without this column are no reason to stop */
        if (comm->rank == 0) {
            hg_log_warn("measure: no mass function of the zooms: %s", hg_error_last()->message);
        }
        return HG_OK;
    }
    HG_TRY(status);
    hg_comm_sum(comm, n, z->count);
    hg_comm_broadcast(comm, 0, z->unit, sizeof z->unit); /* rank 0 has region 0 */
    return hg_comm_agree(comm, add_curve(z, statistics));
}

/* Whether all regions have what the sum needs. */
static bool
regions_are_complete(int n, const hg_region region[])
{
    for (int i = 0; i < n; i++) {
        if (!(region[i].radius > 0) || !(region[i].weight > 0) ||
            !isfinite(region[i].radius + region[i].weight + region[i].centre[0]) ||
            hg_regions_repeats(n, region, i)) {
            return false;
        }
    }
    return n > 1;
}

hg_status
hg_measure_zooms(const hg_comm *comm, const hg_measure_plan *plan, hg_statistics *statistics)
{
    const hg_params *params = plan->params;
    char path[HG_PATH_MAX];
    hg_region *region = NULL;
    hg_comm self = {.size = 0};
    int64_t exists = 0;
    int n = 0;
    hg_status status;

    HG_TRY(hg_paths_regions(params, sizeof path, path));
    exists = comm->rank == 0 && params->measure.zooms && hg_file_exists(path);
    hg_comm_sum(comm, 1, &exists);
    if (exists == 0) {
        return HG_OK;
    }
    hg_phase_start("measure: zooms");
    HG_TRY_OR(done, status, hg_regions_read(comm, path, params->zooms.run, &n, &region));
    if (!regions_are_complete(n, region)) {
        hg_log_info("measure: regions without radius or weight, or at several redshifts, so no "
                    "mass function of them");
        goto done;
    }
    HG_TRY_OR(done, status, hg_comm_split(comm, comm->rank, &self));
    for (int c = 0; c < params->measure.mass_functions.n && status == HG_OK; c++) {
        zoom_counts z = {.plan = plan,
                         .column = params->measure.mass_functions.v[c],
                         .n_region = n,
                         .region = region};

        status = measure_column(comm, &self, &z, statistics);
        hg_mem_free(z.count);
    }
done:
    hg_comm_clear(&self);
    hg_mem_free(region);
    hg_phase_stop("measure: zooms");
    return status;
}
