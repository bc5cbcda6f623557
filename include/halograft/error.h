/** Status codes, and the one record that explains the last failure of a thread.
 *
 * Every fallible function returns an hg_status and hands results out through pointers. An error
 * is born in exactly one place, with HG_FAIL(); upper layers pass it on unchanged with HG_TRY()
 * or HG_TRY_OR(). The enumerators are ordered: in an agreement over ranks the largest one wins.
 * Layer: base.
 */
#ifndef HALOGRAFT_ERROR_H
#define HALOGRAFT_ERROR_H

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

#define HG_STATUS_LIST(X) /* name, exit code, text */                       \
    X(HG_OK, 0, "success")                                                  \
    X(HG_STOPPED, 75, "stopped early at a clean point, resubmit")           \
    X(HG_E_ARG, 1, "argument outside its documented domain")                \
    X(HG_E_SHAPE, 1, "array shapes do not agree")                           \
    X(HG_E_USAGE, 2, "wrong use of the command line")                       \
    X(HG_E_PARAM, 3, "parameter file is invalid")                           \
    X(HG_E_NOTFOUND, 4, "file, group, dataset or key does not exist")       \
    X(HG_E_FORMAT, 4, "file does not follow its declared format")           \
    X(HG_E_READ, 4, "read failed")                                          \
    X(HG_E_INPUT, 4, "input values are inconsistent or out of range")       \
    X(HG_E_WRITE, 5, "write failed")                                        \
    X(HG_E_EXISTS, 5, "output exists already")                              \
    X(HG_E_MEMORY, 6, "allocation failed")                                  \
    X(HG_E_VERIFY, 7, "content does not match its checksum or its promise") \
    X(HG_E_ENVIRONMENT, 8, "launch or machine is not fit for the run")      \
    X(HG_E_FAULT, 1, "injected fault (test builds only)")

typedef enum hg_status {
#define HG_STATUS_ENUM(name, code, text) name,
    HG_STATUS_LIST(HG_STATUS_ENUM)
#undef HG_STATUS_ENUM
} hg_status;

/** What went wrong, where it was raised, and on which rank (-1 before an agreement). */
typedef struct hg_error_record {
    hg_status status;
    int line;
    int rank;
    char file[64];
    char message[4096];
} hg_error_record;

#if defined(__GNUC__)
#define HG_MUST_CHECK __attribute__((warn_unused_result))
#define HG_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define HG_NORETURN __attribute__((noreturn))
#else
#define HG_MUST_CHECK
#define HG_PRINTF(fmt, args)
#define HG_NORETURN
#endif

/** Raise a failure: the only way an error is born. Fills this thread's record, yields `status`.
 */
#define HG_FAIL(status, ...) hg_error_raise((status), __FILE__, __LINE__, __VA_ARGS__)

/** Pass a failure of `call` on to the caller. */
#define HG_TRY(call)                \
    do {                            \
        hg_status hg_try_ = (call); \
        if (hg_try_ != HG_OK) {     \
            return hg_try_;         \
        }                           \
    } while (0)

/** Store the result of `call` in `status` and jump to `label` on failure. */
#define HG_TRY_OR(label, status, call) \
    do {                               \
        (status) = (call);             \
        if ((status) != HG_OK) {       \
            goto label;                \
        }                              \
    } while (0)

/** Check an invariant of our own code; a violation prints rank and expression and aborts. Never
 * compiled out. */
#define HG_ASSERT(cond) ((cond) ? (void)0 : hg_error_abort(#cond, __FILE__, __LINE__))

/** Fill the calling thread's error record.
 *
 * @local
 * @param[in] status  code of the failure, not HG_OK
 * @param[in] file    source file, borrowed
 * @param[in] line    source line
 * @param[in] format  printf format of the sentence: lower case, no full stop
 * @return `status`
 */
hg_status hg_error_raise(hg_status status, const char *file, int line, const char *format, ...)
    HG_PRINTF(4, 5);

/** Put a clause in front of the message of the calling thread's record ("file 'x': ...").
 *
 * @local
 * @param[in] format  printf format of the clause
 */
void hg_error_prefix(const char *format, ...) HG_PRINTF(1, 2);

/** Get the calling thread's record; valid until the thread's next failure.
 *
 * @local
 * @return borrowed pointer, never NULL
 */
const hg_error_record *hg_error_last(void);

/** Replace the calling thread's record (used by an agreement over ranks).
 *
 * @local
 * @param[in] record  copied
 */
void hg_error_set(const hg_error_record *record);

/** Name, text and exit code of a status.
 *
 * @local
 * @param[in] status  any status
 * @return borrowed constant string, or the documented exit code
 */
const char *hg_status_name(hg_status status);
const char *hg_status_text(hg_status status);
int hg_status_exit_code(hg_status status);

/** Set what HG_ASSERT calls after its message (par installs MPI_Abort); NULL restores abort().
 *
 * @local
 * @param[in] handler  function that does not return
 */
void hg_error_on_abort(void (*handler)(void));

/** Print a broken invariant and end the process.
 *
 * @local
 * @param[in] expression  text of the condition
 * @param[in] file        source file
 * @param[in] line        source line
 */
HG_NORETURN void hg_error_abort(const char *expression, const char *file, int line);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif
