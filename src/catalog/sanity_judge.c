/* Each check says a sentence with the number it found; where that is near a power of h or a, or
 * 1e10, it says so, for these are what is forgotten. The abundance is told as a shift in mass
 * as well: a factor in mass moves the whole curve along. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "catalog/sanity.h"
#include "halograft/cosmology.h"

enum { FEW = 100, MANY = 1000, PARTICLES = 200 };

static const double overdensity_tolerance = 0.01, abundance_tolerance = 0.1, /* dex */
    above_fullest = 0.3,                                                     /* dex */
    common_peak = 1.5, slowest = 30, fastest = 3000;                         /* km/s */

static void HG_PRINTF(4, 5)
    say(hg_sanity_verdict *v, hg_sanity_kind kind, const char *topic, const char *format, ...)
{
    va_list arguments;

    if (v->n < HG_SANITY_LINES) {
        va_start(arguments, format);
        vsnprintf(v->line[v->n].text, sizeof v->line[v->n].text, format, arguments);
        va_end(arguments);
        v->line[v->n].kind = kind;
        v->line[v->n++].topic = topic;
        v->n_wrong += kind == HG_SANITY_WRONG;
    }
}

/* ", which is about h^2" where a factor is near a usual one, else "". */
static const char *
explain(double factor, const hg_frame *frame, double tolerance, size_t n, char text[])
{
    static const char *const name[] = {"1e10", "h", "a", "1000"};
    const double base[] = {1e10, frame->h, frame->scale_factor, 1000};
    double best = log(1 + tolerance);

    text[0] = '\0';
    for (int i = 0; i < 4; i++) {
        for (int power = -3; power <= 3; power++) {
            const double off = fabs(log(factor) - power * log(base[i]));

            if (power != 0 && fabs(log(base[i])) > 2 * tolerance && off < best) {
                best = off;
                snprintf(text, n, power == 1 ? ", which is about %s" : ", which is about %s^%d",
                         name[i], power);
            }
        }
    }
    return text;
}

/* Number of leading slabs with rows when no other has some; -1 otherwise. */
static int
count_leading(const int64_t slab[])
{
    int n = 0;

    while (n < HG_SANITY_SLABS && slab[n] > 0) {
        n++;
    }
    for (int i = n; i < HG_SANITY_SLABS; i++) {
        if (slab[i] > 0) {
            return -1;
        }
    }
    return n;
}

/* Whether rows fill the box, all of it. */
static bool
judge_box(const hg_sanity *s, const hg_frame *frame, bool is_box, hg_sanity_verdict *v)
{
    int lead[3], empty = 0;
    char why[64];

    if (s->n_outside > 0) {
        say(v, HG_SANITY_WRONG, "box",
            "%" PRId64 " of %" PRId64 " positions lie outside the box of %g Mpc, up to %.4g "
            "times its side%s",
            s->n_outside, s->n_place, frame->box, s->reach,
            explain(s->reach, frame, 0.02, sizeof why, why));
        return false;
    }
    if (s->n_place < MANY) {
        return false;
    }
    for (int k = 0; k < 3; k++) {
        lead[k] = count_leading(s->slab + k * HG_SANITY_SLABS);
    }
    for (int i = 0; i < 3 * HG_SANITY_SLABS; i++) {
        empty += s->slab[i] == 0;
    }
    if (empty == 0) {
        say(v, HG_SANITY_OK, "box", "positions fill the box of %g Mpc", frame->box);
        return true;
    }
    if (lead[0] > 0 && abs(lead[0] - lead[1]) <= 1 && abs(lead[0] - lead[2]) <= 1) {
        say(v, HG_SANITY_WRONG, "box",
            "positions fill only %.4g of each side of the box of %g Mpc%s: look at the units "
            "of "
            "box and positions",
            s->reach, frame->box, explain(s->reach, frame, 0.02, sizeof why, why));
    } else if (is_box) {
        say(v, HG_SANITY_WRONG, "box",
            "positions leave %d of %d slabs of the box of %g Mpc empty: look at units, or at "
            "files that are missing",
            empty, 3 * HG_SANITY_SLABS, frame->box);
    } else {
        say(v, HG_SANITY_NOTE, "box",
            "positions lie in a part of the box of %g Mpc: a zoom, or not all files",
            frame->box);
    }
    return false;
}

static void
judge_overdensity(const hg_sanity *s, const hg_frame *frame, hg_sanity_verdict *v)
{
    const double mean = s->n_ratio > 0 ? s->log_ratio / (double)s->n_ratio : 0;
    char why[64];

    if (s->n_ratio == 0) {
        return;
    }
    if (fabs(mean) <= overdensity_tolerance) {
        say(v, HG_SANITY_OK, "overdensity",
            "M200c is %.4f times what R200c and the header say, as it should be", exp(mean));
        return;
    }
    say(v, HG_SANITY_WRONG, "overdensity",
        "M200c is %.4g times what R200c and the header say%s: look at units, h, a and Omega_m",
        exp(mean), explain(exp(mean), frame, 0.02, sizeof why, why));
}

/* The expected abundance, and up to which mass it is known. */
typedef struct expectation {
    hg_linear_power *power;
    hg_mass_function *mf;
    bool is_assumed;    /* sigma_8 or n_s are not those of the run */
    double to;          /* log10 of the largest mass that is compared */
    double box_scatter; /* of numbers in a box of this size, dex */
} expectation;

static hg_status
expect(const hg_frame *frame, expectation *e)
{
    const hg_cosmology usual = HG_COSMOLOGY_INIT;
    hg_cosmology c = {.h = frame->h, .omega_m = frame->omega_m};
    double growth;

    e->is_assumed = !isfinite(frame->sigma_8) || !isfinite(frame->n_s);
    c.omega_l = isfinite(frame->omega_l) ? frame->omega_l : 1 - c.omega_m;
    c.omega_b = frame->omega_b > 0 ? frame->omega_b : usual.omega_b;
    c.sigma_8 = isfinite(frame->sigma_8) ? frame->sigma_8 : usual.sigma_8;
    c.n_s = isfinite(frame->n_s) ? frame->n_s : usual.n_s;
    HG_TRY(hg_linear_power_create(&c, &e->power));
    HG_TRY(hg_mass_function_create(e->power, HG_MASS_TINKER, frame->redshift, &e->mf));
    HG_TRY(hg_cosmology_growth(&c, frame->redshift, &growth, NULL));
    e->to = 16;
    for (double m = 8; e->is_assumed && m < 16; m += HG_SANITY_STEP) {
        const double radius = cbrt(pow(10, m) / hg_cosmology_rho_mean(&c) * 3 / (4 * M_PI));

        if (HG_DELTA_COLLAPSE >
            common_peak * growth * hg_linear_power_sigma(e->power, radius)) {
            e->to = m;
            break;
        }
    }
    /* half of what a sphere of this volume has, for the mean of the box itself is known */
    e->box_scatter = 0.5 * growth / M_LN10 *
                     hg_linear_power_sigma(e->power, frame->box * cbrt(3 / (4 * M_PI)));
    return HG_OK;
}

static double
bin_edge(int i)
{
    return HG_SANITY_LOWEST + i * HG_SANITY_STEP;
}

/* First bin that is surely complete. */
static int
find_resolved(const hg_sanity *s, const hg_frame *frame)
{
    int fullest = 0;
    double from;

    for (int i = 1; i < HG_SANITY_BINS; i++) {
        fullest = s->mass[i] > s->mass[fullest] ? i : fullest;
    }
    from = bin_edge(fullest) + above_fullest;
    if (frame->particle_mass > 0) {
        /* with wrong masses the fullest bin means nothing, the particles still do */
        const double particles = log10(PARTICLES * frame->particle_mass);

        from = particles > from || from > particles + 2 ? particles : from;
    }
    return (int)ceil((from - HG_SANITY_LOWEST) / HG_SANITY_STEP - 1e-9);
}

/* Factor in mass that would make the expected hosts as many as those found. */
static double
find_factor(const expectation *e, double low, double n_above, double volume)
{
    return low / hg_mass_function_inverse(e->mf, n_above / volume);
}

static void
compare_abundance(const hg_sanity *s, const hg_frame *frame, const expectation *e,
                  hg_sanity_verdict *v)
{
    const double volume = frame->box * frame->box * frame->box;
    const double lowest = log10(HG_MASS_FUNCTION_LOWEST),
                 highest = log10(HG_MASS_FUNCTION_HIGHEST);
    const int resolved = find_resolved(s, frame);
    const int least = (int)((lowest - HG_SANITY_LOWEST) / HG_SANITY_STEP + 0.5);
    const int first = resolved > least ? resolved : least;
    const double low = pow(10, bin_edge(first));
    const char *assumed = e->is_assumed ? ", usual sigma_8 and n_s" : "";
    double n_seen = 0, n_wanted, beyond = 0, off, tolerance;
    int last = first;
    char why[64];

    if (bin_edge(first) > highest) {
        say(v, HG_SANITY_WRONG, "abundance",
            "most hosts have more than %.2e Msun: look at the unit of masses", low);
        return;
    }
    for (; last < HG_SANITY_BINS && bin_edge(last) < e->to - 1e-9; last++) {
        n_seen += (double)s->mass[last];
    }
    if (e->is_assumed) {
        beyond = volume * hg_mass_function_above(e->mf, pow(10, bin_edge(last)));
    }
    n_wanted = volume * hg_mass_function_above(e->mf, low) - beyond;
    if (last == first || (n_wanted < FEW && n_seen < FEW)) {
        say(v, HG_SANITY_NOTE, "abundance",
            "there are too few resolved hosts to compare their mass function");
        return;
    }
    off = log10(fmax(n_seen, 0.5) / fmax(n_wanted, 0.5));
    tolerance = abundance_tolerance + 2 / M_LN10 / sqrt(fmax(n_wanted, 1)) + e->box_scatter;
    if (fabs(off) <= tolerance) {
        say(v, HG_SANITY_OK, "abundance",
            "hosts above %.2e Msun are %.3f times as many as expected (Tinker 2008%s)", low,
            pow(10, off), assumed);
    } else {
        const double factor = find_factor(e, low, fmax(n_seen, 0.5) + beyond, volume);

        say(v, HG_SANITY_WRONG, "abundance",
            "hosts above %.2e Msun are %.3g times as many as expected (Tinker 2008%s), as if "
            "masses were multiplied by %.3g%s: look at the units of masses and box, and "
            "whether "
            "rows are missing",
            low, pow(10, off), assumed, factor, explain(factor, frame, 0.1, sizeof why, why));
    }
}

static hg_status
judge_abundance(const hg_sanity *s, const hg_frame *frame, hg_sanity_verdict *v)
{
    expectation e = {0};
    hg_status status;

    status = expect(frame, &e);
    if (status == HG_OK) {
        compare_abundance(s, frame, &e, v);
    } else if (status != HG_E_MEMORY) { /* the cosmology of the frame is odd */
        say(v, HG_SANITY_WRONG, "abundance", "%.400s", hg_error_last()->message);
        status = HG_OK;
    }
    hg_mass_function_free(e.mf);
    hg_linear_power_free(e.power);
    return status;
}

static void
judge_satellites(const hg_sanity *s, bool fills, hg_sanity_verdict *v)
{
    const int64_t n = s->n_central + s->n_satellite;
    const double share = n > 0 ? (double)s->n_satellite / (double)n : 0;

    if (n < FEW) {
        return;
    }
    say(v, s->n_central == 0 || (fills && share > 0.5) ? HG_SANITY_WRONG : HG_SANITY_OK,
        "satellites", "%.3f of all rows are satellites%s", share,
        s->n_central == 0      ? ": no row is a central"
        : fills && share > 0.5 ? ", more than half: look at how hosts are told"
                               : "");
}

static void
judge_speeds(const hg_sanity *s, bool fills, hg_sanity_verdict *v)
{
    const double n = (double)s->n_speed;
    double rms, drift = 0;

    if (s->n_speed < MANY) {
        return;
    }
    rms = sqrt(s->speed2 / n);
    for (int k = 0; k < 3; k++) {
        drift += s->speed[k] / n * (s->speed[k] / n);
    }
    drift = sqrt(drift);
    if (rms < slowest || rms > fastest) {
        say(v, HG_SANITY_WRONG, "velocities", "the mean speed is %.3g km/s: look at its unit",
            rms);
    } else if (fills && drift > 0.5 * rms) {
        say(v, HG_SANITY_WRONG, "velocities",
            "all rows drift with %.3g km/s, at a mean speed of %.3g km/s", drift, rms);
    } else {
        say(v, HG_SANITY_OK, "velocities", "the mean speed is %.3g km/s, the drift %.3g km/s",
            rms, drift);
    }
}

hg_status
hg_sanity_judge(const hg_sanity *s, const hg_frame *frame, bool is_whole, bool is_box,
                hg_sanity_verdict *verdict)
{
    const bool has_cosmology = isfinite(frame->h) && isfinite(frame->omega_m);
    bool fills = false;
    int64_t n_mass = 0;

    *verdict = (hg_sanity_verdict){.n = 0};
    if (s->n_place > 0) {
        fills = judge_box(s, frame, is_box, verdict);
    }
    if (has_cosmology) {
        judge_overdensity(s, frame, verdict);
    }
    for (int i = 0; i < HG_SANITY_BINS; i++) {
        n_mass += s->mass[i];
    }
    if (has_cosmology && frame->box > 0 && isfinite(frame->redshift) && n_mass >= FEW &&
        is_whole && (is_box || fills)) {
        HG_TRY(judge_abundance(s, frame, verdict));
    }
    judge_satellites(s, fills, verdict);
    judge_speeds(s, fills, verdict);
    return HG_OK;
}
