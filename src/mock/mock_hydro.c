/* Both runs start from the rows of the parent. A halo brings at most HG_MOCK_PARTICLES
 * particles, numbered by row and place and then scrambled; each run orders them anew by a noisy
 * rank of binding. What a subhalo loses, or all of one that merged, stands behind the particles
 * of its host. Random numbers are keyed by run and halo. */
#include "mock/mock_hydro.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"
#include "catalog/members.h"
#include "mock/mock_table.h"
#include "store/publish.h"

enum { DMO, HYDRO, N_RUN };
enum { PRESENT, MISSING, MERGED };

/* One run of a region. */
typedef struct mock_run {
    int which;
    const hg_mock_plan *plan;
    int64_t n;              /* rows of the parent in the region */
    const hg_mock_row *row; /* shape (n) */
    uint8_t *state;         /* shape (n) */
    int64_t *host;          /* shape (n); index of the host, -1 = outside the region */
    int64_t *place;         /* shape (n); row in this run, -1 = none */
    int64_t n_here;
} mock_run;

static void
clear_run(mock_run *r)
{
    hg_mem_free(r->state);
    hg_mem_free(r->host);
    hg_mem_free(r->place);
}

static hg_stream
stream_of(const mock_run *r, int64_t i, int purpose)
{
    return hg_stream_start(r->plan->seed, (uint64_t)(16 * (purpose + 1) + r->which),
                           (uint64_t)r->row[i].id, HG_PURPOSE_NOISE);
}

/* What became of each halo in this run, and the order of its rows. */
static hg_status
draw_states(mock_run *r)
{
    const double lost = r->plan->param->hydro_lost;
    int64_t host = -1;

    HG_TRY(hg_mem_zeros(&r->state, (size_t)r->n, sizeof *r->state));
    HG_TRY(hg_mem_array(&r->host, (size_t)r->n, sizeof *r->host));
    HG_TRY(hg_mem_array(&r->place, (size_t)r->n, sizeof *r->place));
    for (int64_t i = 0; i < r->n; i++) {
        hg_stream s = stream_of(r, i, 0);
        const double u = hg_stream_uniform(&s);
        const bool is_host = hg_mock_row_is_host(&r->row[i]);

        host = is_host ? i : host;
        r->host[i] = host >= 0 && r->row[host].id == hg_mock_id_host(r->row[i].id) ? host : -1;
        if (u < lost) {
            r->state[i] = MISSING;
        } else if (u < 2 * lost && !is_host && r->host[i] >= 0 &&
                   r->state[r->host[i]] == PRESENT) {
            r->state[i] = MERGED;
        }
        r->place[i] = r->state[i] == PRESENT ? r->n_here++ : -1;
    }
    return HG_OK;
}

typedef struct keyed_row {
    uint64_t key;
    int64_t i;
} keyed_row;

static int
compare_keyed(const void *x, const void *y)
{
    const keyed_row *a = x, *b = y;

    return a->key < b->key ? -1 : a->key > b->key;
}

/* The hydrodynamical run has its rows in a random order. */
static hg_status
shuffle_rows(mock_run *r)
{
    keyed_row *order = NULL;
    int64_t k = 0;

    HG_TRY(hg_mem_array(&order, (size_t)r->n_here, sizeof *order));
    for (int64_t i = 0; i < r->n; i++) {
        if (r->place[i] >= 0) {
            order[k++] = (keyed_row){hg_mix64((uint64_t)r->row[i].id + r->plan->seed), i};
        }
    }
    if (k > 0) {
        qsort(order, (size_t)k, sizeof *order, compare_keyed);
    }
    for (int64_t p = 0; p < k; p++) {
        r->place[order[p].i] = p;
    }
    hg_mem_free(order);
    return HG_OK;
}

/* Id of a halo in this run. */
static int64_t
id_of(const mock_run *r, int64_t i)
{
    return r->which == HYDRO ? r->place[i] + 1 : r->row[i].id;
}

/* A row as this run sees it: shifted centre and masses, without baryons in the halo. */
static hg_mock_row
perturb_row(const mock_run *r, int64_t i)
{
    const hg_mock_plan *plan = r->plan;
    const double jitter = plan->param->hydro_jitter;
    const double left =
        r->which == HYDRO ? 1 - plan->cosmology.omega_b / plan->cosmology.omega_m : 1;
    hg_mock_row row = r->row[i];
    hg_stream s = stream_of(r, i, 1);
    const double radius =
        jitter * hg_cosmology_r200c(&plan->cosmology, plan->redshift, (double)row.m_bound);
    const double mass = left * pow(10, 0.5 * jitter * hg_stream_normal(&s));

    for (int k = 0; k < 3; k++) {
        const double x = row.position[k] + radius * hg_stream_normal(&s);

        row.position[k] = x - plan->box * floor(x / plan->box);
        row.position[k] = row.position[k] < plan->box ? row.position[k] : 0;
    }
    row.m_bound = (float)((double)row.m_bound * mass);
    row.m200c = (float)((double)row.m200c * mass);
    row.r200c = (float)((double)row.r200c * cbrt(mass));
    row.vmax = (float)((double)row.vmax * cbrt(mass));
    return row;
}

/* A particle of a halo by its place, the same in both runs; one to one below 2^40. */
static uint64_t
particle_of(int64_t i, int place)
{
    const uint64_t x = (uint64_t)i * 128 + (uint64_t)place;

    return x * 0x9E3779B97F4A7C15u & ((1ULL << 40) - 1);
}

static int
count_particles(const mock_run *r, int64_t i)
{
    const double n = (double)r->row[i].m_bound / r->plan->param->particle_mass;

    return n < HG_MOCK_PARTICLES ? (int)llround(n) : HG_MOCK_PARTICLES;
}

/* Particles of a halo in the order of binding in this run; `lost` marks those it gave away. */
static int
order_particles(const mock_run *r, int64_t i, int place[], bool lost[])
{
    const int n = count_particles(r, i);
    keyed_row order[HG_MOCK_PARTICLES];
    hg_stream s = stream_of(r, i, 2);

    for (int k = 0; k < n; k++) {
        const double rank = k + 10 * fabs(hg_stream_normal(&s));

        order[k] = (keyed_row){(uint64_t)(rank * 0x1p40) + (uint64_t)k, k};
        lost[k] = hg_stream_uniform(&s) < r->plan->param->hydro_exchange && r->which == HYDRO;
    }
    qsort(order, (size_t)n, sizeof *order, compare_keyed);
    for (int k = 0; k < n; k++) {
        place[k] = (int)order[k].i;
    }
    return n;
}

/* Add a particle to a list; in the hydrodynamical run gas stands between. */
static void
put_particle(const mock_run *r, int64_t i, int place, uint64_t list[], int64_t *n)
{
    const uint64_t x = particle_of(i, place);

    list[(*n)++] = r->which == HYDRO ? 2 * x : x;
    if (r->which == HYDRO && place % 3 == 0) {
        list[(*n)++] = 2 * x + 1;
    }
}

/* Own particles of halo i (what = 0), or what it leaves to its host (1). */
static void
list_particles(const mock_run *r, int64_t i, int what, uint64_t list[], int64_t *n)
{
    int place[HG_MOCK_PARTICLES];
    bool lost[HG_MOCK_PARTICLES];
    const int count = order_particles(r, i, place, lost);

    for (int k = 0; k < count; k++) {
        if ((what == 1) == (r->state[i] == MERGED || lost[place[k]])) {
            put_particle(r, i, place[k], list, n);
        }
    }
}

/* Lists of all haloes of this run, in the order of its rows. */
static hg_status
make_lists(const mock_run *r, hg_members *m)
{
    int64_t *row = NULL, n = 0;
    hg_status status;

    m->n = r->n_here;
    HG_TRY(hg_mem_array(&m->key, (size_t)m->n, sizeof *m->key));
    HG_TRY(hg_mem_zeros(&m->first, (size_t)m->n + 1, sizeof *m->first));
    HG_TRY(hg_mem_array(&m->id, (size_t)r->n * 2 * HG_MOCK_PARTICLES, sizeof *m->id));
    HG_TRY(hg_mem_array(&row, (size_t)m->n, sizeof *row));
    for (int64_t i = 0; i < r->n; i++) {
        if (r->place[i] >= 0) {
            row[r->place[i]] = i;
        }
    }
    status = HG_OK;
    for (int64_t p = 0; p < m->n; p++) {
        const int64_t i = row[p];

        m->key[p] = id_of(r, i);
        list_particles(r, i, 0, m->id, &n);
        for (int64_t k = i + 1; k < r->n && r->host[k] == i && r->host[i] == i; k++) {
            if (r->state[k] != MISSING) {
                list_particles(r, k, 1, m->id, &n);
            }
        }
        m->first[p + 1] = n;
    }
    hg_mem_free(row);
    return status;
}

/* Ids of this run in the place of the parent's, and the true twins. */
static hg_status
name_rows(const mock_run *r, const mock_run *other, hg_table *table)
{
    int64_t *id = hg_table_i64(table, "id"), *host = hg_table_i64(table, "host_id");
    int64_t *twin = NULL;

    if (r->which == HYDRO) {
        HG_TRY(hg_table_add(table, "dmo_id", "", HG_COLUMN_I64, 1, &twin));
    }
    for (int64_t i = 0; i < r->n; i++) {
        const int64_t p = r->place[i], h = r->host[i];

        if (p < 0) {
            continue;
        }
        id[p] = id_of(r, i);
        host[p] = h >= 0 && h != i && r->place[h] >= 0 ? id_of(r, h) : -1;
        if (twin != NULL) {
            twin[p] = other->place[i] >= 0 ? id_of(other, i) : -1;
        }
    }
    return HG_OK;
}

static hg_status
make_table(const mock_run *r, const mock_run *other, float weight, hg_mock_request *request,
           hg_table *table)
{
    hg_mock_row *seen = NULL, *origin = NULL;
    hg_status status;

    HG_TRY_OR(done, status, hg_mem_array(&seen, (size_t)r->n_here, sizeof *seen));
    HG_TRY_OR(done, status, hg_mem_array(&origin, (size_t)r->n_here, sizeof *origin));
    for (int64_t i = 0; i < r->n; i++) {
        if (r->place[i] >= 0) {
            seen[r->place[i]] = perturb_row(r, i);
            origin[r->place[i]] = r->row[i];
        }
    }
    *request = (hg_mock_request){.content = r->which == HYDRO ? HG_MOCK_ZOOM : HG_MOCK_DMO,
                                 .weight = weight,
                                 .origin = origin};
    HG_TRY_OR(done, status, hg_mock_table_make(r->plan, r->n_here, seen, request, table));
    request->origin = NULL;
    status = name_rows(r, other, table);
done:
    hg_mem_free(seen);
    hg_mem_free(origin);
    return status;
}

static hg_status
write_run(const hg_comm *comm, const mock_run *r, const mock_run *other, float weight,
          const char *path, const char *parameters, bool overwrite)
{
    const char *tail = r->which == HYDRO ? "hydro" : "dmo";
    char name[HG_PATH_MAX], lists[HG_PATH_MAX];
    hg_mock_request request = {0};
    hg_members members = {0};
    hg_table table = {0};
    hg_status status;

    HG_TRY(hg_text_path(sizeof name, name, "%s_%s", path, tail));
    HG_TRY(hg_text_path(sizeof lists, lists, "%s_%s_ids.hdf5", path, tail));
    HG_TRY_OR(done, status, make_table(r, other, weight, &request, &table));
    HG_TRY_OR(
        done, status,
        hg_mock_table_output(comm, r->plan, &table, &request, name, parameters, overwrite));
    HG_TRY_OR(done, status, make_lists(r, &members));
    status = hg_members_write(lists, &members);
done:
    hg_members_clear(&members);
    hg_table_clear(&table);
    return status;
}

hg_status
hg_mock_hydro_write(const hg_comm *comm, const hg_mock_plan *plan, int64_t n,
                    const hg_mock_row row[], float weight, const char *path,
                    const char *parameters, bool overwrite)
{
    mock_run run[N_RUN] = {{0}};
    hg_status status = HG_OK;

    for (int k = 0; k < N_RUN && status == HG_OK; k++) {
        run[k] = (mock_run){.which = k, .plan = plan, .n = n, .row = row};
        status = draw_states(&run[k]);
    }
    HG_TRY_OR(done, status, status);
    HG_TRY_OR(done, status, shuffle_rows(&run[HYDRO]));
    for (int k = 0; k < N_RUN && status == HG_OK; k++) {
        status = write_run(comm, &run[k], &run[1 - k], weight, path, parameters, overwrite);
    }
done:
    for (int k = 0; k < N_RUN; k++) {
        clear_run(&run[k]);
    }
    return status;
}
