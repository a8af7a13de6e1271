#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define MAX_LINE 4096

/* Logging is the one service whose settings belong to the process and not to an object. */
static lpot_log_level shown_level = LPOT_LOG_INFO;
static int shown_rank = -1;
static void (*before_line)(void);

static const char *const level_names[] = {"debug", "info", "warning", "error", "silent"};
static const char *const level_prefixes[] = {"debug: ", "", "warning: ", "error: ", ""};

bool lpot_log_level_from_text(const char *text, lpot_log_level *ret) {
  for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
    if (strcmp(text, level_names[i]) == 0) {
      *ret = (lpot_log_level)i;
      return true;
    }
  }
  return false;
}

void lpot_log_set_level(lpot_log_level level) {
  shown_level = level;
}

void lpot_log_set_rank(int rank) {
  if (shown_rank != rank) { /* Where an evaluator is a thread of its rank both say the same. */
    shown_rank = rank;
  }
}

void lpot_log_set_before_line(void (*before)(void)) {
  before_line = before;
}

void lpot_log(lpot_log_level level, const char *format, ...) {
  if (level < shown_level || level >= LPOT_LOG_SILENT) {
    return;
  }
  /* The line is built first and written at once, so that lines of several ranks do not mix. */
  char text[MAX_LINE - 1];
  char line[MAX_LINE];
  char rank_text[32] = "";
  if (shown_rank >= 0) {
    snprintf(rank_text, sizeof rank_text, "[rank %d] ", shown_rank);
  }
  int head = snprintf(text, sizeof text, "%s%s", rank_text, level_prefixes[level]);
  va_list arguments;
  va_start(arguments, format);
  int body = vsnprintf(text + head, sizeof text - (size_t)head, format, arguments);
  va_end(arguments);
  if (body < 0) {
    return;
  }
  if ((size_t)head + (size_t)body >= sizeof text) {
    memcpy(text + sizeof text - sizeof "...", "...", sizeof "...");
  }
  lpot_text_printable(text, line, sizeof line - 1);
  size_t length = strlen(line);
  line[length] = '\n';
  if (before_line != NULL) {
    before_line();
  }
  fwrite(line, 1, length + 1, stderr);
}
