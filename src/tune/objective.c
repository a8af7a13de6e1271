#include "tune/objective.h"

#include <math.h>

const char *lpot_objective_text(lpot_objective objective) {
  static const char *const texts[LPOT_NUM_OBJECTIVES] = {
      [LPOT_OBJECTIVE_PERFORMANCE] = "performance",
      [LPOT_OBJECTIVE_MODELSIZE] = "modelsize",
      [LPOT_OBJECTIVE_FOOTPRINT] = "footprint",
      [LPOT_OBJECTIVE_ACCURACY] = "accuracy",
  };
  return texts[objective];
}

lpot_objectives lpot_objectives_of(lpot_objective objective) {
  lpot_objectives objectives = {{0}};
  objectives.weights[objective] = 1;
  return objectives;
}

bool lpot_objectives_are(const lpot_objectives *objectives, lpot_objective objective) {
  bool only = objectives->weights[objective] > 0;
  for (size_t i = 0; i < LPOT_NUM_OBJECTIVES; i++) {
    only = only && (i == (size_t)objective || objectives->weights[i] == 0);
  }
  return only;
}

lpot_figure lpot_figure_exact(double value) {
  return (lpot_figure){.low = value, .high = value};
}

bool lpot_figure_is_known(const lpot_figure *figure) {
  return !isnan(figure->low) && !isnan(figure->high);
}
