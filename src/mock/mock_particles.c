/* Ranks make the particles of their planes; rank 0 writes one rank's block after the other, so
 * it holds at most two blocks. A particle is kept by a hash of its place on the mesh. */
#include "mock/mock_particles.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/random.h"
#include "store/h5.h"
#include "store/publish.h"

typedef struct particle {
    int64_t id;
    float position[3];
    float velocity[3];
} particle;

static bool
is_kept(const hg_mock_plan *plan, uint64_t cell, double share)
{
    hg_stream s = hg_stream_start(plan->seed, 1, cell, HG_PURPOSE_MODE);

    return hg_stream_uniform(&s) < share;
}

static hg_status
make_particles(const hg_mock_plan *plan, const hg_mock_fields *f, double share, int64_t *n,
               particle **particles)
{
    uint64_t first = (uint64_t)f->fft->x_first * (uint64_t)plan->mesh * (uint64_t)plan->mesh;
    double width = plan->box / plan->mesh, h = plan->cosmology.h;
    int64_t at = 0;

    *n = 0;
    for (size_t i = 0; i < f->fft->n_real; i++) {
        *n += is_kept(plan, first + i, share);
    }
    HG_TRY(hg_mem_array(particles, (size_t)*n, sizeof **particles));
    for (size_t i = 0; i < f->fft->n_real; i++) {
        uint64_t cell = first + i;
        double lattice[3];

        if (!is_kept(plan, cell, share)) {
            continue;
        }
        hg_mock_cell_place((int64_t)cell, plan->mesh, lattice);
        (*particles)[at].id = (int64_t)cell;
        for (int k = 0; k < 3; k++) {
            double x = lattice[k] * width + (double)f->shift[k][i];

            x -= plan->box * floor(x / plan->box);
            (*particles)[at].position[k] = (float)(x * h);
        }
        at++;
    }
    return HG_OK;
}

/* Fill in the velocities, one component at a time. */
static hg_status
add_velocities(const hg_comm *comm, const hg_mock_plan *plan, const hg_mock_fields *f,
               int64_t n, particle particles[])
{
    int64_t first = f->fft->x_first * plan->mesh * plan->mesh;
    size_t plane = (size_t)plan->mesh * (size_t)plan->mesh;
    float *field = NULL, *ghost = NULL;
    hg_status status;

    status = hg_mem_array(&field, f->fft->n_real, sizeof *field);
    if (status == HG_OK) {
        status = hg_mem_array(&ghost, 2 * plane, sizeof *ghost);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int axis = 0; axis < 3; axis++) {
        HG_TRY_OR(done, status,
                  hg_mock_fields_velocity(comm, plan, f, axis, field, ghost, ghost + plane));
        for (int64_t i = 0; i < n; i++) {
            particles[i].velocity[axis] =
                field[particles[i].id - first] / (float)sqrt(plan->scale_factor);
        }
    }
done:
    hg_mem_free(field);
    hg_mem_free(ghost);
    return status;
}

static hg_status
write_header(hg_h5 *file, const hg_mock_plan *plan, int64_t total)
{
    const hg_cosmology *c = &plan->cosmology;
    double mass = hg_cosmology_rho_mean(c) * pow(plan->box, 3) / (double)total * c->h / 1e10;
    double table[6] = {0, mass};
    int64_t dims[2] = {total, 3};
    uint32_t low[6] = {0, (uint32_t)total}, high[6] = {0, (uint32_t)(total >> 32)};

    HG_TRY(hg_h5_group(file, "Header"));
    HG_TRY(hg_h5_put(file, "Header", "MassTable", HG_F64, 6, table));
    HG_TRY(hg_h5_put(file, "Header", "NumPart_ThisFile", HG_U32, 6, low));
    HG_TRY(hg_h5_put(file, "Header", "NumPart_Total", HG_U32, 6, low));
    HG_TRY(hg_h5_put(file, "Header", "NumPart_Total_HighWord", HG_U32, 6, high));
    HG_TRY(hg_h5_put_integer(file, "Header", "NumFilesPerSnapshot", 1));
    HG_TRY(hg_h5_put_real(file, "Header", "BoxSize", plan->box * c->h));
    HG_TRY(hg_h5_put_real(file, "Header", "Time", plan->scale_factor));
    HG_TRY(hg_h5_put_real(file, "Header", "Redshift", plan->redshift));
    HG_TRY(hg_h5_put_real(file, "Header", "Omega0", c->omega_m));
    HG_TRY(hg_h5_put_real(file, "Header", "OmegaLambda", c->omega_l));
    HG_TRY(hg_h5_put_real(file, "Header", "HubbleParam", c->h));
    HG_TRY(hg_h5_put_string(file, "Header", "Units", "Mpc/h, 1e10 Msun/h, km/s"));
    HG_TRY(hg_h5_reserve(file, "PartType1/Coordinates", HG_F32, 2, dims, NULL));
    HG_TRY(hg_h5_reserve(file, "PartType1/Velocities", HG_F32, 2, dims, NULL));
    return hg_h5_reserve(file, "PartType1/ParticleIDs", HG_I64, 1, dims, NULL);
}

static hg_status
write_block(hg_h5 *file, int64_t first, int64_t n, const particle block[])
{
    float *vector = NULL;
    int64_t *id = NULL;
    hg_status status;

    HG_TRY_OR(done, status, hg_mem_array(&vector, 3 * (size_t)n, sizeof *vector));
    HG_TRY_OR(done, status, hg_mem_array(&id, (size_t)n, sizeof *id));
    for (int64_t i = 0; i < n; i++) {
        id[i] = block[i].id;
        for (int k = 0; k < 3; k++) {
            vector[3 * i + k] = block[i].position[k];
        }
    }
    HG_TRY_OR(done, status,
              hg_h5_write_rows(file, "PartType1/Coordinates", first, n, HG_F32, vector));
    HG_TRY_OR(done, status,
              hg_h5_write_rows(file, "PartType1/ParticleIDs", first, n, HG_I64, id));
    for (int64_t i = 0; i < 3 * n; i++) {
        vector[i] = block[i / 3].velocity[i % 3];
    }
    status = hg_h5_write_rows(file, "PartType1/Velocities", first, n, HG_F32, vector);
done:
    hg_mem_free(vector);
    hg_mem_free(id);
    return status;
}

/* Rank 0: take the blocks of all ranks in order; `block` has room for the largest. After a
 * failure the rest is still received. */
static hg_status
write_file(const hg_comm *comm, const hg_mock_plan *plan, const int64_t count[],
           const particle mine[], particle block[], const char *temporary)
{
    int64_t total = 0, first = 0;
    hg_h5 *file = NULL;
    hg_status status, closed;

    for (int r = 0; r < comm->size; r++) {
        total += count[r];
    }
    status = hg_h5_create(temporary, &file);
    if (status == HG_OK) {
        status = write_header(file, plan, total);
    }
    for (int r = 0; r < comm->size; r++) {
        if (r > 0) {
            hg_comm_receive(comm, r, block, (size_t)count[r] * sizeof *block);
        }
        if (status == HG_OK && count[r] > 0) {
            status = write_block(file, first, count[r], r > 0 ? block : mine);
        }
        first += count[r];
    }
    closed = hg_h5_close(file);
    return status != HG_OK ? status : closed;
}

hg_status
hg_mock_particles_write(const hg_comm *comm, const hg_mock_plan *plan,
                        const hg_mock_fields *fields, double share, const char *path)
{
    char temporary[HG_PATH_MAX];
    particle *particles = NULL, *block = NULL;
    int64_t n = 0, *count = NULL, most = 0;
    hg_status status;

    status = make_particles(plan, fields, share, &n, &particles);
    if (status == HG_OK) {
        status = hg_mem_array(&count, (size_t)comm->size, sizeof *count);
    }
    if (status == HG_OK) {
        status = hg_publish_begin(path, sizeof temporary, temporary);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status, add_velocities(comm, plan, fields, n, particles));
    hg_comm_gather(comm, &n, sizeof n, count);
    for (int r = 1; r < comm->size; r++) {
        most = count[r] > most ? count[r] : most;
    }
    status = comm->rank == 0 ? hg_mem_array(&block, (size_t)most, sizeof *block) : HG_OK;
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    if (comm->rank == 0) {
        status = write_file(comm, plan, count, particles, block, temporary);
        if (status == HG_OK) {
            status = hg_publish(temporary, path, NULL);
        } else {
            remove(temporary);
        }
    } else {
        hg_comm_send(comm, 0, particles, (size_t)n * sizeof *particles);
    }
    status = hg_comm_agree(comm, status);
done:
    hg_mem_free(particles);
    hg_mem_free(block);
    hg_mem_free(count);
    return status;
}
