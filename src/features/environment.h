/** The recipe of environment features: tracers, and the columns made of what surrounds a halo.
 *
 * It is text in side-cars and in models, so that training and application are known to mean the
 * same numbers. Layer: features.
 */
#ifndef HG_FEATURES_ENVIRONMENT_H
#define HG_FEATURES_ENVIRONMENT_H

#include <stdbool.h>

#include "base/text.h"
#include "halograft/error.h"
#include "halograft/params.h"
#include "table/expression.h"

/** What a column holds. */
typedef enum hg_surrounding {
    HG_SURROUNDING_SPHERE,    /**< overdensity within a radius, by counts */
    HG_SURROUNDING_GAUSS,     /**< contrast smoothed with a Gaussian */
    HG_SURROUNDING_TOP_HAT,   /**< contrast smoothed with a top hat, on the mesh */
    HG_SURROUNDING_TIDAL,     /**< an eigenvalue of the tidal tensor, Gaussian */
    HG_SURROUNDING_NEIGHBOUR, /**< distance to the N-th tracer */
    HG_SURROUNDING_MASSIVE    /**< distance to the nearest more massive tracer */
} hg_surrounding;

/** One column. */
typedef struct hg_environment_column {
    char name[HG_NAME_MAX];
    char unit[HG_UNIT_MAX];
    char description[160];
    hg_surrounding kind;
    bool by_mass;  /**< tracers are weighted by mass, else counted */
    double radius; /**< Mpc */
    int number;    /**< N of a neighbour; eigenvalue 0, 1, 2 */
} hg_environment_column;

enum { HG_ENVIRONMENT_MAX = 256 };

/** A recipe; {0} has no columns. Borrows from the parameters. */
typedef struct hg_environment {
    const hg_params_environment *param;
    hg_expression *select; /**< NULL = all rows are tracers */
    hg_expression *mass;   /**< NULL where no column needs masses */
    double self;           /**< as hg_neighbourhood.self */
    int n_column;
    hg_environment_column column[HG_ENVIRONMENT_MAX];
} hg_environment;

/** Make the recipe of the section Environment.
 *
 * @local
 * @param[out] e  release with hg_environment_clear(); without columns where the section lists
 * none
 * @return HG_OK; HG_E_PARAM naming what is wrong
 */
HG_MUST_CHECK hg_status hg_environment_parse(const hg_params *params, hg_environment *e);
void hg_environment_clear(hg_environment *e);

/** Add the recipe as lines "item: value".
 *
 * @local
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_environment_write(const hg_environment *e, hg_text *text);

#endif
