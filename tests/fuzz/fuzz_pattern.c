/* Any text as an op_wise pattern: it is refused or compiled and matched, quickly. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "strategy/space_build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char text[400];
  size_t length = size < sizeof text ? size : sizeof text - 1;
  memcpy(text, data, length);
  text[length] = '\0';
  const lpot_wish wish = {.pattern = text};
  lpot_space_pattern *pattern = NULL;
  lpot_error error = {0};
  if (lpot_space_pattern_new(&wish, &pattern, &error) != LPOT_OK) {
    LPOT_ASSERT(error.status == LPOT_CONFIG && error.message[0] != '\0');
    return 0;
  }
  lpot_space_pattern_matches(pattern, "layer1.conv1/aaaaaaaaaaaaaaaa_(b)");
  lpot_space_pattern_free(pattern);
  return 0;
}
