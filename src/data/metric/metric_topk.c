/* topk: the share of samples whose label is among the k largest scores. Written topk: 1,
 * topk: {k: 5} or topk: (k is 1). */
#include <math.h>

#include "data/metric_class.h"
#include "data/setting.h"

#define MAX_K 1000000

typedef struct topk_metric {
  lpot_metric base;
  int64_t k;
} topk_metric;

static lpot_status parse_topk(lpot_metric *metric, const lpot_yaml_node *node, lpot_error *err) {
  static const char *const names[] = {"k", NULL};
  topk_metric *topk = (topk_metric *)metric;
  topk->k = 1;
  if (node->kind == LPOT_YAML_SCALAR) {
    return lpot_yaml_int(node, 1, MAX_K, &topk->k, err);
  }
  LPOT_TRY(lpot_setting_check(node, names, err));
  return lpot_setting_int(node, "k", 1, MAX_K, &topk->k, err);
}

/* Number of classes that come before label: of equal scores the lower index wins. */
static int64_t rank_of(const lpot_tensor *output, int64_t row, int64_t num_classes, int64_t label) {
  int64_t start = row * num_classes;
  double own = lpot_metric_score(output, start + label);
  int64_t rank = 0;
  for (int64_t i = 0; i < num_classes; i++) {
    double score = lpot_metric_score(output, start + i);
    rank += score > own || (score == own && i < label) ? 1 : 0;
  }
  return rank;
}

static lpot_status update_topk(const lpot_metric *metric, const lpot_tensor *const *outputs,
                               size_t num_outputs, const lpot_batch *batch,
                               lpot_metric_state *state, uint8_t *correct, lpot_error *err) {
  (void)num_outputs;
  const lpot_tensor *output = outputs[0];
  int64_t k = ((const topk_metric *)metric)->k;
  int64_t classes = 0;
  LPOT_TRY(lpot_metric_num_scores("topk", output, batch, &classes, err));
  if (k > classes) {
    return LPOT_FAIL(err, LPOT_INVALID, "metric topk: k is %lld, but the output has %lld classes",
                     (long long)k, (long long)classes);
  }
  state->classes = (uint64_t)classes;
  for (int64_t row = 0; row < batch->num_valid; row++) {
    int64_t label = 0;
    LPOT_TRY(lpot_metric_label(batch, row, classes, &label, err));
    lpot_metric_row look = lpot_metric_look(output, row, classes);
    bool is_right = !look.has_nan && rank_of(output, row, classes, label) < k;
    lpot_metric_count(&look, look.best, is_right, state);
    lpot_metric_mark(correct, row, is_right);
  }
  return LPOT_OK;
}

static double chance_of_topk(const lpot_metric *metric, int64_t num_classes) {
  int64_t k = ((const topk_metric *)metric)->k;
  return k > num_classes ? (double)NAN : (double)k / (double)num_classes;
}

const lpot_metric_class lpot_metric_class_topk = {
    .name = "topk",
    .size_bytes = sizeof(topk_metric),
    .higher_is_better = true,
    .range = 1,
    .is_per_sample = true,
    .parse = parse_topk,
    .update = update_topk,
    .value = lpot_metric_share,
    .chance_level = chance_of_topk,
};
