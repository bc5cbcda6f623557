/* Trains a tiny forest on y = 2 x + noise with the installed library and predicts three values.
 * Run it alone or under mpirun: the result is the same for any number of ranks. */
#include <math.h>
#include <stdio.h>

#include <halograft/halograft.h>

enum { N_ROW = 4000, N_QUERY = 3 };

/* Rows are dealt out over the ranks; their values depend on the global row alone. */
static int64_t
make_rows(const hg_comm *comm, float x[], double y[], uint64_t key[])
{
    int64_t n = 0;

    for (int64_t row = comm->rank; row < N_ROW; row += comm->size) {
        x[n] = (float)row / N_ROW;
        y[n] = 2.0 * x[n] + 0.1 * sin(1e3 * (double)row);
        key[n] = (uint64_t)row + 1;
        n++;
    }
    return n;
}

static hg_status
train_and_predict(const hg_comm *comm)
{
    static float x[N_ROW];
    static double y[N_ROW];
    static uint64_t key[N_ROW];
    const float query[N_QUERY] = {0.25f, 0.5f, 0.75f};
    double mean[N_QUERY];
    const hg_field_spec feature = {.name = "x"}, target = {.name = "y"};
    hg_train_options options = HG_TRAIN_OPTIONS_INIT;
    hg_predict_options how = HG_PREDICT_OPTIONS_INIT;
    hg_prediction result = {.mean = mean};
    hg_train_data data = {.n = make_rows(comm, x, y, key),
                          .n_feature = 1,
                          .n_target = 1,
                          .x = x,
                          .y = y,
                          .key = key,
                          .feature = &feature,
                          .target = &target};
    hg_forest *forest = NULL;
    hg_status status;

    options.trees = 32;
    HG_TRY(hg_forest_train(comm, &options, &data, &forest));
    status = hg_forest_predict(forest, &how, N_QUERY, NULL, query, &result);
    hg_forest_free(forest);
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int i = 0; i < N_QUERY && comm->rank == 0; i++) {
        printf("x = %.2f  y = %.3f  expected %.3f\n", query[i], mean[i], 2.0 * query[i]);
    }
done:
    return status;
}

int
main(int argc, char **argv)
{
    hg_comm comm;
    hg_status status = hg_comm_start(&argc, &argv, &comm);

    if (status != HG_OK) {
        fprintf(stderr, "consumer: %s\n", hg_error_last()->message);
        return hg_status_exit_code(status);
    }
    hg_log_setup(comm.rank, comm.size, HG_LOG_WARN);
    if (comm.rank == 0) {
        printf("halograft %s, %d ranks\n", hg_version(), comm.size);
    }
    status = train_and_predict(&comm);
    if (status != HG_OK && comm.rank == 0) {
        fprintf(stderr, "consumer: %s\n", hg_error_last()->message);
    }
    hg_comm_stop(&comm);
    return hg_status_exit_code(status);
}
