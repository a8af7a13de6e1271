/* Fuzz target: bytes as a journal; then as records without their checksums, because no fuzzer finds
 * those: type (1 byte), length (2 bytes, little endian), payload, and so on. */
#include <stddef.h>
#include <stdint.h>

#include "base/reader.h"
#include "tune/ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static lpot_status apply_next(lpot_ledger *ledger, lpot_reader *reader, lpot_error *err) {
  uint8_t type = 0;
  uint16_t length = 0;
  const uint8_t *payload = NULL;
  LPOT_TRY(lpot_reader_u8(reader, &type, err));
  LPOT_TRY(lpot_reader_u16(reader, &length, err));
  LPOT_TRY(lpot_reader_bytes(reader, length, &payload, err));
  LPOT_TRY(lpot_ledger_apply(ledger, type, payload, length, err));
  return LPOT_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lpot_ledger ledger;
  lpot_error error = {0};
  size_t valid = 0;
  lpot_ledger_init(&ledger);
  (void)!lpot_journal_scan(data, size, lpot_ledger_apply, &ledger, &valid, &error);
  lpot_ledger_done(&ledger);
  lpot_ledger_init(&ledger);
  lpot_reader reader;
  lpot_reader_init(&reader, data, size);
  while (apply_next(&ledger, &reader, &error) == LPOT_OK) {
  }
  lpot_ledger_done(&ledger);
  return 0;
}
