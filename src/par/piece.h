/** How many bytes one MPI message may have: counts are int, and large single messages have a
 * history of trouble; and how they are counted. Layer: par, private. */
#ifndef HG_PAR_PIECE_H
#define HG_PAR_PIECE_H

#include "halograft/comm.h"

/** A sum over ranks is made in smaller pieces, because MPI libraries hold copies of them. */
enum { HG_PIECE = 1 << 28, HG_REDUCE_PIECE = 1 << 22 };

/** Count a message of this rank for hg_comm_traffic().
 *
 * @local
 */
void hg_comm_count(size_t bytes);

#endif
