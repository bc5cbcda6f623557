/** Haloes of a mock universe with all their properties: hosts, each followed by its subhaloes.
 *
 * Layer: mock.
 */
#ifndef HG_MOCK_ROWS_H
#define HG_MOCK_ROWS_H

#include <stdint.h>

#include "mock/mock_hosts.h"
#include "mock/mock_plan.h"

/** One row of the catalogue. The last four are not among the features. */
typedef struct hg_mock_row {
    int64_t id;
    double position[3];  /**< Mpc, in [0, box) */
    float velocity[3];   /**< km/s */
    float m200c;         /**< Msun; of the host */
    float r200c;         /**< comoving Mpc; of the host */
    float m_bound;       /**< Msun */
    float vmax;          /**< km/s */
    float r_vmax;        /**< comoving Mpc */
    float r_half;        /**< comoving Mpc */
    float concentration; /**< r200c / r_s of the halo, when it was accreted for subhaloes */
    float spin;          /**< Bullock's lambda' */
    float a_half;        /**< scale factor of half the mass */
    float e_pot;         /**< Msun (km/s)^2, negative */
    float host_distance; /**< of a subhalo from its host's centre over r200c; 0 for hosts */
    float m_peak;        /**< Msun */
    float environment;   /**< in sigma at fixed mass, of the host */
    int32_t bin;         /**< mass bin of the host */
    int32_t region;      /**< zoom region while one is written, else -1 */
} hg_mock_row;

/** Whether a row is a host.
 *
 * @local
 */
static inline int
hg_mock_row_is_host(const hg_mock_row *row)
{
    return row->id == hg_mock_id_host(row->id);
}

/** Deviations of concentration and formation time from their medians at the halo's mass, in
 * sigma, from what the catalogue shows. The mass is m200c of a host, m_bound of a subhalo.
 *
 * @local
 */
double hg_mock_row_concentration(const hg_mock_plan *plan, const hg_mock_row *row);
double hg_mock_row_formation(const hg_mock_plan *plan, const hg_mock_row *row);

/** Give all hosts their properties and subhaloes.
 *
 * @local
 * @param[in]  host  shape (n_host), in order of id
 * @param[out] n     number of rows
 * @param[out] rows  shape (n); owned by the caller, free with hg_mem_free()
 * @return HG_OK; HG_E_MEMORY; HG_E_PARAM when a host has more subhaloes than an id can number
 * @source concentration and formation: lognormal and logistic, correlated latents; subhaloes:
 * Giocoli, Tormen & van den Bosch 2008, MNRAS 386, 2135 (form); stripped structure: Penarrubia,
 * Navarro & McConnachie 2008, ApJ 673, 226, equation 10
 */
HG_MUST_CHECK hg_status hg_mock_rows_make(const hg_mock_plan *plan, int64_t n_host,
                                          const hg_mock_host host[], int64_t *n,
                                          hg_mock_row **rows);

#endif
