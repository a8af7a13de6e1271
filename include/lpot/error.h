/* Status codes and error values: what every fallible function of lpot returns and fills.
 *
 * Compatible with C99 and C++. */
#ifndef LPOT_ERROR_H
#define LPOT_ERROR_H

#if defined(__GNUC__)
#define LPOT_API __attribute__((visibility("default")))
#define LPOT_MUST_CHECK __attribute__((warn_unused_result))
#else
#define LPOT_API
#define LPOT_MUST_CHECK
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, text, exit code): who must act decides the exit code of a program. New ones are added at
 * the end. */
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

/* Allocated by the caller, zero at first; holds nothing that must be freed. What other processes
 * tell comes as a message alone. */
typedef struct lpot_error {
  lpot_status status; /* LPOT_OK while unset */
  const char *file;   /* source file of lpot that failed; static string, NULL where another process
                         failed */
  int line;           /* source line that failed */
  char message[512];  /* one line, lower case, no trailing period; it begins with file:line:column
                         where a configuration is wrong */
  /* The place that the message names, where it is known; a name that does not fit ends in "...". */
  char place_file[256]; /* configuration, or the name that its text was given, or "--set KEY" of a
                           setting, or model; "" */
  int place_line;       /* from 1; 0: not known */
  int place_column;     /* from 1, in characters; 0: not known */
  char node[128];       /* of the model; "" */
} lpot_error;

/* "invalid configuration"; static. */
LPOT_API const char *lpot_status_text(lpot_status status);
/* What a program should return: 0 fine, 1 run-time failure, 2 usage, 3 configuration, 4 model, 6
 * interrupted, resumable. */
LPOT_API int lpot_status_exit_code(lpot_status status);

#ifdef __cplusplus
}
#endif

#endif
