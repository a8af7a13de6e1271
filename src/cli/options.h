/* The command line of lpot-tune. One table feeds parsing, --help and the man page. */
#ifndef LPOT_CLI_OPTIONS_H
#define LPOT_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/log.h"
#include "tune/tune.h"

#define LPOT_MAX_SETTINGS 64
#define LPOT_MAX_OPTIONS 32

typedef enum lpot_command {
  LPOT_COMMAND_TUNE,    /* lpot-tune [options] CONF MODEL */
  LPOT_COMMAND_EXPORT,  /* lpot-tune export [options] WORKSPACE --trial N */
  LPOT_COMMAND_STATUS,  /* lpot-tune status [--json] WORKSPACE */
  LPOT_COMMAND_REBUILD, /* lpot-tune rebuild WORKSPACE */
  LPOT_COMMAND_REPORT,  /* lpot-tune report WORKSPACE */
  LPOT_COMMAND_HELP,
  LPOT_COMMAND_VERSION
} lpot_command;

typedef struct lpot_options {
  lpot_command command;
  lpot_tune_options tune;
  bool dry_run;
  lpot_progress_style progress;
  lpot_log_level log_level;
  const char *workspace; /* EXPORT, STATUS, REBUILD, REPORT */
  uint64_t trial;        /* EXPORT; 0: not given */
  const char *output;    /* EXPORT: folder; NULL: WORKSPACE/trial_N */
  const char *settings[LPOT_MAX_SETTINGS];
  char seed_setting[64];        /* what --seed turns into */
  bool given[LPOT_MAX_OPTIONS]; /* by row of the table */
} lpot_options;

/* Parses argv (strings are borrowed for the life of options; argv is permuted). LPOT_INVALID on
 * usage errors, naming the nearest option where one is near. */
LPOT_MUST_CHECK lpot_status lpot_options_parse(int argc, char **argv, lpot_options *options,
                                               lpot_error *err);
void lpot_options_help(FILE *out);

#endif
