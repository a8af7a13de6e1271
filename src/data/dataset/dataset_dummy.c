/* dummy: seeded random numbers, to try a model without data.
 *
 *   shape: [100, 3, 32, 32]                 100 samples of [3, 32, 32]; several inputs: a list of
 * lists low: -128.0  high: 127.0                uniform in between; one number, or one per input
 *   dtype: float32                          one, or one per input
 *   label: false                            true gives every sample the label 0
 *   seed: 9527
 *
 * dummy_v2: the same with shapes of one sample, and a random label where it has a shape.
 *
 *   input_shape: [3, 32, 32]                several inputs: a list of lists
 *   label_shape: [1000]                     none: no label
 *   low, high, dtype                        as above; lists have one for each input and the label
 *   samples: 1000 */
#include "data/dataset_class.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "base/text.h"
#include "data/setting.h"

typedef struct dummy_input {
  lpot_shape shape; /* of one sample */
  lpot_dtype dtype;
  double low, high;
} dummy_input;

#define MAX_TENSORS (LPOT_MAX_SAMPLE_INPUTS + 1)

typedef struct dataset_dummy {
  lpot_dataset base;
  size_t num_inputs;
  size_t num_tensors; /* num_inputs, or one more: a label that is drawn too */
  dummy_input tensors[MAX_TENSORS];
  bool label; /* every sample has the label 0 */
  uint64_t seed;
} dataset_dummy;

static const struct {
  lpot_dtype dtype;
  double low, high;
} integer_ranges[] = {
    {LPOT_S8, -128.0, 127.0},
    {LPOT_U8, 0.0, 255.0},
    {LPOT_S16, -32768.0, 32767.0},
    {LPOT_U16, 0.0, 65535.0},
    {LPOT_S32, -2147483648.0, 2147483647.0},
    {LPOT_U32, 0.0, 4294967295.0},
    {LPOT_S64, -1e15, 1e15},
    {LPOT_U64, 0.0, 1e15},
    {LPOT_BOOL, 0.0, 1.0},
};

/* Numbers of LPOT's tuple form "(100, 3, 32, 32)", which YAML hands over as text. */
static lpot_status read_tuple(const lpot_yaml_node *node, int64_t *dims, size_t *ret_count,
                              lpot_error *err) {
  char text[128];
  size_t length = strlen(node->text);
  if (length + 1 > sizeof(text) || node->text[length - 1] != ')') {
    return lpot_yaml_fail(err, node, "expected a shape such as [100, 3, 32, 32], got '%s'",
                          node->text);
  }
  memcpy(text, node->text + 1, length - 2);
  text[length - 2] = '\0';
  size_t count = 0;
  for (char *item = text; item != NULL && *item != '\0';) {
    char *comma = strchr(item, ',');
    if (comma != NULL) {
      *comma = '\0';
    }
    if (count > LPOT_MAX_RANK || !lpot_text_to_int64(item, &dims[count])) {
      return lpot_yaml_fail(err, node, "expected a shape such as [100, 3, 32, 32], got '%s'",
                            node->text);
    }
    count++;
    item = comma == NULL ? NULL : comma + 1;
  }
  *ret_count = count;
  return LPOT_OK;
}

static lpot_status read_dims(const lpot_yaml_node *node, int64_t dims[LPOT_MAX_RANK + 1],
                             size_t *ret_count, lpot_error *err) {
  if (node->kind == LPOT_YAML_SCALAR && node->text[0] == '(') {
    LPOT_TRY(read_tuple(node, dims, ret_count, err));
  } else {
    LPOT_TRY(lpot_yaml_ints(node, LPOT_MAX_RANK + 1, dims, ret_count, err));
  }
  if (*ret_count == 0) {
    return lpot_yaml_fail(err, node, "expected a shape such as [100, 3, 32, 32], got an empty one");
  }
  for (size_t i = 0; i < *ret_count; i++) {
    if (dims[i] < 1) {
      return lpot_yaml_fail(err, node, "dimension %zu is %lld, expected at least 1", i,
                            (long long)dims[i]);
    }
  }
  return LPOT_OK;
}

static lpot_status set_shape(const lpot_yaml_node *node, size_t rank, const int64_t *dims,
                             dummy_input *input, lpot_error *err) {
  if (rank >= LPOT_MAX_RANK) {
    return lpot_yaml_fail(err, node, "a sample has at most %d dimensions", LPOT_MAX_RANK - 1);
  }
  input->shape = lpot_shape_of((int)rank, dims);
  int64_t elements = 0;
  if (lpot_shape_count(&input->shape, &elements, NULL) != LPOT_OK || elements > (1 << 28)) {
    return lpot_yaml_fail(err, node, "one sample would have more than 2^28 elements");
  }
  return LPOT_OK;
}

/* A shape that begins with the number of samples. */
static lpot_status read_shape(const lpot_yaml_node *node, dummy_input *input, int64_t *ret_samples,
                              lpot_error *err) {
  int64_t dims[LPOT_MAX_RANK + 1];
  size_t count = 0;
  LPOT_TRY(read_dims(node, dims, &count, err));
  LPOT_TRY(set_shape(node, count - 1, dims + 1, input, err));
  *ret_samples = dims[0];
  return LPOT_OK;
}

/* A list of lists or of tuples has one shape per input. */
static bool has_several_shapes(const lpot_yaml_node *node) {
  return node->kind == LPOT_YAML_LIST && node->num_children > 0 &&
         (node->children[0]->kind == LPOT_YAML_LIST ||
          (node->children[0]->kind == LPOT_YAML_SCALAR && node->children[0]->text[0] == '('));
}

/* The number of shapes in node, and which they are. */
static lpot_status count_shapes(const lpot_yaml_node *node, size_t *ret_count,
                                const lpot_yaml_node *items[LPOT_MAX_SAMPLE_INPUTS],
                                lpot_error *err) {
  bool several = has_several_shapes(node);
  size_t count = several ? node->num_children : 1;
  if (count > LPOT_MAX_SAMPLE_INPUTS) {
    return lpot_yaml_fail(err, node, "expected at most %d shapes, got %zu", LPOT_MAX_SAMPLE_INPUTS,
                          count);
  }
  for (size_t i = 0; i < count; i++) {
    items[i] = several ? node->children[i] : node;
  }
  *ret_count = count;
  return LPOT_OK;
}

static lpot_status read_shapes(dataset_dummy *set, const lpot_yaml_node *node, lpot_error *err) {
  const lpot_yaml_node *items[LPOT_MAX_SAMPLE_INPUTS] = {NULL};
  LPOT_TRY(count_shapes(node, &set->num_inputs, items, err));
  for (size_t i = 0; i < set->num_inputs; i++) {
    int64_t samples = 0;
    LPOT_TRY(read_shape(items[i], &set->tensors[i], &samples, err));
    if (i > 0 && samples != set->base.size) {
      return lpot_yaml_fail(err, items[i], "%lld samples, but the first input has %lld",
                            (long long)samples, (long long)set->base.size);
    }
    set->base.size = samples;
  }
  set->num_tensors = set->num_inputs;
  return LPOT_OK;
}

static lpot_status read_sample_shape(dataset_dummy *set, const lpot_yaml_node *node,
                                     lpot_error *err) {
  int64_t dims[LPOT_MAX_RANK + 1];
  size_t count = 0;
  LPOT_TRY(read_dims(node, dims, &count, err));
  LPOT_TRY(set_shape(node, count, dims, &set->tensors[set->num_tensors], err));
  set->num_tensors++;
  return LPOT_OK;
}

/* dummy_v2: the shapes of the inputs, and of the label. */
static lpot_status read_sample_shapes(dataset_dummy *set, const lpot_yaml_node *settings,
                                      lpot_error *err) {
  const lpot_yaml_node *items[LPOT_MAX_SAMPLE_INPUTS] = {NULL};
  const lpot_yaml_node *node = NULL;
  LPOT_TRY(lpot_setting_need(settings, "dataset dummy_v2", "input_shape", &node, err));
  LPOT_TRY(count_shapes(node, &set->num_inputs, items, err));
  for (size_t i = 0; i < set->num_inputs; i++) {
    LPOT_TRY(read_sample_shape(set, items[i], err));
  }
  node = lpot_setting_get(settings, "label_shape");
  return node == NULL ? LPOT_OK : read_sample_shape(set, node, err);
}

/* One number for all inputs or one each. */
static lpot_status read_bounds(const dataset_dummy *set, const lpot_yaml_node *settings,
                               const char *key, double *bounds, lpot_error *err) {
  const lpot_yaml_node *node = lpot_setting_get(settings, key);
  if (node == NULL) {
    return LPOT_OK;
  }
  size_t count = 0;
  double found[MAX_TENSORS];
  LPOT_TRY(lpot_yaml_doubles(node, MAX_TENSORS, found, &count, err));
  if (count != 1 && count != set->num_tensors) {
    return lpot_yaml_fail(err, node, "expected 1 or %zu numbers, got %zu", set->num_tensors, count);
  }
  for (size_t i = 0; i < set->num_tensors; i++) {
    bounds[i] = found[count == 1 ? 0 : i];
  }
  return LPOT_OK;
}

static lpot_status read_dtypes(dataset_dummy *set, const lpot_yaml_node *settings,
                               lpot_error *err) {
  const lpot_yaml_node *node = lpot_setting_get(settings, "dtype");
  bool is_list = node != NULL && node->kind == LPOT_YAML_LIST;
  if (is_list && node->num_children != 1 && node->num_children != set->num_tensors) {
    return lpot_yaml_fail(err, node, "expected 1 or %zu types, got %zu", set->num_tensors,
                          node->num_children);
  }
  for (size_t i = 0; i < set->num_tensors; i++) {
    set->tensors[i].dtype = LPOT_F32;
    if (node == NULL) {
      continue;
    }
    const lpot_yaml_node *item = is_list ? node->children[node->num_children == 1 ? 0 : i] : node;
    const char *text = NULL;
    LPOT_TRY(lpot_yaml_string(item, &text, err));
    if (!lpot_dtype_from_text(text, &set->tensors[i].dtype)) {
      return lpot_yaml_fail(err, item, "unknown type '%s'", text);
    }
  }
  return LPOT_OK;
}

/* Bounds beyond an integer type's range are moved to its ends. */
static lpot_status set_bounds(dataset_dummy *set, const lpot_yaml_node *settings, lpot_error *err) {
  double low[MAX_TENSORS];
  double high[MAX_TENSORS];
  for (size_t i = 0; i < MAX_TENSORS; i++) {
    low[i] = -128.0;
    high[i] = 127.0;
  }
  LPOT_TRY(read_bounds(set, settings, "low", low, err));
  LPOT_TRY(read_bounds(set, settings, "high", high, err));
  for (size_t i = 0; i < set->num_tensors; i++) {
    dummy_input *input = &set->tensors[i];
    input->low = low[i];
    input->high = high[i];
    for (size_t k = 0; k < sizeof(integer_ranges) / sizeof(integer_ranges[0]); k++) {
      if (integer_ranges[k].dtype == input->dtype) {
        input->low = fmin(fmax(low[i], integer_ranges[k].low), integer_ranges[k].high);
        input->high = fmin(fmax(high[i], integer_ranges[k].low), integer_ranges[k].high);
      }
    }
    if (low[i] > high[i]) {
      return lpot_setting_fail(settings, err, "dataset %s: low %g is above high %g",
                               set->base.class_of->name, low[i], high[i]);
    }
  }
  return LPOT_OK;
}

static lpot_status describe(dataset_dummy *set, lpot_error *err) {
  lpot_buffer *identity = &set->base.identity;
  LPOT_TRY(lpot_buffer_printf(identity, err, "%s %llu %d", set->base.class_of->name,
                              (unsigned long long)set->seed, (int)set->label));
  for (size_t i = 0; i < set->num_tensors; i++) {
    char shape[96];
    lpot_shape_text(&set->tensors[i].shape, shape, sizeof(shape));
    LPOT_TRY(lpot_buffer_printf(identity, err, " %s %s %.17g %.17g", shape,
                                lpot_dtype_text(set->tensors[i].dtype), set->tensors[i].low,
                                set->tensors[i].high));
  }
  return LPOT_OK;
}

static lpot_status read_rest(dataset_dummy *set, const lpot_yaml_node *settings, lpot_error *err) {
  int64_t seed = 9527;
  LPOT_TRY(read_dtypes(set, settings, err));
  LPOT_TRY(set_bounds(set, settings, err));
  LPOT_TRY(lpot_setting_int(settings, "seed", 0, INT64_MAX, &seed, err));
  set->seed = (uint64_t)seed;
  return describe(set, err);
}

static const char *const dummy_settings[] = {"shape", "low",  "high", "dtype",
                                             "label", "seed", NULL};

static lpot_status open_dummy(lpot_dataset *dataset, const lpot_yaml_node *settings,
                              const char *folder, lpot_error *err) {
  (void)folder;
  dataset_dummy *set = (dataset_dummy *)dataset;
  const lpot_yaml_node *shape = NULL;
  LPOT_TRY(lpot_setting_need(settings, "dataset dummy", "shape", &shape, err));
  LPOT_TRY(read_shapes(set, shape, err));
  LPOT_TRY(lpot_setting_bool(settings, "label", &set->label, err));
  return read_rest(set, settings, err);
}

static const char *const dummy_v2_settings[] = {"input_shape", "label_shape", "low",     "high",
                                                "dtype",       "seed",        "samples", NULL};

static lpot_status open_dummy_v2(lpot_dataset *dataset, const lpot_yaml_node *settings,
                                 const char *folder, lpot_error *err) {
  (void)folder;
  dataset_dummy *set = (dataset_dummy *)dataset;
  LPOT_TRY(read_sample_shapes(set, settings, err));
  dataset->size = 1000;
  LPOT_TRY(lpot_setting_int(settings, "samples", 1, INT32_MAX, &dataset->size, err));
  return read_rest(set, settings, err);
}

static void fill(lpot_tensor *tensor, const dummy_input *input, lpot_rng *rng) {
  int64_t count = lpot_tensor_elements(tensor);
  double width = input->high - input->low;
  if (input->dtype == LPOT_F32) {
    float *values = tensor->data;
    for (int64_t i = 0; i < count; i++) {
      values[i] = (float)(input->low + width * lpot_rng_uniform(rng));
    }
    return;
  }
  for (int64_t i = 0; i < count; i++) {
    if (lpot_dtype_is_float(input->dtype)) {
      lpot_tensor_set_double(tensor, i, input->low + width * lpot_rng_uniform(rng));
      continue;
    }
    double value = floor(input->low + (width + 1.0) * lpot_rng_uniform(rng));
    lpot_tensor_set_int(tensor, i, (int64_t)fmin(value, input->high));
  }
}

static lpot_status get_dummy(lpot_dataset *dataset, int64_t index, lpot_sample *sample,
                             lpot_error *err) {
  const dataset_dummy *set = (const dataset_dummy *)dataset;
  lpot_rng rng;
  lpot_rng_init(&rng, set->seed);
  lpot_rng_init(&rng, lpot_rng_next(&rng) + (uint64_t)index * 0xd1342543de82ef95u);
  for (size_t i = 0; i < set->num_tensors; i++) {
    const dummy_input *input = &set->tensors[i];
    bool is_label = i == set->num_inputs;
    lpot_tensor **tensor = is_label ? &sample->label : &sample->inputs[i];
    LPOT_TRY(lpot_tensor_new(input->dtype, &input->shape, tensor, err));
    sample->num_inputs += is_label ? 0 : 1;
    fill(*tensor, input, &rng);
  }
  return set->label ? lpot_sample_set_class(sample, 0, err) : LPOT_OK;
}

const lpot_dataset_class lpot_dataset_class_dummy = {
    .name = "dummy",
    .size_bytes = sizeof(dataset_dummy),
    .settings = dummy_settings,
    .open = open_dummy,
    .get = get_dummy,
};

const lpot_dataset_class lpot_dataset_class_dummy_v2 = {
    .name = "dummy_v2",
    .size_bytes = sizeof(dataset_dummy),
    .settings = dummy_v2_settings,
    .open = open_dummy_v2,
    .get = get_dummy,
};
