/* Transforms: applied to the first input of a sample in the order of the YAML. One class per file,
 * registered in transform_table.c. */
#ifndef LPOT_DATA_TRANSFORM_H
#define LPOT_DATA_TRANSFORM_H

#include "base/yaml_tree.h"
#include "data/sample.h"

/* Whose version of a transform a file means, where LPOT's versions differ. */
typedef enum lpot_transform_origin {
  LPOT_ORIGIN_OWN, /* ONNX Runtime as model.framework, or none */
  LPOT_ORIGIN_PYTORCH,
  LPOT_ORIGIN_TENSORFLOW,
  LPOT_ORIGIN_MXNET
} lpot_transform_origin;
/* What model.framework says in the file of node (NULL: no file). */
lpot_transform_origin lpot_transform_origin_of(const lpot_yaml_node *node);

typedef struct lpot_transforms lpot_transforms; /* a chain */

/* settings: the map (or list of one-key maps) under "transform"; NULL gives an empty chain. */
LPOT_MUST_CHECK lpot_status lpot_transforms_new(const lpot_yaml_node *settings,
                                                lpot_transforms **ret_transforms, lpot_error *err);
/* Makes one of them, for its message only: node has the transform's name and settings. */
LPOT_MUST_CHECK lpot_status lpot_transform_check(const lpot_yaml_node *node, lpot_error *err);
void lpot_transforms_free(lpot_transforms *transforms);
/* Random transforms draw from a generator of their own, made from seed, the sample's index and
 * their place in the chain: the same sample becomes the same input on every rank and each time. */
LPOT_MUST_CHECK lpot_status lpot_transforms_apply(const lpot_transforms *transforms, uint64_t seed,
                                                  int64_t index, lpot_sample *sample,
                                                  lpot_error *err);

#endif
