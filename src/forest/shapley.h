/** Shapley values of the features of a row in one tree. Layer: forest. */
#ifndef HG_FOREST_SHAPLEY_H
#define HG_FOREST_SHAPLEY_H

#include "forest/model.h"

enum { HG_SHAPLEY_POINTS = (HG_FEATURES_MAX + 1) / 2 };

/** A tree with what its training rows say of its nodes. Arrays are borrowed. */
typedef struct hg_covered_tree {
    const hg_node *node;
    int bits; /**< feature bits of a link */
    int n_feature, n_target;
    int depth;            /**< of the deepest leaf; a root alone has 0 */
    const double *weight; /**< shape (n_node): sum of weights in the bag, positive */
    const double *mean;   /**< shape (n_node, n_target): mean of the bag, transformed units */
} hg_covered_tree;

/** Points and weights of a quadrature on [0, 1]. */
typedef struct hg_quadrature {
    int n;
    double t[HG_SHAPLEY_POINTS];
    double w[HG_SHAPLEY_POINTS];
} hg_quadrature;

/** Gauss-Legendre quadrature on [0, 1]: exact for polynomials of degree 2n - 1.
 *
 * @local
 * @param[in]  n  points, 1 to HG_SHAPLEY_POINTS
 * @source Davis & Rabinowitz 1984, Methods of numerical integration, section 2.7
 */
void hg_quadrature_legendre(int n, hg_quadrature *quadrature);

/** A node between the root and where the walk is. */
typedef struct hg_shapley_level hg_shapley_level;

/** Memory of one thread; {0} is a valid empty one. */
typedef struct hg_shapley {
    int depth;               /**< there is room for */
    hg_shapley_level *level; /**< shape (depth + 1) */
    double *product;         /**< shape (depth + 1, HG_SHAPLEY_POINTS) */
    double *sum;             /**< shape (depth + 1, n_target, HG_SHAPLEY_POINTS) */
    double *share;           /**< shape (n_feature): part of the bag that goes the row's way */
    double *follows;         /**< shape (n_feature): 1 while the row does, else 0 */
} hg_shapley;

/** Make room for a tree.
 *
 * @local
 * @param[in,out] shapley  release with hg_shapley_clear()
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_shapley_reserve(hg_shapley *shapley, const hg_covered_tree *tree);
void hg_shapley_clear(hg_shapley *shapley);

/** Add the Shapley values of a row in a tree, of the game in which features that are not known
 * are averaged over the bag at each node that asks for them.
 *
 * @local
 * @param      shapley     with room for the tree
 * @param[in]  quadrature  exact to a degree of one less than the features on any path
 * @param[in]  x           shape (n_feature)
 * @param[in,out] value    shape (n_feature, n_target); transformed units; added to
 * @source game: Lundberg et al. 2020, Nature Machine Intelligence 2, 56, algorithm 1; integral
 * over the multilinear extension: Owen 1972, Management Science 18, 64; sums over nodes: Yu et
 * al. 2022, arXiv:2209.08192
 */
void hg_shapley_add(hg_shapley *shapley, const hg_covered_tree *tree,
                    const hg_quadrature *quadrature, const float x[], double value[]);

#endif
