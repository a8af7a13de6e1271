/* Any bytes as a table of op times: it is read or refused, and what is read can be written and read
 * again to the same record. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "tune/op_times_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"conv1", "add"};
static const char *const types[] = {"Conv", "Add"};

static lpot_status read_table(const char *text, size_t size, lpot_op_times *ret, lpot_error *err) {
  lpot_yaml *yaml = NULL;
  LPOT_TRY(lpot_yaml_parse("fuzz.yaml", text, size, &yaml, err));
  lpot_status status = lpot_op_times_from_yaml(lpot_yaml_root(yaml), names, types, 2, ret, err);
  lpot_yaml_free(yaml);
  return status;
}

static void check_round_trip(const lpot_op_times *times, lpot_error *err) {
  lpot_op_times back;
  lpot_buffer text;
  lpot_buffer first;
  lpot_buffer second;
  lpot_buffer_init(&text);
  lpot_buffer_init(&first);
  lpot_buffer_init(&second);
  lpot_status status = lpot_op_times_to_text(times, names, types, &text, err);
  LPOT_ASSERT(status == LPOT_OK);
  status = read_table((const char *)text.data, text.size, &back, err);
  LPOT_ASSERT(status == LPOT_OK);
  status = lpot_op_times_write(times, &first, err);
  LPOT_ASSERT(status == LPOT_OK);
  status = lpot_op_times_write(&back, &second, err);
  LPOT_ASSERT(status == LPOT_OK);
  LPOT_ASSERT(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
  lpot_op_times_done(&back);
  lpot_buffer_done(&text);
  lpot_buffer_done(&first);
  lpot_buffer_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lpot_op_times times;
  lpot_error error = {0};
  if (read_table((const char *)data, size, &times, &error) != LPOT_OK) {
    LPOT_ASSERT(error.status != LPOT_OK && error.message[0] != '\0');
    return 0;
  }
  check_round_trip(&times, &error);
  lpot_op_times_done(&times);
  return 0;
}
