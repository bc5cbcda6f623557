/* One pass over the modes of this rank with tables per axis. A row of modes (fixed x, y) goes
 * through two loops: the first forms power, shot noise and variance of each mode and can be
 * vectorised, the second adds them to the bins. Each thread has bins of its own as long as
 * those are small against the mesh.
 *
 * On a reproducible mesh a first pass finds the largest term of each bin. In the second pass
 * terms are rounded to a multiple of what a double can count up to the bin's sum, by adding and
 * taking away a large anchor. Sums of such terms are exact, whatever their order and the ranks
 * (Demmel & Nguyen 2013, IEEE ARITH 21, with the maximum known beforehand). */
#include "stats/power.h"

#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/memory.h"

/* Largest memory for the threads' own bins, bytes. */
static const int64_t thread_room = (int64_t)1 << 28;

/* What the loop over modes needs besides the meshes. */
typedef struct mode_task {
    const hg_mesh *mesh;
    const void *a, *b;
    const hg_window *window;
    const double *inverse; /* 1 / w^2 of one axis */
    double scale;          /* V / (sum w_a sum w_b) */
    double scale_a, scale_b;
    double shot; /* V common / (sum w_a sum w_b) */
    bool interlaced;
    hg_los los;
    int64_t n_bin;
    int n_sum;
    const double *anchor; /* shape (n_bin, TOP_MAX), or NULL for plain sums */
    bool find_top;        /* the pass that fills shape (n_bin, TOP_MAX) instead */
} mode_task;

/* What the first pass finds in a bin, and the anchors it is turned into. */
enum { TOP_MODES, TOP_P, TOP_SHOT, TOP_Q, TOP_MAX };

/* Raw powers of a row of modes: p = d_a d_b*, q = |d_a|^2 |d_b|^2. */
#define DEFINE_RAW(real)                                                                  \
    static void form_raw_##real(const mode_task *task, int64_t r, int64_t n_z, double *p, \
                                double *q)                                                \
    {                                                                                     \
        const real *restrict a = (const real *)task->a + r * 2 * task->mesh->n_kz;        \
        const real *restrict b = (const real *)task->b + r * 2 * task->mesh->n_kz;        \
        const double scale = task->scale, scale2 = task->scale_a * task->scale_b;         \
                                                                                          \
        if (task->a == task->b) {                                                         \
            for (int64_t z = 0; z < n_z; z++) {                                           \
                double re = (double)a[2 * z], im = (double)a[2 * z + 1];                  \
                                                                                          \
                p[z] = scale * (re * re + im * im);                                       \
                q[z] = p[z] * p[z];                                                       \
            }                                                                             \
            return;                                                                       \
        }                                                                                 \
        for (int64_t z = 0; z < n_z; z++) {                                               \
            double ar = (double)a[2 * z], ai = (double)a[2 * z + 1];                      \
            double br = (double)b[2 * z], bi = (double)b[2 * z + 1];                      \
                                                                                          \
            p[z] = scale * (ar * br + ai * bi);                                           \
            q[z] = scale2 * (ar * ar + ai * ai) * (br * br + bi * bi);                    \
        }                                                                                 \
    }

DEFINE_RAW(float)
DEFINE_RAW(double)

static void
form_raw(const mode_task *task, int64_t r, int64_t n_z, double *p, double *q)
{
    if (task->mesh->precision == HG_PRECISION_DOUBLE) {
        form_raw_double(task, r, n_z, p, q);
    } else {
        form_raw_float(task, r, n_z, p, q);
    }
}

/* P without shot noise, q and S of the modes z in [kz_first, end) of row (x, y), together with
 * those of row (-x, y), which fall into the same bins with the same window; work has 5 rows. */
static void
form_terms(const mode_task *task, int64_t r, int64_t x, int64_t y, int64_t end, double *work)
{
    const int64_t n = task->mesh->n;
    double *p = work, *q = work + n, *s = work + 2 * n, *more = work + 3 * n;
    const double rows = x > 0 ? 2 : 1;
    const hg_window *w = task->window;
    const double *restrict cz = w->c, *restrict az = w->a, *restrict iz = task->inverse;
    const double both = task->interlaced ? 0.5 : 1;
    const double c = task->shot * both * w->c[x] * w->c[y];
    const double a = task->interlaced ? task->shot * both * w->a[x] * w->a[y] : 0;
    const double inverse = task->inverse[x] * task->inverse[y];
    const int64_t first = task->mesh->kz_first;

    form_raw(task, r, end - first, p + first, q + first);
    if (x > 0) {
        form_raw(task, r + n - 2 * x, end - first, more + first, more + n + first);
        for (int64_t z = first; z < end; z++) {
            p[z] += more[z];
            q[z] += more[n + z];
        }
    }
    for (int64_t z = first; z < end; z++) {
        double i = inverse * iz[z], shot = rows * (c * cz[z] + a * az[z]) * i;

        p[z] = p[z] * i - shot;
        q[z] *= i * i;
        s[z] = shot;
    }
}

/* Numbers and largest terms of a row that stands for `rows`; modes of the plane n_z = 0 count
 * once, others for k and -k. */
static void
note_row(int rows, int64_t square, int64_t first, int64_t n_z, const double *p, const double *q,
         const double *s, double *restrict top)
{
    for (int64_t z = first; z < n_z; z++) {
        double *bin = top + (square + z * z) * TOP_MAX;

        bin[TOP_MODES] += z == 0 ? rows : 2 * rows;
        bin[TOP_P] = fmax(bin[TOP_P], fabs(p[z]));
        bin[TOP_SHOT] = fmax(bin[TOP_SHOT], fabs(s[z]));
        bin[TOP_Q] = fmax(bin[TOP_Q], q[z]);
    }
}

/* A term as it is added: rounded by the anchor of its bin, or untouched. */
#define TERM(x, which) (exact ? ((x) + anchor[which]) - anchor[which] : (x))
#define ALWAYS static inline __attribute__((always_inline))

/* Add a row that stands for `rows` to the bins. */
ALWAYS void
add_row(const mode_task *task, const bool exact, int rows, int64_t square, int64_t first,
        int64_t n_z, const double *p, const double *q, const double *s, double *restrict sum)
{
    for (int64_t z = first; z < n_z; z++) {
        double *bin = sum + (square + z * z) * 4, g = z == 0 ? 1 : 2;
        const double *anchor = exact ? task->anchor + (square + z * z) * TOP_MAX : NULL;

        bin[HG_FINE_MODES] += g * rows;
        bin[HG_FINE_P0] += TERM(g * p[z], TOP_P);
        bin[HG_FINE_SHOT] += TERM(g * s[z], TOP_SHOT);
        bin[HG_FINE_Q0] += TERM(g * q[z], TOP_Q);
    }
}

/* The same with Legendre polynomials of mu, the cosine to the line of sight. */
ALWAYS void
add_row_poles(const mode_task *task, const bool exact, int rows, int64_t x, int64_t y,
              int64_t square, int64_t first, int64_t n_z, const double *p, const double *q,
              const double *s, double *restrict sum)
{
    for (int64_t z = first; z < n_z; z++) {
        int64_t n2 = square + z * z, along = task->los == HG_LOS_X   ? x
                                             : task->los == HG_LOS_Y ? y
                                                                     : z;
        const double *anchor = exact ? task->anchor + n2 * TOP_MAX : NULL;
        double *bin = sum + n2 * HG_FINE_MAX, g = z == 0 ? 1 : 2;
        double mu2 = (double)(along * along) / (double)n2;
        double l2 = 1.5 * mu2 - 0.5, l4 = (mu2 * (35 * mu2 - 30) + 3) * 0.125;

        bin[HG_FINE_MODES] += g * rows;
        bin[HG_FINE_P0] += TERM(g * p[z], TOP_P);
        bin[HG_FINE_SHOT] += TERM(g * s[z], TOP_SHOT);
        bin[HG_FINE_Q0] += TERM(g * q[z], TOP_Q);
        bin[HG_FINE_P2] += TERM(g * p[z] * l2, TOP_P);
        bin[HG_FINE_P4] += TERM(g * p[z] * l4, TOP_P);
        bin[HG_FINE_Q2] += TERM(g * q[z] * l2 * l2, TOP_Q);
        bin[HG_FINE_Q4] += TERM(g * q[z] * l4 * l4, TOP_Q);
    }
}

static void
sum_row(const mode_task *task, int64_t r, double *work, double *sum)
{
    const int64_t n = task->mesh->n, x = r % n, y = task->mesh->ky_first + r / n;
    const int rows = x > 0 ? 2 : 1;
    const int64_t kx = hg_wave_number(x, n), ky = hg_wave_number(y, n);
    const int64_t square = kx * kx + ky * ky, low = task->mesh->kz_first;
    const int64_t n_z =
        (n + 1) / 2 < low + task->mesh->n_kz ? (n + 1) / 2 : low + task->mesh->n_kz;
    const int64_t first = square == 0 && low == 0 ? 1 : low;
    int64_t end = 0;

    if (2 * kx >= n || 2 * ky == n || kx < 0 || square >= task->n_bin) {
        return;
    }
    end = (int64_t)sqrt((double)(task->n_bin - 1 - square)) + 2;
    end = end < n_z ? end : n_z;
    while (end > low && square + (end - 1) * (end - 1) >= task->n_bin) {
        end--;
    }
    if (end <= low) {
        return;
    }
    form_terms(task, r, x, y, end, work);
    const double *p = work, *q = work + n, *s = work + 2 * n;

    if (task->find_top) {
        note_row(rows, square, first, end, p, q, s, sum);
    } else if (task->los == HG_LOS_NONE) {
        if (task->anchor == NULL) {
            add_row(task, false, rows, square, first, end, p, q, s, sum);
        } else {
            add_row(task, true, rows, square, first, end, p, q, s, sum);
        }
    } else if (task->anchor == NULL) {
        add_row_poles(task, false, rows, kx, ky, square, first, end, p, q, s, sum);
    } else {
        add_row_poles(task, true, rows, kx, ky, square, first, end, p, q, s, sum);
    }
}

static int64_t
count_bins(int64_t n)
{
    return 9 * n * n / 16 + 1;
}

/* Threads whose own bins of `length` numbers fit into the room for them. */
static int
fit_threads(int64_t length, int threads)
{
    const int64_t fit = 1 + thread_room / (length * (int64_t)sizeof(double));

    return threads < fit ? threads : (int)fit;
}

/* Loop over the rows of this rank; the bins of thread 0 are the result. */
static hg_status
sum_modes(const mode_task *task, double *sum)
{
    const int64_t n_row = task->mesh->n_ky * task->mesh->n;
    const int64_t length = task->n_bin * task->n_sum;
    const int n_thread = fit_threads(length, omp_get_max_threads());
    double *more = NULL, *work = NULL;
    hg_status status;

    HG_TRY_OR(done, status,
              hg_mem_zeros(&more, (size_t)((n_thread - 1) * length), sizeof *more));
    HG_TRY_OR(done, status,
              hg_mem_array(&work, (size_t)(n_thread * 5 * task->mesh->n), sizeof *work));
#pragma omp parallel num_threads(n_thread)
    {
        const int t = omp_get_thread_num();
        double *mine = t == 0 ? sum : more + (t - 1) * length;

#pragma omp for schedule(static)
        for (int64_t r = 0; r < n_row; r++) {
            sum_row(task, r, work + t * 5 * task->mesh->n, mine);
        }
    }
    for (int t = 1; t < n_thread; t++) {
        for (int64_t i = 0; i < length; i++) {
            const double other = more[(t - 1) * length + i];

            if (task->find_top && i % TOP_MAX != TOP_MODES) {
                sum[i] = fmax(sum[i], other);
            } else {
                sum[i] += other;
            }
        }
    }
done:
    hg_mem_free(work);
    hg_mem_free(more);
    return status;
}

/* An anchor keeps multiples of 2^(e - 51), where the sum of all terms is below 2^e: no sum of
 * them needs more than 53 bits. */
static void
make_anchors(int64_t n_bin, double top[])
{
    for (int64_t b = 0; b < n_bin; b++) {
        double *bin = top + b * TOP_MAX;

        for (int c = TOP_P; c < TOP_MAX; c++) {
            int e;

            frexp(bin[TOP_MODES] * bin[c], &e);
            bin[c] = bin[c] > 0 ? ldexp(3, e) : 0;
        }
    }
}

/* The first pass: numbers of modes and largest terms over all ranks, made anchors. */
static hg_status
find_anchors(const hg_comm *comm, mode_task task, double **anchor)
{
    const size_t length = (size_t)task.n_bin * TOP_MAX;
    double *modes = NULL;
    hg_status status;

    HG_TRY_OR(agree, status, hg_mem_zeros(anchor, length, sizeof **anchor));
    HG_TRY_OR(agree, status, hg_mem_array(&modes, (size_t)task.n_bin, sizeof *modes));
    task.find_top = true;
    task.n_sum = TOP_MAX;
    status = sum_modes(&task, *anchor);
agree:
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int64_t b = 0; b < task.n_bin; b++) {
        modes[b] = (*anchor)[b * TOP_MAX];
    }
    hg_comm_sum_double(comm, (size_t)task.n_bin, modes);
    hg_comm_max_double(comm, length, *anchor);
    for (int64_t b = 0; b < task.n_bin; b++) {
        (*anchor)[b * TOP_MAX] = modes[b];
    }
    make_anchors(task.n_bin, *anchor);
done:
    hg_mem_free(modes);
    return status;
}

static hg_status
check_pair(const hg_density *a, const hg_density *b)
{
    if (a->box != b->box || a->kernel != b->kernel || a->interlaced != b->interlaced) {
        return HG_FAIL(HG_E_SHAPE, "two densities of a cross spectrum differ in box, mass "
                                   "assignment or interlacing");
    }
    return HG_OK;
}

hg_status
hg_fine_measure(const hg_comm *comm, const hg_mesh *mesh, const hg_density *a,
                const hg_density *b, double common, hg_los los, hg_fine *fine)
{
    const double volume = a->box * a->box * a->box;
    const int64_t n = mesh->n;
    hg_window window = {0};
    double *inverse = NULL, *anchor = NULL;
    mode_task task = {0};
    hg_status status;

    b = b != NULL ? b : a;
    *fine = (hg_fine){.box = a->box, .mesh = n, .n_bin = count_bins(n)};
    fine->n_sum = los == HG_LOS_NONE ? HG_FINE_Q0 + 1 : HG_FINE_MAX;
    HG_TRY(check_pair(a, b));
    HG_TRY_OR(agree, status, hg_window_init(&window, n, a->kernel));
    HG_TRY_OR(agree, status, hg_mem_array(&inverse, (size_t)n, sizeof *inverse));
    HG_TRY_OR(agree, status,
              hg_mem_zeros(&fine->sum, (size_t)(fine->n_bin * fine->n_sum), sizeof(double)));
    for (int64_t i = 0; i < n; i++) {
        inverse[i] = 1 / (window.w[i] * window.w[i]);
    }
    task = (mode_task){.mesh = mesh,
                       .a = a->mode,
                       .b = b->mode,
                       .window = &window,
                       .inverse = inverse,
                       .scale = volume / (a->weight_sum * b->weight_sum),
                       .scale_a = volume / (a->weight_sum * a->weight_sum),
                       .scale_b = volume / (b->weight_sum * b->weight_sum),
                       .shot = volume * common / (a->weight_sum * b->weight_sum),
                       .interlaced = a->interlaced,
                       .los = los,
                       .n_bin = fine->n_bin,
                       .n_sum = fine->n_sum};
agree:
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    if (mesh->reproducible) {
        HG_TRY_OR(done, status, find_anchors(comm, task, &anchor));
        task.anchor = anchor;
    }
    status = sum_modes(&task, fine->sum);
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    hg_comm_sum_double(comm, (size_t)(fine->n_bin * fine->n_sum), fine->sum);
done:
    hg_mem_free(anchor);
    hg_mem_free(inverse);
    hg_window_clear(&window);
    if (status != HG_OK) {
        hg_fine_clear(fine);
    }
    return status;
}

int64_t
hg_fine_bytes(int64_t n, hg_los los, bool reproducible, int threads)
{
    const int64_t n_bin = count_bins(n);
    const int64_t length = n_bin * (los == HG_LOS_NONE ? HG_FINE_Q0 + 1 : HG_FINE_MAX);

    return (length * fit_threads(length, threads) + (reproducible ? n_bin * TOP_MAX : 0)) *
           (int64_t)sizeof(double);
}

void
hg_fine_clear(hg_fine *fine)
{
    hg_mem_free(fine->sum);
    memset(fine, 0, sizeof *fine);
}

int64_t
hg_power_edge_square(double edge)
{
    double square = edge * edge, near = rint(square);

    return (int64_t)(fabs(square - near) <= 1e-9 * (1 + near) ? near : ceil(square));
}

int
hg_bin_edges(double low, double high, double width, double dln, int room, double edge[])
{
    int n = 0;

    edge[0] = low;
    while (n + 1 < room && edge[n] < high * (1 - 1e-12)) {
        double next = fmax(edge[n] + width, edge[n] * exp(dln));

        edge[++n] = next < high ? next : high;
        if (!(next > edge[n - 1])) {
            return n - 1;
        }
    }
    return n;
}

/* Arrays of a spectrum in one block. */
static hg_status
allocate_power(int n, int n_pole, hg_power *power)
{
    double *p = NULL;

    *power = (hg_power){.n = n, .n_pole = n_pole};
    HG_TRY(hg_mem_zeros(&power->block, (size_t)(n * (5 + 2 * n_pole)), sizeof *p));
    p = power->block;
    power->k_low = p;
    power->k_high = p + n;
    power->k_mean = p + 2 * n;
    power->shot = p + 3 * n;
    for (int l = 0; l < n_pole; l++) {
        power->p[l] = p + (4 + 2 * l) * n;
        power->sigma[l] = p + (5 + 2 * l) * n;
    }
    return hg_mem_zeros(&power->modes, (size_t)n, sizeof *power->modes);
}

static void
fill_bin(const hg_fine *fine, int64_t low, int64_t high, int i, hg_power *power)
{
    static const int p_column[HG_POLES] = {HG_FINE_P0, HG_FINE_P2, HG_FINE_P4};
    static const int q_column[HG_POLES] = {HG_FINE_Q0, HG_FINE_Q2, HG_FINE_Q4};
    double total[HG_FINE_MAX] = {0}, k = 0, modes = 0;

    for (int64_t n2 = low; n2 < high && n2 < fine->n_bin; n2++) {
        const double *bin = fine->sum + n2 * fine->n_sum;

        for (int c = 0; c < fine->n_sum; c++) {
            total[c] += bin[c];
        }
        k += bin[HG_FINE_MODES] * sqrt((double)n2);
    }
    modes = total[HG_FINE_MODES];
    power->modes[i] = (int64_t)modes;
    power->k_mean[i] = modes > 0 ? 2 * M_PI / fine->box * k / modes : (double)NAN;
    power->shot[i] = modes > 0 ? total[HG_FINE_SHOT] / modes : (double)NAN;
    for (int l = 0; l < power->n_pole && l < HG_POLES; l++) {
        power->p[l][i] = modes > 0 ? (4 * l + 1) * total[p_column[l]] / modes : (double)NAN;
        power->sigma[l][i] =
            modes > 0 ? (4 * l + 1) * sqrt(total[q_column[l]]) / modes : (double)NAN;
    }
}

hg_status
hg_power_bin(const hg_fine *fine, int n_bin, const double edge[], hg_power *power)
{
    const double fundamental = 2 * M_PI / fine->box;

    *power = (hg_power){0};
    for (int i = 0; i < n_bin; i++) {
        if (!(edge[i + 1] > edge[i]) || edge[i] < 0) {
            return HG_FAIL(HG_E_ARG, "edges of wave-number bins do not increase: %g, %g",
                           edge[i], edge[i + 1]);
        }
    }
    HG_TRY(allocate_power(n_bin, fine->n_sum == HG_FINE_MAX ? 3 : 1, power));
    for (int i = 0; i < n_bin; i++) {
        power->k_low[i] = edge[i] * fundamental;
        power->k_high[i] = edge[i + 1] * fundamental;
        fill_bin(fine, hg_power_edge_square(edge[i]), hg_power_edge_square(edge[i + 1]), i,
                 power);
    }
    return HG_OK;
}

void
hg_power_clear(hg_power *power)
{
    hg_mem_free(power->block);
    hg_mem_free(power->modes);
    memset(power, 0, sizeof *power);
}
