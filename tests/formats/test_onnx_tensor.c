#include "onnx_builder.h"
#include "temp_folder.h"

#include "base/writer.h"

/* A TensorProto under construction, without name. */
static void start_tensor(lpot_buffer *tensor, int data_type, int rank, const int64_t *dims) {
  lpot_buffer_init(tensor);
  for (int i = 0; i < rank; i++) {
    MUST(lpot_wire_put_int64(tensor, LPOT_TENSOR_DIMS, dims[i], NULL));
  }
  MUST(lpot_wire_put_int64(tensor, LPOT_TENSOR_DATA_TYPE, data_type, NULL));
}

/* A graph whose only purpose is the initializer "w". Frees tensor. */
static void build_with(builder *b, lpot_buffer *tensor) {
  builder_init(b);
  builder_initializer(b, "w", tensor);
  builder_output(b, "w");
  lpot_buffer_done(tensor);
}

static void refused(lpot_buffer *tensor, lpot_status status, const char *word) {
  builder b;
  build_with(&b, tensor);
  builder_refused(&b, 13, status, "tensor 'w'", word);
}

static lpot_graph *accepted(lpot_buffer *tensor, const lpot_tensor **ret_tensor) {
  builder b;
  build_with(&b, tensor);
  lpot_graph *graph = builder_graph(&b, 13);
  *ret_tensor = lpot_graph_value(graph, lpot_graph_find_value(graph, "w"))->constant;
  assert_non_null(*ret_tensor);
  return graph;
}

static void tensor_refuses_types_that_the_graph_lacks(void **state) {
  (void)state;
  const int types[] = {0, 8, 14, 15, 17, 21, 22, 100};
  const int64_t dims[1] = {1};
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    lpot_buffer tensor;
    start_tensor(&tensor, types[i], 1, dims);
    refused(&tensor, LPOT_UNSUPPORTED, "data type");
  }
}

static void tensor_refuses_raw_data_of_another_size(void **state) {
  (void)state;
  const int64_t dims[2] = {2, 3};
  for (size_t size = 0; size < 40; size++) {
    static const uint8_t bytes[40] = {0};
    if (size == 24) {
      continue;
    }
    lpot_buffer tensor;
    start_tensor(&tensor, 1, 2, dims);
    MUST(lpot_wire_put_bytes(&tensor, LPOT_TENSOR_RAW_DATA, bytes, size, NULL));
    refused(&tensor, LPOT_FORMAT, "expected 24 for float32 [2, 3]");
  }
}

static void tensor_refuses_too_few_or_too_many_typed_elements(void **state) {
  (void)state;
  const int64_t dims[1] = {3};
  for (int count = 0; count < 6; count++) {
    lpot_buffer tensor;
    start_tensor(&tensor, 1, 1, dims);
    for (int i = 0; i < count; i++) {
      MUST(lpot_wire_put_float(&tensor, LPOT_TENSOR_FLOAT_DATA, 1.0f, NULL));
    }
    if (count != 3) {
      refused(&tensor, LPOT_FORMAT, "expected 3");
    } else {
      lpot_buffer_done(&tensor);
    }
  }
}

static void tensor_refuses_shapes_that_no_file_can_hold(void **state) {
  (void)state;
  const int64_t huge[2] = {INT64_MAX, INT64_MAX};
  const int64_t large[1] = {(int64_t)1 << 40};
  const int64_t negative[1] = {-1};
  const int64_t many[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
  lpot_buffer tensor;
  start_tensor(&tensor, 1, 2, huge);
  refused(&tensor, LPOT_FORMAT, "too many elements");
  start_tensor(&tensor, 1, 1, large);
  refused(&tensor, LPOT_FORMAT, "cannot hold");
  start_tensor(&tensor, 1, 1, negative);
  refused(&tensor, LPOT_FORMAT, "dimension 0 is -1");
  start_tensor(&tensor, 1, 9, many);
  refused(&tensor, LPOT_UNSUPPORTED, "more than 8 dimensions");
}

static void tensor_refuses_numbers_out_of_the_range_of_their_type(void **state) {
  (void)state;
  const struct {
    int type;
    int64_t value;
  } cases[] = {{2, 256}, {2, -1}, {3, 128}, {3, -129}, {5, 40000}, {9, 2}, {6, 1ll << 31}};
  const int64_t dims[1] = {1};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    lpot_buffer tensor;
    start_tensor(&tensor, cases[i].type, 1, dims);
    MUST(lpot_wire_put_int64(&tensor, LPOT_TENSOR_INT32_DATA, cases[i].value, NULL));
    refused(&tensor, LPOT_FORMAT, "element 0");
  }
}

static void tensor_refuses_segments_and_external_data_without_folder(void **state) {
  (void)state;
  const int64_t dims[1] = {1};
  lpot_buffer tensor;
  start_tensor(&tensor, 1, 1, dims);
  MUST(lpot_wire_put_bytes(&tensor, LPOT_TENSOR_SEGMENT, NULL, 0, NULL));
  refused(&tensor, LPOT_UNSUPPORTED, "segments");
  lpot_buffer entry;
  lpot_buffer_init(&entry);
  MUST(lpot_wire_put_string(&entry, LPOT_ENTRY_KEY, "location", NULL));
  MUST(lpot_wire_put_string(&entry, LPOT_ENTRY_VALUE, "weights.bin", NULL));
  start_tensor(&tensor, 1, 1, dims);
  MUST(lpot_wire_put_int64(&tensor, LPOT_TENSOR_DATA_LOCATION, 1, NULL));
  refused(&tensor, LPOT_FORMAT, "no location");
  start_tensor(&tensor, 1, 1, dims);
  MUST(lpot_wire_put_int64(&tensor, LPOT_TENSOR_DATA_LOCATION, 1, NULL));
  MUST(lpot_wire_put_message(&tensor, LPOT_TENSOR_EXTERNAL_DATA, &entry, NULL));
  refused(&tensor, LPOT_UNSUPPORTED, "no folder");
  lpot_buffer_done(&entry);
}

static void tensor_reads_typed_fields_of_every_type(void **state) {
  (void)state;
  const struct {
    int type;
    uint32_t field;
    int64_t value;
    lpot_dtype dtype;
  } cases[] = {
      {2, LPOT_TENSOR_INT32_DATA, 255, LPOT_U8},
      {3, LPOT_TENSOR_INT32_DATA, -128, LPOT_S8},
      {4, LPOT_TENSOR_INT32_DATA, 65535, LPOT_U16},
      {5, LPOT_TENSOR_INT32_DATA, -32768, LPOT_S16},
      {6, LPOT_TENSOR_INT32_DATA, INT32_MIN, LPOT_S32},
      {7, LPOT_TENSOR_INT64_DATA, INT64_MIN, LPOT_S64},
      {9, LPOT_TENSOR_INT32_DATA, 1, LPOT_BOOL},
      {12, LPOT_TENSOR_UINT64_DATA, UINT32_MAX, LPOT_U32},
      {13, LPOT_TENSOR_UINT64_DATA, 1ll << 40, LPOT_U64},
  };
  const int64_t dims[2] = {1, 1};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    lpot_buffer tensor;
    const lpot_tensor *read = NULL;
    start_tensor(&tensor, cases[i].type, 2, dims);
    MUST(lpot_wire_put_int64(&tensor, cases[i].field, cases[i].value, NULL));
    lpot_graph *graph = accepted(&tensor, &read);
    assert_int_equal(read->dtype, cases[i].dtype);
    assert_true(lpot_tensor_get_int(read, 0) == cases[i].value);
    lpot_graph_free(graph);
  }
}

static void tensor_reads_half_precision_bits_and_doubles(void **state) {
  (void)state;
  const int64_t dims[1] = {1};
  const lpot_tensor *read = NULL;
  lpot_buffer tensor;
  start_tensor(&tensor, 10, 1, dims);
  MUST(lpot_wire_put_int64(&tensor, LPOT_TENSOR_INT32_DATA, 0xc000, NULL));
  lpot_graph *graph = accepted(&tensor, &read);
  assert_true(lpot_tensor_get_double(read, 0) == -2.0);
  lpot_graph_free(graph);
  lpot_buffer packed;
  lpot_buffer_init(&packed);
  MUST(lpot_writer_f64(&packed, 0.1, NULL));
  start_tensor(&tensor, 11, 1, dims);
  MUST(lpot_wire_put_message(&tensor, LPOT_TENSOR_DOUBLE_DATA, &packed, NULL));
  graph = accepted(&tensor, &read);
  assert_true(lpot_tensor_get_double(read, 0) == 0.1);
  lpot_graph_free(graph);
  lpot_buffer_done(&packed);
}

static void tensor_reads_packed_floats_scalars_and_empty_tensors(void **state) {
  (void)state;
  const int64_t dims[1] = {3};
  const int64_t none[2] = {0, 7};
  const float values[3] = {1.5f, -2.5f, 3.5f};
  const lpot_tensor *read = NULL;
  lpot_buffer tensor, packed;
  lpot_buffer_init(&packed);
  for (int i = 0; i < 3; i++) {
    MUST(lpot_writer_f32(&packed, values[i], NULL));
  }
  start_tensor(&tensor, 1, 1, dims);
  MUST(lpot_wire_put_message(&tensor, LPOT_TENSOR_FLOAT_DATA, &packed, NULL));
  lpot_graph *graph = accepted(&tensor, &read);
  assert_memory_equal(read->data, values, sizeof values);
  lpot_graph_free(graph);
  start_tensor(&tensor, 1, 0, NULL);
  MUST(lpot_wire_put_bytes(&tensor, LPOT_TENSOR_RAW_DATA, packed.data, 4, NULL));
  graph = accepted(&tensor, &read);
  assert_int_equal(read->shape.rank, 0);
  assert_true(lpot_tensor_get_double(read, 0) == 1.5);
  lpot_graph_free(graph);
  start_tensor(&tensor, 1, 2, none);
  graph = accepted(&tensor, &read);
  assert_int_equal(read->size_bytes, 0);
  lpot_graph_free(graph);
  lpot_buffer_done(&packed);
}

/* A model with the initializers "bytes" (16 x int8) and "w" (4 x float32) in raw_data; the graph's
 * name moves them by padding bytes. Written to the folder as "m". */
static void write_mapped_model(const temp_folder *folder, int padding) {
  static const uint8_t bytes[16] = {1, 2, 3, 4};
  const int64_t dims[2] = {16, 4};
  lpot_buffer tensor;
  builder b;
  builder_init(&b);
  MUST(lpot_wire_put_bytes(&b.graph, LPOT_GRAPH_NAME, "padding", (size_t)padding, NULL));
  start_tensor(&tensor, 3, 1, &dims[0]);
  MUST(lpot_wire_put_bytes(&tensor, LPOT_TENSOR_RAW_DATA, bytes, 16, NULL));
  builder_initializer(&b, "bytes", &tensor);
  lpot_buffer_done(&tensor);
  start_tensor(&tensor, 1, 1, &dims[1]);
  MUST(lpot_wire_put_bytes(&tensor, LPOT_TENSOR_RAW_DATA, bytes, 16, NULL));
  builder_initializer(&b, "w", &tensor);
  lpot_buffer_done(&tensor);
  builder_output(&b, "w");
  builder_finish(&b, 13);
  temp_write(folder, "m", b.model.data, b.model.size);
  builder_done(&b);
}

static const lpot_tensor *constant_named(const lpot_graph *graph, const char *name) {
  return lpot_graph_value(graph, lpot_graph_find_value(graph, name))->constant;
}

static bool lies_in(const lpot_tensor *tensor, const lpot_mapping *mapping) {
  uintptr_t start = (uintptr_t)lpot_mapping_data(mapping);
  uintptr_t data = (uintptr_t)tensor->data;
  return data >= start && data < start + lpot_mapping_size(mapping);
}

static void tensor_in_a_mapped_file_is_a_view_where_it_is_aligned(void **state) {
  (void)state;
  temp_folder folder;
  char path[PATH_SIZE];
  int num_views = 0;
  temp_folder_make(&folder);
  for (int padding = 0; padding < 4; padding++) {
    lpot_mapping *mapping = NULL;
    lpot_graph *graph = NULL;
    write_mapped_model(&folder, padding);
    MUST(lpot_mapping_open(temp_path(&folder, "m", path), &mapping, NULL));
    MUST(lpot_onnx_parse(lpot_mapping_data(mapping), lpot_mapping_size(mapping), mapping, NULL,
                         &graph, NULL, NULL));
    assert_true(lies_in(constant_named(graph, "bytes"), mapping));
    num_views += lies_in(constant_named(graph, "w"), mapping);
    assert_int_equal((uintptr_t)constant_named(graph, "w")->data % sizeof(float), 0);
    lpot_mapping_unref(mapping); /* the view keeps the file mapped */
    assert_int_equal(lpot_tensor_get_int(constant_named(graph, "bytes"), 3), 4);
    lpot_graph_free(graph);
  }
  assert_int_equal(num_views, 1);
  temp_folder_remove(&folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tensor_refuses_types_that_the_graph_lacks),
      cmocka_unit_test(tensor_refuses_raw_data_of_another_size),
      cmocka_unit_test(tensor_refuses_too_few_or_too_many_typed_elements),
      cmocka_unit_test(tensor_refuses_shapes_that_no_file_can_hold),
      cmocka_unit_test(tensor_refuses_numbers_out_of_the_range_of_their_type),
      cmocka_unit_test(tensor_refuses_segments_and_external_data_without_folder),
      cmocka_unit_test(tensor_reads_typed_fields_of_every_type),
      cmocka_unit_test(tensor_reads_half_precision_bits_and_doubles),
      cmocka_unit_test(tensor_reads_packed_floats_scalars_and_empty_tensors),
      cmocka_unit_test(tensor_in_a_mapped_file_is_a_view_where_it_is_aligned),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
