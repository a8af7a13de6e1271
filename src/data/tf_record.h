/* Files of TensorFlow's records, TFRecord:
 *   record = u64 length | u32 checksum of the length's 8 bytes | data | u32 checksum of the data
 * The checksum is CRC-32C (Castagnoli), masked: rotated right by 15 bits, plus 0xa282ead8. */
#ifndef LPOT_DATA_TF_RECORD_H
#define LPOT_DATA_TF_RECORD_H

#include "base/error.h"
#include "base/reader.h"

#define LPOT_TF_RECORD_MAX_BYTES ((uint64_t)1 << 30)

uint32_t lpot_tf_record_checksum(const uint8_t *data, size_t size);
/* Steps over the next record: its data are at *ret_offset of the file. Checks that it fits and the
 * checksum of its length, not that of its data. LPOT_FORMAT names the offset. */
LPOT_MUST_CHECK lpot_status lpot_tf_record_next(lpot_reader *reader, size_t *ret_offset,
                                                size_t *ret_size, lpot_error *err);
/* LPOT_FORMAT unless the data at offset, as lpot_tf_record_next found them in file, have their
 * checksum. */
LPOT_MUST_CHECK lpot_status lpot_tf_record_check(const uint8_t *file, size_t offset, size_t size,
                                                 lpot_error *err);

#endif
