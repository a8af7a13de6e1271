/* Status codes and error values used by every fallible function of the project.
 *
 * A fallible function returns lpot_status and takes an lpot_error pointer last. The error is
 * filled exactly once, where the failure happens; callers propagate with LPOT_TRY and may add
 * context with lpot_error_prefix. An error holds no pointers that must be freed and may be NULL. */
#ifndef LPOT_BASE_ERROR_H
#define LPOT_BASE_ERROR_H

#include <stdarg.h>
#include <stddef.h>

#include <lpot/error.h>

#define LPOT_PRINTF(format_index, first_index)                                                     \
  __attribute__((format(printf, format_index, first_index)))

/* Fills err (may be NULL) and returns status. Control characters and invalid UTF-8 of names that
 * are quoted become '?' in the message. A message, or a context below, that begins with "node
 * 'NAME'" is about that node: the innermost one becomes err->node. */
lpot_status lpot_error_set(lpot_error *err, lpot_status status, const char *file, int line,
                           const char *format, ...) LPOT_PRINTF(5, 6);

/* Notes the place in a file of the user's (line and column 0: not known) that the message names;
 * status LPOT_OK: nothing. Returns status. */
lpot_status lpot_error_at(lpot_error *err, const char *file, int line, int column,
                          lpot_status status);

/* Notes the node that the message is about, where that does not begin with it; the innermost stays.
 */
void lpot_error_node(lpot_error *err, const char *name);

/* Puts "<context>: " before the message, unless it begins with that context already; a message that
 * no longer fits ends in "...". */
void lpot_error_prefix(lpot_error *err, const char *format, ...) LPOT_PRINTF(2, 3);

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
