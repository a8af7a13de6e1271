#include "graph/einsum.h"

#include "graph_fixture.h"

static lpot_einsum einsum;

static lpot_status resolve(const char *equation, lpot_shape a, lpot_shape b) {
  const lpot_shape *shapes[2] = {&a, &b};
  lpot_status status = lpot_einsum_resolve(equation, shapes, 2, &einsum, &error);
  return status;
}

static void assert_result(const char *expected) {
  char text[160];
  lpot_shape shape = lpot_shape_of(einsum.num_output, einsum.dims);
  lpot_shape_text(&shape, text, sizeof text);
  assert_string_equal(text, expected);
}

static void letters_are_summed_unless_the_result_has_them(void **state) {
  (void)state;
  require(resolve("bij,bjk->bik", lpot_shape_of(DIMS(2, 3, 4)), lpot_shape_of(DIMS(2, 4, 5))));
  assert_result("[2, 3, 5]");
  assert_int_equal(einsum.num_labels, 4);
  assert_int_equal(einsum.of_input[0][2], einsum.of_input[1][1]);
  assert_int_equal(einsum.dims[einsum.of_input[0][2]], 4);
}

static void an_implied_result_is_alphabetical(void **state) {
  (void)state;
  require(resolve(" zj , jA ", lpot_shape_of(DIMS(2, 3)), lpot_shape_of(DIMS(3, 5))));
  assert_result("[5, 2]");
}

static void an_ellipsis_broadcasts(void **state) {
  (void)state;
  require(
      resolve("...ij,...jk->...ik", lpot_shape_of(DIMS(7, 1, 2, 3)), lpot_shape_of(DIMS(6, 3, 4))));
  assert_result("[7, 6, 2, 4]");
  require(resolve("i...,i...->...", lpot_shape_of(DIMS(2, 3)), lpot_shape_of(DIMS(2, 3))));
  assert_result("[3]");
}

static void unknown_sizes_flow_through(void **state) {
  (void)state;
  require(resolve("bi,ij->bj", lpot_shape_of(DIMS(UNKNOWN, 3)), lpot_shape_of(DIMS(3, UNKNOWN))));
  assert_result("[?, ?]");
  require(resolve("bi,bj->b", lpot_shape_of(DIMS(UNKNOWN, 3)), lpot_shape_of(DIMS(5, 4))));
  assert_result("[5]");
}

static void malformed_equations_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *equation;
    const char *message;
  } table[] = {
      {"ij", "the equation has 1 terms, expected 2"},
      {"ij,jk,kl", "the equation has 3 terms, expected 2"},
      {"", "the equation has 1 terms, expected 2"},
      {"ij,jk-ik", "the equation is malformed"},
      {"ij,jk->ik->", "the equation is malformed"},
      {"ij,j1", "the equation is malformed"},
      {"i..,jk", "the equation is malformed"},
      {"...i...,jk", "the equation is malformed"},
      {"ij,jk->iz", "'z' of the result is in no term"},
      {"ij,jk->ii", "'i' of the result is there twice"},
      {"ijk,jk->i", "input 0 has rank 2, its term names 3 dimensions"},
      {"i,jk->i", "input 0 has rank 2, its term names 1 dimensions"},
      {"ij,ij->i", "dimension i has the sizes 2 and 3"},
      {"...,...->...", "... has the sizes"},
  };
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    assert_int_equal(
        resolve(table[i].equation, lpot_shape_of(DIMS(2, 3)), lpot_shape_of(DIMS(3, 4))),
        LPOT_FORMAT);
    assert_message(table[i].message);
  }
}

static void more_than_we_take_is_refused(void **state) {
  (void)state;
  assert_int_equal(resolve("abcdefghi,a", lpot_shape_of(DIMS(1)), lpot_shape_of(DIMS(1))),
                   LPOT_UNSUPPORTED);
  assert_int_equal(resolve("a,a,a,a,a,a,a,a,a", lpot_shape_of(DIMS(1)), lpot_shape_of(DIMS(1))),
                   LPOT_UNSUPPORTED);
  assert_int_equal(resolve("abcde,fghij", lpot_shape_of(DIMS(1, 1, 1, 1, 1)),
                           lpot_shape_of(DIMS(1, 1, 1, 1, 1))),
                   LPOT_UNSUPPORTED);
  assert_message("the result has rank 10, expected at most 8");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPH_TEST(letters_are_summed_unless_the_result_has_them),
      GRAPH_TEST(an_implied_result_is_alphabetical),
      GRAPH_TEST(an_ellipsis_broadcasts),
      GRAPH_TEST(unknown_sizes_flow_through),
      GRAPH_TEST(malformed_equations_are_refused),
      GRAPH_TEST(more_than_we_take_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
