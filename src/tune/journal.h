/* The journal: the durable record of a run. Append-only, one write(2) per record, checksummed.
 *
 * journal = { record }
 * record  = magic "LPJR" (u32) type (u16) version (u16) length (u32) durable (u64) checksum (u64)
 *           payload
 *
 * Integers are little endian. `durable` is how many bytes of the journal were known to be on disk
 * when the record was written. Every sync is followed by a mark, a record of type 0 without a
 * payload, which says so of all that is before it. The checksum is XXH3 of the record without the
 * checksum, seeded by the record's offset, so that a record is only valid where it was written.
 *
 * A reader takes the longest valid prefix. A power cut may leave behind it whatever was written
 * since the last sync: a part, or later pages without earlier ones. So what follows the prefix is
 * - damage, LPOT_FORMAT, where any valid record says that it was durable further than the prefix
 *   goes: every damaged byte before the last intact mark is found;
 * - else a tail that nobody was told of, dropped when the file is opened for writing.
 * Damage that takes the end of the journal, from a record on to the last one with its mark, cannot
 * be told from a file that ends there. Between a sync and its mark (a process that died there, or a
 * power cut before the mark was on disk) this holds for the records of that one sync.
 *
 * The open file is locked, so that two coordinators never share one. Not collective. */
#ifndef LPOT_TUNE_JOURNAL_H
#define LPOT_TUNE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define LPOT_JOURNAL_NAME "trials.journal"   /* of the file in a workspace */
#define LPOT_JOURNAL_RECORD_HEAD 28u         /* bytes before the payload */
#define LPOT_JOURNAL_MAX_PAYLOAD (64u << 20) /* bytes of one payload */

typedef struct lpot_journal lpot_journal;

/* Called for each valid record in order; the payload is borrowed for the call. */
typedef lpot_status (*lpot_journal_visitor)(void *context, unsigned type, const uint8_t *payload,
                                            size_t size, lpot_error *err);

/* Shows the records of data, but no marks, to visit; *ret_valid is the length of the valid prefix.
 * LPOT_FORMAT on damage before the tail, LPOT_UNSUPPORTED when it is a journal of another version;
 * whatever visit returns. */
LPOT_MUST_CHECK lpot_status lpot_journal_scan(const uint8_t *data, size_t size,
                                              lpot_journal_visitor visit, void *context,
                                              size_t *ret_valid, lpot_error *err);
/* Scans the file at path without changing or locking it. LPOT_NOT_FOUND when there is none, LPOT_IO
 * when it is damaged or of another version. */
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
 * tail that is not whole is cut off; damage before it, or another version, is LPOT_IO. LPOT_INVALID
 * when another process holds the lock. */
LPOT_MUST_CHECK lpot_status lpot_journal_open(const char *path, bool resume,
                                              lpot_journal_visitor visit, void *context,
                                              lpot_journal **ret_journal, lpot_error *err);
void lpot_journal_close(lpot_journal *journal); /* NULL is allowed */
/* Bytes of the tail that opening cut off. */
size_t lpot_journal_num_dropped(const lpot_journal *journal);

/* Writes one record of a type from 1 on. It is durable only after lpot_journal_sync. On failure the
 * file is cut back to what it was. */
LPOT_MUST_CHECK lpot_status lpot_journal_append(lpot_journal *journal, unsigned type,
                                                const void *payload, size_t size, lpot_error *err);
/* Makes durable what was appended, and marks it; costs nothing when nothing was. */
LPOT_MUST_CHECK lpot_status lpot_journal_sync(lpot_journal *journal, lpot_error *err);

#endif
