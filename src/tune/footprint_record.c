#include "tune/footprint_record.h"

#include "base/writer.h"

lpot_status lpot_footprint_write(const lpot_footprint *footprint, lpot_buffer *out,
                                 lpot_error *err) {
  LPOT_TRY(lpot_writer_u64(out, footprint->bytes, err));
  LPOT_TRY(lpot_writer_u64(out, footprint->resident_bytes, err));
  return LPOT_OK;
}

lpot_status lpot_footprint_read(lpot_reader *reader, lpot_footprint *ret, lpot_error *err) {
  lpot_footprint footprint = {0};
  LPOT_TRY(lpot_reader_u64(reader, &footprint.bytes, err));
  LPOT_TRY(lpot_reader_u64(reader, &footprint.resident_bytes, err));
  if (footprint.bytes == 0 || footprint.bytes > LPOT_MAX_FOOTPRINT ||
      footprint.resident_bytes > LPOT_MAX_FOOTPRINT) {
    return LPOT_FAIL(err, LPOT_FORMAT, "footprint: %llu and %llu bytes, expected 1 to 2^50",
                     (unsigned long long)footprint.bytes,
                     (unsigned long long)footprint.resident_bytes);
  }
  *ret = footprint;
  return LPOT_OK;
}
