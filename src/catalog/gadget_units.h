/** Units of the HDF5 files of Gadget and its descendants, as their headers state them. Layer:
 * catalog.
 */
#ifndef HG_CATALOG_GADGET_UNITS_H
#define HG_CATALOG_GADGET_UNITS_H

#include <stdbool.h>

#include "store/h5.h"

/** What stored numbers are multiples of. */
typedef struct hg_gadget_units {
    double length; /**< Mpc per code unit, without the h; NAN = not stated */
    double mass;   /**< Msun, NAN = not stated */
    double speed;  /**< km/s, NAN = not stated */
    bool with_h;   /**< stored lengths and masses are per h */
} hg_gadget_units;

/** The power of ten that is meant by a unit within 0.2 per cent of it: codes round the mass of
 * the Sun (1.989e33 g), and 1e10 Msun is what they mean.
 *
 * @local
 * @param[in] unit  in a canonical unit; NAN stays NAN
 */
double hg_unit_rounded(double unit);

/** A number of Header or else of Parameters.
 *
 * @local
 * @param[out] value  NAN where neither has it
 * @return HG_OK; HG_E_FORMAT; HG_E_READ
 */
HG_MUST_CHECK hg_status hg_gadget_number(hg_h5 *file, const char *name, double *value);

/** Read the system of units.
 *
 * @local
 * @return as hg_gadget_number()
 */
HG_MUST_CHECK hg_status hg_gadget_units_read(hg_h5 *file, hg_gadget_units *units);

#endif
