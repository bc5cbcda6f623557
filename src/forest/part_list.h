/** The part files of a training by name: MODEL.trees-FIRST-LAST.hdf5, of stage S > 0
 * MODEL.stageS.trees-FIRST-LAST.hdf5. Layer: forest. */
#ifndef HG_FOREST_PART_LIST_H
#define HG_FOREST_PART_LIST_H

#include <stdint.h>

#include "halograft/error.h"
#include "store/publish.h"

/** File names; {0} is an empty list, release `v` with hg_mem_free(). */
typedef struct hg_part_list {
    int64_t n;
    char (*v)[HG_PATH_MAX];
} hg_part_list;

/** Add a name.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_part_list_add(hg_part_list *list, const char *name);

/** Add the part files of a stage of a model that hold trees within [first, last); the whole
 * list is sorted.
 *
 * @local
 * @return HG_OK; HG_E_ARG for a path that is too long; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_part_list_find(const char *model, int stage, int first, int last,
                                          hg_part_list *list);

/** Remove the files; those that are gone already are fine.
 *
 * @local
 * @return HG_OK; HG_E_WRITE
 */
HG_MUST_CHECK hg_status hg_part_list_remove(const hg_part_list *list);

/** Name of the part file with trees first to last.
 *
 * @local
 * @return HG_OK; HG_E_ARG for a path that is too long
 */
HG_MUST_CHECK hg_status hg_part_path(const char *model, int stage, int64_t first, int64_t last,
                                     char path[HG_PATH_MAX]);

#endif
