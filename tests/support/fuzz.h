/** What all fuzz targets share: MPI of one rank, silence, inputs as files in memory, and the
 * check that nothing stays allocated. A target defines LLVMFuzzerTestOneInput(); libFuzzer or
 * fuzz_replay.c calls it. */
#ifndef HG_TEST_FUZZ_H
#define HG_TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "halograft/comm.h"
#include "halograft/log.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static hg_comm fuzz_world;

/** Start MPI once; to be called at the begin of each input. */
static inline void
fuzz_start(void)
{
    int is_started = 0;

    MPI_Initialized(&is_started);
    if (fuzz_world.size == 0) {
        if (!is_started) {
            MPI_Init(NULL, NULL);
        }
        if (hg_comm_init(&fuzz_world, MPI_COMM_WORLD) != HG_OK) {
            abort();
        }
        hg_log_setup(1, 2, HG_LOG_ERROR); /* lines of rank 0 are printed, this is rank 1 */
        hg_mem_budget((int64_t)256 << 20);
    }
}

/** A file in memory under a name in /proc; the same number is the same file. */
static inline const char *
fuzz_file(int number, const uint8_t *data, size_t size)
{
    static int fd[4] = {-1, -1, -1, -1};
    static char name[4][64];

    if (fd[number] < 0) {
        fd[number] = memfd_create("fuzz", 0);
        snprintf(name[number], sizeof name[number], "/proc/%ld/fd/%d", (long)getpid(),
                 fd[number]);
    }
    if (fd[number] < 0 || ftruncate(fd[number], 0) != 0 ||
        pwrite(fd[number], data, size, 0) != (ssize_t)size) {
        abort();
    }
    return name[number];
}

/** End the process unless the memory in use is what it was. */
static inline void
fuzz_check_memory(int64_t before)
{
    if (hg_mem_used() != before) {
        fprintf(stderr, "%lld bytes were not freed\n", (long long)(hg_mem_used() - before));
        abort();
    }
}

/** A copy of bytes that ends with a zero; free(). */
static inline char *
fuzz_string(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (text == NULL) {
        abort();
    }
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    return text;
}

#endif
