#include "data/postprocess.h"

#include "base/memory.h"
#include "base/text.h"
#include "data/postprocess_class.h"
#include "data/setting.h"

static const lpot_postprocess_class *const classes[] = {
    &lpot_postprocess_class_label_shift,
    &lpot_postprocess_class_non_maximum_suppression,
    &lpot_postprocess_class_squad_v1,
    &lpot_postprocess_class_plugin,
};
#define NUM_CLASSES (sizeof(classes) / sizeof(classes[0]))

static const char *const names[NUM_CLASSES + 1] = {
    "LabelShift", "NonMaximumSuppression", "SquadV1", "plugin", NULL,
};

/* Names of LPOT's schema that this version answers by saying so. */
static const char *const later_names[] = {
    NULL,
};

typedef struct postprocess_step {
  const lpot_postprocess_class *class_of;
  void *parameters; /* owned */
} postprocess_step;

struct lpot_postprocess {
  size_t num_steps;
  postprocess_step steps[LPOT_MAX_POSTPROCESS_STEPS];
};

static lpot_status find_class(const lpot_yaml_node *node, postprocess_step *step, lpot_error *err) {
  size_t index = 0;
  LPOT_TRY(lpot_setting_find_name(node, "postprocess", node->key, names, later_names, &index, err));
  step->class_of = classes[index];
  return LPOT_OK;
}

static lpot_status make_step(postprocess_step *step, const lpot_yaml_node *node, lpot_error *err) {
  LPOT_TRY(find_class(node, step, err));
  step->parameters = lpot_calloc(1, step->class_of->size_bytes);
  if (step->parameters == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  return step->class_of->parse(step->parameters, node, err);
}

static void step_done(const postprocess_step *step) {
  if (step->parameters != NULL && step->class_of->done != NULL) {
    step->class_of->done(step->parameters);
  }
  lpot_free(step->parameters);
}

static lpot_status make_steps(lpot_postprocess *chain, const lpot_yaml_node *settings,
                              lpot_error *err) {
  for (size_t i = 0; i < settings->num_children; i++) {
    const lpot_yaml_node *node = NULL;
    LPOT_TRY(lpot_setting_item(settings, i, &node, err));
    if (chain->num_steps == LPOT_MAX_POSTPROCESS_STEPS) {
      return lpot_yaml_fail(err, node, "more than %d postprocesses", LPOT_MAX_POSTPROCESS_STEPS);
    }
    chain->num_steps++;
    LPOT_TRY(make_step(&chain->steps[i], node, err));
  }
  return LPOT_OK;
}

lpot_status lpot_postprocess_new(const lpot_yaml_node *settings, lpot_postprocess **ret_chain,
                                 lpot_error *err) {
  if (settings != NULL && settings->kind == LPOT_YAML_SCALAR) {
    return lpot_yaml_fail(err, settings, "expected a map of postprocesses, got '%s'",
                          settings->text);
  }
  lpot_postprocess *chain = lpot_calloc(1, sizeof *chain);
  if (chain == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = settings == NULL ? LPOT_OK : make_steps(chain, settings, err);
  if (status != LPOT_OK) {
    lpot_postprocess_free(chain);
    return status;
  }
  *ret_chain = chain;
  return LPOT_OK;
}

void lpot_postprocess_free(lpot_postprocess *chain) {
  if (chain == NULL) {
    return;
  }
  for (size_t i = 0; i < chain->num_steps; i++) {
    step_done(&chain->steps[i]);
  }
  lpot_free(chain);
}

lpot_status lpot_postprocess_check(const lpot_yaml_node *node, lpot_error *err) {
  postprocess_step step = {0};
  LPOT_TRY(find_class(node, &step, err));
  if (step.class_of->reads_files) {
    return LPOT_OK;
  }
  lpot_status status = make_step(&step, node, err);
  step_done(&step);
  return status;
}

bool lpot_postprocess_is_empty(const lpot_postprocess *chain) {
  return chain->num_steps == 0;
}

lpot_status lpot_postprocess_apply(const lpot_postprocess *chain, lpot_answer *answer,
                                   lpot_error *err) {
  for (size_t i = 0; i < chain->num_steps; i++) {
    const postprocess_step *step = &chain->steps[i];
    lpot_status status = step->class_of->apply(step->parameters, answer, err);
    if (status != LPOT_OK) {
      lpot_error_prefix(err, "postprocess %s", step->class_of->name);
      return status;
    }
  }
  return LPOT_OK;
}

lpot_status lpot_answer_make(lpot_answer *answer, lpot_dtype dtype, const lpot_shape *shape,
                             lpot_tensor **ret_tensor, lpot_error *err) {
  LPOT_ASSERT(answer->num_made < sizeof answer->made / sizeof answer->made[0]);
  LPOT_TRY(lpot_tensor_new(dtype, shape, &answer->made[answer->num_made], err));
  *ret_tensor = answer->made[answer->num_made];
  answer->num_made++;
  return LPOT_OK;
}

void lpot_answer_keep(lpot_answer *answer, lpot_tensor *tensor) {
  LPOT_ASSERT(answer->num_made < sizeof answer->made / sizeof answer->made[0]);
  answer->made[answer->num_made++] = tensor;
}

lpot_status lpot_answer_set_labels(lpot_answer *answer, const lpot_tensor *labels,
                                   lpot_error *err) {
  LPOT_ASSERT(answer->num_made < sizeof answer->made / sizeof answer->made[0]);
  lpot_tensor **made = &answer->made[answer->num_made];
  LPOT_TRY(lpot_tensor_view(labels->dtype, &labels->shape, labels->data, labels->size_bytes, NULL,
                            made, err));
  answer->num_made++;
  answer->batch.labels = *made;
  answer->batch.row_labels = NULL;
  return LPOT_OK;
}

void lpot_answer_done(lpot_answer *answer) {
  for (size_t i = 0; i < answer->num_made; i++) {
    lpot_tensor_unref(answer->made[i]);
  }
  answer->num_made = 0;
}
