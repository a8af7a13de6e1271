#include "tune/timed_inputs.h"

/* The loader overwrites its batches, therefore the inputs are copied. */
static lpot_status copy_inputs(const lpot_batch *batch, lpot_timed_set *set, lpot_error *err) {
  for (size_t k = 0; k < batch->num_inputs; k++) {
    const lpot_tensor *input = batch->inputs[k];
    LPOT_TRY(lpot_tensor_copy_of(input->dtype, &input->shape, input->data, &set->inputs[k], err));
    set->num_inputs++;
  }
  return LPOT_OK;
}

static lpot_status load(lpot_timed_inputs *inputs, lpot_loader *loader, lpot_error *err) {
  int64_t count = lpot_loader_num_batches(loader);
  count = count < LPOT_LATENCY_BATCHES ? count : LPOT_LATENCY_BATCHES;
  for (int64_t i = 0; i < count; i++) {
    const lpot_batch *batch = NULL;
    LPOT_TRY(lpot_job_batch(loader, i, &batch, err));
    inputs->num_sets++;
    LPOT_TRY(copy_inputs(batch, &inputs->sets[i], err));
  }
  return LPOT_OK;
}

lpot_status lpot_timed_inputs_load(const lpot_job *job, lpot_timed_inputs *inputs,
                                   lpot_error *err) {
  lpot_loader *loader = NULL;
  LPOT_TRY(lpot_job_open_performance(job, &loader, err));
  lpot_status status = load(inputs, loader, err);
  lpot_loader_free(loader);
  return status;
}

void lpot_timed_inputs_done(lpot_timed_inputs *inputs) {
  for (size_t i = 0; i < inputs->num_sets; i++) {
    for (size_t k = 0; k < inputs->sets[i].num_inputs; k++) {
      lpot_tensor_unref(inputs->sets[i].inputs[k]);
    }
  }
  *inputs = (lpot_timed_inputs){0};
}

const lpot_tensor *const *lpot_timed_inputs_get(const lpot_timed_inputs *inputs, size_t index) {
  const lpot_timed_set *set = &inputs->sets[index % inputs->num_sets];
  return (const lpot_tensor *const *)set->inputs;
}
