/* Plug-ins as components of this program: what they may make, and what is told of those that are
 * not as they should be. Whole runs with shared objects: tests/cli/plugins_test.py. */
#include "data_fixture.h"
#include "metric_fixture.h"

#include <unistd.h>

#include "data/plugin.h"
#include "data/postprocess.h"

#define COMPONENT(type, text)                                                                      \
  { .struct_size = sizeof(type), .name = text, .open = probe_open }

/* What a component makes, or refuses, in a call. */
typedef struct wish {
  int32_t slot, dtype, rank;
  int64_t dims[9];
  bool no_dims;
} wish;

/* How the components behave, and what they have seen. */
static struct {
  const char *text;  /* of a failure; NULL: it does not fail */
  bool is_silent;    /* it fails without a word, also to open */
  size_t num_wishes; /* 0: nothing is made */
  wish wishes[9];
  bool ignores;  /* what could not be made */
  bool was_zero; /* what was made */
  int64_t size, num_classes;
  double value;
  uint8_t right;
  char settings[512]; /* "key=value;..." of the last open */
  char folder[64];
  int closed;
} now;

static int probe_open(const lpot_component_settings *settings, void **ret_object, char *error) {
  size_t used = 0;
  for (size_t i = 0; i < settings->count && used < sizeof now.settings; i++) {
    used += (size_t)snprintf(now.settings + used, sizeof now.settings - used, "%s=%s;",
                             settings->keys[i], settings->values[i]);
  }
  snprintf(now.folder, sizeof now.folder, "%s", settings->folder);
  if (strcmp(lpot_component_setting(settings, "opens", "yes"), "yes") != 0) {
    snprintf(error, LPOT_COMPONENT_TEXT, "it does not\nwant to");
    return 1;
  }
  *ret_object = &now;
  return now.is_silent;
}

static void probe_close(void *object) {
  assert_ptr_equal(object, &now);
  now.closed++;
}

static int make_all(lpot_component_output *output, char *error) {
  now.was_zero = true;
  for (size_t i = 0; i < now.num_wishes; i++) {
    const wish *one = &now.wishes[i];
    float *made =
        output->make(output, one->slot, one->dtype, one->rank, one->no_dims ? NULL : one->dims);
    if (made == NULL && !now.ignores) {
      return 1;
    }
    if (made != NULL) {
      now.was_zero = now.was_zero && made[0] == 0;
      memset(made, 1, sizeof *made);
    }
  }
  if (now.text != NULL) {
    memset(error, '#', LPOT_COMPONENT_TEXT);
    memcpy(error, now.text, strlen(now.text));
  }
  return now.text != NULL || now.is_silent;
}

static int64_t data_size(void *object) {
  (void)object;
  return now.size;
}

static int data_get(void *object, int64_t index, lpot_component_output *output, char *error) {
  (void)object;
  (void)index;
  return make_all(output, error);
}

static int transform_apply(void *object, const lpot_component_tensor *input,
                           lpot_component_output *output, char *error) {
  (void)object;
  assert_int_equal(input->rank, 1);
  assert_int_equal(input->dims[0], 2);
  assert_int_equal(input->dtype, LPOT_COMPONENT_FLOAT32);
  assert_int_equal(input->size_bytes, 8);
  return make_all(output, error);
}

static int postprocess_apply(void *object, const lpot_component_batch *batch,
                             lpot_component_output *output, char *error) {
  (void)object;
  (void)batch;
  return make_all(output, error);
}

static int is_right(void *object, const lpot_component_batch *batch, uint8_t *right, char *error) {
  (void)object;
  (void)error;
  const float *scores = batch->outputs[0].data;
  const int64_t *labels = batch->labels->data;
  assert_int_equal(batch->num_outputs, 1);
  for (int64_t row = 0; row < batch->count; row++) {
    right[row] = (int64_t)scores[row] == labels[row] ? now.right : 0;
  }
  return 0;
}

static int add(void *object, const lpot_component_batch *batch, double *sums, char *error) {
  (void)object;
  (void)error;
  for (int64_t row = 0; row < batch->count; row++) {
    sums[0] += (double)((const float *)batch->outputs[0].data)[row];
    sums[1] += 1;
  }
  return 0;
}

static int value(void *object, const double *sums, int64_t count, double *ret_value, char *error) {
  (void)object;
  if (now.text != NULL) {
    snprintf(error, LPOT_COMPONENT_TEXT, "%s", now.text);
    return 1;
  }
  *ret_value = sums[0] + 100 * sums[1] + 10000 * (double)count;
  return 0;
}

static lpot_component_dataset dataset = {
    .base = COMPONENT(lpot_component_dataset, "records"), .size = data_size, .get = data_get};
static const lpot_component_transform transform = {
    .base = COMPONENT(lpot_component_transform, "shift"), .apply = transform_apply};
static const lpot_component_postprocess postprocess = {
    .base = COMPONENT(lpot_component_postprocess, "softmax"), .apply = postprocess_apply};
static const lpot_component_metric per_sample = {.base = COMPONENT(lpot_component_metric, "right"),
                                                 .is_right = is_right};
static const lpot_component_metric sums = {.base = COMPONENT(lpot_component_metric, "sums"),
                                           .lower_is_better = 1,
                                           .num_sums = 2,
                                           .add = add,
                                           .value = value};
static lpot_component_metric other = {.base = COMPONENT(lpot_component_metric, "other")};

static const lpot_component_dataset *const datasets[] = {&dataset, NULL};
static const lpot_component_transform *const transforms[] = {&transform, NULL};
static const lpot_component_postprocess *const postprocesses[] = {&postprocess, NULL};
static const lpot_component_metric *const metrics[] = {&per_sample, &sums, &other, NULL};
static lpot_component_list list;

static int set_up(void **state) {
  (void)state;
  memset(&now, 0, sizeof now);
  now.size = 3;
  now.right = 1;
  dataset.num_classes = 0;
  dataset.base.close = probe_close;
  other.is_right = is_right;
  other.num_sums = 0;
  other.add = NULL;
  other.value = NULL;
  list = (lpot_component_list){.struct_size = sizeof list,
                               .version = LPOT_COMPONENT_VERSION,
                               .datasets = datasets,
                               .transforms = transforms,
                               .metrics = metrics,
                               .postprocesses = postprocesses};
  lpot_plugin_use_program(&list);
  return 0;
}

static void make(int32_t slot, int32_t dtype, int32_t rank, int64_t first) {
  now.wishes[now.num_wishes++] =
      (wish){.slot = slot, .dtype = dtype, .rank = rank, .dims = {first}};
}

/* ---- opening ---- */

static void settings_are_flat(void **state) {
  const char *text = "{library: program, path: a b, map: {inner: 3}, list: [x, {y: z}]}";
  lpot_plugin plugin = {0};
  lpot_yaml *yaml = NULL;
  lpot_error err = {0};
  (void)state;
  expect_ok(lpot_yaml_parse("some/where/conf.yaml", text, strlen(text), &yaml, &err), &err);
  expect_ok(lpot_plugin_open(&plugin, LPOT_PLUGIN_DATASET, lpot_yaml_root(yaml), &err), &err);
  assert_string_equal(now.settings, "library=program;path=a b;map.inner=3;list[0]=x;list[1].y=z;");
  assert_string_equal(now.folder, "some/where/");
  assert_int_equal(now.closed, 0);
  lpot_plugin_close(&plugin);
  assert_int_equal(now.closed, 1);
  assert_null(plugin.component);
  lpot_yaml_free(yaml);
}

/* The library, and a list of so many. */
static const char *many_settings(int count) {
  static char text[4096];
  size_t used = (size_t)snprintf(text, sizeof text, "{library: program, a: [");
  for (int i = 0; i < count; i++) {
    used += (size_t)snprintf(text + used, sizeof text - used, "1, ");
  }
  snprintf(text + used, sizeof text - used, "]}");
  return text;
}

static void settings_are_limited(void **state) {
  (void)state;
  lpot_dataset_close(open_dataset("plugin", many_settings(999), NULL));
  expect_refused("plugin", many_settings(1000), NULL, LPOT_CONFIG, "more than 1000 settings");
}

static void components_are_chosen_by_name(void **state) {
  (void)state;
  lpot_metric *metric = make_metric("plugin: {library: program, name: sums}");
  assert_string_equal(lpot_metric_name(metric), "sums");
  assert_false(lpot_metric_higher_is_better(metric));
  assert_false(lpot_metric_is_per_sample(metric));
  lpot_metric_free(metric);
  metric = make_metric("plugin: {library: program, name: right}");
  assert_true(lpot_metric_higher_is_better(metric));
  assert_true(lpot_metric_is_per_sample(metric));
  lpot_metric_free(metric);
  expect_bad_metric("plugin: {library: program}", "name is missing");
  expect_bad_metric("plugin: {library: program, name: sum}", "sums");
  expect_bad_metric("plugin: {library: program, name: sums, opens: no}", "it does not");
  expect_bad_metric("plugin: program", "expected a map");
  expect_bad_metric("plugin: {name: sums}", "library");
  list.transforms = NULL;
  lpot_transforms *chain = NULL;
  lpot_error err = {0};
  expect_error(make_chain("plugin: {library: program}", &chain, &err), LPOT_CONFIG, &err,
               "has no transform");
}

static void incomplete_metrics_are_refused(void **state) {
  static const char text[] = "plugin: {library: program, name: other}";
  (void)state;
  lpot_metric_free(make_metric(text));
  other.num_sums = 1;
  other.add = add;
  other.value = value;
  expect_bad_metric(text, "is not complete"); /* both ways */
  other.is_right = NULL;
  lpot_metric_free(make_metric(text));
  other.num_sums = 64;
  lpot_metric_free(make_metric(text));
  other.num_sums = 65;
  expect_bad_metric(text, "is not complete");
  other.num_sums = 0;
  expect_bad_metric(text, "is not complete");
  other.num_sums = 1;
  other.value = NULL;
  expect_bad_metric(text, "is not complete");
  other.value = value;
  const size_t size = other.base.struct_size;
  other.base.struct_size = offsetof(lpot_component_metric, evaluate);
  lpot_metric_free(make_metric(text)); /* of an older header */
  other.base.struct_size--;
  expect_bad_metric(text, "is not complete");
  other.base.struct_size = size;
}

static void other_headers_are_refused(void **state) {
  static const char text[] = "plugin: {library: program, name: sums}";
  (void)state;
  list.version++;
  expect_bad_metric(text, "is of version 2 of lpot/component.h, expected 1");
  list.version--;
  list.struct_size = offsetof(lpot_component_list, calibrations); /* an older header's */
  lpot_metric_free(make_metric(text));
  list.struct_size--;
  expect_bad_metric(text, "lpot/component.h");
  lpot_plugin_use_program(NULL);
  expect_bad_metric(text, "this program has no components of its own");
}

/* ---- making ---- */

static void expect_get(lpot_status expected, const char *part) {
  lpot_dataset *opened = open_dataset("plugin", "{library: program}", NULL);
  lpot_sample sample;
  lpot_error err = {0};
  lpot_sample_init(&sample);
  lpot_status status = lpot_dataset_get(opened, 1, &sample, &err);
  if (expected == LPOT_OK) {
    expect_ok(status, &err);
    assert_true(now.was_zero);
  } else {
    expect_error(status, expected, &err, part);
    assert_true(sample.num_inputs == 0 && sample.inputs[0] == NULL && sample.label == NULL);
  }
  lpot_sample_done(&sample);
  lpot_dataset_close(opened);
  now.num_wishes = 0;
}

static void what_cannot_be_made_is_refused(void **state) {
  static const struct {
    wish wish;
    const char *text;
  } cases[] = {
      {{.slot = 8, .dtype = 1}, "that nobody takes, number 8"},
      {{.slot = -2, .dtype = 1}, "that nobody takes, number -2"},
      {{.dtype = 99}, "of the unknown type 99"},
      {{.dtype = 1, .rank = -1}, "whose number of axes is -1"},
      {{.dtype = 1, .rank = 9}, "whose number of axes is 9"},
      {{.dtype = 1, .rank = 1, .no_dims = true}, "whose number of axes is 1"},
      {{.dtype = 1, .rank = 2, .dims = {2, -1}}, "a bad axis: -1"},
      {{.dtype = 1, .rank = 1, .dims = {((int64_t)1 << 32) + 1}}, "a bad axis: 4294967297"},
      {{.dtype = 1, .rank = 2, .dims = {1 << 20, 1 << 13}}, "a bad axis: 8192"},
      {{.dtype = 1, .rank = 2, .dims = {(int64_t)1 << 32, (int64_t)1 << 32}}, "a bad axis"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    make(0, LPOT_COMPONENT_FLOAT32, 1, 2); /* It does not stay. */
    now.wishes[now.num_wishes++] = cases[i].wish;
    expect_get(LPOT_CRASHED, cases[i].text);
  }
}

static void samples_have_inputs_without_gaps(void **state) {
  (void)state;
  make(0, LPOT_COMPONENT_FLOAT32, 0, 0);
  expect_get(LPOT_OK, "");
  for (int32_t i = 0; i < 8; i++) {
    make(i, LPOT_COMPONENT_FLOAT32, 1, 2);
  }
  make(LPOT_COMPONENT_LABEL, LPOT_COMPONENT_INT64, 0, 0);
  expect_get(LPOT_OK, "");
  expect_get(LPOT_CRASHED, "input 0 of sample 1 is missing");
  make(1, LPOT_COMPONENT_FLOAT32, 1, 2);
  expect_get(LPOT_CRASHED, "input 0 of sample 1 is missing");
  make(0, LPOT_COMPONENT_FLOAT32, 1, 2);
  make(7, LPOT_COMPONENT_FLOAT32, 1, 2);
  expect_get(LPOT_CRASHED, "input 1 of sample 1 is missing");
}

static void what_is_made_twice_replaces_the_first(void **state) {
  (void)state;
  lpot_dataset *opened = open_dataset("plugin", "{library: program}", NULL);
  lpot_sample sample;
  lpot_sample_init(&sample);
  make(0, LPOT_COMPONENT_FLOAT32, 1, 2);
  make(0, LPOT_COMPONENT_FLOAT32, 1, 5);
  get_sample(opened, 0, &sample);
  assert_true(now.was_zero);
  assert_int_equal(sample.num_inputs, 1);
  assert_int_equal(sample.inputs[0]->shape.dims[0], 5);
  assert_null(sample.label);
  lpot_sample_done(&sample);
  lpot_dataset_close(opened);
}

/* A sample whose label was made when the component fails. */
static void expect_silence(void) {
  lpot_dataset *opened = open_dataset("plugin", "{library: program}", NULL);
  lpot_sample sample;
  lpot_error err = {0};
  lpot_sample_init(&sample);
  make(0, LPOT_COMPONENT_FLOAT32, 1, 2);
  make(LPOT_COMPONENT_LABEL, LPOT_COMPONENT_FLOAT32, 1, 2);
  now.is_silent = true;
  expect_error(lpot_dataset_get(opened, 0, &sample, &err), LPOT_CRASHED, &err,
               "it failed without a word");
  assert_true(sample.inputs[0] == NULL && sample.label == NULL);
  expect_refused("plugin", "{library: program}", NULL, LPOT_CONFIG,
                 "dataset records: it cannot be opened");
  lpot_dataset_close(opened);
  now.is_silent = false;
  now.num_wishes = 0;
}

static void failures_are_told_in_their_words(void **state) {
  (void)state;
  make(0, LPOT_COMPONENT_FLOAT32, 1, 2);
  now.text = "no\tmore";
  expect_get(LPOT_CRASHED, "dataset records of 'program': no?more###"); /* not terminated */
  make(0, LPOT_COMPONENT_FLOAT32, 1, 2);
  now.text = "";
  expect_get(LPOT_CRASHED, "###");
  now.text = NULL;
  expect_silence();
  make(9, LPOT_COMPONENT_FLOAT32, 1, 2);
  now.ignores = true; /* what it makes is wrong, what it says is not */
  make(0, LPOT_COMPONENT_FLOAT32, 1, 2);
  expect_get(LPOT_OK, "");
}

static void datasets_have_samples(void **state) {
  (void)state;
  dataset.num_classes = 10;
  lpot_dataset *opened = open_dataset("plugin", "{library: program}", NULL);
  assert_int_equal(lpot_dataset_size(opened), 3);
  assert_int_equal(lpot_dataset_num_classes(opened), 10);
  lpot_dataset_close(opened);
  assert_false(same_digest(manifest_of("plugin", "{library: program, a: 1}", NULL),
                           manifest_of("plugin", "{library: program, a: 2}", NULL)));
  assert_false(same_digest(manifest_of("plugin", "{library: program, a: 1}", NULL),
                           manifest_of("plugin", "{library: program, b: 1}", NULL)));
  dataset.num_classes = -1;
  expect_refused("plugin", "{library: program}", NULL, LPOT_CONFIG, "3 samples and -1 classes");
  dataset.num_classes = 0;
  now.size = 0;
  expect_refused("plugin", "{library: program}", NULL, LPOT_CONFIG, "0 samples and 0 classes");
  now.size = INT64_MIN;
  expect_refused("plugin", "{library: program}", NULL, LPOT_CONFIG,
                 "dataset records has -9223372036854775808 samples");
}

static void transforms_make_the_first_input(void **state) {
  lpot_transforms *chain = NULL;
  lpot_sample sample;
  lpot_error err = {0};
  (void)state;
  lpot_sample_init(&sample);
  sample.inputs[0] = make_tensor(LPOT_F32, 2, 0, (const double[]){1, 2});
  sample.num_inputs = 1;
  expect_ok(make_chain("plugin: {library: program}", &chain, &err), &err);
  expect_error(lpot_transforms_apply(chain, 1, 0, &sample, &err), LPOT_CRASHED, &err,
               "transform shift of 'program': it has made nothing");
  make(1, LPOT_COMPONENT_FLOAT32, 1, 3);
  expect_error(lpot_transforms_apply(chain, 1, 0, &sample, &err), LPOT_CRASHED, &err,
               "that nobody takes, number 1");
  now.num_wishes = 0;
  make(LPOT_COMPONENT_LABEL, LPOT_COMPONENT_FLOAT32, 1, 3);
  expect_error(lpot_transforms_apply(chain, 1, 0, &sample, &err), LPOT_CRASHED, &err,
               "that nobody takes, number -1");
  now.num_wishes = 0;
  make(0, LPOT_COMPONENT_FLOAT32, 1, 3);
  expect_ok(lpot_transforms_apply(chain, 1, 0, &sample, &err), &err);
  assert_int_equal(sample.inputs[0]->shape.dims[0], 3);
  lpot_sample_done(&sample);
  lpot_transforms_free(chain);
}

/* ---- postprocesses ---- */

static void outputs_that_are_not_there_are_not_made(void **state) {
  lpot_yaml *yaml = parse_settings("plugin: {library: program}");
  lpot_postprocess *chain = NULL;
  lpot_tensor *output = make_tensor(LPOT_F32, 2, 0, (const double[]){1, 2});
  lpot_answer answer = {.num_outputs = 1, .outputs = {output}, .batch = {.num_valid = 2}};
  lpot_error err = {0};
  (void)state;
  make(1, LPOT_COMPONENT_FLOAT32, 1, 2);
  expect_ok(lpot_postprocess_new(lpot_yaml_root(yaml), &chain, &err), &err);
  expect_error(lpot_postprocess_apply(chain, &answer, &err), LPOT_CRASHED, &err,
               "that nobody takes, number 1");
  now.num_wishes = 0;
  make(LPOT_COMPONENT_LABEL, LPOT_COMPONENT_FLOAT32, 1, 2); /* There were no labels. */
  expect_ok(lpot_postprocess_apply(chain, &answer, &err), &err);
  assert_ptr_equal(answer.outputs[0], output);
  assert_int_equal(answer.batch.labels->shape.dims[0], 2);
  lpot_answer_done(&answer);
  lpot_postprocess_free(chain);
  lpot_tensor_unref(output);
  lpot_yaml_free(yaml);
}

static void expect_answer(lpot_status expected, const char *part, int64_t rows, bool labelled) {
  lpot_yaml *yaml = parse_settings("plugin: {library: program}");
  lpot_postprocess *chain = NULL;
  lpot_error err = {0};
  const double values[6] = {1, 2, 3, 4, 5, 6};
  lpot_tensor *outputs[4];
  lpot_tensor *labels = make_tensor(LPOT_S64, 3, 0, values);
  lpot_answer answer = {.num_outputs = 4, .batch = {.labels = labels, .num_valid = 2}};
  for (size_t i = 0; i < 4; i++) {
    outputs[i] = make_tensor(LPOT_F32, 3, 2, values);
    answer.outputs[i] = outputs[i];
  }
  expect_ok(lpot_postprocess_new(lpot_yaml_root(yaml), &chain, &err), &err);
  lpot_status status = lpot_postprocess_apply(chain, &answer, &err);
  if (expected == LPOT_OK) {
    expect_ok(status, &err);
    assert_int_equal(answer.outputs[1]->shape.dims[0], rows);
    assert_ptr_equal(answer.outputs[0], outputs[0]);
    assert_int_equal(answer.batch.labels != labels, labelled);
  } else {
    expect_error(status, expected, &err, part);
    assert_ptr_equal(answer.outputs[1], outputs[1]);
  }
  lpot_answer_done(&answer);
  lpot_postprocess_free(chain);
  for (size_t i = 0; i < 4; i++) {
    lpot_tensor_unref(outputs[i]);
  }
  lpot_tensor_unref(labels);
  lpot_yaml_free(yaml);
  now.num_wishes = 0;
}

static void postprocesses_exchange_whole_batches(void **state) {
  (void)state;
  make(1, LPOT_COMPONENT_FLOAT32, 1, 2); /* rows that count: two of three */
  expect_answer(LPOT_OK, "", 2, false);
  make(1, LPOT_COMPONENT_FLOAT32, 1, 2);
  make(LPOT_COMPONENT_LABEL, LPOT_COMPONENT_INT64, 1, 2);
  expect_answer(LPOT_OK, "", 2, true);
  expect_answer(LPOT_OK, "", 3, false); /* Nothing was made. */
  make(1, LPOT_COMPONENT_FLOAT32, 1, 1);
  expect_answer(LPOT_CRASHED, "it has made a tensor [1] for 2 samples", 0, false);
  make(1, LPOT_COMPONENT_FLOAT32, 1, 2);
  make(LPOT_COMPONENT_LABEL, LPOT_COMPONENT_INT64, 1, 1);
  expect_answer(LPOT_CRASHED, "it has made a tensor [1] for 2 samples", 0, false);
  make(1, LPOT_COMPONENT_FLOAT32, 0, 0);
  expect_answer(LPOT_CRASHED, "it has made a tensor [] for 2 samples", 0, false);
  make(3, LPOT_COMPONENT_FLOAT32, 1, 2);
  expect_answer(LPOT_CRASHED, "that nobody takes, number 3", 0, false);
  make(1, LPOT_COMPONENT_FLOAT32, 1, 2);
  now.text = "no";
  expect_answer(LPOT_CRASHED, "postprocess softmax of 'program': no", 0, false);
}

/* ---- metrics ---- */

/* Adds a batch of four rows, of which num_valid count. */
static lpot_status update(const lpot_metric *metric, const double rows[4], int64_t num_valid,
                          lpot_metric_state *state, uint8_t *correct, lpot_error *err) {
  lpot_tensor *output = make_tensor(LPOT_F32, 4, 0, rows);
  lpot_tensor *labels = make_tensor(LPOT_S64, 4, 0, (const double[]){0, 1, 2, 3});
  const lpot_batch batch = {.labels = labels, .num_valid = num_valid};
  const lpot_tensor *outputs[] = {output};
  lpot_status status = lpot_metric_update(metric, outputs, 1, &batch, state, correct, err);
  lpot_tensor_unref(output);
  lpot_tensor_unref(labels);
  return status;
}

static void right_answers_are_counted(void **state) {
  lpot_metric *metric = make_metric("plugin: {library: program, name: right}");
  lpot_metric_state total;
  lpot_error err = {0};
  uint8_t correct = 0xff;
  (void)state;
  lpot_metric_state_init(&total);
  expect_ok(update(metric, (const double[]){0, 9, 2, 3}, 3, &total, &correct, &err), &err);
  assert_int_equal(total.samples, 3);
  assert_int_equal(total.correct, 2);
  assert_int_equal(correct & 7, 5);
  expect_ok(update(metric, (const double[]){7, 7, 7, 3}, 4, &total, NULL, &err), &err);
  assert_float_equal(value_of(metric, &total), 3.0 / 7, 1e-15);
  now.right = 2;
  expect_error(update(metric, (const double[]){7, 1, 7, 3}, 4, &total, NULL, &err), LPOT_CRASHED,
               &err, "right[1] is 2, expected 0 or 1");
  lpot_metric_state_done(&total);
  lpot_metric_free(metric);
}

static void sums_are_added_up(void **state) {
  lpot_metric *metric = make_metric("plugin: {library: program, name: sums}");
  lpot_metric_state total;
  lpot_metric_state second;
  lpot_error err = {0};
  double result = 0;
  (void)state;
  lpot_metric_state_init(&total);
  lpot_metric_state_init(&second);
  expect_ok(update(metric, (const double[]){1, 2, 3, 4}, 3, &total, NULL, &err), &err);
  expect_ok(update(metric, (const double[]){1, 2, 3, 4}, 4, &second, NULL, &err), &err);
  assert_float_equal(value_of(metric, &total), 6 + 300 + 30000, 0);
  expect_ok(lpot_metric_state_merge(metric, &total, &second, &err), &err);
  assert_float_equal(value_of(metric, &total), 16 + 700 + 70000, 0);
  lpot_metric_state_done(&second); /* a block without samples */
  expect_ok(lpot_metric_state_merge(metric, &total, &second, &err), &err);
  expect_ok(lpot_metric_state_merge(metric, &second, &total, &err), &err);
  assert_float_equal(value_of(metric, &second), 16 + 700 + 70000, 0);
  now.text = "it cannot tell";
  expect_error(lpot_metric_value(metric, &total, &result, &err), LPOT_CRASHED, &err,
               "metric sums of 'program': it cannot tell");
  now.text = NULL;
  total.records.size--;
  expect_error(lpot_metric_value(metric, &total, &result, &err), LPOT_FORMAT, &err,
               "15 bytes of sums, expected 16");
  lpot_metric_state_done(&total);
  lpot_metric_state_done(&second);
  lpot_metric_free(metric);
}

/* ---- identity ---- */

static lpot_status digest_of(const char *folder, const char *text, lpot_digest *ret,
                             lpot_error *err) {
  char name[FIXTURE_PATH + 16];
  lpot_yaml *yaml = NULL;
  lpot_error error = {0};
  snprintf(name, sizeof name, "%s/conf.yaml", folder);
  expect_ok(lpot_yaml_parse(name, text, strlen(text), &yaml, &error), &error);
  assert_true(lpot_plugin_is_used(lpot_yaml_root(yaml)));
  lpot_status status = lpot_plugin_digest(lpot_yaml_root(yaml), ret, err);
  lpot_yaml_free(yaml);
  return status;
}

/* A path by --set is relative to the working directory, as any other on the command line. */
static void libraries_by_set_are_looked_for_in_the_working_directory(void **state) {
  char folder[FIXTURE_PATH];
  char name[FIXTURE_PATH + 16];
  char expected[FIXTURE_PATH * 2];
  char *working = getcwd(NULL, 0);
  lpot_yaml *yaml = NULL;
  lpot_digest digest = {0};
  lpot_error err = {0};
  (void)state;
  make_folder(folder);
  write_file(folder, "set.so", "abc", 3);
  snprintf(name, sizeof name, "%s/conf.yaml", folder);
  static const char text[] = "a/b: {plugin: {library: none.so}}"; /* No slash of a path. */
  expect_ok(lpot_yaml_parse(name, text, strlen(text), &yaml, &err), &err);
  snprintf(expected, sizeof expected,
           "conf.yaml:1:25: a/b.plugin.library: there is no file 'none.so' in %s/ or the working "
           "directory '%s'",
           folder, working);
  expect_error(lpot_plugin_digest(lpot_yaml_root(yaml), &digest, &err), LPOT_CONFIG, &err,
               expected);
  expect_ok(lpot_yaml_set(yaml, "a/b.plugin.library", "set.so", &err), &err);
  snprintf(
      expected, sizeof expected,
      "--set a/b.plugin.library:1:1: a/b.plugin.library: there is no file 'set.so' in the working "
      "directory '%s'",
      working);
  expect_error(lpot_plugin_digest(lpot_yaml_root(yaml), &digest, &err), LPOT_CONFIG, &err,
               expected);
  assert_int_equal(chdir(folder), 0);
  expect_ok(lpot_plugin_digest(lpot_yaml_root(yaml), &digest, &err), &err);
  assert_int_equal(chdir(working), 0);
  lpot_yaml_free(yaml);
  remove_folder(folder);
  free(working);
}

static void libraries_are_known_by_their_bytes(void **state) {
  static const char text[] = "a: [{plugin: {library: one.so}}, {plugin: {library: two.so}}]";
  char folder[FIXTURE_PATH];
  lpot_digest first = {0};
  lpot_digest again = {0};
  lpot_digest changed = {0};
  lpot_error err = {0};
  (void)state;
  make_folder(folder);
  write_file(folder, "one.so", "abc", 3);
  expect_error(digest_of(folder, text, &first, &err), LPOT_CONFIG, &err,
               "there is no file 'two.so'");
  write_file(folder, "two.so", "def", 3);
  expect_ok(digest_of(folder, text, &first, &err), &err);
  expect_ok(digest_of(folder, text, &again, &err), &err);
  assert_true(same_digest(first, again));
  write_file(folder, "two.so", "deg", 3);
  expect_ok(digest_of(folder, text, &changed, &err), &err);
  assert_false(same_digest(first, changed));
  remove_folder(folder);
  lpot_yaml *yaml = parse_settings("a: {plug: {library: one.so}}");
  assert_false(lpot_plugin_is_used(lpot_yaml_root(yaml)));
  expect_ok(lpot_plugin_digest(lpot_yaml_root(yaml), &first, &err), &err);
  assert_true(same_digest(first, (lpot_digest){0}));
  lpot_yaml_free(yaml);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(settings_are_flat, set_up),
      cmocka_unit_test_setup(settings_are_limited, set_up),
      cmocka_unit_test_setup(components_are_chosen_by_name, set_up),
      cmocka_unit_test_setup(incomplete_metrics_are_refused, set_up),
      cmocka_unit_test_setup(other_headers_are_refused, set_up),
      cmocka_unit_test_setup(what_cannot_be_made_is_refused, set_up),
      cmocka_unit_test_setup(samples_have_inputs_without_gaps, set_up),
      cmocka_unit_test_setup(what_is_made_twice_replaces_the_first, set_up),
      cmocka_unit_test_setup(failures_are_told_in_their_words, set_up),
      cmocka_unit_test_setup(datasets_have_samples, set_up),
      cmocka_unit_test_setup(transforms_make_the_first_input, set_up),
      cmocka_unit_test_setup(outputs_that_are_not_there_are_not_made, set_up),
      cmocka_unit_test_setup(postprocesses_exchange_whole_batches, set_up),
      cmocka_unit_test_setup(right_answers_are_counted, set_up),
      cmocka_unit_test_setup(sums_are_added_up, set_up),
      cmocka_unit_test_setup(libraries_by_set_are_looked_for_in_the_working_directory, set_up),
      cmocka_unit_test_setup(libraries_are_known_by_their_bytes, set_up),
  };
  return cmocka_run_group_tests_name("plugin", tests, NULL, NULL);
}
