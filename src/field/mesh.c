/* Fields come from one aligned allocator, so slabs planned with the spare field hold for all.
 */
#include "field/mesh.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "field/pencil.h"
#include "field/slab.h"
#include "field/wisdom.h"

static size_t
real_size(const hg_mesh *mesh)
{
    return mesh->precision == HG_PRECISION_DOUBLE ? sizeof(double) : sizeof(float);
}

static hg_status
allocate_field(const hg_mesh *mesh, void **field)
{
    size_t n = mesh->n_real > 0 ? (size_t)mesh->n_real : 1;
    hg_status status = hg_mem_array(field, n, real_size(mesh));

    if (status != HG_OK) {
        hg_error_prefix("mesh of %" PRId64 "^3 cells (use a smaller mesh, precision float or "
                        "more ranks): ",
                        mesh->n);
    }
    return status;
}

hg_backend
hg_mesh_backend(const hg_mesh_options *options, int size)
{
    const int64_t n = options->n;

    if (options->backend != HG_BACKEND_AUTO) {
        return options->backend;
    }
    return options->reproducible || size > n / 2 || !hg_slab_fits(n, size) ? HG_BACKEND_PENCIL
                                                                           : HG_BACKEND_SLAB;
}

static hg_status
shape_mesh(const hg_comm *comm, const hg_mesh_options *options, hg_mesh *mesh)
{
    return mesh->backend == HG_BACKEND_SLAB ? hg_slab_shape(comm, mesh)
                                            : hg_pencil_shape(comm, options->grid, mesh);
}

static hg_status
plan_backend(const hg_comm *comm, hg_effort effort, hg_mesh *mesh)
{
    hg_status status;

    if (mesh->backend == HG_BACKEND_PENCIL) {
        return hg_pencil_plan(comm, mesh, effort);
    }
    status = allocate_field(mesh, &mesh->spare);
    HG_TRY(hg_comm_agree(comm, status));
    return hg_slab_plan(comm, mesh, effort);
}

/* Reproducible meshes neither measure nor learn. */
static hg_status
plan_mesh(const hg_comm *comm, const hg_mesh_options *options, hg_mesh *mesh)
{
    const hg_effort effort = mesh->reproducible ? HG_EFFORT_ESTIMATE : options->effort;
    hg_wisdom wisdom;
    hg_status status;

    if (effort == HG_EFFORT_ESTIMATE || options->wisdom == NULL) {
        return plan_backend(comm, effort, mesh);
    }
    hg_wisdom_begin(comm, mesh, options->wisdom, &wisdom);
    status = plan_backend(comm, effort, mesh);
    hg_wisdom_end(comm, mesh, status == HG_OK, &wisdom);
    return status;
}

hg_status
hg_mesh_create(const hg_comm *comm, const hg_mesh_options *options, hg_mesh **out)
{
    const int64_t n = options->n;
    hg_mesh *mesh = NULL;
    hg_status status = HG_OK;

    *out = NULL;
    if (n < 2 || n > 65536) {
        status = HG_FAIL(HG_E_ARG, "a mesh of %" PRId64 " cells per side is not possible", n);
    }
    if (options->reproducible && options->backend == HG_BACKEND_SLAB) {
        status = HG_FAIL(HG_E_ARG,
                         "slabs are not reproducible: set Measure.backend to pencil or auto");
    }
    if (status == HG_OK) {
        status = hg_mem_zeros(&mesh, 1, sizeof *mesh);
    }
    if (status == HG_OK) {
        mesh->n = n;
        mesh->precision = options->precision;
        mesh->reproducible = options->reproducible;
        mesh->backend = hg_mesh_backend(options, comm->size);
        mesh->row = 2 * (n / 2 + 1);
        status = hg_mem_zeros(&mesh->x_owner, 2 * (size_t)n, sizeof *mesh->x_owner);
    }
    HG_TRY_OR(fail, status, hg_comm_agree(comm, status));
    mesh->y_owner = mesh->x_owner + n;
    HG_TRY_OR(fail, status, shape_mesh(comm, options, mesh));
    HG_TRY_OR(fail, status, plan_mesh(comm, options, mesh));
    *out = mesh;
    return HG_OK;
fail:
    hg_mesh_free(mesh);
    return status;
}

void
hg_mesh_free(hg_mesh *mesh)
{
    if (mesh == NULL) {
        return;
    }
    hg_slab_unplan(mesh);
    hg_pencil_unplan(mesh);
    hg_mem_free(mesh->spare);
    hg_mem_free(mesh->x_owner);
    hg_mem_free(mesh);
}

int64_t
hg_mesh_bytes(const hg_mesh *mesh)
{
    return mesh->n_real * (int64_t)real_size(mesh);
}

hg_status
hg_mesh_field(hg_mesh *mesh, void **field)
{
    *field = mesh->spare;
    mesh->spare = NULL;
    if (*field == NULL) {
        HG_TRY(allocate_field(mesh, field));
    }
    memset(*field, 0, (size_t)hg_mesh_bytes(mesh));
    return HG_OK;
}

void
hg_mesh_forward(const hg_comm *comm, const hg_mesh *mesh, void *field)
{
    if (mesh->backend == HG_BACKEND_SLAB) {
        hg_slab_forward(comm, mesh, field);
    } else {
        hg_pencil_forward(comm, mesh, field);
    }
}

void
hg_mesh_backward(const hg_comm *comm, const hg_mesh *mesh, void *field)
{
    if (mesh->backend == HG_BACKEND_SLAB) {
        hg_slab_backward(comm, mesh, field);
    } else {
        hg_pencil_backward(comm, mesh, field);
    }
}

static double
value_at(const hg_mesh *mesh, const void *field, int64_t i)
{
    return mesh->precision == HG_PRECISION_DOUBLE ? ((const double *)field)[i]
                                                  : (double)((const float *)field)[i];
}

double
hg_mesh_cell(const hg_mesh *mesh, const void *field, int64_t x, int64_t y, int64_t z)
{
    return value_at(mesh, field,
                    ((x - mesh->x_first) * mesh->n_y + y - mesh->y_first) * mesh->row + z);
}

void
hg_mesh_mode(const hg_mesh *mesh, const void *field, int64_t x, int64_t y, int64_t z,
             double mode[2])
{
    int64_t i = 2 * (((y - mesh->ky_first) * mesh->n + x) * mesh->n_kz + z - mesh->kz_first);

    mode[0] = value_at(mesh, field, i);
    mode[1] = value_at(mesh, field, i + 1);
}
