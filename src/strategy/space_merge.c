/* LPOT's merge rule, with a word about everything it drops. */
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "strategy/space_build.h"

#define MAX_WARNINGS 100
#define MAX_SHOWN 96

typedef enum wish_level { MODEL_WISE, TYPE_WISE, OP_WISE } wish_level;

/* One wish on its way into one op's choices. */
typedef struct merge_state {
  wish_level level;
  const char *pattern; /* "" for model_wise */
  const char *file;    /* may be NULL */
  int line;
  const char *type;                  /* of the op */
  const lpot_op_choices *capability; /* of the op, before any wish */
  lpot_space_warnings *warnings;
} merge_state;

lpot_status lpot_space_warn(lpot_space_warnings *warnings, lpot_error *err, const char *format,
                            ...) {
  char text[384];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  for (size_t i = 0; i < warnings->count; i++) {
    if (lpot_text_equal(warnings->texts[i], text)) {
      return LPOT_OK;
    }
  }
  if (warnings->count == MAX_WARNINGS) {
    return LPOT_OK;
  }
  if (warnings->texts == NULL) {
    warnings->texts = lpot_arena_alloc(warnings->arena, MAX_WARNINGS, sizeof *warnings->texts);
  }
  const char *kept = lpot_arena_strdup(warnings->arena, text);
  if (warnings->texts == NULL || kept == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  warnings->texts[warnings->count] = kept;
  warnings->count++;
  return LPOT_OK;
}

/* " (conf.yaml line 12)" or nothing. */
static void place_text(const char *file, int line, char *out, size_t out_size) {
  out[0] = '\0';
  if (file != NULL) {
    snprintf(out, out_size, " (%s line %d)", file, line);
  }
}

typedef const char *(*value_text)(int value);

static const char *dtype_of(int value) {
  switch (value) {
  case LPOT_S8:
    return "int8";
  case LPOT_U8:
    return "uint8";
  case LPOT_F32:
    return "fp32";
  case LPOT_BF16:
    return "bf16";
  default:
    return lpot_dtype_text((lpot_dtype)value);
  }
}

static const char *scheme_of(int value) {
  return lpot_scheme_text((lpot_scheme)value);
}

static const char *granularity_of(int value) {
  return lpot_granularity_text((lpot_granularity)value);
}

static const char *algorithm_of(int value) {
  return lpot_algorithm_text((lpot_algorithm)value);
}

typedef struct field_row {
  const char *name;
  size_t offset; /* in lpot_tensor_choices */
  value_text text_of;
} field_row;

#define FIELD(name, text_of)                                                                       \
  { #name, offsetof(lpot_tensor_choices, name), text_of }

static const field_row field_table[] = {
    FIELD(dtype, dtype_of),
    FIELD(scheme, scheme_of),
    FIELD(granularity, granularity_of),
    FIELD(algorithm, algorithm_of),
};

#define NUM_FIELDS (sizeof field_table / sizeof field_table[0])

static const lpot_choices *field_of(const lpot_tensor_choices *tensor, const field_row *row) {
  return (const lpot_choices *)(const void *)((const char *)tensor + row->offset);
}

static bool has_value(const lpot_choices *choices, int value) {
  for (size_t i = 0; i < choices->count; i++) {
    if (choices->values[i] == value) {
      return true;
    }
  }
  return false;
}

/* "optype_wise Conv weight.scheme" */
static void subject_text(const merge_state *state, const char *tensor, const field_row *row,
                         char *out, size_t out_size) {
  static const char *const level_texts[] = {"model_wise", "optype_wise", "op_wise"};
  char shown[MAX_SHOWN];
  lpot_text_printable(state->pattern, shown, sizeof shown);
  snprintf(out, out_size, "%s %s%s%s.%s", level_texts[state->level], shown,
           shown[0] == '\0' ? "" : " ", tensor, row->name);
}

static lpot_status warn_dropped(const merge_state *state, const char *tensor, const field_row *row,
                                const lpot_choices *capability, int value, lpot_error *err) {
  char subject[160];
  char place[160];
  subject_text(state, tensor, row, subject, sizeof subject);
  place_text(state->file, state->line, place, sizeof place);
  if (has_value(capability, value)) {
    LPOT_TRY(lpot_space_warn(state->warnings, err, "%s: %s is excluded by a wider wish, dropped%s",
                             subject, row->text_of(value), place));
    return LPOT_OK;
  }
  LPOT_TRY(lpot_space_warn(state->warnings, err, "%s: %s is not possible for %s, dropped%s",
                           subject, row->text_of(value), state->type, place));
  return LPOT_OK;
}

static lpot_status warn_no_effect(const merge_state *state, const char *tensor,
                                  const field_row *row, lpot_error *err) {
  char subject[160];
  char place[160];
  subject_text(state, tensor, row, subject, sizeof subject);
  place_text(state->file, state->line, place, sizeof place);
  LPOT_TRY(lpot_space_warn(state->warnings, err,
                           "%s: nothing of it is possible for %s, it has no effect there%s",
                           subject, state->type, place));
  return LPOT_OK;
}

static lpot_status warn_fp32_instead(const merge_state *state, const char *tensor,
                                     const field_row *row, lpot_error *err) {
  char subject[160];
  char place[160];
  subject_text(state, tensor, row, subject, sizeof subject);
  place_text(state->file, state->line, place, sizeof place);
  LPOT_TRY(lpot_space_warn(state->warnings, err,
                           "%s: bf16 is not possible for %s, fp32 is taken instead%s", subject,
                           state->type, place));
  return LPOT_OK;
}

/* A wish about a tensor that the op lacks. Under model_wise that is the usual case (an Add has no
 * weight) and not worth a word. */
static lpot_status warn_absent(const merge_state *state, const char *tensor, const field_row *row,
                               lpot_error *err) {
  if (state->level == MODEL_WISE) {
    return LPOT_OK;
  }
  char subject[160];
  char place[160];
  subject_text(state, tensor, row, subject, sizeof subject);
  place_text(state->file, state->line, place, sizeof place);
  LPOT_TRY(lpot_space_warn(state->warnings, err, "%s: %s has no constant %s, dropped%s", subject,
                           state->type, tensor, place));
  return LPOT_OK;
}

/* fp32 is possible for every op, so that a wish for it alone need not bow to wider wishes. */
static bool is_f32_alone(const field_row *row, const lpot_choices *wish,
                         const lpot_choices *capability) {
  return row->offset == offsetof(lpot_tensor_choices, dtype) && wish->count == 1 &&
         wish->values[0] == LPOT_F32 && has_value(capability, LPOT_F32);
}

/* bf16 is in the space only where a wish names it, whatever wider wishes left. */
static bool is_named_bf16(const field_row *row, const lpot_choices *capability, int value) {
  return row->offset == offsetof(lpot_tensor_choices, dtype) && value == LPOT_BF16 &&
         has_value(capability, value);
}

/* A dtype wish that leaves bf16 alone for an op that cannot do it: not a wish for int8. */
static bool falls_to_f32(const field_row *row, const lpot_choices *wish,
                         const lpot_choices *capability) {
  return row->offset == offsetof(lpot_tensor_choices, dtype) && wish->count == 1 &&
         wish->values[0] == LPOT_BF16 && !has_value(capability, LPOT_BF16) &&
         has_value(capability, LPOT_F32);
}

static lpot_status merge_field(const merge_state *state, const char *tensor, const field_row *row,
                               const lpot_choices *wish, const lpot_choices *capability,
                               lpot_choices *current, lpot_error *err) {
  if (wish->count == 0) {
    return LPOT_OK;
  }
  if (capability->count == 0) {
    LPOT_TRY(warn_absent(state, tensor, row, err));
    return LPOT_OK;
  }
  if (is_f32_alone(row, wish, capability)) {
    *current = *wish;
    return LPOT_OK;
  }
  if (falls_to_f32(row, wish, capability)) {
    LPOT_TRY(warn_fp32_instead(state, tensor, row, err));
    *current = (lpot_choices){.count = 1, .values = {LPOT_F32}};
    return LPOT_OK;
  }
  lpot_choices kept = {0};
  for (size_t i = 0; i < wish->count; i++) {
    if (has_value(current, wish->values[i]) || is_named_bf16(row, capability, wish->values[i])) {
      kept.values[kept.count] = wish->values[i];
      kept.count++;
      continue;
    }
    LPOT_TRY(warn_dropped(state, tensor, row, capability, wish->values[i], err));
  }
  if (kept.count == 0) {
    LPOT_TRY(warn_no_effect(state, tensor, row, err));
    return LPOT_OK;
  }
  *current = kept;
  return LPOT_OK;
}

static lpot_status merge_tensor(const merge_state *state, const char *tensor,
                                const lpot_tensor_choices *wish,
                                const lpot_tensor_choices *capability, lpot_tensor_choices *current,
                                lpot_error *err) {
  for (size_t i = 0; i < NUM_FIELDS; i++) {
    const field_row *row = &field_table[i];
    lpot_choices *field = (lpot_choices *)(void *)((char *)current + row->offset);
    LPOT_TRY(merge_field(state, tensor, row, field_of(wish, row), field_of(capability, row), field,
                         err));
  }
  return LPOT_OK;
}

static lpot_status merge_wish(const merge_state *state, const lpot_op_choices *wish,
                              lpot_op_choices *current, lpot_error *err) {
  LPOT_TRY(merge_tensor(state, "weight", &wish->weight, &state->capability->weight,
                        &current->weight, err));
  LPOT_TRY(merge_tensor(state, "activation", &wish->activation, &state->capability->activation,
                        &current->activation, err));
  return LPOT_OK;
}

static merge_state state_of(const lpot_space_ops *ops, size_t index, wish_level level,
                            const lpot_wish *wish, lpot_space_warnings *warnings) {
  return (merge_state){.level = level,
                       .pattern = wish->pattern,
                       .file = wish->file,
                       .line = wish->line,
                       .type = ops->types[index],
                       .capability = &ops->capabilities[index],
                       .warnings = warnings};
}

static lpot_status merge_model_wise(const lpot_space_ops *ops, const lpot_wishes *wishes,
                                    lpot_space_warnings *warnings, lpot_op_choices *choices,
                                    lpot_error *err) {
  const lpot_wish wish = {.pattern = "",
                          .choices = wishes->model_wise,
                          .line = wishes->model_wise_line,
                          .file = wishes->model_wise_file};
  for (size_t i = 0; i < ops->count; i++) {
    const merge_state state = state_of(ops, i, MODEL_WISE, &wish, warnings);
    LPOT_TRY(merge_wish(&state, &wish.choices, &choices[i], err));
  }
  return LPOT_OK;
}

/* names [count] as a NULL terminated list in ret_list, for lpot_text_nearest; arena. */
static lpot_status terminate_names(lpot_arena *arena, const char *const *names, size_t count,
                                   const char ***ret_list, lpot_error *err) {
  const char **list = lpot_arena_alloc(arena, count + 1, sizeof *list);
  if (list == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < count; i++) {
    list[i] = names[i];
  }
  *ret_list = list;
  return LPOT_OK;
}

static lpot_status warn_unmatched(lpot_space_warnings *warnings, const lpot_wish *wish,
                                  const char *level, const char *what, const char *const *names,
                                  size_t count, lpot_error *err) {
  const char **list = NULL;
  LPOT_TRY(terminate_names(warnings->arena, names, count, &list, err));
  const char *nearest = lpot_text_nearest(wish->pattern, list);
  char shown[MAX_SHOWN];
  char hint[MAX_SHOWN + 32] = "";
  char place[160];
  if (nearest != NULL) {
    lpot_text_printable(nearest, shown, sizeof shown);
    snprintf(hint, sizeof hint, " (did you mean '%s'?)", shown);
  }
  lpot_text_printable(wish->pattern, shown, sizeof shown);
  place_text(wish->file, wish->line, place, sizeof place);
  LPOT_TRY(
      lpot_space_warn(warnings, err, "%s %s: matches no %s%s%s", level, shown, what, hint, place));
  return LPOT_OK;
}

static lpot_status merge_type_wise(const lpot_space_ops *ops, const lpot_wish *wish,
                                   lpot_space_warnings *warnings, lpot_op_choices *choices,
                                   lpot_error *err) {
  bool matched = false;
  for (size_t i = 0; i < ops->count; i++) {
    if (!lpot_text_equal(ops->types[i], wish->pattern)) {
      continue;
    }
    matched = true;
    const merge_state state = state_of(ops, i, TYPE_WISE, wish, warnings);
    LPOT_TRY(merge_wish(&state, &wish->choices, &choices[i], err));
  }
  if (!matched) {
    LPOT_TRY(warn_unmatched(warnings, wish, "optype_wise", "type of a quantizable op", ops->types,
                            ops->count, err));
  }
  return LPOT_OK;
}

/* An op_wise wish for quantized activations that had its effect forbids falling back. */
static bool demands_quantized(const lpot_wish *wish, const lpot_op_choices *current) {
  const lpot_choices *wished = &wish->choices.activation.dtype;
  const lpot_choices *left = &current->activation.dtype;
  if (wished->count == 0 || has_value(wished, LPOT_F32)) {
    return false;
  }
  for (size_t i = 0; i < left->count; i++) {
    if (!has_value(wished, left->values[i])) {
      return false;
    }
  }
  return true;
}

/* matches [count]: the ops that the wish is about. */
static lpot_status match_ops(const lpot_space_ops *ops, const lpot_wish *wish, bool *matches,
                             bool *ret_any, lpot_error *err) {
  bool any = false;
  for (size_t i = 0; i < ops->count; i++) {
    matches[i] = lpot_text_equal(ops->names[i], wish->pattern);
    any = any || matches[i];
  }
  if (!any && !lpot_space_pattern_is_plain(wish->pattern)) {
    lpot_space_pattern *pattern = NULL;
    LPOT_TRY(lpot_space_pattern_new(wish, &pattern, err));
    for (size_t i = 0; i < ops->count; i++) {
      matches[i] = lpot_space_pattern_matches(pattern, ops->names[i]);
      any = any || matches[i];
    }
    lpot_space_pattern_free(pattern);
  }
  *ret_any = any;
  return LPOT_OK;
}

static lpot_status merge_op_wise(const lpot_space_ops *ops, const lpot_wish *wish, bool *matches,
                                 lpot_space_warnings *warnings, lpot_op_choices *choices,
                                 bool *may_fall_back, lpot_error *err) {
  bool any = false;
  LPOT_TRY(match_ops(ops, wish, matches, &any, err));
  if (!any) {
    LPOT_TRY(
        warn_unmatched(warnings, wish, "op_wise", "quantizable op", ops->names, ops->count, err));
    return LPOT_OK;
  }
  for (size_t i = 0; i < ops->count; i++) {
    if (!matches[i]) {
      continue;
    }
    const merge_state state = state_of(ops, i, OP_WISE, wish, warnings);
    LPOT_TRY(merge_wish(&state, &wish->choices, &choices[i], err));
    may_fall_back[i] = may_fall_back[i] && !demands_quantized(wish, &choices[i]);
  }
  return LPOT_OK;
}

static void take_out(lpot_choices *choices, int value) {
  size_t kept = 0;
  for (size_t i = 0; i < choices->count; i++) {
    if (choices->values[i] != value) {
      choices->values[kept] = choices->values[i];
      kept++;
    }
  }
  choices->count = kept;
}

/* A bf16 activation takes a bf16 weight with it, unless that is to be fp32: nobody need say so
 * twice. */
static void complete_bf16(lpot_op_choices *choices) {
  lpot_choices *weight = &choices->weight.dtype;
  bool is_f32 = weight->count == 1 && weight->values[0] == LPOT_F32;
  if (is_f32 || !has_value(&choices->activation.dtype, LPOT_BF16) || weight->count == 0 ||
      weight->count == LPOT_MAX_CHOICES || has_value(weight, LPOT_BF16)) {
    return;
  }
  size_t place = weight->count;
  for (; place > 0 && weight->values[place - 1] == LPOT_F32; place--) {
    weight->values[place] = weight->values[place - 1];
  }
  weight->values[place] = LPOT_BF16;
  weight->count++;
}

lpot_status lpot_space_merge(const lpot_space_ops *ops, const lpot_wishes *wishes,
                             lpot_space_warnings *warnings, lpot_op_choices *ret_choices,
                             bool *ret_may_fall_back, lpot_error *err) {
  bool *matches = lpot_arena_alloc(warnings->arena, ops->count, sizeof *matches);
  if (matches == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < ops->count; i++) {
    ret_choices[i] = ops->capabilities[i];
    take_out(&ret_choices[i].activation.dtype, LPOT_BF16);
    take_out(&ret_choices[i].weight.dtype, LPOT_BF16);
    ret_may_fall_back[i] = true;
  }
  LPOT_TRY(merge_model_wise(ops, wishes, warnings, ret_choices, err));
  for (size_t i = 0; i < wishes->num_type_wise; i++) {
    LPOT_TRY(merge_type_wise(ops, &wishes->type_wise[i], warnings, ret_choices, err));
  }
  for (size_t i = 0; i < wishes->num_op_wise; i++) {
    LPOT_TRY(merge_op_wise(ops, &wishes->op_wise[i], matches, warnings, ret_choices,
                           ret_may_fall_back, err));
  }
  for (size_t i = 0; i < ops->count; i++) {
    complete_bf16(&ret_choices[i]);
  }
  return LPOT_OK;
}
