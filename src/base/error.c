#include "base/error.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

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

/* The length of the name behind "node '" where text begins so, up to its last quote before a colon,
 * a blank or the end; 0: it does not. */
static size_t node_length(const char *text, const char **ret_name) {
  static const char begin[] = "node '";
  if (strncmp(text, begin, sizeof begin - 1) != 0) {
    return 0;
  }
  *ret_name = text + sizeof begin - 1;
  for (const char *quote = strchr(*ret_name, '\''); quote != NULL;
       quote = strchr(quote + 1, '\'')) {
    if (quote[1] == '\0' || quote[1] == ':' || quote[1] == ' ') {
      return (size_t)(quote - *ret_name);
    }
  }
  return 0;
}

/* Cut to fit. */
static void keep(char *out, size_t out_size, const char *text, size_t length) {
  size_t kept = length < out_size ? length : out_size - 1;
  memcpy(out, text, kept);
  out[kept] = '\0';
  if (kept < length) {
    mark_truncated(out, out_size);
  }
}

static void note_node(lpot_error *err, const char *text) {
  const char *name = NULL;
  size_t length = node_length(text, &name);
  if (length > 0 && err->node[0] == '\0') {
    keep(err->node, sizeof err->node, name, length);
  }
}

void lpot_error_node(lpot_error *err, const char *name) {
  if (err != NULL && err->node[0] == '\0') {
    keep(err->node, sizeof err->node, name, strlen(name));
  }
}

lpot_status lpot_error_at(lpot_error *err, const char *file, int line, int column,
                          lpot_status status) {
  if (err != NULL && status != LPOT_OK) {
    keep(err->place_file, sizeof err->place_file, file, strlen(file));
    err->place_line = line;
    err->place_column = column;
  }
  return status;
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
  *err = (lpot_error){.status = status, .file = file, .line = line};
  lpot_text_printable(message, err->message, sizeof err->message);
  note_node(err, message);
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
  note_node(err, message);
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
  lpot_text_printable(message, err->message, sizeof err->message);
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
