/* Where the shared memory files of one node are open: a table in memory that the processes of one
 * program and user have in common, so that a file is found at once and not by looking through the
 * open files of all processes. It only gives hints: what it says is checked by who uses it, since a
 * process may have closed the file since, or be gone. For base/mapping_shared.c.
 *
 * A bucket holds the places of the keys that fall into it; several processes may have told of one
 * key. Where it is full an older place is forgotten: the file is then made once more. */
#ifndef LPOT_BASE_MAPPING_INDEX_H
#define LPOT_BASE_MAPPING_INDEX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LPOT_MAPPING_INDEX_BUCKETS 4096
#define LPOT_MAPPING_INDEX_PLACES 16 /* of a bucket */

/* Lies in memory that others write to. All zeros: empty. */
typedef struct lpot_mapping_place {
  _Atomic uint64_t key;
  _Atomic uint64_t process_and_file;
} lpot_mapping_place;

typedef struct lpot_mapping_index {
  lpot_mapping_place places[LPOT_MAPPING_INDEX_BUCKETS][LPOT_MAPPING_INDEX_PLACES];
} lpot_mapping_index;

/* Tells that the process has the file of key != 0 open under a number. */
void lpot_mapping_index_put(lpot_mapping_index *index, uint64_t key, pid_t process, int file);
/* The processes that have told of key, and their numbers, at most LPOT_MAPPING_INDEX_PLACES; how
 * many they are. */
size_t lpot_mapping_index_find(const lpot_mapping_index *index, uint64_t key,
                               pid_t processes[LPOT_MAPPING_INDEX_PLACES],
                               int files[LPOT_MAPPING_INDEX_PLACES]);

#endif
