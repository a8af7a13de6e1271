/* Fuzz target: one message between coordinator and worker, and its payload by kind. */
#include <stddef.h>
#include <stdint.h>

#include "tune/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_calibration(lpot_reader *reader) {
  lpot_calibration_key key;
  lpot_calibration *calibration = NULL;
  if (lpot_calibration_message_read(reader, &key, &calibration, NULL) == LPOT_OK) {
    lpot_calibration_free(calibration);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lpot_message message;
  lpot_error error = {0};
  if (lpot_message_parse(data, size, &message, &error) != LPOT_OK) {
    return 0;
  }
  lpot_reader reader;
  lpot_hello hello;
  lpot_start_order start;
  lpot_status failure = LPOT_OK;
  char cause[LPOT_CAUSE_SIZE];
  lpot_task task;
  lpot_outcome outcome;
  lpot_task_init(&task);
  lpot_outcome_init(&outcome);
  lpot_reader_init(&reader, message.payload, message.size);
  switch (message.kind) {
  case LPOT_MESSAGE_HELLO:
    (void)!lpot_hello_read(&reader, &hello, &error);
    break;
  case LPOT_MESSAGE_TASK:
    (void)!lpot_task_read(&reader, &task, &error);
    break;
  case LPOT_MESSAGE_OUTCOME:
    (void)!lpot_outcome_read(&reader, &outcome, &error);
    break;
  case LPOT_MESSAGE_CALIBRATION:
    read_calibration(&reader);
    break;
  case LPOT_MESSAGE_START:
    (void)!lpot_start_read(&reader, &start, &error);
    break;
  case LPOT_MESSAGE_FAILED:
    (void)!lpot_failure_read(&reader, &failure, cause, &error);
    break;
  default:
    break;
  }
  lpot_task_done(&task);
  lpot_outcome_done(&outcome);
  return 0;
}
