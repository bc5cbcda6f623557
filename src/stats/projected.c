/* Bins of the second coordinate are equal and so are their expectations; a row without any pair
 * is not defined, but an empty bin within a row that holds some counts as the -1 it is. */
#include "stats/projected.h"

#include <math.h>

static int64_t
row_count(const hg_pairs *pairs, int i)
{
    int64_t sum = 0;

    for (int j = 0; j < pairs->n_second; j++) {
        sum += pairs->count[(int64_t)i * pairs->n_second + j];
    }
    return sum;
}

/* Counted over expected, 0 for an empty bin. */
static double
excess(const hg_pairs *pairs, int i, int j)
{
    double xi = hg_pairs_xi(pairs, i, j);

    return isnan(xi) ? 0 : 1 + xi;
}

void
hg_pairs_projected(const hg_pairs *pairs, double wp[], double error[], int64_t count[])
{
    const double depth = 2 * pairs->pi_max / pairs->n_second;

    for (int i = 0; i < pairs->n; i++) {
        double sum = 0;

        for (int j = 0; j < pairs->n_second; j++) {
            sum += excess(pairs, i, j) * depth;
        }
        count[i] = row_count(pairs, i);
        wp[i] = count[i] > 0 ? sum - 2 * pairs->pi_max : (double)NAN;
        error[i] = count[i] > 0 ? sum / sqrt(hg_pairs_distinct(pairs, count[i])) : (double)NAN;
    }
}

/* Integral of the Legendre polynomial of order l from 0 to mu. */
static double
legendre_integral(int l, double mu)
{
    const double m2 = mu * mu;

    return l == 0 ? mu : l == 2 ? 0.5 * mu * (m2 - 1) : 0.125 * mu * (m2 * (7 * m2 - 10) + 3);
}

double
hg_legendre_mean(int l, int j, int n)
{
    return (legendre_integral(l, (double)(j + 1) / n) - legendre_integral(l, (double)j / n)) *
           n;
}

double
hg_legendre(int l, double mu)
{
    const double m2 = mu * mu;

    return l == 0 ? 1 : l == 2 ? 1.5 * m2 - 0.5 : 0.125 * (m2 * (35 * m2 - 30) + 3);
}

void
hg_pairs_multipoles(const hg_pairs *pairs, hg_legendre_rule rule, double xi[], double error[])
{
    const int n = pairs->n, n_mu = pairs->n_second;

    for (int pole = 0; pole < 3; pole++) {
        const int l = 2 * pole;

        for (int i = 0; i < n; i++) {
            const bool known = row_count(pairs, i) > 0;
            double sum = 0, square = 0;

            for (int j = 0; j < n_mu; j++) {
                const double mean =
                    (rule == HG_LEGENDRE_MIDPOINT ? hg_legendre(l, (j + 0.5) / n_mu)
                                                  : hg_legendre_mean(l, j, n_mu)) *
                    (2 * l + 1) / n_mu;
                const double e = excess(pairs, i, j);
                const double pairs_here =
                    hg_pairs_distinct(pairs, pairs->count[(int64_t)i * n_mu + j]);

                sum += (e - 1) * mean;
                square += e > 0 ? e * e * mean * mean / pairs_here : 0;
            }
            xi[pole * n + i] = known ? sum : (double)NAN;
            if (error != NULL) {
                error[pole * n + i] = known ? sqrt(square) : (double)NAN;
            }
        }
    }
}
