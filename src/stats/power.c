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
    const double *anchor;    /* shape (n_bin, TOP_MAX), or NULL for plain sums */
    bool find_top;           /* the pass that fills shape (n_bin, TOP_MAX) instead */
    const hg_wedges *wedges; /* bins of mu instead of fine bins, or NULL */
    int64_t length;          /* of all sums */
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

#define ALWAYS static inline __attribute__((always_inline))

/* Count a mode and keep the largest terms. */
ALWAYS void
note_mode(double modes, double p, double q, double s, double *restrict top)
{
    top[TOP_MODES] += modes;
    top[TOP_P] = fmax(top[TOP_P], fabs(p));
    top[TOP_SHOT] = fmax(top[TOP_SHOT], fabs(s));
    top[TOP_Q] = fmax(top[TOP_Q], q);
}

/* Numbers and largest terms of a row that stands for `rows`; modes of the plane n_z = 0 count
 * once, others for k and -k. */
static void
note_row(int rows, int64_t square, int64_t first, int64_t n_z, const double *p, const double *q,
         const double *s, double *restrict top)
{
    for (int64_t z = first; z < n_z; z++) {
        note_mode(z == 0 ? rows : 2 * rows, p[z], q[z], s[z], top + (square + z * z) * TOP_MAX);
    }
}

/* A term as it is added: rounded by the anchor of its bin, or untouched. */
#define TERM(x, which) (exact ? ((x) + anchor[which]) - anchor[which] : (x))

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
        bin[HG_FINE_Q2] += TERM(g * q[z] * l2, TOP_Q);
        bin[HG_FINE_Q4] += TERM(g * q[z] * l4, TOP_Q);
        bin[HG_FINE_Q24] += TERM(g * q[z] * l2 * l4, TOP_Q);
        bin[HG_FINE_Q44] += TERM(g * q[z] * l4 * l4, TOP_Q);
    }
}

/* Number of the wedge of a mode, counting on from bin `bin` of k as n2 grows along a row; mu >=
 * j / n_mu is compared in integers. -1 below the first bin, and bin is w->n beyond the last. */
ALWAYS int64_t
find_wedge(const hg_wedges *w, int64_t along, int64_t n2, int *bin)
{
    const int64_t n_mu = w->n_mu, left = along * along * n_mu * n_mu;
    int64_t j = (int64_t)(sqrt((double)(along * along) / (double)n2) * (double)n_mu);

    while (*bin < w->n && n2 >= w->low[*bin + 1]) {
        ++*bin;
    }
    if (*bin == w->n || n2 < w->low[0]) {
        return -1;
    }
    j += left >= (j + 1) * (j + 1) * n2; /* the root only guesses */
    j -= left < j * j * n2;
    return *bin * n_mu + (j < n_mu ? j : n_mu - 1);
}

/* Add a row to user bins of k and bins of mu, or note their largest terms. After the sums of
 * the bins stand those of k. */
ALWAYS void
add_row_wedges(const mode_task *task, const bool exact, int rows, int64_t x, int64_t y,
               int64_t square, int64_t first, int64_t n_z, const double *p, const double *q,
               const double *s, double *restrict sum)
{
    const hg_wedges *w = task->wedges;
    double *k_sum = sum + (int64_t)4 * w->n * w->n_mu;
    int bin = 0;

    for (int64_t z = first; z < n_z && bin < w->n; z++) {
        const int64_t n2 = square + z * z;
        const int64_t along = task->los == HG_LOS_X ? x : task->los == HG_LOS_Y ? y : z;
        const int64_t place = find_wedge(w, along, n2, &bin);
        const double g = z == 0 ? 1 : 2;

        if (place < 0) {
            continue;
        }
        if (task->find_top) {
            note_mode(g * rows, p[z], q[z], s[z], sum + place * TOP_MAX);
            continue;
        }
        const double *anchor = exact ? task->anchor + place * TOP_MAX : NULL;
        double *one = sum + 4 * place;

        one[HG_FINE_MODES] += g * rows;
        one[HG_FINE_P0] += TERM(g * p[z], TOP_P);
        one[HG_FINE_SHOT] += TERM(g * s[z], TOP_SHOT);
        one[HG_FINE_Q0] += TERM(g * q[z], TOP_Q);
        k_sum[place] += TERM(g * rows * sqrt((double)n2), TOP_MODES);
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

    if (task->wedges != NULL) {
        if (task->anchor == NULL) {
            add_row_wedges(task, false, rows, kx, ky, square, first, end, p, q, s, sum);
        } else {
            add_row_wedges(task, true, rows, kx, ky, square, first, end, p, q, s, sum);
        }
    } else if (task->find_top) {
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
    const int64_t length = task->length;
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
static double
make_anchor(double bound)
{
    int e;

    frexp(bound, &e);
    return bound > 0 ? ldexp(3, e) : 0;
}

/* In place of the numbers of modes come anchors of the sums of k, where there are some. */
static void
make_anchors(const mode_task *task, int64_t n_bin, double top[])
{
    const hg_wedges *w = task->wedges;

    for (int64_t b = 0; b < n_bin; b++) {
        double *bin = top + b * TOP_MAX;

        for (int c = TOP_P; c < TOP_MAX; c++) {
            bin[c] = make_anchor(bin[TOP_MODES] * bin[c]);
        }
        if (w != NULL) {
            const int64_t row = b / w->n_mu;

            bin[TOP_MODES] = make_anchor(bin[TOP_MODES] * sqrt((double)w->low[row + 1]));
        }
    }
}

/* The first pass: numbers of modes and largest terms over all ranks, made anchors. */
static hg_status
find_anchors(const hg_comm *comm, mode_task task, double **anchor)
{
    const int64_t n_bin =
        task.wedges != NULL ? (int64_t)task.wedges->n * task.wedges->n_mu : task.n_bin;
    const size_t length = (size_t)n_bin * TOP_MAX;
    double *modes = NULL;
    hg_status status;

    HG_TRY_OR(agree, status, hg_mem_zeros(anchor, length, sizeof **anchor));
    HG_TRY_OR(agree, status, hg_mem_array(&modes, (size_t)n_bin, sizeof *modes));
    task.find_top = true;
    task.n_sum = TOP_MAX;
    task.length = (int64_t)length;
    status = sum_modes(&task, *anchor);
agree:
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int64_t b = 0; b < n_bin; b++) {
        modes[b] = (*anchor)[b * TOP_MAX];
    }
    hg_comm_sum_double(comm, (size_t)n_bin, modes);
    hg_comm_max_double(comm, length, *anchor);
    for (int64_t b = 0; b < n_bin; b++) {
        (*anchor)[b * TOP_MAX] = modes[b];
    }
    make_anchors(&task, n_bin, *anchor);
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

/* Fill in what follows from the densities, sum over modes and over ranks. */
static hg_status
sum_densities(const hg_comm *comm, const hg_density *a, const hg_density *b, double common,
              mode_task *task, double *sum)
{
    const double volume = a->box * a->box * a->box;
    const int64_t n = task->mesh->n;
    hg_window window = {0};
    double *inverse = NULL, *anchor = NULL;
    hg_status status = hg_window_init(&window, n, a->kernel);

    if (status == HG_OK) {
        status = hg_mem_array(&inverse, (size_t)n, sizeof *inverse);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int64_t i = 0; i < n; i++) {
        inverse[i] = 1 / (window.w[i] * window.w[i]);
    }
    task->a = a->mode;
    task->b = b->mode;
    task->window = &window;
    task->inverse = inverse;
    task->scale = volume / (a->weight_sum * b->weight_sum);
    task->scale_a = volume / (a->weight_sum * a->weight_sum);
    task->scale_b = volume / (b->weight_sum * b->weight_sum);
    task->shot = volume * common / (a->weight_sum * b->weight_sum);
    task->interlaced = a->interlaced;
    if (task->mesh->reproducible) {
        HG_TRY_OR(done, status, find_anchors(comm, *task, &anchor));
        task->anchor = anchor;
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, sum_modes(task, sum)));
    hg_comm_sum_double(comm, (size_t)task->length, sum);
done:
    task->window = NULL;
    hg_mem_free(anchor);
    hg_mem_free(inverse);
    hg_window_clear(&window);
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

hg_status
hg_fine_measure(const hg_comm *comm, const hg_mesh *mesh, const hg_density *a,
                const hg_density *b, double common, hg_los los, hg_fine *fine)
{
    const int64_t n = mesh->n;
    mode_task task = {.mesh = mesh, .los = los, .n_bin = count_bins(n)};
    hg_status status;

    b = b != NULL ? b : a;
    task.n_sum = los == HG_LOS_NONE ? HG_FINE_Q0 + 1 : HG_FINE_MAX;
    task.length = task.n_bin * task.n_sum;
    *fine = (hg_fine){.box = a->box, .mesh = n, .n_bin = task.n_bin, .n_sum = task.n_sum};
    HG_TRY(check_pair(a, b));
    status = hg_mem_zeros(&fine->sum, (size_t)task.length, sizeof *fine->sum);
    HG_TRY_OR(fail, status, hg_comm_agree(comm, status));
    HG_TRY_OR(fail, status, sum_densities(comm, a, b, common, &task, fine->sum));
    return HG_OK;

fail:
    hg_fine_clear(fine);
    return status;
}

static hg_status
start_wedges(int n_bin, const double edge[], int n_mu, hg_wedges *wedges)
{
    *wedges = (hg_wedges){.n = n_bin, .n_mu = n_mu};
    if (n_mu < 1 || n_mu > HG_WEDGES_MAX) {
        return HG_FAIL(HG_E_ARG, "%d bins of mu; 1 to %d are possible", n_mu, HG_WEDGES_MAX);
    }
    for (int i = 0; i < n_bin; i++) {
        if (!(edge[i + 1] > edge[i]) || edge[i] < 0) {
            return HG_FAIL(HG_E_ARG, "edges of wave-number bins do not increase: %g, %g",
                           edge[i], edge[i + 1]);
        }
    }
    HG_TRY(hg_mem_array(&wedges->low, (size_t)n_bin + 1, sizeof *wedges->low));
    for (int i = 0; i <= n_bin; i++) {
        wedges->low[i] = hg_power_edge_square(edge[i]);
    }
    HG_TRY(hg_mem_zeros(&wedges->sum, 5 * (size_t)n_bin * (size_t)n_mu, sizeof *wedges->sum));
    wedges->k_sum = wedges->sum + (int64_t)4 * n_bin * n_mu;
    return HG_OK;
}

hg_status
hg_wedges_measure(const hg_comm *comm, const hg_mesh *mesh, const hg_density *a,
                  const hg_density *b, double common, hg_los los, int n_bin,
                  const double edge[], int n_mu, hg_wedges *wedges)
{
    mode_task task = {.mesh = mesh, .los = los, .wedges = wedges};
    hg_status status = start_wedges(n_bin, edge, n_mu, wedges);

    b = b != NULL ? b : a;
    if (status == HG_OK) {
        status = check_pair(a, b);
    }
    HG_TRY_OR(fail, status, hg_comm_agree(comm, status));
    task.n_bin = wedges->low[n_bin];
    task.length = (int64_t)5 * n_bin * n_mu;
    HG_TRY_OR(fail, status, sum_densities(comm, a, b, common, &task, wedges->sum));
    return HG_OK;

fail:
    hg_wedges_clear(wedges);
    return status;
}
