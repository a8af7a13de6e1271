/* Fuzz target: bytes as what the instances of lpot-bench have measured: read or refused, written
 * again to the same bytes, and made figures. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tune/benchmark_figures.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const lpot_benchmark_measure *measure, const uint8_t *data, size_t size) {
  lpot_buffer again;
  lpot_benchmark_figures figures;
  lpot_buffer_init(&again);
  lpot_status status = lpot_benchmark_measure_write(measure, &again, NULL);
  LPOT_ASSERT(status == LPOT_OK && again.size == size && memcmp(again.data, data, size) == 0);
  status = lpot_benchmark_figures_of(&measure, 1, &figures, NULL);
  LPOT_ASSERT(status == LPOT_OK && figures.num_runs == measure->num_runs);
  lpot_buffer_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lpot_reader reader;
  lpot_error error = {0};
  lpot_benchmark_measure measure = {0};
  lpot_reader_init(&reader, data, size);
  size_t left = lpot_reader_remaining(&reader);
  while (left > 0 && lpot_benchmark_measure_read(&reader, 2, &measure, &error) == LPOT_OK) {
    check(&measure, data + (size - left), left - lpot_reader_remaining(&reader));
    lpot_benchmark_measure_done(&measure);
    left = lpot_reader_remaining(&reader);
  }
  LPOT_ASSERT(left == 0 || error.message[0] != '\0');
  return 0;
}
