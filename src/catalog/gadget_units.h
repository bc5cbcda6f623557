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
