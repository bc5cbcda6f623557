/* The second half of kernel_body.h: the moves of records to the sides of a split, out of place
 * (scatter, divide) or in place (partition). Layer: forest. */
HG_INLINE void
HG_ISA(copy_record)(size_t n_line, const hg_word *from, hg_word *to)
{
    for (size_t i = 0; i < n_line * HG_LINE; i += HG_WIDTH) {
        *(hg_vi *)(to + i) = *(const hg_vi *)(from + i);
    }
}

/* place[0] is where the next record on the left goes, place[1] the next on the right */
HG_INLINE void
HG_ISA(scatter_lines)(const size_t n_line, size_t n, const hg_word *from, hg_word *to,
                      int feature, float threshold, size_t place[2])
{
    const size_t stride = n_line * HG_LINE;
    size_t left = place[0], right = place[1];

    for (size_t i = 0; i < n; i++, from += stride) {
        size_t is_right = !(from[feature].f <= threshold);
        size_t at =
            left ^ ((left ^ right) & (0 - is_right)); /* no branch: it would be a coin */

        HG_ISA(copy_record)(n_line, from, to + at);
        left += stride & (is_right - 1);
        right -= stride & (0 - is_right);
    }
    place[0] = left;
    place[1] = right;
}

HG_INLINE void
HG_ISA(scatter_block)(size_t stride, size_t n, const hg_word *from, hg_word *to, int feature,
                      float threshold, size_t place[2])
{
    switch (stride / HG_LINE) {
    case 1:
        HG_ISA(scatter_lines)(1, n, from, to, feature, threshold, place);
        break;
    case 2:
        HG_ISA(scatter_lines)(2, n, from, to, feature, threshold, place);
        break;
    case 3:
        HG_ISA(scatter_lines)(3, n, from, to, feature, threshold, place);
        break;
    case 4:
        HG_ISA(scatter_lines)(4, n, from, to, feature, threshold, place);
        break;
    default:
        HG_ISA(scatter_lines)(stride / HG_LINE, n, from, to, feature, threshold, place);
    }
}

HG_TARGET static void
HG_ISA(scatter)(size_t stride, size_t n, const hg_word *from, hg_word *to, int feature,
                float threshold)
{
    HG_ISA(scatter_block)
    (stride, n, from, to, feature, threshold, (size_t[2]){0, (n - 1) * stride});
    HG_LEAVE();
}

/* the rows of a block are still in the cache when they go into the ranges */
HG_TARGET static void
HG_ISA(divide)(const hg_rule *rule, size_t n, const hg_word *from, hg_word *to, int feature,
               float threshold, hg_range left, hg_range right)
{
    enum { BLOCK = 128 };
    const size_t stride = rule->stride;
    size_t place[2] = {0, (n - 1) * stride};

    HG_ISA(start_range)(rule, left);
    HG_ISA(start_range)(rule, right);
    for (size_t b = 0; b < n; b += BLOCK) {
        const size_t m = n - b < BLOCK ? n - b : BLOCK, low = place[0];
        size_t n_left;

        HG_ISA(scatter_block)(stride, m, from + b * stride, to, feature, threshold, place);
        n_left = (place[0] - low) / stride;
        HG_ISA(extend_range)(rule, n_left, to + low, left);
        HG_ISA(extend_range)(rule, m - n_left, to + place[1] + stride, right);
    }
    HG_LEAVE();
}

HG_INLINE void
HG_ISA(swap_records)(size_t n_line, hg_word *a, hg_word *b)
{
    for (size_t i = 0; i < n_line * HG_LINE; i += HG_WIDTH) {
        hg_vi keep = *(const hg_vi *)(a + i);

        *(hg_vi *)(a + i) = *(const hg_vi *)(b + i);
        *(hg_vi *)(b + i) = keep;
    }
}

/* the rest of a partition: two pointers that meet; returns where */
HG_TARGET static hg_word *
HG_ISA(partition_rest)(size_t stride, hg_word *low, hg_word *end, int feature, float threshold)
{
    while (low < end) {
        if (low[feature].f <= threshold) {
            low += stride;
        } else {
            end -= stride;
            if (low < end) {
                HG_ISA(swap_records)(stride / HG_LINE, low, end);
            }
        }
    }
    return low;
}

/* the lines of a record that will be wanted soon, or the first two of them */
HG_INLINE void
HG_ISA(call_up)(const hg_word *record)
{
    __builtin_prefetch(record);
    __builtin_prefetch(record + HG_LINE);
}

/* Blocks of offsets of misplaced records are found without branches and then swapped. A block
 * that is done is still in the cache, as two of them fit: its rows go into the range of their
 * child. One word of each record is looked at, which processors do not foresee, so records are
 * called up before; none of them lies beyond the other block.
 * @source Edelkamp & Weiss 2016, BlockQuicksort: how branch mispredictions don't affect
 * quicksort */
HG_TARGET static void
HG_ISA(partition)(const hg_rule *rule, size_t n, hg_word *record, int feature, float threshold,
                  hg_range left, hg_range right)
{
    enum { BLOCK = 64, AHEAD = BLOCK / 2 };
    const size_t stride = rule->stride;
    unsigned char from_left[BLOCK], from_right[BLOCK];
    size_t n_left = 0, n_right = 0, s_left = 0, s_right = 0;
    hg_word *low = record, *end = record + n * stride, *middle;

    HG_ISA(start_range)(rule, left);
    HG_ISA(start_range)(rule, right);
    while ((size_t)(end - low) > 2 * BLOCK * stride) {
        size_t m;

        if (n_left == 0) {
            s_left = 0;
            for (size_t i = 0; i < BLOCK; i++) {
                HG_ISA(call_up)(low + (i + AHEAD) * stride);
                from_left[n_left] = (unsigned char)i;
                n_left += !(low[i * stride + (size_t)feature].f <= threshold);
            }
        }
        if (n_right == 0) {
            s_right = 0;
            for (size_t i = 0; i < BLOCK; i++) {
                HG_ISA(call_up)(end - (i + AHEAD + 1) * stride);
                from_right[n_right] = (unsigned char)i;
                n_right += (end - (i + 1) * stride)[feature].f <= threshold;
            }
        }
        m = n_left < n_right ? n_left : n_right;
        for (size_t k = 0; k < m; k++) {
            HG_ISA(swap_records)
            (stride / HG_LINE, low + from_left[s_left + k] * stride,
             end - (from_right[s_right + k] + 1u) * stride);
        }
        n_left -= m;
        n_right -= m;
        s_left += m;
        s_right += m;
        if (n_left == 0) {
            HG_ISA(extend_range)(rule, BLOCK, low, left);
            low += BLOCK * stride;
        }
        if (n_right == 0) {
            end -= BLOCK * stride;
            HG_ISA(extend_range)(rule, BLOCK, end, right);
        }
    }
    middle = HG_ISA(partition_rest)(stride, low, end, feature, threshold);
    HG_ISA(extend_range)(rule, (size_t)(middle - low) / stride, low, left);
    HG_ISA(extend_range)(rule, (size_t)(end - middle) / stride, middle, right);
    HG_LEAVE();
}
