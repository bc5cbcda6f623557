/** Memory of measuring, before it is used. Layer: measure. */
#ifndef HG_MEASURE_MEMORY_H
#define HG_MEASURE_MEMORY_H

#include "field/cost.h"
#include "halograft/params.h"

/** The mesh that section Measure asks for.
 *
 * @local
 */
hg_mesh_options hg_measure_mesh(const hg_params_measure *o);

/** Bytes per rank, on the rank that needs most. */
typedef struct hg_measure_memory {
    hg_mesh_cost mesh;
    double bins;    /**< fine bins of n^2 and their threads' copies */
    double second;  /**< field of the first sample of a pair while the second is painted */
    double objects; /**< kept rows of the largest catalogue and of those it is paired with, and
                         the points of a sample or a pair */
    double pairs;   /**< points on their way to where their pairs are counted */
    double total;   /**< of densities or pairs, what is larger */
} hg_measure_memory;

/** Estimate them.
 *
 * @local
 * @param[in]  objects  of the largest catalogue, over all ranks
 * @param[in]  referred  rows of the catalogues that Measure.cross refers to, over all ranks
 * @param[in]  box      comoving Mpc; 0 = not known, then ghosts within rp_max are not counted
 * @param[in]  ranks, threads  number of ranks, and of threads of each
 * @param[out] memory   filled
 */
void hg_measure_memory_estimate(const hg_params *params, double objects, double referred,
                                double box, int ranks, int threads, hg_measure_memory *memory);

/** Compare an estimate with Run.memory_max.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY with advice
 */
HG_MUST_CHECK hg_status hg_measure_memory_check(const hg_params *params,
                                                const hg_measure_memory *memory);

/** One line about an estimate: the cut of the mesh, bytes per rank and what a transform sends.
 *
 * @local
 * @param[in]  size  bytes of `text`
 * @param[out] text  shape (size)
 */
void hg_measure_memory_text(const hg_params *params, const hg_measure_memory *memory,
                            size_t size, char text[]);

#endif
