#include <string.h>

#include "base/size.h"
#include "base/text.h"
#include "formats/onnx/onnx_import.h"
#include "formats/onnx/onnx_proto.h"

/* Where a TensorProto keeps the elements of a type when it has no raw_data. */
typedef struct typed_field {
  lpot_dtype dtype;
  uint32_t number;
  lpot_wire_type type;
  int64_t minimum, maximum; /* range of the varint; both 0: any bits */
} typed_field;

static const typed_field typed_fields[] = {
    {LPOT_F32, LPOT_TENSOR_FLOAT_DATA, LPOT_WIRE_FIXED32, 0, 0},
    {LPOT_F64, LPOT_TENSOR_DOUBLE_DATA, LPOT_WIRE_FIXED64, 0, 0},
    {LPOT_F16, LPOT_TENSOR_INT32_DATA, LPOT_WIRE_VARINT, 0, UINT16_MAX},
    {LPOT_BF16, LPOT_TENSOR_INT32_DATA, LPOT_WIRE_VARINT, 0, UINT16_MAX},
    {LPOT_S8, LPOT_TENSOR_INT32_DATA, LPOT_WIRE_VARINT, INT8_MIN, INT8_MAX},
    {LPOT_U8, LPOT_TENSOR_INT32_DATA, LPOT_WIRE_VARINT, 0, UINT8_MAX},
    {LPOT_S16, LPOT_TENSOR_INT32_DATA, LPOT_WIRE_VARINT, INT16_MIN, INT16_MAX},
    {LPOT_U16, LPOT_TENSOR_INT32_DATA, LPOT_WIRE_VARINT, 0, UINT16_MAX},
    {LPOT_S32, LPOT_TENSOR_INT32_DATA, LPOT_WIRE_VARINT, INT32_MIN, INT32_MAX},
    {LPOT_U32, LPOT_TENSOR_UINT64_DATA, LPOT_WIRE_VARINT, 0, UINT32_MAX},
    {LPOT_S64, LPOT_TENSOR_INT64_DATA, LPOT_WIRE_VARINT, 0, 0},
    {LPOT_U64, LPOT_TENSOR_UINT64_DATA, LPOT_WIRE_VARINT, 0, 0},
    {LPOT_BOOL, LPOT_TENSOR_INT32_DATA, LPOT_WIRE_VARINT, 0, 1},
};

/* A TensorProto without its elements. */
typedef struct tensor_head {
  const char *name;
  int64_t data_type;
  lpot_dtype dtype;
  lpot_shape shape;
  int64_t elements;
  size_t size_bytes; /* that the elements need */
  bool has_segment;
  bool has_raw;
  lpot_wire_field raw;
  int64_t location; /* 1: external */
  const char *file; /* external: its path, NULL while unknown */
  int64_t file_offset;
  int64_t file_length; /* -1 while unknown */
} tensor_head;

static lpot_status read_number_text(const char *key, const char *text, int64_t *ret_number,
                                    lpot_error *err) {
  if (!lpot_text_to_int64(text, ret_number) || *ret_number < 0) {
    char shown[64];
    lpot_text_printable(text, shown, sizeof shown);
    return LPOT_FAIL(err, LPOT_FORMAT, "external data %s is '%s', expected a number >= 0", key,
                     shown);
  }
  return LPOT_OK;
}

static lpot_status read_external_entry(lpot_onnx_import *import, const lpot_wire_field *message,
                                       tensor_head *head, lpot_error *err) {
  const char *key = "";
  const char *text = "";
  lpot_wire wire;
  LPOT_TRY(lpot_wire_enter(message, &wire, err));
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    if (field.number == LPOT_ENTRY_KEY) {
      LPOT_TRY(lpot_wire_string(&field, import->arena, &key, err));
    } else if (field.number == LPOT_ENTRY_VALUE) {
      LPOT_TRY(lpot_wire_string(&field, import->arena, &text, err));
    }
  }
  if (lpot_text_equal(key, "location")) {
    head->file = text;
  } else if (lpot_text_equal(key, "offset")) {
    LPOT_TRY(read_number_text(key, text, &head->file_offset, err));
  } else if (lpot_text_equal(key, "length")) {
    LPOT_TRY(read_number_text(key, text, &head->file_length, err));
  }
  return LPOT_OK; /* "checksum" and others tell nothing that we need */
}

static lpot_status read_head_field(lpot_onnx_import *import, const lpot_wire_field *field,
                                   tensor_head *head, lpot_error *err) {
  switch (field->number) {
  case LPOT_TENSOR_NAME:
    LPOT_TRY(lpot_wire_string(field, import->arena, &head->name, err));
    break;
  case LPOT_TENSOR_DATA_TYPE:
    LPOT_TRY(lpot_wire_int64(field, &head->data_type, err));
    break;
  case LPOT_TENSOR_SEGMENT:
    head->has_segment = true;
    break;
  case LPOT_TENSOR_RAW_DATA:
    LPOT_TRY(lpot_wire_expect(field, LPOT_WIRE_BYTES, err));
    head->raw = *field;
    head->has_raw = true;
    break;
  case LPOT_TENSOR_EXTERNAL_DATA:
    LPOT_TRY(read_external_entry(import, field, head, err));
    break;
  case LPOT_TENSOR_DATA_LOCATION:
    LPOT_TRY(lpot_wire_int64(field, &head->location, err));
    break;
  default:
    break;
  }
  return LPOT_OK;
}

static lpot_status read_dims(const lpot_wire_field *message, lpot_shape *ret_shape,
                             lpot_error *err) {
  lpot_shape shape = lpot_shape_scalar();
  lpot_wire_scalars scalars;
  LPOT_TRY(lpot_wire_scalars_init(&scalars, message, LPOT_TENSOR_DIMS, LPOT_WIRE_VARINT, err));
  for (;;) {
    bool found = false;
    uint64_t bits = 0;
    LPOT_TRY(lpot_wire_scalars_next(&scalars, &found, &bits, err));
    if (!found) {
      break;
    }
    if (shape.rank == LPOT_MAX_RANK) {
      return LPOT_FAIL(err, LPOT_UNSUPPORTED, "the tensor has more than %d dimensions",
                       LPOT_MAX_RANK);
    }
    if ((int64_t)bits < 0) {
      return LPOT_FAIL(err, LPOT_FORMAT, "dimension %d is %lld, expected >= 0", shape.rank,
                       (long long)(int64_t)bits);
    }
    shape.dims[shape.rank] = (int64_t)bits;
    shape.rank++;
  }
  *ret_shape = shape;
  return LPOT_OK;
}

static lpot_status read_head(lpot_onnx_import *import, const lpot_wire_field *message,
                             tensor_head *head, lpot_error *err) {
  lpot_wire wire;
  LPOT_TRY(lpot_wire_enter(message, &wire, err));
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    LPOT_TRY(read_head_field(import, &field, head, err));
  }
  if (head->has_segment) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "tensors in segments are not supported");
  }
  if (head->data_type >= 0 && head->data_type <= INT16_MAX) {
    head->dtype = lpot_dtype_from_onnx((int)head->data_type);
  }
  if (head->dtype == LPOT_DTYPE_UNKNOWN) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "data type %lld is not supported",
                     (long long)head->data_type);
  }
  LPOT_TRY(read_dims(message, &head->shape, err));
  size_t elements = 0;
  if (lpot_shape_count(&head->shape, &head->elements, NULL) != LPOT_OK ||
      lpot_to_size(head->elements, &elements, NULL) != LPOT_OK ||
      lpot_size_mul(elements, lpot_dtype_size(head->dtype), &head->size_bytes, NULL) != LPOT_OK) {
    char text[128];
    lpot_shape_text(&head->shape, text, sizeof text);
    return LPOT_FAIL(err, LPOT_FORMAT, "shape %s has too many elements", text);
  }
  return LPOT_OK;
}

/* Large weights are read where they are: whoever packs or quantizes them copes with bytes at an odd
 * place (lpot_tensor_is_aligned), so that the processes of a host share one copy. All else is
 * copied where it is not aligned. */
#define LARGE_BYTES 65536u

static bool stays_in_the_file(const tensor_head *head, const uint8_t *data) {
  if ((uintptr_t)data % lpot_dtype_size(head->dtype) == 0) {
    return true;
  }
  int axes = 0;
  for (int i = 0; i < head->shape.rank; i++) {
    axes += head->shape.dims[i] > 1 ? 1 : 0;
  }
  return head->dtype == LPOT_F32 && axes >= 2 && head->size_bytes >= LARGE_BYTES;
}

static lpot_status tensor_of_bytes(const tensor_head *head, const uint8_t *data,
                                   lpot_mapping *mapping, lpot_tensor **ret_tensor,
                                   lpot_error *err) {
  if (head->size_bytes == 0) {
    LPOT_TRY(lpot_tensor_new(head->dtype, &head->shape, ret_tensor, err));
    return LPOT_OK;
  }
  if (mapping != NULL && stays_in_the_file(head, data)) {
    LPOT_TRY(lpot_tensor_view(head->dtype, &head->shape, data, head->size_bytes, mapping,
                              ret_tensor, err));
    return LPOT_OK;
  }
  LPOT_TRY(lpot_tensor_copy_of(head->dtype, &head->shape, data, ret_tensor, err));
  if (mapping != NULL) {
    lpot_mapping_release(mapping, data, head->size_bytes); /* Nobody reads them again. */
  }
  return LPOT_OK;
}

static lpot_status read_raw(const lpot_onnx_import *import, const tensor_head *head,
                            lpot_tensor **ret_tensor, lpot_error *err) {
  if (head->raw.size != head->size_bytes) {
    char text[128];
    lpot_shape_text(&head->shape, text, sizeof text);
    return LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: raw_data has %zu bytes, expected %zu for %s %s",
                     head->raw.offset, head->raw.size, head->size_bytes,
                     lpot_dtype_text(head->dtype), text);
  }
  LPOT_TRY(tensor_of_bytes(head, head->raw.data, import->mapping, ret_tensor, err));
  return LPOT_OK;
}

static lpot_status read_external(lpot_onnx_import *import, const tensor_head *head,
                                 lpot_tensor **ret_tensor, lpot_error *err) {
  if (head->file == NULL) {
    return LPOT_FAIL(err, LPOT_FORMAT, "external data has no location");
  }
  if (head->file_length >= 0 && (uint64_t)head->file_length != head->size_bytes) {
    return LPOT_FAIL(err, LPOT_FORMAT, "external data length is %lld, expected %zu",
                     (long long)head->file_length, head->size_bytes);
  }
  lpot_mapping *mapping = NULL;
  LPOT_TRY(lpot_onnx_external_get(import->external, head->file, &mapping, err));
  const uint8_t *data = NULL;
  lpot_reader reader;
  lpot_reader_init(&reader, lpot_mapping_data(mapping), lpot_mapping_size(mapping));
  if ((uint64_t)head->file_offset > lpot_reader_remaining(&reader) ||
      head->size_bytes > lpot_reader_remaining(&reader) - (size_t)head->file_offset) {
    char shown[128];
    lpot_text_printable(head->file, shown, sizeof shown);
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "external data file '%s' has %zu bytes, expected %zu at offset %lld", shown,
                     lpot_mapping_size(mapping), head->size_bytes, (long long)head->file_offset);
  }
  if (head->size_bytes > 0) {
    LPOT_TRY(lpot_reader_bytes(&reader, (size_t)head->file_offset, &data, err));
    LPOT_TRY(lpot_reader_bytes(&reader, head->size_bytes, &data, err));
  }
  LPOT_TRY(tensor_of_bytes(head, data, mapping, ret_tensor, err));
  return LPOT_OK;
}

static const typed_field *find_typed_field(lpot_dtype dtype) {
  for (size_t i = 0; i < sizeof typed_fields / sizeof typed_fields[0]; i++) {
    if (typed_fields[i].dtype == dtype) {
      return &typed_fields[i];
    }
  }
  return NULL;
}

/* Stores the low bytes of bits as element index; sizes are 1, 2, 4 and 8 bytes. */
static void store_bits(lpot_tensor *tensor, int64_t index, uint64_t bits) {
  switch (lpot_dtype_size(tensor->dtype)) {
  case 1:
    ((uint8_t *)tensor->data)[index] = (uint8_t)bits;
    break;
  case 2:
    ((uint16_t *)tensor->data)[index] = (uint16_t)bits;
    break;
  case 4:
    ((uint32_t *)tensor->data)[index] = (uint32_t)bits;
    break;
  default:
    ((uint64_t *)tensor->data)[index] = bits;
    break;
  }
}

static lpot_status fill_typed(const lpot_wire_field *message, const tensor_head *head,
                              const typed_field *typed, lpot_tensor *tensor, lpot_error *err) {
  lpot_wire_scalars scalars;
  LPOT_TRY(lpot_wire_scalars_init(&scalars, message, typed->number, typed->type, err));
  bool any = typed->minimum == typed->maximum;
  int64_t count = 0;
  for (;; count++) {
    bool found = false;
    uint64_t bits = 0;
    LPOT_TRY(lpot_wire_scalars_next(&scalars, &found, &bits, err));
    if (!found || count == head->elements) {
      count += found ? 1 : 0;
      break;
    }
    int64_t number = (int64_t)bits;
    if (!any && (number < typed->minimum || number > typed->maximum)) {
      return LPOT_FAIL(err, LPOT_FORMAT, "element %lld is %lld, which is no %s", (long long)count,
                       (long long)number, lpot_dtype_text(head->dtype));
    }
    store_bits(tensor, count, bits);
  }
  if (count != head->elements) {
    return LPOT_FAIL(err, LPOT_FORMAT, "has %s %lld elements, expected %lld",
                     count > head->elements ? "more than" : "only",
                     (long long)(count > head->elements ? head->elements : count),
                     (long long)head->elements);
  }
  return LPOT_OK;
}

static lpot_status read_typed(const lpot_wire_field *message, const tensor_head *head,
                              lpot_tensor **ret_tensor, lpot_error *err) {
  const typed_field *typed = find_typed_field(head->dtype);
  /* Every element takes at least one byte: a claim beyond that is not worth allocating for. */
  if (typed == NULL || (uint64_t)head->elements > message->size) {
    return LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: %zu bytes cannot hold %lld elements",
                     message->offset, message->size, (long long)head->elements);
  }
  lpot_tensor *tensor = NULL;
  LPOT_TRY(lpot_tensor_new(head->dtype, &head->shape, &tensor, err));
  lpot_status status = fill_typed(message, head, typed, tensor, err);
  if (status != LPOT_OK) {
    lpot_tensor_unref(tensor);
    return status;
  }
  *ret_tensor = tensor;
  return LPOT_OK;
}

static lpot_status read_tensor(lpot_onnx_import *import, const lpot_wire_field *message,
                               tensor_head *head, lpot_tensor **ret_tensor, lpot_error *err) {
  LPOT_TRY(read_head(import, message, head, err));
  if (head->location == 1) {
    LPOT_TRY(read_external(import, head, ret_tensor, err));
  } else if (head->has_raw) {
    LPOT_TRY(read_raw(import, head, ret_tensor, err));
  } else {
    LPOT_TRY(read_typed(message, head, ret_tensor, err));
  }
  return LPOT_OK;
}

lpot_status lpot_onnx_read_tensor(lpot_onnx_import *import, const lpot_wire_field *message,
                                  const char **ret_name, lpot_tensor **ret_tensor,
                                  lpot_error *err) {
  tensor_head head = {.name = "", .dtype = LPOT_DTYPE_UNKNOWN, .file_length = -1};
  lpot_status status = read_tensor(import, message, &head, ret_tensor, err);
  if (status != LPOT_OK) {
    char shown[128];
    lpot_text_printable(head.name, shown, sizeof shown);
    lpot_error_prefix(err, "tensor '%s'", shown);
    return status;
  }
  if (ret_name != NULL) {
    *ret_name = head.name;
  }
  return LPOT_OK;
}
