/* Everything that is counted can be added up, so that the same tally serves a file, a part of a
 * rank, and a catalogue. Positions are counted in slabs along each axis: a box in another unit
 * than its positions leaves slabs empty, or holds rows outside. */
#include "catalog/sanity.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "catalog/check.h"
#include "halograft/log.h"

enum { BLOCK = 1 << 18, SAMPLE_BLOCKS = 64, ROWS_PER_RANK = 1 << 20 };

const char *const hg_sanity_columns[HG_SANITY_COLUMNS] = {"central", "position", "velocity",
                                                          "m200c", "r200c"};

static void
count_place(const hg_column *position, double box, int64_t i, hg_sanity *s)
{
    int at[3];

    for (int k = 0; k < 3; k++) {
        const double x = hg_column_value(position, i, k) / box;

        if (!isfinite(x)) {
            return;
        }
        s->reach = fabs(x) > s->reach ? fabs(x) : s->reach;
        at[k] = x > -0.001 && x < 1.001 ? (int)(x * HG_SANITY_SLABS) : -1;
        at[k] = at[k] < HG_SANITY_SLABS ? at[k] : HG_SANITY_SLABS - 1;
    }
    s->n_place++;
    if (at[0] < 0 || at[1] < 0 || at[2] < 0) {
        s->n_outside++;
        return;
    }
    for (int k = 0; k < 3; k++) {
        s->slab[k * HG_SANITY_SLABS + at[k]]++;
    }
}

static void
count_speed(const hg_column *velocity, int64_t i, hg_sanity *s)
{
    const double v[3] = {hg_column_value(velocity, i, 0), hg_column_value(velocity, i, 1),
                         hg_column_value(velocity, i, 2)};

    if (isfinite(v[0]) && isfinite(v[1]) && isfinite(v[2])) {
        s->n_speed++;
        for (int k = 0; k < 3; k++) {
            s->speed[k] += v[k];
            s->speed2 += v[k] * v[k];
        }
    }
}

void
hg_sanity_count(const hg_frame *frame, const hg_table *table, hg_sanity *s)
{
    const hg_column *central = hg_table_find(table, "central"),
                    *position = hg_table_find(table, "position"),
                    *velocity = hg_table_find(table, "velocity"),
                    *m = hg_table_find(table, "m200c"), *r = hg_table_find(table, "r200c");

    s->n_row += table->n;
    for (int64_t i = 0; i < table->n; i++) {
        const double rank =
            central != NULL ? hg_column_value(central, i, 0) : HG_CENTRAL_UNKNOWN;
        const double mass = m != NULL ? hg_column_value(m, i, 0) : 0;

        s->n_central += rank == 1;
        s->n_satellite += rank == 0;
        if (position != NULL && frame->box > 0) {
            count_place(position, frame->box, i, s);
        }
        if (velocity != NULL) {
            count_speed(velocity, i, s);
        }
        if (rank != 0 && mass > 0 && isfinite(mass)) {
            const double bin = (log10(mass) - HG_SANITY_LOWEST) / HG_SANITY_STEP;

            s->mass[bin < 0 ? 0 : bin < HG_SANITY_BINS ? (int)bin : HG_SANITY_BINS - 1]++;
        }
        if (m != NULL && r != NULL) {
            const double ratio = hg_check_overdensity(mass, hg_column_value(r, i, 0), frame);

            if (isfinite(ratio) && ratio > 0) {
                s->log_ratio += log(ratio);
                s->n_ratio++;
            }
        }
    }
}

void
hg_sanity_sum(const hg_comm *comm, hg_sanity *s)
{
    int64_t n[] = {s->n_row,   s->n_central, s->n_satellite, s->n_ratio,
                   s->n_place, s->n_outside, s->n_speed};
    double x[] = {s->log_ratio, s->speed[0], s->speed[1], s->speed[2], s->speed2};

    hg_comm_sum(comm, sizeof n / sizeof n[0], n);
    hg_comm_sum(comm, sizeof s->slab / sizeof s->slab[0], s->slab);
    hg_comm_sum(comm, HG_SANITY_BINS, s->mass);
    hg_comm_sum_double(comm, sizeof x / sizeof x[0], x);
    hg_comm_max_double(comm, 1, &s->reach);
    s->n_row = n[0];
    s->n_central = n[1];
    s->n_satellite = n[2];
    s->n_ratio = n[3];
    s->n_place = n[4];
    s->n_outside = n[5];
    s->n_speed = n[6];
    s->log_ratio = x[0];
    memcpy(s->speed, x + 1, sizeof s->speed);
    s->speed2 = x[4];
}

hg_status
hg_sanity_read(const hg_plan *plan, int64_t first, int64_t n, hg_sanity *s)
{
    const hg_source *source[HG_SANITY_COLUMNS];
    hg_table table = {.n = n, .first = first};
    int n_source = 0;
    hg_status status = HG_OK;

    for (int c = 0; c < HG_SANITY_COLUMNS; c++) {
        const hg_source *found = hg_plan_find(plan, hg_sanity_columns[c]);

        if (found != NULL && !found->derived) {
            source[n_source++] = found;
        }
    }
    if (n_source > 0) {
        status = hg_formats[plan->format]->read(plan, first, n, n_source, source, &table);
    }
    if (status == HG_OK) {
        hg_sanity_count(&plan->frame, &table, s);
    }
    hg_table_clear(&table);
    return status;
}

hg_status
hg_sanity_sample(const hg_plan *plan, int64_t most, int rank, int size, hg_sanity *s)
{
    const bool is_all = plan->n_row <= most;
    const int64_t rows = is_all ? BLOCK : (most + SAMPLE_BLOCKS - 1) / SAMPLE_BLOCKS;
    const int64_t step = is_all ? BLOCK : plan->n_row / SAMPLE_BLOCKS;

    for (int64_t b = rank; b * step < plan->n_row && (is_all || b < SAMPLE_BLOCKS); b += size) {
        const int64_t first = b * step;
        const int64_t n = plan->n_row - first < rows ? plan->n_row - first : rows;

        HG_TRY(hg_sanity_read(plan, first, n, s));
    }
    return HG_OK;
}

hg_status
hg_sanity_warn(const hg_comm *comm, const hg_catalog *catalog, const char *what, bool is_box)
{
    const hg_plan *plan = hg_catalog_plan(catalog);
    hg_sanity s = {0};
    hg_sanity_verdict verdict = {0};
    hg_status status;
    int64_t failed;

    status =
        hg_sanity_sample(plan, (int64_t)ROWS_PER_RANK * comm->size, comm->rank, comm->size, &s);
    failed = status != HG_OK; /* whoever needs these rows will say why */
    HG_TRY(hg_comm_agree(comm, status == HG_E_MEMORY ? status : HG_OK));
    hg_comm_max(comm, 1, &failed);
    if (failed) {
        return HG_OK;
    }
    hg_sanity_sum(comm, &s);
    status = hg_sanity_judge(&s, &plan->frame, s.n_row == plan->n_row && !plan->incomplete,
                             is_box && !plan->incomplete, &verdict);
    HG_TRY(hg_comm_agree(comm, status));
    for (int i = 0; i < verdict.n && comm->rank == 0; i++) {
        if (verdict.line[i].kind == HG_SANITY_WRONG) {
            hg_log_warn("%s: %s: %s", what, verdict.line[i].topic, verdict.line[i].text);
        }
    }
    return HG_OK;
}
