#include "cli/options.h"

#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/given_option.h"

typedef lpot_status (*option_setter)(lpot_options *options, const char *value, lpot_error *err);

typedef struct option_row {
  const char *name;
  char letter;          /* 0: no short form */
  const char *argument; /* name of its argument; NULL: none */
  const char *help;
  option_setter set;
  unsigned commands; /* FOR_ bits of the commands that it belongs to */
} option_row;

#define FOR_TUNE 1u
#define FOR_EXPORT 2u
#define FOR_DRY_RUN 4u
#define FOR_STATUS 8u
#define FOR_REBUILD 16u
#define FOR_REPORT 32u
#define FOR_ALL (FOR_TUNE | FOR_EXPORT | FOR_DRY_RUN | FOR_STATUS | FOR_REBUILD | FOR_REPORT)

static lpot_status set_workspace(lpot_options *options, const char *value, lpot_error *err) {
  if (value[0] == '\0') {
    return LPOT_FAIL(err, LPOT_INVALID, "--workspace: expected a folder");
  }
  options->tune.workspace = value;
  return LPOT_OK;
}

static lpot_status set_resume(lpot_options *options, const char *value, lpot_error *err) {
  (void)value;
  (void)err;
  options->tune.resume = true;
  return LPOT_OK;
}

static lpot_status add_setting(lpot_options *options, const char *value, lpot_error *err) {
  if (options->tune.num_settings == LPOT_MAX_SETTINGS) {
    return LPOT_FAIL(err, LPOT_INVALID, "--set: at most %d settings are allowed",
                     LPOT_MAX_SETTINGS);
  }
  const char *equals = strchr(value, '=');
  if (equals == NULL || equals == value) {
    return LPOT_FAIL(err, LPOT_INVALID, "--set '%s': expected KEY.PATH=VALUE", value);
  }
  options->settings[options->tune.num_settings++] = value;
  return LPOT_OK;
}

static lpot_status set_seed(lpot_options *options, const char *value, lpot_error *err) {
  int64_t seed = 0;
  if (!lpot_text_to_int64(value, &seed) || seed < 0) {
    return LPOT_FAIL(err, LPOT_INVALID, "--seed '%s': expected a number of at least 0", value);
  }
  bool first = options->seed_setting[0] == '\0';
  snprintf(options->seed_setting, sizeof options->seed_setting, "tuning.random_seed=%lld",
           (long long)seed);
  if (first) {
    LPOT_TRY(add_setting(options, options->seed_setting, err));
  }
  return LPOT_OK;
}

static lpot_status set_recipe(lpot_options *options, const char *value, lpot_error *err) {
  (void)err;
  options->tune.recipe_path = value;
  return LPOT_OK;
}

static lpot_status set_cost_table(lpot_options *options, const char *value, lpot_error *err) {
  (void)err;
  options->tune.cost_table_path = value;
  return LPOT_OK;
}

static lpot_status set_json(lpot_options *options, const char *value, lpot_error *err) {
  (void)value;
  (void)err;
  options->tune.json = true;
  return LPOT_OK;
}

static lpot_status set_dry_run(lpot_options *options, const char *value, lpot_error *err) {
  (void)value;
  (void)err;
  options->dry_run = true;
  return LPOT_OK;
}

/* *ret is the name of a NULL terminated list that value is. */
static bool take_name(const char *value, const char *const *names, const char **ret) {
  for (size_t i = 0; names[i] != NULL; i++) {
    if (strcmp(names[i], value) == 0) {
      *ret = names[i];
      return true;
    }
  }
  return false;
}

static lpot_status set_progress(lpot_options *options, const char *value, lpot_error *err) {
  static const char *const styles[] = {"auto", "bar", "line", "none", NULL};
  if (!take_name(value, styles, &options->progress)) {
    return LPOT_FAIL(err, LPOT_INVALID, "--progress '%s': expected auto, bar, line or none", value);
  }
  return LPOT_OK;
}

static lpot_status set_log_level(lpot_options *options, const char *value, lpot_error *err) {
  static const char *const levels[] = {"debug", "info", "warning", "error", "silent", NULL};
  if (!take_name(value, levels, &options->log_level)) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "--log-level '%s': expected debug, info, warning, error or silent", value);
  }
  return LPOT_OK;
}

static lpot_status set_quiet(lpot_options *options, const char *value, lpot_error *err) {
  (void)value;
  (void)err;
  options->tune.quiet = true;
  options->progress = "none";
  options->log_level = "error";
  return LPOT_OK;
}

static lpot_status set_trial(lpot_options *options, const char *value, lpot_error *err) {
  int64_t trial = 0;
  if (!lpot_text_to_int64(value, &trial) || trial < 1) {
    return LPOT_FAIL(err, LPOT_INVALID, "--trial '%s': expected a number of at least 1", value);
  }
  options->trial = (uint64_t)trial;
  return LPOT_OK;
}

static lpot_status set_output(lpot_options *options, const char *value, lpot_error *err) {
  if (value[0] == '\0') {
    return LPOT_FAIL(err, LPOT_INVALID, "--output: expected a folder");
  }
  options->output = value;
  return LPOT_OK;
}

static lpot_status set_help(lpot_options *options, const char *value, lpot_error *err) {
  (void)value;
  (void)err;
  options->command = LPOT_COMMAND_HELP;
  return LPOT_OK;
}

static lpot_status set_version(lpot_options *options, const char *value, lpot_error *err) {
  (void)value;
  (void)err;
  options->command = LPOT_COMMAND_VERSION;
  return LPOT_OK;
}

static const option_row rows[] = {
    {"workspace", 'w', "FOLDER", "where all files go; default: tuning.workspace.path",
     set_workspace, FOR_TUNE | FOR_DRY_RUN},
    {"resume", 'r', NULL, "go on with the journal in the workspace", set_resume,
     FOR_TUNE | FOR_DRY_RUN},
    {"seed", 0, "N", "seed of every random choice (tuning.random_seed)", set_seed,
     FOR_TUNE | FOR_DRY_RUN},
    {"set", 's', "KEY.PATH=VALUE", "set a key of the configuration; may be repeated", add_setting,
     FOR_TUNE | FOR_DRY_RUN},
    {"recipe", 0, "FILE", "evaluate and export this recipe instead of searching", set_recipe,
     FOR_TUNE},
    {"cost-table", 0, "FILE", "what each op costs (op_times.yaml), instead of measuring it",
     set_cost_table, FOR_TUNE},
    {"dry-run", 'n', NULL, "print ops, space and plan, and stop", set_dry_run, FOR_DRY_RUN},
    {"json", 'j', NULL, "print the result as one JSON object instead of the table", set_json,
     FOR_TUNE | FOR_STATUS},
    {"progress", 0, "STYLE", "auto, bar, line or none, on standard error", set_progress, FOR_ALL},
    {"log-level", 0, "LEVEL", "debug, info, warning, error or silent", set_log_level, FOR_ALL},
    {"quiet", 'q', NULL, "no progress, no table, errors only", set_quiet, FOR_TUNE | FOR_EXPORT},
    {"trial", 't', "N", "export: the trial to export", set_trial, FOR_EXPORT},
    {"output", 'o', "FOLDER", "export: where to; default: WORKSPACE/trial_N", set_output,
     FOR_EXPORT},
    {"help", 'h', NULL, "print this help", set_help, FOR_ALL},
    {"version", 'V', NULL, "print the version", set_version, FOR_ALL},
};

#define NUM_ROWS (sizeof rows / sizeof rows[0])
_Static_assert(NUM_ROWS <= LPOT_MAX_OPTIONS, "lpot_options.given has a place for each row");
#define FIRST_LONG 256 /* getopt's value for row 0, beyond all letters */

void lpot_options_help(FILE *out) {
  fputs(
      "Usage: lpot-tune [options] CONF MODEL\n"
      "       lpot-tune export [options] WORKSPACE --trial N\n"
      "       lpot-tune status [--json] WORKSPACE\n"
      "       lpot-tune rebuild WORKSPACE\n"
      "       lpot-tune report WORKSPACE\n"
      "Finds the fastest int8 recipe of the ONNX network MODEL that keeps its accuracy within the\n"
      "criterion of the YAML file CONF. Under mpirun rank 0 coordinates and the others work.\n\n"
      "Options:\n",
      out);
  for (size_t i = 0; i < NUM_ROWS; i++) {
    char left[64];
    char letter[8] = "    ";
    if (rows[i].letter != 0) {
      snprintf(letter, sizeof letter, "-%c, ", rows[i].letter);
    }
    snprintf(left, sizeof left, "%s--%s%s%s", letter, rows[i].name,
             rows[i].argument != NULL ? " " : "", rows[i].argument != NULL ? rows[i].argument : "");
    fprintf(out, "  %-28s %s\n", left, rows[i].help);
  }
  fputs("\nExit codes: 0 criterion met, 1 run-time failure, 2 usage, 3 configuration, 4 model,\n"
        "            5 criterion not met (the best recipe is written), 6 interrupted, resumable.\n"
        "LPOT_ENGINE=reference in the environment runs the slow reference engine, for debugging.\n",
        out);
}

static void fill_getopt(struct option long_options[NUM_ROWS + 1], char letters[2 * NUM_ROWS + 3]) {
  size_t used = 0;
  letters[used++] = ':'; /* A missing argument is told apart from an unknown option. */
  for (size_t i = 0; i < NUM_ROWS; i++) {
    long_options[i] =
        (struct option){.name = rows[i].name,
                        .has_arg = rows[i].argument != NULL ? required_argument : no_argument,
                        .val = FIRST_LONG + (int)i};
    if (rows[i].letter != 0) {
      letters[used++] = rows[i].letter;
      if (rows[i].argument != NULL) {
        letters[used++] = ':';
      }
    }
  }
  long_options[NUM_ROWS] = (struct option){0};
  letters[used] = '\0';
}

static const option_row *find_row(int value) {
  if (value >= FIRST_LONG && value < FIRST_LONG + (int)NUM_ROWS) {
    return &rows[value - FIRST_LONG];
  }
  for (size_t i = 0; i < NUM_ROWS; i++) {
    if (rows[i].letter != 0 && rows[i].letter == value) {
      return &rows[i];
    }
  }
  return NULL;
}

static lpot_status fail_unknown(const char *given, lpot_error *err) {
  const char *names[NUM_ROWS + 1] = {0};
  for (size_t i = 0; i < NUM_ROWS; i++) {
    names[i] = rows[i].name;
  }
  char name[64] = "";
  const char *start = given + strspn(given, "-");
  size_t length = strcspn(start, "=");
  snprintf(name, sizeof name, "%.*s", (int)(length < 60 ? length : 60), start);
  const char *nearest = strncmp(given, "--", 2) == 0 ? lpot_text_nearest(name, names) : NULL;
  if (nearest != NULL) {
    return LPOT_FAIL(err, LPOT_INVALID, "unknown option '%s', did you mean --%s?", given, nearest);
  }
  return LPOT_FAIL(err, LPOT_INVALID, "unknown option '%s', see --help", given);
}

static lpot_status read_options(int argc, char **argv, lpot_options *options, lpot_error *err) {
  struct option long_options[NUM_ROWS + 1];
  char letters[2 * NUM_ROWS + 3];
  fill_getopt(long_options, letters);
  opterr = 0;
  optind = 0; /* Starts anew, also when called a second time in one process. */
  for (;;) {
    int value = getopt_long(argc, argv, letters, long_options, NULL);
    if (value == -1) {
      return LPOT_OK;
    }
    char given[LPOT_GIVEN_OPTION];
    lpot_given_option(long_options, argv, given);
    if (value == ':') {
      return LPOT_FAIL(err, LPOT_INVALID, "option '%s' needs an argument", given);
    }
    const option_row *row = value == '?' ? NULL : find_row(value);
    if (row == NULL) {
      LPOT_TRY(fail_unknown(given, err));
    } else {
      LPOT_TRY(row->set(options, optarg, err));
      options->given[row - rows] = true;
    }
  }
}

/* An option of another command is refused: it would have no effect. */
static lpot_status check_given(const lpot_options *options, unsigned command, const char *what,
                               lpot_error *err) {
  for (size_t i = 0; i < NUM_ROWS; i++) {
    if (options->given[i] && (rows[i].commands & command) == 0) {
      return LPOT_FAIL(err, LPOT_INVALID, "--%s has no effect with %s", rows[i].name, what);
    }
  }
  return LPOT_OK;
}

/* The commands that begin with their name and take a workspace. */
static const struct {
  const char *name;
  lpot_command command;
  unsigned bit;
} sub_commands[] = {{"export", LPOT_COMMAND_EXPORT, FOR_EXPORT},
                    {"status", LPOT_COMMAND_STATUS, FOR_STATUS},
                    {"rebuild", LPOT_COMMAND_REBUILD, FOR_REBUILD},
                    {"report", LPOT_COMMAND_REPORT, FOR_REPORT}};

#define NUM_SUB_COMMANDS (sizeof sub_commands / sizeof sub_commands[0])

/* Index of the sub-command that the arguments begin with, or NUM_SUB_COMMANDS. */
static size_t find_sub_command(int count, char **rest) {
  size_t i = 0;
  while (i < NUM_SUB_COMMANDS && (count == 0 || strcmp(rest[0], sub_commands[i].name) != 0)) {
    i++;
  }
  return i;
}

/* The sub-command whose name is near to text, or NULL. */
static const char *nearest_sub_command(const char *text) {
  const char *names[NUM_SUB_COMMANDS + 1] = {NULL};
  for (size_t i = 0; i < NUM_SUB_COMMANDS; i++) {
    names[i] = sub_commands[i].name;
  }
  return lpot_text_nearest(text, names);
}

/* A misspelt command looks like a configuration. */
static lpot_status check_command(const char *config_path, lpot_error *err) {
  const char *nearest = nearest_sub_command(config_path);
  if (nearest == NULL || access(config_path, F_OK) == 0) {
    return LPOT_OK;
  }
  return LPOT_FAIL(err, LPOT_INVALID,
                   "there is no file or command '%s', did you mean the command %s?", config_path,
                   nearest);
}

static lpot_status fail_count(int count, char **rest, lpot_error *err) {
  const char *nearest = count == 0 ? NULL : nearest_sub_command(rest[0]);
  return LPOT_FAIL(err, LPOT_INVALID, "expected CONF and MODEL, got %d arguments%s%s%s, see --help",
                   count, nearest == NULL ? "" : " (did you mean the command ",
                   nearest == NULL ? "" : nearest, nearest == NULL ? "" : "?)");
}

static lpot_status take_sub_command(size_t index, int count, char **rest, lpot_options *options,
                                    lpot_error *err) {
  const char *name = sub_commands[index].name;
  if (count != 2) {
    return LPOT_FAIL(err, LPOT_INVALID, "%s: expected one WORKSPACE, got %d arguments", name,
                     count - 1);
  }
  if (sub_commands[index].command == LPOT_COMMAND_EXPORT && options->trial == 0) {
    return LPOT_FAIL(err, LPOT_INVALID, "export: --trial N is missing");
  }
  LPOT_TRY(check_given(options, sub_commands[index].bit, name, err));
  options->command = sub_commands[index].command;
  options->workspace = rest[1];
  return LPOT_OK;
}

lpot_status lpot_options_parse(int argc, char **argv, lpot_options *options, lpot_error *err) {
  *options = (lpot_options){.progress = "auto", .log_level = "info"};
  options->tune.settings = options->settings;
  LPOT_TRY(read_options(argc, argv, options, err));
  if (options->command == LPOT_COMMAND_HELP || options->command == LPOT_COMMAND_VERSION) {
    return LPOT_OK;
  }
  int count = argc - optind;
  char **rest = argv + optind;
  size_t index = find_sub_command(count, rest);
  if (index < NUM_SUB_COMMANDS) {
    LPOT_TRY(take_sub_command(index, count, rest, options, err));
    return LPOT_OK;
  }
  if (count != 2) {
    return fail_count(count, rest, err);
  }
  LPOT_TRY(check_command(rest[0], err));
  if (options->trial != 0 || options->output != NULL) {
    return LPOT_FAIL(err, LPOT_INVALID, "--trial and --output belong to lpot-tune export");
  }
  LPOT_TRY(check_given(options, options->dry_run ? FOR_DRY_RUN : FOR_TUNE,
                       options->dry_run ? "--dry-run" : "tuning", err));
  options->tune.config_path = rest[0];
  options->tune.model_path = rest[1];
  return LPOT_OK;
}
