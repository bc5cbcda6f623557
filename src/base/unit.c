/* A unit text is read left to right; '/' inverts the power of the next factor only. "Msun/h"
 * means that the stored number is in units of Msun divided by h, so the canonical value is the
 * stored number times h^-1. */
#include "base/unit.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static const struct {
    const char *word;
    hg_unit unit;
} words[] = {
    {"Mpc", {.factor = 1, .length = 1}},
    {"kpc", {.factor = 1e-3, .length = 1}},
    {"pc", {.factor = 1e-6, .length = 1}},
    {"Gpc", {.factor = 1e3, .length = 1}},
    {"cMpc", {.factor = 1, .length = 1}},
    {"ckpc", {.factor = 1e-3, .length = 1}},
    {"pMpc", {.factor = 1, .length = 1, .a = -1}},
    {"pkpc", {.factor = 1e-3, .length = 1, .a = -1}},
    {"cm", {.factor = 1 / 3.0856775814913673e24, .length = 1}},
    {"Msun", {.factor = 1, .mass = 1}},
    {"g", {.factor = 1 / 1.988409870698051e33, .mass = 1}},
    {"km/s", {.factor = 1, .speed = 1}},
    {"cm/s", {.factor = 1e-5, .speed = 1}},
    {"yr", {.factor = 1, .year = 1}},
    {"Gyr", {.factor = 1e9, .year = 1}},
    {"Myr", {.factor = 1e6, .year = 1}},
    {"s", {.factor = 1, .second = 1}},
    {"min", {.factor = 60, .second = 1}},
    {"hours", {.factor = 3600, .second = 1}},
    {"B", {.factor = 1, .byte = 1}},
    {"kiB", {.factor = 1024, .byte = 1}},
    {"MiB", {.factor = 1048576, .byte = 1}},
    {"GiB", {.factor = 1073741824, .byte = 1}},
    {"TiB", {.factor = 1099511627776, .byte = 1}},
    {"K", {.factor = 1, .kelvin = 1}},
    {"%", {.factor = 0.01}},
    {"dex", {.factor = 1}},
    {"mag", {.factor = 1}},
    {"-", {.factor = 1}},
    {"h", {.factor = 1, .h = 1}},
    {"a", {.factor = 1, .a = 1}},
};
enum { N_WORD = sizeof words / sizeof words[0], HIGHEST = 100 };

static void
multiply(hg_unit *unit, const hg_unit *by, double power)
{
    int p = (int)power;

    unit->factor *= pow(by->factor, power);
    unit->h += by->h * power;
    unit->a += by->a * power;
    unit->length += by->length * p;
    unit->mass += by->mass * p;
    unit->speed += by->speed * p;
    unit->year += by->year * p;
    unit->second += by->second * p;
    unit->byte += by->byte * p;
    unit->kelvin += by->kelvin * p;
}

static hg_status
apply_word(const char *text, const char *word, double power, hg_unit *unit)
{
    const char *names[N_WORD];
    double number;

    if (hg_text_real(word, &number) && number > 0) {
        unit->factor *= pow(number, power);
        return HG_OK;
    }
    for (int i = 0; i < N_WORD; i++) {
        if (strcmp(words[i].word, word) == 0) {
            if (power != floor(power) && words[i].unit.h == 0 && words[i].unit.a == 0) {
                return HG_FAIL(HG_E_FORMAT, "unit '%s': only h and a may have broken powers",
                               text);
            }
            multiply(unit, &words[i].unit, power);
            return HG_OK;
        }
        names[i] = words[i].word;
    }
    return HG_FAIL(HG_E_FORMAT, "'%s' in unit '%s' is not a known unit%s", word, text,
                   hg_text_hint(word, N_WORD, names).text);
}

hg_status
hg_unit_parse(const char *text, hg_unit *unit)
{
    const char *p = text;
    double sign = 1;

    *unit = (hg_unit){.factor = 1};
    while (*p != '\0') {
        char word[32];
        size_t n = 0;
        double power = 1;

        if (isspace((unsigned char)*p) || *p == '*') {
            p++;
            continue;
        }
        if (*p == '/') {
            sign = -1;
            p++;
            continue;
        }
        while (*p != '\0' && !isspace((unsigned char)*p) && strchr("*/^", *p) == NULL &&
               n < sizeof word - 1) {
            word[n++] = *p++;
        }
        word[n] = '\0';
        if (n == 0) {
            return HG_FAIL(HG_E_FORMAT, "unit '%s' has a power without a word", text);
        }
        /* km/s and cm/s are one word: a speed, not a length over a wall time */
        if ((strcmp(word, "km") == 0 || strcmp(word, "cm") == 0) && p[0] == '/' &&
            p[1] == 's' && !isalnum((unsigned char)p[2])) {
            strcat(word, "/s");
            p += 2;
        }
        if (*p == '^') {
            char *end = NULL;

            power = strtod(p + 1, &end);
            if (end == p + 1) {
                return HG_FAIL(HG_E_FORMAT, "unit '%s' has no number after '^'", text);
            }
            if (!(fabs(power) <= HIGHEST)) {
                return HG_FAIL(HG_E_FORMAT, "unit '%s' has a power beyond %d", text, HIGHEST);
            }
            p = end;
        }
        HG_TRY(apply_word(text, word, sign * power, unit));
        sign = 1;
    }
    if (!(unit->factor > 0 && isfinite(unit->factor)) || fabs(unit->h) > HIGHEST ||
        fabs(unit->a) > HIGHEST) {
        return HG_FAIL(HG_E_FORMAT, "unit '%s' is larger or smaller than any number", text);
    }
    return HG_OK;
}

int
hg_unit_same_dimension(const hg_unit *a, const hg_unit *b)
{
    return a->length == b->length && a->mass == b->mass && a->speed == b->speed &&
           a->year == b->year && a->second == b->second && a->byte == b->byte &&
           a->kelvin == b->kelvin;
}

double
hg_unit_factor(const hg_unit *unit, double h, double a)
{
    return unit->factor * pow(h, unit->h) * pow(a, unit->a);
}

double
hg_unit_rounded(double unit)
{
    double power = pow(10, round(log10(unit)));

    return fabs(unit / power - 1) < 2e-3 ? power : unit;
}

hg_status
hg_unit_value(const char *text, const char *canonical, double h, double *value)
{
    char number[64];
    hg_unit unit, want;
    size_t n = 0;

    while (text[n] != '\0' && !isspace((unsigned char)text[n]) && text[n] != '%' &&
           n < sizeof number - 1) {
        number[n] = text[n];
        n++;
    }
    number[n] = '\0';
    if (!hg_text_real(number, value)) {
        return HG_FAIL(HG_E_FORMAT,
                       "'%s' is not a finite number with a space and a unit behind it", text);
    }
    HG_TRY(hg_unit_parse(text + n, &unit));
    HG_TRY(hg_unit_parse(canonical, &want));
    if (!hg_unit_same_dimension(&unit, &want)) {
        if (strspn(text + n, " ") == strlen(text + n)) {
            return HG_FAIL(HG_E_FORMAT, "'%s' has no unit: write it as '%s %s'", text, number,
                           canonical);
        }
        return HG_FAIL(HG_E_FORMAT, "'%s' cannot be converted to '%s'", text, canonical);
    }
    if (unit.h != want.h && !isfinite(h)) {
        return HG_FAIL(HG_E_FORMAT, "'%s': a unit with h is not allowed here", text);
    }
    if (unit.a != want.a) {
        return HG_FAIL(HG_E_FORMAT, "'%s': a unit with a is not allowed here", text);
    }
    *value *= unit.factor / want.factor * (unit.h != want.h ? pow(h, unit.h - want.h) : 1);
    if (!isfinite(*value)) {
        return HG_FAIL(HG_E_FORMAT, "'%s' is larger than any number", text);
    }
    return HG_OK;
}
