/** Dark matter masses of runs with and without baryons. Layer: emulate. */
#ifndef HG_EMULATE_BARYONS_H
#define HG_EMULATE_BARYONS_H

#include "halograft/table.h"

/** The column that the factor is for. */
#define HG_BARYONS_COLUMN "m_dm"

/** What m_dm of the parent is to be multiplied with, so that it means what it meant where the
 * galaxies come from: 1 - Omega_b/Omega_m where only the parent lacks baryons.
 *
 * @local
 * @param[in] zooms, parent  frames
 * @return the factor; 1 where none is needed; NAN where Omega_b or Omega_m is not known
 */
double hg_baryons_factor(const hg_frame *zooms, const hg_frame *parent);

/** Multiply m_dm of a table, if it has one.
 *
 * @local
 */
void hg_baryons_scale(hg_table *table, double factor);

#endif
