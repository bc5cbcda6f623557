/* The steps in order, each giving back what the next does not need, so that the meshes are gone
 * before the rows are written. */
#include "mock/mock_universe.h"

#include "base/memory.h"
#include "mock/mock_hosts.h"
#include "mock/mock_particles.h"
#include "mock/mock_zooms.h"

void
hg_mock_universe_clear(hg_mock_universe *universe)
{
    hg_mock_plan_free(universe->plan);
    hg_mem_free(universe->row);
    hg_mem_free(universe->delta);
    *universe = (hg_mock_universe){0};
}

hg_status
hg_mock_universe_make(const hg_comm *comm, const hg_params_mock *param,
                      const hg_cosmology *cosmology, double box, int mesh, uint64_t seed,
                      double radius, const char *particles, hg_mock_universe *universe)
{
    hg_mock_universe u = {0};
    hg_mock_fields fields = {0};
    hg_mock_host *host = NULL;
    int64_t n_host = 0;
    hg_status status;

    *universe = u;
    status = hg_mock_plan_create(param, cosmology, box, mesh, seed, &u.plan);
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status, hg_mock_fields_make(comm, u.plan, &fields));
    HG_TRY_OR(done, status, hg_mock_hosts_place(comm, u.plan, &fields, &n_host, &host));
    if (radius > 0) {
        HG_TRY_OR(done, status,
                  hg_mock_matter(comm, u.plan, &fields, radius, &u.n_point, &u.delta));
    }
    if (particles != NULL) {
        HG_TRY_OR(done, status,
                  hg_mock_particles_write(comm, u.plan, &fields, param->particles, particles));
    }
    hg_mock_fields_clear(&fields);
    status = hg_mock_rows_make(u.plan, n_host, host, &u.n, &u.row);
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    *universe = u;
    u = (hg_mock_universe){0};
done:
    hg_mem_free(host);
    hg_mock_fields_clear(&fields);
    hg_mock_universe_clear(&u);
    return status;
}

hg_status
hg_mock_universe_cut(const hg_comm *comm, const hg_mock_universe *universe, int n_region,
                     const hg_region region[], int64_t *n_got, hg_mock_row **got)
{
    hg_mock_row *cut = NULL;
    int *target = NULL;
    int64_t n = 0, room = 0;
    hg_status status = HG_OK;

    *n_got = 0;
    *got = NULL;
    for (int pass = 0; pass < 2 && status == HG_OK; pass++) {
        n = 0;
        for (int64_t i = 0; i < universe->n; i++) {
            for (int r = 0; r < n_region; r++) {
                double d2 = hg_mock_distance2(universe->row[i].position, region[r].centre,
                                              universe->plan->box);

                if (d2 >= region[r].radius * region[r].radius) {
                    continue;
                }
                if (pass == 1) {
                    cut[n] = universe->row[i];
                    cut[n].region = r;
                    target[n] = r % comm->size;
                }
                n++;
            }
        }
        if (pass == 0) {
            room = n;
            status = hg_mem_array(&cut, (size_t)room, sizeof *cut);
            if (status == HG_OK) {
                status = hg_mem_array(&target, (size_t)room, sizeof *target);
            }
        }
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    status = hg_comm_exchange(comm, n, sizeof *cut, cut, target, n_got, got);
done:
    hg_mem_free(cut);
    hg_mem_free(target);
    return status;
}

void
hg_mock_universe_check(const hg_comm *comm, const hg_mock_universe *universe, double *chi2,
                       int *n_bin, int64_t *n_host, int64_t *n_row)
{
    enum { MOST = 128 };
    const hg_mock_plan *plan = universe->plan;
    int64_t count[MOST + 1] = {0};

    for (int64_t i = 0; i < universe->n; i++) {
        if (hg_mock_row_is_host(&universe->row[i])) {
            count[universe->row[i].bin]++;
        }
    }
    count[MOST] = universe->n;
    hg_comm_sum(comm, MOST + 1, count);
    *n_row = count[MOST];
    *n_host = 0;
    *chi2 = 0;
    *n_bin = 0;
    for (int b = 0; b < plan->n_bin; b++) {
        double off = (double)count[b] - plan->bin[b].expected;

        *n_host += count[b];
        if (plan->bin[b].expected >= 10) {
            *chi2 += off * off / plan->bin[b].expected;
            ++*n_bin;
        }
    }
}
