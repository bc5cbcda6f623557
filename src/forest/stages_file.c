/* Model files. One rank writes HDF5 to a temporary name, seals it with the hash of its bytes
 * and publishes it. Loading checks the seal, the format and its version, every stage by itself
 * before it is given to the other ranks, how the stages hang together, and the content hash of
 * the whole, in this order. The texts of a model are those of its first stage. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "forest/model_file.h"
#include "forest/model_share.h"
#include "forest/stage.h"
#include "halograft_version.h"
#include "store/publish.h"
#include "store/seal.h"

#define FORMAT "halograft-model"
enum { VERSION = 1 };

/* ---- one stage ---- */
static hg_status
move_columns(hg_h5 *file, int s, const char *name, int64_t n, hg_stage_column column[],
             bool is_write)
{
    const int64_t shape[2] = {n, 2};
    char path[HG_STAGE_PATH];

    hg_stage_path(s, name, path);
    return is_write ? hg_h5_write(file, path, HG_I32, 2, shape, NULL, column)
                    : hg_h5_read(file, path, 0, n, HG_I32, column);
}

static hg_status
write_stage(hg_h5 *file, int s, const hg_stage *from)
{
    const int64_t n = from->n_input;
    hg_stage stage = *from; /* reading and writing share a path that is not const */
    char path[HG_STAGE_PATH];

    HG_TRY(hg_model_write(file, s, stage.forest));
    hg_stage_path(s, NULL, path);
    HG_TRY(hg_h5_put_integer(file, path, "use", (int64_t)stage.use));
    HG_TRY(hg_h5_put_integer(file, path, "label", stage.is_label));
    HG_TRY(move_columns(file, s, "output", stage.n_output, stage.output, true));
    if (n == 0) {
        return HG_OK;
    }
    HG_TRY(move_columns(file, s, "input", n, stage.input, true));
    hg_stage_path(s, "closed", path);
    return hg_h5_write(file, path, HG_F64, 1, &n, NULL, stage.closed);
}

/* rows of a dataset of a stage, which must be `width` wide */
static hg_status
count_rows(hg_h5 *file, const char *file_name, int s, const char *name, int64_t width, int most,
           int *n)
{
    char path[HG_STAGE_PATH];
    hg_h5_info info;

    hg_stage_path(s, name, path);
    HG_TRY(hg_h5_describe(file, path, &info));
    if (info.dims[0] < 1 || info.dims[0] > most ||
        (info.n_dim > 1 ? info.dims[1] : 1) != width) {
        return HG_FAIL(HG_E_FORMAT, "dataset '%s' in '%s' has an impossible shape", path,
                       file_name);
    }
    *n = (int)info.dims[0];
    return HG_OK;
}

/* all but the forest */
static hg_status
read_stage(hg_h5 *file, const char *name, int s, hg_stage *stage)
{
    int64_t use = 0, label = 0;
    char path[HG_STAGE_PATH];
    int n_closed = 0;

    hg_stage_path(s, NULL, path);
    HG_TRY(hg_h5_get_integer(file, path, "use", &use));
    HG_TRY(hg_h5_get_integer(file, path, "label", &label));
    if (use < HG_STAGE_BOTH || use > HG_STAGE_DRAW) {
        return HG_FAIL(HG_E_FORMAT, "'%s' in '%s' has the impossible use %" PRId64, path, name,
                       use);
    }
    stage->use = (hg_stage_use)use;
    stage->is_label = label != 0;
    HG_TRY(count_rows(file, name, s, "output", 2, HG_TARGETS_MAX, &stage->n_output));
    HG_TRY(move_columns(file, s, "output", stage->n_output, stage->output, false));
    hg_stage_path(s, "input", path);
    if (!hg_h5_exists(file, path)) {
        return HG_OK;
    }
    HG_TRY(count_rows(file, name, s, "input", 2, HG_INPUTS_MAX, &stage->n_input));
    HG_TRY(move_columns(file, s, "input", stage->n_input, stage->input, false));
    HG_TRY(count_rows(file, name, s, "closed", 1, HG_INPUTS_MAX, &n_closed));
    if (n_closed != stage->n_input) {
        return HG_FAIL(HG_E_FORMAT, "stage %d in '%s' has %d inputs and %d values for them", s,
                       name, stage->n_input, n_closed);
    }
    hg_stage_path(s, "closed", path);
    return hg_h5_read(file, path, 0, n_closed, HG_F64, stage->closed);
}

/* ---- writing ---- */
static hg_status
write_content(const void *stages, hg_h5 *file)
{
    const hg_stages *m = stages;
    const hg_forest *first = m->stage[0].forest;
    char text[32];

    HG_TRY(hg_h5_put_string(file, "/", "format", FORMAT));
    HG_TRY(hg_h5_put_integer(file, "/", "version", VERSION));
    HG_TRY(hg_h5_put_integer(file, "/", "stages", m->n));
    snprintf(text, sizeof text, "%016" PRIx64, m->hash);
    HG_TRY(hg_h5_put_string(file, "/", "content_hash", text));
    HG_TRY(hg_h5_group(file, "/provenance"));
    HG_TRY(hg_h5_put_string(file, "/provenance", "code_version", HG_VERSION " " HG_COMMIT));
    HG_TRY(hg_h5_group(file, "/meta"));
    for (int i = 0; i < first->n_meta; i++) {
        HG_TRY(hg_h5_put_string(file, "/meta", first->meta[i].name, first->meta[i].text));
    }
    for (int s = 0; s < m->n; s++) {
        HG_TRY(write_stage(file, s, &m->stage[s]));
    }
    return HG_OK;
}

/* Bytes of the large datasets of a model; leaf-mates on disk are left out. */
static double
bytes_of(const hg_stages *m)
{
    double bytes = 0;

    for (int s = 0; s < m->n; s++) {
        const hg_forest *f = m->stage[s].forest;
        const uint64_t n_leaf = f->leaf_offset[f->n_tree];

        bytes += (double)f->node_offset[f->n_tree] * (double)sizeof(hg_node) +
                 (double)n_leaf * (double)(8 + 4 * f->n_target) +
                 (double)f->n_row * (double)(32 + 8 * f->n_target);
        bytes += f->mate_offset != NULL ? 4.0 * (double)f->mate_offset[n_leaf] : 0;
    }
    return bytes;
}

static hg_status
fill_file(const void *stages, const char *temporary)
{
    return hg_seal_file(temporary, write_content, stages);
}

static hg_status
write_file(const hg_stages *m, const char *path)
{
    HG_TRY(hg_space_check(path, bytes_of(m)));
    return hg_publish_file(path, fill_file, m);
}

hg_status
hg_stages_save(const hg_comm *comm, const hg_stages *m, const char *path, int overwrite)
{
    hg_status status = HG_OK, agreed;

    if (comm->rank == 0) {
        if (!overwrite && hg_file_exists(path)) {
            status = HG_FAIL(HG_E_EXISTS,
                             "'%s' exists already: give --overwrite or another name", path);
        } else {
            status = write_file(m, path);
        }
    }
    agreed = hg_comm_agree(comm, status);
    if (agreed != HG_OK && status == HG_OK && comm->rank == 0) {
        unlink(path); /* what failed leaves nothing */
    }
    return agreed;
}

hg_status
hg_forest_save(const hg_comm *comm, const hg_forest *forest, const char *path, int overwrite)
{
    hg_forest view = *forest; /* borrowed, so the model is not freed with hg_stages_free() */
    hg_stages *m = NULL;
    hg_status status;

    HG_TRY(hg_comm_agree(comm, hg_stages_wrap(&view, &m)));
    status = hg_stages_save(comm, m, path, overwrite);
    hg_mem_free(m);
    return status;
}

/* ---- reading ---- */
static hg_status
check_format(hg_h5 *file, const char *path)
{
    char format[32];
    int64_t version = 0;

    hg_status status = hg_h5_get_string(file, "/", "format", sizeof format, format);

    if (status == HG_E_MEMORY) {
        return status;
    }
    if (status != HG_OK || strcmp(format, FORMAT) != 0) {
        return HG_FAIL(HG_E_FORMAT, "'%s' is not a halograft model", path);
    }
    HG_TRY(hg_h5_get_integer(file, "/", "version", &version));
    if (version > VERSION || version < 1) {
        return HG_FAIL(HG_E_FORMAT,
                       "'%s' is a model of format version %" PRId64
                       ", this program reads up to %d: use a newer program",
                       path, version, VERSION);
    }
    return HG_OK;
}

typedef struct hg_meta_walk {
    hg_h5 *file;
    hg_forest *forest;
} hg_meta_walk;

static hg_status
read_meta(const char *name, void *context)
{
    hg_meta_walk *walk = context;
    hg_text text = {0};
    hg_status status = hg_h5_get_text(walk->file, "/meta", name, &text);

    if (status == HG_OK) {
        status = hg_forest_set_meta(walk->forest, name, hg_text_string(&text));
    }
    hg_text_clear(&text);
    return status;
}

static hg_status
visit_attribute(const char *name, bool is_group, void *context)
{
    (void)is_group;
    return read_meta(name, context);
}

/* long texts are datasets; see hg_h5_put_string() */
static hg_status
visit_dataset(const char *name, bool is_group, void *context)
{
    return is_group ? HG_OK : read_meta(name, context);
}

/* open a file that is whole and a model */
static hg_status
open_file(const char *path, int64_t *n_stage, hg_h5 **file)
{
    bool is_sealed = false;

    HG_TRY(hg_seal_check(path, &is_sealed));
    HG_TRY(hg_h5_open(path, file));
    HG_TRY(check_format(*file, path));
    HG_TRY(hg_h5_get_integer(*file, "/", "stages", n_stage));
    if (*n_stage < 1 || *n_stage > HG_STAGES_MAX) {
        return HG_FAIL(HG_E_FORMAT, "'%s' has the impossible number of %" PRId64 " stages",
                       path, *n_stage);
    }
    return HG_OK;
}

static hg_status
load_stage(const hg_comm *comm, hg_h5 *file, const char *path, int s, hg_stage *stage)
{
    hg_status status = HG_OK;
    hg_forest *forest;

    HG_TRY(hg_model_load(comm, file, path, s, &stage->forest));
    if (comm->rank == 0) {
        status = read_stage(file, path, s, stage);
    }
    HG_TRY(hg_comm_agree(comm, status));
    forest = stage->forest;
    hg_comm_broadcast(comm, 0, stage, sizeof *stage);
    stage->forest = forest; /* a pointer of this rank */
    return HG_OK;
}

/* texts, and whether the stages are those that were written */
static hg_status
read_rest(hg_h5 *file, const char *path, hg_stages *m)
{
    char text[32], wanted[32];
    hg_meta_walk walk = {file, m->stage[0].forest};

    HG_TRY(hg_h5_list_attributes(file, "/meta", visit_attribute, &walk));
    HG_TRY(hg_h5_list(file, "/meta", visit_dataset, &walk));
    HG_TRY(hg_stages_complete(m));
    HG_TRY(hg_h5_get_string(file, "/", "content_hash", sizeof text, text));
    snprintf(wanted, sizeof wanted, "%016" PRIx64, m->hash);
    if (strcmp(text, wanted) != 0) {
        return HG_FAIL(HG_E_VERIFY, "the content of model '%s' has hash %s, but it says %s",
                       path, wanted, text);
    }
    return HG_OK;
}

/* the stages of a file that rank 0 opens; it is left open where something fails */
static hg_status
load_file(const hg_comm *comm, const char *path, hg_h5 **file, hg_stages *m)
{
    hg_status status = HG_OK;
    int64_t n = 0;

    if (comm->rank == 0) {
        status = open_file(path, &n, file);
    }
    HG_TRY(hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, &n, sizeof n);
    for (m->n = 0; m->n < n; m->n++) {
        HG_TRY(load_stage(comm, *file, path, m->n, &m->stage[m->n]));
    }
    if (comm->rank == 0) {
        status = read_rest(*file, path, m);
    }
    HG_TRY(hg_comm_agree(comm, status));
    HG_TRY(hg_model_share_meta(comm, m->stage[0].forest));
    return hg_comm_agree(comm, comm->rank > 0 ? hg_stages_complete(m) : HG_OK);
}

hg_status
hg_stages_load(const hg_comm *comm, const char *path, hg_stages **stages)
{
    hg_status status, closed;
    hg_stages *m = NULL;
    hg_h5 *file = NULL;

    *stages = NULL;
    status = hg_comm_agree(comm, hg_mem_zeros(&m, 1, sizeof *m));
    if (status == HG_OK) {
        status = load_file(comm, path, &file, m);
        closed = hg_h5_close(file);
        status = status != HG_OK ? status : hg_comm_agree(comm, closed);
    }
    if (status != HG_OK) {
        hg_stages_free(m);
        return status;
    }
    *stages = m;
    return HG_OK;
}

hg_status
hg_forest_load(const hg_comm *comm, const char *path, hg_forest **forest)
{
    hg_stages *m = NULL;

    *forest = NULL;
    HG_TRY(hg_stages_load(comm, path, &m));
    if (m->n == 1 && !m->stage[0].is_label) {
        *forest = m->stage[0].forest;
        m->stage[0].forest = NULL;
    }
    hg_stages_free(m);
    return *forest != NULL
               ? HG_OK
               : HG_FAIL(HG_E_FORMAT, "'%s' is a model of several stages or of labels", path);
}
