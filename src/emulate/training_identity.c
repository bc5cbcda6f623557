/* A row is known by run, region and id; what it is in the parent is told by the column
 * parent_id, or follows where rows and parent are of the same run or files. Identifiers of one
 * region repeat at other redshifts, so the redshift is then part of the run's name in the key;
 * the group stays that of the region, whose haloes are the same at all times. */
#include "emulate/training_identity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "table/identity.h"

/* Training on rows of the very files that are the parent: they are the same haloes. */
static bool
is_parent_itself(const hg_params *p)
{
    bool same = p->zooms.files.n > 0 && p->zooms.files.n == p->parent.files.n;

    for (int i = 0; i < p->zooms.files.n && same; i++) {
        same = strcmp(p->zooms.files.v[i], p->parent.files.v[i]) == 0;
    }
    return same;
}

/* Whether rows of this redshift can be haloes of the parent: its own redshift must be known
 * when there are several. */
static bool
is_parents_epoch(const hg_params *p, double redshift)
{
    return fabs(redshift - p->parent.redshift) <= p->parent.redshift_tolerance;
}

void
hg_training_identify(const hg_params *p, bool from_parent, bool is_epoch, const hg_table *table,
                     const hg_region *region, const char *run, uint64_t key[], uint64_t group[],
                     uint64_t parent_key[], double weight[])
{
    const hg_column *regions = hg_table_find(table, "region"),
                    *runs = hg_table_find(table, "run"),
                    *weights = hg_table_find(table, "weight"),
                    *parents = hg_table_find(table, "parent_id"),
                    *groups = p->selection.group != NULL
                                  ? hg_table_find(table, p->selection.group)
                                  : NULL;
    const int64_t *id = hg_table_i64(table, "id");
    const uint64_t parent = hg_halo_prefix(p->parent.run, HG_NO_REGION);
    const bool same_run = strcmp(run, p->parent.run) == 0;
    const bool same_files = region == NULL && is_parent_itself(p);
    const bool is_here = !is_epoch || is_parents_epoch(p, table->frame.redshift);
    char own[96];

    snprintf(own, sizeof own, "%s", run);
    if (is_epoch) {
        snprintf(own, sizeof own, "%s at %.6f", run, table->frame.redshift);
    }
    for (int64_t i = 0; i < table->n; i++) {
        const int64_t number =
            region != NULL ? region->region : hg_halo_place(regions, runs, i);
        const int64_t ancestor = parents != NULL ? hg_column_integer(parents, i) : -1;

        key[i] = hg_halo_key(own, number, id[i]);
        group[i] = groups != NULL ? hg_halo_key(run, number, hg_column_integer(groups, i))
                                  : hg_halo_prefix(run, number);
        weight[i] = weights != NULL ? hg_column_value(weights, i, 0)
                    : region != NULL && isfinite(region->weight) ? region->weight
                                                                 : 1;
        parent_key[i] = 0;
        if (!is_here) {
            continue;
        }
        if (!from_parent && ancestor >= 0) {
            parent_key[i] = hg_halo_key_of(parent, ancestor);
        } else if (!from_parent && parents == NULL && same_files) {
            parent_key[i] = hg_halo_key(p->parent.run, number, id[i]);
        } else if (from_parent || (parents == NULL && same_run)) {
            parent_key[i] = hg_halo_key_of(parent, id[i]);
        }
    }
}

void
hg_training_trace(const hg_table *table, const hg_region *region, const char *run,
                  uint64_t place[], uint64_t simulation[], int64_t number[])
{
    const hg_column *regions = region == NULL ? hg_table_find(table, "region") : NULL,
                    *runs = region == NULL ? hg_table_find(table, "run") : NULL;

    for (int64_t i = 0; i < table->n; i++) {
        const int64_t own = runs != NULL ? hg_column_integer(runs, i) : HG_NO_REGION;

        place[i] = hg_halo_prefix(run, region != NULL ? region->region
                                                      : hg_halo_place(regions, runs, i));
        simulation[i] = hg_halo_prefix(run, own);
        number[i] = region != NULL    ? region->region
                    : regions != NULL ? hg_column_integer(regions, i)
                                      : own;
    }
}
