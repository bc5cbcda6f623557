/** HDF5 files through the serial driver: the one door to HDF5.
 *
 * Members of compound datasets are named as datasets of a group, "DATASET/MEMBER", where rows
 * are read, described or listed. A file is opened by one rank at a time; parallelism comes from
 * many part files. Types on disk are converted to the type asked for by HDF5 itself. HDF5's own
 * error printing is off; its innermost message is carried in ours. Layer: store.
 */
#ifndef HG_STORE_H5_H
#define HG_STORE_H5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "halograft/error.h"

/** Element types of datasets and attributes in memory. */
typedef enum hg_type {
    HG_F64,
    HG_F32,
    HG_I64,
    HG_U64,
    HG_I32,
    HG_U32,
    HG_U16,
    HG_U8,
    HG_I8
} hg_type;

/** Bytes of one element, and the name of a type ("float64").
 *
 * @local
 */
size_t hg_type_size(hg_type type);
const char *hg_type_name(hg_type type);

/** An open file. */
typedef struct hg_h5 hg_h5;

enum { HG_H5_MAX_DIMS = 4 };

/** What a dataset is. */
typedef struct hg_h5_info {
    int n_dim;
    int64_t dims[HG_H5_MAX_DIMS];
    hg_type type; /**< nearest memory type (enumerations count as integers) */
    bool numeric; /**< false for strings, compounds, references */
    int64_t row;  /**< elements per row: product of dims[1..] */
} hg_h5_info;

/** Open an existing file for reading.
 *
 * @local
 * @param[in]  path  file
 * @param[out] file  owned by the caller, close with hg_h5_close()
 * @return HG_OK; HG_E_NOTFOUND when it does not exist; HG_E_FORMAT when it is no HDF5 file or
 * is truncated
 */
HG_MUST_CHECK hg_status hg_h5_open(const char *path, hg_h5 **file);

/** Create a file, replacing an existing one; object times are off, so equal data give equal
 * bytes.
 *
 * @local
 * @param[in]  path  file
 * @param[out] file  owned by the caller, close with hg_h5_close()
 * @return HG_OK; HG_E_WRITE
 */
HG_MUST_CHECK hg_status hg_h5_create(const char *path, hg_h5 **file);

/** Close a file and release it; NULL is fine. A failing close of a written file is HG_E_WRITE.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_h5_close(hg_h5 *file);

/** Whether an object (group, dataset, or "object@attribute") exists; a missing parent gives
 * false.
 *
 * @local
 */
bool hg_h5_exists(hg_h5 *file, const char *name);
bool hg_h5_is_dataset(hg_h5 *file, const char *name);

/** Create a group and its parents; existing ones are fine.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_h5_group(hg_h5 *file, const char *name);

/** Describe a dataset.
 *
 * @local
 * @return HG_OK; HG_E_NOTFOUND naming file and dataset
 */
HG_MUST_CHECK hg_status hg_h5_describe(hg_h5 *file, const char *name, hg_h5_info *info);

/** Read `n` rows from row `first` of a dataset of any numeric type.
 *
 * @local
 * @param[in]  name   dataset
 * @param[in]  first  first row
 * @param[in]  n      number of rows; 0 reads nothing
 * @param[in]  type   type in memory
 * @param[out] data   shape (n, elements per row)
 * @return HG_OK; HG_E_NOTFOUND; HG_E_READ with HDF5's reason; HG_E_SHAPE when rows are missing
 */
HG_MUST_CHECK hg_status hg_h5_read(hg_h5 *file, const char *name, int64_t first, int64_t n,
                                   hg_type type, void *data);

/** Read one column of a matrix: element `column` of rows [first, first + n).
 *
 * @local
 * @param[out] data  shape (n)
 */
HG_MUST_CHECK hg_status hg_h5_read_column(hg_h5 *file, const char *name, int64_t first,
                                          int64_t n, int64_t column, hg_type type, void *data);

/** Tell the system that rows [first, first + n) will be read soon, so that it fetches them
 * while others are worked on. A hint that changes nothing else and cannot fail: names that do
 * not exist, and layouts whose place is not known, are passed over.
 *
 * @local
 * @param[in] name  dataset, or member of a compound one
 */
void hg_h5_read_ahead(hg_h5 *file, const char *name, int64_t first, int64_t n);

/** Read a whole dataset into a new array.
 *
 * @local
 * @param[out] data  owned by the caller, free with hg_mem_free()
 * @param[out] info  shape, or NULL
 */
HG_MUST_CHECK hg_status hg_h5_read_all(hg_h5 *file, const char *name, hg_type type, void *data,
                                       hg_h5_info *info);

/** How a dataset is written. */
typedef struct hg_h5_layout {
    int64_t chunk;   /**< rows per chunk; 0 = contiguous (then no checksum) */
    bool fletcher32; /**< checksum of each chunk */
    int deflate;     /**< gzip level, 0 = none */
    double fill;     /**< value of rows never written */
    bool placed;     /**< contiguous, with a place in the file at once and not filled: to be
                          written from outside, see hg_h5_place() */
} hg_h5_layout;

#define HG_H5_PART                         \
    {                                      \
        .chunk = 65536, .fletcher32 = true \
    }

/** Write a whole dataset; parents are created.
 *
 * @local
 * @param[in] name    dataset, must not exist
 * @param[in] type    type in memory and on disk
 * @param[in] n_dim   1 .. HG_H5_MAX_DIMS
 * @param[in] dims    shape (n_dim)
 * @param[in] layout  NULL = contiguous
 * @param[in] data    shape dims
 * @return HG_OK; HG_E_WRITE with HDF5's reason
 */
HG_MUST_CHECK hg_status hg_h5_write(hg_h5 *file, const char *name, hg_type type, int n_dim,
                                    const int64_t dims[], const hg_h5_layout *layout,
                                    const void *data);

/** Create a dataset of given shape to be written in pieces by hg_h5_write_rows().
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_h5_reserve(hg_h5 *file, const char *name, hg_type type, int n_dim,
                                      const int64_t dims[], const hg_h5_layout *layout);
HG_MUST_CHECK hg_status hg_h5_write_rows(hg_h5 *file, const char *name, int64_t first,
                                         int64_t n, hg_type type, const void *data);

/** Where the values of a contiguous dataset stand in the file, one after the other in the byte
 * order of the machine that made it.
 *
 * @local
 * @param[out] offset  of the first value, in bytes; 0 for a dataset without rows
 * @return HG_OK; HG_E_NOTFOUND; HG_E_FORMAT when it has no such place
 */
HG_MUST_CHECK hg_status hg_h5_place(hg_h5 *file, const char *name, int64_t *offset);

/** Write a virtual dataset whose rows are those of the same dataset of several files, one after
 * the other.
 *
 * @local
 * @param[in] name    dataset, here and in the sources
 * @param[in] type    type on disk
 * @param[in] row     elements per row (1 = one-dimensional)
 * @param[in] n_file  number of sources
 * @param[in] files   shape (n_file); names relative to this file
 * @param[in] n_row   shape (n_file); rows of each source, 0 allowed
 * @param[in] fill    value where a source is missing
 */
HG_MUST_CHECK hg_status hg_h5_virtual(hg_h5 *file, const char *name, hg_type type, int64_t row,
                                      int n_file, const char *const files[],
                                      const int64_t n_row[], double fill);

/** Write an attribute of an object ("" or "/" = the file): an array of numbers, or a string.
 * An existing attribute is replaced.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_h5_put(hg_h5 *file, const char *object, const char *name,
                                  hg_type type, int64_t n, const void *data);
HG_MUST_CHECK hg_status hg_h5_put_real(hg_h5 *file, const char *object, const char *name,
                                       double value);
HG_MUST_CHECK hg_status hg_h5_put_integer(hg_h5 *file, const char *object, const char *name,
                                          int64_t value);
HG_MUST_CHECK hg_status hg_h5_put_string(hg_h5 *file, const char *object, const char *name,
                                         const char *text);
/** Variable-length strings in a length-n array, as swiftsimio wants for SubhaloTypes.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_h5_put_strings(hg_h5 *file, const char *object, const char *name,
                                          int n, const char *const text[]);

/** Read an attribute, tolerant of scalar, length-1 array, and fixed or variable strings.
 *
 * @local
 * @param[in]  n      number of values wanted; the attribute must hold at least n
 * @param[out] value  shape (n)
 * @return HG_OK; HG_E_NOTFOUND naming file, object and attribute; HG_E_FORMAT
 */
HG_MUST_CHECK hg_status hg_h5_get_reals(hg_h5 *file, const char *object, const char *name,
                                        int n, double value[]);
HG_MUST_CHECK hg_status hg_h5_get_real(hg_h5 *file, const char *object, const char *name,
                                       double *value);
HG_MUST_CHECK hg_status hg_h5_get_integer(hg_h5 *file, const char *object, const char *name,
                                          int64_t *value);
/** The string is cut to n - 1 characters.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_h5_get_string(hg_h5 *file, const char *object, const char *name,
                                         size_t n, char text[]);
/** A string attribute of any length, appended to a text.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_h5_get_text(hg_h5 *file, const char *object, const char *name,
                                       hg_text *text);

/** Number of elements of an attribute, 1 for a scalar.
 *
 * @local
 * @return HG_OK; HG_E_NOTFOUND
 */
HG_MUST_CHECK hg_status hg_h5_attribute_size(hg_h5 *file, const char *object, const char *name,
                                             int64_t *n);

/** The strings of an array attribute, joined by line ends.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_h5_get_lines(hg_h5 *file, const char *object, const char *name,
                                        hg_text *text);

/** Call `visit(name, is_group, context)` for each link of a group, in alphabetical order; a
 * visit that fails ends the walk with its status.
 *
 * @local
 */
typedef hg_status (*hg_h5_visit)(const char *name, bool is_group, void *context);
HG_MUST_CHECK hg_status hg_h5_list(hg_h5 *file, const char *group, hg_h5_visit visit,
                                   void *context);

/** Read lists of integers of any length, one per row, and call `visit(row, n, values, context)`
 * for each in order; the values are lent for the call. A visit that fails ends the reading with
 * its status.
 *
 * @local
 * @param[out] n  number of rows
 * @return HG_OK; HG_E_NOTFOUND; HG_E_FORMAT for another kind of dataset; HG_E_READ; HG_E_MEMORY
 */
typedef hg_status (*hg_h5_visit_list)(int64_t row, int64_t n, const uint64_t value[],
                                      void *context);
HG_MUST_CHECK hg_status hg_h5_read_lists(hg_h5 *file, const char *name, int64_t *n,
                                         hg_h5_visit_list visit, void *context);

/** Call `visit(path, false, context)` for each file that a virtual dataset takes rows from;
 * never for other datasets, nor for sources in the file itself. HDF5 reads fill values without
 * an error where such a file is missing.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_h5_list_sources(hg_h5 *file, const char *name, hg_h5_visit visit,
                                           void *context);

/** Call `visit(name, false, context)` for each attribute of an object.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_h5_list_attributes(hg_h5 *file, const char *object,
                                              hg_h5_visit visit, void *context);

/** Path of an open file, borrowed.
 *
 * @local
 */
const char *hg_h5_path(const hg_h5 *file);

/** Version of the HDF5 library as loaded.
 *
 * @local
 */
void hg_h5_version(size_t n, char text[]);

#endif
