/** The table of subcommands and what they share. Layer: cli. */
#ifndef HG_CLI_COMMAND_H
#define HG_CLI_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "halograft/comm.h"
#include "halograft/error.h"
#include "halograft/params.h"

enum { HG_SETS_MAX = 64, HG_FILES_MAX = 256 };

/** The command line, taken apart. Texts are borrowed from argv. */
typedef struct hg_options {
    int n_file; /**< arguments that are no options */
    const char *file[HG_FILES_MAX];
    int n_set;
    const char *set[HG_SETS_MAX + 4];
    char text[4][64];    /**< room for --seed and --threads as settings */
    const char *mapping; /**< mapping file for inspect and convert, or NULL */
    const char *out;     /**< convert, export: name of the output, or NULL */
    int64_t snap;
    double tolerance; /**< diff: relative, 0 = bit by bit */
    bool provenance;  /**< diff: compare Provenance as well */
    bool overwrite;
    bool resume;    /**< train: go on with the trees that are there */
    bool merge;     /**< train: join the trees that tasks have grown */
    bool to_parent; /**< match: with the haloes of the parent */
    bool common;    /**< features: compare those of zooms and parent */
    bool dry_run;
    bool quiet;
    bool verbose;
    bool check;
    bool markdown;
    bool help;
    bool version;
} hg_options;

/** One subcommand. */
typedef struct hg_command {
    const char *name;
    const char *arguments;
    const char *summary;
    bool is_serial; /**< runs on rank 0 only; started without the launcher check */
    hg_status (*run)(const hg_comm *comm, const hg_options *options);
} hg_command;

/** All subcommands; the last entry has a NULL name. */
extern const hg_command hg_commands[];

/** Take the command line apart.
 *
 * @local
 * @return HG_OK; HG_E_USAGE naming the argument and the nearest option
 */
HG_MUST_CHECK hg_status hg_options_parse(int argc, char *const argv[], hg_options *options);

/** Read the parameters of a command whose only file is the parameter file.
 *
 * @collective{comm}
 * @param[out] params  owned by the caller, free with hg_params_free()
 * @return HG_OK; HG_E_USAGE; the failures of hg_params_read()
 */
HG_MUST_CHECK hg_status hg_options_params(const hg_comm *comm, const hg_options *options,
                                          hg_params **params);

/** Set threads per rank: Run.threads, else OMP_NUM_THREADS, else the cores of the node that its
 * ranks may run on over these ranks.
 *
 * @collective{comm}
 * @return threads per rank
 */
int hg_cmd_threads(const hg_comm *comm, const hg_params *params);

/** Make the HTML report of a folder or file with the Python tools; to be called after MPI
 * ended.
 *
 * @local
 * @param[in] path    output folder or statistics file
 * @return true when the tool ran and succeeded
 */
bool hg_report_make(const char *path);

/** Ask for a report of `folder` once the program has ended MPI (run sets it).
 *
 * @local
 */
void hg_report_later(const char *folder);
const char *hg_report_wanted(void);

/** The subcommands: read what they need, call the library, print the result.
 *
 * @collective{comm}  serial ones get the communicator of one rank
 * @return HG_OK; HG_E_USAGE; what the called pipeline gives
 */
hg_status hg_cmd_mock(const hg_comm *comm, const hg_options *options);
hg_status hg_cmd_inspect(const hg_comm *comm, const hg_options *options);
hg_status hg_cmd_convert(const hg_comm *comm, const hg_options *options);
hg_status hg_cmd_export(const hg_comm *comm, const hg_options *options);
hg_status hg_cmd_match(const hg_comm *comm, const hg_options *options);
hg_status hg_cmd_features(const hg_comm *comm, const hg_options *options);
hg_status hg_cmd_train(const hg_comm *comm, const hg_options *options);
hg_status hg_cmd_validate(const hg_comm *comm, const hg_options *options);
hg_status hg_cmd_design(const hg_comm *comm, const hg_options *options);
hg_status hg_cmd_explain(const hg_comm *comm, const hg_options *options);
hg_status hg_cmd_apply(const hg_comm *comm, const hg_options *options);
hg_status hg_cmd_measure(const hg_comm *comm, const hg_options *options);
hg_status hg_cmd_report(const hg_comm *comm, const hg_options *options);
hg_status hg_cmd_run(const hg_comm *comm, const hg_options *options);
hg_status hg_cmd_verify(const hg_comm *comm, const hg_options *options);
hg_status hg_cmd_diff(const hg_comm *comm, const hg_options *options);
hg_status hg_cmd_params(const hg_comm *comm, const hg_options *options);
hg_status hg_cmd_doctor(const hg_comm *comm, const hg_options *options);

#endif
