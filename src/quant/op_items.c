#include "quant/op_items.h"

#include "base/hash_map.h"
#include "base/memory.h"
#include "base/text.h"

/* ---- writing ---- */

lpot_status lpot_op_item_write(const char *name, const char *type, lpot_buffer *out,
                               lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(out, err, "  - name: "));
  LPOT_TRY(lpot_yaml_write_quoted(name, out, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "\n    type: %s\n", type));
  return LPOT_OK;
}

/* ---- reading ---- */

typedef struct item_reader {
  const char *const *names; /* [num_ops], borrowed */
  const char *const *types; /* [num_ops], borrowed */
  size_t num_ops;
  lpot_hash_map *index_of; /* name -> index; owned */
  bool *seen;              /* [num_ops]; owned */
  lpot_op_item_reader read;
  void *context;
} item_reader;

/* names as a NULL terminated list, for the nearest one. */
static lpot_status fail_unknown_name(const item_reader *reader, const lpot_yaml_node *node,
                                     const char *name, lpot_error *err) {
  const char **list = lpot_calloc(reader->num_ops + 1, sizeof *list);
  if (list == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < reader->num_ops; i++) {
    list[i] = reader->names[i];
  }
  const char *nearest = lpot_text_nearest(name, list);
  lpot_free(list);
  if (nearest == NULL) {
    return lpot_yaml_fail(err, node, "the model has no op '%s'", name);
  }
  return lpot_yaml_fail(err, node, "the model has no op '%s', did you mean '%s'?", name, nearest);
}

static lpot_status check_type(const item_reader *reader, size_t index, const lpot_yaml_node *item,
                              lpot_error *err) {
  const lpot_yaml_node *node = lpot_yaml_get(item, "type");
  const char *type = NULL;
  if (node == NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_yaml_string(node, &type, err));
  if (!lpot_text_equal(type, reader->types[index])) {
    return lpot_yaml_fail(err, node, "op '%s' has the type %s, got %s", reader->names[index],
                          reader->types[index], type);
  }
  return LPOT_OK;
}

static lpot_status read_item(item_reader *reader, const lpot_yaml_node *item, lpot_error *err) {
  const lpot_yaml_node *name_node = NULL;
  const char *name = NULL;
  int64_t index = 0;
  if (item->kind != LPOT_YAML_MAP) {
    return lpot_yaml_fail(err, item, "expected a map with the name of an op");
  }
  LPOT_TRY(lpot_yaml_require(item, "name", &name_node, err));
  LPOT_TRY(lpot_yaml_string(name_node, &name, err));
  if (!lpot_hash_map_get(reader->index_of, name, &index)) {
    return fail_unknown_name(reader, name_node, name, err);
  }
  if (reader->seen[index]) {
    return lpot_yaml_fail(err, name_node, "op '%s' stands here for the second time", name);
  }
  reader->seen[index] = true;
  LPOT_TRY(check_type(reader, (size_t)index, item, err));
  LPOT_TRY(reader->read(reader->context, (size_t)index, item, err));
  return LPOT_OK;
}

static lpot_status read_items(item_reader *reader, const lpot_yaml_node *list, lpot_error *err) {
  if (list->kind != LPOT_YAML_LIST) {
    return lpot_yaml_fail(err, list, "expected a list of ops");
  }
  for (size_t i = 0; i < list->num_children; i++) {
    LPOT_TRY(read_item(reader, list->children[i], err));
  }
  for (size_t i = 0; i < reader->num_ops; i++) {
    if (!reader->seen[i]) {
      return lpot_yaml_fail(err, list, "op '%s' is missing", reader->names[i]);
    }
  }
  return LPOT_OK;
}

static lpot_status item_reader_init(item_reader *reader, lpot_error *err) {
  LPOT_TRY(lpot_hash_map_new(&reader->index_of, err));
  for (size_t i = 0; i < reader->num_ops; i++) {
    LPOT_TRY(lpot_hash_map_put(reader->index_of, reader->names[i], (int64_t)i, err));
  }
  reader->seen = lpot_calloc(reader->num_ops, sizeof *reader->seen);
  if (reader->seen == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  return LPOT_OK;
}

lpot_status lpot_op_items_read(const lpot_yaml_node *list, const char *const *names,
                               const char *const *types, size_t num_ops, lpot_op_item_reader read,
                               void *context, lpot_error *err) {
  item_reader reader = {
      .names = names, .types = types, .num_ops = num_ops, .read = read, .context = context};
  lpot_status status = item_reader_init(&reader, err);
  if (status == LPOT_OK) {
    status = read_items(&reader, list, err);
  }
  lpot_free(reader.seen);
  lpot_hash_map_free(reader.index_of);
  return status;
}
