/* AHF writes the number of haloes, then for each its number of particles and id, and a line per
 * particle with id and type; old versions leave out the first line, the id of the halo and the
 * type, and then a halo is known by its place. Rockstar writes a table whose columns are named
 * in a comment; a particle stands once for its halo and once more for each host above it, so
 * only the rows whose assigned halo is the halo itself count. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "catalog/member_files.h"
#include "store/textfile.h"

enum { FIELDS = 16 };

/* Whole numbers of a line; returns their number, -1 when a field is something else. */
static int
split_integers(const char *line, int most, uint64_t value[])
{
    int n = 0;

    for (const char *p = line + strspn(line, " \t"); *p != '\0' && n < most;) {
        char *end;

        value[n] = strtoull(p, &end, 10);
        if (end == p || *p == '-' || (*end != '\0' && *end != ' ' && *end != '\t')) {
            return -1;
        }
        n++;
        p = end + strspn(end, " \t");
    }
    return n;
}

static hg_status
bad_line(const char *path, const hg_textfile *file, const char *what)
{
    return HG_FAIL(HG_E_FORMAT, "'%s', line %" PRId64 ": %s", path, hg_textfile_number(file),
                   what);
}

/* Room for one more object with n more particles. */
hg_status
hg_members_open_object(hg_members *m, int64_t key, int64_t n)
{
    HG_TRY(hg_mem_resize(&m->key, (size_t)m->n + 1, sizeof *m->key));
    HG_TRY(hg_mem_resize(&m->first, (size_t)m->n + 2, sizeof *m->first));
    HG_TRY(hg_mem_resize(&m->id, (size_t)(m->first[m->n] + n), sizeof *m->id));
    m->key[m->n] = key;
    m->first[m->n + 1] = m->first[m->n];
    m->n++;
    return HG_OK;
}

static hg_status
read_ahf_object(const char *path, hg_textfile *file, int64_t n, int64_t key, int64_t most,
                hg_members *m)
{
    HG_TRY(hg_members_open_object(m, key, most > 0 && most < n ? most : n));
    for (int64_t k = 0; k < n; k++) {
        uint64_t value[2] = {0, 1};
        char *line;
        int64_t *end = &m->first[m->n];

        HG_TRY(hg_textfile_line(file, &line));
        if (line == NULL) {
            return bad_line(path, file, "the list of particles of a halo is cut here");
        }
        if (split_integers(line, 2, value) < 1) {
            return bad_line(path, file, "no particle id");
        }
        if (value[1] == 1 && (most == 0 || *end - m->first[m->n - 1] < most)) {
            m->id[(*end)++] = value[0];
        }
    }
    return HG_OK;
}

static hg_status
read_ahf(const char *path, hg_textfile *file, int64_t most, hg_members *m)
{
    uint64_t value[2];
    int64_t number = 0;
    bool is_first = true;
    char *line;

    for (;;) {
        int n;

        HG_TRY(hg_textfile_line(file, &line));
        if (line == NULL) {
            return HG_OK;
        }
        n = split_integers(line, 2, value);
        if (n < 1) {
            return bad_line(path, file, "neither a number of haloes nor of particles");
        }
        if (n == 2 || !is_first) {
            HG_TRY(read_ahf_object(path, file, (int64_t)value[0],
                                   n == 2 ? (int64_t)value[1] : number, most, m));
            number++;
        }
        is_first = false;
    }
}

hg_status
hg_members_ahf(const char *path, int64_t most, hg_members *members)
{
    hg_textfile *file = NULL;
    hg_status status;

    HG_TRY(hg_textfile_open(path, &file));
    status = read_ahf(path, file, most, members);
    hg_textfile_close(file);
    return status;
}

/* A particle of a Rockstar file. */
typedef struct rockstar_row {
    int64_t key;
    int64_t place; /* in the file */
    uint64_t id;
} rockstar_row;

static int
compare_rows(const void *x, const void *y)
{
    const rockstar_row *a = x, *b = y;

    if (a->key != b->key) {
        return a->key < b->key ? -1 : 1;
    }
    return a->place < b->place ? -1 : a->place > b->place;
}

enum { PARTICLE, ASSIGNED, INTERNAL, EXTERNAL, TYPE, N_FIELD };

/* Places of the columns in a comment that names them; false when it does not. */
static bool
find_fields(char *line, int place[N_FIELD])
{
    static const char *const names[N_FIELD] = {"particle_id", "assigned_internal_haloid",
                                               "internal_haloid", "external_haloid", "type"};
    char *rest = NULL;
    int found[N_FIELD] = {-1, -1, -1, -1, -1}, n = 0;

    for (char *word = strtok_r(line + 1, " \t,", &rest); word != NULL;
         word = strtok_r(NULL, " \t,", &rest)) {
        for (int i = 0; i < N_FIELD; i++) {
            found[i] = strcmp(word, names[i]) == 0 ? n : found[i];
        }
        n++;
    }
    for (int i = 0; i < TYPE; i++) {
        if (found[i] < 0) {
            return false;
        }
    }
    memcpy(place, found, sizeof found);
    return true;
}

/* Fields of a line by their places; an absent type is 0, dark matter. */
static bool
take_fields(char *line, const int place[N_FIELD], int64_t value[N_FIELD])
{
    char *rest = NULL;
    int n = 0, found = 0, wanted = 0;

    value[TYPE] = 0;
    for (int i = 0; i < N_FIELD; i++) {
        wanted += place[i] >= 0;
    }
    for (char *word = strtok_r(line, " \t", &rest); word != NULL;
         word = strtok_r(NULL, " \t", &rest), n++) {
        for (int i = 0; i < N_FIELD; i++) {
            if (place[i] == n) {
                char *end;

                value[i] = strtoll(word, &end, 10);
                found += *end == '\0';
            }
        }
    }
    return found == wanted;
}

static hg_status
read_rockstar(const char *path, hg_textfile *file, int64_t *n, rockstar_row **rows)
{
    int place[N_FIELD] = {-1, -1, -1, -1, -1};
    int64_t room = 0, value[N_FIELD];
    char *line;

    for (;;) {
        HG_TRY(hg_textfile_line(file, &line));
        if (line == NULL) {
            return HG_OK;
        }
        if (line[0] == '#') {
            find_fields(line, place);
            continue;
        }
        if (place[PARTICLE] < 0) {
            return bad_line(path, file,
                            "no comment above names particle_id, assigned_internal_haloid, "
                            "internal_haloid and external_haloid");
        }
        if (!take_fields(line, place, value)) {
            return bad_line(path, file, "ids are missing or are no whole numbers");
        }
        if (value[ASSIGNED] != value[INTERNAL] || value[TYPE] != 0 || value[EXTERNAL] < 0) {
            continue;
        }
        if (*n == room) {
            room = 2 * room + 4096;
            HG_TRY(hg_mem_resize(rows, (size_t)room, sizeof **rows));
        }
        (*rows)[*n] = (rockstar_row){value[EXTERNAL], *n, (uint64_t)value[PARTICLE]};
        ++*n;
    }
}

hg_status
hg_members_rockstar(const char *path, int64_t most, hg_members *members)
{
    hg_textfile *file = NULL;
    rockstar_row *rows = NULL;
    int64_t n = 0;
    hg_status status;

    HG_TRY(hg_textfile_open(path, &file));
    status = read_rockstar(path, file, &n, &rows);
    hg_textfile_close(file);
    if (status == HG_OK && n > 0) {
        qsort(rows, (size_t)n, sizeof *rows, compare_rows);
    }
    for (int64_t i = 0, end; i < n && status == HG_OK; i = end) {
        for (end = i; end < n && rows[end].key == rows[i].key; end++) {
        }
        status = hg_members_open_object(members, rows[i].key, end - i);
        for (int64_t k = i; k < end && status == HG_OK; k++) {
            if (most == 0 || k - i < most) {
                members->id[members->first[members->n]++] = rows[k].id;
            }
        }
    }
    hg_mem_free(rows);
    return status;
}
