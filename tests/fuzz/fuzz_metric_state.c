/* Fuzz target: bytes as two states of a metric, as evaluators send them, which are merged and made
 * a value; the first byte chooses the metric. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "data/metric.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const texts[] = {"topk: 1",
                                    "MSE: ~",
                                    "RMSE: ~",
                                    "COCOmAP: ~",
                                    "VOCmAP: ~",
                                    "mAP: ~",
                                    "F1: ~",
                                    "Loss: ~",
                                    "SquadF1: ~",
                                    "GLUE: mrpc",
                                    "GLUE: sts-b",
                                    "GLUE: cola",
                                    "mIOU: {num_classes: 3}"};

static lpot_status make_metric(const char *text, lpot_metric **ret_metric, lpot_error *err) {
  lpot_yaml *yaml = NULL;
  LPOT_TRY(lpot_yaml_parse("metric", text, strlen(text), &yaml, err));
  lpot_status status = lpot_metric_new(lpot_yaml_root(yaml), ret_metric, err);
  lpot_yaml_free(yaml);
  return status;
}

static lpot_status join(const lpot_metric *metric, lpot_reader *reader, lpot_metric_state *into,
                        lpot_metric_state *from, lpot_error *err) {
  double value = 0;
  LPOT_TRY(lpot_metric_state_read(reader, into, err));
  LPOT_TRY(lpot_metric_value(metric, into, &value, err));
  LPOT_TRY(lpot_metric_state_read(reader, from, err));
  LPOT_TRY(lpot_metric_state_merge(metric, into, from, err));
  LPOT_TRY(lpot_metric_value(metric, into, &value, err));
  return LPOT_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lpot_metric *metric = NULL;
  lpot_metric_state states[2] = {0};
  lpot_reader reader;
  lpot_error error = {0};
  if (size == 0) {
    return 0;
  }
  lpot_status status =
      make_metric(texts[data[0] % (sizeof texts / sizeof texts[0])], &metric, &error);
  LPOT_ASSERT(status == LPOT_OK);
  lpot_reader_init(&reader, data + 1, size - 1);
  status = join(metric, &reader, &states[0], &states[1], &error);
  LPOT_ASSERT(status == LPOT_OK || error.message[0] != '\0');
  lpot_metric_state_done(&states[0]);
  lpot_metric_state_done(&states[1]);
  lpot_metric_free(metric);
  return 0;
}
