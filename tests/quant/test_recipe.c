#include "quant/quant_fixture.h"

#include "base/reader.h"
#include "quant/recipe.h"

#define NUM_OPS 3

static lpot_recipe *sample_recipe(void) {
  lpot_error err = {0};
  lpot_recipe *recipe = NULL;
  CHECK(lpot_recipe_new(NUM_OPS, &recipe, &err));
  recipe->ops[0] = fixture_u8;
  recipe->ops[2] = fixture_s8;
  recipe->calibration_samples = 100;
  recipe->scale_propagation_concat = true;
  return recipe;
}

static lpot_status read_bytes(const void *data, size_t size, lpot_recipe **ret, lpot_error *err) {
  lpot_reader reader;
  lpot_reader_init(&reader, data, size);
  return lpot_recipe_read(&reader, ret, err);
}

static void empty_input_is_refused(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_recipe *recipe = NULL;
  assert_int_equal(read_bytes("", 0, &recipe, &err), LPOT_FORMAT);
  assert_null(recipe);
}

static void input_truncated_at_any_byte_is_refused(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_buffer buffer;
  lpot_recipe *recipe = sample_recipe();
  lpot_recipe *copy = NULL;
  lpot_buffer_init(&buffer);
  CHECK(lpot_recipe_write(recipe, &buffer, &err));
  for (size_t size = 0; size < buffer.size; size++) {
    assert_int_equal(read_bytes(buffer.data, size, &copy, &err), LPOT_FORMAT);
  }
  assert_null(copy);
  lpot_buffer_done(&buffer);
  lpot_recipe_free(recipe);
}

/* Every byte of the form set to every value: either refused, or a recipe that is valid. */
static void changed_bytes_give_an_error_or_a_valid_recipe(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_buffer buffer;
  lpot_recipe *recipe = sample_recipe();
  size_t refused = 0;
  lpot_buffer_init(&buffer);
  CHECK(lpot_recipe_write(recipe, &buffer, &err));
  for (size_t i = 0; i < buffer.size; i++) {
    uint8_t old = buffer.data[i];
    for (int value = 0; value < 256; value++) {
      lpot_recipe *copy = NULL;
      buffer.data[i] = (uint8_t)value;
      if (read_bytes(buffer.data, buffer.size, &copy, &err) != LPOT_OK) {
        refused++;
        continue;
      }
      for (size_t k = 0; k < copy->num_ops; k++) {
        assert_null(lpot_op_config_problem(&copy->ops[k]));
      }
      lpot_recipe_free(copy);
    }
    buffer.data[i] = old;
  }
  assert_true(refused > 1000);
  lpot_buffer_done(&buffer);
  lpot_recipe_free(recipe);
}

static void count_beyond_the_bytes_is_refused_before_allocating(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_recipe *copy = NULL;
  const uint8_t bytes[] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
  CHECK_FAILS(read_bytes(bytes, sizeof bytes, &copy, &err), LPOT_FORMAT, "bytes are left");
}

static void written_recipe_is_read_back(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_buffer buffer;
  lpot_recipe *recipe = sample_recipe();
  lpot_recipe *copy = NULL;
  recipe->ops[1].weight.dtype = LPOT_DTYPE_UNKNOWN;
  lpot_buffer_init(&buffer);
  CHECK(lpot_recipe_write(recipe, &buffer, &err));
  CHECK(read_bytes(buffer.data, buffer.size, &copy, &err));
  assert_int_equal(copy->num_ops, NUM_OPS);
  assert_int_equal(copy->calibration_samples, 100);
  assert_true(copy->scale_propagation_concat);
  for (size_t i = 0; i < NUM_OPS; i++) {
    assert_memory_equal(&copy->ops[i], &recipe->ops[i], sizeof recipe->ops[i]);
  }
  assert_true(lpot_recipe_hash(copy) == lpot_recipe_hash(recipe));
  lpot_recipe_free(copy);
  lpot_recipe_free(recipe);
  lpot_buffer_done(&buffer);
}

/* The number is fixed: journals of older runs must keep their meaning. */
static void hash_is_stable_and_sees_every_setting(void **state) {
  (void)state;
  lpot_recipe *recipe = sample_recipe();
  const uint64_t hash = lpot_recipe_hash(recipe);
  recipe->calibration_samples++;
  assert_true(lpot_recipe_hash(recipe) != hash);
  recipe->calibration_samples--;
  recipe->scale_propagation_concat = false;
  assert_true(lpot_recipe_hash(recipe) != hash);
  recipe->scale_propagation_concat = true;
  recipe->ops[0].activation.algorithm = LPOT_KL;
  assert_true(lpot_recipe_hash(recipe) != hash);
  recipe->ops[0].activation.algorithm = LPOT_MINMAX;
  recipe->ops[0].weight.granularity = LPOT_PER_TENSOR;
  assert_true(lpot_recipe_hash(recipe) != hash);
  recipe->ops[0].weight.granularity = LPOT_PER_CHANNEL;
  assert_true(lpot_recipe_hash(recipe) == hash);
  lpot_op_config first = recipe->ops[0];
  recipe->ops[0] = recipe->ops[2];
  recipe->ops[2] = first;
  assert_true(lpot_recipe_hash(recipe) != hash);
  lpot_recipe_free(recipe);
}

static void f32_ops_hash_alike_with_and_without_weight(void **state) {
  (void)state;
  lpot_recipe *recipe = sample_recipe();
  uint64_t hash = lpot_recipe_hash(recipe);
  lpot_op_config with_weight = recipe->ops[1];
  recipe->ops[1].weight.dtype = LPOT_DTYPE_UNKNOWN;
  assert_true(lpot_recipe_hash(recipe) == hash);
  assert_true(lpot_op_config_equal(&with_weight, &recipe->ops[1]));
  assert_false(lpot_op_config_equal(&with_weight, &recipe->ops[0]));
  assert_false(lpot_op_config_equal(&recipe->ops[2], &recipe->ops[0]));
  assert_true(lpot_op_config_equal(&recipe->ops[2], &recipe->ops[2]));
  lpot_recipe_free(recipe);
}

static void new_recipe_is_f32_and_a_clone_is_its_own(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_recipe *recipe = sample_recipe();
  lpot_recipe *clone = NULL;
  CHECK(lpot_recipe_clone(recipe, &clone, &err));
  assert_int_equal(lpot_recipe_num_quantized(clone), 2);
  clone->ops[0] = clone->ops[1];
  assert_int_equal(lpot_recipe_num_quantized(clone), 1);
  assert_int_equal(lpot_recipe_num_quantized(recipe), 2);
  lpot_recipe_free(clone);
  lpot_recipe_free(recipe);
  CHECK(lpot_recipe_new(0, &recipe, &err));
  assert_int_equal(lpot_recipe_num_quantized(recipe), 0);
  lpot_recipe_free(recipe);
  lpot_recipe_free(NULL);
}

static void bf16_is_neither_int8_nor_f32(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_buffer buffer;
  lpot_recipe *recipe = sample_recipe();
  lpot_recipe *copy = NULL;
  uint64_t hash = lpot_recipe_hash(recipe);
  const lpot_op_config f32 = recipe->ops[1];
  recipe->ops[1] =
      (lpot_op_config){.activation = {.dtype = LPOT_BF16}, .weight = {.dtype = LPOT_BF16}};
  assert_true(lpot_recipe_hash(recipe) != hash);
  assert_false(lpot_op_config_equal(&recipe->ops[1], &f32));
  assert_false(lpot_op_config_is_quantized(&recipe->ops[1]));
  assert_int_equal(lpot_recipe_num_quantized(recipe), 2);
  assert_int_equal(lpot_recipe_num_bf16(recipe), 1);
  lpot_buffer_init(&buffer);
  CHECK(lpot_recipe_write(recipe, &buffer, &err));
  CHECK(read_bytes(buffer.data, buffer.size, &copy, &err));
  assert_memory_equal(&copy->ops[1], &recipe->ops[1], sizeof f32);
  lpot_recipe_free(copy);
  copy = NULL;
  /* What is exported has f32 in its place, and is another recipe. */
  CHECK(lpot_recipe_exported(recipe, &copy, &err));
  assert_true(lpot_recipe_hash(copy) == hash);
  assert_true(lpot_recipe_exported_hash(recipe) == hash);
  assert_int_equal(lpot_recipe_num_bf16(copy), 0);
  assert_null(lpot_op_config_problem(&copy->ops[1]));
  assert_true(lpot_recipe_exported_hash(copy) == hash);
  lpot_buffer_done(&buffer);
  lpot_recipe_free(copy);
  lpot_recipe_free(recipe);
}

static void problems_of_bf16_configs_are_told(void **state) {
  (void)state;
  const lpot_tensor_config bf16 = {.dtype = LPOT_BF16};
  const lpot_tensor_config f32 = {.dtype = LPOT_F32};
  const lpot_tensor_config none = {.dtype = LPOT_DTYPE_UNKNOWN};
  lpot_op_config config = {.activation = bf16, .weight = bf16};
  assert_null(lpot_op_config_problem(&config));
  config.weight = none;
  assert_null(lpot_op_config_problem(&config));
  config.weight = f32;
  assert_string_equal(lpot_op_config_problem(&config), "a bf16 activation needs a bf16 weight");
  config = (lpot_op_config){.activation = f32, .weight = bf16};
  assert_string_equal(lpot_op_config_problem(&config), "a bf16 weight needs a bf16 activation");
  config = (lpot_op_config){.activation = bf16, .weight = fixture_u8.weight};
  assert_string_equal(lpot_op_config_problem(&config), "an int8 weight needs an int8 activation");
  config = (lpot_op_config){.activation = fixture_u8.activation, .weight = bf16};
  assert_string_equal(lpot_op_config_problem(&config), "an int8 activation needs an int8 weight");
  config = (lpot_op_config){.activation = bf16, .weight = bf16};
  config.activation.algorithm = LPOT_KL;
  assert_non_null(lpot_op_config_problem(&config));
}

static void problems_of_configs_are_told(void **state) {
  (void)state;
  lpot_op_config config = fixture_u8;
  assert_null(lpot_op_config_problem(&config));
  config.weight = (lpot_tensor_config){.dtype = LPOT_F32};
  assert_string_equal(lpot_op_config_problem(&config), "an int8 activation needs an int8 weight");
  config = fixture_u8;
  config.activation = (lpot_tensor_config){.dtype = LPOT_F32};
  assert_string_equal(lpot_op_config_problem(&config), "an int8 weight needs an int8 activation");
  config = fixture_u8;
  config.weight.scheme = LPOT_SCHEME_ASYM;
  assert_non_null(lpot_op_config_problem(&config));
  config = fixture_u8;
  config.weight.dtype = LPOT_U8;
  assert_non_null(lpot_op_config_problem(&config));
  config = fixture_u8;
  config.activation.granularity = LPOT_PER_CHANNEL;
  assert_non_null(lpot_op_config_problem(&config));
  config = (lpot_op_config){.activation = {.dtype = LPOT_F32, .scheme = LPOT_SCHEME_ASYM},
                            .weight = {.dtype = LPOT_F32}};
  assert_non_null(lpot_op_config_problem(&config));
}

static void dynamic_recipe_is_another_one_and_read_back(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_buffer buffer;
  lpot_recipe *recipe = NULL;
  lpot_recipe *copy = NULL;
  lpot_buffer_init(&buffer);
  CHECK(lpot_recipe_new(1, &recipe, &err));
  recipe->ops[0] = fixture_u8;
  uint64_t hash = lpot_recipe_hash(recipe);
  recipe->dynamic = true;
  assert_true(lpot_recipe_hash(recipe) != hash);
  CHECK(lpot_recipe_write(recipe, &buffer, &err));
  CHECK(read_bytes(buffer.data, buffer.size, &copy, &err));
  assert_true(copy->dynamic);
  assert_true(lpot_recipe_hash(copy) == lpot_recipe_hash(recipe));
  lpot_recipe_free(copy);
  copy = NULL;
  buffer.data[2] = 1; /* one calibration sample */
  assert_int_equal(read_bytes(buffer.data, buffer.size, &copy, &err), LPOT_FORMAT);
  lpot_buffer_done(&buffer);
  lpot_buffer_init(&buffer);
  recipe->ops[0].activation.algorithm = LPOT_KL;
  CHECK(lpot_recipe_write(recipe, &buffer, &err));
  CHECK_FAILS(read_bytes(buffer.data, buffer.size, &copy, &err), LPOT_FORMAT, "minmax only");
  assert_null(copy);
  lpot_buffer_done(&buffer);
  lpot_recipe_free(recipe);
}

static void reduced_range_is_of_the_recipe_and_its_copies(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_buffer buffer;
  lpot_recipe *recipe = NULL;
  lpot_recipe *copies[2] = {NULL, NULL};
  lpot_buffer_init(&buffer);
  CHECK(lpot_recipe_new(1, &recipe, &err));
  uint64_t hash = lpot_recipe_hash(recipe);
  recipe->reduce_range = true;
  assert_true(lpot_recipe_hash(recipe) != hash);
  CHECK(lpot_recipe_write(recipe, &buffer, &err));
  CHECK(read_bytes(buffer.data, buffer.size, &copies[0], &err));
  CHECK(lpot_recipe_exported(recipe, &copies[1], &err));
  for (int i = 0; i < 2; i++) {
    assert_true(copies[i]->reduce_range);
    assert_true(lpot_recipe_hash(copies[i]) == lpot_recipe_hash(recipe));
    lpot_recipe_free(copies[i]);
  }
  lpot_buffer_done(&buffer);
  lpot_recipe_free(recipe);
}

static void corrections_are_of_the_recipe_and_its_copies(void **state) {
  (void)state;
  lpot_error err = {0};
  uint64_t hashes[1 << LPOT_NUM_CORRECTIONS];
  for (unsigned bits = 0; bits < 1u << LPOT_NUM_CORRECTIONS; bits++) {
    lpot_buffer buffer;
    lpot_recipe *recipe = sample_recipe();
    lpot_recipe *copies[2] = {NULL, NULL};
    lpot_buffer_init(&buffer);
    recipe->corrections = lpot_corrections_of_bits(bits);
    hashes[bits] = lpot_recipe_hash(recipe);
    for (unsigned i = 0; i < bits; i++) {
      assert_true(hashes[i] != hashes[bits]);
    }
    CHECK(lpot_recipe_write(recipe, &buffer, &err));
    CHECK(read_bytes(buffer.data, buffer.size, &copies[0], &err));
    CHECK(lpot_recipe_exported(recipe, &copies[1], &err));
    for (int i = 0; i < 2; i++) {
      assert_true(lpot_corrections_equal(&copies[i]->corrections, &recipe->corrections));
      assert_true(lpot_recipe_hash(copies[i]) == hashes[bits]);
      lpot_recipe_free(copies[i]);
    }
    for (size_t size = 0; size < buffer.size; size++) {
      assert_int_equal(read_bytes(buffer.data, size, &copies[0], &err), LPOT_FORMAT);
    }
    lpot_buffer_done(&buffer);
    lpot_recipe_free(recipe);
  }
}

/* Recipes without corrections have the bytes and the hash that they had before there were any. */
static void recipes_without_corrections_are_what_they_were(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_buffer buffer;
  lpot_recipe *recipe = sample_recipe();
  lpot_buffer_init(&buffer);
  assert_true(lpot_recipe_hash(recipe) == UINT64_C(0xd81974d7aae36cb3));
  CHECK(lpot_recipe_write(recipe, &buffer, &err));
  assert_int_equal(buffer.size, 1 + 1 + 8 + 4 + 8 * NUM_OPS);
  assert_int_equal(buffer.data[1], 1);
  lpot_buffer_done(&buffer);
  lpot_recipe_free(recipe);
}

static void impossible_corrections_are_refused(void **state) {
  (void)state;
  lpot_error err = {0};
  lpot_recipe *copy = NULL;
  uint8_t bytes[] = {1, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  CHECK(read_bytes(bytes, sizeof bytes, &copy, &err));
  assert_true(copy->corrections.cross_layer_equalization);
  lpot_recipe_free(copy);
  copy = NULL;
  bytes[1] = 0x12; /* dynamic */
  CHECK_FAILS(read_bytes(bytes, sizeof bytes, &copy, &err), LPOT_FORMAT, "out of range");
  bytes[1] = 0x20;
  CHECK_FAILS(read_bytes(bytes, sizeof bytes, &copy, &err), LPOT_FORMAT, "out of range");
  assert_null(copy);
}

static void dynamic_configs_are_those_of_dynamic_quantize_linear(void **state) {
  (void)state;
  assert_null(lpot_op_config_dynamic_problem(&fixture_u8));
  assert_non_null(lpot_op_config_dynamic_problem(&fixture_s8));
  lpot_op_config config = fixture_u8;
  config.activation.scheme = LPOT_SCHEME_SYM;
  assert_non_null(lpot_op_config_dynamic_problem(&config));
  config = (lpot_op_config){.activation = {.dtype = LPOT_BF16}, .weight = {.dtype = LPOT_BF16}};
  assert_null(lpot_op_config_problem(&config));
  assert_string_equal(lpot_op_config_dynamic_problem(&config),
                      "dynamic quantization knows uint8 and fp32 only");
  config = fixture_u8;
  config.weight = (lpot_tensor_config){.dtype = LPOT_DTYPE_UNKNOWN};
  assert_string_equal(lpot_op_config_dynamic_problem(&config),
                      "dynamic quantization needs a constant weight");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(empty_input_is_refused),
      cmocka_unit_test(input_truncated_at_any_byte_is_refused),
      cmocka_unit_test(changed_bytes_give_an_error_or_a_valid_recipe),
      cmocka_unit_test(count_beyond_the_bytes_is_refused_before_allocating),
      cmocka_unit_test(written_recipe_is_read_back),
      cmocka_unit_test(hash_is_stable_and_sees_every_setting),
      cmocka_unit_test(f32_ops_hash_alike_with_and_without_weight),
      cmocka_unit_test(new_recipe_is_f32_and_a_clone_is_its_own),
      cmocka_unit_test(problems_of_configs_are_told),
      cmocka_unit_test(dynamic_recipe_is_another_one_and_read_back),
      cmocka_unit_test(reduced_range_is_of_the_recipe_and_its_copies),
      cmocka_unit_test(corrections_are_of_the_recipe_and_its_copies),
      cmocka_unit_test(recipes_without_corrections_are_what_they_were),
      cmocka_unit_test(impossible_corrections_are_refused),
      cmocka_unit_test(dynamic_configs_are_those_of_dynamic_quantize_linear),
      cmocka_unit_test(bf16_is_neither_int8_nor_f32),
      cmocka_unit_test(problems_of_bf16_configs_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
