/* The prefix hashes the strings once; per halo two rounds of a 64-bit mixer remain, so that
 * keys of one run are distinct whenever ids are (the mixer is one to one). */
#include "table/identity.h"

#include <string.h>

#include "base/hash.h"
#include "base/random.h"

uint64_t
hg_halo_prefix(const char *run, int64_t region)
{
    return hg_hash_more(hg_hash_bytes(run, strlen(run)), &region, sizeof region);
}

uint64_t
hg_halo_key_of(uint64_t prefix, int64_t id)
{
    uint64_t key = hg_mix64(prefix ^ hg_mix64((uint64_t)id));

    return key != 0 ? key : 1;
}

uint64_t
hg_halo_key(const char *run, int64_t region, int64_t id)
{
    return hg_halo_key_of(hg_halo_prefix(run, region), id);
}

int64_t
hg_halo_place(const hg_column *region, const hg_column *run, int64_t row)
{
    int64_t place = region != NULL ? hg_column_integer(region, row) : HG_NO_REGION;

    return run != NULL ? place + ((hg_column_integer(run, row) + 1) << 32) : place;
}
