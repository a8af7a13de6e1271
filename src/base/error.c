#include "base/error.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct status_row {
  const char *text;
  int exit_code;
} status_row;

static const status_row status_table[LPOT_NUM_STATUSES] = {
#define X(name, text, exit_code) {text, exit_code},
    LPOT_STATUS_LIST(X)
#undef X
};

/* Ends a text that was cut to fit with "...", without leaving a part of a UTF-8 sequence. */
static void mark_truncated(char *text, size_t text_size) {
  size_t end = text_size - sizeof "...";
  while (end > 0 && ((unsigned char)text[end] & 0xC0U) == 0x80U) {
    end--;
  }
  memcpy(text + end, "...", sizeof "...");
}

lpot_status lpot_error_set(lpot_error *err, lpot_status status, const char *file, int line,
                           const char *format, ...) {
  if (err == NULL) {
    return status;
  }
  /* Formatted apart from err, whose old message may be one of the arguments. */
  char message[sizeof err->message];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  if (length < 0) {
    message[0] = '\0';
  }
  if (length >= (int)sizeof message) {
    mark_truncated(message, sizeof message);
  }
  err->status = status;
  err->file = file;
  err->line = line;
  memcpy(err->message, message, sizeof message);
  return status;
}

/* "node 'a'" stands before "node 'a': ..." and before "node 'a' (Relu): ...". */
static bool begins_with(const char *message, const char *context, size_t length) {
  return strncmp(message, context, length) == 0 &&
         (message[length] == ':' || strncmp(message + length, " (", 2) == 0);
}

void lpot_error_prefix(lpot_error *err, const char *format, ...) {
  if (err == NULL) {
    return;
  }
  char message[sizeof err->message];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  if (length < 0) {
    return;
  }
  if ((size_t)length >= sizeof message) {
    mark_truncated(message, sizeof message);
  } else if (begins_with(err->message, message, (size_t)length)) {
    return;
  } else {
    size_t room = sizeof message - (size_t)length;
    int rest = snprintf(message + length, room, ": %s", err->message);
    if (rest >= (int)room) {
      mark_truncated(message, sizeof message);
    }
  }
  memcpy(err->message, message, sizeof message);
}

const char *lpot_status_text(lpot_status status) {
  if ((unsigned)status >= LPOT_NUM_STATUSES) {
    return "unknown status";
  }
  return status_table[status].text;
}

int lpot_status_exit_code(lpot_status status) {
  if ((unsigned)status >= LPOT_NUM_STATUSES) {
    return 1;
  }
  return status_table[status].exit_code;
}

_Noreturn void lpot_assert_failed(const char *condition, const char *file, int line) {
  fprintf(stderr, "%s:%d: this is a bug in lpot: '%s' does not hold\n", file, line, condition);
  abort();
}
