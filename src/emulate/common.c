/* A table on stdout, feature by feature. */
#include "emulate/common.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/memory.h"
#include "emulate/feature_sample.h"

static hg_status
print_feature(const hg_feature_sample *sample, int f)
{
    hg_massed *a = NULL, *b = NULL;
    hg_shift_at_mass s;
    hg_status status;

    HG_TRY_OR(done, status, hg_feature_sample_pick(&sample->zooms, sample->n_use, f, &a));
    HG_TRY_OR(done, status, hg_feature_sample_pick(&sample->parent, sample->n_use, f, &b));
    HG_TRY_OR(done, status,
              hg_shift_at_mass_measure(sample->zooms.n, a, sample->parent.n, b, &s));
    printf("%-24s %9" PRId64 " %9" PRId64 " %9.4f %9.4f %8.4f %8.4f %8.4f\n",
           sample->features.recipe[sample->use[f]].name, s.n_a, s.n_b, s.shift, s.scatter, s.ks,
           s.ks_transported, s.noise);
done:
    hg_mem_free(a);
    hg_mem_free(b);
    return status;
}

static hg_status
compare(const hg_params *params, const hg_feature_sample *sample)
{
    printf("%-24s %9s %9s %9s %9s %8s %8s %8s\n", "feature (transformed)", "zooms", "parent",
           "shift", "scatter", "KS", "KS moved", "95 %");
    for (int f = 0; f < sample->n_use; f++) {
        HG_TRY(print_feature(sample, f));
    }
    printf(
        "at fixed %s: zooms minus parent; scatter of the parent; KS moved = after a transport "
        "of quantiles (Zooms.transport), on haloes it was not made on\n",
        params->match.mass);
    return HG_OK;
}

hg_status
hg_features_common(const hg_comm *comm, const hg_params *params, bool overwrite)
{
    hg_feature_sample sample;
    hg_status status = hg_feature_sample_read(comm, params, true, &sample);

    (void)overwrite;
    if (status == HG_OK) {
        status = hg_comm_agree(comm, comm->rank == 0 ? compare(params, &sample) : HG_OK);
    }
    hg_feature_sample_clear(&sample);
    return status;
}
