/* The normals of the seven targets are a two-factor model, eps_i = sqrt(t) (a_i g_1 + b_i g_2)
 * + sqrt(1 - t (a_i^2 + b_i^2)) z_i with strength t(M), so the correlation matrix t (a_i a_j +
 * b_i b_j) is positive definite for every mass. Quenching and exact zeros compare uniforms
 * Phi(eps) of two more normals with their probability, so that twin seeds share their hidden
 * part, too. Stated means and scatter integrate over eps_1 by Gauss-Hermite quadrature, since
 * quenching depends on the drawn M*. */
#include "mock/mock_law.h"

#include <math.h>
#include <string.h>

#include "base/random.h"

const char *const hg_mock_target_name[HG_MOCK_TARGETS] = {
    "stellar_mass", "sfr", "gas_mass", "bh_mass", "z_star", "sigma_star", "r_star"};
const char *const hg_mock_target_unit[HG_MOCK_TARGETS] = {"Msun", "Msun/yr", "Msun", "Msun",
                                                          "",     "km/s",    "Mpc"};

enum { STELLAR, SFR, N_NORMAL = HG_MOCK_TARGETS + 4, N_NODE = 9, REDRAW = 1 << 20 };

/* log10 target = offset + slope (log10 M* - 10.5) + scatter eps + quenched_shift if quenched.
 */
static const struct {
    double offset, slope, scatter, quenched_shift, load[2];
} targets[HG_MOCK_TARGETS] = {
    {10.5, 1, 0, 0, {0.6, 0}},
    {0.3, 0.8, 0.25, 0, {0.2, 0.7}},
    {10.0, 0.6, 0.2, -0.7, {0.1, 0.7}},
    {7.2, 1.3, 0.25, 0.2, {0.5, -0.2}},
    {-1.75, 0.25, 0.1, 0, {0.2, -0.5}},
    {2.1, 0.3, 0.06, 0, {0.6, 0}},
    {-2.35, 0.2, 0.12, -0.15, {-0.4, 0.2}},
};
static const double quenched_rate = -12, quenched_scatter = 0.4;

/* Nodes of the Gauss-Hermite rule for a unit normal (non-negative half) and weights. */
static const double node[5] = {0, 1.023255663789133, 2.076847978677830, 3.205429002856470,
                               4.512745863399783};
static const double weight[5] = {0.4063492063492064, 0.2440975028949394, 0.04991640676521788,
                                 0.002789141321231769, 2.234584400774664e-5};

static double
strength(double mass)
{
    return fmin(fmax(0.4 + 0.3 * log10(mass / 1e11), 0.4), 1);
}

double
hg_mock_law_correlation(double mass, int i, int j)
{
    double sum = 0;

    for (int k = 0; k < 2; k++) {
        sum += targets[i].load[k] * targets[j].load[k];
    }
    return i == j ? 1 : strength(mass) * sum;
}

/* The mass the law looks at: what the catalogue shows, doubled for stripped subhaloes, or the
 * peak mass, which it does not show. */
static double
law_mass(const hg_mock_plan *plan, const hg_mock_row *row)
{
    if (strcmp(plan->param->law, "hidden") == 0) {
        return (double)row->m_peak;
    }
    return hg_mock_row_is_host(row) ? (double)row->m200c : 2 * (double)row->m_bound;
}

/* Moster, Naab & White 2013, MNRAS 428, 3121, table 1. */
static double
stellar_mass(double mass, double z)
{
    double w = z / (1 + z), x = mass / pow(10, 11.590 + 1.195 * w);
    double beta = 1.376 - 0.826 * w, gamma = 0.608 + 0.329 * w;

    return log10(2 * mass * (0.0351 - 0.0247 * w) / (pow(x, -beta) + pow(x, gamma)));
}

static double
scatter(const hg_params_mock *p, double mass)
{
    double x = fmin(fmax(0.5 * log10(mass / 1e11), 0), 1);

    return (1 - x) * p->scatter_low + x * p->scatter_high;
}

/* A unit Gaussian field with a coherence of about 50 Mpc: normals on a lattice, interpolated.
 */
static double
region_term(const hg_mock_plan *plan, const double position[3])
{
    int n = (int)fmax(1, floor(plan->box / 50 + 0.5));
    double sum = 0, norm = 0, x[3], low[3];

    for (int k = 0; k < 3; k++) {
        x[k] = position[k] / plan->box * n;
        low[k] = floor(x[k]);
    }
    for (int c = 0; c < 8; c++) {
        int64_t cell = 0;
        double w = 1;

        for (int k = 0; k < 3; k++) {
            int up = c >> k & 1;

            w *= up ? x[k] - low[k] : 1 - (x[k] - low[k]);
            cell = cell * n + ((int64_t)low[k] + up) % n;
        }
        hg_stream s = hg_stream_start(plan->seed, 2, (uint64_t)cell, HG_PURPOSE_HIDDEN);
        sum += w * hg_stream_normal(&s);
        norm += w * w;
    }
    return sum / sqrt(norm);
}

static double
mean_stellar(const hg_mock_plan *plan, const hg_mock_row *row)
{
    const hg_params_mock *p = plan->param;
    double mean = stellar_mass(law_mass(plan, row), plan->redshift) + p->law_norm +
                  plan->shift[0] + p->law_concentration * hg_mock_row_concentration(plan, row) +
                  p->law_environment * (double)row->environment;

    if (p->law_region > 0) {
        mean += p->law_region * region_term(plan, row->position);
    }
    if (p->law_host > 0) {
        hg_stream s = hg_stream_start(plan->seed, 1, (uint64_t)hg_mock_id_host(row->id),
                                      HG_PURPOSE_HIDDEN);

        mean += p->law_host * hg_stream_normal(&s);
    }
    return mean;
}

/* Log odds of quenching but for the term in log10 M*. */
static double
quench_odds(const hg_mock_plan *plan, const hg_mock_row *row)
{
    const hg_params_mock *p = plan->param;
    double satellite = hg_mock_row_is_host(row) ? 0 : 1 - (double)row->host_distance;

    return p->quench_offset + plan->shift[1] +
           p->quench_environment * (double)row->environment + p->quench_satellite * satellite -
           p->quench_formation * hg_mock_row_formation(plan, row);
}

static double
quench_probability(const hg_params_mock *p, double odds, double stellar)
{
    return 1 / (1 + exp(-odds - p->quench_mass * (stellar - 10.5)));
}

void
hg_mock_law_truth(const hg_mock_plan *plan, const hg_mock_row *row, hg_mock_truth *truth)
{
    const hg_params_mock *p = plan->param;
    double mass = law_mass(plan, row), mean = mean_stellar(plan, row), sigma = scatter(p, mass);
    double odds = quench_odds(plan, row), moment[3] = {0};
    double shift = 7 * log10(1 + plan->redshift) / 3; /* of the main sequence */

    for (int i = -4; i <= 4; i++) {
        double e = i < 0 ? -node[-i] : node[i];
        double q = weight[i < 0 ? -i : i] * quench_probability(p, odds, mean + sigma * e);

        moment[0] += q;
        moment[1] += q * e;
        moment[2] += q * e * e;
    }
    truth->quenched = (float)moment[0];
    for (int t = 0; t < HG_MOCK_TARGETS; t++) {
        double rho = hg_mock_law_correlation(mass, STELLAR, t), s = targets[t].scatter;
        double d = targets[t].quenched_shift, base = targets[t].offset, along, centre, variance;

        base += targets[t].slope * (mean - 10.5);
        along = targets[t].slope * sigma + s * (t == STELLAR ? 0 : rho);
        if (t == SFR) {
            double left = fmax(1 - moment[0], 1e-12), shifted = -moment[1] / left;

            centre = base + shift + along * shifted;
            variance = along * along * fmax((1 - moment[2]) / left - shifted * shifted, 0) +
                       s * s * (1 - rho * rho);
        } else {
            centre = base + d * moment[0];
            variance = along * along + s * s * (t == STELLAR ? 0 : 1 - rho * rho) +
                       d * d * moment[0] * (1 - moment[0]) + 2 * d * along * moment[1];
        }
        truth->mean[t] = (float)pow(10, centre);
        truth->sigma[t] = (float)sqrt(fmax(variance, 0));
    }
}

/* A galaxy from its independent normals: two factors, one per target, quenching, zero. */
static void
make_galaxy(const hg_mock_plan *plan, const hg_mock_row *row, const double z[N_NORMAL],
            hg_mock_galaxy *galaxy)
{
    const hg_params_mock *p = plan->param;
    double mass = law_mass(plan, row), t = strength(mass), eps[HG_MOCK_TARGETS], stellar;

    for (int i = 0; i < HG_MOCK_TARGETS; i++) {
        const double *load = targets[i].load;

        eps[i] = sqrt(t) * (load[0] * z[0] + load[1] * z[1]) +
                 sqrt(1 - t * (load[0] * load[0] + load[1] * load[1])) * z[2 + i];
    }
    stellar = mean_stellar(plan, row) + scatter(p, mass) * eps[STELLAR];
    galaxy->quenched = 0.5 * erfc(-z[N_NORMAL - 2] / sqrt(2.0)) <
                       quench_probability(p, quench_odds(plan, row), stellar);
    for (int i = 0; i < HG_MOCK_TARGETS; i++) {
        double y = targets[i].offset + targets[i].slope * (stellar - 10.5) +
                   targets[i].scatter * eps[i] +
                   (galaxy->quenched ? targets[i].quenched_shift : 0);

        if (i == SFR && galaxy->quenched) {
            y = stellar + quenched_rate + quenched_scatter * eps[i];
        } else if (i == SFR) {
            y += 7 * log10(1 + plan->redshift) / 3;
        }
        galaxy->value[i] = (float)pow(10, y);
    }
    if (galaxy->quenched && 0.5 * erfc(-z[N_NORMAL - 1] / sqrt(2.0)) < p->zero_share) {
        galaxy->value[SFR] = 0;
    }
}

void
hg_mock_law_draw(const hg_mock_plan *plan, const hg_mock_row *row, int twin,
                 hg_mock_galaxy *galaxy)
{
    const hg_params_mock *p = plan->param;
    uint64_t seed = hg_mix64((uint64_t)p->galaxy_seed + (uint64_t)twin) ^ plan->seed;
    hg_stream chaos = hg_stream_start(seed, 0, (uint64_t)row->id, HG_PURPOSE_GALAXY);
    hg_stream hidden = hg_stream_start(plan->seed, 0, (uint64_t)row->id, HG_PURPOSE_HIDDEN);
    double z[N_NORMAL], f = sqrt(p->chaos), g = sqrt(1 - p->chaos);

    for (int i = 0; i < N_NORMAL; i++) {
        z[i] = f * hg_stream_normal(&chaos) + g * hg_stream_normal(&hidden);
    }
    make_galaxy(plan, row, z, galaxy);
}

void
hg_mock_law_redraw(const hg_mock_plan *plan, const hg_mock_row *row, int draw,
                   hg_mock_galaxy *galaxy)
{
    uint64_t seed = hg_mix64((uint64_t)plan->param->galaxy_seed) ^ plan->seed;
    hg_stream s =
        hg_stream_start(seed, REDRAW + (uint64_t)draw, (uint64_t)row->id, HG_PURPOSE_GALAXY);
    double z[N_NORMAL];

    for (int i = 0; i < N_NORMAL; i++) {
        z[i] = hg_stream_normal(&s);
    }
    make_galaxy(plan, row, z, galaxy);
}

hg_status
hg_mock_law_describe(hg_text *text)
{
    HG_TRY(hg_text_add(text,
                       "Law:\n"
                       "  form: log10 target = offset + slope (log10 stellar_mass - 10.5) + "
                       "scatter eps + shift if quenched (scatter of stellar_mass: see the "
                       "parameters)\n"
                       "  correlation: strength (a_i a_j + b_i b_j), strength = 0.4 + 0.3 "
                       "log10(mass / 1e11 Msun) within [0.4, 1]\n"
                       "  quenched_sfr: log10 sfr = log10 stellar_mass %+g, scatter %g dex\n",
                       quenched_rate, quenched_scatter));
    for (int t = 0; t < HG_MOCK_TARGETS; t++) {
        HG_TRY(hg_text_add(
            text, "  %s: {offset: %g, slope: %g, scatter: %g, shift: %g, a: %g, b: %g}\n",
            hg_mock_target_name[t], targets[t].offset, targets[t].slope, targets[t].scatter,
            targets[t].quenched_shift, targets[t].load[0], targets[t].load[1]));
    }
    return HG_OK;
}
