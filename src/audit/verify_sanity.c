/* Files can be whole and every number finite, and still an h, an a or a 1e10 be missing. All
 * rows are counted, each rank its share; the judgement is that of catalog/sanity.h. */
#include <math.h>

#include "audit/verify.h"
#include "catalog/sanity.h"

/* What is impossible for all haloes of a universe may be right for chosen rows or made-up ones,
 * which a file does not tell: a note. */
static hg_status
add_lines(const hg_sanity_verdict *verdict, hg_findings *findings)
{
    for (int i = 0; i < verdict->n; i++) {
        const bool is_ok = verdict->line[i].kind == HG_SANITY_OK;

        HG_TRY(hg_findings_add(findings, is_ok ? HG_FINDING_OK : HG_FINDING_NOTE,
                               verdict->line[i].topic, "%s", verdict->line[i].text));
    }
    return HG_OK;
}

/* Whether a failure says that these rows are no haloes, which is none of verification. */
static bool
is_of_content(hg_status status)
{
    return status == HG_E_FORMAT || status == HG_E_INPUT || status == HG_E_NOTFOUND;
}

hg_status
hg_verify_sanity(const hg_comm *comm, const char *path, hg_findings *findings)
{
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
    hg_catalog *catalog = NULL;
    hg_sanity_verdict verdict = {0};
    hg_sanity s = {0};
    hg_status status, counted;
    const hg_plan *plan;

    options.format = "halograft";
    options.n_file = 1;
    options.files = &path;
    options.truth = true;
    status = hg_catalog_open(comm, &options, &catalog);
    if (status != HG_OK) {
        return is_of_content(status) ? HG_OK : status;
    }
    plan = hg_catalog_plan(catalog);
    counted = hg_sanity_sample(plan, plan->n_row, comm->rank, comm->size, &s);
    counted = hg_comm_agree(comm, counted);
    if (counted == HG_OK) {
        hg_sanity_sum(comm, &s);
        status = hg_sanity_judge(&s, &plan->frame, true, false, &verdict);
        if (comm->rank == 0 && status == HG_OK) {
            status = add_lines(&verdict, findings);
        }
    }
    status = counted == HG_OK || is_of_content(counted) ? status : counted;
    status = hg_comm_agree(comm, status);
    hg_catalog_close(catalog);
    return status;
}
