#include "tune/pareto.h"

#include "base/memory.h"
#include "tune/ranking.h"

typedef enum verdict { WORSE, ALIKE, BETTER } verdict;

static verdict compare(const lpot_figure *a, const lpot_figure *b) {
  bool a_known = lpot_figure_is_known(a);
  bool b_known = lpot_figure_is_known(b);
  if (!a_known || !b_known) {
    return a_known == b_known ? ALIKE : a_known ? BETTER : WORSE;
  }
  return a->high < b->low ? BETTER : a->low > b->high ? WORSE : ALIKE;
}

static bool dominates(const lpot_pareto_row *a, const lpot_pareto_row *b) {
  bool better = false;
  for (size_t i = 0; i < LPOT_NUM_OBJECTIVES; i++) {
    verdict figure = compare(&a->figures[i], &b->figures[i]);
    if (figure == WORSE) {
      return false;
    }
    better = better || figure == BETTER;
  }
  return better;
}

void lpot_pareto_front(lpot_pareto_row *rows, size_t count) {
  size_t strong = 0; /* It dominated the last one that was: mostly the next one too. */
  for (size_t i = 0; i < count; i++) {
    bool dominated = dominates(&rows[strong], &rows[i]);
    for (size_t k = 0; k < count && !dominated; k++) {
      dominated = dominates(&rows[k], &rows[i]);
      strong = dominated ? k : strong;
    }
    rows[i].member = !dominated;
  }
}

lpot_status lpot_pareto_of(const lpot_ledger *ledger, lpot_pareto_row **ret_rows, size_t *ret_count,
                           lpot_error *err) {
  lpot_pareto_row *rows = lpot_calloc(ledger->num_trials, sizeof *rows);
  if (rows == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  size_t count = 0;
  for (size_t i = 0; i < ledger->num_trials; i++) {
    const lpot_ledger_trial *trial = &ledger->trials[i];
    if (lpot_ledger_final_of(ledger, trial)->status == LPOT_TRIAL_DONE) {
      rows[count].trial = trial->id;
      lpot_ranking_figures(ledger, trial, rows[count].figures);
      count++;
    }
  }
  lpot_pareto_front(rows, count);
  size_t members = 0;
  for (size_t i = 0; i < count; i++) {
    if (rows[i].member) {
      rows[members++] = rows[i];
    }
  }
  *ret_rows = rows;
  *ret_count = members;
  return LPOT_OK;
}
