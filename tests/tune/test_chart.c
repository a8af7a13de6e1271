#include "tune/tune_fixture.h"

#include <math.h>

#include "tune/chart.h"

static void steps_are_round(void **state) {
  (void)state;
  static const struct {
    double span, step;
  } cases[] = {{1, 0.2}, {0.9, 0.2},       {8, 1},     {8.1, 2},
               {41, 10}, {0.0012, 0.0002}, {5e6, 1e6}, {0, 1}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    double step = lpot_chart_step(cases[i].span, 8);
    if (fabs(step - cases[i].step) > 1e-9 * cases[i].step) {
      fail_msg("a span of %g has steps of %g, expected %g", cases[i].span, step, cases[i].step);
    }
  }
  assert_true(lpot_chart_step((double)NAN, 8) == 1 && lpot_chart_step((double)INFINITY, 8) == 1);
}

static void reserved_characters_are_escaped(void **state) {
  (void)state;
  lpot_buffer out;
  lpot_buffer_init(&out);
  assert_int_equal(lpot_html_text(&out, "a<b> & \"c\"\x01\n", NULL), LPOT_OK);
  assert_int_equal(lpot_buffer_terminate(&out, NULL), LPOT_OK);
  assert_string_equal((char *)out.data, "a&lt;b&gt; &amp; &quot;c&quot;\n");
  lpot_buffer_done(&out);
}

static char *draw(const lpot_chart *chart) {
  lpot_buffer out;
  lpot_buffer_init(&out);
  assert_int_equal(lpot_chart_draw(chart, &out, NULL), LPOT_OK);
  assert_int_equal(lpot_buffer_terminate(&out, NULL), LPOT_OK);
  return (char *)out.data;
}

static size_t count(const char *text, const char *part) {
  size_t found = 0;
  for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
    found++;
  }
  return found;
}

static void points_lie_within_the_axes(void **state) {
  (void)state;
  const lpot_chart_point points[] = {
      {1, 0.5, 1, 1, 0.4, 0.6, "meets", "first <one>", true},
      {3, 0.9, 2, 4, 0.9, 0.9, "misses", "second", false},
      {2, (double)NAN, 2, 2, (double)NAN, (double)NAN, "misses", "unknown", true}};
  const lpot_chart_line lines[] = {{0.95, "target", "asked for"}, {(double)NAN, "target", "no"}};
  const lpot_chart chart = {.title = "t",
                            .x_label = "x",
                            .y_label = "y",
                            .num_points = 3,
                            .points = points,
                            .num_lines = 2,
                            .lines = lines};
  char *text = draw(&chart);
  assert_int_equal(count(text, "<circle"), 3);
  assert_int_equal(count(text, "<circle class='ring'"), 1);
  assert_int_equal(count(text, "class='whisker'"), 2);
  assert_int_equal(count(text, "class='target'"), 1);
  assert_non_null(strstr(text, "first &lt;one&gt;"));
  assert_null(strstr(text, "nan"));
  for (const char *at = strstr(text, " cx='"); at != NULL; at = strstr(at + 1, " cx='")) {
    double x = strtod(at + 5, NULL);
    double y = strtod(strstr(at, "cy='") + 4, NULL);
    assert_true(x > 78 && x < 744 && y > 14 && y < 292);
  }
  free(text);
}

static void chart_of_nothing_or_of_equal_values_is_drawn(void **state) {
  (void)state;
  const lpot_chart_point same[] = {{1, 0.9, 1, 1, 0.9, 0.9, "meets", "a", false},
                                   {1, 0.9, 1, 1, 0.9, 0.9, "meets", "b", false}};
  lpot_chart chart = {.title = "t", .x_label = "x", .y_label = "y", .whole_x = true};
  char *text = draw(&chart);
  assert_int_equal(count(text, "<circle"), 0);
  assert_null(strstr(text, "inf"));
  free(text);
  chart.num_points = 2;
  chart.points = same;
  text = draw(&chart);
  assert_int_equal(count(text, "<circle"), 2);
  assert_true(count(text, "class='grid'") < 60);
  free(text);
}

static void bars_begin_at_zero_and_keep_their_values(void **state) {
  (void)state;
  static const char *const series[] = {"f32", "int8"};
  static const char *const labels[] = {"a<b", "a/very/long/name/of/an/op/that/is/cut/at/its/begin"};
  const double values[] = {4, 2, (double)NAN, -1};
  const lpot_bar_chart chart = {.title = "\"t\"",
                                .x_label = "us",
                                .num_series = 2,
                                .series = series,
                                .num_rows = 2,
                                .labels = labels,
                                .values = values};
  lpot_buffer out;
  lpot_buffer_init(&out);
  assert_int_equal(lpot_bars_draw(&chart, &out, NULL), LPOT_OK);
  assert_int_equal(lpot_buffer_terminate(&out, NULL), LPOT_OK);
  const char *text = (const char *)out.data;
  /* 250 to 700 of 760 are the values 0 to 4. */
  assert_non_null(
      strstr(text, "<rect class='bar0' x='250.0' y='29.0' width='450.0' height='9.0'/>"));
  assert_non_null(
      strstr(text, "<rect class='bar1' x='250.0' y='39.0' width='225.0' height='9.0'/>"));
  assert_non_null(strstr(text, "<rect class='bar1' x='250.0' y='65.0' width='0.0' height='9.0'/>"));
  assert_int_equal(count(text, "class='bar0'"), 2); /* one of them is in the legend */
  assert_int_equal(count(text, "class='value'"), 3);
  assert_non_null(strstr(text, ">-1</text>"));
  assert_non_null(strstr(text, "a&lt;b"));
  assert_non_null(strstr(text, ">&hellip;me/of/an/op/that/is/cut/at/its/begin<"));
  assert_non_null(strstr(text, "aria-label=\"&quot;t&quot;\""));
  lpot_buffer_done(&out);
}

static void bars_of_nothing_are_a_picture_too(void **state) {
  (void)state;
  const lpot_bar_chart chart = {.title = "t", .x_label = "x", .num_series = 1};
  lpot_buffer out;
  lpot_buffer_init(&out);
  assert_int_equal(lpot_bars_draw(&chart, &out, NULL), LPOT_OK);
  lpot_buffer_done(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(steps_are_round),
      cmocka_unit_test(reserved_characters_are_escaped),
      cmocka_unit_test(points_lie_within_the_axes),
      cmocka_unit_test(chart_of_nothing_or_of_equal_values_is_drawn),
      cmocka_unit_test(bars_begin_at_zero_and_keep_their_values),
      cmocka_unit_test(bars_of_nothing_are_a_picture_too),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
