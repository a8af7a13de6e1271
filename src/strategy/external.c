/* Strategy external: somebody else proposes (lpot_proposer), which this floor does not see. What it
 * was told in an earlier run is recalled, since nobody can promise that it would propose the same
 * again. Hints are what it has proposed without waiting for answers. */
#include "base/memory.h"
#include "strategy/strategy_impl.h"

typedef struct external {
  lpot_strategy base;
} external;

static lpot_status external_init(lpot_strategy *strategy, lpot_error *err) {
  if (strategy->options.proposer == NULL) {
    return LPOT_FAIL(err, LPOT_INVALID, "strategy external: nobody proposes recipes");
  }
  return LPOT_OK;
}

static void external_done(lpot_strategy *strategy) {
  (void)strategy;
}

static lpot_status external_next(lpot_strategy *strategy, lpot_demand *ret_demand,
                                 lpot_error *err) {
  const lpot_proposer *proposer = strategy->options.proposer;
  LPOT_TRY(proposer->propose(proposer->context, &ret_demand->recipe, err));
  ret_demand->stage = LPOT_STAGE_PROPOSED;
  ret_demand->purpose = LPOT_DECIDE;
  return LPOT_OK;
}

static lpot_status external_tell(lpot_strategy *strategy, const lpot_result *result,
                                 lpot_error *err) {
  const lpot_proposer *proposer = strategy->options.proposer;
  LPOT_TRY(proposer->answer(proposer->context, result, err));
  return LPOT_OK;
}

static lpot_status external_recall(lpot_strategy *strategy, const lpot_recipe *recipe,
                                   const lpot_result *result, lpot_error *err) {
  const lpot_proposer *proposer = strategy->options.proposer;
  LPOT_TRY(proposer->recall(proposer->context, recipe, result, err));
  return LPOT_OK;
}

static lpot_status external_hints(const lpot_strategy *strategy, lpot_hint_list *list,
                                  lpot_error *err) {
  const lpot_proposer *proposer = strategy->options.proposer;
  lpot_recipe **recipes = lpot_calloc(list->capacity, sizeof(lpot_recipe *));
  if (recipes == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  size_t count = 0;
  lpot_status status = proposer->peek(proposer->context, list->capacity, recipes, &count, err);
  for (size_t i = 0; i < count; i++) {
    bool pending = strategy->waiting && lpot_recipe_hash(recipes[i]) == strategy->pending;
    if (pending) {
      lpot_recipe_free(recipes[i]);
    } else {
      lpot_hint_list_add(list, &recipes[i], LPOT_DECIDE);
    }
  }
  lpot_free(recipes);
  return status;
}

const lpot_strategy_class lpot_strategy_class_external = {
    .name = "external",
    .size_bytes = sizeof(external),
    .init = external_init,
    .done = external_done,
    .next = external_next,
    .tell = external_tell,
    .recall = external_recall,
    .hints = external_hints,
};
