/** Wave numbers of indices. Layer: field. */
#ifndef HG_FIELD_WAVE_H
#define HG_FIELD_WAVE_H

#include <stdint.h>

/** Wave number of index i of a transform of length n, in (-n/2, n/2].
 *
 * @local
 */
static inline int64_t
hg_wave_number(int64_t i, int64_t n)
{
    return i <= n / 2 ? i : i - n;
}

#endif
