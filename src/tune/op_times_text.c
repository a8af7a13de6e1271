/* The YAML form of the op times; NaN is left out:
 *
 *   host: "node7"
 *   numeric_class: "..."
 *   cores: "3"
 *   trusted: true
 *   reason: ""
 *   batch: 1
 *   rounds: 200
 *   seconds: 2.5
 *   whole_us: {f32: 310.5, int8: 120.25}
 *   rest_us: {f32: 10.5, int8: 12.5}
 *   ops:
 *     - name: "conv1"
 *       type: Conv
 *       f32_us: 20.5
 *       int8_us: 6.25
 *       quantize_us: 1.5 */
#include <inttypes.h>
#include <math.h>

#include "base/text.h"
#include "quant/op_items.h"
#include "tune/op_times_record.h"

static const char *const root_keys[] = {"host",     "numeric_class", "cores",  "trusted",
                                        "reason",   "batch",         "rounds", "seconds",
                                        "whole_us", "rest_us",       "ops",    NULL};
static const char *const precision_keys[] = {"f32", "int8", "bf16", NULL};

/* ---- writing ---- */

static lpot_status put_precisions(lpot_buffer *out, const char *key, const double *values,
                                  lpot_error *err) {
  const char *before = "";
  LPOT_TRY(lpot_buffer_printf(out, err, "%s: {", key));
  for (int i = 0; i < LPOT_NUM_PRECISIONS; i++) {
    if (!isnan(values[i])) {
      LPOT_TRY(lpot_buffer_printf(out, err, "%s%s: %.*g", before,
                                  lpot_precision_text((lpot_precision)i),
                                  lpot_text_digits(values[i]), values[i]));
      before = ", ";
    }
  }
  LPOT_TRY(lpot_buffer_append(out, "}\n", 2, err));
  return LPOT_OK;
}

static lpot_status put_op(lpot_buffer *out, const lpot_op_cost *cost, lpot_error *err) {
  for (size_t k = 0; k < LPOT_NUM_COST_COLUMNS; k++) {
    double value = *(const double *)((const char *)cost + lpot_cost_columns[k].offset);
    if (!isnan(value)) {
      LPOT_TRY(lpot_buffer_printf(out, err, "    %s: %.*g\n", lpot_cost_columns[k].name,
                                  lpot_text_digits(value), value));
    }
  }
  return LPOT_OK;
}

lpot_status lpot_op_times_to_text(const lpot_op_times *times, const char *const *names,
                                  const char *const *types, lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(
      out, err, "# What each op costs, in microseconds for one sample; for --cost-table.\n"));
  LPOT_TRY(lpot_yaml_write_text("host", times->host, out, err));
  LPOT_TRY(lpot_yaml_write_text("numeric_class", times->numeric_class, out, err));
  LPOT_TRY(lpot_yaml_write_text("cores", times->cores, out, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "trusted: %s\n", times->trusted ? "true" : "false"));
  LPOT_TRY(lpot_yaml_write_text("reason", times->reason, out, err));
  LPOT_TRY(lpot_buffer_printf(out, err, "batch: %" PRId64 "\nrounds: %" PRIu64 "\nseconds: %.*g\n",
                              times->batch, times->rounds, lpot_text_digits(times->seconds),
                              times->seconds));
  LPOT_TRY(put_precisions(out, "whole_us", times->whole_us, err));
  LPOT_TRY(put_precisions(out, "rest_us", times->rest_us, err));
  LPOT_TRY(lpot_buffer_printf(out, err, times->num_ops == 0 ? "ops: []\n" : "ops:\n"));
  for (size_t i = 0; i < times->num_ops; i++) {
    LPOT_TRY(lpot_op_item_write(names[i], types[i], out, err));
    LPOT_TRY(put_op(out, &times->ops[i], err));
  }
  return LPOT_OK;
}

/* ---- reading ---- */

static lpot_status get_time(const lpot_yaml_node *map, const char *key, double *ret,
                            lpot_error *err) {
  const lpot_yaml_node *node = lpot_yaml_get(map, key);
  double value = 0;
  if (node == NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_yaml_double(node, &value, err));
  if (value < 0) {
    return lpot_yaml_fail(err, node, "expected a number of at least 0, got %s", node->text);
  }
  *ret = value;
  return LPOT_OK;
}

static lpot_status get_text(const lpot_yaml_node *map, const char *key, char *out, size_t out_size,
                            lpot_error *err) {
  const lpot_yaml_node *node = lpot_yaml_get(map, key);
  const char *text = NULL;
  if (node == NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_yaml_string(node, &text, err));
  if (!lpot_text_copy(out, out_size, text)) {
    return lpot_yaml_fail(err, node, "expected at most %zu bytes", out_size - 1);
  }
  return LPOT_OK;
}

static lpot_status get_int(const lpot_yaml_node *map, const char *key, int64_t minimum,
                           int64_t *ret, lpot_error *err) {
  const lpot_yaml_node *node = lpot_yaml_get(map, key);
  if (node != NULL) {
    LPOT_TRY(lpot_yaml_int(node, minimum, INT64_MAX, ret, err));
  }
  return LPOT_OK;
}

static lpot_status get_precisions(const lpot_yaml_node *root, const char *key, double *values,
                                  lpot_error *err) {
  const lpot_yaml_node *map = lpot_yaml_get(root, key);
  if (map == NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_yaml_check_keys(map, precision_keys, err));
  for (int i = 0; i < LPOT_NUM_PRECISIONS; i++) {
    LPOT_TRY(get_time(map, precision_keys[i], &values[i], err));
  }
  return LPOT_OK;
}

static lpot_status read_item(void *context, size_t index, const lpot_yaml_node *item,
                             lpot_error *err) {
  const char *keys[LPOT_NUM_COST_COLUMNS + 3] = {"name", "type"};
  lpot_op_times *times = context;
  const lpot_yaml_node *node = NULL;
  for (size_t k = 0; k < LPOT_NUM_COST_COLUMNS; k++) {
    keys[2 + k] = lpot_cost_columns[k].name;
  }
  LPOT_TRY(lpot_yaml_check_keys(item, keys, err));
  LPOT_TRY(lpot_yaml_require(item, "f32_us", &node, err));
  for (size_t k = 0; k < LPOT_NUM_COST_COLUMNS; k++) {
    char *row = (char *)&times->ops[index];
    LPOT_TRY(get_time(item, lpot_cost_columns[k].name,
                      (double *)(row + lpot_cost_columns[k].offset), err));
  }
  return LPOT_OK;
}

static lpot_status read_facts(const lpot_yaml_node *root, lpot_op_times *times, lpot_error *err) {
  const lpot_yaml_node *node = lpot_yaml_get(root, "trusted");
  int64_t rounds = 0;
  times->trusted = true;
  if (node != NULL) {
    LPOT_TRY(lpot_yaml_bool(node, &times->trusted, err));
  }
  LPOT_TRY(get_text(root, "host", times->host, sizeof times->host, err));
  LPOT_TRY(get_text(root, "numeric_class", times->numeric_class, sizeof times->numeric_class, err));
  LPOT_TRY(get_text(root, "cores", times->cores, sizeof times->cores, err));
  LPOT_TRY(get_text(root, "reason", times->reason, sizeof times->reason, err));
  LPOT_TRY(get_int(root, "batch", 1, &times->batch, err));
  LPOT_TRY(get_int(root, "rounds", 0, &rounds, err));
  LPOT_TRY(get_time(root, "seconds", &times->seconds, err));
  LPOT_TRY(get_precisions(root, "whole_us", times->whole_us, err));
  LPOT_TRY(get_precisions(root, "rest_us", times->rest_us, err));
  times->rounds = (uint64_t)rounds;
  return LPOT_OK;
}

static lpot_status read_root(const lpot_yaml_node *root, const char *const *names,
                             const char *const *types, lpot_op_times *times, lpot_error *err) {
  const lpot_yaml_node *ops = NULL;
  LPOT_TRY(lpot_yaml_check_keys(root, root_keys, err));
  LPOT_TRY(read_facts(root, times, err));
  LPOT_TRY(lpot_yaml_require(root, "ops", &ops, err));
  LPOT_TRY(lpot_op_items_read(ops, names, types, times->num_ops, read_item, times, err));
  return LPOT_OK;
}

lpot_status lpot_op_times_from_yaml(const lpot_yaml_node *root, const char *const *names,
                                    const char *const *types, size_t num_ops, lpot_op_times *ret,
                                    lpot_error *err) {
  lpot_op_times times;
  LPOT_TRY(lpot_op_times_init(&times, num_ops, err));
  lpot_status status = read_root(root, names, types, &times, err);
  if (status != LPOT_OK) {
    lpot_op_times_done(&times);
    return status;
  }
  *ret = times;
  return LPOT_OK;
}
