/* /holdout of history.h5. */
#include <math.h>
#include <stddef.h>

#include <hdf5.h>

#include "base/memory.h"
#include "base/text.h"
#include "tune/history_parts.h"
#include "tune/history_pieces.h"
#include "tune/holdout.h"

typedef struct holdout_row {
  uint64_t recipe_hash;
  uint8_t status;
  double accuracy, relative_loss;
  uint8_t meets;
  uint64_t samples, lost, gained;
  double right_loss, right_loss_low, right_loss_high;
  double seconds;
  int32_t rank;
  char host[LPOT_HOST_SIZE];
  char cause[LPOT_CAUSE_SIZE];
} holdout_row;

static const char *status_text(int value) {
  return lpot_trial_status_text((lpot_trial_status)value);
}

static void fill_row(const lpot_ledger *ledger, const lpot_ledger_holdout *holdout,
                     holdout_row *row) {
  const double unknown = (double)NAN;
  lpot_paired_loss loss = {.loss = unknown, .low = unknown, .high = unknown};
  (void)lpot_ledger_holdout_loss(ledger, holdout, &loss); /* else it stays unknown */
  *row = (holdout_row){.recipe_hash = holdout->recipe_hash,
                       .status = (uint8_t)holdout->status,
                       .accuracy = holdout->accuracy,
                       .relative_loss = holdout->relative_loss,
                       .meets = holdout->meets,
                       .samples = holdout->samples,
                       .lost = loss.lost,
                       .gained = loss.gained,
                       .right_loss = loss.loss,
                       .right_loss_low = loss.low,
                       .right_loss_high = loss.high,
                       .seconds = holdout->seconds,
                       .rank = holdout->rank};
  lpot_text_copy(row->host, sizeof row->host, holdout->host);
  lpot_text_copy(row->cause, sizeof row->cause, holdout->cause);
}

lpot_status lpot_history_put_holdout(int64_t file, const lpot_ledger *ledger, lpot_error *err) {
  static const lpot_hdf5_member members[] = {
      {"recipe_hash", offsetof(holdout_row, recipe_hash), 'u', 0, NULL},
      {"status", offsetof(holdout_row, status), 'e', LPOT_NUM_TRIAL_STATUSES, status_text},
      {"accuracy", offsetof(holdout_row, accuracy), 'd', 0, NULL},
      {"relative_loss", offsetof(holdout_row, relative_loss), 'd', 0, NULL},
      {"meets", offsetof(holdout_row, meets), 'b', 0, NULL},
      {"samples", offsetof(holdout_row, samples), 'u', 0, NULL},
      {"lost", offsetof(holdout_row, lost), 'u', 0, NULL},
      {"gained", offsetof(holdout_row, gained), 'u', 0, NULL},
      {"right_loss", offsetof(holdout_row, right_loss), 'd', 0, NULL},
      {"right_loss_low", offsetof(holdout_row, right_loss_low), 'd', 0, NULL},
      {"right_loss_high", offsetof(holdout_row, right_loss_high), 'd', 0, NULL},
      {"seconds", offsetof(holdout_row, seconds), 'd', 0, NULL},
      {"rank", offsetof(holdout_row, rank), 'r', 0, NULL},
      {"host", offsetof(holdout_row, host), 's', LPOT_HOST_SIZE, NULL},
      {"cause", offsetof(holdout_row, cause), 's', LPOT_CAUSE_SIZE, NULL},
  };
  if (ledger->num_holdouts == 0) {
    return LPOT_OK;
  }
  holdout_row *rows = lpot_calloc(ledger->num_holdouts, sizeof *rows);
  if (rows == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < ledger->num_holdouts; i++) {
    fill_row(ledger, &ledger->holdouts[i], &rows[i]);
  }
  lpot_status status =
      lpot_hdf5_put_table(file, "holdout", members, sizeof members / sizeof members[0],
                          sizeof *rows, rows, ledger->num_holdouts, err);
  lpot_free(rows);
  return status;
}
