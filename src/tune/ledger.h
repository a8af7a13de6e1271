/* The ledger: all that is known of a run, in memory. It is exactly what the journal's records
 * say: a new fact is first appended to the journal and then applied here by the same function that
 * reads it back on resume. History, report and export are derived from the ledger alone.
 *
 * Records of the journal (payloads by base/writer.h; layout in src/tune/README.md):
 * HEADER       first: what the run is about; two runs share a journal only if it is equal
 * SESSION      one for each start of the program: its ranks
 * BASELINE     accuracy of the f32 model
 * CALIBRATION  ranges that were seen in so many samples
 * RESULT       evaluation of one recipe, durable when it arrives
 * COMMIT       a result becomes the trial with the next id
 * MEASURE      latency and size of a trial
 * VERDICT      how the search ended
 * MISHAP       an evaluator that died or hung, a worker that was lost or came back
 * FOOTPRINT    the memory that f32, or a trial, needs while it runs
 * OP_TIMES     what the ops cost in each precision, at most once
 * SENSE        how much a recipe changes the outputs, durable when it arrives
 * HOLDOUT      f32, or a recipe that was chosen, on the part held out
 * Not collective. */
#ifndef LPOT_TUNE_LEDGER_H
#define LPOT_TUNE_LEDGER_H

#include <lpot/verdict.h>

#include "base/checksum.h"
#include "base/hash_map.h"
#include "data/metric.h"
#include "quant/recipe.h"
#include "strategy/strategy.h"
#include "tune/holdout.h"
#include "tune/journal.h"
#include "tune/protocol.h"

#define LPOT_JOURNAL_FORMAT 5
#define LPOT_NO_TRIAL 0 /* trial ids start at 1 */

typedef enum lpot_record_type {
  LPOT_RECORD_HEADER = 1,
  LPOT_RECORD_SESSION,
  LPOT_RECORD_BASELINE,
  LPOT_RECORD_CALIBRATION,
  LPOT_RECORD_RESULT,
  LPOT_RECORD_COMMIT,
  LPOT_RECORD_MEASURE,
  LPOT_RECORD_VERDICT,
  LPOT_RECORD_MISHAP,
  LPOT_RECORD_WEIGHTS,
  LPOT_RECORD_OP_TIMES,
  LPOT_RECORD_SENSE,
  LPOT_RECORD_FOOTPRINT,
  LPOT_RECORD_HOLDOUT,
  LPOT_NUM_RECORDS
} lpot_record_type;

/* X(NAME, text): how a trial ended.
 * DONE     evaluated on the whole set
 * INVALID  its graph cannot be made or run, or its predictions are NaN or infinite
 * CRASHED  its evaluator died, twice
 * PRUNED   stopped early: it was clear that it would miss the criterion (race.h)
 * TIMEOUT  its evaluators did not answer in time, twice
 * LOST     its workers were lost */
#define LPOT_TRIAL_STATUS_LIST(X)                                                                  \
  X(DONE, "DONE")                                                                                  \
  X(INVALID, "INVALID")                                                                            \
  X(CRASHED, "CRASHED")                                                                            \
  X(PRUNED, "PRUNED")                                                                              \
  X(TIMEOUT, "TIMEOUT")                                                                            \
  X(LOST, "LOST")

typedef enum lpot_trial_status {
#define X(name, text) LPOT_TRIAL_##name,
  LPOT_TRIAL_STATUS_LIST(X)
#undef X
      LPOT_NUM_TRIAL_STATUSES
} lpot_trial_status;

/* X(NAME, text): what went wrong with a worker. */
#define LPOT_MISHAP_LIST(X)                                                                        \
  X(CRASH, "CRASH")                                                                                \
  X(TIMEOUT, "TIMEOUT")                                                                            \
  X(LOSS, "LOSS")                                                                                  \
  X(RETURN, "RETURN")

typedef enum lpot_mishap {
#define X(name, text) LPOT_MISHAP_##name,
  LPOT_MISHAP_LIST(X)
#undef X
      LPOT_NUM_MISHAPS
} lpot_mishap;

const char *lpot_mishap_text(lpot_mishap mishap);

const char *lpot_trial_status_text(lpot_trial_status status);

const char *lpot_verdict_text(lpot_verdict verdict);

typedef struct lpot_ledger_header {
  char *program_version;
  char *engine;        /* name and version */
  char *numeric_class; /* of the first worker */
  char *model_path;    /* as given, absolute where possible */
  char *config_name;   /* the configuration's path, for messages */
  char *folder;        /* where the run was started: relative paths of data start there */
  char *config_text;   /* effective configuration, defaults filled in */
  char *identity;      /* what must be equal on resume */
  lpot_digest model;
  lpot_digest manifest; /* of the data */
  uint64_t seed;
  uint64_t given_recipe; /* hash of the recipe of --recipe; 0 for a search */
  bool higher_is_better;
  size_t num_ops;
  char **op_names; /* [num_ops] */
  char **op_types; /* [num_ops] */
} lpot_ledger_header;

typedef struct lpot_ledger_rank {
  int rank;
  char host[LPOT_HOST_SIZE];
  char numeric_class[LPOT_CLASS_SIZE];
} lpot_ledger_rank;

typedef struct lpot_ledger_session {
  double start; /* seconds since 1970 */
  size_t num_ranks;
  lpot_ledger_rank *ranks; /* [num_ranks]: those that work */
  int64_t max_trials;      /* of this start, as timeout_seconds; 0: not told, as in the header */
  double timeout_seconds;  /* 0: none */
} lpot_ledger_session;

typedef struct lpot_ledger_baseline {
  double accuracy;
  lpot_metric_state state;
  double seconds;
  size_t num_bits;  /* of the samples; 0 where the metric does not tell right from wrong */
  uint8_t *correct; /* [lpot_bits_size(num_bits)], in evaluation order; owned by the ledger */
} lpot_ledger_baseline;

typedef struct lpot_ledger_range {
  char *value; /* name of the graph's value */
  float minimum, maximum;
  uint64_t total; /* numbers seen */
  uint64_t bad;   /* of them NaN or infinite */
} lpot_ledger_range;

typedef struct lpot_ledger_calibration {
  lpot_calibration_key key;
  uint64_t hash; /* of the statistics' bytes */
  size_t num_ranges;
  lpot_ledger_range *ranges; /* [num_ranges] */
} lpot_ledger_calibration;

/* The evaluation of one recipe; a trial only once it is committed. A recipe may have two: one that
 * is PRUNED, and one that is not. */
typedef struct lpot_ledger_result {
  uint64_t recipe_hash;
  lpot_recipe *recipe; /* owned */
  lpot_trial_status status;
  double accuracy; /* of DONE; the estimate for PRUNED; else NaN */
  lpot_interval
      interval;     /* 95 % of the accuracy on the whole set: both equal to it unless PRUNED */
  uint64_t samples; /* that were used */
  double seconds;
  int rank;
  char host[LPOT_HOST_SIZE];
  char cause[LPOT_CAUSE_SIZE]; /* why it is not DONE */
  size_t num_bits;             /* samples, or 0 where the metric does not tell right from wrong */
  uint8_t *correct; /* [lpot_bits_size(num_bits)], in evaluation order; owned by the ledger */
  bool committed;
  size_t trial; /* index of the trial that it became, when committed */
} lpot_ledger_result;

typedef struct lpot_ledger_trial {
  uint64_t id; /* 1, 2, 3 ... in the order of demands */
  lpot_stage stage;
  size_t result; /* index of its result */
  bool meets;
  double relative_loss;
  double elapsed; /* seconds of search, resumed runs added up */
  bool measured;
  lpot_latency latency;     /* its rounds are owned by the ledger */
  lpot_footprint footprint; /* bytes 0: not measured */
  uint64_t size_bytes;      /* of the model as it would be exported; 0 unless DONE */
  uint64_t reorders;        /* borders between int8 and float (quant/reorders.h); 0 unless DONE */
} lpot_ledger_trial;

typedef struct lpot_ledger_mishap {
  double time; /* seconds since 1970 */
  lpot_mishap kind;
  int rank;
  char host[LPOT_HOST_SIZE];
  uint64_t recipe_hash; /* that was evaluated; 0: f32, or something else was done */
  char cause[LPOT_CAUSE_SIZE];
} lpot_ledger_mishap;

/* How much a recipe changes the network's outputs (sense.h). No trial. */
typedef struct lpot_ledger_sense {
  uint64_t recipe_hash;
  lpot_recipe *recipe; /* owned */
  bool valid;
  double error; /* relative, mean of squares; NaN unless valid */
  uint64_t samples;
  double seconds;
  int rank;
  char host[LPOT_HOST_SIZE];
  char cause[LPOT_CAUSE_SIZE]; /* why it is not valid */
} lpot_ledger_sense;

/* f32, or a recipe, on the part of the evaluation set that the search has not seen (holdout.h). */
typedef struct lpot_ledger_holdout {
  uint64_t recipe_hash; /* 0: f32 */
  lpot_trial_status status;
  double accuracy;      /* NaN unless DONE */
  double relative_loss; /* against f32 on this part; NaN where that is not known */
  bool meets;           /* the criterion, against f32 on this part */
  uint64_t samples;
  double seconds;
  int rank;
  char host[LPOT_HOST_SIZE];
  char cause[LPOT_CAUSE_SIZE]; /* why it is not DONE */
  size_t num_bits;             /* samples, or 0 where the metric does not tell right from wrong */
  uint8_t *correct;            /* [lpot_bits_size(num_bits)]; owned by the ledger */
} lpot_ledger_holdout;

typedef struct lpot_ledger {
  bool has_header;
  lpot_ledger_header header;
  size_t num_sessions;
  lpot_ledger_session *sessions;
  bool reduce_range; /* of the recipes' weights: decided at the first start */
  bool has_baseline;
  lpot_ledger_baseline baseline;
  lpot_footprint f32_footprint; /* bytes 0: not measured */
  uint64_t f32_bytes; /* of the f32 model; no record has it: set by who sees the model, else 0 */
  bool has_op_times;
  size_t op_times_trials; /* that were committed before */
  lpot_op_times op_times; /* its ops are owned, in the order of the header's */
  size_t num_calibrations;
  lpot_ledger_calibration *calibrations;
  size_t num_results;
  lpot_ledger_result *results;
  lpot_hash_map *result_index; /* places in results, by recipe and whether it is PRUNED, and in
                                  senses */
  size_t num_senses;
  lpot_ledger_sense *senses;
  size_t num_holdouts;
  lpot_ledger_holdout *holdouts; /* f32's, if there are any, is the first */
  size_t num_trials;
  lpot_ledger_trial *trials;
  size_t num_mishaps;
  lpot_ledger_mishap *mishaps;
  lpot_verdict verdict;
  uint64_t chosen; /* trial id of the verdict, LPOT_NO_TRIAL when there is none */
} lpot_ledger;

void lpot_ledger_init(lpot_ledger *ledger);
void lpot_ledger_done(lpot_ledger *ledger);

/* An lpot_journal_visitor; context is the ledger. LPOT_FORMAT when the record is malformed or does
 * not fit what came before. */
lpot_status lpot_ledger_apply(void *context, unsigned type, const uint8_t *payload, size_t size,
                              lpot_error *err);

/* Index of a recipe's result that is PRUNED, or of the one that is not; SIZE_MAX. */
size_t lpot_ledger_find_result(const lpot_ledger *ledger, uint64_t recipe_hash, bool pruned);
/* Index of what was sensed of a recipe; SIZE_MAX. */
size_t lpot_ledger_find_sense(const lpot_ledger *ledger, uint64_t recipe_hash);
/* What a recipe (0: f32) does on the part held out; NULL: not known. */
const lpot_ledger_holdout *lpot_ledger_find_holdout(const lpot_ledger *ledger,
                                                    uint64_t recipe_hash);
/* That of the chosen trial; NULL: not known. */
const lpot_ledger_holdout *lpot_ledger_chosen_holdout(const lpot_ledger *ledger);
/* What f32 and that get right of the part held out; false where either is not known. */
bool lpot_ledger_holdout_loss(const lpot_ledger *ledger, const lpot_ledger_holdout *holdout,
                              lpot_paired_loss *ret);
/* The trial's result, or where that is PRUNED and the recipe was evaluated on the whole set later,
 * that one. */
const lpot_ledger_result *lpot_ledger_final_of(const lpot_ledger *ledger,
                                               const lpot_ledger_trial *trial);
/* The relative loss of that one, also where the commit has an estimate. */
double lpot_ledger_final_loss(const lpot_ledger *ledger, const lpot_ledger_trial *trial);
/* Whether a trial is chosen and meets the criterion: also one that was cut short by mistake. */
bool lpot_ledger_chosen_meets(const lpot_ledger *ledger);
/* NULL when there is no such trial. */
const lpot_ledger_trial *lpot_ledger_find_trial(const lpot_ledger *ledger, uint64_t id);
const lpot_ledger_result *lpot_ledger_result_of(const lpot_ledger *ledger,
                                                const lpot_ledger_trial *trial);
/* The result of what is exported of a trial with bf16 ops (lpot_recipe_exported); NULL when it has
 * none, or was not evaluated. */
const lpot_ledger_result *lpot_ledger_exported_of(const lpot_ledger *ledger,
                                                  const lpot_ledger_trial *trial);
/* True when all workers of all sessions were of the header's numeric class: results are equal to
 * the last bit. */
bool lpot_ledger_is_uniform(const lpot_ledger *ledger);
/* Results that no trial asked for, nor the export of the chosen one. */
size_t lpot_ledger_num_speculative(const lpot_ledger *ledger);

/* ---- new facts: appended to the journal, then applied. What is marked durable is synced, with
 * everything appended before it; of results and commits several may share one lpot_journal_sync,
 * which is the caller's to do before anybody acts on a result. ---- */
LPOT_MUST_CHECK lpot_status lpot_ledger_add_header(lpot_ledger *ledger, lpot_journal *journal,
                                                   const lpot_ledger_header *header,
                                                   lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_ledger_add_weights(lpot_ledger *ledger, lpot_journal *journal,
                                                    bool reduce_range, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_ledger_add_session(lpot_ledger *ledger, lpot_journal *journal,
                                                    const lpot_ledger_session *session,
                                                    lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_ledger_add_baseline(lpot_ledger *ledger, lpot_journal *journal,
                                                     const lpot_ledger_baseline *baseline,
                                                     lpot_error *err); /* durable */
LPOT_MUST_CHECK lpot_status lpot_ledger_add_op_times(lpot_ledger *ledger, lpot_journal *journal,
                                                     const lpot_op_times *times,
                                                     lpot_error *err); /* durable */
LPOT_MUST_CHECK lpot_status lpot_ledger_add_calibration(lpot_ledger *ledger, lpot_journal *journal,
                                                        const lpot_ledger_calibration *calibration,
                                                        lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_ledger_add_result(lpot_ledger *ledger, lpot_journal *journal,
                                                   const lpot_ledger_result *result,
                                                   lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_ledger_add_sense(lpot_ledger *ledger, lpot_journal *journal,
                                                  const lpot_ledger_sense *sense, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_ledger_add_holdout(lpot_ledger *ledger, lpot_journal *journal,
                                                    const lpot_ledger_holdout *holdout,
                                                    lpot_error *err); /* durable */
/* Makes the result with this hash the next trial. */
LPOT_MUST_CHECK lpot_status lpot_ledger_add_commit(lpot_ledger *ledger, lpot_journal *journal,
                                                   const lpot_ledger_trial *trial, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_ledger_add_measure(lpot_ledger *ledger, lpot_journal *journal,
                                                    uint64_t id, const lpot_latency *latency,
                                                    lpot_error *err); /* durable */
/* id LPOT_NO_TRIAL: of f32. */
LPOT_MUST_CHECK lpot_status lpot_ledger_add_footprint(lpot_ledger *ledger, lpot_journal *journal,
                                                      uint64_t id, const lpot_footprint *footprint,
                                                      lpot_error *err); /* durable */
LPOT_MUST_CHECK lpot_status lpot_ledger_add_mishap(lpot_ledger *ledger, lpot_journal *journal,
                                                   const lpot_ledger_mishap *mishap,
                                                   lpot_error *err);
/* Workers of the last session that were lost and have not come back. */
size_t lpot_ledger_num_lost(const lpot_ledger *ledger);
LPOT_MUST_CHECK lpot_status lpot_ledger_add_verdict(lpot_ledger *ledger, lpot_journal *journal,
                                                    lpot_verdict verdict, uint64_t chosen,
                                                    lpot_error *err); /* durable */

#endif
