/* A folder for the files of one test program, removed with what is in it. */
#ifndef LPOT_TESTS_FORMATS_TEMP_FOLDER_H
#define LPOT_TESTS_FORMATS_TEMP_FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PATH_SIZE 512

typedef struct temp_folder {
  char path[PATH_SIZE / 2];
} temp_folder;

static inline void temp_folder_make(temp_folder *folder) {
  const char *base = getenv("TMPDIR");
  int length = snprintf(folder->path, sizeof folder->path, "%s/lpot-test-XXXXXX",
                        base == NULL ? "/tmp" : base);
  assert_true(length > 0 && (size_t)length < sizeof folder->path);
  assert_non_null(mkdtemp(folder->path));
}

static inline const char *temp_path(const temp_folder *folder, const char *name,
                                    char out[PATH_SIZE]) {
  int length = snprintf(out, PATH_SIZE, "%s/%s", folder->path, name);
  assert_true(length > 0 && length < PATH_SIZE);
  return out;
}

static inline void temp_folder_remove(const temp_folder *folder) {
  DIR *stream = opendir(folder->path);
  struct dirent *entry;
  while (stream != NULL && (entry = readdir(stream)) != NULL) {
    char path[PATH_SIZE];
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
      (void)remove(temp_path(folder, entry->d_name, path));
    }
  }
  if (stream != NULL) {
    (void)closedir(stream);
  }
  (void)rmdir(folder->path);
}

/* A group's fixture: *state is a folder. */
static inline int temp_folder_set_up(void **state) {
  static temp_folder folder;
  temp_folder_make(&folder);
  *state = &folder;
  return 0;
}

static inline int temp_folder_tear_down(void **state) {
  temp_folder_remove(*state);
  return 0;
}

static inline void temp_write(const temp_folder *folder, const char *name, const void *data,
                              size_t size) {
  char path[PATH_SIZE];
  FILE *stream = fopen(temp_path(folder, name, path), "wb");
  assert_non_null(stream);
  assert_int_equal(size == 0 ? 0 : fwrite(data, 1, size, stream), size);
  assert_int_equal(fclose(stream), 0);
}

/* -1 when there is no such file. */
static inline long temp_size(const temp_folder *folder, const char *name) {
  char path[PATH_SIZE];
  struct stat info;
  return stat(temp_path(folder, name, path), &info) == 0 ? (long)info.st_size : -1;
}

#endif
