/** Ways to look at a file that may be damaged, for damage.c. A look ends with HG_OK when
 * nothing was found to be wrong, and aborts when damage went unnoticed into a result. */
#ifndef HG_TEST_DAMAGE_H
#define HG_TEST_DAMAGE_H

#include <stdbool.h>

#include "halograft/comm.h"
#include "halograft/error.h"

/** What to look at. */
typedef struct damage_task {
    const hg_comm *comm; /**< of this process alone */
    const char *format;
    const char *path;    /**< the file that is damaged */
    const char *open;    /**< what is opened instead, or beside it; `path` where not given */
    const char *mapping; /**< mapping file, or what the kind says; may be NULL */
} damage_task;

/** A way to look. */
typedef struct damage_kind {
    const char *name;
    bool must_find; /**< every change has to be found; else it must only be survived */
    hg_status (*look)(const damage_task *task);
    hg_status (*make)(const damage_task *task); /**< write task->path; NULL = it is there */
} damage_kind;

/** Find a kind by its name; NULL = there is none.
 *
 * verify, model: `halograft verify` and the loader of models; manifest: `verify` of a file
 *   that has no checksum of its own;
 * read, truth, trees: every column of the first parts of a catalogue of the format;
 * runs, regions, pairs, members, history: run table of the catalogue `open`, region table,
 *   table of pairs, lists of particles (`mapping`: their catalogue), histories of the
 *   parameter file `open`;
 * inspect, diff: the commands, diff with the file `open`;
 * grown, parts, trials: part files of a training, journals of an unfinished catalogue and of a
 *   search, made by the kind itself.
 */
const damage_kind *damage_find(const char *name);

/** The kinds that make their files. */
extern const damage_kind damage_grown, damage_parts, damage_trials;

#endif
