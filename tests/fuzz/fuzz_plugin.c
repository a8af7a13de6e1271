/* Fuzz target: bytes as the answers of a user's components (include/lpot/component.h): a dataset,
 * whose samples go through a transform into a batch, and a postprocess and a metric of that batch.
 * The first byte chooses the transform, the second is the dataset's size, the next two choose
 * postprocess and metric, of the program or of lpot. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/reader.h"
#include "data/metric.h"
#include "data/plugin.h"
#include "data/postprocess.h"
#include "data/transform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_ELEMENTS ((int64_t)1 << 16) /* of a tensor */

/* ---- what answers ---- */

static lpot_reader answers; /* zeros behind its end */

static uint8_t next(void) {
  uint8_t byte = 0;
  lpot_status status = lpot_reader_u8(&answers, &byte, NULL);
  return status == LPOT_OK ? byte : 0;
}

/* Small numbers, with the largest and the smallest among them. */
static int64_t next_number(void) {
  uint8_t byte = next();
  return byte == 0x7f ? INT64_MAX : byte == 0x80 ? INT64_MIN : (int8_t)byte;
}

static int next_end(char *error) {
  uint8_t byte = next();
  if (byte > 0xf0) {
    memset(error, byte, LPOT_COMPONENT_TEXT); /* no end of the text */
  }
  return byte > 0xe0;
}

/* Whether a tensor of these axes would only be a large one: lpot takes up to 2^32 elements. */
static bool is_large(const int64_t *dims, int32_t rank) {
  int64_t elements = 1;
  for (int32_t i = 0; i < rank; i++) {
    bool is_possible = dims[i] >= 0 && dims[i] <= INT8_MAX;
    elements = is_possible && elements <= MAX_ELEMENTS ? elements * dims[i] : elements;
  }
  return elements > MAX_ELEMENTS;
}

static void fill(uint8_t *room, const int64_t *dims, int32_t rank) {
  int64_t elements = 1;
  for (int32_t i = 0; i < rank; i++) {
    elements *= dims[i];
  }
  for (int64_t i = 0; i < elements && i < 64; i++) {
    room[i] = next();
  }
}

static void make_tensor(lpot_component_output *output) {
  int64_t dims[LPOT_COMPONENT_MAX_RANK];
  int32_t slot = (int8_t)next();
  int32_t dtype = next();
  int32_t rank = (int8_t)next();
  int32_t known = rank < LPOT_COMPONENT_MAX_RANK ? rank : LPOT_COMPONENT_MAX_RANK;
  for (int32_t i = 0; i < known; i++) {
    dims[i] = next_number();
  }
  if (is_large(dims, known)) {
    return;
  }
  uint8_t *room = output->make(output, slot, dtype, rank, rank == 0 ? NULL : dims);
  if (room != NULL) {
    fill(room, dims, rank);
  }
}

static int make_tensors(lpot_component_output *output, char *error) {
  for (uint8_t left = next() % 4; left > 0; left--) {
    make_tensor(output);
  }
  return next_end(error);
}

static int64_t size_of_dataset(void *object) {
  (void)object;
  int64_t size = next_number();
  return size > 127 ? 127 : size; /* more is only memory */
}

static int get_sample(void *object, int64_t index, lpot_component_output *output, char *error) {
  (void)object;
  (void)index;
  return make_tensors(output, error);
}

static int apply_transform(void *object, const lpot_component_tensor *input,
                           lpot_component_output *output, char *error) {
  (void)object;
  (void)input;
  return make_tensors(output, error);
}

static int apply_postprocess(void *object, const lpot_component_batch *batch,
                             lpot_component_output *output, char *error) {
  (void)object;
  (void)batch;
  return make_tensors(output, error);
}

static int judge_rows(void *object, const lpot_component_batch *batch, uint8_t *right,
                      char *error) {
  (void)object;
  for (int64_t i = 0; i < batch->count; i++) {
    right[i] = next();
  }
  return next_end(error);
}

static const lpot_component_dataset dataset = {
    .base = {.struct_size = sizeof dataset, .name = "samples"},
    .size = size_of_dataset,
    .get = get_sample};
static const lpot_component_transform transform = {
    .base = {.struct_size = sizeof transform, .name = "change"}, .apply = apply_transform};
static const lpot_component_postprocess postprocess = {
    .base = {.struct_size = sizeof postprocess, .name = "exchange"}, .apply = apply_postprocess};
static const lpot_component_metric metric = {
    .base = {.struct_size = sizeof metric, .name = "judge"}, .is_right = judge_rows};
static const lpot_component_list components = {
    .struct_size = sizeof components,
    .version = LPOT_COMPONENT_VERSION,
    .datasets = (const lpot_component_dataset *const[]){&dataset, NULL},
    .transforms = (const lpot_component_transform *const[]){&transform, NULL},
    .metrics = (const lpot_component_metric *const[]){&metric, NULL},
    .postprocesses = (const lpot_component_postprocess *const[]){&postprocess, NULL}};

/* ---- what asks ---- */

#define PLUGIN "plugin: {library: program}"

static const char *const transforms[] = {
    "{" PLUGIN "}",
    "{}",
    "{Rescale: {}}",
    "{ToTensor: {}}",
    "{ToPILImage: {}}",
    "{Cast: {dtype: float32}}",
    "{Transpose: {perm: [2, 0, 1]}}",
    "{Normalize: {mean: [1, 2, 3], std: [1, 2, 3]}}",
    "{AlignImageChannel: {}}",
    "{Resize: {size: 4}}",
    "{Resize: {size: [3, 5], interpolation: bicubic}}",
    "{CenterCrop: {size: 2}}",
    "{RandomCrop: {size: 2}}",
    "{RandomResizedCrop: {size: 3}}",
    "{CropResize: {x: 0, y: 1, width: 2, height: 2, size: 3}}",
    "{CropToBoundingBox: {offset_height: 1, offset_width: 0, target_height: 2, target_width: 2}}",
    "{BilinearImagenet: {height: 3, width: 3}}",
    "{ResizeCropImagenet: {height: 2, width: 2}}",
    "{ResizeWithAspectRatio: {height: 2, width: 3}}",
    "{ResizeWithRatio: {min_dim: 2, max_dim: 5, padding: true}}",
    "{Pad: {padding: 1, mode: reflect}}",
    "{PaddedCenterCrop: {size: 3}}",
    "{EncodeJpeg: {}}",
    "{DecodeImage: {}}",
    "{QuantizedInput: {dtype: uint8, scale: 0.5}}",
    "{RandomHorizontalFlip: {p: 1}}",
    "{RandomVerticalFlip: {p: 1}}",
    "{ColorJitter: {brightness: 0.5, contrast: 0.5, saturation: 0.5, hue: 0.1}}"};
static const char *const postprocesses[] = {"{" PLUGIN "}", "{}", "{LabelShift: 1}"};
static const char *const metrics[] = {
    "{" PLUGIN "}", "topk: 1", "MSE: ~",    "mIOU: {num_classes: 3}",
    "F1: ~",        "Loss: ~", "mAP: ~",    "GLUE: mrpc",
    "GLUE: sts-b",  "RMSE: ~", "SquadF1: ~"};
#define CHOOSE(list) (list)[next() % (sizeof(list) / sizeof(list)[0])]

/* The settings under one text each. */
typedef struct chain {
  lpot_yaml *yaml[4]; /* owned */
  lpot_loader *loader;
  lpot_postprocess *postprocess;
  lpot_metric *metric;
} chain;

static lpot_status parse(const char *text, lpot_yaml **ret_yaml, const lpot_yaml_node **ret_root,
                         lpot_error *err) {
  LPOT_TRY(lpot_yaml_parse("fuzz.yaml", text, strlen(text), ret_yaml, err));
  *ret_root = lpot_yaml_root(*ret_yaml);
  return LPOT_OK;
}

static lpot_status open_loader(chain *self, lpot_error *err) {
  static const lpot_loader_options options = {.batch_size = 3, .keeps_order = true};
  const lpot_yaml_node *settings = NULL;
  lpot_transforms *steps = NULL;
  lpot_dataset *samples = NULL;
  LPOT_TRY(parse(CHOOSE(transforms), &self->yaml[0], &settings, err));
  LPOT_TRY(lpot_transforms_new(settings, &steps, err));
  lpot_status status = parse("library: program", &self->yaml[1], &settings, err);
  if (status == LPOT_OK) {
    status = lpot_dataset_open("plugin", settings, NULL, &samples, err);
  }
  if (status != LPOT_OK) {
    lpot_transforms_free(steps);
    return status;
  }
  return lpot_loader_new(&samples, &steps, &options, &self->loader, err);
}

static lpot_status open_chain(chain *self, lpot_error *err) {
  const lpot_yaml_node *settings = NULL;
  LPOT_TRY(open_loader(self, err));
  LPOT_TRY(parse(CHOOSE(postprocesses), &self->yaml[2], &settings, err));
  LPOT_TRY(lpot_postprocess_new(settings, &self->postprocess, err));
  LPOT_TRY(parse(CHOOSE(metrics), &self->yaml[3], &settings, err));
  LPOT_TRY(lpot_metric_new(settings, &self->metric, err));
  return LPOT_OK;
}

static lpot_status judge(const chain *self, lpot_answer *answer, lpot_metric_state *state,
                         lpot_error *err) {
  uint8_t correct[1] = {0};
  double value = 0;
  LPOT_TRY(lpot_postprocess_apply(self->postprocess, answer, err));
  LPOT_TRY(lpot_metric_update(self->metric, answer->outputs, answer->num_outputs, &answer->batch,
                              state, correct, err));
  LPOT_TRY(lpot_metric_value(self->metric, state, &value, err));
  return LPOT_OK;
}

static lpot_status run_batches(const chain *self, lpot_error *err) {
  lpot_status status = LPOT_OK;
  lpot_metric_state state;
  lpot_metric_state_init(&state);
  for (int64_t i = 0; i < lpot_loader_num_batches(self->loader) && status == LPOT_OK; i++) {
    const lpot_batch *batch = NULL;
    lpot_answer answer = {0};
    status = lpot_loader_batch(self->loader, i, &batch, err);
    if (status == LPOT_OK) {
      answer.batch = *batch;
      answer.num_outputs = batch->num_inputs;
      for (size_t input = 0; input < batch->num_inputs; input++) {
        answer.outputs[input] = batch->inputs[input];
      }
      status = judge(self, &answer, &state, err);
    }
    lpot_answer_done(&answer);
  }
  lpot_metric_state_done(&state);
  return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  chain self = {0};
  lpot_error error = {0};
  lpot_reader_init(&answers, data, size);
  lpot_plugin_use_program(&components);
  lpot_status status = open_chain(&self, &error);
  if (status == LPOT_OK) {
    status = run_batches(&self, &error);
  }
  LPOT_ASSERT(status == LPOT_OK || (error.message[0] != '\0' && status != LPOT_INTERNAL));
  lpot_metric_free(self.metric);
  lpot_postprocess_free(self.postprocess);
  lpot_loader_free(self.loader);
  for (size_t i = 0; i < sizeof self.yaml / sizeof self.yaml[0]; i++) {
    lpot_yaml_free(self.yaml[i]);
  }
  return 0;
}
