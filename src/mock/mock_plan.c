/* A bin of haloes of Lagrangian bias b_L is placed by a threshold on an overdensity of rms S
 * (cosmo/peak_selection). Its smoothing is taken from a ladder of top-hat radii, 2 cells times
 * powers of 1.25: the smallest whose rms on this mesh does not exceed S; independent noise
 * makes up the difference. Variances are sums over the modes the mesh really has, since a
 * continuous integral is 10 % larger at the smallest radius. */
#include "mock/mock_plan.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "field/modes.h"

enum { MAX_BINS = 100 };
static const double bin_width = 0.1, ladder = 1.25;

hg_cosmology
hg_mock_cosmology(const hg_params_mock *param)
{
    return (hg_cosmology){.h = param->h,
                          .omega_m = param->omega_m,
                          .omega_l = 1 - param->omega_m,
                          .omega_b = param->omega_b,
                          .sigma_8 = param->sigma_8,
                          .n_s = param->n_s};
}

void
hg_mock_cell_place(int64_t cell, int64_t mesh, double place[3])
{
    for (int k = 2; k >= 0; k--) {
        place[k] = (double)(cell % mesh);
        cell /= mesh;
    }
}

/* Bins from the smallest mass up to where less than one halo in 1e4 boxes is expected. */
static hg_status
set_bins(hg_mock_plan *plan)
{
    const hg_params_mock *param = plan->param;
    double volume = plan->box * plan->box * plan->box;

    HG_TRY(hg_mem_zeros(&plan->bin, MAX_BINS, sizeof *plan->bin));
    for (int i = 0; i < MAX_BINS; i++) {
        hg_mock_bin *b = &plan->bin[i];

        b->low = param->mass_min * pow(10, bin_width * i);
        b->high = param->mass_min * pow(10, bin_width * (i + 1));
        b->above[0] = hg_mass_function_above(plan->abundance, b->low);
        b->above[1] = hg_mass_function_above(plan->abundance, b->high);
        b->expected = volume * (b->above[0] - b->above[1]);
        if (b->high > 0.99 * HG_MASS_FUNCTION_HIGHEST || volume * b->above[0] < 1e-4) {
            break;
        }
        HG_TRY(hg_peak_selection_find(
            hg_mass_function_bias(plan->abundance, sqrt(b->low * b->high)) - 1, &b->selection));
        plan->n_bin = i + 1;
    }
    if (plan->n_bin == 0) {
        return HG_FAIL(HG_E_PARAM,
                       "a mock box of %g Mpc holds no halo above %g Msun: lower "
                       "Mock.mass_min or raise Mock.box",
                       plan->box, param->mass_min);
    }
    return HG_OK;
}

/* Assign levels, and give the environment's moments over the cells of each bin: delta_8 given
 * the selecting variable x is Gaussian with mean c x / S^2, c its covariance with the smoothed
 * overdensity, so the moments follow from those of the truncated x. */
static hg_status
set_levels(hg_mock_plan *plan)
{
    int n = plan->mesh;
    size_t size = hg_modes_table_size(n);
    double *window = NULL, *environment, cover[HG_MOCK_LEVELS], variance;
    int64_t *count = NULL;
    hg_status status;

    HG_TRY_OR(done, status, hg_mem_array(&window, 2 * size, sizeof *window));
    HG_TRY_OR(done, status, hg_mem_array(&count, size, sizeof *count));
    environment = window + size;
    hg_modes_count(n, count);
    hg_modes_top_hat(plan->param->environment_radius, plan->box, n, environment);
    variance = hg_modes_covariance(n, plan->variance, count, environment, environment);
    for (int l = 0; l < HG_MOCK_LEVELS; l++) {
        double radius = 2 * plan->box / n * pow(ladder, l);

        if (l > 0 && radius > plan->box / 3) {
            break;
        }
        hg_modes_top_hat(radius, plan->box, n, window);
        plan->radius[l] = radius;
        plan->rms[l] = sqrt(hg_modes_covariance(n, plan->variance, count, window, window));
        cover[l] = hg_modes_covariance(n, plan->variance, count, window, environment);
        plan->n_level = l + 1;
    }
    for (int i = 0; i < plan->n_bin; i++) {
        hg_mock_bin *b = &plan->bin[i];
        double s = b->selection.scale, c;

        while (b->level < plan->n_level - 1 && plan->rms[b->level] > s) {
            b->level++;
        }
        c = cover[b->level] / s;
        b->environment_mean = c * b->selection.mean;
        b->environment_rms = sqrt(variance - c * c * (1 - b->selection.variance));
    }
done:
    hg_mem_free(window);
    hg_mem_free(count);
    return status;
}

hg_status
hg_mock_plan_create(const hg_params_mock *param, const hg_cosmology *cosmology, double box,
                    int mesh, uint64_t seed, hg_mock_plan **plan)
{
    hg_mass_family family =
        strcmp(param->mass_function, "tinker") == 0 ? HG_MASS_TINKER : HG_MASS_SHETH_TORMEN;
    hg_mock_plan *p = NULL;
    hg_linear_power *power = NULL;
    double growth = 0;
    hg_status status;

    *plan = NULL;
    if (mesh % 2 != 0) {
        return HG_FAIL(HG_E_PARAM, "Mock.mesh is %d, but must be even", mesh);
    }
    HG_TRY_OR(done, status, hg_mem_zeros(&p, 1, sizeof *p));
    p->param = param;
    p->cosmology = *cosmology;
    p->box = box;
    p->redshift = param->redshift;
    p->scale_factor = 1 / (1 + param->redshift);
    p->mesh = mesh;
    p->seed = seed;
    HG_TRY_OR(done, status, hg_linear_power_create(cosmology, &power));
    HG_TRY_OR(done, status, hg_mass_function_create(power, family, p->redshift, &p->abundance));
    HG_TRY_OR(done, status, hg_cosmology_growth(cosmology, p->redshift, &growth, NULL));
    HG_TRY_OR(done, status,
              hg_mem_array(&p->variance, hg_modes_table_size(mesh), sizeof *p->variance));
    hg_modes_variance(power, growth, box, mesh, p->variance);
    HG_TRY_OR(done, status, set_bins(p));
    HG_TRY_OR(done, status, set_levels(p));
    *plan = p;
    p = NULL;
done:
    hg_linear_power_free(power);
    hg_mock_plan_free(p);
    return status;
}

void
hg_mock_plan_free(hg_mock_plan *plan)
{
    if (plan != NULL) {
        hg_mass_function_free(plan->abundance);
        hg_mem_free(plan->variance);
        hg_mem_free(plan->bin);
        hg_mem_free(plan);
    }
}

hg_frame
hg_mock_plan_frame(const hg_mock_plan *plan)
{
    const hg_cosmology *c = &plan->cosmology;

    return (hg_frame){.box = plan->box,
                      .redshift = plan->redshift,
                      .scale_factor = plan->scale_factor,
                      .h = c->h,
                      .omega_m = c->omega_m,
                      .omega_l = c->omega_l,
                      .omega_b = c->omega_b,
                      .sigma_8 = c->sigma_8,
                      .n_s = c->n_s,
                      .particle_mass = plan->param->particle_mass,
                      .dark_matter_only = true};
}
