/* Reads files again and again, each time damaged in another way: cut at 50 lengths, with 20
 * zeroed blocks, with single flipped bytes. Children do the reading, so that a crash costs one
 * case; a handler says in whose code it happened, because the HDF5 library itself crashes on
 * some malformed files, or never comes to an end.
 *
 * Usage: damage N PLAN [FIRST]. N is the number of flipped bytes of each file; below 50 there
 * are fewer cuts and blocks too. With FIRST there are none of these, and flips are those of
 * number FIRST and above: a round after others. A line of PLAN is: KIND FORMAT FILE [OPEN
 * [MAPPING]], see damage.h. Ends with code 1 when damage is missed, or when our code crashes or
 * hangs. */
#include "damage.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "base/random.h"
#include "fuzz.h"

enum {
    N_CUT = 50,
    N_ZERO = 20,
    SEAL = 16,
    SIZE_MAX_READ = 16 << 20,
    SECONDS = 2,
    CRASHES_MAX = 1000,
    IN_HDF5 = 91,
    IN_OURS = 92,
    NOT_PASSED = 93
};

/** What children tell the parent and each other. */
typedef struct tally {
    int64_t task; /**< line of the plan */
    int64_t next; /**< case to begin with; -1 = the file is to be made */
    int64_t n_found, n_missed, n_ours, n_hdf5;
    int64_t missed[8];
    int64_t n_case, n_bad; /**< of all tasks */
} tally;

static tally *count;
static int64_t n_flip, n_cut, n_zero, first;
static const damage_kind *kind;
static damage_task task = {.comm = &fuzz_world};
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
                task.path);
        backtrace_symbols_fd(frame, n, 2);
    }
    _exit(code);
}

/* A new file each time, in case a library still holds the last one open. */
static void
write_file(const char *path, const unsigned char *data, size_t n)
{
    FILE *file;

    unlink(path);
    file = fopen(path, "wb");
    if (file == NULL || fwrite(data, 1, n, file) != n || fclose(file) != 0) {
        abort();
    }
}

static void
read_good(const char *path)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        fprintf(stderr, "'%s' cannot be read\n", path);
        exit(2);
    }
    size = fread(good, 1, SIZE_MAX_READ, file);
    fclose(file);
}

/* Write the file with damage number i; false when nothing of the content has changed. */
static bool
damage(int64_t i, unsigned char *bad)
{
    const int64_t number = i < n_cut + n_zero ? i : i - n_cut - n_zero + first;
    hg_stream stream = hg_stream_start(1, size, (uint64_t)number, HG_PURPOSE_NOISE);
    const bool is_sealed = size > SEAL && memcmp(good + size - SEAL, "HGxxh3", 6) == 0;
    const size_t n =
        size - (is_sealed ? SEAL : 0); /* a torn seal is no damage of the content */
    size_t at, block;

    memcpy(bad, good, size);
    if (i < n_cut) {
        write_file(task.path, bad, n * (size_t)i / (size_t)n_cut);
        return true;
    }
    at = (size_t)(hg_stream_uniform(&stream) * (double)n);
    if (i < n_cut + n_zero) {
        block = n / 8 < 4096 ? n / 8 + 1 : 4096;
        memset(bad + at, 0, at + block < n ? block : n - at);
    } else {
        bad[at] ^= (unsigned char)(1 + hg_stream_below(&stream, 255));
    }
    write_file(task.path, bad, size);
    return memcmp(bad, good, size) != 0;
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
    if (kind->look(&task) != HG_OK) {
        count->n_found++;
    } else if (count->n_missed++ < 8) {
        count->missed[count->n_missed - 1] = i;
    }
    limit_time(0);
    fuzz_check_memory(before);
}

/* All cases of a task from count->next on, then the file as it was. The file stands beside it
 * from the first case on, for children that come later. */
static void
do_task(int64_t n, unsigned char *bad)
{
    char copy[4096];

    snprintf(copy, sizeof copy, "%s.good", task.path);
    if (count->next < 0) {
        if (kind->make != NULL && kind->make(&task) != HG_OK) {
            fprintf(stderr, "'%s' cannot be made: %s\n", task.path, hg_error_last()->message);
            _exit(NOT_PASSED);
        }
        read_good(task.path);
        write_file(copy, good, size);
        count->next = 0;
    }
    read_good(copy);
    while (count->next < n) {
        try_case(count->next++, bad);
    }
    write_file(task.path, good, size);
    if (kind->look(&task) != HG_OK && strcmp(kind->name, "diff") != 0) {
        fprintf(stderr, "'%s' is not damaged and does not pass: %s\n", task.open,
                hg_error_last()->message);
        _exit(NOT_PASSED);
    }
    unlink(copy);
}

/* Say how a task went, and go on with the next. */
static void
end_task(int64_t n)
{
    const bool is_missed = kind->must_find && count->n_missed > 0;

    printf("%s %s %s (%zu bytes): %" PRId64 " found, %" PRId64 " not, crashes and endless "
           "loops %" PRId64 " here, %" PRId64 " in HDF5\n",
           kind->name, task.format, task.path, size, count->n_found, count->n_missed,
           count->n_ours, count->n_hdf5);
    for (int i = 0; i < 8 && i < count->n_missed && is_missed; i++) {
        printf("case %" PRId64 " was missed\n", count->missed[i]);
    }
    fflush(stdout);
    *count = (tally){.task = count->task + 1,
                     .next = -1,
                     .n_case = count->n_case + n,
                     .n_bad = count->n_bad + count->n_ours + is_missed};
}

/* The task of a line of the plan, which is cut into words; false for an empty line. */
static bool
take_task(char *line)
{
    static const char blank[] = " \t\n";
    const char *word = strtok(line, blank);

    if (word == NULL) {
        return false;
    }
    kind = damage_find(word);
    task.format = strtok(NULL, blank);
    task.path = strtok(NULL, blank);
    task.open = strtok(NULL, blank);
    task.mapping = task.open != NULL ? strtok(NULL, blank) : NULL;
    task.open = task.open != NULL ? task.open : task.path;
    if (kind == NULL || task.path == NULL) {
        fprintf(stderr, "no task: %s\n", word);
        exit(2);
    }
    return true;
}

/* A child: what is left of the plan. */
static void
work(FILE *plan, int64_t n)
{
    const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGILL, SIGPROF};
    unsigned char *bad = malloc(SIZE_MAX_READ);
    char line[4096];

    good = malloc(SIZE_MAX_READ);
    if (good == NULL || bad == NULL) {
        exit(2);
    }
    fuzz_start();
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        signal(signals[i], say_where);
    }
    for (int64_t i = 0; fgets(line, sizeof line, plan) != NULL; i++) {
        if (i >= count->task) {
            if (take_task(line)) {
                do_task(n, bad);
            }
            end_task(n);
        }
    }
    free(good);
    free(bad);
    hg_comm_clear(&fuzz_world);
    MPI_Finalize();
    _exit(0);
}

/* Children one after the other until one comes to the end of the plan; whether all was well. */
static bool
run(const char *path, int64_t n)
{
    int state = 0;
    bool goes_on;

    count->next = -1;
    do {
        const pid_t child = fork();

        if (child == 0) {
            FILE *plan = fopen(path, "r");

            if (plan == NULL) {
                _exit(2);
            }
            work(plan, n);
        }
        if (waitpid(child, &state, 0) < 0) {
            abort();
        }
        goes_on = WIFEXITED(state) && WEXITSTATUS(state) == IN_HDF5;
        count->n_hdf5 += goes_on;
        if (state != 0 && !goes_on) {
            count->n_ours++;
            printf("case %" PRId64 " of line %" PRId64 " ended with state %x\n",
                   count->next - 1, count->task + 1, (unsigned)state);
            goes_on = count->next > 0 && count->next < n;
        }
    } while (goes_on && count->n_ours + count->n_hdf5 < CRASHES_MAX);
    printf("%" PRId64 " cases of %" PRId64 " files, %" PRId64 " wrong\n", count->n_case,
           count->task, count->n_bad + count->n_ours);
    return state == 0 && count->n_bad == 0;
}

int
main(int argc, char **argv)
{
    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: damage N PLAN [FIRST]\n");
        return 2;
    }
    n_flip = atoll(argv[1]);
    if (argc == 4) {
        first = atoll(argv[3]);
    } else {
        n_cut = n_flip < N_CUT ? 8 + n_flip : N_CUT;
        n_zero = n_flip < N_CUT ? 4 + n_flip / 2 : N_ZERO;
    }
    count =
        mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (count == MAP_FAILED) {
        return 2;
    }
    return run(argv[2], n_cut + n_zero + n_flip) ? 0 : 1;
}
