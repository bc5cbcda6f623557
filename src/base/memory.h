/** Counted, overflow-checked, 64-byte aligned memory.
 *
 * Each block carries a hidden 64-byte header with its size, so that the bytes in use and their
 * peak are known. Blocks of hg_mem_* are released only with hg_mem_free(). Thread-safe. Layer:
 * base.
 */
#ifndef HG_BASE_MEMORY_H
#define HG_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "halograft/error.h"

/** Allocate an array without initialising it.
 *
 * @local
 * @param[out] pointer  address of the pointer to set; owned by the caller, free with
 * hg_mem_free(); NULL when n * size is 0 or on failure
 * @param[in]  n        number of elements
 * @param[in]  size     bytes per element
 * @return HG_OK; HG_E_MEMORY when the size overflows, exceeds the budget or memory is exhausted
 */
HG_MUST_CHECK hg_status hg_mem_array(void *pointer, size_t n, size_t size);

/** Allocate an array of zero bytes; else as hg_mem_array().
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_mem_zeros(void *pointer, size_t n, size_t size);

/** Change the length of an array, keeping its content; on failure the old array stays valid.
 *
 * @local
 * @param[in,out] pointer  address of a pointer from hg_mem_array() or of NULL
 * @param[in]     n        new number of elements
 * @param[in]     size     bytes per element
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_mem_resize(void *pointer, size_t n, size_t size);

/** Free a block; NULL is fine.
 *
 * @local
 */
void hg_mem_free(void *block);

/** Count memory that comes from elsewhere, as hg_mem_array() counts its own; and count it no
 * more.
 *
 * @local
 * @param[in] bytes  the same in both calls
 * @return HG_OK; HG_E_MEMORY when it exceeds the budget
 */
HG_MUST_CHECK hg_status hg_mem_take(size_t bytes);
void hg_mem_give(size_t bytes);

/** Ask the system for large pages behind an array of some MiB that is passed over again and
 * again or read at random; a hint, to be given before the array is first written.
 *
 * @local
 * @param[in] block  from hg_mem_array(); NULL is fine
 */
void hg_mem_large_pages(void *block);

/** Give memory that was freed back to the system, where the C library keeps it for later: at
 * the end of a phase, after which less or other memory is needed.
 *
 * @local
 */
void hg_mem_trim(void);

/** Copy a string; owned by the caller, free with hg_mem_free().
 *
 * @local
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_mem_string(char **copy, const char *text);

/** Bytes in use now, and the largest number of bytes in use so far, on this process.
 *
 * @local
 */
int64_t hg_mem_used(void);
int64_t hg_mem_peak(void);

/** Peak resident memory of the process as the system sees it, in bytes (0 if unknown).
 *
 * @local
 */
int64_t hg_mem_resident_peak(void);

/** Memory of this machine in bytes, or the least limit of this process's control groups where
 * that is less (0 if unknown).
 *
 * @local
 */
int64_t hg_mem_machine(void);

/** Refuse allocations that would take hg_mem_used() above a budget in bytes; 0 removes it.
 *
 * @local
 */
void hg_mem_budget(int64_t bytes);

/** Make the n-th allocation from now fail (tests); 0 disarms.
 *
 * @local
 * @return what was left of the former count, 0 when that allocation has failed
 */
int64_t hg_mem_fail_at(int64_t n);

#endif
