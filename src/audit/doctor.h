/** Whether launch, machine and file system are fit for a run. Layer: audit. */
#ifndef HG_AUDIT_DOCTOR_H
#define HG_AUDIT_DOCTOR_H

#include "audit/diagnosis.h"

/** What a run would be given. */
typedef struct hg_doctor_options {
    const char *folder; /**< of the output; the nearest folder above it that exists is tried */
    int threads;        /**< per rank, at least 1 */
    double memory_max;  /**< budget per rank in bytes, 0 = none */
    int64_t bytes;      /**< written by each rank in each test of the file system */
} hg_doctor_options;

/** Look at launch, cores, memory, limits, libraries and file system, and make a small health
 * test. Takes a few seconds; files it writes are removed.
 *
 * @collective{comm}
 * @param[in]  options    the same on all ranks
 * @param[out] diagnosis  release its findings with hg_findings_clear()
 * @return HG_OK, also when something is wrong; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_doctor_run(const hg_comm *comm, const hg_doctor_options *options,
                                      hg_diagnosis *diagnosis);

/** The lines about the file system of a folder.
 *
 * @collective{comm}
 * @return as hg_doctor_run()
 */
HG_MUST_CHECK hg_status hg_doctor_files(const hg_comm *comm, const hg_doctor_options *options,
                                        hg_diagnosis *diagnosis);

#endif
