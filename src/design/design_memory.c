/* Bytes follow from the arrays: of the survey (survey.h), which has as many cells as the masses
 * of its first and last part ask for, of the quantities (goal.h) and of the hulls (hull.c). The
 * model is read before all of them, for its residuals, and released. */
#include "design/design_memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "design/candidates.h"
#include "design/survey.h"
#include "halograft/stages.h"
#include "par/shared.h"
#include "store/publish.h"
#include "suite/allowance.h"
#include "suite/paths.h"
#include "table/deal.h"

static const double mebibyte = 1048576;

/* bytes of a halo besides its columns: id, values of Design.mass and Measure.central; of a
 * candidate besides its place: kind, place in the mesh, overdensity, matter and cost; of a
 * point of a hull, and of the list it is made from (hull.c) */
enum { ROW = 8 + 16, CANDIDATE = 3 * 4 + 3 * 8, POINTS = 7 * 24, SEED = 48 };

/* haloes of a region over those of its volume, when regions are dense */
static const double crowding = 2;

/* a model over its file, in which numbers of leaf-mates are shorter */
static const double of_file = 1.15;

typedef struct sizes {
    double model, part, lattice, candidates, n_candidate, hulls;
} sizes;

static double
bytes_of_columns(const hg_design_survey *s)
{
    double sum = 0;

    for (int i = 0; i < s->names.n; i++) {
        const hg_column *column = hg_catalog_find(s->catalog, s->names.p[i]);

        if (column != NULL) {
            sum += (double)hg_column_type_size(column->type) * column->width;
        }
    }
    return sum;
}

/* Candidates of all radii (regions that are there are few beside them), what is counted of
 * each, and sums of these counts. */
static void
size_candidates(const hg_params *params, const hg_design_survey *s, sizes *z)
{
    const hg_params_design *d = &params->design;
    const double cells = s->n_cell;
    const double quantities = 4 / fmax(d->width, HG_DESIGN_STEP) + d->thresholds.n;

    z->n_candidate = (double)(d->candidates + d->peaks) * d->radii.n;
    z->candidates = z->n_candidate * (sizeof(hg_design_place) + CANDIDATE + 8 * cells) +
                    cells * 8 * (2 + s->n_fine) + quantities * cells * 4 * 8;
}

static void
size_hulls(const hg_params *params, const hg_design_survey *s, int ranks, sizes *z)
{
    const hg_params_design *d = &params->design;
    double widest = 0, share;

    for (int r = 0; r < d->radii.n; r++) {
        widest = fmax(widest, d->radii.v[r]);
    }
    share = crowding * (double)d->regions * 4 * M_PI / 3 * pow(d->grow * widest / s->box, 3);
    z->hulls = fmin(share, 1) * (double)hg_catalog_n_row(s->catalog) *
               (POINTS + SEED * (1 + 2.0 / ranks));
}

static hg_status
size_model(const hg_comm *comm, const hg_params *params, sizes *z)
{
    char path[HG_PATH_MAX];
    hg_status status = HG_OK;
    int64_t bytes = 0;

    if (comm->rank == 0) {
        HG_TRY_OR(agree, status,
                  hg_paths_output(params, params->model.file, sizeof path, path));
        bytes = hg_file_size(path);
        if (bytes < 0) {
            status =
                HG_FAIL(HG_E_NOTFOUND,
                        "design needs a model, which 'train' makes: there is no '%s'", path);
        }
    }
agree:
    HG_TRY(hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, &bytes, sizeof bytes);
    z->model = of_file * (double)bytes / hg_shared_ranks(comm->node_size);
    return HG_OK;
}

/* The most that stands at once: the model; a part and the list of peaks; a part and the counts;
 * the counts and the hulls. */
static double
sum_up(const hg_params *params, const hg_design_survey *s, int ranks, sizes *z)
{
    const double side = s->n_side, row = ROW + bytes_of_columns(s);
    const double part =
        hg_catalog_n_part(s->catalog) > 0 ? (double)hg_catalog_part_rows(s->catalog, 0) : 0;
    double most;

    size_candidates(params, s, z);
    size_hulls(params, s, ranks, z);
    z->lattice = 8 * side * side * (side + 1);
    z->part = part * row;
    most = fmax(z->model, z->lattice + z->part + part * sizeof(hg_design_peak));
    most = fmax(most, z->lattice + z->candidates + fmax(z->part, z->hulls));
    return most + HG_LIBRARY_MIB * mebibyte;
}

hg_status
hg_design_estimate(const hg_comm *comm, const hg_params *params)
{
    hg_design_survey survey = {0};
    sizes z = {0};
    double all;
    hg_status status;

    HG_TRY(size_model(comm, params, &z));
    HG_TRY_OR(done, status, hg_design_survey_open(comm, params, &survey));
    HG_TRY_OR(done, status, hg_design_survey_foresee(comm, &survey));
    all = sum_up(params, &survey, comm->size, &z);
    if (comm->rank == 0) {
        printf("parent    %" PRId64 " haloes in %d cells\n", hg_catalog_n_row(survey.catalog),
               survey.n_cell);
        printf(
            "design    %.0f MiB/rank: model %.0f, a part %.0f, lattice %.0f, %.0f candidates "
            "%.0f, hulls %.0f\n",
            all / mebibyte, z.model / mebibyte, z.part / mebibyte, z.lattice / mebibyte,
            z.n_candidate, z.candidates / mebibyte, z.hulls / mebibyte);
        fflush(stdout);
    }
    status = hg_allowance_check(params, "design", all,
                                "Design.candidates or cells (Design.mass_width, "
                                "Design.environments)");
done:
    hg_design_survey_close(&survey);
    return status;
}
