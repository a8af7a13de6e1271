#include "graph/einsum.h"

#include <inttypes.h>
#include <string.h>

#include "graph/infer_rules.h"

/* Names of dimensions while reading: a letter's own code, or a place of "..." counted from its last
 * dimension. */
#define FIRST_PLACE 128
#define NUM_NAMES (FIRST_PLACE + LPOT_MAX_RANK)

/* A term as it is written. */
typedef struct term {
  int count;                   /* letters */
  char letters[LPOT_MAX_RANK]; /* without "..." */
  int ellipsis;                /* how many letters are before "...", -1 without */
} term;

typedef struct reading {
  const char *next;
  int num_terms;
  term terms[LPOT_EINSUM_MAX_INPUTS];
  bool has_result;
  term result;
  int occurrences[FIRST_PLACE]; /* of each letter in the terms */
  int num_places;               /* dimensions that "..." stands for, at most */
  int label_of[NUM_NAMES];      /* -1: none yet */
} reading;

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static lpot_status read_term(reading *state, term *ret, lpot_error *err) {
  *ret = (term){.ellipsis = -1};
  for (;; state->next++) {
    char c = *state->next;
    if (c == ' ') {
      continue;
    }
    if (is_letter(c)) {
      if (ret->count == LPOT_MAX_RANK) {
        return LPOT_FAIL(err, LPOT_UNSUPPORTED, "a term has more than %d letters", LPOT_MAX_RANK);
      }
      ret->letters[ret->count++] = c;
      continue;
    }
    if (c == '.' && strncmp(state->next, "...", 3) == 0 && ret->ellipsis < 0) {
      ret->ellipsis = ret->count;
      state->next += 2;
      continue;
    }
    return LPOT_OK;
  }
}

static lpot_status read_equation(reading *state, lpot_error *err) {
  bool more = true;
  while (more) {
    if (state->num_terms == LPOT_EINSUM_MAX_INPUTS) {
      return LPOT_FAIL(err, LPOT_UNSUPPORTED, "the equation has more than %d terms",
                       LPOT_EINSUM_MAX_INPUTS);
    }
    LPOT_TRY(read_term(state, &state->terms[state->num_terms++], err));
    more = *state->next == ',';
    state->next += more ? 1 : 0;
  }
  if (strncmp(state->next, "->", 2) == 0) {
    state->next += 2;
    state->has_result = true;
    LPOT_TRY(read_term(state, &state->result, err));
  }
  if (*state->next != '\0') {
    return LPOT_FAIL(err, LPOT_FORMAT, "the equation is malformed");
  }
  return LPOT_OK;
}

/* ---- what the terms say of the inputs ---- */

/* The name of dimension i of an input. */
static int name_at(const term *from, int i, int rank) {
  int places = rank - from->count;
  if (from->ellipsis < 0 || i < from->ellipsis) {
    return from->letters[i];
  }
  if (i < from->ellipsis + places) {
    return FIRST_PLACE + places - 1 - (i - from->ellipsis);
  }
  return from->letters[i - places];
}

static lpot_status survey_terms(reading *state, const lpot_shape *const *shapes, int num_inputs,
                                lpot_error *err) {
  if (state->num_terms != num_inputs) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the equation has %d terms, expected %d", state->num_terms,
                     num_inputs);
  }
  for (int i = 0; i < num_inputs; i++) {
    const term *from = &state->terms[i];
    int places = shapes[i]->rank - from->count;
    if (places < 0 || (places > 0 && from->ellipsis < 0)) {
      return LPOT_FAIL(err, LPOT_FORMAT, "input %d has rank %d, its term names %d dimensions", i,
                       shapes[i]->rank, from->count);
    }
    state->num_places = places > state->num_places ? places : state->num_places;
    for (int k = 0; k < from->count; k++) {
      state->occurrences[(int)from->letters[k]]++;
    }
  }
  return LPOT_OK;
}

/* ---- labels ---- */

static lpot_status add_label(reading *state, int name, lpot_einsum *einsum, lpot_error *err) {
  if (einsum->num_labels == LPOT_EINSUM_MAX_LABELS) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "the equation has more than %d dimensions",
                     LPOT_EINSUM_MAX_LABELS);
  }
  einsum->dims[einsum->num_labels] = name < FIRST_PLACE ? LPOT_DIM_UNKNOWN : 1;
  state->label_of[name] = einsum->num_labels++;
  return LPOT_OK;
}

static lpot_status add_places(reading *state, lpot_einsum *einsum, lpot_error *err) {
  for (int i = state->num_places - 1; i >= 0; i--) {
    LPOT_TRY(add_label(state, FIRST_PLACE + i, einsum, err));
  }
  return LPOT_OK;
}

/* The result as "->" gives it. */
static lpot_status label_given_result(reading *state, lpot_einsum *einsum, lpot_error *err) {
  const term *result = &state->result;
  for (int i = 0; i <= result->count; i++) {
    if (i == result->ellipsis) {
      LPOT_TRY(add_places(state, einsum, err));
    }
    if (i == result->count) {
      break;
    }
    int name = result->letters[i];
    if (state->occurrences[name] == 0 || state->label_of[name] >= 0) {
      return LPOT_FAIL(err, LPOT_FORMAT, "'%c' of the result is %s", name,
                       state->occurrences[name] == 0 ? "in no term" : "there twice");
    }
    LPOT_TRY(add_label(state, name, einsum, err));
  }
  return LPOT_OK;
}

static lpot_status label_implied_result(reading *state, lpot_einsum *einsum, lpot_error *err) {
  LPOT_TRY(add_places(state, einsum, err));
  for (int name = 0; name < FIRST_PLACE; name++) {
    if (state->occurrences[name] == 1) {
      LPOT_TRY(add_label(state, name, einsum, err));
    }
  }
  return LPOT_OK;
}

/* "..." broadcasts; a letter has one size. */
static lpot_status merge_size(int name, int64_t size, int64_t *dim, lpot_error *err) {
  int64_t merged = 0;
  if (name >= FIRST_PLACE && (size == 1 || *dim == 1)) {
    *dim = size == 1 ? *dim : size;
    return LPOT_OK;
  }
  if (lpot_dim_merge(*dim, size, &merged, NULL) != LPOT_OK) {
    return LPOT_FAIL(err, LPOT_FORMAT, "%s%c has the sizes %" PRId64 " and %" PRId64,
                     name < FIRST_PLACE ? "dimension " : "..", name < FIRST_PLACE ? name : '.',
                     *dim, size);
  }
  *dim = merged;
  return LPOT_OK;
}

static lpot_status label_inputs(reading *state, const lpot_shape *const *shapes,
                                lpot_einsum *einsum, lpot_error *err) {
  for (int i = 0; i < einsum->num_inputs; i++) {
    for (int k = 0; k < shapes[i]->rank; k++) {
      int name = name_at(&state->terms[i], k, shapes[i]->rank);
      if (state->label_of[name] < 0) {
        LPOT_TRY(add_label(state, name, einsum, err));
      }
      int label = state->label_of[name];
      einsum->of_input[i][k] = label;
      LPOT_TRY(merge_size(name, shapes[i]->dims[k], &einsum->dims[label], err));
    }
  }
  return LPOT_OK;
}

lpot_status lpot_einsum_resolve(const char *equation, const lpot_shape *const *shapes,
                                int num_inputs, lpot_einsum *ret_einsum, lpot_error *err) {
  reading state = {.next = equation};
  lpot_einsum einsum = {.num_inputs = num_inputs};
  for (int i = 0; i < NUM_NAMES; i++) {
    state.label_of[i] = -1;
  }
  LPOT_TRY(read_equation(&state, err));
  LPOT_TRY(survey_terms(&state, shapes, num_inputs, err));
  if (state.has_result) {
    LPOT_TRY(label_given_result(&state, &einsum, err));
  } else {
    LPOT_TRY(label_implied_result(&state, &einsum, err));
  }
  einsum.num_output = einsum.num_labels;
  if (einsum.num_output > LPOT_MAX_RANK) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "the result has rank %d, expected at most %d",
                     einsum.num_output, LPOT_MAX_RANK);
  }
  LPOT_TRY(label_inputs(&state, shapes, &einsum, err));
  *ret_einsum = einsum;
  return LPOT_OK;
}
