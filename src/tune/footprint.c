#include "tune/footprint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "tune/timed_inputs.h"

#define TEXT_SIZE 4096

/* ---- what the system tells ---- */

/* The number of kB in the line that begins with name: "Rss:    1708 kB". */
static bool find_kib(const char *text, const char *name, uint64_t *ret_kib) {
  const char *end = text + strlen(text);
  const char *line = NULL;
  size_t length = 0;
  char number[32];
  int64_t kib = -1;
  while (lpot_text_next_line(&text, end, &line, &length)) {
    size_t begin = strlen(name);
    if (length < begin || strncmp(line, name, begin) != 0) {
      continue;
    }
    begin += strspn(line + begin, " ");
    size_t digits = strspn(line + begin, "0123456789");
    snprintf(number, sizeof number, "%.*s", (int)(digits < sizeof number ? digits : 0),
             line + begin);
    bool found = lpot_text_to_int64(number, &kib) && kib < (int64_t)(LPOT_MAX_FOOTPRINT / 1024);
    *ret_kib = found ? (uint64_t)kib : 0;
    return found;
  }
  return false;
}

lpot_status lpot_footprint_parse(const char *text, lpot_footprint *ret, lpot_error *err) {
  uint64_t resident = 0;
  uint64_t anonymous = 0;
  uint64_t swapped = 0;
  if (!find_kib(text, "Rss:", &resident) || !find_kib(text, "Anonymous:", &anonymous) ||
      !find_kib(text, "Swap:", &swapped)) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED,
                     "/proc/self/smaps_rollup does not tell Rss, Anonymous "
                     "and Swap");
  }
  *ret = (lpot_footprint){.bytes = (anonymous + swapped) * 1024,
                          .resident_bytes = (resident + swapped) * 1024};
  return LPOT_OK;
}

static lpot_status look(lpot_footprint *ret, lpot_error *err) {
  char text[TEXT_SIZE];
  lpot_memory_trim(); /* What was freed is not needed. */
  FILE *file = fopen("/proc/self/smaps_rollup", "re");
  if (file == NULL) {
    int code = errno;
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "/proc/self/smaps_rollup: %s", strerror(code));
  }
  size_t size = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[size] = '\0';
  LPOT_TRY(lpot_footprint_parse(text, ret, err));
  return LPOT_OK;
}

/* ---- measuring ---- */

/* The int8 forms of the weights are what the exported model's file holds: no part of running it. */
static lpot_status drop_weights(lpot_job *job, lpot_error *err) {
  lpot_weight_cache *fresh = NULL;
  LPOT_TRY(lpot_weight_cache_new(&fresh, err));
  lpot_weight_cache_free(job->weights);
  job->weights = fresh;
  return LPOT_OK;
}

static uint64_t growth(uint64_t before, uint64_t after) {
  return after > before ? after - before : 0;
}

static lpot_status measure(lpot_job *job, const lpot_recipe *recipe,
                           const lpot_timed_inputs *inputs, lpot_plan **plan, lpot_footprint *ret,
                           lpot_error *err) {
  lpot_footprint before;
  lpot_footprint after;
  int64_t batch = lpot_job_allowed_batch(job, job->config->performance.batch_size);
  LPOT_TRY(look(&before, err));
  LPOT_TRY(lpot_job_compile(job, recipe, batch, NULL, plan, err));
  LPOT_TRY(drop_weights(job, err));
  LPOT_TRY(lpot_plan_run(*plan, lpot_timed_inputs_get(inputs, 0), err));
  LPOT_TRY(look(&after, err));
  *ret = (lpot_footprint){.bytes = growth(before.bytes, after.bytes),
                          .resident_bytes = growth(before.resident_bytes, after.resident_bytes)};
  if (ret->bytes == 0) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "the process did not grow: it had run a model before");
  }
  return LPOT_OK;
}

lpot_status lpot_measure_footprint(lpot_job *job, const lpot_recipe *recipe, const lpot_stop *stop,
                                   lpot_footprint *ret, lpot_error *err) {
  lpot_timed_inputs inputs = {0};
  lpot_plan *plan = NULL;
  if (stop != NULL && stop->requested(stop->context)) {
    return LPOT_FAIL(err, LPOT_INTERRUPTED, "measuring memory was stopped");
  }
  lpot_job_drop_plans(job);
  lpot_status status = lpot_timed_inputs_load(job, &inputs, err);
  if (status == LPOT_OK) {
    status = measure(job, recipe, &inputs, &plan, ret, err);
  }
  lpot_plan_free(plan);
  lpot_timed_inputs_done(&inputs);
  return status;
}
