/* One list of features serves every catalogue, so parent and zooms cannot differ in what a
 * column means. */
#include "mock/mock_table.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "catalog/output.h"

/* Features that are copied as they are. */
static const struct {
    const char *name, *unit, *description;
    size_t offset;
    bool basic; /* in the oracle, too */
} features[] = {
    {"m200c", "Msun", "", offsetof(hg_mock_row, m200c), true},
    {"m_bound", "Msun", "", offsetof(hg_mock_row, m_bound), true},
    {"r200c", "Mpc", "", offsetof(hg_mock_row, r200c), false},
    {"vmax", "km/s", "", offsetof(hg_mock_row, vmax), false},
    {"r_vmax", "Mpc", "", offsetof(hg_mock_row, r_vmax), false},
    {"r_half", "Mpc", "", offsetof(hg_mock_row, r_half), false},
    {"concentration", "", "r200c over scale radius, of subhaloes before they lost mass",
     offsetof(hg_mock_row, concentration), false},
    {"spin_bullock", "", "", offsetof(hg_mock_row, spin), false},
    {"a_half", "", "", offsetof(hg_mock_row, a_half), false},
    {"e_pot", "Msun km/s^2", "", offsetof(hg_mock_row, e_pot), false},
    {"host_distance", "", "distance of a subhalo from its host over r200c, 0 for hosts",
     offsetof(hg_mock_row, host_distance), false},
};
enum { N_FEATURE = sizeof features / sizeof features[0] };

static float
feature_of(const hg_mock_row *row, int f)
{
    float value;

    memcpy(&value, (const char *)row + features[f].offset, sizeof value);
    return value;
}

static hg_status
add_float(hg_table *table, const char *name, const char *unit, float **data)
{
    return hg_table_add(table, name, unit, HG_COLUMN_F32, 1, data);
}

static hg_status
add_integers(const hg_mock_plan *plan, int64_t n, const hg_mock_row row[], hg_table *table)
{
    int64_t *id = NULL, *host = NULL, *particles = NULL;
    uint8_t *central = NULL;

    HG_TRY(hg_table_add(table, "id", "", HG_COLUMN_I64, 1, &id));
    HG_TRY(hg_table_add(table, "host_id", "", HG_COLUMN_I64, 1, &host));
    HG_TRY(hg_table_add(table, "central", "", HG_COLUMN_U8, 1, &central));
    HG_TRY(hg_table_add(table, "n_part", "", HG_COLUMN_I64, 1, &particles));
#pragma omp parallel for
    for (int64_t i = 0; i < n; i++) {
        int is_host = hg_mock_row_is_host(&row[i]);

        id[i] = row[i].id;
        host[i] = is_host ? -1 : hg_mock_id_host(row[i].id);
        central[i] = (uint8_t)is_host;
        particles[i] = llround((double)row[i].m_bound / plan->param->particle_mass);
    }
    return HG_OK;
}

static hg_status
add_place(int64_t n, const hg_mock_row row[], hg_table *table)
{
    double *position = NULL;
    float *velocity = NULL;

    HG_TRY(hg_table_add(table, "position", "Mpc", HG_COLUMN_F64, 3, &position));
    HG_TRY(hg_table_add(table, "velocity", "km/s", HG_COLUMN_F32, 3, &velocity));
#pragma omp parallel for
    for (int64_t i = 0; i < n; i++) {
        for (int k = 0; k < 3; k++) {
            position[3 * i + k] = row[i].position[k];
            velocity[3 * i + k] = row[i].velocity[k];
        }
    }
    return HG_OK;
}

static hg_status
add_features(int64_t n, const hg_mock_row row[], bool basic, hg_table *table)
{
    for (int f = 0; f < N_FEATURE; f++) {
        float *x = NULL;

        if (basic && !features[f].basic) {
            continue;
        }
        HG_TRY(add_float(table, features[f].name, features[f].unit, &x));
#pragma omp parallel for
        for (int64_t i = 0; i < n; i++) {
            x[i] = feature_of(&row[i], f);
        }
    }
    return HG_OK;
}

/* Columns X + tail for all targets. */
static hg_status
add_targets(hg_table *table, const char *tail, const char *unit, float *x[HG_MOCK_TARGETS])
{
    for (int t = 0; t < HG_MOCK_TARGETS; t++) {
        char name[HG_NAME_MAX];

        snprintf(name, sizeof name, "%s%s", hg_mock_target_name[t], tail);
        HG_TRY(add_float(table, name, unit != NULL ? unit : hg_mock_target_unit[t], &x[t]));
    }
    return HG_OK;
}

static hg_status
add_galaxies(const hg_mock_plan *plan, int64_t n, const hg_mock_row row[], int twin,
             uint8_t quenched[], hg_table *table)
{
    float *x[HG_MOCK_TARGETS];

    HG_TRY(add_targets(table, "", NULL, x));
#pragma omp parallel for schedule(dynamic, 4096)
    for (int64_t i = 0; i < n; i++) {
        hg_mock_galaxy galaxy;

        hg_mock_law_draw(plan, &row[i], twin, &galaxy);
        for (int t = 0; t < HG_MOCK_TARGETS; t++) {
            x[t][i] = galaxy.value[t];
        }
        if (quenched != NULL) {
            quenched[i] = galaxy.quenched;
        }
    }
    return HG_OK;
}

static hg_status
add_redraws(const hg_mock_plan *plan, int64_t n, const hg_mock_row row[], int n_redraw,
            hg_table *table)
{
    for (int d = 0; d < n_redraw; d++) {
        float *x[HG_MOCK_TARGETS];
        char tail[16];

        snprintf(tail, sizeof tail, d == 0 ? "_draw" : "_draw%d", d + 1);
        HG_TRY(add_targets(table, tail, NULL, x));
#pragma omp parallel for schedule(dynamic, 4096)
        for (int64_t i = 0; i < n; i++) {
            hg_mock_galaxy galaxy;

            hg_mock_law_redraw(plan, &row[i], d, &galaxy);
            for (int t = 0; t < HG_MOCK_TARGETS; t++) {
                x[t][i] = galaxy.value[t];
            }
        }
    }
    return HG_OK;
}

static hg_status
add_truth(const hg_mock_plan *plan, int64_t n, const hg_mock_row row[], hg_table *table)
{
    float *mean[HG_MOCK_TARGETS], *sigma[HG_MOCK_TARGETS], *chance, *environment, *peak;
    uint8_t *quenched = NULL;

    HG_TRY(hg_table_add(table, "quenched", "", HG_COLUMN_U8, 1, &quenched));
    HG_TRY(add_galaxies(plan, n, row, 0, quenched, table));
    HG_TRY(add_targets(table, "_mean", NULL, mean));
    HG_TRY(add_targets(table, "_sigma", "", sigma));
    HG_TRY(add_float(table, "quenched_chance", "", &chance));
    HG_TRY(add_float(table, "environment", "", &environment));
    HG_TRY(add_float(table, "m_peak", "Msun", &peak));
#pragma omp parallel for schedule(dynamic, 4096)
    for (int64_t i = 0; i < n; i++) {
        hg_mock_truth truth;

        hg_mock_law_truth(plan, &row[i], &truth);
        for (int t = 0; t < HG_MOCK_TARGETS; t++) {
            mean[t][i] = truth.mean[t];
            sigma[t][i] = truth.sigma[t];
        }
        chance[i] = truth.quenched;
        environment[i] = row[i].environment;
        peak[i] = row[i].m_peak;
    }
    return HG_OK;
}

static hg_status
add_zoom(int64_t n, const hg_mock_row row[], float region_weight, hg_table *table)
{
    int32_t *region = NULL;
    int64_t *parent = NULL;
    float *weight = NULL;

    HG_TRY(hg_table_add(table, "region", "", HG_COLUMN_I32, 1, &region));
    HG_TRY(hg_table_add(table, "parent_id", "", HG_COLUMN_I64, 1, &parent));
    HG_TRY(add_float(table, "weight", "", &weight));
    for (int64_t i = 0; i < n; i++) {
        region[i] = row[i].region;
        parent[i] = row[i].id;
        weight[i] = region_weight;
    }
    return HG_OK;
}

static hg_status
add_theta(const hg_mock_plan *plan, int64_t n, const hg_mock_row row[], hg_table *table)
{
    static const char *const names[] = {"omega_m", "sigma_8", "theta_norm", "theta_quench"};
    double values[] = {plan->cosmology.omega_m, plan->cosmology.sigma_8, plan->shift[0],
                       plan->shift[1]};
    int32_t *region = NULL;

    for (int k = 0; k < 4; k++) {
        float *x = NULL;

        HG_TRY(add_float(table, names[k], "", &x));
        for (int64_t i = 0; i < n; i++) {
            x[i] = (float)values[k];
        }
    }
    HG_TRY(hg_table_add(table, "region", "", HG_COLUMN_I32, 1, &region));
    for (int64_t i = 0; i < n; i++) {
        region[i] = row[i].region;
    }
    return HG_OK;
}

static hg_status
add_content(const hg_mock_plan *plan, int64_t n, const hg_mock_row row[],
            const hg_mock_request *request, hg_table *table)
{
    HG_TRY(add_integers(plan, n, row, table));
    HG_TRY(add_place(n, row, table));
    HG_TRY(add_features(n, row, request->content == HG_MOCK_ORACLE, table));
    switch (request->content) {
    case HG_MOCK_PARENT:
        return HG_OK;
    case HG_MOCK_DMO:
        return add_zoom(n, row, request->weight, table);
    case HG_MOCK_ZOOM:
        HG_TRY(add_zoom(n, row, request->weight, table));
        return add_galaxies(plan, n, request->origin != NULL ? request->origin : row,
                            request->twin, NULL, table);
    case HG_MOCK_BOX:
        return add_galaxies(plan, n, row, request->twin, NULL, table);
    case HG_MOCK_THETA:
        HG_TRY(add_theta(plan, n, row, table));
        return add_galaxies(plan, n, row, request->twin, NULL, table);
    case HG_MOCK_TRUTH:
        return add_truth(plan, n, row, table);
    default:
        return add_redraws(plan, n, row, request->n_redraw, table);
    }
}

hg_status
hg_mock_table_make(const hg_mock_plan *plan, int64_t n, const hg_mock_row row[],
                   const hg_mock_request *request, hg_table *table)
{
    hg_status status;

    *table = (hg_table){.n = n, .frame = hg_mock_plan_frame(plan)};
    status = add_content(plan, n, row, request, table);
    if (status != HG_OK) {
        hg_table_clear(table);
    }
    return status;
}

/* Words for columns that are neither features nor galaxies. */
static const struct {
    const char *name, *description;
} hidden[] = {{"quenched", "1: quenched, 0: star-forming"},
              {"quenched_chance", "probability by the law that a galaxy is quenched"},
              {"environment", "linear overdensity in Mock.environment_radius, in sigmas"}};

/* Columns beyond the features are truth or draws; the layout knows where they go. */
static void
describe_column(const hg_column *column, hg_mock_content content, hg_output_column *out)
{
    size_t n = strlen(column->name);
    bool galaxy = false;

    *out = (hg_output_column){.kind = "input"};
    snprintf(out->name, sizeof out->name, "%s", column->name);
    snprintf(out->unit, sizeof out->unit, "%s", column->unit);
    for (int f = 0; f < N_FEATURE; f++) {
        if (strcmp(column->name, features[f].name) == 0) {
            snprintf(out->description, sizeof out->description, "%s", features[f].description);
        }
    }
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
        if (strcmp(column->name, hidden[i].name) == 0) {
            snprintf(out->description, sizeof out->description, "%s", hidden[i].description);
        }
    }
    for (int t = 0; t < HG_MOCK_TARGETS; t++) {
        galaxy = galaxy || strncmp(column->name, hg_mock_target_name[t],
                                   strlen(hg_mock_target_name[t])) == 0;
    }
    if (content == HG_MOCK_ORACLE && galaxy) {
        snprintf(out->kind, sizeof out->kind, "draw");
        snprintf(out->description, sizeof out->description,
                 "redraw of the true law with new noise");
    } else if (content == HG_MOCK_TRUTH && n > 5 &&
               strcmp(column->name + n - 5, "_mean") == 0) {
        snprintf(out->description, sizeof out->description,
                 "10^mean of log10 by the law (sfr: of star-forming galaxies)");
    } else if (content == HG_MOCK_TRUTH && n > 6 &&
               strcmp(column->name + n - 6, "_sigma") == 0) {
        snprintf(out->description, sizeof out->description,
                 "scatter of log10 by the law in dex (sfr: of star-forming galaxies)");
    }
    if (content == HG_MOCK_TRUTH &&
        (galaxy || strncmp(column->name, "quenched", 8) == 0 ||
         strcmp(column->name, "environment") == 0 || strcmp(column->name, "m_peak") == 0)) {
        snprintf(out->kind, sizeof out->kind, "truth");
    }
}

hg_status
hg_mock_table_output(const hg_comm *comm, const hg_mock_plan *plan, const hg_table *table,
                     const hg_mock_request *request, const char *path, const char *parameters,
                     bool overwrite)
{
    bool truth = request->content == HG_MOCK_TRUTH || request->content == HG_MOCK_ORACLE;
    hg_output_options options = {.path = path,
                                 .overwrite = overwrite,
                                 .frame = hg_mock_plan_frame(plan),
                                 .parameters = parameters,
                                 .run_name = "mock",
                                 .seed = plan->seed,
                                 .truth = truth};
    hg_output_column *column = NULL;
    hg_text law = {0};
    hg_status status = truth ? hg_mock_law_describe(&law) : HG_OK;

    if (status == HG_OK) {
        status = hg_mem_zeros(&column, (size_t)table->n_column, sizeof *column);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int i = 0; i < table->n_column; i++) {
        describe_column(&table->column[i], request->content, &column[i]);
    }
    options.provenance = truth ? hg_text_string(&law) : NULL;
    options.n_column = table->n_column;
    options.column = column;
    status = hg_output_table(comm, &options, table);
done:
    hg_text_clear(&law);
    hg_mem_free(column);
    return status;
}

hg_status
hg_mock_table_write(const hg_comm *comm, const hg_mock_plan *plan, int64_t n,
                    const hg_mock_row row[], const hg_mock_request *request, const char *path,
                    const char *parameters, bool overwrite)
{
    hg_table table = {0};
    hg_status status = hg_mock_table_make(plan, n, row, request, &table);

    status = hg_comm_agree(comm, status);
    if (status == HG_OK) {
        status = hg_mock_table_output(comm, plan, &table, request, path, parameters, overwrite);
    }
    hg_table_clear(&table);
    return status;
}
