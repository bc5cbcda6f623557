#include "mpi_test.h"

#include <math.h>

#include "base/memory.h"
#include "forest_data.h"
#include "halograft/forest.h"

MPI_SUITE(calibrate);

enum { N_TRAIN = 3000, N_NEW = 20000 };

/* Variance of draws about nothing: the targets are pure noise of unit variance, so the scatter
 * of draws at new places must have unit variance, whatever the forest made of the noise. */
static double
variance_of_draws(int calibrate, int min_leaf)
{
    hg_train_options options = HG_TRAIN_OPTIONS_INIT;
    hg_predict_options predict = HG_PREDICT_OPTIONS_INIT;
    test_rows train = make_rows(N_TRAIN, 2, 1, world.rank, world.size);
    float *x = NULL;
    double *draw = NULL, sum = 0, sum2 = 0;
    uint64_t *key = NULL;
    hg_prediction result;
    hg_forest *forest = NULL;

    for (int64_t i = 0; i < train.data.n; i++) {
        const uint64_t row = (uint64_t)(world.rank + i * world.size);
        hg_stream s = hg_stream_start(5, 0, row, HG_PURPOSE_NOISE);

        train.y[i] = hg_stream_normal(&s);
        train.x[2 * i] = (float)test_uniform(row, 500);
        train.x[2 * i + 1] = (float)test_uniform(row, 501);
    }
    options.trees = 100;
    options.min_leaf = min_leaf;
    options.calibrate = calibrate;
    all_assert(hg_forest_train(&world, &options, &train.data, &forest) == HG_OK);
    cr_assert_eq(hg_mem_array(&x, 2 * (size_t)N_NEW, sizeof *x), HG_OK);
    cr_assert_eq(hg_mem_array(&key, N_NEW, sizeof *key), HG_OK);
    cr_assert_eq(hg_mem_array(&draw, N_NEW, sizeof *draw), HG_OK);
    for (uint64_t i = 0; i < N_NEW; i++) {
        x[2 * i] = (float)test_uniform(i, 900);
        x[2 * i + 1] = (float)test_uniform(i, 901);
        key[i] = hg_mix64(i + 123456789);
    }
    predict.n_draw = 1;
    predict.mates = 1; /* the fewer the rows, the more the error of their means matters */
    result = (hg_prediction){.draw = draw};
    all_assert(hg_forest_predict(forest, &predict, N_NEW, key, x, &result) == HG_OK);
    for (int i = 0; i < N_NEW; i++) {
        sum += draw[i];
        sum2 += draw[i] * draw[i];
    }
    hg_mem_free(x);
    hg_mem_free(key);
    hg_mem_free(draw);
    hg_forest_free(forest);
    clear_rows(&train);
    return sum2 / N_NEW - sum / N_NEW * sum / N_NEW;
}

Test(calibrate, draws_of_pure_noise_have_the_variance_of_the_noise)
{
    /* the training noise itself has a variance known to sqrt(2 / 3000) = 2.6 %; both cases
     * share it */
    double truth = 0, sum = 0;

    for (uint64_t row = 0; row < N_TRAIN; row++) {
        hg_stream s = hg_stream_start(5, 0, row, HG_PURPOSE_NOISE);
        double y = hg_stream_normal(&s);

        sum += y;
        truth += y * y;
    }
    truth = truth / N_TRAIN - sum / N_TRAIN * sum / N_TRAIN;
    for (int min_leaf = 3; min_leaf <= 12; min_leaf += 9) {
        double with = variance_of_draws(1, min_leaf) / truth;
        double without = variance_of_draws(0, min_leaf) / truth;

        /* splits are chosen on the noise, so the means err a little more than the weights say
         */
        cr_expect(fabs(with - 1) < 0.05, "min leaf %d: with the factor %g", min_leaf, with);
        /* rows are drawn unequally often, which moves the variance by about 1 % either way */
        cr_expect(fabs(with - 1) < 0.5 * fabs(without - 1) + 0.01,
                  "min leaf %d: %g with, %g without", min_leaf, with, without);
    }
    all_assert(1);
}
