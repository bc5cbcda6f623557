/* Small text tools. Numbers are parsed by strtod to the last character in the C locale, which
 * the program never changes. */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

hg_status
hg_text_append(hg_text *text, const char *bytes, size_t n)
{
    if (text->n + n + 1 > text->room) {
        size_t room = 2 * text->room + n + 64;

        HG_TRY(hg_mem_resize(&text->data, room, 1));
        text->room = room;
    }
    memcpy(text->data + text->n, bytes, n);
    text->n += n;
    text->data[text->n] = '\0';
    return HG_OK;
}

hg_status
hg_text_add(hg_text *text, const char *format, ...)
{
    char small[512];
    char *big = NULL;
    hg_status status;
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (n < (int)sizeof small) {
        return hg_text_append(text, small, (size_t)n);
    }
    HG_TRY(hg_mem_array(&big, (size_t)n + 1, 1));
    va_start(args, format);
    vsnprintf(big, (size_t)n + 1, format, args);
    va_end(args);
    status = hg_text_append(text, big, (size_t)n);
    hg_mem_free(big);
    return status;
}

hg_status
hg_text_add_number(hg_text *text, int digits, double value, char end)
{
    HG_TRY(isfinite(value) ? hg_text_add(text, "%.*g", digits, value) : HG_OK);
    return hg_text_append(text, &end, 1);
}

const char *
hg_text_string(const hg_text *text)
{
    return text->data != NULL ? text->data : "";
}

void
hg_text_clear(hg_text *text)
{
    hg_mem_free(text->data);
    *text = (hg_text){0};
}

hg_status
hg_text_read(const char *path, hg_text *text)
{
    FILE *file = fopen(path, "rb");
    char buffer[4096];
    hg_status status = HG_OK;
    size_t n;

    if (file == NULL) {
        return HG_FAIL(HG_E_NOTFOUND, "file '%s' cannot be opened: %s", path, strerror(errno));
    }
    while (status == HG_OK && (n = fread(buffer, 1, sizeof buffer, file)) > 0) {
        status = hg_text_append(text, buffer, n);
    }
    if (status == HG_OK && ferror(file)) {
        status = HG_FAIL(HG_E_READ, "file '%s' cannot be read: %s", path, strerror(errno));
    }
    fclose(file);
    return status;
}

bool
hg_text_real(const char *string, double *value)
{
    char *end = NULL;

    if (*string == '\0' || isspace((unsigned char)*string) || strpbrk(string, "xX") != NULL) {
        return false;
    }
    *value = strtod(string, &end);
    return *end == '\0' && isfinite(*value);
}

bool
hg_text_integer(const char *string, int64_t *value)
{
    char *end = NULL;
    double real;

    if (*string == '\0' || isspace((unsigned char)*string)) {
        return false;
    }
    errno = 0;
    *value = strtoll(string, &end, 10);
    if (*end == '\0' && errno == 0) {
        return true;
    }
    if (!hg_text_real(string, &real) || real != floor(real) || fabs(real) > 0x1p53) {
        return false;
    }
    *value = (int64_t)real;
    return true;
}

int
hg_text_distance(const char *a, const char *b)
{
    int row[128];
    int na = (int)strnlen(a, 126), nb = (int)strnlen(b, 126);

    for (int j = 0; j <= nb; j++) {
        row[j] = j;
    }
    for (int i = 1; i <= na; i++) {
        int diagonal = row[0];

        row[0] = i;
        for (int j = 1; j <= nb; j++) {
            int differ = tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]);
            int best = diagonal + differ;

            diagonal = row[j];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
        }
    }
    return row[nb];
}

const char *
hg_text_nearest(const char *name, size_t n, const char *const names[])
{
    const char *nearest = NULL;
    int best = 2 + (int)strlen(name) / 3;

    for (size_t i = 0; i < n; i++) {
        int distance = hg_text_distance(name, names[i]);

        if (distance < best) {
            best = distance;
            nearest = names[i];
        }
    }
    return nearest;
}

static hg_hint
make_hint(const char *before, const char *near, const char *after)
{
    hg_hint hint = {""};

    if (near != NULL) {
        snprintf(hint.text, sizeof hint.text, "%s%.130s%s", before, near, after);
    }
    return hint;
}

hg_hint
hg_text_hint(const char *name, size_t n, const char *const names[])
{
    return make_hint(", did you mean '", hg_text_nearest(name, n, names), "'?");
}

hg_hint
hg_text_aside(const char *name, size_t n, const char *const names[])
{
    return make_hint(" (there is '", hg_text_nearest(name, n, names), "')");
}

char *
hg_text_trim(const char *string, size_t n, char buffer[])
{
    size_t length;

    while (isspace((unsigned char)*string)) {
        string++;
    }
    length = strlen(string);
    while (length > 0 && isspace((unsigned char)string[length - 1])) {
        length--;
    }
    length = length < n ? length : n - 1;
    memmove(buffer, string, length);
    buffer[length] = '\0';
    return buffer;
}

hg_status
hg_text_path(size_t n, char buffer[], const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(buffer, n, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= n) {
        return HG_FAIL(HG_E_ARG, "path '%.60s...' is longer than %zu characters", buffer,
                       n - 1);
    }
    return HG_OK;
}

/* Find the field {name} or {name:0Nd}; its end and width. */
static const char *
find_field(const char *pattern, const char *name, const char **end, int *width)
{
    size_t length = strlen(name);

    for (const char *p = strchr(pattern, '{'); p != NULL; p = strchr(p + 1, '{')) {
        if (strncmp(p + 1, name, length) != 0) {
            continue;
        }
        *width = 0;
        *end = p + 1 + length;
        if (**end == ':') {
            char *stop = NULL;

            *width = (int)strtol(*end + 1, &stop, 10);
            *end = stop + (*stop == 'd');
        }
        if (**end == '}') {
            ++*end;
            return p;
        }
    }
    return NULL;
}

bool
hg_text_has_field(const char *pattern, const char *name)
{
    const char *end;
    int width;

    return find_field(pattern, name, &end, &width) != NULL;
}

hg_status
hg_text_fill(const char *pattern, const char *name, int64_t value, size_t n, char out[])
{
    size_t used = 0;
    const char *rest = pattern, *end = NULL;
    int width = 0;

    for (const char *p = find_field(rest, name, &end, &width); p != NULL;
         p = find_field(rest, name, &end, &width)) {
        if (width > 18 || used + (size_t)(p - rest) + 24 > n) {
            return HG_FAIL(HG_E_ARG, "pattern '%s' is too long", pattern);
        }
        memcpy(out + used, rest, (size_t)(p - rest));
        used += (size_t)(p - rest);
        used += (size_t)snprintf(out + used, n - used, "%0*" PRId64, width, value);
        rest = end;
    }
    if (used + strlen(rest) + 1 > n) {
        return HG_FAIL(HG_E_ARG, "pattern '%s' is too long", pattern);
    }
    memmove(out + used, rest, strlen(rest) + 1);
    return HG_OK;
}

int64_t
hg_text_difference(const char *a, const char *b, size_t n, char line_a[], char line_b[])
{
    int64_t line = 1;

    while (*a != '\0' || *b != '\0') {
        const size_t n_a = strcspn(a, "\n"), n_b = strcspn(b, "\n");

        if (n_a != n_b || strncmp(a, b, n_a) != 0 || a[n_a] != b[n_b]) {
            snprintf(line_a, n, "%.*s", (int)n_a, a);
            snprintf(line_b, n, "%.*s", (int)n_b, b);
            return line;
        }
        a += n_a + (a[n_a] != '\0');
        b += n_b + (b[n_b] != '\0');
        line++;
    }
    return 0;
}
