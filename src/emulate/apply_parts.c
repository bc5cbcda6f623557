/* Each part is independent, so ranks take parts round robin and agree once per round. HDF5 is
 * not safe to use from two threads, so there is one thread for files: in round k it writes part
 * k - 1 and then reads part k + 1, while the thread that calls MPI predicts part k. In that
 * order no more than two parts are in memory. */
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
};

/* The parts of one round of a rank. */
struct line {
    hg_grafter *g;
    hg_output *output;
    struct part done; /* grafted, to be written */
    struct part here; /* read, to be grafted */
    struct part next; /* to be read */
};

static void
clear_part(struct part *part)
{
    hg_table_clear(&part->table);
    part->number = -1;
}

static hg_status
move_files(void *context)
{
    struct line *line = context;
    const hg_grafter *g = line->g;
    hg_status status = HG_OK;

    if (line->done.number >= 0) {
        hg_phase_start("apply: write");
        status = hg_output_part(line->output, line->done.number, &line->done.table);
        hg_phase_stop("apply: write");
        clear_part(&line->done);
    }
    if (status == HG_OK && line->next.number >= 0) {
        hg_phase_start("apply: read");
        status = hg_catalog_read(g->catalog, line->next.number, g->names.n, g->names.p,
                                 &line->next.table);
        hg_phase_stop("apply: read");
    }
    return status;
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
        status = hg_graft_part(line->g, &line->here.table);
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
        if (first == 0) { /* the first part of rank 0 shows what all are like */
            HG_TRY_OR(done, status, hg_output_shape(comm, output, &line.done.table));
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
