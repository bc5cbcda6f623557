/* Groups of ranks do not wait for each other, so each writes a journal of its own, named by the
 * first trial it noted: no two groups test the same trial. A run that goes on puts all of them
 * into one first, and one stays when the search is complete. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/journal.h"
#include "store/publish.h"
#include "validate/search.h"

enum { JOINED = -1 };

static hg_status
name_journal(const char *path, int first, size_t n, char journal[])
{
    return first == JOINED ? hg_text_path(n, journal, "%s.journal.jsonl", path)
                           : hg_text_path(n, journal, "%s.journal-%d.jsonl", path, first);
}

static hg_search_sum *
sums_of(const hg_search *s, int trial)
{
    return s->sum + (int64_t)trial * s->n_entry;
}

/* Sums as the bits of the numbers. */
static hg_status
add_line(const hg_search *s, int trial, hg_text *text)
{
    const hg_search_sum *sum = sums_of(s, trial);

    HG_TRY(hg_text_add(text, "{\"trial\": %d, \"sums\": \"", trial));
    for (int e = 0; e < s->n_entry; e++) {
        uint64_t bits[2];

        memcpy(bits, &sum[e], sizeof bits);
        HG_TRY(hg_text_add(text, "%s%016" PRIx64 ":%016" PRIx64, e > 0 ? " " : "", bits[0],
                           bits[1]));
    }
    return hg_text_add(text, "\"}");
}

/* What is read. */
struct reading {
    hg_search *search;
    uint8_t *done;
};

static hg_status
take_line(void *context, const char *line)
{
    const struct reading *r = context;
    hg_search_sum sum[2 * HG_TARGETS_MAX];
    int trial = -1, used = 0;

    if (sscanf(line, "{\"trial\": %d, \"sums\": \"%n", &trial, &used) != 1 || used == 0 ||
        trial < 0 || trial >= r->search->points.n * r->search->folds->n) {
        return HG_OK;
    }
    for (int e = 0; e < r->search->n_entry; e++) {
        uint64_t bits[2];
        int more = 0;

        if (sscanf(line + used, "%16" SCNx64 ":%16" SCNx64 "%n", &bits[0], &bits[1], &more) !=
                2 ||
            more != 33) {
            return HG_OK;
        }
        memcpy(&sum[e], bits, sizeof bits);
        used += more;
        used += line[used] == ' ';
    }
    if (strcmp(line + used, "\"}") == 0) {
        memcpy(sums_of(r->search, trial), sum, (size_t)r->search->n_entry * sizeof *sum);
        r->done[trial] = 1;
    }
    return HG_OK;
}

static hg_status
remove_from(const hg_search *s, const char *path, int first)
{
    char journal[HG_PATH_MAX];

    for (int i = first; i < s->points.n * s->folds->n; i++) {
        HG_TRY(name_journal(path, i, sizeof journal, journal));
        if (unlink(journal) != 0 && errno != ENOENT) {
            return HG_FAIL(HG_E_WRITE, "'%s' cannot be removed: %s", journal, strerror(errno));
        }
    }
    return HG_OK;
}

static hg_status
read_all(hg_search *s, const char *table, const char *identity, uint8_t done[])
{
    char part[HG_PATH_MAX];
    struct reading r = {s, done};

    for (int i = JOINED; i < s->points.n * s->folds->n; i++) {
        HG_TRY(name_journal(table, i, sizeof part, part));
        if (hg_file_exists(part)) {
            HG_TRY(hg_journal_read(part, table, identity, take_line, &r));
        }
    }
    return HG_OK;
}

/* One journal of all that is known; the others go. */
static hg_status
write_joined(const hg_search *s, const char *path, const char *identity, const uint8_t done[])
{
    char journal[HG_PATH_MAX];
    hg_text text = {0};
    hg_status status = name_journal(path, JOINED, sizeof journal, journal);

    for (int i = 0; i < s->points.n * s->folds->n && status == HG_OK; i++) {
        if (done == NULL || done[i]) {
            status = add_line(s, i, &text);
            status = status == HG_OK ? hg_text_append(&text, "\n", 1) : status;
        }
    }
    if (status == HG_OK) {
        status = hg_journal_begin(journal, identity, hg_text_string(&text));
    }
    hg_text_clear(&text);
    HG_TRY(status);
    return remove_from(s, path, JOINED + 1);
}

hg_status
hg_search_journals_close(const hg_search *s, const char *path, const char *identity)
{
    return write_joined(s, path, identity, NULL);
}

hg_status
hg_search_journals_open(hg_search *s, const char *path, const char *identity, bool resume,
                        bool overwrite, uint8_t done[])
{
    char journal[HG_PATH_MAX];

    HG_TRY(name_journal(path, JOINED, sizeof journal, journal));
    if (resume && hg_file_exists(journal)) {
        HG_TRY(read_all(s, path, identity, done));
    } else if (!resume && !overwrite && hg_file_exists(journal)) {
        return HG_FAIL(HG_E_EXISTS,
                       "'%s' is of an unfinished search: give --resume to go on with it, "
                       "--overwrite to start again",
                       journal);
    } else {
        HG_TRY(remove_from(s, path, JOINED));
    }
    return write_joined(s, path, identity, done);
}

hg_status
hg_search_note(const hg_search *s, const char *path, const char *identity, int first, int trial)
{
    char journal[HG_PATH_MAX];
    hg_text text = {0};
    hg_status status;

    HG_TRY_OR(done, status, name_journal(path, first, sizeof journal, journal));
    HG_TRY_OR(done, status, add_line(s, trial, &text));
    if (first == trial) {
        HG_TRY_OR(done, status, hg_text_append(&text, "\n", 1));
        status = hg_journal_begin(journal, identity, hg_text_string(&text));
    } else {
        status = hg_journal_append(journal, hg_text_string(&text));
    }
done:
    hg_text_clear(&text);
    return status;
}
