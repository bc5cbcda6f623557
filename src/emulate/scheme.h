/** Which of the two ways of training fits into memory. Layer: emulate. */
#ifndef HG_EMULATE_SCHEME_H
#define HG_EMULATE_SCHEME_H

#include "halograft/comm.h"
#include "halograft/params.h"

/** Bytes a rank needs in either scheme, and what it has. */
typedef struct hg_scheme {
    double trees; /**< every rank holds all rows and grows whole trees */
    double rows;  /**< every rank holds its share of the rows */
    double limit; /**< Run.memory_max, or 0.8 of the machine's memory over its ranks */
    bool by_rows; /**< what Model.scheme says, or what fits */
} hg_scheme;

/** Estimate both and choose: `trees` as long as it fits, since it sends the least.
 *
 * @local
 * @param[in] params     Model, Run
 * @param[in] ranks      of the run, and of a node
 * @param[in] n_row      training rows of all ranks
 * @param[in] threads    per rank
 */
hg_scheme hg_scheme_choose(const hg_params *params, const int ranks[2], int64_t n_row,
                           int n_feature, int n_target, int threads);

/** The same for the rows at hand: says in the log what was chosen and why.
 *
 * @collective{comm}
 * @param[in]  n_row     rows of this rank
 * @param[in]  is_plain  one forest on numbers, no twin runs: what can be trained by rows
 * @param[out] by_rows   the same on all ranks
 * @return HG_OK; HG_E_PARAM when Model.scheme is rows and the model is not plain
 */
HG_MUST_CHECK hg_status hg_scheme_agree(const hg_comm *comm, const hg_params *params,
                                        int64_t n_row, int n_feature, int n_target,
                                        bool is_plain, bool *by_rows);

#endif
