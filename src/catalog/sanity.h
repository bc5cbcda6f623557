/** Whether the rows of a catalogue can be what they claim: a box that is filled, masses that
 * belong to their radii, an abundance that a universe has. A forgotten h, a or 1e10 shows here.
 *
 * Rows are counted into a tally (of parts, on any rank), tallies are added, and the sum is
 * judged: three steps that any reader of rows can take. Layer: catalog.
 */
#ifndef HG_CATALOG_SANITY_H
#define HG_CATALOG_SANITY_H

#include <stdbool.h>
#include <stdint.h>

#include "catalog/format.h"
#include "halograft/catalog.h"
#include "halograft/comm.h"
#include "halograft/table.h"

enum {
    HG_SANITY_SLABS = 32, /**< of a box, along each axis */
    HG_SANITY_BINS = 300, /**< of mass, HG_SANITY_STEP dex each */
    HG_SANITY_LINES = 8
};
#define HG_SANITY_LOWEST (-5.0)
#define HG_SANITY_STEP 0.1

/** Counts over rows; {0} is empty. */
typedef struct hg_sanity {
    int64_t n_row; /**< rows counted */
    int64_t n_central, n_satellite;
    int64_t n_ratio;   /**< rows with M200c and R200c */
    int64_t n_place;   /**< rows with a position, in a box */
    int64_t n_outside; /**< of these, outside the box */
    int64_t n_speed;   /**< rows with a velocity */
    int64_t slab[3 * HG_SANITY_SLABS];
    int64_t mass[HG_SANITY_BINS]; /**< M200c of rows that are no satellites */
    double log_ratio;             /**< sum of ln of the overdensity over 200 times critical */
    double speed[3], speed2;      /**< sums of velocities and of their squares, km/s */
    double reach;                 /**< largest coordinate over the box */
} hg_sanity;

/** Columns that are looked at, those of them that a table has; their number.
 *
 * @local
 */
extern const char *const hg_sanity_columns[];
enum { HG_SANITY_COLUMNS = 5 };

/** Count the rows of a table in canonical units.
 *
 * @local
 * @param[in]     frame  box and cosmology
 * @param[in]     table  any of hg_sanity_columns
 * @param[in,out] s      counts are added
 */
void hg_sanity_count(const hg_frame *frame, const hg_table *table, hg_sanity *s);

/** Add the tallies of all ranks, on all ranks.
 *
 * @collective{comm}
 */
void hg_sanity_sum(const hg_comm *comm, hg_sanity *s);

/** Count rows [first, first + n) of the files behind a plan.
 *
 * @local
 * @param[in,out] s  counts are added
 * @return HG_OK; HG_E_READ; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_sanity_read(const hg_plan *plan, int64_t first, int64_t n,
                                       hg_sanity *s);

/** Count all rows of a plan, or a sample spread evenly over them.
 *
 * @local
 * @param[in]     most        rows at most, about
 * @param[in]     rank, size  every size-th block from the rank-th is counted
 * @param[in,out] s           counts are added
 * @return as hg_sanity_read()
 */
HG_MUST_CHECK hg_status hg_sanity_sample(const hg_plan *plan, int64_t most, int rank, int size,
                                         hg_sanity *s);

typedef enum hg_sanity_kind { HG_SANITY_OK, HG_SANITY_NOTE, HG_SANITY_WRONG } hg_sanity_kind;

/** What is to be said, a line per check that could be made. */
typedef struct hg_sanity_verdict {
    int n, n_wrong;
    struct {
        hg_sanity_kind kind;
        const char *topic; /**< box, overdensity, abundance, satellites, velocities */
        char text[480];    /**< lower case, no full stop */
    } line[HG_SANITY_LINES];
} hg_sanity_verdict;

/** Judge a tally.
 *
 * - box: positions reach all of it, and nothing lies outside. Rows that fill a corner only,
 * from 0 to the same share of all axes, are wrong; rows somewhere else in it are a zoom, unless
 *   `is_box`.
 * - overdensity: M200c is 200 times the critical density within R200c, to 1 %.
 * - abundance, of a box whose rows have all been counted: the mass function of hosts is that of
 *   Tinker et al. (2008) within 0.1 dex and the errors of counting and of a small box, from 200
 *   particles on (from 0.3 dex above the fullest bin where that is more, or where their mass is
 *   not known). Without sigma_8 and n_s in the frame only peaks below 1.5 sigma are compared,
 *   which depend little on them.
 * - satellites: at most half of all rows of a box, and not all.
 * - velocities: between 30 and 3000 km/s on the mean, and no mean motion of a box.
 *
 * @local
 * @param[in]  frame   box and cosmology; what is not known is not checked
 * @param[in]  is_whole  the rows are all there are
 * @param[in]  is_box    they must fill their box (a parent, with all its files)
 * @param[out] verdict   lines
 * @return HG_OK, also when something is wrong; HG_E_MEMORY
 * @source Tinker et al. 2008, ApJ 688, 709
 */
HG_MUST_CHECK hg_status hg_sanity_judge(const hg_sanity *s, const hg_frame *frame,
                                        bool is_whole, bool is_box, hg_sanity_verdict *verdict);

/** Look at a sample of at most 2^20 rows per rank of an open catalogue and warn of what is
 * wrong with them.
 *
 * @collective{comm}
 * @param[in] what    whose catalogue it is, for the warning
 * @param[in] is_box  as hg_sanity_judge()
 * @return HG_OK, also when something is wrong or the sample could not be read; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_sanity_warn(const hg_comm *comm, const hg_catalog *catalog,
                                       const char *what, bool is_box);

#endif
