/* Which cases of ONNX's suite are in the scope of this project. */
#ifndef LPOT_TESTS_CONFORMANCE_SCOPE_H
#define LPOT_TESTS_CONFORMANCE_SCOPE_H

#include <stdbool.h>

#include "conformance_case.h"

/* False when the model has an operator, or a kind of value, that inference networks of image and
 * language models do not have: control flow, sequences, strings, training. */
bool conformance_in_scope(const char *name, const case_result *result);
/* Why a case fails, where that is understood and not ours to mend; else NULL. */
const char *conformance_known_failure(const char *name);

#endif
