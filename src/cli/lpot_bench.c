/* lpot-bench: latency, throughput or accuracy of networks side by side. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lpot/lpot.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/given_option.h"

#define MAX_SETTINGS 64
#define MAX_MODELS 8

/* Options without a short form. */
enum { RECIPE = 256, BF16, CSV, HDF5 };

static const struct option long_options[] = {{"mode", required_argument, NULL, 'm'},
                                             {"set", required_argument, NULL, 's'},
                                             {"recipe", required_argument, NULL, RECIPE},
                                             {"bf16", no_argument, NULL, BF16},
                                             {"json", no_argument, NULL, 'j'},
                                             {"csv", required_argument, NULL, CSV},
                                             {"hdf5", required_argument, NULL, HDF5},
                                             {"help", no_argument, NULL, 'h'},
                                             {"version", no_argument, NULL, 'V'},
                                             {NULL, 0, NULL, 0}};

static const char help[] =
    "Usage: lpot-bench [options] CONF.yaml MODEL [MODEL...]\n"
    "       mpirun -n N lpot-bench [options] CONF.yaml MODEL [MODEL...]\n"
    "Measures networks (ONNX, float or int8 in QDQ or QOperator form) one after the other, on\n"
    "evaluation.performance.configs num_of_instance x cores_per_instance pinned processes; under\n"
    "mpirun every rank brings so many.\n"
    "\n"
    "Options:\n"
    "  -m, --mode MODE           performance: latency and throughput (the default);\n"
    "                            accuracy: the metric on the whole evaluation set\n"
    "      --recipe FILE         also measure the first MODEL as this recipe says\n"
    "                            (best_recipe.yaml of lpot-tune); may be repeated\n"
    "      --bf16                also measure the first MODEL with its ops in bf16\n"
    "  -s, --set KEY.PATH=VALUE  set a key of the configuration; may be repeated\n"
    "  -j, --json                print JSON, a line for each instance and each model\n"
    "      --csv FILE            write the same figures as CSV\n"
    "      --hdf5 FILE           write them as HDF5, with the time of every run\n"
    "  -h, --help                print this help\n"
    "  -V, --version             print the version\n"
    "\n"
    "Exit codes: 0 fine, 1 run-time failure, 2 usage, 3 configuration invalid, 4 a model cannot\n"
    "be read or run, 6 interrupted.\n";

typedef struct bench_model {
  const char *path;
  const char *recipe_path; /* NULL: as it is */
  bool in_bf16;
} bench_model;

typedef struct bench_command {
  const char *config_path, *csv_path, *hdf5_path; /* NULL: none */
  bool accuracy, json, wants_help, wants_version;
  size_t num_settings, num_models;
  const char *settings[MAX_SETTINGS];
  bench_model models[MAX_MODELS];
} bench_command;

static lpot_status add_setting(bench_command *command, const char *value, lpot_error *err) {
  const char *equals = strchr(value, '=');
  if (equals == NULL || equals == value) {
    return LPOT_FAIL(err, LPOT_INVALID, "--set '%s': expected KEY.PATH=VALUE", value);
  }
  if (command->num_settings == MAX_SETTINGS) {
    return LPOT_FAIL(err, LPOT_INVALID, "--set: at most %d settings are allowed", MAX_SETTINGS);
  }
  command->settings[command->num_settings] = value;
  command->num_settings++;
  return LPOT_OK;
}

static lpot_status set_mode(bench_command *command, const char *value, lpot_error *err) {
  if (!lpot_text_equal(value, "performance") && !lpot_text_equal(value, "accuracy")) {
    return LPOT_FAIL(err, LPOT_INVALID, "--mode '%s': expected performance or accuracy", value);
  }
  command->accuracy = lpot_text_equal(value, "accuracy");
  return LPOT_OK;
}

static lpot_status add_model(bench_command *command, const char *path, const char *recipe_path,
                             bool in_bf16, lpot_error *err) {
  if (command->num_models == MAX_MODELS) {
    return LPOT_FAIL(err, LPOT_INVALID, "at most %d models can be measured side by side",
                     MAX_MODELS);
  }
  command->models[command->num_models] =
      (bench_model){.path = path, .recipe_path = recipe_path, .in_bf16 = in_bf16};
  command->num_models++;
  return LPOT_OK;
}

/* Options that add a form of the first model wait until it is known. */
typedef struct bench_forms {
  size_t num_recipes;
  const char *recipes[MAX_MODELS];
  bool bf16;
} bench_forms;

static lpot_status take_option(bench_command *command, int letter, bench_forms *forms,
                               char *const *argv, lpot_error *err) {
  char given[LPOT_GIVEN_OPTION];
  lpot_given_option(long_options, argv, given);
  switch (letter) {
  case 'm':
    return set_mode(command, optarg, err);
  case 's':
    return add_setting(command, optarg, err);
  case RECIPE:
    if (forms->num_recipes == MAX_MODELS) {
      return LPOT_FAIL(err, LPOT_INVALID, "--recipe: at most %d are allowed", MAX_MODELS);
    }
    forms->recipes[forms->num_recipes] = optarg;
    forms->num_recipes++;
    return LPOT_OK;
  case BF16:
    forms->bf16 = true;
    return LPOT_OK;
  case 'j':
    command->json = true;
    return LPOT_OK;
  case CSV:
    command->csv_path = optarg;
    return LPOT_OK;
  case HDF5:
    command->hdf5_path = optarg;
    return LPOT_OK;
  case 'h':
    command->wants_help = true;
    return LPOT_OK;
  case 'V':
    command->wants_version = true;
    return LPOT_OK;
  case ':':
    return LPOT_FAIL(err, LPOT_INVALID, "%s: an argument is missing, see --help", given);
  default:
    return LPOT_FAIL(err, LPOT_INVALID, "unknown option '%s', see --help", given);
  }
}

static lpot_status parse(int argc, char **argv, bench_command *command, lpot_error *err) {
  bench_forms forms = {0};
  int letter = 0;
  opterr = 0;
  while ((letter = getopt_long(argc, argv, ":m:s:jhV", long_options, NULL)) != -1) {
    LPOT_TRY(take_option(command, letter, &forms, argv, err));
  }
  if (command->wants_help || command->wants_version) {
    return LPOT_OK;
  }
  if (argc - optind < 2) {
    return LPOT_FAIL(err, LPOT_INVALID, "expected CONF.yaml and MODEL, see --help");
  }
  command->config_path = argv[optind];
  for (int i = optind + 1; i < argc; i++) {
    LPOT_TRY(add_model(command, argv[i], NULL, false, err));
  }
  const char *first = argv[optind + 1];
  for (size_t i = 0; i < forms.num_recipes; i++) {
    LPOT_TRY(add_model(command, first, forms.recipes[i], false, err));
  }
  if (forms.bf16) {
    LPOT_TRY(add_model(command, first, NULL, true, err));
  }
  return LPOT_OK;
}

static lpot_status fill(lpot_benchmark *benchmark, const bench_command *command, lpot_error *err) {
  const char *engine = getenv("LPOT_ENGINE");
  for (size_t i = 0; i < command->num_settings; i++) {
    LPOT_TRY(lpot_benchmark_set(benchmark, command->settings[i], err));
  }
  for (size_t i = 0; i < command->num_models; i++) {
    const bench_model *model = &command->models[i];
    LPOT_TRY(
        lpot_benchmark_add_model(benchmark, model->path, model->recipe_path, model->in_bf16, err));
  }
  if (engine != NULL && engine[0] != '\0') {
    lpot_status status = lpot_benchmark_set_engine(benchmark, engine, err);
    if (status != LPOT_OK) {
      lpot_error_prefix(err, "LPOT_ENGINE");
      return status;
    }
  }
  LPOT_TRY(lpot_benchmark_set_csv(benchmark, command->csv_path, err));
  LPOT_TRY(lpot_benchmark_set_hdf5(benchmark, command->hdf5_path, err));
  lpot_benchmark_set_output(benchmark, command->json ? LPOT_OUTPUT_JSON : LPOT_OUTPUT_TABLE);
  return LPOT_OK;
}

static int run(int argc, char **argv, const bench_command *command) {
  lpot_error error = {0};
  lpot_session *session = NULL;
  lpot_benchmark *benchmark = NULL;
  lpot_status status = lpot_start(&argc, &argv, &session, &error);
  if (status == LPOT_OK) {
    status = lpot_benchmark_from_file(session, command->config_path, &benchmark, &error);
  }
  if (status == LPOT_OK) {
    status = fill(benchmark, command, &error);
  }
  bool met = status == LPOT_OK;
  if (met) {
    status = lpot_benchmark_run(
        benchmark, command->accuracy ? LPOT_BENCHMARK_ACCURACY : LPOT_BENCHMARK_PERFORMANCE,
        &error);
  }
  if (status != LPOT_OK && lpot_rank() == 0) {
    lpot_log(LPOT_LOG_ERROR, "%s", error.message);
  }
  /* As in main: where the ranks have not met, the message goes first. */
  int exit_code = met || lpot_rank() == 0 ? lpot_status_exit_code(status) : 0;
  lpot_benchmark_free(benchmark);
  lpot_finish(session, exit_code);
  return exit_code;
}

int main(int argc, char **argv) {
  bench_command command = {0};
  lpot_error error = {0};
  bool first_rank = lpot_rank() == 0;
  lpot_status status = parse(argc, argv, &command, &error);
  if (status != LPOT_OK) {
    if (!first_rank) {
      return 0; /* As in lpot-tune: the message goes first. */
    }
    lpot_log(LPOT_LOG_ERROR, "%s", error.message);
    return lpot_status_exit_code(status);
  }
  if (command.wants_help || command.wants_version) {
    if (first_rank) {
      fputs(command.wants_help ? help : "lpot-bench " LPOT_VERSION "\n", stdout);
    }
    return 0;
  }
  /* Else it would be noticed when all is measured. Nothing is written. */
  if (write(STDOUT_FILENO, "", 0) != 0) {
    lpot_log(LPOT_LOG_ERROR, "standard output cannot be written: %s", strerror(errno));
    return lpot_status_exit_code(LPOT_IO);
  }
  return run(argc, argv, &command);
}
