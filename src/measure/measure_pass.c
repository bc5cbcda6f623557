/* Ranks read blocks of small parts. Mass functions and relations are integer histograms, so
 * they are the same for any ranks; of the rows only those in a sample are kept: position, row
 * number, a mask of samples, and what the parameters need besides (velocities, weights). */
#include "measure/measure_pass.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "halograft/cosmology.h"
#include "halograft/log.h"

/* First column an expression needs and a source lacks, or NULL. */
static const char *
missing_name(const hg_measured_set *sources, const hg_measured *source, int draw,
             const hg_expression *expression)
{
    for (int i = 0; i < hg_expression_n_name(expression); i++) {
        if (!hg_measured_has(sources, source, draw, hg_expression_name(expression, i))) {
            return hg_expression_name(expression, i);
        }
    }
    return NULL;
}

/* Comoving displacement per speed, s = x + v (1 + z) / H(z), and the column it needs. */
static hg_status
choose_space(const hg_measure_plan *plan, const hg_measured_set *sources,
             const hg_measured *source, int draw, hg_measure_pass *pass)
{
    const hg_params_measure *o = &plan->params->measure;
    const hg_frame *frame = hg_catalog_frame(source->catalog);
    const hg_cosmology cosmology = {
        .h = frame->h, .omega_m = frame->omega_m, .omega_l = frame->omega_l};

    if (strcmp(o->space, "real") == 0 || !pass->has_position) {
        return HG_OK;
    }
    if (!hg_measured_has(sources, source, draw, "velocity")) {
        return HG_FAIL(HG_E_NOTFOUND,
                       "catalogue '%s' (%s) has no column 'velocity', which "
                       "Measure.space '%s' needs",
                       source->name, source->path, o->space);
    }
    pass->has_velocity = true;
    pass->mpc_per_speed =
        (1 + frame->redshift) / hg_cosmology_hubble(&cosmology, frame->redshift);
    if (!isfinite(pass->mpc_per_speed)) {
        return HG_FAIL(HG_E_INPUT,
                       "catalogue '%s' (%s) does not tell redshift and cosmology, which "
                       "Measure.space '%s' needs",
                       source->name, source->path, o->space);
    }
    return hg_names_add(&pass->names, "velocity");
}

static hg_status
choose_sample(const hg_measure_plan *plan, const hg_measured_set *sources,
              const hg_measured *source, int draw, int s, hg_measure_pass *pass)
{
    const hg_sample *sample = &plan->sample[s];
    const char *lacks = missing_name(sources, source, draw, sample->expression);

    if (lacks == NULL && sample->weight != NULL) {
        lacks = missing_name(sources, source, draw, sample->weight);
    }
    if (lacks == NULL) {
        pass->has_sample |= (uint64_t)1 << s;
        if (sample->weight != NULL) {
            HG_TRY(hg_names_add_expression(&pass->names, sample->weight));
        }
        return hg_names_add_expression(&pass->names, sample->expression);
    }
    if (!plan->default_samples && !sample->is_found) {
        return HG_FAIL(HG_E_NOTFOUND,
                       "catalogue '%s' (%s) has no column '%s', which sample '%s' needs",
                       source->name, source->path, lacks, sample->name);
    }
    if (pass->is_loud) {
        hg_log_warn("measure: catalogue '%s' has no column '%s': sample '%s' is skipped",
                    source->name, lacks, sample->name);
    }
    return HG_OK;
}

static hg_status
choose_samples(const hg_measure_plan *plan, const hg_measured_set *sources,
               const hg_measured *source, int draw, uint64_t wanted, hg_measure_pass *pass)
{
    pass->n_catalogue = hg_catalog_n_row(source->catalog);
    pass->has_position = hg_measured_has(sources, source, draw, "position");
    if (pass->has_position) {
        HG_TRY(hg_names_add(&pass->names, "position"));
    }
    HG_TRY(choose_space(plan, sources, source, draw, pass));
    for (int s = 0; s < plan->n_sample; s++) {
        if (wanted >> s & 1) {
            HG_TRY(choose_sample(plan, sources, source, draw, s, pass));
        }
    }
    return HG_OK;
}

static hg_status
choose_tables(const hg_measure_plan *plan, const hg_measured_set *sources,
              const hg_measured *source, int draw, hg_measure_pass *pass)
{
    const hg_params_measure *o = &plan->params->measure;
    const char *lacks = NULL;

    if (plan->relation_where != NULL) {
        lacks = missing_name(sources, source, draw, plan->relation_where);
    }
    for (int i = 0; i < o->mass_functions.n; i++) {
        const char *column = o->mass_functions.v[i];

        if (!hg_measured_has(sources, source, draw, column)) {
            if (pass->is_loud) {
                hg_log_warn("measure: catalogue '%s' has no column '%s': no mass function",
                            source->name, column);
            }
            continue;
        }
        pass->mass_column[pass->n_mass] = column;
        HG_TRY(hg_massfunc_init(&plan->mass_axis, 1, &pass->massfunc[pass->n_mass++]));
        HG_TRY(hg_names_add(&pass->names, column));
    }
    for (int i = 0; i < plan->n_related; i++) {
        const char *column = plan->related[i].column, *to = plan->related[i].to;
        const char *missing = hg_measured_has(sources, source, draw, to) ? lacks : to;

        if (missing == NULL && !hg_measured_has(sources, source, draw, column)) {
            missing = column;
        }
        if (missing != NULL) {
            if (pass->is_loud) {
                hg_log_warn("measure: catalogue '%s' has no column '%s': the relation of '%s' "
                            "to '%s'%s%s is skipped",
                            source->name, missing, column, to,
                            o->relation_where != NULL ? " where " : "",
                            o->relation_where != NULL ? o->relation_where : "");
            }
            continue;
        }
        pass->related[pass->n_relation] = &plan->related[i];
        HG_TRY(hg_histogram_init(&plan->relation_axis, &plan->fine_axis,
                                 &pass->relation[pass->n_relation++]));
        HG_TRY(hg_names_add(&pass->names, column));
        HG_TRY(hg_names_add(&pass->names, to));
    }
    if (pass->n_relation > 0 && plan->relation_where != NULL) {
        HG_TRY(hg_names_add_expression(&pass->names, plan->relation_where));
    }
    return HG_OK;
}

/* Mass functions and relations of one part; scratch has room for 2 n doubles and n bytes. */
static hg_status
add_tables(const hg_measure_plan *plan, const hg_table *table, double *value, double *to,
           uint8_t *keep, hg_measure_pass *pass)
{
    for (int i = 0; i < pass->n_mass; i++) {
        HG_TRY(hg_measure_column(table, pass->mass_column[i], value));
        HG_TRY(hg_massfunc_add(&pass->massfunc[i], table->n, value, NULL));
    }
    if (pass->n_relation == 0) {
        return HG_OK;
    }
    memset(keep, 1, (size_t)table->n);
    HG_TRY(hg_expression_keep(plan->relation_where, table, keep));
    for (int i = 0; i < pass->n_relation; i++) {
        HG_TRY(hg_measure_column(table, pass->related[i]->to, to));
        HG_TRY(hg_measure_column(table, pass->related[i]->column, value));
        hg_histogram_add(&pass->relation[i], table->n, to, value, keep);
    }
    return HG_OK;
}

static hg_status
keep_row(hg_measure_pass *pass, const hg_column *position, const hg_column *velocity,
         int64_t first, int64_t row, uint64_t mask)
{
    hg_selected *selected = NULL;

    if (pass->n_selected == pass->room) {
        int64_t room = pass->room + pass->room / 2 + 65536;

        HG_TRY(hg_mem_resize(&pass->selected, (size_t)room, sizeof *pass->selected));
        if (pass->has_velocity) {
            HG_TRY(hg_mem_resize(&pass->velocity, (size_t)room, sizeof *pass->velocity));
        }
        pass->room = room;
    }
    selected = &pass->selected[pass->n_selected];
    for (int k = 0; k < 3; k++) {
        selected->position[k] = hg_column_value(position, row, k);
        if (pass->has_velocity) {
            pass->velocity[pass->n_selected][k] = (float)hg_column_value(velocity, row, k);
        }
    }
    selected->row = first + row;
    selected->mask = mask;
    pass->n_selected++;
    return HG_OK;
}

/* Weights of the rows of a sample; chosen has bit s for those. */
static hg_status
keep_weights(const hg_sample *sample, int s, const hg_table *table, const uint64_t *chosen,
             double *value, hg_measure_pass *pass)
{
    HG_TRY(hg_expression_evaluate(sample->weight, table, value));
    for (int64_t i = 0; i < table->n; i++) {
        if (!(chosen[i] >> s & 1)) {
            continue;
        }
        if (!(value[i] >= 0) || !isfinite(value[i])) {
            return HG_FAIL(HG_E_INPUT,
                           "weight '%s' of sample '%s' is %g in row %" PRId64
                           "; weights must be finite and not negative",
                           sample->weight_text, sample->name, value[i], table->first + i);
        }
        if (pass->n_weight[s] == pass->room_weight[s]) {
            int64_t room = pass->room_weight[s] + pass->room_weight[s] / 2 + 65536;

            HG_TRY(hg_mem_resize(&pass->weight[s], (size_t)room, sizeof *pass->weight[s]));
            pass->room_weight[s] = room;
        }
        pass->weight[s][pass->n_weight[s]++] = value[i];
    }
    return HG_OK;
}

static hg_status
add_samples(const hg_measure_plan *plan, const hg_table *table, double *value, uint64_t *mask,
            hg_measure_pass *pass)
{
    const hg_column *position = hg_table_find(table, "position");
    const hg_column *velocity = hg_table_find(table, "velocity");

    memset(mask, 0, (size_t)table->n * sizeof *mask);
    for (int s = 0; s < plan->n_sample; s++) {
        if (!(pass->has_sample >> s & 1)) {
            continue;
        }
        HG_TRY(hg_expression_evaluate(plan->sample[s].expression, table, value));
        for (int64_t i = 0; i < table->n; i++) {
            if (hg_expression_picks(value[i])) {
                mask[i] |= (uint64_t)1 << s;
                pass->objects[s]++;
            }
        }
        if (plan->sample[s].weight != NULL) {
            HG_TRY(keep_weights(&plan->sample[s], s, table, mask, value, pass));
        }
    }
    for (int64_t i = 0; pass->has_position && i < table->n; i++) {
        if (mask[i] != 0) {
            HG_TRY(keep_row(pass, position, velocity, table->first, i, mask[i]));
        }
    }
    return HG_OK;
}

static hg_status
add_part(const hg_measure_plan *plan, const hg_measured_set *sources, const hg_measured *source,
         int draw, int64_t part, hg_measure_pass *pass)
{
    hg_table table = {.n = 0};
    double *value = NULL;
    uint64_t *mask = NULL;
    hg_status status;

    hg_phase_start("measure: read");
    status =
        hg_measured_read(sources, source, draw, part, pass->names.n, pass->names.p, &table);
    hg_phase_stop("measure: read");
    HG_TRY_OR(done, status, status);
    HG_TRY_OR(done, status, hg_mem_array(&value, 2 * (size_t)table.n, sizeof *value));
    HG_TRY_OR(done, status, hg_mem_array(&mask, (size_t)table.n, sizeof *mask));
    HG_TRY_OR(done, status,
              add_tables(plan, &table, value, value + table.n, (uint8_t *)mask, pass));
    HG_TRY_OR(done, status, add_samples(plan, &table, value, mask, pass));
    status = hg_content_add(plan, &table, mask, &pass->content);
done:
    hg_mem_free(mask);
    hg_mem_free(value);
    hg_table_clear(&table);
    return status;
}

/* Read the parts of this rank and sum over ranks; names and samples are chosen. */
static hg_status
read_parts(const hg_comm *comm, const hg_measure_plan *plan, const hg_measured_set *sources,
           const hg_measured *source, int draw, hg_measure_pass *pass)
{
    int64_t first, end;
    hg_status status = HG_OK;

    hg_measured_parts(source, comm, &first, &end);
    for (int64_t part = first; part < end && status == HG_OK && pass->names.n > 0; part++) {
        status = add_part(plan, sources, source, draw, part, pass);
    }
    HG_TRY(hg_comm_agree(comm, status));
    hg_comm_sum(comm, HG_SAMPLE_MAX, pass->objects);
    return HG_OK;
}

hg_status
hg_measure_pass_run(const hg_comm *comm, const hg_measure_plan *plan,
                    const hg_measured_set *sources, const hg_measured *source, int draw,
                    hg_measure_pass *pass)
{
    *pass = (hg_measure_pass){.is_loud = comm->rank == 0};
    HG_TRY(hg_comm_agree(comm, choose_samples(plan, sources, source, draw, UINT64_MAX, pass)));
    HG_TRY(hg_comm_agree(comm, choose_tables(plan, sources, source, draw, pass)));
    HG_TRY(hg_comm_agree(
        comm, hg_content_choose(plan, sources, source, draw, &pass->names, &pass->content)));
    HG_TRY(read_parts(comm, plan, sources, source, draw, pass));
    hg_content_sum(comm, &pass->content);
    for (int i = 0; i < pass->n_mass; i++) {
        hg_massfunc_sum(comm, &pass->massfunc[i]);
    }
    for (int i = 0; i < pass->n_relation; i++) {
        hg_histogram_sum(comm, &pass->relation[i]);
    }
    return HG_OK;
}

hg_status
hg_measure_pass_points(const hg_comm *comm, const hg_measure_plan *plan,
                       const hg_measured_set *sources, const hg_measured *source,
                       uint64_t wanted, hg_measure_pass *pass)
{
    *pass = (hg_measure_pass){.is_loud = comm->rank == 0};
    HG_TRY(hg_comm_agree(comm, choose_samples(plan, sources, source, 0, wanted, pass)));
    if (!pass->has_position) {
        return HG_FAIL(HG_E_NOTFOUND,
                       "catalogue '%s' (%s) has no positions, which Measure.cross needs",
                       source->name, source->path);
    }
    return read_parts(comm, plan, sources, source, 0, pass);
}

void
hg_measure_pass_clear(hg_measure_pass *pass)
{
    for (int i = 0; i < pass->n_mass; i++) {
        hg_massfunc_clear(&pass->massfunc[i]);
    }
    for (int i = 0; i < pass->n_relation; i++) {
        hg_histogram_clear(&pass->relation[i]);
    }
    hg_content_clear(&pass->content);
    for (int s = 0; s < HG_SAMPLE_MAX; s++) {
        hg_mem_free(pass->weight[s]);
    }
    hg_mem_free(pass->velocity);
    hg_mem_free(pass->selected);
    memset(pass, 0, sizeof *pass);
}
