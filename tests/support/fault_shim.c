/* Preloaded by tests: lets one call of a kind fail on one rank, as a bad disk or a lack of
 * memory would, or ends or stops the rank there. Set by the environment:
 *
 *   HG_FAULT_CALL   malloc, open, read, write, sync or rename
 *   HG_FAULT_NTH    which call of that kind, from 1
 *   HG_FAULT_LASTS  all later ones too
 *   HG_FAULT_RANK   on which rank
 *   HG_FAULT_WHAT   ENOMEM, EIO, ENOSPC, abort, segv, loop, or short: half of the bytes move,
 *                   which is no failure
 *   HG_FAULT_BELOW  only files whose path begins so; allocations count when the program
 *                   itself, no library, makes them
 *
 * libfiu does this too, but counts the calls of all libraries, MPI's among them.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *block, size_t n);

static struct {
    char call[16], below[1024];
    long nth;
    int error, signal, lasts, is_short, is_armed;
    volatile long seen;
    const char *low, *high; /* of the program's code */
} shim;

static int
find_program(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    (void)context;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X) != 0) {
            shim.low = (const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
            shim.high = shim.low + info->dlpi_phdr[i].p_memsz;
        }
    }
    return 1; /* the program itself comes first */
}

__attribute__((constructor)) static void
arm(void)
{
    const char *rank = getenv("HG_FAULT_RANK"), *here = getenv("OMPI_COMM_WORLD_RANK");
    const char *call = getenv("HG_FAULT_CALL"), *nth = getenv("HG_FAULT_NTH");
    const char *what = getenv("HG_FAULT_WHAT"), *below = getenv("HG_FAULT_BELOW");

    if (rank == NULL || call == NULL || nth == NULL || what == NULL ||
        strcmp(rank, here != NULL ? here : "0") != 0 ||
        strstr(program_invocation_short_name, "halograft") == NULL) {
        return;
    }
    snprintf(shim.call, sizeof shim.call, "%s", call);
    snprintf(shim.below, sizeof shim.below, "%s", below != NULL ? below : "/");
    shim.nth = atol(nth);
    shim.lasts = getenv("HG_FAULT_LASTS") != NULL;
    shim.error = strcmp(what, "ENOMEM") == 0   ? ENOMEM
                 : strcmp(what, "EIO") == 0    ? EIO
                 : strcmp(what, "ENOSPC") == 0 ? ENOSPC
                                               : 0;
    shim.signal = strcmp(what, "abort") == 0  ? SIGABRT
                  : strcmp(what, "segv") == 0 ? SIGSEGV
                                              : 0;
    shim.is_short = strcmp(what, "short") == 0;
    dl_iterate_phdr(find_program, NULL);
    shim.is_armed = 1;
}

/* Whether this call is the one. */
static int
strikes(const char *call)
{
    long n;

    if (!shim.is_armed || strcmp(call, shim.call) != 0) {
        return 0;
    }
    n = __sync_add_and_fetch(&shim.seen, 1);
    if (n != shim.nth && !(shim.lasts && n > shim.nth)) {
        return 0;
    }
    if (shim.signal != 0) {
        signal(shim.signal, SIG_DFL);
        raise(shim.signal);
    }
    while (shim.error == 0 && !shim.is_short) {
        shim.seen = n; /* the endless loop, which a compiler must not take for none */
    }
    errno = shim.error;
    return 1;
}

static int
path_strikes(const char *call, const char *path)
{
    return shim.is_armed && strncmp(path, shim.below, strlen(shim.below)) == 0 && strikes(call);
}

static int
handle_strikes(const char *call, int handle)
{
    char link[64], path[1024];
    ssize_t n;

    if (!shim.is_armed || strcmp(call, shim.call) != 0) {
        return 0;
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    n = readlink(link, path, sizeof path - 1);
    if (n <= 0) {
        return 0;
    }
    path[n] = '\0';
    return path_strikes(call, path);
}

static int
memory_strikes(const void *caller)
{
    return shim.is_armed && (const char *)caller >= shim.low &&
           (const char *)caller < shim.high && strikes("malloc");
}

/* Whether a transfer of n bytes fails; half of them are left of one that is short. */
static int
transfer_strikes(const char *call, int handle, size_t *n)
{
    const int is_hit = handle_strikes(call, handle);

    if (is_hit && shim.is_short) {
        *n = (*n + 1) / 2;
    }
    return is_hit && !shim.is_short;
}

/* The function behind ours, found once. */
#define REAL(name)                              \
    static __typeof__(&name) real_;             \
    if (real_ == NULL) {                        \
        void *found_ = dlsym(RTLD_NEXT, #name); \
        memcpy(&real_, &found_, sizeof real_);  \
    }

/* ---- memory ---- */

void *
malloc(size_t n)
{
    return memory_strikes(__builtin_return_address(0)) ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
    return memory_strikes(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *block, size_t n)
{
    return memory_strikes(__builtin_return_address(0)) ? NULL : __libc_realloc(block, n);
}

void *
aligned_alloc(size_t align, size_t n)
{
    REAL(aligned_alloc)
    return memory_strikes(__builtin_return_address(0)) ? NULL : real_(align, n);
}

/* ---- files; the C library itself goes on with a stream whose transfer was short ---- */

static mode_t
mode_of(int flags, va_list arguments)
{
    return (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
}

#define OPEN(name)                                                         \
    int name(const char *path, int flags, ...)                             \
    {                                                                      \
        va_list arguments;                                                 \
        mode_t mode;                                                       \
        REAL(name)                                                         \
        va_start(arguments, flags);                                        \
        mode = mode_of(flags, arguments);                                  \
        va_end(arguments);                                                 \
        return path_strikes("open", path) ? -1 : real_(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

#define FOPEN(name)                                                   \
    FILE *name(const char *path, const char *mode)                    \
    {                                                                 \
        REAL(name)                                                    \
        return path_strikes("open", path) ? NULL : real_(path, mode); \
    }
FOPEN(fopen)
FOPEN(fopen64)

ssize_t
read(int handle, void *data, size_t n)
{
    REAL(read)
    return transfer_strikes("read", handle, &n) ? -1 : real_(handle, data, n);
}

ssize_t
write(int handle, const void *data, size_t n)
{
    REAL(write)
    return transfer_strikes("write", handle, &n) ? -1 : real_(handle, data, n);
}

#define PMOVE(name, kind, pointer)                                                       \
    ssize_t name(int handle, pointer data, size_t n, off_t offset)                       \
    {                                                                                    \
        REAL(name)                                                                       \
        return transfer_strikes(kind, handle, &n) ? -1 : real_(handle, data, n, offset); \
    }
PMOVE(pread, "read", void *)
PMOVE(pread64, "read", void *)
PMOVE(pwrite, "write", const void *)
PMOVE(pwrite64, "write", const void *)

size_t
fread(void *data, size_t size, size_t n, FILE *file)
{
    REAL(fread)
    if (!shim.is_short && handle_strikes("read", fileno(file))) {
        file->_flags |= 0x20; /* the error flag of glibc */
        return 0;
    }
    return real_(data, size, n, file);
}

size_t
fwrite(const void *data, size_t size, size_t n, FILE *file)
{
    REAL(fwrite)
    return !shim.is_short && handle_strikes("write", fileno(file)) ? 0
                                                                   : real_(data, size, n, file);
}

int
posix_fallocate(int handle, off_t offset, off_t n)
{
    REAL(posix_fallocate)
    return !shim.is_short && handle_strikes("write", handle) ? shim.error
                                                             : real_(handle, offset, n);
}

int
fsync(int handle)
{
    REAL(fsync)
    return handle_strikes("sync", handle) ? -1 : real_(handle);
}

int
rename(const char *from, const char *to)
{
    REAL(rename)
    return path_strikes("rename", to) ? -1 : real_(from, to);
}
