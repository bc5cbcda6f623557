/* Steps rather than a formula: ids use all 64 bits, and the expressions of tables compute in
 * doubles. */
#include "match/id_rule.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* A whole number in decimal digits, up to 2^64 - 1. */
static bool
parse_number(const char *text, uint64_t *value)
{
    *value = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        const uint64_t digit = (uint64_t)(*text - '0');

        if (*text < '0' || *text > '9' || *value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        *value = 10 * *value + digit;
    }
    return true;
}

/* One step; `kind` stays 0 for `id`, which changes nothing. */
static bool
parse_step(const char *text, hg_id_step *step)
{
    static const struct {
        const char *text;
        char kind;
    } words[] = {{"id", 0}, {"even", 'e'}, {"odd", 'o'}},
      signs[] = {{">=", '>'}, {"<", '<'}, {"+", '+'}, {"-", '-'}, {"*", '*'}, {"/", '/'}};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(text, words[i].text) == 0) {
            step->kind = words[i].kind;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        const size_t n = strlen(signs[i].text);

        if (strncmp(text, signs[i].text, n) == 0) {
            step->kind = signs[i].kind;
            return parse_number(text + n + strspn(text + n, " "), &step->value) &&
                   (step->kind != '/' || step->value > 0);
        }
    }
    return false;
}

hg_status
hg_id_rule_parse(const char *text, hg_id_rule *rule)
{
    const char *rest = text;

    *rule = (hg_id_rule){0};
    while (rest != NULL && *rest != '\0') {
        const size_t length = strcspn(rest, "|");
        char word[64] = "";
        hg_id_step step = {0};

        if (length < sizeof word) {
            memcpy(word, rest, length);
            hg_text_trim(word, sizeof word, word);
        }
        if (!parse_step(word, &step)) {
            return HG_FAIL(
                HG_E_PARAM,
                "'%.*s' in '%s' is no step of a rule for particle ids: id, even, odd, "
                "< N, >= N, + N, - N, * N or / N",
                (int)length, rest, text);
        }
        if (step.kind != 0) {
            if (rule->n == HG_ID_STEPS) {
                return HG_FAIL(HG_E_PARAM, "'%s' has more than %d steps", text, HG_ID_STEPS);
            }
            rule->step[rule->n++] = step;
        }
        rest += length;
        rest += *rest == '|';
    }
    return HG_OK;
}

bool
hg_id_rule_apply(const hg_id_rule *rule, uint64_t *id)
{
    for (int i = 0; i < rule->n; i++) {
        const hg_id_step *s = &rule->step[i];
        bool keep = true;

        switch (s->kind) {
        case 'e':
            keep = *id % 2 == 0;
            break;
        case 'o':
            keep = *id % 2 == 1;
            break;
        case '<':
            keep = *id < s->value;
            break;
        case '>':
            keep = *id >= s->value;
            break;
        case '+':
            *id += s->value;
            break;
        case '-':
            keep = *id >= s->value;
            *id -= s->value;
            break;
        case '*':
            *id *= s->value;
            break;
        default:
            *id /= s->value;
        }
        if (!keep) {
            return false;
        }
    }
    return true;
}
