/* Which side-car goes with which rows. */
#include "emulate/sidecars.h"

#include "features/sidecar.h"
#include "store/publish.h"

hg_status
hg_sidecars_parse(const hg_params *params, hg_sidecars *s)
{
    *s = (hg_sidecars){0};
    for (int k = 0; k < HG_DERIVED_KINDS; k++) {
        HG_TRY(hg_derived_parse(params, (hg_derived_kind)k, &s->derived[k]));
        HG_TRY(hg_derived_wanted(params, &s->derived[k], &s->used[k]));
    }
    return HG_OK;
}

void
hg_sidecars_clear(hg_sidecars *s)
{
    for (int k = 0; k < HG_DERIVED_KINDS; k++) {
        hg_derived_clear(&s->derived[k]);
    }
}

hg_status
hg_sidecars_write(const hg_sidecars *s, hg_text recipe[])
{
    for (int k = 0; k < HG_DERIVED_KINDS; k++) {
        if (s->used[k]) {
            HG_TRY(hg_text_add(&recipe[k], "%s", hg_text_string(&s->derived[k].recipe)));
        }
    }
    return HG_OK;
}

static hg_status
join(const hg_comm *comm, const hg_params *params, hg_derived_kind kind, hg_sidecar_of of,
     const hg_region *region, const char *recipe, const char *whose, hg_catalog *catalog)
{
    char path[HG_PATH_MAX];

    HG_TRY(hg_sidecar_path(params, kind, of, region, sizeof path, path)); /* on all alike */
    return hg_sidecar_join(comm, kind, path, catalog, recipe, whose);
}

/* What messages call the recipe of the parameters. */
static const char *
name_section(hg_derived_kind kind)
{
    return kind == HG_DERIVED_HISTORY ? "section History" : "section Environment";
}

hg_status
hg_sidecars_join(const hg_comm *comm, const hg_params *params, const hg_sidecars *s,
                 const hg_region *region, bool twins, bool from_parent, hg_catalog *catalog)
{
    const hg_sidecar_of of = from_parent      ? HG_SIDECAR_PARENT
                             : region == NULL ? HG_SIDECAR_ZOOMS
                             : twins          ? HG_SIDECAR_TWIN
                                              : HG_SIDECAR_REGION;

    for (int k = 0; k < HG_DERIVED_KINDS; k++) {
        if (s->used[k]) {
            HG_TRY(join(comm, params, (hg_derived_kind)k, of, region,
                        hg_text_string(&s->derived[k].recipe), name_section((hg_derived_kind)k),
                        catalog));
        }
    }
    return HG_OK;
}

hg_status
hg_sidecars_join_model(const hg_comm *comm, const hg_params *params, const hg_stages *model,
                       hg_catalog *catalog)
{
    hg_sidecars own;
    hg_status status = hg_comm_agree(comm, hg_sidecars_parse(params, &own));

    for (int k = 0; k < HG_DERIVED_KINDS && status == HG_OK; k++) {
        const hg_derived_kind kind = (hg_derived_kind)k;
        const char *trained =
            hg_forest_get_meta(hg_stages_forest(model, 0), hg_derived_name(kind));

        if (trained != NULL || own.used[k]) {
            status = join(comm, params, kind, HG_SIDECAR_PARENT, NULL,
                          trained != NULL ? trained : hg_text_string(&own.derived[k].recipe),
                          trained != NULL ? "the model" : name_section(kind), catalog);
        }
    }
    hg_sidecars_clear(&own);
    return status;
}
