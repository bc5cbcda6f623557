/** Units in words: "Msun", "1e10 Msun/h", "ckpc/h", "km/s a^-1", "GiB", "%".
 *
 * A unit text is a product of factors: [number] word[^power] (* or blank between, / before a
 * divisor). Canonical units: Mpc (comoving), Msun, km/s, yr, K, s for times of the run, bytes.
 * A leading c or p on a length means comoving (default) or proper. The words h and a are
 * allowed with powers. Layer: base (architecture: parameters need units below cosmo).
 */
#ifndef HG_BASE_UNIT_H
#define HG_BASE_UNIT_H

#include "halograft/error.h"

/** Dimension vector and scale of a unit relative to canonical units. */
typedef struct hg_unit {
    double factor; /**< value in canonical units at h = 1, a = 1 */
    double h;      /**< power of h that multiplies the stored value */
    double a;      /**< power of a that multiplies the stored value (proper length: -1) */
    int length;    /**< powers of the dimensions: Mpc */
    int mass;      /**< Msun */
    int speed;     /**< km/s */
    int year;      /**< yr */
    int second;    /**< s (wall time) */
    int byte;      /**< bytes */
    int kelvin;    /**< K */
} hg_unit;

/** Parse a unit; "" and "-" are dimensionless, "dex" too.
 *
 * @local
 * @param[in]  text  unit in words
 * @param[out] unit  scale and dimension
 * @return HG_OK; HG_E_FORMAT naming the word that is not a unit and the nearest known one
 */
HG_MUST_CHECK hg_status hg_unit_parse(const char *text, hg_unit *unit);

/** Whether two units have the same dimension.
 *
 * @local
 */
int hg_unit_same_dimension(const hg_unit *a, const hg_unit *b);

/** The number by which a stored value is multiplied to become canonical.
 *
 * @local
 * @param[in] unit  parsed unit
 * @param[in] h     Hubble parameter / (100 km/s/Mpc)
 * @param[in] a     expansion factor
 */
double hg_unit_factor(const hg_unit *unit, double h, double a);

/** The power of ten that is meant by a unit within 0.2 per cent of it: codes round the mass of
 * the Sun (1.989e33 g), and 1e10 Msun is what they mean.
 *
 * @local
 * @param[in] unit  in a canonical unit; NAN stays NAN
 */
double hg_unit_rounded(double unit);

/** Parse "NUMBER UNIT" and convert to `canonical` where the dimension must agree. A number
 * without unit is accepted only when `canonical` is dimensionless.
 *
 * @local
 * @param[in]  text       e.g. "50 Mpc/h"
 * @param[in]  canonical  unit in words of the result
 * @param[in]  h          used when the text holds h; pass NAN to refuse h
 * @param[out] value      in canonical units
 * @return HG_OK; HG_E_FORMAT with a sentence
 */
HG_MUST_CHECK hg_status hg_unit_value(const char *text, const char *canonical, double h,
                                      double *value);

#endif
