#include "support/tensor_check.h"

/* One hidden unit and one feature keep the sums short enough to follow. Gates: input, output,
 * forget, cell. With Affine activations (x itself) a step is
 *   c' = forget * c + input * candidate,  h' = output * c'. */
#define F LPOT_F32
#define X2 TENSOR(F, SHAPE(2, 1, 1), 1, 2)
#define ZERO_R TENSOR(F, SHAPE(1, 4, 1), 0, 0, 0, 0)
static const char *linear_names[] = {"Affine", "Affine", "Affine", "Affine", "Affine", "Affine"};
#define LINEAR(number)                                                                             \
  {                                                                                                \
    .name = "activations", .kind = LPOT_ATTRIBUTE_STRINGS, .strings = linear_names,                \
    .count = (number)                                                                              \
  }

static void a_step_follows_the_formula(void **state) {
  (void)state;
  /* x = 1: gates 1, 2, 3, 4 -> c = 4, h = 8. x = 2: gates 2, 4, 6, 8 -> c = 6 * 4 + 16 = 40,
   * h = 160. */
  check_nodes_outputs(LPOT_OP_LSTM, ATTRIBUTES(LINEAR(3)),
                      TENSORS(X2, TENSOR(F, SHAPE(1, 4, 1), 1, 2, 3, 4), ZERO_R),
                      TENSORS(TENSOR(F, SHAPE(2, 1, 1, 1), 8, 160), TENSOR(F, SHAPE(1, 1, 1), 160),
                              TENSOR(F, SHAPE(1, 1, 1), 40)),
                      0);
}

static void usual_activations_are_sigmoid_and_tanh(void **state) {
  (void)state;
  double gate = 1.0 / (1.0 + exp(-1.0));
  double cell = gate * tanh(1.0);
  check_nodes_outputs(
      LPOT_OP_LSTM, NO_ATTRIBUTES,
      TENSORS(TENSOR(F, SHAPE(1, 1, 1), 1), TENSOR(F, SHAPE(1, 4, 1), 1, 1, 1, 1), ZERO_R),
      TENSORS(NULL, TENSOR(F, SHAPE(1, 1, 1), gate * tanh(cell))), 1e-6);
}

static void bias_recurrence_states_and_peepholes_take_part(void **state) {
  (void)state;
  /* h = 1, c = 2. input: 1 + 1 * 1 + 1 (biases) + 2 (peephole) = 5; forget: 1 + 2 = 3;
   * candidate: 1; c' = 3 * 2 + 5 = 11; output: 1 + 11 * 1 = 12; h' = 132. */
  check_nodes_outputs(LPOT_OP_LSTM, ATTRIBUTES(LINEAR(3)),
                      TENSORS(TENSOR(F, SHAPE(1, 1, 1), 1), TENSOR(F, SHAPE(1, 4, 1), 1, 1, 1, 1),
                              TENSOR(F, SHAPE(1, 4, 1), 1, 0, 0, 0),
                              TENSOR(F, SHAPE(1, 8), 0.25, 0, 0, 0, 0.75, 0, 0, 0), NULL,
                              TENSOR(F, SHAPE(1, 1, 1), 1), TENSOR(F, SHAPE(1, 1, 1), 2),
                              TENSOR(F, SHAPE(1, 3), 1, 1, 1)),
                      TENSORS(NULL, TENSOR(F, SHAPE(1, 1, 1), 132), TENSOR(F, SHAPE(1, 1, 1), 11)),
                      0);
}

static void the_other_direction_starts_at_the_end(void **state) {
  (void)state;
  /* Weights only of input and candidate 1, forget and output 0: h is 0, c the last x squared. */
  check_nodes_outputs(LPOT_OP_LSTM, ATTRIBUTES(LINEAR(3), STRING("direction", "reverse")),
                      TENSORS(X2, TENSOR(F, SHAPE(1, 4, 1), 1, 0, 0, 1), ZERO_R),
                      TENSORS(NULL, NULL, TENSOR(F, SHAPE(1, 1, 1), 1)), 0);
  check_nodes_outputs(LPOT_OP_LSTM, ATTRIBUTES(LINEAR(6), STRING("direction", "bidirectional")),
                      TENSORS(X2, TENSOR(F, SHAPE(2, 4, 1), 1, 1, 0, 1, 1, 1, 0, 2),
                              TENSOR(F, SHAPE(2, 4, 1), 0, 0, 0, 0, 0, 0, 0, 0)),
                      TENSORS(TENSOR(F, SHAPE(2, 2, 1, 1), 1, 2, 8, 16),
                              TENSOR(F, SHAPE(2, 1, 1), 8, 2), TENSOR(F, SHAPE(2, 1, 1), 4, 2)),
                      0);
}

static void short_sequences_end_early_and_give_zeros(void **state) {
  (void)state;
  check_nodes_outputs(
      LPOT_OP_LSTM, ATTRIBUTES(LINEAR(3)),
      TENSORS(TENSOR(F, SHAPE(2, 2, 1), 1, 1, 2, 2), TENSOR(F, SHAPE(1, 4, 1), 1, 1, 0, 1), ZERO_R,
              NULL, TENSOR(LPOT_S32, SHAPE(2), 2, 1)),
      TENSORS(TENSOR(F, SHAPE(2, 1, 2, 1), 1, 1, 8, 0), TENSOR(F, SHAPE(1, 2, 1), 8, 1)), 0);
  lpot_tensor *const inputs[] = {TENSOR(F, SHAPE(1, 1, 1), 1),
                                 TENSOR(F, SHAPE(1, 4, 1), 1, 1, 0, 1), ZERO_R, NULL,
                                 TENSOR(LPOT_S32, SHAPE(1), 2)};
  check_fails(LPOT_OP_LSTM, NO_ATTRIBUTES, inputs, 5, TENSOR(F, SHAPE(1, 1, 1, 1), 0), LPOT_INVALID,
              "a sequence has the length 2");
}

static void batches_may_come_first(void **state) {
  (void)state;
  check_nodes_outputs(
      LPOT_OP_LSTM, ATTRIBUTES(LINEAR(3), INT("layout", 1)),
      TENSORS(TENSOR(F, SHAPE(2, 2, 1), 1, 2, 3, 4), TENSOR(F, SHAPE(1, 4, 1), 1, 1, 0, 1), ZERO_R),
      TENSORS(TENSOR(F, SHAPE(2, 2, 1, 1), 1, 8, 27, 64), TENSOR(F, SHAPE(2, 1, 1), 8, 64)), 0);
}

static void gates_are_clipped_and_coupled_when_told(void **state) {
  (void)state;
  /* All gates are 5, clipped to 2; the forget gate is 1 - 2: c = -1 * 3 + 4 = 1, h = 2. */
  check_nodes_outputs(LPOT_OP_LSTM,
                      ATTRIBUTES(LINEAR(3), FLOAT("clip", 2.0f), INT("input_forget", 1)),
                      TENSORS(TENSOR(F, SHAPE(1, 1, 1), 1), TENSOR(F, SHAPE(1, 4, 1), 5, 5, 5, 5),
                              ZERO_R, NULL, NULL, NULL, TENSOR(F, SHAPE(1, 1, 1), 3)),
                      TENSORS(NULL, TENSOR(F, SHAPE(1, 1, 1), 2), TENSOR(F, SHAPE(1, 1, 1), 1)), 0);
}

static void activations_take_their_own_numbers(void **state) {
  (void)state;
  static const char *names[] = {"hardsigmoid", "Relu", "Affine"};
  static const float alphas[] = {0.25f, 2.0f};
  static const float betas[] = {0.5f, 1.0f};
  /* Gates 0.25 * 1 + 0.5 = 0.75; c = 0.75 * 1; h = 0.75 * (2 * 0.75 + 1). */
  check_nodes_outputs(
      LPOT_OP_LSTM,
      ATTRIBUTES(
          {.name = "activations", .kind = LPOT_ATTRIBUTE_STRINGS, .strings = names, .count = 3},
          {.name = "activation_alpha", .kind = LPOT_ATTRIBUTE_FLOATS, .reals = alphas, .count = 2},
          {.name = "activation_beta", .kind = LPOT_ATTRIBUTE_FLOATS, .reals = betas, .count = 2}),
      TENSORS(TENSOR(F, SHAPE(1, 1, 1), 1), TENSOR(F, SHAPE(1, 4, 1), 1, 1, 1, 1), ZERO_R),
      TENSORS(NULL, TENSOR(F, SHAPE(1, 1, 1), 1.875)), 1e-6);
}

/* Input and output gates are 1 by their biases, the forget gate 0: h' = g(x). Where g takes no
 * number, alpha and beta are those of Affine, which comes last. */
static void check_activation(const char *name, float alpha, float beta, double low, double high) {
  const char *names[] = {"Relu", name, "Affine"};
  check_nodes_outputs(
      LPOT_OP_LSTM,
      ATTRIBUTES(
          {.name = "activations", .kind = LPOT_ATTRIBUTE_STRINGS, .strings = names, .count = 3},
          {.name = "activation_alpha", .kind = LPOT_ATTRIBUTE_FLOATS, .reals = &alpha, .count = 1},
          {.name = "activation_beta", .kind = LPOT_ATTRIBUTE_FLOATS, .reals = &beta, .count = 1}),
      TENSORS(TENSOR(F, SHAPE(1, 2, 1), -2, 1.5), TENSOR(F, SHAPE(1, 4, 1), 0, 0, 0, 1), ZERO_R,
              TENSOR(F, SHAPE(1, 8), 1, 1, 0, 0, 0, 0, 0, 0)),
      TENSORS(NULL, TENSOR(F, SHAPE(1, 2, 1), low, high)), 1e-6);
}

static void every_activation_has_its_formula(void **state) {
  (void)state;
  check_activation("Affine", 2, 0.5f, -3.5, 3.5);
  check_activation("Elu", 0.5f, 0, 0.5 * (exp(-2) - 1), 1.5);
  check_activation("HardSigmoid", 0.25f, 0.5f, 0, 0.875);
  check_activation("Relu", 1, 0, 0, 1.5);
  check_activation("ScaledTanh", 2, 0.5f, 2 * tanh(-1), 2 * tanh(0.75));
  check_activation("Sigmoid", 1, 0, 1 / (1 + exp(2)), 1 / (1 + exp(-1.5)));
  check_activation("Softplus", 1, 0, log(1 + exp(-2)), log(1 + exp(1.5)));
  check_activation("Softsign", 1, 0, -2.0 / 3, 0.6);
  check_activation("Tanh", 1, 0, tanh(-2), tanh(1.5));
}

/* The cell's activation and the last one each take a number, in order. */
static void check_leaky(const char *name, float alpha, double low, double high) {
  const char *names[] = {"Relu", name, name};
  const float alphas[] = {alpha, alpha};
  check_nodes_outputs(
      LPOT_OP_LSTM,
      ATTRIBUTES(
          {.name = "activations", .kind = LPOT_ATTRIBUTE_STRINGS, .strings = names, .count = 3},
          {.name = "activation_alpha", .kind = LPOT_ATTRIBUTE_FLOATS, .reals = alphas, .count = 2}),
      TENSORS(TENSOR(F, SHAPE(1, 2, 1), -2, 1.5), TENSOR(F, SHAPE(1, 4, 1), 0, 0, 0, 1), ZERO_R,
              TENSOR(F, SHAPE(1, 8), 1, 1, 0, 0, 0, 0, 0, 0)),
      TENSORS(NULL, TENSOR(F, SHAPE(1, 2, 1), low, high)), 1e-6);
}

static void leaks_and_thresholds_are_told_by_alpha(void **state) {
  (void)state;
  check_leaky("LeakyRelu", 0.5f, -0.5, 1.5);
  check_leaky("ThresholdedRelu", 1.25f, 0, 1.5);
  check_leaky("ThresholdedRelu", 1.75f, 0, 0);
}

static void lstm_refuses_what_does_not_fit(void **state) {
  (void)state;
  static const char *names[] = {"Sine", "Tanh", "Tanh"};
  lpot_tensor *wrong_weights[] = {X2, TENSOR(F, SHAPE(1, 4, 2), 0, 0, 0, 0, 0, 0, 0, 0), ZERO_R};
  check_fails(LPOT_OP_LSTM, NO_ATTRIBUTES, wrong_weights, 3, TENSOR(F, SHAPE(2, 1, 1, 1), 0, 0),
              LPOT_INVALID, "input 1");
  lpot_tensor *inputs[] = {X2, TENSOR(F, SHAPE(1, 4, 1), 0, 0, 0, 0), ZERO_R};
  check_fails(
      LPOT_OP_LSTM,
      ATTRIBUTES(
          {.name = "activations", .kind = LPOT_ATTRIBUTE_STRINGS, .strings = names, .count = 3}),
      inputs, 3, TENSOR(F, SHAPE(2, 1, 1, 1), 0, 0), LPOT_UNSUPPORTED, "activation 'Sine'");
  lpot_tensor *again[] = {X2, TENSOR(F, SHAPE(1, 4, 1), 0, 0, 0, 0), ZERO_R};
  check_fails(LPOT_OP_LSTM, ATTRIBUTES(LINEAR(2)), again, 3, TENSOR(F, SHAPE(2, 1, 1, 1), 0, 0),
              LPOT_INVALID, "activations has 2 values, expected 3");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_step_follows_the_formula),
      cmocka_unit_test(usual_activations_are_sigmoid_and_tanh),
      cmocka_unit_test(bias_recurrence_states_and_peepholes_take_part),
      cmocka_unit_test(the_other_direction_starts_at_the_end),
      cmocka_unit_test(short_sequences_end_early_and_give_zeros),
      cmocka_unit_test(batches_may_come_first),
      cmocka_unit_test(gates_are_clipped_and_coupled_when_told),
      cmocka_unit_test(activations_take_their_own_numbers),
      cmocka_unit_test(every_activation_has_its_formula),
      cmocka_unit_test(leaks_and_thresholds_are_told_by_alpha),
      cmocka_unit_test(lstm_refuses_what_does_not_fit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
