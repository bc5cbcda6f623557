/** Nodes below the cut: each goes to one rank with its rows and is grown there. Layer: forest.
 */
#ifndef HG_FOREST_SUBTREE_H
#define HG_FOREST_SUBTREE_H

#include "forest/top_levels.h"

/** A node to be grown by one rank; the list is the same on all ranks but for the nodes. */
typedef struct hg_job {
    int tree; /**< among those grown together */
    int node; /**< of the top */
    int rank;
    int round;
    int64_t n;     /**< rows */
    uint64_t path; /**< breaks ties */
    int64_t n_node;
    int64_t n_leaf;
    hg_node *nodes; /**< shape (n_node); on its rank alone, numbered as a tree of its own */
} hg_job;

/** The jobs of some tops; {0} is empty, release with hg_jobs_clear(). */
typedef struct hg_jobs {
    int n;
    int n_round;
    hg_job *job;
    double *importance; /**< shape (n_tree, n_feature); of this rank's jobs */
} hg_jobs;

/** List the jobs of some tops, share them out (largest first to the rank with the least work),
 * and grow them, round by round: no rank gets more than `room` rows, or one job, at a time.
 *
 * @collective{comm}
 * @param[in,out] top   shape (n_tree); tags of job nodes become job numbers
 * @param[in]     room  rows a rank can take, at least 1
 * @param[out]    jobs  release with hg_jobs_clear(), also after a failure
 * @return HG_OK; HG_E_MEMORY; HG_E_ARG when a tree is too large for the node layout
 */
HG_MUST_CHECK hg_status hg_jobs_grow(const hg_comm *comm, const hg_plan *plan, int n_tree,
                                     hg_top top[], int64_t room, hg_jobs *jobs);

/** Join a top and its jobs to the whole tree, on all ranks.
 *
 * @collective{comm}
 * @param[in]  t     the tree
 * @param[out] tree  nodes, numbers of nodes and leaves, importance; release with
 * hg_tree_clear()
 * @return HG_OK; HG_E_MEMORY; HG_E_ARG when the tree is too large for the node layout
 */
HG_MUST_CHECK hg_status hg_jobs_join(const hg_comm *comm, const hg_plan *plan, int t,
                                     const hg_top *top, const hg_jobs *jobs, hg_tree *tree);

/** Release the jobs.
 *
 * @local
 */
void hg_jobs_clear(hg_jobs *jobs);

#endif
