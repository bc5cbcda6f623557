/* ranks: 3 */
/* What two samples have in common, whatever the number of ranks that hold it. */
#include "mpi_test.h"

#include <math.h>

#include "base/memory.h"
#include "base/random.h"
#include "measure/measure_points.h"

MPI_SUITE(measure_points);

enum { N = 2000 };

/* Rows of this rank of a catalogue with N rows; sample 0 has the rows that 2 divides, sample 1
 * those that 3 divides, and every fifth of these stands elsewhere. */
static void
fill_points(const hg_comm *comm, int sample, hg_points *points)
{
    const int64_t first = N * comm->rank / comm->size, end = N * (comm->rank + 1) / comm->size;

    *points = (hg_points){.n_catalogue = N};
    cr_assert_eq(hg_mem_array(&points->position, N, sizeof *points->position), HG_OK);
    cr_assert_eq(hg_mem_array(&points->weight, N, sizeof *points->weight), HG_OK);
    cr_assert_eq(hg_mem_array(&points->row, N, sizeof *points->row), HG_OK);
    for (int64_t i = first; i < end; i++) {
        hg_stream s = hg_stream_start(5, 0, (uint64_t)i, HG_PURPOSE_LATENT);

        if (i % (2 + sample) == 0) {
            for (int k = 0; k < 3; k++) {
                points->position[points->n][k] = (double)i + (sample == 1 && i % 5 == 0);
            }
            points->weight[points->n] = 1e11 * (1 + sample + hg_stream_uniform(&s));
            points->row[points->n++] = i;
        }
    }
}

Test(measure_points, common_weights_are_the_same_bits_for_any_number_of_ranks)
{
    double found[3], sum = 0;

    for (int64_t i = 0; i < N; i += 6) {
        hg_stream s = hg_stream_start(5, 0, (uint64_t)i, HG_PURPOSE_LATENT);
        const double u = hg_stream_uniform(&s);

        sum += i % 5 != 0 ? 1e22 * (1 + u) * (2 + u) : 0;
    }
    for (int size = 1; size <= 3; size++) {
        hg_comm part;
        hg_points a, b;

        all_assert(hg_comm_split(&world, world.rank < size, &part) == HG_OK);
        fill_points(&part, 0, &a);
        fill_points(&part, 1, &b);
        found[size - 1] = hg_points_common(&part, &a, &b);
        b.n_catalogue++; /* not row by row the same haloes */
        all_assert(hg_points_common(&part, &a, &b) == 0);
        hg_points_clear(&a);
        hg_points_clear(&b);
        hg_comm_clear(&part);
    }
    if (world.rank == 0) {
        cr_expect(fabs(found[0] / sum - 1) < 1e-12, "%.17g is not %.17g", found[0], sum);
        cr_expect(found[1] == found[0] && found[2] == found[0]);
    }
}
