/* A block is [64-byte header | payload], so payloads stay 64-byte aligned for SIMD code.
 * Counters are atomics: allocation happens outside hot loops, where their cost does not show.
 */
#include "base/memory.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "base/alive.h"
#include "base/machine.h"

#define HEADER 64
#define LARGE ((size_t)4 << 20)

static _Atomic int64_t used, peak, budget, fail_at;

static hg_status
check_request(size_t n, size_t size, size_t *bytes)
{
    int64_t limit = atomic_load(&budget);

    if (size != 0 && n > (SIZE_MAX - 2 * HEADER) / size) {
        return HG_FAIL(HG_E_MEMORY, "an array of %zu elements of %zu bytes is too large", n,
                       size);
    }
    *bytes = n * size;
    if (atomic_load(&fail_at) > 0 && atomic_fetch_sub(&fail_at, 1) == 1) {
        return HG_FAIL(HG_E_MEMORY, "allocation of %zu bytes failed (injected)", *bytes);
    }
    if (limit > 0 && atomic_load(&used) + (int64_t)*bytes > limit) {
        return HG_FAIL(HG_E_MEMORY,
                       "%zu more bytes would exceed the memory budget of %" PRId64
                       " bytes (%" PRId64 " in use): use more ranks or raise Run.memory_max",
                       *bytes, limit, atomic_load(&used));
    }
    return HG_OK;
}

static void
count_bytes(int64_t bytes)
{
    int64_t now = atomic_fetch_add(&used, bytes) + bytes, old = atomic_load(&peak);

    while (now > old && !atomic_compare_exchange_weak(&peak, &old, now)) {
    }
}

hg_status
hg_mem_array(void *pointer, size_t n, size_t size)
{
    size_t bytes = 0;
    unsigned char *block = NULL;

    memcpy(pointer, &(void *){NULL}, sizeof(void *));
    hg_alive();
    HG_TRY(check_request(n, size, &bytes));
    if (bytes == 0) {
        return HG_OK;
    }
    block = aligned_alloc(HEADER, HEADER + (bytes + HEADER - 1) / HEADER * HEADER);
    if (block == NULL) {
        return HG_FAIL(HG_E_MEMORY, "allocation of %zu bytes failed: use more ranks or nodes",
                       bytes);
    }
    memcpy(block, &bytes, sizeof bytes);
    count_bytes((int64_t)bytes);
    block += HEADER;
    memcpy(pointer, &block, sizeof block);
    return HG_OK;
}

hg_status
hg_mem_zeros(void *pointer, size_t n, size_t size)
{
    void *block = NULL;

    HG_TRY(hg_mem_array(pointer, n, size));
    memcpy(&block, pointer, sizeof block);
    if (block != NULL) {
        memset(block, 0, n * size);
    }
    return HG_OK;
}

hg_status
hg_mem_resize(void *pointer, size_t n, size_t size)
{
    void *old = NULL, *block = NULL;
    size_t bytes = 0;

    memcpy(&old, pointer, sizeof old);
    HG_TRY(hg_mem_array(&block, n, size));
    if (old != NULL && block != NULL) {
        memcpy(&bytes, (unsigned char *)old - HEADER, sizeof bytes);
        memcpy(block, old, bytes < n * size ? bytes : n * size);
    }
    hg_mem_free(old);
    memcpy(pointer, &block, sizeof block);
    return HG_OK;
}

void
hg_mem_free(void *block)
{
    size_t bytes = 0;

    if (block == NULL) {
        return;
    }
    memcpy(&bytes, (unsigned char *)block - HEADER, sizeof bytes);
    count_bytes(-(int64_t)bytes);
    free((unsigned char *)block - HEADER);
}

hg_status
hg_mem_take(size_t bytes)
{
    HG_TRY(check_request(1, bytes, &bytes));
    count_bytes((int64_t)bytes);
    return HG_OK;
}

void
hg_mem_give(size_t bytes)
{
    count_bytes(-(int64_t)bytes);
}

void
hg_mem_large_pages(void *block)
{
#ifdef MADV_HUGEPAGE
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)block;
    const uintptr_t first = (begin + page - 1) / page * page;
    size_t bytes = 0;

    if (block != NULL) {
        memcpy(&bytes, (unsigned char *)block - HEADER, sizeof bytes);
    }
    if (bytes >= LARGE) { /* a refusal does not matter */
        (void)madvise((void *)first, (begin + bytes - first) / page * page, MADV_HUGEPAGE);
    }
#else
    (void)block;
#endif
}

void
hg_mem_trim(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

hg_status
hg_mem_string(char **copy, const char *text)
{
    size_t n = strlen(text) + 1;

    HG_TRY(hg_mem_array(copy, n, 1));
    memcpy(*copy, text, n);
    return HG_OK;
}

int64_t
hg_mem_used(void)
{
    return atomic_load(&used);
}

int64_t
hg_mem_peak(void)
{
    return atomic_load(&peak);
}

int64_t
hg_mem_resident_peak(void)
{
    struct rusage usage;

    return getrusage(RUSAGE_SELF, &usage) == 0 ? (int64_t)usage.ru_maxrss * 1024 : 0;
}

int64_t
hg_mem_machine(void)
{
    const int64_t limit = hg_machine_cgroup("/sys/fs/cgroup", "/proc/self/cgroup");
    const int64_t bytes = (int64_t)sysconf(_SC_PHYS_PAGES) * (int64_t)sysconf(_SC_PAGESIZE);

    return bytes > 0 && bytes < limit ? bytes : limit < INT64_MAX ? limit : 0;
}

void
hg_mem_budget(int64_t bytes)
{
    atomic_store(&budget, bytes);
}

int64_t
hg_mem_fail_at(int64_t n)
{
    return atomic_exchange(&fail_at, n);
}
