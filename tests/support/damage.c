/* Reads a file again and again, each time damaged in another way: cut at 50 lengths, with 20
 * zeroed blocks, with single flipped bytes. Children do the reading, so that a crash costs one
 * case; a handler says in whose code it happened, because the HDF5 library itself crashes on
 * some malformed files, or never comes to an end.
 *
 * Usage: damage KIND FORMAT FILE N [OPEN [MAPPING]]. N is the number of flipped bytes; OPEN
 * (default FILE) is what is opened. KIND: `verify` and `model` must find every damage, `read`
 * must only survive it. Ends with code 1 when damage is missed, or when our code crashes or
 * hangs. */
#include <dlfcn.h>
#include <execinfo.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "audit/verify.h"
#include "base/random.h"
#include "fuzz.h"
#include "halograft/catalog.h"
#include "halograft/stages.h"

enum {
    N_CUT = 50,
    N_ZERO = 20,
    SEAL = 16,
    PARTS_MAX = 3,
    SECONDS = 2,
    CRASHES_MAX = 1000,
    IN_HDF5 = 91,
    IN_OURS = 92,
    NOT_PASSED = 93
};

/** What children tell the parent. */
typedef struct tally {
    int64_t next; /**< case to begin with */
    int64_t n_found, n_missed;
    int64_t missed[8];
} tally;

static tally *count;
static const char *kind, *format, *path, *what, *mapping;
static unsigned char *good;
static size_t size;

static bool
is_nobody(const char *library)
{
    static const char *const names[] = {"libc.so", "libpthread", "libm.so", "libz.so",
                                        "asan",    "ubsan",      "libgcc_s"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strstr(library, names[i]) != NULL) {
            return true;
        }
    }
    return library[0] == '\0';
}

/* The first frame that is of no library everybody uses says whose fault it is. */
static void
say_where(int number)
{
    void *frame[64];
    const int n = backtrace(frame, 64);
    Dl_info info;
    int code = IN_OURS;

    for (int i = 2; i < n; i++) {
        const char *library = dladdr(frame[i], &info) != 0 ? info.dli_fname : "";

        if (!is_nobody(library)) {
            code = strstr(library, "libhdf5") != NULL ? IN_HDF5 : IN_OURS;
            break;
        }
    }
    if (code == IN_OURS) {
        fprintf(stderr, "signal %d in case %" PRId64 " of '%s':\n", number, count->next - 1,
                path);
        backtrace_symbols_fd(frame, n, 2);
    }
    _exit(code);
}

/* A new file each time, in case a library still holds the last one open. */
static void
write_file(const unsigned char *data, size_t n)
{
    FILE *file;

    unlink(path);
    file = fopen(path, "wb");
    if (file == NULL || fwrite(data, 1, n, file) != n || fclose(file) != 0) {
        abort();
    }
}

/* Write the file with damage number i; false when nothing of the content has changed. */
static bool
damage(int64_t i, unsigned char *bad)
{
    hg_stream stream = hg_stream_start(1, size, (uint64_t)i, HG_PURPOSE_NOISE);
    const bool is_sealed = size > SEAL && memcmp(good + size - SEAL, "HGxxh3", 6) == 0;
    const size_t n =
        size - (is_sealed ? SEAL : 0); /* a torn seal is no damage of the content */
    size_t at, block;

    memcpy(bad, good, size);
    if (i < N_CUT) {
        write_file(bad, n * (size_t)i / N_CUT);
        return true;
    }
    at = (size_t)(hg_stream_uniform(&stream) * (double)n);
    if (i < N_CUT + N_ZERO) {
        block = n / 8 < 4096 ? n / 8 + 1 : 4096;
        memset(bad + at, 0, at + block < n ? block : n - at);
    } else {
        bad[at] ^= (unsigned char)(1 + hg_stream_below(&stream, 255));
    }
    write_file(bad, size);
    return memcmp(bad, good, size) != 0;
}

static hg_status
read_part(hg_catalog *catalog, int64_t part)
{
    hg_status status = HG_OK;

    for (int i = 0; i < hg_catalog_n_column(catalog); i++) {
        const char *name = hg_catalog_column(catalog, i)->name;
        hg_table table = {.n = 0};
        const hg_status read = hg_catalog_read(catalog, part, 1, &name, &table);

        status = status == HG_OK ? read : status;
        hg_table_clear(&table);
    }
    return status;
}

/* Open the catalogue and read every column of its first parts. */
static hg_status
read_catalogue(void)
{
    hg_catalog_options options = HG_CATALOG_OPTIONS_INIT;
    hg_catalog *catalog = NULL;
    hg_status status = HG_OK;

    options.format = format;
    options.n_file = 1;
    options.files = &what;
    options.mapping = mapping;
    options.particles = strcmp(format, "gadget") == 0;
    options.rows_per_part = 500;
    if (strcmp(format, "ahf") == 0 || strcmp(format, "lgadget3") == 0 ||
        strcmp(format, "hbt") == 0) {
        options.frame.h = 0.5; /* these do not say it themselves */
        options.frame.box = 100;
    }
    if (strcmp(format, "lgadget3") == 0) {
        options.frame.redshift = 0;
    }
    HG_TRY(hg_catalog_open(&fuzz_world, &options, &catalog));
    for (int64_t part = 0; part < hg_catalog_n_part(catalog) && part < PARTS_MAX; part++) {
        const hg_status read = read_part(catalog, part);

        status = status == HG_OK ? read : status;
    }
    hg_catalog_close(catalog);
    return status;
}

/* Whether something is found to be wrong with the file. */
static bool
look(void)
{
    hg_findings findings = {.n_wrong = 0};
    hg_stages *stages = NULL;
    hg_status status;
    bool found;

    if (strcmp(kind, "verify") == 0) {
        status = hg_verify_file(&fuzz_world, what, &findings);
        found = status != HG_OK || findings.n_wrong > 0;
        hg_findings_clear(&findings);
        return found;
    }
    if (strcmp(kind, "model") == 0) {
        status = hg_stages_load(&fuzz_world, what, &stages);
        hg_stages_free(stages);
        return status != HG_OK;
    }
    return read_catalogue() != HG_OK;
}

/* A signal after so many seconds of processor time; 0 = none. */
static void
limit_time(int seconds)
{
    const struct itimerval limit = {.it_value = {.tv_sec = seconds}};

    setitimer(ITIMER_PROF, &limit, NULL);
}

static void
try_case(int64_t i, unsigned char *bad)
{
    const int64_t before = hg_mem_used();

    if (!damage(i, bad)) {
        return;
    }
    limit_time(SECONDS);
    if (look()) {
        count->n_found++;
    } else if (count->n_missed++ < 8) {
        count->missed[count->n_missed - 1] = i;
    }
    limit_time(0);
    fuzz_check_memory(before);
}

/* A child: all cases from count->next on, then the file as it was. */
static void
work(int64_t n)
{
    const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGILL, SIGPROF};
    unsigned char *bad = malloc(size + 1);

    fuzz_start();
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        signal(signals[i], say_where);
    }
    while (count->next < n) {
        try_case(count->next++, bad);
    }
    write_file(good, size);
    if (look()) {
        fprintf(stderr, "'%s' is not damaged and does not pass: %s\n", what,
                hg_error_last()->message);
        _exit(NOT_PASSED);
    }
    free(bad);
    hg_comm_clear(&fuzz_world);
    MPI_Finalize();
    _exit(0);
}

static void
read_good(void)
{
    FILE *file = fopen(path, "rb");

    good = malloc((size_t)16 << 20);
    if (file == NULL || good == NULL) {
        fprintf(stderr, "'%s' cannot be read\n", path);
        exit(2);
    }
    size = fread(good, 1, (size_t)16 << 20, file);
    fclose(file);
}

/* Children one after the other until one comes to the end; whether all was well. */
static bool
run(int64_t n)
{
    const bool must_find = strcmp(kind, "read") != 0;
    int n_hdf5 = 0, n_ours = 0, state = 0;

    do {
        const pid_t child = fork();

        if (child == 0) {
            work(n);
        }
        if (waitpid(child, &state, 0) < 0) {
            abort();
        }
        n_hdf5 += WIFEXITED(state) && WEXITSTATUS(state) == IN_HDF5;
        if (state != 0 && !(WIFEXITED(state) && WEXITSTATUS(state) == IN_HDF5)) {
            n_ours++;
            printf("case %" PRId64 " of '%s' ended with state %x\n", count->next - 1, path,
                   (unsigned)state);
        }
    } while (state != 0 && count->next < n && n_ours + n_hdf5 < CRASHES_MAX);
    write_file(good, size);
    printf("%s %s %s (%zu bytes): %" PRId64 " found, %" PRId64 " not, crashes and endless "
           "loops %d here, %d in HDF5\n",
           kind, format, path, size, count->n_found, count->n_missed, n_ours, n_hdf5);
    for (int i = 0; i < 8 && i < count->n_missed && must_find; i++) {
        printf("case %" PRId64 " was missed\n", count->missed[i]);
    }
    return n_ours == 0 && count->next >= n && (count->n_missed == 0 || !must_find);
}

int
main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: damage verify|model|read FORMAT FILE N [OPEN [MAPPING]]\n");
        return 2;
    }
    kind = argv[1];
    format = argv[2];
    path = argv[3];
    what = argc > 5 ? argv[5] : path;
    mapping = argc > 6 ? argv[6] : NULL;
    read_good();
    count =
        mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (count == MAP_FAILED) {
        return 2;
    }
    return run(N_CUT + N_ZERO + atoll(argv[4])) ? 0 : 1;
}
