/** Training rows of this rank: read from catalogues, selected, turned into numbers. Layer:
 * emulate. */
#ifndef HG_EMULATE_TRAINING_ROWS_H
#define HG_EMULATE_TRAINING_ROWS_H

#include "base/text.h"
#include "emulate/training_extras.h"
#include "features/derived.h"
#include "halograft/comm.h"
#include "halograft/params.h"
#include "suite/recipes.h"

/** What training needs; {0} is empty, release with hg_training_rows_clear(). */
typedef struct hg_training_rows {
    int64_t n;
    int64_t room;
    float *x;               /**< shape (n, n_feature) */
    double *y;              /**< shape (n, n_target) */
    double *weight;         /**< shape (n) */
    uint64_t *key;          /**< shape (n) */
    uint64_t *group;        /**< shape (n) */
    uint64_t *parent_key;   /**< shape (n), 0 = not in the parent */
    bool has_group;         /**< a region table or a group column gave groups */
    bool has_twins;         /**< the region table names twins */
    int64_t n_read;         /**< rows read on this rank, before any cut; likewise below */
    int64_t n_beyond;       /**< beyond the radius of their region */
    int64_t n_contaminated; /**< of the others, with too many low-resolution particles */
    bool has_epochs;        /**< the redshift is a feature: catalogues may differ in it */
    double redshift[2];     /**< lowest and highest of all catalogues; NAN = not known */
    hg_frame frame;         /**< of the first catalogue */
    hg_text inputs;         /**< YAML lines that name the catalogues read */
    hg_text transport;      /**< YAML lines on features that were moved, empty without */
    int64_t n_lost[HG_DERIVED_KINDS]; /**< of the others, without derived columns in use */
    hg_text recipe[HG_DERIVED_KINDS]; /**< of derived columns that were joined, else empty */
    int n_extra;          /**< further values per row; without any the next four are NULL */
    double *extra;        /**< shape (n, n_extra); NaN where the catalogue does not tell */
    uint64_t *place;      /**< shape (n); hash of run and region */
    uint64_t *simulation; /**< shape (n); hash of the run alone */
    int64_t *number;      /**< shape (n); of the region, or of the run where none is told */
} hg_training_rows;

/** Read all training catalogues; every rank keeps the rows of the parts it read.
 *
 * @collective{comm}
 * @param[in]     params    Zooms, Selection, Parent
 * @param[in,out] features  units are filled in from the first catalogue
 * @param[in,out] targets   the same
 * @param[out]    rows      release with hg_training_rows_clear()
 * @return HG_OK; HG_E_NOTFOUND; HG_E_INPUT; HG_E_PARAM; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_training_rows_read(const hg_comm *comm, const hg_params *params,
                                              hg_recipes *features, hg_recipes *targets,
                                              hg_training_rows *rows);
void hg_training_rows_clear(hg_training_rows *rows);

/** The same with further values of every row, and where it comes from.
 *
 * @collective{comm}
 * @param[in]  extras  at least one
 * @param[out] rows    release with hg_training_rows_clear()
 * @return as hg_training_rows_read()
 */
HG_MUST_CHECK hg_status hg_training_rows_trace(const hg_comm *comm, const hg_params *params,
                                               hg_recipes *features, hg_recipes *targets,
                                               const hg_training_extras *extras,
                                               hg_training_rows *rows);

/** Make room for n more rows; keep those of rows first to first + n that are marked and make
 * them the last.
 *
 * @local
 * @param[in] keep  shape (n)
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_training_rows_room(hg_training_rows *rows, int64_t n, int n_feature,
                                              int n_target);
void hg_training_rows_drop(hg_training_rows *rows, int64_t first, int64_t n,
                           const uint8_t keep[]);

/** Put the rows of all ranks on every rank, in the order of their keys.
 *
 * @collective{comm}
 * @return HG_OK; HG_E_INPUT for a key that comes twice; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_training_rows_gather(const hg_comm *comm, int n_feature,
                                                int n_target, hg_training_rows *rows);

/** Read the twins that the region table names, cut like training rows.
 *
 * @collective{comm}
 * @param[out] rows  release with hg_training_rows_clear()
 * @return as hg_training_rows_read()
 */
HG_MUST_CHECK hg_status hg_training_twins_read(const hg_comm *comm, const hg_params *params,
                                               hg_recipes *features, hg_recipes *targets,
                                               hg_training_rows *rows);

#endif
