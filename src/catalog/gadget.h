/** Format "gadget": particle snapshots, for statistics of matter and densities.
 *
 * HDF5 files of Gadget-2, -3 and -4, Arepo and SWIFT, and the binary formats 1 and 2 of
 * Gadget-2 in either byte order. A row is a particle of any type; rows are in the order of the
 * files, within a file by type. Columns: position, velocity, mass (Msun), type (0 gas, 1 dark
 * matter, 2 and 3 others, 4 stars, 5 black holes), particle_id as stored; `id` is the row,
 * because stored ids may repeat (stars that were gas). Types without positions (tracers) are
 * left out. A snapshot is no halo catalogue: hg_catalog_open() refuses it where haloes are
 * wanted. Layer: catalog.
 */
#ifndef HG_CATALOG_GADGET_H
#define HG_CATALOG_GADGET_H

#include "catalog/binary.h"
#include "catalog/format.h"
#include "catalog/gadget_units.h"

enum { HG_GADGET_TYPES = 8 };

/** Meaning of hg_source.kind, and place in hg_gadget_block.array. */
enum {
    HG_GADGET_POSITION,
    HG_GADGET_VELOCITY,
    HG_GADGET_ID,
    HG_GADGET_MASS,
    HG_GADGET_STORED, /**< number of kinds that are stored */
    HG_GADGET_TYPE = HG_GADGET_STORED
};

/** The particles of one type in one file: one entry of hg_plan.file. */
typedef struct hg_gadget_block {
    int32_t type;
    hg_binary_array array[HG_GADGET_STORED]; /**< of binary files; row 0 = absent */
} hg_gadget_block;

/** What a plan's `extra` holds; the blocks follow, one per entry of hg_plan.file. */
typedef struct hg_gadget_plan {
    double mass[HG_GADGET_TYPES]; /**< Msun; 0 = stored particle by particle */
    int32_t is_binary;
    int32_t is_swapped;
    hg_gadget_block block[];
} hg_gadget_plan;

/** Header of one file. */
typedef struct hg_gadget_header {
    int n_type;
    bool is_binary, is_swapped;
    bool is_placed[HG_GADGET_TYPES];     /**< has positions in this file */
    bool has[HG_GADGET_STORED];          /**< whether some particles have it */
    int64_t here[HG_GADGET_TYPES];       /**< particles in this file */
    int64_t total[HG_GADGET_TYPES];      /**< in all files */
    double mass[HG_GADGET_TYPES];        /**< of one particle in code units, 0 = in arrays */
    double sample_mass[HG_GADGET_TYPES]; /**< of the first particle, 0 = not known */
    double box;                          /**< code units */
    hg_frame frame;                      /**< a, redshift, h, cosmology */
    hg_gadget_units units;
    bool arrays_with_h; /**< stored positions and masses are per h */
    double position_a;  /**< comoving position = stored a^position_a */
    double velocity_a;  /**< proper peculiar velocity = stored a^velocity_a */
    hg_type id;         /**< type of ids on disk */
    hg_gadget_block block[HG_GADGET_TYPES];
} hg_gadget_header;

/** Whether a file begins like a binary snapshot of Gadget-2.
 *
 * @local
 */
bool hg_gadget_is_binary(const char *path);

/** Read the header of an HDF5 or of a binary file, and compare the arrays with it.
 *
 * @local
 * @return HG_OK; HG_E_NOTFOUND; HG_E_FORMAT naming what is missing or has another length;
 * HG_E_INPUT for integer positions and virtual files of SWIFT
 */
HG_MUST_CHECK hg_status hg_gadget_hdf5_header(const char *path, hg_gadget_header *header);
HG_MUST_CHECK hg_status hg_gadget_binary_header(const char *path, hg_gadget_header *header);

#endif
