/* One variant of the kernel; included by kernel.c once per instruction set, with
 *   HG_ISA(name)      name of a function of this variant
 *   HG_TARGET         attribute that allows the instructions
 *   HG_WIDTH          float lanes per vector
 *   hg_vf, hg_vi, hg_vu  vectors of float, int32, uint32
 *   HG_MIN, HG_MAX    of two float vectors
 *   HG_MASK, HG_LE    type and value of the comparison x <= t
 *   HG_ADD_IF         a + b where the mask is set; HG_COUNT_IF a + 1
 *   HG_SPREAD         an int32 in all lanes; HG_SPREAD_FLOAT a float
 *   HG_TO_FLOAT       int32 lanes as floats
 *   HG_BELOW_OR       a where a < b, else c
 * and for vectors of HG_DOUBLES numbers HG_FROM_INT, HG_FROM_LONG (conversions),
 *   HG_OR_MINUS_ONE   a number where the int32 mask is set, else -1
 *   HG_HIGHER, HG_HIGHEST, HG_EQUAL_MASK
 *   HG_LEAVE          clear the upper halves of registers: the compiler forgets it before a
 * jump to another function, and the code that follows would crawl
 * All features of a row are compared at once; sums are int32 lanes. Rows are taken in blocks
 * that stay in the first-level cache while groups of two vectors pass over them. */

#define HG_INLINE HG_TARGET static inline __attribute__((always_inline))

/* take n more rows into the ranges of n_vector vectors of features; two rows at a time shorten
 * the chains of dependent minima */
HG_INLINE void
HG_ISA(range_group)(const hg_word *x, size_t stride, size_t n, const int n_vector, float low[],
                    float high[])
{
    hg_vf least[4], most[4];

    for (int v = 0; v < n_vector; v++) {
        least[v] = *(const hg_vf *)(low + v * HG_WIDTH);
        most[v] = *(const hg_vf *)(high + v * HG_WIDTH);
    }
    for (; n > 1; n -= 2, x += 2 * stride) {
        for (int v = 0; v < n_vector; v++) {
            hg_vf a = *(const hg_vf *)(x + v * HG_WIDTH);
            hg_vf b = *(const hg_vf *)(x + stride + v * HG_WIDTH);

            least[v] = HG_MIN(least[v], HG_MIN(a, b));
            most[v] = HG_MAX(most[v], HG_MAX(a, b));
        }
    }
    for (int v = 0; v < n_vector; v++) {
        if (n > 0) {
            hg_vf a = *(const hg_vf *)(x + v * HG_WIDTH);

            least[v] = HG_MIN(least[v], a);
            most[v] = HG_MAX(most[v], a);
        }
        *(hg_vf *)(low + v * HG_WIDTH) = least[v];
        *(hg_vf *)(high + v * HG_WIDTH) = most[v];
    }
}

#define HG_RANGE_CASE(k)                                                               \
    case k:                                                                            \
        HG_ISA(range_group)(x + f, stride, n_block, k, range.low + f, range.high + f); \
        break;

HG_INLINE void
HG_ISA(extend_range)(const hg_rule *rule, size_t n, const hg_word *record, hg_range range)
{
    const int n_vector = (rule->n_feature + HG_WIDTH - 1) / HG_WIDTH;
    const size_t stride = rule->stride, block = n_vector > 4 ? 64 : n;

    for (size_t b = 0; b < n; b += block) {
        const hg_word *x = record + b * stride;
        const size_t n_block = n - b < block ? n - b : block;

        for (int v = 0; v < n_vector; v += 4) {
            const int f = v * HG_WIDTH;

            switch (n_vector - v) {
                HG_RANGE_CASE(1)
                HG_RANGE_CASE(2)
                HG_RANGE_CASE(3)
            default:
                HG_ISA(range_group)(x + f, stride, n_block, 4, range.low + f, range.high + f);
            }
        }
    }
}

#undef HG_RANGE_CASE

HG_INLINE void
HG_ISA(start_range)(const hg_rule *rule, hg_range range)
{
    for (int f = 0; f < rule->n_feature; f += HG_WIDTH) {
        *(hg_vf *)(range.low + f) = HG_SPREAD_FLOAT(HUGE_VALF);
        *(hg_vf *)(range.high + f) = HG_SPREAD_FLOAT(-HUGE_VALF);
    }
}

HG_TARGET static void
HG_ISA(find_range)(const hg_rule *rule, int is_first, size_t n, const hg_word *record,
                   hg_range range)
{
    if (is_first) {
        HG_ISA(start_range)(rule, range);
    }
    HG_ISA(extend_range)(rule, n, record, range);
    HG_LEAVE();
}

/* thresholds of all features, and which of them are not constant */
HG_INLINE void
HG_ISA(set_thresholds)(const hg_rule *rule, const hg_lanes *lanes, const hg_split *split)
{
    const hg_vf step = HG_SPREAD_FLOAT(rule->constant_step), unit = HG_SPREAD_FLOAT(0x1p-24f);
    const hg_range range = split->has_range ? split->range : lanes->range;

    if (!split->has_range) {
        HG_ISA(start_range)(rule, range);
        HG_ISA(extend_range)(rule, split->n, split->record, range);
    }
    for (int f = 0; f < rule->n_feature; f += HG_WIDTH) {
        hg_vi is_feature =
            *(const hg_vi *)(lanes->is_feature + f); /* what is behind counts as 0 */
        hg_vf min = (hg_vf)(*(const hg_vi *)(range.low + f) & is_feature);
        hg_vf max = (hg_vf)(*(const hg_vi *)(range.high + f) & is_feature);
        hg_vi bits = (hg_vi)(*(const hg_vu *)(split->word + f) >> 8);
        hg_vf t = HG_TO_FLOAT(bits) * unit * (max - min) + min; /* as hg_kernel_threshold() */

        *(hg_vf *)(lanes->threshold + f) = HG_BELOW_OR(t, max, min);
        *(hg_vi *)(lanes->is_usable + f) = (hg_vi)(max > min + step);
    }
}

/* sums of n_channel channels from `channel` on, over the lanes of one or two vectors; with
 * is_unit the last of them is the count channel of single copies, and is counted */
HG_INLINE void
HG_ISA(sum_group)(const hg_word *record, size_t stride, size_t n, int first, int channel,
                  const int n_vector, const int n_channel, const int is_unit,
                  const float *threshold, int32_t *sum, size_t n_lane)
{
    const int n_sum = n_channel - is_unit;
    hg_vi a[2][HG_CHANNELS_AT_ONCE];
    hg_vf t[2];
    const hg_word *x = record + first, *q = record + channel;

    for (int v = 0; v < n_vector; v++) {
        t[v] = *(const hg_vf *)(threshold + first + v * HG_WIDTH);
        for (int c = 0; c < n_channel; c++) {
            a[v][c] = (hg_vi){0};
        }
    }
    for (size_t i = 0; i < n; i++, x += stride, q += stride) {
        HG_MASK mask[2];

        for (int v = 0; v < n_vector; v++) {
            mask[v] = HG_LE(*(const hg_vf *)(x + v * HG_WIDTH), t[v]);
        }
        for (int c = 0; c < n_sum; c++) {
            hg_vi b = HG_SPREAD(q[c].i);

            for (int v = 0; v < n_vector; v++) {
                a[v][c] = HG_ADD_IF(a[v][c], mask[v], b);
            }
        }
        for (int v = 0; v < n_vector && is_unit; v++) {
            a[v][n_sum] = HG_COUNT_IF(a[v][n_sum], mask[v]);
        }
    }
    for (int v = 0; v < n_vector; v++) {
        if (is_unit) {
            a[v][n_sum] += a[v][n_sum] << HG_COUNT_SHIFT;
        }
        for (int c = 0; c < n_channel; c++) {
            *(hg_vi *)(sum + (size_t)c * n_lane + (size_t)(first + v * HG_WIDTH)) = a[v][c];
        }
    }
}

/* int32 sums of up to HG_CHANNELS_AT_ONCE channels over a block of rows */
HG_INLINE void
HG_ISA(sum_vectors)(const hg_rule *rule, const hg_lanes *lanes, const hg_word *record, size_t n,
                    int done, const int n_channel, const int is_unit)
{
    const int channel = rule->n_feature + done, n_pair = HG_PAIR(n_channel);
    const int n_vector = (rule->n_feature + HG_WIDTH - 1) / HG_WIDTH;
    const size_t n_lane = (size_t)rule->n_lane;
    int32_t *sum = lanes->sum + (size_t)done * n_lane;
    int v = 0;

    for (; v + n_pair <= n_vector; v += n_pair) {
        HG_ISA(sum_group)
        (record, rule->stride, n, v * HG_WIDTH, channel, n_pair, n_channel, is_unit,
         lanes->threshold, sum, n_lane);
    }
    if (v < n_vector) {
        HG_ISA(sum_group)
        (record, rule->stride, n, v * HG_WIDTH, channel, 1, n_channel, is_unit,
         lanes->threshold, sum, n_lane);
    }
}

HG_INLINE void
HG_ISA(sum_channels)(const hg_rule *rule, const hg_lanes *lanes, const hg_word *record,
                     size_t n, int done, const int n_channel)
{
    if (rule->is_unit && done + n_channel == rule->n_channel) {
        HG_ISA(sum_vectors)(rule, lanes, record, n, done, n_channel, 1);
    } else {
        HG_ISA(sum_vectors)(rule, lanes, record, n, done, n_channel, 0);
    }
}

#define HG_SUM_CASE(c)                                         \
    case c:                                                    \
        HG_ISA(sum_channels)(rule, lanes, record, n, done, c); \
        break;

/* the same for any number of channels */
HG_TARGET static void
HG_ISA(sum_block)(const hg_rule *rule, const hg_lanes *lanes, const hg_word *record, size_t n)
{
    for (int done = 0; done < rule->n_channel; done += HG_CHANNELS_AT_ONCE) {
        int left = rule->n_channel - done;

        switch (left < HG_CHANNELS_AT_ONCE ? left : HG_CHANNELS_AT_ONCE) {
            HG_CHANNEL_LIST(HG_SUM_CASE)
        }
    }
}

#undef HG_SUM_CASE

/* add the int32 sums of a block to the int64 sums */
HG_TARGET static void
HG_ISA(flush_sums)(const hg_rule *rule, const hg_lanes *lanes)
{
    int n_lane = rule->n_lane, n_target = rule->n_target;
    const int32_t *sum = lanes->sum;
    int64_t *total = lanes->total;

    for (int o = 0; o < n_target; o++, total += n_lane) {
        if (rule->is_weighted) {
            for (int f = 0; f < n_lane; f++) {
                total[f] += sum[f] * ((int64_t)1 << HG_SPLIT_SHIFT) + sum[n_lane + f];
            }
            sum += 2 * n_lane;
        } else {
            for (int f = 0; f < n_lane; f++) {
                total[f] += sum[f];
            }
            sum += n_lane;
        }
    }
    for (int f = 0; f < n_lane; f++) {
        int32_t count = sum[rule->is_weighted ? n_lane + f : f];

        total[f] += rule->is_weighted ? sum[f] : count & ((1 << HG_COUNT_SHIFT) - 1);
        total[n_lane + f] += count >> HG_COUNT_SHIFT;
    }
}

/* scores of HG_DOUBLES features; `is_long` says where the sums are */
HG_INLINE void
HG_ISA(score_group)(const hg_rule *rule, const hg_lanes *lanes, const hg_split *split, int f,
                    const double mean[], const int n_target, const int is_long, hg_vd *score)
{
    const int n_lane = rule->n_lane;
    const double w = (double)split->total[n_target];
    const int32_t least =
        (int32_t)(rule->min_leaf < INT32_MAX / 2 ? rule->min_leaf : INT32_MAX / 2);
    hg_vh count;
    hg_vd weight, s = {0};

    if (is_long) {
        const int64_t *total = lanes->total + f;

        weight = HG_FROM_LONG(*(const hg_vl *)(total + n_target * n_lane));
        count =
            __builtin_convertvector(*(const hg_vl *)(total + (n_target + 1) * n_lane), hg_vh);
    } else {
        hg_vh packed = *(const hg_vh *)(lanes->sum + n_target * n_lane + f);

        count = packed >> HG_COUNT_SHIFT;
        weight = HG_FROM_INT(packed & ((1 << HG_COUNT_SHIFT) - 1));
    }
    for (int o = 0; o < n_target; o++) {
        hg_vd left = is_long ? HG_FROM_LONG(*(const hg_vl *)(lanes->total + o * n_lane + f))
                             : HG_FROM_INT(*(const hg_vh *)(lanes->sum + o * n_lane + f));
        hg_vd d = left - mean[o] * weight;

        s += rule->cost[o] * (d * d);
    }
    count = *(const hg_vh *)(lanes->is_usable + f) & (count >= least) &
            (count <= (int32_t)split->n - least);
    *score = HG_OR_MINUS_ONE(count, s / (weight * (w - weight)));
}

/* scores of all features; returns the highest */
HG_INLINE double
HG_ISA(score_all)(const hg_rule *rule, const hg_lanes *lanes, const hg_split *split,
                  const double mean[], const int n_target, const int is_long)
{
    hg_vd high = (hg_vd){0} - 1.0;

    for (int f = 0; f < rule->n_feature; f += HG_DOUBLES) {
        hg_vd score;

        HG_ISA(score_group)(rule, lanes, split, f, mean, n_target, is_long, &score);
        *(hg_vd *)(lanes->score + f) = score;
        high = HG_HIGHER(high, score);
    }
    return HG_HIGHEST(high);
}

/* the lowest feature with the highest score that is not rejected (-1), or -1 */
HG_INLINE int
HG_ISA(find_best)(int n, const double score[], double best)
{
    if (best < 0) {
        return -1;
    }
    for (int f = 0; f < n; f += 64) {
        uint64_t mask = 0;

        for (int k = f; k < n && k < f + 64; k += HG_DOUBLES) { /* no branch on the values */
            hg_vd s = *(const hg_vd *)(score + k);

            mask |= (uint64_t)HG_EQUAL_MASK(s, best) << (k - f);
        }
        if (mask != 0) {
            return f + __builtin_ctzll(mask);
        }
    }
    return -1;
}

HG_TARGET static void
HG_ISA(take_best)(const hg_rule *rule, const hg_lanes *lanes, hg_split *split, int is_long)
{
    size_t n_lane = (size_t)rule->n_lane, f = (size_t)split->feature;
    int n_target = rule->n_target;

    split->threshold = lanes->threshold[f];
    split->score = lanes->score[f];
    if (is_long) {
        for (int o = 0; o <= n_target; o++) {
            split->left[o] = lanes->total[(size_t)o * n_lane + f];
        }
        split->n_left = (size_t)lanes->total[(size_t)(n_target + 1) * n_lane + f];
    } else {
        int32_t packed = lanes->sum[(size_t)n_target * n_lane + f];

        for (int o = 0; o < n_target; o++) {
            split->left[o] = lanes->sum[(size_t)o * n_lane + f];
        }
        split->left[n_target] = packed & ((1 << HG_COUNT_SHIFT) - 1);
        split->n_left = (size_t)(packed >> HG_COUNT_SHIFT);
    }
}

/* all sums of a node that is too large for int32 sums, or weighted */
HG_TARGET static void
HG_ISA(sum_long)(const hg_rule *rule, const hg_lanes *lanes, const hg_split *split)
{
    const size_t flush = rule->flush, n = split->n;

    memset(lanes->total, 0,
           (size_t)(rule->n_target + 2) * (size_t)rule->n_lane * sizeof lanes->total[0]);
    for (size_t b = 0; b < n; b += flush) {
        HG_ISA(sum_block)
        (rule, lanes, split->record + b * rule->stride, n - b < flush ? n - b : flush);
        HG_ISA(flush_sums)(rule, lanes);
    }
}

/* the search; with n_target known to the compiler where sums fit in one pass, else n_channel is
 * 0 */
HG_INLINE void
HG_ISA(search)(const hg_rule *rule, const hg_lanes *lanes, hg_split *split, const int n_target,
               const int n_channel)
{
    const int is_long = n_channel == 0 || split->n > rule->flush;
    double mean[HG_TARGETS_MAX], w = (double)split->total[n_target], best;

    HG_ISA(set_thresholds)(rule, lanes, split);
    if (rule->n_candidate < rule->n_feature) {
        hg_kernel_candidates(rule, split->path, lanes, lanes->is_usable);
    }
    for (int o = 0; o < n_target; o++) {
        mean[o] = (double)split->total[o] / w;
    }
    if (is_long) {
        HG_ISA(sum_long)(rule, lanes, split);
        best = HG_ISA(score_all)(rule, lanes, split, mean, n_target, 1);
    } else {
        HG_ISA(sum_channels)(rule, lanes, split->record, split->n, 0, n_channel);
        best = HG_ISA(score_all)(rule, lanes, split, mean, n_target, 0);
    }
    split->feature = HG_ISA(find_best)(rule->n_feature, lanes->score, best);
    if (split->feature >= 0) {
        HG_ISA(take_best)(rule, lanes, split, is_long);
    }
}

#define HG_SEARCH_CASE(c)                             \
    case c:                                           \
        HG_ISA(search)(rule, lanes, split, c, c + 1); \
        break;

HG_TARGET static void
HG_ISA(choose_split)(const hg_rule *rule, const hg_lanes *lanes, hg_split *split)
{
    switch (rule->is_weighted ? 0 : rule->n_target) {
        HG_TARGET_LIST(HG_SEARCH_CASE)
    default:
        HG_ISA(search)(rule, lanes, split, rule->n_target, 0);
    }
    HG_LEAVE();
}

#undef HG_SEARCH_CASE

#include "forest/kernel_move_body.h"

#undef HG_INLINE
#undef HG_ISA
#undef HG_TARGET
#undef HG_WIDTH
#undef HG_PAIR
#undef hg_vf
#undef hg_vi
#undef hg_vu
#undef HG_MASK
#undef HG_MIN
#undef HG_MAX
#undef HG_LE
#undef HG_ADD_IF
#undef HG_COUNT_IF
#undef HG_SPREAD
#undef HG_SPREAD_FLOAT
#undef HG_TO_FLOAT
#undef HG_BELOW_OR
#undef HG_DOUBLES
#undef hg_vd
#undef hg_vl
#undef hg_vh
#undef HG_FROM_INT
#undef HG_FROM_LONG
#undef HG_OR_MINUS_ONE
#undef HG_HIGHER
#undef HG_HIGHEST
#undef HG_EQUAL_MASK
#undef HG_LEAVE
