/* What a run tells its user at the end. Not collective. */
#ifndef LPOT_TUNE_REPORT_H
#define LPOT_TUNE_REPORT_H

#include <stdio.h>

#include "base/json.h"
#include "tune/ledger.h"

/* The table of trials, the verdict, and where the files are. */
void lpot_report_print(const lpot_ledger *ledger, const char *workspace, FILE *out);
/* The result as one JSON object on one line: verdict, exit_code, baseline_accuracy, accuracy,
 * relative_loss, trials, latency_ms, baseline_latency_ms, speedup, speedup_low, speedup_high,
 * latency_trusted, latency_reason, footprint_bytes,
 * baseline_footprint_bytes, pareto, recipe_hash, model, history. */
LPOT_MUST_CHECK lpot_status lpot_report_json(const lpot_ledger *ledger, const char *workspace,
                                             int exit_code, FILE *out, lpot_error *err);
/* Sets pareto: a list of the front's members, each with trial, accuracy, latency_ms, speedup,
 * speedup_low, speedup_high, latency_trusted, latency_reason, size_bytes, footprint_bytes,
 * meets. */
LPOT_MUST_CHECK lpot_status lpot_report_pareto(lpot_json *json, const lpot_ledger *ledger,
                                               lpot_error *err);
/* 0 when the criterion is met, 5 when it is not, 6 when the run has no verdict yet. */
int lpot_report_exit_code(const lpot_ledger *ledger);

/* Makes sure that what was printed has arrived: an error, and 1 in place of exit code 0, where
 * standard output could not be written. */
int lpot_report_flush(int exit_code);

#endif
