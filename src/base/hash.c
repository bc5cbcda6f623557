/* A thin door to XXH3 in its 64-bit form. */
#include "base/hash.h"

#include <xxhash.h>

uint64_t
hg_hash_bytes(const void *data, size_t n)
{
    return XXH3_64bits(n > 0 ? data : "", n);
}

uint64_t
hg_hash_more(uint64_t hash, const void *data, size_t n)
{
    return XXH3_64bits_withSeed(n > 0 ? data : "", n, hash);
}

hg_hash *
hg_hash_create(void)
{
    XXH3_state_t *state = XXH3_createState();

    if (state != NULL) {
        XXH3_64bits_reset(state);
    }
    return (hg_hash *)state;
}

void
hg_hash_feed(hg_hash *state, const void *data, size_t n)
{
    if (n > 0) {
        XXH3_64bits_update((XXH3_state_t *)state, data, n);
    }
}

uint64_t
hg_hash_value(const hg_hash *state)
{
    return XXH3_64bits_digest((const XXH3_state_t *)state);
}

void
hg_hash_free(hg_hash *state)
{
    XXH3_freeState((XXH3_state_t *)state);
}

unsigned
hg_hash_version(void)
{
    return XXH_versionNumber();
}
