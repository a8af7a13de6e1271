/* How a space is made, in parts that tests can reach without a graph. */
#ifndef LPOT_STRATEGY_SPACE_BUILD_H
#define LPOT_STRATEGY_SPACE_BUILD_H

#include "base/arena.h"
#include "strategy/space.h"

/* Ops as plain arrays [count], in topological order; names and types must outlive the space. */
typedef struct lpot_space_ops {
  size_t count;
  const char *const *names;
  const char *const *types;
  const lpot_op_choices *capabilities;
  bool dynamic;
} lpot_space_ops;

/* As lpot_space_new. */
LPOT_MUST_CHECK lpot_status lpot_space_new_from_ops(const lpot_space_ops *ops,
                                                    const lpot_wishes *wishes,
                                                    lpot_space **ret_space, lpot_error *err);

/* Warnings, each text once. All zero but the arena at first. */
typedef struct lpot_space_warnings {
  lpot_arena *arena; /* borrowed */
  size_t count;
  size_t capacity;
  const char **texts; /* [count], arena */
} lpot_space_warnings;

/* Adds a text unless it is there; beyond a limit further ones are left out. */
LPOT_MUST_CHECK lpot_status lpot_space_warn(lpot_space_warnings *warnings, lpot_error *err,
                                            const char *format, ...) LPOT_PRINTF(3, 4);

/* Merges all wishes into ops' capabilities. */

/* ret_choices [ops->count] and ret_may_fall_back [ops->count] are filled. */
LPOT_MUST_CHECK lpot_status lpot_space_merge(const lpot_space_ops *ops, const lpot_wishes *wishes,
                                             lpot_space_warnings *warnings,
                                             lpot_op_choices *ret_choices, bool *ret_may_fall_back,
                                             lpot_error *err);

/* The configurations that choices allow, in LPOT's order; arena. *ret_count may be 0. */
LPOT_MUST_CHECK lpot_status lpot_space_expand(const lpot_op_choices *choices, lpot_arena *arena,
                                              lpot_op_config **ret_configs, size_t *ret_count,
                                              lpot_error *err);

/* An op_wise pattern that is no op's name. */
typedef struct lpot_space_pattern lpot_space_pattern;

/* True for keys that are read as names only. */
bool lpot_space_pattern_is_plain(const char *text);
/* LPOT_CONFIG, naming wish's place, when its pattern is not a regular expression we take. */
LPOT_MUST_CHECK lpot_status lpot_space_pattern_new(const lpot_wish *wish,
                                                   lpot_space_pattern **ret_pattern,
                                                   lpot_error *err);
void lpot_space_pattern_free(lpot_space_pattern *pattern);
bool lpot_space_pattern_matches(const lpot_space_pattern *pattern, const char *name);

#endif
