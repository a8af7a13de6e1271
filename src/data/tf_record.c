#include "data/tf_record.h"

#define LENGTH_BYTES 8
#define MASK 0xa282ead8u

/* CRC-32C by half bytes: the remainder of i << 28, reflected. */
static const uint32_t remainders[16] = {
    0x00000000u, 0x105ec76fu, 0x20bd8edeu, 0x30e349b1u, 0x417b1dbcu, 0x5125dad3u,
    0x61c69362u, 0x7198540du, 0x82f63b78u, 0x92a8fc17u, 0xa24bb5a6u, 0xb21572c9u,
    0xc38d26c4u, 0xd3d3e1abu, 0xe330a81au, 0xf36e6f75u,
};

uint32_t lpot_tf_record_checksum(const uint8_t *data, size_t size) {
  uint32_t sum = 0xffffffffu;
  for (size_t i = 0; i < size; i++) {
    sum ^= data[i];
    sum = sum >> 4 ^ remainders[sum & 15u];
    sum = sum >> 4 ^ remainders[sum & 15u];
  }
  sum = ~sum;
  return (sum >> 15 | sum << 17) + MASK;
}

/* The record at *reader, which is moved only on success. */
static lpot_status read_record(lpot_reader *reader, size_t *ret_offset, size_t *ret_size,
                               lpot_error *err) {
  lpot_reader ahead = *reader;
  const uint8_t *length_bytes = NULL;
  const uint8_t *data = NULL;
  uint64_t length = 0;
  uint32_t checksum = 0;
  LPOT_TRY(lpot_reader_bytes(&ahead, LENGTH_BYTES, &length_bytes, err));
  LPOT_TRY(lpot_reader_u32(&ahead, &checksum, err));
  if (checksum != lpot_tf_record_checksum(length_bytes, LENGTH_BYTES)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the checksum of the record's length is wrong");
  }
  LPOT_TRY(lpot_reader_u64(reader, &length, err));
  if (length > LPOT_TF_RECORD_MAX_BYTES || length + 4 > lpot_reader_remaining(&ahead)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "a record of %llu bytes, but %zu remain",
                     (unsigned long long)length, lpot_reader_remaining(&ahead));
  }
  *ret_offset = ahead.position;
  *ret_size = (size_t)length;
  LPOT_TRY(lpot_reader_bytes(&ahead, (size_t)length + 4, &data, err));
  *reader = ahead;
  return LPOT_OK;
}

lpot_status lpot_tf_record_next(lpot_reader *reader, size_t *ret_offset, size_t *ret_size,
                                lpot_error *err) {
  size_t start = reader->position;
  lpot_status status = read_record(reader, ret_offset, ret_size, err);
  if (status != LPOT_OK) {
    reader->position = start;
    lpot_error_prefix(err, "offset %zu", start);
  }
  return status;
}

lpot_status lpot_tf_record_check(const uint8_t *file, size_t offset, size_t size, lpot_error *err) {
  lpot_reader reader;
  uint32_t checksum = 0;
  lpot_reader_init(&reader, file + offset + size, 4);
  LPOT_TRY(lpot_reader_u32(&reader, &checksum, err));
  if (checksum != lpot_tf_record_checksum(file + offset, size)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the checksum of the data is wrong");
  }
  return LPOT_OK;
}
