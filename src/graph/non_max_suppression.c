#include "graph/non_max_suppression.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/size.h"
#include "graph/infer_rules.h"

enum { BOXES, SCORES, MOST, OVERLAP, SCORE };

typedef struct box {
  double low[2], high[2]; /* corners */
} box;

typedef struct candidate {
  int64_t index;
  double score;
} candidate;

typedef struct suppression {
  const lpot_tensor *boxes, *scores;
  int64_t batches, classes, num_boxes;
  int64_t most; /* for each class of each batch */
  double overlap, score;
  bool has_score, is_centred;
  candidate *candidates; /* [num_boxes] */
  box *kept;             /* [num_boxes] of the class at hand */
  int64_t capacity;      /* of the selection, in triples */
} suppression;

/* ---- boxes ---- */

static box load_box(const suppression *state, int64_t batch, int64_t index) {
  double values[4];
  box result;
  for (int i = 0; i < 4; i++) {
    int64_t at = (batch * state->num_boxes + index) * 4 + i;
    values[i] = lpot_tensor_get_double(state->boxes, at);
  }
  for (int i = 0; i < 2; i++) {
    double a = values[i];
    double b = values[i + 2];
    if (state->is_centred) {
      a = values[i] - values[i + 2] / 2;
      b = values[i] + values[i + 2] / 2;
    }
    result.low[i] = fmin(a, b); /* any two opposite corners will do */
    result.high[i] = fmax(a, b);
  }
  return result;
}

static double area_of(const box *a) {
  return (a->high[0] - a->low[0]) * (a->high[1] - a->low[1]);
}

/* Intersection over union; 0 for boxes without area. */
static double overlap_of(const box *a, const box *b) {
  double common = 1.0;
  for (int i = 0; i < 2; i++) {
    common *= fmax(0.0, fmin(a->high[i], b->high[i]) - fmax(a->low[i], b->low[i]));
  }
  double both = area_of(a) + area_of(b) - common;
  return common > 0.0 && both > 0.0 ? common / both : 0.0;
}

/* ---- one class of one batch ---- */

/* The best first; of equal ones that with the lower index. */
static int compare_candidates(const void *left, const void *right) {
  const candidate *a = left;
  const candidate *b = right;
  if (a->score > b->score || a->score < b->score) {
    return a->score > b->score ? -1 : 1;
  }
  return (a->index > b->index) - (a->index < b->index);
}

static int64_t collect_candidates(const suppression *state, int64_t batch, int64_t class) {
  int64_t count = 0;
  for (int64_t i = 0; i < state->num_boxes; i++) {
    int64_t at = (batch * state->classes + class) * state->num_boxes + i;
    double score = lpot_tensor_get_double(state->scores, at);
    bool good = state->has_score ? score > state->score : !isnan(score);
    if (good) {
      state->candidates[count++] = (candidate){i, score};
    }
  }
  qsort(state->candidates, (size_t)count, sizeof *state->candidates, compare_candidates);
  return count;
}

static lpot_status append(suppression *state, const int64_t triple[LPOT_SELECTION_WIDTH],
                          lpot_selection *selection, lpot_error *err) {
  if (selection->count == state->capacity) {
    int64_t capacity = state->capacity * 2 + 16;
    size_t width = LPOT_SELECTION_WIDTH * sizeof *selection->triples;
    int64_t *larger = lpot_realloc(selection->triples, (size_t)capacity, width);
    if (larger == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
    selection->triples = larger;
    state->capacity = capacity;
  }
  for (int i = 0; i < LPOT_SELECTION_WIDTH; i++) {
    selection->triples[selection->count * LPOT_SELECTION_WIDTH + i] = triple[i];
  }
  selection->count++;
  return LPOT_OK;
}

static lpot_status select_of_class(suppression *state, int64_t batch, int64_t class,
                                   lpot_selection *selection, lpot_error *err) {
  int64_t count = collect_candidates(state, batch, class);
  int64_t num_kept = 0;
  for (int64_t i = 0; i < count && num_kept < state->most; i++) {
    box current = load_box(state, batch, state->candidates[i].index);
    bool free_standing = true;
    for (int64_t k = 0; k < num_kept && free_standing; k++) {
      free_standing = !(overlap_of(&state->kept[k], &current) > state->overlap);
    }
    if (free_standing) {
      const int64_t triple[LPOT_SELECTION_WIDTH] = {batch, class, state->candidates[i].index};
      state->kept[num_kept++] = current;
      LPOT_TRY(append(state, triple, selection, err));
    }
  }
  return LPOT_OK;
}

/* ---- all of them ---- */

static lpot_status read_number(const lpot_node *node, const lpot_tensor *const *inputs, int index,
                               double *ret, bool *ret_present, lpot_error *err) {
  const lpot_tensor *tensor = index < node->num_inputs ? inputs[index] : NULL;
  *ret_present = tensor != NULL && lpot_tensor_elements(tensor) > 0;
  if (!*ret_present) {
    return LPOT_OK;
  }
  if (lpot_tensor_elements(tensor) != 1) {
    return LPOT_FAIL(err, LPOT_FORMAT, "input %d is no scalar", index);
  }
  *ret = lpot_tensor_get_double(tensor, 0);
  return LPOT_OK;
}

static lpot_status read_inputs(const lpot_node *node, const lpot_tensor *const *inputs,
                               suppression *state, lpot_error *err) {
  const lpot_tensor *boxes = inputs[BOXES];
  const lpot_tensor *scores = inputs[SCORES];
  LPOT_TRY(lpot_infer_check_rank("input 0 (boxes)", &boxes->shape, 3, err));
  LPOT_TRY(lpot_infer_check_rank("input 1 (scores)", &scores->shape, 3, err));
  state->boxes = boxes;
  state->scores = scores;
  state->batches = boxes->shape.dims[0];
  state->num_boxes = boxes->shape.dims[1];
  state->classes = scores->shape.dims[1];
  if (boxes->shape.dims[2] != 4 || scores->shape.dims[0] != state->batches ||
      scores->shape.dims[2] != state->num_boxes) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "the shapes of boxes and scores are not [batch, boxes, 4] and [batch, "
                     "classes, boxes]");
  }
  double most = 0.0;
  bool present = false;
  LPOT_TRY(read_number(node, inputs, MOST, &most, &present, err));
  LPOT_TRY(read_number(node, inputs, OVERLAP, &state->overlap, &present, err));
  LPOT_TRY(read_number(node, inputs, SCORE, &state->score, &state->has_score, err));
  most = fmin(fmax(most, 0.0), (double)state->num_boxes);
  state->most = (int64_t)most;
  state->is_centred = lpot_node_int(node, "center_point_box", 0) != 0;
  return LPOT_OK;
}

static lpot_status select_all(suppression *state, lpot_selection *selection, lpot_error *err) {
  if (state->most == 0) {
    return LPOT_OK;
  }
  state->candidates = lpot_calloc((size_t)state->num_boxes, sizeof *state->candidates);
  state->kept = lpot_calloc((size_t)state->num_boxes, sizeof *state->kept);
  if (state->candidates == NULL || state->kept == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (int64_t batch = 0; batch < state->batches; batch++) {
    for (int64_t class = 0; class < state->classes; class ++) {
      LPOT_TRY(select_of_class(state, batch, class, selection, err));
    }
  }
  return LPOT_OK;
}

void lpot_selection_done(lpot_selection *selection) {
  lpot_free(selection->triples);
  *selection = (lpot_selection){.count = 0};
}

lpot_status lpot_non_max_suppression(const lpot_node *node, const lpot_tensor *const *inputs,
                                     lpot_selection *ret_selection, lpot_error *err) {
  suppression state = {.overlap = 0.0};
  lpot_selection selection = {.count = 0};
  LPOT_TRY(read_inputs(node, inputs, &state, err));
  lpot_status status = select_all(&state, &selection, err);
  lpot_free(state.candidates);
  lpot_free(state.kept);
  if (status != LPOT_OK) {
    lpot_selection_done(&selection);
    return status;
  }
  *ret_selection = selection;
  return LPOT_OK;
}
