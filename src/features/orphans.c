/* A seeker starts at the end of a branch that merged. It goes to the object it became part of,
 * where it learns how they stood to each other and adds where it would be today; then to the
 * end of that object's branch, which is the host, or was lost itself: then on from there. So
 * there are two exchanges per level of mergers within mergers, whatever their age. Results are
 * ordered by hashes of ids, which share them out evenly and do not know the number of ranks. */
#include "features/orphans.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "features/history_read.h"
#include "features/orphan_orbit.h"
#include "features/tree_links.h"
#include "halograft/log.h"
#include "table/cells.h"

/* An object and where it is; its id stands first for hg_tree_send(). */
typedef struct piece {
    hg_tree_row row;
    hg_tree_place place;
} piece;

/* The main progenitor of an object. */
typedef struct past {
    int64_t of;
    double scale;
    hg_tree_place place;
} past;

/* An orphan on its way to its host; position and velocity of it are offsets until then. */
typedef struct seeker {
    int64_t at; /* object or branch where it goes next */
    hg_orphan orphan;
    double scale; /* of the object that was lost last: the orphan, or what carries it */
    hg_tree_place place;
} seeker;

typedef enum fate { OPEN, HOME, MERGED, LOST, N_FATE } fate;

typedef struct forest {
    hg_orbit_setup setup;
    double box; /* NAN = none */
    int64_t n;
    piece *piece;   /* by id */
    int64_t *label; /* ends of main branches */
    int64_t n_past;
    past *past; /* by descendant */
    int64_t count[N_FATE];
} forest;

static int
by_piece(const void *a, const void *b)
{
    return hg_tree_compare_ids(((const piece *)a)->row.id, ((const piece *)b)->row.id);
}

static int
by_descendant(const void *a, const void *b)
{
    return hg_tree_compare_ids(((const past *)a)->of, ((const past *)b)->of);
}

/* Index of the first record of `size` bytes whose leading id is not below this one. */
static int64_t
find_id(const void *records, int64_t n, size_t size, int64_t id)
{
    int64_t low = 0, high = n, here;

    while (low < high) {
        const int64_t middle = low + (high - low) / 2;

        memcpy(&here, (const char *)records + (size_t)middle * size, sizeof here);
        if (here < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == n) {
        return -1;
    }
    memcpy(&here, (const char *)records + (size_t)low * size, sizeof here);
    return here == id ? low : -1;
}

static hg_status
setup_orbits(const hg_params *params, const hg_frame *frame, forest *f)
{
    const bool has_omega_l = !isnan(frame->omega_l);

    if (!(frame->scale_factor > 0) || !(frame->h > 0) || !(frame->omega_m > 0)) {
        return HG_FAIL(HG_E_INPUT, "orphans need the time and the cosmology of the catalogue: "
                                   "set Parent.redshift, Parent.h and Parent.omega_m");
    }
    f->box = frame->box;
    f->setup = (hg_orbit_setup){
        .cosmology = {.h = frame->h,
                      .omega_m = frame->omega_m,
                      .omega_l = has_omega_l ? frame->omega_l : 1 - frame->omega_m},
        .scale = frame->scale_factor,
        .friction = params->convert.orphan_friction};
    return HG_OK;
}

static hg_status
check_links(const hg_history_rows *rows)
{
    if (rows->kind == HG_LINK_TRACK) {
        return HG_FAIL(
            HG_E_INPUT,
            "tracks do not tell what a halo became part of, so Convert.orphans finds "
            "none in them; orphans of HBT are rows of its catalogues already");
    }
    if (rows->kind != HG_LINK_DESCENDANT || rows->by_halo) {
        return HG_FAIL(HG_E_INPUT, "Convert.orphans needs a history with the column "
                                   "descendant_id and with the ids of the catalogue");
    }
    return HG_OK;
}

/* Objects up to the time of the catalogue go to the ranks their ids choose. */
static hg_status
spread(const hg_comm *comm, hg_history_rows *rows, forest *f)
{
    hg_status status = hg_mem_array(&f->piece, (size_t)rows->n, sizeof *f->piece);

    HG_TRY(hg_comm_agree(comm, status));
    for (int64_t i = 0; i < rows->n; i++) {
        if (rows->row[i].scale <= f->setup.scale * (1 + HG_SAME_TIME)) {
            f->piece[f->n++] = (piece){rows->row[i], rows->place[i]};
        }
    }
    HG_TRY(hg_tree_send(comm, sizeof *f->piece, &f->n, &f->piece));
    hg_tree_sort(f->piece, f->n, sizeof *f->piece, by_piece);
    hg_mem_free(rows->row);
    hg_mem_free(rows->place);
    rows->row = NULL;
    rows->place = NULL;
    return HG_OK;
}

/* Labels of the objects; the branches are kept for columns. */
static hg_status
find_labels(const hg_comm *comm, forest *f, hg_branches **branches)
{
    hg_tree_row *row = NULL;
    int64_t n_broken = 0;
    hg_status status = hg_mem_array(&row, (size_t)f->n, sizeof *row);

    if (status == HG_OK) {
        status = hg_mem_array(&f->label, (size_t)f->n, sizeof *f->label);
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int64_t i = 0; i < f->n; i++) {
        row[i] = f->piece[i].row;
    }
    HG_TRY_OR(done, status,
              hg_tree_labels(comm, HG_LINK_DESCENDANT, f->n, row, f->label, &n_broken));
    status = hg_branches_make(comm, HG_LINK_DESCENDANT, false, f->n, &row, branches);
done:
    hg_mem_free(row);
    return status;
}

static bool
is_end(const forest *f, int64_t i)
{
    return f->label[i] == f->piece[i].row.id;
}

/* Whether its branch became part of something before today. */
static bool
was_lost(const forest *f, int64_t i)
{
    const hg_tree_row *row = &f->piece[i].row;

    return is_end(f, i) && row->link != HG_NO_LINK &&
           row->scale < f->setup.scale * (1 - HG_SAME_TIME);
}

/* Main progenitors go to their descendants. */
static hg_status
tell_descendants(const hg_comm *comm, forest *f)
{
    hg_status status = hg_mem_array(&f->past, (size_t)f->n, sizeof *f->past);

    HG_TRY(hg_comm_agree(comm, status));
    for (int64_t i = 0; i < f->n; i++) {
        const piece *p = &f->piece[i];

        if (!is_end(f, i)) {
            f->past[f->n_past++] = (past){p->row.link, p->row.scale, p->place};
        }
    }
    HG_TRY(hg_tree_send(comm, sizeof *f->past, &f->n_past, &f->past));
    hg_tree_sort(f->past, f->n_past, sizeof *f->past, by_descendant);
    return HG_OK;
}

/* The main branch of a host, at a time when a subhalo of it was last found. */
static hg_tree_place
host_at(const forest *f, const piece *after, double scale)
{
    const int64_t i = find_id(f->past, f->n_past, sizeof *f->past, after->row.id);
    const past *before = i >= 0 ? &f->past[i] : NULL;
    hg_tree_place place = before != NULL ? before->place : after->place;

    if (!(place.mass > 0)) {
        place.mass = after->place.mass;
    }
    if (before != NULL && before->scale < scale) {
        const double t = (scale - before->scale) / (after->row.scale - before->scale);

        for (int k = 0; k < 3; k++) {
            double step = after->place.position[k] - before->place.position[k];

            step -= f->box > 0 ? f->box * round(step / f->box) : 0;
            place.position[k] += t * step;
            place.velocity[k] += t * (after->place.velocity[k] - before->place.velocity[k]);
        }
    }
    return place;
}

/* At the object it became part of: where would it be today? */
static fate
meet(const forest *f, seeker *s)
{
    const int64_t i = find_id(f->piece, f->n, sizeof *f->piece, s->at);
    hg_orbit orbit = {.scale = s->scale, .mass = s->place.mass};
    double offset[3], velocity[3], left;
    hg_tree_place host;

    if (i < 0) {
        return LOST;
    }
    host = host_at(f, &f->piece[i], s->scale);
    orbit.host_mass = host.mass;
    for (int k = 0; k < 3; k++) {
        double d = s->place.position[k] - host.position[k];

        d -= f->box > 0 ? f->box * round(d / f->box) : 0;
        orbit.separation[k] = d;
        orbit.speed[k] = s->place.velocity[k] - host.velocity[k];
        if (!isfinite(d) || !isfinite(orbit.speed[k])) {
            return LOST;
        }
    }
    if (!(orbit.mass > 0) || !(orbit.host_mass > 0)) {
        return LOST;
    }
    left = hg_orbit_follow(&f->setup, &orbit, offset, velocity);
    if (!(left > 0)) {
        return MERGED;
    }
    for (int k = 0; k < 3; k++) {
        s->orphan.position[k] += offset[k];
        s->orphan.velocity[k] += velocity[k];
    }
    s->orphan.left = fmin(s->orphan.left, left);
    s->at = f->label[i];
    return OPEN;
}

/* At the end of the branch of its host: is that there today, or lost itself? */
static fate
arrive(const forest *f, seeker *s)
{
    const int64_t i = find_id(f->piece, f->n, sizeof *f->piece, s->at);
    const piece *end;

    HG_ASSERT(i >= 0); /* labels are objects */
    end = &f->piece[i];
    if (end->row.scale < f->setup.scale * (1 - HG_SAME_TIME)) {
        s->at = end->row.link;
        s->scale = end->row.scale;
        s->place = end->place;
        return end->row.link == HG_NO_LINK ? LOST : OPEN;
    }
    s->orphan.host = end->row.id;
    for (int k = 0; k < 3; k++) {
        double *x = &s->orphan.position[k];

        *x += end->place.position[k];
        *x = f->box > 0 ? hg_cells_fold(*x, f->box) : *x;
        s->orphan.velocity[k] += end->place.velocity[k];
    }
    return HOME;
}

static hg_status
start_seekers(const forest *f, int64_t *n, seeker **seekers)
{
    int64_t n_lost = 0;

    for (int64_t i = 0; i < f->n; i++) {
        n_lost += was_lost(f, i);
    }
    *n = 0;
    HG_TRY(hg_mem_array(seekers, (size_t)n_lost, sizeof **seekers));
    for (int64_t i = 0; i < f->n; i++) {
        const piece *p = &f->piece[i];
        const hg_orphan orphan = {
            .id = p->row.id, .scale = p->row.scale, .mass = p->place.mass, .left = 1};

        if (was_lost(f, i)) {
            (*seekers)[(*n)++] = (seeker){p->row.link, orphan, p->row.scale, p->place};
        }
    }
    return HG_OK;
}

static hg_status
keep_orphan(hg_orphans *o, int64_t *room, const hg_orphan *orphan)
{
    if (o->n == *room) {
        *room = 2 * *room + 1024;
        HG_TRY(hg_mem_resize(&o->orphan, (size_t)*room, sizeof *o->orphan));
    }
    o->orphan[o->n++] = *orphan;
    return HG_OK;
}

/* One step of all seekers: to what they became part of, and to the end of its branch. */
static hg_status
step_seekers(const hg_comm *comm, forest *f, int64_t *n, seeker **seekers, int64_t *room,
             hg_orphans *o)
{
    hg_status status = HG_OK;

    for (int half = 0; half < 2; half++) {
        int64_t n_open = 0;

        HG_TRY(hg_tree_send(comm, sizeof **seekers, n, seekers));
        for (int64_t i = 0; i < *n && status == HG_OK; i++) {
            seeker s = (*seekers)[i];
            const fate how = half == 0 ? meet(f, &s) : arrive(f, &s);

            f->count[how]++;
            if (how == HOME) {
                status = keep_orphan(o, room, &s.orphan);
            } else if (how == OPEN) {
                (*seekers)[n_open++] = s;
            }
        }
        *n = n_open;
        HG_TRY(hg_comm_agree(comm, status));
    }
    return HG_OK;
}

static uint64_t
place_of(const hg_orphan *o)
{
    return hg_hash_bytes(&o->id, sizeof o->id);
}

static int
by_place(const void *a, const void *b)
{
    const uint64_t x = place_of(a), y = place_of(b);

    return x != y ? (x > y) - (x < y)
                  : hg_tree_compare_ids(((const hg_orphan *)a)->id, ((const hg_orphan *)b)->id);
}

/* Ranks hold consecutive ranges of the order. */
static hg_status
put_in_order(const hg_comm *comm, hg_orphans *o)
{
    hg_orphan *got = NULL;
    int *target = NULL;
    int64_t n_got = 0;
    hg_status status = hg_mem_array(&target, (size_t)o->n, sizeof *target);

    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int64_t i = 0; i < o->n; i++) {
        target[i] = (int)((place_of(&o->orphan[i]) >> 32) * (uint64_t)comm->size >> 32);
    }
    HG_TRY_OR(done, status,
              hg_comm_exchange(comm, o->n, sizeof *got, o->orphan, target, &n_got, &got));
    hg_mem_free(o->orphan);
    o->orphan = got;
    o->n = n_got;
    hg_tree_sort(o->orphan, o->n, sizeof *o->orphan, by_place);
done:
    hg_mem_free(target);
    return status;
}

static hg_status
seek(const hg_comm *comm, forest *f, hg_orphans *o)
{
    seeker *seekers = NULL;
    int64_t n = 0, room = 0, n_open;
    hg_status status = hg_comm_agree(comm, start_seekers(f, &n, &seekers));

    HG_TRY_OR(done, status, status);
    do {
        HG_TRY_OR(done, status, step_seekers(comm, f, &n, &seekers, &room, o));
        n_open = n;
        hg_comm_sum(comm, 1, &n_open);
    } while (n_open > 0);
    status = put_in_order(comm, o);
    hg_comm_sum(comm, N_FATE, f->count);
    hg_log_info("orphans: %" PRId64 " subhaloes were lost and would live on, %" PRId64
                " merged by friction, and of %" PRId64
                " the host, or a mass or place, is not known",
                f->count[HOME], f->count[MERGED], f->count[LOST]);
done:
    hg_mem_free(seekers);
    return status;
}

hg_status
hg_orphans_find(const hg_comm *comm, const hg_params *params, const hg_history_recipe *recipe,
                const hg_frame *frame, hg_orphans *o)
{
    hg_history_rows rows = {0};
    forest f = {.n = 0};
    hg_status status = HG_OK;

    *o = (hg_orphans){0};
    HG_TRY(setup_orbits(params, frame, &f));
    HG_TRY_OR(
        done, status,
        hg_history_rows_read(comm, params, recipe, &params->history.files, -1, true, &rows));
    HG_TRY_OR(done, status, check_links(&rows));
    HG_TRY_OR(done, status, spread(comm, &rows, &f));
    HG_TRY_OR(done, status, find_labels(comm, &f, &o->branches));
    HG_TRY_OR(done, status, tell_descendants(comm, &f));
    status = seek(comm, &f, o);
done:
    hg_mem_free(rows.row);
    hg_mem_free(rows.place);
    hg_mem_free(f.piece);
    hg_mem_free(f.label);
    hg_mem_free(f.past);
    if (status != HG_OK) {
        hg_orphans_clear(o);
    }
    return status;
}

void
hg_orphans_clear(hg_orphans *orphans)
{
    hg_mem_free(orphans->orphan);
    hg_branches_free(orphans->branches);
    *orphans = (hg_orphans){0};
}
