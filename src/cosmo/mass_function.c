/* sigma(M) is computed at 0.08-dex steps and splined in the logarithms; abundance and bias are
 * tabulated at 0.005 dex and interpolated linearly in (ln M, ln n), so that n(>M) and its
 * inverse are exact inverses of each other and evaluation is thread-safe. The Tinker
 * coefficients are splined in log10 of the overdensity, as their authors do. */
#include <gsl/gsl_errno.h>
#include <gsl/gsl_spline.h>
#include <math.h>

#include "base/memory.h"
#include "halograft/cosmology.h"

enum { N_NODE = 1601, N_SIGMA = 101, N_DELTA = 9 };

struct hg_mass_function {
    hg_mass_family family;
    double lnm[N_NODE];
    double density[N_NODE]; /* ln of dn/dlog10 M */
    double above[N_NODE];   /* ln of n(>M) */
    double bias[N_NODE];
};

/* What a family needs at one redshift. */
typedef struct curve {
    hg_mass_family family;
    double a0, a, b, c;                                       /* f(sigma) of Tinker 2008 */
    double bias_a, bias_pa, bias_b, bias_pb, bias_c, bias_pc; /* b(nu) of Tinker 2010 */
} curve;

static const double delta_node[N_DELTA] = {200, 300, 400, 600, 800, 1200, 1600, 2400, 3200};
static const double tinker_node[4][N_DELTA] = {
    {0.186, 0.200, 0.212, 0.218, 0.248, 0.255, 0.260, 0.260, 0.260},
    {1.47, 1.52, 1.56, 1.61, 1.87, 2.13, 2.30, 2.53, 2.66},
    {2.57, 2.25, 2.05, 1.87, 1.59, 1.51, 1.46, 1.44, 1.41},
    {1.19, 1.27, 1.34, 1.45, 1.58, 1.80, 1.97, 2.24, 2.44},
};

/* Cubic spline through n nodes, evaluated at n_at points; derivatives are optional. */
static hg_status
spline_values(size_t n, const double x[], const double y[], size_t n_at, const double at[],
              double value[], double slope[])
{
    gsl_spline *spline = gsl_spline_alloc(gsl_interp_cspline, n);
    hg_status status = HG_OK;

    if (spline == NULL || gsl_spline_init(spline, x, y, n) != GSL_SUCCESS) {
        status = HG_FAIL(HG_E_MEMORY, "a spline of %zu nodes failed", n);
        goto done;
    }
    for (size_t i = 0; i < n_at; i++) {
        if (gsl_spline_eval_e(spline, at[i], NULL, &value[i]) != GSL_SUCCESS ||
            (slope != NULL &&
             gsl_spline_eval_deriv_e(spline, at[i], NULL, &slope[i]) != GSL_SUCCESS)) {
            status = HG_FAIL(HG_E_ARG, "spline evaluated at %g outside its nodes", at[i]);
            goto done;
        }
    }
done:
    gsl_spline_free(spline);
    return status;
}

static hg_status
set_curve(const hg_cosmology *cosmology, hg_mass_family family, double z, curve *k)
{
    double delta = 200 / hg_cosmology_omega_m(cosmology, z), x[N_DELTA], y, value[4], e, alpha;

    k->family = family;
    if (family == HG_MASS_SHETH_TORMEN) {
        return HG_OK;
    }
    delta = delta < delta_node[0] ? delta_node[0] : delta;
    if (delta > delta_node[N_DELTA - 1]) {
        return HG_FAIL(HG_E_ARG,
                       "mass function: 200c is %g times the mean density, beyond the %g of the "
                       "Tinker tables: use sheth-tormen",
                       delta, delta_node[N_DELTA - 1]);
    }
    for (int i = 0; i < N_DELTA; i++) {
        x[i] = log10(delta_node[i]);
    }
    y = log10(delta);
    for (int i = 0; i < 4; i++) {
        HG_TRY(spline_values(N_DELTA, x, tinker_node[i], 1, &y, &value[i], NULL));
    }
    alpha = pow(10, -pow(0.75 / log10(delta / 75), 1.2));
    k->a0 = value[0] * pow(1 + z, -0.14);
    k->a = value[1] * pow(1 + z, -0.06);
    k->b = value[2] * pow(1 + z, -alpha);
    k->c = value[3];
    e = exp(-pow(4 / y, 4));
    k->bias_a = 1 + 0.24 * y * e;
    k->bias_pa = 0.44 * y - 0.88;
    k->bias_b = 0.183;
    k->bias_pb = 1.5;
    k->bias_c = 0.019 + 0.107 * y + 0.19 * e;
    k->bias_pc = 2.4;
    return HG_OK;
}

static double
multiplicity(const curve *k, double sigma)
{
    double nu2 = HG_DELTA_COLLAPSE / sigma, a = 0.707;

    if (k->family == HG_MASS_TINKER) {
        return k->a0 * (pow(sigma / k->b, -k->a) + 1) * exp(-k->c / (sigma * sigma));
    }
    nu2 *= a * nu2;
    return 0.3222 * sqrt(2 / M_PI) * (1 + pow(nu2, -0.3)) * sqrt(nu2) * exp(-0.5 * nu2);
}

static double
linear_bias(const curve *k, double sigma)
{
    double dc = HG_DELTA_COLLAPSE, nu = dc / sigma, nu2 = 0.707 * nu * nu, pa;

    if (k->family == HG_MASS_TINKER) {
        pa = pow(nu, k->bias_pa);
        return 1 - k->bias_a * pa / (pa + pow(dc, k->bias_pa)) +
               k->bias_b * pow(nu, k->bias_pb) + k->bias_c * pow(nu, k->bias_pc);
    }
    return 1 + (nu2 - 1) / dc + 2 * 0.3 / (dc * (1 + pow(nu2, 0.3)));
}

/* Fill density and bias from sigma(M), then n(>M) from the top down. */
static void
fill_tables(hg_mass_function *mf, const curve *k, double rho, const double lns[],
            const double slope[])
{
    double total = 0, before = 0;

    for (int i = N_NODE - 1; i >= 0; i--) {
        double sigma = exp(lns[i]), mass = exp(mf->lnm[i]);
        double dn = rho / mass * multiplicity(k, sigma) * -slope[i]; /* per unit of ln M */

        if (i < N_NODE - 1) {
            double step = mf->lnm[i + 1] - mf->lnm[i];

            /* exact for a power law between the nodes */
            total += dn > before * (1 + 1e-9) ? step * (dn - before) / log(dn / before)
                                              : step * 0.5 * (dn + before);
        } else {
            total = dn / 10; /* steep tail above the tables */
        }
        before = dn;
        mf->density[i] = log(dn * log(10));
        mf->above[i] = log(total);
        mf->bias[i] = linear_bias(k, sigma);
    }
}

hg_status
hg_mass_function_create(const hg_linear_power *power, hg_mass_family family, double z,
                        hg_mass_function **mf)
{
    const hg_cosmology *cosmology = hg_linear_power_cosmology(power);
    double rho = hg_cosmology_rho_mean(cosmology), growth = 0;
    double lnm[N_SIGMA], lns[N_SIGMA], low = log(HG_MASS_FUNCTION_LOWEST);
    double range = log(HG_MASS_FUNCTION_HIGHEST) - low;
    hg_mass_function *m = NULL;
    double *fine = NULL;
    hg_status status;
    curve k = {0};

    *mf = NULL;
    gsl_set_error_handler_off();
    HG_TRY(hg_cosmology_growth(cosmology, z, &growth, NULL));
    HG_TRY(set_curve(cosmology, family, z, &k));
    for (int i = 0; i < N_SIGMA; i++) {
        lnm[i] = low + range * i / (N_SIGMA - 1);
        lns[i] = log(growth *
                     hg_linear_power_sigma(power, cbrt(3 * exp(lnm[i]) / (4 * M_PI * rho))));
    }
    HG_TRY_OR(fail, status, hg_mem_zeros(&m, 1, sizeof *m));
    HG_TRY_OR(fail, status, hg_mem_array(&fine, 2 * (size_t)N_NODE, sizeof *fine));
    m->family = family;
    for (int i = 0; i < N_NODE; i++) {
        m->lnm[i] = i < N_NODE - 1 ? low + range * i / (N_NODE - 1) : lnm[N_SIGMA - 1];
    }
    HG_TRY_OR(fail, status,
              spline_values(N_SIGMA, lnm, lns, N_NODE, m->lnm, fine, fine + N_NODE));
    fill_tables(m, &k, rho, fine, fine + N_NODE);
    hg_mem_free(fine);
    *mf = m;
    return HG_OK;
fail:
    hg_mem_free(fine);
    hg_mem_free(m);
    return status;
}

void
hg_mass_function_free(hg_mass_function *mf)
{
    hg_mem_free(mf);
}

static double
interpolate(const hg_mass_function *mf, const double table[], double mass)
{
    double x = (log(mass) - mf->lnm[0]) / (mf->lnm[1] - mf->lnm[0]);
    int i;

    x = x > 0 ? x : 0;
    x = x < N_NODE - 1 ? x : N_NODE - 1;
    i = (int)x < N_NODE - 2 ? (int)x : N_NODE - 2;
    x -= i;
    return (1 - x) * table[i] + x * table[i + 1];
}

double
hg_mass_function_density(const hg_mass_function *mf, double mass)
{
    return exp(interpolate(mf, mf->density, mass));
}

double
hg_mass_function_above(const hg_mass_function *mf, double mass)
{
    return exp(interpolate(mf, mf->above, mass));
}

double
hg_mass_function_bias(const hg_mass_function *mf, double mass)
{
    return interpolate(mf, mf->bias, mass);
}

double
hg_mass_function_inverse(const hg_mass_function *mf, double density)
{
    double goal = log(density), x;
    int low = 0, high = N_NODE - 1;

    if (!(goal < mf->above[0])) {
        return HG_MASS_FUNCTION_LOWEST;
    }
    if (!(goal > mf->above[N_NODE - 1])) {
        return HG_MASS_FUNCTION_HIGHEST;
    }
    while (high - low > 1) {
        int middle = (low + high) / 2;

        if (mf->above[middle] > goal) {
            low = middle;
        } else {
            high = middle;
        }
    }
    x = (goal - mf->above[low]) / (mf->above[high] - mf->above[low]);
    return exp((1 - x) * mf->lnm[low] + x * mf->lnm[high]);
}
