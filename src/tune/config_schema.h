/* The schema of the configuration as tables, and the walk over a YAML tree by them. For the
 * sources of config.h only.
 *
 * Every section is a table of rows that ends with a row without a name; a row says which function
 * reads the value under its key and where the result goes. To support a key: one row, one test,
 * one line in configs/README.md. */
#ifndef LPOT_TUNE_CONFIG_SCHEMA_H
#define LPOT_TUNE_CONFIG_SCHEMA_H

#include "base/arena.h"
#include "tune/config.h"

#define LPOT_MAX_SAMPLING_SIZES 64

/* A word of a closed vocabulary. */
typedef struct lpot_config_word {
  const char *text;
  int value; /* LPOT_WORD_UNSUPPORTED: known from LPOT, not supported yet */
} lpot_config_word;

#define LPOT_WORD_UNSUPPORTED (-1)

/* A name, and what is to be said about it. */
typedef struct lpot_config_remark {
  const char *name;
  const char *text;
} lpot_config_remark;

/* graph_optimization: mixed precision without int8. */
typedef struct lpot_config_mixed {
  const lpot_yaml_node *node; /* NULL: no such section */
  lpot_choices precisions;
  const lpot_wish *op_wise; /* [num_op_wise] */
  size_t num_op_wise;
} lpot_config_mixed;

/* A configuration while it is read, and what it owns. */
typedef struct lpot_config_box {
  lpot_config config; /* first, so that a config is its box */
  lpot_yaml *yaml;    /* owned */
  lpot_arena *arena;  /* owned; arrays and texts of config */
  const char **warnings;
  size_t warnings_capacity;
  const lpot_yaml_node *integer_framework; /* model.framework that asks for dynamic quantization */
  const lpot_yaml_node *relative;          /* accuracy_criterion.relative, NULL when absent */
  const lpot_yaml_node *absolute_node;
  const lpot_yaml_node *objective, *multi_objectives; /* under tuning, NULL when absent */
  lpot_config_purpose purpose;
  bool evaluates;      /* the metric does, by itself: labelled data are not needed */
  double metric_range; /* as lpot_metric_range has it; 0 where there is no metric */
  lpot_config_mixed mixed;
  size_t num_errors;
  lpot_error last_error;
  lpot_buffer earlier_errors; /* a line for each but the last */
} lpot_config_box;

/* Where the other one of two keys stands: "in line 7" or "by --set KEY". */
typedef struct lpot_config_place {
  char text[112];
} lpot_config_place;
lpot_config_place lpot_config_place_of(const lpot_yaml_node *node);

struct lpot_config_row;

/* Reads node into object, which is the row's own one (offset is added already). node is never a
 * null node, unless the row is a section. */
typedef lpot_status (*lpot_config_read)(lpot_config_box *box, const struct lpot_config_row *row,
                                        const lpot_yaml_node *node, void *object, lpot_error *err);

typedef struct lpot_config_row {
  const char *name;
  lpot_config_read read;
  size_t offset;                      /* of the field in the section's object */
  const struct lpot_config_row *rows; /* of a section */
  const lpot_config_word *words;      /* vocabulary, ends with a NULL text */
  int64_t minimum, maximum;           /* of a number */
  const char *remark;                 /* why a key is refused or ignored */
} lpot_config_row;

/* The top of the file; its object is the lpot_config. */
extern const lpot_config_row lpot_config_root_rows[];
/* A dataloader; its object is an lpot_dataloader_config. */
extern const lpot_config_row lpot_config_dataloader_rows[];
/* What stands under model_wise and under each name of op_wise; its object is an lpot_op_choices. */
extern const lpot_config_row lpot_config_choice_rows[];

/* Reads a section. What is wrong in it is collected, and fails lpot_config_new at the end. */
LPOT_MUST_CHECK lpot_status lpot_config_walk(lpot_config_box *box, const lpot_config_row *rows,
                                             const lpot_yaml_node *node, void *object,
                                             lpot_error *err);

/* Readers (config_value.c). */
lpot_status lpot_config_read_section(lpot_config_box *box, const lpot_config_row *row,
                                     const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_text(lpot_config_box *box, const lpot_config_row *row,
                                  const lpot_yaml_node *node, void *object, lpot_error *err);
/* Stores the contrary. */
/* auto, true or false: lpot_measure_when. */
lpot_status lpot_config_read_measure_when(lpot_config_box *box, const lpot_config_row *row,
                                          const lpot_yaml_node *node, void *object,
                                          lpot_error *err);
lpot_status lpot_config_read_not_bool(lpot_config_box *box, const lpot_config_row *row,
                                      const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_bool(lpot_config_box *box, const lpot_config_row *row,
                                  const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_int(lpot_config_box *box, const lpot_config_row *row,
                                 const lpot_yaml_node *node, void *object, lpot_error *err);
/* Into an int or an enum. */
lpot_status lpot_config_read_word(lpot_config_box *box, const lpot_config_row *row,
                                  const lpot_yaml_node *node, void *object, lpot_error *err);
/* Into a bool: 0 is false. */
lpot_status lpot_config_read_flag_word(lpot_config_box *box, const lpot_config_row *row,
                                       const lpot_yaml_node *node, void *object, lpot_error *err);
/* A word or a list of words into an lpot_choices. */
lpot_status lpot_config_read_choices(lpot_config_box *box, const lpot_config_row *row,
                                     const lpot_yaml_node *node, void *object, lpot_error *err);
/* The same of dtypes; the first node that names bf16 becomes config.bf16. */
lpot_status lpot_config_read_dtypes(lpot_config_box *box, const lpot_config_row *row,
                                    const lpot_yaml_node *node, void *object, lpot_error *err);
/* Only the word, number or boolean that stands for what we do anyway passes; true is answered by
 * row->remark. */
lpot_status lpot_config_read_only_word(lpot_config_box *box, const lpot_config_row *row,
                                       const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_only_false(lpot_config_box *box, const lpot_config_row *row,
                                        const lpot_yaml_node *node, void *object, lpot_error *err);
/* A boolean that has no effect: a warning when it is not what we do (row->minimum). */
lpot_status lpot_config_read_fixed_bool(lpot_config_box *box, const lpot_config_row *row,
                                        const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_ignored(lpot_config_box *box, const lpot_config_row *row,
                                     const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_silent(lpot_config_box *box, const lpot_config_row *row,
                                    const lpot_yaml_node *node, void *object, lpot_error *err);

/* Readers of single keys (config_field.c). */
/* A part between 0 and 1, neither of them; a benchmark has no use for it. */
lpot_status lpot_config_read_holdout(lpot_config_box *box, const lpot_config_row *row,
                                     const lpot_yaml_node *node, void *object, lpot_error *err);
/* cores_per_instance: more than 1 gives a warning. */
lpot_status lpot_config_read_cores(lpot_config_box *box, const lpot_config_row *row,
                                   const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_framework(lpot_config_box *box, const lpot_config_row *row,
                                       const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_sampling(lpot_config_box *box, const lpot_config_row *row,
                                      const lpot_yaml_node *node, void *object, lpot_error *err);
/* "true", "false" or a list of them, into an lpot_choices. */
lpot_status lpot_config_read_switch(lpot_config_box *box, const lpot_config_row *row,
                                    const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_bits(lpot_config_box *box, const lpot_config_row *row,
                                  const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_model_wise(lpot_config_box *box, const lpot_config_row *row,
                                        const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_type_wise(lpot_config_box *box, const lpot_config_row *row,
                                       const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_op_wise(lpot_config_box *box, const lpot_config_row *row,
                                     const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_dataset(lpot_config_box *box, const lpot_config_row *row,
                                     const lpot_yaml_node *node, void *object, lpot_error *err);
/* A pointer to the node where it says discard, else NULL. */
lpot_status lpot_config_read_last_batch(lpot_config_box *box, const lpot_config_row *row,
                                        const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_filter(lpot_config_box *box, const lpot_config_row *row,
                                    const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_transform(lpot_config_box *box, const lpot_config_row *row,
                                       const lpot_yaml_node *node, void *object, lpot_error *err);
/* {plugin: settings}: a pointer to the settings. */
lpot_status lpot_config_read_plugin(lpot_config_box *box, const lpot_config_row *row,
                                    const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_metric(lpot_config_box *box, const lpot_config_row *row,
                                    const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_relative(lpot_config_box *box, const lpot_config_row *row,
                                      const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_absolute(lpot_config_box *box, const lpot_config_row *row,
                                      const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_higher(lpot_config_box *box, const lpot_config_row *row,
                                    const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_timeout(lpot_config_box *box, const lpot_config_row *row,
                                     const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_iteration(lpot_config_box *box, const lpot_config_row *row,
                                       const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_batches(lpot_config_box *box, const lpot_config_row *row,
                                     const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_instances(lpot_config_box *box, const lpot_config_row *row,
                                       const lpot_yaml_node *node, void *object, lpot_error *err);

lpot_status lpot_config_read_approach(lpot_config_box *box, const lpot_config_row *row,
                                      const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_mixed(lpot_config_box *box, const lpot_config_row *row,
                                   const lpot_yaml_node *node, void *object, lpot_error *err);

/* Readers of tuning.strategy (config_strategy.c). */
lpot_status lpot_config_read_strategy(lpot_config_box *box, const lpot_config_row *row,
                                      const lpot_yaml_node *node, void *object, lpot_error *err);
/* LPOT_CONFIG unless weight is 0 to 1000000: no sum of them overflows. */
lpot_status lpot_config_check_weight(const lpot_yaml_node *node, double weight, lpot_error *err);
lpot_status lpot_config_read_weight(lpot_config_box *box, const lpot_config_row *row,
                                    const lpot_yaml_node *node, void *object, lpot_error *err);
/* One word, or a list of words; not empty. */
lpot_status lpot_config_read_command(lpot_config_box *box, const lpot_config_row *row,
                                     const lpot_yaml_node *node, void *object, lpot_error *err);
/* A number above 0. */
lpot_status lpot_config_read_seconds(lpot_config_box *box, const lpot_config_row *row,
                                     const lpot_yaml_node *node, void *object, lpot_error *err);
/* LPOT_CONFIG where the strategy lacks a setting that it needs. */
LPOT_MUST_CHECK lpot_status lpot_config_check_strategy(lpot_config_box *box, lpot_error *err);
/* Settings that the strategy has not give a warning. */
LPOT_MUST_CHECK lpot_status lpot_config_warn_of_strategy(lpot_config_box *box, lpot_error *err);

/* Readers of tuning.objective and multi_objectives (config_objective.c). */
lpot_status lpot_config_read_objective(lpot_config_box *box, const lpot_config_row *row,
                                       const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_multi_objectives(lpot_config_box *box, const lpot_config_row *row,
                                              const lpot_yaml_node *node, void *object,
                                              lpot_error *err);
/* LPOT_CONFIG where there are both. */
LPOT_MUST_CHECK lpot_status lpot_config_check_objective(lpot_config_box *box, lpot_error *err);
/* An objective that decides nothing gives a warning. */
LPOT_MUST_CHECK lpot_status lpot_config_warn_of_objective(lpot_config_box *box, lpot_error *err);

/* Readers of whole sections that are not run yet: their object is the section's node
 * (config_train.c). */
lpot_status lpot_config_read_train(lpot_config_box *box, const lpot_config_row *row,
                                   const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_pruning(lpot_config_box *box, const lpot_config_row *row,
                                     const lpot_yaml_node *node, void *object, lpot_error *err);
lpot_status lpot_config_read_conversion(lpot_config_box *box, const lpot_config_row *row,
                                        const lpot_yaml_node *node, void *object, lpot_error *err);

/* Shared by the readers. */

/* Passes status on, but an LPOT_CONFIG is collected and becomes LPOT_OK. */
LPOT_MUST_CHECK lpot_status lpot_config_collect(lpot_config_box *box, lpot_status status,
                                                lpot_error *err);

/* As lpot_yaml_fail, but at the key of node, where it has one. */
lpot_status lpot_config_fail_key(lpot_error *err, const lpot_yaml_node *node, const char *format,
                                 ...) LPOT_PRINTF(3, 4);
/* Adds a value that is not there yet; at most LPOT_MAX_CHOICES different ones. */
void lpot_config_add_choice(lpot_choices *choices, int value);
/* "not supported yet", with remark behind it when there is one, at the key of node. */
lpot_status lpot_config_fail_unsupported(lpot_error *err, const lpot_yaml_node *node,
                                         const char *remark);
/* The value of the word text (not NUL terminated), which stands in node. */
LPOT_MUST_CHECK lpot_status lpot_config_find_word(const lpot_config_word *words, const char *text,
                                                  size_t length, const lpot_yaml_node *node,
                                                  int *ret_value, lpot_error *err);
/* Adds a warning about node; beyond a limit further ones are left out. */
LPOT_MUST_CHECK lpot_status lpot_config_warn(lpot_config_box *box, const lpot_yaml_node *node,
                                             lpot_error *err, const char *format, ...)
    LPOT_PRINTF(4, 5);

#endif
