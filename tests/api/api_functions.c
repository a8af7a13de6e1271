/* A program whose own functions are the data, the metric, and all of an evaluation.
 *
 *   api_functions CONF MODEL WORKSPACE
 *
 * tunes, and prints on rank 0 the accuracy of the trial that is handed out, and what the function
 * `whole` says of the exported model; the exit code is lpot-tune's. Components for CONF, whose
 * settings are model (the f32 network that labels the images) and count:
 *   dataset images   by index
 *   dataset stream   the same one after the other; fault: endless, refuse (at the eighth), empty
 *   metric right     is_right
 *   metric whole     evaluate: the same in one piece
 *   calibration feed runs the first images, in batches of `batch`
 * fault is what goes wrong with whole (where it gets a candidate) and feed: crash; refuse; nan;
 * late: it sleeps for some seconds; hang; with `flag` only if that file is not there yet, which it
 * makes; of whole alone, misuse: it runs the model wrongly, and gives the error on; of feed alone,
 * idle.
 *
 * API_FUNCTIONS_FIRST in the environment is what is there before lpot_start: mpi, thread, or both
 * with a comma between. With API_FUNCTIONS_TWICE it runs a second time in the same session,
 * resuming, and "first STATUS" is printed before. */
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mpi.h>

#include <lpot/lpot.h>

#define PIXELS (3 * 32 * 32)
#define CLASSES 10
#define BATCH 20
#define LATE_SECONDS 6

/* ---- images ---- */

/* Patches of two colours, and noise. */
static void draw(int64_t index, float *image) {
  uint32_t random = (uint32_t)index * 2654435761U + 1;
  for (int i = 0; i < PIXELS; i++) {
    int row = i / 32 % 32, column = i % 32, channel = i / 1024;
    int inside =
        (row - 16) * (row - 16) + (column - 16) * (column - 16) < 20 + 4 * (int)(index % 40);
    random = random * 1664525U + 1013904223U;
    float noise = (float)(random >> 8) / (float)(1 << 24) - 0.5F;
    image[i] = (inside ? 1.0F : -1.0F) * (float)((index + channel) % 3) + 0.4F * noise;
  }
}

static int64_t best_of(const float *scores) {
  int64_t best = 0;
  for (int64_t i = 1; i < CLASSES; i++) {
    best = scores[i] > scores[best] ? i : best;
  }
  return best;
}

typedef struct images {
  int64_t count;
  float *pixels;   /* [count, 3, 32, 32] */
  int64_t *labels; /* [count] */
  int64_t batch;
  int64_t next_index; /* of a stream */
  const char *fault, *flag;
} images;

/* Runs images [first, first + size); ret_classes may be NULL. */
static int run_images(lpot_model *model, const images *self, int64_t first, int64_t size,
                      int64_t *ret_classes, lpot_error *error) {
  const lpot_component_tensor input = {LPOT_COMPONENT_FLOAT32,
                                       4,
                                       {size, 3, 32, 32},
                                       self->pixels + first * PIXELS,
                                       (size_t)(size * PIXELS) * sizeof(float)};
  lpot_component_tensor output;
  if (lpot_model_run(model, &input, &output, error) != LPOT_OK) {
    return 1;
  }
  for (int64_t i = 0; i < size && ret_classes != NULL; i++) {
    ret_classes[i] = best_of((const float *)output.data + i * CLASSES);
  }
  return 0;
}

/* What model says of all images, a batch of BATCH after the other; the last one is smaller. */
static int classify(lpot_model *model, const images *self, int64_t *ret_classes,
                    lpot_error *error) {
  for (int64_t first = 0; first < self->count; first += BATCH) {
    int64_t size = self->count - first < BATCH ? self->count - first : BATCH;
    if (run_images(model, self, first, size, ret_classes + first, error) != 0) {
      return 1;
    }
  }
  return 0;
}

static void images_close(void *object) {
  images *self = (images *)object;
  free(self->pixels);
  free(self->labels);
  free(self);
}

static int images_open(const lpot_component_settings *settings, void **ret_object, char *text) {
  lpot_error error = {LPOT_OK};
  lpot_model *model = NULL;
  images *self = (images *)calloc(1, sizeof *self);
  self->count = atoll(lpot_component_setting(settings, "count", "100"));
  self->batch = atoll(lpot_component_setting(settings, "batch", "1"));
  self->fault = lpot_component_setting(settings, "fault", "");
  self->flag = lpot_component_setting(settings, "flag", "");
  self->pixels = (float *)calloc((size_t)self->count * PIXELS, sizeof *self->pixels);
  self->labels = (int64_t *)calloc((size_t)self->count, sizeof *self->labels);
  for (int64_t i = 0; i < self->count; i++) {
    draw(i, self->pixels + i * PIXELS);
  }
  int failed = lpot_model_from_file(lpot_component_setting(settings, "model", ""), "onednn", &model,
                                    &error) != LPOT_OK ||
               classify(model, self, self->labels, &error) != 0;
  lpot_model_free(model);
  if (failed) {
    snprintf(text, LPOT_COMPONENT_TEXT, "%s", error.message);
    images_close(self);
    return 1;
  }
  *ret_object = self;
  return 0;
}

static int64_t images_size(void *object) {
  return ((images *)object)->count;
}

static int images_get(void *object, int64_t index, lpot_component_output *output, char *text) {
  const images *self = (const images *)object;
  const int64_t dims[] = {3, 32, 32};
  float *pixels = (float *)output->make(output, 0, LPOT_COMPONENT_FLOAT32, 3, dims);
  int64_t *label =
      (int64_t *)output->make(output, LPOT_COMPONENT_LABEL, LPOT_COMPONENT_INT64, 0, NULL);
  (void)text;
  if (pixels == NULL || label == NULL) {
    return 1;
  }
  memcpy(pixels, self->pixels + index * PIXELS, PIXELS * sizeof *pixels);
  *label = self->labels[index];
  return 0;
}

/* The first that makes the flag file; always where there is no flag. */
static int is_due(const images *self) {
  if (self->flag[0] == '\0') {
    return 1;
  }
  FILE *flag = fopen(self->flag, "wx");
  if (flag != NULL) {
    fclose(flag);
  }
  return flag != NULL;
}

static int commit_fault(const images *self, double *accuracy, char *text) {
  if (!is_due(self)) {
    return 0;
  }
  if (strcmp(self->fault, "crash") == 0) {
    raise(SIGSEGV);
  } else if (strcmp(self->fault, "late") == 0) {
    sleep(LATE_SECONDS);
  } else if (strcmp(self->fault, "hang") == 0) {
    for (;;) {
      pause();
    }
  } else if (strcmp(self->fault, "refuse") == 0) {
    snprintf(text, LPOT_COMPONENT_TEXT, "it does not like the candidate");
    return 1;
  } else if (strcmp(self->fault, "nan") == 0) {
    *accuracy = NAN;
  }
  return 0;
}

/* In the same order. */
static int stream_next(void *object, lpot_component_output *output, int32_t *ret_end, char *text) {
  images *self = (images *)object;
  if (strcmp(self->fault, "endless") == 0) {
    const int64_t dims[] = {1 << 26};
    return output->make(output, 0, LPOT_COMPONENT_FLOAT32, 1, dims) == NULL;
  }
  if (strcmp(self->fault, "refuse") == 0 && self->next_index == 7) {
    return commit_fault(self, NULL, text);
  }
  *ret_end = self->next_index == self->count || strcmp(self->fault, "empty") == 0;
  return *ret_end != 0 ? 0 : images_get(object, self->next_index++, output, text);
}

/* ---- metrics ---- */

static int right_is_right(void *object, const lpot_component_batch *batch, uint8_t *right,
                          char *text) {
  (void)object;
  (void)text;
  for (int64_t row = 0; row < batch->count; row++) {
    const float *scores = (const float *)batch->outputs[0].data + row * CLASSES;
    right[row] = best_of(scores) == ((const int64_t *)batch->labels->data)[row];
  }
  return 0;
}

static double share_of(const images *self, const int64_t *classes) {
  int64_t right = 0;
  for (int64_t i = 0; i < self->count; i++) {
    right += classes[i] == self->labels[i];
  }
  return (double)right / (double)self->count;
}

static int is_candidate(lpot_model *model, const images *self) {
  static float f32[CLASSES], own[CLASSES];
  static int has_f32;
  const lpot_component_tensor input = {
      LPOT_COMPONENT_FLOAT32, 4, {1, 3, 32, 32}, self->pixels, PIXELS * sizeof(float)};
  lpot_component_tensor output;
  if (lpot_model_run(model, &input, &output, NULL) != LPOT_OK) {
    return 0;
  }
  memcpy(own, output.data, sizeof own);
  if (!has_f32) {
    lpot_model *original = NULL;
    if (lpot_model_from_file(getenv("API_FUNCTIONS_MODEL"), "onednn", &original, NULL) != LPOT_OK ||
        lpot_model_run(original, &input, &output, NULL) != LPOT_OK) {
      abort();
    }
    memcpy(f32, output.data, sizeof f32);
    has_f32 = 1;
    lpot_model_free(original);
  }
  return memcmp(f32, own, sizeof own) != 0;
}

static int whole_evaluate(void *object, struct lpot_model *model, double *ret_accuracy,
                          char *text) {
  const images *self = (const images *)object;
  lpot_error error = {LPOT_OK};
  int64_t *classes = (int64_t *)calloc((size_t)self->count, sizeof *classes);
  int failed = classify(model, self, classes, &error);
  *ret_accuracy = share_of(self, classes);
  free(classes);
  if (failed) {
    snprintf(text, LPOT_COMPONENT_TEXT, "%s", error.message);
    return 1;
  }
  if (strcmp(self->fault, "misuse") == 0) {
    lpot_component_tensor none = {0};
    failed = lpot_model_run(model, &none, &none, &error) != LPOT_OK;
    snprintf(text, LPOT_COMPONENT_TEXT, "%s", error.message);
    return failed;
  }
  return self->fault[0] != '\0' && is_candidate(model, self)
             ? commit_fault(self, ret_accuracy, text)
             : 0;
}

/* ---- calibration ---- */

static int feed_calibrate(void *object, struct lpot_model *model, int64_t samples, char *text) {
  const images *self = (const images *)object;
  lpot_error error = {LPOT_OK};
  double unused = 0;
  int64_t step = self->batch;
  if (strcmp(self->fault, "idle") == 0) {
    return 0;
  }
  for (int64_t first = 0; first < samples; first += step) {
    int64_t size = samples - first < step ? samples - first : step;
    if (run_images(model, self, first, size, NULL, &error) != 0) {
      snprintf(text, LPOT_COMPONENT_TEXT, "%s", error.message);
      return 1;
    }
  }
  return commit_fault(self, &unused, text);
}

/* ---- the program ---- */

static const lpot_component_dataset dataset_images = {
    {sizeof(lpot_component_dataset), "images", images_open, images_close},
    images_size,
    images_get,
    CLASSES,
    NULL};
/* As a program has it that was compiled before there was evaluate. */
static const lpot_component_metric metric_right = {
    {offsetof(lpot_component_metric, evaluate), "right", NULL, NULL},
    0,
    right_is_right,
    0,
    NULL,
    NULL,
    whole_evaluate};
static const lpot_component_metric metric_whole = {
    {sizeof(lpot_component_metric), "whole", images_open, images_close},
    0,
    NULL,
    0,
    NULL,
    NULL,
    whole_evaluate};
static const lpot_component_metric metric_both = {
    {sizeof(lpot_component_metric), "both", NULL, NULL},
    0,
    right_is_right,
    0,
    NULL,
    NULL,
    whole_evaluate};
static const lpot_component_dataset dataset_stream = {
    {sizeof(lpot_component_dataset), "stream", images_open, images_close},
    NULL,
    NULL,
    CLASSES,
    stream_next};
static const lpot_component_dataset dataset_mixed = {
    {sizeof(lpot_component_dataset), "mixed", images_open, images_close},
    images_size,
    images_get,
    CLASSES,
    stream_next};
static const lpot_component_dataset *const datasets[] = {&dataset_images, &dataset_stream,
                                                         &dataset_mixed, NULL};
static const lpot_component_metric *const metrics[] = {&metric_right, &metric_whole, &metric_both,
                                                       NULL};
static const lpot_component_calibration calibration_feed = {
    {sizeof(lpot_component_calibration), "feed", images_open, images_close}, feed_calibrate};
static const lpot_component_calibration *const calibrations[] = {&calibration_feed, NULL};
static const lpot_component_list components = {sizeof(lpot_component_list),
                                               LPOT_COMPONENT_VERSION,
                                               datasets,
                                               NULL,
                                               metrics,
                                               NULL,
                                               calibrations};

/* As a plug-in: the same file makes a shared object. */
const lpot_component_list *lpot_component_library(void) {
  return &components;
}

/* What whole says of a file, with the settings of the test. */
static double measure(const char *path, const char *f32_path) {
  static const char *const keys[] = {"model", "count"};
  const char *const values[] = {f32_path, getenv("API_FUNCTIONS_COUNT")};
  const lpot_component_settings settings = {2, keys, values, ""};
  char text[LPOT_COMPONENT_TEXT];
  void *object = NULL;
  double accuracy = NAN;
  lpot_model *model = NULL;
  if (images_open(&settings, &object, text) == 0 &&
      lpot_model_from_file(path, "onednn", &model, NULL) == LPOT_OK) {
    (void)whole_evaluate(object, model, &accuracy, text);
  }
  lpot_model_free(model);
  images_close(object);
  return accuracy;
}

static void *sleep_on(void *unused) {
  for (;;) {
    pause();
  }
  return unused;
}

/* Returns whether MPI is the program's. */
static int begin(int *argc, char ***argv) {
  const char *first = getenv("API_FUNCTIONS_FIRST");
  int has_mpi = first != NULL && strstr(first, "mpi") != NULL;
  pthread_t thread;
  if (first != NULL && strstr(first, "thread") != NULL &&
      pthread_create(&thread, NULL, sleep_on, NULL) != 0) {
    abort();
  }
  if (has_mpi) {
    MPI_Init(argc, argv);
  }
  return has_mpi;
}

int main(int argc, char **argv) {
  lpot_error error = {LPOT_OK};
  lpot_session *session = NULL;
  lpot_quantization *quantization = NULL;
  if (argc != 4) {
    fprintf(stderr, "usage: api_functions CONF MODEL WORKSPACE\n");
    return 2;
  }
  int has_mpi = begin(&argc, &argv);
  lpot_status status = lpot_start(&argc, &argv, &session, &error);
  if (status == LPOT_OK) {
    lpot_session_use_components(session, &components);
    status = lpot_quantization_from_file(session, argv[1], &quantization, &error);
  }
  if (status == LPOT_OK) {
    lpot_quantization_set_output(quantization, LPOT_OUTPUT_NONE);
    status = lpot_quantization_set_model(quantization, argv[2], &error);
  }
  if (status == LPOT_OK) {
    status = lpot_quantization_set_workspace(quantization, argv[3], &error);
  }
  if (status == LPOT_OK && getenv("API_FUNCTIONS_TWICE") != NULL) {
    lpot_status first = lpot_quantization_run(quantization, &error);
    if (lpot_rank() == 0) {
      printf("first %s\n", lpot_status_text(first));
    }
    lpot_quantization_set_resume(quantization, 1);
  }
  if (status == LPOT_OK) {
    status = lpot_quantization_run(quantization, &error);
  }
  if (status != LPOT_OK) {
    fprintf(stderr, "error: %s\n", error.message);
  }
  const lpot_quantization_result *result = lpot_quantization_get_result(quantization);
  if (result != NULL && result->trial > 0) {
    printf("accuracy %.17g, exported %.17g, f32 %.17g\n", result->accuracy,
           measure(result->model_path, argv[2]), result->baseline_accuracy);
  }
  int exit_code = quantization != NULL ? lpot_quantization_exit_code(quantization)
                                       : lpot_status_exit_code(status);
  lpot_quantization_free(quantization);
  lpot_finish(session, exit_code);
  if (has_mpi) {
    MPI_Finalize();
  }
  return lpot_rank() == 0 ? exit_code : 0;
}
