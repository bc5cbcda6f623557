/* Orphans of a small table of links, and what fails on the way to them. */
#include "mpi_fault.h"
#include "mpi_folder.h"

#include <math.h>

#include "base/memory.h"
#include "features/orphans.h"
#include "store/publish.h"

MPI_SUITE(orphans);

enum { HOSTS = 4, LOST = 3 };

static const char mapping[] =
    "Header: {box: 100 Mpc, h: 0.7, omega_m: 0.3}\n"
    "Columns: {id: id, descendant_id: link, scale: a, m_bound: \"m, Msun\",\n"
    "          position: \"x; y; z, Mpc\", velocity: \"u; v; w, km/s\"}\n";

/* Each host has two times; at the first it has subhaloes that become part of it. */
static void
write_table(void)
{
    FILE *f = fopen(in_folder("t.csv"), "w");

    fputs("id,link,a,m,x,y,z,u,v,w\n", f);
    for (int i = 0; i < HOSTS; i++) {
        fprintf(f, "%d,%d,0.9,1e13,%d,0,0,0,0,0\n", 10 * i + 1, 10 * i, 20 * i);
        fprintf(f, "%d,-1,1,1e13,%d,0,0,0,0,0\n", 10 * i, 20 * i);
        for (int k = 0; k < LOST; k++) {
            fprintf(f, "%d,%d,0.9,1e10,%d,%g,0,0,0,100\n", 10 * i + 2 + k, 10 * i, 20 * i,
                    0.1 * (k + 1));
        }
    }
    fclose(f);
    cr_assert_eq(hg_publish_text(in_folder("m.yml"), mapping), HG_OK);
}

static hg_params *
read_params(void)
{
    char files[600], map[600];
    const char *set[2] = {files, map};
    const hg_params_options options = {.n_set = 2, .set = set, .snap = -1};
    hg_params *params = NULL;

    snprintf(files, sizeof files, "History.files=[%s]", in_folder("t.csv"));
    snprintf(map, sizeof map, "History.mapping=%s", in_folder("m.yml"));
    all_assert(hg_params_read(&world, &options, &params) == HG_OK);
    return params;
}

static hg_status
find(const hg_params *params, hg_orphans *orphans)
{
    static hg_history_recipe recipe;
    hg_frame frame = HG_FRAME_UNKNOWN;

    frame.box = 100;
    frame.h = 0.7;
    frame.omega_m = 0.3;
    frame.scale_factor = 1;
    all_assert(hg_history_parse(params, &recipe) == HG_OK);
    return hg_orphans_find(&world, params, &recipe, &frame, orphans);
}

static void
begin(void)
{
    share_folder();
    if (world.rank == 0) {
        write_table();
    }
    hg_comm_barrier(&world);
}

Test(orphans, lost_subhaloes_have_the_host_of_today)
{
    hg_orphans orphans;
    hg_params *params;
    bool is_right = true;
    int64_t n;

    begin();
    params = read_params();
    all_assert(find(params, &orphans) == HG_OK);
    n = orphans.n;
    hg_comm_sum(&world, 1, &n);
    all_assert(n == (int64_t)HOSTS * LOST);
    for (int64_t i = 0; i < orphans.n; i++) {
        const hg_orphan *o = &orphans.orphan[i];
        const double r = 0.1 * (double)(o->id % 10 - 1);
        double d = o->position[0] - 20 * (double)(o->id / 10), y = o->position[1];

        d -= 100 * round(d / 100);
        y -= 100 * round(y / 100); /* circles about hosts at y = 0, in the plane of x = 0 */
        is_right = is_right && o->host == o->id / 10 * 10 && o->mass == 1e10 && fabs(d) < 1e-9;
        is_right = is_right && fabs(y) < r && o->left > 0.5 && o->left < 1;
    }
    all_assert(is_right);
    hg_orphans_clear(&orphans);
    hg_params_free(params);
    drop_folder();
}

Test(orphans, finding_them_may_fail_anywhere)
{
    hg_params *params;
    int64_t used;

    begin();
    params = read_params();
    used = hg_mem_used();
    for (int way = 0; way < 2; way++) { /* an agreement, an allocation */
        fault_loop f = {.of_memory = way == 1};

        while (fault_next(&f)) {
            hg_orphans orphans;

            fault_status(&f, find(params, &orphans));
            hg_orphans_clear(&orphans);
            all_assert(hg_mem_used() == used);
        }
        all_assert(f.n_failed > 9);
    }
    hg_params_free(params);
    drop_folder();
}
