/* A growing list of file paths, and the few questions to the file system that datasets have. */
#ifndef LPOT_DATA_PATH_LIST_H
#define LPOT_DATA_PATH_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"

/* All zero is an empty list. */
typedef struct lpot_path_list {
  lpot_arena *arena; /* owned: holds the texts */
  char **paths;      /* [count] */
  size_t count;
  size_t capacity;
} lpot_path_list;

void lpot_path_list_done(lpot_path_list *list);
/* Appends a copy of folder/name, or of name where folder is NULL or name is absolute. */
LPOT_MUST_CHECK lpot_status lpot_path_list_add(lpot_path_list *list, const char *folder,
                                               const char *name, lpot_error *err);
/* The path added last. */
const char *lpot_path_list_last(const lpot_path_list *list);
/* Appends the entries of folder, sorted by bytes, as folder/name; those whose name begins with a
 * dot are left out. */
LPOT_MUST_CHECK lpot_status lpot_path_list_add_folder(lpot_path_list *list, const char *folder,
                                                      lpot_error *err);

bool lpot_path_is_file(const char *path);
bool lpot_path_is_folder(const char *path);
/* The part of path behind its last slash. */
const char *lpot_path_name(const char *path);

#endif
