#include <criterion/criterion.h>
#include <math.h>

#include "base/random.h"

/* Known answers of Philox4x32-10 published with Random123 (kat_vectors). */
Test(random, philox_gives_the_published_words)
{
    static const struct {
        uint32_t counter[4], key[2], word[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint32_t word[4];

        hg_philox(known[i].key, known[i].counter, word);
        for (int k = 0; k < 4; k++) {
            cr_assert_eq(word[k], known[i].word[k], "vector %zu, word %d", i, k);
        }
    }
}

Test(random, normal_numbers_have_unit_variance_and_no_mean)
{
    const int n = 200000;
    double sum = 0, sum2 = 0;

    for (int i = 0; i < n; i++) {
        hg_stream s = hg_stream_start(7, 0, (uint64_t)i, HG_PURPOSE_LATENT);
        double x = hg_stream_normal(&s);

        sum += x;
        sum2 += x * x;
    }
    cr_assert(fabs(sum / n) < 4 / sqrt(n));
    cr_assert(fabs(sum2 / n - 1) < 4 * sqrt(2.0 / n));
}

Test(random, poisson_numbers_have_the_given_mean_and_variance)
{
    static const double means[] = {0, 0.01, 0.7, 12, 31, 150};

    for (size_t m = 0; m < sizeof means / sizeof means[0]; m++) {
        const int n = 100000;
        double sum = 0, sum2 = 0, mean = means[m];

        for (int i = 0; i < n; i++) {
            hg_stream s = hg_stream_start(11, m, (uint64_t)i, HG_PURPOSE_HALO_COUNT);
            double x = (double)hg_stream_poisson(&s, mean);

            sum += x;
            sum2 += x * x;
        }
        sum /= n;
        cr_assert(fabs(sum - mean) <= 4.5 * sqrt(mean / n), "mean %g gave %g", mean, sum);
        sum2 = sum2 / n - sum * sum;
        cr_assert(fabs(sum2 - mean) <= 4.5 * sqrt((mean + 2 * mean * mean) / n),
                  "mean %g gave variance %g", mean, sum2);
    }
}

Test(random, streams_of_two_purposes_are_not_correlated)
{
    const int n = 100000;
    double sum = 0;

    for (int i = 0; i < n; i++) {
        hg_stream a = hg_stream_start(3, 0, (uint64_t)i, HG_PURPOSE_GALAXY);
        hg_stream b = hg_stream_start(3, 0, (uint64_t)i, HG_PURPOSE_HIDDEN);

        sum += (hg_stream_uniform(&a) - 0.5) * (hg_stream_uniform(&b) - 0.5);
    }
    cr_assert(fabs(12 * sum / n) < 4 / sqrt(n));
}
