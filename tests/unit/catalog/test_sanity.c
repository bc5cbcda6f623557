#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "catalog/sanity.h"
#include "catalog_test.h"
#include "halograft/cosmology.h"

/* A box at z = 1 whose hosts have the abundance of Tinker 2008, a tenth of satellites beside
 * them, and speeds of 300 km/s. */
static const double box = 250, z = 1, h = 0.7;

static hg_frame
make_frame(void)
{
    return (hg_frame){.box = box,
                      .redshift = z,
                      .scale_factor = 1 / (1 + z),
                      .h = h,
                      .omega_m = 0.3,
                      .omega_l = 0.7,
                      .omega_b = 0.045,
                      .sigma_8 = 0.8,
                      .n_s = 0.96,
                      .particle_mass = 1e9};
}

static double
draw(int64_t row, int k)
{
    const double x = sin((double)(row + 1) * 12.9898 + k * 78.233) * 43758.5453;

    return x - floor(x);
}

enum { N_HOST = 100000 };

/* Masses of the most massive hosts that a box should have. */
static const double *
host_masses(void)
{
    static double mass[N_HOST];
    const hg_frame f = make_frame();
    const hg_cosmology c = {f.h, f.omega_m, f.omega_l, f.omega_b, f.sigma_8, f.n_s};
    hg_linear_power *power = NULL;
    hg_mass_function *mf = NULL;

    if (mass[0] > 0) {
        return mass;
    }
    cr_assert_eq(hg_linear_power_create(&c, &power), HG_OK);
    cr_assert_eq(hg_mass_function_create(power, HG_MASS_TINKER, z, &mf), HG_OK);
    for (int64_t i = 0; i < N_HOST; i++) {
        mass[i] = hg_mass_function_inverse(mf, ((double)i + 0.5) / (box * box * box));
    }
    hg_mass_function_free(mf);
    hg_linear_power_free(power);
    return mass;
}

static void
make_universe(hg_table *table)
{
    const hg_frame f = make_frame();
    const hg_cosmology c = {f.h, f.omega_m, f.omega_l, f.omega_b, f.sigma_8, f.n_s};
    const double *mass = host_masses();
    float *m, *r, *v;
    uint8_t *central;
    double *x;

    *table = (hg_table){.n = N_HOST + N_HOST / 10};
    cr_assert_eq(hg_table_add(table, "m200c", "Msun", HG_COLUMN_F32, 1, &m), HG_OK);
    cr_assert_eq(hg_table_add(table, "r200c", "Mpc", HG_COLUMN_F32, 1, &r), HG_OK);
    cr_assert_eq(hg_table_add(table, "velocity", "km/s", HG_COLUMN_F32, 3, &v), HG_OK);
    cr_assert_eq(hg_table_add(table, "position", "Mpc", HG_COLUMN_F64, 3, &x), HG_OK);
    cr_assert_eq(hg_table_add(table, "central", "", HG_COLUMN_U8, 1, &central), HG_OK);
    for (int64_t i = 0; i < table->n; i++) {
        m[i] = (float)mass[i % N_HOST];
        r[i] = (float)hg_cosmology_r200c(&c, z, mass[i % N_HOST]);
        central[i] = i < N_HOST;
        for (int k = 0; k < 3; k++) {
            x[3 * i + k] = draw(i, k) * box;
            v[3 * i + k] = (float)((draw(i, 3 + k) - 0.5) * 600);
        }
    }
}

static void
scale(hg_table *table, const char *name, double factor)
{
    hg_column *c = NULL;

    for (int i = 0; i < table->n_column; i++) {
        c = strcmp(table->column[i].name, name) == 0 ? &table->column[i] : c;
    }
    cr_assert_not_null(c);
    for (int64_t i = 0; i < table->n * c->width; i++) {
        if (c->type == HG_COLUMN_F64) {
            ((double *)c->data)[i] *= factor;
        } else {
            ((float *)c->data)[i] *= (float)factor;
        }
    }
}

/* Mistakes: factors of columns and of the box, and what must be said about which topic. */
static const struct mistake {
    const char *what;
    double mass, radius, position, box, velocity;
    const char *topic, *words;
} mistakes[] = {{"h in masses", 0.7, 1, 1, 1, 1, "overdensity", "about h:"},
                {"1/h in masses", 1 / 0.7, 1, 1, 1, 1, "overdensity", "about h^-1:"},
                {"h in radii", 1, 0.7, 1, 1, 1, "overdensity", "about h^-3:"},
                {"a in radii", 1, 0.5, 1, 1, 1, "overdensity", "about a^-3:"},
                {"h in masses and radii", 0.7, 0.7, 1, 1, 1, "overdensity", "about h^-2:"},
                {"1e10 in masses", 1e-10, 1, 1, 1, 1, "overdensity", "about 1e10^-1:"},
                {"1e10 twice", 1e10, 1, 1, 1, 1, "overdensity", "about 1e10:"},
                {"h in positions", 1, 1, 0.7, 1, 1, "box", "about h:"},
                {"1/h in positions", 1, 1, 1 / 0.7, 1, 1, "box", "about h^-1"},
                {"a in positions", 1, 1, 0.5, 1, 1, "box", "about a:"},
                {"a in the box", 1, 1, 1, 0.5, 1, "box", "about a^-1"},
                {"kpc in radii", 1, 1000, 1, 1, 1, "overdensity", "about 1000^-3:"},
                {"h in all lengths", 1, 0.7, 0.7, 0.7, 1, "overdensity", "about h^-3:"},
                {"m/s", 1, 1, 1, 1, 1000, "velocities", "look at its unit"},
                /* without radii, by numbers alone */
                {"h in masses, no radii", 0.7, 0, 1, 1, 1, "abundance", "about h:"},
                {"1/h in masses, no radii", 1 / 0.7, 0, 1, 1, 1, "abundance", "about h^-1:"},
                {"1e10 in masses, no radii", 1e-10, 0, 1, 1, 1, "abundance", "0.0"},
                {"1e10 twice, no radii", 1e10, 0, 1, 1, 1, "abundance", "look at the unit"},
                {"h in box and positions", 1, 0, 0.7, 0.7, 1, "abundance", "times as many"},
                {"a in box and positions", 1, 0, 0.5, 0.5, 1, "abundance", "times as many"}};

static void
judge(const struct mistake *w, hg_frame frame, hg_sanity_verdict *verdict)
{
    hg_table table;
    hg_sanity s = {0};

    make_universe(&table);
    scale(&table, "m200c", w->mass);
    scale(&table, "r200c", w->radius); /* a radius of 0 is not known */
    scale(&table, "position", w->position);
    scale(&table, "velocity", w->velocity);
    frame.box *= w->box;
    hg_sanity_count(&frame, &table, &s);
    cr_assert_eq(hg_sanity_judge(&s, &frame, true, true, verdict), HG_OK);
    hg_table_clear(&table);
}

static bool
says(const hg_sanity_verdict *v, hg_sanity_kind kind, const char *topic, const char *words)
{
    for (int i = 0; i < v->n; i++) {
        if (v->line[i].kind == kind && strcmp(v->line[i].topic, topic) == 0 &&
            strstr(v->line[i].text, words) != NULL) {
            return true;
        }
    }
    for (int i = 0; i < v->n; i++) {
        cr_log_error("%d %s: %s", v->line[i].kind, v->line[i].topic, v->line[i].text);
    }
    return false;
}

Test(sanity, a_sound_box_passes_every_check)
{
    const struct mistake none = {"none", 1, 1, 1, 1, 1, "", ""};
    hg_sanity_verdict v;

    judge(&none, make_frame(), &v);
    for (int i = 0; i < v.n; i++) {
        cr_expect_eq(v.line[i].kind, HG_SANITY_OK, "%s: %s", v.line[i].topic, v.line[i].text);
    }
    cr_expect_eq(v.n, 5);
    cr_expect(says(&v, HG_SANITY_OK, "satellites", "0.091"));
    cr_expect_eq(hg_mem_used(), 0);
}

Test(sanity, a_planted_h_or_a_or_1e10_is_caught_and_named)
{
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        hg_sanity_verdict v;

        judge(&mistakes[i], make_frame(), &v);
        cr_expect(says(&v, HG_SANITY_WRONG, mistakes[i].topic, mistakes[i].words), "%s",
                  mistakes[i].what);
    }
}

Test(sanity, without_the_amplitude_only_common_haloes_are_compared)
{
    const struct mistake none = {"none", 1, 1, 1, 1, 1, "", ""};
    hg_frame frame = make_frame();
    hg_sanity_verdict v;

    frame.sigma_8 = frame.n_s = frame.omega_b = frame.particle_mass = (double)NAN;
    judge(&none, frame, &v);
    cr_expect(says(&v, HG_SANITY_OK, "abundance", "usual sigma_8"));
    judge(&mistakes[15], frame, &v);
    cr_expect(says(&v, HG_SANITY_WRONG, "abundance", "h^-1"));
}

Test(sanity, hosts_that_are_told_wrong_and_zooms_are_seen)
{
    const hg_frame frame = make_frame();
    hg_sanity_verdict v;
    hg_sanity s = {0};
    hg_table table;

    make_universe(&table);
    memset(table.column[4].data, 0, (size_t)table.n);
    hg_sanity_count(&frame, &table, &s);
    cr_assert_eq(hg_sanity_judge(&s, &frame, true, true, &v), HG_OK);
    cr_expect(says(&v, HG_SANITY_WRONG, "satellites", "no row is a central"));
    /* a sphere somewhere in the box is a zoom, and wrong for a parent */
    for (int64_t i = 0; i < 3 * table.n; i++) {
        ((double *)table.column[3].data)[i] = 60 + 0.2 * ((double *)table.column[3].data)[i];
    }
    s = (hg_sanity){0};
    hg_sanity_count(&frame, &table, &s);
    cr_assert_eq(hg_sanity_judge(&s, &frame, true, false, &v), HG_OK);
    cr_expect(says(&v, HG_SANITY_NOTE, "box", "a zoom"));
    cr_assert_eq(hg_sanity_judge(&s, &frame, true, true, &v), HG_OK);
    cr_expect(says(&v, HG_SANITY_WRONG, "box", "empty"));
    hg_table_clear(&table);
}
