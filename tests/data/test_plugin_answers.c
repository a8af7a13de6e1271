/* Components that answer what cannot be. They are this program's own (library: program); what a
 * library does and how it is loaded is tested by cli/plugins. */
#include "metric_fixture.h"

#include "data/plugin.h"
#include "data/postprocess.h"

/* ---- what answers ---- */

typedef struct tensor_wish {
  int32_t slot, dtype, rank;
  int64_t dims[LPOT_COMPONENT_MAX_RANK];
} tensor_wish;

/* What every component of this program does next. */
static struct {
  int64_t size;
  size_t num_wishes;
  tensor_wish wishes[3];
  int returned;
  char settings[256]; /* "key=value " of all that were given */
} answer;

static bool open_fails;

static int open_any(const lpot_component_settings *settings, void **ret_object, char *error) {
  (void)error;
  answer.settings[0] = '\0';
  for (size_t i = 0; i < settings->count; i++) {
    size_t used = strlen(answer.settings);
    snprintf(answer.settings + used, sizeof answer.settings - used, "%s=%s ", settings->keys[i],
             settings->values[i]);
  }
  *ret_object = &answer;
  return open_fails ? 1 : 0;
}

static int make_all(lpot_component_output *output) {
  for (size_t i = 0; i < answer.num_wishes; i++) {
    const tensor_wish *wish = &answer.wishes[i];
    const int64_t *dims = wish->rank == 0 ? NULL : wish->dims;
    if (output->make(output, wish->slot, wish->dtype, wish->rank, dims) == NULL) {
      return 1;
    }
  }
  return answer.returned;
}

static int64_t size_of(void *object) {
  (void)object;
  return answer.size;
}

static int get(void *object, int64_t index, lpot_component_output *output, char *error) {
  (void)object;
  (void)index;
  (void)error;
  return make_all(output);
}

static int change(void *object, const lpot_component_tensor *input, lpot_component_output *output,
                  char *error) {
  (void)object;
  (void)input;
  (void)error;
  return make_all(output);
}

static int exchange(void *object, const lpot_component_batch *batch, lpot_component_output *output,
                    char *error) {
  (void)object;
  (void)batch;
  (void)error;
  return make_all(output);
}

static int add(void *object, const lpot_component_batch *batch, double *sums, char *error) {
  (void)object;
  (void)error;
  sums[0] += (double)batch->count;
  return 0;
}

static int value(void *object, const double *sums, int64_t count, double *ret_value, char *error) {
  (void)object;
  (void)error;
  *ret_value = sums[0] / (double)count;
  return 0;
}

static const lpot_component_dataset samples = {
    .base = {.struct_size = sizeof samples, .name = "samples", .open = open_any},
    .size = size_of,
    .get = get};
static const lpot_component_transform transform = {
    .base = {.struct_size = sizeof transform, .name = "change"}, .apply = change};
static const lpot_component_postprocess postprocess = {
    .base = {.struct_size = sizeof postprocess, .name = "exchange"}, .apply = exchange};
static const lpot_component_metric mean = {.base = {.struct_size = sizeof mean, .name = "mean"},
                                           .num_sums = 1,
                                           .add = add,
                                           .value = value};
static const lpot_component_list all = {
    .struct_size = sizeof all,
    .version = LPOT_COMPONENT_VERSION,
    .datasets = (const lpot_component_dataset *const[]){&samples, NULL},
    .transforms = (const lpot_component_transform *const[]){&transform, NULL},
    .metrics = (const lpot_component_metric *const[]){&mean, NULL},
    .postprocesses = (const lpot_component_postprocess *const[]){&postprocess, NULL}};

#define FLOATS(slot, ...)                                                                          \
  {                                                                                                \
    (slot), LPOT_COMPONENT_FLOAT32, sizeof((int[]){__VA_ARGS__}) / sizeof(int), {                  \
      __VA_ARGS__                                                                                  \
    }                                                                                              \
  }

static void answer_with(size_t count, const tensor_wish *wishes) {
  answer.num_wishes = count;
  memcpy(answer.wishes, wishes, count * sizeof *wishes);
}

static int use_all(void **state) {
  (void)state;
  memset(&answer, 0, sizeof answer);
  answer.size = 2;
  open_fails = false;
  lpot_plugin_use_program(&all);
  return 0;
}

/* ---- opening ---- */

static lpot_status open_samples(const char *settings, lpot_dataset **ret, lpot_error *err) {
  return open_with("plugin", settings, NULL, ret, err);
}

static void expect_not_opened(const char *settings, const char *part) {
  lpot_dataset *dataset = NULL;
  lpot_error err = {0};
  expect_error(open_samples(settings, &dataset, &err), LPOT_CONFIG, &err, part);
  assert_null(dataset);
}

static void sizes_that_cannot_be_are_refused(void **state) {
  (void)state;
  static const int64_t sizes[] = {0, -1, INT64_MIN};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    char text[64];
    answer.size = sizes[i];
    snprintf(text, sizeof text, "dataset samples has %lld samples", (long long)sizes[i]);
    expect_not_opened("library: program", text);
  }
}

static void programs_without_the_component_are_refused(void **state) {
  (void)state;
  lpot_component_list none = all;
  none.datasets = NULL;
  lpot_plugin_use_program(&none);
  expect_not_opened("library: program", "has no dataset");
  lpot_plugin_use_program(NULL);
  expect_not_opened("library: program", "this program has no components of its own");
}

static void settings_are_given_as_flat_texts(void **state) {
  (void)state;
  lpot_dataset *dataset = NULL;
  lpot_error err = {0};
  expect_ok(open_samples("{library: program, a: 1, list: [x, {y: z}]}", &dataset, &err), &err);
  assert_string_equal(answer.settings, "library=program a=1 list[0]=x list[1].y=z ");
  lpot_dataset_close(dataset);
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
  lpot_dataset *dataset = NULL;
  lpot_error err = {0};
  expect_ok(open_samples(many_settings(999), &dataset, &err), &err);
  lpot_dataset_close(dataset);
  expect_not_opened(many_settings(1000), "more than 1000 settings");
}

static void failures_without_a_word_are_told_as_such(void **state) {
  (void)state;
  open_fails = true;
  expect_not_opened("library: program", "dataset samples: it cannot be opened");
}

/* ---- samples ---- */

static void expect_no_sample(tensor_wish wish, const char *part) {
  lpot_dataset *dataset = NULL;
  lpot_sample sample;
  lpot_error err = {0};
  lpot_sample_init(&sample);
  expect_ok(open_samples("library: program", &dataset, &err), &err);
  answer_with(2, (const tensor_wish[]){FLOATS(0, 2), wish});
  expect_error(lpot_dataset_get(dataset, 0, &sample, &err), LPOT_CRASHED, &err, part);
  assert_non_null(strstr(err.message, "dataset samples of 'program': "));
  assert_true(sample.num_inputs == 0 && sample.inputs[0] == NULL && sample.label == NULL);
  lpot_dataset_close(dataset);
}

static void tensors_that_cannot_be_are_refused(void **state) {
  (void)state;
  expect_no_sample((tensor_wish)FLOATS(8, 2), "a tensor that nobody takes, number 8");
  expect_no_sample((tensor_wish)FLOATS(-2, 2), "a tensor that nobody takes, number -2");
  expect_no_sample((tensor_wish)FLOATS(1, -1), "too many elements or a bad axis: -1");
  expect_no_sample((tensor_wish)FLOATS(1, 1 << 20, 1 << 20), "too many elements or a bad axis");
  expect_no_sample((tensor_wish){1, 99, 1, {1}}, "a tensor of the unknown type 99");
  expect_no_sample((tensor_wish){1, LPOT_COMPONENT_UINT8, 9, {1}}, "number of axes is 9");
  expect_no_sample((tensor_wish){1, LPOT_COMPONENT_UINT8, -1, {1}}, "number of axes is -1");
}

static void inputs_must_follow_each_other(void **state) {
  (void)state;
  expect_no_sample((tensor_wish)FLOATS(2, 2), "input 1 of sample 0 is missing");
}

static void a_failure_takes_back_what_was_made(void **state) {
  (void)state;
  answer.returned = 1;
  expect_no_sample((tensor_wish)FLOATS(LPOT_COMPONENT_LABEL, 2), "it failed without a word");
}

static void a_tensor_may_be_made_anew(void **state) {
  (void)state;
  lpot_dataset *dataset = NULL;
  lpot_sample sample;
  lpot_error err = {0};
  lpot_sample_init(&sample);
  expect_ok(open_samples("library: program", &dataset, &err), &err);
  answer_with(2, (const tensor_wish[]){FLOATS(0, 2), FLOATS(0, 3, 1)});
  expect_ok(lpot_dataset_get(dataset, 1, &sample, &err), &err);
  assert_int_equal(sample.num_inputs, 1);
  assert_true(sample.inputs[0]->shape.rank == 2 && sample.inputs[0]->shape.dims[0] == 3);
  lpot_sample_done(&sample);
  lpot_dataset_close(dataset);
}

/* ---- on the way ---- */

static void transforms_must_make_something(void **state) {
  (void)state;
  lpot_yaml *yaml = parse_settings("plugin: {library: program}");
  lpot_transforms *transforms = NULL;
  lpot_error err = {0};
  lpot_sample sample = {.num_inputs = 1,
                        .inputs = {make_tensor(LPOT_F32, 1, 1, (const double[]){1})}};
  expect_ok(lpot_transforms_new(lpot_yaml_root(yaml), &transforms, &err), &err);
  expect_error(lpot_transforms_apply(transforms, 1, 0, &sample, &err), LPOT_CRASHED, &err,
               "transform change of 'program': it has made nothing");
  answer_with(1, (const tensor_wish[]){FLOATS(0, 5)});
  expect_ok(lpot_transforms_apply(transforms, 1, 0, &sample, &err), &err);
  assert_int_equal(sample.inputs[0]->shape.dims[0], 5);
  lpot_sample_done(&sample);
  lpot_transforms_free(transforms);
  lpot_yaml_free(yaml);
}

static lpot_status exchange_in(lpot_answer *given, lpot_error *err) {
  lpot_yaml *yaml = parse_settings("plugin: {library: program}");
  lpot_postprocess *chain = NULL;
  expect_ok(lpot_postprocess_new(lpot_yaml_root(yaml), &chain, err), err);
  lpot_status status = lpot_postprocess_apply(chain, given, err);
  lpot_postprocess_free(chain);
  lpot_yaml_free(yaml);
  return status;
}

static void postprocesses_may_exchange_labels(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_tensor *output = make_tensor(LPOT_F32, 2, 1, (const double[]){1, 2});
  lpot_answer given = {.num_outputs = 1, .outputs = {output}, .batch = {.num_valid = 2}};
  answer_with(1, (const tensor_wish[]){FLOATS(LPOT_COMPONENT_LABEL, 2, 3)});
  expect_ok(exchange_in(&given, &err), &err);
  assert_ptr_equal(given.outputs[0], output);
  assert_non_null(given.batch.labels);
  assert_int_equal(given.batch.labels->shape.dims[1], 3);
  lpot_answer_done(&given);
  lpot_tensor_unref(output);
}

static void postprocesses_must_make_a_row_for_each_sample(void **state) {
  (void)state;
  static const tensor_wish wishes[] = {FLOATS(0, 1, 3), FLOATS(LPOT_COMPONENT_LABEL, 1, 3)};
  lpot_tensor *output = make_tensor(LPOT_F32, 2, 1, (const double[]){1, 2});
  for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
    lpot_error err = {0};
    lpot_answer given = {.num_outputs = 1, .outputs = {output}, .batch = {.num_valid = 2}};
    answer_with(1, &wishes[i]);
    expect_error(exchange_in(&given, &err), LPOT_CRASHED, &err,
                 "it has made a tensor [1, 3] for 2 samples");
    assert_true(given.outputs[0] == output && given.batch.labels == NULL);
    lpot_answer_done(&given);
  }
  lpot_tensor_unref(output);
}

static void sums_of_another_size_are_refused(void **state) {
  (void)state;
  lpot_metric *metric = make_metric("plugin: {library: program}");
  lpot_metric_state counts;
  lpot_error err = {0};
  double result = 0;
  lpot_metric_state_init(&counts);
  counts.samples = 1;
  expect_ok(lpot_buffer_append(&counts.records, "123456789", 9, &err), &err);
  expect_error(lpot_metric_value(metric, &counts, &result, &err), LPOT_FORMAT, &err,
               "metric mean: 9 bytes of sums, expected 8");
  lpot_metric_state_done(&counts);
  lpot_metric_free(metric);
}

#define PLUGIN_TEST(name) cmocka_unit_test_setup(name, use_all)

int main(void) {
  const struct CMUnitTest tests[] = {
      PLUGIN_TEST(sizes_that_cannot_be_are_refused),
      PLUGIN_TEST(programs_without_the_component_are_refused),
      PLUGIN_TEST(settings_are_given_as_flat_texts),
      PLUGIN_TEST(settings_are_limited),
      PLUGIN_TEST(failures_without_a_word_are_told_as_such),
      PLUGIN_TEST(tensors_that_cannot_be_are_refused),
      PLUGIN_TEST(inputs_must_follow_each_other),
      PLUGIN_TEST(a_failure_takes_back_what_was_made),
      PLUGIN_TEST(a_tensor_may_be_made_anew),
      PLUGIN_TEST(transforms_must_make_something),
      PLUGIN_TEST(postprocesses_may_exchange_labels),
      PLUGIN_TEST(postprocesses_must_make_a_row_for_each_sample),
      PLUGIN_TEST(sums_of_another_size_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
