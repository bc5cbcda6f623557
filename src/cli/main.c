/* One table of subcommands; the only place that ends the program. Errors are printed once, by
 * rank 0, after all ranks have agreed on them. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "halograft/log.h"
#include "halograft/version.h"
#include "par/stop.h"

const hg_command hg_commands[] = {
    {"mock", "PARAMS", "make a universe with known answers: haloes, zooms, truth", false,
     hg_cmd_mock},
    {"inspect", "FILE...", "tell what a file is: format, rows, fields, units, cosmology", true,
     hg_cmd_inspect},
    {"convert", "FILE...|PARAMS",
     "any halo catalogue in halograft's own layout: cuts, hosts, columns", false,
     hg_cmd_convert},
    {"export", "FILE...|PARAMS", "a catalogue as CSV, or as HDF5 for halotools and the like",
     true, hg_cmd_export},
    {"match", "PARAMS", "pair haloes of zooms with their twins or with the parent's", false,
     hg_cmd_match},
    {"features", "PARAMS",
     "environment and history of all haloes: densities, tides, main branches", false,
     hg_cmd_features},
    {"train", "PARAMS", "learn the galaxy-halo relation from zoom catalogues", false,
     hg_cmd_train},
    {"validate", "PARAMS", "what the model is worth where it was not trained: held-out folds",
     false, hg_cmd_validate},
    {"explain", "PARAMS", "what the model uses: importance, dependence, Shapley values", false,
     hg_cmd_explain},
    {"apply", "PARAMS", "graft galaxies onto every halo of the parent volume", false,
     hg_cmd_apply},
    {"measure", "PARAMS", "mass functions, relations and clustering of catalogues", false,
     hg_cmd_measure},
    {"design", "PARAMS", "which zooms to run next: places, costs, expected gain, hulls", false,
     hg_cmd_design},
    {"report", "FOLDER|FILE", "summary in the terminal, HTML page and pictures", true,
     hg_cmd_report},
    {"run", "PARAMS", "mock or read, train, apply and measure in one go", false, hg_cmd_run},
    {"verify", "FILE...", "check that files are whole and hold possible values", false,
     hg_cmd_verify},
    {"diff", "FILE FILE", "compare two catalogues, models or statistics", true, hg_cmd_diff},
    {"params", "[SECTION] | --markdown | --check FILE...",
     "print the commented parameters, or check files", true, hg_cmd_params},
    {"doctor", "FOLDER|PARAMS", "try out launch, machine, libraries and file system", false,
     hg_cmd_doctor},
    {NULL, NULL, NULL, false, NULL},
};

static void
print_help(void)
{
    printf("usage: halograft COMMAND ARGUMENTS [OPTIONS]\n\ncommands:\n");
    for (const hg_command *c = hg_commands; c->name != NULL; c++) {
        printf("  %-8s %-12.12s %s\n", c->name, c->arguments[0] == '[' ? "" : c->arguments,
               c->summary);
    }
    printf(
        "\noptions:\n"
        "  --set Section.key=value  change one parameter (may be repeated)\n"
        "  --snap N                 fill {snap} in file names\n"
        "  --mapping FILE           inspect, convert, export: mapping file of format columns\n"
        "  --out NAME               convert: name without .hdf5; export: NAME.csv, .csv.gz, "
        ".hdf5\n"
        "  --seed N, --threads N    short for --set Meta.seed=N, Run.threads=N\n"
        "  --overwrite              replace existing outputs\n"
        "  --resume                 train, apply, run: go on where a stopped one ended\n"
        "  --merge                  train: join the trees of tasks\n"
        "  --common                 features: compare those of zooms and parent, write "
        "nothing\n"
        "  --tolerance X            diff: relative difference that counts as none (0)\n"
        "  --provenance             diff: compare what is known of the runs as well\n"
        "  --dry-run                print memory, disk and time, write nothing\n"
        "  -q, -v                   less or more to say\n"
        "  -h, --help, --version    this text, the version\n\n"
        "start it with 'mpirun -n RANKS halograft ...' or 'srun --mpi=pmix halograft ...'\n"
        "exit codes: 0 done, 2 usage, 3 parameters, 4 input, 5 output, 6 memory, 7 "
        "verification,\n"
        "8 launch, 9 no progress, 75 stopped early; the manual is in docs/\n");
}

static const hg_command *
find_command(const char *name)
{
    for (const hg_command *c = hg_commands; c->name != NULL; c++) {
        if (strcmp(c->name, name) == 0) {
            return c;
        }
    }
    return NULL;
}

static hg_status
unknown_command(const char *name)
{
    const char *names[sizeof hg_commands / sizeof hg_commands[0]];
    size_t n = 0;
    hg_hint hint;

    while (hg_commands[n].name != NULL) {
        names[n] = hg_commands[n].name;
        n++;
    }
    hint = hg_text_hint(name, n, names);
    return HG_FAIL(HG_E_USAGE, "there is no command '%s'%s", name,
                   hint.text[0] != '\0' ? hint.text : "; 'halograft --help' lists them");
}

static int
report_failure(const hg_comm *comm, hg_status status)
{
    const hg_error_record *e = hg_error_last();

    if (comm->rank == 0) {
        if (comm->size > 1 && e->rank >= 0) {
            hg_log_error("%s (on rank %d)", e->message, e->rank);
        } else {
            hg_log_error("%s", e->message);
        }
        hg_log_debug("raised at %s:%d, %s", e->file, e->line, hg_status_name(status));
    }
    return hg_status_exit_code(status);
}

/* A serial command runs on rank 0 with a communicator of its own, so that its result stands
 * once on stdout; what the other ranks return does not matter to the launcher. */
static hg_status
start_command(const hg_comm *comm, const hg_command *command, const hg_options *options)
{
    hg_comm self;
    hg_status status;

    if (!command->is_serial || comm->size == 1) {
        return command->run(comm, options);
    }
    HG_TRY(hg_comm_split(comm, comm->rank == 0 ? 0 : -1, &self));
    status = comm->rank == 0 ? command->run(&self, options) : HG_OK;
    hg_comm_clear(&self);
    return hg_comm_agree(comm, status);
}

static int
run_command(const hg_comm *comm, int argc, char **argv)
{
    const hg_command *command = argc > 1 ? find_command(argv[1]) : NULL;
    hg_options options;
    hg_status status;

    if (argc < 2 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0) {
        if (comm->rank == 0) {
            print_help();
        }
        return argc < 2 ? hg_status_exit_code(HG_E_USAGE) : 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        if (comm->rank == 0) {
            printf("halograft %s (%s), %s\n", hg_version(), hg_version_commit(),
                   hg_version_build());
        }
        return 0;
    }
    if (command == NULL) {
        return report_failure(comm, unknown_command(argv[1]));
    }
    status = hg_options_parse(argc - 2, argv + 2, &options);
    if (status == HG_OK && options.help) {
        if (comm->rank == 0) {
            printf("usage: halograft %s %s [OPTIONS]\n%s\n", command->name, command->arguments,
                   command->summary);
        }
        return 0;
    }
    hg_log_setup(comm->rank, comm->size,
                 options.quiet     ? HG_LOG_WARN
                 : options.verbose ? HG_LOG_DEBUG
                                   : HG_LOG_INFO);
    if (status == HG_OK) {
        status = start_command(comm, command, &options);
    }
    return status == HG_OK ? 0 : report_failure(comm, status);
}

int
main(int argc, char **argv)
{
    const hg_command *command = argc > 1 ? find_command(argv[1]) : NULL;
    hg_comm comm;
    hg_status status;
    int code, rank;

    /* large blocks go back to the system when freed, so that memory is bounded by one part */
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    signal(SIGXFSZ, SIG_IGN); /* a limit of file sizes is an error of the write */
    hg_stop_listen(NULL, 0);
    status = hg_comm_start(&argc, &argv, &comm);
    rank = comm.rank;
    hg_log_setup(comm.rank, comm.size, HG_LOG_INFO);
    if (status != HG_OK && command != NULL && !command->is_serial) {
        code = report_failure(&comm, status);
    } else {
        code = run_command(&comm, argc, argv);
    }
    hg_comm_stop(&comm);
    if (code == 0 && rank == 0 && hg_report_wanted() != NULL) {
        hg_report_make(hg_report_wanted());
    }
    return code;
}
