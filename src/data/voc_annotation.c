#include "data/voc_annotation.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define MAX_DEPTH 16
#define MAX_PATH 256
#define MAX_TEXT 128

typedef struct voc_parser {
  const char *data; /* borrowed */
  size_t size;
  size_t position;
  char path[MAX_PATH];       /* names of the open elements, joined by '/' */
  size_t lengths[MAX_DEPTH]; /* of path before each of them */
  int depth;
  bool has_root;
  char text[MAX_TEXT]; /* since the last tag; what is longer is of no known element */
  size_t text_length;
  lpot_voc_annotation annotation;
  lpot_voc_object object; /* the one that is open */
} voc_parser;

/* ---- elements that count ---- */

/* A leaf, and where its number goes: in the object or in the annotation. */
typedef struct voc_field {
  const char *path;
  bool in_object;
  size_t offset;
} voc_field;

static const voc_field fields[] = {
    {"annotation/size/width", false, offsetof(lpot_voc_annotation, width)},
    {"annotation/size/height", false, offsetof(lpot_voc_annotation, height)},
    {"annotation/object/difficult", true, offsetof(lpot_voc_object, difficult)},
    {"annotation/object/bndbox/xmin", true, offsetof(lpot_voc_object, xmin)},
    {"annotation/object/bndbox/ymin", true, offsetof(lpot_voc_object, ymin)},
    {"annotation/object/bndbox/xmax", true, offsetof(lpot_voc_object, xmax)},
    {"annotation/object/bndbox/ymax", true, offsetof(lpot_voc_object, ymax)},
};

static lpot_voc_object empty_object(void) {
  double unknown = (double)NAN;
  return (lpot_voc_object){.xmin = unknown, .ymin = unknown, .xmax = unknown, .ymax = unknown};
}

static lpot_status fail_at(const voc_parser *parser, lpot_error *err, const char *format, ...)
    LPOT_PRINTF(3, 4);

static lpot_status fail_at(const voc_parser *parser, lpot_error *err, const char *format, ...) {
  char text[192];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  size_t line = 1;
  for (size_t i = 0; i < parser->position; i++) {
    line += parser->data[i] == '\n' ? 1 : 0;
  }
  return LPOT_FAIL(err, LPOT_FORMAT, "line %zu: %s", line, text);
}

static lpot_status end_object(voc_parser *parser, lpot_error *err) {
  const lpot_voc_object *object = &parser->object;
  double sum = object->xmin + object->ymin + object->xmax + object->ymax;
  if (object->name[0] == '\0' || !isfinite(sum)) {
    return fail_at(parser, err, "an object needs a name and a bndbox of four numbers");
  }
  LPOT_TRY(lpot_buffer_append(&parser->annotation.objects, object, sizeof *object, err));
  parser->object = empty_object();
  return LPOT_OK;
}

/* Takes the text of the element at the end of the path. */
static lpot_status take_element(voc_parser *parser, lpot_error *err) {
  char printable[MAX_TEXT];
  parser->text[parser->text_length] = '\0';
  lpot_text_printable(parser->text, printable, sizeof printable);
  if (lpot_text_equal(parser->path, "annotation/object")) {
    return end_object(parser, err);
  }
  if (lpot_text_equal(parser->path, "annotation/object/name")) {
    if (!lpot_text_copy(parser->object.name, sizeof parser->object.name, parser->text)) {
      return fail_at(parser, err, "a name of more than %d characters", LPOT_VOC_MAX_NAME - 1);
    }
    return LPOT_OK;
  }
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
    char *owner = fields[i].in_object ? (char *)&parser->object : (char *)&parser->annotation;
    if (lpot_text_equal(parser->path, fields[i].path) &&
        !lpot_text_to_double(parser->text, (double *)(void *)(owner + fields[i].offset))) {
      return fail_at(parser, err, "%s is '%s', expected a number", fields[i].path, printable);
    }
  }
  return LPOT_OK;
}

/* ---- XML ---- */

static bool starts_with(const voc_parser *parser, const char *text) {
  size_t length = strlen(text);
  return parser->size - parser->position >= length &&
         memcmp(parser->data + parser->position, text, length) == 0;
}

/* Moves behind the next occurrence of text. */
static lpot_status skip_behind(voc_parser *parser, const char *text, lpot_error *err) {
  while (parser->position < parser->size && !starts_with(parser, text)) {
    parser->position++;
  }
  if (parser->position == parser->size) {
    return fail_at(parser, err, "expected '%s', got the end of the file", text);
  }
  parser->position += strlen(text);
  return LPOT_OK;
}

static lpot_status read_entity(voc_parser *parser, char *ret, lpot_error *err) {
  static const struct {
    const char *name;
    char value;
  } entities[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}};
  for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++) {
    if (starts_with(parser, entities[i].name)) {
      parser->position += strlen(entities[i].name);
      *ret = entities[i].value;
      return LPOT_OK;
    }
  }
  return fail_at(parser, err, "an entity that is not one of the five named ones");
}

/* One character of text, perhaps written as an entity. */
static lpot_status read_character(voc_parser *parser, char *ret, lpot_error *err) {
  *ret = parser->data[parser->position];
  if (*ret == '&') {
    return read_entity(parser, ret, err);
  }
  parser->position++;
  return LPOT_OK;
}

/* Text up to the next tag. */
static lpot_status read_text(voc_parser *parser, lpot_error *err) {
  while (parser->position < parser->size && parser->data[parser->position] != '<') {
    char value = '\0';
    LPOT_TRY(read_character(parser, &value, err));
    if (parser->depth == 0 && strchr(" \t\r\n", value) == NULL) {
      return fail_at(parser, err, "text outside of the annotation");
    }
    if (parser->text_length + 1 < MAX_TEXT && value != '\0') {
      parser->text[parser->text_length++] = value;
    }
  }
  return LPOT_OK;
}

static bool is_of_name(char value) {
  return (value >= 'a' && value <= 'z') || (value >= 'A' && value <= 'Z') ||
         (value >= '0' && value <= '9') || value == '_' || value == '-' || value == '.' ||
         value == ':';
}

/* The name at the place; a view. */
static lpot_status read_name(voc_parser *parser, const char **ret, size_t *ret_length,
                             lpot_error *err) {
  size_t start = parser->position;
  while (parser->position < parser->size && is_of_name(parser->data[parser->position])) {
    parser->position++;
  }
  if (parser->position == start) {
    return fail_at(parser, err, "expected the name of an element");
  }
  *ret = parser->data + start;
  *ret_length = parser->position - start;
  return LPOT_OK;
}

static lpot_status open_element(voc_parser *parser, const char *name, size_t length,
                                lpot_error *err) {
  size_t before = strlen(parser->path);
  if (parser->depth == 0 && parser->has_root) {
    return fail_at(parser, err, "a second element beside the annotation");
  }
  if (parser->depth == MAX_DEPTH || before + length + 2 > MAX_PATH) {
    return fail_at(parser, err, "elements are nested too deep");
  }
  parser->lengths[parser->depth++] = before;
  parser->has_root = true;
  size_t at = before;
  if (before > 0) {
    parser->path[at++] = '/';
  }
  memcpy(parser->path + at, name, length);
  parser->path[at + length] = '\0';
  return LPOT_OK;
}

static lpot_status close_element(voc_parser *parser, lpot_error *err) {
  LPOT_TRY(take_element(parser, err));
  parser->depth--;
  parser->path[parser->lengths[parser->depth]] = '\0';
  return LPOT_OK;
}

/* Moves behind the closing quote of an attribute, where quote opens one. */
static lpot_status skip_quoted(voc_parser *parser, char quote, lpot_error *err) {
  if (quote != '"' && quote != '\'') {
    return LPOT_OK;
  }
  const char text[] = {quote, '\0'};
  return skip_behind(parser, text, err);
}

/* Behind the name of an opening tag: attributes, then > or />. */
static lpot_status end_tag(voc_parser *parser, bool *ret_empty, lpot_error *err) {
  char value = '\0';
  while (parser->position < parser->size && value != '<') {
    value = parser->data[parser->position++];
    LPOT_TRY(skip_quoted(parser, value, err));
    if (value == '>') {
      *ret_empty = parser->data[parser->position - 2] == '/';
      return LPOT_OK;
    }
  }
  return fail_at(parser, err, "a tag without its '>'");
}

static lpot_status read_closing_tag(voc_parser *parser, lpot_error *err) {
  const char *name = "";
  size_t length = 0;
  parser->position += 2;
  LPOT_TRY(read_name(parser, &name, &length, err));
  const char *last = strrchr(parser->path, '/');
  last = last == NULL ? parser->path : last + 1;
  if (parser->depth == 0 || strlen(last) != length || memcmp(last, name, length) != 0) {
    return fail_at(parser, err, "</%.*s> closes nothing that is open",
                   (int)(length < 40 ? length : 40), name);
  }
  LPOT_TRY(skip_behind(parser, ">", err));
  return close_element(parser, err);
}

static lpot_status read_opening_tag(voc_parser *parser, lpot_error *err) {
  const char *name = "";
  size_t length = 0;
  bool is_empty = false;
  parser->position++;
  LPOT_TRY(read_name(parser, &name, &length, err));
  LPOT_TRY(open_element(parser, name, length, err));
  LPOT_TRY(end_tag(parser, &is_empty, err));
  parser->text_length = 0;
  return is_empty ? close_element(parser, err) : LPOT_OK;
}

static lpot_status read_tag(voc_parser *parser, lpot_error *err) {
  if (parser->position == parser->size) {
    return LPOT_OK;
  }
  if (starts_with(parser, "<!--")) {
    return skip_behind(parser, "-->", err);
  }
  if (starts_with(parser, "<?")) {
    return skip_behind(parser, "?>", err);
  }
  if (starts_with(parser, "<!")) {
    return fail_at(parser, err, "a document type or CDATA, which is not read");
  }
  lpot_status status =
      starts_with(parser, "</") ? read_closing_tag(parser, err) : read_opening_tag(parser, err);
  parser->text_length = 0;
  return status;
}

static lpot_status read_file(voc_parser *parser, lpot_error *err) {
  while (parser->position < parser->size) {
    LPOT_TRY(read_text(parser, err));
    LPOT_TRY(read_tag(parser, err));
  }
  if (parser->depth > 0 || !parser->has_root) {
    return fail_at(parser, err, "the file ends before its annotation");
  }
  return LPOT_OK;
}

lpot_status lpot_voc_annotation_read(const void *data, size_t size,
                                     lpot_voc_annotation *ret_annotation, lpot_error *err) {
  voc_parser parser = {.data = data, .size = size, .object = empty_object()};
  lpot_status status = read_file(&parser, err);
  if (status != LPOT_OK) {
    lpot_voc_annotation_done(&parser.annotation);
    return status;
  }
  *ret_annotation = parser.annotation;
  return LPOT_OK;
}

void lpot_voc_annotation_done(lpot_voc_annotation *annotation) {
  lpot_buffer_done(&annotation->objects);
}
