/* Objects are taken as spread evenly over ranks; all rows of the largest catalogue may be in a
 * sample. */
#include "measure/measure_memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "measure/measure_cluster.h"
#include "measure/measure_pairs.h"
#include "measure/measure_pass.h"
#include "table/cells.h"

static const double mebibyte = 1048576;

hg_mesh_options
hg_measure_mesh(const hg_params_measure *o)
{
    static const char *const backends[] = {"auto", "slab", "pencil"};
    hg_mesh_options options = {.n = o->mesh, .reproducible = o->reproducible};

    for (int b = 0; b < 3; b++) {
        if (strcmp(o->backend, backends[b]) == 0) {
            options.backend = (hg_backend)b;
        }
    }
    if (strcmp(o->precision, "double") == 0) {
        options.precision = HG_PRECISION_DOUBLE;
    }
    if (strcmp(o->planning, "measure") == 0) {
        options.effort = HG_EFFORT_MEASURE;
    }
    return options;
}

/* Bytes of a kept row, and of a point made of it. */
static void
size_object(const hg_params *params, double *kept, double *point, bool *is_weighted)
{
    *is_weighted = false;
    for (int i = 0; i < params->samples.n; i++) {
        *is_weighted = *is_weighted || strstr(params->samples.v[i].text, "| weight ") != NULL;
    }
    *kept = (double)(sizeof(hg_selected) + (*is_weighted ? sizeof(double) : 0) +
                     (strcmp(params->measure.space, "real") != 0 ? 3 * sizeof(float) : 0));
    *point =
        (double)(3 * sizeof(double) + sizeof(int64_t) + (*is_weighted ? sizeof(double) : 0));
}

/* Pairs are counted when the densities are gone; both samples of a pair may be all objects. */
static double
bytes_of_pairs(const hg_params *params, double share, double box, int ranks, bool is_weighted)
{
    const hg_params_measure *o = &params->measure;
    const double mesh = HG_PAIR_CELLS / (double)o->mesh;
    const double projected = box > 0 ? o->rp_max / box : 0;
    const double n = share * (o->cross.n > 0 ? 2 : 1);
    bool is_turned = false;
    hg_los los[3];

    for (int i = 0; i < hg_measure_lines(o, los); i++) {
        is_turned = is_turned || los[i] != HG_LOS_Z; /* so that it is the third axis */
    }
    const double more = (is_weighted ? 8.0 : 0) + (is_turned ? 24.0 : 0);

    return o->pairs ? hg_cells_bytes(n, fmax(mesh, projected), ranks) + n * more : 0;
}

void
hg_measure_memory_estimate(const hg_params *params, double objects, double referred, double box,
                           int ranks, int threads, hg_measure_memory *memory)
{
    const hg_params_measure *o = &params->measure;
    const hg_mesh_options options = hg_measure_mesh(o);
    hg_kernel kernel = HG_KERNEL_PCS;
    double kept, point;
    bool is_weighted;
    hg_los los[3];

    for (int p = HG_KERNEL_NGP; p <= HG_KERNEL_PCS; p++) {
        if (strcmp(o->assignment, hg_kernel_name((hg_kernel)p)) == 0) {
            kernel = (hg_kernel)p;
        }
    }
    const int lines = hg_measure_lines(o, los);

    hg_mesh_cost_estimate(&options, ranks, threads, kernel, o->interlace, objects,
                          &memory->mesh);
    memory->second = o->cross.n > 0 ? memory->mesh.field : 0;
    /* sums being made, and those kept of each fold or of other lines of sight */
    memory->bins =
        (double)hg_fine_bytes(o->mesh, los[0], o->reproducible, threads) +
        (double)(o->folds + (lines > 1)) * (double)hg_fine_bytes(o->mesh, los[0], false, 1);
    size_object(params, &kept, &point, &is_weighted);
    memory->objects =
        (objects * (kept + point * (o->cross.n > 0 ? 2 : 1)) + referred * kept) / ranks;
    memory->pairs = bytes_of_pairs(params, objects / ranks, box, ranks, is_weighted);
    memory->total =
        memory->mesh.work + memory->bins + memory->objects +
        fmax(memory->mesh.paint + memory->mesh.points + memory->second, memory->pairs);
}

hg_status
hg_measure_memory_check(const hg_params *params, const hg_measure_memory *memory)
{
    const double most = params->run.memory_max;

    if (most > 0 && memory->total > most) {
        return HG_FAIL(HG_E_MEMORY,
                       "a mesh of %" PRId64 "^3 cells and its objects need about %.0f MiB per "
                       "rank, Run.memory_max allows %.0f MiB: choose a smaller Measure.mesh, "
                       "Measure.precision float, or more nodes",
                       params->measure.mesh, memory->total / mebibyte, most / mebibyte);
    }
    return HG_OK;
}

void
hg_measure_memory_text(const hg_params *params, const hg_measure_memory *memory, size_t size,
                       char text[])
{
    const hg_mesh_cost *m = &memory->mesh;

    snprintf(text, size,
             "mesh %" PRId64
             "^3 in %s, %d x %d ranks; MiB per rank: fields %.0f, exchange %.0f, "
             "objects %.0f, bins %.0f, pairs %.0f, at most %.0f; a transform sends %.1f, "
             "points %.1f",
             params->measure.mesh, m->backend == HG_BACKEND_SLAB ? "slabs" : "pencils",
             m->grid[0], m->grid[1], (m->paint + memory->second) / mebibyte, m->work / mebibyte,
             (m->points + memory->objects) / mebibyte, memory->bins / mebibyte,
             memory->pairs / mebibyte, memory->total / mebibyte, m->transform / mebibyte,
             m->ghosts / mebibyte);
}
