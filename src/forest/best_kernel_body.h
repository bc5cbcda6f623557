/* One variant of the kernel of best splits; included by best_kernel.c once per instruction set,
 * with
 *   HG_ISA(name)  name of a function of this variant
 *   HG_TARGET     attribute that allows the instructions
 *   HG_LEAVE      clear the upper halves of registers
 * Sums of all targets of a bin are lanes of one vector, so a row costs one addition per
 * feature; they are 64-bit integers, and the scores of a boundary are added in the order of the
 * targets.
 */

#define HG_INLINE HG_TARGET static inline __attribute__((always_inline))

HG_INLINE unsigned
HG_ISA(bin_of)(const hg_layout *l, const unsigned char *record, int feature, const int is_wide)
{
    uint16_t wide;

    if (!is_wide) {
        return record[l->bin_at + (size_t)feature];
    }
    memcpy(&wide, record + l->bin_at + 2 * (size_t)feature, sizeof wide);
    return wide;
}

/* to a line, add the channels of a record or take them away */
HG_INLINE void
HG_ISA(add_record)(const unsigned char *record, int64_t *line, const int n_vector,
                   const int is_long, const int sign)
{
    for (int v = 0; v < n_vector; v++) {
        hg_sums *to = (hg_sums *)(void *)(line + 8 * v);
        hg_sums value;

        if (is_long) {
            value = *(const hg_sums *)(const void *)(record + 64 * v);
        } else {
            value = (hg_sums) __builtin_convertvector(
                *(const hg_channels *)(const void *)(record + 32 * v), hg_signed);
        }
        *to = sign > 0 ? *to + value : *to - value;
    }
}

HG_INLINE void
HG_ISA(add_rows)(const hg_layout *l, size_t n, const unsigned char *record, int feature,
                 int64_t *histogram, unsigned char *mark, const int n_vector, const int is_wide,
                 const int is_long, const int sign)
{
    for (size_t i = 0; i < n; i++, record += l->stride) {
        const unsigned b = HG_ISA(bin_of)(l, record, feature, is_wide);

        HG_ISA(add_record)
        (record, histogram + (size_t)b * 8 * (size_t)n_vector, n_vector, is_long, sign);
        if (mark != NULL) {
            mark[b] = 0x80;
        }
    }
}

/* the narrow layout is compiled for itself, the others together */
HG_TARGET static void
HG_ISA(add)(const hg_layout *l, size_t n, const unsigned char record[], int feature, int sign,
            int64_t histogram[])
{
    const int n_vector = l->n_lane / 8;

    if (n_vector == 1 && !l->is_wide && !l->is_long) {
        if (sign > 0) {
            HG_ISA(add_rows)(l, n, record, feature, histogram, NULL, 1, 0, 0, 1);
        } else {
            HG_ISA(add_rows)(l, n, record, feature, histogram, NULL, 1, 0, 0, -1);
        }
    } else {
        HG_ISA(add_rows)
        (l, n, record, feature, histogram, NULL, n_vector, l->is_wide, l->is_long, sign);
    }
    HG_LEAVE();
}

/* groups from a histogram */
HG_INLINE void
HG_ISA(group_bins)(const hg_layout *l, int feature, const int64_t *histogram, hg_groups *g,
                   const int n_vector)
{
    const int n_bin = hg_bins_count(l->bins, feature), n_row = l->n_target + 1;
    hg_sums sum[HG_LANES_MAX / 8] = {0};

    g->n = 0;
    for (int b = 0; b < n_bin; b++) {
        const int64_t *line = histogram + (size_t)b * 8 * (size_t)n_vector;

        if (line[n_row] == 0) {
            continue;
        }
        for (int v = 0; v < n_vector; v++) {
            sum[v] += *(const hg_sums *)(const void *)(line + 8 * v);
            *(hg_sums *)(void *)(g->sum + (g->n * (size_t)n_vector + (size_t)v) * 8) = sum[v];
        }
        g->bin[g->n++] = b;
    }
}

/* groups from the records, through the histogram in the scratch; only bins that are marked are
 * looked at and set back to zero */
HG_INLINE void
HG_ISA(group_marked)(const hg_layout *l, const hg_search *s, int feature, hg_groups *g,
                     const int n_vector, const int is_wide, const int is_long)
{
    const int n_bin = hg_bins_count(l->bins, feature);
    hg_sums sum[HG_LANES_MAX / 8] = {0};

    HG_ISA(add_rows)
    (l, s->n, s->record, feature, g->line, g->mark, n_vector, is_wide, is_long, 1);
    g->n = 0;
    for (int first = 0; first < n_bin; first += 64) {
        uint64_t marks = take_marks(g->mark + first);

        for (; marks != 0; marks &= marks - 1) {
            const int b = first + __builtin_ctzll(marks);
            int64_t *line = g->line + (size_t)b * 8 * (size_t)n_vector;

            for (int v = 0; v < n_vector; v++) {
                hg_sums *at = (hg_sums *)(void *)(line + 8 * v);

                sum[v] += *at;
                *at = (hg_sums){0};
                *(hg_sums *)(void *)(g->sum + (g->n * (size_t)n_vector + (size_t)v) * 8) =
                    sum[v];
            }
            g->bin[g->n++] = b;
        }
    }
}

/* groups from the records by sorting */
HG_INLINE void
HG_ISA(group_sorted)(const hg_layout *l, const hg_search *s, int feature, hg_groups *g,
                     const int n_vector, const int is_wide, const int is_long)
{
    int64_t sum[HG_LANES_MAX] = {0};

    for (size_t i = 0; i < s->n; i++) {
        g->key[i] =
            (uint64_t)HG_ISA(bin_of)(l, s->record + i * l->stride, feature, is_wide) << 32 | i;
    }
    sort_keys(s->n, g->key);
    g->n = 0;
    for (size_t i = 0; i < s->n; i++) {
        const unsigned char *record = s->record + (g->key[i] & UINT32_MAX) * l->stride;

        HG_ISA(add_record)(record, sum, n_vector, is_long, 1);
        if (i + 1 == s->n || g->key[i] >> 32 != g->key[i + 1] >> 32) {
            memcpy(g->sum + g->n * 8 * (size_t)n_vector, sum, 64 * (size_t)n_vector);
            g->bin[g->n++] = (int)(g->key[i] >> 32);
        }
    }
}

/* score of the boundary behind a group */
HG_INLINE double
HG_ISA(score)(const hg_layout *l, const int64_t *left, const double mean[], double w,
              const int n_vector, const int n_target)
{
    const double w_left = (double)left[n_target];
    double term[HG_LANES_MAX], sum = 0;

    for (int v = 0; v < n_vector; v++) {
        hg_reals d = __builtin_convertvector(*(const hg_signed *)(const void *)(left + 8 * v),
                                             hg_reals) -
                     *(const hg_reals *)(const void *)(mean + 8 * v) * w_left;

        *(hg_reals *)(void *)(term + 8 * v) =
            *(const hg_reals *)(const void *)(l->cost + 8 * v) * (d * d);
    }
    for (int o = 0; o < n_target; o++) {
        sum += term[o];
    }
    return sum / (w_left * (w - w_left));
}

/* take the best boundary of a feature where it is better than what was found so far */
HG_INLINE void
HG_ISA(score_groups)(const hg_layout *l, int feature, const hg_groups *g, const double mean[],
                     hg_search *s, const int n_vector, const int n_target)
{
    const size_t n_lane = 8 * (size_t)n_vector;
    const double w = (double)s->total[n_target];
    const int64_t least = l->min_leaf, most = (int64_t)s->n - least;
    const int64_t *left = g->sum;
    double best = s->score;
    size_t m = 0, at = SIZE_MAX;

    while (m + 1 < g->n && left[m * n_lane + (size_t)n_target + 1] < least) {
        m++;
    }
    for (; m + 1 < g->n && left[m * n_lane + (size_t)n_target + 1] <= most; m++) {
        double score = HG_ISA(score)(l, left + m * n_lane, mean, w, n_vector, n_target);

        if (score > best) {
            best = score;
            at = m;
        }
    }
    if (at != SIZE_MAX) {
        s->score = best;
        s->feature = feature;
        s->left = g->bin[at];
        s->right = g->bin[at + 1];
        s->n_left = (size_t)left[at * n_lane + (size_t)n_target + 1];
        memcpy(s->left_sum, left + at * n_lane, ((size_t)n_target + 1) * sizeof *left);
    }
}

HG_INLINE void
HG_ISA(search_features)(const hg_layout *l, hg_search *s, hg_groups *g, const int n_vector,
                        const int n_target, const int is_wide, const int is_long)
{
    double mean[HG_LANES_MAX] = {0}, w = (double)s->total[n_target];

    for (int o = 0; o < n_target; o++) {
        mean[o] = (double)s->total[o] / w;
    }
    s->n_varied = 0;
    for (int k = 0; k < s->n_candidate; k++) {
        const int f = s->candidate[k];

        if (s->histogram != NULL && s->histogram[k] != NULL) {
            HG_ISA(group_bins)(l, f, s->histogram[k], g, n_vector);
        } else if (s->n <= sort_limit(l, f)) {
            HG_ISA(group_sorted)(l, s, f, g, n_vector, is_wide, is_long);
        } else {
            HG_ISA(group_marked)(l, s, f, g, n_vector, is_wide, is_long);
        }
        s->n_varied += g->n > 1;
        HG_ISA(score_groups)(l, f, g, mean, s, n_vector, n_target);
    }
}

#define HG_SEARCH_CASE(n_target)                             \
    case n_target:                                           \
        HG_ISA(search_features)(l, s, g, 1, n_target, 0, 0); \
        break;

HG_TARGET static void
HG_ISA(search)(const hg_layout *l, hg_search *s, hg_groups *g)
{
    switch (l->is_wide || l->is_long ? 0 : l->n_target) {
        HG_NARROW_LIST(HG_SEARCH_CASE)
    default:
        HG_ISA(search_features)(l, s, g, l->n_lane / 8, l->n_target, l->is_wide, l->is_long);
    }
    HG_LEAVE();
}

#undef HG_SEARCH_CASE

HG_INLINE void
HG_ISA(scatter_rows)(const hg_layout *l, const size_t stride, size_t n,
                     const unsigned char *from, unsigned char *to, int feature, int bin)
{
    size_t left = 0, right = (n - 1) * stride;

    for (size_t i = 0; i < n; i++, from += stride) {
        size_t is_right = HG_ISA(bin_of)(l, from, feature, l->is_wide) > (unsigned)bin;
        size_t at =
            left ^ ((left ^ right) & (0 - is_right)); /* no branch: it would be a coin */

        for (size_t k = 0; k < stride; k += HG_RECORD_ALIGN) {
            memcpy(to + at + k, from + k, HG_RECORD_ALIGN);
        }
        left += stride & (is_right - 1);
        right -= stride & (0 - is_right);
    }
}

HG_TARGET static void
HG_ISA(scatter)(const hg_layout *l, size_t n, const unsigned char from[], unsigned char to[],
                int feature, int bin)
{
    switch (l->stride) {
    case 48:
        HG_ISA(scatter_rows)(l, 48, n, from, to, feature, bin);
        break;
    case 64:
        HG_ISA(scatter_rows)(l, 64, n, from, to, feature, bin);
        break;
    case 96:
        HG_ISA(scatter_rows)(l, 96, n, from, to, feature, bin);
        break;
    default:
        HG_ISA(scatter_rows)(l, l->stride, n, from, to, feature, bin);
    }
    HG_LEAVE();
}

static const hg_best_kernel HG_ISA(kernel) = {HG_ISA_NAME, HG_ISA(add), HG_ISA(search),
                                              HG_ISA(scatter)};

#undef HG_INLINE
#undef HG_ISA
#undef HG_ISA_NAME
#undef HG_TARGET
#undef HG_LEAVE
