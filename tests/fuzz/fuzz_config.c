/* Any bytes as a configuration: it is read or refused, and what is read can be written and read
 * again to the same text. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "tune/config.h"

/* Aliases may make the written form larger than what the reader takes. */
#define MAX_TEXT_BYTES ((size_t)1 << 15)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static lpot_status read_config(const char *text, size_t size, lpot_config **ret_config,
                               lpot_error *err) {
  lpot_yaml *yaml = NULL;
  LPOT_TRY(lpot_yaml_parse("fuzz.yaml", text, size, &yaml, err));
  LPOT_TRY(lpot_config_new(&yaml, ret_config, NULL, err));
  return LPOT_OK;
}

static void check_round_trip(const lpot_buffer *first) {
  lpot_config *config = NULL;
  lpot_error error = {0};
  lpot_buffer second;
  lpot_buffer_init(&second);
  lpot_status status = read_config((const char *)first->data, first->size, &config, &error);
  LPOT_ASSERT(status == LPOT_OK);
  status = lpot_config_text(config, false, &second, &error);
  LPOT_ASSERT(status == LPOT_OK);
  LPOT_ASSERT(first->size == second.size && memcmp(first->data, second.data, first->size) == 0);
  lpot_buffer_done(&second);
  lpot_config_free(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lpot_config *config = NULL;
  lpot_error error = {0};
  if (read_config((const char *)data, size, &config, &error) != LPOT_OK) {
    LPOT_ASSERT(error.status != LPOT_OK && error.message[0] != '\0');
    return 0;
  }
  lpot_buffer text;
  lpot_buffer_init(&text);
  lpot_status status = lpot_config_text(config, false, &text, &error);
  LPOT_ASSERT(status == LPOT_OK);
  if (text.size <= MAX_TEXT_BYTES) {
    check_round_trip(&text);
  }
  lpot_buffer_done(&text);
  lpot_config_free(config);
  return 0;
}
