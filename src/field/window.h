/** Mass assignment: kernels, their windows in wave space, and the alias sums of shot noise.
 *
 * All are products over axes, so one table per wave index serves every mode. Layer: field.
 */
#ifndef HG_FIELD_WINDOW_H
#define HG_FIELD_WINDOW_H

#include <stdint.h>

#include "field/wave.h"
#include "halograft/error.h"

/** Mass assignment schemes; the value is the order p: cells touched per axis. */
typedef enum hg_kernel {
    HG_KERNEL_NGP = 1,
    HG_KERNEL_CIC = 2,
    HG_KERNEL_TSC = 3,
    HG_KERNEL_PCS = 4
} hg_kernel;

/** Kernel of a name ("ngp", "cic", "tsc", "pcs"), and name of a kernel.
 *
 * @local
 * @return HG_OK; HG_E_ARG naming the word
 */
HG_MUST_CHECK hg_status hg_kernel_parse(const char *name, hg_kernel *kernel);
const char *hg_kernel_name(hg_kernel kernel);

/** Tables over the wave index i in [0, n); wave number i for i <= n/2, else i - n. */
typedef struct hg_window {
    int64_t n;
    hg_kernel kernel;
    double *w;      /**< window (sin t / t)^p, t = pi wave / n */
    double *c;      /**< sum of squared windows over all aliases */
    double *a;      /**< the same with alternating signs */
    double *cosine; /**< cos t: half a cell of shift is the phase t */
    double *sine;
} hg_window;

/** Fill the tables for a mesh of n cells per side.
 *
 * @local
 * @param[out] window  release with hg_window_clear()
 * @return HG_OK; HG_E_MEMORY
 * @source Hockney & Eastwood 1981; alias sums of astro-ph/0409240; alternating sums of
 * arXiv:2403.13561
 */
HG_MUST_CHECK hg_status hg_window_init(hg_window *window, int64_t n, hg_kernel kernel);
void hg_window_clear(hg_window *window);

#endif
