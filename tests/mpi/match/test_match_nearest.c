#include "mpi_test.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "halograft/cosmology.h"
#include "match/match_nearest.h"

MPI_SUITE(match_nearest);

enum { N = 700 };

static hg_match_nearest_options
options_of(double box)
{
    hg_match_nearest_options o = {.distance = 8, .mass_ratio = 0.4, .frame = HG_FRAME_UNKNOWN};

    o.frame.box = box;
    o.frame.redshift = 0.5;
    o.frame.h = 0.7;
    o.frame.omega_m = 0.3;
    return o;
}

static void
make_objects(double box, hg_match_object object[2][N])
{
    hg_stream s = hg_stream_start(3, 0, 1, HG_PURPOSE_SPLIT);

    for (int i = 0; i < N; i++) {
        object[0][i] = (hg_match_object){.id = 9000 - i, .row = i};
        object[0][i].mass = pow(10, 12.5 + hg_stream_uniform(&s));
        object[1][i] = (hg_match_object){.id = i + 1, .row = i};
        object[1][i].mass = object[0][i].mass * pow(10, 0.3 * hg_stream_normal(&s));
        for (int k = 0; k < 3; k++) {
            object[0][i].position[k] = box * hg_stream_uniform(&s);
            object[1][i].position[k] = object[0][i].position[k] + hg_stream_normal(&s);
        }
    }
}

/* The measure of a pair by its definition, negative when out of reach. */
static double
measure(const hg_match_nearest_options *o, const hg_match_object *a, const hg_match_object *b)
{
    hg_cosmology c = HG_COSMOLOGY_INIT;
    double r2 = 0, radius, ratio = log10(b->mass / a->mass);

    c.h = o->frame.h;
    c.omega_m = o->frame.omega_m;
    c.omega_l = 1 - c.omega_m;
    radius = o->distance * hg_cosmology_r200c(&c, o->frame.redshift, a->mass);
    for (int k = 0; k < 3; k++) {
        double d = a->position[k] - b->position[k];

        if (isfinite(o->frame.box)) {
            d -= o->frame.box * round(d / o->frame.box);
        }
        r2 += d * d;
    }
    if (r2 > radius * radius || fabs(ratio) > o->mass_ratio) {
        return -1;
    }
    return r2 / (radius * radius) + ratio * ratio / (o->mass_ratio * o->mass_ratio);
}

/* The nearest of side `side` to object i of the other, -1 = none. */
static int
nearest_of(const hg_match_nearest_options *o, hg_match_object object[2][N], int side, int i)
{
    int best = -1;
    double least = HUGE_VAL;

    for (int k = 0; k < N; k++) {
        const double m = side == 1 ? measure(o, &object[0][i], &object[1][k])
                                   : measure(o, &object[0][k], &object[1][i]);

        if (m >= 0 && m < least) {
            least = m;
            best = k;
        }
    }
    return best;
}

static void
compare(double box)
{
    static hg_match_object object[2][N], own[2][N];
    const hg_match_nearest_options o = options_of(box);
    hg_match_pair *pairs = NULL, *all = NULL;
    int64_t n[2] = {0, 0}, n_pair = 0, n_all = 0, expected = 0;
    double reach = 0;

    make_objects(isfinite(box) ? box : 60, object);
    for (int g = 0; g < 2; g++) {
        for (int i = 0; i < N; i++) {
            if (i * (g + 3) % 7 % world.size == world.rank) {
                own[g][n[g]++] = object[g][i];
            }
        }
    }
    {
        const hg_match_object *const given[2] = {own[0], own[1]};

        cr_assert_eq(hg_match_reach(&world, n[0], own[0], &o, &reach), HG_OK);
        cr_assert_eq(hg_match_nearest(&world, n, given, &o, reach, &n_pair, &pairs), HG_OK);
    }
    cr_assert_eq(hg_comm_gather_rows(&world, n_pair, sizeof *pairs, pairs, &n_all, &all),
                 HG_OK);
    for (int i = 0; i < N; i++) {
        const int b = nearest_of(&o, object, 1, i);
        int64_t partner = -1;

        for (int64_t k = 0; k < n_all; k++) {
            partner = all[k].key[0] == object[0][i].id ? all[k].key[1] : partner;
        }
        if (b >= 0 && nearest_of(&o, object, 0, b) == i) {
            expected++;
            cr_assert_eq(partner, object[1][b].id, "object %d", i);
        } else {
            cr_assert_eq(partner, -1, "object %d", i);
        }
    }
    cr_assert_eq(n_all, expected);
    cr_assert(expected > N / 3 && expected < N);
    hg_mem_free(pairs);
    hg_mem_free(all);
}

Test(match_nearest, pairs_are_those_of_brute_force)
{
    compare(60);
    compare(16); /* the search reaches round the box */
    compare(HG_NOT_KNOWN);
}

Test(match_nearest, missing_cosmology_and_wide_searches_are_refused)
{
    hg_match_nearest_options o = options_of(60);
    hg_match_object object = {.id = 1, .mass = 1e15};
    const hg_match_object *const both[2] = {&object, &object};
    const int64_t n[2] = {1, 1};
    hg_match_pair *pairs = NULL;
    int64_t n_pair = 0;
    double reach;

    cr_assert_eq(hg_match_nearest(&world, n, both, &o, 31, &n_pair, &pairs), HG_E_ARG);
    o.frame.h = HG_NOT_KNOWN;
    cr_assert_eq(hg_match_reach(&world, 1, &object, &o, &reach), HG_E_INPUT);
    cr_assert(strstr(hg_error_last()->message, "Parent.redshift, h and omega_m") != NULL);
}
