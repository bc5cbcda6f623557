/* The files of one group catalogue: headers that must agree, totals that must be met, global
 * numbers of groups and subhaloes. Catalogues of EAGLE differ in the names of their headers
 * only, so the reader of a header is a parameter.
 */
#include <inttypes.h>

#include "catalog/subfind.h"
#include "halograft/log.h"

static hg_status
read_headers(const hg_files *files, hg_subfind_read_header *read, hg_plan *plan,
             hg_subfind_header *first)
{
    for (int i = 0; i < files->n; i++) {
        hg_plan_file *added = NULL;
        hg_h5 *file = NULL;
        hg_status status, closed;
        hg_subfind_header h;

        HG_TRY(hg_h5_open(files->path[i], &file));
        status = read(file, &h);
        if (status == HG_OK && i == 0) {
            *first = h;
        } else if (status == HG_OK) {
            status = hg_subfind_header_compare(first, &h, files->path[0], files->path[i]);
        }
        if (status == HG_OK && h.n_group > HG_PLAN_ROWS_MAX) {
            status =
                HG_FAIL(HG_E_FORMAT,
                        "'%s' says it has %" PRId64 " groups, which cannot be: it is damaged",
                        files->path[i], h.n_group);
        }
        if (status == HG_OK) {
            status = hg_plan_add_file(plan, files->path[i], h.n_sub, &added);
        }
        if (status == HG_OK) {
            added->extra[HG_SUBFIND_GROUPS] = h.n_group;
        }
        closed = hg_h5_close(file);
        HG_TRY(status != HG_OK ? status : closed);
    }
    return HG_OK;
}

/* All files there and their counts equal to the totals, or an incomplete set that is wanted. */
static hg_status
check_set(const hg_catalog_options *options, const hg_files *files, const hg_subfind_header *h,
          hg_plan *plan, bool *complete)
{
    int64_t groups = 0;

    for (int i = 1; i < files->n; i++) {
        if (files->number[i] >= 0 && files->number[i] == files->number[i - 1]) {
            return HG_FAIL(HG_E_INPUT,
                           "'%s' and '%s' are both file %" PRId64 " of the catalogue",
                           files->path[i - 1], files->path[i], files->number[i]);
        }
    }
    for (int i = 0; i < files->n; i++) {
        groups += plan->file[i].extra[HG_SUBFIND_GROUPS];
    }
    *complete = files->n == h->n_file;
    if (*complete && (groups != h->total_group || plan->n_row != h->total_sub)) {
        return HG_FAIL(HG_E_INPUT,
                       "the %d files hold %" PRId64 " groups and %" PRId64
                       " subhaloes, but the header of '%s' promises %" PRId64 " and %" PRId64,
                       files->n, groups, plan->n_row, files->path[0], h->total_group,
                       h->total_sub);
    }
    if (!*complete && files->n > h->n_file) {
        return HG_FAIL(HG_E_INPUT, "%d files are named, but the catalogue of '%s' has %" PRId64,
                       files->n, files->path[0], h->n_file);
    }
    if (!*complete && !options->partial) {
        return HG_FAIL(
            HG_E_INPUT,
            "only %d of the %" PRId64
            " files of the catalogue of '%s' are named: use a pattern with {file}, or "
            "set partial to read an incomplete set",
            files->n, h->n_file, files->path[0]);
    }
    plan->incomplete = !*complete;
    if (!*complete) {
        hg_log_warn("catalogue: partial, %d of %" PRId64 " files, %" PRId64 " of %" PRId64
                    " subhaloes of '%s'",
                    files->n, h->n_file, plan->n_row, h->total_sub, files->path[0]);
    }
    return HG_OK;
}

static void
number_all(hg_plan *plan)
{
    int64_t group = 0;

    for (int i = 0; i < plan->n_file; i++) {
        plan->file[i].extra[HG_SUBFIND_FIRST_GROUP] = group;
        plan->file[i].extra[HG_SUBFIND_FIRST_SUB] = plan->file[i].first;
        group += plan->file[i].extra[HG_SUBFIND_GROUPS];
    }
}

hg_status
hg_subfind_set(const hg_catalog_options *options, const hg_files *files,
               hg_subfind_read_header *read, hg_plan *plan, hg_subfind_header *first,
               bool *complete)
{
    HG_TRY(read_headers(files, read, plan, first));
    HG_TRY(check_set(options, files, first, plan, complete));
    plan->frame = first->frame;
    return HG_OK;
}

hg_status
hg_subfind_number(const hg_files *files, bool complete, hg_plan *plan)
{
    if (!complete) {
        return hg_subfind_locate(files, plan);
    }
    number_all(plan);
    return HG_OK;
}
