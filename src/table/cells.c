/* Columns rather than cubes: all candidates along z are one contiguous run, so loops over them
 * are long, and the wrap along z needs no ghosts. Columns are narrower than the reach by a
 * factor that keeps some 32 points in a run. Work per column is estimated from a histogram on
 * coarser cells as points times neighbours; rectangles come from recursive bisection of that
 * map. A rank is sent every column it looks at, so no point travels twice. */
#include "table/cells.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"

enum {
    SIDE_MAX = 1024,   /* columns per axis: the map of all columns stands on every rank */
    DEPTH_MAX = 4096,  /* cells per column */
    MAP_MAX = 1 << 20, /* cells of the map of work */
    FINENESS = 4,      /* columns are at least reach / FINENESS wide */
    RUN = 32,          /* points wanted in a run along z */
    PER_CELL = 4       /* points wanted in a cell */
};

static const double slack = 1 + 1e-9; /* columns reach a little too far, never too short */
static const double roundup = 1 + 0.5 / FINENESS; /* of a reach to whole columns, on average */

/* One point on its way. */
typedef struct point_row {
    double x[3];
    double weight;
    int64_t id;
    int64_t group;
} point_row;

/* A rectangle of columns. */
typedef struct rectangle {
    int64_t low[2], high[2];
} rectangle;

/* What the dealing of points needs. */
typedef struct deal_plan {
    int64_t depth;   /* layers of the map along z */
    int64_t *count;  /* shape (side, side, depth), over all ranks */
    double *work;    /* shape (side + 1, side + 1), summed up to but not including x, y */
    rectangle *rank; /* shape (size) */
    int64_t
        *first; /* shape (side^2 + 1): columns go to ranks taker[first[c] .. first[c + 1]) */
    int *taker;
} deal_plan;

double
hg_cells_fold(double x, double box)
{
    double f = x - box * floor(x / box);

    return f >= 0 && f < box ? f : 0;
}

static int64_t
cell_index(double x, double box, int64_t n)
{
    int64_t i = (int64_t)(x * ((double)n / box));

    return i < n ? i : n - 1;
}

static int64_t
column_of(const hg_cells *cells, const point_row *row)
{
    return cell_index(row->x[0], cells->box, cells->side) * cells->side +
           cell_index(row->x[1], cells->box, cells->side);
}

static hg_status
check_search(const hg_cells_search *s)
{
    if (!(s->box > 0) || !isfinite(s->box)) {
        return HG_FAIL(HG_E_ARG, "side %g of the box is not a positive number", s->box);
    }
    if (!(s->reach > 0 && s->reach <= s->box / 2) ||
        !(s->reach_z > 0 && s->reach_z <= s->box / 2)) {
        return HG_FAIL(
            HG_E_ARG,
            "separations up to %g are wanted in a periodic box of %g; they may reach "
            "half the box",
            s->reach_z > s->reach ? s->reach_z : s->reach, s->box);
    }
    return HG_OK;
}

static int64_t
clamp(double value, double low, double high)
{
    return (int64_t)(value < low ? low : value > high ? high : value);
}

/* Grid from box, reach and number of points, the same for any number of ranks. */
static void
choose_grid(const hg_cells_search *s, int64_t n_all, hg_cells *cells)
{
    const double finest = floor(s->box * FINENESS / (s->reach * slack));
    const double density = (double)n_all * 2 * s->reach_z / s->box / RUN;

    cells->box = s->box;
    cells->half = s->half;
    cells->side = clamp(sqrt(density), 1, finest < SIDE_MAX ? finest : SIDE_MAX);
    cells->reach = (int)ceil(s->reach * slack * (double)cells->side / s->box);
    cells->depth =
        clamp((double)n_all / ((double)(cells->side * cells->side) * PER_CELL), 1, DEPTH_MAX);
}

/* Replace a[i] by the sum over i - reach .. i + reach of a ring of n values, stride apart. */
static void
sum_neighbours(int64_t n, int64_t stride, int64_t reach, double a[], double ring[])
{
    const int64_t all = 2 * reach + 1 < n ? 2 * reach + 1 : n;

    for (int64_t i = 0; i < n; i++) {
        double sum = 0;

        for (int64_t k = 0; k < all; k++) {
            sum += a[(i + n - (reach < n ? reach : 0) + k) % n * stride];
        }
        ring[i] = sum;
    }
    for (int64_t i = 0; i < n; i++) {
        a[i * stride] = ring[i];
    }
}

/* Points times neighbours of each column, summed over rectangles that start at the origin. */
static hg_status
sum_work(const hg_cells *cells, double reach_z, deal_plan *plan)
{
    const int64_t side = cells->side, depth = plan->depth, n = side * side * depth;
    const int64_t layers = (int64_t)ceil(reach_z * (double)depth / cells->box);
    double *near = NULL, *ring = NULL;
    hg_status status;

    HG_TRY_OR(done, status, hg_mem_array(&near, (size_t)n, sizeof *near));
    HG_TRY_OR(done, status,
              hg_mem_array(&ring, (size_t)(side > depth ? side : depth), sizeof *ring));
    for (int64_t i = 0; i < n; i++) {
        near[i] = (double)plan->count[i];
    }
    for (int64_t i = 0; i < side * side; i++) {
        sum_neighbours(depth, 1, layers, near + i * depth, ring);
    }
    for (int64_t i = 0; i < side * depth; i++) {
        sum_neighbours(side, depth, cells->reach, near + i / depth * side * depth + i % depth,
                       ring);
    }
    for (int64_t i = 0; i < side * depth; i++) {
        sum_neighbours(side, side * depth, cells->reach, near + i, ring);
    }
    for (int64_t ix = 0; ix < side; ix++) {
        for (int64_t iy = 0; iy < side; iy++) {
            const int64_t *count = plan->count + (ix * side + iy) * depth;
            const double *around = near + (ix * side + iy) * depth;
            double *w = plan->work + ix * (side + 1) + iy, work = 0;

            for (int64_t k = 0; k < depth; k++) {
                work += (double)count[k] * (40 + around[k]); /* 40: what a point costs alone */
            }
            w[side + 2] = work + w[side + 1] + w[1] - w[0];
        }
    }
done:
    hg_mem_free(ring);
    hg_mem_free(near);
    return status;
}

static double
rectangle_work(const deal_plan *plan, int64_t side, const rectangle *r)
{
    const double *w = plan->work;
    const int64_t row = side + 1;

    return w[r->high[0] * row + r->high[1]] - w[r->low[0] * row + r->high[1]] -
           w[r->high[0] * row + r->low[1]] + w[r->low[0] * row + r->low[1]];
}

/* Split a rectangle among ranks [first, end): the longer axis, where shares are met best. */
static void
split_rectangle(deal_plan *plan, int64_t side, const rectangle *whole, int first, int end)
{
    const int middle = (first + end) / 2;
    const int axis = whole->high[1] - whole->low[1] > whole->high[0] - whole->low[0];
    const double want = rectangle_work(plan, side, whole) * (middle - first) / (end - first);
    rectangle lower = *whole, upper = *whole;
    double best = HUGE_VAL;

    if (end - first == 1) {
        plan->rank[first] = *whole;
        return;
    }
    for (int64_t cut = whole->low[axis]; cut <= whole->high[axis]; cut++) {
        rectangle part = *whole;
        double miss;

        part.high[axis] = cut;
        miss = fabs(rectangle_work(plan, side, &part) - want);
        if (miss < best) {
            best = miss;
            lower.high[axis] = upper.low[axis] = cut;
        }
    }
    split_rectangle(plan, side, &lower, first, middle);
    split_rectangle(plan, side, &upper, middle, end);
}

/* Columns that a rank looks at, each once; with `taker` they are entered there. */
static void
mark_columns(const hg_cells *cells, const rectangle *r, int rank, int stamp[], int64_t count[],
             const int64_t first[], int taker[])
{
    const int64_t side = cells->side, reach = cells->reach;
    int64_t low[2], n[2];

    if (r->low[0] >= r->high[0] || r->low[1] >= r->high[1]) {
        return;
    }
    for (int k = 0; k < 2; k++) {
        low[k] = r->low[k] - (k == 0 && cells->half ? 0 : reach);
        n[k] = r->high[k] + reach - low[k];
        n[k] = n[k] < side ? n[k] : side;
    }
    for (int64_t i = 0; i < n[0] * n[1]; i++) {
        int64_t ix = (low[0] + i / n[1] + 2 * side) % side;
        int64_t iy = (low[1] + i % n[1] + 2 * side) % side, c = ix * side + iy;

        if (stamp[c] != rank) {
            stamp[c] = rank;
            if (taker != NULL) {
                taker[first[c] + count[c]] = rank;
            }
            count[c]++;
        }
    }
}

static hg_status
list_takers(const hg_comm *comm, const hg_cells *cells, deal_plan *plan)
{
    const int64_t n = cells->side * cells->side;
    int64_t *count = NULL;
    int *stamp = NULL;
    hg_status status;

    HG_TRY_OR(done, status, hg_mem_zeros(&count, (size_t)n, sizeof *count));
    HG_TRY_OR(done, status, hg_mem_array(&stamp, (size_t)n, sizeof *stamp));
    HG_TRY_OR(done, status, hg_mem_zeros(&plan->first, (size_t)n + 1, sizeof *plan->first));
    for (int pass = 0; pass < 2; pass++) {
        memset(stamp, 0xff, (size_t)n * sizeof *stamp);
        for (int r = 0; r < comm->size; r++) {
            mark_columns(cells, &plan->rank[r], r, stamp, count, plan->first, plan->taker);
        }
        if (pass == 0) {
            for (int64_t c = 0; c < n; c++) {
                plan->first[c + 1] = plan->first[c] + count[c];
                count[c] = 0;
            }
            HG_TRY_OR(done, status,
                      hg_mem_array(&plan->taker, (size_t)plan->first[n], sizeof *plan->taker));
        }
    }
done:
    hg_mem_free(stamp);
    hg_mem_free(count);
    return status;
}

static void
clear_plan(deal_plan *plan)
{
    hg_mem_free(plan->count);
    hg_mem_free(plan->work);
    hg_mem_free(plan->rank);
    hg_mem_free(plan->first);
    hg_mem_free(plan->taker);
}

static hg_status
allocate_plan(const hg_comm *comm, const hg_cells *cells, deal_plan *plan)
{
    const size_t side = (size_t)cells->side;
    const int64_t most = MAP_MAX / (cells->side * cells->side); /* whole layers that fit */

    plan->depth = clamp((double)most, 1, (double)cells->depth);
    HG_TRY(hg_mem_zeros(&plan->count, side * side * (size_t)plan->depth, sizeof *plan->count));
    HG_TRY(hg_mem_zeros(&plan->work, (side + 1) * (side + 1), sizeof *plan->work));
    return hg_mem_array(&plan->rank, (size_t)comm->size, sizeof *plan->rank);
}

/* Who owns what, and who must be sent which column. */
static hg_status
plan_dealing(const hg_comm *comm, hg_cells *cells, double reach_z, int64_t n,
             const point_row row[], deal_plan *plan)
{
    const int64_t side = cells->side;
    const rectangle whole = {.high = {side, side}};
    hg_status status = allocate_plan(comm, cells, plan);

    HG_TRY(hg_comm_agree(comm, status));
    for (int64_t i = 0; i < n; i++) {
        const int64_t c = column_of(cells, &row[i]);

        plan->count[c * plan->depth + cell_index(row[i].x[2], cells->box, plan->depth)]++;
    }
    hg_comm_sum(comm, (size_t)(side * side * plan->depth), plan->count);
    status = sum_work(cells, reach_z, plan);
    if (status == HG_OK) {
        split_rectangle(plan, side, &whole, 0, comm->size);
        status = list_takers(comm, cells, plan);
    }
    HG_TRY(hg_comm_agree(comm, status));
    memcpy(cells->low, plan->rank[comm->rank].low, sizeof cells->low);
    memcpy(cells->high, plan->rank[comm->rank].high, sizeof cells->high);
    cells->work_own = rectangle_work(plan, side, &plan->rank[comm->rank]);
    cells->work_all = rectangle_work(plan, side, &whole);
    return HG_OK;
}

/* Places for the copies of all points in the order of the ranks that look at them. */
static int64_t
count_copies(const hg_comm *comm, const hg_cells *cells, const deal_plan *plan, int64_t n,
             const point_row row[], int64_t n_to[], int64_t first[])
{
    int64_t total = 0;

    for (int64_t i = 0; i < n; i++) {
        const int64_t c = column_of(cells, &row[i]);

        for (int64_t t = plan->first[c]; t < plan->first[c + 1]; t++) {
            n_to[plan->taker[t]]++;
        }
    }
    for (int r = 0; r < comm->size; r++) {
        first[r] = total;
        total += n_to[r];
    }
    return total;
}

/* Send each point to the ranks that look at its column. Points are most of the memory of a
 * count: the rows are given back before others arrive. */
static hg_status
deal_rows(const hg_comm *comm, const hg_cells *cells, const deal_plan *plan, int64_t n,
          point_row **row, int64_t *n_got, point_row **got)
{
    point_row *copy = NULL;
    int64_t *n_to = NULL, *first = NULL;
    hg_status status;

    HG_TRY_OR(ready, status, hg_mem_zeros(&n_to, (size_t)comm->size, sizeof *n_to));
    HG_TRY_OR(ready, status, hg_mem_array(&first, (size_t)comm->size, sizeof *first));
    status = hg_mem_array(&copy, (size_t)count_copies(comm, cells, plan, n, *row, n_to, first),
                          sizeof *copy);
ready:
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    for (int64_t i = 0; i < n; i++) {
        const int64_t c = column_of(cells, &(*row)[i]);

        for (int64_t t = plan->first[c]; t < plan->first[c + 1]; t++) {
            copy[first[plan->taker[t]]++] = (*row)[i];
        }
    }
    hg_mem_free(*row);
    *row = NULL;
    status = hg_comm_exchange_sorted(comm, sizeof *copy, copy, n_to, n_got, got);
done:
    hg_mem_free(copy);
    hg_mem_free(first);
    hg_mem_free(n_to);
    return status;
}

static int64_t
align_slot(int64_t slot)
{
    return (slot + HG_CELLS_ALIGN - 1) / HG_CELLS_ALIGN * HG_CELLS_ALIGN;
}

/* Starts of the cells of one group in the column of a point. */
static int64_t *
cells_of(const hg_cells *cells, const point_row *row)
{
    const int64_t column = cells->local[column_of(cells, row)];

    return cells->first + (column * cells->n_group + row->group) * (cells->depth + 1);
}

/* Number the columns that hold points and lay their cells one after the other. */
static hg_status
lay_columns(hg_cells *cells, int64_t n, const point_row row[])
{
    const int64_t side = cells->side, depth = cells->depth;
    int64_t end = 0;

    HG_TRY(hg_mem_array(&cells->local, (size_t)(side * side), sizeof *cells->local));
    memset(cells->local, 0xff, (size_t)(side * side) * sizeof *cells->local);
    for (int64_t i = 0; i < n; i++) {
        const int64_t c = column_of(cells, &row[i]);

        if (cells->local[c] < 0) {
            cells->local[c] = cells->n_column++;
        }
    }
    HG_TRY(hg_mem_zeros(&cells->first,
                        (size_t)cells->n_column * (size_t)cells->n_group * (size_t)(depth + 1),
                        sizeof *cells->first));
    for (int64_t i = 0; i < n; i++) {
        cells_of(cells, &row[i])[cell_index(row[i].x[2], cells->box, depth)]++;
    }
    for (int64_t c = 0; c < cells->n_column * cells->n_group; c++) {
        int64_t *first = cells->first + c * (depth + 1);

        for (int64_t k = 0; k <= depth; k++) { /* the last one has count 0 */
            int64_t count = first[k];

            first[k] = end;
            end += count;
        }
        end = align_slot(end);
    }
    cells->n_slot = end;
    return HG_OK;
}

static void
put_point(hg_cells *cells, int64_t slot, const point_row *row)
{
    cells->x[slot] = row->x[0];
    cells->y[slot] = row->x[1];
    cells->z[slot] = row->x[2];
    cells->weight[slot] = row->weight;
    cells->id[slot] = row->id;
}

/* Sort the points into their cells; rows arrive in the order of their ids and stay in it. */
static hg_status
sort_points(hg_cells *cells, int64_t n, const point_row row[])
{
    static const point_row nowhere = {.x = {HUGE_VAL, HUGE_VAL, HUGE_VAL}, .id = -1};
    const int64_t side = cells->side, depth = cells->depth;
    double *block = NULL;

    HG_TRY(lay_columns(cells, n, row));
    HG_TRY(hg_mem_array(&block, 4 * (size_t)cells->n_slot, sizeof *block));
    cells->x = block;
    cells->y = block + cells->n_slot;
    cells->z = block + 2 * cells->n_slot;
    cells->weight = block + 3 * cells->n_slot;
    HG_TRY(hg_mem_array(&cells->id, (size_t)cells->n_slot, sizeof *cells->id));
    for (int64_t i = 0; i < cells->n_slot; i++) {
        put_point(cells, i, &nowhere);
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t ix = cell_index(row[i].x[0], cells->box, side);
        int64_t iy = cell_index(row[i].x[1], cells->box, side);
        int64_t *first = cells_of(cells, &row[i]);
        bool is_own = ix >= cells->low[0] && ix < cells->high[0] && iy >= cells->low[1] &&
                      iy < cells->high[1];

        put_point(cells, first[cell_index(row[i].x[2], cells->box, depth)]++, &row[i]);
        cells->n_own += is_own;
        cells->n_ghost += !is_own;
    }
    for (int64_t c = 0, start = 0; c < cells->n_column * cells->n_group; c++) {
        int64_t *first = cells->first + c * (depth + 1); /* filling moved all starts on */

        memmove(first + 1, first, (size_t)depth * sizeof *first);
        first[0] = start;
        start = align_slot(first[depth]);
    }
    return HG_OK;
}

/* One group of points as rows; `first` is its global number of the first point here. */
static hg_status
fill_rows(double box, int group, int64_t first, const hg_cells_points *points, point_row row[])
{
    for (int64_t i = 0; i < points->n; i++) {
        for (int k = 0; k < 3; k++) {
            if (!isfinite(points->position[i][k])) {
                return HG_FAIL(HG_E_INPUT, "position %d of point %" PRId64 " is not finite", k,
                               first + i);
            }
            row[i].x[k] = hg_cells_fold(points->position[i][k], box);
        }
        row[i].weight = points->weight != NULL ? points->weight[i] : 1;
        row[i].id = first + i;
        row[i].group = group;
    }
    return HG_OK;
}

hg_status
hg_cells_create(const hg_comm *comm, const hg_cells_search *search, int n_group,
                const hg_cells_points points[], hg_cells *cells)
{
    int64_t n = 0, n_all = 0, n_got = 0;
    point_row *row = NULL, *got = NULL;
    deal_plan plan = {0};
    hg_status status;

    HG_ASSERT(n_group == 1 || n_group == 2);
    *cells = (hg_cells){.n_group = n_group};
    for (int g = 0; g < n_group; g++) {
        n += points[g].n;
    }
    status = check_search(search);
    if (status == HG_OK) {
        status = hg_mem_array(&row, (size_t)n, sizeof *row);
    }
    for (int g = 0; g < n_group; g++) {
        const int64_t first = hg_comm_prefix(comm, points[g].n);

        if (status == HG_OK) {
            status =
                fill_rows(search->box, g, first, &points[g], row + (g == 1 ? points[0].n : 0));
        }
    }
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    n_all = n;
    hg_comm_sum(comm, 1, &n_all);
    choose_grid(search, n_all, cells);
    HG_TRY_OR(done, status, plan_dealing(comm, cells, search->reach_z, n, row, &plan));
    HG_TRY_OR(done, status, deal_rows(comm, cells, &plan, n, &row, &n_got, &got));
    status = hg_comm_agree(comm, sort_points(cells, n_got, got));
done:
    hg_mem_free(row);
    hg_mem_free(got);
    clear_plan(&plan);
    if (status != HG_OK) {
        hg_cells_clear(cells);
    }
    return status;
}

double
hg_cells_bytes(double share, double reach, int ranks)
{
    const double width = 1 / sqrt(ranks), wide = width + roundup * reach;
    const double copies = fmin(1, wide) * fmin(1, wide + roundup * reach) / (width * width);

    /* what is sent, and what arrives; then the points in their columns, with gaps between */
    return share * fmin(copies, ranks) * 2 * (double)sizeof(point_row);
}

void
hg_cells_clear(hg_cells *cells)
{
    hg_mem_free(cells->local);
    hg_mem_free(cells->first);
    hg_mem_free(cells->x);
    hg_mem_free(cells->id);
    memset(cells, 0, sizeof *cells);
}

const int64_t *
hg_cells_column(const hg_cells *cells, int64_t ix, int64_t iy, int group, int image[2])
{
    const int64_t side = cells->side;
    int64_t column;

    image[0] = ix < 0 ? -1 : ix >= side;
    image[1] = iy < 0 ? -1 : iy >= side;
    column = cells->local[(ix - image[0] * side) * side + iy - image[1] * side];
    return column < 0 ? NULL
                      : cells->first + (column * cells->n_group + group) * (cells->depth + 1);
}

bool
hg_cells_offset(const hg_cells *cells, int k, int offset[2])
{
    const int reach = cells->reach, width = 2 * reach + 1;

    if (cells->half) { /* (0, 0 .. reach), then whole rows */
        int rest = k - (reach + 1);

        offset[0] = rest < 0 ? 0 : 1 + rest / width;
        offset[1] = rest < 0 ? k : rest % width - reach;
        return offset[0] <= reach;
    }
    /* the column itself first, the others in rows without it */
    int place = k == 0 ? reach * width + reach : k - (k <= reach * width + reach);

    offset[0] = place / width - reach;
    offset[1] = place % width - reach;
    return k < width * width;
}
