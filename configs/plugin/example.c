/* An example of lpot/component.h: one component of each kind.
 *
 *   cc -O2 -shared -fPIC -I include -o example.so configs/plugin/example.c -lm
 *
 * in the project's folder; then in a configuration
 *
 *   dataset: {plugin: {library: example.so, name: records, path: test_batch.bin}}
 *
 *   dataset records      labels and pixels as bytes, one after the other, as CIFAR-10 has them
 *   transform rescale    u8 or f32 to f32, times a factor
 *   metric top1          the largest score is the label's
 *   metric brier         mean squared distance of the scores from the label's 1 and all others' 0
 *   postprocess softmax  scores to probabilities */
#include <lpot/component.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- dataset records: {path, channels, height, width} ---- */

typedef struct records {
  FILE *file;
  int64_t size;
  int64_t dims[3];
  size_t pixels;
} records;

static void records_close(void *object) {
  records *self = (records *)object;
  if (self->file != NULL) {
    fclose(self->file);
  }
  free(self);
}

static int records_open(const lpot_component_settings *settings, void **ret_object, char *error) {
  const char *path = lpot_component_setting(settings, "path", "");
  records *self = (records *)calloc(1, sizeof *self);
  if (self == NULL) {
    return 1;
  }
  self->dims[0] = atoll(lpot_component_setting(settings, "channels", "3"));
  self->dims[1] = atoll(lpot_component_setting(settings, "height", "32"));
  self->dims[2] = atoll(lpot_component_setting(settings, "width", "32"));
  self->pixels = (size_t)(self->dims[0] * self->dims[1] * self->dims[2]);
  self->file = fopen(path, "rb");
  if (self->file == NULL || self->pixels == 0) {
    snprintf(error, LPOT_COMPONENT_TEXT, "path: '%s' cannot be opened", path);
    records_close(self);
    return 1;
  }
  fseek(self->file, 0, SEEK_END);
  self->size = ftell(self->file) / (int64_t)(self->pixels + 1);
  *ret_object = self;
  return 0;
}

static int64_t records_size(void *object) {
  return ((records *)object)->size;
}

static int records_get(void *object, int64_t index, lpot_component_output *output, char *error) {
  records *self = (records *)object;
  unsigned char label = 0;
  void *pixels = output->make(output, 0, LPOT_COMPONENT_UINT8, 3, self->dims);
  int64_t *class_index =
      (int64_t *)output->make(output, LPOT_COMPONENT_LABEL, LPOT_COMPONENT_INT64, 0, NULL);
  if (pixels == NULL || class_index == NULL) {
    return 1;
  }
  if (fseek(self->file, (long)(index * (int64_t)(self->pixels + 1)), SEEK_SET) != 0 ||
      fread(&label, 1, 1, self->file) != 1 ||
      fread(pixels, 1, self->pixels, self->file) != self->pixels) {
    snprintf(error, LPOT_COMPONENT_TEXT, "record %lld cannot be read", (long long)index);
    return 1;
  }
  *class_index = label;
  return 0;
}

static const lpot_component_dataset records_dataset = {
    {sizeof(lpot_component_dataset), "records", records_open, records_close},
    records_size,
    records_get,
    10};

/* ---- transform rescale: {factor} ---- */

static int rescale_open(const lpot_component_settings *settings, void **ret_object, char *error) {
  double factor = atof(lpot_component_setting(settings, "factor", "0.00392156862745098"));
  double *kept = (double *)malloc(sizeof *kept);
  if (kept == NULL || factor == 0) {
    snprintf(error, LPOT_COMPONENT_TEXT, "factor: expected a number that is not 0");
    free(kept);
    return 1;
  }
  *kept = factor;
  *ret_object = kept;
  return 0;
}

static int rescale_apply(void *object, const lpot_component_tensor *input,
                         lpot_component_output *output, char *error) {
  double factor = *(double *)object;
  size_t i, count = input->size_bytes / (input->dtype == LPOT_COMPONENT_UINT8 ? 1 : 4);
  float *made;
  if (input->dtype != LPOT_COMPONENT_UINT8 && input->dtype != LPOT_COMPONENT_FLOAT32) {
    snprintf(error, LPOT_COMPONENT_TEXT, "expected uint8 or float32");
    return 1;
  }
  made = (float *)output->make(output, 0, LPOT_COMPONENT_FLOAT32, input->rank, input->dims);
  for (i = 0; i < count && made != NULL; i++) {
    made[i] = input->dtype == LPOT_COMPONENT_UINT8
                  ? (float)(((const unsigned char *)input->data)[i] * factor)
                  : (float)(((const float *)input->data)[i] * factor);
  }
  return made == NULL;
}

static const lpot_component_transform rescale_transform = {
    {sizeof(lpot_component_transform), "rescale", rescale_open, free}, rescale_apply};

/* ---- metrics ---- */

/* Scores and label of a row; 0 where the batch is not of classes. */
static int64_t row_of(const lpot_component_batch *batch, int64_t row, const float **ret_scores,
                      int64_t *ret_label) {
  const lpot_component_tensor *output = &batch->outputs[0];
  int64_t classes;
  if (output->dtype != LPOT_COMPONENT_FLOAT32 || batch->labels == NULL ||
      batch->labels->dtype != LPOT_COMPONENT_INT64) {
    return 0;
  }
  classes = (int64_t)(output->size_bytes / sizeof(float)) / output->dims[0];
  *ret_scores = (const float *)output->data + row * classes;
  *ret_label = ((const int64_t *)batch->labels->data)[row];
  return classes;
}

static int top1_is_right(void *object, const lpot_component_batch *batch, uint8_t *right,
                         char *error) {
  int64_t row, i;
  (void)object;
  for (row = 0; row < batch->count; row++) {
    const float *scores = NULL;
    int64_t best = 0, label = 0, classes = row_of(batch, row, &scores, &label);
    if (classes == 0) {
      snprintf(error, LPOT_COMPONENT_TEXT, "expected float32 scores and int64 labels");
      return 1;
    }
    for (i = 1; i < classes; i++) {
      best = scores[i] > scores[best] ? i : best;
    }
    right[row] = best == label;
  }
  return 0;
}

static const lpot_component_metric top1_metric = {
    {sizeof(lpot_component_metric), "top1", NULL, NULL}, 0, top1_is_right, 0, NULL, NULL};

static int brier_add(void *object, const lpot_component_batch *batch, double *sums, char *error) {
  int64_t row, i;
  (void)object;
  for (row = 0; row < batch->count; row++) {
    const float *scores = NULL;
    int64_t label = 0, classes = row_of(batch, row, &scores, &label);
    if (classes == 0) {
      snprintf(error, LPOT_COMPONENT_TEXT, "expected float32 scores and int64 labels");
      return 1;
    }
    for (i = 0; i < classes; i++) {
      double distance = scores[i] - (i == label);
      sums[0] += distance * distance;
    }
  }
  return 0;
}

static int brier_value(void *object, const double *sums, int64_t count, double *ret_value,
                       char *error) {
  (void)object;
  (void)error;
  *ret_value = sums[0] / (double)count;
  return 0;
}

static const lpot_component_metric brier_metric = {
    {sizeof(lpot_component_metric), "brier", NULL, NULL}, 1, NULL, 1, brier_add, brier_value};

/* ---- postprocess softmax ---- */

static int softmax_apply(void *object, const lpot_component_batch *batch,
                         lpot_component_output *output, char *error) {
  const lpot_component_tensor *scores = &batch->outputs[0];
  int64_t row, i, classes;
  float *made;
  (void)object;
  if (scores->dtype != LPOT_COMPONENT_FLOAT32 || scores->rank < 1 || scores->dims[0] < 1) {
    snprintf(error, LPOT_COMPONENT_TEXT, "expected float32 scores");
    return 1;
  }
  classes = (int64_t)(scores->size_bytes / sizeof(float)) / scores->dims[0];
  made = (float *)output->make(output, 0, LPOT_COMPONENT_FLOAT32, scores->rank, scores->dims);
  for (row = 0; row < batch->count && made != NULL; row++) {
    const float *from = (const float *)scores->data + row * classes;
    double largest = from[0], sum = 0;
    for (i = 1; i < classes; i++) {
      largest = from[i] > largest ? from[i] : largest;
    }
    for (i = 0; i < classes; i++) {
      sum += exp(from[i] - largest);
    }
    for (i = 0; i < classes; i++) {
      made[row * classes + i] = (float)(exp(from[i] - largest) / sum);
    }
  }
  return made == NULL;
}

static const lpot_component_postprocess softmax_postprocess = {
    {sizeof(lpot_component_postprocess), "softmax", NULL, NULL}, softmax_apply};

/* ---- the library ---- */

static const lpot_component_dataset *const datasets[] = {&records_dataset, NULL};
static const lpot_component_transform *const transforms[] = {&rescale_transform, NULL};
static const lpot_component_metric *const metrics[] = {&top1_metric, &brier_metric, NULL};
static const lpot_component_postprocess *const postprocesses[] = {&softmax_postprocess, NULL};
static const lpot_component_list library = {sizeof(lpot_component_list), LPOT_COMPONENT_VERSION,
                                            datasets, transforms, metrics, postprocesses};

const lpot_component_list *lpot_component_library(void) {
  return &library;
}
