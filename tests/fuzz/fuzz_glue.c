/* Fuzz target: bytes as a file of a task of GLUE; the first byte chooses the task. */
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "data/glue_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const names[] = {"cola", "mnli", "mrpc", "qqp", "sst-2", "sts-b"};
  const size_t num_names = sizeof names / sizeof names[0];
  const lpot_glue_task *task = NULL;
  lpot_glue_row *rows = NULL;
  size_t count = 0;
  size_t skipped = 0;
  lpot_error err = {0};
  lpot_yaml *yaml = NULL;
  const char *name = names[size == 0 ? 0 : data[0] % num_names];
  if (lpot_yaml_parse("task", name, strlen(name), &yaml, &err) != LPOT_OK) {
    return 0;
  }
  if (lpot_glue_task_read(lpot_yaml_root(yaml), &task, &err) == LPOT_OK && size > 0 &&
      lpot_glue_file_read(task, (const char *)data + 1, size - 1, &rows, &count, &skipped, &err) ==
          LPOT_OK) {
    lpot_free(rows);
  }
  lpot_yaml_free(yaml);
  return 0;
}
