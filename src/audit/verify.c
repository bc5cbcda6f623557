/* What a file is, is read from the file itself by rank 0; the ranks then go together to the
 * checks of that kind. Seals and manifests come before: HDF5 may crash on, or never finish, a
 * file that is not what was written, so such a file is reported and never opened. */
#include "audit/verify.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "audit/manifest.h"
#include "halograft/stages.h"
#include "stats/curve.h"
#include "store/h5.h"
#include "store/publish.h"
#include "store/seal.h"

typedef enum kind {
    KIND_CATALOGUE,
    KIND_MODEL,
    KIND_STATISTICS,
    KIND_MANIFEST,
    KIND_PART,
    KIND_DAMAGED
} kind;

hg_status
hg_verify_manifest(const char *path, hg_findings *findings)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    char master[HG_PATH_MAX];
    bool ignored;

    HG_TRY(hg_text_path(sizeof master, master, "%.*s.hdf5",
                        (int)(dot != NULL ? (size_t)(dot - path) : strlen(path)), path));
    return hg_manifest_check(
        path, hg_file_exists(master) ? master + (slash != NULL ? slash + 1 - path : 0) : NULL,
        false, &ignored, findings);
}

/* ---- models and statistics ---- */

static hg_status
verify_model(const hg_comm *comm, const char *path, hg_findings *findings)
{
    hg_stages *stages = NULL;
    hg_status status = hg_stages_load(comm, path, &stages);
    char reason[512];

    hg_stages_free(stages);
    if (status != HG_OK && status != HG_E_VERIFY && status != HG_E_FORMAT &&
        status != HG_E_READ) {
        return status;
    }
    snprintf(reason, sizeof reason, "%.500s", hg_error_last()->message);
    if (comm->rank == 0) {
        status = status == HG_OK
                     ? hg_findings_add(findings, HG_FINDING_OK, "content",
                                       "seal, shapes, links and the hash of the content agree")
                     : hg_findings_add(findings, HG_FINDING_WRONG, "content", "%s", reason);
    }
    return hg_comm_agree(comm, comm->rank == 0 ? status : HG_OK);
}

static bool
curve_is_sound(const hg_curve *c)
{
    for (int64_t i = 0; i < c->n; i++) {
        if (!isfinite(c->x[i]) || !(c->x_low[i] <= c->x[i]) || !(c->x[i] <= c->x_high[i]) ||
            isinf(c->y[i]) || c->error[i] < 0 || (c->count != NULL && c->count[i] < 0)) {
            return false;
        }
    }
    return true;
}

static bool
covariance_is_sound(const hg_covariance *c)
{
    const int64_t wide = c->diagonal ? 1 : c->n;

    for (int a = 0; a < c->n_curve; a++) {
        for (int b = 0; b < c->n_curve; b++) {
            for (int64_t i = 0; i < c->n; i++) {
                for (int64_t j = c->diagonal ? i : 0; j < (c->diagonal ? i + 1 : wide); j++) {
                    const double x = hg_covariance_value(c, a, i, b, j),
                                 y = hg_covariance_value(c, b, j, a, i);

                    if (isinf(x) || (a == b && i == j && x < 0) ||
                        fabs(x - y) > 1e-9 * (fabs(x) + fabs(y))) {
                        return false;
                    }
                }
            }
        }
    }
    return true;
}

static hg_status
check_statistics(const hg_statistics *s, hg_findings *findings)
{
    const int before = findings->n_wrong;

    for (int i = 0; i < s->n_curve; i++) {
        if (!curve_is_sound(&s->curve[i])) {
            HG_TRY(hg_findings_add(findings, HG_FINDING_WRONG, "curves",
                                   "'%s' of '%s' has an infinite value, a negative error or "
                                   "count, or a point outside its bin",
                                   s->curve[i].label.name, s->curve[i].label.catalogue));
        }
    }
    for (int i = 0; i < s->n_covariance; i++) {
        if (!covariance_is_sound(&s->covariance[i])) {
            HG_TRY(hg_findings_add(
                findings, HG_FINDING_WRONG, "covariance",
                "'%s' of '%s' is infinite, negative on the diagonal or not symmetric",
                s->covariance[i].label.name, s->covariance[i].label.catalogue));
        }
    }
    if (hg_text_string(&s->parameters)[0] == '\0') {
        HG_TRY(hg_findings_add(findings, HG_FINDING_WRONG, "provenance",
                               "the parameters are missing"));
    }
    return findings->n_wrong > before
               ? HG_OK
               : hg_findings_add(findings, HG_FINDING_OK, "curves",
                                 "%d curves and %d covariances are finite and consistent",
                                 s->n_curve, s->n_covariance);
}

static hg_status
verify_statistics(const char *path, hg_findings *findings)
{
    hg_statistics statistics = {.n_curve = 0};
    hg_status status = hg_statistics_read(path, &statistics);

    if (status == HG_OK) {
        status = check_statistics(&statistics, findings);
    } else if (status == HG_E_VERIFY || status == HG_E_FORMAT || status == HG_E_READ) {
        status = hg_findings_add(findings, HG_FINDING_WRONG, "content", "%.500s",
                                 hg_error_last()->message);
    }
    hg_statistics_clear(&statistics);
    return status;
}

/* ---- what is it? ---- */

static bool
ends_with(const char *path, const char *end)
{
    const size_t n = strlen(path), m = strlen(end);

    return n > m && strcmp(path + n - m, end) == 0;
}

static hg_status
recognise(const char *path, kind *found)
{
    hg_h5 *file = NULL;
    char text[64] = "", role[64] = "";
    hg_status status = HG_OK, closed;

    HG_TRY(hg_h5_open(path, &file));
    if (hg_h5_exists(file, "@format")) {
        HG_TRY_OR(close, status, hg_h5_get_string(file, "", "format", sizeof text, text));
    } else if (hg_h5_exists(file, "Header@FileKind")) {
        HG_TRY_OR(close, status,
                  hg_h5_get_string(file, "Header", "FileKind", sizeof role, role));
    }
    if (strcmp(text, "halograft-model") == 0) {
        *found = KIND_MODEL;
    } else if (strncmp(text, "halograft statistics", 20) == 0) {
        *found = KIND_STATISTICS;
    } else if (strcmp(role, "master") == 0 && ends_with(path, ".hdf5")) {
        *found = KIND_CATALOGUE;
    } else if (strcmp(role, "part") == 0) {
        *found = KIND_PART;
    } else {
        status = HG_FAIL(HG_E_FORMAT,
                         "'%s' is no catalogue, model or statistics file of halograft: "
                         "'halograft inspect' tells what it is",
                         path);
    }
close:
    closed = hg_h5_close(file);
    return status != HG_OK ? status : closed;
}

/* What can be said of a file without opening it: `what` is KIND_DAMAGED when its bytes are not
 * those that were written. */
static hg_status
verify_bytes(const char *path, const char *manifest, kind *what, hg_findings *findings)
{
    const char *slash = strrchr(path, '/');
    bool is_sealed, matches = true;
    hg_status status = hg_seal_check(path, &is_sealed);

    if (status == HG_E_VERIFY) {
        *what = KIND_DAMAGED;
        HG_TRY(hg_findings_title(findings, "%s: not opened", path));
        return hg_findings_add(findings, HG_FINDING_WRONG, "content", "%.500s",
                               hg_error_last()->message);
    }
    HG_TRY(status);
    if (manifest[0] != '\0') {
        HG_TRY(hg_findings_title(findings, "%s: catalogue", path));
        HG_TRY(hg_manifest_check(manifest, slash != NULL ? slash + 1 : path, false, &matches,
                                 findings));
    }
    if (!matches) {
        *what = KIND_DAMAGED;
        return hg_findings_add(findings, HG_FINDING_NOTE, "files",
                               "not opened: HDF5 may crash on what is not what was written");
    }
    return HG_OK;
}

static hg_status
verify_opened(const char *path, bool is_listed, kind *what, hg_findings *findings)
{
    static const char *const names[] = {"catalogue", "model", "statistics", "manifest", "part"};

    HG_TRY(recognise(path, what));
    if (!is_listed || *what != KIND_CATALOGUE) {
        HG_TRY(hg_findings_title(findings, "%s: %s", path, names[*what]));
    }
    if (*what == KIND_CATALOGUE && !is_listed) {
        return hg_findings_add(findings, HG_FINDING_WRONG, "manifest", "'%.*s.xxh3' is missing",
                               (int)strlen(path) - 5, path);
    }
    if (*what == KIND_PART) {
        return hg_findings_add(findings, HG_FINDING_NOTE, "skipped",
                               "a part of a catalogue is verified with its master, NAME.hdf5");
    }
    return *what == KIND_STATISTICS ? verify_statistics(path, findings) : HG_OK;
}

static hg_status
verify_on_root(const char *path, kind *what, hg_findings *findings)
{
    char manifest[HG_PATH_MAX];

    *what = KIND_MANIFEST;
    if (ends_with(path, ".xxh3")) {
        HG_TRY(hg_findings_title(findings, "%s: manifest", path));
        return hg_verify_manifest(path, findings);
    }
    HG_TRY(hg_manifest_of_master(path, manifest));
    HG_TRY(verify_bytes(path, manifest, what, findings));
    return *what == KIND_DAMAGED ? HG_OK
                                 : verify_opened(path, manifest[0] != '\0', what, findings);
}

hg_status
hg_verify_file(const hg_comm *comm, const char *path, hg_findings *findings)
{
    kind what = KIND_MANIFEST;
    hg_status status = HG_OK;

    if (comm->rank == 0) {
        status = verify_on_root(path, &what, findings);
    }
    HG_TRY(hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, &what, sizeof what);
    if (what == KIND_CATALOGUE) {
        status = hg_verify_catalogue(comm, path, findings);
    } else if (what == KIND_MODEL) {
        status = verify_model(comm, path, findings);
    }
    HG_TRY(status);
    hg_comm_broadcast(comm, 0, &findings->n_wrong, sizeof findings->n_wrong);
    hg_comm_broadcast(comm, 0, findings->first, sizeof findings->first);
    return HG_OK;
}
