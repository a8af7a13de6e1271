#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/options.h"

#define PARSE(options, error, ...)                                                                 \
  parse((char *[]){"lpot-tune", __VA_ARGS__, NULL}, (options), (error))

static lpot_status parse(char **argv, lpot_options *options, lpot_error *error) {
  int argc = 0;
  while (argv[argc] != NULL) {
    argc++;
  }
  *error = (lpot_error){0};
  return lpot_options_parse(argc, argv, options, error);
}

static void unknown_option_names_the_nearest(void **state) {
  (void)state;
  lpot_options options;
  lpot_error error;
  assert_int_equal(PARSE(&options, &error, "--workspac", "x", "a", "b"), LPOT_OK); /* a prefix */
  assert_int_equal(PARSE(&options, &error, "--wrkspace", "x", "a", "b"), LPOT_INVALID);
  assert_non_null(strstr(error.message, "--workspace"));
  assert_int_equal(PARSE(&options, &error, "-z", "a", "b"), LPOT_INVALID);
  assert_non_null(strstr(error.message, "--help"));
  assert_int_equal(PARSE(&options, &error, "--resume", "-qzj", "a", "b"), LPOT_INVALID);
  assert_string_equal(error.message, "unknown option '-z', see --help");
  assert_int_equal(PARSE(&options, &error, "a", "b", "-qw"), LPOT_INVALID);
  assert_string_equal(error.message, "option '-w' needs an argument");
}

static void a_misspelt_command_names_the_nearest(void **state) {
  (void)state;
  lpot_options options;
  lpot_error error;
  assert_int_equal(PARSE(&options, &error, "exprt", "w"), LPOT_INVALID);
  assert_string_equal(error.message, "there is no file or command 'exprt', did you mean the "
                                     "command export?");
  assert_int_equal(PARSE(&options, &error, "statsu", "w", "--json"), LPOT_INVALID);
  assert_non_null(strstr(error.message, "did you mean the command status?"));
  assert_int_equal(PARSE(&options, &error, "repot"), LPOT_INVALID);
  assert_string_equal(error.message, "expected CONF and MODEL, got 1 arguments (did you mean the "
                                     "command report?), see --help");
  /* A file of that name is a configuration. */
  char folder[] = "/tmp/lpot_options_XXXXXX";
  char path[64];
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/exprt", folder);
  assert_int_equal(symlink("/dev/null", path), 0);
  char *working = getcwd(NULL, 0);
  assert_int_equal(chdir(folder), 0);
  assert_int_equal(PARSE(&options, &error, "exprt", "w"), LPOT_OK);
  assert_int_equal(chdir(working), 0);
  free(working);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(rmdir(folder), 0);
  assert_int_equal(PARSE(&options, &error, "no.yaml", "w"), LPOT_OK);
}

static void bad_values_are_refused_with_their_option(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"--seed", "-1"},      {"--seed", "x"},         {"--set", "novalue"}, {"--set", "=1"},
      {"--progress", "pie"}, {"--log-level", "loud"}, {"--trial", "0"},     {"--workspace", ""}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    lpot_options options;
    lpot_error error;
    assert_int_equal(PARSE(&options, &error, (char *)cases[i][0], (char *)cases[i][1], "a", "b"),
                     LPOT_INVALID);
    assert_non_null(strstr(error.message, cases[i][0]));
  }
  lpot_options options;
  lpot_error error;
  assert_int_equal(PARSE(&options, &error, "export", "w", "--trial", "1", "--output", ""),
                   LPOT_INVALID);
  assert_string_equal(error.message, "--output: expected a folder");
}

static void missing_and_surplus_arguments_are_refused(void **state) {
  (void)state;
  lpot_options options;
  lpot_error error;
  assert_int_equal(PARSE(&options, &error, "a"), LPOT_INVALID);
  assert_int_equal(PARSE(&options, &error, "a", "b", "c"), LPOT_INVALID);
  assert_int_equal(PARSE(&options, &error, "a", "b", "--workspace"), LPOT_INVALID);
  assert_int_equal(PARSE(&options, &error, "export", "w"), LPOT_INVALID);
  assert_int_equal(PARSE(&options, &error, "export", "--trial", "1"), LPOT_INVALID);
  assert_int_equal(PARSE(&options, &error, "a", "b", "--trial", "1"), LPOT_INVALID);
}

static void tuning_takes_all_its_options(void **state) {
  (void)state;
  lpot_options options;
  lpot_error error;
  assert_int_equal(PARSE(&options, &error, "-w", "ws", "--resume", "--set", "a.b=1", "--seed", "5",
                         "--json", "--progress=line", "--log-level", "debug", "c.yaml", "m.onnx"),
                   LPOT_OK);
  assert_int_equal(options.command, LPOT_COMMAND_TUNE);
  assert_string_equal(options.tune.workspace, "ws");
  assert_true(options.tune.resume && options.tune.json);
  assert_int_equal(options.tune.num_settings, 2);
  assert_string_equal(options.tune.settings[0], "a.b=1");
  assert_string_equal(options.tune.settings[1], "tuning.random_seed=5");
  assert_string_equal(options.progress, "line");
  assert_string_equal(options.log_level, "debug");
  assert_string_equal(options.tune.config_path, "c.yaml");
  assert_string_equal(options.tune.model_path, "m.onnx");
}

static void export_takes_workspace_and_trial_in_any_order(void **state) {
  (void)state;
  lpot_options options;
  lpot_error error;
  assert_int_equal(PARSE(&options, &error, "export", "ws", "--trial", "7"), LPOT_OK);
  assert_int_equal(options.command, LPOT_COMMAND_EXPORT);
  assert_string_equal(options.workspace, "ws");
  assert_int_equal(options.trial, 7);
  assert_int_equal(PARSE(&options, &error, "--trial=8", "export", "ws"), LPOT_OK);
  assert_int_equal(options.trial, 8);
}

static void status_and_rebuild_take_a_workspace(void **state) {
  (void)state;
  lpot_options options;
  lpot_error error;
  assert_int_equal(PARSE(&options, &error, "status", "ws", "--json"), LPOT_OK);
  assert_int_equal(options.command, LPOT_COMMAND_STATUS);
  assert_string_equal(options.workspace, "ws");
  assert_true(options.tune.json);
  assert_int_equal(PARSE(&options, &error, "rebuild", "ws"), LPOT_OK);
  assert_int_equal(options.command, LPOT_COMMAND_REBUILD);
  assert_int_equal(PARSE(&options, &error, "report", "ws"), LPOT_OK);
  assert_int_equal(options.command, LPOT_COMMAND_REPORT);
  assert_int_equal(PARSE(&options, &error, "rebuild", "--json", "ws"), LPOT_INVALID);
  assert_string_equal(error.message, "--json has no effect with rebuild");
  assert_int_equal(PARSE(&options, &error, "status", "--trial", "1", "ws"), LPOT_INVALID);
  assert_int_equal(PARSE(&options, &error, "status"), LPOT_INVALID);
  assert_int_equal(PARSE(&options, &error, "rebuild", "a", "b"), LPOT_INVALID);
}

static void help_and_version_need_nothing_else(void **state) {
  (void)state;
  lpot_options options;
  lpot_error error;
  assert_int_equal(PARSE(&options, &error, "--help"), LPOT_OK);
  assert_int_equal(options.command, LPOT_COMMAND_HELP);
  assert_int_equal(PARSE(&options, &error, "-V"), LPOT_OK);
  assert_int_equal(options.command, LPOT_COMMAND_VERSION);
}

static void read_file(const char *path, char *out, size_t out_size) {
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  size_t size = fread(out, 1, out_size - 1, file);
  out[size] = '\0';
  fclose(file);
}

/* Every option of --help is in the man page. */
static void man_page_knows_every_option_of_the_help(void **state) {
  (void)state;
  static char manual[1 << 16];
  char help[8192] = "";
  FILE *memory = fmemopen(help, sizeof help - 1, "w");
  assert_non_null(memory);
  lpot_options_help(memory);
  fclose(memory);
  read_file(LPOT_SOURCE_DIR "/src/cli/lpot-tune.1", manual, sizeof manual);
  size_t found = 0;
  for (const char *at = strstr(help, " --"); at != NULL; at = strstr(at + 3, " --")) {
    char name[64];
    char entry[160];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(at + 3, " \n,."), at + 3);
    size_t used = (size_t)snprintf(entry, sizeof entry, "\\-\\-");
    for (const char *letter = name; *letter != '\0'; letter++) {
      used += (size_t)snprintf(entry + used, sizeof entry - used, *letter == '-' ? "\\-" : "%c",
                               *letter);
    }
    if (strstr(manual, entry) == NULL) {
      fail_msg("--%s is not in the man page", name);
    }
    found++;
  }
  assert_true(found >= 14);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(unknown_option_names_the_nearest),
      cmocka_unit_test(a_misspelt_command_names_the_nearest),
      cmocka_unit_test(bad_values_are_refused_with_their_option),
      cmocka_unit_test(missing_and_surplus_arguments_are_refused),
      cmocka_unit_test(tuning_takes_all_its_options),
      cmocka_unit_test(export_takes_workspace_and_trial_in_any_order),
      cmocka_unit_test(status_and_rebuild_take_a_workspace),
      cmocka_unit_test(help_and_version_need_nothing_else),
      cmocka_unit_test(man_page_knows_every_option_of_the_help),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
