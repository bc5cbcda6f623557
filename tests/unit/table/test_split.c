#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "table/identity.h"
#include "table/split.h"

enum { N = 1003 };

/* keys of 25 groups of unequal size */
static void
make_groups(uint64_t key[N])
{
    for (int i = 0; i < N; i++) {
        key[i] = hg_halo_key("run", (int64_t)sqrt(i * 625.0 / N), 0);
    }
}

Test(split, groups_stay_together_and_folds_hold_equal_numbers_of_them)
{
    const hg_split split = {.kind = HG_SPLIT_GROUPS, .n_fold = 5, .seed = 3, .group = "run"};
    uint64_t key[N], seen[25];
    int fold[N], n_fold = 0, groups[5] = {0}, n_seen = 0;
    char text[80];

    make_groups(key);
    cr_assert_eq(hg_split_check(&split), HG_OK);
    cr_assert_eq(hg_split_deal(&split, N, key, fold, &n_fold), HG_OK);
    cr_assert_eq(n_fold, 5);
    for (int i = 0; i < N; i++) {
        bool known = false;

        for (int j = 0; j < i; j++) {
            cr_assert(key[i] != key[j] || fold[i] == fold[j]);
        }
        for (int s = 0; s < n_seen; s++) {
            known = known || seen[s] == key[i];
        }
        if (!known) {
            seen[n_seen++] = key[i];
            groups[fold[i]]++;
        }
    }
    for (int k = 0; k < 5; k++) {
        cr_expect_eq(groups[k], 5);
    }
    hg_split_describe(&split, n_fold, sizeof text, text);
    cr_expect_str_eq(text, "5 folds of groups by run, seed 3");
    cr_expect_eq(hg_mem_used(), 0);
}

Test(split, a_fold_follows_the_key_and_the_seed_not_the_order_of_rows)
{
    hg_split split = {.kind = HG_SPLIT_ROWS, .n_fold = 4, .seed = 7};
    uint64_t key[N], turned[N];
    int fold[N], other[N], n_fold = 0, n_same = 0, count[4] = {0};

    for (int i = 0; i < N; i++) {
        key[i] = hg_halo_key("run", HG_NO_REGION, i);
        turned[(i * 19) % N] = key[i];
    }
    cr_assert_eq(hg_split_deal(&split, N, key, fold, &n_fold), HG_OK);
    cr_assert_eq(hg_split_deal(&split, N, turned, other, &n_fold), HG_OK);
    for (int i = 0; i < N; i++) {
        cr_assert_eq(fold[i], other[(i * 19) % N]);
        count[fold[i]]++;
    }
    for (int k = 0; k < 4; k++) {
        cr_expect(count[k] == N / 4 || count[k] == N / 4 + 1);
    }
    split.seed = 8;
    cr_assert_eq(hg_split_deal(&split, N, key, other, &n_fold), HG_OK);
    for (int i = 0; i < N; i++) {
        n_same += fold[i] == other[i];
    }
    /* binomial: 251 +- 14 */
    cr_expect(abs(n_same - N / 4) < 70, "%d rows keep their fold", n_same);
}

Test(split, each_group_can_be_a_fold)
{
    const hg_split split = {.kind = HG_SPLIT_GROUPS, .seed = 1};
    uint64_t key[N];
    int fold[N], n_fold = 0;

    make_groups(key);
    cr_assert_eq(hg_split_check(&split), HG_OK);
    cr_assert_eq(hg_split_deal(&split, N, key, fold, &n_fold), HG_OK);
    cr_expect_eq(n_fold, 25);
    for (int i = 1; i < N; i++) {
        cr_assert_eq(fold[i] == fold[i - 1], key[i] == key[i - 1]);
    }
}

/* the distance to the tested slab by brute force: to points spread finely over it */
Test(split, rows_near_a_tested_slab_do_not_train)
{
    const hg_split split = {
        .kind = HG_SPLIT_SLABS, .n_fold = 4, .seed = 5, .axis = 1, .box = 80, .buffer = 7};
    char text[80];
    int n_train = 0, count[4] = {0};

    cr_assert_eq(hg_split_check(&split), HG_OK);
    for (int i = 0; i < 800; i++) {
        const double x = 0.1 * i + 0.05;
        const int fold = hg_split_slab(&split, x);

        count[fold]++;
        cr_assert_eq(fold, hg_split_slab(&split, x - 160));
        for (int k = 0; k < 4; k++) {
            double nearest = 80;

            for (int j = 0; j < 800; j++) {
                const double d = fabs(x - (0.1 * j + 0.05));

                if (hg_split_slab(&split, 0.1 * j + 0.05) == k) {
                    nearest = fmin(nearest, fmin(d, 80 - d));
                }
            }
            if (fabs(nearest - 7) > 0.11) { /* the points are 0.1 apart */
                cr_assert_eq(hg_split_trains(&split, fold, x, k), nearest > 7,
                             "x %g, fold %d of %d, %g away", x, k, fold, nearest);
            }
            n_train += hg_split_trains(&split, fold, x, k);
        }
    }
    for (int k = 0; k < 4; k++) {
        cr_expect(abs(count[k] - 200) <= 1);
    }
    cr_expect_float_eq(n_train / 3200.0, (80 - 20 - 14) / 80.0, 0.002);
    hg_split_describe(&split, 4, sizeof text, text);
    cr_expect_str_eq(text, "4 slabs along y with buffers of 7 Mpc, seed 5");
}

Test(split, impossible_folds_are_refused)
{
    hg_split split = {.kind = HG_SPLIT_GROUPS, .n_fold = 30, .seed = 1};
    uint64_t key[N];
    int fold[N], n_fold = 0;

    make_groups(key);
    cr_expect_eq(hg_split_deal(&split, N, key, fold, &n_fold), HG_E_INPUT);
    cr_expect(strstr(hg_error_last()->message, "25 groups of rows") != NULL);
    split.n_fold = 0;
    cr_expect_eq(hg_split_deal(&split, 1, key, fold, &n_fold), HG_E_INPUT);
    cr_expect_eq(hg_split_deal(&split, 0, key, fold, &n_fold), HG_E_INPUT);
    split.n_fold = 1;
    cr_expect_eq(hg_split_check(&split), HG_E_PARAM);
    split = (hg_split){.kind = HG_SPLIT_SLABS, .n_fold = 2, .box = 100, .buffer = 25};
    cr_expect_eq(hg_split_check(&split), HG_E_PARAM);
    split.buffer = 24;
    cr_expect_eq(hg_split_check(&split), HG_OK);
    cr_expect_eq(hg_mem_used(), 0);
}
