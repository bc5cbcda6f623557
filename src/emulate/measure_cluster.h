/** Clustering of the samples of a pass: P(k), xi(r), wp(rp) and slice maps. Layer: emulate. */
#ifndef HG_EMULATE_MEASURE_CLUSTER_H
#define HG_EMULATE_MEASURE_CLUSTER_H

#include "emulate/measure_pass.h"
#include "field/mesh.h"
#include "stats/power.h"

/** What the curves of one sample share. */
typedef struct hg_sample_task {
    const hg_measure_plan *plan;
    const hg_measured *source;
    const hg_sample *sample;
    double box;
    int64_t objects;
    double shot;
    bool is_loud;  /**< this rank gives warnings */
    bool is_first; /**< first realisation of its catalogue */
    hg_statistics *statistics;
} hg_sample_task;

/** Axis of Measure.line_of_sight.
 *
 * @local
 */
hg_los hg_measure_los(const hg_params_measure *o);

/** Start the label of a curve: names of statistic, sample and catalogue, logarithmic x.
 *
 * @local
 */
void hg_sample_label(const hg_sample_task *task, const char *statistic, hg_label *label);

/** Add the attributes that all curves of a sample have.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_sample_attributes(const hg_sample_task *task, hg_attributes *a);

/** Say what the mesh of Measure.mesh will cost, and plan it.
 *
 * @collective{comm}
 * @param[in]  n_row  of the largest catalogue
 * @param[out] mesh  owned by the caller, free with hg_mesh_free()
 * @return HG_OK; HG_E_MEMORY above Run.memory_max; the failures of hg_mesh_create()
 */
HG_MUST_CHECK hg_status hg_measure_cluster_plan(const hg_comm *comm, const hg_params *params,
                                                int64_t n_row, hg_mesh **mesh);

/** Add the curves and maps of all samples of a pass.
 *
 * @collective{comm}
 * @param[in] mesh       from hg_measure_cluster_plan()
 * @param[in] with_maps  also the slice maps (once per catalogue, not per draw)
 * @return HG_OK; HG_E_MEMORY; HG_E_INPUT for positions that are no numbers
 */
HG_MUST_CHECK hg_status hg_measure_cluster(const hg_comm *comm, const hg_measure_plan *plan,
                                           hg_mesh *mesh, const hg_measured *source,
                                           const hg_measure_pass *pass, bool with_maps,
                                           hg_statistics *statistics);

#endif
