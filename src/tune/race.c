#include "tune/race.h"

#include "base/bits.h"

#define INTERVAL_RATE 0.025 /* at each end of the 95 % interval */
/* No single sample may take all of a capital. */
#define LARGEST_LOSS 0.9

/* From losses of a thousandth beyond what is allowed to such of most samples. */
static const double bets[LPOT_RACE_NUM_BETS] = {0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 0.9};

/* A bet against "the sum of x over the whole set is at most allowed". */
typedef struct lpot_bet {
  int64_t samples; /* of the whole set */
  int64_t allowed;
  int64_t seen, sum;
  double *capital; /* [LPOT_RACE_NUM_BETS] */
  double limit;    /* a mean capital that refutes */
} lpot_bet;

/* Takes one sample; true when the hypothesis is refuted. */
static bool take(lpot_bet *bet, int x) {
  double left = (double)(bet->samples - bet->seen);
  double mean = (double)(bet->allowed - bet->sum) / left;
  double total = 0;
  bet->seen++;
  bet->sum += x;
  if (mean < -1) {
    return true; /* Even if all samples left were gains. */
  }
  double highest = LARGEST_LOSS / (1 + mean);
  for (int i = 0; i < LPOT_RACE_NUM_BETS; i++) {
    double size = bets[i] * (1 + mean) < LARGEST_LOSS ? bets[i] : highest;
    double capital = bet->capital[i] * (1 + size * ((double)x - mean));
    bet->capital[i] = capital > 1e-200 ? capital : 0;
    total += bet->capital[i];
  }
  return total >= bet->limit * LPOT_RACE_NUM_BETS;
}

void lpot_race_init(lpot_race *race) {
  *race = (lpot_race){0};
  for (int i = 0; i < LPOT_RACE_NUM_BETS; i++) {
    race->capital[i] = 1;
  }
}

static int loss_at(const uint8_t *baseline, const uint8_t *correct, int64_t index) {
  return (int)lpot_bit_get(baseline, (size_t)index) - (int)lpot_bit_get(correct, (size_t)index);
}

void lpot_race_add(lpot_race *race, const lpot_race_terms *terms, const uint8_t *baseline,
                   const uint8_t *correct, int64_t first, int64_t count) {
  lpot_bet bet = {.samples = terms->samples,
                  .allowed = terms->baseline_correct - terms->needed,
                  .seen = race->samples,
                  .sum = race->lost - race->gained,
                  .capital = race->capital,
                  .limit = 1 / LPOT_RACE_ERROR_RATE};
  for (int64_t i = first; i < first + count && race->samples < terms->samples; i++) {
    int x = loss_at(baseline, correct, i);
    bool refuted = take(&bet, x);
    race->rejected = race->rejected || refuted;
    race->samples++;
    race->correct += lpot_bit_get(correct, (size_t)i) ? 1 : 0;
    race->lost += x > 0 ? 1 : 0;
    race->gained += x < 0 ? 1 : 0;
  }
}

bool lpot_race_is_lost(const lpot_race *race, const lpot_race_terms *terms) {
  int64_t left = terms->samples - race->samples;
  return race->rejected || race->correct + left < terms->needed;
}

double lpot_race_estimate(const lpot_race *race, const lpot_race_terms *terms) {
  double loss = (double)(race->lost - race->gained) / (double)race->samples;
  double estimate = (double)terms->baseline_correct / (double)terms->samples - loss;
  double lowest = (double)race->correct / (double)terms->samples;
  double highest = lowest + (double)(terms->samples - race->samples) / (double)terms->samples;
  estimate = estimate > lowest ? estimate : lowest;
  return estimate < highest ? estimate : highest;
}

/* True when the bits refute that the sum of sign * x is at most allowed. */
static bool is_refuted(const lpot_race_terms *terms, const uint8_t *baseline,
                       const uint8_t *correct, int64_t samples, int sign, int64_t allowed) {
  double capital[LPOT_RACE_NUM_BETS];
  for (int i = 0; i < LPOT_RACE_NUM_BETS; i++) {
    capital[i] = 1;
  }
  lpot_bet bet = {.samples = terms->samples,
                  .allowed = allowed,
                  .capital = capital,
                  .limit = 1 / INTERVAL_RATE};
  for (int64_t i = 0; i < samples; i++) {
    if (take(&bet, sign * loss_at(baseline, correct, i))) {
      return true;
    }
  }
  return false;
}

/* The smallest sum of sign * x over the whole set that the bits do not refute. */
static int64_t smallest_sum(const lpot_race_terms *terms, const uint8_t *baseline,
                            const uint8_t *correct, int64_t samples, int sign) {
  int64_t sum = 0;
  for (int64_t i = 0; i < samples; i++) {
    sum += sign * loss_at(baseline, correct, i);
  }
  int64_t low = sum - (terms->samples - samples); /* possible at most */
  int64_t high = sum + (terms->samples - samples);
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (is_refuted(terms, baseline, correct, samples, sign, middle)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

lpot_interval lpot_race_interval(const lpot_race_terms *terms, const uint8_t *baseline,
                                 const uint8_t *correct, int64_t samples) {
  double total = (double)terms->samples;
  int64_t least_loss = smallest_sum(terms, baseline, correct, samples, 1);
  int64_t least_gain = smallest_sum(terms, baseline, correct, samples, -1);
  return (lpot_interval){.low = (double)(terms->baseline_correct + least_gain) / total,
                         .high = (double)(terms->baseline_correct - least_loss) / total};
}
