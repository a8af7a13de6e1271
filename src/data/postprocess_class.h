/* What a postprocess class brings to postprocess_table.c.
 *
 * To add a postprocess: one file postprocess/postprocess_NAME.c that defines its class, one
 * declaration here, one row in each list of postprocess_table.c, one test. */
#ifndef LPOT_DATA_POSTPROCESS_CLASS_H
#define LPOT_DATA_POSTPROCESS_CLASS_H

#include "data/postprocess.h"

typedef struct lpot_postprocess_class {
  const char *name;  /* as in the YAML */
  size_t size_bytes; /* of the class's parameters */
  bool reads_files;  /* parse does */
  /* Fills the zero-filled parameters from settings (null, a number or a map). */
  lpot_status (*parse)(void *parameters, const lpot_yaml_node *settings, lpot_error *err);
  void (*done)(void *parameters); /* frees what parse made; (optional) */
  /* Exchanges outputs or labels of answer by tensors of lpot_answer_make, at most
   * four. Errors are prefixed by the caller with the name. */
  lpot_status (*apply)(const void *parameters, lpot_answer *answer, lpot_error *err);
} lpot_postprocess_class;

extern const lpot_postprocess_class lpot_postprocess_class_label_shift;
extern const lpot_postprocess_class lpot_postprocess_class_non_maximum_suppression;
extern const lpot_postprocess_class lpot_postprocess_class_plugin;
extern const lpot_postprocess_class lpot_postprocess_class_squad_v1;

/* Makes a zero-filled tensor that lives as long as answer. */
LPOT_MUST_CHECK lpot_status lpot_answer_make(lpot_answer *answer, lpot_dtype dtype,
                                             const lpot_shape *shape, lpot_tensor **ret_tensor,
                                             lpot_error *err);

/* Moves tensor to answer, with which it lives from now on. Counts as one that is made. */
void lpot_answer_keep(lpot_answer *answer, lpot_tensor *tensor);

#endif
