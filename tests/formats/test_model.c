#include "formats/model.h"

#include "onnx_builder.h"
#include "temp_folder.h"

#include "formats/onnx/onnx.h"

static void load_reports_what_is_no_model(void **state) {
  temp_folder *folder = *state;
  static const char text[] = "model:\n  name: resnet\n";
  char path[PATH_SIZE];
  lpot_graph *graph = NULL;
  lpot_error err = {0};
  assert_int_equal(lpot_model_load(temp_path(folder, "missing", path), &graph, NULL, &err),
                   LPOT_NOT_FOUND);
  assert_int_equal(lpot_model_load(folder->path, &graph, NULL, &err), LPOT_IO);
  temp_write(folder, "empty", NULL, 0);
  assert_int_equal(lpot_model_load(temp_path(folder, "empty", path), &graph, NULL, &err),
                   LPOT_FORMAT);
  assert_non_null(strstr(err.message, "empty"));
  temp_write(folder, "text", text, sizeof text - 1);
  assert_int_equal(lpot_model_load(temp_path(folder, "text", path), &graph, NULL, &err),
                   LPOT_FORMAT);
  assert_non_null(strstr(err.message, "expected onnx"));
  assert_null(graph);
}

static void load_names_the_file_of_a_damaged_model(void **state) {
  temp_folder *folder = *state;
  char path[PATH_SIZE];
  builder b;
  builder_init(&b);
  builder_input(&b, "x");
  builder_node(&b, "Relu", "act", "x", "y", NULL);
  builder_output(&b, "y");
  builder_finish(&b, 13);
  temp_write(folder, "cut", b.model.data, b.model.size - 20);
  lpot_graph *graph = NULL;
  lpot_error err = {0};
  assert_int_equal(lpot_model_load(temp_path(folder, "cut", path), &graph, NULL, &err),
                   LPOT_FORMAT);
  assert_non_null(strstr(err.message, path));
  assert_non_null(strstr(err.message, "offset"));
  builder_done(&b);
}

static void load_finds_the_format_by_content(void **state) {
  temp_folder *folder = *state;
  char path[PATH_SIZE];
  builder b;
  builder_init(&b);
  builder_input(&b, "x");
  builder_node(&b, "Relu", "act", "x", "y", NULL);
  builder_output(&b, "y");
  builder_finish(&b, 13);
  temp_write(folder, "model.bin", b.model.data, b.model.size);
  lpot_graph *graph = NULL;
  lpot_model_info info;
  MUST(lpot_model_load(temp_path(folder, "model.bin", path), &graph, &info, NULL));
  assert_string_equal(info.format, "onnx");
  assert_int_equal(info.size_bytes, b.model.size);
  lpot_graph_free(graph);
  graph = NULL;
  MUST(lpot_model_load(path, &graph, NULL, NULL));
  lpot_graph_free(graph);
  builder_done(&b);
}

/* ---- the real models: nodes and opsets as their files have them ---- */

typedef struct real_model {
  const char *name;
  int opset;
  size_t num_nodes; /* without Constant nodes */
  size_t num_outputs;
} real_model;

static const real_model real_models[] = {
    {"dscnn_kws", 13, 31, 1},        {"mnist_cntk", 8, 12, 1},
    {"mobilenet025_vww", 13, 85, 1}, {"resnet8_cifar10", 13, 30, 1},
    {"resnet_2b_cifar10", 9, 17, 1}, {"squeezenet1.0_imagenet", 13, 66, 1},
    {"ultraface_rfb320", 9, 126, 2}, {"vit_ibp_cifar10", 9, 146, 1},
};

static void assert_saved_again_alike(const temp_folder *folder, const lpot_graph *graph) {
  char path[PATH_SIZE];
  lpot_graph *again = NULL;
  MUST(lpot_onnx_save(graph, temp_path(folder, "again.onnx", path), NULL, NULL));
  MUST(lpot_model_load(path, &again, NULL, NULL));
  assert_int_equal(count_nodes(again, LPOT_NUM_OPS), count_nodes(graph, LPOT_NUM_OPS));
  for (size_t i = 0; i < lpot_graph_num_nodes(graph); i++) {
    const lpot_node *node = lpot_graph_node(graph, (lpot_node_id)i);
    const lpot_node *other = node_named(again, node->name);
    assert_int_equal(node->op, other->op);
    for (int k = 0; k < node->num_inputs; k++) {
      const lpot_tensor *left = constant_of(graph, node, k);
      const lpot_tensor *right = constant_of(again, other, k);
      assert_int_equal(left == NULL, right == NULL);
      if (left != NULL) {
        assert_int_equal(left->size_bytes, right->size_bytes);
        assert_memory_equal(left->data, right->data, left->size_bytes);
      }
    }
  }
  lpot_graph_free(again);
}

static void load_reads_the_real_models(void **state) {
  temp_folder *folder = *state;
  const char *data = getenv("LPOT_TEST_DATA");
  if (data == NULL) {
    printf("SKIPPED load_reads_the_real_models: LPOT_TEST_DATA is not set\n");
    skip();
  }
  for (size_t i = 0; i < sizeof real_models / sizeof real_models[0]; i++) {
    const real_model *expected = &real_models[i];
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/models/%s.onnx", data, expected->name);
    lpot_graph *graph = NULL;
    lpot_model_info info;
    lpot_error err = {0};
    if (lpot_model_load(path, &graph, &info, &err) != LPOT_OK) {
      fail_msg("%s", err.message);
    }
    assert_int_equal(info.opset, expected->opset);
    assert_int_equal(count_nodes(graph, LPOT_NUM_OPS), expected->num_nodes);
    assert_int_equal(lpot_graph_num_inputs(graph), 1);
    assert_int_equal(lpot_graph_num_outputs(graph), expected->num_outputs);
    assert_saved_again_alike(folder, graph);
    lpot_graph_free(graph);
  }
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
      cmocka_unit_test(load_reports_what_is_no_model),
      cmocka_unit_test(load_names_the_file_of_a_damaged_model),
      cmocka_unit_test(load_finds_the_format_by_content),
      cmocka_unit_test(load_reads_the_real_models),
  };
  return cmocka_run_group_tests(tests, make, clean);
}
