/** Format "subfind": HDF5 group catalogues of Arepo, Illustris, TNG, CAMELS and Gadget-4.
 *
 * Rows are subhaloes in the order of the files. Columns:
 * - canonical names: id (global subhalo number), group (global group number), host_id (id of
 * the group's first subhalo, -1 for centrals), central, position, velocity, m_bound, m_dm,
 * vmax, r_vmax, r_half, sigma_v, spin, n_part, flag, stellar_mass, gas_mass, bh_mass, sfr,
 * r_star, z_star; m200c r200c m500c r500c m200m r200m mvir rvir are those of the group of the
 * row;
 * - every stored field by its own name ("SubhaloMassInRadType", "Group_M_Crit500"; fields of
 *   groups give the value of the row's group). Lengths, masses, speeds, spins, rates and
 *   magnitudes are converted by the table in subfind.c; a field whose unit is not known keeps
 *   its stored values and has an empty unit. NAME[k] is one column of a matrix.
 *
 * Central: Gadget-4 SubhaloRankInGr == 0, else the row equals GroupFirstSub of its group. A row
 * whose group is not among the files (possible with `partial`) counts as a bad row: its host is
 * missing. Layer: catalog.
 */
#ifndef HG_CATALOG_SUBFIND_H
#define HG_CATALOG_SUBFIND_H

#include "catalog/format.h"

/** Meaning of hg_plan_file.extra. */
enum {
    HG_SUBFIND_GROUPS,      /**< groups in this file */
    HG_SUBFIND_FIRST_GROUP, /**< global number of its first group, -1 = not known */
    HG_SUBFIND_FIRST_SUB    /**< global number of its first subhalo */
};

/** Meaning of hg_source.kind. */
enum {
    HG_SUBFIND_SUBHALO, /**< a field of subhaloes */
    HG_SUBFIND_GROUP,   /**< a field of the row's group */
    HG_SUBFIND_ID,
    HG_SUBFIND_CENTRAL,
    HG_SUBFIND_HOST
};

/** What a plan's `extra` holds. */
typedef struct hg_subfind_plan {
    char link[64];     /**< dataset of the group number of a subhalo */
    char rank[64];     /**< dataset of the rank in the group, "" = none */
    char lord[64];     /**< dataset of the first subhalo of a group */
    char nsubs[64];    /**< dataset of the number of subhaloes of a group */
    int64_t base;      /**< number of the first group */
    hg_type first_sub; /**< type of the first subhalo on disk */
} hg_subfind_plan;

/** Header of one file. */
typedef struct hg_subfind_header {
    int64_t n_group, n_sub, n_file;
    int64_t total_group, total_sub;
    hg_frame frame;
    double box;         /**< in code units */
    double unit_length; /**< Mpc per code unit, without the h; NAN = not stated */
    double unit_mass;   /**< Msun */
    bool with_h;        /**< stored values are per h */
} hg_subfind_header;

/** Read the header of one file.
 *
 * @local
 * @return HG_OK; HG_E_NOTFOUND; HG_E_FORMAT when Time, HubbleParam or BoxSize is missing
 */
HG_MUST_CHECK hg_status hg_subfind_header_read(hg_h5 *file, hg_subfind_header *header);

/** Fail with HG_E_INPUT, naming both values, unless two files belong to one catalogue.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_subfind_header_compare(const hg_subfind_header *a,
                                                  const hg_subfind_header *b, const char *first,
                                                  const char *path);

typedef hg_status hg_subfind_read_header(hg_h5 *file, hg_subfind_header *header);

/** Put the files into a plan, with their counts and the frame of the first: headers must agree,
 * and the counts must add up to the totals unless files are missing and `partial` allows it.
 *
 * @local  rank 0
 * @param[in]     read      reads one header
 * @param[in,out] plan      files are added, the frame is set
 * @param[out]    first     header of the first file
 * @param[out]    complete  whether all files of the catalogue are there
 * @return HG_OK; HG_E_INPUT; the failures of opening a file and of `read`
 */
HG_MUST_CHECK hg_status hg_subfind_set(const hg_catalog_options *options, const hg_files *files,
                                       hg_subfind_read_header *read, hg_plan *plan,
                                       hg_subfind_header *first, bool *complete);

/** Give the files of a plan the global numbers of their first groups and subhaloes.
 *
 * @local  rank 0
 * @return HG_OK; HG_E_INPUT when they cannot be found
 */
HG_MUST_CHECK hg_status hg_subfind_number(const hg_files *files, bool complete, hg_plan *plan);

/** Global numbers of groups and subhaloes where files are missing: within each run of
 * consecutive files, GroupFirstSub and the group numbers of subhaloes fix both.
 *
 * @local  rank 0
 * @param[in]     files  numbers of the files, one per file of the plan
 * @param[in,out] plan   files with their counts; first numbers are filled in
 * @return HG_OK; HG_E_INPUT when they cannot be found
 */
HG_MUST_CHECK hg_status hg_subfind_locate(const hg_files *files, hg_plan *plan);

/** Read rows: fields of subhaloes, of their groups, and what follows from both.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_subfind_read(const hg_plan *plan, int64_t first, int64_t n,
                                        int n_source, const hg_source *const source[],
                                        hg_table *table);

#endif
