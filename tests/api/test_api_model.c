#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <lpot/lpot.h>

#define SHAPES LPOT_SOURCE_DIR "/configs/example/shapes.onnx"
#define PIXELS (3 * 32 * 32)
#define CLASSES 10
#define MAX_BATCH 5

static float images[MAX_BATCH * PIXELS];

static void fill_images(void) {
  for (int i = 0; i < MAX_BATCH * PIXELS; i++) {
    images[i] = (float)((i * 37 + i / PIXELS * 11) % 101) / 50.0F - 1.0F;
  }
}

static lpot_model *model_of(const char *engine) {
  lpot_model *model = NULL;
  lpot_error error = {0};
  if (lpot_model_from_file(SHAPES, engine, &model, &error) != LPOT_OK) {
    fail_msg("%s", error.message);
  }
  return model;
}

static lpot_component_tensor batch_of(int64_t first, int64_t count) {
  return (lpot_component_tensor){.dtype = LPOT_COMPONENT_FLOAT32,
                                 .rank = 4,
                                 .dims = {count, 3, 32, 32},
                                 .data = images + first * PIXELS,
                                 .size_bytes = (size_t)(count * PIXELS) * sizeof(float)};
}

/* scores [count, CLASSES] of images first ... */
static void run(lpot_model *model, int64_t first, int64_t count, float *scores) {
  lpot_component_tensor input = batch_of(first, count);
  lpot_component_tensor output;
  lpot_error error = {0};
  if (lpot_model_run(model, &input, &output, &error) != LPOT_OK) {
    fail_msg("%s", error.message);
  }
  assert_int_equal(output.dtype, LPOT_COMPONENT_FLOAT32);
  assert_int_equal(output.rank, 2);
  assert_int_equal(output.dims[0], count);
  assert_int_equal(output.dims[1], CLASSES);
  assert_int_equal(output.size_bytes, (size_t)(count * CLASSES) * sizeof(float));
  memcpy(scores, output.data, output.size_bytes);
}

static void inputs_and_outputs_are_described(void **state) {
  (void)state;
  lpot_model *model = model_of("onednn");
  lpot_model_value value = {.rank = -7};
  assert_int_equal(lpot_model_num_inputs(model), 1);
  assert_int_equal(lpot_model_num_outputs(model), 1);
  assert_int_equal(lpot_model_get_input(model, 1, &value), 0);
  assert_int_equal(lpot_model_get_output(model, 1, &value), 0);
  assert_int_equal(lpot_model_get_input(model, 0, NULL), 0);
  assert_int_equal(value.rank, -7);
  assert_int_equal(lpot_model_get_input(model, 0, &value), 1);
  assert_string_equal(value.name, "image");
  assert_int_equal(value.dtype, LPOT_COMPONENT_FLOAT32);
  assert_int_equal(value.rank, 4);
  const int64_t dims[] = {-1, 3, 32, 32};
  assert_memory_equal(value.dims, dims, sizeof dims);
  assert_int_equal(lpot_model_get_output(model, 0, &value), 1);
  assert_string_equal(value.name, "classifier_out");
  assert_int_equal(value.rank, 2);
  assert_int_equal(value.dims[1], CLASSES);
  lpot_model_free(model);
}

/* More sizes than stay compiled, and back. */
static void rows_do_not_depend_on_the_batch(void **state) {
  (void)state;
  lpot_model *model = model_of("onednn");
  float all[MAX_BATCH * CLASSES];
  float part[MAX_BATCH * CLASSES];
  run(model, 0, MAX_BATCH, all);
  assert_true(memcmp(all, all + CLASSES, CLASSES * sizeof *all) != 0);
  const int64_t sizes[] = {1, 2, 3, 2, 1, 5};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    int64_t first = MAX_BATCH - sizes[i];
    run(model, first, sizes[i], part);
    for (int64_t k = 0; k < sizes[i] * CLASSES; k++) {
      assert_float_equal(part[k], all[first * CLASSES + k], 1e-4);
    }
  }
  lpot_model_free(model);
}

static void engines_agree(void **state) {
  (void)state;
  lpot_model *fast = model_of("onednn");
  lpot_model *plain = model_of("reference");
  float a[2 * CLASSES];
  float b[2 * CLASSES];
  run(fast, 0, 2, a);
  run(plain, 0, 2, b);
  for (int i = 0; i < 2 * CLASSES; i++) {
    assert_float_equal(a[i], b[i], 1e-3);
  }
  lpot_model_free(fast);
  lpot_model_free(plain);
}

static void refuse(lpot_model *model, const lpot_component_tensor *input, const char *text) {
  lpot_component_tensor output = {.rank = -7};
  lpot_error error = {0};
  assert_int_equal(lpot_model_run(model, input, &output, &error), LPOT_INVALID);
  if (strstr(error.message, text) == NULL) {
    fail_msg("'%s' is not in '%s'", text, error.message);
  }
  assert_int_equal(output.rank, -7);
}

static void inputs_that_do_not_fit_are_named(void **state) {
  (void)state;
  lpot_model *model = model_of("onednn");
  float scores[CLASSES];
  lpot_component_tensor input = batch_of(0, 2);
  input.dims[1] = 4;
  refuse(model, &input, "input 'image' is float32 [2, 4, 32, 32], expected float32 [2, 3, 32, 32]");
  input = batch_of(0, 2);
  input.rank = 3;
  refuse(model, &input, "input 'image'");
  input.rank = 99;
  refuse(model, &input, "input 'image'");
  input.rank = 0;
  refuse(model, &input, "a batch of 1 or more");
  input = batch_of(0, 0);
  refuse(model, &input, "a batch of 1 or more");
  input = batch_of(0, 2);
  input.size_bytes -= 4;
  refuse(model, &input, "input 'image'");
  input = batch_of(0, 2);
  input.dtype = LPOT_COMPONENT_INT64;
  refuse(model, &input, "input 'image' is int64");
  input.dtype = 77;
  refuse(model, &input, "input 'image'");
  input = batch_of(0, 2);
  input.data = (const char *)images + 1;
  refuse(model, &input, "aligned");
  input.data = NULL;
  refuse(model, &input, "input 'image'");
  refuse(NULL, &input, "model is NULL");
  refuse(model, NULL, "inputs is NULL");
  run(model, 0, 1, scores); /* The model is as good as before. */
  lpot_model_free(model);
}

static void models_that_cannot_be_had_are_errors(void **state) {
  (void)state;
  lpot_model *model = NULL;
  lpot_error error = {0};
  assert_int_equal(lpot_model_from_file("none.onnx", "onednn", &model, &error), LPOT_FORMAT);
  assert_non_null(strstr(error.message, "none.onnx"));
  assert_int_equal(lpot_model_from_file(SHAPES, "fast", &model, &error), LPOT_INVALID);
  assert_int_equal(lpot_model_from_file(NULL, "onednn", &model, &error), LPOT_INVALID);
  assert_string_equal(error.message, "path is NULL");
  assert_int_equal(lpot_model_from_file(SHAPES, NULL, &model, &error), LPOT_INVALID);
  assert_null(model);
  lpot_model_free(NULL);
  lpot_model_value value;
  assert_int_equal(lpot_model_num_inputs(NULL), 0);
  assert_int_equal(lpot_model_num_outputs(NULL), 0);
  assert_int_equal(lpot_model_get_input(NULL, 0, &value), 0);
  assert_int_equal(lpot_model_get_output(NULL, 0, &value), 0);
}

/* A copy of the example whose first Relu is of another type. */
static void write_strange_model(const char *path) {
  static char bytes[1 << 20];
  FILE *file = fopen(SHAPES, "rb");
  assert_non_null(file);
  size_t size = fread(bytes, 1, sizeof bytes, file);
  (void)fclose(file);
  char *name = NULL;
  for (size_t i = 0; i + 4 < size && name == NULL; i++) {
    name = memcmp(bytes + i, "Relu", 4) == 0 ? bytes + i : NULL;
  }
  assert_non_null(name);
  memcpy(name, "Rely", 4);
  file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, size, file), size);
  (void)fclose(file);
}

static void a_model_with_a_strange_node_has_its_place(void **state) {
  (void)state;
  static const char path[] = "test_api_model_strange.onnx";
  lpot_model *model = NULL;
  lpot_error error = {0};
  write_strange_model(path);
  assert_int_equal(lpot_model_from_file(path, "onednn", &model, &error), LPOT_UNSUPPORTED);
  assert_string_equal(error.place_file, path);
  assert_int_equal(error.place_line, 0);
  assert_string_equal(error.node, "stem_relu");
  (void)remove(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(inputs_and_outputs_are_described),
      cmocka_unit_test(rows_do_not_depend_on_the_batch),
      cmocka_unit_test(engines_agree),
      cmocka_unit_test(inputs_that_do_not_fit_are_named),
      cmocka_unit_test(a_model_with_a_strange_node_has_its_place),
      cmocka_unit_test(models_that_cannot_be_had_are_errors),
  };
  fill_images();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
