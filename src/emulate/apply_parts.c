/* Each part is independent, so ranks take parts round robin and agree once per round. HDF5 is
 * not safe to use from two threads, so there is one thread for files: in round k it makes the
 * columns of part k - 1 and writes them, then reads part k + 1 and computes its features, while
 * the thread that calls MPI does nothing but predict part k. In that order no more than two
 * parts are in memory. */
#include "emulate/apply_parts.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/worker.h"
#include "halograft/log.h"
#include "par/stop.h"

/* A part in memory; number -1 = none. */
struct part {
    int64_t number;
    hg_table table;
    hg_graft_rows rows;
};

/* The parts of one round of a rank. */
struct line {
    hg_grafter *g;
    hg_output *output;
    struct part done; /* predicted, to be written */
    struct part here; /* read, to be predicted */
    struct part next; /* to be read */
};

static void
clear_part(struct part *part)
{
    hg_table_clear(&part->table);
    hg_graft_clear(&part->rows);
    part->number = -1;
}

static hg_status
write_part(struct line *line, struct part *part)
{
    hg_status status;

    hg_phase_start("apply: columns");
    status = hg_graft_give(line->g, &part->table, &part->rows);
    hg_phase_stop("apply: columns");
    HG_TRY(status);
    hg_phase_start("apply: write");
    status = hg_output_part(line->output, part->number, &part->table);
    hg_phase_stop("apply: write");
    return status;
}

static hg_status
read_part(const hg_grafter *g, struct part *part)
{
    hg_status status;

    hg_phase_start("apply: read");
    status = hg_catalog_read(g->catalog, part->number, g->names.n, g->names.p, &part->table);
    hg_phase_stop("apply: read");
    HG_TRY(status);
    hg_phase_start("apply: features");
    status = hg_graft_take(g, &part->table, &part->rows);
    hg_phase_stop("apply: features");
    return status;
}

static hg_status
move_files(void *context)
{
    struct line *line = context;
    hg_status status = HG_OK;

    if (line->done.number >= 0) {
        status = write_part(line, &line->done);
        clear_part(&line->done);
    }
    return status == HG_OK && line->next.number >= 0 ? read_part(line->g, &line->next) : status;
}

/* One round of this rank; afterwards every part has moved one place on. */
static hg_status
do_round(struct line *line)
{
    hg_worker files = {0};
    hg_status status = HG_OK, moved;

    if (line->here.number < 0) {
        status = move_files(line);
    } else {
        if (line->done.number >= 0 || line->next.number >= 0) {
            hg_worker_start(&files, move_files, line);
        }
        hg_phase_start("apply: predict");
        status = hg_graft_predict(line->g, &line->here.rows);
        hg_phase_stop("apply: predict");
        hg_phase_start("apply: wait for files");
        moved = hg_worker_wait(&files);
        hg_phase_stop("apply: wait for files");
        status = moved != HG_OK ? moved : status; /* whose record is the last one */
    }
    line->done = line->here;
    line->here = line->next;
    line->next = (struct part){.number = -1};
    return status;
}

/* Show the output what all parts are like, by a row of the first part of rank 0. */
static hg_status
shape_output(const hg_comm *comm, const struct line *line)
{
    hg_graft_rows none = {0};
    hg_table row = line->done.table, sample = {0};
    hg_status status = HG_OK;

    if (comm->rank == 0) {
        row.n = row.n > 0 ? 1 : 0;
        status = hg_table_append(&sample, &row);
        status = status == HG_OK ? hg_graft_give(line->g, &sample, &none) : status;
    }
    status = hg_comm_agree(comm, status);
    status = status == HG_OK ? hg_output_shape(comm, line->output, &sample) : status;
    hg_table_clear(&sample);
    return status;
}

/* The parts that are left to do: part number i of them goes to rank i mod size. */
typedef struct agenda {
    int64_t n;
    int64_t *part;
} agenda;

static hg_status
list_parts(const hg_comm *comm, const hg_grafter *g, const hg_output *output, agenda *todo)
{
    const int64_t n_part = hg_catalog_n_part(g->catalog);
    hg_status status = hg_mem_array(&todo->part, (size_t)n_part, sizeof *todo->part);

    for (int64_t part = 0; part < n_part && status == HG_OK; part++) {
        if (!hg_output_has_part(output, part)) {
            todo->part[todo->n++] = part;
        }
    }
    return hg_comm_agree(comm, status);
}

/* Rows of the parts before number i of the agenda, those of earlier runs included. */
static int64_t
rows_before(const hg_grafter *g, const agenda *todo, int64_t i)
{
    return i < todo->n ? hg_catalog_part_first(g->catalog, todo->part[i])
                       : hg_catalog_n_row(g->catalog);
}

/* A request to stop came: what is grafted is written, what was only read is dropped. */
static hg_status
stop_here(const hg_comm *comm, struct line *line, const agenda *todo, int64_t written)
{
    hg_status status;

    clear_part(&line->here);
    status = do_round(line);
    HG_TRY(hg_comm_agree(comm, status));
    HG_TRY(hg_output_commit(comm, line->output));
    return HG_FAIL(HG_STOPPED,
                   "stopped as requested with %" PRId64 " of %" PRId64
                   " parts done; --resume goes on",
                   hg_catalog_n_part(line->g->catalog) - todo->n + written,
                   hg_catalog_n_part(line->g->catalog));
}

hg_status
hg_apply_parts(const hg_comm *comm, hg_grafter *g, hg_output *output)
{
    const int64_t step = comm->size;
    struct line line = {g, output, {.number = -1}, {.number = -1}, {.number = -1}};
    hg_progress progress = hg_progress_start("apply", "haloes", hg_catalog_n_row(g->catalog));
    agenda todo = {0, NULL};
    double began = hg_clock_seconds();
    hg_status status;

    HG_TRY_OR(done, status, list_parts(comm, g, output, &todo));
    if (todo.n == 0) {
        HG_TRY_OR(done, status, hg_output_shape(comm, output, NULL));
    }
    /* `first` is the first part grafted in a round: one round before only reads, one after only
     * writes */
    for (int64_t first = -step; first < todo.n + step; first += step) {
        const int64_t next = first + step + comm->rank;
        const int64_t end = first < todo.n ? first : todo.n;

        line.next.number = next < todo.n ? todo.part[next] : -1;
        status = do_round(&line);
        HG_TRY_OR(done, status, hg_comm_agree(comm, status));
        if (first == 0) {
            HG_TRY_OR(done, status, shape_output(comm, &line));
        }
        if (end > 0) {
            HG_TRY_OR(done, status, hg_output_commit(comm, output));
            hg_progress_to(&progress, rows_before(g, &todo, end));
        }
        if (first + step < todo.n && hg_stop_wanted(comm, hg_clock_seconds() - began)) {
            status = stop_here(comm, &line, &todo, first + step);
            goto done;
        }
        began = hg_clock_seconds();
    }
    hg_progress_end(&progress);
done:
    clear_part(&line.done);
    clear_part(&line.here);
    clear_part(&line.next);
    hg_mem_free(todo.part);
    return status;
}
