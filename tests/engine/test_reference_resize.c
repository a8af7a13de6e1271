#include "support/tensor_check.h"

#define F LPOT_F32
#define MODE(text) STRING("mode", text)
#define COORDINATES(text) STRING("coordinate_transformation_mode", text)
#define ROW4 TENSOR(F, SHAPE(1, 1, 4), 1, 2, 3, 4)
#define SCALES(last) TENSOR(F, SHAPE(3), 1, 1, (last))
#define SIZES(last) TENSOR(LPOT_S64, SHAPE(3), 1, 1, (last))

static void nearest_repeats_elements(void **state) {
  (void)state;
  check_node(
      LPOT_OP_RESIZE, NO_ATTRIBUTES,
      TENSORS(TENSOR(F, SHAPE(1, 1, 2, 2), 1, 2, 3, 4), NULL, TENSOR(F, SHAPE(4), 1, 1, 2, 2)),
      TENSOR(F, SHAPE(1, 1, 4, 4), 1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4), 0);
}

static void nearest_modes_break_ties_their_way(void **state) {
  (void)state;
  /* Half pixel at scale 0.5: the outputs lie at 0.5 and 2.5. */
  check_node(LPOT_OP_RESIZE, ATTRIBUTES(STRING("nearest_mode", "round_prefer_floor")),
             TENSORS(ROW4, NULL, SCALES(0.5)), TENSOR(F, SHAPE(1, 1, 2), 1, 3), 0);
  check_node(LPOT_OP_RESIZE, ATTRIBUTES(STRING("nearest_mode", "round_prefer_ceil")),
             TENSORS(ROW4, NULL, SCALES(0.5)), TENSOR(F, SHAPE(1, 1, 2), 2, 4), 0);
  check_node(LPOT_OP_RESIZE, ATTRIBUTES(STRING("nearest_mode", "floor")),
             TENSORS(ROW4, NULL, SCALES(0.5)), TENSOR(F, SHAPE(1, 1, 2), 1, 3), 0);
  check_node(LPOT_OP_RESIZE, ATTRIBUTES(STRING("nearest_mode", "ceil")),
             TENSORS(ROW4, NULL, SCALES(0.5)), TENSOR(F, SHAPE(1, 1, 2), 2, 4), 0);
}

static void nearest_computes_coordinates_in_float(void **state) {
  (void)state;
  /* 4 / 0.8f is 5 in float and a little less in double. */
  check_node(LPOT_OP_RESIZE, ATTRIBUTES(COORDINATES("asymmetric"), STRING("nearest_mode", "floor")),
             TENSORS(TENSOR(F, SHAPE(1, 1, 7), 0, 1, 2, 3, 4, 5, 6), NULL, SCALES((double)0.8f)),
             TENSOR(F, SHAPE(1, 1, 5), 0, 1, 2, 3, 5), 0);
}

static void nearest_keeps_the_element_type(void **state) {
  (void)state;
  check_node(LPOT_OP_RESIZE, NO_ATTRIBUTES,
             TENSORS(TENSOR(LPOT_U8, SHAPE(1, 1, 2), 7, 8), NULL, NULL, SIZES(4)),
             TENSOR(LPOT_U8, SHAPE(1, 1, 4), 7, 7, 8, 8), 0);
}

static void linear_interpolates_between_half_pixels(void **state) {
  (void)state;
  check_node(LPOT_OP_RESIZE, ATTRIBUTES(MODE("linear")),
             TENSORS(TENSOR(F, SHAPE(1, 1, 2), 1, 3), NULL, SCALES(2)),
             TENSOR(F, SHAPE(1, 1, 4), 1, 1.5, 2.5, 3), 1e-6);
}

static void linear_respects_coordinate_modes(void **state) {
  (void)state;
  check_node(LPOT_OP_RESIZE, ATTRIBUTES(MODE("linear"), COORDINATES("align_corners")),
             TENSORS(TENSOR(F, SHAPE(1, 1, 2), 1, 4), NULL, NULL, SIZES(4)),
             TENSOR(F, SHAPE(1, 1, 4), 1, 2, 3, 4), 1e-6);
  check_node(LPOT_OP_RESIZE, ATTRIBUTES(MODE("linear"), COORDINATES("asymmetric")),
             TENSORS(TENSOR(F, SHAPE(1, 1, 2), 1, 3), NULL, SCALES(2)),
             TENSOR(F, SHAPE(1, 1, 4), 1, 2, 3, 3), 1e-6);
  check_node(LPOT_OP_RESIZE, ATTRIBUTES(MODE("linear"), COORDINATES("pytorch_half_pixel")),
             TENSORS(ROW4, NULL, NULL, SIZES(1)), TENSOR(F, SHAPE(1, 1, 1), 1), 1e-6);
  check_node(LPOT_OP_RESIZE, ATTRIBUTES(MODE("linear")), TENSORS(ROW4, NULL, NULL, SIZES(1)),
             TENSOR(F, SHAPE(1, 1, 1), 2.5), 1e-6);
}

static void linear_works_on_two_axes(void **state) {
  (void)state;
  check_node(LPOT_OP_RESIZE, ATTRIBUTES(MODE("linear"), COORDINATES("align_corners")),
             TENSORS(TENSOR(F, SHAPE(1, 1, 2, 2), 0, 2, 4, 6), NULL, NULL,
                     TENSOR(LPOT_S64, SHAPE(4), 1, 1, 3, 3)),
             TENSOR(F, SHAPE(1, 1, 3, 3), 0, 1, 2, 2, 3, 4, 4, 5, 6), 1e-6);
}

static void cubic_weighs_four_neighbours(void **state) {
  (void)state;
  /* At 1.5 with a = -0.75 the weights are -3/32, 19/32, 19/32, -3/32. */
  check_node(LPOT_OP_RESIZE, ATTRIBUTES(MODE("cubic")),
             TENSORS(TENSOR(F, SHAPE(1, 1, 4), 1, 2, 4, 16), NULL, NULL, SIZES(1)),
             TENSOR(F, SHAPE(1, 1, 1), (-3.0 + 38.0 + 76.0 - 48.0) / 32.0), 1e-6);
}

static void cubic_may_leave_outside_neighbours_out(void **state) {
  (void)state;
  /* At 0.5 of two elements only the middle weights are left, and they are equal. */
  check_node(LPOT_OP_RESIZE, ATTRIBUTES(MODE("cubic"), INT("exclude_outside", 1)),
             TENSORS(TENSOR(F, SHAPE(1, 1, 2), 1, 3), NULL, NULL, SIZES(1)),
             TENSOR(F, SHAPE(1, 1, 1), 2), 1e-6);
}

static void a_crop_may_reach_outside(void **state) {
  (void)state;
  const lpot_attribute attributes[] = {COORDINATES("tf_crop_and_resize"), MODE("linear"),
                                       FLOAT("extrapolation_value", 9.0f), INTS("axes", 2)};
  /* From 1 to 2 in units of the last index 3: 3, 4.5 and 6, of which only the first is inside. */
  check_node(LPOT_OP_RESIZE, attributes, 4,
             TENSORS(ROW4, TENSOR(F, SHAPE(2), 1, 2), NULL, TENSOR(LPOT_S64, SHAPE(1), 3)),
             TENSOR(F, SHAPE(1, 1, 3), 4, 9, 9), 1e-6);
  /* The same without linear: nearest. */
  check_node(LPOT_OP_RESIZE, ATTRIBUTES(COORDINATES("tf_crop_and_resize"), INTS("axes", 2)),
             TENSORS(ROW4, TENSOR(F, SHAPE(2), -1, 1), NULL, TENSOR(LPOT_S64, SHAPE(1), 3)),
             TENSOR(F, SHAPE(1, 1, 3), 0, 1, 4), 0);
  /* A single element lies in the middle; equal sizes do not mean that nothing happens. */
  check_node(LPOT_OP_RESIZE, attributes, 4,
             TENSORS(ROW4, TENSOR(F, SHAPE(2), 0, 1), NULL, TENSOR(LPOT_S64, SHAPE(1), 1)),
             TENSOR(F, SHAPE(1, 1, 1), 2.5), 1e-6);
  check_node(LPOT_OP_RESIZE, attributes, 4,
             TENSORS(ROW4, TENSOR(F, SHAPE(2), 1, 0), NULL, TENSOR(LPOT_S64, SHAPE(1), 4)),
             TENSOR(F, SHAPE(1, 1, 4), 4, 3, 2, 1), 1e-6);
}

#define IMAGE4 TENSOR(F, SHAPE(1, 1, 4, 4), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)

static void antialias_widens_the_kernel(void **state) {
  (void)state;
  check_node(LPOT_OP_RESIZE, ATTRIBUTES(MODE("linear"), INT("antialias", 1)),
             TENSORS(IMAGE4, NULL, TENSOR(F, SHAPE(4), 1, 1, (double)0.6f, (double)0.6f)),
             TENSOR(F, SHAPE(1, 1, 2, 2), 2.875, 4.5, 9.375, 11), 1e-5);
  check_node(LPOT_OP_RESIZE, ATTRIBUTES(MODE("cubic"), INT("antialias", 1)),
             TENSORS(IMAGE4, NULL, TENSOR(F, SHAPE(4), 1, 1, (double)0.6f, (double)0.6f)),
             TENSOR(F, SHAPE(1, 1, 2, 2), 2.5180721, 4.2858863, 9.589329, 11.357142), 1e-5);
  check_node(LPOT_OP_RESIZE, ATTRIBUTES(MODE("linear"), INT("antialias", 1)),
             TENSORS(IMAGE4, NULL, NULL, TENSOR(LPOT_S64, SHAPE(4), 1, 1, 3, 3)),
             TENSOR(F, SHAPE(1, 1, 3, 3), 2.3636363, 3.590909, 4.818182, 7.2727275, 8.5, 9.727273,
                    12.181818, 13.409091, 14.636364),
             1e-5);
}

static void antialias_changes_nothing_when_enlarging(void **state) {
  (void)state;
  check_node(LPOT_OP_RESIZE, ATTRIBUTES(MODE("linear"), INT("antialias", 1)),
             TENSORS(TENSOR(F, SHAPE(1, 1, 2), 1, 3), NULL, SCALES(2)),
             TENSOR(F, SHAPE(1, 1, 4), 1, 1.5, 2.5, 3), 1e-6);
}

static void one_scale_keeps_the_aspect_ratio(void **state) {
  (void)state;
  /* Twice the height would fit, but three times the width only if not larger is not asked for. */
  check_node(LPOT_OP_RESIZE,
             ATTRIBUTES(INTS("axes", 1, 2), STRING("keep_aspect_ratio_policy", "not_larger"),
                        STRING("nearest_mode", "floor"), COORDINATES("asymmetric")),
             TENSORS(TENSOR(F, SHAPE(1, 1, 2), 1, 2), NULL, NULL, TENSOR(LPOT_S64, SHAPE(2), 2, 6)),
             TENSOR(F, SHAPE(1, 2, 4), 1, 1, 2, 2, 1, 1, 2, 2), 0);
}

static void resize_refuses_what_it_lacks(void **state) {
  (void)state;
  check_fails(LPOT_OP_RESIZE, ATTRIBUTES(COORDINATES("tf_crop_and_resize")),
              TENSORS(ROW4, NULL, SCALES(0.5)), TENSOR(F, SHAPE(1, 1, 2), 0, 0), LPOT_INVALID,
              "roi is missing");
  check_fails(LPOT_OP_RESIZE, ATTRIBUTES(COORDINATES("tf_crop_and_resize")),
              TENSORS(ROW4, TENSOR(F, SHAPE(2), 0, 1), SCALES(0.5)),
              TENSOR(F, SHAPE(1, 1, 2), 0, 0), LPOT_INVALID, "roi has 2 values, expected 6");
  check_fails(LPOT_OP_RESIZE, ATTRIBUTES(COORDINATES("quarter_pixel")),
              TENSORS(ROW4, NULL, SCALES(0.5)), TENSOR(F, SHAPE(1, 1, 2), 0, 0), LPOT_UNSUPPORTED,
              "quarter_pixel");
  check_fails(LPOT_OP_RESIZE, ATTRIBUTES(MODE("linear"), INT("antialias", 1)),
              TENSORS(ROW4, NULL, SCALES(1e-9)), TENSOR(F, SHAPE(1, 1, 2), 0, 0), LPOT_UNSUPPORTED,
              "antialias with a scale");
  check_fails(LPOT_OP_RESIZE, NO_ATTRIBUTES, TENSORS(ROW4, NULL, TENSOR(F, SHAPE(2), 1, 1)),
              TENSOR(F, SHAPE(1, 1, 4), 0, 0, 0, 0), LPOT_INVALID, "scales has 2 values");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nearest_repeats_elements),
      cmocka_unit_test(nearest_modes_break_ties_their_way),
      cmocka_unit_test(nearest_computes_coordinates_in_float),
      cmocka_unit_test(nearest_keeps_the_element_type),
      cmocka_unit_test(linear_interpolates_between_half_pixels),
      cmocka_unit_test(linear_respects_coordinate_modes),
      cmocka_unit_test(linear_works_on_two_axes),
      cmocka_unit_test(cubic_weighs_four_neighbours),
      cmocka_unit_test(cubic_may_leave_outside_neighbours_out),
      cmocka_unit_test(a_crop_may_reach_outside),
      cmocka_unit_test(antialias_widens_the_kernel),
      cmocka_unit_test(antialias_changes_nothing_when_enlarging),
      cmocka_unit_test(one_scale_keeps_the_aspect_ratio),
      cmocka_unit_test(resize_refuses_what_it_lacks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
