/* Jobs of configs/example, for tests in this process. */
#ifndef LPOT_TESTS_TUNE_EXAMPLE_JOB_H
#define LPOT_TESTS_TUNE_EXAMPLE_JOB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tune/job.h"

#define EXAMPLE LPOT_SOURCE_DIR "/configs/example/"

/* text: a configuration in the place of the example's, or NULL. */
static inline lpot_job *make_example_job(const char *text, size_t num_settings,
                                         const char *const *settings) {
  const lpot_job_options options = {.config_path = text == NULL ? EXAMPLE "example.yaml" : "text",
                                    .config_text = text,
                                    .model_path = EXAMPLE "shapes.onnx",
                                    .num_settings = num_settings,
                                    .settings = settings,
                                    .engine_name = "onednn",
                                    .local_ranks = 1,
                                    .needs_data = true};
  lpot_job *job = NULL;
  lpot_error error = {0};
  if (lpot_job_new(&options, &job, &error) != LPOT_OK) {
    fail_msg("%s", error.message);
  }
  return job;
}

#endif
