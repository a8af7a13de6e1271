#include <string.h>

#include "base/memory.h"
#include "engine/onednn/loops.h"
#include "engine/onednn/loops_normalization.h"
#include "engine/onednn/onednn_plan.h"

/* The scores of attention become weights, some rows after the other, so that what lies between the
 * parts of the fusion stays in the processor's first cache. */

#define ROWS_AT_ONCE 16

typedef struct softmax_state {
  int64_t rows, size;
  bool from_bytes, to_bytes;
  lpot_quant_params from, to;
  float factor; /* 0: none */
  bool masks;
  int outer_rank; /* of the scores without the last dimension, innermost first */
  int64_t dims[LPOT_MAX_RANK];
  int64_t strides[LPOT_MAX_RANK]; /* of the mask; 0 where it is repeated */
} softmax_state;

/* The place of a row in the mask, which rows walk through in order. */
typedef struct mask_walk {
  int64_t index[LPOT_MAX_RANK];
  int64_t offset;
} mask_walk;

static void step_on(const softmax_state *state, mask_walk *walk) {
  for (int d = 0; d < state->outer_rank; ++d) {
    walk->offset += state->strides[d];
    if (++walk->index[d] < state->dims[d]) {
      return;
    }
    walk->offset -= state->strides[d] * state->dims[d];
    walk->index[d] = 0;
  }
}

/* Scores from bytes or floats, scaled and masked. */
static void load_rows(const softmax_state *state, const void *scores, const float *mask,
                      int64_t first, int64_t count, mask_walk *walk, float *out) {
  int64_t size = state->size;
  const float *reals = (const float *)scores + first * size;
  if (state->from_bytes) {
    lpot_loop_dequantize((const uint8_t *)scores + first * size, count * size, &state->from, out);
    reals = out;
  }
  if (state->factor != 0.0f) {
    lpot_loop_scale(reals, count * size, state->factor, out);
  } else if (!state->from_bytes) {
    memcpy(out, reals, (size_t)(count * size) * sizeof *out);
  }
  for (int64_t row = 0; row < count && state->masks; ++row) {
    lpot_loop_add(mask + walk->offset, size, out + row * size);
    step_on(state, walk);
  }
}

/* Slots: scores, mask where there is one, result, scratch. */
static lpot_status run_softmax(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err) {
  (void)err;
  const softmax_state *state = step->state;
  const void *scores = lpot_slot_data(plan, step->slots[0]);
  const float *mask = state->masks ? lpot_slot_data(plan, step->slots[1]) : NULL;
  void *result = lpot_slot_data(plan, step->slots[step->num_inputs]);
  float *scratch = lpot_slot_data(plan, step->slots[step->num_inputs + 1]);
  mask_walk walk = {.offset = 0};
  for (int64_t first = 0; first < state->rows; first += ROWS_AT_ONCE) {
    int64_t left = state->rows - first;
    int64_t count = left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE;
    int64_t place = first * state->size;
    float *reals = state->to_bytes ? scratch : (float *)result + place;
    load_rows(state, scores, mask, first, count, &walk, scratch);
    lpot_loop_softmax_rows(scratch, count, state->size, reals);
    if (state->to_bytes) {
      lpot_loop_quantize(reals, count * state->size, &state->to, (uint8_t *)result + place);
    }
  }
  return LPOT_OK;
}

/* Strides of a mask of that shape under the rows. */
static void plan_mask(const lpot_shape *mask, const lpot_shape *rows, softmax_state *state) {
  int64_t stride = state->size;
  state->outer_rank = rows->rank - 1;
  for (int d = 0; d < state->outer_rank; ++d) {
    int axis = mask->rank - 2 - d;
    int64_t dim = axis >= 0 ? mask->dims[axis] : 1;
    state->dims[d] = rows->dims[rows->rank - 2 - d];
    state->strides[d] = dim == 1 ? 0 : stride;
    stride *= dim;
  }
}

static void fill_state(const lpot_compiler *compiler, const lpot_fusion *fusion,
                       softmax_state *state) {
  const lpot_shape *rows = &lpot_graph_value(compiler->graph, fusion->inputs[0].value)->shape;
  state->size = rows->dims[rows->rank - 1];
  state->rows = lpot_shape_elements(rows) / state->size;
  state->from_bytes = fusion->inputs[0].quantized;
  state->from = fusion->inputs[0].params;
  state->to_bytes = fusion->output.quantized;
  state->to = fusion->output.params;
  state->factor = fusion->factor;
  state->masks = fusion->num_inputs > 1;
  if (state->masks) {
    plan_mask(&lpot_graph_value(compiler->graph, fusion->inputs[1].value)->shape, rows, state);
  }
}

lpot_status lpot_emit_softmax_fusion(lpot_compiler *compiler, const lpot_fusion *fusion,
                                     lpot_error *err) {
  softmax_state made = {.rows = 0};
  lpot_slot_id inputs[2];
  lpot_slot_id outputs[2];
  fill_state(compiler, fusion, &made);
  for (size_t i = 0; i < fusion->num_inputs; ++i) {
    LPOT_TRY(lpot_need(compiler, fusion->inputs[i].value, LPOT_PLAIN, &inputs[i], err));
  }
  int64_t num_floats = ROWS_AT_ONCE * made.size;
  lpot_shape shape = lpot_shape_of(1, &num_floats);
  LPOT_TRY(lpot_define(compiler, fusion->output.value, LPOT_PLAIN, &outputs[0], err));
  LPOT_TRY(lpot_slot_new(compiler->plan, LPOT_F32, &shape, LPOT_PLAIN, &outputs[1], err));
  softmax_state *state = lpot_calloc(1, sizeof *state);
  if (state == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  *state = made;
  LPOT_TRY(lpot_step_add_state(compiler->plan, fusion->anchor->name, "fused softmax", run_softmax,
                               inputs, fusion->num_inputs, outputs, 2, state, err));
  return LPOT_OK;
}
