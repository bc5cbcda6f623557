/** How many bytes one MPI message may have: counts are int, and large single messages have a
 * history of trouble; and how they are counted. Layer: par, private. */
#ifndef HG_PAR_PIECE_H
#define HG_PAR_PIECE_H

#include "halograft/comm.h"

enum { HG_PIECE = 1 << 28 };

/** Count a message of this rank for hg_comm_traffic().
 *
 * @local
 */
void hg_comm_count(size_t bytes);

#endif
