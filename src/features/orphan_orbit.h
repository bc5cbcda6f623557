/** Where a subhalo that was lost would be today: a circular orbit that decays by dynamical
 * friction. Layer: features.
 */
#ifndef HG_FEATURES_ORPHAN_ORBIT_H
#define HG_FEATURES_ORPHAN_ORBIT_H

#include "halograft/cosmology.h"

/** What holds for all orbits. */
typedef struct hg_orbit_setup {
    hg_cosmology cosmology; /**< h, omega_m and omega_l are used */
    double scale;           /**< scale factor today */
    double friction;        /**< factor on the time that friction takes; 0 = there is none */
} hg_orbit_setup;

/** A subhalo and its host when the subhalo was last found. */
typedef struct hg_orbit {
    double scale;         /**< scale factor then */
    double mass;          /**< Msun */
    double host_mass;     /**< Msun, within 200 times the critical density */
    double separation[3]; /**< of the subhalo from its host, comoving Mpc */
    double speed[3];      /**< relative to its host, proper km/s */
} hg_orbit;

/** Cosmic time between two scale factors.
 *
 * @local
 * @return Mpc / (km/s); negative when `to` is before `from`
 */
double hg_orbit_time(const hg_cosmology *cosmology, double from, double to);

/** Time until dynamical friction brings a subhalo to the centre of its host, an isothermal
 * sphere of the virial velocity: 1.17 r^2 V / (G m ln(1 + M/m)) times setup->friction.
 *
 * @local
 * @return Mpc / (km/s); infinite without friction
 * @source Binney & Tremaine 2008, Galactic Dynamics, equation 8.13; the Coulomb logarithm and a
 * factor of 2 as in De Lucia & Blaizot 2007, MNRAS 375, 2
 */
double hg_orbit_friction_time(const hg_orbit_setup *setup, const hg_orbit *orbit);

/** Follow the orbit to today: r(t) = r sqrt(1 - t/t_friction) at constant speed V, in the plane
 * of separation and speed.
 *
 * @local
 * @param[out] offset    shape (3), from the host, comoving Mpc
 * @param[out] velocity  shape (3), relative to the host, proper km/s; the slow fall is left out
 * @return share of the friction time that is left, 0 or less once the subhalo has merged
 * @source Binney & Tremaine 2008, section 8.1.1: r^2 falls linearly with time
 */
double hg_orbit_follow(const hg_orbit_setup *setup, const hg_orbit *orbit, double offset[3],
                       double velocity[3]);

#endif
