/* What the emitters of weighted fusions share. */
#ifndef LPOT_ENGINE_EMIT_FUSION_H
#define LPOT_ENGINE_EMIT_FUSION_H

#include "engine/onednn/onednn_plan.h"
#include "graph/window.h"

/* Scales, zero points and post-ops that a fusion asks for; weight scales stay borrowed from it. */
void lpot_fusion_attributes(const lpot_fusion *fusion, lpot_dl_attributes *ret);
/* A step that turns s8 into u8 by adding 128, or u8 into s8 by subtracting it; *slot becomes the
 * result's. The zero point moves alike. */
LPOT_MUST_CHECK lpot_status lpot_shift_sign(lpot_compiler *compiler, const char *name,
                                            lpot_slot_id *slot, lpot_error *err);
/* Kernel, strides, pads and groups of a convolution. */
void lpot_fill_geometry(const lpot_window *window, lpot_dl_convolution *convolution);
/* The constant weights in the type that the primitive reads; the caller owns a reference. */
LPOT_MUST_CHECK lpot_status lpot_fusion_weights(lpot_compiler *compiler, const lpot_fusion *fusion,
                                                lpot_tensor **ret_weights, lpot_error *err);
/* Bias values [channels] in real units, or NULL; borrowed from the plan. */
LPOT_MUST_CHECK lpot_status lpot_fusion_bias(lpot_compiler *compiler, const lpot_fusion *fusion,
                                             const float **ret_bias, lpot_error *err);

#endif
