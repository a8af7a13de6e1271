#include "base/text.h"
#include "formats/onnx/onnx_import.h"
#include "formats/onnx/onnx_proto.h"

/* The kinds that the graph knows: type code, field, kind. */
typedef struct attribute_form {
  int64_t type;
  uint32_t number; /* of the field that holds the value */
  lpot_attribute_kind kind;
} attribute_form;

static const attribute_form forms[] = {
    {LPOT_ONNX_FLOAT, LPOT_ATTRIBUTE_FIELD_F, LPOT_ATTRIBUTE_FLOAT},
    {LPOT_ONNX_INT, LPOT_ATTRIBUTE_FIELD_I, LPOT_ATTRIBUTE_INT},
    {LPOT_ONNX_STRING, LPOT_ATTRIBUTE_FIELD_S, LPOT_ATTRIBUTE_STRING},
    {LPOT_ONNX_TENSOR, LPOT_ATTRIBUTE_FIELD_T, LPOT_ATTRIBUTE_TENSOR},
    {LPOT_ONNX_FLOATS, LPOT_ATTRIBUTE_FIELD_FLOATS, LPOT_ATTRIBUTE_FLOATS},
    {LPOT_ONNX_INTS, LPOT_ATTRIBUTE_FIELD_INTS, LPOT_ATTRIBUTE_INTS},
    {LPOT_ONNX_STRINGS, LPOT_ATTRIBUTE_FIELD_STRINGS, LPOT_ATTRIBUTE_STRINGS},
};

/* Those it lacks, for the message. */
typedef struct missing_form {
  int64_t type;
  uint32_t number;
  const char *text;
} missing_form;

static const missing_form missing[] = {
    {LPOT_ONNX_GRAPH, LPOT_ATTRIBUTE_FIELD_G, "a subgraph"},
    {LPOT_ONNX_GRAPHS, LPOT_ATTRIBUTE_FIELD_GRAPHS, "a list of subgraphs"},
    {LPOT_ONNX_TENSORS, LPOT_ATTRIBUTE_FIELD_TENSORS, "a list of tensors"},
};

typedef struct attribute_head {
  const char *name;
  int64_t type;         /* 0 when the file does not say */
  uint32_t value_field; /* last field that may hold a value */
  bool is_reference;
} attribute_head;

static lpot_status read_head(lpot_onnx_import *import, const lpot_wire_field *message,
                             attribute_head *head, lpot_error *err) {
  lpot_wire wire;
  LPOT_TRY(lpot_wire_enter(message, &wire, err));
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    if (field.number == LPOT_ATTRIBUTE_FIELD_NAME) {
      LPOT_TRY(lpot_wire_string(&field, import->node_arena, &head->name, err));
    } else if (field.number == LPOT_ATTRIBUTE_FIELD_TYPE) {
      LPOT_TRY(lpot_wire_int64(&field, &head->type, err));
    } else if (field.number == LPOT_ATTRIBUTE_FIELD_REF_ATTR_NAME) {
      head->is_reference = true;
    } else if (field.number >= LPOT_ATTRIBUTE_FIELD_F &&
               field.number <= LPOT_ATTRIBUTE_FIELD_GRAPHS) {
      head->value_field = field.number;
    }
  }
  return LPOT_OK;
}

static const attribute_form *find_form(const attribute_head *head) {
  for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
    bool named = head->type != 0 && forms[i].type == head->type;
    bool guessed = head->type == 0 && forms[i].number == head->value_field;
    if (named || guessed) {
      return &forms[i];
    }
  }
  return NULL;
}

static const char *missing_text(const attribute_head *head) {
  for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
    if (missing[i].type == head->type ||
        (head->type == 0 && missing[i].number == head->value_field)) {
      return missing[i].text;
    }
  }
  return "of a kind";
}

static lpot_status count_scalars(const lpot_wire_field *message, uint32_t number,
                                 lpot_wire_type type, size_t *ret_count, lpot_error *err) {
  lpot_wire_scalars scalars;
  LPOT_TRY(lpot_wire_scalars_init(&scalars, message, number, type, err));
  size_t count = 0;
  for (;; count++) {
    bool found = false;
    uint64_t bits = 0;
    LPOT_TRY(lpot_wire_scalars_next(&scalars, &found, &bits, err));
    if (!found) {
      break;
    }
  }
  *ret_count = count;
  return LPOT_OK;
}

static lpot_status read_integers(lpot_onnx_import *import, const lpot_wire_field *message,
                                 lpot_attribute *attribute, lpot_error *err) {
  LPOT_TRY(
      count_scalars(message, LPOT_ATTRIBUTE_FIELD_INTS, LPOT_WIRE_VARINT, &attribute->count, err));
  int64_t *integers = lpot_arena_alloc(import->node_arena, attribute->count + 1, sizeof *integers);
  if (integers == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_wire_scalars scalars;
  LPOT_TRY(
      lpot_wire_scalars_init(&scalars, message, LPOT_ATTRIBUTE_FIELD_INTS, LPOT_WIRE_VARINT, err));
  for (size_t i = 0; i < attribute->count; i++) {
    bool found = false;
    uint64_t bits = 0;
    LPOT_TRY(lpot_wire_scalars_next(&scalars, &found, &bits, err));
    integers[i] = (int64_t)bits;
  }
  attribute->integers = integers;
  return LPOT_OK;
}

static lpot_status read_reals(lpot_onnx_import *import, const lpot_wire_field *message,
                              lpot_attribute *attribute, lpot_error *err) {
  LPOT_TRY(count_scalars(message, LPOT_ATTRIBUTE_FIELD_FLOATS, LPOT_WIRE_FIXED32, &attribute->count,
                         err));
  float *reals = lpot_arena_alloc(import->node_arena, attribute->count + 1, sizeof *reals);
  if (reals == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_wire_scalars scalars;
  LPOT_TRY(lpot_wire_scalars_init(&scalars, message, LPOT_ATTRIBUTE_FIELD_FLOATS, LPOT_WIRE_FIXED32,
                                  err));
  for (size_t i = 0; i < attribute->count; i++) {
    bool found = false;
    uint64_t bits = 0;
    LPOT_TRY(lpot_wire_scalars_next(&scalars, &found, &bits, err));
    reals[i] = lpot_wire_float_of_bits((uint32_t)bits);
  }
  attribute->reals = reals;
  return LPOT_OK;
}

static lpot_status read_strings(lpot_onnx_import *import, const lpot_wire_field *message,
                                lpot_attribute *attribute, lpot_error *err) {
  /* The first walk counts, the second one reads. */
  for (int walk = 0; walk < 2; walk++) {
    size_t count = 0;
    lpot_wire wire;
    LPOT_TRY(lpot_wire_enter(message, &wire, err));
    while (lpot_wire_more(&wire)) {
      lpot_wire_field field;
      LPOT_TRY(lpot_wire_next(&wire, &field, err));
      if (field.number != LPOT_ATTRIBUTE_FIELD_STRINGS) {
        continue;
      }
      if (walk == 1) {
        LPOT_TRY(lpot_wire_string(&field, import->node_arena, &attribute->strings[count], err));
      }
      count++;
    }
    if (walk == 0) {
      attribute->count = count;
      attribute->strings =
          lpot_arena_alloc(import->node_arena, count + 1, sizeof *attribute->strings);
    }
    if (attribute->strings == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
  }
  return LPOT_OK;
}

/* proto3 leaves a zero or an empty string out, so an absent field is the value's default. */
static lpot_status read_single(lpot_onnx_import *import, const lpot_wire_field *field,
                               lpot_attribute *attribute, lpot_error *err) {
  switch (attribute->kind) {
  case LPOT_ATTRIBUTE_INT:
    LPOT_TRY(lpot_wire_int64(field, &attribute->integer, err));
    break;
  case LPOT_ATTRIBUTE_FLOAT:
    LPOT_TRY(lpot_wire_float(field, &attribute->real, err));
    break;
  case LPOT_ATTRIBUTE_STRING:
    LPOT_TRY(lpot_wire_string(field, import->node_arena, &attribute->string, err));
    break;
  default:
    if (attribute->tensor != NULL) {
      return LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: the tensor is given twice", field->offset);
    }
    LPOT_TRY(lpot_onnx_read_tensor(import, field, NULL, &attribute->tensor, err));
    break;
  }
  return LPOT_OK;
}

static lpot_status read_singles(lpot_onnx_import *import, const lpot_wire_field *message,
                                uint32_t number, lpot_attribute *attribute, lpot_error *err) {
  attribute->string = "";
  lpot_wire wire;
  LPOT_TRY(lpot_wire_enter(message, &wire, err));
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, err));
    if (field.number == number) {
      LPOT_TRY(read_single(import, &field, attribute, err));
    }
  }
  if (attribute->kind == LPOT_ATTRIBUTE_TENSOR && attribute->tensor == NULL) {
    return LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: the tensor is missing", message->offset);
  }
  return LPOT_OK;
}

static lpot_status read_value(lpot_onnx_import *import, const lpot_wire_field *message,
                              const attribute_head *head, lpot_attribute *attribute,
                              lpot_error *err) {
  if (head->name[0] == '\0') {
    return LPOT_FAIL(err, LPOT_FORMAT, "offset %zu: the attribute has no name", message->offset);
  }
  if (head->is_reference) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "references to function attributes are not supported");
  }
  const attribute_form *form = find_form(head);
  if (form == NULL) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "is %s (type %lld), which is not supported",
                     missing_text(head), (long long)head->type);
  }
  attribute->name = head->name;
  attribute->kind = form->kind;
  if (form->kind == LPOT_ATTRIBUTE_INTS) {
    LPOT_TRY(read_integers(import, message, attribute, err));
  } else if (form->kind == LPOT_ATTRIBUTE_FLOATS) {
    LPOT_TRY(read_reals(import, message, attribute, err));
  } else if (form->kind == LPOT_ATTRIBUTE_STRINGS) {
    LPOT_TRY(read_strings(import, message, attribute, err));
  } else {
    LPOT_TRY(read_singles(import, message, form->number, attribute, err));
  }
  return LPOT_OK;
}

lpot_status lpot_onnx_read_attribute(lpot_onnx_import *import, const lpot_wire_field *message,
                                     lpot_attribute *ret_attribute, lpot_error *err) {
  attribute_head head = {.name = ""};
  lpot_attribute attribute = {.name = ""};
  LPOT_TRY(read_head(import, message, &head, err));
  lpot_status status = read_value(import, message, &head, &attribute, err);
  if (status != LPOT_OK) {
    char shown[64];
    lpot_text_printable(head.name, shown, sizeof shown);
    lpot_error_prefix(err, "attribute '%s'", shown);
    lpot_tensor_unref(attribute.tensor);
    return status;
  }
  *ret_attribute = attribute;
  return LPOT_OK;
}

lpot_status lpot_onnx_set_attribute(lpot_graph *graph, lpot_node_id node,
                                    const lpot_attribute *attribute, lpot_error *err) {
  const char *name = attribute->name;
  lpot_tensor *tensor = NULL;
  switch (attribute->kind) {
  case LPOT_ATTRIBUTE_INT:
    LPOT_TRY(lpot_graph_set_int(graph, node, name, attribute->integer, err));
    break;
  case LPOT_ATTRIBUTE_FLOAT:
    LPOT_TRY(lpot_graph_set_float(graph, node, name, attribute->real, err));
    break;
  case LPOT_ATTRIBUTE_STRING:
    LPOT_TRY(lpot_graph_set_string(graph, node, name, attribute->string, err));
    break;
  case LPOT_ATTRIBUTE_INTS:
    LPOT_TRY(lpot_graph_set_ints(graph, node, name, attribute->integers, attribute->count, err));
    break;
  case LPOT_ATTRIBUTE_FLOATS:
    LPOT_TRY(lpot_graph_set_floats(graph, node, name, attribute->reals, attribute->count, err));
    break;
  case LPOT_ATTRIBUTE_STRINGS:
    LPOT_TRY(lpot_graph_set_strings(graph, node, name, attribute->strings, attribute->count, err));
    break;
  case LPOT_ATTRIBUTE_TENSOR:
    tensor = lpot_tensor_ref(attribute->tensor);
    LPOT_TRY(lpot_graph_set_tensor(graph, node, name, &tensor, err));
    break;
  }
  return LPOT_OK;
}
