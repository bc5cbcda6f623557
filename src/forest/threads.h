/** How many threads a piece of work takes. Layer: forest. */
#ifndef HG_FOREST_THREADS_H
#define HG_FOREST_THREADS_H

#include <omp.h>

/** The threads that are wanted, or as many as OpenMP gives where none are named.
 *
 * @local
 * @param[in] wanted  0 = as many as there are
 */
static inline int
hg_threads(int wanted)
{
    return wanted > 0 ? wanted : omp_get_max_threads();
}

#endif
