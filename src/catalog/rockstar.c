/* Halo lists of Rockstar and consistent-trees. Three tables exist: out_N.list, the chunks
 * halos_N.K.ascii, and hlist_A.list. Columns are found by name, whatever the case and the
 * "(number)" that consistent-trees adds. In the lists Mvir is the bound mass and Mvir_all holds
 * unbound particles too; in the chunks mvir holds them and mbound_vir is the bound mass. With
 * another mass definition the first mass column is the bound one. Radii are in kpc/h, all other
 * lengths in Mpc/h; Vrms is three-dimensional. Behroozi, Wechsler & Wu 2013 (ApJ 762, 109),
 * Behroozi et al. 2013 (ApJ 763, 18); units as the files themselves state them.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "catalog/check.h"
#include "catalog/columns.h"
#include "catalog/heading.h"
#include "catalog/layout.h"
#include "store/textfile.h"

enum { HEAD_LINES = 200 };

enum kind { STORED = 0, CENTRAL, FLAGS };

enum scale { AS_IS, MASS, LENGTH, RADIUS, DISPERSION, RATE, PARTICLES };

/* What a file begins with. */
typedef struct heading {
    hg_heading names;
    double scale; /* value of the column "scale" in the first row, NAN when there is none */
    bool is_tree; /* the first row is a number of trees */
} heading;

/* canonical column, its scale, and the names it may have */
static const struct {
    const char *name;
    enum scale scale;
    const char *from[4];
} wanted[] = {
    {"id", AS_IS, {"id"}},
    {"velocity", AS_IS, {"vx", "vy", "vz"}},
    {"position", LENGTH, {"x", "y", "z"}},
    {"mvir", MASS, {"mvir_all", "mvir"}},
    {"rvir", RADIUS, {"rvir"}},
    {"m200c", MASS, {"m200c", "m200c_all"}},
    {"m200m", MASS, {"m200b", "m200b_all"}},
    {"m500c", MASS, {"m500c", "m500c_all"}},
    {"vmax", AS_IS, {"vmax"}},
    {"r_vmax", RADIUS, {"rvmax"}},
    {"sigma_v", DISPERSION, {"vrms"}},
    {"r_s", RADIUS, {"rs"}},
    {"r_half", RADIUS, {"halfmass_radius"}},
    {"spin_peebles", AS_IS, {"spin"}},
    {"spin_bullock", AS_IS, {"spin_bullock"}},
    {"b_to_a", AS_IS, {"b_to_a"}},
    {"c_to_a", AS_IS, {"c_to_a"}},
    {"x_off", RADIUS, {"xoff"}},
    {"v_off", AS_IS, {"voff"}},
    {"m_peak", MASS, {"mpeak"}},
    {"v_peak", AS_IS, {"vpeak"}},
    {"m_acc", MASS, {"macc"}},
    {"a_half", AS_IS, {"halfmass_scale"}},
    {"a_last_merger", AS_IS, {"scale_of_last_mm"}},
    {"acc_rate", RATE, {"acc_rate_inst"}},
    {"host_id", AS_IS, {"upid", "pid"}},
    {"descendant_id", AS_IS, {"desc_id"}},
};

/* The number behind "KEY = " or "KEY: " of a comment. */
static void
read_value(const char *line, const char *key, double factor, double *value)
{
    const char *at = strstr(line, key);
    char *end = NULL;
    double number;

    if (at == NULL) {
        return;
    }
    at += strlen(key);
    at += strspn(at, " =:");
    number = strtod(at, &end);
    if (end != at) {
        *value = factor * number;
    }
}

static void
read_comment(const char *line, hg_frame *frame)
{
    read_value(line, "#a =", 1, &frame->scale_factor);
    read_value(line, "#Om =", 1, &frame->omega_m);
    read_value(line, "; Ol =", 1, &frame->omega_l);
    read_value(line, "; h =", 1, &frame->h);
    read_value(line, "#Omega_M =", 1, &frame->omega_m);
    read_value(line, "Omega_L =", 1, &frame->omega_l);
    read_value(line, "h0 =", 1, &frame->h);
    read_value(line, "#Box size:", 1 / frame->h, &frame->box);
    read_value(line, "#Full box size =", 1 / frame->h, &frame->box);
    read_value(line, "#Particle mass:", 1 / frame->h, &frame->particle_mass);
}

/* Names, comments and the first row; false in `is_ours` when the file is something else. */
static hg_status
read_head(const char *path, heading *head, hg_frame *frame, bool *is_ours)
{
    hg_textfile *file = NULL;
    char *line = NULL;
    hg_status status;

    *is_ours = false;
    head->scale = (double)NAN;
    head->is_tree = false;
    HG_TRY_OR(done, status, hg_textfile_open(path, &file));
    for (int i = 0; i < HEAD_LINES; i++) {
        HG_TRY_OR(done, status, hg_textfile_line(file, &line));
        if (line == NULL || (i == 0 && line[0] != '#')) {
            break;
        }
        if (i == 0) {
            hg_heading_read(line, &head->names);
            *is_ours = hg_heading_find(&head->names, "id") >= 0 &&
                       hg_heading_find(&head->names, "vmax") >= 0 &&
                       hg_heading_find(&head->names, "vrms") >= 0 &&
                       hg_heading_find(&head->names, "x") >= 0;
        } else if (line[0] == '#') {
            read_comment(line, frame);
        } else {
            int at = hg_heading_find(&head->names, "scale");
            char *p = line;

            for (int k = 0; k < at; k++) {
                p += strspn(p, " \t");
                p += strcspn(p, " \t");
            }
            head->scale = at >= 0 ? strtod(p, NULL) : head->scale;
            p = line + strcspn(line, " \t");
            head->is_tree = p[strspn(p, " \t\r")] == '\0';
            break;
        }
        if (!*is_ours) {
            break;
        }
    }
done:
    hg_textfile_close(file);
    return status;
}

static bool
probe(const char *path, hg_text *reason)
{
    heading *head = NULL;
    hg_frame frame = HG_FRAME_UNKNOWN;
    bool is_ours = false;
    hg_status status = hg_mem_array(&head, 1, sizeof *head);

    if (status == HG_OK) {
        status = read_head(path, head, &frame, &is_ours);
    }
    if (status == HG_OK && is_ours) {
        status = hg_text_add(reason, "first line names Rockstar's columns id, vmax, vrms, x\n");
    }
    hg_mem_free(head);
    return status == HG_OK && is_ours;
}

static double
factor_of(enum scale scale, const hg_frame *frame)
{
    switch (scale) {
    case MASS:
    case LENGTH:
    case RATE:
        return 1 / frame->h;
    case RADIUS:
        return 1e-3 / frame->h;
    case DISPERSION:
        return 1 / sqrt(3.0);
    case PARTICLES: /* of a mass in Msun/h */
        return 1 / (frame->h * frame->particle_mass);
    case AS_IS:
        break;
    }
    return 1;
}

static hg_status
add_source(hg_plan *plan, const heading *head, const char *name, enum scale scale, int at,
           bool last, hg_source **source)
{
    HG_TRY(hg_heading_add(&head->names, at, last, name, plan, source));
    (*source)->factor = factor_of(scale, &plan->frame);
    return HG_OK;
}

static hg_status
add_vector(hg_plan *plan, const heading *head, const char *name, enum scale scale,
           const char *const from[])
{
    hg_source *source = NULL;

    HG_TRY(hg_heading_add_vector(&head->names, from, name, plan, &source));
    if (source != NULL) {
        source->factor = factor_of(scale, &plan->frame);
    }
    return HG_OK;
}

/* Where the bound mass stands: mbound_vir of the chunks, else the first mass. */
static int
find_bound_mass(const heading *head)
{
    static const char *const names[] = {"mvir", "m200c", "m200b", "m500c", "m2500c"};
    int best = hg_heading_find(&head->names, "mbound_vir");

    for (size_t i = 0;
         i < sizeof names / sizeof names[0] && hg_heading_find(&head->names, "mbound_vir") < 0;
         i++) {
        int at = hg_heading_find(&head->names, names[i]);

        best = at >= 0 && (best < 0 || at < best) ? at : best;
    }
    return best;
}

static hg_status
add_masses(hg_plan *plan, const heading *head)
{
    const int bound = find_bound_mass(head), n_part = hg_heading_find(&head->names, "num_p");
    hg_source *source = NULL;

    if (bound < 0) {
        return HG_OK;
    }
    HG_TRY(add_source(plan, head, "m_bound", MASS, bound, false, &source));
    if (n_part >= 0) {
        return add_source(plan, head, "n_part", AS_IS, n_part, false, &source);
    }
    if (plan->frame.particle_mass > 0) { /* Np is an internal quantity, says the file */
        HG_TRY(add_source(plan, head, "n_part", PARTICLES, bound, false, &source));
        source->offset = 0.5 * plan->frame.particle_mass * plan->frame.h; /* rounds */
    }
    return HG_OK;
}

static hg_status
add_wanted(hg_plan *plan, const heading *head)
{
    const int bound = find_bound_mass(head);

    for (size_t w = 0; w < sizeof wanted / sizeof wanted[0]; w++) {
        const char *name = wanted[w].name;
        hg_source *source = NULL;
        int at = -1;

        if (strcmp(name, "position") == 0 || strcmp(name, "velocity") == 0) {
            HG_TRY(add_vector(plan, head, name, wanted[w].scale, wanted[w].from));
            continue;
        }
        for (int k = 0; k < 4 && at < 0 && wanted[w].from[k] != NULL; k++) {
            at = hg_heading_find(&head->names, wanted[w].from[k]);
        }
        if (at < 0) {
            continue;
        }
        HG_TRY(add_source(plan, head, name, wanted[w].scale, at,
                          wanted[w].scale == MASS && at == bound, &source));
    }
    return HG_OK;
}

/* Columns made of others, for which read_rows() fetches these. A list without pid and upid does
 * not tell centrals from satellites. */
static hg_status
add_derived(hg_plan *plan, const heading *head)
{
    hg_source *source = NULL;
    int phantom = hg_heading_find(&head->names, "phantom");
    const hg_source *host = hg_plan_find(plan, "host_id");

    if (host != NULL) {
        char path[sizeof host->path[0]];

        snprintf(path, sizeof path, "%s", host->path[0]);
        HG_TRY(hg_plan_add_source(plan, "central", &source));
        source->kind = CENTRAL;
        snprintf(source->path[0], sizeof source->path[0], "%s", path);
    }
    if (phantom >= 0) {
        HG_TRY(hg_plan_add_source(plan, "flags", &source));
        source->kind = FLAGS;
        snprintf(source->path[0], sizeof source->path[0], "%s", head->names.stored[phantom]);
    }
    return HG_OK;
}

static hg_status
plan_files(const hg_catalog_options *options, const hg_files *files, hg_plan *plan)
{
    const hg_yaml none = {0};
    heading *head = NULL;
    hg_text_plan *kind = NULL;
    bool is_ours = false;
    hg_status status;

    HG_TRY(hg_mem_array(&head, 1, sizeof *head));
    plan->frame.h = options->frame.h;
    HG_TRY_OR(done, status, read_head(files->path[0], head, &plan->frame, &is_ours));
    if (!is_ours) {
        status = HG_FAIL(HG_E_FORMAT,
                         "'%s' does not begin with the names of Rockstar's columns (id, vmax, "
                         "vrms, x)",
                         files->path[0]);
        goto done;
    }
    if (head->is_tree && !options->trees) {
        status = HG_FAIL(HG_E_FORMAT,
                         "'%s' holds merger trees of all times: make halo lists of one time "
                         "(hlist_*.list) of them with consistent-trees",
                         files->path[0]);
        goto done;
    }
    if (isnan(plan->frame.scale_factor) && !head->is_tree) {
        plan->frame.scale_factor = head->scale;
    }
    if (!(plan->frame.h > 0)) {
        status =
            HG_FAIL(HG_E_INPUT,
                    "'%s' does not say which h its units hold: set h in the section of the "
                    "catalogue",
                    files->path[0]);
        goto done;
    }
    HG_TRY_OR(done, status, add_masses(plan, head));
    HG_TRY_OR(done, status, add_wanted(plan, head));
    HG_TRY_OR(done, status, add_derived(plan, head));
    HG_TRY_OR(done, status, hg_heading_add_others(&head->names, plan));
    HG_TRY_OR(done, status, hg_mem_zeros(&kind, 1, sizeof *kind));
    kind->is_text = 1;
    kind->n_skip = head->is_tree; /* the number of trees */
    plan->extra = kind;
    plan->n_extra = sizeof *kind;
    plan->frame.dark_matter_only = true;
    status = hg_texttable_plan(&none, files, plan);
done:
    hg_mem_free(head);
    return status;
}

/* Turn the stored integers of a derived column, read under a name of their own, into what it
 * means. */
static hg_status
derive(const hg_source *source, const char *raw, hg_table *table)
{
    uint8_t *central = NULL;
    int32_t *flags = NULL;
    const int64_t *from;

    if (source->kind == CENTRAL) {
        HG_TRY(hg_table_add(table, source->column.name, "", HG_COLUMN_U8, 1, &central));
    } else {
        HG_TRY(hg_table_add(table, source->column.name, "", HG_COLUMN_I32, 1, &flags));
    }
    from = hg_table_i64(table, raw);
    for (int64_t i = 0; i < table->n; i++) {
        if (central != NULL) {
            central[i] = from[i] < 0;
        } else {
            flags[i] = from[i] > 0 ? HG_FLAG_PHANTOM : 0;
        }
    }
    hg_table_drop(table, raw);
    return HG_OK;
}

static hg_status
read_rows(const hg_plan *plan, int64_t first, int64_t n, int n_source,
          const hg_source *const source[], hg_table *table)
{
    return hg_texttable_read_derived(plan, first, n, n_source, source, derive, table);
}

const hg_format hg_format_rockstar = {
    .name = "rockstar", .probe = probe, .plan = plan_files, .read = read_rows};
