/** Zooms.transport: features of training haloes moved, at fixed mass, to the distribution that
 * the parent's haloes have. Layer: emulate.
 */
#ifndef HG_EMULATE_TRANSPORT_H
#define HG_EMULATE_TRANSPORT_H

#include "base/text.h"
#include "halograft/catalog.h"
#include "halograft/comm.h"
#include "halograft/error.h"
#include "halograft/params.h"
#include "stats/shift_at_mass.h"
#include "suite/recipes.h"

/** Maps of features; {0} moves nothing. */
typedef struct hg_transports {
    const char *mass; /**< column that tells the mass; borrowed from the parameters */
    int n;
    int *feature;      /**< shape (n), among those of the model */
    hg_transport *map; /**< shape (n) */
} hg_transports;

/** Make the maps that Zooms.transport asks for, from all training catalogues and the parent;
 * the log tells shift and distance of each.
 *
 * @collective{comm}
 * @param[in]  features  of the model
 * @param[out] t         the same on all ranks; release with hg_transports_clear(), also on
 * failure
 * @param[in,out] text   gets a line on the parent and one per feature, for the record
 * @return HG_OK; HG_E_PARAM for a feature that is not there or Zooms.features: parent;
 * HG_E_INPUT where too few haloes have the same masses; as hg_feature_sample_read()
 */
HG_MUST_CHECK hg_status hg_transports_make(const hg_comm *comm, const hg_params *params,
                                           const hg_recipes *features, hg_transports *t,
                                           hg_text *text);
void hg_transports_clear(hg_transports *t);

/** Move the features of training rows.
 *
 * @local
 * @param[in]     table      rows with the column of the mass
 * @param[in]     n_feature  features of a row
 * @param[in,out] x          shape (table->n, n_feature)
 * @return HG_OK; HG_E_INPUT for a mass that is not positive, naming the row
 */
HG_MUST_CHECK hg_status hg_transports_move(const hg_transports *t, const hg_table *table,
                                           int n_feature, float x[]);

/** Say on rank 0 that features were moved to the distribution of another catalogue, where they
 * were.
 *
 * @local
 * @param[in] text     what hg_transports_make() has written, or NULL
 * @param[in] catalog  the parent that a model is applied to
 */
void hg_transports_warn(const char *text, const hg_catalog *catalog);

#endif
