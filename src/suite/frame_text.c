/* One table of members serves writing and reading. */
#include "suite/frame_text.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    size_t offset;
} members[] = {
    {"box", offsetof(hg_frame, box)},
    {"redshift", offsetof(hg_frame, redshift)},
    {"scale_factor", offsetof(hg_frame, scale_factor)},
    {"h", offsetof(hg_frame, h)},
    {"omega_m", offsetof(hg_frame, omega_m)},
    {"omega_l", offsetof(hg_frame, omega_l)},
    {"omega_b", offsetof(hg_frame, omega_b)},
    {"sigma_8", offsetof(hg_frame, sigma_8)},
    {"n_s", offsetof(hg_frame, n_s)},
    {"particle_mass", offsetof(hg_frame, particle_mass)},
};
enum { N_MEMBER = sizeof members / sizeof members[0] };

hg_status
hg_frame_write(const hg_frame *frame, hg_text *text)
{
    for (int i = 0; i < N_MEMBER; i++) {
        double value;

        memcpy(&value, (const char *)frame + members[i].offset, sizeof value);
        if (isfinite(value)) {
            HG_TRY(hg_text_add(text, "%s: %.17g\n", members[i].name, value));
        }
    }
    return hg_text_add(text, "dark_matter_only: %d\n", frame->dark_matter_only ? 1 : 0);
}

hg_status
hg_frame_parse(const char *text, hg_frame *frame)
{
    *frame = (hg_frame)HG_FRAME_UNKNOWN;
    for (const char *p = text; p != NULL && *p != '\0';) {
        char name[32], number[64];
        const char *end = strchr(p, '\n');
        double value;

        if (sscanf(p, "%31[^:]: %63s", name, number) != 2 || !hg_text_real(number, &value)) {
            return HG_FAIL(HG_E_FORMAT, "'%.40s' is not a line of a frame", p);
        }
        for (int i = 0; i < N_MEMBER; i++) {
            if (strcmp(name, members[i].name) == 0) {
                memcpy((char *)frame + members[i].offset, &value, sizeof value);
            }
        }
        if (strcmp(name, "dark_matter_only") == 0) {
            frame->dark_matter_only = value != 0;
        }
        p = end != NULL ? end + 1 : NULL;
    }
    return HG_OK;
}

static bool
differ(double a, double b, double tolerance)
{
    return isfinite(a) && isfinite(b) && fabs(a - b) > tolerance;
}

hg_status
hg_frame_compare(const hg_frame *a, const char *name_a, const hg_frame *b, const char *name_b,
                 double redshift, double cosmology)
{
    if (differ(a->redshift, b->redshift, redshift)) {
        return HG_FAIL(
            HG_E_INPUT,
            "redshift differs: %s has %.6g, %s has %.6g; use catalogues of one epoch or "
            "raise Parent.redshift_tolerance (now %g)",
            name_a, a->redshift, name_b, b->redshift, redshift);
    }
    if (differ(a->omega_m, b->omega_m, cosmology * fabs(a->omega_m))) {
        return HG_FAIL(HG_E_INPUT,
                       "Omega_m differs: %s has %.6g, %s has %.6g; raise "
                       "Parent.cosmology_tolerance (now %g) if that is meant",
                       name_a, a->omega_m, name_b, b->omega_m, cosmology);
    }
    if (differ(a->h, b->h, cosmology * fabs(a->h))) {
        return HG_FAIL(HG_E_INPUT,
                       "h differs: %s has %.6g, %s has %.6g; raise Parent.cosmology_tolerance "
                       "(now %g) if that is meant",
                       name_a, a->h, name_b, b->h, cosmology);
    }
    return HG_OK;
}
