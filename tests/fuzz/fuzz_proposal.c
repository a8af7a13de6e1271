/* Any line of a user's program: it is refused, or means a proposal. */
#include <stddef.h>
#include <stdint.h>

#include "tune/proposal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  int64_t indices[3] = {0};
  lpot_proposal proposal;
  lpot_error error = {0};
  if (lpot_proposal_read((const char *)data, size, 3, indices, &proposal, &error) != LPOT_OK) {
    LPOT_ASSERT(error.status == LPOT_FORMAT && error.message[0] != '\0');
  }
  return 0;
}
