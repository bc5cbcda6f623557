/** A small training and prediction with a known result. Layer: audit. */
#ifndef HG_AUDIT_HEALTH_H
#define HG_AUDIT_HEALTH_H

#include <stdint.h>

#include "halograft/comm.h"
#include "halograft/error.h"

/** What a health test gives. */
typedef struct hg_health {
    uint64_t model;      /**< hash of the trained forest */
    uint64_t prediction; /**< hash of means and draws on this rank */
    double speed;        /**< rows predicted per second on this rank, all ranks at once */
} hg_health;

/** What hg_health_test() must give anywhere: any ranks, threads, compiler and processor.
 * Recorded with gcc 12 at -O3, found again with clang 14 at -O1; whoever changes the bits of
 * models or draws on purpose records them anew. */
extern const uint64_t hg_health_model, hg_health_prediction;

/** Train a forest on 3000 made-up haloes spread over the ranks, predict 500 others, hash both,
 * and time predictions for `seconds`.
 *
 * @collective{comm}
 * @param[in]  threads  per rank; 0 = as OpenMP says
 * @param[in]  seconds  time for the speed of this rank
 * @param[out] health   filled on success
 * @return HG_OK; HG_E_MEMORY; the failures of training
 */
HG_MUST_CHECK hg_status hg_health_test(const hg_comm *comm, int threads, double seconds,
                                       hg_health *health);

#endif
