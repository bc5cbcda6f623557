/* Offsets of Arepo follow from lengths alone: groups come one after the other, each with its
 * subhaloes in order and what belongs to none of them behind. All lists are planned on one
 * rank: 24 bytes for an object. */
#include "catalog/member_files.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "store/h5.h"

void
hg_member_plan_clear(hg_member_plan *plan)
{
    hg_mem_free(plan->list);
    hg_mem_free(plan->first);
    hg_files_clear(&plan->files);
    *plan = (hg_member_plan){0};
}

/* A number per row of a dataset, over all files; a file without it has no rows. `column` < 0
 * is for one-dimensional datasets. */
typedef struct sequence {
    const char *dataset;
    int64_t column;
    int64_t n;
    int64_t *value;
    int found; /* files that have it */
} sequence;

static hg_status
append_file(hg_h5 *file, sequence *s)
{
    hg_h5_info info;

    if (!hg_h5_exists(file, s->dataset)) {
        return HG_OK;
    }
    HG_TRY(hg_h5_describe(file, s->dataset, &info));
    if (!info.numeric || info.n_dim != (s->column < 0 ? 1 : 2) || s->column >= info.row) {
        return HG_FAIL(HG_E_FORMAT, "dataset '%s' of '%s' has an unexpected shape or type",
                       s->dataset, hg_h5_path(file));
    }
    s->found++;
    HG_TRY(hg_mem_resize(&s->value, (size_t)(s->n + info.dims[0]) + 1, sizeof *s->value));
    if (s->column < 0) {
        HG_TRY(hg_h5_read(file, s->dataset, 0, info.dims[0], HG_I64, s->value + s->n));
    } else {
        HG_TRY(hg_h5_read_column(file, s->dataset, 0, info.dims[0], s->column, HG_I64,
                                 s->value + s->n));
    }
    s->n += info.dims[0];
    return HG_OK;
}

static hg_status
read_sequences(const char *pattern, int n, sequence s[])
{
    hg_files files = {0};
    hg_status status;

    HG_TRY_OR(done, status, hg_files_expand(1, &pattern, &files));
    for (int i = 0; i < files.n; i++) {
        hg_h5 *file = NULL;

        HG_TRY_OR(done, status, hg_h5_open(files.path[i], &file));
        for (int k = 0; k < n && status == HG_OK; k++) {
            status = append_file(file, &s[k]);
        }
        hg_status closed = hg_h5_close(file);

        status = status == HG_OK ? closed : status;
        if (status != HG_OK) {
            break;
        }
    }
done:
    hg_files_clear(&files);
    return status;
}

static void
clear_sequences(int n, sequence s[])
{
    for (int i = 0; i < n; i++) {
        hg_mem_free(s[i].value);
    }
}

/* Files with ids and how many each holds. */
static hg_status
plan_ids(const char *pattern, const char *dataset, hg_member_plan *plan)
{
    plan->dataset = dataset;
    HG_TRY(hg_files_expand(1, &pattern, &plan->files));
    HG_TRY(hg_mem_zeros(&plan->first, (size_t)plan->files.n + 1, sizeof *plan->first));
    for (int i = 0; i < plan->files.n; i++) {
        hg_h5 *file = NULL;
        hg_h5_info info = {0};
        hg_status status, closed;

        HG_TRY(hg_h5_open(plan->files.path[i], &file));
        status = hg_h5_exists(file, dataset) ? hg_h5_describe(file, dataset, &info) : HG_OK;
        if (status == HG_OK && info.n_dim > 1) {
            status = HG_FAIL(HG_E_FORMAT, "dataset '%s' of '%s' is not a list of ids", dataset,
                             plan->files.path[i]);
        }
        closed = hg_h5_close(file);
        HG_TRY(status);
        HG_TRY(closed);
        plan->first[i + 1] = plan->first[i] + (info.n_dim == 1 ? info.dims[0] : 0);
    }
    return plan->first[plan->files.n] > 0
               ? HG_OK
               : HG_FAIL(HG_E_FORMAT, "'%s' holds no particle ids: there is no '%s'", pattern,
                         dataset);
}

static hg_status
add_list(hg_member_plan *plan, int64_t key, int64_t offset, int64_t length)
{
    const int64_t end = plan->first[plan->files.n];

    if (length < 0 || offset < 0 || offset > end || length > end - offset) {
        return HG_FAIL(HG_E_INPUT,
                       "the particles of object %" PRId64 " are %" PRId64 " from %" PRId64
                       " on, but '%s' and its like hold %" PRId64
                       ": these files do not belong together",
                       key, length, offset, plan->files.path[0], end);
    }
    plan->list[plan->n++] = (hg_member_list){key, offset, length};
    return HG_OK;
}

hg_status
hg_member_plan_own(const char *ids, const char *catalogue, hg_member_plan *plan)
{
    (void)catalogue;
    HG_TRY(plan_ids(ids, "Particles/Id", plan));
    for (int i = 0; i < plan->files.n; i++) {
        sequence s[] = {{.dataset = "Objects/Id", .column = -1},
                        {.dataset = "Objects/Offset", .column = -1},
                        {.dataset = "Objects/Length", .column = -1}};
        hg_status status = read_sequences(plan->files.path[i], 3, s);

        if (status == HG_OK && (s[0].n != s[1].n || s[0].n != s[2].n)) {
            status =
                HG_FAIL(HG_E_FORMAT, "Objects/Id, Offset and Length of '%s' differ in length",
                        plan->files.path[i]);
        }
        if (status == HG_OK) {
            status =
                hg_mem_resize(&plan->list, (size_t)(plan->n + s[0].n) + 1, sizeof *plan->list);
        }
        for (int64_t k = 0; k < s[0].n && status == HG_OK; k++) {
            status =
                add_list(plan, s[0].value[k], plan->first[i] + s[1].value[k], s[2].value[k]);
        }
        clear_sequences(3, s);
        HG_TRY(status);
    }
    return HG_OK;
}

/* Subhaloes from the start of their group on, as Arepo writes them. */
static hg_status
list_by_groups(const sequence *group_length, const sequence *n_sub, const sequence *length,
               hg_member_plan *plan)
{
    int64_t start = 0, next = 0;

    for (int64_t g = 0; g < group_length->n; g++) {
        int64_t offset = start;

        for (int64_t k = 0; k < n_sub->value[g] && next < length->n; k++, next++) {
            HG_TRY(add_list(plan, next, offset, length->value[next]));
            offset += length->value[next];
        }
        start += group_length->value[g];
        if (offset > start) {
            return HG_FAIL(HG_E_INPUT,
                           "group %" PRId64 " has fewer particles than its subhaloes", g);
        }
    }
    return next == length->n
               ? HG_OK
               : HG_FAIL(HG_E_INPUT,
                         "the groups have %" PRId64 " subhaloes, but there are %" PRId64, next,
                         length->n);
}

hg_status
hg_member_plan_gadget(const char *ids, const char *catalogue, hg_member_plan *plan)
{
    enum { DARK_MATTER = 1 };
    sequence s[] = {{.dataset = "Subhalo/SubhaloLenType", .column = DARK_MATTER},
                    {.dataset = "Subhalo/SubhaloOffsetType", .column = DARK_MATTER},
                    {.dataset = "Group/GroupLenType", .column = DARK_MATTER},
                    {.dataset = "Group/GroupNsubs", .column = -1}};
    hg_status status;

    HG_TRY_OR(done, status, plan_ids(ids, "PartType1/ParticleIDs", plan));
    HG_TRY_OR(done, status, read_sequences(catalogue, 4, s));
    HG_TRY_OR(done, status, hg_mem_resize(&plan->list, (size_t)s[0].n + 1, sizeof *plan->list));
    if (s[1].found > 0 && s[1].n == s[0].n) {
        for (int64_t i = 0; i < s[0].n && status == HG_OK; i++) {
            status = add_list(plan, i, s[1].value[i], s[0].value[i]);
        }
    } else if (s[2].n != s[3].n) {
        status = HG_FAIL(HG_E_FORMAT,
                         "'%s' needs Group/GroupLenType and Group/GroupNsubs, or "
                         "Subhalo/SubhaloOffsetType, to tell where particles stand",
                         catalogue);
    } else {
        status = list_by_groups(&s[2], &s[3], &s[0], plan);
    }
done:
    clear_sequences(4, s);
    return status;
}

hg_status
hg_member_plan_eagle(const char *ids, const char *catalogue, hg_member_plan *plan)
{
    sequence s[] = {{.dataset = "Subhalo/SubOffset", .column = -1},
                    {.dataset = "Subhalo/SubLength", .column = -1}};
    hg_status status;

    HG_TRY_OR(done, status, plan_ids(ids, "IDs/ParticleID", plan));
    HG_TRY_OR(done, status, read_sequences(catalogue, 2, s));
    HG_TRY_OR(done, status, hg_mem_resize(&plan->list, (size_t)s[0].n + 1, sizeof *plan->list));
    if (s[0].n != s[1].n) {
        status =
            HG_FAIL(HG_E_FORMAT, "SubOffset and SubLength of '%s' differ in length", catalogue);
    }
    for (int64_t i = 0; i < s[0].n && status == HG_OK; i++) {
        status = add_list(plan, i, s[0].value[i], s[1].value[i]);
    }
done:
    clear_sequences(2, s);
    return status;
}

typedef struct hbt_reader {
    int64_t *track;
    int64_t n_track, most;
    hg_members *members;
} hbt_reader;

static hg_status
take_list(int64_t row, int64_t n, const uint64_t id[], void *context)
{
    const hbt_reader *r = context;
    hg_members *m = r->members;
    const int64_t kept = r->most > 0 && r->most < n ? r->most : n;

    if (row >= r->n_track) {
        return HG_OK; /* the caller compares the numbers */
    }
    HG_TRY(hg_members_open_object(m, r->track[row], kept));
    for (int64_t k = 0; k < kept; k++) {
        m->id[m->first[m->n]++] = id[k];
    }
    return HG_OK;
}

static hg_status
read_hbt(hg_h5 *file, hbt_reader *r)
{
    hg_h5_info info;
    int64_t n = 0;

    HG_TRY(hg_h5_describe(file, "Subhalos/TrackId", &info));
    r->n_track = info.dims[0];
    HG_TRY(hg_mem_array(&r->track, (size_t)r->n_track, sizeof *r->track));
    HG_TRY(hg_h5_read(file, "Subhalos/TrackId", 0, r->n_track, HG_I64, r->track));
    HG_TRY(hg_h5_read_lists(file, "SubhaloParticles", &n, take_list, r));
    if (n != r->n_track) {
        return HG_FAIL(HG_E_INPUT,
                       "'%s' holds %" PRId64 " lists of particles for %" PRId64 " subhaloes",
                       hg_h5_path(file), n, r->n_track);
    }
    return HG_OK;
}

hg_status
hg_members_hbt(const char *path, int64_t most, hg_members *members)
{
    hbt_reader reader = {.most = most, .members = members};
    hg_h5 *file = NULL;
    hg_status status, closed;

    HG_TRY(hg_h5_open(path, &file));
    status = read_hbt(file, &reader);
    closed = hg_h5_close(file);
    hg_mem_free(reader.track);
    return status == HG_OK ? closed : status;
}
