/* Models that a program runs by itself: one from a file, and the candidates that it is given where
 * it evaluates or calibrates in lpot's place (component.h: evaluate, calibrate).
 *
 *   #include <lpot/lpot.h>
 *   #include <stdio.h>
 *
 *   static void tell(const char *what, const lpot_model_value *value) {
 *     printf("%s %s [", what, value->name);
 *     for (int32_t i = 0; i < value->rank; i++) {
 *       printf("%s%lld", i > 0 ? ", " : "", (long long)value->dims[i]);
 *     }
 *     printf("]\n");
 *   }
 *
 *   int main(void) {
 *     static float image[2 * 3 * 32 * 32];
 *     const lpot_component_tensor input = {
 *         LPOT_COMPONENT_FLOAT32, 4, {2, 3, 32, 32}, image, sizeof image};
 *     lpot_component_tensor output;
 *     lpot_model_value value;
 *     lpot_error error = {LPOT_OK};
 *     lpot_model *model = NULL;
 *     lpot_status status = lpot_model_from_file("shapes.onnx", "onednn", &model, &error);
 *     if (status == LPOT_OK && lpot_model_get_input(model, 0, &value)) {
 *       tell("input", &value);
 *     }
 *     if (status == LPOT_OK && lpot_model_get_output(model, 0, &value)) {
 *       tell("output", &value);
 *     }
 *     if (status == LPOT_OK) {
 *       status = lpot_model_run(model, &input, &output, &error);
 *     }
 *     if (status == LPOT_OK) {
 *       const float *scores = (const float *)output.data;
 *       printf("%lld rows of %lld scores, the first is %.6f\n", (long long)output.dims[0],
 *              (long long)output.dims[1], scores[0]);
 *     } else {
 *       fprintf(stderr, "error: %s\n", error.message);
 *     }
 *     lpot_model_free(model);
 *     return lpot_status_exit_code(status);
 *   }
 */
#ifndef LPOT_MODEL_H
#define LPOT_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include <lpot/component.h>
#include <lpot/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lpot_model lpot_model;

/* An input or output. */
typedef struct lpot_model_value {
  const char *name;                      /* borrowed from the model */
  int32_t dtype;                         /* LPOT_COMPONENT_FLOAT32 ..., by ONNX's number */
  int32_t rank;                          /* -1: not known */
  int64_t dims[LPOT_COMPONENT_MAX_RANK]; /* -1: any; of an input's first one: the batch */
} lpot_model_value;

/* A model file (ONNX: f32, QDQ or QOperator form) for the engine "onednn" or "reference"; the
 * caller frees it. Needs no session and may be called at any time, but not before lpot_start where
 * there is one. LPOT_FORMAT where the file cannot be read, LPOT_UNSUPPORTED, LPOT_INVALID for the
 * engine's name. Not collective. */
LPOT_API LPOT_MUST_CHECK lpot_status lpot_model_from_file(const char *path, const char *engine_name,
                                                          lpot_model **ret_model, lpot_error *err);
/* For models of lpot_model_from_file only: a candidate is lpot's. */
LPOT_API void lpot_model_free(lpot_model *model);

/* 0 for model NULL. */
LPOT_API size_t lpot_model_num_inputs(const lpot_model *model);
LPOT_API size_t lpot_model_num_outputs(const lpot_model *model);
/* Return 1, or 0 and leave *ret alone where there is none of that number (and for model or ret
 * NULL). */
LPOT_API int lpot_model_get_input(const lpot_model *model, size_t index, lpot_model_value *ret);
LPOT_API int lpot_model_get_output(const lpot_model *model, size_t index, lpot_model_value *ret);

/* Runs inputs [num_inputs], which are dense, row-major, aligned for their type and borrowed for the
 * call, and fills outputs [num_outputs]: their data belong to the model and are there until its
 * next run. The size of the batch is that of the first input whose batch is free; the model is
 * compiled when it first meets a size, and the two latest stay compiled.
 *
 * LPOT_INVALID, naming the input, where types or shapes do not fit; LPOT_UNSUPPORTED where an input
 * has other free axes than the batch; LPOT_INTERRUPTED where the candidate is not wanted any more:
 * return then. */
LPOT_API LPOT_MUST_CHECK lpot_status lpot_model_run(lpot_model *model,
                                                    const lpot_component_tensor *inputs,
                                                    lpot_component_tensor *outputs,
                                                    lpot_error *err);

#ifdef __cplusplus
}
#endif

#endif
