#include "formats/onnx/onnx_external.h"

#include "onnx_builder.h"
#include "temp_folder.h"

typedef struct fixture {
  temp_folder folder;
  lpot_onnx_external *external;
} fixture;

static int make(void **state) {
  static fixture fixed;
  temp_folder_make(&fixed.folder);
  MUST(lpot_onnx_external_new(fixed.folder.path, &fixed.external, NULL));
  const float values[4] = {1, 2, 3, 4};
  temp_write(&fixed.folder, "w.bin", values, sizeof values);
  *state = &fixed;
  return 0;
}

static int clean(void **state) {
  fixture *fixed = *state;
  lpot_onnx_external_free(fixed->external);
  temp_folder_remove(&fixed->folder);
  return 0;
}

static void external_refuses_locations_outside_the_folder(void **state) {
  fixture *fixed = *state;
  const char *const locations[] = {"",     "/etc/passwd", "..",      "../w.bin", "a/../../w.bin",
                                   "a/..", "./../x",      "//w.bin", "a/b/../c"};
  for (size_t i = 0; i < sizeof locations / sizeof locations[0]; i++) {
    lpot_mapping *mapping = NULL;
    lpot_error err = {0};
    assert_int_equal(lpot_onnx_external_get(fixed->external, locations[i], &mapping, &err),
                     LPOT_FORMAT);
    assert_non_null(strstr(err.message, "location"));
  }
}

static void external_refuses_symbolic_links_to_files_and_folders(void **state) {
  fixture *fixed = *state;
  char link[PATH_SIZE];
  lpot_mapping *mapping = NULL;
  assert_int_equal(symlink("/etc/passwd", temp_path(&fixed->folder, "link", link)), 0);
  assert_int_equal(lpot_onnx_external_get(fixed->external, "link", &mapping, NULL), LPOT_FORMAT);
  assert_int_equal(symlink("/etc", temp_path(&fixed->folder, "etc", link)), 0);
  assert_int_equal(lpot_onnx_external_get(fixed->external, "etc/passwd", &mapping, NULL),
                   LPOT_FORMAT);
  assert_null(mapping);
}

static void external_reports_a_missing_file_and_a_folder(void **state) {
  fixture *fixed = *state;
  lpot_mapping *mapping = NULL;
  assert_int_equal(lpot_onnx_external_get(fixed->external, "missing", &mapping, NULL),
                   LPOT_NOT_FOUND);
  assert_int_equal(lpot_onnx_external_get(fixed->external, ".", &mapping, NULL), LPOT_IO);
  assert_null(mapping);
}

static void external_maps_a_file_once(void **state) {
  fixture *fixed = *state;
  lpot_mapping *first = NULL;
  lpot_mapping *second = NULL;
  MUST(lpot_onnx_external_get(fixed->external, "w.bin", &first, NULL));
  MUST(lpot_onnx_external_get(fixed->external, "w.bin", &second, NULL));
  assert_ptr_equal(first, second);
  assert_int_equal(lpot_onnx_external_count(fixed->external), 1);
  assert_int_equal(lpot_mapping_size(first), 16);
}

/* ---- through the reader: two floats of w.bin ---- */

static void put_entry(lpot_buffer *tensor, const char *key, const char *value) {
  lpot_buffer entry;
  lpot_buffer_init(&entry);
  MUST(lpot_wire_put_string(&entry, LPOT_ENTRY_KEY, key, NULL));
  MUST(lpot_wire_put_string(&entry, LPOT_ENTRY_VALUE, value, NULL));
  MUST(lpot_wire_put_message(tensor, LPOT_TENSOR_EXTERNAL_DATA, &entry, NULL));
  lpot_buffer_done(&entry);
}

static lpot_status parse_pair(const fixture *fixed, const char *offset, const char *length,
                              lpot_graph **ret_graph, lpot_model_info *info, lpot_error *err) {
  lpot_buffer tensor;
  lpot_buffer_init(&tensor);
  MUST(lpot_wire_put_int64(&tensor, LPOT_TENSOR_DIMS, 2, NULL));
  MUST(lpot_wire_put_int64(&tensor, LPOT_TENSOR_DATA_TYPE, 1, NULL));
  MUST(lpot_wire_put_int64(&tensor, LPOT_TENSOR_DATA_LOCATION, 1, NULL));
  put_entry(&tensor, "location", "w.bin");
  if (offset != NULL) {
    put_entry(&tensor, "offset", offset);
  }
  if (length != NULL) {
    put_entry(&tensor, "length", length);
  }
  builder b;
  builder_init(&b);
  builder_initializer(&b, "w", &tensor);
  builder_output(&b, "w");
  builder_finish(&b, 13);
  lpot_status status =
      lpot_onnx_parse(b.model.data, b.model.size, NULL, fixed->folder.path, ret_graph, info, err);
  if (status == LPOT_OK) {
    assert_int_equal(info->size_bytes, b.model.size + 16);
  }
  builder_done(&b);
  lpot_buffer_done(&tensor);
  return status;
}

static void tensor_is_read_from_its_place_in_the_file(void **state) {
  const char *const offsets[3] = {NULL, "8", "4"};
  const double expected[3] = {1, 3, 2};
  lpot_digest digest = {0, 0};
  for (int i = 0; i < 3; i++) {
    lpot_graph *graph = NULL;
    lpot_model_info info;
    MUST(parse_pair(*state, offsets[i], i == 1 ? "8" : NULL, &graph, &info, NULL));
    lpot_value_id value = lpot_graph_find_value(graph, "w");
    const lpot_tensor *tensor = lpot_graph_value(graph, value)->constant;
    assert_true(lpot_tensor_get_double(tensor, 0) == expected[i]);
    assert_true(info.digest.low != digest.low);
    digest = info.digest;
    lpot_graph_free(graph);
  }
}

static void tensor_beyond_the_end_of_the_file_is_refused(void **state) {
  const char *const offsets[] = {"9", "16", "17", "9223372036854775807", "-1", "x", ""};
  for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
    lpot_graph *graph = NULL;
    lpot_model_info info;
    lpot_error err = {0};
    assert_int_equal(parse_pair(*state, offsets[i], NULL, &graph, &info, &err), LPOT_FORMAT);
    assert_non_null(strstr(err.message, "external data"));
  }
}

static void tensor_of_another_length_than_its_shape_is_refused(void **state) {
  lpot_graph *graph = NULL;
  lpot_model_info info;
  assert_int_equal(parse_pair(*state, "0", "7", &graph, &info, NULL), LPOT_FORMAT);
  assert_int_equal(parse_pair(*state, "0", "16", &graph, &info, NULL), LPOT_FORMAT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(external_refuses_locations_outside_the_folder),
      cmocka_unit_test(external_refuses_symbolic_links_to_files_and_folders),
      cmocka_unit_test(external_reports_a_missing_file_and_a_folder),
      cmocka_unit_test(external_maps_a_file_once),
      cmocka_unit_test(tensor_is_read_from_its_place_in_the_file),
      cmocka_unit_test(tensor_beyond_the_end_of_the_file_is_refused),
      cmocka_unit_test(tensor_of_another_length_than_its_shape_is_refused),
  };
  return cmocka_run_group_tests(tests, make, clean);
}
