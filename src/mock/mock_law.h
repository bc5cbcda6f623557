/** The galaxy law of the mock: known means, scatter, correlations and quenching.
 *
 * log10 M* is normal about a mean that follows from the halo; a galaxy is quenched with a
 * probability that depends on its own M*; the other quantities are linear in log10 M* with
 * normal scatter, shifted for quenched galaxies. The normals of one galaxy are correlated, more
 * so in massive haloes. Layer: mock.
 */
#ifndef HG_MOCK_LAW_H
#define HG_MOCK_LAW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "mock/mock_rows.h"

/** Columns of a galaxy, in order: stellar_mass sfr gas_mass bh_mass z_star sigma_star r_star.
 */
enum { HG_MOCK_TARGETS = 7 };
extern const char *const hg_mock_target_name[HG_MOCK_TARGETS];
extern const char *const hg_mock_target_unit[HG_MOCK_TARGETS];

/** A galaxy, in canonical units. */
typedef struct hg_mock_galaxy {
    float value[HG_MOCK_TARGETS]; /**< sfr may be 0 */
    uint8_t quenched;
} hg_mock_galaxy;

/** What the law says before any draw. The mean and scatter of sfr are those of star-forming
 * galaxies; all others include both kinds. */
typedef struct hg_mock_truth {
    float mean[HG_MOCK_TARGETS];  /**< 10^(mean of log10), canonical units */
    float sigma[HG_MOCK_TARGETS]; /**< standard deviation of log10, dex */
    float quenched;               /**< probability */
} hg_mock_truth;

/** State the law for one halo.
 *
 * @local
 */
void hg_mock_law_truth(const hg_mock_plan *plan, const hg_mock_row *row, hg_mock_truth *truth);

/** Draw the galaxy of a halo. Its noise is sqrt(f) chaos(galaxy seed + twin, id) + sqrt(1 - f)
 * hidden(universe seed, id) with f = Mock.chaos.
 *
 * @local
 * @param[in] twin  0 = the galaxies of the catalogues
 */
void hg_mock_law_draw(const hg_mock_plan *plan, const hg_mock_row *row, int twin,
                      hg_mock_galaxy *galaxy);

/** Draw again with all noise new: the oracle.
 *
 * @local
 * @param[in] draw  number of the redraw, from 0
 */
void hg_mock_law_redraw(const hg_mock_plan *plan, const hg_mock_row *row, int draw,
                        hg_mock_galaxy *galaxy);

/** Correlation of the normals of targets i and j for a halo of the given mass.
 *
 * @local
 * @param[in] mass  Msun
 */
double hg_mock_law_correlation(double mass, int i, int j);

/** Append the constants of the law as YAML lines, for the provenance of the truth.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_mock_law_describe(hg_text *text);

#endif
