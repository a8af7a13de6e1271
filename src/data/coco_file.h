/* COCO's file of annotations, one JSON object, of which this is read:
 *   images       [{id, file_name, height, width}]
 *   annotations  [{id, image_id, category_id, bbox: [left, top, width, height], iscrowd}]
 * All other keys are skipped. */
#ifndef LPOT_DATA_COCO_FILE_H
#define LPOT_DATA_COCO_FILE_H

#include "base/arena.h"
#include "base/buffer.h"

typedef struct lpot_coco_image {
  int64_t id;
  const char *name;     /* arena of the file */
  double height, width; /* pixels, above 0 */
} lpot_coco_image;

typedef struct lpot_coco_annotation {
  int64_t id;    /* -1: not said */
  int64_t image; /* its id */
  int64_t category;
  double box[4]; /* left, top, width, height */
  double crowd;  /* not 0: iscrowd */
  size_t place;  /* rises in the order of the file */
} lpot_coco_annotation;

/* All zero is an empty file. */
typedef struct lpot_coco_file {
  lpot_arena *arena; /* owned */
  size_t num_images;
  lpot_coco_image *images; /* [num_images] by rising id, which differ */
  size_t num_annotations;
  lpot_coco_annotation *annotations; /* [num_annotations] by image, then in the file's order */
  lpot_buffer image_bytes, annotation_bytes; /* owned: what the arrays point into */
} lpot_coco_file;

/* LPOT_FORMAT with the line where data are not such a file. */
LPOT_MUST_CHECK lpot_status lpot_coco_file_read(const void *data, size_t size,
                                                lpot_coco_file *ret_file, lpot_error *err);
void lpot_coco_file_done(lpot_coco_file *file);

#endif
