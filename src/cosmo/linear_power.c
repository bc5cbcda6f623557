/* Transfer function of Eisenstein & Hu 1998 with baryon oscillations, T(k) = f_b T_b + f_c T_c,
 * for a CMB temperature of 2.7255 K. sigma(R) is a trapezoid sum on a fixed grid in ln k: the
 * integrand is smooth and vanishes at both ends, where the trapezoid converges faster than any
 * power of the step; P(k) is tabulated on that grid once. */
#include <math.h>

#include "base/memory.h"
#include "halograft/cosmology.h"

enum { N_GRID = 2401 };

static const double lnk_low = -11.5, lnk_high = 8.5; /* 1e-5 to 5e3 per Mpc */

struct hg_linear_power {
    hg_cosmology cosmology;
    double omh2, f_b, f_c, theta;
    double k_eq, sound, k_silk;
    double alpha_c, beta_c, alpha_b, beta_b, beta_node;
    double amplitude;
    double k[N_GRID];
    double weight[N_GRID]; /* k^3 P / (2 pi^2) times the step */
};

/* Equations 2-6: equality, drag epoch, sound horizon, Silk scale. */
static void
set_scales(hg_linear_power *p)
{
    const hg_cosmology *c = &p->cosmology;
    double om = c->omega_m * c->h * c->h, ob = c->omega_b * c->h * c->h;
    double t2 = p->theta * p->theta, t4 = t2 * t2;
    double z_eq = 2.5e4 * om / t4, b1, b2, z_d, r_d, r_eq, y, root;

    p->omh2 = om;
    p->f_b = c->omega_b / c->omega_m;
    p->f_c = 1 - p->f_b;
    p->k_eq = 7.46e-2 * om / t2;
    b1 = 0.313 * pow(om, -0.419) * (1 + 0.607 * pow(om, 0.674));
    b2 = 0.238 * pow(om, 0.223);
    z_d = 1291 * pow(om, 0.251) / (1 + 0.659 * pow(om, 0.828)) * (1 + b1 * pow(ob, b2));
    r_d = 31.5 * ob / t4 * (1000 / z_d);
    r_eq = 31.5 * ob / t4 * (1000 / z_eq);
    p->sound = 2 / (3 * p->k_eq) * sqrt(6 / r_eq) *
               log((sqrt(1 + r_d) + sqrt(r_d + r_eq)) / (1 + sqrt(r_eq)));
    p->k_silk = 1.6 * pow(ob, 0.52) * pow(om, 0.73) * (1 + pow(10.4 * om, -0.95));
    /* Equations 14-15, 21-24: suppression and shift of the baryon part. */
    y = (1 + z_eq) / (1 + z_d);
    root = sqrt(1 + y);
    p->alpha_b = 2.07 * p->k_eq * p->sound * pow(1 + r_d, -0.75) * y *
                 (-6 * root + (2 + 3 * y) * log((root + 1) / (root - 1)));
    p->beta_b = 0.5 + p->f_b + (3 - 2 * p->f_b) * sqrt(17.2 * om * 17.2 * om + 1);
    p->beta_node = 8.41 * pow(om, 0.435);
}

/* Equations 11-12: suppression of the cold dark matter part. */
static void
set_dark_matter(hg_linear_power *p)
{
    double om = p->omh2;
    double a1 = pow(46.9 * om, 0.670) * (1 + pow(32.1 * om, -0.532));
    double a2 = pow(12.0 * om, 0.424) * (1 + pow(45.0 * om, -0.582));
    double b1 = 0.944 / (1 + pow(458 * om, -0.708)), b2 = pow(0.395 * om, -0.0266);

    p->alpha_c = pow(a1, -p->f_b) * pow(a2, -p->f_b * p->f_b * p->f_b);
    p->beta_c = 1 / (1 + b1 * (pow(p->f_c, b2) - 1));
}

/* Equations 10, 19, 20. */
static double
pressureless(double q, double alpha, double beta)
{
    double c = 14.2 / alpha + 386 / (1 + 69.9 * pow(q, 1.08));
    double l = log(2.718281828459045 + 1.8 * beta * q);

    return l / (l + c * q * q);
}

/* Equations 16-17 and 21. */
static double
transfer(const hg_linear_power *p, double k)
{
    double q = k / (13.41 * p->k_eq), ks = k * p->sound;
    double f = 1 / (1 + pow(ks / 5.4, 4));
    double cold =
        f * pressureless(q, 1, p->beta_c) + (1 - f) * pressureless(q, p->alpha_c, p->beta_c);
    double shifted = ks / cbrt(1 + pow(p->beta_node / ks, 3));
    double bessel = shifted > 1e-4 ? sin(shifted) / shifted : 1;
    double baryon = pressureless(q, 1, 1) / (1 + ks / 5.2 * (ks / 5.2)) +
                    p->alpha_b / (1 + pow(p->beta_b / ks, 3)) * exp(-pow(k / p->k_silk, 1.4));

    return p->f_b * baryon * bessel + p->f_c * cold;
}

hg_status
hg_linear_power_create(const hg_cosmology *cosmology, hg_linear_power **power)
{
    hg_linear_power *p = NULL;
    double step = (lnk_high - lnk_low) / (N_GRID - 1), sigma;

    *power = NULL;
    HG_TRY(hg_cosmology_check(cosmology));
    HG_TRY(hg_mem_zeros(&p, 1, sizeof *p));
    p->cosmology = *cosmology;
    p->theta = 2.7255 / 2.7;
    p->amplitude = 1;
    set_scales(p);
    set_dark_matter(p);
    for (int i = 0; i < N_GRID; i++) {
        double k = exp(lnk_low + step * i);

        p->k[i] = k;
        p->weight[i] = k * k * k * hg_linear_power_at(p, k) / (2 * M_PI * M_PI) * step;
    }
    sigma = hg_linear_power_sigma(p, 8 / cosmology->h);
    p->amplitude = cosmology->sigma_8 * cosmology->sigma_8 / (sigma * sigma);
    for (int i = 0; i < N_GRID; i++) {
        p->weight[i] *= p->amplitude;
    }
    *power = p;
    return HG_OK;
}

void
hg_linear_power_free(hg_linear_power *power)
{
    hg_mem_free(power);
}

double
hg_linear_power_at(const hg_linear_power *power, double k)
{
    double t;

    if (!(k > 0)) {
        return 0;
    }
    t = transfer(power, k);
    return power->amplitude * pow(k, power->cosmology.n_s) * t * t;
}

const hg_cosmology *
hg_linear_power_cosmology(const hg_linear_power *power)
{
    return &power->cosmology;
}

double
hg_top_hat(double x)
{
    if (fabs(x) < 0.05) {
        return 1 - x * x / 10 * (1 - x * x / 28);
    }
    return 3 * (sin(x) - x * cos(x)) / (x * x * x);
}

double
hg_linear_power_sigma(const hg_linear_power *power, double radius)
{
    double sum = 0;

    for (int i = 0; i < N_GRID; i++) {
        double w = hg_top_hat(power->k[i] * radius);

        sum += power->weight[i] * w * w;
    }
    return sqrt(sum);
}
