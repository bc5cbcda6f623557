/** Text: growing buffers, strict numbers, nearest names. C locale throughout. Layer: base. */
#ifndef HG_BASE_TEXT_H
#define HG_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "halograft/error.h"

/** A growing string; {0} is a valid empty one. `data` is NULL until the first character. */
typedef struct hg_text {
    char *data;
    size_t n;
    size_t room;
} hg_text;

/** Append formatted text, or `n` raw bytes; memory failure is reported.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_text_add(hg_text *text, const char *format, ...) HG_PRINTF(2, 3);
HG_MUST_CHECK hg_status hg_text_append(hg_text *text, const char *bytes, size_t n);

/** Append a cell of a table: a number with so many digits, or nothing where it is not finite,
 * and the character that ends it.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_text_add_number(hg_text *text, int digits, double value, char end);

/** The text as a C string (never NULL), borrowed until the next change.
 *
 * @local
 */
const char *hg_text_string(const hg_text *text);

/** Release the buffer and return to the empty text.
 *
 * @local
 */
void hg_text_clear(hg_text *text);

/** The first line in which two texts differ.
 *
 * @local
 * @param[out] line_a, line_b  shape (n); the line of each, cut to fit, "" behind its last
 * @return number of the line from 1; 0 when the texts are equal
 */
int64_t hg_text_difference(const char *a, const char *b, size_t n, char line_a[],
                           char line_b[]);

/** Parse a whole string as a finite number; anything left over is an error.
 *
 * @local
 * @param[in]  string  e.g. "1e10"
 * @param[out] value   the number
 * @return true when the whole string is one finite number
 */
bool hg_text_real(const char *string, double *value);

/** Parse a whole string as an integer ("1e6" is allowed when integral and below 2^53).
 *
 * @local
 */
bool hg_text_integer(const char *string, int64_t *value);

/** Levenshtein distance, ignoring case.
 *
 * @local
 */
int hg_text_distance(const char *a, const char *b);

/** The name of a list nearest to `name`, or NULL when none is near (distance > 1 + length / 3).
 *
 * @local
 * @param[in] name   the name as given
 * @param[in] n      number of candidates
 * @param[in] names  shape (n); borrowed
 */
const char *hg_text_nearest(const char *name, size_t n, const char *const names[]);

/** The end of a sentence about a name that is not known; empty when none is near. */
typedef struct hg_hint {
    char text[160];
} hg_hint;

/** The nearest name for such a sentence: ", did you mean 'NAME'?" as its end, or
 * " (there is 'NAME')" within it.
 *
 * @local
 * @param[in] n      number of candidates
 * @param[in] names  shape (n)
 */
hg_hint hg_text_hint(const char *name, size_t n, const char *const names[]);
hg_hint hg_text_aside(const char *name, size_t n, const char *const names[]);

/** Copy `string` into `buffer` without leading and trailing white space; truncates.
 *
 * @local
 * @return buffer
 */
char *hg_text_trim(const char *string, size_t n, char buffer[]);

/** Write a path with printf rules into a fixed buffer.
 *
 * @local
 * @return HG_OK; HG_E_ARG when the path is too long
 */
HG_MUST_CHECK hg_status hg_text_path(size_t n, char buffer[], const char *format, ...)
    HG_PRINTF(3, 4);

/** Append the whole content of a file.
 *
 * @local
 * @param[in]     path  file of any size and content
 * @param[in,out] text  release with hg_text_clear(), also on failure
 * @return HG_OK; HG_E_NOTFOUND; HG_E_READ, also for a folder; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_text_read(const char *path, hg_text *text);

/** Fill `{name}` and `{name:03d}` in a pattern with an integer; other braces are kept.
 *
 * @local
 * @param[in]  pattern  e.g. "groups_{snap:03d}/tab.{file}.hdf5"
 * @param[in]  name     e.g. "snap"
 * @param[in]  value    the number to write
 * @param[in]  n        size of the buffer
 * @param[out] out      the filled text
 * @return HG_OK; HG_E_ARG when the result is too long or the format is not {name} or {name:0Nd}
 */
HG_MUST_CHECK hg_status hg_text_fill(const char *pattern, const char *name, int64_t value,
                                     size_t n, char out[]);

/** Whether a pattern holds `{name}` or `{name:...}`.
 *
 * @local
 */
bool hg_text_has_field(const char *pattern, const char *name);

#endif
