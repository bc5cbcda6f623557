/** Serial transforms of single lines, applied to contiguous copies.
 *
 * A plan of one fixed shape and alignment transforms every line, so the bits of a line depend
 * on its numbers alone: not on ranks, threads, or how lines are spread over them. The 3-D
 * transforms hg_rowfft and the pencils of hg_mesh are made of these. Layer: field.
 */
#ifndef HG_FIELD_LINES_H
#define HG_FIELD_LINES_H

#include <stddef.h>

#include "halograft/error.h"

typedef enum hg_precision { HG_PRECISION_FLOAT, HG_PRECISION_DOUBLE } hg_precision;

/** How long FFTW may look for a fast plan. ESTIMATE gives the same plan in every run; MEASURE
 * is faster afterwards but may change the last bits from run to run. */
typedef enum hg_effort { HG_EFFORT_ESTIMATE, HG_EFFORT_MEASURE } hg_effort;

/** Plans and buffers for lines of n numbers. */
typedef struct hg_lines {
    int n;
    hg_precision precision;
    int n_thread;   /**< threads that may work at a time: numbers 0 to n_thread - 1 */
    size_t element; /**< bytes of a complex number */
    size_t room;    /**< bytes of one line buffer */
    char *buffer;   /**< shape (n_thread, lines, room) */
    void *plan[4];  /**< real to modes, modes to real, complex forward and backward */
} hg_lines;

/** Bytes of the buffers of hg_lines_init().
 *
 * @local
 */
size_t hg_lines_bytes(int n, hg_precision precision, int n_thread);

/** Make plans; those of ESTIMATE do not depend on plans made before.
 *
 * @local  not thread-safe
 * @param[in]  n      numbers of a line, at least 2
 * @param[out] lines  release with hg_lines_clear()
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_lines_init(hg_lines *lines, int n, hg_precision precision,
                                      hg_effort effort);
void hg_lines_clear(hg_lines *lines);

/** Transform one row of n real numbers to its n / 2 + 1 modes, and back, unnormalised.
 *
 * @local  thread-safe inside a region of at most n_thread threads
 * @param[in]  real  shape (n) of the precision
 * @param[out] mode  shape (n / 2 + 1) complex; may overlap `real`
 */
void hg_lines_to_modes(const hg_lines *lines, const void *real, void *mode);
void hg_lines_to_real(const hg_lines *lines, const void *mode, void *real);

/** Number of neighbouring lines that are transformed together. */
enum { HG_LINES_BATCH = 8 };

/** Transform neighbouring lines of n complex numbers, unnormalised.
 *
 * @local  thread-safe inside a region of at most n_thread threads
 * @param[in]  sign    -1 for exp(-ikx), +1 for exp(+ikx)
 * @param[in]  n_line  lines, at most HG_LINES_BATCH
 * @param[in]  from    number i of line l is element i * stride + l
 * @param[out] to      the same layout; may be `from`
 */
void hg_lines_complex(const hg_lines *lines, int sign, int n_line, size_t stride,
                      const void *from, void *to);

#endif
