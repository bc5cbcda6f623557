/* The range of each feature over the training rows. Quantiles are order statistics, found by
 * selection (Hoare 1961) with the middle element as pivot, so they are exact and reproducible.
 */
#include <math.h>

#include "base/memory.h"
#include "forest/model.h"

/* the k-th smallest of n values; reorders them */
static float
select_value(int64_t n, float v[], int64_t k)
{
    int64_t low = 0, high = n - 1;

    while (low < high) {
        float pivot = v[low + (high - low) / 2];
        int64_t i = low, j = high;

        while (i <= j) {
            while (v[i] < pivot) {
                i++;
            }
            while (v[j] > pivot) {
                j--;
            }
            if (i <= j) {
                float keep = v[i];

                v[i++] = v[j];
                v[j--] = keep;
            }
        }
        if (k <= j) {
            high = j;
        } else if (k >= i) {
            low = i;
        } else {
            break;
        }
    }
    return v[k];
}

hg_status
hg_domain_measure(int64_t n, int n_feature, const float x[], size_t stride,
                  hg_feature_range range[])
{
    float *v = NULL;

    HG_TRY(hg_mem_array(&v, (size_t)n, sizeof *v));
    for (int f = 0; f < n_feature; f++) {
        hg_feature_range *r = &range[f];

        r->min = HUGE_VALF;
        r->max = -HUGE_VALF;
        for (int64_t i = 0; i < n; i++) {
            v[i] = x[(size_t)i * stride + (size_t)f];
            r->min = v[i] < r->min ? v[i] : r->min;
            r->max = v[i] > r->max ? v[i] : r->max;
        }
        r->q001 = select_value(n, v, (int64_t)floor(0.001 * (double)(n - 1)));
        r->q999 = select_value(n, v, (int64_t)ceil(0.999 * (double)(n - 1)));
    }
    hg_mem_free(v);
    return HG_OK;
}
