/** Background, linear power, abundance and bias of haloes, and the profile of a halo.
 *
 * Lengths are comoving Mpc without h, wave numbers 1/Mpc, masses Msun, speeds km/s; z is a
 * redshift. Radiation is neglected. Objects are read-only after creation and may be shared by
 * threads. Layer: cosmo.
 */
#ifndef HALOGRAFT_COSMOLOGY_H
#define HALOGRAFT_COSMOLOGY_H

#include "halograft/error.h"

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/** Newton's constant in Mpc (km/s)^2 / Msun. */
#define HG_GRAVITY 4.30091727e-9

/** Linear overdensity of spherical collapse, the 1.686 of peak theory. */
#define HG_DELTA_COLLAPSE 1.686

typedef struct hg_cosmology {
    double h;       /**< Hubble parameter / (100 km/s/Mpc) */
    double omega_m; /**< matter density today over critical */
    double omega_l; /**< cosmological constant; the rest is curvature */
    double omega_b; /**< baryon density, part of omega_m */
    double sigma_8; /**< rms linear overdensity in 8 Mpc/h today */
    double n_s;     /**< slope of the primordial power spectrum */
} hg_cosmology;

#define HG_COSMOLOGY_INIT                                                     \
    {                                                                         \
        .h = 0.6774, .omega_m = 0.3089, .omega_l = 0.6911, .omega_b = 0.0486, \
        .sigma_8 = 0.8159, .n_s = 0.9667                                      \
    }

/** Check that the numbers describe a universe with matter and a Big Bang.
 *
 * @local
 * @return HG_OK; HG_E_ARG naming the parameter and its value
 */
HG_MUST_CHECK hg_status hg_cosmology_check(const hg_cosmology *cosmology);

/** Hubble rate at z, in km/s/Mpc.
 *
 * @local
 */
double hg_cosmology_hubble(const hg_cosmology *cosmology, double z);

/** Matter density at z over the critical density at z, dimensionless.
 *
 * @local
 */
double hg_cosmology_omega_m(const hg_cosmology *cosmology, double z);

/** Critical density at z in Msun per proper Mpc^3, and mean matter density in Msun per comoving
 * Mpc^3.
 *
 * @local
 */
double hg_cosmology_rho_crit(const hg_cosmology *cosmology, double z);
double hg_cosmology_rho_mean(const hg_cosmology *cosmology);

/** Linear growth factor D(z), 1 today, and its logarithmic slope f = dlnD/dlna.
 *
 * @local
 * @param[in]  z       redshift, not below -0.9
 * @param[out] growth  D, dimensionless
 * @param[out] rate    f, dimensionless; may be NULL
 * @return HG_OK; HG_E_ARG when the quadrature fails
 * @source Heath 1977, MNRAS 179, 351
 */
HG_MUST_CHECK hg_status hg_cosmology_growth(const hg_cosmology *cosmology, double z,
                                            double *growth, double *rate);

/** Comoving distance along the line of sight to redshift z, in Mpc.
 *
 * @local
 * @return HG_OK; HG_E_ARG
 */
HG_MUST_CHECK hg_status hg_cosmology_distance(const hg_cosmology *cosmology, double z,
                                              double *distance);

/** Comoving radius of the sphere of mean density 200 times critical at z that holds `mass`.
 *
 * @local
 * @param[in] mass  M200c in Msun
 * @return comoving Mpc
 */
double hg_cosmology_r200c(const hg_cosmology *cosmology, double z, double mass);

/** Linear matter power spectrum at z = 0 with baryon wiggles, normalised to sigma_8. */
typedef struct hg_linear_power hg_linear_power;

/** Build the spectrum.
 *
 * @local
 * @param[out] power  owned by the caller, free with hg_linear_power_free()
 * @return HG_OK; HG_E_ARG; HG_E_MEMORY
 * @source Eisenstein & Hu 1998, ApJ 496, 605, equations 2-24
 */
HG_MUST_CHECK hg_status hg_linear_power_create(const hg_cosmology *cosmology,
                                               hg_linear_power **power);
void hg_linear_power_free(hg_linear_power *power);

/** P(k) at z = 0 in Mpc^3; 0 at k <= 0.
 *
 * @local
 * @param[in] k  in 1/Mpc
 */
double hg_linear_power_at(const hg_linear_power *power, double k);

/** The cosmology the spectrum was made for, borrowed.
 *
 * @local
 */
const hg_cosmology *hg_linear_power_cosmology(const hg_linear_power *power);

/** Fourier transform of a unit top hat, 3 (sin x - x cos x) / x^3, 1 at x = 0.
 *
 * @local
 */
double hg_top_hat(double x);

/** Rms linear overdensity at z = 0 in a top hat of comoving radius R.
 *
 * @local
 * @param[in] radius  comoving Mpc
 */
double hg_linear_power_sigma(const hg_linear_power *power, double radius);

typedef enum hg_mass_family { HG_MASS_TINKER, HG_MASS_SHETH_TORMEN } hg_mass_family;

/** Abundance and linear bias of haloes by M200c at one redshift, tabulated. */
typedef struct hg_mass_function hg_mass_function;

/** Lowest and highest mass of the tables, in Msun. */
#define HG_MASS_FUNCTION_LOWEST 1e8
#define HG_MASS_FUNCTION_HIGHEST 1e16

/** Tabulate a mass function and the bias that belongs to it.
 *
 * Tinker: M200c through the mean overdensity 200 / Omega_m(z), coefficients interpolated in its
 * logarithm. Sheth & Tormen: one universal curve, read as M200c without conversion.
 *
 * @local
 * @param[in]  power   borrowed during the call
 * @param[in]  family  which curve
 * @param[in]  z       redshift
 * @param[out] mf      owned by the caller, free with hg_mass_function_free()
 * @return HG_OK; HG_E_ARG; HG_E_MEMORY
 * @source Tinker et al. 2008, ApJ 688, 709, equations 2-8 and table 2; Tinker et al. 2010, ApJ
 * 724, 878, equation 6 and table 2; Sheth & Tormen 1999, MNRAS 308, 119, equations 10 and 12
 */
HG_MUST_CHECK hg_status hg_mass_function_create(const hg_linear_power *power,
                                                hg_mass_family family, double z,
                                                hg_mass_function **mf);
void hg_mass_function_free(hg_mass_function *mf);

/** Haloes per comoving Mpc^3 and per unit of log10 M.
 *
 * @local
 * @param[in] mass  M200c in Msun, clipped to the range of the tables
 */
double hg_mass_function_density(const hg_mass_function *mf, double mass);

/** Haloes per comoving Mpc^3 above a mass.
 *
 * @local
 */
double hg_mass_function_above(const hg_mass_function *mf, double mass);

/** The mass above which there are `density` haloes per comoving Mpc^3: the inverse of
 * hg_mass_function_above().
 *
 * @local
 */
double hg_mass_function_inverse(const hg_mass_function *mf, double density);

/** Linear (Eulerian) bias, dimensionless.
 *
 * @local
 */
double hg_mass_function_bias(const hg_mass_function *mf, double mass);

/** Closed forms of the profile of Navarro, Frenk & White, for concentration c = r_200 / r_s.
 *
 * mass: ln(1+x) - x/(1+x). vmax: largest circular velocity over V_200. radius_of_vmax: its
 * radius over r_s. half_mass: radius that holds half of M_200, over r_200. inverse: radius over
 * r_200 that holds a share of M_200. potential: self-energy of the matter inside r_200 over
 * G M^2 / r_200, negative. dispersion: isotropic one-dimensional velocity dispersion at s =
 * r / r_200 over V_200.
 *
 * @local
 * @source Navarro, Frenk & White 1997, ApJ 490, 493; Lokas & Mamon 2001, MNRAS 321, 155,
 * equation 14; the self-energy by integration of the profile
 */
double hg_nfw_mass(double x);
double hg_nfw_vmax(double c);
double hg_nfw_radius_of_vmax(void);
double hg_nfw_half_mass(double c);
double hg_nfw_inverse(double c, double share);
double hg_nfw_potential(double c);
double hg_nfw_dispersion(double c, double s);

/** Version of the GNU Scientific Library that integrates and interpolates.
 *
 * @local
 */
const char *hg_gsl_version(void);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif
