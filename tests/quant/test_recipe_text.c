#include "quant/quant_fixture.h"

#include "quant/recipe.h"

static const char *const names[] = {"conv1", "a \"b\\\n\xc3\xa9", "add"};
static const char *const types[] = {"Conv", "Gemm", "Add"};

static const char sample[] =
    "calibration_samples: 100\n"
    "scale_propagation_concat: false\n"
    "ops:\n"
    "  - name: \"conv1\"\n"
    "    type: Conv\n"
    "    activation: {dtype: uint8, scheme: asym, granularity: per_tensor, algorithm: minmax}\n"
    "    weight: {dtype: int8, scheme: sym, granularity: per_channel, algorithm: minmax}\n"
    "  - name: \"a \\\"b\\\\\\x0a\xc3\xa9\"\n"
    "    type: Gemm\n"
    "    activation: {dtype: fp32}\n"
    "    weight: {dtype: fp32}\n"
    "  - name: \"add\"\n"
    "    type: Add\n"
    "    activation: {dtype: int8, scheme: sym, granularity: per_tensor, algorithm: mse}\n";

static lpot_status read_text(const char *text, lpot_recipe **ret, lpot_error *err) {
  lpot_yaml *yaml = NULL;
  LPOT_TRY(lpot_yaml_parse("recipe.yaml", text, strlen(text), &yaml, err));
  lpot_status status = lpot_recipe_from_yaml(lpot_yaml_root(yaml), names, types, 3, ret, err);
  lpot_yaml_free(yaml);
  return status;
}

/* sample with the first `old` replaced. */
static void check_refused(const char *old, const char *new, const char *message) {
  char text[2048];
  lpot_error err = {0};
  lpot_recipe *recipe = NULL;
  const char *place = strstr(sample, old);
  assert_non_null(place);
  snprintf(text, sizeof text, "%.*s%s%s", (int)(place - sample), sample, new, place + strlen(old));
  CHECK_FAILS(read_text(text, &recipe, &err), LPOT_CONFIG, message);
  assert_non_null(strstr(err.message, "recipe.yaml:"));
  assert_null(recipe);
}

static lpot_status read_gemm(const char *text, lpot_recipe **ret, lpot_error *err) {
  lpot_yaml *yaml = NULL;
  LPOT_TRY(lpot_yaml_parse("recipe.yaml", text, strlen(text), &yaml, err));
  static const char *const name[] = {"g"};
  static const char *const type[] = {"Gemm"};
  lpot_status status = lpot_recipe_from_yaml(lpot_yaml_root(yaml), name, type, 1, ret, err);
  lpot_yaml_free(yaml);
  return status;
}

#define DYNAMIC_OP(dtype)                                                                          \
  "ops:\n  - name: \"g\"\n    type: Gemm\n    activation: {dtype: " dtype                          \
  ", scheme: asym, granularity: per_tensor, algorithm: minmax}\n"                                  \
  "    weight: {dtype: int8, scheme: sym, granularity: per_channel, algorithm: minmax}\n"

/* Reads the recipe of one Gemm, and writes the same text again. */
static lpot_recipe *round_trip(const char *text) {
  static const char *const name[] = {"g"};
  static const char *const type[] = {"Gemm"};
  lpot_error err = {0};
  lpot_recipe *recipe = NULL;
  lpot_buffer out;
  lpot_buffer_init(&out);
  CHECK(read_gemm(text, &recipe, &err));
  CHECK(lpot_recipe_to_text(recipe, name, type, &out, &err));
  CHECK(lpot_buffer_terminate(&out, &err));
  assert_string_equal((const char *)out.data, text);
  lpot_buffer_done(&out);
  return recipe;
}

static void reduced_range_is_written_and_read_back(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_recipe *recipe = round_trip("approach: dynamic\nreduce_range: true\n" DYNAMIC_OP("uint8"));
  assert_true(recipe->reduce_range);
  lpot_recipe_free(recipe);
  recipe = NULL;
  CHECK_FAILS(read_gemm("approach: dynamic\nreduce_range: 7\n" DYNAMIC_OP("uint8"), &recipe, &err),
              LPOT_CONFIG, "reduce_range");
  assert_null(recipe);
}

static void corrections_are_written_and_read_back(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_recipe *recipe =
      round_trip("calibration_samples: 5\nscale_propagation_concat: true\n"
                 "bias_correction: true\ncross_layer_equalization: true\n" DYNAMIC_OP("uint8"));
  assert_true(recipe->corrections.bias_correction);
  assert_true(recipe->corrections.cross_layer_equalization);
  lpot_recipe_free(recipe);
  recipe = NULL;
  CHECK_FAILS(
      read_gemm("approach: dynamic\nbias_correction: true\n" DYNAMIC_OP("uint8"), &recipe, &err),
      LPOT_CONFIG, "bias_correction");
  assert_null(recipe);
}

static void dynamic_recipe_is_written_and_read_back(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_recipe *recipe = round_trip("approach: dynamic\n" DYNAMIC_OP("uint8"));
  assert_true(recipe->dynamic);
  lpot_recipe_free(recipe);
  recipe = NULL;
  CHECK_FAILS(read_gemm("approach: dynamic\n" DYNAMIC_OP("int8"), &recipe, &err), LPOT_CONFIG,
              "uint8, asym and minmax only");
  CHECK_FAILS(
      read_gemm("approach: dynamic\ncalibration_samples: 0\n" DYNAMIC_OP("uint8"), &recipe, &err),
      LPOT_CONFIG, "calibration_samples");
  CHECK_FAILS(read_gemm("approach: moving\n" DYNAMIC_OP("uint8"), &recipe, &err), LPOT_CONFIG,
              "approach");
  CHECK_FAILS(read_gemm("approach: static\n" DYNAMIC_OP("uint8"), &recipe, &err), LPOT_CONFIG,
              "'calibration_samples' is missing");
  assert_null(recipe);
}

static void wrong_files_are_refused_with_their_place(void **state) {
  (void)state;
  check_refused("calibration_samples: 100\n", "", "'calibration_samples' is missing");
  check_refused("calibration_samples: 100\n", "calibration_samples: -1\n", "");
  check_refused("calibration_samples", "calibration_sampels", "calibration_samples");
  check_refused("propagation_concat: false", "propagation_concat: perhaps", "");
  check_refused("type: Conv", "type: MatMul", "op 'conv1' has the type Conv, got MatMul");
  check_refused("\"conv1\"", "\"conv2\"", "did you mean 'conv1'?");
  check_refused("\"conv1\"", "\"entirely_different\"", "the model has no op 'entirely_different'");
  check_refused("{dtype: int8, scheme: sym, granularity: per_tensor, algorithm: mse}",
                "{dtype: bf16}", "only Conv, Gemm and MatMul can be bf16");
  check_refused("\"add\"\n    type: Add", "\"conv1\"", "for the second time");
  check_refused("dtype: uint8", "dtype: uint9", "uint8");
  check_refused("scheme: asym, ", "", "'scheme' is missing");
  check_refused("per_channel", "per_row", "");
  check_refused("algorithm: mse", "algorithm: best", "");
  check_refused("    weight: {dtype: fp32}", "    weights: {dtype: fp32}", "weight");
  check_refused("int8, scheme: sym, granularity: per_c", "int8, scheme: asym, granularity: per_c",
                "weights are quantized by the sym scheme");
  check_refused(
      "    weight: {dtype: int8, scheme: sym, granularity: per_channel, algorithm: minmax}",
      "    weight: {dtype: fp32}", "an int8 activation needs an int8 weight");
  check_refused(
      "  - name: \"add\"\n"
      "    type: Add\n"
      "    activation: {dtype: int8, scheme: sym, granularity: per_tensor, algorithm: mse}\n",
      "", "op 'add' is missing");
}

static void file_of_another_shape_is_refused(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_recipe *recipe = NULL;
  static const char *const texts[] = {"",
                                      "- 1\n",
                                      "5\n",
                                      "ops: 3\n",
                                      "calibration_samples: 1\nscale_propagation_concat: true\n"
                                      "ops: {a: b}\n",
                                      "calibration_samples: 1\nscale_propagation_concat: true\n"
                                      "ops: [3]\n"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    assert_int_equal(read_text(texts[i], &recipe, &err), LPOT_CONFIG);
    assert_null(recipe);
  }
}

static void text_is_written_in_its_canonical_form(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_recipe *recipe = NULL;
  lpot_buffer buffer;
  lpot_buffer_init(&buffer);
  CHECK(read_text(sample, &recipe, &err));
  assert_int_equal(recipe->ops[0].activation.dtype, LPOT_U8);
  assert_int_equal(recipe->ops[0].weight.granularity, LPOT_PER_CHANNEL);
  assert_int_equal(recipe->ops[1].weight.dtype, LPOT_F32);
  assert_int_equal(recipe->ops[2].activation.algorithm, LPOT_MSE);
  assert_int_equal(recipe->ops[2].weight.dtype, LPOT_DTYPE_UNKNOWN);
  CHECK(lpot_recipe_to_text(recipe, names, types, &buffer, &err));
  CHECK(lpot_buffer_terminate(&buffer, &err));
  assert_string_equal((const char *)buffer.data, sample);
  lpot_buffer_done(&buffer);
  lpot_recipe_free(recipe);
}

static void recipe_without_ops_is_written_and_read(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_recipe *recipe = NULL;
  lpot_recipe *copy = NULL;
  lpot_yaml *yaml = NULL;
  lpot_buffer buffer;
  lpot_buffer_init(&buffer);
  CHECK(lpot_recipe_new(0, &recipe, &err));
  CHECK(lpot_recipe_to_text(recipe, NULL, NULL, &buffer, &err));
  CHECK(lpot_yaml_parse("r", (const char *)buffer.data, buffer.size, &yaml, &err));
  CHECK(lpot_recipe_from_yaml(lpot_yaml_root(yaml), NULL, NULL, 0, &copy, &err));
  assert_int_equal(copy->num_ops, 0);
  lpot_yaml_free(yaml);
  lpot_recipe_free(copy);
  lpot_recipe_free(recipe);
  lpot_buffer_done(&buffer);
}

static void bf16_is_written_and_read_back(void **state) {
  (void)state;
  static const char text[] = "calibration_samples: 5\n"
                             "scale_propagation_concat: true\n"
                             "ops:\n"
                             "  - name: \"conv1\"\n"
                             "    type: Conv\n"
                             "    activation: {dtype: bf16}\n"
                             "    weight: {dtype: bf16}\n"
                             "  - name: \"a \\\"b\\\\\\x0a\xc3\xa9\"\n"
                             "    type: Gemm\n"
                             "    activation: {dtype: fp32}\n"
                             "    weight: {dtype: fp32}\n"
                             "  - name: \"add\"\n"
                             "    type: Add\n"
                             "    activation: {dtype: fp32}\n";
  lpot_error err = {0};
  lpot_recipe *recipe = NULL;
  lpot_buffer out;
  lpot_buffer_init(&out);
  CHECK(read_text(text, &recipe, &err));
  assert_int_equal(lpot_recipe_num_bf16(recipe), 1);
  CHECK(lpot_recipe_to_text(recipe, names, types, &out, &err));
  CHECK(lpot_buffer_terminate(&out, &err));
  assert_string_equal((const char *)out.data, text);
  lpot_buffer_done(&out);
  lpot_recipe_free(recipe);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dynamic_recipe_is_written_and_read_back),
      cmocka_unit_test(reduced_range_is_written_and_read_back),
      cmocka_unit_test(corrections_are_written_and_read_back),
      cmocka_unit_test(wrong_files_are_refused_with_their_place),
      cmocka_unit_test(file_of_another_shape_is_refused),
      cmocka_unit_test(text_is_written_in_its_canonical_form),
      cmocka_unit_test(recipe_without_ops_is_written_and_read),
      cmocka_unit_test(bf16_is_written_and_read_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
