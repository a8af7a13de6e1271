#include "base/yaml_tree.h"

#include <limits.h>
#include <string.h>

#include <yaml.h>

#include "base/hash_map.h"
#include "base/mapping.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/yaml_node.h"

typedef struct parse_state {
  lpot_yaml *yaml;  /* tree that gets the nodes; borrowed */
  const char *file; /* name in messages; arena */
  const char *text; /* the text itself; borrowed */
  size_t size;
  int base_depth; /* where the root of this text hangs in the tree */
  yaml_parser_t parser;
  lpot_hash_map *anchors; /* owned; anchor name -> index in anchored */
  lpot_yaml_node *anchored[256];
  size_t num_anchored;
} parse_state;

static int line_of(const yaml_mark_t *mark) {
  return mark->line < INT_MAX ? (int)mark->line + 1 : INT_MAX;
}

static int column_of(const yaml_mark_t *mark) {
  return mark->column < INT_MAX ? (int)mark->column + 1 : INT_MAX;
}

static lpot_status fail_at(const parse_state *state, int line, int column, const char *problem,
                           const char *context, lpot_error *err) {
  lpot_status status = LPOT_FAIL(err, LPOT_CONFIG, "%s:%d:%d: %s%s%s", state->file, line, column,
                                 problem, context[0] == '\0' ? "" : " ", context);
  return lpot_error_at(err, state->file, line, column, status);
}

/* Text that cannot be decoded has no mark yet, only an offset in bytes. */
static lpot_status fail_reader(const parse_state *state, lpot_error *err) {
  const yaml_parser_t *parser = &state->parser;
  int line = 1;
  int column = 1;
  for (size_t i = 0; i < parser->problem_offset && i < state->size; i++) {
    bool line_end = state->text[i] == '\n';
    line += line_end ? 1 : 0;
    column = line_end ? 1 : column + 1;
  }
  return fail_at(state, line, column, parser->problem, "", err);
}

static lpot_status fail_parser(const parse_state *state, lpot_error *err) {
  const yaml_parser_t *parser = &state->parser;
  if (parser->error == YAML_MEMORY_ERROR) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  if (parser->error == YAML_READER_ERROR) {
    return fail_reader(state, err);
  }
  const char *problem = parser->problem == NULL ? "malformed text" : parser->problem;
  const char *context = parser->context == NULL ? "" : parser->context;
  return fail_at(state, line_of(&parser->problem_mark), column_of(&parser->problem_mark), problem,
                 context, err);
}

static lpot_status next_event(parse_state *state, yaml_event_t *ret_event, lpot_error *err) {
  if (!yaml_parser_parse(&state->parser, ret_event)) {
    return fail_parser(state, err);
  }
  return LPOT_OK;
}

/* Reads an event that carries nothing of interest; fails with text unless it is of this type. */
static lpot_status expect_event(parse_state *state, yaml_event_type_t type, const char *text,
                                lpot_error *err) {
  yaml_event_t event;
  LPOT_TRY(next_event(state, &event, err));
  lpot_status status = LPOT_OK;
  if (event.type != type) {
    status =
        fail_at(state, line_of(&event.start_mark), column_of(&event.start_mark), text, "", err);
  }
  yaml_event_delete(&event);
  return status;
}

static lpot_status parse_node(parse_state *state, const yaml_event_t *event, int depth,
                              lpot_yaml_node *node, lpot_error *err);

/* Copies the kind, the text and the children of from to node. */
static lpot_status copy_node(parse_state *state, const lpot_yaml_node *from, int depth,
                             lpot_yaml_node *node, lpot_error *err) {
  if (depth >= LPOT_YAML_MAX_DEPTH) {
    return lpot_yaml_fail(err, node, "expected at most %d levels, got more", LPOT_YAML_MAX_DEPTH);
  }
  node->kind = from->kind;
  node->text = from->text;
  node->quoted = from->quoted;
  for (size_t i = 0; i < from->num_children; i++) {
    const lpot_yaml_node *child = from->children[i];
    lpot_yaml_node *copy = NULL;
    LPOT_TRY(lpot_yaml_node_new(state->yaml, state->file, child->line, child->column, &copy, err));
    copy->key = child->key;
    copy->key_line = child->key_line;
    copy->key_column = child->key_column;
    LPOT_TRY(lpot_yaml_node_attach(state->yaml, node, copy, err));
    LPOT_TRY(copy_node(state, child, depth + 1, copy, err));
  }
  return LPOT_OK;
}

static bool is_open(const lpot_yaml_node *anchored, const lpot_yaml_node *node) {
  while (node != NULL && node != anchored) {
    node = node->parent;
  }
  return node != NULL;
}

static lpot_status parse_alias(parse_state *state, const char *anchor, int depth,
                               lpot_yaml_node *node, lpot_error *err) {
  char shown[64];
  lpot_text_printable(anchor, shown, sizeof shown);
  int64_t index = 0;
  if (!lpot_hash_map_get(state->anchors, anchor, &index)) {
    return lpot_yaml_fail(err, node, "alias '*%s' has no anchor before it", shown);
  }
  const lpot_yaml_node *anchored = state->anchored[index];
  if (is_open(anchored, node)) {
    return lpot_yaml_fail(err, node, "alias '*%s' stands inside of what it names", shown);
  }
  LPOT_TRY(copy_node(state, anchored, depth, node, err));
  return LPOT_OK;
}

static lpot_status store_anchor(parse_state *state, const yaml_char_t *anchor, lpot_yaml_node *node,
                                lpot_error *err) {
  const size_t capacity = sizeof state->anchored / sizeof state->anchored[0];
  if (anchor == NULL) {
    return LPOT_OK;
  }
  if (state->num_anchored == capacity) {
    return lpot_yaml_fail(err, node, "expected at most %zu anchors, got more", capacity);
  }
  LPOT_TRY(
      lpot_hash_map_put(state->anchors, (const char *)anchor, (int64_t)state->num_anchored, err));
  state->anchored[state->num_anchored] = node;
  state->num_anchored++;
  return LPOT_OK;
}

typedef struct tag_row {
  const char *tag;
  lpot_yaml_kind kind; /* what it may stand before */
} tag_row;

static const tag_row tag_table[] = {
    {YAML_STR_TAG, LPOT_YAML_SCALAR},
    {YAML_INT_TAG, LPOT_YAML_SCALAR},
    {YAML_FLOAT_TAG, LPOT_YAML_SCALAR},
    {YAML_BOOL_TAG, LPOT_YAML_SCALAR},
    {YAML_NULL_TAG, LPOT_YAML_SCALAR},
    {YAML_SEQ_TAG, LPOT_YAML_LIST},
    {YAML_MAP_TAG, LPOT_YAML_MAP},
    /* Of LPOT's files; they say nothing that their place does not. */
    {"!Pruner", LPOT_YAML_MAP},
    {"tag:yaml.org,2002:python/tuple", LPOT_YAML_LIST},
    {"!", LPOT_YAML_SCALAR},
    {"!", LPOT_YAML_LIST},
    {"!", LPOT_YAML_MAP},
};

static lpot_status check_tag(const yaml_char_t *tag, lpot_yaml_kind kind,
                             const lpot_yaml_node *node, lpot_error *err) {
  if (tag == NULL) {
    return LPOT_OK;
  }
  for (size_t i = 0; i < sizeof tag_table / sizeof tag_table[0]; i++) {
    if (tag_table[i].kind == kind && lpot_text_equal((const char *)tag, tag_table[i].tag)) {
      return LPOT_OK;
    }
  }
  char shown[96];
  lpot_text_printable((const char *)tag, shown, sizeof shown);
  return lpot_yaml_fail(err, node, "tag '%s' is not supported here", shown);
}

static bool is_null_text(const char *text) {
  static const char *const names[] = {"", "~", "null", "Null", "NULL"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (lpot_text_equal(text, names[i])) {
      return true;
    }
  }
  return false;
}

/* Copies a scalar's text into the arena. */
static lpot_status copy_text(parse_state *state, const yaml_event_t *event,
                             const lpot_yaml_node *place, const char **ret_text, lpot_error *err) {
  const char *value = (const char *)event->data.scalar.value;
  const size_t length = event->data.scalar.length;
  if (memchr(value, 0, length) != NULL) {
    return lpot_yaml_fail_at(err, place, line_of(&event->start_mark), column_of(&event->start_mark),
                             "text holds a zero character");
  }
  const char *text = lpot_arena_strndup(state->yaml->arena, value, length);
  if (text == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  *ret_text = text;
  return LPOT_OK;
}

static lpot_status parse_scalar(parse_state *state, const yaml_event_t *event, lpot_yaml_node *node,
                                lpot_error *err) {
  const yaml_char_t *tag = event->data.scalar.tag;
  LPOT_TRY(check_tag(tag, LPOT_YAML_SCALAR, node, err));
  LPOT_TRY(store_anchor(state, event->data.scalar.anchor, node, err));
  const char *text = NULL;
  LPOT_TRY(copy_text(state, event, node, &text, err));
  const char *tag_text = tag == NULL ? "" : (const char *)tag;
  bool is_text = lpot_text_equal(tag_text, YAML_STR_TAG) || lpot_text_equal(tag_text, "!");
  node->quoted = is_text || event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  if (lpot_text_equal(tag_text, YAML_NULL_TAG) || (!node->quoted && is_null_text(text))) {
    node->quoted = false;
    return LPOT_OK;
  }
  node->kind = LPOT_YAML_SCALAR;
  node->text = text;
  return LPOT_OK;
}

/* Makes the node of a value that begins with event, puts it into parent and parses it. */
static lpot_status parse_child(parse_state *state, const yaml_event_t *event, int depth,
                               lpot_yaml_node *parent, const lpot_yaml_node *key, lpot_error *err) {
  lpot_yaml_node *child = NULL;
  LPOT_TRY(lpot_yaml_node_new(state->yaml, state->file, line_of(&event->start_mark),
                              column_of(&event->start_mark), &child, err));
  if (key != NULL) {
    child->key = key->text;
    child->key_line = key->line;
    child->key_column = key->column;
  }
  LPOT_TRY(lpot_yaml_node_attach(state->yaml, parent, child, err));
  LPOT_TRY(parse_node(state, event, depth, child, err));
  return LPOT_OK;
}

static lpot_status parse_list(parse_state *state, int depth, lpot_yaml_node *list,
                              lpot_error *err) {
  for (;;) {
    yaml_event_t event;
    LPOT_TRY(next_event(state, &event, err));
    if (event.type == YAML_SEQUENCE_END_EVENT) {
      yaml_event_delete(&event);
      return LPOT_OK;
    }
    lpot_status status = parse_child(state, &event, depth + 1, list, NULL, err);
    yaml_event_delete(&event);
    LPOT_TRY(status);
  }
}

/* Reads a key's text and place into key, which is no node of the tree. */
static lpot_status parse_key(parse_state *state, const yaml_event_t *event,
                             const lpot_yaml_node *map, const lpot_hash_map *seen,
                             lpot_yaml_node *key, lpot_error *err) {
  key->line = line_of(&event->start_mark);
  key->column = column_of(&event->start_mark);
  if (event->type != YAML_SCALAR_EVENT) {
    return lpot_yaml_fail_at(err, map, key->line, key->column, "expected a key that is plain text");
  }
  LPOT_TRY(copy_text(state, event, map, &key->text, err));
  bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
  if (key->text[0] == '\0') {
    return lpot_yaml_fail_at(err, map, key->line, key->column, "expected a key, got nothing");
  }
  if (plain && lpot_text_equal(key->text, "<<")) {
    return lpot_yaml_fail_at(err, map, key->line, key->column, "merge keys are not supported");
  }
  int64_t earlier = 0;
  if (lpot_hash_map_get(seen, key->text, &earlier)) {
    char shown[96];
    lpot_text_printable(key->text, shown, sizeof shown);
    return lpot_yaml_fail_at(err, map, key->line, key->column,
                             "key '%s' is given twice, first in line %d", shown,
                             map->children[earlier]->key_line);
  }
  return LPOT_OK;
}

/* Parses one key and its value; *ret_end is set at the end of the map instead. */
static lpot_status parse_entry(parse_state *state, int depth, lpot_yaml_node *map,
                               lpot_hash_map *seen, bool *ret_end, lpot_error *err) {
  yaml_event_t event;
  lpot_yaml_node key = {0};
  LPOT_TRY(next_event(state, &event, err));
  bool end = event.type == YAML_MAPPING_END_EVENT;
  lpot_status status = end ? LPOT_OK : parse_key(state, &event, map, seen, &key, err);
  yaml_event_delete(&event);
  LPOT_TRY(status);
  *ret_end = end;
  if (end) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_hash_map_put(seen, key.text, (int64_t)map->num_children, err));
  LPOT_TRY(next_event(state, &event, err));
  status = parse_child(state, &event, depth + 1, map, &key, err);
  yaml_event_delete(&event);
  return status;
}

static lpot_status parse_map(parse_state *state, int depth, lpot_yaml_node *map, lpot_error *err) {
  lpot_hash_map *seen = NULL;
  LPOT_TRY(lpot_hash_map_new(&seen, err));
  lpot_status status = LPOT_OK;
  bool end = false;
  while (status == LPOT_OK && !end) {
    status = parse_entry(state, depth, map, seen, &end, err);
  }
  lpot_hash_map_free(seen);
  return status;
}

/* Fills node with the value that begins with event. */
static lpot_status parse_node(parse_state *state, const yaml_event_t *event, int depth,
                              lpot_yaml_node *node, lpot_error *err) {
  if (depth >= LPOT_YAML_MAX_DEPTH) {
    return lpot_yaml_fail(err, node, "expected at most %d levels, got more", LPOT_YAML_MAX_DEPTH);
  }
  switch (event->type) {
  case YAML_ALIAS_EVENT:
    LPOT_TRY(parse_alias(state, (const char *)event->data.alias.anchor, depth, node, err));
    return LPOT_OK;
  case YAML_SCALAR_EVENT:
    LPOT_TRY(parse_scalar(state, event, node, err));
    return LPOT_OK;
  case YAML_SEQUENCE_START_EVENT:
    node->kind = LPOT_YAML_LIST;
    LPOT_TRY(check_tag(event->data.sequence_start.tag, node->kind, node, err));
    LPOT_TRY(store_anchor(state, event->data.sequence_start.anchor, node, err));
    LPOT_TRY(parse_list(state, depth, node, err));
    return LPOT_OK;
  case YAML_MAPPING_START_EVENT:
    node->kind = LPOT_YAML_MAP;
    LPOT_TRY(check_tag(event->data.mapping_start.tag, node->kind, node, err));
    LPOT_TRY(store_anchor(state, event->data.mapping_start.anchor, node, err));
    LPOT_TRY(parse_map(state, depth, node, err));
    return LPOT_OK;
  default:
    return lpot_yaml_fail(err, node, "expected a value");
  }
}

/* Parses the root value of a document whose start was read. */
static lpot_status parse_root(parse_state *state, lpot_yaml_node **ret_root, lpot_error *err) {
  yaml_event_t event;
  LPOT_TRY(next_event(state, &event, err));
  lpot_yaml_node *root = NULL;
  lpot_status status = lpot_yaml_node_new(state->yaml, state->file, line_of(&event.start_mark),
                                          column_of(&event.start_mark), &root, err);
  if (status == LPOT_OK) {
    status = parse_node(state, &event, state->base_depth, root, err);
  }
  yaml_event_delete(&event);
  LPOT_TRY(status);
  LPOT_TRY(expect_event(state, YAML_DOCUMENT_END_EVENT, "expected the end of the document", err));
  LPOT_TRY(expect_event(state, YAML_STREAM_END_EVENT, "expected one document, got another", err));
  *ret_root = root;
  return LPOT_OK;
}

static lpot_status parse_stream(parse_state *state, lpot_yaml_node **ret_root, lpot_error *err) {
  LPOT_TRY(expect_event(state, YAML_STREAM_START_EVENT, "expected the start of the text", err));
  yaml_event_t event;
  LPOT_TRY(next_event(state, &event, err));
  bool empty = event.type == YAML_STREAM_END_EVENT;
  yaml_event_delete(&event);
  if (empty) {
    LPOT_TRY(lpot_yaml_node_new(state->yaml, state->file, 1, 1, ret_root, err));
    return LPOT_OK;
  }
  LPOT_TRY(parse_root(state, ret_root, err));
  return LPOT_OK;
}

lpot_status lpot_yaml_parse_into(lpot_yaml *yaml, const char *file, int depth, const char *text,
                                 size_t size, lpot_yaml_node **ret_node, lpot_error *err) {
  if (size > LPOT_YAML_MAX_BYTES) {
    lpot_status status = LPOT_FAIL(err, LPOT_CONFIG, "%s:1:1: expected at most %zu bytes, got %zu",
                                   file, LPOT_YAML_MAX_BYTES, size);
    return lpot_error_at(err, file, 1, 1, status);
  }
  parse_state *state = lpot_calloc(1, sizeof *state);
  if (state == NULL || !yaml_parser_initialize(&state->parser)) {
    lpot_free(state);
    return LPOT_OUT_OF_MEMORY(err);
  }
  state->yaml = yaml;
  state->file = file;
  state->text = text;
  state->size = size;
  state->base_depth = depth;
  yaml_parser_set_input_string(&state->parser, (const yaml_char_t *)text, size);
  lpot_status status = lpot_hash_map_new(&state->anchors, err);
  if (status == LPOT_OK) {
    status = parse_stream(state, ret_node, err);
  }
  lpot_hash_map_free(state->anchors);
  yaml_parser_delete(&state->parser);
  lpot_free(state);
  return status;
}

static lpot_status fill_tree(lpot_yaml *yaml, const char *name, const char *text, size_t size,
                             lpot_error *err) {
  LPOT_TRY(lpot_arena_new(&yaml->arena, err));
  char printable[256];
  lpot_text_printable(name, printable, sizeof printable);
  yaml->name = lpot_arena_strdup(yaml->arena, printable);
  if (yaml->name == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  LPOT_TRY(lpot_yaml_parse_into(yaml, yaml->name, 0, text, size, &yaml->root, err));
  return LPOT_OK;
}

lpot_status lpot_yaml_parse(const char *name, const char *text, size_t size, lpot_yaml **ret_yaml,
                            lpot_error *err) {
  lpot_yaml *yaml = lpot_calloc(1, sizeof *yaml);
  if (yaml == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = fill_tree(yaml, name, text, size, err);
  if (status != LPOT_OK) {
    lpot_yaml_free(yaml);
    return status;
  }
  *ret_yaml = yaml;
  return LPOT_OK;
}

lpot_status lpot_yaml_load(const char *path, lpot_yaml **ret_yaml, lpot_error *err) {
  lpot_mapping *mapping = NULL;
  lpot_error open_error = {0};
  lpot_status status = lpot_mapping_open(path, &mapping, &open_error);
  if (status != LPOT_OK) {
    /* A file that cannot be opened is a wrong configuration too. */
    status = status == LPOT_NO_MEMORY ? status : LPOT_CONFIG;
    status = LPOT_FAIL(err, status, "%s", open_error.message);
    return lpot_error_at(err, path, 0, 0, status);
  }
  const size_t size = lpot_mapping_size(mapping);
  const char *text = size == 0 ? "" : (const char *)lpot_mapping_data(mapping);
  status = lpot_yaml_parse(path, text, size, ret_yaml, err);
  lpot_mapping_unref(mapping);
  return status;
}

void lpot_yaml_free(lpot_yaml *yaml) {
  if (yaml == NULL) {
    return;
  }
  lpot_arena_free(yaml->arena);
  lpot_free(yaml);
}

const lpot_yaml_node *lpot_yaml_root(const lpot_yaml *yaml) {
  return yaml->root;
}

const char *lpot_yaml_name(const lpot_yaml *yaml) {
  return yaml->name;
}
