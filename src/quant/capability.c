#include "quant/capability.h"

#include "base/text.h"

static const lpot_tensor_choices activation_choices = {
    .dtype = {3, {LPOT_U8, LPOT_S8, LPOT_F32}},
    .scheme = {2, {LPOT_SCHEME_ASYM, LPOT_SCHEME_SYM}},
    .granularity = {1, {LPOT_PER_TENSOR}},
    .algorithm = {4, {LPOT_MINMAX, LPOT_KL, LPOT_PERCENTILE, LPOT_MSE}},
};

/* What DynamicQuantizeLinear does. */
static const lpot_tensor_choices dynamic_choices = {
    .dtype = {2, {LPOT_U8, LPOT_F32}},
    .scheme = {1, {LPOT_SCHEME_ASYM}},
    .granularity = {1, {LPOT_PER_TENSOR}},
    .algorithm = {1, {LPOT_MINMAX}},
};

static const lpot_tensor_choices weight_choices = {
    .dtype = {2, {LPOT_S8, LPOT_F32}},
    .scheme = {1, {LPOT_SCHEME_SYM}},
    .granularity = {2, {LPOT_PER_CHANNEL, LPOT_PER_TENSOR}},
    .algorithm = {1, {LPOT_MINMAX}},
};

lpot_op_choices lpot_capability(const lpot_quant_op *op) {
  lpot_op_choices choices = {.activation = op->dynamic ? dynamic_choices : activation_choices};
  if (op->weight != LPOT_NONE) {
    choices.weight = weight_choices;
  }
  if (!op->dynamic && lpot_op_type_has_bf16(op->type)) {
    choices.activation.dtype = (lpot_choices){4, {LPOT_U8, LPOT_S8, LPOT_BF16, LPOT_F32}};
    if (op->weight != LPOT_NONE) {
      choices.weight.dtype = (lpot_choices){3, {LPOT_S8, LPOT_BF16, LPOT_F32}};
    }
  }
  return choices;
}
