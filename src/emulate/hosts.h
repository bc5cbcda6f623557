/** Quantities of host haloes for their satellites, wherever hosts are stored. Layer: emulate.
 */
#ifndef HG_EMULATE_HOSTS_H
#define HG_EMULATE_HOSTS_H

#include "halograft/catalog.h"
#include "halograft/comm.h"
#include "halograft/params.h"

/** All haloes of a catalogue by id, spread over ranks. */
typedef struct hg_hosts hg_hosts;

/** Read ids, hosts and the wanted columns of all parts; each halo goes to the rank its id says.
 *
 * @collective{comm}
 * @param[in]  catalog  has the column host_id
 * @param[in]  columns  of hosts, one number per row each; none is fine
 * @param[out] hosts    owned by the caller, free with hg_hosts_free()
 * @return HG_OK; the failures of hg_catalog_read(); HG_E_MEMORY; HG_E_INPUT for a vector
 */
HG_MUST_CHECK hg_status hg_hosts_create(const hg_comm *comm, const hg_catalog *catalog,
                                        const hg_strings *columns, hg_hosts **hosts);
void hg_hosts_free(hg_hosts *hosts);

/** Add the columns host_row (-1 for centrals) and host_X for each wanted column X: the top
 * host's value, for a central its own. host_id becomes the top host's where a host has one.
 *
 * @collective{comm}
 * @param[in,out] table    this rank's rows, possibly none, with id, host_id, row and the wanted
 * columns, and with region and run where the catalogue has them
 * @param[out]    missing  shape (table->n); 1 where the host is not in the catalogue: host_row
 * is -1 there and host_X NaN
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_hosts_join(const hg_comm *comm, const hg_hosts *hosts,
                                      hg_table *table, uint8_t missing[]);

#endif
