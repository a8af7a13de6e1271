#include "cli/given_option.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* True where optopt stands for a row of long_options. */
static bool is_known(const struct option *long_options) {
  for (size_t i = 0; long_options[i].name != NULL; i++) {
    if (long_options[i].val == optopt) {
      return true;
    }
  }
  return false;
}

void lpot_given_option(const struct option *long_options, char *const *argv, char *out) {
  /* getopt_long is behind a long option, but may be in the middle of a word of letters. */
  const char *word = argv[optind - 1];
  bool is_long = strncmp(word, "--", 2) == 0 && is_known(long_options);
  if (optopt == 0 || is_long) {
    (void)snprintf(out, LPOT_GIVEN_OPTION, "%s", word);
  } else if (optopt > ' ' && optopt <= '~') {
    (void)snprintf(out, LPOT_GIVEN_OPTION, "-%c", optopt);
  } else {
    (void)snprintf(out, LPOT_GIVEN_OPTION, "-\\x%02x", (unsigned)optopt & 0xFFu);
  }
}
