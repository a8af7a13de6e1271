/* Log lines on standard error. Used by cli and tune only; the floors below never log. */
#ifndef LPOT_BASE_LOG_H
#define LPOT_BASE_LOG_H

#include <stdbool.h>

#include "base/error.h"

typedef enum lpot_log_level {
  LPOT_LOG_DEBUG,
  LPOT_LOG_INFO,
  LPOT_LOG_WARNING,
  LPOT_LOG_ERROR,
  LPOT_LOG_SILENT
} lpot_log_level;

/* Names "debug", "info", "warning", "error", "silent"; false when unknown. */
bool lpot_log_level_from_text(const char *text, lpot_log_level *ret);
void lpot_log_set_level(lpot_log_level level);
/* Shown before each line as "[rank 3] "; -1 shows nothing. */
void lpot_log_set_rank(int rank);
/* Called before a line is printed (to clear a progress bar); NULL for none. */
void lpot_log_set_before_line(void (*before)(void));
/* Prints one line; control characters and invalid UTF-8 in it become '?'. */
void lpot_log(lpot_log_level level, const char *format, ...) LPOT_PRINTF(2, 3);

#endif
