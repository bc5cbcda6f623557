/* From text to typed parameters. The descriptor table is generated from halograft/schema.h;
 * each descriptor knows the offset of its member, so one parser serves all keys. Rank 0 reads
 * the file; its text is broadcast and parsed by every rank alike, so all ranks hold the same
 * values. Every error is collected before anything is reported. */
#include "halograft/params.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/unit.h"
#include "conf/schema_table.h"
#include "conf/yaml.h"

struct hg_params_state {
    hg_yaml doc;
    bool *given; /* shape (hg_schema_n) */
    char **owned;
    int n_owned;
    hg_text text;
    uint64_t hash;
    hg_text errors;
    int n_error;
    double h;
    int64_t snap;
    const char *name;
};

static void
note_error(hg_params *params, int line, const char *message)
{
    struct hg_params_state *s = params->state;
    const char *gap = s->n_error > 0 ? "\n  " : "";
    const hg_status status =
        line > 0 ? hg_text_add(&s->errors, "%s'%s', line %d: %s", gap, s->name, line, message)
                 : hg_text_add(&s->errors, "%s%s", gap, message);

    (void)status; /* out of memory while listing errors: the count still makes the run fail */
    s->n_error++;
}

static hg_status
own_string(hg_params *params, const char *text, const char **out)
{
    struct hg_params_state *s = params->state;
    char *copy = NULL;

    HG_TRY(hg_mem_string(&copy, text));
    if (hg_mem_resize(&s->owned, (size_t)s->n_owned + 1, sizeof *s->owned) != HG_OK) {
        hg_mem_free(copy);
        return hg_error_last()->status;
    }
    s->owned[s->n_owned++] = copy;
    *out = copy;
    return HG_OK;
}

static hg_status
take_string(hg_params *params, const char *text, const char **out)
{
    char filled[4096];

    if (strstr(text, "${") != NULL) {
        return HG_FAIL(HG_E_PARAM, "'%s': the environment variable is not set", text);
    }
    if (hg_text_has_field(text, "snap") && params->state->snap == -1) {
        return HG_FAIL(HG_E_PARAM, "'%s' needs --snap N", text);
    }
    if (hg_text_has_field(text, "snap") && params->state->snap >= 0) {
        HG_TRY(hg_text_fill(text, "snap", params->state->snap, sizeof filled, filled));
        return own_string(params, filled, out);
    }
    return own_string(params, text, out);
}

static hg_status
take_real(const hg_params *params, const hg_schema_key *key, const char *text, double *out)
{
    HG_TRY(hg_unit_value(text, key->unit, params->state->h, out));
    if (!(*out >= key->low && *out <= key->high)) {
        return HG_FAIL(HG_E_PARAM, "'%s' is outside the allowed range %g to %g %s", text,
                       key->low, key->high, key->unit);
    }
    return HG_OK;
}

static hg_status
take_choice(hg_params *params, const hg_schema_key *key, const char *text, const char **out)
{
    const char *p = key->unit;
    size_t n = strlen(text);

    while (*p != '\0') {
        size_t length = strcspn(p, "|");

        if (length == n && strncmp(p, text, n) == 0) {
            return own_string(params, text, out);
        }
        p += length + (p[length] == '|');
    }
    return HG_FAIL(HG_E_PARAM, "'%s' is not one of %s", text, key->unit);
}

static hg_status
take_bool(const char *text, bool *out)
{
    *out = strcmp(text, "true") == 0 || strcmp(text, "yes") == 0 || strcmp(text, "on") == 0;
    if (*out || strcmp(text, "false") == 0 || strcmp(text, "no") == 0 ||
        strcmp(text, "off") == 0) {
        return HG_OK;
    }
    return HG_FAIL(HG_E_PARAM, "'%s' is neither true nor false", text);
}

static hg_status
take_integer(const hg_schema_key *key, const char *text, int64_t *out)
{
    if (!hg_text_integer(text, out)) {
        return HG_FAIL(HG_E_PARAM, "'%s' is not an integer", text);
    }
    if ((double)*out < key->low || (double)*out > key->high) {
        return HG_FAIL(HG_E_PARAM, "'%s' is outside the allowed range %.0f to %.0f", text,
                       key->low, key->high);
    }
    return HG_OK;
}

/* Set the member of `key` from one or more texts. */
static hg_status
take_values(hg_params *params, const hg_schema_key *key, int n, char *const value[])
{
    char *member = (char *)params + key->offset;
    hg_reals *reals = (hg_reals *)(void *)member;
    hg_strings *strings = (hg_strings *)(void *)member;
    bool list = key->type == HG_KEY_REALS || key->type == HG_KEY_STRINGS;

    if (!list && n != 1) {
        return HG_FAIL(HG_E_PARAM, "one value is expected, not a list of %d", n);
    }
    if (list && n > HG_LIST_MAX) {
        return HG_FAIL(HG_E_PARAM, "a list may hold at most %d values, not %d", HG_LIST_MAX, n);
    }
    switch (key->type) {
    case HG_KEY_REAL:
        return take_real(params, key, value[0], (double *)(void *)member);
    case HG_KEY_INT:
        return take_integer(key, value[0], (int64_t *)(void *)member);
    case HG_KEY_BOOL:
        return take_bool(value[0], (bool *)member);
    case HG_KEY_STRING:
        return take_string(params, value[0], (const char **)(void *)member);
    case HG_KEY_CHOICE:
        return take_choice(params, key, value[0], (const char **)(void *)member);
    case HG_KEY_REALS:
        reals->n = 0;
        for (int i = 0; i < n; i++) {
            HG_TRY(take_real(params, key, value[i], &reals->v[i]));
            reals->n++;
        }
        return HG_OK;
    case HG_KEY_STRINGS:
        strings->n = 0;
        for (int i = 0; i < n; i++) {
            HG_TRY(take_string(params, value[i], &strings->v[i]));
            strings->n++;
        }
        return HG_OK;
    }
    return HG_OK;
}

/* Defaults of lists are written "a, b, c". */
static hg_status
take_default(hg_params *params, const hg_schema_key *key, const char *text)
{
    char copy[512], *value[HG_LIST_MAX], *rest = NULL;
    int n = 0;

    snprintf(copy, sizeof copy, "%s", text);
    if (key->type != HG_KEY_REALS && key->type != HG_KEY_STRINGS) {
        value[n++] = copy;
    } else {
        for (char *p = strtok_r(copy, ",", &rest); p != NULL && n < HG_LIST_MAX;
             p = strtok_r(NULL, ",", &rest)) {
            hg_text_trim(p, strlen(p) + 1, p);
            value[n++] = p;
        }
    }
    return take_values(params, key, n, value);
}

static hg_status
set_defaults(hg_params *params)
{
    for (int i = 0; i < hg_schema_n; i++) {
        const hg_schema_key *key = &hg_schema[i];
        char *member = (char *)params + key->offset;

        if (key->initial != NULL) {
            if (take_default(params, key, key->initial) != HG_OK) {
                hg_error_prefix("default of %s.%s: ", key->section, key->key);
                return hg_error_last()->status;
            }
        } else if (key->type == HG_KEY_REAL) {
            *(double *)(void *)member = (double)NAN;
        }
    }
    return HG_OK;
}

static hg_entries *
open_section(hg_params *params, const char *section)
{
    if (strcmp(section, "Features") == 0) {
        return &params->features;
    }
    if (strcmp(section, "Targets") == 0) {
        return &params->targets;
    }
    return strcmp(section, "Samples") == 0 ? &params->samples : NULL;
}

static void
take_open(hg_params *params, hg_entries *entries, const hg_yaml_entry *entry)
{
    hg_entry *e = &entries->v[entries->n];

    if (entry->is_list || entry->n_value != 1) {
        note_error(params, entry->line, "an entry of an open section is one text, not a list");
    } else if (entries->n == (int)(sizeof entries->v / sizeof entries->v[0])) {
        note_error(params, entry->line, "too many entries in this section");
    } else if (strlen(entry->key) > 63 || strlen(entry->value[0]) > 255) {
        note_error(params, entry->line, "name or text is too long (63 and 255 characters)");
    } else {
        *e = (hg_entry){.name = entry->key, .text = entry->value[0], .line = entry->line};
        entries->n++;
    }
}

static void
unknown_key(hg_params *params, const hg_yaml_entry *entry)
{
    const char *names[512], *sections[64];
    char message[512];
    hg_hint hint;
    int n = 0, n_section = 0;
    bool known = false;

    for (int i = 0; i < hg_schema_n; i++) {
        if (n_section == 0 || strcmp(sections[n_section - 1], hg_schema[i].section) != 0) {
            sections[n_section++] = hg_schema[i].section;
        }
        if (strcmp(hg_schema[i].section, entry->section) == 0) {
            known = true;
            names[n++] = hg_schema[i].key;
        }
    }
    sections[n_section++] = "Features";
    sections[n_section++] = "Targets";
    sections[n_section++] = "Samples";
    hint = known ? hg_text_hint(entry->key, (size_t)n, names)
                 : hg_text_hint(entry->section, (size_t)n_section, sections);
    snprintf(message, sizeof message, "unknown %s '%s%s%s'%s", known ? "parameter" : "section",
             entry->section, known ? "." : "", known ? entry->key : "",
             hint.text[0] != '\0' ? hint.text : "; 'halograft params' lists all");
    note_error(params, entry->line, message);
}

/* Mistakes are noted; too little memory is none of the user's. */
static hg_status
take_entry(hg_params *params, const hg_yaml_entry *entry)
{
    hg_entries *open = open_section(params, entry->section);
    const hg_schema_key *key = hg_schema_find(entry->section, entry->key);
    char message[4096];
    hg_status status;

    if (open != NULL) {
        take_open(params, open, entry);
        return HG_OK;
    }
    if (key == NULL) {
        unknown_key(params, entry);
        return HG_OK;
    }
    params->state->given[key - hg_schema] = true;
    status = take_values(params, key, entry->n_value, entry->value);
    if (status != HG_OK && status != HG_E_MEMORY) {
        snprintf(message, sizeof message, "%.128s.%.256s: %.3500s", entry->section, entry->key,
                 hg_error_last()->message);
        note_error(params, entry->line, message);
        status = HG_OK;
    }
    return status;
}

/* Presets change defaults only: what the user gave stays. */
static hg_status
apply_preset(hg_params *params)
{
    static const struct {
        const char *preset, *key, *value;
    } rules[] = {
        {"scikit-learn", "trees", "100"}, {"scikit-learn", "min_leaf", "1"},
        {"scikit-learn", "bag", "none"},  {"lovell2022", "trees", "45"},
        {"lovell2022", "min_leaf", "4"},  {"lovell2022", "min_split", "15"},
        {"lovell2022", "bag", "none"},
    };

    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const hg_schema_key *key = hg_schema_find("Model", rules[i].key);

        if (strcmp(params->model.preset, rules[i].preset) == 0 &&
            !params->state->given[key - hg_schema]) {
            HG_TRY(take_default(params, key, rules[i].value));
        }
    }
    return HG_OK;
}

/* h for values such as "50 Mpc/h": Parent.h where given, else Mock.h. */
static double
find_h(const hg_yaml *doc)
{
    static const char *const sections[] = {"Parent", "Mock"};
    double h;

    for (int i = 0; i < 2; i++) {
        const hg_yaml_entry *entry = hg_yaml_find(doc, sections[i], "h");

        if (entry != NULL && entry->n_value == 1 && hg_text_real(entry->value[0], &h)) {
            return h;
        }
    }
    return (double)NAN;
}

/* --set Section.key=[a, b]: a list in YAML's own form, made by the parser of files. */
static hg_status
set_list(hg_yaml *doc, const char *section, const char *key, const char *list)
{
    hg_text text = {0};
    hg_yaml one = {0};
    hg_status status;

    HG_TRY_OR(done, status, hg_text_add(&text, "%s: {%s: %s}", section, key, list));
    HG_TRY_OR(done, status, hg_yaml_parse(hg_text_string(&text), "--set", &one));
    HG_TRY_OR(done, status, hg_yaml_set(doc, section, key, "", 0));
    if (one.n > 0) {
        const hg_yaml_entry kept = doc->entry[doc->n - 1];

        doc->entry[doc->n - 1] = one.entry[0];
        doc->entry[doc->n - 1].line = 0;
        one.entry[0] = kept;
    }
done:
    hg_yaml_clear(&one);
    hg_text_clear(&text);
    return status;
}

static hg_status
add_sets(hg_params *params, const hg_params_options *options)
{
    for (int i = 0; i < options->n_set; i++) {
        char copy[4608], message[5000];
        char *dot, *equals;

        if (strlen(options->set[i]) >= sizeof copy) {
            note_error(params, 0, "a value of --set is longer than 4607 characters");
            continue;
        }
        strcpy(copy, options->set[i]);
        dot = strchr(copy, '.');
        equals = strchr(copy, '=');
        if (dot == NULL || equals == NULL || equals < dot) {
            snprintf(message, sizeof message, "--set %s: write it as Section.key=value", copy);
            note_error(params, 0, message);
            continue;
        }
        *dot = '\0';
        *equals = '\0';
        HG_TRY(equals[1] == '['
                   ? set_list(&params->state->doc, copy, dot + 1, equals + 1)
                   : hg_yaml_set(&params->state->doc, copy, dot + 1, equals + 1, 0));
    }
    return HG_OK;
}

/* Replace ${NAME} by the environment of rank 0, so that all ranks see one text. */
static hg_status
expand_environment(const char *in, hg_text *out)
{
    while (*in != '\0') {
        const char *start = strstr(in, "${"), *end = start != NULL ? strchr(start, '}') : NULL;
        char name[256];
        const char *value;

        if (end == NULL || (size_t)(end - start) >= sizeof name) {
            return hg_text_append(out, in, strlen(in));
        }
        memcpy(name, start + 2, (size_t)(end - start) - 2);
        name[end - start - 2] = '\0';
        value = getenv(name);
        HG_TRY(hg_text_append(out, in, (size_t)(start - in)));
        HG_TRY(value != NULL ? hg_text_append(out, value, strlen(value))
                             : hg_text_append(out, start, (size_t)(end - start) + 1));
        in = end + 1;
    }
    return HG_OK;
}

static hg_status
read_text(const char *path, hg_text *text)
{
    hg_text raw = {0};
    hg_status status = hg_text_read(path, &raw);

    if (status != HG_OK) {
        hg_error_prefix("parameters: ");
    } else {
        status = expand_environment(hg_text_string(&raw), text);
    }
    hg_text_clear(&raw);
    return status;
}

static hg_status
share_text(const hg_comm *comm, const char *path, hg_text *text)
{
    hg_status status = HG_OK;
    int64_t n = 0;
    char *bytes = NULL;

    if (comm->rank == 0 && path != NULL) {
        status = read_text(path, text);
        n = (int64_t)text->n;
    }
    HG_TRY(hg_comm_agree(comm, status));
    hg_comm_broadcast(comm, 0, &n, sizeof n);
    status = hg_mem_array(&bytes, (size_t)n, 1);
    HG_TRY_OR(done, status, hg_comm_agree(comm, status));
    if (comm->rank == 0 && n > 0) {
        memcpy(bytes, text->data, (size_t)n);
    }
    hg_comm_broadcast(comm, 0, bytes, (size_t)n);
    if (comm->rank != 0 && n > 0) {
        status = hg_text_append(text, bytes, (size_t)n);
    }
    status = hg_comm_agree(comm, status);
done:
    hg_mem_free(bytes);
    return status;
}

static hg_status
interpret(hg_params *params, const hg_params_options *options, const char *text)
{
    struct hg_params_state *s = params->state;

    s->h = (double)NAN;
    s->snap = options->snap;
    s->name = options->path != NULL ? options->path : "defaults";
    HG_TRY(hg_mem_zeros(&s->given, (size_t)hg_schema_n, sizeof *s->given));
    HG_TRY(hg_yaml_parse(text, s->name, &s->doc));
    HG_TRY(add_sets(params, options));
    HG_TRY(set_defaults(params));
    s->h = find_h(&s->doc);
    for (int i = 0; i < s->doc.n; i++) {
        HG_TRY(take_entry(params, &s->doc.entry[i]));
    }
    if (s->n_error > 0) {
        return HG_FAIL(HG_E_PARAM, "%s", hg_text_string(&s->errors));
    }
    HG_TRY(apply_preset(params));
    HG_TRY(hg_schema_echo(params, true, &s->text));
    s->hash = hg_hash_bytes(s->text.data, s->text.n);
    hg_text_clear(&s->text);
    return hg_schema_echo(params, false, &s->text);
}

hg_status
hg_params_read(const hg_comm *comm, const hg_params_options *options, hg_params **params)
{
    hg_params *p = NULL;
    hg_text text = {0};
    hg_status status;

    *params = NULL;
    HG_TRY_OR(fail, status, share_text(comm, options->path, &text));
    status = hg_mem_zeros(&p, 1, sizeof *p);
    if (status == HG_OK) {
        status = hg_mem_zeros(&p->state, 1, sizeof *p->state);
    }
    if (status == HG_OK) {
        status = interpret(p, options, hg_text_string(&text));
    }
    HG_TRY_OR(fail, status, hg_comm_agree(comm, status));
    hg_text_clear(&text);
    *params = p;
    return HG_OK;
fail:
    hg_text_clear(&text);
    hg_params_free(p);
    return status;
}

void
hg_params_free(hg_params *params)
{
    struct hg_params_state *s;

    if (params == NULL) {
        return;
    }
    s = params->state;
    if (s != NULL) {
        for (int i = 0; i < s->n_owned; i++) {
            hg_mem_free(s->owned[i]);
        }
        hg_mem_free(s->owned);
        hg_mem_free(s->given);
        hg_yaml_clear(&s->doc);
        hg_text_clear(&s->text);
        hg_text_clear(&s->errors);
    }
    hg_mem_free(s);
    hg_mem_free(params);
}

hg_status
hg_params_need(const hg_params *params, int n, const char *const keys[])
{
    for (int k = 0; k < n; k++) {
        for (int i = 0; i < hg_schema_n; i++) {
            const hg_schema_key *key = &hg_schema[i];
            char name[160];

            snprintf(name, sizeof name, "%s.%s", key->section, key->key);
            if (strcmp(name, keys[k]) == 0 && key->initial == NULL &&
                !params->state->given[i]) {
                return HG_FAIL(HG_E_PARAM, "parameter '%s' is needed: %s", name, key->help);
            }
        }
    }
    return HG_OK;
}

int64_t
hg_params_snap(const hg_params *params)
{
    return params->state->snap;
}

const char *
hg_params_text(const hg_params *params)
{
    return hg_text_string(&params->state->text);
}

uint64_t
hg_params_hash(const hg_params *params)
{
    return params->state->hash;
}

bool
hg_params_given(const hg_params *params, const char *section, const char *name)
{
    const hg_schema_key *key = hg_schema_find(section, name);

    return key != NULL && params->state->given[key - hg_schema];
}
