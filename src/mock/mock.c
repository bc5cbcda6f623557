/* The main universe is made and written first; the zooms are cut from its rows, so their
 * features are the parent's to the bit. The periodic training volume and the small boxes are
 * universes of their own with the same cell size. Zoom files are written by one rank each, in
 * parallel. */
#include "mock/mock.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "catalog/part_files.h"
#include "conf/schema_table.h"
#include "halograft/log.h"
#include "halograft/version.h"
#include "mock/mock_hydro.h"
#include "mock/mock_table.h"
#include "mock/mock_universe.h"
#include "mock/mock_zooms.h"
#include "par/stop.h"
#include "store/publish.h"
#include "store/textfile.h"
#include "suite/paths.h"

/* What all steps need. */
typedef struct job {
    const hg_params *params;
    bool overwrite;
    hg_comm self;    /* this rank alone */
    int n_zoom;      /* zoom regions */
    hg_region *zoom; /* their places, when a table tells; else NULL */
} job;

static hg_status
make_path(const job *j, const char *name, size_t n, char path[])
{
    return hg_text_path(n, path, "%s/%s", j->params->output.folder, name);
}

static hg_status
write_rows(const hg_comm *comm, const job *j, const hg_mock_universe *u,
           const hg_mock_request *request, const char *name)
{
    char path[HG_PATH_MAX];
    hg_status status = make_path(j, name, sizeof path, path);

    HG_TRY(hg_comm_agree(comm, status));
    return hg_mock_table_write(comm, u->plan, u->n, u->row, request, path,
                               hg_params_text(j->params), j->overwrite);
}

static void
log_universe(const hg_comm *comm, const char *what, const hg_mock_universe *u)
{
    int64_t n_host, n_row;
    double chi2;
    int n_bin;

    hg_mock_universe_check(comm, u, &chi2, &n_bin, &n_host, &n_row);
    hg_log_info("mock: %s: %g Mpc, mesh %d, %" PRId64 " haloes, %" PRId64
                " of them hosts; n(M) against the input: chi^2 = %.1f for %d bins",
                what, u->plan->box, u->plan->mesh, n_row, n_host, chi2, n_bin);
    if (chi2 > n_bin + 6 * sqrt(2.0 * n_bin)) {
        hg_log_warn("mock: %s: the mass function is off its input", what);
    }
}

/* Name of the catalogue of a region, of a twin seed from t = 1 on. */
static hg_status
region_path(const job *j, int region, int t, char path[HG_PATH_MAX])
{
    char seed[16] = "";

    if (t > 0) {
        snprintf(seed, sizeof seed, "_seed%d", t);
    }
    return hg_text_path(HG_PATH_MAX, path, "%s/zooms/region_%02d%s", j->params->output.folder,
                        region, seed);
}

/* Regions and twins of an earlier mock that this one does not have: a pattern would find them.
 */
static hg_status
remove_older_regions(const job *j)
{
    const int n_region = j->n_zoom, n_twin = (int)j->params->mock.twins;
    bool found = true;

    for (int r = 0; found; r++) {
        found = r < n_region;
        for (int t = r < n_region ? n_twin + 1 : 0;; t++) {
            char path[HG_PATH_MAX], master[HG_PATH_MAX];

            HG_TRY(region_path(j, r, t, path));
            HG_TRY(hg_text_path(sizeof master, master, "%s.hdf5", path));
            if (!hg_file_exists(master)) {
                break;
            }
            hg_part_files_remove(path, HG_FILE_JOURNAL, false);
            found = true;
        }
    }
    return HG_OK;
}

static hg_status
write_hydro(const job *j, const hg_mock_universe *u, const hg_region *region, int64_t n,
            const hg_mock_row rows[])
{
    char path[HG_PATH_MAX];

    HG_TRY(region_path(j, (int)region->region, 0, path));
    return hg_mock_hydro_write(&j->self, u->plan, n, rows, (float)region->weight, path,
                               hg_params_text(j->params), j->overwrite);
}

/* Rows of the zooms this rank writes, region after region, with every twin seed. */
static hg_status
write_regions(const job *j, const hg_mock_universe *u, int n_region, const hg_region region[],
              int rank, int size, int64_t n, const hg_mock_row rows[])
{
    int64_t most = 0;
    hg_mock_row *own = NULL;
    hg_status status = HG_OK;

    HG_TRY(hg_mem_array(&own, (size_t)n, sizeof *own));
    for (int r = rank; r < n_region && status == HG_OK; r += size) {
        most = 0;
        for (int64_t i = 0; i < n; i++) {
            if (rows[i].region == r) {
                own[most++] = rows[i];
            }
        }
        for (int t = 0; t <= (int)j->params->mock.twins && status == HG_OK; t++) {
            hg_mock_request request = {
                .content = HG_MOCK_ZOOM, .twin = t, .weight = (float)region[r].weight};
            char path[HG_PATH_MAX];

            status = region_path(j, r, t, path);
            if (status == HG_OK) {
                status = hg_mock_table_write(&j->self, u->plan, most, own, &request, path,
                                             hg_params_text(j->params), j->overwrite);
            }
        }
        if (status == HG_OK && j->params->mock.hydro) {
            status = write_hydro(j, u, &region[r], most, own);
        }
    }
    hg_mem_free(own);
    return status;
}

/* The region table, of the zooms themselves or of their two runs with particles. */
static hg_status
write_region_table(const job *j, bool runs, int n, const hg_region region[])
{
    char path[HG_PATH_MAX];
    hg_text text = {0};
    hg_status status;

    HG_TRY_OR(done, status,
              make_path(j, runs ? "regions_hydro.csv" : "regions.csv", sizeof path, path));
    HG_TRY_OR(done, status,
              hg_text_add(&text, "region,run,hydro,dmo,%s,x,y,z,radius,weight,delta,redshift\n",
                          runs ? "hydro_ids,dmo_ids" : "twin"));
    for (int r = 0; r < n; r++) {
        const hg_region *g = &region[r];

        HG_TRY_OR(done, status, hg_text_add(&text, "%d,%s,", r, g->run));
        if (runs) {
            const char *name = "zooms/region";

            HG_TRY_OR(done, status,
                      hg_text_add(&text,
                                  "%s_%02d_hydro.hdf5,%s_%02d_dmo.hdf5,%s_%02d_hydro_ids.hdf5,"
                                  "%s_%02d_dmo_ids.hdf5",
                                  name, r, name, r, name, r, name, r));
        } else {
            HG_TRY_OR(done, status, hg_text_add(&text, "zooms/region_%02d.hdf5,,", r));
            if (j->params->mock.twins > 0) {
                HG_TRY_OR(done, status, hg_text_add(&text, "zooms/region_%02d_seed1.hdf5", r));
            }
        }
        HG_TRY_OR(done, status,
                  hg_text_add(&text, ",%.17g,%.17g,%.17g,%.17g,%.17g,%.9g,%.17g\n",
                              g->centre[0], g->centre[1], g->centre[2], g->radius, g->weight,
                              g->delta, g->redshift));
    }
    status = hg_publish_text(path, hg_text_string(&text));
done:
    hg_text_clear(&text);
    return status;
}

static void
log_regions(const hg_comm *comm, int n, const hg_region region[], double closest, double wanted,
            int64_t n_row)
{
    double low = region[0].delta, high = low;

    for (int r = 0; r < n; r++) {
        low = fmin(low, region[r].delta);
        high = fmax(high, region[r].delta);
        hg_log_debug("mock: region %02d at (%.1f, %.1f, %.1f) Mpc: delta %+.3f, weight %.3g", r,
                     region[r].centre[0], region[r].centre[1], region[r].centre[2],
                     region[r].delta, region[r].weight);
    }
    hg_comm_sum(comm, 1, &n_row);
    hg_log_info("mock: %d zoom regions of %g Mpc, delta %+.3f to %+.3f, %.1f effective, "
                "%" PRId64 " haloes",
                n, region[0].radius, low, high, hg_regions_effective(n, region), n_row);
    if (closest < wanted && comm->rank == 0) {
        hg_log_warn("mock: two zoom regions are only %.1f Mpc apart, %.1f were wanted%s",
                    closest, wanted,
                    closest < 2 * region[0].radius ? "; where they overlap haloes count twice"
                                                   : "");
    }
}

static hg_status
write_zooms(const hg_comm *comm, const job *j, const hg_mock_universe *u)
{
    const hg_params_mock *p = &j->params->mock;
    const int n = j->n_zoom;
    double closest = 0, wanted = 2 * p->zoom_radius + p->zoom_buffer;
    hg_region *region = NULL;
    hg_mock_row *rows = NULL;
    int64_t n_row = 0;
    char path[HG_PATH_MAX];
    hg_status status;

    status = hg_mem_zeros(&region, (size_t)n, sizeof *region);
    if (status == HG_OK && j->zoom != NULL) {
        memcpy(region, j->zoom, (size_t)n * sizeof *region);
        closest = wanted;
    } else if (status == HG_OK) {
        status = hg_mock_zooms_choose(u->plan, u->n_point, u->delta, n, p->zoom_radius,
                                      p->zoom_buffer, region, &closest);
    }
    if (status == HG_OK) {
        status = make_path(j, "zooms", sizeof path, path);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    HG_TRY_OR(done, status, hg_folder_make(comm, path));
    HG_TRY_OR(done, status, hg_mock_universe_cut(comm, u, n, region, &n_row, &rows));
    status = write_regions(j, u, n, region, comm->rank, comm->size, n_row, rows);
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    if (comm->rank == 0) {
        status = j->overwrite ? remove_older_regions(j) : HG_OK;
        status = status == HG_OK ? write_region_table(j, false, n, region) : status;
        if (status == HG_OK && p->hydro) {
            status = write_region_table(j, true, n, region);
        }
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    log_regions(comm, n, region, closest, wanted, n_row);
done:
    hg_mem_free(region);
    hg_mem_free(rows);
    return status;
}

/* Between the catalogues of a universe. */
static hg_status
look_for_stop(const hg_comm *comm)
{
    return hg_stop_check(comm, 0,
                         "the universe is not complete; 'run --resume' makes it again, as does "
                         "'mock --overwrite'");
}

static hg_status
write_parent(const hg_comm *comm, const job *j)
{
    const hg_params_mock *p = &j->params->mock;
    hg_cosmology cosmology = hg_mock_cosmology(p);
    hg_mock_universe u = {0};
    hg_mock_request parent = {.content = HG_MOCK_PARENT}, truth = {.content = HG_MOCK_TRUTH};
    hg_mock_request oracle = {.content = HG_MOCK_ORACLE, .n_redraw = (int)p->oracle};
    char particles[HG_PATH_MAX];
    hg_status status;

    status = make_path(j, "particles.hdf5", sizeof particles, particles);
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    hg_log_info("mock: drawing a universe of %g Mpc on a mesh of %d^3", p->box, (int)p->mesh);
    hg_phase_start("mock universe");
    HG_TRY_OR(done, status,
              hg_mock_universe_make(comm, p, &cosmology, p->box, (int)p->mesh,
                                    (uint64_t)j->params->meta.seed,
                                    j->n_zoom > 0 && j->zoom == NULL ? p->zoom_radius : 0,
                                    p->particles > 0 ? particles : NULL, &u));
    hg_phase_stop("mock universe");
    log_universe(comm, "parent", &u);
    hg_phase_start("mock parent");
    HG_TRY_OR(done, status, look_for_stop(comm));
    HG_TRY_OR(done, status, write_rows(comm, j, &u, &parent, "parent"));
    HG_TRY_OR(done, status, look_for_stop(comm));
    HG_TRY_OR(done, status, write_rows(comm, j, &u, &truth, "truth"));
    hg_phase_stop("mock parent");
    if (p->oracle > 0) {
        hg_phase_start("mock oracle");
        HG_TRY_OR(done, status, look_for_stop(comm));
        HG_TRY_OR(done, status, write_rows(comm, j, &u, &oracle, "oracle"));
        hg_phase_stop("mock oracle");
    }
    if (j->n_zoom > 0) {
        hg_phase_start("mock zooms");
        HG_TRY_OR(done, status, look_for_stop(comm));
        HG_TRY_OR(done, status, write_zooms(comm, j, &u));
        hg_phase_stop("mock zooms");
    }
done:
    hg_mock_universe_clear(&u);
    return status;
}

/* An even mesh with the cell size of the parent. */
static int
mesh_for(const hg_params_mock *p, double box)
{
    int half = (int)floor(0.5 * box * (double)p->mesh / p->box + 0.5);

    return 2 * (half > 4 ? half : 4);
}

static hg_status
write_periodic(const hg_comm *comm, const job *j)
{
    const hg_params_mock *p = &j->params->mock;
    hg_cosmology cosmology = hg_mock_cosmology(p);
    uint64_t seed = hg_mix64((uint64_t)j->params->meta.seed + 1);
    hg_mock_request request = {.content = HG_MOCK_BOX};
    hg_mock_universe u = {0};
    hg_status status;

    HG_TRY(hg_mock_universe_make(comm, p, &cosmology, p->periodic, mesh_for(p, p->periodic),
                                 seed, 0, NULL, &u));
    log_universe(comm, "periodic training volume", &u);
    status = write_rows(comm, j, &u, &request, "periodic");
    hg_mock_universe_clear(&u);
    return status;
}

/* Parameters of small box i: Omega_m and sigma_8 as in CAMELS, law shifts. */
static void
draw_theta(const job *j, int i, hg_cosmology *cosmology, double shift[2])
{
    hg_stream s =
        hg_stream_start((uint64_t)j->params->meta.seed, 0, (uint64_t)i, HG_PURPOSE_BOX);

    *cosmology = hg_mock_cosmology(&j->params->mock);
    cosmology->omega_m = 0.2 + 0.2 * hg_stream_uniform(&s);
    cosmology->omega_l = 1 - cosmology->omega_m;
    cosmology->sigma_8 = 0.7 + 0.2 * hg_stream_uniform(&s);
    shift[0] = 0.4 * hg_stream_uniform(&s) - 0.2;
    shift[1] = 2 * hg_stream_uniform(&s) - 1;
}

static hg_status
write_box(const hg_comm *comm, const job *j, int i, hg_text *table)
{
    const hg_params_mock *p = &j->params->mock;
    hg_mock_request request = {.content = HG_MOCK_THETA};
    uint64_t seed = hg_mix64((uint64_t)j->params->meta.seed + 1000 + (uint64_t)i);
    hg_cosmology cosmology;
    hg_mock_universe u = {0};
    double shift[2];
    char name[64];
    hg_status status;

    draw_theta(j, i, &cosmology, shift);
    snprintf(name, sizeof name, "boxes/box_%02d", i);
    HG_TRY(hg_mock_universe_make(comm, p, &cosmology, p->boxes_side, mesh_for(p, p->boxes_side),
                                 seed, 0, NULL, &u));
    u.plan->shift[0] = shift[0];
    u.plan->shift[1] = shift[1];
    for (int64_t r = 0; r < u.n; r++) {
        u.row[r].region = i;
    }
    status = write_rows(comm, j, &u, &request, name);
    hg_mock_universe_clear(&u);
    if (status == HG_OK) {
        status =
            hg_text_add(table, "%d,box,box_%02d.hdf5,%.17g,%.17g,%.17g,%.17g,%.17g\n", i, i,
                        p->redshift, cosmology.omega_m, cosmology.sigma_8, shift[0], shift[1]);
    }
    return hg_comm_agree(comm, status);
}

static hg_status
write_boxes(const hg_comm *comm, const job *j)
{
    hg_text table = {0};
    char path[HG_PATH_MAX];
    hg_status status = make_path(j, "boxes", sizeof path, path);

    HG_TRY(hg_comm_agree(comm, status));
    HG_TRY(hg_folder_make(comm, path));
    status = hg_text_add(&table,
                         "region,run,hydro,redshift,omega_m,sigma_8,theta_norm,theta_quench\n");
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int i = 0; i < (int)j->params->mock.boxes; i++) {
        HG_TRY_OR(done, status, look_for_stop(comm));
        HG_TRY_OR(done, status, write_box(comm, j, i, &table));
    }
    if (comm->rank == 0) {
        status = make_path(j, "boxes/boxes.csv", sizeof path, path);
        if (status == HG_OK) {
            status = hg_publish_text(path, hg_text_string(&table));
        }
    }
    status = hg_comm_agree(comm, status);
    hg_log_info("mock: %d small boxes of %g Mpc with varied cosmology and law",
                (int)j->params->mock.boxes, j->params->mock.boxes_side);
done:
    hg_text_clear(&table);
    return status;
}

/* What the schema cannot see: parameters that contradict each other. */
static hg_status
check_params(const hg_params_mock *p)
{
    hg_cosmology cosmology = hg_mock_cosmology(p);

    if (hg_cosmology_check(&cosmology) != HG_OK) {
        return HG_FAIL(HG_E_PARAM,
                       "Mock.omega_m = %g, omega_b = %g, h = %g, sigma_8 = %g, n_s = %g is no "
                       "universe: omega_b must be below omega_m",
                       p->omega_m, p->omega_b, p->h, p->sigma_8, p->n_s);
    }
    if (p->zoom_table == NULL && p->zooms > 0 && 2 * p->zoom_radius > p->box) {
        return HG_FAIL(HG_E_PARAM,
                       "zoom regions of %g Mpc do not fit in a box of %g Mpc: lower "
                       "Mock.zoom_radius or set Mock.zooms to 0",
                       p->zoom_radius, p->box);
    }
    return HG_OK;
}

/* mock.done holds the parameters of a universe that is whole. */
static hg_status
done_text(const job *j, size_t n, char path[], hg_text *text)
{
    static const char *const begins[] = {"Meta.seed", "Mock."};

    HG_TRY(make_path(j, "mock.done", n, path));
    HG_TRY(hg_text_add(text, "version: %s\n", hg_version()));
    return hg_params_lines(j->params, 2, begins, text);
}

static hg_status
refuse_other(const char *path, const char *found, const char *wanted)
{
    char was[256], is[256];

    return hg_text_difference(found, wanted, sizeof was, was, is) == 0
               ? HG_OK
               : HG_FAIL(
                     HG_E_INPUT,
                     "the universe of '%s' is another one (there '%s', here '%s'): take its "
                     "parameters, or begin anew without --resume",
                     path, was, is);
}

hg_status
hg_mock_is_done(const hg_comm *comm, const hg_params *params, bool *is_done)
{
    const job j = {.params = params};
    char path[HG_PATH_MAX], *line = NULL;
    hg_text wanted = {0}, found = {0};
    hg_textfile *file = NULL;
    hg_status status = HG_OK;

    *is_done = false;
    if (comm->rank == 0) {
        HG_TRY_OR(agree, status, done_text(&j, sizeof path, path, &wanted));
        if (hg_file_exists(path)) {
            HG_TRY_OR(agree, status, hg_textfile_open(path, &file));
            while ((status = hg_textfile_line(file, &line)) == HG_OK && line != NULL) {
                HG_TRY_OR(agree, status, hg_text_add(&found, "%s\n", line));
            }
            HG_TRY_OR(agree, status, status);
            status = refuse_other(path, hg_text_string(&found), hg_text_string(&wanted));
            *is_done = status == HG_OK;
        }
    }
agree:
    hg_textfile_close(file);
    hg_text_clear(&wanted);
    hg_text_clear(&found);
    HG_TRY(hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, is_done, sizeof *is_done);
    return HG_OK;
}

/* Before: the universe is none any more; after: it is whole. */
static hg_status
mark_done(const hg_comm *comm, const job *j, bool is_done)
{
    char path[HG_PATH_MAX];
    hg_text text = {0};
    hg_status status = HG_OK;

    if (comm->rank == 0) {
        status = done_text(j, sizeof path, path, &text);
        if (status == HG_OK && is_done) {
            status = hg_publish_text(path, hg_text_string(&text));
        } else if (status == HG_OK) {
            unlink(path);
        }
        hg_text_clear(&text);
    }
    return hg_comm_agree(comm, status);
}

hg_status
hg_mock_run(const hg_comm *comm, const hg_params *params, bool overwrite)
{
    job j = {.params = params, .overwrite = overwrite, .n_zoom = (int)params->mock.zooms};
    char parent[HG_PATH_MAX];
    hg_status status;

    status = check_params(&params->mock);
    if (status == HG_OK) {
        status = make_path(&j, "parent.hdf5", sizeof parent, parent);
    }
    HG_TRY(hg_comm_agree(comm, status));
    if (params->mock.zoom_table != NULL) {
        HG_TRY(hg_mock_zooms_read(comm, &params->mock, &j.n_zoom, &j.zoom));
    }
    HG_TRY_OR(done, status, hg_comm_split(comm, comm->rank, &j.self));
    HG_TRY_OR(done, status, hg_folder_make(comm, params->output.folder));
    HG_TRY_OR(done, status, hg_output_claim(comm, parent, overwrite));
    HG_TRY_OR(done, status, mark_done(comm, &j, false));
    HG_TRY_OR(done, status, write_parent(comm, &j));
    if (params->mock.periodic > 0) {
        hg_phase_start("mock periodic");
        HG_TRY_OR(done, status, look_for_stop(comm));
        HG_TRY_OR(done, status, write_periodic(comm, &j));
        hg_phase_stop("mock periodic");
    }
    if (params->mock.boxes > 0) {
        hg_phase_start("mock boxes");
        HG_TRY_OR(done, status, write_boxes(comm, &j));
        hg_phase_stop("mock boxes");
    }
    status = mark_done(comm, &j, true);
done:
    hg_comm_clear(&j.self);
    hg_mem_free(j.zoom);
    return status;
}
