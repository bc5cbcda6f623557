/* The way of a forest from a file to all ranks: sizes come first, then the memory that the
 * ranks of a node share, and rank 0 reads into that, so that no rank ever holds a copy of its
 * own. */
#include "forest/model_share.h"

#include "base/memory.h"
#include "forest/model_file.h"

/* the members of a forest that are no pointers, as one block */
static void
take_scalars(const hg_forest *from, hg_forest *to)
{
    to->options = from->options;
    to->feature_bits = from->feature_bits;
    to->weight_unit = from->weight_unit;
    memcpy(to->centre, from->centre, sizeof to->centre);
    memcpy(to->quantum, from->quantum, sizeof to->quantum);
    memcpy(to->scale, from->scale, sizeof to->scale);
    memcpy(to->cost, from->cost, sizeof to->cost);
    memcpy(to->target_weight, from->target_weight, sizeof to->target_weight);
}

hg_status
hg_model_share_meta(const hg_comm *comm, hg_forest *f)
{
    int n_meta = f->n_meta;

    hg_comm_broadcast(comm, 0, &n_meta, sizeof n_meta);
    for (int i = 0; i < n_meta; i++) {
        hg_status status = HG_OK;
        char name[sizeof f->meta->name] = "";
        char *text = NULL;
        uint64_t n = 0;

        if (comm->rank == 0) {
            memcpy(name, f->meta[i].name, sizeof name);
            n = strlen(f->meta[i].text) + 1;
        }
        hg_comm_broadcast(comm, 0, name, sizeof name);
        hg_comm_broadcast(comm, 0, &n, sizeof n);
        status = hg_comm_agree(comm, hg_mem_array(&text, n, 1));
        if (status != HG_OK) {
            hg_mem_free(text);
            return status;
        }
        if (comm->rank == 0) {
            memcpy(text, f->meta[i].text, n);
        }
        hg_comm_broadcast(comm, 0, text, n);
        status = comm->rank == 0 ? HG_OK : hg_forest_set_meta(f, name, text);
        hg_mem_free(text);
        HG_TRY(hg_comm_agree(comm, status));
    }
    return HG_OK;
}

static hg_status
share_optional(const hg_comm *comm, hg_forest *f)
{
    for (int k = 0; k < HG_MODEL_OPTIONAL; k++) {
        hg_model_item item;
        float **array = hg_model_optional(f, k, &item);
        const size_t n_byte = hg_model_item_bytes(&item);
        char is_there = *array != NULL;
        hg_status status = HG_OK;

        hg_comm_broadcast(comm, 0, &is_there, 1);
        if (!is_there) {
            continue;
        }
        if (comm->rank > 0) {
            status = hg_mem_array(array, n_byte / sizeof **array, sizeof **array);
        }
        HG_TRY(hg_comm_agree(comm, status));
        hg_comm_broadcast(comm, 0, *array, n_byte);
    }
    return HG_OK;
}

/* a forest of the same sizes on all ranks, with memory for its trees, of which rank 0 knows */
static hg_status
share_sizes(const hg_comm *comm, uint64_t *n_mate, hg_forest **forest)
{
    hg_status status = HG_OK;
    hg_forest scalars = {0}, *f;
    size_t n_offset;

    if (comm->rank == 0) {
        scalars = **forest;
    }
    hg_comm_broadcast(comm, 0, &scalars, sizeof scalars);
    hg_comm_broadcast(comm, 0, n_mate, sizeof *n_mate);
    if (comm->rank > 0) {
        status = hg_model_create(scalars.n_feature, scalars.n_target, scalars.n_tree,
                                 scalars.n_row, forest);
        if (status == HG_OK) {
            take_scalars(&scalars, *forest);
        }
    }
    HG_TRY(hg_comm_agree(comm, status));
    f = *forest;
    n_offset = (size_t)f->n_tree + 1;
    hg_comm_broadcast(comm, 0, f->node_offset, n_offset * sizeof *f->node_offset);
    hg_comm_broadcast(comm, 0, f->leaf_offset, n_offset * sizeof *f->leaf_offset);
    return hg_model_reserve_shared(comm, f, *n_mate);
}

static hg_status
share_arrays(const hg_comm *comm, uint64_t n_mate, hg_forest *f)
{
    hg_model_item item[HG_MODEL_ITEMS];
    hg_shared_piece piece[4];

    hg_model_pieces(f, 0, f->n_tree, 0, n_mate, 0, piece);
    HG_TRY(hg_shared_spread(comm, 4, piece, &f->block));
    hg_model_list(f, n_mate, item);
    for (int i = 2; i < HG_MODEL_ITEMS; i++) {
        if (item[i].data != f->mean && item[i].data != f->mate) {
            hg_comm_broadcast(comm, 0, item[i].data, hg_model_item_bytes(&item[i]));
        }
    }
    hg_comm_broadcast(comm, 0, f->feature, (size_t)f->n_feature * sizeof *f->feature);
    hg_comm_broadcast(comm, 0, f->target, (size_t)f->n_target * sizeof *f->target);
    return share_optional(comm, f);
}

hg_status
hg_model_load(const hg_comm *comm, hg_h5 *file, const char *path, int stage, hg_forest **forest)
{
    hg_status status = HG_OK;
    uint64_t n_mate = 0;

    *forest = NULL;
    if (comm->rank == 0) {
        status = hg_model_read_sizes(file, path, stage, forest, &n_mate);
    }
    HG_TRY(hg_comm_agree(comm, status));
    HG_TRY(share_sizes(comm, &n_mate, forest));
    if (comm->rank == 0) {
        status = hg_model_read_arrays(file, path, stage, n_mate, *forest);
    }
    HG_TRY(hg_comm_agree(comm, status));
    HG_TRY(share_arrays(comm, n_mate, *forest));
    if (comm->rank > 0) {
        status = hg_model_complete(*forest);
    }
    return hg_comm_agree(comm, status);
}
