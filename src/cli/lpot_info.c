/* lpot-info: what is in a model file, and where its time goes. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/given_option.h"
#include "tune/info.h"

#define MAX_BATCH 65536
#define MAX_RUNS 1000000

static const struct option long_options[] = {
    {"profile", no_argument, NULL, 'p'},    {"batch", required_argument, NULL, 'b'},
    {"runs", required_argument, NULL, 'r'}, {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},    {NULL, 0, NULL, 0}};

static const char help[] =
    "Usage: lpot-info [options] MODEL\n"
    "Prints what is in the network MODEL (ONNX, quantized or not): inputs, outputs, operators.\n"
    "\n"
    "Options:\n"
    "  -p, --profile     run it on random inputs and print the time of every step, one thread\n"
    "  -b, --batch N     with --profile: batch size where the model leaves it open; default 1\n"
    "  -r, --runs N      with --profile: measured runs; default 50\n"
    "  -h, --help        print this help\n"
    "  -V, --version     print the version\n"
    "\n"
    "Exit codes: 0 fine, 1 run-time failure, 2 usage, 4 the model cannot be read or run.\n";

static int usage_error(const char *text, const char *value) {
  lpot_log(LPOT_LOG_ERROR, "%s '%s', see --help", text, value);
  return 2;
}

/* given: the option that only a profile needs; NULL: none. */
static int run(const lpot_info_options *options, const char *given, int argc, char **argv) {
  if (given != NULL && !options->profile) {
    lpot_log(LPOT_LOG_ERROR, "%s has no effect without --profile, see --help", given);
    return 2;
  }
  if (argc != 1) {
    lpot_log(LPOT_LOG_ERROR, "expected one MODEL, got %d arguments, see --help", argc);
    return 2;
  }
  lpot_info_options wanted = *options;
  wanted.model_path = argv[0];
  return lpot_info_print(&wanted);
}

int main(int argc, char **argv) {
  setenv("OMP_NUM_THREADS", "1", 1);
  const char *engine = getenv("LPOT_ENGINE");
  lpot_info_options options = {.batch = 1, .runs = 50};
  options.engine_name = engine != NULL && engine[0] != '\0' ? engine : "onednn";
  const char *given = NULL;
  opterr = 0;
  int letter = 0;
  while ((letter = getopt_long(argc, argv, ":pb:r:hV", long_options, NULL)) != -1) {
    char unknown[LPOT_GIVEN_OPTION];
    lpot_given_option(long_options, argv, unknown);
    switch (letter) {
    case 'p':
      options.profile = true;
      break;
    case 'b':
      if (!lpot_text_to_int64(optarg, &options.batch) || options.batch < 1 ||
          options.batch > MAX_BATCH) {
        return usage_error("--batch: expected a number of 1 to 65536, got", optarg);
      }
      given = "--batch";
      break;
    case 'r':
      if (!lpot_text_to_int64(optarg, &options.runs) || options.runs < 1 ||
          options.runs > MAX_RUNS) {
        return usage_error("--runs: expected a number of 1 to 1000000, got", optarg);
      }
      given = "--runs";
      break;
    case 'h':
      fputs(help, stdout);
      return 0;
    case 'V':
      puts("lpot-info " LPOT_VERSION);
      return 0;
    case ':':
      return usage_error("an argument is missing after", unknown);
    default:
      return usage_error("unknown option", unknown);
    }
  }
  return run(&options, given, argc - optind, argv + optind);
}
