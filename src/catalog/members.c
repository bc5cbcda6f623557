/* One rank finds where the lists stand; each rank then reads a range of them with about the
 * same number of particles. Neighbouring lists are read at once. Text files and files of
 * HBT are dealt out whole. */
#include "catalog/members.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "catalog/member_files.h"
#include "store/h5.h"
#include "store/publish.h"

void
hg_members_clear(hg_members *members)
{
    hg_mem_free(members->key);
    hg_mem_free(members->first);
    hg_mem_free(members->id);
    *members = (hg_members){0};
}

/* One format: lists planned from HDF5 files, or read file by file. */
static const struct {
    const char *name;
    const char *dataset; /* that tells it, of the ids or of the catalogue */
    hg_status (*plan)(const char *ids, const char *catalogue, hg_member_plan *plan);
    hg_status (*read)(const char *path, int64_t most, hg_members *members);
    bool needs_catalogue;
} formats[] = {{"halograft", "Objects/Offset", hg_member_plan_own, NULL, false},
               {"gadget", "Subhalo/SubhaloLenType", hg_member_plan_gadget, NULL, true},
               {"eagle", "Subhalo/SubOffset", hg_member_plan_eagle, NULL, true},
               {"hbt", "SubhaloParticles", NULL, hg_members_hbt, false},
               {"ahf", NULL, NULL, hg_members_ahf, false},
               {"rockstar", NULL, NULL, hg_members_rockstar, false}};
enum { N_FORMAT = sizeof formats / sizeof formats[0], OWN = 0, HBT = 3, AHF, ROCKSTAR };

/* Whether some file of a pattern has a dataset. */
static bool
has_dataset(const char *pattern, const char *dataset)
{
    hg_files files = {0};
    bool found = false;

    if (pattern != NULL && hg_files_expand(1, &pattern, &files) == HG_OK) {
        for (int i = 0; i < files.n && !found; i++) {
            hg_h5 *file = NULL;

            found = hg_h5_open(files.path[i], &file) == HG_OK && hg_h5_exists(file, dataset);
            found = hg_h5_close(file) == HG_OK && found;
        }
    }
    hg_files_clear(&files);
    return found;
}

static hg_status
find_format(const hg_members_options *o, int *format)
{
    const size_t n = strlen(o->ids);

    for (*format = 0; *format < N_FORMAT; ++*format) {
        if (strcmp(o->format, formats[*format].name) == 0) {
            return HG_OK;
        }
    }
    for (*format = 0; *format < AHF; ++*format) {
        if (has_dataset(*format == OWN || *format == HBT ? o->ids : o->catalogue,
                        formats[*format].dataset)) {
            return HG_OK;
        }
    }
    *format = strstr(o->ids, "AHF_particles") != NULL                ? AHF
              : n > 10 && strcmp(o->ids + n - 10, ".particles") == 0 ? ROCKSTAR
                                                                     : N_FORMAT;
    return *format < N_FORMAT
               ? HG_OK
               : HG_FAIL(HG_E_FORMAT,
                         "the format of the particle ids in '%s' is not known: name it in "
                         "Match.ids",
                         o->ids);
}

/* Lists of this rank: contiguous ranges with about equal numbers of particles. */
static hg_status
share_lists(const hg_comm *comm, const hg_member_plan *plan, int64_t most, int64_t *n,
            hg_member_list **list)
{
    int *target = NULL;
    int64_t total = 0, sum = 0;
    hg_status status = hg_mem_array(&target, (size_t)plan->n, sizeof *target);

    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int64_t i = 0; i < plan->n; i++) {
        int64_t *length = &plan->list[i].length;

        *length = most > 0 && most < *length ? most : *length;
        total += *length;
    }
    for (int64_t i = 0; i < plan->n; i++) {
        target[i] = (int)((double)sum / ((double)total + 1) * comm->size);
        sum += plan->list[i].length;
    }
    status = hg_comm_exchange(comm, plan->n, sizeof *plan->list, plan->list, target, n, list);
done:
    hg_mem_free(target);
    return status;
}

/* Names and lengths of the files with ids, from rank 0 to all. */
static hg_status
share_files(const hg_comm *comm, hg_member_plan *plan)
{
    int n = plan->files.n;
    hg_status status = HG_OK;

    hg_comm_broadcast(comm, 0, &n, sizeof n);
    if (comm->rank != 0) {
        status = hg_mem_zeros(&plan->files.path, (size_t)n, sizeof *plan->files.path);
        if (status == HG_OK) {
            status = hg_mem_zeros(&plan->first, (size_t)n + 1, sizeof *plan->first);
        }
        plan->files.n = status == HG_OK ? n : 0;
    }
    HG_TRY(hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, plan->first, ((size_t)n + 1) * sizeof *plan->first);
    for (int i = 0; i < n; i++) {
        char path[HG_PATH_MAX] = "";

        if (comm->rank == 0) {
            status = hg_text_path(sizeof path, path, "%s", plan->files.path[i]);
        }
        HG_TRY(hg_comm_agree(comm, status));
        hg_comm_broadcast(comm, 0, path, sizeof path);
        if (comm->rank != 0) {
            status = hg_mem_string(&plan->files.path[i], path);
        }
        HG_TRY(hg_comm_agree(comm, status));
    }
    return HG_OK;
}

/* Particle ids [first, first + n) of the sequence of all files. */
static hg_status
read_ids(const hg_member_plan *plan, const char *dataset, int64_t first, int64_t n,
         uint64_t id[])
{
    for (int i = 0; i < plan->files.n; i++) {
        const int64_t low = first > plan->first[i] ? first : plan->first[i];
        const int64_t high = first + n < plan->first[i + 1] ? first + n : plan->first[i + 1];
        hg_h5 *file = NULL;
        hg_status status, closed;

        if (low >= high) {
            continue;
        }
        HG_TRY(hg_h5_open(plan->files.path[i], &file));
        status = hg_h5_read(file, dataset, low - plan->first[i], high - low, HG_U64,
                            id + (low - first));
        closed = hg_h5_close(file);
        HG_TRY(status);
        HG_TRY(closed);
    }
    return HG_OK;
}

/* Fill the members from lists in any order; `buffer` holds what is read at once. */
static hg_status
read_lists(const hg_member_plan *plan, const char *dataset, int64_t n,
           const hg_member_list list[], hg_members *m)
{
    enum { GAP = 1 << 14, ONCE = 1 << 22 };
    uint64_t *buffer = NULL;
    hg_status status = HG_OK;

    for (int64_t i = 0, end; i < n && status == HG_OK; i = end) {
        const int64_t first = list[i].offset;
        int64_t last = first + list[i].length;

        for (end = i + 1;
             end < n && list[end].offset >= last && list[end].offset - last < GAP &&
             list[end].offset + list[end].length - first < ONCE;
             end++) {
            last = list[end].offset + list[end].length;
        }
        hg_mem_free(buffer);
        buffer = NULL;
        HG_TRY_OR(done, status, hg_mem_array(&buffer, (size_t)(last - first), sizeof *buffer));
        HG_TRY_OR(done, status, read_ids(plan, dataset, first, last - first, buffer));
        for (int64_t k = i; k < end; k++) {
            m->key[k] = list[k].key;
            m->first[k + 1] = m->first[k] + list[k].length;
            if (list[k].length > 0) {
                memcpy(m->id + m->first[k], buffer + (list[k].offset - first),
                       (size_t)list[k].length * sizeof *m->id);
            }
        }
    }
done:
    hg_mem_free(buffer);
    return status;
}

static hg_status
read_hdf5(const hg_comm *comm, const hg_members_options *o, int format, hg_members *m)
{
    hg_member_plan plan = {0};
    hg_member_list *list = NULL;
    char dataset[64] = "";
    int64_t n = 0, length = 0;
    hg_status status = HG_OK;

    if (comm->rank == 0) {
        status = formats[format].plan(o->ids, o->catalogue, &plan);
        strncpy(dataset, plan.dataset != NULL ? plan.dataset : "", sizeof dataset - 1);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, dataset, sizeof dataset);
    HG_TRY_OR(done, status, share_files(comm, &plan));
    HG_TRY_OR(done, status, share_lists(comm, &plan, o->most, &n, &list));
    for (int64_t i = 0; i < n; i++) {
        length += list[i].length;
    }
    m->n = n;
    status = hg_mem_array(&m->key, (size_t)n, sizeof *m->key);
    if (status == HG_OK) {
        status = hg_mem_zeros(&m->first, (size_t)n + 1, sizeof *m->first);
    }
    if (status == HG_OK) {
        status = hg_mem_array(&m->id, (size_t)length, sizeof *m->id);
    }
    if (status == HG_OK) {
        status = read_lists(&plan, dataset, n, list, m);
    }
    status = hg_comm_agree(comm, status);
done:
    hg_mem_free(list);
    hg_member_plan_clear(&plan);
    return status;
}

static hg_status
read_files(const hg_comm *comm, const hg_members_options *o, int format, hg_members *m)
{
    hg_files files = {0};
    hg_status status = hg_mem_zeros(&m->first, 1, sizeof *m->first);

    if (status == HG_OK) {
        status = hg_files_expand(1, &o->ids, &files);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int i = comm->rank; i < files.n && status == HG_OK; i += comm->size) {
        status = formats[format].read(files.path[i], o->most, m);
    }
    status = hg_comm_agree(comm, status);
done:
    hg_files_clear(&files);
    return status;
}

hg_status
hg_members_read(const hg_comm *comm, const hg_members_options *options, hg_members *members)
{
    int format = 0;
    hg_status status = HG_OK;

    *members = (hg_members){0};
    if (comm->rank == 0) {
        status = find_format(options, &format);
        if (status == HG_OK && formats[format].needs_catalogue && options->catalogue == NULL) {
            status = HG_FAIL(HG_E_PARAM, "particle ids of format %s need the catalogue",
                             formats[format].name);
        }
    }
    HG_TRY(hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, &format, sizeof format);
    status = formats[format].plan != NULL ? read_hdf5(comm, options, format, members)
                                          : read_files(comm, options, format, members);
    if (status != HG_OK) {
        hg_members_clear(members);
    }
    return status;
}

static hg_status
fill_file(const void *members, const char *temporary)
{
    const hg_members *m = members;
    const int64_t n = m->n, n_id = m->n > 0 ? m->first[n] : 0;
    hg_h5 *file = NULL;
    int64_t *length = NULL;
    hg_status status, closed;

    HG_TRY(hg_mem_array(&length, (size_t)n, sizeof *length));
    for (int64_t i = 0; i < n; i++) {
        length[i] = m->first[i + 1] - m->first[i];
    }
    HG_TRY_OR(done, status, hg_h5_create(temporary, &file));
    HG_TRY_OR(done, status, hg_h5_write(file, "Objects/Id", HG_I64, 1, &n, NULL, m->key));
    HG_TRY_OR(done, status, hg_h5_write(file, "Objects/Offset", HG_I64, 1, &n, NULL, m->first));
    HG_TRY_OR(done, status, hg_h5_write(file, "Objects/Length", HG_I64, 1, &n, NULL, length));
    status = hg_h5_write(file, "Particles/Id", HG_U64, 1, &n_id, NULL, m->id);
done:
    closed = hg_h5_close(file);
    hg_mem_free(length);
    return status == HG_OK ? closed : status;
}

hg_status
hg_members_write(const char *path, const hg_members *members)
{
    return hg_publish_file(path, fill_file, members);
}
