/* tuning.objective and tuning.multi_objectives. */
#include <string.h>

#include "tune/config_schema.h"

static const lpot_config_word objective_words[] = {
    {"performance", LPOT_OBJECTIVE_PERFORMANCE},
    {"modelsize", LPOT_OBJECTIVE_MODELSIZE},
    {"footprint", LPOT_OBJECTIVE_FOOTPRINT},
    {"accuracy", LPOT_OBJECTIVE_ACCURACY},
    {NULL, 0},
};

static const lpot_config_row word_row = {.words = objective_words};

/* ---- objective ---- */

static lpot_status check_weights(const lpot_objectives *objectives, const lpot_yaml_node *node,
                                 lpot_error *err) {
  double sum = 0;
  for (size_t i = 0; i < LPOT_NUM_OBJECTIVES; i++) {
    sum += objectives->weights[i];
  }
  if (!(sum > 0)) {
    return lpot_config_fail_key(err, node, "expected a weight above 0, got none");
  }
  return LPOT_OK;
}

static lpot_status objective_of(const lpot_yaml_node *node, const char *text,
                                lpot_objective *ret_objective, lpot_error *err) {
  int value = 0;
  LPOT_TRY(lpot_config_find_word(objective_words, text, strlen(text), node, &value, err));
  *ret_objective = (lpot_objective)value;
  return LPOT_OK;
}

static lpot_status read_weights(const lpot_yaml_node *node, lpot_objectives *objectives,
                                lpot_error *err) {
  const char *names[LPOT_NUM_OBJECTIVES + 1] = {NULL};
  for (size_t i = 0; i < LPOT_NUM_OBJECTIVES; i++) {
    names[i] = lpot_objective_text((lpot_objective)i);
  }
  LPOT_TRY(lpot_yaml_check_keys(node, names, err));
  for (size_t i = 0; i < node->num_children; i++) {
    lpot_objective objective = LPOT_OBJECTIVE_PERFORMANCE;
    LPOT_TRY(objective_of(node->children[i], node->children[i]->key, &objective, err));
    LPOT_TRY(lpot_config_read_weight(NULL, NULL, node->children[i], &objectives->weights[objective],
                                     err));
  }
  LPOT_TRY(check_weights(objectives, node, err));
  return LPOT_OK;
}

lpot_status lpot_config_objective(const lpot_yaml_node *node, lpot_objectives *ret_objectives,
                                  lpot_error *err) {
  lpot_objectives objectives = {{0}};
  if (node->kind == LPOT_YAML_MAP) {
    LPOT_TRY(read_weights(node, &objectives, err));
  } else {
    int value = 0;
    LPOT_TRY(lpot_config_read_word(NULL, &word_row, node, &value, err));
    objectives.weights[value] = 1;
  }
  *ret_objectives = objectives;
  return LPOT_OK;
}

lpot_status lpot_config_read_objective(lpot_config_box *box, const lpot_config_row *row,
                                       const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  (void)object;
  box->objective = node;
  LPOT_TRY(lpot_config_objective(node, &box->config.objectives, err));
  return LPOT_OK;
}

/* ---- multi_objectives ---- */

typedef struct multi_objectives {
  const lpot_yaml_node *names, *senses, *weight_node; /* NULL: not given */
  size_t num_weights;
  double weights[LPOT_NUM_OBJECTIVES];
  lpot_choices objectives;
} multi_objectives;

static lpot_status read_weight_list(lpot_config_box *box, const lpot_config_row *row,
                                    const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)box;
  (void)row;
  multi_objectives *self = object;
  LPOT_TRY(lpot_yaml_doubles(node, LPOT_NUM_OBJECTIVES, self->weights, &self->num_weights, err));
  for (size_t i = 0; i < self->num_weights; i++) {
    LPOT_TRY(lpot_config_check_weight(node, self->weights[i], err));
  }
  return LPOT_OK;
}

static const lpot_yaml_node *given(const lpot_yaml_node *node, const char *key) {
  const lpot_yaml_node *child = lpot_yaml_get(node, key);
  return child == NULL || child->kind == LPOT_YAML_NULL ? NULL : child;
}

static lpot_status fail_length(const lpot_yaml_node *node, const multi_objectives *self,
                               const char *what, size_t count, lpot_error *err) {
  return lpot_config_fail_key(err, node, "expected %zu %s, one for each objective (%s), got %zu",
                              self->objectives.count, what, lpot_config_place_of(self->names).text,
                              count);
}

/* LPOT's successor asks for the sense of each; there is only one that makes sense. */
static lpot_status check_senses(lpot_config_box *box, const multi_objectives *self,
                                lpot_error *err) {
  const lpot_yaml_node *node = self->senses;
  if (node == NULL) {
    return LPOT_OK;
  }
  bool is_list = node->kind == LPOT_YAML_LIST;
  size_t count = is_list ? node->num_children : 1;
  if (count != self->objectives.count) {
    return fail_length(node, self, "booleans", count, err);
  }
  for (size_t i = 0; i < count; i++) {
    const lpot_yaml_node *item = is_list ? node->children[i] : node;
    bool higher = false;
    LPOT_TRY(lpot_yaml_bool(item, &higher, err));
    lpot_objective objective = (lpot_objective)self->objectives.values[i];
    if (higher && objective != LPOT_OBJECTIVE_ACCURACY) {
      LPOT_TRY(lpot_config_warn(box, item, err, "true is ignored: less %s is better",
                                lpot_objective_text(objective)));
    } else if (!higher && objective == LPOT_OBJECTIVE_ACCURACY) {
      LPOT_TRY(lpot_config_warn(box, item, err,
                                "false is ignored: tuning.accuracy_criterion.higher_is_better, or "
                                "the metric, says what is better"));
    }
  }
  return LPOT_OK;
}

lpot_status lpot_config_read_multi_objectives(lpot_config_box *box, const lpot_config_row *row,
                                              const lpot_yaml_node *node, void *object,
                                              lpot_error *err) {
  static const lpot_config_row rows[] = {
      {.name = "objective",
       .read = lpot_config_read_choices,
       .words = objective_words,
       .offset = offsetof(multi_objectives, objectives)},
      {.name = "higher_is_better", .read = lpot_config_read_silent},
      {.name = "weight", .read = read_weight_list},
      {.name = NULL},
  };
  (void)row;
  (void)object;
  multi_objectives self = {0};
  size_t errors = box->num_errors;
  box->multi_objectives = node;
  LPOT_TRY(lpot_config_walk(box, rows, node, &self, err));
  if (box->num_errors > errors) {
    return LPOT_OK;
  }
  self.names = given(node, "objective");
  self.senses = given(node, "higher_is_better");
  self.weight_node = given(node, "weight");
  if (self.names == NULL) {
    return lpot_config_fail_key(err, node, "missing: objective, expected a list of names");
  }
  if (self.weight_node != NULL && self.num_weights != self.objectives.count) {
    return fail_length(self.weight_node, &self, "weights", self.num_weights, err);
  }
  LPOT_TRY(check_senses(box, &self, err));
  lpot_objectives objectives = {{0}};
  for (size_t i = 0; i < self.objectives.count; i++) {
    objectives.weights[self.objectives.values[i]] = self.weight_node == NULL ? 1 : self.weights[i];
  }
  LPOT_TRY(check_weights(&objectives, self.weight_node == NULL ? node : self.weight_node, err));
  box->config.objectives = objectives;
  return LPOT_OK;
}

/* ---- beside other keys ---- */

lpot_status lpot_config_check_objective(lpot_config_box *box, lpot_error *err) {
  if (box->objective != NULL && box->multi_objectives != NULL) {
    return lpot_config_fail_key(err, box->multi_objectives,
                                "expected objective or multi_objectives, got both (objective %s)",
                                lpot_config_place_of(box->objective).text);
  }
  return LPOT_OK;
}

lpot_status lpot_config_warn_of_objective(lpot_config_box *box, lpot_error *err) {
  const lpot_config *config = &box->config;
  const lpot_yaml_node *node = box->objective != NULL ? box->objective : box->multi_objectives;
  if (node == NULL || lpot_objectives_are(&config->objectives, LPOT_OBJECTIVE_PERFORMANCE)) {
    return LPOT_OK;
  }
  if (config->performance_only) {
    LPOT_TRY(lpot_config_warn(
        box, node, err, "it has no effect beside performance_only: the first trial is taken"));
  } else if (!lpot_config_compares(config)) {
    LPOT_TRY(
        lpot_config_warn(box, node, err,
                         "it has no effect beside exit_policy.timeout 0: the first recipe that "
                         "meets the criterion is taken"));
  }
  return LPOT_OK;
}
