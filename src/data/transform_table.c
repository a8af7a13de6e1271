#include "data/transform.h"

#include "base/memory.h"
#include "data/detection.h"
#include "data/setting.h"
#include "data/transform_class.h"

static const lpot_transform_class *const classes[] = {
    &lpot_transform_class_align_image_channel,
    &lpot_transform_class_bilinear_imagenet,
    &lpot_transform_class_cast,
    &lpot_transform_class_center_crop,
    &lpot_transform_class_color_jitter,
    &lpot_transform_class_crop_resize,
    &lpot_transform_class_crop_to_bounding_box,
    &lpot_transform_class_decode_image,
    &lpot_transform_class_encode_jpeg,
    &lpot_transform_class_normalize,
    &lpot_transform_class_pad,
    &lpot_transform_class_padded_center_crop,
    &lpot_transform_class_parse_decode_coco,
    &lpot_transform_class_parse_decode_imagenet,
    &lpot_transform_class_parse_decode_voc,
    &lpot_transform_class_quantized_input,
    &lpot_transform_class_random_crop,
    &lpot_transform_class_random_horizontal_flip,
    &lpot_transform_class_random_resized_crop,
    &lpot_transform_class_random_vertical_flip,
    &lpot_transform_class_rescale,
    &lpot_transform_class_resize,
    &lpot_transform_class_resize_crop_imagenet,
    &lpot_transform_class_resize_with_aspect_ratio,
    &lpot_transform_class_resize_with_ratio,
    &lpot_transform_class_to_array,
    &lpot_transform_class_to_nd_array,
    &lpot_transform_class_to_pil_image,
    &lpot_transform_class_to_tensor,
    &lpot_transform_class_transpose,
    &lpot_transform_class_plugin,
};
#define NUM_CLASSES (sizeof(classes) / sizeof(classes[0]))

static const char *const names[NUM_CLASSES + 1] = {
    "AlignImageChannel",
    "BilinearImagenet",
    "Cast",
    "CenterCrop",
    "ColorJitter",
    "CropResize",
    "CropToBoundingBox",
    "DecodeImage",
    "EncodeJpeg",
    "Normalize",
    "Pad",
    "PaddedCenterCrop",
    "ParseDecodeCoco",
    "ParseDecodeImagenet",
    "ParseDecodeVoc",
    "QuantizedInput",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "RandomVerticalFlip",
    "Rescale",
    "Resize",
    "ResizeCropImagenet",
    "ResizeWithAspectRatio",
    "ResizeWithRatio",
    "ToArray",
    "ToNDArray",
    "ToPILImage",
    "ToTensor",
    "Transpose",
    "plugin",
    NULL,
};

typedef struct transform_step {
  const lpot_transform_class *class_of;
  void *parameters; /* owned */
} transform_step;

struct lpot_transforms {
  size_t num_steps;
  transform_step *steps; /* [num_steps] owned */
};

/* Makes the step that node, a value under the transform's name, describes. */
static lpot_status make_step(transform_step *step, const lpot_yaml_node *node, lpot_error *err) {
  static const char *const none[] = {NULL}; /* All of LPOT's are here. */
  size_t index = 0;
  LPOT_TRY(lpot_setting_find_name(node, "transform", node->key, names, none, &index, err));
  step->class_of = classes[index];
  step->parameters = lpot_calloc(1, step->class_of->size_bytes);
  if (step->parameters == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  return step->class_of->parse(step->parameters, node, err);
}

static void step_done(const transform_step *step) {
  if (step->parameters != NULL && step->class_of->done != NULL) {
    step->class_of->done(step->parameters);
  }
  lpot_free(step->parameters);
}

static lpot_status make_steps(lpot_transforms *chain, const lpot_yaml_node *settings,
                              lpot_error *err) {
  for (size_t i = 0; i < settings->num_children; i++) {
    const lpot_yaml_node *node = NULL;
    LPOT_TRY(lpot_setting_item(settings, i, &node, err));
    chain->num_steps++;
    LPOT_TRY(make_step(&chain->steps[i], node, err));
  }
  return LPOT_OK;
}

lpot_status lpot_transforms_new(const lpot_yaml_node *settings, lpot_transforms **ret_transforms,
                                lpot_error *err) {
  bool is_empty = settings == NULL || settings->kind == LPOT_YAML_NULL;
  if (!is_empty && settings->kind == LPOT_YAML_SCALAR) {
    return lpot_yaml_fail(err, settings, "expected a map of transforms, got '%s'", settings->text);
  }
  lpot_transforms *chain = lpot_calloc(1, sizeof(*chain));
  if (chain == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  chain->steps = lpot_calloc(is_empty ? 0 : settings->num_children, sizeof(*chain->steps));
  lpot_status status = LPOT_OK;
  if (chain->steps == NULL) {
    status = LPOT_OUT_OF_MEMORY(err);
  } else if (!is_empty) {
    status = make_steps(chain, settings, err);
  }
  if (status != LPOT_OK) {
    lpot_transforms_free(chain);
    return status;
  }
  *ret_transforms = chain;
  return LPOT_OK;
}

void lpot_transforms_free(lpot_transforms *transforms) {
  if (transforms == NULL) {
    return;
  }
  for (size_t i = 0; i < transforms->num_steps; i++) {
    step_done(&transforms->steps[i]);
  }
  lpot_free(transforms->steps);
  lpot_free(transforms);
}

lpot_status lpot_transform_check(const lpot_yaml_node *node, lpot_error *err) {
  transform_step step = {0};
  lpot_status status = make_step(&step, node, err);
  step_done(&step);
  return status;
}

static lpot_status run_step(const transform_step *step, lpot_rng *rng, lpot_tensor *input,
                            lpot_tensor **ret_output, lpot_error *err) {
  if (step->class_of->apply_random != NULL) {
    return step->class_of->apply_random(step->parameters, rng, input, ret_output, err);
  }
  return step->class_of->apply(step->parameters, input, ret_output, err);
}

/* The label of sample with its boxes where the step has put them. */
static lpot_status move_boxes(const transform_step *step, const lpot_tensor *output,
                              lpot_sample *sample, lpot_error *err) {
  double shift[2] = {0, 0};
  double stretch[2] = {1, 1};
  lpot_tensor *moved = NULL;
  const lpot_tensor *label = sample->label;
  step->class_of->place(step->parameters, sample->inputs[0], output, shift, stretch);
  LPOT_TRY(lpot_tensor_copy_of(label->dtype, &label->shape, label->data, &moved, err));
  int64_t count = lpot_tensor_elements(moved) / LPOT_DETECTION_LABEL_WIDTH;
  for (int64_t i = 0; i < count; i++) {
    /* Class, then top, left, bottom, right. */
    for (int64_t side = 0; side < 4; side++) {
      int64_t at = i * LPOT_DETECTION_LABEL_WIDTH + 1 + side;
      double value = lpot_tensor_get_double(moved, at);
      lpot_tensor_set_double(moved, at, shift[side % 2] + stretch[side % 2] * value);
    }
  }
  lpot_tensor_unref(sample->label);
  sample->label = moved;
  return LPOT_OK;
}

static lpot_status apply_step(const transform_step *step, lpot_rng *rng, lpot_sample *sample,
                              lpot_error *err) {
  lpot_tensor *input = sample->inputs[0];
  lpot_tensor *output = NULL;
  lpot_status status = run_step(step, rng, input, &output, err);
  if (status == LPOT_OK && sample->has_boxes && step->class_of->place != NULL) {
    status = move_boxes(step, output, sample, err);
  }
  if (status != LPOT_OK) {
    char shape[96];
    lpot_shape_text(&input->shape, shape, sizeof(shape));
    lpot_error_prefix(err, "transform %s of %s %s", step->class_of->name, shape,
                      lpot_dtype_text(input->dtype));
    lpot_tensor_unref(output);
    return status;
  }
  lpot_tensor_unref(input);
  sample->inputs[0] = output;
  return LPOT_OK;
}

/* Makes seed and a number into one seed. */
static uint64_t mix(uint64_t seed, uint64_t number) {
  lpot_rng rng;
  lpot_rng_init(&rng, seed);
  return lpot_rng_next(&rng) + number * 0xd1342543de82ef95u;
}

lpot_status lpot_transforms_apply(const lpot_transforms *transforms, uint64_t seed, int64_t index,
                                  lpot_sample *sample, lpot_error *err) {
  if (transforms->num_steps > 0 && sample->num_inputs == 0) {
    return LPOT_FAIL(err, LPOT_INVALID, "a sample without inputs cannot be transformed");
  }
  for (size_t i = 0; i < transforms->num_steps; i++) {
    lpot_rng rng;
    lpot_rng_init(&rng, mix(mix(seed, (uint64_t)index), i));
    LPOT_TRY(apply_step(&transforms->steps[i], &rng, sample, err));
  }
  return LPOT_OK;
}
