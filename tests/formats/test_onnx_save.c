#include "formats/onnx/onnx_save_limits.h"

#include "onnx_builder.h"
#include "temp_folder.h"

#include "base/memory.h"

#define COUNT 1000 /* floats of the large constant: enough to go outside */

/* A graph with every kind of attribute, an input left out in the middle, a small and a large
 * constant, one that nobody reads, and a com.microsoft operator when asked. */
static lpot_graph *make_graph(bool with_microsoft) {
  static float large[COUNT];
  const float small[4] = {1, 2, 3, 4};
  const int64_t ints[2] = {-7, 1ll << 40};
  const float reals[2] = {0.1f, -1e30f};
  for (int i = 0; i < COUNT; i++) {
    large[i] = (float)i;
  }
  lpot_buffer attributes, tensor, value;
  lpot_buffer_init(&attributes);
  lpot_buffer_init(&tensor);
  lpot_buffer_init(&value);
  MUST(lpot_wire_put_int64(&tensor, LPOT_TENSOR_DATA_TYPE, 7, NULL));
  MUST(lpot_wire_put_int64(&tensor, LPOT_TENSOR_INT64_DATA, 42, NULL));
  MUST(lpot_wire_put_message(&value, LPOT_ATTRIBUTE_FIELD_T, &tensor, NULL));
  attribute_int(&attributes, "i", -5);
  attribute_float(&attributes, "f", 0.5f);
  attribute_string(&attributes, "s", "text");
  attribute_ints(&attributes, "ints", ints, 2);
  attribute_floats(&attributes, "floats", reals, 2);
  attribute_of(&attributes, "t", LPOT_ONNX_TENSOR, &value);
  lpot_buffer_clear(&value);
  MUST(lpot_wire_put_string(&value, LPOT_ATTRIBUTE_FIELD_STRINGS, "one", NULL));
  MUST(lpot_wire_put_string(&value, LPOT_ATTRIBUTE_FIELD_STRINGS, "two", NULL));
  attribute_of(&attributes, "strings", LPOT_ONNX_STRINGS, &value);
  builder b;
  builder_init(&b);
  builder_input(&b, "x");
  builder_floats(&b, "large", large, COUNT);
  builder_floats(&b, "small", small, 4);
  builder_floats(&b, "unread", small, 4);
  builder_node(&b, "Add", "add", "x,small", "a", &attributes);
  builder_node(&b, "Clip", "clip", "a,,small", "y", NULL);
  builder_output(&b, "y");
  builder_output(&b, "large");
  lpot_graph *graph = builder_graph(&b, 13);
  if (with_microsoft) {
    lpot_value_id x = lpot_graph_find_value(graph, "x");
    lpot_value_id inputs[7] = {x, x, x, x, x, x, x};
    lpot_shape shape = lpot_shape_unknown();
    lpot_value_id output = LPOT_NONE;
    lpot_node_id node = LPOT_NONE;
    MUST(lpot_graph_add_value(graph, "q", LPOT_U8, &shape, &output, NULL));
    MUST(lpot_graph_add_node(graph, LPOT_OP_QLINEAR_ADD, "q", inputs, 7, &output, 1, &node, NULL));
    MUST(lpot_graph_add_output(graph, output, NULL));
  }
  lpot_buffer_done(&tensor);
  lpot_buffer_done(&value);
  return graph;
}

static void assert_same_graph(const lpot_graph *graph) {
  const lpot_node *add = node_named(graph, "add");
  const int64_t *ints = NULL;
  assert_int_equal(lpot_node_int(add, "i", 0), -5);
  assert_true(lpot_node_float(add, "f", 0) == 0.5f);
  assert_string_equal(lpot_node_string(add, "s", ""), "text");
  assert_int_equal(lpot_node_ints(add, "ints", &ints), 2);
  assert_true(ints[0] == -7 && ints[1] == 1ll << 40);
  assert_true(lpot_node_attribute(add, "floats")->reals[1] == -1e30f);
  assert_int_equal(lpot_tensor_get_int(lpot_node_attribute(add, "t")->tensor, 0), 42);
  assert_int_equal(lpot_node_attribute(add, "strings")->count, 2);
  assert_string_equal(lpot_node_attribute(add, "strings")->strings[1], "two");
  const lpot_node *clip = node_named(graph, "clip");
  assert_int_equal(clip->num_inputs, 3);
  assert_int_equal(lpot_node_input(clip, 1), LPOT_NONE);
  assert_true(lpot_tensor_get_double(constant_of(graph, clip, 2), 3) == 4.0);
  const lpot_value *input = lpot_graph_value(graph, lpot_graph_input(graph, 0));
  assert_string_equal(input->name, "x");
  assert_true(input->shape.dims[0] == LPOT_DIM_UNKNOWN && input->shape.dims[1] == 4);
  assert_int_equal(lpot_graph_num_outputs(graph), lpot_graph_find_node(graph, "q") < 0 ? 2 : 3);
  const lpot_value *large = lpot_graph_value(graph, lpot_graph_find_value(graph, "large"));
  assert_true(lpot_tensor_get_double(large->constant, COUNT - 1) == COUNT - 1);
  assert_int_equal(lpot_graph_find_value(graph, "unread"), LPOT_NONE);
}

static void save_and_load_keep_the_graph(void **state) {
  temp_folder *folder = *state;
  for (int with_microsoft = 0; with_microsoft < 2; with_microsoft++) {
    char path[PATH_SIZE];
    lpot_graph *graph = make_graph(with_microsoft == 1);
    lpot_graph *again = NULL;
    lpot_model_info info;
    uint64_t size = 0;
    uint64_t counted = 0;
    MUST(lpot_onnx_save(graph, temp_path(folder, "m.onnx", path), &size, NULL));
    MUST(lpot_onnx_size(graph, "m.onnx", &counted, NULL));
    assert_int_equal(counted, size);
    assert_int_equal(temp_size(folder, "m.onnx"), (long)size);
    assert_int_equal(temp_size(folder, "m.onnx.data"), -1);
    MUST(lpot_onnx_load(path, &again, &info, NULL));
    assert_same_graph(again);
    assert_string_equal(info.producer, "lpot");
    assert_int_equal(info.opset, 13);
    assert_int_equal(info.ir_version, 7);
    lpot_graph_free(again);
    lpot_graph_free(graph);
  }
}

/* Both domains have a Gelu. */
static void save_and_load_keep_the_domain_of_a_name(void **state) {
  temp_folder *folder = *state;
  static const lpot_op ops[] = {LPOT_OP_GELU, LPOT_OP_MICROSOFT_GELU, LPOT_OP_FAST_GELU};
  for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
    char path[PATH_SIZE];
    lpot_graph *graph = NULL;
    lpot_graph *again = NULL;
    lpot_value_id x = LPOT_NONE;
    lpot_value_id y = LPOT_NONE;
    lpot_shape shape = lpot_shape_scalar();
    MUST(lpot_graph_new("g", &graph, NULL));
    MUST(lpot_graph_add_value(graph, "x", LPOT_F32, &shape, &x, NULL));
    MUST(lpot_graph_add_input(graph, x, NULL));
    MUST(lpot_graph_add_value(graph, "y", LPOT_F32, &shape, &y, NULL));
    MUST(lpot_graph_add_node(graph, ops[i], "gelu", &x, 1, &y, 1, NULL, NULL));
    MUST(lpot_graph_add_output(graph, y, NULL));
    lpot_graph_set_opset(graph, 20);
    MUST(lpot_onnx_save(graph, temp_path(folder, "m.onnx", path), NULL, NULL));
    MUST(lpot_onnx_load(path, &again, NULL, NULL));
    assert_int_equal(node_named(again, "gelu")->op, ops[i]);
    lpot_graph_free(again);
    lpot_graph_free(graph);
  }
}

/* Every operator of com.microsoft comes back as itself, with the domain imported. */
static void save_keeps_operators_of_com_microsoft(void **state) {
  temp_folder *folder = *state;
  char path[PATH_SIZE];
  for (int op = 0; op < LPOT_NUM_OPS; op++) {
    const lpot_op_info *info = lpot_op_get_info((lpot_op)op);
    lpot_value_id inputs[9] = {0};
    lpot_value_id output = LPOT_NONE;
    lpot_node_id node = LPOT_NONE;
    lpot_graph *again = NULL;
    lpot_shape shape = lpot_shape_unknown();
    if (info->domain[0] == '\0') {
      continue;
    }
    lpot_graph *graph = make_graph(false);
    for (int i = 0; i < info->min_inputs; i++) {
      bool required = lpot_op_requires_input((lpot_op)op, (size_t)i);
      inputs[i] = required ? lpot_graph_find_value(graph, "x") : LPOT_NONE;
    }
    MUST(lpot_graph_add_value(graph, "m", LPOT_F32, &shape, &output, NULL));
    MUST(lpot_graph_add_node(graph, (lpot_op)op, "m", inputs, (size_t)info->min_inputs, &output, 1,
                             &node, NULL));
    MUST(lpot_graph_set_string(graph, node, "activation", "Clip", NULL));
    MUST(lpot_graph_set_floats(graph, node, "activation_params", (float[]){-1, 2.5f}, 2, NULL));
    MUST(lpot_graph_add_output(graph, output, NULL));
    MUST(lpot_onnx_save(graph, temp_path(folder, "ms.onnx", path), NULL, NULL));
    MUST(lpot_onnx_load(path, &again, NULL, NULL));
    const lpot_node *loaded = node_named(again, "m");
    assert_int_equal(loaded->op, op);
    assert_int_equal(loaded->num_inputs, info->min_inputs);
    assert_string_equal(lpot_node_string(loaded, "activation", ""), "Clip");
    assert_true(lpot_node_attribute(loaded, "activation_params")->reals[1] == 2.5f);
    lpot_graph_free(again);
    lpot_graph_free(graph);
  }
}

static void save_writes_ir_version_8_from_opset_15(void **state) {
  temp_folder *folder = *state;
  char path[PATH_SIZE];
  lpot_graph *graph = make_graph(false);
  lpot_graph *again = NULL;
  lpot_model_info info;
  lpot_graph_set_opset(graph, 17);
  MUST(lpot_onnx_save(graph, temp_path(folder, "ir.onnx", path), NULL, NULL));
  MUST(lpot_onnx_load(path, &again, &info, NULL));
  assert_int_equal(info.ir_version, 8);
  assert_int_equal(info.opset, 17);
  lpot_graph_free(again);
  lpot_graph_free(graph);
}

static void save_beyond_the_limit_puts_large_constants_outside(void **state) {
  temp_folder *folder = *state;
  char path[PATH_SIZE];
  lpot_graph *graph = make_graph(false);
  lpot_graph *again = NULL;
  lpot_model_info info;
  uint64_t size = 0;
  MUST(lpot_onnx_save_within(graph, temp_path(folder, "big.onnx", path), 2000, &size, NULL));
  assert_int_equal(temp_size(folder, "big.onnx.data"), COUNT * (long)sizeof(float));
  assert_true(temp_size(folder, "big.onnx") < 1000);
  assert_int_equal(temp_size(folder, "big.onnx") + temp_size(folder, "big.onnx.data"), (long)size);
  MUST(lpot_onnx_load(path, &again, &info, NULL));
  assert_same_graph(again);
  assert_int_equal(info.size_bytes, size);
  lpot_graph_free(again);
  lpot_graph_free(graph);
}

static void save_over_the_file_that_the_graph_is_mapped_from_is_safe(void **state) {
  temp_folder *folder = *state;
  char path[PATH_SIZE];
  lpot_graph *graph = make_graph(false);
  MUST(lpot_onnx_save(graph, temp_path(folder, "self.onnx", path), NULL, NULL));
  lpot_graph_free(graph);
  for (int round = 0; round < 3; round++) {
    graph = NULL;
    MUST(lpot_onnx_load(path, &graph, NULL, NULL));
    MUST(lpot_onnx_save(graph, path, NULL, NULL));
    assert_same_graph(graph);
    lpot_graph_free(graph);
  }
}

static void save_is_the_same_bytes_each_time(void **state) {
  temp_folder *folder = *state;
  char first[PATH_SIZE], second[PATH_SIZE];
  lpot_graph *graph = make_graph(true);
  lpot_digest digests[2];
  MUST(lpot_onnx_save(graph, temp_path(folder, "1.onnx", first), NULL, NULL));
  MUST(lpot_onnx_save(graph, temp_path(folder, "2.onnx", second), NULL, NULL));
  MUST(lpot_digest_file(first, &digests[0], NULL));
  MUST(lpot_digest_file(second, &digests[1], NULL));
  assert_true(digests[0].low == digests[1].low && digests[0].high == digests[1].high);
  lpot_graph_free(graph);
}

static void save_fails_where_no_file_can_be_made(void **state) {
  (void)state;
  lpot_graph *graph = make_graph(false);
  lpot_error err = {0};
  assert_int_equal(lpot_onnx_save(graph, "/nowhere/at/all/m.onnx", NULL, &err), LPOT_IO);
  assert_non_null(strstr(err.message, "/nowhere/at/all/m.onnx"));
  lpot_graph_free(graph);
}

static void save_refuses_an_output_of_unknown_type(void **state) {
  temp_folder *folder = *state;
  char path[PATH_SIZE];
  lpot_graph *graph = make_graph(false);
  lpot_error err = {0};
  lpot_shape shape = lpot_shape_unknown();
  lpot_value_id y = lpot_graph_find_value(graph, "y");
  lpot_graph_set_value_type(graph, y, LPOT_DTYPE_UNKNOWN, &shape);
  assert_int_equal(lpot_onnx_save(graph, temp_path(folder, "u.onnx", path), NULL, &err),
                   LPOT_INVALID);
  assert_non_null(strstr(err.message, "'y'"));
  assert_int_equal(temp_size(folder, "u.onnx"), -1);
  lpot_graph_free(graph);
}

static void save_reports_memory_that_ends_at_any_allocation(void **state) {
  temp_folder *folder = *state;
  char path[PATH_SIZE];
  lpot_graph *graph = make_graph(true);
  lpot_status status = LPOT_NO_MEMORY;
  for (uint64_t countdown = 1; status == LPOT_NO_MEMORY && countdown < 5000; countdown++) {
    lpot_memory_fail_after(countdown);
    status = lpot_onnx_save_within(graph, temp_path(folder, "oom.onnx", path), 2000, NULL, NULL);
    lpot_memory_fail_after(0);
  }
  assert_int_equal(status, LPOT_OK);
  assert_int_equal(temp_size(folder, "oom.onnx.tmp"), -1);
  lpot_graph_free(graph);
}

static int make(void **state) {
  static temp_folder folder;
  temp_folder_make(&folder);
  *state = &folder;
  return 0;
}

static int clean(void **state) {
  temp_folder_remove(*state);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(save_and_load_keep_the_graph),
      cmocka_unit_test(save_and_load_keep_the_domain_of_a_name),
      cmocka_unit_test(save_keeps_operators_of_com_microsoft),
      cmocka_unit_test(save_writes_ir_version_8_from_opset_15),
      cmocka_unit_test(save_beyond_the_limit_puts_large_constants_outside),
      cmocka_unit_test(save_over_the_file_that_the_graph_is_mapped_from_is_safe),
      cmocka_unit_test(save_is_the_same_bytes_each_time),
      cmocka_unit_test(save_fails_where_no_file_can_be_made),
      cmocka_unit_test(save_refuses_an_output_of_unknown_type),
      cmocka_unit_test(save_reports_memory_that_ends_at_any_allocation),
  };
  return cmocka_run_group_tests(tests, make, clean);
}
