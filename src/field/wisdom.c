/* Rank 0 alone touches files; FFTW-MPI hands its wisdom to the others and collects theirs. The
 * solvers of MPI must be known before, or FFTW rejects wisdom about them. */
#include "field/wisdom.h"

#include <fftw3-mpi.h>
#include <inttypes.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/text.h"
#include "field/slab.h"
#include "halograft/log.h"

/* Kind of processor and version of FFTW: on others, other plans are fast. */
static uint64_t
hash_machine(void)
{
    char text[512], line[256];
    FILE *file = fopen("/proc/cpuinfo", "r");

    snprintf(text, sizeof text, "%s", hg_mesh_version());
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "model name", 10) == 0) {
            snprintf(text, sizeof text, "%s %s", hg_mesh_version(), line);
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return hg_hash_bytes(text, strlen(text));
}

static hg_status
name_file(const hg_comm *comm, const hg_mesh *mesh, const char *folder, char path[HG_PATH_MAX])
{
    return hg_text_path(HG_PATH_MAX, path,
                        "%s/fftw-%s-%" PRId64 "-%s%dx%d-threads%d-%016" PRIx64 ".wisdom",
                        folder, mesh->precision == HG_PRECISION_DOUBLE ? "double" : "float",
                        mesh->n, mesh->backend == HG_BACKEND_SLAB ? "slab" : "pencil",
                        comm->size, mesh->n_column, omp_get_max_threads(), hash_machine());
}

static bool
import_file(const hg_mesh *mesh, const char *path)
{
    return (mesh->precision == HG_PRECISION_DOUBLE
                ? fftw_import_wisdom_from_filename(path)
                : fftwf_import_wisdom_from_filename(path)) != 0;
}

/* All that this rank knows; released by free(). */
static char *
export_text(const hg_mesh *mesh)
{
    return mesh->precision == HG_PRECISION_DOUBLE ? fftw_export_wisdom_to_string()
                                                  : fftwf_export_wisdom_to_string();
}

void
hg_wisdom_begin(const hg_comm *comm, const hg_mesh *mesh, const char *folder, hg_wisdom *wisdom)
{
    hg_status status = name_file(comm, mesh, folder, wisdom->path);

    wisdom->known = NULL;
    hg_slab_start();
    if (status == HG_OK) {
        status = hg_folder_make(comm, folder);
    }
    if (status != HG_OK) {
        wisdom->path[0] = '\0';
        if (comm->rank == 0) {
            hg_log_warn("measured plans are not kept: %s", hg_error_last()->message);
        }
        return;
    }
    if (comm->rank == 0) {
        if (import_file(mesh, wisdom->path)) {
            hg_log_info("plans of FFTW from '%s'", wisdom->path);
        }
        wisdom->known = export_text(mesh);
    }
    if (mesh->precision == HG_PRECISION_DOUBLE) {
        fftw_mpi_broadcast_wisdom(comm->mpi);
    } else {
        fftwf_mpi_broadcast_wisdom(comm->mpi);
    }
}

/* Write to a name that no other process has, then publish. */
static hg_status
write_file(const char *path, const char *text)
{
    char temporary[HG_PATH_MAX];
    const size_t n = strlen(text);
    int file;
    bool ok;

    HG_TRY(hg_text_path(sizeof temporary, temporary, "%s.tmp-XXXXXX", path));
    file = mkstemp(temporary);
    ok = file >= 0 && write(file, text, n) == (ssize_t)n;
    ok = file >= 0 && close(file) == 0 && ok;
    if (!ok) {
        if (file >= 0) {
            unlink(temporary);
        }
        return HG_FAIL(HG_E_WRITE, "'%s' cannot be written", temporary);
    }
    return hg_publish(temporary, path, NULL);
}

void
hg_wisdom_end(const hg_comm *comm, const hg_mesh *mesh, bool planned, hg_wisdom *wisdom)
{
    if (planned && wisdom->path[0] != '\0') {
        if (mesh->precision == HG_PRECISION_DOUBLE) {
            fftw_mpi_gather_wisdom(comm->mpi);
        } else {
            fftwf_mpi_gather_wisdom(comm->mpi);
        }
        if (comm->rank == 0) {
            char *text = export_text(mesh);

            if (text != NULL && wisdom->known != NULL && strcmp(text, wisdom->known) != 0 &&
                write_file(wisdom->path, text) != HG_OK) {
                hg_log_warn("measured plans are not kept: %s", hg_error_last()->message);
            }
            free(text);
        }
    }
    free(wisdom->known);
    wisdom->known = NULL;
}
