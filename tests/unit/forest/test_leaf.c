/* Lists of leaf-mates that are longer than the cap: the sample against a count over all rows.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/random.h"
#include "forest/tree.h"

/* a row's place in the order of the sample */
static uint64_t
place_of(uint64_t seed, uint64_t tree, uint32_t row)
{
    hg_stream s = hg_stream_start(seed, tree, row, HG_PURPOSE_LEAF_CAP);

    return (uint64_t)hg_stream_word(&s) << 32 | row;
}

static int
is_among_lowest(uint64_t seed, uint64_t tree, size_t n, const uint32_t row[], uint32_t one,
                size_t cap)
{
    size_t below = 0;

    for (size_t i = 0; i < n; i++) {
        below += place_of(seed, tree, row[i]) < place_of(seed, tree, one);
    }
    return below < cap;
}

/* with a cap of 1 one sample in 150 finds no row below its bound and draws again */
Test(leaf, a_sample_is_of_the_rows_with_the_lowest_words_and_ascends)
{
    static const size_t shape[][3] = {
        {2, 1, 300}, {40, 1, 600}, {65, 64, 20}, {90, 9, 40}, {700, 64, 3}};
    hg_plan plan = {.options = {.seed = 7}};
    uint32_t row[700], kept[700];

    for (size_t k = 0; k < sizeof shape / sizeof *shape; k++) {
        const size_t n = shape[k][0], cap = shape[k][1];

        for (uint64_t tree = 0; tree < shape[k][2]; tree++) {
            size_t at = 0;

            for (size_t i = 0; i < n; i++) {
                row[i] = (uint32_t)(3 * i + tree);
            }
            cr_assert_eq(hg_leaf_sample(&plan, tree, n, row, cap, kept), HG_OK);
            for (size_t i = 0; i < n; i++) {
                if (is_among_lowest(7, tree, n, row, row[i], cap)) {
                    cr_assert_lt(at, cap);
                    cr_assert_eq(kept[at++], row[i]);
                }
            }
            cr_assert_eq(at, cap);
            cr_assert_eq(hg_leaf_sample(&plan, tree, n, row, cap, row), HG_OK);
            cr_assert_arr_eq(row, kept, cap * sizeof *kept, "in place");
        }
    }
}
