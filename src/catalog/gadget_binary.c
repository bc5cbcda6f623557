/* Binary snapshots of Gadget-2. Each block stands between two 4-byte markers with its length;
 * format 2 puts a block with a four-letter name in front of each. The first is the header of
 * 256 bytes, which tells the byte order. POS, VEL, ID and MASS follow in this order, particles
 * by type; MASS holds only types whose mass is not in the header. Whether numbers have 4 or 8
 * bytes follows from the length of a block, of which the marker has the low 32 bits. Units are
 * not stated. Manual of Gadget-2, section 6; Springel 2005 (MNRAS 364, 1105).
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "catalog/gadget.h"
#include "halograft/log.h"

enum { HEADER = 256, N_TYPE = 6 };

/* The place after a marker: where the next block is looked for. */
typedef struct walk {
    hg_binfile *file;
    bool is_named; /* format 2 */
    int64_t at;
} walk;

static hg_status
get_marker(const walk *w, int64_t at, uint32_t *marker)
{
    return hg_binfile_read(w->file, at, sizeof *marker, 1, marker);
}

/* Byte order and format from the first marker, and whether the header ends with another. */
static hg_status
begin(walk *w, bool *is_swapped, bool *is_ours)
{
    uint32_t first = 0, last = 0;

    *is_ours = *is_swapped = false;
    if (hg_binfile_size(w->file) < HEADER + 8) {
        return HG_OK;
    }
    for (int swap = 0; swap < 2 && !*is_ours; swap++) {
        hg_binfile_swap(w->file, swap > 0);
        HG_TRY(get_marker(w, 0, &first));
        w->is_named = first == 8;
        w->at = w->is_named ? 16 : 0;
        if ((first == HEADER || first == 8) && hg_binfile_size(w->file) >= w->at + HEADER + 8) {
            HG_TRY(get_marker(w, w->at, &first));
            HG_TRY(get_marker(w, w->at + HEADER + 4, &last));
            *is_ours = first == HEADER && last == HEADER;
            *is_swapped = swap > 0;
        }
    }
    return HG_OK;
}

bool
hg_gadget_is_binary(const char *path)
{
    walk w = {.file = NULL};
    bool is_ours = false, is_swapped = false;

    if (hg_binfile_open(path, &w.file) != HG_OK) {
        return false;
    }
    is_ours = begin(&w, &is_swapped, &is_ours) == HG_OK && is_ours;
    hg_binfile_close(w.file);
    return is_ours;
}

/* Some writers leave noise behind the fields they know. A file holds less than 2^31 particles
 * of a type, which bounds what so many files can hold. */
static void
drop_garbage(const walk *w, int32_t n_file, const uint32_t low[N_TYPE], uint32_t high[N_TYPE])
{
    const double most = (n_file > 1 ? (double)n_file : 1) * 0x1p31;

    for (int t = 0; t < N_TYPE; t++) {
        if ((double)low[t] + (double)high[t] * 0x1p32 > most) {
            hg_log_warn("catalogue: high words of particle numbers in '%s' are not taken, "
                        "because %d files cannot hold so many",
                        hg_binfile_path(w->file), n_file > 1 ? n_file : 1);
            memset(high, 0, N_TYPE * sizeof *high);
            return;
        }
    }
}

static hg_status
read_header(walk *w, hg_gadget_header *h)
{
    const int64_t at = w->at + 4;
    uint32_t low[N_TYPE], high[N_TYPE];
    int32_t here[N_TYPE], n_file = 0;
    double number[8], end[4];

    HG_TRY(hg_binfile_read(w->file, at, 4, N_TYPE, here));
    HG_TRY(hg_binfile_read(w->file, at + 24, 8, 8, number));
    HG_TRY(hg_binfile_read(w->file, at + 96, 4, N_TYPE, low));
    HG_TRY(hg_binfile_read(w->file, at + 124, 4, 1, &n_file));
    HG_TRY(hg_binfile_read(w->file, at + 128, 8, 4, end));
    HG_TRY(hg_binfile_read(w->file, at + 168, 4, N_TYPE, high));
    drop_garbage(w, n_file, low, high);
    h->n_type = N_TYPE;
    for (int t = 0; t < N_TYPE; t++) {
        h->here[t] = here[t];
        h->total[t] = (int64_t)low[t] + ((int64_t)high[t] << 32);
        h->mass[t] = number[t];
        h->is_placed[t] = here[t] > 0;
        if (here[t] < 0 || h->total[t] < here[t] || !(number[t] >= 0)) {
            return HG_FAIL(HG_E_FORMAT,
                           "'%s' says it has %" PRId32 " of %" PRId64
                           " particles of type %d and mass %g, which cannot be",
                           hg_binfile_path(w->file), here[t], h->total[t], t, number[t]);
        }
    }
    h->frame.scale_factor = number[6];
    h->frame.redshift = number[7];
    h->box = end[0];
    h->frame.omega_m = end[1];
    h->frame.omega_l = end[2];
    h->frame.h = end[3];
    w->at += HEADER + 8;
    return HG_OK;
}

/* Go to a block of n rows of so many numbers; row stays 0 where the file has no such block. */
static hg_status
find_block(walk *w, const char *name, int64_t n, int row, bool is_real, hg_binary_array *array)
{
    const hg_type types[2][2] = {{HG_U32, HG_U64}, {HG_F32, HG_F64}};
    uint32_t marker = 0, last = 0;

    *array = (hg_binary_array){.at = -1};
    for (;;) {
        char label[5] = "";

        if (w->at + 8 > hg_binfile_size(w->file)) {
            return HG_OK;
        }
        if (w->is_named) {
            HG_TRY(hg_binfile_read(w->file, w->at + 4, 1, 4, label));
        }
        HG_TRY(get_marker(w, w->at + (w->is_named ? 16 : 0), &marker));
        if (!w->is_named || strcmp(label, name) == 0) {
            break;
        }
        if (strcmp(name, "MASS") != 0) {
            return HG_FAIL(HG_E_FORMAT, "'%s' has block '%s' where '%s' is expected",
                           hg_binfile_path(w->file), label, name);
        }
        w->at += 16 + 8 + (int64_t)marker;
    }
    w->at += w->is_named ? 16 : 0;
    for (int wide = 0; wide < 2; wide++) {
        const int64_t bytes = n * row * (wide ? 8 : 4);

        if ((uint32_t)bytes == marker && w->at + 8 + bytes <= hg_binfile_size(w->file)) {
            HG_TRY(get_marker(w, w->at + 4 + bytes, &last));
            if (last == marker) {
                *array = (hg_binary_array){w->at + 4, types[is_real][wide], row};
                w->at += 8 + bytes;
                return HG_OK;
            }
        }
    }
    return HG_FAIL(HG_E_FORMAT,
                   "'%s' is cut or damaged: block %s at byte %" PRId64
                   " has a length of %" PRIu32 " (modulo 2^32), but %" PRId64
                   " x %d numbers of 4 or 8 bytes are expected",
                   hg_binfile_path(w->file), name, w->at, marker, n, row);
}

/* Where the rows of each type begin in a block that holds several types. */
static void
deal_block(const hg_binary_array *array, int kind, const bool is_in[], hg_gadget_header *h)
{
    int64_t first = 0;

    h->has[kind] = h->has[kind] || array->row > 0;
    for (int t = 0; t < N_TYPE && array->row > 0; t++) {
        if (is_in[t]) {
            hg_binary_array *mine = &h->block[t].array[kind];

            *mine = *array;
            mine->at += first * array->row * (int64_t)hg_type_size(array->type);
            first += h->here[t];
        }
    }
}

static hg_status
read_blocks(walk *w, hg_gadget_header *h)
{
    static const struct {
        int kind, row;
        bool is_real;
        const char *name;
    } blocks[] = {{HG_GADGET_POSITION, 3, true, "POS "},
                  {HG_GADGET_VELOCITY, 3, true, "VEL "},
                  {HG_GADGET_ID, 1, false, "ID  "},
                  {HG_GADGET_MASS, 1, true, "MASS"}};

    for (int b = 0; b < 4; b++) {
        bool is_in[N_TYPE];
        hg_binary_array array;
        int64_t n = 0;

        for (int t = 0; t < N_TYPE; t++) {
            is_in[t] = h->here[t] > 0 && (blocks[b].kind != HG_GADGET_MASS || h->mass[t] == 0);
            n += is_in[t] ? h->here[t] : 0;
        }
        if (n == 0) {
            continue;
        }
        HG_TRY(find_block(w, blocks[b].name, n, blocks[b].row, blocks[b].is_real, &array));
        if (array.row == 0) {
            return HG_FAIL(HG_E_FORMAT,
                           "'%s' ends before its block %s of %" PRId64 " particles",
                           hg_binfile_path(w->file), blocks[b].name, n);
        }
        deal_block(&array, blocks[b].kind, is_in, h);
        h->id = blocks[b].kind == HG_GADGET_ID ? array.type : h->id;
    }
    return HG_OK;
}

static hg_status
sample_masses(walk *w, hg_gadget_header *h)
{
    for (int t = 0; t < N_TYPE; t++) {
        const hg_binary_array *array = &h->block[t].array[HG_GADGET_MASS];
        float narrow = 0;

        h->block[t].type = t;
        if (array->row > 0 && array->type == HG_F64) {
            HG_TRY(hg_binfile_read(w->file, array->at, 8, 1, &h->sample_mass[t]));
        } else if (array->row > 0) {
            HG_TRY(hg_binfile_read(w->file, array->at, 4, 1, &narrow));
            h->sample_mass[t] = (double)narrow;
        }
    }
    return HG_OK;
}

hg_status
hg_gadget_binary_header(const char *path, hg_gadget_header *h)
{
    walk w = {.file = NULL};
    bool is_ours = false;
    hg_status status;

    *h = (hg_gadget_header){.frame = HG_FRAME_UNKNOWN, .is_binary = true, .id = HG_U32};
    h->units = (hg_gadget_units){(double)NAN, (double)NAN, (double)NAN, true};
    h->arrays_with_h = true;
    h->velocity_a = 0.5;
    HG_TRY(hg_binfile_open(path, &w.file));
    HG_TRY_OR(done, status, begin(&w, &h->is_swapped, &is_ours));
    if (!is_ours) {
        status = HG_FAIL(HG_E_FORMAT, "'%s' is no snapshot of Gadget", path);
        goto done;
    }
    HG_TRY_OR(done, status, read_header(&w, h));
    HG_TRY_OR(done, status, read_blocks(&w, h));
    status = sample_masses(&w, h);
done:
    hg_binfile_close(w.file);
    return status;
}
