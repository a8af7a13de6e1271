/* Any line of a user's program: it is refused, or its keys can be read. */
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const keys[] = {"recipe", "sampling", "corrections", "stop", NULL};
  lpot_json *json = NULL;
  lpot_error error = {0};
  if (lpot_json_parse((const char *)data, size, &json, &error) != LPOT_OK) {
    LPOT_ASSERT(error.status == LPOT_FORMAT && error.message[0] != '\0');
    return 0;
  }
  int64_t numbers[3] = {0};
  bool flag = false;
  if (lpot_json_check_keys(json, keys, &error) == LPOT_OK) {
    (void)!lpot_json_get_ints(json, "recipe", 3, numbers, &error);
    (void)!lpot_json_get_int(json, "sampling", numbers, &error);
    (void)!lpot_json_get_int(json, "corrections", numbers, &error);
    (void)!lpot_json_get_bool(json, "stop", &flag, &error);
  }
  lpot_json_free(json);
  return 0;
}
