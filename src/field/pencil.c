/* Rows along z are transformed where they lie; then the modes of a row are dealt out over the
 * columns of the grid so that y becomes whole, and the y over its rows so that x becomes whole
 * (the pencils of arXiv:1804.09536). Exchanges go from the field to the one work array of the
 * mesh, lines are transformed on the way back from it, so a field needs no second copy of its
 * own. One column makes the first exchange unnecessary: that is a slab with unequal planes. */
#include "field/pencil.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "field/rowfft.h"
#include "par/transpose.h"

struct hg_pencil {
    hg_lines lines;
    hg_comm row, column; /* of the grid; empty on idle ranks */
    hg_transpose *rows, *columns;
    char *work;
};

static int64_t
ceil_ratio(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* Cells of real or wave space on the rank that has most, at least as many as modes. */
static int64_t
largest_pencil(int64_t n, int64_t row, int64_t column)
{
    const int64_t nk = n / 2 + 1, plane = ceil_ratio(n, row);
    const int64_t real = plane * ceil_ratio(n, column) * nk;
    const int64_t wave = plane * n * ceil_ratio(nk, column);

    return real > wave ? real : wave;
}

/* The grid with the smallest pencils; while there are planes enough, the one with fewest
 * columns of these, which saves an exchange. For more ranks the squarest that is almost as
 * good: it has fewer and larger messages. */
void
hg_pencil_grid(int64_t n, int size, int grid[2])
{
    int64_t best = INT64_MAX;

    for (int pass = 0; pass < 2; pass++) {
        for (int column = 1; (int64_t)column * column <= size && column <= n / 2 + 1;
             column++) {
            const int row = size / column < n ? size / column : (int)n;
            const int64_t most = largest_pencil(n, row, column);

            if (most < best || (pass == 1 && size > n / 2 && most <= best + best / 16)) {
                best = pass == 0 ? most : best;
                grid[0] = row;
                grid[1] = column;
            }
        }
    }
}

static int64_t
largest(int64_t a, int64_t b, int64_t c)
{
    int64_t m = a > b ? a : b;

    return m > c ? m : c;
}

hg_status
hg_pencil_shape(const hg_comm *comm, const int asked[2], hg_mesh *mesh)
{
    const int n = (int)mesh->n, nk = n / 2 + 1;
    int grid[2] = {asked[0], asked[1]};

    if (grid[0] == 0 && grid[1] == 0) {
        hg_pencil_grid(n, comm->size, grid);
    }
    if (grid[0] < 1 || grid[1] < 1 || (int64_t)grid[0] * grid[1] > comm->size) {
        return HG_FAIL(HG_E_ARG, "a grid of %d x %d ranks does not fit to %d ranks", grid[0],
                       grid[1], comm->size);
    }
    mesh->n_row = grid[0];
    mesh->n_column = grid[1];
    for (int i = 0; i < n; i++) {
        mesh->x_owner[i] = hg_rowfft_owner(n, grid[0], i);
        mesh->y_owner[i] = hg_rowfft_owner(n, grid[1], i);
    }
    if (comm->rank < grid[0] * grid[1]) {
        const int i = comm->rank / grid[1], j = comm->rank % grid[1];

        mesh->x_first = mesh->ky_first = hg_rowfft_first(n, grid[0], i);
        mesh->n_x = mesh->n_ky = hg_rowfft_first(n, grid[0], i + 1) - mesh->x_first;
        mesh->y_first = hg_rowfft_first(n, grid[1], j);
        mesh->n_y = hg_rowfft_first(n, grid[1], j + 1) - mesh->y_first;
        mesh->kz_first = hg_rowfft_first(nk, grid[1], j);
        mesh->n_kz = hg_rowfft_first(nk, grid[1], j + 1) - mesh->kz_first;
    }
    mesh->n_real = largest(mesh->n_x * mesh->n_y * mesh->row, 2 * mesh->n_x * n * mesh->n_kz,
                           2 * mesh->n_ky * n * mesh->n_kz);
    return HG_OK;
}

/* The blocks of one axis: rank r of `size` has [first(r), first(r + 1)) of n. */
static void
split_axis(int n, int size, int r, int64_t *first, int64_t *count)
{
    *first = hg_rowfft_first(n, size, r);
    *count = hg_rowfft_first(n, size, r + 1) - *first;
}

/* y for kz, within a row of the grid. */
static hg_status
plan_rows(const hg_mesh *mesh, struct hg_pencil *p, hg_block to[], hg_block from[])
{
    const int n = (int)mesh->n, nk = n / 2 + 1;

    for (int j = 0; j < p->row.size; j++) {
        int64_t kz, n_kz, y, n_y;

        split_axis(nk, p->row.size, j, &kz, &n_kz);
        split_axis(n, p->row.size, j, &y, &n_y);
        to[j] = (hg_block){
            .first = kz, .n = {mesh->n_x, mesh->n_y, n_kz}, .stride = {mesh->n_y * nk, nk}};
        from[j] = (hg_block){.first = y * mesh->n_kz,
                             .n = {mesh->n_x, n_y, mesh->n_kz},
                             .stride = {n * mesh->n_kz, mesh->n_kz}};
    }
    return hg_transpose_create(&p->row, p->lines.element, 0, to, from, &p->rows);
}

/* x for ky, within a column of the grid; what arrives lies transposed, (ky, x, kz). */
static hg_status
plan_columns(const hg_mesh *mesh, struct hg_pencil *p, hg_block to[], hg_block from[])
{
    const int n = (int)mesh->n;

    for (int i = 0; i < p->column.size; i++) {
        int64_t x, n_x;

        split_axis(n, p->column.size, i, &x, &n_x);
        to[i] = (hg_block){.first = x * mesh->n_kz,
                           .n = {mesh->n_x, n_x, mesh->n_kz},
                           .stride = {n * mesh->n_kz, mesh->n_kz}};
        from[i] = (hg_block){.first = x * mesh->n_kz,
                             .n = {n_x, mesh->n_ky, mesh->n_kz},
                             .stride = {mesh->n_kz, n * mesh->n_kz}};
    }
    return hg_transpose_create(&p->column, p->lines.element, 0, to, from, &p->columns);
}

static hg_status
plan_exchanges(const hg_comm *comm, hg_mesh *mesh)
{
    struct hg_pencil *p = mesh->pencil;
    hg_block *to = NULL;
    hg_status status = hg_mem_array(&to, 2 * (size_t)comm->size, sizeof *to);

    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    if (p->row.size > 0) {
        status = plan_columns(mesh, p, to, to + comm->size);
        if (status == HG_OK && p->row.size > 1) {
            status = plan_rows(mesh, p, to, to + comm->size);
        }
    }
    status = hg_comm_agree(comm, status);
done:
    hg_mem_free(to);
    return status;
}

hg_status
hg_pencil_plan(const hg_comm *comm, hg_mesh *mesh, hg_effort effort)
{
    const bool idle = comm->rank >= mesh->n_row * mesh->n_column;
    struct hg_pencil *p = NULL;
    hg_status status = hg_mem_zeros(&mesh->pencil, 1, sizeof *mesh->pencil);

    HG_TRY(hg_comm_agree(comm, status));
    p = mesh->pencil;
    HG_TRY(hg_comm_split(comm, idle ? -1 : comm->rank / mesh->n_column, &p->row));
    HG_TRY(hg_comm_split(comm, idle ? -1 : comm->rank % mesh->n_column, &p->column));
    status = hg_lines_init(&p->lines, (int)mesh->n, mesh->precision, effort);
    if (status == HG_OK && !idle) {
        status = hg_mem_array(&p->work, (size_t)mesh->n_real, p->lines.element / 2);
    }
    HG_TRY(hg_comm_agree(comm, status));
    return plan_exchanges(comm, mesh);
}

void
hg_pencil_unplan(hg_mesh *mesh)
{
    struct hg_pencil *p = mesh->pencil;

    if (p != NULL) {
        hg_transpose_free(p->rows);
        hg_transpose_free(p->columns);
        hg_comm_clear(&p->row);
        hg_comm_clear(&p->column);
        hg_lines_clear(&p->lines);
        hg_mem_free(p->work);
        hg_mem_free(p);
        mesh->pencil = NULL;
    }
}

/* Lines along the middle axis of (n_plane, n, n_kz), which is y or x; `to` may be `from`. */
static void
transform_planes(const hg_mesh *mesh, int sign, int64_t n_plane, const char *from, char *to)
{
    const hg_lines *lines = &mesh->pencil->lines;
    const int64_t width = mesh->n_kz, plane = mesh->n * width;
    const int64_t n_batch = ceil_ratio(width, HG_LINES_BATCH);

#pragma omp parallel for collapse(2) schedule(static) num_threads(lines->n_thread)
    for (int64_t i = 0; i < n_plane; i++) {
        for (int64_t b = 0; b < n_batch; b++) {
            const int64_t first = b * HG_LINES_BATCH;
            const int64_t n = width - first < HG_LINES_BATCH ? width - first : HG_LINES_BATCH;
            const size_t at = (size_t)(i * plane + first) * lines->element;

            hg_lines_complex(lines, sign, (int)n, (size_t)width, from + at, to + at);
        }
    }
}

static void
transform_rows(const hg_mesh *mesh, int sign, const char *from, char *to)
{
    const hg_lines *lines = &mesh->pencil->lines;
    const size_t row = (size_t)mesh->row * lines->element / 2;

#pragma omp parallel for schedule(static) num_threads(lines->n_thread)
    for (int64_t r = 0; r < mesh->n_x * mesh->n_y; r++) {
        if (sign < 0) {
            hg_lines_to_modes(lines, from + (size_t)r * row, to + (size_t)r * row);
        } else {
            hg_lines_to_real(lines, from + (size_t)r * row, to + (size_t)r * row);
        }
    }
}

void
hg_pencil_forward(const hg_comm *comm, const hg_mesh *mesh, void *field)
{
    const struct hg_pencil *p = mesh->pencil;
    const char *y_lines = field;

    (void)comm;
    if (p->row.size == 0) {
        return;
    }
    transform_rows(mesh, -1, field, field);
    if (p->rows != NULL) {
        hg_transpose_execute(&p->row, p->rows, false, field, p->work);
        y_lines = p->work;
    }
    transform_planes(mesh, -1, mesh->n_x, y_lines, field);
    hg_transpose_execute(&p->column, p->columns, false, field, p->work);
    transform_planes(mesh, -1, mesh->n_ky, p->work, field);
}

void
hg_pencil_backward(const hg_comm *comm, const hg_mesh *mesh, void *field)
{
    const struct hg_pencil *p = mesh->pencil;
    const char *z_rows = field;

    (void)comm;
    if (p->row.size == 0) {
        return;
    }
    transform_planes(mesh, 1, mesh->n_ky, field, field);
    hg_transpose_execute(&p->column, p->columns, true, field, p->work);
    transform_planes(mesh, 1, mesh->n_x, p->work, field);
    if (p->rows != NULL) {
        hg_transpose_execute(&p->row, p->rows, true, field, p->work);
        z_rows = p->work;
    }
    transform_rows(mesh, 1, z_rows, field);
}

int64_t
hg_pencil_sent(const hg_mesh *mesh)
{
    const struct hg_pencil *p = mesh->pencil;

    return (p->rows != NULL ? hg_transpose_bytes(p->rows, false) : 0) +
           (p->columns != NULL ? hg_transpose_bytes(p->columns, false) : 0);
}
