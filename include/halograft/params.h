/** Parameters: YAML files of two levels, checked against one schema table (conf/schema.h).
 *
 * The schema generates the structs below, parsing, checks, templates, the reference page and
 * the echo in every output. Layer: conf.
 */
#ifndef HALOGRAFT_PARAMS_H
#define HALOGRAFT_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "halograft/comm.h"
#include "halograft/error.h"
#include "halograft/schema.h"

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

enum { HG_LIST_MAX = 64 };

typedef struct hg_reals {
    int n;
    double v[HG_LIST_MAX];
} hg_reals;

typedef struct hg_strings {
    int n;
    const char *v[HG_LIST_MAX];
} hg_strings;

/** An entry of an open section (Features, Targets, Samples): a free name and its text. */
typedef struct hg_entry {
    const char *name;
    const char *text;
    int line;
} hg_entry;

typedef struct hg_entries {
    int n;
    hg_entry v[256];
} hg_entries;

#define HG_MEMBER_REAL(key) double key;
#define HG_MEMBER_INT(key) int64_t key;
#define HG_MEMBER_BOOL(key) bool key;
#define HG_MEMBER_STRING(key) const char *key;
#define HG_MEMBER_CHOICE(key) const char *key;
#define HG_MEMBER_REALS(key) hg_reals key;
#define HG_MEMBER_STRINGS(key) hg_strings key;
#define HG_MEMBER(type, key, unit, initial, low, high, help) HG_MEMBER_##type(key)
#define HG_SECTION_STRUCT(title, section, list) \
    typedef struct hg_params_##section {        \
        list(HG_MEMBER)                         \
    } hg_params_##section;
HG_SECTIONS(HG_SECTION_STRUCT)
#undef HG_SECTION_STRUCT

/** All parameters of a run. Strings are owned by the object; an unset string is NULL, an unset
 * real without default is NAN. */
typedef struct hg_params {
#define HG_SECTION_MEMBER(title, section, list) hg_params_##section section;
    HG_SECTIONS(HG_SECTION_MEMBER)
#undef HG_SECTION_MEMBER
    hg_entries features;
    hg_entries targets;
    hg_entries samples;
    struct hg_params_state *state;
} hg_params;

/** What the command line adds to a file. */
typedef struct hg_params_options {
    const char *path; /**< parameter file, or NULL for defaults only */
    int n_set;        /**< number of "Section.key=value" texts */
    const char *const *set;
    int64_t snap; /**< fills {snap}; negative = not given */
} hg_params_options;

/** Read, check and share the parameters: rank 0 reads, all ranks get the same object.
 *
 * @collective{comm}
 * @param[out] params  owned by the caller, free with hg_params_free()
 * @return HG_OK; HG_E_NOTFOUND; HG_E_PARAM with all errors of the file in one message, each
 * with its line
 */
HG_MUST_CHECK hg_status hg_params_read(const hg_comm *comm, const hg_params_options *options,
                                       hg_params **params);
void hg_params_free(hg_params *params);

/** Fail with HG_E_PARAM unless every named key ("Parent.files") was given or has a default.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_params_need(const hg_params *params, int n,
                                       const char *const keys[]);

/** Whether a key was given in the file or by --set.
 *
 * @local
 */
bool hg_params_given(const hg_params *params, const char *section, const char *name);

/** The number that fills {snap}; negative = not given.
 *
 * @local
 */
int64_t hg_params_snap(const hg_params *params);

/** The parameters in force as YAML text, which gives an identical run when fed back; borrowed.
 *
 * @local
 */
const char *hg_params_text(const hg_params *params);

/** Hash of the parameters in force that affect output.
 *
 * @local
 */
uint64_t hg_params_hash(const hg_params *params);

/** Print the commented template, or the reference as Markdown, to stdout; `section` limits it,
 * or NULL for all.
 *
 * @local
 * @return HG_OK; HG_E_PARAM for an unknown section
 */
HG_MUST_CHECK hg_status hg_params_template(const char *section);
HG_MUST_CHECK hg_status hg_params_markdown(void);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif
