/* Each part is independent, so ranks take parts round robin and agree once per round. HDF5 is
 * not safe to use from two threads, so there is one thread for files: in round k it writes part
 * k - 1 and then reads part k + 1, while the thread that calls MPI predicts part k. In that
 * order no more than two parts are in memory. */
#include "emulate/apply_parts.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/worker.h"
#include "halograft/log.h"
#include "store/publish.h"

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

/* One line per finished part, written by rank 0 after the round's agreement. */
static hg_status
journal_round(const hg_comm *comm, const hg_grafter *g, const char *journal, int64_t first,
              int64_t last)
{
    hg_status status = HG_OK;

    for (int64_t part = first; comm->rank == 0 && part < last && status == HG_OK; part++) {
        char line[256];
        int64_t row = hg_catalog_part_first(g->catalog, part);

        snprintf(line, sizeof line,
                 "{\"part\": %" PRId64 ", \"rows\": [%" PRId64 ", %" PRId64
                 "], \"inputs\": \"%016" PRIx64 "\", \"model\": \"%016" PRIx64
                 "\", \"params\": \"%016" PRIx64 "\"}",
                 part, row, row + hg_catalog_part_rows(g->catalog, part),
                 hg_catalog_identity(g->catalog), hg_stages_hash(g->model),
                 hg_params_hash(g->params));
        status = hg_journal_append(journal, line);
    }
    return hg_comm_agree(comm, status);
}

hg_status
hg_apply_parts(const hg_comm *comm, hg_grafter *g, const char *journal, hg_output *output)
{
    const int64_t n_part = hg_catalog_n_part(g->catalog), step = comm->size;
    struct line line = {g, output, {.number = -1}, {.number = -1}, {.number = -1}};
    hg_progress progress = hg_progress_start("apply", "haloes", hg_catalog_n_row(g->catalog));
    hg_status status = HG_OK;

    /* `first` is the first part grafted in a round: one round before only reads, one after only
     * writes */
    for (int64_t first = -step; first < n_part + step; first += step) {
        const int64_t written = first - step, next = first + step + comm->rank;
        const int64_t end = written + step < n_part ? written + step : n_part;

        line.next.number = next < n_part ? next : -1;
        status = do_round(&line);
        HG_TRY_OR(done, status, hg_comm_agree(comm, status));
        if (end <= 0) {
            continue;
        }
        HG_TRY_OR(done, status, journal_round(comm, g, journal, written, end));
        hg_progress_to(&progress, end < n_part ? hg_catalog_part_first(g->catalog, end)
                                               : hg_catalog_n_row(g->catalog));
    }
    hg_progress_end(&progress);
done:
    clear_part(&line.done);
    clear_part(&line.here);
    clear_part(&line.next);
    return status;
}
