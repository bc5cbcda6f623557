/* User bins made of the fine sums of a spectrum, and means of sums; edges are compared as
 * integers. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "stats/power.h"

int64_t
hg_power_edge_square(double edge)
{
    double square = edge * edge, near = rint(square);

    return (int64_t)(fabs(square - near) <= 1e-9 * (1 + near) ? near : ceil(square));
}

int
hg_bin_edges(double low, double high, double width, double dln, int room, double edge[])
{
    int n = 0;

    edge[0] = low;
    while (n + 1 < room && edge[n] < high * (1 - 1e-12)) {
        double next = fmax(edge[n] + width, edge[n] * exp(dln));

        edge[++n] = next < high ? next : high;
        if (!(next > edge[n - 1])) {
            return n - 1;
        }
    }
    return n;
}

/* Arrays of a spectrum in one block. */
static hg_status
allocate_power(int n, int n_pole, hg_power *power)
{
    const int n_array = 4 + 2 * n_pole + n_pole * (n_pole + 1) / 2;
    double *p = NULL;

    *power = (hg_power){.n = n, .n_pole = n_pole};
    HG_TRY(hg_mem_zeros(&power->block, (size_t)n_array * (size_t)n + 1, sizeof *p));
    p = power->block;
    power->k_low = p;
    power->k_high = p + n;
    power->k_mean = p + 2 * n;
    power->shot = p + 3 * n;
    p += 4 * n;
    for (int l = 0; l < n_pole; l++) {
        power->p[l] = p;
        power->sigma[l] = p + n;
        p += 2 * n;
        for (int other = l; other < n_pole; other++) {
            power->product[l][other] = p;
            p += n;
        }
    }
    return hg_mem_zeros(&power->modes, (size_t)n + 1, sizeof *power->modes);
}

double
hg_fine_variance(const double sum[], int l, int other)
{
    if (l == 2 && other == 2) {
        return 18.0 / 35 * sum[HG_FINE_Q4] + 2.0 / 7 * sum[HG_FINE_Q2] + 0.2 * sum[HG_FINE_Q0];
    }
    if (l == 0) {
        return sum[other == 0 ? HG_FINE_Q0 : other == 2 ? HG_FINE_Q2 : HG_FINE_Q4];
    }
    return sum[l == 2 ? HG_FINE_Q24 : HG_FINE_Q44];
}

static void
fill_bin(const hg_fine *fine, int64_t low, int64_t high, int i, hg_power *power)
{
    static const int p_column[HG_POLES] = {HG_FINE_P0, HG_FINE_P2, HG_FINE_P4};
    double total[HG_FINE_MAX] = {0}, k = 0, modes = 0;

    for (int64_t n2 = low; n2 < high && n2 < fine->n_bin; n2++) {
        const double *bin = fine->sum + n2 * fine->n_sum;

        for (int c = 0; c < fine->n_sum; c++) {
            total[c] += bin[c];
        }
        k += bin[HG_FINE_MODES] * sqrt((double)n2);
    }
    modes = total[HG_FINE_MODES] > 0 ? total[HG_FINE_MODES] : (double)NAN;
    power->modes[i] = (int64_t)total[HG_FINE_MODES];
    power->k_mean[i] = 2 * M_PI / fine->box * k / modes;
    power->shot[i] = total[HG_FINE_SHOT] / modes;
    for (int l = 0; l < power->n_pole && l < HG_POLES; l++) {
        power->p[l][i] = (4 * l + 1) * total[p_column[l]] / modes;
        for (int other = l; other < power->n_pole && other < HG_POLES; other++) {
            power->product[l][other][i] = (4 * l + 1) * (4 * other + 1) *
                                          hg_fine_variance(total, 2 * l, 2 * other) /
                                          (modes * modes);
        }
        power->sigma[l][i] = sqrt(power->product[l][l][i]);
    }
}

double
hg_power_covariance(const hg_power *power, int i, int l, int other)
{
    return l < other ? power->product[l][other][i] : power->product[other][l][i];
}

hg_status
hg_power_bin(const hg_fine *fine, int n_bin, const double edge[], hg_power *power)
{
    const double fundamental = 2 * M_PI / fine->box;
    hg_status status;

    *power = (hg_power){0};
    for (int i = 0; i < n_bin; i++) {
        if (!(edge[i + 1] > edge[i]) || edge[i] < 0) {
            return HG_FAIL(HG_E_ARG, "edges of wave-number bins do not increase: %g, %g",
                           edge[i], edge[i + 1]);
        }
    }
    status = allocate_power(n_bin, fine->n_sum == HG_FINE_MAX ? 3 : 1, power);
    if (status != HG_OK) {
        hg_power_clear(power);
        return status;
    }
    for (int i = 0; i < n_bin; i++) {
        power->k_low[i] = edge[i] * fundamental;
        power->k_high[i] = edge[i + 1] * fundamental;
        fill_bin(fine, hg_power_edge_square(edge[i]), hg_power_edge_square(edge[i + 1]), i,
                 power);
    }
    return HG_OK;
}

void
hg_power_clear(hg_power *power)
{
    hg_mem_free(power->block);
    hg_mem_free(power->modes);
    memset(power, 0, sizeof *power);
}

/* The mean of n sets of sums and one more. */
static void
join_sums(int64_t length, double into[], const double from[], int n)
{
    for (int64_t i = 0; i < length; i++) {
        into[i] += (from[i] - into[i]) / (n + 1);
    }
}

void
hg_fine_join(hg_fine *into, hg_fine *from, int n)
{
    if (into->sum == NULL) {
        *into = *from;
        *from = (hg_fine){0};
        return;
    }
    HG_ASSERT(into->mesh == from->mesh && into->n_sum == from->n_sum);
    join_sums(into->n_bin * into->n_sum, into->sum, from->sum, n);
    hg_fine_clear(from);
}

void
hg_wedges_join(hg_wedges *into, hg_wedges *from, int n)
{
    if (into->sum == NULL) {
        *into = *from;
        *from = (hg_wedges){0};
        return;
    }
    join_sums((int64_t)5 * into->n * into->n_mu, into->sum, from->sum, n);
    hg_wedges_clear(from);
}

void
hg_wedges_clear(hg_wedges *wedges)
{
    hg_mem_free(wedges->low);
    hg_mem_free(wedges->sum);
    memset(wedges, 0, sizeof *wedges);
}

void
hg_fine_clear(hg_fine *fine)
{
    hg_mem_free(fine->sum);
    memset(fine, 0, sizeof *fine);
}
