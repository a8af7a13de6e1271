/* The command line of lpot-tune. One table feeds parsing, --help and the man page. */
#ifndef LPOT_CLI_OPTIONS_H
#define LPOT_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <lpot/lpot.h>

#include "base/error.h"

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

/* What lpot-tune is to do; texts are borrowed. */
typedef struct lpot_tune_request {
  const char *config_path;
  const char *model_path;
  const char *workspace;       /* NULL: as the configuration says */
  const char *recipe_path;     /* --recipe; NULL: search */
  const char *cost_table_path; /* --cost-table; NULL: none */
  size_t num_settings;
  const char *const *settings; /* [num_settings] "KEY.PATH=VALUE" */
  const char *engine_name;     /* "onednn" */
  bool resume;
  bool json;  /* the result as JSON instead of the table */
  bool quiet; /* no table */
} lpot_tune_request;

typedef struct lpot_options {
  lpot_command command;
  lpot_tune_request tune;
  bool dry_run;
  const char *progress;  /* "auto", "bar", "line", "none" */
  const char *log_level; /* "debug", "info", "warning", "error", "silent" */
  const char *workspace; /* EXPORT, STATUS, REBUILD, REPORT */
  uint64_t trial;        /* EXPORT; 0: not given */
  const char *output;    /* EXPORT: folder; NULL: WORKSPACE/trial_N */
  const char *settings[LPOT_MAX_SETTINGS];
  char seed_setting[64];        /* what --seed turns into */
  bool given[LPOT_MAX_OPTIONS]; /* by row of the table */
} lpot_options;

/* Parses argv (strings are borrowed for the life of options; argv is permuted). LPOT_INVALID on
 * usage errors, naming the nearest option or command where one is near. */
LPOT_MUST_CHECK lpot_status lpot_options_parse(int argc, char **argv, lpot_options *options,
                                               lpot_error *err);
void lpot_options_help(FILE *out);

#endif
