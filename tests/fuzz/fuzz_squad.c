/* Fuzz target: bytes as a JSON file of SQuAD 1.1; the texts of one that is well-formed are compared
 * with each other. */
#include <stdint.h>

#include "data/squad.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lpot_squad_file file = {0};
  lpot_error err = {0};
  if (lpot_squad_file_read(data, size, &file, &err) == LPOT_OK) {
    double f1 = 0.0;
    lpot_status status = lpot_squad_f1(file.questions[0].text, file.answers[0], &f1, &err);
    (void)status;
    lpot_squad_file_done(&file);
  }
  return 0;
}
