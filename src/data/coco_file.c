#include "data/coco_file.h"

#include <math.h>
#include <stdlib.h>

#include "base/json_reader.h"
#include "base/text.h"

/* A file on its way. */
typedef struct coco_parser {
  lpot_coco_file file;
  lpot_json_reader reader;
} coco_parser;

/* A key of an object and where its value goes. */
typedef struct coco_field {
  const char *name;
  lpot_status (*read)(coco_parser *parser, void *target, lpot_error *err);
  size_t offset;
} coco_field;

static lpot_status read_id(coco_parser *parser, void *target, lpot_error *err) {
  int64_t value = 0;
  LPOT_TRY(lpot_json_reader_int(&parser->reader, &value, err));
  if (value < 0) {
    return lpot_json_reader_fail(&parser->reader, err, "%lld is no id", (long long)value);
  }
  *(int64_t *)target = value;
  return LPOT_OK;
}

static lpot_status read_number(coco_parser *parser, void *target, lpot_error *err) {
  LPOT_TRY(lpot_json_reader_number(&parser->reader, target, err));
  return LPOT_OK;
}

static lpot_status read_name(coco_parser *parser, void *target, lpot_error *err) {
  const char *text = NULL;
  LPOT_TRY(lpot_json_reader_string(&parser->reader, &text, err));
  char *name = lpot_arena_strdup(parser->file.arena, text);
  if (name == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  *(const char **)target = name;
  return LPOT_OK;
}

static lpot_status read_box(coco_parser *parser, void *target, lpot_error *err) {
  double *box = target;
  size_t count = 0;
  bool more = false;
  LPOT_TRY(lpot_json_reader_enter(&parser->reader, LPOT_JSON_ARRAY, err));
  LPOT_TRY(lpot_json_reader_next(&parser->reader, NULL, &more, err));
  while (more) {
    if (count == 4) {
      return lpot_json_reader_fail(&parser->reader, err, "a bbox of more than 4 numbers");
    }
    LPOT_TRY(lpot_json_reader_number(&parser->reader, &box[count++], err));
    LPOT_TRY(lpot_json_reader_next(&parser->reader, NULL, &more, err));
  }
  if (count < 4) {
    return lpot_json_reader_fail(&parser->reader, err, "a bbox of %zu numbers, expected 4", count);
  }
  return LPOT_OK;
}

static lpot_status read_flag(coco_parser *parser, void *target, lpot_error *err) {
  bool value = false;
  if (lpot_json_reader_kind(&parser->reader) != LPOT_JSON_BOOL) {
    return read_number(parser, target, err);
  }
  LPOT_TRY(lpot_json_reader_bool(&parser->reader, &value, err));
  *(double *)target = value ? 1 : 0;
  return LPOT_OK;
}

static const coco_field image_fields[] = {
    {"id", read_id, offsetof(lpot_coco_image, id)},
    {"file_name", read_name, offsetof(lpot_coco_image, name)},
    {"height", read_number, offsetof(lpot_coco_image, height)},
    {"width", read_number, offsetof(lpot_coco_image, width)},
    {NULL, NULL, 0},
};

static const coco_field annotation_fields[] = {
    {"id", read_id, offsetof(lpot_coco_annotation, id)},
    {"image_id", read_id, offsetof(lpot_coco_annotation, image)},
    {"category_id", read_id, offsetof(lpot_coco_annotation, category)},
    {"bbox", read_box, offsetof(lpot_coco_annotation, box)},
    {"iscrowd", read_flag, offsetof(lpot_coco_annotation, crowd)},
    {NULL, NULL, 0},
};

/* Reads the value under key into object where it is among fields, else skips it. */
static lpot_status read_field(coco_parser *parser, const coco_field *fields, const char *key,
                              void *object, lpot_error *err) {
  const coco_field *field = fields;
  while (field->name != NULL && !lpot_text_equal(field->name, key)) {
    field++;
  }
  if (field->name == NULL) {
    return lpot_json_reader_skip(&parser->reader, err);
  }
  return field->read(parser, (char *)object + field->offset, err);
}

static lpot_status read_object(coco_parser *parser, const coco_field *fields, void *object,
                               lpot_error *err) {
  const char *key = NULL;
  bool more = false;
  LPOT_TRY(lpot_json_reader_enter(&parser->reader, LPOT_JSON_OBJECT, err));
  LPOT_TRY(lpot_json_reader_next(&parser->reader, &key, &more, err));
  while (more) {
    LPOT_TRY(read_field(parser, fields, key, object, err));
    LPOT_TRY(lpot_json_reader_next(&parser->reader, &key, &more, err));
  }
  return LPOT_OK;
}

static lpot_status read_image(coco_parser *parser, lpot_error *err) {
  lpot_coco_image image = {.id = -1};
  LPOT_TRY(read_object(parser, image_fields, &image, err));
  if (image.id < 0 || image.name == NULL || !(image.height > 0 && image.width > 0)) {
    return lpot_json_reader_fail(&parser->reader, err,
                                 "an image needs id, file_name, height and width");
  }
  return lpot_buffer_append(&parser->file.image_bytes, &image, sizeof image, err);
}

static lpot_status read_annotation(coco_parser *parser, lpot_error *err) {
  lpot_coco_annotation annotation = {.id = -1,
                                     .image = -1,
                                     .category = -1,
                                     .box = {(double)NAN, 0, 0, 0},
                                     .place = parser->file.annotation_bytes.size};
  LPOT_TRY(read_object(parser, annotation_fields, &annotation, err));
  if (annotation.image < 0 || annotation.category < 0 || isnan(annotation.box[0])) {
    return lpot_json_reader_fail(&parser->reader, err,
                                 "an annotation needs image_id, category_id and bbox");
  }
  return lpot_buffer_append(&parser->file.annotation_bytes, &annotation, sizeof annotation, err);
}

static lpot_status read_list(coco_parser *parser, lpot_status (*read)(coco_parser *, lpot_error *),
                             lpot_error *err) {
  bool more = false;
  LPOT_TRY(lpot_json_reader_enter(&parser->reader, LPOT_JSON_ARRAY, err));
  LPOT_TRY(lpot_json_reader_next(&parser->reader, NULL, &more, err));
  while (more) {
    LPOT_TRY(read(parser, err));
    LPOT_TRY(lpot_json_reader_next(&parser->reader, NULL, &more, err));
  }
  return LPOT_OK;
}

static lpot_status read_images(coco_parser *parser, void *target, lpot_error *err) {
  (void)target;
  return read_list(parser, read_image, err);
}

static lpot_status read_annotations(coco_parser *parser, void *target, lpot_error *err) {
  (void)target;
  return read_list(parser, read_annotation, err);
}

static const coco_field file_fields[] = {
    {"images", read_images, 0},
    {"annotations", read_annotations, 0},
    {NULL, NULL, 0},
};

static lpot_status read_file(coco_parser *parser, lpot_error *err) {
  LPOT_TRY(read_object(parser, file_fields, parser, err));
  return lpot_json_reader_end(&parser->reader, err);
}

static int compare_ids(int64_t left, int64_t right) {
  return (left > right) - (left < right);
}

static int compare_images(const void *a, const void *b) {
  const lpot_coco_image *left = a;
  const lpot_coco_image *right = b;
  return compare_ids(left->id, right->id);
}

static int compare_annotations(const void *a, const void *b) {
  const lpot_coco_annotation *left = a;
  const lpot_coco_annotation *right = b;
  int by_image = compare_ids(left->image, right->image);
  return by_image != 0 ? by_image : compare_ids((int64_t)left->place, (int64_t)right->place);
}

/* Points the arrays at the bytes and sorts them. */
static lpot_status sort_file(lpot_coco_file *file, lpot_error *err) {
  file->images = (lpot_coco_image *)(void *)file->image_bytes.data;
  file->num_images = file->image_bytes.size / sizeof *file->images;
  file->annotations = (lpot_coco_annotation *)(void *)file->annotation_bytes.data;
  file->num_annotations = file->annotation_bytes.size / sizeof *file->annotations;
  if (file->num_annotations > 0) {
    qsort(file->annotations, file->num_annotations, sizeof *file->annotations, compare_annotations);
  }
  if (file->num_images > 0) {
    qsort(file->images, file->num_images, sizeof *file->images, compare_images);
  }
  for (size_t i = 1; i < file->num_images; i++) {
    if (file->images[i - 1].id == file->images[i].id) {
      return LPOT_FAIL(err, LPOT_FORMAT, "two images have the id %lld",
                       (long long)file->images[i].id);
    }
  }
  return LPOT_OK;
}

lpot_status lpot_coco_file_read(const void *data, size_t size, lpot_coco_file *ret_file,
                                lpot_error *err) {
  coco_parser parser = {0};
  LPOT_TRY(lpot_arena_new(&parser.file.arena, err));
  lpot_json_reader_init(&parser.reader, data, size);
  lpot_status status = read_file(&parser, err);
  lpot_json_reader_done(&parser.reader);
  if (status == LPOT_OK) {
    status = sort_file(&parser.file, err);
  }
  if (status != LPOT_OK) {
    lpot_coco_file_done(&parser.file);
    return status;
  }
  *ret_file = parser.file;
  return LPOT_OK;
}

void lpot_coco_file_done(lpot_coco_file *file) {
  lpot_arena_free(file->arena);
  lpot_buffer_done(&file->image_bytes);
  lpot_buffer_done(&file->annotation_bytes);
  *file = (lpot_coco_file){0};
}
