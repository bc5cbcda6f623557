/** One pass over a catalogue: tables are accumulated, positions of samples are kept. Layer:
 * emulate. */
#ifndef HG_EMULATE_MEASURE_PASS_H
#define HG_EMULATE_MEASURE_PASS_H

#include "emulate/measure_source.h"
#include "emulate/recipes.h"
#include "halograft/comm.h"
#include "halograft/params.h"
#include "stats/curve.h"
#include "stats/histogram.h"
#include "stats/massfunc.h"
#include "table/expression.h"

enum { HG_SAMPLE_MAX = 64 };

/** A named selection of rows. */
typedef struct hg_sample {
    char name[HG_LABEL_MAX];
    char text[256];
    hg_expression *expression;
} hg_sample;

/** What is measured in every catalogue, from the parameters. */
typedef struct hg_measure_plan {
    const hg_params *params;
    int n_sample;
    hg_sample sample[HG_SAMPLE_MAX];
    bool default_samples;
    hg_expression *relation_where;
    hg_axis mass_axis, relation_axis, fine_axis;
} hg_measure_plan;

/** Compile the samples and lay out the bins.
 *
 * @local
 * @param[out] plan  release with hg_measure_plan_clear(), also after a failure; borrows params
 * @return HG_OK; HG_E_PARAM for an expression that cannot be read or too many samples
 */
HG_MUST_CHECK hg_status hg_measure_plan_init(const hg_params *params, hg_measure_plan *plan);
void hg_measure_plan_clear(hg_measure_plan *plan);

/** A row that is in at least one sample. */
typedef struct hg_selected {
    double position[3]; /**< in the space of Measure.space */
    uint64_t mask;      /**< bit s = in sample s */
} hg_selected;

/** Results of a pass; sums over ranks, positions of this rank. */
typedef struct hg_measure_pass {
    int n_mass, n_relation;
    const char *mass_column[HG_LIST_MAX];
    const char *relation_column[HG_LIST_MAX];
    hg_massfunc massfunc[HG_LIST_MAX];
    hg_histogram relation[HG_LIST_MAX];
    uint64_t has_sample; /**< bit s = the catalogue has the columns of sample s */
    bool has_position;
    int los;              /**< axis of the displacement into redshift space, -1 = none */
    double mpc_per_speed; /**< displacement per speed, comoving Mpc per km/s */
    bool is_loud;         /**< this rank says what is skipped */
    int64_t objects[HG_SAMPLE_MAX]; /**< over all ranks */
    int64_t n_selected, room;
    hg_selected *selected;
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

/** Turn mass functions and relations into curves.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_measure_pass_curves(const hg_measure_plan *plan,
                                               const hg_measured_set *sources,
                                               const hg_measured *source,
                                               const hg_measure_pass *pass,
                                               hg_statistics *statistics);

/** Unit of a column of a catalogue or its parent, "" when unknown; borrowed.
 *
 * @local
 */
const char *hg_measure_unit(const hg_measured_set *sources, const hg_measured *source,
                            const char *column);

/** Doubles of a column of width 1.
 *
 * @local
 * @param[out] value  shape (table->n)
 * @return HG_OK; HG_E_NOTFOUND
 */
HG_MUST_CHECK hg_status hg_measure_column(const hg_table *table, const char *name,
                                          double value[]);

#endif
