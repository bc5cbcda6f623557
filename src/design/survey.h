/** What the parent holds: haloes by cells of mass, surroundings and kind, what the model draws
 * for them, and how many of them each candidate would simulate. Layer: design. */
#ifndef HG_DESIGN_SURVEY_H
#define HG_DESIGN_SURVEY_H

#include "design/candidates.h"
#include "halograft/catalog.h"
#include "suite/recipes.h"

enum { HG_DESIGN_DRAWS = 8, HG_DESIGN_LATTICE = 256 };

/** Steps of log10 of the target, in which draws are counted; beyond them in the last one. */
#define HG_DESIGN_STEP 0.05

/** Counts over the parent, all of them integers; {0} is a valid empty one. */
typedef struct hg_design_survey {
    const hg_params *params; /**< borrowed */
    hg_catalog *catalog;     /**< the parent with the draws as side-car; owned */
    hg_expression *mass, *central;
    hg_names names; /**< columns that are read in every pass */
    int n_draw;
    char draw[HG_DESIGN_DRAWS][HG_NAME_MAX];
    char unit[HG_UNIT_MAX]; /**< of the target */
    double box;             /**< Mpc */

    int n_side;        /**< cells per side of the lattice */
    int64_t *lattice;  /**< shape (n_side^3); centrals in the cube about each cell */
    int64_t *flat;     /**< shape (n_side, n_side); centrals by x and y */
    int64_t n_central; /**< in the parent */
    int64_t n_peak;    /**< at most Design.peaks */
    hg_design_peak *peak;

    double mass_low; /**< log10, lower edge of the first bin */
    int n_mass, n_class;
    int64_t *edge;   /**< shape (n_mass, n_class - 1); least lattice count of a class but the
                          first */
    double fine_low; /**< log10 of the target, lower edge of the first step */
    int n_fine, n_cell;
    int64_t *halo;   /**< shape (n_cell); haloes with draws */
    int64_t *around; /**< shape (n_cell); sum of other centrals in their cubes */
    int64_t *drawn;  /**< shape (n_cell, n_fine); draws */
    int64_t *inside; /**< shape (candidates, n_cell); haloes in each sphere */
} hg_design_survey;

/** Open the parent and the grafted catalogue beside it.
 *
 * @collective{comm}
 * @param[out] survey  release with hg_design_survey_close(), also after a failure
 * @return HG_OK; HG_E_NOTFOUND without catalogue, draws or columns; HG_E_INPUT for a parent
 * that is not periodic; HG_E_PARAM
 */
HG_MUST_CHECK hg_status hg_design_survey_open(const hg_comm *comm, const hg_params *params,
                                              hg_design_survey *survey);
void hg_design_survey_close(hg_design_survey *survey);

/** Find the size of what will be counted, from the headers and from the masses in the first and
 * last part of the parent: sides of the lattice, steps, and cells, of which there are none
 * without haloes.
 *
 * @collective{comm}
 * @return HG_OK; HG_E_READ; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_design_survey_foresee(const hg_comm *comm, hg_design_survey *survey);

/** Read the parent for its surroundings, rare objects and classes.
 *
 * @collective{comm}
 * @return HG_OK; HG_E_INPUT without haloes; HG_E_READ; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_design_survey_look(const hg_comm *comm, hg_design_survey *survey);

/** Count haloes and draws by cell, and haloes of every candidate.
 *
 * @collective{comm}
 * @return HG_OK; HG_E_READ; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_design_survey_count(const hg_comm *comm,
                                               const hg_design_candidates *candidates,
                                               hg_design_survey *survey);

/** A pass over the parent: parts are dealt round robin over ranks.
 *
 * @collective{comm}
 * @param[in] names  columns to read
 * @param[in] visit  called for every part of this rank; its failures end the pass
 * @param[in] work   handed to it
 * @return HG_OK; the failures of reading and of `visit`
 */
typedef hg_status (*hg_design_visit)(hg_design_survey *survey, const hg_table *table,
                                     void *work);
HG_MUST_CHECK hg_status hg_design_survey_pass(const hg_comm *comm, hg_design_survey *survey,
                                              const hg_names *names, hg_design_visit visit,
                                              void *work);

/** Values of an expression for the rows of a table.
 *
 * @local
 * @param[out] value  shape (table->n); owned by the caller, free with hg_mem_free()
 * @return HG_OK; HG_E_MEMORY; the failures of hg_expression_evaluate()
 */
HG_MUST_CHECK hg_status hg_design_evaluate(const hg_expression *expression, const char *what,
                                           const hg_table *table, double **value);

#endif
