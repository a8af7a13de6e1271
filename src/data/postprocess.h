/* Postprocesses: what stands between a model's outputs and the metric. They may exchange outputs
 * and labels of a batch. One class per file, registered in postprocess_table.c. */
#ifndef LPOT_DATA_POSTPROCESS_H
#define LPOT_DATA_POSTPROCESS_H

#include "base/yaml_tree.h"
#include "data/loader.h"
#include "tensor/tensor.h"

#define LPOT_MAX_ANSWER_OUTPUTS 64
#define LPOT_MAX_POSTPROCESS_STEPS 8

/* What a metric is given of one batch. */
typedef struct lpot_answer {
  size_t num_outputs;
  const lpot_tensor *outputs[LPOT_MAX_ANSWER_OUTPUTS]; /* borrowed, or among made */
  lpot_batch batch;                                    /* its tensors are borrowed, too */
  size_t num_made;
  lpot_tensor *made[LPOT_MAX_POSTPROCESS_STEPS * 4]; /* [num_made] owned */
} lpot_answer;

typedef struct lpot_postprocess lpot_postprocess; /* a chain */

/* settings: the map (or list of one-key maps) under "transform" of "postprocess"; NULL gives an
 * empty chain. */
LPOT_MUST_CHECK lpot_status lpot_postprocess_new(const lpot_yaml_node *settings,
                                                 lpot_postprocess **ret_chain, lpot_error *err);
/* Makes one of them, for its message only (where that needs no file): node has the postprocess's
 * name and settings. */
LPOT_MUST_CHECK lpot_status lpot_postprocess_check(const lpot_yaml_node *node, lpot_error *err);
void lpot_postprocess_free(lpot_postprocess *chain);
bool lpot_postprocess_is_empty(const lpot_postprocess *chain);

/* All zero but for outputs and batch, which the caller fills. On failure it is only done. */
LPOT_MUST_CHECK lpot_status lpot_postprocess_apply(const lpot_postprocess *chain,
                                                   lpot_answer *answer, lpot_error *err);
/* Makes labels, which must outlive answer, the labels of its batch. */
LPOT_MUST_CHECK lpot_status lpot_answer_set_labels(lpot_answer *answer, const lpot_tensor *labels,
                                                   lpot_error *err);
void lpot_answer_done(lpot_answer *answer); /* frees what postprocesses made */

#endif
