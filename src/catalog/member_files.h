/** Where the lists of particles of each format stand. Layer: catalog. */
#ifndef HG_CATALOG_MEMBER_FILES_H
#define HG_CATALOG_MEMBER_FILES_H

#include "catalog/files.h"
#include "catalog/members.h"

/** One list in the sequence of all particle ids. */
typedef struct hg_member_list {
    int64_t key;
    int64_t offset;
    int64_t length;
} hg_member_list;

/** Lists in HDF5 files; release with hg_member_plan_clear(). */
typedef struct hg_member_plan {
    int64_t n;
    hg_member_list *list; /**< shape (n) */
    hg_files files;       /**< with particle ids */
    int64_t *first;       /**< shape (files.n + 1); ids before each file */
    const char *dataset;  /**< of the ids; absent from files without any */
} hg_member_plan;

/** Release a plan; it is then empty.
 *
 * @local
 */
void hg_member_plan_clear(hg_member_plan *plan);

/** Find the lists of one format; files are read whole, but no ids of particles.
 *
 * @local
 * @param[in]  ids, catalogue  file or pattern
 * @param[out] plan            filled; release it, also after a failure
 */
HG_MUST_CHECK hg_status hg_member_plan_own(const char *ids, const char *catalogue,
                                           hg_member_plan *plan);
HG_MUST_CHECK hg_status hg_member_plan_gadget(const char *ids, const char *catalogue,
                                              hg_member_plan *plan);
HG_MUST_CHECK hg_status hg_member_plan_eagle(const char *ids, const char *catalogue,
                                             hg_member_plan *plan);

/** Open an object for `n` particles, to be appended behind members->first[members->n].
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_members_open_object(hg_members *members, int64_t key, int64_t n);

/** Read one file of HBT, or one text file, and append its lists.
 *
 * @local
 * @param[in]     most     particles kept per object, 0 = all
 * @param[in,out] members  `first` has its end, also when empty
 * @return HG_OK; HG_E_FORMAT naming the line of a text; HG_E_INPUT where lists and subhaloes of
 * HBT differ in number
 */
HG_MUST_CHECK hg_status hg_members_hbt(const char *path, int64_t most, hg_members *members);
HG_MUST_CHECK hg_status hg_members_ahf(const char *path, int64_t most, hg_members *members);
HG_MUST_CHECK hg_status hg_members_rockstar(const char *path, int64_t most,
                                            hg_members *members);

#endif
