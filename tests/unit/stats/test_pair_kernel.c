/* All vector widths count what a loop over pairs counts. */
#include <criterion/criterion.h>
#include <math.h>

#include "base/random.h"
#include "stats/pair_kernel.h"

enum { N = 61, ROOM = 2 * 64, DEPTH = 5 };

/* Two columns of a box of 10, sorted into cells along z, with infinity in the gaps. */
static void
make_cells(hg_cells *cells, int64_t first[2][DEPTH + 1], double x[3][ROOM])
{
    *cells = (hg_cells){.box = 10, .side = 2, .depth = DEPTH, .x = x[0], .y = x[1], .z = x[2]};
    for (int column = 0; column < 2; column++) {
        int64_t at = 64 * column;

        for (int d = 0; d < DEPTH; d++) {
            first[column][d] = at;
            for (int i = 0; i < N; i++) {
                hg_stream s =
                    hg_stream_start(8, 0, (uint64_t)(i + 64 * column), HG_PURPOSE_LATENT);

                if (i % DEPTH == d) {
                    x[0][at] = 5 * (column + hg_stream_uniform(&s));
                    x[1][at] = 5 * hg_stream_uniform(&s);
                    x[2][at++] = 2 * (d + hg_stream_uniform(&s));
                }
            }
        }
        first[column][DEPTH] = at;
        for (; at < 64 * (column + 1); at++) {
            x[0][at] = x[1][at] = x[2][at] = HUGE_VAL;
        }
    }
}

static void
count_slowly(const hg_pair_columns *c, const hg_pair_pass *pass, int64_t below[])
{
    const double *x[3] = {c->cells->x, c->cells->y, c->cells->z};

    for (int64_t i = c->home[0]; i < c->home[DEPTH]; i++) {
        for (int64_t j = c->same ? i + 1 : c->near[0]; j < c->near[DEPTH]; j++) {
            double dx = x[0][i] - x[0][j] - c->shift[0], dy = x[1][i] - x[1][j];
            double dz = remainder(x[2][i] - x[2][j], 10), d2 = dx * dx + dy * dy;
            bool near = !pass->projected || fabs(dz) < pass->limit;

            d2 += pass->projected ? 0 : dz * dz;
            for (int k = 0; k < HG_PAIR_EDGES; k++) {
                below[k] += near && d2 < pass->edge2[k];
            }
        }
    }
}

Test(pair_kernel, every_vector_width_counts_all_pairs_once)
{
    static double x[3][ROOM];
    int64_t first[2][DEPTH + 1];
    hg_cells cells;

    make_cells(&cells, first, x);
    for (int kind = 0; kind < 4; kind++) {
        const bool same = kind % 2 == 0, projected = kind / 2 == 1;
        const hg_pair_columns c = {.cells = &cells,
                                   .home = first[0],
                                   .near = first[same ? 0 : 1],
                                   .shift = {same ? 0 : -10, 0}, /* one box below */
                                   .low = {same ? 0 : -5, 0},
                                   .high = {same ? 5 : 0, 5},
                                   .same = same};
        const hg_pair_pass pass = {
            .edge2 = {0.1, 1, 4, 20}, .projected = projected, .limit = 3.5};
        hg_pair_counter variant[HG_PAIR_VARIANTS];
        const int n = hg_pair_kernels(projected, variant);
        int64_t expected[HG_PAIR_EDGES] = {0};

        count_slowly(&c, &pass, expected);
        cr_assert(expected[0] > 0 || !same);
        cr_assert(expected[3] > 100);
        for (int v = 0; v < n; v++) {
            int64_t below[HG_PAIR_EDGES] = {0};

            variant[v](&c, &pass, below);
            for (int k = 0; k < HG_PAIR_EDGES; k++) {
                cr_assert_eq(below[k], expected[k]);
            }
        }
    }
}
