/* Sections of LPOT's schema that are read and checked but not run yet: training (of quantization
 * and pruning), pruning, model conversion. */
#include <math.h>

#include "base/text.h"
#include "tune/config_schema.h"

#define MAX_EPOCH (1 << 24)

/* An int64_t that says nothing when it is not written. */
#define NOT_GIVEN INT64_MIN

/* ---- numbers ---- */

/* A share in [0, 1) into a double. */
static lpot_status read_sparsity(lpot_config_box *box, const lpot_config_row *row,
                                 const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)box;
  (void)row;
  double value = 0;
  LPOT_TRY(lpot_yaml_double(node, &value, err));
  if (!(value >= 0 && value < 1)) {
    return lpot_yaml_fail(err, node, "expected a share of at least 0 and below 1, got %g", value);
  }
  *(double *)object = value;
  return LPOT_OK;
}

/* A number of at least row->minimum into a double. */
static lpot_status read_number(lpot_config_box *box, const lpot_config_row *row,
                               const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)box;
  double value = 0;
  LPOT_TRY(lpot_yaml_double(node, &value, err));
  if (!(value >= (double)row->minimum) || isinf(value)) {
    return lpot_yaml_fail(err, node, "expected a number of at least %lld, got %g",
                          (long long)row->minimum, value);
  }
  *(double *)object = value;
  return LPOT_OK;
}

#define NUMBER(type, key, low)                                                                     \
  { .name = #key, .read = read_number, .offset = offsetof(type, key), .minimum = (low) }
#define INTEGER(type, key, low, high)                                                              \
  {                                                                                                \
    .name = #key, .read = lpot_config_read_int, .offset = offsetof(type, key), .minimum = (low),   \
    .maximum = (high)                                                                              \
  }
#define SPARSITY(type, key)                                                                        \
  { .name = #key, .read = read_sparsity, .offset = offsetof(type, key) }

static lpot_status fail_missing(lpot_error *err, const lpot_yaml_node *node, const char *key,
                                const char *why) {
  return lpot_config_fail_key(err, node, "missing: %s: %s", key, why);
}

static lpot_status need(const lpot_yaml_node *node, const char *key, const char *why,
                        lpot_error *err) {
  const lpot_yaml_node *child = lpot_yaml_get(node, key);
  if (child == NULL || child->kind == LPOT_YAML_NULL) {
    return fail_missing(err, node, key, why);
  }
  return LPOT_OK;
}

/* ---- training ---- */

typedef struct sgd_config {
  double learning_rate, momentum, weight_decay;
  bool nesterov;
} sgd_config;

static const lpot_config_row sgd_rows[] = {
    NUMBER(sgd_config, learning_rate, 0),
    NUMBER(sgd_config, momentum, 0),
    NUMBER(sgd_config, weight_decay, 0),
    {.name = "nesterov", .read = lpot_config_read_bool, .offset = offsetof(sgd_config, nesterov)},
    {.name = NULL},
};

static lpot_status read_sgd(lpot_config_box *box, const lpot_config_row *row,
                            const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  (void)object;
  sgd_config sgd = {0};
  LPOT_TRY(lpot_config_walk(box, sgd_rows, node, &sgd, err));
  LPOT_TRY(need(node, "learning_rate", "SGD has no default", err));
  return LPOT_OK;
}

static const lpot_config_word reduction_words[] = {{"none", 0}, {"sum", 1}, {"mean", 2}, {NULL, 0}};

static const lpot_config_row cross_entropy_rows[] = {
    {.name = "reduction", .read = lpot_config_read_only_word, .words = reduction_words},
    {.name = NULL},
};

static const lpot_config_row optimizer_rows[] = {
    {.name = "SGD", .read = read_sgd},
    {.name = NULL},
};

static const lpot_config_row criterion_rows[] = {
    {.name = "CrossEntropyLoss", .read = lpot_config_read_section, .rows = cross_entropy_rows},
    {.name = NULL},
};

typedef struct train_config {
  lpot_dataloader_config loader;
  int64_t start_epoch, end_epoch, iteration, frequency;
  const char *hostfile;
} train_config;

static const lpot_config_row train_rows[] = {
    {.name = "optimizer", .read = lpot_config_read_section, .rows = optimizer_rows},
    {.name = "criterion", .read = lpot_config_read_section, .rows = criterion_rows},
    {.name = "dataloader",
     .read = lpot_config_read_section,
     .rows = lpot_config_dataloader_rows,
     .offset = offsetof(train_config, loader)},
    INTEGER(train_config, start_epoch, 0, MAX_EPOCH),
    INTEGER(train_config, end_epoch, 0, MAX_EPOCH),
    INTEGER(train_config, iteration, 1, INT64_MAX),
    INTEGER(train_config, frequency, 1, INT64_MAX),
    {.name = "hostfile", .read = lpot_config_read_text, .offset = offsetof(train_config, hostfile)},
    {.name = NULL},
};

static lpot_status check_epochs(const lpot_yaml_node *node, int64_t start, int64_t end,
                                lpot_error *err) {
  if (start != NOT_GIVEN && end != NOT_GIVEN && start > end) {
    return lpot_config_fail_key(err, node, "start_epoch %lld is behind end_epoch %lld",
                                (long long)start, (long long)end);
  }
  return LPOT_OK;
}

lpot_status lpot_config_read_train(lpot_config_box *box, const lpot_config_row *row,
                                   const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  train_config train = {.start_epoch = 0, .end_epoch = NOT_GIVEN};
  LPOT_TRY(lpot_config_walk(box, train_rows, node, &train, err));
  LPOT_TRY(check_epochs(node, train.start_epoch, train.end_epoch, err));
  LPOT_TRY(need(node, "optimizer", "expected SGD with its learning_rate", err));
  LPOT_TRY(need(node, "criterion", "expected CrossEntropyLoss", err));
  *(const lpot_yaml_node **)object = node;
  return LPOT_OK;
}

/* ---- pruning ---- */

static const lpot_config_word method_words[] = {{"per_channel", 0}, {"per_tensor", 1}, {NULL, 0}};
static const lpot_config_word prune_type_words[] = {
    {"basic_magnitude", 0}, {"pattern_lock", 1}, {"gradient_sensitivity", 2}, {NULL, 0}};

/* Of LPOT 1.3 (init_sparsity, weights) and of 1.6 (initial_sparsity, names), and the general
 * settings of both. */
typedef struct prune_config {
  double init_sparsity, initial_sparsity, target_sparsity;
  int64_t start_epoch, end_epoch, frequency, update_frequency;
} prune_config;

#define METHOD                                                                                     \
  { .name = "method", .read = lpot_config_read_only_word, .words = method_words }
#define EPOCHS                                                                                     \
  INTEGER(prune_config, start_epoch, 0, MAX_EPOCH), INTEGER(prune_config, end_epoch, 0, MAX_EPOCH)

static const lpot_config_row magnitude_rows[] = {
    {.name = "weights", .read = lpot_config_read_silent},
    METHOD,
    SPARSITY(prune_config, init_sparsity),
    SPARSITY(prune_config, target_sparsity),
    EPOCHS,
    {.name = NULL},
};

static const lpot_config_row pruner_rows[] = {
    EPOCHS,
    SPARSITY(prune_config, initial_sparsity),
    SPARSITY(prune_config, target_sparsity),
    INTEGER(prune_config, update_frequency, 1, INT64_MAX),
    {.name = "prune_type", .read = lpot_config_read_only_word, .words = prune_type_words},
    METHOD,
    {.name = "names", .read = lpot_config_read_silent},
    {.name = "parameters", .read = lpot_config_read_silent},
    {.name = NULL},
};

/* One schedule by rows. What it leaves out keeps its default, which the check then does not ask. */
static lpot_status read_schedule(lpot_config_box *box, const lpot_config_row *rows,
                                 const lpot_yaml_node *node, prune_config *schedule,
                                 lpot_error *err) {
  *schedule = (prune_config){.init_sparsity = (double)NAN,
                             .initial_sparsity = (double)NAN,
                             .target_sparsity = (double)NAN,
                             .start_epoch = NOT_GIVEN,
                             .end_epoch = NOT_GIVEN};
  LPOT_TRY(lpot_config_walk(box, rows, node, schedule, err));
  LPOT_TRY(check_epochs(node, schedule->start_epoch, schedule->end_epoch, err));
  double first =
      isnan(schedule->init_sparsity) ? schedule->initial_sparsity : schedule->init_sparsity;
  double last = schedule->target_sparsity;
  if (first > last) { /* never with NaN */
    return lpot_config_fail_key(err, node, "the first sparsity %g is above target_sparsity %g",
                                first, last);
  }
  bool at_once = schedule->start_epoch != NOT_GIVEN && schedule->start_epoch == schedule->end_epoch;
  if (at_once && first < last) {
    return lpot_config_fail_key(
        err, node, "the sparsity cannot grow from %g to %g within one epoch", first, last);
  }
  return LPOT_OK;
}

static lpot_status read_magnitude(lpot_config_box *box, const lpot_config_row *row,
                                  const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  (void)object;
  if (node->kind != LPOT_YAML_MAP) {
    return lpot_yaml_fail(err, node, "expected a map of names of your choice");
  }
  for (size_t i = 0; i < node->num_children; i++) {
    prune_config schedule;
    lpot_status status = read_schedule(box, magnitude_rows, node->children[i], &schedule, err);
    LPOT_TRY(lpot_config_collect(box, status, err));
  }
  return LPOT_OK;
}

static lpot_status read_pruners(lpot_config_box *box, const lpot_config_row *row,
                                const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  (void)object;
  if (node->kind != LPOT_YAML_LIST) {
    return lpot_yaml_fail(err, node, "expected a list of pruners");
  }
  for (size_t i = 0; i < node->num_children; i++) {
    prune_config schedule;
    lpot_status status = read_schedule(box, pruner_rows, node->children[i], &schedule, err);
    LPOT_TRY(lpot_config_collect(box, status, err));
  }
  return LPOT_OK;
}

static const lpot_config_row compression_rows[] = {
    SPARSITY(prune_config, initial_sparsity),
    SPARSITY(prune_config, target_sparsity),
    EPOCHS,
    {.name = "pruners", .read = read_pruners},
    {.name = NULL},
};

static lpot_status read_compression(lpot_config_box *box, const lpot_config_row *row,
                                    const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  (void)object;
  prune_config schedule;
  LPOT_TRY(read_schedule(box, compression_rows, node, &schedule, err));
  return LPOT_OK;
}

static const lpot_config_row approach_rows[] = {
    {.name = "weight_compression", .read = read_compression},
    {.name = NULL},
};

static lpot_status read_train_of_pruning(lpot_config_box *box, const lpot_config_row *row,
                                         const lpot_yaml_node *node, void *object,
                                         lpot_error *err) {
  (void)object;
  const lpot_yaml_node *train = NULL;
  LPOT_TRY(lpot_config_read_train(box, row, node, &train, err));
  return LPOT_OK;
}

static const lpot_config_row pruning_rows[] = {
    {.name = "magnitude", .read = read_magnitude},
    EPOCHS,
    INTEGER(prune_config, frequency, 1, INT64_MAX),
    SPARSITY(prune_config, init_sparsity),
    SPARSITY(prune_config, target_sparsity),
    {.name = "train", .read = read_train_of_pruning},
    {.name = "approach", .read = lpot_config_read_section, .rows = approach_rows},
    {.name = NULL},
};

lpot_status lpot_config_read_pruning(lpot_config_box *box, const lpot_config_row *row,
                                     const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  prune_config schedule;
  LPOT_TRY(read_schedule(box, pruning_rows, node, &schedule, err));
  *(const lpot_yaml_node **)object = node;
  return LPOT_OK;
}

/* ---- model conversion ---- */

static const lpot_config_word source_words[] = {{"qat", 0}, {NULL, 0}};
static const lpot_config_word destination_words[] = {{"default", 0}, {NULL, 0}};

static const lpot_config_row conversion_rows[] = {
    {.name = "source", .read = lpot_config_read_only_word, .words = source_words},
    {.name = "destination", .read = lpot_config_read_only_word, .words = destination_words},
    {.name = NULL},
};

lpot_status lpot_config_read_conversion(lpot_config_box *box, const lpot_config_row *row,
                                        const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)row;
  LPOT_TRY(lpot_config_walk(box, conversion_rows, node, NULL, err));
  LPOT_TRY(need(node, "source", "expected qat", err));
  LPOT_TRY(need(node, "destination", "expected default", err));
  *(const lpot_yaml_node **)object = node;
  return LPOT_OK;
}
