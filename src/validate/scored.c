/* A target with a hurdle is scored twice: whether it is open, and its value where it is. */
#include "validate/scored.h"

#include <math.h>

double
hg_scored_truth(const hg_validation *v, const hg_scored *s, int64_t row)
{
    const double truth = v->rows.y[row * v->targets.n + s->target];

    return s->is_label && v->role[s->target].has_hurdle ? isfinite(truth) : truth;
}

double
hg_scored_guess(const hg_validation *v, const hg_scored *s, int64_t i, const double mean[],
                const double probability[])
{
    const double *guess = s->is_label && v->role[s->target].has_hurdle ? probability : mean;

    return guess[i * v->targets.n + s->target];
}

static hg_scored
make_scored(const hg_validation *v, int target, bool is_label)
{
    hg_scored s = {.target = target, .is_label = is_label};
    double weight = 0, mean = 0;

    hg_validation_entry_name(v, target, is_label, sizeof s.name, s.name);
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t i = 0; i < v->rows.n; i++) {
            const double truth = hg_scored_truth(v, &s, i);

            if (isfinite(truth) && pass == 0) {
                weight += v->rows.weight[i];
                mean += v->rows.weight[i] * truth;
            } else if (isfinite(truth)) {
                s.variance += v->rows.weight[i] * (truth - mean) * (truth - mean) / weight;
            }
        }
        mean = pass == 0 ? mean / weight : mean;
    }
    return s;
}

int
hg_scored_list(const hg_validation *v, hg_scored scored[])
{
    int n = 0;

    for (int t = 0; t < v->targets.n; t++) {
        if (!v->role[t].is_label) {
            scored[n++] = make_scored(v, t, false);
        }
        if (v->role[t].is_label || v->role[t].has_hurdle) {
            scored[n++] = make_scored(v, t, true);
        }
    }
    return n;
}
