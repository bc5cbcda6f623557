/* Application of a model stage by stage. */
#include "forest/stage.h"

hg_status
hg_stages_predict(const hg_stages *m, const hg_predict_options *options, int64_t n,
                  const uint64_t key[], const float x[], const hg_prediction *result)
{
    HG_ASSERT(m->n == 1);
    return hg_forest_predict(m->stage[0].forest, options, n, key, x, result);
}
