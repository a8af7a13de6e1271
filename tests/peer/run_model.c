/* run_model MODEL INPUT.f32 OUTPUT_PREFIX SAMPLES [BATCH]: runs an ONNX model on raw f32 samples,
 * BATCH (4) at a time unless the model fixes it, and writes each output to
 * OUTPUT_PREFIX.<index>.f32. For comparing with other runtimes.
 */
#include <stdio.h>
#include <string.h>

#include "base/mapping.h"
#include "engine/engine.h"
#include "engine/reference/reference.h"
#include "formats/model.h"
#include "graph/infer.h"
#include "graph/passes/passes.h"

typedef struct runner {
  lpot_graph *graph, *bound;
  lpot_engine *engine;
  lpot_plan *plan;
  lpot_tensor *input;
  int64_t batch;
} runner;

static lpot_status open_model(runner *r, const char *path, int batch, lpot_error *err) {
  LPOT_TRY(lpot_model_load(path, &r->graph, NULL, err));
  LPOT_TRY(lpot_graph_normalise(r->graph, lpot_reference_run, err));
  LPOT_TRY(lpot_graph_bind(r->graph, batch, lpot_reference_run, &r->bound, err));
  LPOT_TRY(lpot_engine_open("onednn", &r->engine, err));
  LPOT_TRY(lpot_plan_compile(r->engine, r->bound, NULL, &r->plan, err));
  const lpot_value *input = lpot_graph_value(r->bound, lpot_graph_input(r->bound, 0));
  r->batch = input->shape.dims[0];
  lpot_status status = lpot_tensor_new(LPOT_F32, &input->shape, &r->input, err);
  return status;
}

static lpot_status write_outputs(const runner *r, const char *prefix, int64_t valid,
                                 const char *mode, lpot_error *err) {
  for (size_t i = 0; i < lpot_plan_num_outputs(r->plan); ++i) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s.%zu.f32", prefix, i);
    const lpot_tensor *output = lpot_plan_output(r->plan, i);
    FILE *file = fopen(path, mode);
    if (file == NULL) {
      return LPOT_FAIL(err, LPOT_IO, "cannot write '%s'", path);
    }
    size_t row = output->size_bytes / (size_t)r->batch;
    size_t written = fwrite(output->data, row, (size_t)valid, file);
    if (fclose(file) != 0 || written != (size_t)valid) {
      return LPOT_FAIL(err, LPOT_IO, "cannot write '%s'", path);
    }
  }
  return LPOT_OK;
}

static lpot_status run_samples(runner *r, const uint8_t *data, size_t size, const char *prefix,
                               int64_t samples, lpot_error *err) {
  size_t row = r->input->size_bytes / (size_t)r->batch;
  if (size != row * (size_t)samples) {
    return LPOT_FAIL(err, LPOT_FORMAT, "input has %zu bytes, expected %zu", size,
                     row * (size_t)samples);
  }
  for (int64_t first = 0; first < samples; first += r->batch) {
    int64_t valid = samples - first < r->batch ? samples - first : r->batch;
    const lpot_tensor *inputs[1] = {r->input};
    memcpy(r->input->data, data + (size_t)first * row, (size_t)valid * row);
    LPOT_TRY(lpot_plan_run(r->plan, inputs, err));
    LPOT_TRY(write_outputs(r, prefix, valid, first == 0 ? "wb" : "ab", err));
  }
  return LPOT_OK;
}

int main(int argc, char **argv) {
  lpot_error err = {0};
  runner r = {0};
  lpot_mapping *input = NULL;
  int samples = 0;
  int batch = 4;
  bool good = (argc == 5 || argc == 6) && sscanf(argv[4], "%d", &samples) == 1;
  if (!good || (argc == 6 && (sscanf(argv[5], "%d", &batch) != 1 || batch < 1))) {
    (void)fprintf(stderr, "usage: run_model MODEL INPUT.f32 OUTPUT_PREFIX SAMPLES [BATCH]\n");
    return 2;
  }
  lpot_status status = open_model(&r, argv[1], batch, &err);
  if (status == LPOT_OK) {
    status = lpot_mapping_open(argv[2], &input, &err);
  }
  if (status == LPOT_OK) {
    status =
        run_samples(&r, lpot_mapping_data(input), lpot_mapping_size(input), argv[3], samples, &err);
  }
  if (status != LPOT_OK) {
    (void)fprintf(stderr, "run_model: %s\n", err.message);
  }
  lpot_plan_free(r.plan);
  lpot_tensor_unref(r.input);
  lpot_graph_free(r.bound);
  lpot_graph_free(r.graph);
  lpot_engine_close(r.engine);
  lpot_mapping_unref(input);
  return lpot_status_exit_code(status);
}
