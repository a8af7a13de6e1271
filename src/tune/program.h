/* A program of the user's that is talked to in lines over its standard input and output; what it
 * writes to standard error comes out on ours. It is started by posix_spawn, which shares no memory
 * with the process that runs MPI, and gets no other file of ours. Not collective. */
#ifndef LPOT_TUNE_PROGRAM_H
#define LPOT_TUNE_PROGRAM_H

#include "base/error.h"

#define LPOT_MAX_PROGRAM_LINE (4u << 20) /* bytes */

typedef struct lpot_program lpot_program;

/* What is done meanwhile while the program is waited for, five times a second or less often. */
typedef lpot_status (*lpot_program_idle)(void *context, lpot_error *err);

/* words [count] name the program (looked for in PATH) and its arguments. LPOT_CONFIG where it
 * cannot be started. idle may be NULL; no wait for the program takes longer than timeout_seconds
 * (LPOT_IO). */
LPOT_MUST_CHECK lpot_status lpot_program_start(const char *const *words, size_t count,
                                               double timeout_seconds, lpot_program_idle idle,
                                               void *context, lpot_program **ret_program,
                                               lpot_error *err);
/* Closes its input, throws away what it still writes, and ends it where it does not end by itself
 * within two seconds; what it has started and left in its process group is ended, too. NULL is
 * allowed. */
void lpot_program_stop(lpot_program *program);
/* Writes text and a newline; what the program writes meanwhile is kept. LPOT_IO where it has
 * failed; one that has ended with exit code 0 reads no more, and that is all right. */
LPOT_MUST_CHECK lpot_status lpot_program_send(lpot_program *program, const char *text,
                                              lpot_error *err);
/* Waits for a line: text without the newline, owned by the caller; NULL: the program has ended, of
 * its own will and with exit code 0. LPOT_IO where it ended otherwise, or for a line that is too
 * long, not ended, or has a zero byte in it. */
LPOT_MUST_CHECK lpot_status lpot_program_receive(lpot_program *program, char **ret_line,
                                                 lpot_error *err);
/* Line number index of those that have come and were not received yet, without waiting: text [size]
 * without the newline, borrowed until the next call; NULL: there is none. */
const char *lpot_program_peek(lpot_program *program, size_t index, size_t *ret_size);

#endif
