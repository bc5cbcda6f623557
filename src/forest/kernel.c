/* The variants of the training kernel and the choice among them. The body is one text
 * (kernel_body.h) compiled for SSE2 or whatever the base architecture has, AVX2 and AVX-512,
 * with the few operations that matter written as intrinsics: left to itself, the vectoriser
 * swings by a factor of nine. Integer sums, and doubles in a fixed order without contraction,
 * make all variants give the same bits. */
#include "forest/kernel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { HG_CHANNELS_AT_ONCE = 8 };
#define HG_CHANNEL_LIST(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)
#define HG_TARGET_LIST(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7)

/* vectors of numbers in the criterion */
typedef double hg_d4 __attribute__((vector_size(32), may_alias));
typedef int64_t hg_l4 __attribute__((vector_size(32), may_alias));
typedef int32_t hg_i4 __attribute__((vector_size(16), may_alias));

uint32_t
hg_kernel_word(const uint32_t key[2], uint64_t path, uint32_t purpose, int feature)
{
    uint32_t block = 8 * ((uint32_t)feature / 32) + (uint32_t)feature % 8, word[4];

    hg_philox(key, (uint32_t[4]){(uint32_t)path, (uint32_t)(path >> 32), block, purpose}, word);
    return word[feature % 32 / 8];
}

static void
draw_portable(const uint32_t key[2], int n_path, const uint64_t path[], uint32_t purpose,
              int n_word, uint32_t *const word[])
{
    for (int p = 0; p < n_path; p++) {
        for (int f = 0; f < n_word; f += 32) {
            for (int b = 0; b < 8; b++) {
                uint32_t counter[4] = {(uint32_t)path[p], (uint32_t)(path[p] >> 32),
                                       (uint32_t)(f / 4 + b), purpose};
                uint32_t block[4];

                hg_philox(key, counter, block);
                for (int k = 0; k < 4; k++) {
                    word[p][f + 8 * k + b] = block[k];
                }
            }
        }
    }
}

/* a feature's place in the order of priorities */
static uint64_t
rank_of(const uint32_t priority[], int f)
{
    return (uint64_t)priority[f] << 32 | (uint32_t)f;
}

void
hg_kernel_candidates(const hg_rule *rule, uint64_t path, const hg_lanes *lanes,
                     int32_t is_usable[])
{
    uint64_t limit = 0, first = UINT64_MAX;
    int any = 0;

    draw_portable(rule->key, 1, &path, HG_PURPOSE_PRIORITY, rule->n_word, &lanes->priority);
    for (int k = 0; k < rule->n_candidate; k++) { /* the k-th smallest place */
        uint64_t next = UINT64_MAX;

        for (int f = 0; f < rule->n_feature; f++) {
            uint64_t r = rank_of(lanes->priority, f);

            next = (k == 0 || r > limit) && r < next ? r : next;
        }
        limit = next;
    }
    for (int f = 0; f < rule->n_feature; f++) {
        uint64_t r = rank_of(lanes->priority, f);

        any |= is_usable[f] && r <= limit;
        first = is_usable[f] && r < first ? r : first;
    }
    limit = any ? limit : first;
    for (int f = 0; f < rule->n_feature; f++) {
        is_usable[f] = is_usable[f] && rank_of(lanes->priority, f) <= limit ? -1 : 0;
    }
}

/* ---- base architecture: vectors of 16 bytes ---- */
static double
highest_of(const hg_d4 *v)
{
    double a = (*v)[0] > (*v)[1] ? (*v)[0] : (*v)[1];
    double b = (*v)[2] > (*v)[3] ? (*v)[2] : (*v)[3];

    return a > b ? a : b;
}

static unsigned
equal_mask(const hg_d4 *v, double value)
{
    unsigned mask = 0;

    for (int i = 0; i < 4; i++) {
        mask |= (unsigned)((*v)[i] >= value) << i;
    }
    return mask;
}

typedef float hg_vf4 __attribute__((vector_size(16), may_alias));
typedef int32_t hg_vi4 __attribute__((vector_size(16), may_alias));
typedef uint32_t hg_vu4 __attribute__((vector_size(16), may_alias));

#define HG_ISA(name) name##_portable
#define HG_TARGET
#define HG_WIDTH 4
#define HG_PAIR(c) ((c) <= 5 ? 2 : 1)
#define hg_vf hg_vf4
#define hg_vi hg_vi4
#define hg_vu hg_vu4
#define HG_MASK hg_vi4
#define HG_SELECT4(m, a, b) ((hg_vf4)(((hg_vi4)(a) & (m)) | ((hg_vi4)(b) & ~(m))))
#define HG_MIN(x, y) HG_SELECT4((x) < (y), x, y)
#define HG_MAX(x, y) HG_SELECT4((x) > (y), x, y)
#define HG_LE(x, t) ((x) <= (t))
#define HG_ADD_IF(a, m, b) ((a) + ((m) & (b)))
#define HG_COUNT_IF(a, m) ((a) - (m))
#define HG_SPREAD(i) ((hg_vi4){(i), (i), (i), (i)})
#define HG_SPREAD_FLOAT(x) ((hg_vf4){(x), (x), (x), (x)})
#define HG_TO_FLOAT(i) __builtin_convertvector(i, hg_vf4)
#define HG_BELOW_OR(a, b, c) HG_SELECT4((a) < (b), a, c)
#define HG_DOUBLES 4
#define hg_vd hg_d4
#define hg_vl hg_l4
#define hg_vh hg_i4
#define HG_SELECT_D(m, a, b) ((hg_d4)(((hg_l4)(a) & (m)) | ((hg_l4)(b) & ~(m))))
#define HG_FROM_INT(i) __builtin_convertvector(i, hg_d4)
#define HG_FROM_LONG(i) __builtin_convertvector(i, hg_d4)
#define HG_OR_MINUS_ONE(m, a) \
    HG_SELECT_D(__builtin_convertvector(m, hg_l4), a, (hg_d4){0} - 1.0)
#define HG_HIGHER(a, b) HG_SELECT_D((a) > (b), a, b)
#define HG_HIGHEST(a) highest_of(&(a))
#define HG_EQUAL_MASK(a, b) equal_mask(&(a), b)
#define HG_LEAVE() (void)0
#include "forest/kernel_body.h"

static const hg_kernel portable = {
    "portable",       draw_portable,   find_range_portable, choose_split_portable,
    scatter_portable, divide_portable, partition_portable};

#if defined(__x86_64__)

/* Eight Philox blocks in 64-bit lanes; only the low halves count. Two nodes are interleaved,
 * because one alone would wait for its own multiplications. */
#define HG_PHILOX_ROUNDS(V, N, MUL, SHIFT)                  \
    for (int round = 0; round < 10; round++) {              \
        for (int h = 0; h < (N); h++) {                     \
            V p0 = MUL(c[h][0], m0), p1 = MUL(c[h][2], m1); \
                                                            \
            c[h][0] = SHIFT(p1) ^ c[h][1] ^ k0;             \
            c[h][2] = SHIFT(p0) ^ c[h][3] ^ k1;             \
            c[h][1] = p1;                                   \
            c[h][3] = p0;                                   \
        }                                                   \
        k0 += 0x9E3779B9u;                                  \
        k1 += 0xBB67AE85u;                                  \
    }

/* ---- AVX2 ---- */
typedef uint64_t hg_u4 __attribute__((vector_size(32), may_alias));
typedef uint32_t hg_w4 __attribute__((vector_size(16), may_alias));

#define HG_TARGET __attribute__((target("avx2")))
#define HG_MUL4(a, b) ((hg_u4)_mm256_mul_epu32((__m256i)(a), (__m256i)(b)))
#define HG_HIGH4(a) ((a) >> 32)

HG_TARGET static void
draw_avx2(const uint32_t key[2], int n_path, const uint64_t path[], uint32_t purpose,
          int n_word, uint32_t *const word[])
{
    const hg_u4 m0 = (hg_u4){0} + 0xD2511F53u, m1 = (hg_u4){0} + 0xCD9E8D57u;

    for (int p = 0; p < n_path; p++) {
        for (int f = 0; f < n_word; f += 32) {
            hg_u4 c[2][4], k0 = (hg_u4){0} + key[0], k1 = (hg_u4){0} + key[1];

            for (unsigned h = 0; h < 2; h++) {
                c[h][0] = (hg_u4){0} + (path[p] & UINT32_MAX);
                c[h][1] = (hg_u4){0} + (path[p] >> 32);
                c[h][2] = (hg_u4){0, 1, 2, 3} + ((unsigned)f / 4 + 4 * h);
                c[h][3] = (hg_u4){0} + purpose;
            }
            HG_PHILOX_ROUNDS(hg_u4, 2, HG_MUL4, HG_HIGH4)
            for (int k = 0; k < 4; k++) {
                *(hg_w4 *)(word[p] + f + 8 * k) = __builtin_convertvector(c[0][k], hg_w4);
                *(hg_w4 *)(word[p] + f + 8 * k + 4) = __builtin_convertvector(c[1][k], hg_w4);
            }
        }
    }
}

typedef float hg_vf8 __attribute__((vector_size(32), may_alias));
typedef int32_t hg_vi8 __attribute__((vector_size(32), may_alias));
typedef uint32_t hg_vu8 __attribute__((vector_size(32), may_alias));

/* both halves are exact, so the sum is rounded once */
HG_TARGET static inline hg_d4
long_to_double_avx2(hg_l4 v)
{
    const hg_l4 bits = (hg_l4)((hg_d4){0} + 0x1p52);
    const __m256i upper =
        _mm256_permutevar8x32_epi32((__m256i)v, _mm256_setr_epi32(1, 3, 5, 7, 0, 2, 4, 6));
    hg_d4 high = (hg_d4)_mm256_cvtepi32_pd(_mm256_castsi256_si128(upper));
    hg_d4 low = (hg_d4)((v & UINT32_MAX) | bits) - 0x1p52;

    return high * 0x1p32 + low;
}

HG_TARGET static inline double
highest_avx2(hg_d4 v)
{
    __m128d a =
        _mm_max_pd(_mm256_castpd256_pd128((__m256d)v), _mm256_extractf128_pd((__m256d)v, 1));

    return _mm_cvtsd_f64(_mm_max_sd(a, _mm_unpackhi_pd(a, a)));
}

#define HG_ISA(name) name##_avx2
#define HG_WIDTH 8
#define HG_PAIR(c) ((c) <= 5 ? 2 : 1)
#define hg_vf hg_vf8
#define hg_vi hg_vi8
#define hg_vu hg_vu8
#define HG_MASK hg_vi8
#define HG_MIN(x, y) ((hg_vf8)_mm256_min_ps((__m256)(x), (__m256)(y)))
#define HG_MAX(x, y) ((hg_vf8)_mm256_max_ps((__m256)(x), (__m256)(y)))
#define HG_LE(x, t) ((x) <= (t))
#define HG_ADD_IF(a, m, b) ((a) + ((m) & (b)))
#define HG_COUNT_IF(a, m) ((a) - (m))
#define HG_SPREAD(i) ((hg_vi8)_mm256_set1_epi32(i))
#define HG_SPREAD_FLOAT(x) ((hg_vf8)_mm256_set1_ps(x))
#define HG_TO_FLOAT(i) ((hg_vf8)_mm256_cvtepi32_ps((__m256i)(i)))
#define HG_BELOW_OR(a, b, c) \
    ((hg_vf8)_mm256_blendv_ps((__m256)(c), (__m256)(a), (__m256)((a) < (b))))
#define HG_DOUBLES 4
#define hg_vd hg_d4
#define hg_vl hg_l4
#define hg_vh hg_i4
#define HG_FROM_INT(i) ((hg_d4)_mm256_cvtepi32_pd((__m128i)(i)))
#define HG_FROM_LONG(i) long_to_double_avx2(i)
#define HG_OR_MINUS_ONE(m, a)                                    \
    ((hg_d4)_mm256_blendv_pd(_mm256_set1_pd(-1.0), (__m256d)(a), \
                             (__m256d)_mm256_cvtepi32_epi64((__m128i)(m))))
#define HG_HIGHER(a, b) ((hg_d4)_mm256_max_pd((__m256d)(a), (__m256d)(b)))
#define HG_HIGHEST(a) highest_avx2(a)
#define HG_EQUAL_MASK(a, b) \
    (unsigned)_mm256_movemask_pd(_mm256_cmp_pd((__m256d)(a), _mm256_set1_pd(b), _CMP_EQ_OQ))
#define HG_LEAVE() _mm256_zeroupper()
#include "forest/kernel_body.h"

static const hg_kernel avx2 = {"avx2",       draw_avx2,   find_range_avx2, choose_split_avx2,
                               scatter_avx2, divide_avx2, partition_avx2};

/* ---- AVX-512 ---- */
typedef double hg_d8 __attribute__((vector_size(64), may_alias));
typedef int64_t hg_l8 __attribute__((vector_size(64), may_alias));
typedef uint64_t hg_u8 __attribute__((vector_size(64), may_alias));
typedef int32_t hg_i8 __attribute__((vector_size(32), may_alias));
typedef uint32_t hg_w8 __attribute__((vector_size(32), may_alias));

#define HG_TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl")))
#define HG_MUL8(a, b) ((hg_u8)_mm512_mul_epu32((__m512i)(a), (__m512i)(b)))
#define HG_HIGH8(a) ((a) >> 32)

HG_TARGET static inline __attribute__((always_inline)) void
draw_paths_avx512(const uint32_t key[2], const int n_path, const uint64_t path[],
                  uint32_t purpose, int n_word, uint32_t *const word[])
{
    const hg_u8 m0 = (hg_u8){0} + 0xD2511F53u, m1 = (hg_u8){0} + 0xCD9E8D57u;

    for (int f = 0; f < n_word; f += 32) {
        hg_u8 c[2][4], k0 = (hg_u8){0} + key[0], k1 = (hg_u8){0} + key[1];

        for (int p = 0; p < n_path; p++) {
            c[p][0] = (hg_u8){0} + (path[p] & UINT32_MAX);
            c[p][1] = (hg_u8){0} + (path[p] >> 32);
            c[p][2] = (hg_u8){0, 1, 2, 3, 4, 5, 6, 7} + (unsigned)f / 4;
            c[p][3] = (hg_u8){0} + purpose;
        }
        HG_PHILOX_ROUNDS(hg_u8, n_path, HG_MUL8, HG_HIGH8)
        for (int p = 0; p < n_path; p++) {
            for (int k = 0; k < 4; k++) {
                *(hg_w8 *)(word[p] + f + 8 * k) = __builtin_convertvector(c[p][k], hg_w8);
            }
        }
    }
}

HG_TARGET static void
draw_avx512(const uint32_t key[2], int n_path, const uint64_t path[], uint32_t purpose,
            int n_word, uint32_t *const word[])
{
    if (n_path == 2) {
        draw_paths_avx512(key, 2, path, purpose, n_word, word);
    } else {
        draw_paths_avx512(key, 1, path, purpose, n_word, word);
    }
    _mm256_zeroupper();
}

typedef float hg_vf16 __attribute__((vector_size(64), may_alias));
typedef int32_t hg_vi16 __attribute__((vector_size(64), may_alias));
typedef uint32_t hg_vu16 __attribute__((vector_size(64), may_alias));

#define HG_ISA(name) name##_avx512
#define HG_WIDTH 16
#define HG_PAIR(c) 2
#define hg_vf hg_vf16
#define hg_vi hg_vi16
#define hg_vu hg_vu16
#define HG_MASK __mmask16
#define HG_MIN(x, y) ((hg_vf16)_mm512_min_ps((__m512)(x), (__m512)(y)))
#define HG_MAX(x, y) ((hg_vf16)_mm512_max_ps((__m512)(x), (__m512)(y)))
#define HG_LE(x, t) _mm512_cmp_ps_mask((__m512)(x), (__m512)(t), _CMP_LE_OQ)
#define HG_ADD_IF(a, m, b) \
    ((hg_vi16)_mm512_mask_add_epi32((__m512i)(a), m, (__m512i)(a), (__m512i)(b)))
#define HG_COUNT_IF(a, m) HG_ADD_IF(a, m, HG_SPREAD(1))
#define HG_SPREAD(i) ((hg_vi16)_mm512_set1_epi32(i))
#define HG_SPREAD_FLOAT(x) ((hg_vf16)_mm512_set1_ps(x))
#define HG_TO_FLOAT(i) ((hg_vf16)_mm512_cvtepi32_ps((__m512i)(i)))
#define HG_BELOW_OR(a, b, c)                                                                 \
    ((hg_vf16)_mm512_mask_blend_ps(_mm512_cmp_ps_mask((__m512)(a), (__m512)(b), _CMP_LT_OQ), \
                                   (__m512)(c), (__m512)(a)))
#define HG_DOUBLES 8
#define hg_vd hg_d8
#define hg_vl hg_l8
#define hg_vh hg_i8
#define HG_FROM_INT(i) ((hg_d8)_mm512_cvtepi32_pd((__m256i)(i)))
#define HG_FROM_LONG(i) ((hg_d8)_mm512_cvtepi64_pd((__m512i)(i)))
#define HG_OR_MINUS_ONE(m, a)                                                              \
    ((hg_d8)_mm512_mask_blend_pd(_mm256_movepi32_mask((__m256i)(m)), _mm512_set1_pd(-1.0), \
                                 (__m512d)(a)))
#define HG_HIGHER(a, b) ((hg_d8)_mm512_max_pd((__m512d)(a), (__m512d)(b)))
#define HG_HIGHEST(a) _mm512_reduce_max_pd((__m512d)(a))
#define HG_EQUAL_MASK(a, b) _mm512_cmp_pd_mask((__m512d)(a), _mm512_set1_pd(b), _CMP_EQ_OQ)
#define HG_LEAVE() _mm256_zeroupper()
#include "forest/kernel_body.h"

static const hg_kernel avx512 = {
    "avx512",       draw_avx512,   find_range_avx512, choose_split_avx512,
    scatter_avx512, divide_avx512, partition_avx512};

#endif

hg_status
hg_kernel_choose(const hg_kernel **kernel)
{
    const char *wanted = getenv("HG_SIMD");
    const hg_kernel *list[3] = {&portable};
    int n = 1;

#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        list[n++] = &avx2;
    }
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
        list[n++] = &avx512;
    }
#endif
    *kernel = list[n - 1];
    if (wanted == NULL || wanted[0] == '\0') {
        return HG_OK;
    }
    for (int i = 0; i < n; i++) {
        if (strcmp(wanted, list[i]->name) == 0) {
            *kernel = list[i];
            return HG_OK;
        }
    }
    return HG_FAIL(HG_E_ENVIRONMENT,
                   "HG_SIMD is '%s', but this processor and program offer portable, avx2 or "
                   "avx512 up to '%s'",
                   wanted, list[n - 1]->name);
}
