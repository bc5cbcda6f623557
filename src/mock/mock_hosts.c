/* Placement, level by level. The smoothed linear overdensity of each cell is rounded to one of
 * 4096 steps, so that the mean chosen share of the box is an exact sum over an integer
 * histogram and each cell's rate a table look-up. All bins of a level are drawn together: one
 * Poisson number per cell of their total rate, then the bin of each halo by its share of that
 * rate, which has the same distribution as one number per bin and costs a tenth. */
#include "mock/mock_hosts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "field/modes.h"

enum { STEPS = 4096, MAX_ORDINAL = 255 };
static const double sigma_range = 8; /* steps cover -8 to 8 rms */

/* Bins of one level, and their rates at every step of the overdensity. */
typedef struct level_table {
    int n_bin;
    int bin[128];
    double *rate;  /* shape (STEPS); mean number of haloes in a cell */
    double *share; /* shape (STEPS, n_bin); cumulative over bins, ends at 1 */
} level_table;

static int
step_of(double delta, double rms)
{
    double s = (delta / rms + sigma_range) * (STEPS / (2 * sigma_range));

    return s > 0 ? (s < STEPS - 1 ? (int)s : STEPS - 1) : 0;
}

static double
delta_of(int step, double rms)
{
    return rms * ((step + 0.5) * (2 * sigma_range / STEPS) - sigma_range);
}

/* Rates from the histogram of the whole box: expected number per cell times F / <F>, with the
 * mean over the box, which pins the abundance. A bin without a single cell above its threshold
 * gets no halo. */
static hg_status
fill_table(const hg_mock_plan *plan, int level, const int64_t histogram[], level_table *t)
{
    double cells = pow(plan->mesh, 3), rms = plan->rms[level];

    t->n_bin = 0;
    for (int b = 0; b < plan->n_bin; b++) {
        if (plan->bin[b].level == level) {
            t->bin[t->n_bin++] = b;
        }
    }
    HG_TRY(hg_mem_zeros(&t->rate, STEPS, sizeof *t->rate));
    HG_TRY(hg_mem_zeros(&t->share, (size_t)STEPS * (size_t)t->n_bin, sizeof *t->share));
    for (int k = 0; k < t->n_bin; k++) {
        const hg_mock_bin *b = &plan->bin[t->bin[k]];
        double mean = 0;

        for (int s = 0; s < STEPS; s++) {
            double share = hg_peak_selection_share(&b->selection, rms, delta_of(s, rms));

            t->share[s * t->n_bin + k] = share * b->expected / cells;
            mean += share * (double)histogram[s] / cells;
        }
        for (int s = 0; s < STEPS; s++) {
            double *value = &t->share[s * t->n_bin + k];

            *value = mean > 0 ? *value / mean : 0;
            t->rate[s] += *value;
            *value = t->rate[s];
        }
    }
    for (int s = 0; s < STEPS; s++) {
        for (int k = 0; k < t->n_bin && t->rate[s] > 0; k++) {
            t->share[s * t->n_bin + k] /= t->rate[s];
        }
    }
    return HG_OK;
}

static void
make_histogram(size_t n, const double delta[], double rms, int64_t histogram[STEPS])
{
    int64_t count[STEPS] = {0};

#pragma omp parallel for reduction(+ : count[:STEPS])
    for (size_t i = 0; i < n; i++) {
        count[step_of(delta[i], rms)]++;
    }
    memcpy(histogram, count, sizeof count);
}

/* Number of haloes in every owned cell; how many in all. */
static int64_t
draw_counts(const hg_mock_plan *plan, int level, const hg_rowfft *fft, const double delta[],
            const level_table *t, uint8_t count[], int *worst)
{
    int64_t first = fft->x_first * fft->n * fft->n, total = 0;
    int most = 0;

#pragma omp parallel for reduction(+ : total) reduction(max : most)
    for (size_t i = 0; i < fft->n_real; i++) {
        double rate = t->rate[step_of(delta[i], plan->rms[level])];
        int64_t n = 0;

        if (rate > 0) {
            hg_stream s = hg_stream_start(plan->seed, (uint64_t)level, (uint64_t)first + i,
                                          HG_PURPOSE_HALO_COUNT);
            hg_stream peek = s;

            /* most cells are empty: exp(-rate) > 1 - rate spares them the exponential */
            n = hg_stream_uniform(&peek) < 1 - rate ? 0 : hg_stream_poisson(&s, rate);
        }
        most = n > most ? (int)n : most;
        count[i] = (uint8_t)(n < MAX_ORDINAL ? n : MAX_ORDINAL);
        total += count[i];
    }
    *worst = most;
    return total;
}

/* Bin, mass and place of one halo, from its own stream. */
static hg_mock_host
make_host(const hg_mock_plan *plan, const level_table *t, int step, int64_t id)
{
    hg_stream s = hg_stream_start(plan->seed, 0, (uint64_t)id, HG_PURPOSE_HALO);
    double u = hg_stream_uniform(&s), v = hg_stream_open(&s), mass;
    const double *share = t->share + (size_t)step * (size_t)t->n_bin;
    hg_mock_host host = {.id = id};
    const hg_mock_bin *b;
    int k = 0;

    while (k < t->n_bin - 1 && u >= share[k]) {
        k++;
    }
    host.bin = t->bin[k];
    b = &plan->bin[host.bin];
    mass = hg_mass_function_inverse(plan->abundance,
                                    b->above[1] + v * (b->above[0] - b->above[1]));
    host.mass = (float)fmax(mass, b->low);
    for (int i = 0; i < 3; i++) {
        host.offset[i] = (float)(hg_stream_uniform(&s) - 0.5);
    }
    return host;
}

static void
fill_hosts(const hg_mock_plan *plan, int level, const hg_rowfft *fft, const double delta[],
           const level_table *t, const uint8_t count[], hg_mock_host host[])
{
    int64_t first = fft->x_first * fft->n * fft->n, at = 0;

    for (size_t i = 0; i < fft->n_real; i++) {
        for (int k = 0; k < count[i]; k++) {
            host[at].id = hg_mock_id(first + (int64_t)i, level, k, 0);
            host[at++].bin = step_of(delta[i], plan->rms[level]);
        }
    }
#pragma omp parallel for
    for (int64_t i = 0; i < at; i++) {
        host[i] = make_host(plan, t, host[i].bin, host[i].id);
    }
}

/* Overdensity of this rank's cells in a top hat. */
static hg_status
smooth_linear(const hg_comm *comm, const hg_mock_plan *plan, const hg_mock_fields *f,
              double radius, double real[])
{
    hg_mode *mode = NULL;
    double *window = NULL;
    hg_status status;

    HG_TRY_OR(plan, status, hg_mem_array(&mode, f->fft->n_mode, sizeof *mode));
    HG_TRY_OR(plan, status,
              hg_mem_array(&window, hg_modes_table_size(plan->mesh), sizeof *window));
plan:
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    hg_modes_top_hat(radius, plan->box, plan->mesh, window);
    hg_modes_filter(f->fft, window, f->delta, mode);
    hg_rowfft_backward(comm, f->fft, mode, real);
done:
    hg_mem_free(mode);
    hg_mem_free(window);
    return status;
}

static hg_status
place_level(const hg_comm *comm, const hg_mock_plan *plan, const hg_mock_fields *f, int level,
            double delta[], uint8_t count[], int64_t *n_host, hg_mock_host **hosts)
{
    int64_t histogram[STEPS], more = 0;
    level_table t = {0};
    hg_status status;
    int worst = 0;

    HG_TRY(smooth_linear(comm, plan, f, plan->radius[level], delta));
    make_histogram(f->fft->n_real, delta, plan->rms[level], histogram);
    hg_comm_sum(comm, STEPS, histogram);
    status = fill_table(plan, level, histogram, &t);
    if (status == HG_OK) {
        more = draw_counts(plan, level, f->fft, delta, &t, count, &worst);
        if (worst > MAX_ORDINAL) {
            status = HG_FAIL(HG_E_PARAM,
                             "a cell of the mock holds %d haloes, more than %d: use a finer "
                             "Mock.mesh or a larger Mock.mass_min",
                             worst, MAX_ORDINAL);
        }
    }
    if (status == HG_OK) {
        status = hg_mem_resize(hosts, (size_t)(*n_host + more), sizeof **hosts);
    }
    if (status == HG_OK && more > 0) {
        fill_hosts(plan, level, f->fft, delta, &t, count, *hosts + *n_host);
        *n_host += more;
    }
    hg_mem_free(t.rate);
    hg_mem_free(t.share);
    return hg_comm_agree(comm, status);
}

static int
compare_ids(const void *a, const void *b)
{
    int64_t x = ((const hg_mock_host *)a)->id, y = ((const hg_mock_host *)b)->id;

    return (x > y) - (x < y);
}

/* Trilinear interpolation at a host; a plane index of -1 or x_n is a ghost. */
static double
interpolate(const hg_rowfft *fft, const float field[], const float below[], const float above[],
            const hg_mock_host *host)
{
    int64_t n = fft->n, cell = hg_mock_id_cell(host->id);
    int64_t at[3] = {cell / n / n - fft->x_first, cell / n % n, cell % n};
    double w[3], sum = 0;

    for (int k = 0; k < 3; k++) {
        double offset = (double)host->offset[k], low = floor(offset);

        at[k] += (int64_t)low;
        w[k] = offset - low;
    }
    for (int c = 0; c < 8; c++) {
        int a = c >> 2, b = c >> 1 & 1, d = c & 1;
        int64_t x = at[0] + a, y = (at[1] + b + n) % n, z = (at[2] + d + n) % n;
        const float *plane = x < 0 ? below : x >= fft->x_n ? above : field + x * n * n;
        double weight = (a ? w[0] : 1 - w[0]) * (b ? w[1] : 1 - w[1]) * (d ? w[2] : 1 - w[2]);

        sum += weight * (double)plane[y * n + z];
    }
    return sum;
}

static void
move_hosts(const hg_mock_plan *plan, const hg_mock_fields *f, int64_t n_host,
           hg_mock_host host[])
{
    int64_t n = plan->mesh;
    double width = plan->box / (double)n;

#pragma omp parallel for
    for (int64_t i = 0; i < n_host; i++) {
        int64_t cell = hg_mock_id_cell(host[i].id);
        double at[3];

        hg_mock_cell_place(cell, n, at);
        for (int k = 0; k < 3; k++) {
            double x =
                (at[k] + (double)host[i].offset[k]) * width +
                interpolate(f->fft, f->shift[k], f->ghost[k][0], f->ghost[k][1], &host[i]);

            x -= plan->box * floor(x / plan->box);
            host[i].position[k] = x < plan->box ? x : 0;
        }
    }
}

/* Velocities one component at a time, so that one mesh suffices. */
static hg_status
give_velocities(const hg_comm *comm, const hg_mock_plan *plan, const hg_mock_fields *f,
                int64_t n_host, hg_mock_host host[])
{
    size_t cells = (size_t)plan->mesh * (size_t)plan->mesh;
    float *field = NULL, *ghost = NULL;
    hg_status status;

    HG_TRY_OR(plan, status, hg_mem_array(&field, f->fft->n_real, sizeof *field));
    HG_TRY_OR(plan, status, hg_mem_array(&ghost, 2 * cells, sizeof *ghost));
plan:
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int axis = 0; axis < 3; axis++) {
        HG_TRY_OR(done, status,
                  hg_mock_fields_velocity(comm, plan, f, axis, field, ghost, ghost + cells));
#pragma omp parallel for
        for (int64_t i = 0; i < n_host; i++) {
            host[i].velocity[axis] =
                (float)interpolate(f->fft, field, ghost, ghost + cells, &host[i]);
        }
    }
done:
    hg_mem_free(field);
    hg_mem_free(ghost);
    return status;
}

hg_status
hg_mock_hosts_place(const hg_comm *comm, const hg_mock_plan *plan, const hg_mock_fields *fields,
                    int64_t *n_host, hg_mock_host **hosts)
{
    const hg_rowfft *fft = fields->fft;
    int64_t first = fft->x_first * fft->n * fft->n;
    double *delta = NULL;
    uint8_t *count = NULL;
    hg_status status;

    *n_host = 0;
    *hosts = NULL;
    HG_TRY_OR(plan, status, hg_mem_array(&delta, fft->n_real, sizeof *delta));
    HG_TRY_OR(plan, status, hg_mem_array(&count, fft->n_real, sizeof *count));
plan:
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int level = 0; level < plan->n_level; level++) {
        bool used = false;

        for (int b = 0; b < plan->n_bin; b++) {
            used = used || plan->bin[b].level == level;
        }
        if (used) {
            HG_TRY_OR(done, status,
                      place_level(comm, plan, fields, level, delta, count, n_host, hosts));
        }
    }
    if (*n_host > 0) {
        qsort(*hosts, (size_t)*n_host, sizeof **hosts, compare_ids);
    }
    HG_TRY_OR(done, status,
              smooth_linear(comm, plan, fields, plan->param->environment_radius, delta));
    for (int64_t i = 0; i < *n_host; i++) {
        hg_mock_host *h = &(*hosts)[i];
        const hg_mock_bin *b = &plan->bin[h->bin];
        double value = delta[hg_mock_id_cell(h->id) - first];

        h->environment = (float)((value - b->environment_mean) / b->environment_rms);
    }
    move_hosts(plan, fields, *n_host, *hosts);
    status = give_velocities(comm, plan, fields, *n_host, *hosts);
done:
    hg_mem_free(delta);
    hg_mem_free(count);
    if (status != HG_OK) {
        hg_mem_free(*hosts);
        *hosts = NULL;
        *n_host = 0;
    }
    return status;
}
