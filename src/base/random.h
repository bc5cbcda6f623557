/** Counter-based random numbers: Philox4x32-10, keyed by what a number is for, never by rank.
 *
 * A stream is (key, counter); the same (key, counter) gives the same words on any machine, rank
 * or thread. Training: key (seed, tree), counter (path lo, path hi, block, purpose). Applying
 * and mocks: key (seed, realisation), counter (object id lo, hi, block, purpose). Layer: base.
 */
#ifndef HG_BASE_RANDOM_H
#define HG_BASE_RANDOM_H

#include <stdint.h>

/** What a word is drawn for; the last word of the counter, so two purposes never share words.
 */
typedef enum hg_purpose {
    HG_PURPOSE_THRESHOLD = 1,
    HG_PURPOSE_PRIORITY,
    HG_PURPOSE_BAG,
    HG_PURPOSE_DRAW_TREE,
    HG_PURPOSE_LEAF_MATE,
    HG_PURPOSE_GATE, /* not used: it keeps the numbers of those behind it */
    HG_PURPOSE_PERMUTATION,
    HG_PURPOSE_FOLD,
    HG_PURPOSE_LIBRARY,
    HG_PURPOSE_SPLIT,
    HG_PURPOSE_LEAF_CAP,
    HG_PURPOSE_BOOTSTRAP,
    HG_PURPOSE_SEARCH,
    HG_PURPOSE_CANDIDATE,
    HG_PURPOSE_COARSEN,
    HG_PURPOSE_MODE = 64,  /* mock: Gaussian modes, by wave vector */
    HG_PURPOSE_HALO_COUNT, /* mock: number of haloes, by cell and bin */
    HG_PURPOSE_HALO,       /* mock: mass and place of a halo */
    HG_PURPOSE_LATENT,     /* mock: secondary properties */
    HG_PURPOSE_SUBHALO,    /* mock: subhalo numbers and orbits */
    HG_PURPOSE_GALAXY,     /* mock: galaxy law, chaotic part */
    HG_PURPOSE_HIDDEN,     /* mock: galaxy law, hidden part */
    HG_PURPOSE_REGION,     /* mock: choice of zoom regions */
    HG_PURPOSE_NOISE,      /* mock: finite-particle noise, twins */
    HG_PURPOSE_BOX         /* mock: parameters of small boxes */
} hg_purpose;

/** A stream of words for one object: refill happens by counting the block word up. */
typedef struct hg_stream {
    uint32_t key[2];
    uint32_t counter[4];
    uint32_t word[4];
    int left;
} hg_stream;

/** Compute one block of four words.
 *
 * @local
 * @param[in]  key      shape (2)
 * @param[in]  counter  shape (4)
 * @param[out] word     shape (4)
 * @source Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3; Random123
 * kat_vectors
 */
static inline void
hg_philox(const uint32_t key[2], const uint32_t counter[4], uint32_t word[4])
{
    uint32_t k0 = key[0], k1 = key[1];
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];

    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;

        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    word[0] = c0;
    word[1] = c1;
    word[2] = c2;
    word[3] = c3;
}

/** Mix 64 bits into 64 bits, one to one (the finaliser of SplitMix64).
 *
 * @local
 * @source Steele, Lea & Flood 2014, Fast splittable pseudorandom number generators
 */
static inline uint64_t
hg_mix64(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

/** Start the stream of one object.
 *
 * @local
 * @param[in] seed     of the run, any 64 bits
 * @param[in] lane     tree, realisation or 0: a second key
 * @param[in] id       identity of the object (halo key, cell, wave vector, path)
 * @param[in] purpose  what the words are for
 */
hg_stream hg_stream_start(uint64_t seed, uint64_t lane, uint64_t id, hg_purpose purpose);

/** Next 32-bit word of a stream.
 *
 * @local
 */
uint32_t hg_stream_word(hg_stream *stream);

/** Next uniform number in [0, 1): 24 bits as float, 53 bits as double; open: in (0, 1).
 *
 * @local
 */
float hg_stream_float(hg_stream *stream);
double hg_stream_uniform(hg_stream *stream);
double hg_stream_open(hg_stream *stream);

/** Next standard normal number (inverse transform is not used: Box & Muller 1958, cosine
 * branch, two words pairs per number, so that the count of words used does not depend on
 * values).
 *
 * @local
 */
double hg_stream_normal(hg_stream *stream);

/** Next Poisson number with the given mean, by inversion of the cumulative sum; means above 32
 * are split into halves (the sum of Poisson numbers is Poisson).
 *
 * @local
 * @param[in] mean  not negative, dimensionless
 */
int64_t hg_stream_poisson(hg_stream *stream, double mean);

/** Integer uniform in [0, n), n >= 1 and below 2^32, from one word by multiplication.
 *
 * @local
 */
uint32_t hg_stream_below(hg_stream *stream, uint32_t n);

#endif
