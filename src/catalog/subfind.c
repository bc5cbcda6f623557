/* Group catalogues carry no unit attributes, so the units stand in the table below: comoving
 * lengths and masses with an h, proper velocities of subhaloes, velocities of groups over a,
 * and in Gadget-4 half-mass radii and radii of vmax that are proper, because that code scales
 * radii by a before it sorts them. The unit system is read from the group Parameters; older
 * files have none, then lengths are in kpc/h or Mpc/h, whichever makes M200c and R200c agree.
 * Gadget-4 runs with H0 in their own units hold h-free values. Codes round their unit constants
 * (1.989e33 g), so units next to a power of ten are taken as that power: 1e10 Msun/h is meant.
 */
#include "catalog/subfind.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/unit.h"
#include "catalog/check.h"
#include "catalog/fields.h"
#include "catalog/layout.h"
#include "halograft/log.h"

/* What rank 0 knows while it plans. */
typedef struct planner {
    hg_plan *plan;
    hg_subfind_plan *own;
    hg_subfind_header first;
    bool gadget4;
    double unit_length, unit_mass;
    double h_power; /* -1 or 0 */
} planner;

enum unit_class {
    UNKNOWN,
    LENGTH,
    RADIUS,
    MASS,
    SPEED,
    GROUP_SPEED,
    SPIN,
    RATE,
    ACCRETION,
    MAG
};

/* First match counts: a pattern is a prefix, or with a leading '*' a part of the name. */
static const struct {
    const char *pattern;
    enum unit_class unit;
} rules[] = {{"Group_R_", LENGTH},
             {"Group_M_", MASS},
             {"GroupVel", GROUP_SPEED},
             {"SubhaloVmaxRad", RADIUS},
             {"*HalfmassRad", RADIUS},
             {"*PhotometricsMassInRad", MASS},
             {"*PhotometricsRad", LENGTH},
             {"*Photometrics", MAG},
             {"*Mdot", ACCRETION},
             {"*SFR", RATE},
             {"*Mass", MASS},
             {"*Pos", LENGTH},
             {"*CM", LENGTH},
             {"SubhaloVel", SPEED},
             {"SubhaloVmax", SPEED},
             {"SubhaloSpin", SPIN}};

static const char *const unit_names[] = {
    [UNKNOWN] = "",          [LENGTH] = "Mpc",       [RADIUS] = "Mpc",    [MASS] = "Msun",
    [SPEED] = "km/s",        [GROUP_SPEED] = "km/s", [SPIN] = "Mpc km/s", [RATE] = "Msun/yr",
    [ACCRETION] = "Msun/yr", [MAG] = "mag"};

/* Canonical columns: the field, and its column of a matrix. Alternatives stand one after the
 * other; the first that exists counts. */
static const hg_alias canonical[] = {{"position", "SubhaloPos", -1},
                                     {"velocity", "SubhaloVel", -1},
                                     {"m_bound", "SubhaloMass", -1},
                                     {"m_dm", "SubhaloMassType", 1},
                                     {"vmax", "SubhaloVmax", -1},
                                     {"r_vmax", "SubhaloVmaxRad", -1},
                                     {"r_half", "SubhaloHalfmassRad", -1},
                                     {"sigma_v", "SubhaloVelDisp", -1},
                                     {"spin", "SubhaloSpin", -1},
                                     {"n_part", "SubhaloLen", -1},
                                     {"flag", "SubhaloFlag", -1},
                                     {"stellar_mass", "SubhaloMassType", 4},
                                     {"gas_mass", "SubhaloMassType", 0},
                                     {"bh_mass", "SubhaloBHMass", -1},
                                     {"bh_mass", "SubhaloMassType", 5},
                                     {"sfr", "SubhaloSFR", -1},
                                     {"r_star", "SubhaloHalfmassRadType", 4},
                                     {"z_star", "SubhaloStarMetallicity", -1},
                                     {"group", "SubhaloGrNr", -1},
                                     {"group", "SubhaloGroupNr", -1},
                                     {"m200c", "Group_M_Crit200", -1},
                                     {"r200c", "Group_R_Crit200", -1},
                                     {"m500c", "Group_M_Crit500", -1},
                                     {"r500c", "Group_R_Crit500", -1},
                                     {"m200m", "Group_M_Mean200", -1},
                                     {"r200m", "Group_R_Mean200", -1},
                                     {"mvir", "Group_M_TopHat200", -1},
                                     {"rvir", "Group_R_TopHat200", -1}};

static enum unit_class
classify(const char *field)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const char *p = rules[i].pattern;

        if (p[0] == '*' ? strstr(field, p + 1) != NULL : strncmp(field, p, strlen(p)) == 0) {
            return rules[i].unit;
        }
    }
    return UNKNOWN;
}

static bool
probe(const char *path, hg_text *reason)
{
    hg_h5 *file = NULL;
    bool groups, subhaloes;
    hg_status closed;

    if (hg_h5_open(path, &file) != HG_OK) {
        return false;
    }
    groups = hg_h5_exists(file, "Header@Ngroups_Total");
    subhaloes = hg_h5_exists(file, "Header@Nsubgroups_Total") ||
                hg_h5_exists(file, "Header@Nsubhalos_Total");
    closed = hg_h5_close(file);
    return closed == HG_OK && groups && subhaloes &&
           hg_text_add(reason, "Header has Ngroups_Total and %s\n",
                       "Nsubgroups_Total or Nsubhalos_Total") == HG_OK;
}

static void
set_factor(const planner *p, enum unit_class unit, hg_source *source)
{
    const hg_frame *f = &p->plan->frame;
    hg_unit u = {.factor = 1};

    switch (unit) {
    case LENGTH:
    case SPIN:
        u.factor = p->unit_length;
        u.h = p->h_power;
        break;
    case RADIUS:
        u.factor = p->unit_length;
        u.h = p->h_power;
        u.a = p->gadget4 ? -1 : 0;
        break;
    case MASS:
        u.factor = p->unit_mass;
        u.h = p->h_power;
        break;
    case GROUP_SPEED:
        u.a = -1;
        break;
    case ACCRETION:
        /* unit of mass over unit of time, one unit of length per km/s: the powers of h cancel
         */
        u.factor = p->unit_mass / (p->unit_length * 3.0856775814913673e19 / 3.15576e7);
        break;
    default:
        break;
    }
    source->factor = hg_unit_factor(&u, f->h, f->scale_factor);
}

static hg_status
set_unit(const hg_fields *fields, hg_source *source)
{
    const char *name = source->column.name;
    enum unit_class unit = classify(name);

    snprintf(source->column.unit, HG_UNIT_MAX, "%s", unit_names[unit]);
    set_factor(fields->context, unit, source);
    return HG_OK;
}

static hg_status
plan_group(planner *p, hg_h5 *file, const char *group, int64_t rows, int kind, bool *found)
{
    hg_fields fields = {.plan = p->plan,
                        .file = file,
                        .group = group,
                        .prefix = "",
                        .rows = rows,
                        .kind = kind,
                        .is_strict = true,
                        .is_known = *found,
                        .add = set_unit,
                        .context = p};

    if (rows == 0) {
        return HG_OK;
    }
    *found = true;
    return hg_fields_scan(&fields);
}

static hg_status
plan_fields(planner *p)
{
    bool groups = false, subhaloes = false;

    for (int i = 0; i < p->plan->n_file; i++) {
        const hg_plan_file *f = &p->plan->file[i];
        hg_h5 *file = NULL;
        hg_status status, closed;

        if (f->rows == 0 && f->extra[HG_SUBFIND_GROUPS] == 0) {
            continue;
        }
        HG_TRY(hg_h5_open(hg_plan_path(p->plan, i), &file));
        if (!groups && !subhaloes) {
            p->gadget4 = hg_h5_exists(file, "Subhalo/SubhaloGroupNr") ||
                         hg_h5_exists(file, "Header@Nsubhalos_Total");
        }
        status = plan_group(p, file, "Subhalo", f->rows, HG_SUBFIND_SUBHALO, &subhaloes);
        if (status == HG_OK) {
            status = plan_group(p, file, "Group", f->extra[HG_SUBFIND_GROUPS], HG_SUBFIND_GROUP,
                                &groups);
        }
        closed = hg_h5_close(file);
        HG_TRY(status != HG_OK ? status : closed);
    }
    return HG_OK;
}

/* Median of M200c over what R200c says, of the first groups that have both; NAN without. */
static hg_status
probe_overdensity(const planner *p, double unit_length, double *median)
{
    enum { N = 64 };
    double ratio[N], mass[N], radius[N];
    hg_frame frame = p->plan->frame;
    const double h = p->h_power != 0 ? frame.h : 1;
    int n = 0;

    *median = (double)NAN;
    for (int i = 0; i < p->plan->n_file && n < N; i++) {
        int64_t count = p->plan->file[i].extra[HG_SUBFIND_GROUPS];
        hg_status status = HG_OK, closed;
        hg_h5 *file = NULL;

        count = count < N ? count : N;
        if (count == 0) {
            continue;
        }
        HG_TRY(hg_h5_open(hg_plan_path(p->plan, i), &file));
        if (hg_h5_exists(file, "Group/Group_M_Crit200") &&
            hg_h5_exists(file, "Group/Group_R_Crit200")) {
            status = hg_h5_read(file, "Group/Group_M_Crit200", 0, count, HG_F64, mass);
            if (status == HG_OK) {
                status = hg_h5_read(file, "Group/Group_R_Crit200", 0, count, HG_F64, radius);
            }
            for (int64_t k = 0; k < count && n < N && status == HG_OK; k++) {
                double r = hg_check_overdensity(mass[k] * p->unit_mass / h,
                                                radius[k] * unit_length / h, &frame);

                if (isfinite(r)) {
                    int at = n++;

                    for (; at > 0 && ratio[at - 1] > r; at--) {
                        ratio[at] = ratio[at - 1];
                    }
                    ratio[at] = r;
                }
            }
        }
        closed = hg_h5_close(file);
        HG_TRY(status != HG_OK ? status : closed);
    }
    *median = n > 0 ? ratio[n / 2] : (double)NAN;
    return HG_OK;
}

static hg_status
choose_units(planner *p)
{
    const hg_subfind_header *h = &p->first;
    const char *path = hg_plan_path(p->plan, 0);
    double ratio = 1;

    p->h_power = h->with_h ? -1 : 0;
    p->unit_mass = isfinite(h->unit_mass) ? h->unit_mass : 1e10;
    p->unit_length = h->unit_length;
    if (!isfinite(p->unit_length)) {
        /* no statement: the two usual units differ by a factor 1e9 in density */
        HG_TRY(probe_overdensity(p, 1e-3, &ratio));
        p->unit_length = (isfinite(ratio) ? ratio < 1e4 : h->box > 1000) ? 1e-3 : 1;
        hg_log_warn("catalogue: '%s' does not state its units: taken as %s and 1e10 Msun/h",
                    path, p->unit_length < 1 ? "kpc/h" : "Mpc/h");
    }
    HG_TRY(probe_overdensity(p, p->unit_length, &ratio));
    if (isfinite(ratio) && fabs(ratio - 1) > 0.01) {
        hg_log_warn("catalogue: M200c is %.4g times what R200c and the header of '%s' say: "
                    "check units, h, a and Omega_m",
                    ratio, path);
    }
    p->plan->frame.box = h->box * p->unit_length * (h->with_h ? 1 / h->frame.h : 1);
    return HG_OK;
}

static hg_status
plan_sources(planner *p)
{
    const hg_source *source;
    bool has_lord;

    HG_TRY(plan_fields(p));
    source = hg_plan_find(p->plan, "SubhaloGrNr");
    source = source != NULL ? source : hg_plan_find(p->plan, "SubhaloGroupNr");
    snprintf(p->own->link, sizeof p->own->link, "%.63s", source != NULL ? source->path[0] : "");
    source = hg_plan_find(p->plan, "SubhaloRankInGr");
    snprintf(p->own->rank, sizeof p->own->rank, "%.63s", source != NULL ? source->path[0] : "");
    source = hg_plan_find(p->plan, "GroupFirstSub");
    has_lord = source != NULL;
    p->own->first_sub = has_lord ? source->disk : HG_I64;
    strcpy(p->own->lord, "Group/GroupFirstSub");
    strcpy(p->own->nsubs, "Group/GroupNsubs");
    HG_TRY(hg_fields_name(p->plan, sizeof canonical / sizeof canonical[0], canonical));
    HG_TRY(hg_fields_make(p->plan, "id", HG_SUBFIND_ID));
    if (has_lord && p->own->link[0] != '\0') {
        HG_TRY(hg_fields_make(p->plan, "central", HG_SUBFIND_CENTRAL));
        HG_TRY(hg_fields_make(p->plan, "host_id", HG_SUBFIND_HOST));
    }
    p->plan->frame.dark_matter_only =
        p->plan->n_row > 0 && hg_plan_find(p->plan, "SubhaloSFR") == NULL;
    return HG_OK;
}

static hg_status
plan_files(const hg_catalog_options *options, const hg_files *files, hg_plan *plan)
{
    planner p = {.plan = plan};
    bool complete = false;

    HG_TRY(hg_mem_zeros(&p.own, 1, sizeof *p.own));
    plan->extra = p.own;
    plan->n_extra = sizeof *p.own;
    HG_TRY(hg_subfind_set(options, files, hg_subfind_header_read, plan, &p.first, &complete));
    HG_TRY(choose_units(&p));
    HG_TRY(plan_sources(&p));
    return hg_subfind_number(files, complete, plan);
}

const hg_format hg_format_subfind = {.name = "subfind",
                                     .is_set = true,
                                     .probe = probe,
                                     .plan = plan_files,
                                     .read = hg_subfind_read};
