/* Tables of history.h5 that are no part of every run; file is a hid_t. Not collective. */
#ifndef LPOT_TUNE_HISTORY_PARTS_H
#define LPOT_TUNE_HISTORY_PARTS_H

#include "tune/ledger.h"

/* /sensitivity, where something was sensed that tells of a single op. */
LPOT_MUST_CHECK lpot_status lpot_history_put_sensitivity(int64_t file, const lpot_ledger *ledger,
                                                         lpot_error *err);
/* /holdout, where a part was held out. */
LPOT_MUST_CHECK lpot_status lpot_history_put_holdout(int64_t file, const lpot_ledger *ledger,
                                                     lpot_error *err);

#endif
