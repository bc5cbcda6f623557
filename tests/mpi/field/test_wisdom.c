/* Measured plans in files: found again, replaced when damaged, and without influence on results
 * that shall be reproducible. */
#include "mpi_folder.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "field/mesh.h"

MPI_SUITE(wisdom);

/* Name of the first wisdom file, number of files, and what tells one version from another. */
static int
look(char name[512], ino_t *version)
{
    DIR *folder = opendir(test_folder);
    int n = 0;

    cr_assert(folder != NULL);
    for (const struct dirent *e = readdir(folder); e != NULL; e = readdir(folder)) {
        struct stat info;

        if (e->d_name[0] != '.') {
            n++;
            snprintf(name, 512, "%.200s/%.250s", test_folder, e->d_name);
            cr_assert(stat(name, &info) == 0 && info.st_size > 0);
            *version = info.st_ino;
        }
    }
    closedir(folder);
    return n;
}

/* Bits of a transform there and back of a mesh with these options. */
static uint64_t
transform(const hg_comm *comm, const hg_mesh_options *options)
{
    hg_mesh *mesh = NULL;
    float *field = NULL;
    uint64_t hash = 0;

    cr_assert_eq(hg_mesh_create(comm, options, &mesh), HG_OK);
    cr_assert_eq(hg_mesh_field(mesh, (void **)&field), HG_OK);
    for (int64_t r = 0; r < mesh->n_x * mesh->n_y; r++) {
        hg_stream s =
            hg_stream_start(3, 0, (uint64_t)(mesh->x_first * mesh->n_y + r), HG_PURPOSE_LATENT);

        for (int64_t z = 0; z < mesh->n; z++) {
            field[r * mesh->row + z] = (float)hg_stream_uniform(&s);
        }
    }
    const float before = mesh->n_x * mesh->n_y > 0 ? field[0] : 0;

    hg_mesh_forward(comm, mesh, field);
    hash = hg_hash_bytes(field, (size_t)(mesh->n_ky * mesh->n * mesh->n_kz) * 8);
    hg_mesh_backward(comm, mesh, field);
    if (mesh->n_x * mesh->n_y > 0) {
        cr_assert(fabs((double)field[0] / pow((double)mesh->n, 3) - (double)before) < 1e-5);
    }
    hg_mem_free(field);
    hg_mesh_free(mesh);
    return hash;
}

/* A reproducible mesh makes the process forget all it has learnt. */
static uint64_t
forget(void)
{
    return transform(&world, &(hg_mesh_options){.n = 24, .reproducible = true});
}

Test(wisdom, plans_are_kept_found_and_replaced)
{
    static const hg_backend backends[] = {HG_BACKEND_SLAB, HG_BACKEND_PENCIL};
    uint64_t exact = 0;

    for (int b = 0; b < 2; b++) {
        hg_mesh_options o = {.n = 24, .effort = HG_EFFORT_MEASURE, .backend = backends[b]};
        char name[512] = "";
        ino_t first = 0, again = 0;

        share_folder();
        exact = forget();
        o.wisdom = test_folder;
        transform(&world, &o);
        hg_comm_barrier(&world);
        all_assert(look(name, &first) == 1);
        forget();
        hg_comm_barrier(&world);
        transform(&world, &o);
        hg_comm_barrier(&world);
        /* nothing new was learnt, so the file was read and is the same one */
        all_assert(look(name, &again) == 1 && again == first);
        all_assert(forget() == exact);
        if (world.rank == 0) {
            FILE *file = fopen(name, "w");

            cr_assert(file != NULL && fputs("(fftw-9 nonsense", file) >= 0);
            fclose(file);
        }
        hg_comm_barrier(&world);
        transform(&world, &o);
        hg_comm_barrier(&world);
        all_assert(look(name, &again) == 1);
        if (world.rank == 0) {
            char text[64] = "";
            FILE *file = fopen(name, "r");

            cr_assert(file != NULL && fgets(text, sizeof text, file) != NULL);
            cr_assert(strstr(text, "nonsense") == NULL);
            fclose(file);
        }
        drop_folder();
    }
}

/* Estimated and reproducible meshes leave no file; a folder that cannot be made does no harm;
 * many jobs may write at once. */
Test(wisdom, jobs_share_a_folder_and_need_none)
{
    hg_mesh_options o = {.n = 16, .effort = HG_EFFORT_MEASURE, .wisdom = test_folder};
    char name[512], nowhere[600];
    ino_t version;
    hg_comm self;

    share_folder();
    all_assert(hg_comm_split(&world, world.rank, &self) == HG_OK);
    o.reproducible = true;
    transform(&world, &o);
    o.reproducible = false;
    o.effort = HG_EFFORT_ESTIMATE;
    transform(&world, &o);
    hg_comm_barrier(&world);
    all_assert(look(name, &version) == 0);
    o.effort = HG_EFFORT_MEASURE;
    hg_comm_barrier(&world);
    for (int i = 0; i < 3; i++) {
        forget();
        transform(&self, &o);
    }
    hg_comm_barrier(&world);
    all_assert(look(name, &version) == 1);
    snprintf(nowhere, sizeof nowhere, "%s/folder", name);
    o.wisdom = nowhere; /* below a file */
    transform(&world, &o);
    hg_comm_clear(&self);
    drop_folder();
}
