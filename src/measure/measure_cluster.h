/** Clustering of the samples of a pass: P(k), xi(r), wp(rp) and slice maps. Layer: measure. */
#ifndef HG_MEASURE_CLUSTER_H
#define HG_MEASURE_CLUSTER_H

#include "field/mesh.h"
#include "measure/measure_pass.h"

/** A catalogue whose samples others are paired with. */
typedef struct hg_referred {
    const hg_measured *source;
    hg_measure_pass pass;
} hg_referred;

/** All of those, read once. */
typedef struct hg_referred_set {
    int n;
    hg_referred referred[HG_CROSS_MAX];
} hg_referred_set;

/** Say what the mesh of Measure.mesh will cost, and plan it.
 *
 * @collective{comm}
 * @param[in]  n_row  of the largest catalogue
 * @param[in]  n_referred  rows of the catalogues that Measure.cross refers to
 * @param[in]  box  of the largest catalogue, comoving Mpc
 * @param[out] mesh  owned by the caller, free with hg_mesh_free()
 * @return HG_OK; HG_E_MEMORY above Run.memory_max; the failures of hg_mesh_create()
 */
HG_MUST_CHECK hg_status hg_measure_cluster_plan(const hg_comm *comm, const hg_params *params,
                                                int64_t n_row, int64_t n_referred, double box,
                                                hg_mesh **mesh);

/** Read the catalogues that Measure.cross refers to.
 *
 * @collective{comm}
 * @param[out] set  release with hg_referred_set_clear(), also after a failure
 * @return HG_OK; HG_E_PARAM for a catalogue that is not measured; the failures of reading
 */
HG_MUST_CHECK hg_status hg_referred_set_read(const hg_comm *comm, const hg_measure_plan *plan,
                                             const hg_measured_set *sources,
                                             hg_referred_set *set);
void hg_referred_set_clear(hg_referred_set *set);

/** Add the curves and maps of all samples of a pass, and those of all pairs of samples.
 *
 * @collective{comm}
 * @param[in] mesh       from hg_measure_cluster_plan()
 * @param[in] with_maps  also the slice maps (once per catalogue, not per draw)
 * @return HG_OK; HG_E_MEMORY; HG_E_INPUT for positions that are no numbers, weights without a
 * positive sum, or pairs of catalogues with different boxes
 */
HG_MUST_CHECK hg_status hg_measure_cluster(const hg_comm *comm, const hg_measure_plan *plan,
                                           hg_mesh *mesh, const hg_measured *source,
                                           const hg_measure_pass *pass,
                                           const hg_referred_set *referred, bool with_maps,
                                           hg_statistics *statistics);

#endif
