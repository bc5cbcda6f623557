/* The maps are made on rank 0, of sorted values, and sent to all: they do not depend on the
 * number of ranks or the order of rows. Training rows are moved rather than those of the
 * parent: the model then sees what it will be applied to, and application needs no map. */
#include "emulate/transport.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "emulate/feature_sample.h"
#include "halograft/log.h"

/* Which features are meant. */
static hg_status
find_features(const hg_params *params, const hg_recipes *features, hg_transports *t)
{
    const hg_strings *names = &params->zooms.transport;

    if (strcmp(params->zooms.features, "parent") == 0) {
        return HG_FAIL(HG_E_PARAM, "Zooms.transport moves features of zooms to those of the "
                                   "parent, and Zooms.features: parent takes them from there: "
                                   "remove one of the two");
    }
    t->mass = params->match.mass;
    HG_TRY(hg_mem_array(&t->feature, (size_t)names->n, sizeof *t->feature));
    HG_TRY(hg_mem_zeros(&t->map, (size_t)names->n, sizeof *t->map));
    for (t->n = 0; t->n < names->n; t->n++) {
        HG_TRY(
            hg_recipes_feature(features, "Zooms.transport", names->v[t->n], &t->feature[t->n]));
    }
    return HG_OK;
}

/* The map of one feature, on rank 0. */
static hg_status
make_map(const hg_feature_sample *sample, const char *mass, int feature, hg_transport *map,
         hg_shift_at_mass *s)
{
    const char *name = sample->features.recipe[feature].name;
    hg_massed *a = NULL, *b = NULL;
    int f = 0;
    hg_status status;

    while (f < sample->n_use && sample->use[f] != feature) {
        f++;
    }
    if (f == sample->n_use) {
        return HG_FAIL(HG_E_INPUT,
                       "Zooms.transport: not all catalogues have the columns of "
                       "feature '%s' ('halograft features --common' tells which)",
                       name);
    }
    HG_TRY_OR(done, status, hg_feature_sample_pick(&sample->zooms, sample->n_use, f, &a));
    HG_TRY_OR(done, status, hg_feature_sample_pick(&sample->parent, sample->n_use, f, &b));
    HG_TRY_OR(done, status,
              hg_shift_at_mass_measure(sample->zooms.n, a, sample->parent.n, b, s));
    HG_TRY_OR(done, status, hg_transport_make(sample->zooms.n, a, sample->parent.n, b, map));
    if (map->n_bin == 0) {
        status =
            HG_FAIL(HG_E_INPUT,
                    "Zooms.transport: no bin of %s has 40 haloes of zooms and parent", mass);
        goto done;
    }
    hg_log_info("train: feature '%s' is moved to the parent's distribution at fixed %s: shift "
                "%.4f, scatter %.4f, KS %.4f before and %.4f after (%.4f by chance)",
                name, mass, s->shift, s->scatter, s->ks, s->ks_transported, s->noise);
done:
    hg_mem_free(a);
    hg_mem_free(b);
    return status;
}

hg_status
hg_transports_make(const hg_comm *comm, const hg_params *params, const hg_recipes *features,
                   hg_transports *t, hg_text *text)
{
    hg_feature_sample sample = {0};
    hg_shift_at_mass *s = NULL;
    hg_status status;

    *t = (hg_transports){.n = 0};
    if (params->zooms.transport.n == 0) {
        return HG_OK;
    }
    HG_TRY(hg_comm_agree(comm, find_features(params, features, t)));
    HG_TRY_OR(done, status, hg_feature_sample_read(comm, params, false, &sample));
    status = hg_mem_zeros(&s, (size_t)t->n, sizeof *s);
    for (int k = 0; k < t->n && comm->rank == 0 && status == HG_OK; k++) {
        status = make_map(&sample, t->mass, t->feature[k], &t->map[k], &s[k]);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, t->map, (size_t)t->n * sizeof *t->map);
    hg_comm_broadcast(comm, 0, s, (size_t)t->n * sizeof *s);
    status = hg_text_add(text, "parent: %016" PRIx64 "\n", sample.parent_identity);
    for (int k = 0; k < t->n && status == HG_OK; k++) {
        status = hg_text_add(text,
                             "%s: {mass: %s, bins: %d, zooms: %" PRId64 ", parent: %" PRId64
                             ", shift: %.6g, KS: %.6g, KS_moved: %.6g}\n",
                             params->zooms.transport.v[k], t->mass, t->map[k].n_bin, s[k].n_a,
                             s[k].n_b, s[k].shift, s[k].ks, s[k].ks_transported);
    }
    status = hg_comm_agree(comm, status);
done:
    hg_feature_sample_clear(&sample);
    hg_mem_free(s);
    return status;
}

void
hg_transports_clear(hg_transports *t)
{
    hg_mem_free(t->feature);
    hg_mem_free(t->map);
    *t = (hg_transports){.n = 0};
}

hg_status
hg_transports_move(const hg_transports *t, const hg_table *table, int n_feature, float x[])
{
    const hg_column *mass = t->n > 0 ? hg_table_find(table, t->mass) : NULL;

    for (int64_t i = 0; i < table->n && t->n > 0; i++) {
        const double m = hg_column_value(mass, i, 0);

        if (!(m > 0)) {
            return HG_FAIL(HG_E_INPUT,
                           "Zooms.transport: %s is %g in row %" PRId64
                           ": select haloes that have one in Selection.train",
                           t->mass, m, table->first + i);
        }
        for (int k = 0; k < t->n; k++) {
            float *value = &x[i * n_feature + t->feature[k]];

            *value = (float)hg_transport_move(&t->map[k], log10(m), (double)*value);
        }
    }
    return HG_OK;
}

void
hg_transports_warn(const char *text, const hg_catalog *catalog)
{
    char line[64];

    snprintf(line, sizeof line, "parent: %016" PRIx64 "\n", hg_catalog_identity(catalog));
    if (text != NULL && strncmp(text, line, strlen(line)) != 0) {
        hg_log_warn("apply: the model's training features were moved to the distribution of "
                    "another parent (Zooms.transport): train it for this one");
    }
}
