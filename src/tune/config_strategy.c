/* tuning.strategy: the name, and the settings that belong to one strategy each. */
#include "base/text.h"
#include "strategy/strategy.h"
#include "tune/config_schema.h"

/* LPOT's strategies that are not here, and what to use instead. */
static const lpot_config_remark later_names[] = {
    {"sigopt", "it needs a paid service; bayesian and tpe search by the same kind of model"},
    {"automixedprecision", "basic does it where graph_optimization.precisions names bf16"},
};

/* Settings, and the strategy that they belong to. */
static const lpot_config_remark settings[] = {
    {"accuracy_weight", "tpe"},
    {"latency_weight", "tpe"},
    {"command", "external"},
    {"timeout", "external"},
};

lpot_status lpot_config_read_strategy(lpot_config_box *box, const lpot_config_row *row,
                                      const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  (void)object;
  const char *text = NULL;
  LPOT_TRY(lpot_yaml_string(node, &text, err));
  for (size_t i = 0; i < sizeof later_names / sizeof later_names[0]; i++) {
    if (lpot_text_equal(text, later_names[i].name)) {
      return lpot_yaml_fail(err, node, "strategy %s is not supported yet: %s", text,
                            later_names[i].text);
    }
  }
  const char *const *names = lpot_strategy_names();
  int index = 0;
  LPOT_TRY(lpot_yaml_choice(node, names, &index, err));
  box->config.strategy = names[index];
  return LPOT_OK;
}

lpot_status lpot_config_check_weight(const lpot_yaml_node *node, double weight, lpot_error *err) {
  static const double largest = 1e6;
  if (weight < 0 || weight > largest) {
    return lpot_yaml_fail(err, node, "expected a weight from 0 to %.0f, got %g", largest, weight);
  }
  return LPOT_OK;
}

lpot_status lpot_config_read_weight(lpot_config_box *box, const lpot_config_row *row,
                                    const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)box;
  (void)row;
  double weight = 0;
  LPOT_TRY(lpot_yaml_double(node, &weight, err));
  LPOT_TRY(lpot_config_check_weight(node, weight, err));
  *(double *)object = weight;
  return LPOT_OK;
}

lpot_status lpot_config_read_command(lpot_config_box *box, const lpot_config_row *row,
                                     const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  (void)object;
  bool is_list = node->kind == LPOT_YAML_LIST;
  size_t count = is_list ? node->num_children : 1;
  const char **words = lpot_arena_alloc(box->arena, count + 1, sizeof(char *));
  if (words == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < count; i++) {
    LPOT_TRY(lpot_yaml_string(is_list ? node->children[i] : node, &words[i], err));
  }
  if (count == 0 || words[0][0] == '\0') {
    return lpot_yaml_fail(err, node, "expected a program and its arguments, got nothing");
  }
  box->config.num_command = count;
  box->config.command = words;
  return LPOT_OK;
}

lpot_status lpot_config_read_seconds(lpot_config_box *box, const lpot_config_row *row,
                                     const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)box;
  (void)row;
  double seconds = 0;
  LPOT_TRY(lpot_yaml_double(node, &seconds, err));
  if (seconds <= 0) {
    return lpot_yaml_fail(err, node, "expected a number of seconds above 0, got %g", seconds);
  }
  *(double *)object = seconds;
  return LPOT_OK;
}

/* The section, or NULL. */
static const lpot_yaml_node *find_section(const lpot_config_box *box) {
  const lpot_yaml_node *tuning = lpot_yaml_get(lpot_yaml_root(box->yaml), "tuning");
  return tuning == NULL ? NULL : lpot_yaml_get(tuning, "strategy");
}

lpot_status lpot_config_check_strategy(lpot_config_box *box, lpot_error *err) {
  const lpot_yaml_node *section = find_section(box);
  if (lpot_text_equal(box->config.strategy, "external") && section != NULL &&
      lpot_yaml_get(section, "command") == NULL) {
    return lpot_config_fail_key(err, section,
                                "strategy external needs a 'command': the program that proposes "
                                "recipes, and its arguments");
  }
  if (lpot_text_equal(box->config.strategy, "tpe") && box->config.accuracy_weight == 0 &&
      box->config.latency_weight == 0) {
    return lpot_config_fail_key(err, section,
                                "expected accuracy_weight or latency_weight above 0, got 0 for "
                                "both");
  }
  return LPOT_OK;
}

lpot_status lpot_config_warn_of_strategy(lpot_config_box *box, lpot_error *err) {
  const lpot_yaml_node *section = find_section(box);
  for (size_t i = 0; section != NULL && i < sizeof settings / sizeof settings[0]; i++) {
    const lpot_yaml_node *node = lpot_yaml_get(section, settings[i].name);
    if (node == NULL || lpot_text_equal(box->config.strategy, settings[i].text)) {
      continue;
    }
    LPOT_TRY(lpot_config_warn(box, node, err, "ignored: it belongs to the strategy %s",
                              settings[i].text));
  }
  return LPOT_OK;
}
