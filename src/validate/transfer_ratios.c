/* The ratio of densities is learned by a forest of labels over both sets, 1 in the parent: with
 * probability q it is q / (1 - q), and leaves are large, since few haloes say little. Where q
 * is 1 the ratio is not known but large; it is cut at `ratio_max`, and such haloes are those
 * that the training lacks. Regions chosen by what no feature shows, such as their density, are
 * not put right by features: their weights do that, and the ratio is what weights leave over.
 */
#include "validate/transfer_ratios.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "halograft/forest.h"
#include "validate/held_out.h"

enum { LEAF_MAX = 20000 };

/* What trains the judge. */
struct judged {
    float *features;
    double *label, *weight; /* of regions, mean 1; NULL where all are alike */
    uint64_t *key;
    int64_t n;
};

static void
clear_judged(struct judged *j)
{
    hg_mem_free(j->features);
    hg_mem_free(j->label);
    hg_mem_free(j->weight);
    hg_mem_free(j->key);
}

/* Weights of the regions of training haloes, mean 1, and how many haloes weigh as much as one
 * of equal weights would; 1 where all are alike (Kish 1965). */
static double
weigh(const hg_transfer *x, double weight[])
{
    double sum = 0, square = 0;

    for (int64_t i = 0; i < x->n; i++) {
        weight[i] = x->folds->validation->rows.weight[x->row[i]];
        sum += weight[i] / (double)x->n;
    }
    for (int64_t i = 0; i < x->n; i++) {
        weight[i] /= sum;
        square += weight[i] * weight[i] / (double)x->n;
    }
    return square;
}

/* Rows of both sets, training first, spread evenly over ranks; keys count them. */
static hg_status
pack(const hg_comm *comm, const hg_transfer *x, const double weight[], struct judged *j)
{
    const hg_validation *v = x->folds->validation;
    const int nf = v->features.n;
    int64_t first, end;

    hg_held_out_slice(x->n + x->parent.n, comm, &first, &end);
    j->n = end - first;
    HG_TRY(hg_mem_array(&j->features, (size_t)j->n * (size_t)nf, sizeof *j->features));
    HG_TRY(hg_mem_array(&j->label, (size_t)j->n, sizeof *j->label));
    HG_TRY(hg_mem_array(&j->weight, (size_t)j->n, sizeof *j->weight));
    HG_TRY(hg_mem_array(&j->key, (size_t)j->n, sizeof *j->key));
    for (int64_t i = first; i < end; i++) {
        const float *from =
            i < x->n ? v->rows.x + x->row[i] * nf : x->parent.x + (i - x->n) * nf;

        memcpy(j->features + (i - first) * nf, from, (size_t)nf * sizeof *from);
        j->label[i - first] = i >= x->n;
        j->weight[i - first] = i < x->n ? weight[i] : 1;
        j->key[i - first] = (uint64_t)i + 1;
    }
    return HG_OK;
}

static double
ratio_of(const hg_transfer *x, const hg_forest *judge, int64_t i)
{
    const double most = x->ratio_max, odds = (double)x->n / (double)x->parent.n;
    double q = (double)NAN, ratio;

    if (hg_forest_oob_mean(judge, i, &q) == 0) {
        return 1;
    }
    ratio = q < 1 ? fmax(0, q) / (1 - q) * odds : most;
    return ratio < 1 / most ? 1 / most : ratio > most ? most : ratio;
}

/* What a training halo stands for is its weight times the ratio, mean 1. A halo of the parent
 * has no weight: what its like stand for on average is taken for it. */
static void
set_ratios(hg_transfer *x, const hg_forest *judge, const double weight[])
{
    double mean = 0, stands = 0;

    for (int64_t i = 0; i < x->n; i++) {
        x->ratio[i] = weight[i] * ratio_of(x, judge, i);
        mean += x->ratio[i] / (double)x->n;
        stands += x->ratio[i] * weight[i] / (double)x->n;
    }
    for (int64_t i = 0; i < x->n; i++) {
        x->ratio[i] /= mean;
    }
    for (int64_t i = 0; i < x->parent.n; i++) {
        x->parent_ratio[i] = ratio_of(x, judge, x->n + i) / mean;
    }
    x->ratio_max /= mean;
    x->parent_weight = stands / mean;
}

hg_status
hg_transfer_ratios_find(const hg_comm *comm, hg_transfer *x)
{
    const hg_validation *v = x->folds->validation;
    hg_train_options o = HG_TRAIN_OPTIONS_INIT;
    hg_field_spec label = {.name = "parent"};
    hg_train_data data = {.n_feature = v->features.n, .n_target = 1, .target = &label};
    struct judged judged = {0};
    hg_forest *judge = NULL;
    double *weight = NULL, alike = 1;
    hg_status status = hg_mem_array(&weight, (size_t)x->n, sizeof *weight);

    if (status == HG_OK) {
        alike = weigh(x, weight);
        status = pack(comm, x, weight, &judged);
    }
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    o.trees = HG_TRANSFER_RATIO_TREES;
    o.min_leaf = (int)fmin(ceil(HG_TRANSFER_RATIO_LEAF * alike - 1e-9), LEAF_MAX);
    o.scope = HG_TRAIN_OOB_MEANS;
    o.seed = x->folds->split.seed + 4;
    x->ratio_max = HG_TRANSFER_RATIO_LEAF * (double)x->n / (double)x->parent.n;
    x->ratio_max = fmax(x->ratio_max, HG_TRANSFER_RATIO_LEAF);
    data.n = judged.n;
    data.x = judged.features;
    data.y = judged.label;
    data.weight = alike > 1 + 1e-9 ? judged.weight : NULL;
    data.key = judged.key;
    data.feature = v->features.spec;
    HG_TRY_OR(end, status, hg_forest_train(comm, &o, &data, &judge));
    set_ratios(x, judge, weight);
end:
    hg_forest_free(judge);
    clear_judged(&judged);
    hg_mem_free(weight);
    return status;
}
