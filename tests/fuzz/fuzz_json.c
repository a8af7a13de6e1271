/* Fuzz target: bytes as JSON. Reading every value must agree with passing over all of them. */
#include <stdint.h>

#include "base/json_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static lpot_status read_plain(lpot_json_reader *reader, lpot_error *err) {
  const char *text = NULL;
  double number = 0;
  switch (lpot_json_reader_kind(reader)) {
  case LPOT_JSON_STRING:
    return lpot_json_reader_string(reader, &text, err);
  case LPOT_JSON_NUMBER:
    return lpot_json_reader_number(reader, &number, err);
  default:
    return lpot_json_reader_skip(reader, err);
  }
}

/* Walks through everything that is open. */
static lpot_status read_all(lpot_json_reader *reader, lpot_error *err) {
  do {
    lpot_json_kind kind = lpot_json_reader_kind(reader);
    if (kind == LPOT_JSON_OBJECT || kind == LPOT_JSON_ARRAY) {
      LPOT_TRY(lpot_json_reader_enter(reader, kind, err));
    } else {
      LPOT_TRY(read_plain(reader, err));
    }
    bool more = false;
    const char *key = NULL;
    while (reader->depth > 0 && !more) {
      LPOT_TRY(lpot_json_reader_next(reader, &key, &more, err));
    }
  } while (reader->depth > 0);
  return lpot_json_reader_end(reader, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lpot_json_reader reader;
  lpot_error err = {0};
  lpot_json_reader_init(&reader, data, size);
  lpot_status read = read_all(&reader, &err);
  lpot_json_reader_done(&reader);
  lpot_json_reader_init(&reader, data, size);
  lpot_status skipped = lpot_json_reader_skip(&reader, &err);
  /* What reads well can be skipped; skipping is not as strict about texts and numbers. */
  if (read == LPOT_OK && skipped != LPOT_OK) {
    __builtin_trap();
  }
  lpot_json_reader_done(&reader);
  return 0;
}
