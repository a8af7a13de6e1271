/* history.h5: the ledger as an HDF5 file for people and programs. The journal is the durable copy;
 * this file is made from it, whole, by a temporary file, fsync and rename, so that it can be read
 * at every moment. The layout is in README.md beside this file. Not collective. */
#ifndef LPOT_TUNE_HISTORY_H
#define LPOT_TUNE_HISTORY_H

#include "tune/ledger.h"

/* LPOT_IO: the old file is untouched. */
LPOT_MUST_CHECK lpot_status lpot_history_write(const lpot_ledger *ledger, const char *path,
                                               lpot_error *err);

#endif
