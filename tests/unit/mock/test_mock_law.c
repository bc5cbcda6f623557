#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "mock/mock_law.h"
#include "mock/mock_zooms.h"

/* Parameters that the law and the rows read; the rest is not used here. */
static hg_params_mock param = {.mass_function = "tinker",
                               .mass_min = 1e11,
                               .particle_mass = 1.5e8,
                               .environment_radius = 8,
                               .concentration = 8,
                               .concentration_slope = -0.09,
                               .concentration_scatter = 0.11,
                               .spin_scatter = 0.23,
                               .concentration_environment = 0.2,
                               .formation_environment = -0.2,
                               .spin_environment = 0.1,
                               .concentration_formation = -0.7,
                               .concentration_spin = -0.2,
                               .subhaloes = 0.06,
                               .subhalo_slope = 0.9,
                               .law = "visible",
                               .law_concentration = 0.05,
                               .scatter_low = 0.25,
                               .scatter_high = 0.12,
                               .chaos = 0.7,
                               .quench_offset = -0.6,
                               .quench_mass = 1.8,
                               .quench_satellite = 1.5,
                               .quench_formation = 0.5,
                               .zero_share = 0.3,
                               .galaxy_seed = 1};
static hg_mock_plan *plan;

static void
setup(void)
{
    hg_cosmology cosmology = HG_COSMOLOGY_INIT;

    cr_assert_eq(hg_mock_plan_create(&param, &cosmology, 100, 32, 4, &plan), HG_OK);
}

static void
teardown(void)
{
    hg_mock_plan_free(plan);
}

TestSuite(mock_law, .init = setup, .fini = teardown);

/* Hosts of one mass and environment e, with their subhaloes. */
static hg_mock_row *
make_rows(int64_t n_host, double mass, double environment, int64_t *n)
{
    hg_mock_host *host = NULL;
    hg_mock_row *row = NULL;

    cr_assert_eq(hg_mem_zeros(&host, (size_t)n_host, sizeof *host), HG_OK);
    for (int64_t i = 0; i < n_host; i++) {
        host[i].id = hg_mock_id(i, 0, 0, 0);
        host[i].mass = (float)mass;
        host[i].environment = (float)environment;
        host[i].position[0] = 0.02 * (double)(i % 4999);
    }
    cr_assert_eq(hg_mock_rows_make(plan, n_host, host, n, &row), HG_OK);
    hg_mem_free(host);
    return row;
}

/* For each target (y - mean) / sigma has mean 0 and variance 1; the quenched share is the mean
 * chance; the correlation of M* and BH mass residuals is what the loads say. */
static void
check_draws(int64_t n, const hg_mock_row row[], bool redraw)
{
    double sum[HG_MOCK_TARGETS] = {0}, sum2[HG_MOCK_TARGETS] = {0};
    double count[HG_MOCK_TARGETS] = {0}, quenched = 0, chance = 0, noise = 0, zero = 0;

    for (int64_t i = 0; i < n; i++) {
        hg_mock_galaxy galaxy;
        hg_mock_truth truth;

        hg_mock_law_truth(plan, &row[i], &truth);
        if (redraw) {
            hg_mock_law_redraw(plan, &row[i], 0, &galaxy);
        } else {
            hg_mock_law_draw(plan, &row[i], 0, &galaxy);
        }
        quenched += galaxy.quenched;
        zero += galaxy.value[1] == 0;
        chance += (double)truth.quenched;
        noise += (double)truth.quenched * (1 - (double)truth.quenched);
        for (int t = 0; t < HG_MOCK_TARGETS; t++) {
            double z;

            if (t == 1 && galaxy.quenched) {
                continue;
            }
            z = log10((double)galaxy.value[t] / (double)truth.mean[t]) / (double)truth.sigma[t];
            sum[t] += z;
            sum2[t] += z * z;
            count[t]++;
        }
    }
    for (int t = 0; t < HG_MOCK_TARGETS; t++) {
        double mean = sum[t] / count[t], variance = sum2[t] / count[t];

        cr_expect(fabs(mean) < 4.5 / sqrt(count[t]), "%s: mean %g", hg_mock_target_name[t],
                  mean);
        cr_expect(fabs(variance - 1) < 4.5 * sqrt(3 / count[t]), "%s: variance %g",
                  hg_mock_target_name[t], variance);
    }
    cr_expect(fabs(quenched - chance) < 4.5 * sqrt(noise));
    cr_expect(fabs(zero - 0.3 * quenched) < 4.5 * sqrt(0.21 * quenched));
}

Test(mock_law, galaxies_have_the_stated_mean_scatter_and_quenching)
{
    for (int pass = 0; pass < 2; pass++) {
        for (double mass = 2e11; mass < 1e14; mass *= 20) {
            int64_t n = 0;
            hg_mock_row *row = make_rows(8000, mass, 0.5, &n);

            cr_assert(n >= 8000);
            check_draws(n, row, pass == 1);
            hg_mem_free(row);
        }
    }
}

Test(mock_law, scatter_falls_with_mass_as_the_parameters_say)
{
    static const struct {
        double mass, sigma;
    } want[] = {{1e11, 0.25}, {1e12, 0.185}, {1e13, 0.12}, {1e15, 0.12}};

    for (int i = 0; i < 4; i++) {
        int64_t n = 0;
        hg_mock_row *row = make_rows(1, want[i].mass, 0, &n);
        hg_mock_truth truth;

        hg_mock_law_truth(plan, row, &truth);
        cr_assert_float_eq((double)truth.sigma[0], want[i].sigma, 1e-5);
        hg_mem_free(row);
    }
}

Test(mock_law, twin_seeds_differ_by_the_chaotic_share)
{
    int64_t n = 0;
    hg_mock_row *row = make_rows(15000, 3e12, 0, &n);
    double chaos = 0, other = 0;
    int64_t m = 0;

    for (int64_t i = 0; i < n; i++) {
        hg_mock_galaxy a, b, c;
        hg_mock_truth truth;
        double d;

        if (!hg_mock_row_is_host(&row[i])) {
            continue;
        }
        hg_mock_law_truth(plan, &row[i], &truth);
        hg_mock_law_draw(plan, &row[i], 0, &a);
        hg_mock_law_draw(plan, &row[i], 3, &b);
        hg_mock_law_redraw(plan, &row[i], 2, &c);
        d = log10((double)a.value[0] / (double)b.value[0]) / (double)truth.sigma[0];
        chaos += 0.5 * d * d;
        d = log10((double)a.value[0] / (double)c.value[0]) / (double)truth.sigma[0];
        other += 0.5 * d * d;
        m++;
    }
    cr_assert(fabs(chaos / (double)m - 0.7) < 4.5 * 0.7 * sqrt(2.0 / (double)m));
    cr_assert(fabs(other / (double)m - 1) < 4.5 * sqrt(2.0 / (double)m));
    hg_mem_free(row);
}

/* Visible: nothing but the columns of the catalogue matters. */
Test(mock_law, the_visible_law_looks_at_visible_columns_only)
{
    int64_t n = 0;
    hg_mock_row *row = make_rows(200, 5e13, 0.3, &n), seen;
    hg_mock_truth before, after;
    int moved = 0;

    for (int64_t i = 0; i < n; i++) {
        seen = row[i];
        hg_mock_law_truth(plan, &row[i], &before);
        seen.m_peak *= 2;
        seen.environment += 3;
        hg_mock_law_truth(plan, &seen, &after);
        cr_assert(memcmp(&before, &after, sizeof before) == 0);
        param.law = "hidden";
        hg_mock_law_truth(plan, &row[i], &before);
        hg_mock_law_truth(plan, &seen, &after);
        param.law = "visible";
        moved += after.mean[0] > before.mean[0];
        param.law_environment = 0.02;
        hg_mock_law_truth(plan, &row[i], &before);
        hg_mock_law_truth(plan, &seen, &after);
        param.law_environment = 0;
        cr_assert(fabs(log10((double)after.mean[0] / (double)before.mean[0]) - 0.06) < 1e-5);
    }
    cr_assert_eq(moved, n);
    hg_mem_free(row);
}

/* Hidden terms: unit variance times their parameter; the host's is shared, the region's is
 * nearly the same close by. */
Test(mock_law, hidden_terms_have_their_rms_and_coherence)
{
    int64_t n = 0;
    hg_mock_row *row = make_rows(5000, 1e14, 0, &n);
    double sum2[2] = {0}, near = 0, host_mean = 0;
    hg_mock_truth plain, region, host;
    int n_host = 0, n_site = 0;

    for (int64_t i = 0; i < n; i++) {
        double r, h;
        hg_mock_row moved = row[i];

        hg_mock_law_truth(plan, &row[i], &plain);
        param.law_host = 0.1;
        hg_mock_law_truth(plan, &row[i], &host);
        param.law_host = 0;
        h = log10((double)host.mean[0] / (double)plain.mean[0]) / 0.1;
        if (hg_mock_row_is_host(&row[i])) {
            n_host++;
            sum2[0] += h * h;
            host_mean = h;
        } else {
            cr_assert_float_eq(h, host_mean, 1e-4);
        }
        if (i < 2000) { /* anywhere in a universe with many patches */
            for (int k = 0; k < 3; k++) {
                moved.position[k] = fmod(37.7 * (double)i * (k + 1), 100);
            }
            plan->seed = 1000 + (uint64_t)i;
            param.law_region = 0.1;
            hg_mock_law_truth(plan, &moved, &region);
            r = log10((double)region.mean[0] / (double)plain.mean[0]) / 0.1;
            sum2[1] += r * r;
            moved.position[0] = fmod(moved.position[0] + 2, 100);
            hg_mock_law_truth(plan, &moved, &region);
            near += r * log10((double)region.mean[0] / (double)plain.mean[0]) / 0.1;
            param.law_region = 0;
            plan->seed = 4;
            n_site++;
        }
    }
    cr_assert(fabs(sum2[0] / n_host - 1) < 5 * sqrt(2.0 / n_host));
    cr_assert(fabs(sum2[1] / n_site - 1) < 5 * sqrt(2.0 / n_site));
    cr_assert(near / n_site > 0.9);
    hg_mem_free(row);
}

/* The latents behind concentration and formation have the stated correlations. */
Test(mock_law, secondary_properties_correlate_as_the_parameters_say)
{
    static const double environments[] = {-1, 1};
    double mean[2][2] = {{0}}, cc = 0, aa = 0, ca = 0, total = 0;

    for (int side = 0; side < 2; side++) {
        int64_t n = 0;
        hg_mock_row *row = make_rows(30000, 1.5e11, environments[side], &n);

        for (int64_t i = 0; i < n; i++) {
            double c = hg_mock_row_concentration(plan, &row[i]);
            double a = hg_mock_row_formation(plan, &row[i]);

            if (!hg_mock_row_is_host(&row[i])) {
                continue;
            }
            mean[side][0] += c / 30000;
            mean[side][1] += a / 30000;
            cc += c * c;
            aa += a * a;
            ca += c * a;
            total++;
        }
        hg_mem_free(row);
    }
    for (int side = 0; side < 2; side++) {
        cr_assert(fabs(mean[side][0] - 0.2 * environments[side]) < 0.03);
        cr_assert(fabs(mean[side][1] + 0.2 * environments[side]) < 0.03);
    }
    cr_assert(fabs(cc / total - 1) < 0.03 && fabs(aa / total - 1) < 0.03);
    cr_assert(fabs(ca / total + 0.7) < 0.03);
}

/* A made-up density field with two peaks and two voids. */
Test(mock_law, zoom_regions_span_the_extremes_and_their_weights_sum_to_one)
{
    enum { N = 32, REGIONS = 12 };
    static float delta[N * N * N];
    hg_region region[REGIONS];
    double closest = 0, sum = 0, low = 1e9, high = -1, mean = 0, volume = 0;
    float range[2] = {1e9f, -1e9f};

    for (int i = 0; i < N * N * N; i++) {
        double x = i / N / N, y = i / N % N, z = i % N, w = 2 * M_PI / N;

        delta[i] = (float)(exp(0.5 * cos(w * x) + 0.4 * cos(w * (y + z)) * cos(w * z)) - 1);
        range[0] = fminf(range[0], delta[i]);
        range[1] = fmaxf(range[1], delta[i]);
        volume += (double)delta[i] / (N * N * N);
    }
    cr_assert_eq(hg_mock_zooms_choose(plan, N, delta, REGIONS, 8, 3, region, &closest), HG_OK);
    for (int r = 0; r < REGIONS; r++) {
        sum += region[r].weight;
        mean += region[r].weight * region[r].delta;
        low = fmin(low, region[r].delta);
        high = fmax(high, region[r].delta);
        cr_assert(region[r].weight > 0);
        for (int q = 0; q < r; q++) {
            cr_assert(hg_mock_distance2(region[r].centre, region[q].centre, 100) > 18.9 * 18.9);
        }
    }
    cr_assert(closest >= 19);
    cr_assert_float_eq(sum, 1, 1e-12);
    cr_assert_float_eq(low, (double)range[0], 1e-6);
    cr_assert_float_eq(high, (double)range[1], 1e-6);
    cr_assert(fabs(mean - volume) < 0.1 * (high - low), "weighted %g, volume %g", mean, volume);
}
