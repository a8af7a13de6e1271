/* lpot-bench: latency, throughput or accuracy of networks side by side. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "tune/benchmark.h"
#include "tune/interrupt.h"

#define MAX_SETTINGS 64

static const struct option long_options[] = {
    {"mode", required_argument, NULL, 'm'},   {"set", required_argument, NULL, 's'},
    {"recipe", required_argument, NULL, 'R'}, {"bf16", no_argument, NULL, 'B'},
    {"json", no_argument, NULL, 'j'},         {"csv", required_argument, NULL, 'c'},
    {"hdf5", required_argument, NULL, '5'},   {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},      {NULL, 0, NULL, 0}};

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

typedef struct bench_command {
  lpot_benchmark_options options;
  const char *settings[MAX_SETTINGS];
  bool wants_help, wants_version;
} bench_command;

static lpot_status add_setting(bench_command *command, const char *value, lpot_error *err) {
  const char *equals = strchr(value, '=');
  if (equals == NULL || equals == value) {
    return LPOT_FAIL(err, LPOT_INVALID, "--set '%s': expected KEY.PATH=VALUE", value);
  }
  if (command->options.num_settings == MAX_SETTINGS) {
    return LPOT_FAIL(err, LPOT_INVALID, "--set: at most %d settings are allowed", MAX_SETTINGS);
  }
  command->settings[command->options.num_settings] = value;
  command->options.num_settings++;
  return LPOT_OK;
}

static lpot_status set_mode(bench_command *command, const char *value, lpot_error *err) {
  if (!lpot_text_equal(value, "performance") && !lpot_text_equal(value, "accuracy")) {
    return LPOT_FAIL(err, LPOT_INVALID, "--mode '%s': expected performance or accuracy", value);
  }
  command->options.accuracy = lpot_text_equal(value, "accuracy");
  return LPOT_OK;
}

static lpot_status add_model(bench_command *command, const char *path, const char *recipe_path,
                             bool bf16, lpot_error *err) {
  lpot_benchmark_options *options = &command->options;
  if (options->num_models == LPOT_MAX_BENCHMARK_MODELS) {
    return LPOT_FAIL(err, LPOT_INVALID, "at most %d models can be measured side by side",
                     LPOT_MAX_BENCHMARK_MODELS);
  }
  options->models[options->num_models] =
      (lpot_benchmark_model){.path = path, .recipe_path = recipe_path, .bf16 = bf16};
  options->num_models++;
  return LPOT_OK;
}

/* Options that add a form of the first model wait until it is known. */
typedef struct bench_forms {
  size_t num_recipes;
  const char *recipes[LPOT_MAX_BENCHMARK_MODELS];
  bool bf16;
} bench_forms;

static lpot_status take_option(bench_command *command, int letter, bench_forms *forms,
                               char *const *argv, lpot_error *err) {
  switch (letter) {
  case 'm':
    return set_mode(command, optarg, err);
  case 's':
    return add_setting(command, optarg, err);
  case 'R':
    if (forms->num_recipes == LPOT_MAX_BENCHMARK_MODELS) {
      return LPOT_FAIL(err, LPOT_INVALID, "--recipe: at most %d are allowed",
                       LPOT_MAX_BENCHMARK_MODELS);
    }
    forms->recipes[forms->num_recipes] = optarg;
    forms->num_recipes++;
    return LPOT_OK;
  case 'B':
    forms->bf16 = true;
    return LPOT_OK;
  case 'j':
    command->options.json = true;
    return LPOT_OK;
  case 'c':
    command->options.csv_path = optarg;
    return LPOT_OK;
  case '5':
    command->options.hdf5_path = optarg;
    return LPOT_OK;
  case 'h':
    command->wants_help = true;
    return LPOT_OK;
  case 'V':
    command->wants_version = true;
    return LPOT_OK;
  case ':':
    return LPOT_FAIL(err, LPOT_INVALID, "%s: an argument is missing, see --help", argv[optind - 1]);
  default:
    return LPOT_FAIL(err, LPOT_INVALID, "unknown option '%s', see --help", argv[optind - 1]);
  }
}

static lpot_status parse(int argc, char **argv, bench_command *command, lpot_error *err) {
  bench_forms forms = {0};
  int letter = 0;
  opterr = 0;
  command->options.settings = command->settings;
  while ((letter = getopt_long(argc, argv, ":m:s:jhV", long_options, NULL)) != -1) {
    LPOT_TRY(take_option(command, letter, &forms, argv, err));
  }
  if (command->wants_help || command->wants_version) {
    return LPOT_OK;
  }
  if (argc - optind < 2) {
    return LPOT_FAIL(err, LPOT_INVALID, "expected CONF.yaml and MODEL, see --help");
  }
  command->options.config_path = argv[optind];
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

static int run(int argc, char **argv, const lpot_benchmark_options *options) {
  lpot_error error = {0};
  lpot_benchmark *benchmark = NULL;
  lpot_comm *comm = NULL;
  lpot_interrupt_install();
  /* The instances are forked before MPI starts. */
  lpot_status started = lpot_benchmark_start(options, &benchmark, &error);
  lpot_error comm_error = {0};
  lpot_status status = lpot_comm_start(&argc, &argv, &comm, &comm_error);
  int exit_code = lpot_status_exit_code(status);
  if (status == LPOT_OK) {
    exit_code = lpot_benchmark_run(benchmark, comm, started, &error);
  } else {
    lpot_log(LPOT_LOG_ERROR, "%s", comm_error.message);
  }
  lpot_benchmark_free(benchmark);
  lpot_comm_finish(comm, exit_code);
  return exit_code;
}

int main(int argc, char **argv) {
  bench_command command = {0};
  lpot_error error = {0};
  bool first_rank = lpot_comm_rank_by_environment() == 0;
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
  const char *engine = getenv("LPOT_ENGINE");
  command.options.engine_name = engine != NULL && engine[0] != '\0' ? engine : "onednn";
  return run(argc, argv, &command.options);
}
