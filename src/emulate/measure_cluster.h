/** Clustering of the samples of a pass: P(k), xi(r) and slice maps. Layer: emulate. */
#ifndef HG_EMULATE_MEASURE_CLUSTER_H
#define HG_EMULATE_MEASURE_CLUSTER_H

#include "emulate/measure_pass.h"
#include "field/slab.h"

/** Plan the mesh of Measure.mesh.
 *
 * @collective{comm}
 * @param[out] slab  owned by the caller, free with hg_slab_free()
 * @return HG_OK; the failures of hg_slab_create()
 */
HG_MUST_CHECK hg_status hg_measure_cluster_plan(const hg_comm *comm, const hg_params *params,
                                                hg_slab **slab);

/** Add the curves and maps of all samples of a pass.
 *
 * @collective{comm}
 * @param[in] slab       from hg_measure_cluster_plan()
 * @param[in] with_maps  also the slice maps (once per catalogue, not per draw)
 * @return HG_OK; HG_E_MEMORY; HG_E_INPUT for positions that are no numbers
 */
HG_MUST_CHECK hg_status hg_measure_cluster(const hg_comm *comm, const hg_measure_plan *plan,
                                           hg_slab *slab, const hg_measured *source,
                                           const hg_measure_pass *pass, bool with_maps,
                                           hg_statistics *statistics);

#endif
