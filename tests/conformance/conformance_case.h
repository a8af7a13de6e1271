/* One case of ONNX's backend test suite: a folder with model.onnx and test_data_set_N/ with
 * input_K.pb and output_K.pb, a TensorProto each. */
#ifndef LPOT_TESTS_CONFORMANCE_CASE_H
#define LPOT_TESTS_CONFORMANCE_CASE_H

#include "base/error.h"

#define MAX_CASE_OPS 16
#define MAX_OP_TEXT 48

typedef enum case_verdict {
  CASE_PASSED,
  CASE_FAILED,      /* wrong outputs, or an error where there should be none */
  CASE_UNSUPPORTED, /* refused with LPOT_UNSUPPORTED */
  CASE_CRASHED,     /* the process died */
  CASE_HUNG,        /* no end within the time given */
  NUM_CASE_VERDICTS
} case_verdict;

typedef struct case_result {
  case_verdict verdict;
  int off_by_one;                      /* quantized outputs that were one unit off */
  int given_as_constants;              /* 1: inputs that shapes depend on were given as constants */
  char reason[200];                    /* why it did not pass */
  int num_ops;                         /* of distinct operators, at most MAX_CASE_OPS are kept */
  char ops[MAX_CASE_OPS][MAX_OP_TEXT]; /* "Conv", "com.microsoft.Gelu" */
} case_result;

/* Loads and runs folder's model with the engine on all its data sets, in this process. */
void conformance_run_case(const char *folder, const char *engine_name, case_result *result);

#endif
