#include "graph/non_max_suppression.h"

#include "graph_fixture.h"

/* Three boxes: the second overlaps the first by 0.9 / 1.1, the third stands alone. */
#define BOXES 0, 0, 1, 1, 0, 0.1F, 1, 1.1F, 0, 10, 1, 11
#define CENTRED 0.5F, 0.5F, 1, 1, 0.6F, 0.5F, 1, 1, 10.5F, 0.5F, 1, 1

typedef struct fixture {
  lpot_value_id values[5];
  lpot_node_id node;
  lpot_selection selection;
} fixture;

static void begin(fixture *f, const float *boxes, int64_t most, float overlap) {
  f->values[0] = reals("boxes", DIMS(1, 3, 4), boxes);
  f->values[1] = reals("scores", DIMS(1, 1, 3), REALS(0.75F, 0.9F, 0.5F));
  f->values[2] = scalar_int(most);
  f->values[3] = reals("overlap", DIMS(1), &overlap);
  f->node = node_of(LPOT_OP_NON_MAX_SUPPRESSION, "n", 4, f->values);
}

static lpot_status run(fixture *f, int num_inputs) {
  const lpot_tensor *inputs[5] = {NULL};
  for (int i = 0; i < num_inputs; i++) {
    inputs[i] = lpot_graph_value(graph, f->values[i])->constant;
  }
  lpot_node node = *lpot_graph_node(graph, f->node);
  node.num_inputs = num_inputs;
  lpot_status status = lpot_non_max_suppression(&node, inputs, &f->selection, &error);
  return status;
}

static void check_boxes(fixture *f, size_t count, const int64_t *boxes) {
  assert_int_equal(f->selection.count, count);
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(f->selection.triples[i * LPOT_SELECTION_WIDTH + 2], boxes[i]);
  }
  lpot_selection_done(&f->selection);
}

static void overlapping_boxes_give_way_to_the_best(void **state) {
  (void)state;
  fixture f;
  begin(&f, REALS(BOXES), 3, 0.5F);
  require(run(&f, 4));
  check_boxes(&f, INTS(1, 2));
}

static void a_high_threshold_keeps_them(void **state) {
  (void)state;
  fixture f;
  begin(&f, REALS(BOXES), 3, 0.9F);
  require(run(&f, 4));
  check_boxes(&f, INTS(1, 0, 2));
}

static void at_most_so_many_are_kept(void **state) {
  (void)state;
  fixture f;
  begin(&f, REALS(BOXES), 1, 0.5F);
  require(run(&f, 4));
  check_boxes(&f, INTS(1));
  require(run(&f, 2)); /* without the input: none */
  check_boxes(&f, 0, NULL);
}

static void scores_must_exceed_the_threshold(void **state) {
  (void)state;
  fixture f;
  begin(&f, REALS(BOXES), 3, 0.5F);
  f.values[4] = reals("score", 0, NULL, REALS(0.5F));
  require(run(&f, 5));
  check_boxes(&f, INTS(1));
}

static void boxes_may_be_given_by_centre_and_size(void **state) {
  (void)state;
  fixture f;
  begin(&f, REALS(CENTRED), 3, 0.5F);
  set_int(f.node, "center_point_box", 1);
  require(run(&f, 4));
  check_boxes(&f, INTS(1, 2));
}

static void shapes_that_do_not_fit_are_refused(void **state) {
  (void)state;
  fixture f;
  begin(&f, REALS(BOXES), 3, 0.5F);
  f.values[1] = zeros("scores", LPOT_F32, DIMS(1, 1, 4));
  assert_int_equal(run(&f, 4), LPOT_FORMAT);
  assert_message("the shapes of boxes and scores are not");
  f.values[1] = zeros("scores", LPOT_F32, DIMS(1, 3));
  assert_int_equal(run(&f, 4), LPOT_FORMAT);
  assert_message("input 1 (scores) has rank 2, expected 3");
  f.values[1] = zeros("scores", LPOT_F32, DIMS(1, 1, 3));
  f.values[2] = ints(INTS(1, 2));
  assert_int_equal(run(&f, 4), LPOT_FORMAT);
  assert_message("input 2 is no scalar");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(overlapping_boxes_give_way_to_the_best),
      GRAPH_TEST(a_high_threshold_keeps_them),
      GRAPH_TEST(at_most_so_many_are_kept),
      GRAPH_TEST(scores_must_exceed_the_threshold),
      GRAPH_TEST(boxes_may_be_given_by_centre_and_size),
      GRAPH_TEST(shapes_that_do_not_fit_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
