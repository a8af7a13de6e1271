/* Status codes and error values used by every fallible function of the project.
 *
 * A fallible function returns lpot_status and takes an lpot_error pointer last. The error is
 * filled exactly once, where the failure happens; callers propagate with LPOT_TRY and may add
 * context with lpot_error_prefix. An error holds no pointers that must be freed and may be NULL. */
#ifndef LPOT_BASE_ERROR_H
#define LPOT_BASE_ERROR_H

#include <stdarg.h>
#include <stddef.h>

#define LPOT_MUST_CHECK __attribute__((warn_unused_result))
#define LPOT_PRINTF(format_index, first_index)                                                     \
  __attribute__((format(printf, format_index, first_index)))

/* X(name, text, exit code): who must act decides the exit code of a program. */
#define LPOT_STATUS_LIST(X)                                                                        \
  X(OK, "ok", 0)                                                                                   \
  X(NO_MEMORY, "out of memory", 1)                                                                 \
  X(INVALID, "invalid argument", 2)                                                                \
  X(CONFIG, "invalid configuration", 3)                                                            \
  X(NOT_FOUND, "not found", 1)                                                                     \
  X(FORMAT, "malformed file", 4)                                                                   \
  X(UNSUPPORTED, "unsupported", 4)                                                                 \
  X(DATA, "malformed data set", 1)                                                                 \
  X(IO, "input or output failed", 1)                                                               \
  X(MPI, "message passing failed", 1)                                                              \
  X(ENGINE, "engine failed", 1)                                                                    \
  X(INTERRUPTED, "interrupted", 6)                                                                 \
  X(CRASHED, "process died", 1)                                                                    \
  X(LOST, "worker cannot work any more", 1)                                                        \
  X(INTERNAL, "internal error", 1)

typedef enum lpot_status {
#define X(name, text, exit_code) LPOT_##name,
  LPOT_STATUS_LIST(X)
#undef X
      LPOT_NUM_STATUSES
} lpot_status;

typedef struct lpot_error {
  lpot_status status; /* LPOT_OK while unset */
  const char *file;   /* source file that failed; static string, NULL after transport */
  int line;           /* source line that failed */
  char message[512];  /* lower case, no trailing period */
} lpot_error;

/* Fills err (may be NULL) and returns status. */
lpot_status lpot_error_set(lpot_error *err, lpot_status status, const char *file, int line,
                           const char *format, ...) LPOT_PRINTF(5, 6);

/* Puts "<context>: " before the message, unless it begins with that context already; a message that
 * no longer fits ends in "...". */
void lpot_error_prefix(lpot_error *err, const char *format, ...) LPOT_PRINTF(2, 3);

const char *lpot_status_text(lpot_status status);
int lpot_status_exit_code(lpot_status status);

#define LPOT_FAIL(err, status_name, ...)                                                           \
  lpot_error_set((err), (status_name), __FILE__, __LINE__, __VA_ARGS__)
#define LPOT_OUT_OF_MEMORY(err) LPOT_FAIL((err), LPOT_NO_MEMORY, "out of memory")
#define LPOT_TRY(call)                                                                             \
  do {                                                                                             \
    lpot_status lpot_try_status_ = (call);                                                         \
    if (lpot_try_status_ != LPOT_OK) {                                                             \
      return lpot_try_status_;                                                                     \
    }                                                                                              \
  } while (0)

/* For our own bugs only, never for what files, messages or users bring. */
#define LPOT_ASSERT(condition)                                                                     \
  ((condition) ? (void)0 : lpot_assert_failed(#condition, __FILE__, __LINE__))
_Noreturn void lpot_assert_failed(const char *condition, const char *file, int line);

#endif
