/* LSTM in all its forms: directions, peepholes, initial states, lengths of sequences, layouts.
 *
 * Gates come in ONNX's order: input, output, forget, cell. One direction of one batch entry is
 * computed at a time, all in double. */
#include <math.h>

#include "base/memory.h"
#include "base/text.h"
#include "engine/reference/kernel.h"

enum { GATE_INPUT, GATE_OUTPUT, GATE_FORGET, GATE_CELL, NUM_GATES };
/* Peepholes have an order of their own: input, output, forget, as the gates but for the cell. */
enum { INPUT_X, INPUT_W, INPUT_R, INPUT_B, INPUT_LENGTHS, INPUT_H, INPUT_C, INPUT_P };
enum { OUTPUT_Y, OUTPUT_H, OUTPUT_C, NUM_OUTPUTS };
enum { ACTIVATION_GATE, ACTIVATION_CELL, ACTIVATION_HIDDEN, NUM_ACTIVATIONS };

/* ---- activations ---- */

typedef double (*activation_function)(double x, double alpha, double beta);

static double sigmoid(double x, double alpha, double beta) {
  (void)alpha;
  (void)beta;
  return 1.0 / (1.0 + exp(-x)); /* an infinite power gives 0 */
}

static double hyperbolic_tangent(double x, double alpha, double beta) {
  (void)alpha;
  (void)beta;
  return tanh(x);
}

static double relu(double x, double alpha, double beta) {
  (void)alpha;
  (void)beta;
  return x < 0.0 ? 0.0 : x;
}

static double affine(double x, double alpha, double beta) {
  return alpha * x + beta;
}

static double leaky_relu(double x, double alpha, double beta) {
  (void)beta;
  return x < 0.0 ? alpha * x : x;
}

static double thresholded_relu(double x, double alpha, double beta) {
  (void)beta;
  return x > alpha ? x : 0.0;
}

static double scaled_tanh(double x, double alpha, double beta) {
  return alpha * tanh(beta * x);
}

static double hard_sigmoid(double x, double alpha, double beta) {
  double y = alpha * x + beta;
  y = y < 0.0 ? 0.0 : y;
  return y > 1.0 ? 1.0 : y;
}

static double elu(double x, double alpha, double beta) {
  (void)beta;
  return x < 0.0 ? alpha * (exp(x) - 1.0) : x;
}

static double softsign(double x, double alpha, double beta) {
  (void)alpha;
  (void)beta;
  return x / (1.0 + fabs(x));
}

static double softplus(double x, double alpha, double beta) {
  (void)alpha;
  (void)beta;
  return x > 0.0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

typedef struct activation_row {
  const char *name;
  activation_function apply;
  bool has_alpha,
      has_beta;      /* takes one from the node's lists, which hold those that do, in order */
  float alpha, beta; /* ONNX's defaults */
} activation_row;

static const activation_row activation_rows[] = {
    {"Affine", affine, true, true, 1.0f, 0.0f},
    {"Elu", elu, true, false, 1.0f, 0.0f},
    {"HardSigmoid", hard_sigmoid, true, true, 0.2f, 0.5f},
    {"LeakyRelu", leaky_relu, true, false, 0.01f, 0.0f},
    {"Relu", relu, false, false, 0.0f, 0.0f},
    {"ScaledTanh", scaled_tanh, true, true, 1.0f, 1.0f},
    {"Sigmoid", sigmoid, false, false, 0.0f, 0.0f},
    {"Softplus", softplus, false, false, 0.0f, 0.0f},
    {"Softsign", softsign, false, false, 0.0f, 0.0f},
    {"Tanh", hyperbolic_tangent, false, false, 0.0f, 0.0f},
    {"ThresholdedRelu", thresholded_relu, true, false, 1.0f, 0.0f},
};

typedef struct activation {
  activation_function apply;
  double alpha, beta;
} activation;

static const activation_row *find_activation(const char *name) {
  for (size_t i = 0; i < sizeof activation_rows / sizeof *activation_rows; i++) {
    if (lpot_text_equal_ignoring_case(name, activation_rows[i].name)) {
      return &activation_rows[i];
    }
  }
  return NULL;
}

/* The next number of an attribute's list, or the fallback behind its end. */
static double next_parameter(const lpot_node *node, const char *name, size_t *next,
                             float fallback) {
  const lpot_attribute *list = lpot_node_attribute(node, name);
  bool given = list != NULL && list->kind == LPOT_ATTRIBUTE_FLOATS && *next < list->count;
  double value = (double)(given ? list->reals[*next] : fallback);
  *next += 1;
  return value;
}

/* Three for each direction; without the attribute Sigmoid, Tanh and Tanh. */
static lpot_status read_activations(const lpot_node *node, int directions,
                                    activation ret[2][NUM_ACTIVATIONS], lpot_error *err) {
  static const char *const usual[NUM_ACTIVATIONS] = {"Sigmoid", "Tanh", "Tanh"};
  const lpot_attribute *names = lpot_node_attribute(node, "activations");
  size_t wanted = (size_t)directions * NUM_ACTIVATIONS;
  size_t next_alpha = 0;
  size_t next_beta = 0;
  if (names != NULL && (names->kind != LPOT_ATTRIBUTE_STRINGS || names->count != wanted)) {
    return LPOT_FAIL(err, LPOT_INVALID, "activations has %zu values, expected %zu names",
                     names->count, wanted);
  }
  for (size_t i = 0; i < wanted; i++) {
    const char *name = names == NULL ? usual[i % NUM_ACTIVATIONS] : names->strings[i];
    const activation_row *row = find_activation(name);
    if (row == NULL) {
      return LPOT_FAIL(err, LPOT_UNSUPPORTED, "activation '%s'", name);
    }
    activation *out = &ret[i / NUM_ACTIVATIONS][i % NUM_ACTIVATIONS];
    *out = (activation){row->apply, (double)row->alpha, (double)row->beta};
    if (row->has_alpha) {
      out->alpha = next_parameter(node, "activation_alpha", &next_alpha, row->alpha);
    }
    if (row->has_beta) {
      out->beta = next_parameter(node, "activation_beta", &next_beta, row->beta);
    }
  }
  return LPOT_OK;
}

/* ---- shapes ---- */

typedef struct lstm {
  int64_t steps, batch, features, hidden;
  int directions;
  bool reverse; /* the only direction runs from the end */
  bool batch_first;
  bool input_forget; /* the forget gate is what the input gate leaves */
  double clip;       /* of what the activations take; infinite for none */
  activation activations[2][NUM_ACTIVATIONS];
  const lpot_tensor *inputs[INPUT_P + 1];
  lpot_tensor *outputs[NUM_OUTPUTS];
  double *weights; /* of a direction: W [4 hidden, features], R [4 hidden, hidden], bias
                      [4 hidden], P [3 hidden] */
  double *state;   /* x [features], hidden [hidden], cell [hidden], gates [4 hidden] */
} lstm;

static lpot_status check_shape(const lstm *net, int index, int rank, const int64_t *dims,
                               lpot_error *err) {
  const lpot_tensor *tensor = net->inputs[index];
  lpot_shape expected = lpot_shape_of(rank, dims);
  char what[40] = "input 0 and what it must be";
  what[6] = (char)('0' + index);
  if (tensor == NULL) {
    return LPOT_OK;
  }
  if (index != INPUT_LENGTHS) {
    LPOT_TRY(lpot_kernel_check_same_type(net->inputs[INPUT_X], tensor, err));
  }
  LPOT_TRY(lpot_kernel_check_same_shape(what, &tensor->shape, &expected, err));
  return LPOT_OK;
}

static lpot_status check_inputs(const lstm *net, lpot_error *err) {
  int64_t directions = net->directions;
  int64_t hidden = net->hidden;
  const int64_t state[2][3] = {{directions, net->batch, hidden}, {net->batch, directions, hidden}};
  const int64_t *state_dims = state[net->batch_first ? 1 : 0];
  LPOT_TRY(
      check_shape(net, INPUT_W, 3, (const int64_t[]){directions, 4 * hidden, net->features}, err));
  LPOT_TRY(check_shape(net, INPUT_R, 3, (const int64_t[]){directions, 4 * hidden, hidden}, err));
  LPOT_TRY(check_shape(net, INPUT_B, 2, (const int64_t[]){directions, 8 * hidden}, err));
  LPOT_TRY(check_shape(net, INPUT_LENGTHS, 1, &net->batch, err));
  LPOT_TRY(check_shape(net, INPUT_H, 3, state_dims, err));
  LPOT_TRY(check_shape(net, INPUT_C, 3, state_dims, err));
  LPOT_TRY(check_shape(net, INPUT_P, 2, (const int64_t[]){directions, 3 * hidden}, err));
  const lpot_tensor *lengths = net->inputs[INPUT_LENGTHS];
  if (lengths != NULL && lengths->dtype != LPOT_S32 && lengths->dtype != LPOT_S64) {
    return lpot_kernel_unsupported_type(lengths, err);
  }
  return LPOT_OK;
}

static lpot_status check_outputs(const lstm *net, lpot_error *err) {
  int64_t states = net->directions * net->batch * net->hidden;
  for (int i = 0; i < NUM_OUTPUTS; i++) {
    const lpot_tensor *output = net->outputs[i];
    if (output != NULL) {
      LPOT_TRY(lpot_kernel_check_same_type(net->inputs[INPUT_X], output, err));
      LPOT_TRY(lpot_kernel_check_count("output", output,
                                       i == OUTPUT_Y ? net->steps * states : states, err));
    }
  }
  return LPOT_OK;
}

static lpot_status read_net(const lpot_node *node, const lpot_tensor *const *inputs,
                            lpot_tensor *const *outputs, lstm *net, lpot_error *err) {
  const char *direction = lpot_node_string(node, "direction", "forward");
  const lpot_shape *x = &inputs[INPUT_X]->shape;
  const lpot_shape *recurrence = &inputs[INPUT_R]->shape;
  if (!lpot_dtype_is_float(inputs[INPUT_X]->dtype)) {
    return lpot_kernel_unsupported_type(inputs[INPUT_X], err);
  }
  if (x->rank != 3 || recurrence->rank != 3) {
    return LPOT_FAIL(err, LPOT_INVALID, "input and recurrence have ranks %d and %d, expected 3",
                     x->rank, recurrence->rank);
  }
  *net = (lstm){.features = x->dims[2], .hidden = recurrence->dims[2], .directions = 1};
  net->batch_first = lpot_node_int(node, "layout", 0) != 0;
  net->steps = x->dims[net->batch_first ? 1 : 0];
  net->batch = x->dims[net->batch_first ? 0 : 1];
  net->directions = lpot_text_equal(direction, "bidirectional") ? 2 : 1;
  net->reverse = lpot_text_equal(direction, "reverse");
  net->input_forget = lpot_node_int(node, "input_forget", 0) != 0;
  net->clip = (double)lpot_node_float(node, "clip", INFINITY);
  for (int i = 0; i <= INPUT_P; i++) {
    net->inputs[i] = lpot_kernel_input(node, inputs, i);
  }
  for (int i = 0; i < node->num_outputs && i < NUM_OUTPUTS; i++) {
    net->outputs[i] = outputs[i];
  }
  LPOT_TRY(read_activations(node, net->directions, net->activations, err));
  LPOT_TRY(check_inputs(net, err));
  LPOT_TRY(check_outputs(net, err));
  return LPOT_OK;
}

/* ---- one direction ---- */

static void load_weights(const lstm *net, int direction) {
  int64_t rows = NUM_GATES * net->hidden;
  int64_t w_size = rows * net->features;
  int64_t r_size = rows * net->hidden;
  double *bias = net->weights + w_size + r_size;
  double *peepholes = bias + rows;
  lpot_kernel_load_doubles(net->inputs[INPUT_W], direction * w_size, 1, w_size, net->weights);
  lpot_kernel_load_doubles(net->inputs[INPUT_R], direction * r_size, 1, r_size,
                           net->weights + w_size);
  for (int64_t i = 0; i < rows; i++) {
    double parts[2] = {0.0, 0.0}; /* of the input and of the recurrence */
    if (net->inputs[INPUT_B] != NULL) {
      lpot_kernel_load_doubles(net->inputs[INPUT_B], direction * 2 * rows + i, rows, 2, parts);
    }
    bias[i] = parts[0] + parts[1];
  }
  for (int64_t i = 0; i < 3 * net->hidden; i++) {
    peepholes[i] = 0.0;
  }
  if (net->inputs[INPUT_P] != NULL) {
    lpot_kernel_load_doubles(net->inputs[INPUT_P], direction * 3 * net->hidden, 1, 3 * net->hidden,
                             peepholes);
  }
}

static double dot(const double *a, const double *b, int64_t count) {
  double sum = 0.0;
  for (int64_t i = 0; i < count; i++) {
    sum += a[i] * b[i];
  }
  return sum;
}

static double activate(const lstm *net, const activation *function, double x) {
  double low = x < -net->clip ? -net->clip : x;
  double clipped = low > net->clip ? net->clip : low;
  return function->apply(clipped, function->alpha, function->beta);
}

/* One step: state holds x, and the hidden and cell states, which it replaces. */
static void run_step(const lstm *net, const activation *functions) {
  int64_t hidden = net->hidden;
  const double *x = net->state;
  double *h = net->state + net->features;
  double *c = h + hidden;
  double *gates = c + hidden;
  const double *w = net->weights;
  const double *r = w + NUM_GATES * hidden * net->features;
  const double *bias = r + NUM_GATES * hidden * hidden;
  const double *peephole = bias + NUM_GATES * hidden;
  const activation *gate = &functions[ACTIVATION_GATE];
  for (int64_t i = 0; i < NUM_GATES * hidden; i++) {
    gates[i] =
        dot(w + i * net->features, x, net->features) + dot(r + i * hidden, h, hidden) + bias[i];
  }
  for (int64_t i = 0; i < hidden; i++) {
    double in = gates[GATE_INPUT * hidden + i] + peephole[GATE_INPUT * hidden + i] * c[i];
    double forget = gates[GATE_FORGET * hidden + i] + peephole[GATE_FORGET * hidden + i] * c[i];
    in = activate(net, gate, in);
    forget = net->input_forget ? 1.0 - in : activate(net, gate, forget);
    double candidate = activate(net, &functions[ACTIVATION_CELL], gates[GATE_CELL * hidden + i]);
    c[i] = forget * c[i] + in * candidate;
    double out = gates[GATE_OUTPUT * hidden + i] + peephole[GATE_OUTPUT * hidden + i] * c[i];
    const activation *last = &functions[ACTIVATION_HIDDEN];
    h[i] = activate(net, gate, out) * last->apply(c[i], last->alpha, last->beta);
  }
}

/* Where a state of this direction and batch entry begins in the tensors of states. */
static int64_t state_start(const lstm *net, int direction, int64_t entry) {
  int64_t row =
      net->batch_first ? entry * net->directions + direction : direction * net->batch + entry;
  return row * net->hidden;
}

static void begin_sequence(const lstm *net, int direction, int64_t entry) {
  int64_t start = state_start(net, direction, entry);
  for (int k = 0; k < 2; k++) {
    const lpot_tensor *initial = net->inputs[INPUT_H + k];
    double *to = net->state + net->features + k * net->hidden;
    for (int64_t i = 0; i < net->hidden; i++) {
      to[i] = 0.0;
    }
    if (initial != NULL) {
      lpot_kernel_load_doubles(initial, start, 1, net->hidden, to);
    }
  }
}

/* Y [steps, directions, batch, hidden], or [batch, steps, directions, hidden]. */
static void store_step(const lstm *net, int direction, int64_t entry, int64_t step,
                       const double *values) {
  int64_t row = net->batch_first ? (entry * net->steps + step) * net->directions + direction
                                 : (step * net->directions + direction) * net->batch + entry;
  if (net->outputs[OUTPUT_Y] != NULL) {
    lpot_kernel_store_doubles(net->outputs[OUTPUT_Y], row * net->hidden, net->hidden, values);
  }
}

/* zeros has hidden elements: what Y holds behind the end of a short sequence. */
static void run_sequence(const lstm *net, int direction, int64_t entry, int64_t length,
                         const double *zeros) {
  bool backwards = net->reverse || direction == 1;
  const double *h = net->state + net->features;
  begin_sequence(net, direction, entry);
  for (int64_t i = 0; i < length; i++) {
    int64_t step = backwards ? length - 1 - i : i;
    int64_t row = net->batch_first ? entry * net->steps + step : step * net->batch + entry;
    lpot_kernel_load_doubles(net->inputs[INPUT_X], row * net->features, 1, net->features,
                             net->state);
    run_step(net, net->activations[direction]);
    store_step(net, direction, entry, step, h);
  }
  for (int64_t step = length; step < net->steps; step++) {
    store_step(net, direction, entry, step, zeros);
  }
  for (int k = 0; k < 2; k++) {
    if (net->outputs[OUTPUT_H + k] != NULL) {
      lpot_kernel_store_doubles(net->outputs[OUTPUT_H + k], state_start(net, direction, entry),
                                net->hidden, h + k * net->hidden);
    }
  }
}

static lpot_status run_net(const lstm *net, const double *zeros, lpot_error *err) {
  for (int direction = 0; direction < net->directions; direction++) {
    load_weights(net, direction);
    for (int64_t entry = 0; entry < net->batch; entry++) {
      int64_t length = net->steps;
      if (net->inputs[INPUT_LENGTHS] != NULL) {
        lpot_kernel_load_ints(net->inputs[INPUT_LENGTHS], entry, 1, 1, &length);
      }
      if (length < 0 || length > net->steps) {
        return LPOT_FAIL(err, LPOT_INVALID, "a sequence has the length %lld, expected 0 to %lld",
                         (long long)length, (long long)net->steps);
      }
      run_sequence(net, direction, entry, length, zeros);
    }
  }
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_lstm) {
  lstm net;
  LPOT_TRY(read_net(node, inputs, outputs, &net, err));
  int64_t rows = NUM_GATES * net.hidden;
  int64_t weights = rows * (net.features + net.hidden + 1) + 3 * net.hidden;
  int64_t state = net.features + 2 * net.hidden + rows;
  LPOT_TRY(lpot_kernel_scratch(weights + state + net.hidden, &net.weights, err));
  net.state = net.weights + weights;
  lpot_status status = run_net(&net, net.state + state, err);
  lpot_free(net.weights);
  return status;
}
