/* Cases and the numbers behind names differ between versions of one finder, so plain names are
 * what is looked for. Only a final "(digits)" is cut off: b_to_a(500c) is a name. */
#include "catalog/heading.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "catalog/layout.h"

static void
make_plain(const char *word, char plain[HG_HEADING_WORD])
{
    size_t n = strlen(word), digits = 0;

    while (n > digits + 2 && word[n - 1] == ')' &&
           isdigit((unsigned char)word[n - 2 - digits])) {
        digits++;
    }
    if (digits > 0 && word[n - 2 - digits] == '(') {
        n -= digits + 2;
    }
    n = n < HG_HEADING_WORD - 1 ? n : HG_HEADING_WORD - 1;
    for (size_t i = 0; i < n; i++) {
        plain[i] = (char)tolower((unsigned char)word[i]);
    }
    plain[n] = '\0';
}

void
hg_heading_read(const char *line, hg_heading *heading)
{
    const char *p = line + strspn(line, "# \t");

    heading->n = 0;
    while (*p != '\0' && heading->n < HG_HEADING_FIELDS) {
        size_t n = strcspn(p, " \t\r");

        snprintf(heading->stored[heading->n], HG_HEADING_WORD, "%.*s", (int)n, p);
        make_plain(heading->stored[heading->n], heading->plain[heading->n]);
        heading->n++;
        p += n + strspn(p + n, " \t\r");
    }
}

int
hg_heading_find(const hg_heading *heading, const char *name)
{
    for (int i = 0; i < heading->n; i++) {
        if (strcmp(heading->plain[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

hg_status
hg_heading_add(const hg_heading *heading, int at, bool last, const char *name, hg_plan *plan,
               hg_source **source)
{
    int same = 0, place = 0;

    HG_TRY(hg_plan_add_source(plan, name, source));
    for (int i = 0; i < heading->n; i++) {
        same += strcmp(heading->stored[i], heading->stored[at]) == 0;
        place = i == at ? same : place;
    }
    snprintf((*source)->path[0], sizeof(*source)->path[0], same > 1 ? "%s#%d" : "%s",
             heading->stored[at], last ? same : place);
    return HG_OK;
}

hg_status
hg_heading_add_vector(const hg_heading *heading, const char *const from[], const char *name,
                      hg_plan *plan, hg_source **source)
{
    *source = NULL;
    for (int k = 0; k < 3; k++) {
        if (hg_heading_find(heading, from[k]) < 0) {
            return HG_OK;
        }
    }
    HG_TRY(hg_plan_add_source(plan, name, source));
    (*source)->n_path = 3;
    for (int k = 0; k < 3; k++) {
        snprintf((*source)->path[k], sizeof(*source)->path[k], "%s",
                 heading->stored[hg_heading_find(heading, from[k])]);
    }
    return HG_OK;
}

hg_status
hg_heading_add_others(const hg_heading *heading, hg_plan *plan)
{
    for (int i = 0; i < heading->n; i++) {
        char name[HG_HEADING_WORD];
        hg_source *source = NULL;
        size_t n = 0;

        for (const char *p = heading->plain[i]; *p != '\0' && n < sizeof name - 1; p++) {
            name[n++] = isalnum((unsigned char)*p) ? *p : '_';
        }
        name[n] = '\0';
        if (n > 0 && !isdigit((unsigned char)name[0]) && n < HG_NAME_MAX &&
            hg_plan_find(plan, name) == NULL && hg_layout_quantity(name) == NULL) {
            HG_TRY(hg_heading_add(heading, i, false, name, plan, &source));
            source->column.type = HG_COLUMN_F64;
        }
    }
    return HG_OK;
}
