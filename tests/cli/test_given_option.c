#include "cli/given_option.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MAX_WORDS 8

static const struct option long_options[] = {{"json", no_argument, NULL, 'j'},
                                             {"set", required_argument, NULL, 's'},
                                             {"recipe", required_argument, NULL, 256},
                                             {NULL, 0, NULL, 0}};

/* What is named of the first option that is not taken. */
static void name_of(char *const *words, int expected, char *out) {
  char *argv[MAX_WORDS + 1] = {NULL};
  int argc = 0;
  while (words[argc] != NULL) {
    argv[argc] = words[argc];
    argc++;
  }
  int letter = 0;
  opterr = 0;
  optind = 0;
  do {
    letter = getopt_long(argc, argv, ":js:", long_options, NULL);
  } while (letter != -1 && letter != '?' && letter != ':');
  assert_int_equal(letter, expected);
  lpot_given_option(long_options, argv, out);
}

static void option_is_named_as_it_was_written(void **state) {
  (void)state;
  static const struct {
    char *words[MAX_WORDS];
    int expected;
    const char *name;
  } cases[] = {
      {{"p", "-z", "a"}, '?', "-z"},
      {{"p", "-jzj", "a"}, '?', "-z"}, /* in the middle of a word */
      {{"p", "-jz", "a"}, '?', "-z"},  /* at its end */
      {{"p", "--json", "-zj"}, '?', "-z"},
      {{"p", "--set=a=b", "-zj"}, '?', "-z"},
      {{"p", "a", "b", "-zj"}, '?', "-z"}, /* behind what is no option */
      {{"p", "a", "--json", "b", "-jz"}, '?', "-z"},
      {{"p", "--frob", "a"}, '?', "--frob"},
      {{"p", "a", "--frob=1", "b"}, '?', "--frob=1"},
      {{"p", "--json=1", "a"}, '?', "--json=1"}, /* it takes no argument */
      {{"p", "-j-"}, '?', "--"},
      {{"p", "-j\xC3\xA9"}, '?', "-\\xc3"},
      {{"p", "-j\x1B"}, '?', "-\\x1b"},
      {{"p", "a", "-s"}, ':', "-s"},
      {{"p", "--json", "-js"}, ':', "-s"},
      {{"p", "--set"}, ':', "--set"},
      {{"p", "a", "--recipe"}, ':', "--recipe"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char name[LPOT_GIVEN_OPTION];
    name_of(cases[i].words, cases[i].expected, name);
    assert_string_equal(name, cases[i].name);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(option_is_named_as_it_was_written),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
