/* Runs a fuzz target over files instead of random bytes: every file of the folders named on the
 * command line once. Linked in place of libFuzzer where the compiler has none, so that each build
 * replays the corpus. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mapping.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static lpot_status replay_file(const char *path, lpot_error *err) {
  lpot_mapping *mapping = NULL;
  LPOT_TRY(lpot_mapping_open(path, &mapping, err));
  (void)LLVMFuzzerTestOneInput(lpot_mapping_data(mapping), lpot_mapping_size(mapping));
  lpot_mapping_unref(mapping);
  return LPOT_OK;
}

static lpot_status replay_folder(const char *folder, int *count, lpot_error *err) {
  DIR *stream = opendir(folder);
  if (stream == NULL) {
    return LPOT_FAIL(err, LPOT_NOT_FOUND, "the folder '%s' cannot be read", folder);
  }
  lpot_status status = LPOT_OK;
  struct dirent *entry = readdir(stream);
  while (entry != NULL && status == LPOT_OK) {
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    if (entry->d_name[0] != '.' && length > 0 && length < (int)sizeof path) {
      status = replay_file(path, err);
      (*count)++;
    }
    entry = readdir(stream);
  }
  closedir(stream);
  return status;
}

int main(int argc, char **argv) {
  int count = 0;
  lpot_error error = {0};
  for (int i = 1; i < argc; i++) {
    if (replay_folder(argv[i], &count, &error) != LPOT_OK) {
      fprintf(stderr, "%s\n", error.message);
      return 1;
    }
  }
  printf("%d files replayed\n", count);
  return count > 0 ? 0 : 1;
}
