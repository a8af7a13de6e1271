#include "tune/sense.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

#define MOST_SAMPLES 64
#define LEAST_SAMPLES 8
#define SHARE 64 /* of the evaluation set: to sense an op is to cost little beside a trial */
#define MAX_OUTPUTS 64

/* Sums over one output. */
typedef struct output_error {
  double difference, reference; /* of squares */
} output_error;

typedef struct comparison {
  const float *reference; /* f32's outputs, in the order in which they come */
  size_t num_left;        /* of them */
  output_error outputs[MAX_OUTPUTS];
  uint64_t elements, bad;
} comparison;

/* Takes the rows of one output that are samples; context is the visitor's own. */
typedef lpot_status (*visit_function)(void *context, size_t output, const float *elements,
                                      size_t count, lpot_error *err);

static int64_t num_samples(const lpot_job *job) {
  return lpot_metric_evaluates(job->metric) ? lpot_loader_num_samples(job->evaluation)
                                            : job->blocks.num_samples;
}

static int64_t num_batches(const lpot_job *job) {
  int64_t samples = num_samples(job) / SHARE;
  samples = samples < MOST_SAMPLES ? samples : MOST_SAMPLES;
  samples = samples > LEAST_SAMPLES ? samples : LEAST_SAMPLES;
  int64_t wanted = (samples + job->batch_size - 1) / job->batch_size;
  int64_t given = (num_samples(job) + job->batch_size - 1) / job->batch_size;
  return wanted < given ? wanted : given;
}

lpot_blocks lpot_sense_blocks(const lpot_job *job) {
  int64_t samples = num_batches(job) * job->batch_size;
  samples = samples < num_samples(job) ? samples : num_samples(job);
  return (lpot_blocks){.num_samples = samples, .block_samples = samples, .num_blocks = 1};
}

/* Where the first dimension is the batch, the first rows are those of samples. */
static size_t num_valid_elements(const lpot_tensor *output, int64_t batch, int64_t valid) {
  size_t count = output->size_bytes / sizeof(float);
  bool rows = output->shape.rank >= 1 && output->shape.dims[0] % batch == 0;
  return rows ? count / (size_t)batch * (size_t)valid : count;
}

static lpot_status visit_batch(lpot_plan *plan, const lpot_batch *batch, int64_t batch_size,
                               visit_function visit, void *context, lpot_error *err) {
  const lpot_tensor *inputs[LPOT_MAX_SAMPLE_INPUTS];
  for (size_t i = 0; i < batch->num_inputs; i++) {
    inputs[i] = batch->inputs[i];
  }
  LPOT_TRY(lpot_plan_run(plan, inputs, err));
  for (size_t i = 0; i < lpot_plan_num_outputs(plan) && i < MAX_OUTPUTS; i++) {
    const lpot_tensor *output = lpot_plan_output(plan, i);
    if (output->dtype == LPOT_F32) {
      size_t count = num_valid_elements(output, batch_size, batch->num_valid);
      LPOT_TRY(visit(context, i, output->data, count, err));
    }
  }
  return LPOT_OK;
}

static lpot_status run_batches(lpot_job *job, const lpot_recipe *recipe, const lpot_stop *stop,
                               visit_function visit, void *context, lpot_error *err) {
  lpot_plan *plan = NULL;
  LPOT_TRY(lpot_job_plan(job, recipe, &plan, err));
  for (int64_t index = 0; index < num_batches(job); index++) {
    if (stop != NULL && stop->requested(stop->context)) {
      return LPOT_FAIL(err, LPOT_INTERRUPTED, "sensing was stopped");
    }
    const lpot_batch *batch = NULL;
    LPOT_TRY(lpot_job_batch(job->evaluation, index, &batch, err));
    LPOT_TRY(visit_batch(plan, batch, job->batch_size, visit, context, err));
  }
  return LPOT_OK;
}

/* A visit_function; context is the buffer. */
static lpot_status keep(void *context, size_t output, const float *elements, size_t count,
                        lpot_error *err) {
  (void)output;
  lpot_buffer *out = context;
  LPOT_TRY(lpot_buffer_append(out, elements, count * sizeof *elements, err));
  return LPOT_OK;
}

/* A visit_function; context is the comparison. */
static lpot_status compare(void *context, size_t output, const float *elements, size_t count,
                           lpot_error *err) {
  comparison *self = context;
  if (count > self->num_left) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "sensing: the recipe's outputs have another size");
  }
  output_error *sums = &self->outputs[output];
  for (size_t i = 0; i < count; i++) {
    double wanted = (double)self->reference[i];
    double difference = (double)elements[i] - wanted;
    self->bad += isfinite(elements[i]) ? 0 : 1;
    sums->difference += difference * difference;
    sums->reference += wanted * wanted;
  }
  self->reference += count;
  self->num_left -= count;
  self->elements += count;
  return LPOT_OK;
}

static lpot_status prepare_reference(lpot_job *job, const lpot_stop *stop, lpot_error *err) {
  if (job->f32_outputs.size > 0) {
    return LPOT_OK;
  }
  lpot_status status = run_batches(job, NULL, stop, keep, &job->f32_outputs, err);
  if (status != LPOT_OK) {
    lpot_buffer_clear(&job->f32_outputs);
    return status;
  }
  if (job->f32_outputs.size == 0) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "no output of the model is f32: no error can be told");
  }
  return LPOT_OK;
}

/* The mean over the outputs that there are; where f32 gives only zeros any difference is a whole.
 */
static double mean_error(const comparison *self) {
  double sum = 0;
  double count = 0;
  for (size_t i = 0; i < MAX_OUTPUTS; i++) {
    const output_error *sums = &self->outputs[i];
    if (sums->reference > 0) {
      sum += sums->difference / sums->reference;
      count++;
    } else if (sums->difference > 0) {
      sum++;
      count++;
    }
  }
  return count > 0 ? sum / count : 0;
}

lpot_status lpot_sense(lpot_job *job, const lpot_task *task, const lpot_stop *stop,
                       lpot_outcome *outcome, lpot_error *err) {
  if (task->first != 0 || task->count != 1 || task->recipe == NULL) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "sensing is of one block and a recipe");
  }
  LPOT_TRY(prepare_reference(job, stop, err));
  comparison self = {.reference = (const float *)(const void *)job->f32_outputs.data,
                     .num_left = job->f32_outputs.size / sizeof(float)};
  LPOT_TRY(run_batches(job, task->recipe, stop, compare, &self, err));
  outcome->states = lpot_calloc(1, sizeof *outcome->states);
  if (outcome->states == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_metric_state_init(&outcome->states[0]);
  outcome->num_states = 1;
  outcome->states[0].samples = (uint64_t)lpot_sense_blocks(job).num_samples;
  outcome->states[0].elements = self.elements;
  outcome->states[0].sum = mean_error(&self);
  outcome->states[0].bad = self.bad;
  return LPOT_OK;
}
