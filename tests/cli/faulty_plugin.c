/* Components that misbehave, for plugins_test.py. Settings: fault (crash, abort, exit, hang, fail,
 * lie, huge, right), after (calls in this process that are still well), marker (a file: the fault
 * is shown once, by the process that makes it; "" always), where (open, apply). */
#include <lpot/component.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct faulty {
  const char *fault;
  const char *marker;
  long after;
} faulty;

static char *copy_of(const char *text) {
  char *copy = malloc(strlen(text) + 1);
  return copy == NULL ? NULL : strcpy(copy, text);
}

static int is_due(faulty *self) {
  if (self->after-- > 0) {
    return 0;
  }
  return self->marker[0] == '\0' || open(self->marker, O_CREAT | O_EXCL | O_WRONLY, 0600) >= 0;
}

/* Comes back only where the fault is one of answers. */
static void show(const faulty *self) {
  if (strcmp(self->fault, "crash") == 0) {
    *(volatile int *)8 = 1;
  } else if (strcmp(self->fault, "abort") == 0) {
    abort();
  } else if (strcmp(self->fault, "exit") == 0) {
    exit(0);
  }
  while (strcmp(self->fault, "hang") == 0) {
    usleep(1000);
  }
}

static int faulty_open(const lpot_component_settings *settings, void **ret_object, char *error) {
  faulty *self = malloc(sizeof *self);
  (void)error;
  puts("a plug-in speaks");
  fflush(stdout);
  self->fault = copy_of(lpot_component_setting(settings, "fault", "none"));
  self->marker = copy_of(lpot_component_setting(settings, "marker", ""));
  self->after = atol(lpot_component_setting(settings, "after", "0"));
  if (strcmp(lpot_component_setting(settings, "where", "apply"), "open") == 0) {
    show(self);
    snprintf(error, LPOT_COMPONENT_TEXT, "it does not want to");
    return 1;
  }
  *ret_object = self;
  return 0;
}

static int faulty_apply(void *object, const lpot_component_batch *batch,
                        lpot_component_output *output, char *error) {
  faulty *self = object;
  const int64_t wrong[2] = {1, 3};
  const int64_t huge[2] = {(int64_t)1 << 32, (int64_t)1 << 32};
  if (!is_due(self)) {
    return 0;
  }
  show(self);
  if (strcmp(self->fault, "lie") == 0) {
    return output->make(output, 0, LPOT_COMPONENT_FLOAT32, 2, wrong) == NULL;
  }
  if (strcmp(self->fault, "huge") == 0) {
    return output->make(output, 0, LPOT_COMPONENT_FLOAT32, 2, huge) == NULL;
  }
  snprintf(error, LPOT_COMPONENT_TEXT, "no more after %d rows", (int)batch->count);
  return strcmp(self->fault, "fail") == 0;
}

static int faulty_is_right(void *object, const lpot_component_batch *batch, uint8_t *right,
                           char *error) {
  faulty *self = object;
  int64_t row, classes = batch->outputs[0].dims[1];
  (void)error;
  for (row = 0; row < batch->count; row++) {
    const float *scores = (const float *)batch->outputs[0].data + row * classes;
    int64_t i, best = 0;
    for (i = 1; i < classes; i++) {
      best = scores[i] > scores[best] ? i : best;
    }
    right[row] = best == ((const int64_t *)batch->labels->data)[row];
  }
  if (is_due(self)) {
    show(self);
    right[0] = 7;
  }
  return 0;
}

static int sum_add(void *object, const lpot_component_batch *batch, double *sums, char *error) {
  (void)object;
  (void)error;
  sums[0] += (double)batch->count;
  return 0;
}

static int sum_value(void *object, const double *sums, int64_t count, double *ret_value,
                     char *error) {
  (void)error;
  show(object);
  *ret_value = sums[0] / (double)count;
  return 0;
}

static const lpot_component_postprocess postprocess = {
    {sizeof postprocess, "faulty", faulty_open, NULL}, faulty_apply};
static const lpot_component_metric per_sample = {
    {sizeof per_sample, "faulty", faulty_open, NULL}, 0, faulty_is_right, 0, NULL, NULL};
static const lpot_component_metric of_sums = {
    {sizeof of_sums, "sums", faulty_open, NULL}, 0, NULL, 1, sum_add, sum_value};
static const lpot_component_metric half = {
    {sizeof half, "incomplete", NULL, NULL}, 0, NULL, 1, sum_add, NULL};

static const lpot_component_metric *const metrics[] = {&per_sample, &of_sums, &half, NULL};
static const lpot_component_postprocess *const postprocesses[] = {&postprocess, NULL};
#ifndef VERSION
#define VERSION LPOT_COMPONENT_VERSION
#endif
static const lpot_component_list library = {sizeof library, VERSION, NULL,
                                            NULL,           metrics, postprocesses};

const lpot_component_list *lpot_component_library(void) {
  return &library;
}
