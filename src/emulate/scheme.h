/** Which of the two ways of training fits into memory. Layer: emulate. */
#ifndef HG_EMULATE_SCHEME_H
#define HG_EMULATE_SCHEME_H

#include "halograft/comm.h"
#include "halograft/params.h"
#include "halograft/stages.h"

/** Bytes a rank needs in either scheme, and what it has. */
typedef struct hg_scheme {
    double trees;  /**< every rank sees all rows and grows whole trees */
    double draws;  /**< the same without buffers of the exchange: forests of a validation */
    double means;  /**< these without leaf-mates: forests that predict means alone */
    double rows;   /**< every rank holds its share of the rows */
    double limit;  /**< Run.memory_max, or 0.8 of the machine's memory over its ranks */
    bool is_plain; /**< one forest of random thresholds on numbers: what can go by rows */
    bool by_rows;  /**< what Model.scheme says, or what fits */
} hg_scheme;

/** Among how many ranks the work and the memory are divided. */
typedef struct hg_ranks {
    int all;      /**< of the run */
    int per_node; /**< of a node, whose memory they divide */
    int sharing;  /**< of a node, that hold one copy of records and trees together */
} hg_ranks;

/** Those of a run.
 *
 * @local
 */
hg_ranks hg_scheme_ranks(int all, int per_node);

/** Estimate both and choose: `trees` as long as it fits, since it sends the least.
 *
 * @local
 * @param[in] params     Model, Run
 * @param[in] n_row      training rows of all ranks
 * @param[in] shape      shape (n_stage); forests of the model
 * @param[in] threads    per rank
 */
hg_scheme hg_scheme_choose(const hg_params *params, hg_ranks ranks, int64_t n_row, int n_stage,
                           const hg_stage_shape shape[], int threads);

/** Leaves of a tree, about.
 *
 * @local
 * @param[in] n_row  training rows of all ranks
 */
double hg_scheme_leaves(const hg_params_model *model, double n_row);

/** Bytes of the finished forests in the memory of a rank: its part of the trees, and what is
 * kept of the training rows, of which each rank has a copy.
 *
 * @local
 * @param[in] n_row    training rows of all ranks
 * @param[in] shape    shape (n_stage)
 * @param[in] sharing  ranks that hold the trees together
 */
double hg_scheme_model(const hg_params *params, int64_t n_row, int n_stage,
                       const hg_stage_shape shape[], int sharing);

/** The same as hg_scheme_choose() for the rows at hand: says in the log what was chosen and
 * why.
 *
 * @collective{comm}
 * @param[in]  n_row      rows of this rank
 * @param[in]  shape      shape (n_stage)
 * @param[in]  has_twins  whether there are twin runs or classes, which go by trees
 * @param[out] by_rows    the same on all ranks
 * @return HG_OK; HG_E_PARAM when Model.scheme is rows and the model is not plain
 */
HG_MUST_CHECK hg_status hg_scheme_agree(const hg_comm *comm, const hg_params *params,
                                        int64_t n_row, int n_stage,
                                        const hg_stage_shape shape[], bool has_twins,
                                        bool *by_rows);

#endif
