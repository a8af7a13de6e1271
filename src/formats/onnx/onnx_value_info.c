#include "formats/onnx/onnx_import.h"
#include "formats/onnx/onnx_proto.h"

static lpot_status read_dim(const lpot_wire_field *message, int64_t *ret_dim, lpot_error *err) {
  int64_t dim = LPOT_DIM_UNKNOWN;
  lpot_wire wire;
  LPOT_TRY(lpot_wire_enter(message, &wire, err));
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    if (field.number == LPOT_DIM_VALUE) {
      LPOT_TRY(lpot_wire_int64(&field, &dim, err));
    }
  }
  /* Some exporters write 0 or -1 for a dimension that is not known. */
  if (dim < -1) {
    return LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: dimension is %lld, expected > 0",
                     message->offset, (long long)dim);
  }
  *ret_dim = dim == 0 ? LPOT_DIM_UNKNOWN : dim;
  return LPOT_OK;
}

static lpot_status read_shape(const lpot_wire_field *message, lpot_shape *ret_shape,
                              lpot_error *err) {
  lpot_shape shape = lpot_shape_scalar();
  lpot_wire wire;
  LPOT_TRY(lpot_wire_enter(message, &wire, err));
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    if (field.number != LPOT_SHAPE_DIM) {
      continue;
    }
    if (shape.rank == LPOT_MAX_RANK) {
      return LPOT_FAIL(err, LPOT_UNSUPPORTED, "offset %zu: more than %d dimensions",
                       message->offset, LPOT_MAX_RANK);
    }
    LPOT_TRY(read_dim(&field, &shape.dims[shape.rank], err));
    shape.rank++;
  }
  *ret_shape = shape;
  return LPOT_OK;
}

static lpot_status read_tensor_type(const lpot_wire_field *message, lpot_onnx_value_info *info,
                                    lpot_error *err) {
  int64_t element = 0;
  lpot_wire wire;
  LPOT_TRY(lpot_wire_enter(message, &wire, err));
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    if (field.number == LPOT_TENSOR_TYPE_ELEMENT) {
      LPOT_TRY(lpot_wire_int64(&field, &element, err));
    } else if (field.number == LPOT_TENSOR_TYPE_SHAPE) {
      LPOT_TRY(read_shape(&field, &info->shape, err));
    }
  }
  bool in_range = element >= 0 && element <= INT16_MAX;
  info->dtype = in_range ? lpot_dtype_from_onnx((int)element) : LPOT_DTYPE_UNKNOWN;
  if (info->dtype == LPOT_DTYPE_UNKNOWN) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "data type %lld is not supported", (long long)element);
  }
  info->has_type = true;
  return LPOT_OK;
}

static lpot_status read_type(const lpot_wire_field *message, lpot_onnx_value_info *info,
                             lpot_error *err) {
  lpot_wire wire;
  LPOT_TRY(lpot_wire_enter(message, &wire, err));
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    if (field.number == LPOT_TYPE_TENSOR) {
      LPOT_TRY(read_tensor_type(&field, info, err));
    } else if (field.type == LPOT_WIRE_BYTES && field.number != LPOT_TYPE_DENOTATION) {
      return LPOT_FAIL(err, LPOT_UNSUPPORTED,
                       "is a sequence, map, optional or sparse tensor, expected a tensor");
    }
  }
  return LPOT_OK;
}

/* Takes the fields of one number only: the name comes first, whatever the order in the file,
 * because messages about the type want it. */
static lpot_status read_fields(lpot_onnx_import *import, const lpot_wire_field *message,
                               uint32_t wanted, lpot_onnx_value_info *info, lpot_error *err) {
  lpot_wire wire;
  LPOT_TRY(lpot_wire_enter(message, &wire, err));
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    if (field.number != wanted) {
      continue;
    }
    if (wanted == LPOT_VALUE_INFO_NAME) {
      LPOT_TRY(lpot_wire_string(&field, import->arena, &info->name, err));
    } else {
      LPOT_TRY(read_type(&field, info, err));
    }
  }
  return LPOT_OK;
}

lpot_status lpot_onnx_read_value_name(lpot_onnx_import *import, const lpot_wire_field *message,
                                      lpot_onnx_value_info *info, lpot_error *err) {
  *info = (lpot_onnx_value_info){
      .name = "", .dtype = LPOT_DTYPE_UNKNOWN, .shape = lpot_shape_unknown()};
  LPOT_TRY(read_fields(import, message, LPOT_VALUE_INFO_NAME, info, err));
  if (info->name[0] == '\0') {
    return LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: an input or output of the graph has no name",
                     message->offset);
  }
  return LPOT_OK;
}

lpot_status lpot_onnx_read_value_type(lpot_onnx_import *import, const lpot_wire_field *message,
                                      lpot_onnx_value_info *info, lpot_error *err) {
  LPOT_TRY(read_fields(import, message, LPOT_VALUE_INFO_TYPE, info, err));
  return LPOT_OK;
}
