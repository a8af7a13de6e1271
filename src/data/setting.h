/* Optional and required settings in the maps under a dataset, a transform or a metric.
 *
 * map may be NULL or a null node, which both mean an empty map. A missing key leaves *ret as the
 * caller initialised it (the default). */
#ifndef LPOT_DATA_SETTING_H
#define LPOT_DATA_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/yaml_tree.h"

/* Fails unless map is a map (or empty) whose keys are all in names (NULL terminated). */
LPOT_MUST_CHECK lpot_status lpot_setting_check(const lpot_yaml_node *map, const char *const *names,
                                               lpot_error *err);
/* The node under key; NULL when missing or null. */
const lpot_yaml_node *lpot_setting_get(const lpot_yaml_node *map, const char *key);
/* As get, but a missing key fails naming owner ("dataset CIFAR10"). */
LPOT_MUST_CHECK lpot_status lpot_setting_need(const lpot_yaml_node *map, const char *owner,
                                              const char *key, const lpot_yaml_node **ret,
                                              lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_setting_bool(const lpot_yaml_node *map, const char *key, bool *ret,
                                              lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_setting_int(const lpot_yaml_node *map, const char *key,
                                             int64_t minimum, int64_t maximum, int64_t *ret,
                                             lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_setting_double(const lpot_yaml_node *map, const char *key,
                                                double *ret, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_setting_string(const lpot_yaml_node *map, const char *key,
                                                const char **ret, lpot_error *err);
/* The key channel_order: rgb (false) or bgr (true). */
LPOT_MUST_CHECK lpot_status lpot_setting_bgr(const lpot_yaml_node *map, bool *ret, lpot_error *err);
/* Index of name in names, which hold what a kind ("metric") may be called. Fails at node (may be
 * NULL) saying the nearest name, or that one of later_names is not supported yet. */
LPOT_MUST_CHECK lpot_status lpot_setting_find_name(const lpot_yaml_node *node, const char *kind,
                                                   const char *name, const char *const *names,
                                                   const char *const *later_names,
                                                   size_t *ret_index, lpot_error *err);
/* The named node of child number index of a chain: the child of a map, or the only child of a
 * list's one-key map. */
LPOT_MUST_CHECK lpot_status lpot_setting_item(const lpot_yaml_node *chain, size_t index,
                                              const lpot_yaml_node **ret, lpot_error *err);
/* As lpot_yaml_fail, for a node that may be NULL. */
lpot_status lpot_setting_fail(const lpot_yaml_node *node, lpot_error *err, const char *format, ...)
    LPOT_PRINTF(3, 4);

#endif
