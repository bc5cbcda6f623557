/* Thinning is what a resimulation with heavier particles does to a halo at the least: the
 * particles of a coarse run are not a sample of those of a fine one, but as few. That keeps the
 * scatter of small numbers and the steps of whole particles, and needs no second simulation. It
 * forgets that a coarse run resolves less structure: subhaloes that are never found are more
 * than those that fall below the least number. */
#include "validate/coarsen.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"

enum { ENERGY = 2 };

/* What becomes of a column. */
typedef enum kind { MASS, HOST, PAST, RADIUS, POTENTIAL, SHOT, SPEED } kind;

static const char *const words[] = {
    [MASS] = "whole particles of the halo",
    [HOST] = "whole particles of the host",
    [PAST] = "whole particles of the past",
    [RADIUS] = "cube root of the mass of the host",
    [POTENTIAL] = "square of the mass of the halo",
    [SHOT] = "error of few particles",
    [SPEED] = "error of few particles, softening",
};

static const struct rule {
    const char *name;
    kind kind;
    double shot;      /* relative error times the root of the number of particles */
    const char *mass; /* of the overdensity, RADIUS alone */
} rules[] = {
    {"m_bound", MASS, 0, NULL},    {"m_dm", MASS, 0, NULL},       {"m200c", HOST, 0, NULL},
    {"m500c", HOST, 0, NULL},      {"m200m", HOST, 0, NULL},      {"mvir", HOST, 0, NULL},
    {"m_peak", PAST, 0, NULL},     {"m_acc", PAST, 0, NULL},      {"r200c", RADIUS, 0, "m200c"},
    {"r500c", RADIUS, 0, "m500c"}, {"r200m", RADIUS, 0, "m200m"}, {"rvir", RADIUS, 0, "mvir"},
    {"e_pot", POTENTIAL, 0, NULL}, {"r_half", SHOT, 1, NULL},     {"sigma_v", SHOT, 0.41, NULL},
    {"vmax", SPEED, 0.91, NULL},   {"v_peak", SHOT, 0.91, NULL},
};
enum { N_RULE = sizeof rules / sizeof rules[0] };

/* Masses at epochs, m_bound_peak, m_bound_z1, m_bound_a0p5, are masses of the past. */
static const struct rule past = {"", PAST, 0, NULL};

static const struct rule *
find_rule(const char *column)
{
    static const char *const epochs[] = {"peak", "z", "a"};
    const char *tail = strncmp(column, "m_bound_", 8) == 0 ? column + 8 : "";

    for (size_t i = 0; i < N_RULE; i++) {
        if (strcmp(rules[i].name, column) == 0) {
            return &rules[i];
        }
    }
    for (size_t i = 0; i < sizeof epochs / sizeof epochs[0]; i++) {
        const size_t n = strlen(epochs[i]);

        if (strncmp(tail, epochs[i], n) == 0 &&
            (i == 0 ? tail[n] == '\0' : tail[n] >= '0' && tail[n] <= '9')) {
            return &past;
        }
    }
    return NULL;
}

const char *
hg_coarsening_rule(const char *column)
{
    const struct rule *r = find_rule(column);

    return r != NULL ? words[r->kind] : NULL;
}

hg_status
hg_coarsening_open(const hg_params *params, const hg_recipes *features, hg_coarsening *c)
{
    const hg_params_validate *p = &params->validate;

    *c = (hg_coarsening){.params = params, .features = features};
    c->n = p->resolution.n + p->resolution_masses.n;
    c->n_value = c->n * (features->n + 1);
    if (c->n == 0) {
        return HG_OK;
    }
    if (hg_expression_create(p->particles_of, &c->mass) != HG_OK) {
        hg_error_prefix("Validate.particles_of: ");
        return hg_error_last()->status;
    }
    return HG_OK;
}

void
hg_coarsening_clear(hg_coarsening *c)
{
    hg_expression_free(c->mass);
    *c = (hg_coarsening){0};
}

hg_status
hg_coarsening_factor(const hg_coarsening *c, int k, double particle_mass, double *mass,
                     double *factor)
{
    const hg_params_validate *p = &c->params->validate;
    const double fine = p->particle_mass > 0 ? p->particle_mass : particle_mass;

    if (!(fine > 0)) {
        return HG_FAIL(HG_E_INPUT, "the training catalogues do not tell the mass of their "
                                   "particles, which a study of resolution needs: give it in "
                                   "Validate.particle_mass");
    }
    *factor = k < p->resolution.n ? p->resolution.v[k]
                                  : p->resolution_masses.v[k - p->resolution.n] / fine;
    *mass = *factor * fine;
    return *factor >= 1
               ? HG_OK
               : HG_FAIL(HG_E_PARAM,
                         "Validate.resolution_masses: particles of %g Msun are lighter than "
                         "those of the training catalogues, %g Msun: features can only be "
                         "made coarser",
                         *mass, fine);
}

/* ---- one halo ---- */
/* What a particle mass does to a row. */
struct thinning {
    double fine, factor;  /* particle mass, Msun; how much heavier */
    double soft[2];       /* softening before and after, Mpc */
    double before, after; /* particles of the halo */
    double normal, host;  /* numbers of the halo and of its host */
};

static double
draw(const hg_coarsening *c, int k, uint64_t id)
{
    hg_stream stream =
        hg_stream_start((uint64_t)c->params->meta.seed, (uint64_t)k, id, HG_PURPOSE_COARSEN);

    return hg_stream_normal(&stream);
}

static uint64_t
name_id(uint64_t key, const char *name)
{
    return hg_mix64(key ^ hg_hash_bytes(name, strlen(name)));
}

/* Particles left of n, at least one. */
static double
thin(const struct thinning *t, double n, double normal)
{
    const double mean = n / t->factor;

    return t->factor > 1 && n > 0
               ? fmax(1, rint(mean + normal * sqrt(mean * (1 - 1 / t->factor))))
               : n;
}

static double
thin_mass(const struct thinning *t, double mass, double normal)
{
    return thin(t, mass / t->fine, normal) * t->fine * t->factor;
}

/* A halo and its host are one for a central: the first host mass there is keys both. */
static double
host_number(const hg_coarsening *c, int k, const hg_table *table, uint64_t place, int64_t row,
            bool *is_known)
{
    for (size_t i = 0; i < N_RULE; i++) {
        const hg_column *mass =
            rules[i].kind == HOST ? hg_table_find(table, rules[i].name) : NULL;

        if (mass != NULL) {
            const double value = hg_column_value(mass, row, 0);

            *is_known = true;
            return draw(c, k, hg_mix64(place) ^ hg_hash_bytes(&value, sizeof value));
        }
    }
    *is_known = false;
    return 0;
}

static double
coarse_value(const hg_coarsening *c, int k, const struct thinning *t, const struct rule *r,
             const hg_table *table, const char *name, uint64_t key, int64_t row, double value)
{
    const double error = r->shot * sqrt((1 - 1 / t->factor) / t->after);
    const hg_column *mass = NULL, *radius = NULL;
    double x, speed;

    switch (r->kind) {
    case MASS:
        return thin_mass(t, value, t->normal);
    case HOST:
        return thin_mass(t, value, t->host);
    case PAST:
        return value > 0 ? thin_mass(t, value, draw(c, k, name_id(key, name))) : value;
    case RADIUS:
        mass = hg_table_find(table, r->mass);
        x = mass != NULL ? hg_column_value(mass, row, 0) : 0;
        return x > 0 ? value * cbrt(thin_mass(t, x, t->host) / x) : value;
    case POTENTIAL:
        return value * pow(t->after * t->factor / t->before, ENERGY);
    case SHOT:
    case SPEED:
        speed = value * fmax(0.05, 1 + error * draw(c, k, name_id(key, name)));
        radius = r->kind == SPEED ? hg_table_find(table, "r_vmax") : NULL;
        x = radius != NULL ? hg_column_value(radius, row, 0) : 0;
        return x > 0 ? speed * sqrt((1 + pow(t->soft[0] / x, 2)) / (1 + pow(t->soft[1] / x, 2)))
                     : speed;
    }
    return value;
}

/* ---- a table ---- */
static void
set_value(const hg_column *column, int64_t row, double value)
{
    if (column->type == HG_COLUMN_F64) {
        ((double *)column->data)[row] = value;
    } else if (column->type == HG_COLUMN_F32) {
        ((float *)column->data)[row] = (float)value;
    }
}

static void
thin_row(const hg_coarsening *c, int k, struct thinning *t, const hg_table *table, uint64_t key,
         uint64_t place, int64_t row)
{
    const hg_column *central = hg_table_find(table, "central");
    bool has_host;

    t->host = host_number(c, k, table, place, row, &has_host);
    t->normal = has_host && central != NULL && hg_column_value(central, row, 0) > 0
                    ? t->host
                    : draw(c, k, key);
    t->after = thin(t, t->before, t->normal);
}

/* Make the rows of `table` coarser, a copy of `fine`; lost ones stay. */
static hg_status
coarsen_rows(const hg_coarsening *c, int k, const hg_table *fine, const double mass[],
             const uint64_t key[], const uint64_t place[], hg_table *table, uint8_t lost[])
{
    const hg_params_validate *p = &c->params->validate;
    struct thinning t = {.soft = {p->softening}};
    double particle = 0;

    HG_TRY(hg_coarsening_factor(c, k, fine->frame.particle_mass, &particle, &t.factor));
    t.fine = particle / t.factor;
    t.soft[1] = t.soft[0] * cbrt(t.factor);
    for (int64_t i = 0; i < fine->n; i++) {
        t.before = mass[i] / t.fine;
        if (t.before > 0) {
            thin_row(c, k, &t, fine, key[i], place[i], i);
        }
        lost[i] = !(t.before > 0 && t.after >= p->particles_min);
        for (int j = 0; j < table->n_column && !lost[i]; j++) {
            const hg_column *column = &table->column[j];
            const struct rule *r = find_rule(column->name);

            if (r != NULL && column->width == 1) {
                const double value = hg_column_value(&fine->column[j], i, 0);

                set_value(column, i,
                          coarse_value(c, k, &t, r, fine, column->name, key[i], i, value));
            }
        }
    }
    return HG_OK;
}

static hg_status
evaluate_one(const hg_coarsening *c, int k, const hg_table *fine, const double mass[],
             const uint64_t key[], const uint64_t place[], size_t stride, double value[])
{
    const int nf = c->features->n;
    hg_table table = {.frame = fine->frame, .first = fine->first};
    uint8_t *lost = NULL;
    hg_status status;

    HG_TRY_OR(done, status, hg_mem_array(&lost, (size_t)fine->n, sizeof *lost));
    HG_TRY_OR(done, status, hg_table_append(&table, fine));
    HG_TRY_OR(done, status, coarsen_rows(c, k, fine, mass, key, place, &table, lost));
    for (int f = 0; f < nf && status == HG_OK; f++) {
        status = hg_recipe_evaluate(&c->features->recipe[f], &table, stride, value + f);
    }
    for (int64_t i = 0; i < fine->n; i++) {
        value[(size_t)i * stride + (size_t)nf] = lost[i];
    }
    if (status != HG_OK) {
        hg_error_prefix("made coarser: ");
    }
done:
    hg_table_clear(&table);
    hg_mem_free(lost);
    return status;
}

hg_status
hg_coarsening_evaluate(const hg_coarsening *c, const hg_table *table, const uint64_t key[],
                       const uint64_t place[], size_t stride, double value[])
{
    double *mass = NULL;
    hg_status status;

    HG_TRY(hg_mem_array(&mass, (size_t)table->n, sizeof *mass));
    status = hg_expression_evaluate(c->mass, table, mass);
    if (status != HG_OK) {
        hg_error_prefix("Validate.particles_of: ");
    }
    for (int k = 0; k < c->n && status == HG_OK; k++) {
        status = evaluate_one(c, k, table, mass, key, place, stride,
                              value + k * (c->features->n + 1));
    }
    hg_mem_free(mass);
    return status;
}
