/* Planes are transformed along z and y, transposed by one all-to-all, and finished along x. The
 * pieces of the transpose are laid out so that what arrives is the mode box itself, (x, ky,
 * kz): rank r gets from rank s the block (x of s, ky of r, kz), and the blocks come in rank
 * order, so no unpacking pass is needed. */
#include "field/rowfft.h"

#include <omp.h>
#include <string.h>

#include "base/memory.h"
#include "field/lines.h"

struct hg_rowfft_state {
    hg_lines lines;
    int n_thread;
    hg_mode *plane;    /* shape (n_thread, n, n / 2 + 1) */
    hg_mode *work;     /* the mode box before the transpose, shape (x_n, n, n / 2 + 1) */
    int64_t *n_planes; /* shape (3, size): bytes to and from each rank, first ky of each */
};

int64_t
hg_rowfft_first(int n, int size, int rank)
{
    return (int64_t)n * rank / size;
}

int
hg_rowfft_owner(int n, int size, int64_t plane)
{
    return (int)(((plane + 1) * size - 1) / n);
}

static hg_status
allocate_state(const hg_comm *comm, hg_rowfft *f)
{
    struct hg_rowfft_state *s = NULL;
    size_t n = (size_t)f->n, nk = n / 2 + 1;

    HG_TRY(hg_mem_zeros(&f->state, 1, sizeof *f->state));
    s = f->state;
    HG_TRY(hg_lines_init(&s->lines, f->n, HG_PRECISION_DOUBLE, HG_EFFORT_ESTIMATE));
    s->n_thread = s->lines.n_thread;
    HG_TRY(hg_mem_array(&s->plane, (size_t)s->n_thread * n * nk, sizeof *s->plane));
    HG_TRY(hg_mem_array(&s->work, (size_t)f->x_n * n * nk, sizeof *s->work));
    return hg_mem_array(&s->n_planes, 3 * (size_t)comm->size, sizeof *s->n_planes);
}

hg_status
hg_rowfft_create(const hg_comm *comm, int n, hg_rowfft **fft)
{
    hg_rowfft *f = NULL;
    hg_status status;

    *fft = NULL;
    if (n < 2 || n > 8192 || n % 2 != 0) {
        return HG_FAIL(HG_E_ARG, "a mesh of %d cells per side is not even or not in 2..8192",
                       n);
    }
    HG_TRY_OR(plan, status, hg_mem_zeros(&f, 1, sizeof *f));
    f->n = n;
    f->x_first = f->y_first = hg_rowfft_first(n, comm->size, comm->rank);
    f->x_n = f->y_n = hg_rowfft_first(n, comm->size, comm->rank + 1) - f->x_first;
    f->n_real = (size_t)f->x_n * (size_t)n * (size_t)n;
    f->n_mode = (size_t)f->y_n * (size_t)n * (size_t)(n / 2 + 1);
    HG_TRY_OR(plan, status, allocate_state(comm, f));
plan:
    status = hg_comm_agree(comm, status);
    if (status != HG_OK) {
        hg_rowfft_free(f);
        return status;
    }
    *fft = f;
    return HG_OK;
}

void
hg_rowfft_free(hg_rowfft *fft)
{
    if (fft == NULL) {
        return;
    }
    if (fft->state != NULL) {
        struct hg_rowfft_state *s = fft->state;
        hg_lines_clear(&s->lines);
        hg_mem_free(s->plane);
        hg_mem_free(s->work);
        hg_mem_free(s->n_planes);
        hg_mem_free(s);
    }
    hg_mem_free(fft);
}

/* Transform the columns [0, width) of lines of numbers at distance `stride` in place. */
static void
transform_lines(const hg_lines *lines, int sign, hg_mode data[], size_t stride, size_t width)
{
    for (size_t first = 0; first < width; first += HG_LINES_BATCH) {
        size_t n_line = width - first < HG_LINES_BATCH ? width - first : HG_LINES_BATCH;

        hg_lines_complex(lines, sign, (int)n_line, stride, data + first, data + first);
    }
}

/* Move between the two layouts of the work array: block of rank r = (x of mine, ky of r, kz).
 */
static void
copy_plane(const hg_comm *comm, const hg_rowfft *f, int64_t x, hg_mode plane[], bool pack)
{
    size_t nk = (size_t)f->n / 2 + 1;

    for (int r = 0; r < comm->size; r++) {
        int64_t first = hg_rowfft_first(f->n, comm->size, r);
        int64_t n_y = hg_rowfft_first(f->n, comm->size, r + 1) - first;
        hg_mode *block = f->state->work + (size_t)(f->x_n * first + x * n_y) * nk;
        hg_mode *rows = plane + (size_t)first * nk;

        memcpy(pack ? block : rows, pack ? rows : block, (size_t)n_y * nk * sizeof *block);
    }
}

static void
count_bytes(const hg_comm *comm, const hg_rowfft *f)
{
    int64_t *to = f->state->n_planes, *from = to + comm->size;
    int64_t nk = f->n / 2 + 1;

    for (int r = 0; r < comm->size; r++) {
        int64_t n_r =
            hg_rowfft_first(f->n, comm->size, r + 1) - hg_rowfft_first(f->n, comm->size, r);

        to[r] = f->x_n * n_r * nk * (int64_t)sizeof(hg_mode); /* x of mine, ky of r */
        from[r] = n_r * f->y_n * nk * (int64_t)sizeof(hg_mode);
    }
}

void
hg_rowfft_forward(const hg_comm *comm, const hg_rowfft *fft, const double real[],
                  hg_mode mode[])
{
    const struct hg_rowfft_state *s = fft->state;
    size_t n = (size_t)fft->n, nk = n / 2 + 1;
    double scale = 1.0 / ((double)n * (double)n * (double)n);

#pragma omp parallel for num_threads(s->n_thread)
    for (int64_t x = 0; x < fft->x_n; x++) {
        hg_mode *plane = s->plane + (size_t)omp_get_thread_num() * n * nk;

        for (size_t y = 0; y < n; y++) {
            hg_lines_to_modes(&s->lines, real + ((size_t)x * n + y) * n, &plane[y * nk]);
        }
        transform_lines(&s->lines, -1, plane, nk, nk);
        copy_plane(comm, fft, x, plane, true);
    }
    count_bytes(comm, fft);
    hg_comm_alltoall(comm, s->work, s->n_planes, mode, s->n_planes + comm->size);
#pragma omp parallel for num_threads(s->n_thread)
    for (int64_t y = 0; y < fft->y_n; y++) {
        transform_lines(&s->lines, -1, mode + (size_t)y * nk, (size_t)fft->y_n * nk, nk);
    }
#pragma omp parallel for num_threads(s->n_thread)
    for (size_t i = 0; i < fft->n_mode; i++) {
        mode[i].re *= scale;
        mode[i].im *= scale;
    }
}

void
hg_rowfft_backward(const hg_comm *comm, const hg_rowfft *fft, hg_mode mode[], double real[])
{
    const struct hg_rowfft_state *s = fft->state;
    size_t n = (size_t)fft->n, nk = n / 2 + 1;

#pragma omp parallel for num_threads(s->n_thread)
    for (int64_t y = 0; y < fft->y_n; y++) {
        transform_lines(&s->lines, 1, mode + (size_t)y * nk, (size_t)fft->y_n * nk, nk);
    }
    count_bytes(comm, fft);
    hg_comm_alltoall(comm, mode, s->n_planes + comm->size, s->work, s->n_planes);
#pragma omp parallel for num_threads(s->n_thread)
    for (int64_t x = 0; x < fft->x_n; x++) {
        hg_mode *plane = s->plane + (size_t)omp_get_thread_num() * n * nk;

        copy_plane(comm, fft, x, plane, false);
        transform_lines(&s->lines, 1, plane, nk, nk);
        for (size_t y = 0; y < n; y++) {
            hg_lines_to_real(&s->lines, &plane[y * nk], real + ((size_t)x * n + y) * n);
        }
    }
}

/* Every rank sends to r the planes r wants and it owns: first the one below, then the one
 * above. A rank with both wanted planes on one owner gets them in that order, too. */
hg_status
hg_rowfft_ghosts(const hg_comm *comm, const hg_rowfft *fft, const float field[], float below[],
                 float above[])
{
    int n = fft->n, size = comm->size;
    size_t cells = (size_t)n * (size_t)n, n_out = 0;
    int64_t bytes = (int64_t)(cells * sizeof *field), *to = fft->state->n_planes,
            *from = to + size;
    float *send = NULL, *recv = NULL;
    hg_status status;

    status = hg_mem_array(&recv, 2 * cells, sizeof *recv);
    if (status == HG_OK) {
        status = hg_mem_array(&send, 2 * cells * (size_t)size, sizeof *send);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int r = 0; r < size; r++) {
        int64_t first = hg_rowfft_first(n, size, r), end = hg_rowfft_first(n, size, r + 1);
        int64_t want[2] = {(first - 1 + n) % n, end % n};

        to[r] = from[r] = 0;
        for (int side = 0; side < 2 && end > first; side++) {
            int64_t mine = want[side] - fft->x_first;

            if (mine >= 0 && mine < fft->x_n) {
                memcpy(send + n_out * cells, field + (size_t)mine * cells, (size_t)bytes);
                n_out++;
                to[r] += bytes;
            }
        }
    }
    for (int side = 0; side < 2 && fft->x_n > 0; side++) {
        int64_t plane = side == 0 ? fft->x_first - 1 + n : fft->x_first + fft->x_n;

        from[hg_rowfft_owner(n, size, plane % n)] += bytes;
    }
    hg_comm_alltoall(comm, send, to, recv, from);
    if (fft->x_n > 0) {
        int lower = hg_rowfft_owner(n, size, (fft->x_first - 1 + n) % n);
        int upper = hg_rowfft_owner(n, size, (fft->x_first + fft->x_n) % n);

        memcpy(below, recv + (lower <= upper ? 0 : cells), (size_t)bytes);
        memcpy(above, recv + (lower <= upper ? cells : 0), (size_t)bytes);
    }
done:
    hg_mem_free(send);
    hg_mem_free(recv);
    return status;
}
