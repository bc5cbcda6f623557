/* Modes, displacements, velocities and the density of the moved mesh. Matter is painted in
 * fixed point on a lattice of a sixth of the smoothing radius, which every rank holds whole (at
 * most 256^3), so that the sum over ranks is exact and regions can be chosen without exchange.
 */
#include <math.h>

#include "base/memory.h"
#include "field/displacement.h"
#include "field/modes.h"
#include "mock/mock_hosts.h"

static const double fixed_point = 1 << 20;

int64_t
hg_mock_id(int64_t cell, int level, int ordinal, int sub)
{
    return ((cell * 32 + level) * 1024 + ordinal) * 4096 + sub;
}

int64_t
hg_mock_id_host(int64_t id)
{
    return id / 4096 * 4096;
}

int64_t
hg_mock_id_cell(int64_t id)
{
    return id / ((int64_t)4096 * 1024 * 32);
}

static hg_status
allocate_fields(const hg_rowfft *fft, hg_mock_fields *f)
{
    size_t plane = (size_t)fft->n * (size_t)fft->n;

    HG_TRY(hg_mem_array(&f->delta, fft->n_mode, sizeof *f->delta));
    HG_TRY(hg_mem_array(&f->source, fft->n_mode, sizeof *f->source));
    for (int i = 0; i < 3; i++) {
        HG_TRY(hg_mem_array(&f->shift[i], fft->n_real, sizeof **f->shift));
        HG_TRY(hg_mem_array(&f->ghost[i][0], plane, sizeof **f->shift));
        HG_TRY(hg_mem_array(&f->ghost[i][1], plane, sizeof **f->shift));
    }
    return HG_OK;
}

hg_status
hg_mock_fields_make(const hg_comm *comm, const hg_mock_plan *plan, hg_mock_fields *fields)
{
    hg_mock_fields f = {0};
    hg_lagrangian factor = {0};
    hg_status status;

    *fields = f;
    HG_TRY_OR(fail, status, hg_rowfft_create(comm, plan->mesh, &f.fft));
    status = allocate_fields(f.fft, &f);
    if (status == HG_OK) {
        status = hg_lagrangian_factors(&plan->cosmology, plan->redshift, &factor);
    }
    HG_TRY_OR(fail, status, hg_comm_agree(comm, status));
    hg_modes_draw(f.fft, plan->variance, plan->seed, plan->param->fixed, plan->param->paired,
                  f.delta);
    HG_TRY_OR(fail, status, hg_displacement_source(comm, f.fft, f.delta, f.source));
    for (int i = 0; i < 3; i++) {
        HG_TRY_OR(fail, status,
                  hg_displacement_field(comm, f.fft, i, plan->box, 1, factor.second, f.delta,
                                        f.source, f.shift[i]));
        HG_TRY_OR(fail, status,
                  hg_rowfft_ghosts(comm, f.fft, f.shift[i], f.ghost[i][0], f.ghost[i][1]));
    }
    *fields = f;
    return HG_OK;
fail:
    hg_mock_fields_clear(&f);
    return status;
}

void
hg_mock_fields_clear(hg_mock_fields *fields)
{
    for (int i = 0; i < 3; i++) {
        hg_mem_free(fields->shift[i]);
        hg_mem_free(fields->ghost[i][0]);
        hg_mem_free(fields->ghost[i][1]);
    }
    hg_mem_free(fields->delta);
    hg_mem_free(fields->source);
    hg_rowfft_free(fields->fft);
    *fields = (hg_mock_fields){0};
}

hg_status
hg_mock_fields_velocity(const hg_comm *comm, const hg_mock_plan *plan,
                        const hg_mock_fields *fields, int axis, float field[], float below[],
                        float above[])
{
    hg_lagrangian factor = {0};
    hg_status status = hg_lagrangian_factors(&plan->cosmology, plan->redshift, &factor);

    HG_TRY(hg_comm_agree(comm, status));
    HG_TRY(hg_displacement_field(comm, fields->fft, axis, plan->box, factor.speed1,
                                 factor.speed2, fields->delta, fields->source, field));
    return hg_rowfft_ghosts(comm, fields->fft, field, below, above);
}

/* Deposit one particle on the lattice of n points per side; x in lattice units. */
static void
deposit(int n, const double x[3], int64_t lattice[])
{
    int64_t i[3][2];
    double w[3][2];

    for (int k = 0; k < 3; k++) {
        double low = floor(x[k]);

        i[k][0] = ((int64_t)low % n + n) % n;
        i[k][1] = (i[k][0] + 1) % n;
        w[k][1] = x[k] - low;
        w[k][0] = 1 - w[k][1];
    }
    for (int c = 0; c < 8; c++) {
        int a = c >> 2, b = c >> 1 & 1, d = c & 1;
        int64_t share = (int64_t)llrint(fixed_point * w[0][a] * w[1][b] * w[2][d]);
        int64_t *cell = &lattice[(i[0][a] * n + i[1][b]) * n + i[2][d]];

#pragma omp atomic
        *cell += share;
    }
}

static void
paint(const hg_mock_plan *plan, const hg_mock_fields *f, int n, int64_t lattice[])
{
    int m = plan->mesh;
    double cell = (double)n / m, shift = n / plan->box;

#pragma omp parallel for
    for (int64_t row = 0; row < f->fft->x_n * m; row++) {
        const int64_t plane = f->fft->x_first + row / m;

        for (int z = 0; z < m; z++) {
            size_t at = (size_t)(row * m + z);
            double x[3] = {cell * (double)plane + shift * (double)f->shift[0][at],
                           cell * (double)(row % m) + shift * (double)f->shift[1][at],
                           cell * z + shift * (double)f->shift[2][at]};

            deposit(n, x, lattice);
        }
    }
}

/* Smooth the painted counts; this rank's planes of the result, as float. */
static hg_status
smooth(const hg_comm *comm, double box, double radius, const hg_rowfft *fft,
       const int64_t lattice[], double mean, float out[])
{
    hg_mode *mode = NULL;
    double *real = NULL, *window = NULL;
    size_t first = (size_t)fft->x_first * (size_t)fft->n * (size_t)fft->n;
    hg_status status;

    HG_TRY_OR(plan, status, hg_mem_array(&mode, fft->n_mode, sizeof *mode));
    HG_TRY_OR(plan, status, hg_mem_array(&real, fft->n_real, sizeof *real));
    HG_TRY_OR(plan, status, hg_mem_array(&window, hg_modes_table_size(fft->n), sizeof *window));
plan:
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (size_t i = 0; i < fft->n_real; i++) {
        real[i] = (double)lattice[first + i] / mean - 1;
    }
    hg_modes_top_hat(radius, box, fft->n, window);
    hg_rowfft_forward(comm, fft, real, mode);
    hg_modes_filter(fft, window, mode, mode);
    hg_rowfft_backward(comm, fft, mode, real);
    for (size_t i = 0; i < fft->n_real; i++) {
        out[i] = (float)real[i];
    }
done:
    hg_mem_free(mode);
    hg_mem_free(real);
    hg_mem_free(window);
    return status;
}

hg_status
hg_mock_matter(const hg_comm *comm, const hg_mock_plan *plan, const hg_mock_fields *fields,
               double radius, int *n, float **delta)
{
    int side = 2 * (int)ceil(3 * plan->box / radius);
    int64_t *lattice = NULL, n_all = 0;
    size_t cells;
    float *mine = NULL;
    hg_rowfft *fft = NULL;
    double mean;
    hg_status status;

    *delta = NULL;
    side = side < plan->mesh ? side : plan->mesh;
    *n = side = side < 256 ? side : 256;
    cells = (size_t)side * (size_t)side * (size_t)side;
    mean = fixed_point * pow((double)plan->mesh / side, 3);
    HG_TRY_OR(done, status, hg_rowfft_create(comm, side, &fft));
    status = hg_mem_zeros(&lattice, cells, sizeof *lattice);
    if (status == HG_OK) {
        status = hg_mem_array(&mine, fft->n_real, sizeof *mine);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    paint(plan, fields, side, lattice);
    hg_comm_sum(comm, cells, lattice);
    HG_TRY_OR(done, status, smooth(comm, plan->box, radius, fft, lattice, mean, mine));
    status = hg_comm_gather_rows(comm, (int64_t)fft->n_real, sizeof *mine, mine, &n_all, delta);
done:
    hg_mem_free(lattice);
    hg_mem_free(mine);
    hg_rowfft_free(fft);
    return status;
}
