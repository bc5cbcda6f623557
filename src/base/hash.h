/** 64-bit content hashes by xxHash (XXH3). Layer: base; the door to xxHash. */
#ifndef HG_BASE_HASH_H
#define HG_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/** Hash of a block of bytes; the empty block is allowed.
 *
 * @local
 */
uint64_t hg_hash_bytes(const void *data, size_t n);

/** Hash of a block of bytes with a seed, to chain blocks: h = hg_hash_more(h, data, n).
 *
 * @local
 */
uint64_t hg_hash_more(uint64_t hash, const void *data, size_t n);

/** Streaming form for data that arrives in pieces; gives hg_hash_bytes() of the concatenation.
 * @local
 * `hash_create` returns NULL when memory is exhausted; free with hg_hash_free().
 */
typedef struct hg_hash hg_hash;
hg_hash *hg_hash_create(void);
void hg_hash_feed(hg_hash *state, const void *data, size_t n);
uint64_t hg_hash_value(const hg_hash *state);
void hg_hash_free(hg_hash *state);

/** Version of xxHash as compiled in, e.g. 801 for 0.8.1.
 *
 * @local
 */
unsigned hg_hash_version(void);

#endif
