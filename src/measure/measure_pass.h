/** One pass over a catalogue: tables are accumulated, positions of samples are kept. Layer:
 * measure. */
#ifndef HG_MEASURE_PASS_H
#define HG_MEASURE_PASS_H

#include "halograft/comm.h"
#include "halograft/params.h"
#include "measure/measure_content.h"
#include "measure/measure_plan.h"
#include "measure/measure_source.h"
#include "stats/curve.h"
#include "stats/histogram.h"
#include "stats/massfunc.h"
#include "suite/recipes.h"
#include "table/expression.h"

/** A row that is in at least one sample. */
typedef struct hg_selected {
    double position[3]; /**< comoving Mpc, real space */
    int64_t row;        /**< of the catalogue */
    uint64_t mask;      /**< bit s = in sample s */
} hg_selected;

/** Results of a pass; sums over ranks, positions of this rank. */
typedef struct hg_measure_pass {
    int n_mass, n_relation;
    const char *mass_column[HG_LIST_MAX];
    const hg_related *related[HG_LIST_MAX]; /**< of each relation */
    hg_massfunc massfunc[HG_LIST_MAX];
    hg_histogram relation[HG_LIST_MAX];
    hg_content content;
    uint64_t has_sample; /**< bit s = the catalogue has the columns of sample s */
    bool has_position;
    bool has_velocity;              /**< velocities are kept for redshift space */
    double mpc_per_speed;           /**< displacement per speed, comoving Mpc per km/s */
    bool is_loud;                   /**< this rank says what is skipped */
    int64_t n_catalogue;            /**< rows of the catalogue */
    int64_t objects[HG_SAMPLE_MAX]; /**< over all ranks */
    int64_t n_selected, room;
    hg_selected *selected;
    float (*velocity)[3]; /**< shape (n_selected), km/s, or NULL */
    int64_t n_weight[HG_SAMPLE_MAX], room_weight[HG_SAMPLE_MAX];
    double *weight[HG_SAMPLE_MAX]; /**< shape (n_weight[s]) in the order of rows, or NULL */
    hg_names names;
} hg_measure_pass;

/** Read a catalogue once.
 *
 * @collective{comm}
 * @param[in]  draw  realisation, from 0
 * @param[out] pass  release with hg_measure_pass_clear(), also after a failure
 * @return HG_OK; HG_E_NOTFOUND when a sample of the user needs a column that is missing; the
 * failures of reading
 */
HG_MUST_CHECK hg_status hg_measure_pass_run(const hg_comm *comm, const hg_measure_plan *plan,
                                            const hg_measured_set *sources,
                                            const hg_measured *source, int draw,
                                            hg_measure_pass *pass);
void hg_measure_pass_clear(hg_measure_pass *pass);

/** Read the rows of some samples of a catalogue, and nothing else.
 *
 * @collective{comm}
 * @param[in]  wanted  bit s = sample s; a column that one of them lacks is an error
 * @param[out] pass    release with hg_measure_pass_clear(), also after a failure
 * @return as hg_measure_pass_run()
 */
HG_MUST_CHECK hg_status hg_measure_pass_points(const hg_comm *comm, const hg_measure_plan *plan,
                                               const hg_measured_set *sources,
                                               const hg_measured *source, uint64_t wanted,
                                               hg_measure_pass *pass);

/** Turn mass functions and relations into curves.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_measure_pass_curves(const hg_measure_plan *plan,
                                               const hg_measured_set *sources,
                                               const hg_measured *source,
                                               const hg_measure_pass *pass,
                                               hg_statistics *statistics);

#endif
