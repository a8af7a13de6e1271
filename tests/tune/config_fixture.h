/* Configurations as short texts, for the tests of config*.c. */
#ifndef LPOT_TESTS_CONFIG_FIXTURE_H
#define LPOT_TESTS_CONFIG_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tune/config.h"

#define MODEL "model: {name: net, framework: onnxrt_qdqops}\n"
#define LOADER "dataloader: {dataset: {CIFAR10: {root: /data}}}"
#define EVALUATION "evaluation:\n  accuracy:\n    metric: {topk: 1}\n    " LOADER "\n"
#define MINIMAL MODEL EVALUATION

static inline lpot_status read_config(const char *text, lpot_config **ret_config, lpot_error *err) {
  lpot_yaml *yaml = NULL;
  LPOT_TRY(lpot_yaml_parse("conf.yaml", text, strlen(text), &yaml, err));
  lpot_status status = lpot_config_new(&yaml, ret_config, NULL, err);
  assert_null(yaml);
  return status;
}

static inline lpot_config *good(const char *text) {
  lpot_config *config = NULL;
  lpot_error error = {0};
  lpot_status status = read_config(text, &config, &error);
  if (status != LPOT_OK) {
    fail_msg("%s", error.message);
  }
  return config;
}

/* The text, with the value set under key (NULL: as it is), is refused, and each of the parts
 * (parted by '|') is in the messages. */
static inline void assert_setting_refused(const char *text, const char *key, const char *value,
                                          const char *parts) {
  lpot_yaml *yaml = NULL;
  lpot_config *config = NULL;
  lpot_error error = {0};
  lpot_buffer told;
  lpot_buffer_init(&told);
  lpot_status status = lpot_yaml_parse("conf.yaml", text, strlen(text), &yaml, &error);
  if (status == LPOT_OK && key != NULL) {
    status = lpot_yaml_set(yaml, key, value, &error);
    assert_int_equal(status, LPOT_OK);
  }
  if (status == LPOT_OK) {
    status = lpot_config_new(&yaml, &config, &told, &error);
  }
  assert_int_equal(status, LPOT_CONFIG);
  assert_null(config);
  assert_int_equal(lpot_buffer_printf(&told, NULL, "%s", error.message), LPOT_OK);
  assert_int_equal(lpot_buffer_terminate(&told, NULL), LPOT_OK);
  const char *messages = (const char *)told.data;
  char copy[512];
  snprintf(copy, sizeof copy, "%s", parts);
  char *rest = NULL;
  for (char *part = strtok_r(copy, "|", &rest); part != NULL; part = strtok_r(NULL, "|", &rest)) {
    if (strstr(messages, part) == NULL) {
      fail_msg("'%s' is not in '%s'", part, messages);
    }
  }
  lpot_buffer_done(&told);
}

static inline void assert_refused(const char *text, const char *parts) {
  assert_setting_refused(text, NULL, NULL, parts);
}

static inline void assert_warned(const char *text, const char *part) {
  lpot_config *config = good(text);
  bool found = false;
  for (size_t i = 0; i < config->num_warnings; i++) {
    found = found || strstr(config->warnings[i], part) != NULL;
  }
  if (!found) {
    fail_msg("no warning has '%s' (%zu warnings, first: %s)", part, config->num_warnings,
             config->num_warnings == 0 ? "-" : config->warnings[0]);
  }
  lpot_config_free(config);
}

#endif
