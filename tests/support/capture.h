/* Standard error, taken for a while: what was logged can be looked at. */
#ifndef LPOT_TESTS_SUPPORT_CAPTURE_H
#define LPOT_TESTS_SUPPORT_CAPTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

/* What is written to standard error meanwhile. */
typedef struct capture {
  int saved_stderr;
  FILE *file;
} capture;

static inline capture begin_capture(void) {
  capture captured = {.saved_stderr = dup(STDERR_FILENO), .file = tmpfile()};
  assert_non_null(captured.file);
  fflush(stderr);
  dup2(fileno(captured.file), STDERR_FILENO);
  return captured;
}

static inline void end_capture(capture captured, char *out, size_t out_size) {
  fflush(stderr);
  dup2(captured.saved_stderr, STDERR_FILENO);
  close(captured.saved_stderr);
  rewind(captured.file);
  size_t size = fread(out, 1, out_size - 1, captured.file);
  out[size] = '\0';
  fclose(captured.file);
}

#endif
