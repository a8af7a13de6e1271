/* op_wise patterns. What the C library's regcomp turns into huge automata (counted repetition,
 * nested '+') or exponential searches (back references) is refused before it sees the text. */
#include <regex.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "strategy/space_build.h"

#define MAX_PATTERN_LENGTH 256
#define MAX_PLUSES 8

struct lpot_space_pattern {
  regex_t expression;
};

static bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool lpot_space_pattern_is_plain(const char *text) {
  if (!is_alphanumeric(text[0]) && text[0] != '.') {
    return false;
  }
  for (const char *c = text + 1; *c != '\0'; c++) {
    if (!is_alphanumeric(*c) && strchr("_.-/", *c) == NULL) {
      return false;
    }
  }
  return true;
}

/* NULL, or why the text is refused. */
static const char *find_problem(const char *text) {
  if (strlen(text) > MAX_PATTERN_LENGTH) {
    return "expected at most 256 characters";
  }
  int pluses = 0;
  for (const char *c = text; *c != '\0'; c++) {
    pluses += *c == '+' ? 1 : 0;
    if (*c == '{') {
      return "counted repetition {n} is not supported";
    }
    if (*c != '\\') {
      continue;
    }
    c++;
    if (*c == 'd' || *c == 'D') {
      return "\\d is not supported, expected [0-9]";
    }
    if (*c >= '1' && *c <= '9') {
      return "back references are not supported";
    }
    if (*c == '\0') {
      return "it ends in a backslash";
    }
  }
  return pluses > MAX_PLUSES ? "expected at most 8 times '+'" : NULL;
}

static lpot_status fail_pattern(const lpot_wish *wish, const char *problem, lpot_error *err) {
  char shown[96];
  lpot_text_printable(wish->pattern, shown, sizeof shown);
  const char *file = wish->file == NULL ? "configuration" : wish->file;
  lpot_status status =
      LPOT_FAIL(err, LPOT_CONFIG, "%s:%d:%d: quantization.op_wise: bad pattern '%s': %s", file,
                wish->line, wish->column, shown, problem);
  return lpot_error_at(err, file, wish->line, wish->column, status);
}

lpot_status lpot_space_pattern_new(const lpot_wish *wish, lpot_space_pattern **ret_pattern,
                                   lpot_error *err) {
  const char *problem = find_problem(wish->pattern);
  if (problem != NULL) {
    return fail_pattern(wish, problem, err);
  }
  lpot_space_pattern *pattern = lpot_calloc(1, sizeof *pattern);
  if (pattern == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  int code = regcomp(&pattern->expression, wish->pattern, REG_EXTENDED);
  if (code != 0) {
    char text[128];
    regerror(code, &pattern->expression, text, sizeof text);
    lpot_free(pattern);
    return fail_pattern(wish, text, err);
  }
  *ret_pattern = pattern;
  return LPOT_OK;
}

void lpot_space_pattern_free(lpot_space_pattern *pattern) {
  if (pattern == NULL) {
    return;
  }
  regfree(&pattern->expression);
  lpot_free(pattern);
}

/* The leftmost match is found, so a match at the beginning is never missed. */
bool lpot_space_pattern_matches(const lpot_space_pattern *pattern, const char *name) {
  regmatch_t match;
  return regexec(&pattern->expression, name, 1, &match, 0) == 0 && match.rm_so == 0;
}
