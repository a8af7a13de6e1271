#include "data/path_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"

void lpot_path_list_done(lpot_path_list *list) {
  lpot_arena_free(list->arena);
  lpot_free(list->paths);
  *list = (lpot_path_list){0};
}

static lpot_status make_room(lpot_path_list *list, lpot_error *err) {
  if (list->arena == NULL) {
    LPOT_TRY(lpot_arena_new(&list->arena, err));
  }
  if (list->count < list->capacity) {
    return LPOT_OK;
  }
  size_t capacity = list->capacity == 0 ? 16 : list->capacity * 2;
  char **paths = lpot_realloc(list->paths, capacity, sizeof(*paths));
  if (paths == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  list->paths = paths;
  list->capacity = capacity;
  return LPOT_OK;
}

lpot_status lpot_path_list_add(lpot_path_list *list, const char *folder, const char *name,
                               lpot_error *err) {
  LPOT_TRY(make_room(list, err));
  bool alone = folder == NULL || folder[0] == '\0' || name[0] == '/';
  char *path = alone ? lpot_arena_strdup(list->arena, name)
                     : lpot_arena_printf(list->arena, "%s/%s", folder, name);
  if (path == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  list->paths[list->count] = path;
  list->count++;
  return LPOT_OK;
}

const char *lpot_path_list_last(const lpot_path_list *list) {
  return list->paths[list->count - 1];
}

static int compare_paths(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static lpot_status add_entries(lpot_path_list *list, DIR *stream, const char *folder,
                               lpot_error *err) {
  for (;;) {
    errno = 0;
    struct dirent *entry = readdir(stream);
    if (entry == NULL) {
      break;
    }
    if (entry->d_name[0] != '.') {
      LPOT_TRY(lpot_path_list_add(list, folder, entry->d_name, err));
    }
  }
  if (errno != 0) {
    return LPOT_FAIL(err, LPOT_IO, "folder '%s' cannot be read: %s", folder, strerror(errno));
  }
  return LPOT_OK;
}

lpot_status lpot_path_list_add_folder(lpot_path_list *list, const char *folder, lpot_error *err) {
  DIR *stream = opendir(folder);
  if (stream == NULL) {
    return LPOT_FAIL(err, LPOT_NOT_FOUND, "folder '%s' cannot be opened: %s", folder,
                     strerror(errno));
  }
  size_t first = list->count;
  lpot_status status = add_entries(list, stream, folder, err);
  closedir(stream);
  LPOT_TRY(status);
  if (list->count > first) {
    qsort(list->paths + first, list->count - first, sizeof(*list->paths), compare_paths);
  }
  return LPOT_OK;
}

bool lpot_path_is_file(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

bool lpot_path_is_folder(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

const char *lpot_path_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash == NULL ? path : slash + 1;
}
