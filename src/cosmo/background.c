/* Homogeneous universe with matter, curvature and a cosmological constant. The growth factor is
 * Heath's integral D ~ H(a) int da / (a H)^3, exact for this content; its slope follows by
 * differentiation of the same integral, so that no second quadrature is needed. */
#include <gsl/gsl_errno.h>
#include <gsl/gsl_integration.h>
#include <gsl/gsl_version.h>
#include <math.h>
#include <stddef.h>

#include "halograft/cosmology.h"

enum { WORKSPACE = 200 };

static const struct {
    const char *name;
    size_t offset;
    double low, high;
} limits[] = {
    {"h", offsetof(hg_cosmology, h), 0.1, 2},
    {"omega_m", offsetof(hg_cosmology, omega_m), 0.01, 2},
    {"omega_l", offsetof(hg_cosmology, omega_l), 0, 2},
    {"omega_b", offsetof(hg_cosmology, omega_b), 1e-4, 1},
    {"sigma_8", offsetof(hg_cosmology, sigma_8), 0.05, 3},
    {"n_s", offsetof(hg_cosmology, n_s), 0.2, 2},
};

hg_status
hg_cosmology_check(const hg_cosmology *cosmology)
{
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        double value = *(const double *)((const char *)cosmology + limits[i].offset);

        if (!(value >= limits[i].low && value <= limits[i].high)) {
            return HG_FAIL(HG_E_ARG, "cosmology: '%s' is %g, outside [%g, %g]", limits[i].name,
                           value, limits[i].low, limits[i].high);
        }
    }
    if (cosmology->omega_b >= cosmology->omega_m) {
        return HG_FAIL(HG_E_ARG, "cosmology: 'omega_b' is %g, not below omega_m = %g",
                       cosmology->omega_b, cosmology->omega_m);
    }
    return HG_OK;
}

/* (H / H0)^2 as a function of 1 + z. */
static double
squared_rate(const hg_cosmology *c, double y)
{
    double curvature = 1 - c->omega_m - c->omega_l;

    return c->omega_m * y * y * y + curvature * y * y + c->omega_l;
}

double
hg_cosmology_hubble(const hg_cosmology *cosmology, double z)
{
    return 100 * cosmology->h * sqrt(squared_rate(cosmology, 1 + z));
}

double
hg_cosmology_omega_m(const hg_cosmology *cosmology, double z)
{
    double y = 1 + z;

    return cosmology->omega_m * y * y * y / squared_rate(cosmology, y);
}

double
hg_cosmology_rho_crit(const hg_cosmology *cosmology, double z)
{
    double hubble = hg_cosmology_hubble(cosmology, z);

    return 3 * hubble * hubble / (8 * M_PI * HG_GRAVITY);
}

double
hg_cosmology_rho_mean(const hg_cosmology *cosmology)
{
    return cosmology->omega_m * hg_cosmology_rho_crit(cosmology, 0);
}

double
hg_cosmology_r200c(const hg_cosmology *cosmology, double z, double mass)
{
    double density = 200 * hg_cosmology_rho_crit(cosmology, z);

    return cbrt(3 * mass / (4 * M_PI * density)) * (1 + z);
}

/* 1 / (a H)^3 in units of H0: smooth in a, it starts as a^(3/2). */
static double
growth_integrand(double a, void *context)
{
    return a > 0 ? pow(a * a * squared_rate(context, 1 / a), -1.5) : 0;
}

static double
distance_integrand(double z, void *context)
{
    return 1 / sqrt(squared_rate(context, 1 + z));
}

static hg_status
integrate(double (*function)(double, void *), const hg_cosmology *c, double low, double high,
          double *result)
{
    hg_cosmology copy = *c;
    gsl_function f = {.function = function, .params = &copy};
    gsl_integration_workspace *space = NULL;
    double error = 0;
    int code;

    gsl_set_error_handler_off();
    space = gsl_integration_workspace_alloc(WORKSPACE);
    if (space == NULL) {
        return HG_FAIL(HG_E_MEMORY, "no memory for a quadrature");
    }
    code = gsl_integration_qag(&f, low, high, 0, 1e-10, WORKSPACE, GSL_INTEG_GAUSS41, space,
                               result, &error);
    gsl_integration_workspace_free(space);
    if (code != GSL_SUCCESS || !isfinite(*result)) {
        return HG_FAIL(HG_E_ARG, "quadrature over the background from %g to %g failed: %s", low,
                       high, gsl_strerror(code));
    }
    return HG_OK;
}

hg_status
hg_cosmology_growth(const hg_cosmology *cosmology, double z, double *growth, double *rate)
{
    double a = 1 / (1 + z), now = 0, then = 0, e2 = squared_rate(cosmology, 1 + z);
    double curvature = 1 - cosmology->omega_m - cosmology->omega_l, slope;
    hg_cosmology copy = *cosmology;

    HG_TRY(hg_cosmology_check(cosmology));
    if (!(z >= -0.9)) {
        return HG_FAIL(HG_E_ARG, "growth factor: redshift %g is below -0.9", z);
    }
    HG_TRY(integrate(growth_integrand, cosmology, 0, 1, &now));
    HG_TRY(integrate(growth_integrand, cosmology, 0, a, &then));
    *growth = sqrt(e2 / squared_rate(cosmology, 1)) * then / now;
    if (rate != NULL) {
        slope = -(3 * cosmology->omega_m / (a * a * a) + 2 * curvature / (a * a)) / (2 * e2);
        *rate = slope + a * growth_integrand(a, &copy) / then;
    }
    return HG_OK;
}

hg_status
hg_cosmology_distance(const hg_cosmology *cosmology, double z, double *distance)
{
    double integral = 0;

    HG_TRY(hg_cosmology_check(cosmology));
    HG_TRY(integrate(distance_integrand, cosmology, 0, z, &integral));
    *distance = 299792.458 / (100 * cosmology->h) * integral;
    return HG_OK;
}

const char *
hg_gsl_version(void)
{
    return gsl_version;
}
