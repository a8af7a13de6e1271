#include "base/memory.h"
#include "space_fixture.h"

static const lpot_choices f32_only = {1, {LPOT_F32}};
static const lpot_choices u8_only = {1, {LPOT_U8}};
static const lpot_choices s8_only = {1, {LPOT_S8}};

/* All configurations of an op, parted by blanks. */
static void assert_configs(const lpot_space *space, size_t op, const char *expected) {
  const lpot_space_op *entry = lpot_space_get(space, op);
  char text[2048] = "";
  size_t used = 0;
  for (size_t i = 0; i < entry->num_configs; i++) {
    char one[64];
    config_text(&entry->configs[i], one, sizeof one);
    used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i == 0 ? "" : " ", one);
  }
  assert_string_equal(text, expected);
}

static void assert_warning(const lpot_space *space, size_t index, const char *expected) {
  assert_true(index < lpot_space_num_warnings(space));
  assert_string_equal(lpot_space_warning(space, index), expected);
}

static void bad_pattern_is_refused_with_its_place(void **state) {
  (void)state;
  static const struct {
    const char *pattern;
    const char *part;
  } rows[] = {
      {"conv[", "conf.yaml:7:3: quantization.op_wise: bad pattern 'conv['"},
      {"(a", "bad pattern"},
      {"*", NULL},
      {"a{3}", "counted repetition"},
      {"(a)\\1", "back references"},
      {"conv\\d+", "[0-9]"},
      {"a\\", "backslash"},
      {"a+b+c+d+e+f+g+h+i+", "at most 8"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    fixture ops = fixture_new();
    const lpot_wish wish = {
        .pattern = rows[i].pattern, .file = "conf.yaml", .line = 7, .column = 3};
    fixture_add(&ops, "conv1", "Conv", small_capability(true));
    ops.wishes.num_op_wise = 1;
    ops.wishes.op_wise = &wish;
    lpot_space *space = NULL;
    lpot_error error = {0};
    lpot_status status = fixture_try_space(&ops, &space, &error);
    if (rows[i].part == NULL) {
      /* What POSIX leaves undefined is either refused or harmless. */
      assert_true(status == LPOT_OK || status == LPOT_CONFIG);
    } else {
      assert_int_equal(status, LPOT_CONFIG);
      assert_non_null(strstr(error.message, rows[i].part));
    }
    lpot_space_free(space);
  }
}

static void overlong_pattern_is_refused(void **state) {
  (void)state;
  char text[400];
  memset(text, '(', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  fixture ops = fixture_new();
  const lpot_wish wish = {.pattern = text};
  fixture_add(&ops, "conv1", "Conv", small_capability(true));
  ops.wishes.num_op_wise = 1;
  ops.wishes.op_wise = &wish;
  lpot_space *space = NULL;
  assert_int_equal(fixture_try_space(&ops, &space, NULL), LPOT_CONFIG);
}

static void space_without_sampling_sizes_is_refused(void **state) {
  (void)state;
  fixture ops = fixture_new();
  ops.wishes.num_sampling_sizes = 0;
  lpot_space *space = NULL;
  assert_int_equal(fixture_try_space(&ops, &space, NULL), LPOT_INVALID);
}

static void expansion_follows_lpots_order(void **state) {
  (void)state;
  fixture ops = fixture_new();
  lpot_op_choices capability = full_capability(true);
  capability.activation.algorithm.count = 2;
  fixture_add(&ops, "conv1", "Conv", capability);
  fixture_add(&ops, "add1", "Add", full_capability(false));
  lpot_space *space = fixture_space(&ops);
  /* Weight slowest; within the activation dtype slowest, algorithm fastest. F32 beside an int8
     tensor is dropped, F32 beside F32 is one configuration. */
  assert_configs(space, 0,
                 "u8/asym/minmax+channel u8/asym/kl+channel u8/sym/minmax+channel "
                 "u8/sym/kl+channel s8/asym/minmax+channel s8/asym/kl+channel "
                 "s8/sym/minmax+channel s8/sym/kl+channel "
                 "u8/asym/minmax+tensor u8/asym/kl+tensor u8/sym/minmax+tensor "
                 "u8/sym/kl+tensor s8/asym/minmax+tensor s8/asym/kl+tensor "
                 "s8/sym/minmax+tensor s8/sym/kl+tensor f32");
  assert_int_equal(lpot_space_get(space, 0)->num_quantized, 16);
  assert_int_equal(lpot_space_get(space, 0)->quantized[15], 15);
  assert_configs(space, 1,
                 "u8/asym/minmax u8/asym/kl u8/asym/percentile u8/asym/mse "
                 "u8/sym/minmax u8/sym/kl u8/sym/percentile u8/sym/mse "
                 "s8/asym/minmax s8/asym/kl s8/asym/percentile s8/asym/mse "
                 "s8/sym/minmax s8/sym/kl s8/sym/percentile s8/sym/mse f32");
  const lpot_space_op *add = lpot_space_get(space, 1);
  assert_int_equal(add->configs[0].weight.dtype, LPOT_DTYPE_UNKNOWN);
  assert_int_equal(add->fallback.weight.dtype, LPOT_DTYPE_UNKNOWN);
  assert_int_equal(lpot_space_num_warnings(space), 0);
  lpot_space_free(space);
}

static void merge_keeps_the_order_of_the_wish(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "add1", "Add", full_capability(false));
  ops.wishes.model_wise.activation.dtype = (lpot_choices){2, {LPOT_F32, LPOT_S8}};
  ops.wishes.model_wise.activation.scheme = (lpot_choices){1, {LPOT_SCHEME_SYM}};
  ops.wishes.model_wise.activation.algorithm = (lpot_choices){2, {LPOT_MSE, LPOT_MINMAX}};
  lpot_space *space = fixture_space(&ops);
  assert_configs(space, 0, "f32 s8/sym/mse s8/sym/minmax");
  assert_int_equal(lpot_space_get(space, 0)->num_quantized, 2);
  assert_int_equal(lpot_space_get(space, 0)->quantized[0], 1);
  lpot_space_free(space);
}

static void what_is_not_possible_is_dropped_and_told_once_per_type(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "conv1", "Conv", small_capability(true));
  fixture_add(&ops, "conv2", "Conv", small_capability(true));
  const lpot_wish wish = {
      .pattern = "Conv",
      .choices = {.weight = {.dtype = {2, {LPOT_U8, LPOT_S8}},
                             .scheme = {2, {LPOT_SCHEME_ASYM, LPOT_SCHEME_SYM}}}},
      .file = "conf.yaml",
      .line = 12};
  ops.wishes.num_type_wise = 1;
  ops.wishes.type_wise = &wish;
  lpot_space *space = fixture_space(&ops);
  assert_int_equal(lpot_space_num_warnings(space), 2);
  assert_warning(space, 0,
                 "optype_wise Conv weight.dtype: uint8 is not possible for Conv, dropped "
                 "(conf.yaml line 12)");
  assert_warning(space, 1,
                 "optype_wise Conv weight.scheme: asym is not possible for Conv, dropped "
                 "(conf.yaml line 12)");
  /* The weight's F32 is gone, so the op's is: LPOT's rule. F32 stays what it falls back to. */
  assert_configs(space, 0, "u8/asym/minmax+channel");
  assert_true(lpot_space_get(space, 0)->may_fall_back);
  lpot_space_free(space);
}

static void empty_intersection_keeps_the_capability_and_says_so(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "conv1", "Conv", small_capability(true));
  ops.wishes.model_wise.activation.algorithm = (lpot_choices){1, {LPOT_KL}};
  ops.wishes.model_wise_file = "conf.yaml";
  ops.wishes.model_wise_line = 5;
  lpot_space *space = fixture_space(&ops);
  assert_configs(space, 0, "u8/asym/minmax+channel f32");
  assert_int_equal(lpot_space_num_warnings(space), 2);
  assert_warning(space, 0,
                 "model_wise activation.algorithm: kl is not possible for Conv, dropped "
                 "(conf.yaml line 5)");
  assert_warning(space, 1,
                 "model_wise activation.algorithm: nothing of it is possible for Conv, it has no "
                 "effect there (conf.yaml line 5)");
  lpot_space_free(space);
}

static void wishes_narrow_one_after_the_other(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "conv1", "Conv", full_capability(true));
  fixture_add(&ops, "conv2", "Conv", full_capability(true));
  ops.wishes.model_wise.activation.dtype = (lpot_choices){2, {LPOT_U8, LPOT_F32}};
  ops.wishes.model_wise.activation.scheme = (lpot_choices){1, {LPOT_SCHEME_ASYM}};
  ops.wishes.model_wise.weight.granularity = (lpot_choices){1, {LPOT_PER_CHANNEL}};
  const lpot_wish type_wish = {
      .pattern = "Conv", .choices = {.activation = {.algorithm = {2, {LPOT_KL, LPOT_MINMAX}}}}};
  const lpot_wish op_wish = {.pattern = "conv2",
                             .choices = {.activation = {.dtype = {2, {LPOT_S8, LPOT_U8}},
                                                        .algorithm = {1, {LPOT_MINMAX}}}}};
  ops.wishes.num_type_wise = 1;
  ops.wishes.type_wise = &type_wish;
  ops.wishes.num_op_wise = 1;
  ops.wishes.op_wise = &op_wish;
  lpot_space *space = fixture_space(&ops);
  assert_configs(space, 0, "u8/asym/kl+channel u8/asym/minmax+channel f32");
  assert_configs(space, 1, "u8/asym/minmax+channel");
  assert_int_equal(lpot_space_num_warnings(space), 1);
  assert_warning(space, 0,
                 "op_wise conv2 activation.dtype: int8 is excluded by a wider wish, dropped");
  lpot_space_free(space);
}

static void wish_for_f32_alone_always_holds(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "conv1", "Conv", full_capability(true));
  fixture_add(&ops, "conv2", "Conv", full_capability(true));
  ops.wishes.model_wise.activation.dtype = u8_only;
  ops.wishes.model_wise.weight.dtype = s8_only;
  const lpot_wish wishes[] = {{.pattern = "conv1", .choices = {.activation = {.dtype = f32_only}}},
                              {.pattern = "conv2", .choices = {.weight = {.dtype = f32_only}}}};
  ops.wishes.num_op_wise = 2;
  ops.wishes.op_wise = wishes;
  lpot_space *space = fixture_space(&ops);
  assert_configs(space, 0, "f32");
  assert_configs(space, 1, "f32");
  assert_int_equal(lpot_space_get(space, 0)->num_quantized, 0);
  assert_int_equal(lpot_space_num_warnings(space), 0);
  lpot_space_free(space);
}

static void bf16_is_there_only_where_it_is_named(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "conv1", "Conv", bf16_capability(true));
  fixture_add(&ops, "conv2", "Conv", bf16_capability(true));
  fixture_add(&ops, "conv3", "Conv", bf16_capability(true));
  fixture_add(&ops, "mul", "MatMul", bf16_capability(false));
  const lpot_choices alone = {1, {LPOT_BF16}};
  const lpot_choices all = {3, {LPOT_U8, LPOT_BF16, LPOT_F32}};
  ops.wishes.model_wise.weight.dtype = s8_only;
  const lpot_wish wishes[] = {{.pattern = "conv2", .choices = {.activation = {.dtype = all}}},
                              {.pattern = "conv3", .choices = {.activation = {.dtype = alone}}},
                              {.pattern = "mul", .choices = {.activation = {.dtype = alone}}}};
  ops.wishes.num_op_wise = 3;
  ops.wishes.op_wise = wishes;
  lpot_space *space = fixture_space(&ops);
  assert_configs(space, 0, "u8/asym/minmax+channel");
  assert_configs(space, 1, "u8/asym/minmax+channel bf16");
  assert_configs(space, 2, "bf16");
  assert_configs(space, 3, "bf16");
  assert_null(lpot_space_get(space, 0)->bf16);
  assert_int_equal(lpot_space_get(space, 1)->bf16->weight.dtype, LPOT_BF16);
  assert_int_equal(lpot_space_get(space, 1)->num_quantized, 1);
  assert_int_equal(lpot_space_get(space, 1)->num_reduced, 2);
  assert_true(lpot_space_get(space, 1)->may_fall_back);
  assert_false(lpot_space_get(space, 2)->may_fall_back);
  assert_int_equal(lpot_space_get(space, 3)->bf16->weight.dtype, LPOT_DTYPE_UNKNOWN);
  assert_int_equal(lpot_space_num_warnings(space), 0);
  lpot_space_free(space);
}

static void bf16_for_ops_that_cannot_do_it_is_told(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "conv", "Conv", bf16_capability(true));
  fixture_add(&ops, "add", "Add", small_capability(false));
  ops.wishes.model_wise.activation.dtype = (lpot_choices){1, {LPOT_BF16}};
  lpot_space *space = fixture_space(&ops);
  assert_configs(space, 0, "bf16");
  assert_configs(space, 1, "f32");
  assert_int_equal(lpot_space_num_warnings(space), 1);
  assert_non_null(
      strstr(lpot_space_warning(space, 0), "bf16 is not possible for Add, fp32 is taken instead"));
  lpot_space_free(space);
  ops.wishes.model_wise.activation.dtype = (lpot_choices){2, {LPOT_U8, LPOT_BF16}};
  space = fixture_space(&ops);
  assert_configs(space, 0, "u8/asym/minmax+channel bf16");
  assert_configs(space, 1, "u8/asym/minmax");
  assert_non_null(strstr(lpot_space_warning(space, 0), "bf16 is not possible for Add, dropped"));
  lpot_space_free(space);
}

static void fp32_weights_overrule_bf16_activations(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "conv", "Conv", bf16_capability(true));
  ops.wishes.model_wise.activation.dtype = (lpot_choices){1, {LPOT_BF16}};
  ops.wishes.model_wise.weight.dtype = f32_only;
  lpot_space *space = fixture_space(&ops);
  assert_configs(space, 0, "f32");
  lpot_space_free(space);
}

static void op_wise_wish_for_int8_forbids_falling_back(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "conv1", "Conv", full_capability(true));
  fixture_add(&ops, "conv2", "Conv", full_capability(true));
  fixture_add(&ops, "conv3", "Conv", full_capability(true));
  ops.wishes.model_wise.activation.dtype = u8_only;
  const lpot_wish wishes[] = {{.pattern = "conv2", .choices = {.activation = {.dtype = u8_only}}},
                              {.pattern = "conv3", .choices = {.activation = {.dtype = s8_only}}}};
  ops.wishes.num_op_wise = 2;
  ops.wishes.op_wise = wishes;
  lpot_space *space = fixture_space(&ops);
  assert_true(lpot_space_get(space, 0)->may_fall_back);
  assert_false(lpot_space_get(space, 1)->may_fall_back);
  /* This one had no effect. */
  assert_true(lpot_space_get(space, 2)->may_fall_back);
  lpot_space_free(space);
}

static void key_that_is_a_name_means_that_op_only(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "/conv/Conv", "Conv", small_capability(true));
  fixture_add(&ops, "/conv/Conv_1", "Conv", small_capability(true));
  fixture_add(&ops, "a(b", "Conv", small_capability(true));
  const lpot_wish wishes[] = {
      {.pattern = "/conv/Conv", .choices = {.activation = {.dtype = f32_only}}},
      {.pattern = "a(b", .choices = {.activation = {.dtype = f32_only}}}};
  ops.wishes.num_op_wise = 2;
  ops.wishes.op_wise = wishes;
  lpot_space *space = fixture_space(&ops);
  assert_configs(space, 0, "f32");
  assert_configs(space, 1, "u8/asym/minmax+channel f32");
  assert_configs(space, 2, "f32");
  lpot_space_free(space);
}

static void pattern_matches_at_the_beginning_only(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "layer1.conv1", "Conv", small_capability(true));
  fixture_add(&ops, "layer1.conv22", "Conv", small_capability(true));
  fixture_add(&ops, "a.layer1.conv1", "Conv", small_capability(true));
  const lpot_wish wish = {.pattern = "layer1[.]conv[0-9]",
                          .choices = {.activation = {.dtype = f32_only}}};
  ops.wishes.num_op_wise = 1;
  ops.wishes.op_wise = &wish;
  lpot_space *space = fixture_space(&ops);
  assert_configs(space, 0, "f32");
  assert_configs(space, 1, "f32");
  assert_configs(space, 2, "u8/asym/minmax+channel f32");
  lpot_space_free(space);
}

static void plain_key_is_never_a_pattern(void **state) {
  (void)state;
  assert_true(lpot_space_pattern_is_plain("layer1.conv-1/x_2"));
  assert_true(lpot_space_pattern_is_plain(".a"));
  assert_false(lpot_space_pattern_is_plain(""));
  assert_false(lpot_space_pattern_is_plain("_a"));
  assert_false(lpot_space_pattern_is_plain("/a"));
  assert_false(lpot_space_pattern_is_plain("conv.*"));
  assert_false(lpot_space_pattern_is_plain("a b"));
  fixture ops = fixture_new();
  fixture_add(&ops, "conv12", "Conv", small_capability(true));
  const lpot_wish wish = {.pattern = "conv1", .choices = {.activation = {.dtype = f32_only}}};
  ops.wishes.num_op_wise = 1;
  ops.wishes.op_wise = &wish;
  lpot_space *space = fixture_space(&ops);
  assert_configs(space, 0, "u8/asym/minmax+channel f32");
  assert_warning(space, 0, "op_wise conv1: matches no quantizable op (did you mean 'conv12'?)");
  lpot_space_free(space);
}

static void unmatched_wishes_are_told(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "conv1", "Conv", small_capability(true));
  const lpot_wish type_wish = {.pattern = "Conf", .file = "a.yaml", .line = 3};
  const lpot_wish op_wish = {.pattern = "zzzzzz.*", .file = "a.yaml", .line = 4};
  ops.wishes.num_type_wise = 1;
  ops.wishes.type_wise = &type_wish;
  ops.wishes.num_op_wise = 1;
  ops.wishes.op_wise = &op_wish;
  lpot_space *space = fixture_space(&ops);
  assert_warning(space, 0,
                 "optype_wise Conf: matches no type of a quantizable op (did you mean 'Conv'?) "
                 "(a.yaml line 3)");
  assert_warning(space, 1, "op_wise zzzzzz.*: matches no quantizable op (a.yaml line 4)");
  lpot_space_free(space);
}

static void weight_wishes_for_ops_without_weights(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "add1", "Add", small_capability(false));
  ops.wishes.model_wise.weight.dtype = s8_only;
  lpot_space *space = fixture_space(&ops);
  assert_configs(space, 0, "u8/asym/minmax f32");
  assert_int_equal(lpot_space_num_warnings(space), 0);
  lpot_space_free(space);
  const lpot_wish wish = {.pattern = "add1", .choices = {.weight = {.dtype = s8_only}}};
  ops.wishes.num_op_wise = 1;
  ops.wishes.op_wise = &wish;
  space = fixture_space(&ops);
  assert_warning(space, 0, "op_wise add1 weight.dtype: Add has no constant weight, dropped");
  lpot_space_free(space);
}

static void op_without_any_configuration_stays_f32(void **state) {
  (void)state;
  fixture ops = fixture_new();
  lpot_op_choices capability = small_capability(true);
  capability.weight.dtype = (lpot_choices){2, {LPOT_S8, LPOT_F32}};
  fixture_add(&ops, "conv1", "Conv", capability);
  /* [uint8] beside [fp32, ...] without int8: only mixed pairs are left. */
  ops.capabilities[0].weight.dtype = (lpot_choices){2, {LPOT_F32, LPOT_F16}};
  ops.capabilities[0].activation.dtype = u8_only;
  lpot_space *space = fixture_space(&ops);
  assert_configs(space, 0, "f32");
  assert_warning(space, 0, "op 'conv1' (Conv): the wishes leave no configuration, it stays fp32");
  lpot_space_free(space);
}

static void first_conv_or_matmul_can_be_left_out(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "add1", "Add", small_capability(false));
  fixture_add(&ops, "fc1", "Gemm", small_capability(true));
  fixture_add(&ops, "conv1", "Conv", small_capability(true));
  ops.wishes.first_conv_or_matmul_quantization = false;
  lpot_space *space = fixture_space(&ops);
  assert_configs(space, 0, "u8/asym/minmax f32");
  assert_configs(space, 1, "f32");
  assert_configs(space, 2, "u8/asym/minmax+channel f32");
  lpot_space_free(space);
}

static void space_keeps_the_switches(void **state) {
  (void)state;
  fixture ops = fixture_new();
  ops.sampling_sizes[0] = 7;
  ops.sampling_sizes[1] = 3;
  ops.wishes.num_sampling_sizes = 2;
  ops.wishes.scale_propagation_concat = false;
  lpot_space *space = fixture_space(&ops);
  assert_int_equal(lpot_space_num_ops(space), 0);
  assert_int_equal(lpot_space_num_sampling_sizes(space), 2);
  assert_int_equal(lpot_space_sampling_size(space, 0), 7);
  assert_int_equal(lpot_space_sampling_size(space, 1), 3);
  assert_false(lpot_space_scale_propagation_concat(space));
  lpot_space_free(space);
}

static void variants_are_the_product_of_the_switches(void **state) {
  (void)state;
  fixture ops = fixture_new();
  ops.sampling_sizes[1] = 20;
  ops.wishes.num_sampling_sizes = 2;
  lpot_space *space = fixture_space(&ops);
  assert_int_equal(lpot_space_num_corrections(space), 1);
  assert_int_equal(lpot_space_num_variants(space), 2);
  assert_false(lpot_corrections_any(lpot_space_corrections(space, 0)));
  lpot_space_free(space);
  fixture_add_corrections(&ops);
  space = fixture_space(&ops);
  static const char *const expected[] = {"cross_layer_equalization", "none",
                                         "bias_correction, cross_layer_equalization",
                                         "bias_correction"};
  assert_int_equal(lpot_space_num_corrections(space), 4);
  assert_int_equal(lpot_space_num_variants(space), 8);
  for (size_t i = 0; i < 4; i++) {
    char text[LPOT_CORRECTIONS_TEXT];
    lpot_corrections_text(lpot_space_corrections(space, i), text);
    assert_string_equal(text, expected[i]);
  }
  lpot_space_free(space);
}

static void dynamic_space_has_no_corrections(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add_corrections(&ops);
  ops.wishes.sampling_sizes = ops.sampling_sizes;
  const lpot_space_ops plain = {.dynamic = true};
  lpot_space *space = NULL;
  assert_int_equal(lpot_space_new_from_ops(&plain, &ops.wishes, &space, NULL), LPOT_OK);
  assert_int_equal(lpot_space_num_variants(space), 1);
  assert_false(lpot_corrections_any(lpot_space_corrections(space, 0)));
  lpot_space_free(space);
}

static void space_survives_every_failed_allocation(void **state) {
  (void)state;
  fixture ops = fixture_new();
  fixture_add(&ops, "conv1", "Conv", full_capability(true));
  const lpot_wish wishes[] = {
      {.pattern = "c.*", .choices = {.weight = {.scheme = {1, {LPOT_SCHEME_ASYM}}}}},
      {.pattern = "zz"}};
  ops.wishes.num_op_wise = 2;
  ops.wishes.op_wise = wishes;
  for (uint64_t n = 1;; n++) {
    lpot_space *space = NULL;
    lpot_memory_fail_after(n);
    lpot_status status = fixture_try_space(&ops, &space, NULL);
    lpot_memory_fail_after(0);
    lpot_space_free(space);
    if (status == LPOT_OK) {
      assert_true(n > 1);
      break;
    }
    assert_int_equal(status, LPOT_NO_MEMORY);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bad_pattern_is_refused_with_its_place),
      cmocka_unit_test(overlong_pattern_is_refused),
      cmocka_unit_test(space_without_sampling_sizes_is_refused),
      cmocka_unit_test(expansion_follows_lpots_order),
      cmocka_unit_test(merge_keeps_the_order_of_the_wish),
      cmocka_unit_test(what_is_not_possible_is_dropped_and_told_once_per_type),
      cmocka_unit_test(empty_intersection_keeps_the_capability_and_says_so),
      cmocka_unit_test(wishes_narrow_one_after_the_other),
      cmocka_unit_test(bf16_is_there_only_where_it_is_named),
      cmocka_unit_test(bf16_for_ops_that_cannot_do_it_is_told),
      cmocka_unit_test(fp32_weights_overrule_bf16_activations),
      cmocka_unit_test(wish_for_f32_alone_always_holds),
      cmocka_unit_test(op_wise_wish_for_int8_forbids_falling_back),
      cmocka_unit_test(key_that_is_a_name_means_that_op_only),
      cmocka_unit_test(pattern_matches_at_the_beginning_only),
      cmocka_unit_test(plain_key_is_never_a_pattern),
      cmocka_unit_test(unmatched_wishes_are_told),
      cmocka_unit_test(weight_wishes_for_ops_without_weights),
      cmocka_unit_test(op_without_any_configuration_stays_f32),
      cmocka_unit_test(first_conv_or_matmul_can_be_left_out),
      cmocka_unit_test(space_keeps_the_switches),
      cmocka_unit_test(variants_are_the_product_of_the_switches),
      cmocka_unit_test(dynamic_space_has_no_corrections),
      cmocka_unit_test(space_survives_every_failed_allocation),
  };
  return cmocka_run_group_tests_name("space", tests, NULL, NULL);
}
