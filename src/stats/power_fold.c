/* After Jenkins et al. 1998 (ApJ 499, 20) and Colombi et al. 2009 (arXiv:0811.0313). Points are
 * folded by painting, which takes positions modulo the box of the mesh. */
#include "stats/power_fold.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Share of the Nyquist wave number at which the next level takes over: the alias of a mode is
 * still below 1e-4 of it on average. */
static const double splice = 0.85;

int64_t
hg_fold_times(const hg_fold_bins *bins, int level)
{
    int64_t times = 1;

    for (int i = 0; i < level; i++) {
        times *= bins->factor;
    }
    return times;
}

/* Append the bins of a level from the last edge to `high`; a rest thinner than half a bin joins
 * its neighbour where another level follows. */
static bool
add_level(const hg_fold_options *o, double low, double high, double width, bool is_last,
          hg_fold_bins *bins)
{
    const int n =
        hg_bin_edges(low, high, width, o->dlnk, HG_FOLD_EDGES - bins->n, bins->edge + bins->n);
    double *edge = bins->edge + bins->n;

    bins->n += n;
    if (n > 1 && !is_last && edge[n] - edge[n - 1] < 0.5 * (edge[n - 1] - edge[n - 2])) {
        edge[n - 1] = edge[n];
        bins->n--;
    }
    return edge[n] >= high * (1 - 1e-12);
}

hg_status
hg_fold_bins_init(const hg_fold_options *o, hg_fold_bins *bins)
{
    const double nyquist = 0.5 * (double)o->mesh;
    const double change = fmin(splice, o->k_max) * nyquist;

    *bins = (hg_fold_bins){.n_level = o->n_level, .factor = o->factor};
    if (o->n_level > 1 && change < HG_FOLD_START * o->factor) {
        return HG_FAIL(HG_E_ARG,
                       "a mesh of %" PRId64 " cells per side cannot be folded by %d: levels "
                       "overlap from %.0f cells on",
                       o->mesh, o->factor,
                       ceil(2 * HG_FOLD_START * o->factor * nyquist / change));
    }
    bins->edge[0] = 0.5;
    for (int i = 0; i < o->n_level; i++) {
        const bool is_last = i == o->n_level - 1;
        const double times = (double)hg_fold_times(bins, i);

        bins->first[i] = bins->n;
        if (!add_level(o, bins->edge[bins->n], times * (is_last ? o->k_max * nyquist : change),
                       times * o->width, is_last, bins)) {
            return HG_FAIL(HG_E_ARG,
                           "widths of %g fundamentals and %g in ln k make more than %d "
                           "bins of P(k): choose larger ones",
                           o->width, o->dlnk, HG_FOLD_EDGES - 1);
        }
    }
    bins->first[o->n_level] = bins->n;
    for (int i = 1; i < o->n_level; i++) {
        while (bins->edge[bins->start[i]] < HG_FOLD_START * (double)hg_fold_times(bins, i)) {
            bins->start[i]++;
        }
    }
    return HG_OK;
}

void
hg_fine_unfold(hg_fine *fine, int64_t times)
{
    const double volume = (double)(times * times * times);

    for (int64_t i = 0; i < fine->n_bin; i++) {
        double *bin = fine->sum + i * fine->n_sum;

        for (int c = 0; c < fine->n_sum; c++) {
            const bool is_power =
                c == HG_FINE_P0 || c == HG_FINE_SHOT || c == HG_FINE_P2 || c == HG_FINE_P4;

            bin[c] *= c == HG_FINE_MODES ? 1 : is_power ? volume : volume * volume;
        }
    }
}

hg_status
hg_fold_level(const hg_fold_bins *bins, const hg_fine *fine, int level, hg_power *power)
{
    const int first = bins->start[level], n = bins->first[level + 1] - first;
    const double times = (double)hg_fold_times(bins, level);
    double edge[HG_FOLD_EDGES];

    for (int i = 0; i <= n; i++) {
        edge[i] = bins->edge[first + i] / times;
    }
    return hg_power_bin(fine, n, edge, power);
}

/* Bin `i` of one spectrum becomes bin `to` of another. */
static void
copy_bin(const hg_power *one, int i, int to, hg_power *power)
{
    power->k_mean[to] = one->k_mean[i];
    power->modes[to] = one->modes[i];
    power->shot[to] = one->shot[i];
    for (int l = 0; l < power->n_pole; l++) {
        power->p[l][to] = one->p[l][i];
        power->sigma[l][to] = one->sigma[l][i];
        for (int other = l; other < power->n_pole; other++) {
            power->product[l][other][to] = one->product[l][other][i];
        }
    }
}

hg_status
hg_fold_join(const hg_fold_bins *bins, const hg_fine fine[], hg_power *power)
{
    HG_TRY(hg_power_bin(&fine[0], bins->n, bins->edge, power));
    for (int level = 1; level < bins->n_level; level++) {
        hg_power one;
        hg_status status = hg_fold_level(bins, &fine[level], level, &one);

        if (status != HG_OK) {
            hg_power_clear(power);
            return status;
        }
        for (int i = bins->first[level]; i < bins->first[level + 1]; i++) {
            copy_bin(&one, i - bins->start[level], i, power);
        }
        hg_power_clear(&one);
    }
    return HG_OK;
}

double
hg_fold_overlap(const hg_fold_bins *bins, int level, const hg_power *joined,
                const hg_power *one, int pole, int *n)
{
    double sum = 0;

    *n = 0;
    for (int i = bins->start[level]; i < bins->first[level]; i++) {
        const int k = i - bins->start[level];
        const double all = joined->sigma[pole][i], part = one->sigma[pole][k];
        const double difference = one->p[pole][k] - joined->p[pole][i];

        if (one->modes[k] > 0 && part > all) {
            sum += difference * difference / (part * part - all * all);
            *n += 1;
        }
    }
    return *n > 0 ? sum / *n : (double)NAN;
}
