/* The rule of LSTM. */
#include <inttypes.h>
#include <string.h>

#include "graph/infer_rules.h"

typedef struct lstm_dims {
  int64_t steps, batch, features;
  int64_t directions, hidden;
  bool batch_first; /* layout 1 */
} lstm_dims;

static lpot_status merge(const char *what, int64_t known, int64_t *dim, lpot_error *err) {
  if (lpot_dim_merge(known, *dim, dim, NULL) != LPOT_OK) {
    return LPOT_FAIL(err, LPOT_FORMAT, "%s is %" PRId64 ", expected %" PRId64, what, known, *dim);
  }
  return LPOT_OK;
}

static lpot_status read_attributes(const lpot_node *node, lstm_dims *dims, lpot_error *err) {
  const char *direction = lpot_node_string(node, "direction", "forward");
  bool both = strcmp(direction, "bidirectional") == 0;
  if (!both && strcmp(direction, "forward") != 0 && strcmp(direction, "reverse") != 0) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "direction is '%s', expected forward, reverse or bidirectional", direction);
  }
  int64_t layout = lpot_node_int(node, "layout", 0);
  if (layout != 0 && layout != 1) {
    return LPOT_FAIL(err, LPOT_FORMAT, "layout is %" PRId64 ", expected 0 or 1", layout);
  }
  dims->directions = both ? 2 : 1;
  dims->batch_first = layout == 1;
  dims->hidden = lpot_node_int(node, "hidden_size", LPOT_DIM_UNKNOWN);
  if (dims->hidden != LPOT_DIM_UNKNOWN && (dims->hidden < 1 || dims->hidden > LPOT_MAX_DIM / 8)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "hidden_size is %" PRId64, dims->hidden);
  }
  return LPOT_OK;
}

/* The dimensions of an input, merged with what is known: expected[i] NULL takes anything. */
static lpot_status merge_input(const lpot_infer *infer, int index, const char *const *names,
                               int64_t *const *expected, int rank, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, index);
  if (input == NULL || input->shape.rank == LPOT_RANK_UNKNOWN) {
    return LPOT_OK;
  }
  char what[32] = "input 0";
  what[6] = (char)('0' + index);
  LPOT_TRY(lpot_infer_check_rank(what, &input->shape, rank, err));
  for (int i = 0; i < rank; i++) {
    LPOT_TRY(merge(names[i], input->shape.dims[i], expected[i], err));
  }
  return LPOT_OK;
}

static const char *const sequence_names[2][3] = {
    {"the sequence length", "the batch size", "the number of features"},
    {"the batch size", "the sequence length", "the number of features"}};
static const char *const weight_names[] = {"the number of directions",
                                           "the number of rows of weights",
                                           "the number of columns of weights"};
static const char *const state_names[2][3] = {
    {"the number of directions", "the batch size", "the size of a state"},
    {"the batch size", "the number of directions", "the size of a state"}};

/* W [directions, 4 hidden, features], R [directions, 4 hidden, hidden] tell the hidden size too. */
static lpot_status merge_weights(const lpot_infer *infer, lstm_dims *dims, lpot_error *err) {
  const lpot_shape *recurrence = &lpot_infer_input(infer, 2)->shape;
  if (recurrence->rank == 3) {
    LPOT_TRY(merge("the size of a state", recurrence->dims[2], &dims->hidden, err));
  }
  int64_t rows = LPOT_DIM_UNKNOWN;
  LPOT_TRY(lpot_dim_mul(dims->hidden, 4, &rows, err));
  int64_t biases = LPOT_DIM_UNKNOWN;
  LPOT_TRY(lpot_dim_mul(dims->hidden, 8, &biases, err));
  int64_t peepholes = LPOT_DIM_UNKNOWN;
  LPOT_TRY(lpot_dim_mul(dims->hidden, 3, &peepholes, err));
  int64_t *const w[] = {&dims->directions, &rows, &dims->features};
  int64_t *const r[] = {&dims->directions, &rows, &dims->hidden};
  int64_t *const b[] = {&dims->directions, &biases};
  int64_t *const p[] = {&dims->directions, &peepholes};
  LPOT_TRY(merge_input(infer, 1, weight_names, w, 3, err));
  LPOT_TRY(merge_input(infer, 2, weight_names, r, 3, err));
  LPOT_TRY(merge_input(infer, 3, weight_names, b, 2, err));
  LPOT_TRY(merge_input(infer, 7, weight_names, p, 2, err));
  return LPOT_OK;
}

static lpot_status merge_all(const lpot_infer *infer, lstm_dims *dims, lpot_error *err) {
  int layout = dims->batch_first ? 1 : 0;
  int64_t *const x[2][3] = {{&dims->steps, &dims->batch, &dims->features},
                            {&dims->batch, &dims->steps, &dims->features}};
  int64_t *const state[2][3] = {{&dims->directions, &dims->batch, &dims->hidden},
                                {&dims->batch, &dims->directions, &dims->hidden}};
  int64_t *const lengths[] = {&dims->batch};
  LPOT_TRY(merge_input(infer, 0, sequence_names[layout], x[layout], 3, err));
  LPOT_TRY(merge_weights(infer, dims, err));
  LPOT_TRY(merge_input(infer, 4, sequence_names[1], lengths, 1, err));
  LPOT_TRY(merge_input(infer, 5, state_names[layout], state[layout], 3, err));
  LPOT_TRY(merge_input(infer, 6, state_names[layout], state[layout], 3, err));
  return LPOT_OK;
}

lpot_status lpot_infer_lstm(lpot_infer *infer, lpot_error *err) {
  lstm_dims dims = {
      .steps = LPOT_DIM_UNKNOWN, .batch = LPOT_DIM_UNKNOWN, .features = LPOT_DIM_UNKNOWN};
  lpot_dtype dtype = lpot_infer_input(infer, 0)->dtype;
  LPOT_TRY(read_attributes(infer->node, &dims, err));
  for (int i = 1; i < infer->node->num_inputs; i++) {
    if (i != 4) { /* sequence_lens */
      LPOT_TRY(lpot_infer_same_dtype(infer, 0, i, err));
    }
  }
  LPOT_TRY(merge_all(infer, &dims, err));
  const int64_t sequence[2][4] = {{dims.steps, dims.directions, dims.batch, dims.hidden},
                                  {dims.batch, dims.steps, dims.directions, dims.hidden}};
  const int64_t state[2][3] = {{dims.directions, dims.batch, dims.hidden},
                               {dims.batch, dims.directions, dims.hidden}};
  lpot_shape shape = lpot_shape_of(4, sequence[dims.batch_first ? 1 : 0]);
  LPOT_TRY(lpot_infer_output(infer, 0, dtype, &shape, err));
  shape = lpot_shape_of(3, state[dims.batch_first ? 1 : 0]);
  LPOT_TRY(lpot_infer_output(infer, 1, dtype, &shape, err));
  LPOT_TRY(lpot_infer_output(infer, 2, dtype, &shape, err));
  return LPOT_OK;
}
