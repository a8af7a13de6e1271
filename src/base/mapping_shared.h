/* Bytes that the processes of one program and user on one node have in memory once.
 *
 *   1. Every process makes the bytes itself and hands them in.
 *   2. The first one copies them into a sealed memory file (memfd_create), which nobody can write
 * or shorten any more. It has no name in any file system and is gone with the last process that has
 * it open, however that one ends: there is nothing to remove.
 *   3. The others find it in a table that all of them have in common (base/mapping_index.h), by a
 * hash, and compare every byte with their own before they use it: nothing is believed. The table
 * is a memory file too; a process looks for it once, among the open files of those that run the
 * same program (/proc).
 *
 * Who is first is decided by an abstract socket address, which also goes with its process. Where
 * anything of this does not work (no /proc, another namespace, no memory, somebody holds the
 * address for too long), there is no mapping and the caller keeps its own bytes. */
#ifndef LPOT_BASE_MAPPING_SHARED_H
#define LPOT_BASE_MAPPING_SHARED_H

#include "base/mapping.h"
#include "base/mapping_index.h"

/* Of fewer bytes the open file costs more than they do. */
#define LPOT_MAPPING_SHARED_MIN_BYTES ((size_t)32 << 10)

/* A mapping of size bytes equal to those at data, shared with the processes that ask for the same
 * ones; NULL where that cannot be had. Holds one open file while it lives, and takes no more than
 * half of the files that the process may open. Waits for others for two seconds at most. */
lpot_mapping *lpot_mapping_share(const void *data, size_t size);
/* The table that its files are found by, which is one for the whole life of the process; NULL where
 * it cannot be had. */
lpot_mapping_index *lpot_mapping_shared_index(void);

#endif
