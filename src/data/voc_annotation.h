/* VOC's annotation of one image, an XML file:
 *   <annotation> <size> <width/> <height/> </size>
 *     <object> <name/> <difficult/> <bndbox> <xmin/> <ymin/> <xmax/> <ymax/> </bndbox> </object>
 * ... All other elements (parts of objects, pose ...) are skipped. Of XML this is read: elements,
 * attributes (skipped), text with the five named entities, comments and processing instructions;
 * a document type and CDATA are refused. */
#ifndef LPOT_DATA_VOC_ANNOTATION_H
#define LPOT_DATA_VOC_ANNOTATION_H

#include "base/buffer.h"

#define LPOT_VOC_MAX_NAME 64

typedef struct lpot_voc_object {
  char name[LPOT_VOC_MAX_NAME];
  double xmin, ymin, xmax, ymax; /* pixels */
  double difficult;              /* not 0: need not be found */
} lpot_voc_object;

/* All zero is an image of no size without objects. */
typedef struct lpot_voc_annotation {
  double width, height; /* pixels; 0: not said */
  lpot_buffer objects;  /* owned: lpot_voc_object */
} lpot_voc_annotation;

/* LPOT_FORMAT with the line where data are not such a file. */
LPOT_MUST_CHECK lpot_status lpot_voc_annotation_read(const void *data, size_t size,
                                                     lpot_voc_annotation *ret_annotation,
                                                     lpot_error *err);
void lpot_voc_annotation_done(lpot_voc_annotation *annotation);

#endif
