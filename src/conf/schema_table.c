/* Templates, the reference page and the echo are all printed from the one table, so that
 * documents cannot drift from the code. */
#include "conf/schema_table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define ROW(section, member, type, key, unit, initial, low, high, help) \
    {section, #key,    HG_KEY_##type,                                   \
     unit,    initial, low,                                             \
     high,    help,    offsetof(hg_params, member.key)},
#define ROW_meta(...) ROW("Meta", meta, __VA_ARGS__)
#define ROW_mock(...) ROW("Mock", mock, __VA_ARGS__)
#define ROW_zooms(...) ROW("Zooms", zooms, __VA_ARGS__)
#define ROW_parent(...) ROW("Parent", parent, __VA_ARGS__)
#define ROW_convert(...) ROW("Convert", convert, __VA_ARGS__)
#define ROW_selection(...) ROW("Selection", selection, __VA_ARGS__)
#define ROW_match(...) ROW("Match", match, __VA_ARGS__)
#define ROW_environment(...) ROW("Environment", environment, __VA_ARGS__)
#define ROW_history(...) ROW("History", history, __VA_ARGS__)
#define ROW_model(...) ROW("Model", model, __VA_ARGS__)
#define ROW_scatter(...) ROW("Scatter", scatter, __VA_ARGS__)
#define ROW_validate(...) ROW("Validate", validate, __VA_ARGS__)
#define ROW_design(...) ROW("Design", design, __VA_ARGS__)
#define ROW_explain(...) ROW("Explain", explain, __VA_ARGS__)
#define ROW_measure(...) ROW("Measure", measure, __VA_ARGS__)
#define ROW_output(...) ROW("Output", output, __VA_ARGS__)
#define ROW_run(...) ROW("Run", run, __VA_ARGS__)
#define SECTION(title, member, table) table(ROW_##member)

const hg_schema_key hg_schema[] = {HG_SECTIONS(SECTION)};
const int hg_schema_n = (int)(sizeof hg_schema / sizeof hg_schema[0]);

const hg_schema_key *
hg_schema_find(const char *section, const char *key)
{
    for (int i = 0; i < hg_schema_n; i++) {
        if (strcmp(hg_schema[i].section, section) == 0 && strcmp(hg_schema[i].key, key) == 0) {
            return &hg_schema[i];
        }
    }
    return NULL;
}

static const struct {
    const char *section;
    const char *help;
    const char *example[2];
} open_sections[] = {
    {"Features",
     "free names: 'expression | transform | option ...'; transforms none log10 asinh "
     "signed_log",
     {"m200c: log10", "speed: norm(velocity) | log10"}},
    {"Targets",
     "free names: 'expression | transform | option ...'; options floor, weight, min, max; "
     "hurdle "
     "= predict first whether it is above 0 (hurdle VALUE UNIT: a limit), then the value; "
     "label "
     "= the expression is 0 or 1; after NAME ... = follows from these targets too",
     {"stellar_mass: log10", "sfr: log10 | hurdle | after stellar_mass"}},
    {"Samples",
     "free names: a selection by expression, measured in every catalogue",
     {"massive: stellar_mass > 10^10.5", "centrals: stellar_mass > 1e10 && central == 1"}},
};
enum { N_OPEN = sizeof open_sections / sizeof open_sections[0] };

/* The character at p and its number of bytes in UTF-8; a byte that begins none is itself. */
static uint32_t
take_character(const unsigned char *p, size_t *n)
{
    const size_t length = p[0] < 0xC0 ? 1 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    uint32_t character = p[0] & (length == 1 ? 0xFFu : 0xFFu >> (length + 1));

    *n = 1;
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return p[0];
        }
        character = character << 6 | (p[i] & 0x3Fu);
    }
    *n = length;
    return character;
}

/* Control characters, line and paragraph ends of Unicode, byte-order marks: YAML folds or
 * refuses them when they stand as they are. */
static bool
must_escape(uint32_t c, size_t n_byte)
{
    return c < 0x20 || c == 0x7F || (n_byte == 2 && c < 0xA0) || c == 0x2028 || c == 0x2029 ||
           c == 0xFEFF || c == 0xFFFE || c == 0xFFFF;
}

/* Quote what YAML would not read back as the same text. */
static hg_status
echo_string(hg_text *text, const char *value)
{
    size_t n;

    HG_TRY(hg_text_append(text, "\"", 1));
    for (const char *p = value; *p != '\0'; p += n) {
        const uint32_t c = take_character((const unsigned char *)p, &n);

        if (c == '"' || c == '\\') {
            HG_TRY(hg_text_append(text, "\\", 1));
        }
        if (c == '\n') {
            HG_TRY(hg_text_append(text, "\\n", 2));
        } else if (must_escape(c, n)) {
            HG_TRY(hg_text_add(text, "\\U%08" PRIX32, c));
        } else {
            HG_TRY(hg_text_append(text, p, n));
        }
    }
    return hg_text_append(text, "\"", 1);
}

/* Names of entries stand bare where YAML reads them back so. */
static hg_status
echo_name(hg_text *text, const char *name)
{
    const size_t plain = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789_.");

    return name[0] != '\0' && name[plain] == '\0' ? hg_text_add(text, "%s", name)
                                                  : echo_string(text, name);
}

static hg_status
echo_real(hg_text *text, double value, const char *unit)
{
    return hg_text_add(text, "%.17g%s%s", value, unit[0] != '\0' ? " " : "", unit);
}

static hg_status
echo_value(const hg_schema_key *key, const char *member, hg_text *text)
{
    const hg_reals *reals = (const hg_reals *)(const void *)member;
    const hg_strings *strings = (const hg_strings *)(const void *)member;

    switch (key->type) {
    case HG_KEY_REAL:
        return echo_real(text, *(const double *)(const void *)member, key->unit);
    case HG_KEY_INT:
        return hg_text_add(text, "%" PRId64, *(const int64_t *)(const void *)member);
    case HG_KEY_BOOL:
        return hg_text_add(text, "%s", *(const bool *)member ? "true" : "false");
    case HG_KEY_STRING:
    case HG_KEY_CHOICE:
        return echo_string(text, *(const char *const *)(const void *)member);
    case HG_KEY_REALS:
        HG_TRY(hg_text_append(text, "[", 1));
        for (int i = 0; i < reals->n; i++) {
            HG_TRY(hg_text_append(text, ", ", i > 0 ? 2 : 0));
            HG_TRY(echo_real(text, reals->v[i], key->unit));
        }
        return hg_text_append(text, "]", 1);
    case HG_KEY_STRINGS:
        HG_TRY(hg_text_append(text, "[", 1));
        for (int i = 0; i < strings->n; i++) {
            HG_TRY(hg_text_append(text, ", ", i > 0 ? 2 : 0));
            HG_TRY(echo_string(text, strings->v[i]));
        }
        return hg_text_append(text, "]", 1);
    }
    return HG_OK;
}

static bool
is_set(const hg_schema_key *key, const char *member)
{
    if (key->type == HG_KEY_REAL) {
        return !isnan(*(const double *)(const void *)member);
    }
    if (key->type == HG_KEY_STRING || key->type == HG_KEY_CHOICE) {
        return *(const char *const *)(const void *)member != NULL;
    }
    return key->type != HG_KEY_REALS && key->type != HG_KEY_STRINGS
               ? true
               : ((const hg_reals *)(const void *)member)->n > 0 || key->initial != NULL;
}

static hg_status
echo_open(const char *section, const hg_entries *entries, hg_text *text)
{
    if (entries->n > 0) {
        HG_TRY(hg_text_add(text, "%s:\n", section));
    }
    for (int i = 0; i < entries->n; i++) {
        HG_TRY(hg_text_append(text, "  ", 2));
        HG_TRY(echo_name(text, entries->v[i].name));
        HG_TRY(hg_text_append(text, ": ", 2));
        HG_TRY(echo_string(text, entries->v[i].text));
        HG_TRY(hg_text_append(text, "\n", 1));
    }
    return HG_OK;
}

hg_status
hg_schema_echo(const hg_params *params, bool results_only, hg_text *text)
{
    const char *section = "";

    for (int i = 0; i < hg_schema_n; i++) {
        const hg_schema_key *key = &hg_schema[i];
        const char *member = (const char *)params + key->offset;

        if (results_only &&
            (strcmp(key->section, "Run") == 0 || strcmp(key->section, "Output") == 0)) {
            continue;
        }
        if (!is_set(key, member)) {
            continue;
        }
        if (strcmp(section, key->section) != 0) {
            section = key->section;
            HG_TRY(hg_text_add(text, "%s:\n", section));
        }
        HG_TRY(hg_text_add(text, "  %s: ", key->key));
        HG_TRY(echo_value(key, member, text));
        HG_TRY(hg_text_append(text, "\n", 1));
    }
    HG_TRY(echo_open("Features", &params->features, text));
    HG_TRY(echo_open("Targets", &params->targets, text));
    return echo_open("Samples", &params->samples, text);
}

hg_status
hg_params_lines(const hg_params *params, int n, const char *const begins[], hg_text *text)
{
    char name[128];

    for (int i = 0; i < hg_schema_n; i++) {
        const hg_schema_key *key = &hg_schema[i];
        const char *member = (const char *)params + key->offset;
        bool wanted = false;

        snprintf(name, sizeof name, "%s.%s", key->section, key->key);
        for (int k = 0; k < n; k++) {
            wanted = wanted || strncmp(name, begins[k], strlen(begins[k])) == 0;
        }
        if (wanted && is_set(key, member)) {
            HG_TRY(hg_text_add(text, "%s: ", name));
            HG_TRY(echo_value(key, member, text));
            HG_TRY(hg_text_append(text, "\n", 1));
        }
    }
    return HG_OK;
}

static void
print_range(const hg_schema_key *key)
{
    if (key->type == HG_KEY_CHOICE) {
        printf(" (%s)", key->unit);
    } else if (key->type == HG_KEY_REAL || key->type == HG_KEY_INT ||
               key->type == HG_KEY_REALS) {
        printf(" (%g to %g%s%s)", key->low, key->high, key->unit[0] != '\0' ? " " : "",
               key->unit);
    }
}

hg_status
hg_params_template(const char *section)
{
    const char *current = "";
    bool found = section == NULL;

    for (int i = 0; i < hg_schema_n; i++) {
        const hg_schema_key *key = &hg_schema[i];
        bool list = key->type == HG_KEY_REALS || key->type == HG_KEY_STRINGS;

        if (section != NULL && strcmp(section, key->section) != 0) {
            continue;
        }
        found = true;
        if (strcmp(current, key->section) != 0) {
            current = key->section;
            printf("%s:\n", current);
        }
        printf("  # %s", key->help);
        print_range(key);
        printf("\n");
        if (key->initial == NULL) {
            printf("  # %s:%s\n", key->key, list ? " []" : "");
        } else {
            printf("  %s: %s%s%s\n", key->key, list ? "[" : "", key->initial, list ? "]" : "");
        }
    }
    for (int i = 0; i < N_OPEN; i++) {
        if (section != NULL && strcmp(section, open_sections[i].section) != 0) {
            continue;
        }
        found = true;
        printf("%s:\n  # %s\n", open_sections[i].section, open_sections[i].help);
        for (int k = 0; k < 2; k++) {
            printf("  # %s\n", open_sections[i].example[k]);
        }
    }
    return found ? HG_OK : HG_FAIL(HG_E_PARAM, "there is no parameter section '%s'", section);
}

hg_status
hg_params_markdown(void)
{
    static const char *const types[] = {"real",   "integer",       "true/false",   "text",
                                        "choice", "list of reals", "list of texts"};
    const char *current = "";

    printf(
        "# Parameters\n\nMade by `halograft params --markdown`; do not edit. A quantity with a "
        "dimension carries its unit, as in `50 Mpc` or `1e11 Msun`.\n");
    for (int i = 0; i < hg_schema_n; i++) {
        const hg_schema_key *key = &hg_schema[i];
        char choices[256];

        if (strcmp(current, key->section) != 0) {
            current = key->section;
            printf("\n## %s\n\n| key | type | default | allowed | meaning "
                   "|\n|---|---|---|---|---|\n",
                   current);
        }
        printf("| `%s` | %s | %s%s%s | ", key->key, types[key->type],
               key->initial != NULL ? "`" : "-", key->initial != NULL ? key->initial : "",
               key->initial != NULL ? "`" : "");
        if (key->type == HG_KEY_CHOICE) {
            size_t n = 0;

            for (const char *p = key->unit; *p != '\0' && n < sizeof choices - 3; p++) {
                if (*p == '|') {
                    choices[n++] = ',';
                    choices[n++] = ' ';
                } else {
                    choices[n++] = *p;
                }
            }
            choices[n] = '\0';
            printf("%s", choices);
        } else if (key->type == HG_KEY_REAL || key->type == HG_KEY_INT) {
            printf("%g to %g %s", key->low, key->high, key->unit);
        }
        printf(" | %s |\n", key->help);
    }
    for (int i = 0; i < N_OPEN; i++) {
        printf("\n## %s\n\nOpen section, %s. Examples: `%s`, `%s`.\n", open_sections[i].section,
               open_sections[i].help, open_sections[i].example[0], open_sections[i].example[1]);
    }
    return HG_OK;
}
