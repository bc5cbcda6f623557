/* Best splits over bins. Records are moved, not indexed, so that a node's rows are contiguous;
 * a line of a histogram holds all sums of a bin, so that a row touches one place per feature.
 * For nodes with fewer rows than bins, only the bins that have rows are looked at: they are
 * marked, and the marks read 64 at a time. The text of the variants is one
 * (best_kernel_body.h), compiled per instruction set; integer sums and scores added in a fixed
 * order give the same bits. */
#include "forest/best_kernel.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* eight lanes; rows of a layout may begin at any multiple of four bytes */
typedef uint64_t hg_sums __attribute__((vector_size(64), aligned(8), may_alias));
typedef int64_t hg_signed __attribute__((vector_size(64), aligned(8), may_alias));
typedef double hg_reals __attribute__((vector_size(64), aligned(8), may_alias));
typedef int32_t hg_channels __attribute__((vector_size(32), aligned(4), may_alias));

/* numbers of targets compiled for themselves: those whose sums fit into eight lanes */
#define HG_NARROW_LIST(X) X(1) X(2) X(3) X(4) X(5) X(6)

/* one bit per mark of 64, which are cleared */
static inline uint64_t
take_marks(unsigned char *mark)
{
    uint64_t bits = 0;

#if defined(__x86_64__)
    for (int i = 0; i < 4; i++) {
        __m128i *at = (__m128i *)(void *)(mark + 16 * i);

        bits |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_load_si128(at)) << (16 * i);
        _mm_store_si128(at, _mm_setzero_si128());
    }
#else
    for (int i = 0; i < 64; i++) {
        bits |= (uint64_t)(mark[i] >> 7) << i;
        mark[i] = 0;
    }
#endif
    return bits;
}

static inline size_t
sort_limit(const hg_layout *l, int feature)
{
    return l->is_wide ? (size_t)hg_bins_count(l->bins, feature) / HG_SORT_SHARE
                      : HG_SORT_NARROW;
}

/* shell sort: at most HG_SORT_MAX keys */
static void
sort_keys(size_t n, uint64_t key[])
{
    static const size_t gap_list[] = {701, 301, 132, 57, 23, 10, 4, 1};

    for (size_t k = 0; k < sizeof gap_list / sizeof gap_list[0]; k++) {
        const size_t gap = gap_list[k];

        for (size_t i = gap; i < n; i++) {
            const uint64_t x = key[i];
            size_t j = i;

            for (; j >= gap && key[j - gap] > x; j -= gap) {
                key[j] = key[j - gap];
            }
            key[j] = x;
        }
    }
}

#define HG_ISA(name) name##_portable
#define HG_ISA_NAME "portable"
#define HG_TARGET
#define HG_LEAVE() (void)0
#include "forest/best_kernel_body.h"

#if defined(__x86_64__)
#define HG_ISA(name) name##_avx2
#define HG_ISA_NAME "avx2"
#define HG_TARGET __attribute__((target("avx2")))
#define HG_LEAVE() _mm256_zeroupper()
#include "forest/best_kernel_body.h"

#define HG_ISA(name) name##_avx512
#define HG_ISA_NAME "avx512"
#define HG_TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl")))
#define HG_LEAVE() _mm256_zeroupper()
#include "forest/best_kernel_body.h"
#endif

const hg_best_kernel *
hg_best_kernel_choose(const char *name)
{
#if defined(__x86_64__)
    if (strcmp(name, "avx512") == 0) {
        return &kernel_avx512;
    }
    if (strcmp(name, "avx2") == 0) {
        return &kernel_avx2;
    }
#endif
    return &kernel_portable;
}

void
hg_best_subtract(const hg_layout *layout, int feature, const int64_t from[],
                 int64_t histogram[])
{
    const size_t n = (size_t)hg_bins_count(layout->bins, feature) * (size_t)layout->n_lane;

    for (size_t i = 0; i < n; i++) { /* wraps where lanes hold rubbish */
        histogram[i] = (int64_t)((uint64_t)histogram[i] - (uint64_t)from[i]);
    }
}
