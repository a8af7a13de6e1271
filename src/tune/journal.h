/* The journal: the durable record of a run. Append-only, one write(2) per record, checksummed.
 *
 * journal = { record }
 * record  = magic "LPJR" (u32) type (u16) version (u16) length (u32) checksum (u64) payload
 *
 * Integers are little endian. The checksum is XXH3 of the record without the checksum, seeded by
 * the record's offset, so that a record is only valid where it was written. A reader takes the
 * longest valid prefix. What follows it is a torn tail (dropped when the file is opened for
 * writing), unless a valid record comes after it: then the file was damaged and LPOT_FORMAT says
 * where. The open file is locked, so that two coordinators never share one. Not collective. */
#ifndef LPOT_TUNE_JOURNAL_H
#define LPOT_TUNE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define LPOT_JOURNAL_NAME "trials.journal"   /* of the file in a workspace */
#define LPOT_JOURNAL_RECORD_HEAD 20u         /* bytes before the payload */
#define LPOT_JOURNAL_MAX_PAYLOAD (64u << 20) /* bytes of one payload */

typedef struct lpot_journal lpot_journal;

/* Called for each valid record in order; the payload is borrowed for the call. */
typedef lpot_status (*lpot_journal_visitor)(void *context, unsigned type, const uint8_t *payload,
                                            size_t size, lpot_error *err);

/* Shows the records of data to visit; *ret_valid is the length of the valid prefix. LPOT_FORMAT on
 * damage before the tail; whatever visit returns. */
LPOT_MUST_CHECK lpot_status lpot_journal_scan(const uint8_t *data, size_t size,
                                              lpot_journal_visitor visit, void *context,
                                              size_t *ret_valid, lpot_error *err);
/* Scans the file at path without changing or locking it. LPOT_NOT_FOUND when there is none, LPOT_IO
 * when it is damaged. */
LPOT_MUST_CHECK lpot_status lpot_journal_read(const char *path, lpot_journal_visitor visit,
                                              void *context, lpot_error *err);

/* Whether a process holds the journal's lock, that is, whether a job runs. The look itself takes
 * the lock for an instant, which opening waits for. LPOT_NOT_FOUND when there is no file. */
LPOT_MUST_CHECK lpot_status lpot_journal_in_use(const char *path, bool *ret_in_use,
                                                lpot_error *err);
/* Only holds the lock until lpot_journal_close: nothing is changed, nothing may be appended.
 * LPOT_NOT_FOUND when there is no file, LPOT_INVALID when another process holds the lock. */
LPOT_MUST_CHECK lpot_status lpot_journal_hold(const char *path, lpot_journal **ret_journal,
                                              lpot_error *err);

/* Opens the journal at path for appending and locks it. Without resume a journal that holds
 * anything is LPOT_INVALID and stays untouched; with resume its records are shown to visit and a
 * torn tail is cut off; damage before the tail is LPOT_IO. LPOT_INVALID when another process holds
 * the lock. */
LPOT_MUST_CHECK lpot_status lpot_journal_open(const char *path, bool resume,
                                              lpot_journal_visitor visit, void *context,
                                              lpot_journal **ret_journal, lpot_error *err);
void lpot_journal_close(lpot_journal *journal); /* NULL is allowed */
/* Bytes of torn tail that opening cut off. */
size_t lpot_journal_num_dropped(const lpot_journal *journal);

/* Writes one record. It is durable only after lpot_journal_sync. On failure the file is cut back
 * to what it was. */
LPOT_MUST_CHECK lpot_status lpot_journal_append(lpot_journal *journal, unsigned type,
                                                const void *payload, size_t size, lpot_error *err);
/* Makes durable what was appended; costs nothing when nothing was. */
LPOT_MUST_CHECK lpot_status lpot_journal_sync(lpot_journal *journal, lpot_error *err);

#endif
