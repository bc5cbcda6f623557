/** Reproducible distributed 3-D transform between real fields and their modes.
 *
 * The same bits for any number of ranks and threads, more ranks than planes included: every 1-D
 * transform is a serial FFTW plan of fixed shape and alignment (FFTW_ESTIMATE) applied to a
 * contiguous copy of one line, and the transpose only moves numbers. Meshes that feed
 * catalogues use it; the faster slab of FFTW-MPI serves the estimators.
 *
 * Real box of a rank: planes [x_first, x_first + x_n), shape (x_n, n, n) in (x, y, z). Mode
 * box: shape (n, y_n, n / 2 + 1) in (kx, ky, kz) with ky from y_first. Index i stands for the
 * wave number i, or i - n above n / 2. Convention: field(x) = sum_k mode(k) exp(+ikx). Layer:
 * field.
 */
#ifndef HG_FIELD_ROWFFT_H
#define HG_FIELD_ROWFFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "field/wave.h"
#include "halograft/comm.h"
#include "halograft/error.h"

/** A complex number, laid out as FFTW's. */
typedef struct hg_mode {
    double re;
    double im;
} hg_mode;

/** What a rank owns; read-only. Plans and buffers are hidden behind `state`. */
typedef struct hg_rowfft {
    int n;           /**< cells per side, even */
    int64_t x_first; /**< first owned plane of the real box */
    int64_t x_n;     /**< owned planes, may be 0 */
    int64_t y_first; /**< first owned ky index of the mode box */
    int64_t y_n;     /**< owned ky indices, may be 0 */
    size_t n_real;   /**< x_n n n */
    size_t n_mode;   /**< n y_n (n / 2 + 1) */
    struct hg_rowfft_state *state;
} hg_rowfft;

/** Plan transforms of an n^3 mesh.
 *
 * @collective{comm}
 * @param[in]  n    cells per side, even, 2 to 8192
 * @param[out] fft  owned by the caller, free with hg_rowfft_free()
 * @return HG_OK; HG_E_ARG for an odd or silly n; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_rowfft_create(const hg_comm *comm, int n, hg_rowfft **fft);
void hg_rowfft_free(hg_rowfft *fft);

/** Transform a real field to modes, divided by n^3.
 *
 * @collective{comm}
 * @param[in]  real  shape (x_n, n, n)
 * @param[out] mode  shape (n, y_n, n / 2 + 1)
 */
void hg_rowfft_forward(const hg_comm *comm, const hg_rowfft *fft, const double real[],
                       hg_mode mode[]);

/** Sum modes to a real field. The modes are overwritten.
 *
 * @collective{comm}
 * @param[in,out] mode  shape (n, y_n, n / 2 + 1); destroyed
 * @param[out]    real  shape (x_n, n, n)
 */
void hg_rowfft_backward(const hg_comm *comm, const hg_rowfft *fft, hg_mode mode[],
                        double real[]);

/** First plane of rank r of `size` ranks, and the rank that owns a plane.
 *
 * @local
 */
int64_t hg_rowfft_first(int n, int size, int rank);
int hg_rowfft_owner(int n, int size, int64_t plane);

/** Copy the planes next to the owned ones, x_first - 1 and x_first + x_n (periodic).
 *
 * @collective{comm}
 * @param[in]  field  shape (x_n, n, n)
 * @param[out] below  shape (n, n); untouched on ranks without planes
 * @param[out] above  shape (n, n); untouched on ranks without planes
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_rowfft_ghosts(const hg_comm *comm, const hg_rowfft *fft,
                                         const float field[], float below[], float above[]);

#endif
