/* Manifests are read line by line, so that a catalogue may have any number of parts. */
#include "audit/manifest.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/publish.h"
#include "store/textfile.h"

/* Whether a listed file has its checksum; what is wrong with it becomes a finding. */
static hg_status
check_line(const char *folder, const char *name, uint64_t wanted, bool *matches,
           hg_findings *findings)
{
    char path[HG_PATH_MAX];
    uint64_t hash = 0;
    int64_t bytes = 0;

    *matches = false;
    HG_TRY(hg_text_path(sizeof path, path, "%s%s", folder, name));
    if (!hg_file_exists(path)) {
        return hg_findings_add(findings, HG_FINDING_WRONG, "manifest", "'%s' is missing", name);
    }
    HG_TRY(hg_file_hash(path, &hash, &bytes));
    *matches = hash == wanted;
    return *matches ? HG_OK
                    : hg_findings_add(findings, HG_FINDING_WRONG, "manifest",
                                      "'%s' does not match its checksum", name);
}

/* Take a line "XXH3 (FILE) = SUM", as xxhsum writes it and no other. */
static bool
take_line(const char *line, char name[1024], uint64_t *wanted)
{
    int used = 0;
    char sum[17];

    if (sscanf(line, "XXH3 (%1023[^)]) = %16[0-9a-f]%n", name, sum, &used) != 2 ||
        line[used] != '\0' || strlen(sum) != 16) {
        return false;
    }
    *wanted = strtoull(sum, NULL, 16);
    return true;
}

hg_status
hg_manifest_check(const char *path, const char *own, bool alone, bool *own_matches,
                  hg_findings *findings)
{
    const char *slash = strrchr(path, '/');
    const int before = findings->n_wrong;
    char folder[HG_PATH_MAX], name[1024], *line = NULL;
    hg_textfile *file = NULL;
    bool is_listed = false, is_own, matches = false;
    uint64_t wanted = 0;
    int64_t n = 0;
    hg_status status;

    *own_matches = false;
    HG_TRY(hg_text_path(sizeof folder, folder, "%.*s",
                        slash != NULL ? (int)(slash - path) + 1 : 0, path));
    HG_TRY(hg_textfile_open(path, &file));
    status = hg_textfile_line(file, &line);
    while (status == HG_OK && line != NULL) {
        if (!take_line(line, name, &wanted)) {
            status = HG_FAIL(HG_E_FORMAT, "line %" PRId64 " of '%s' is not 'XXH3 (FILE) = SUM'",
                             hg_textfile_number(file), path);
            break;
        }
        is_own = own != NULL && strcmp(name, own) == 0;
        if (is_own || !alone) {
            status = check_line(folder, name, wanted, &matches, findings);
        }
        if (is_own) {
            is_listed = true;
            *own_matches = matches;
        }
        n++;
        status = status == HG_OK ? hg_textfile_line(file, &line) : status;
    }
    hg_textfile_close(file);
    HG_TRY(status);
    if (own != NULL && !is_listed) {
        HG_TRY(hg_findings_add(findings, HG_FINDING_WRONG, "manifest",
                               "'%s' does not list '%s'", path, own));
    } else if (n == 0) {
        HG_TRY(hg_findings_add(findings, HG_FINDING_WRONG, "manifest", "'%s' lists no files",
                               path));
    }
    return findings->n_wrong > before
               ? HG_OK
               : hg_findings_add(findings, HG_FINDING_OK, "manifest",
                                 "%" PRId64 " files match their checksums", alone ? 1 : n);
}

static hg_status
name_manifest(const char *path, size_t n, char manifest[HG_PATH_MAX])
{
    HG_TRY(hg_text_path(HG_PATH_MAX, manifest, "%.*s.xxh3", (int)n, path));
    if (!hg_file_exists(manifest)) {
        manifest[0] = '\0';
    }
    return HG_OK;
}

/* Length of NAME in NAME.hdf5, 0 for other names. */
static size_t
stem_of(const char *path)
{
    const size_t n = strlen(path);

    return n > 5 && strcmp(path + n - 5, ".hdf5") == 0 ? n - 5 : 0;
}

hg_status
hg_manifest_of_master(const char *path, char manifest[HG_PATH_MAX])
{
    manifest[0] = '\0';
    return stem_of(path) > 0 ? name_manifest(path, stem_of(path), manifest) : HG_OK;
}

/* The manifest that may list a part NAME.K.hdf5. */
static hg_status
find_of_part(const char *path, char manifest[HG_PATH_MAX])
{
    const size_t stem = stem_of(path);
    size_t n = stem;

    manifest[0] = '\0';
    while (n > 0 && isdigit((unsigned char)path[n - 1])) {
        n--;
    }
    return n > 1 && n < stem && path[n - 1] == '.' ? name_manifest(path, n - 1, manifest)
                                                   : HG_OK;
}

hg_status
hg_manifest_guard(const char *path)
{
    const char *slash = strrchr(path, '/');
    char manifest[HG_PATH_MAX];
    hg_findings findings = {.n_wrong = 0};
    bool is_part = false, ignored;
    hg_status status;

    HG_TRY(hg_manifest_of_master(path, manifest));
    if (manifest[0] == '\0') {
        is_part = true;
        HG_TRY(find_of_part(path, manifest));
    }
    if (manifest[0] == '\0') {
        return HG_OK;
    }
    status = hg_manifest_check(manifest, slash != NULL ? slash + 1 : path, is_part, &ignored,
                               &findings);
    if (status == HG_OK && findings.n_wrong > 0) {
        status = HG_FAIL(HG_E_VERIFY,
                         "'%s' is not opened, since HDF5 may crash on what is not what was "
                         "written: %s; remove '%s' to open it all the same",
                         path, findings.first, manifest);
    }
    hg_findings_clear(&findings);
    return status;
}
