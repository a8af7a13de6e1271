#include "engine/engine_fixture.h"

#include "engine/onednn/dl.h"

/* Convolutions of random shapes, f32 and int8, held against the reference engine. */

typedef struct geometry {
  int64_t batch, in, out, group, height, width, kernel_h, kernel_w, stride, pad[4], dilation;
} geometry;

static geometry random_geometry(fixture *f) {
  static const int64_t groups[] = {1, 1, 1, 2, 4, 0};
  geometry g = {0};
  g.batch = pick(f, 1, 3);
  g.group = groups[pick(f, 0, 5)];
  g.in = pick(f, 1, 5) * (g.group > 0 ? g.group : 4);
  g.out = g.group > 0 ? pick(f, 1, 6) * g.group : g.in; /* 0: depthwise */
  g.group = g.group > 0 ? g.group : g.in;
  g.kernel_h = pick(f, 1, 4);
  g.kernel_w = pick(f, 1, 3);
  g.stride = pick(f, 1, 2);
  g.dilation = pick(f, 0, 3) == 0 ? 2 : 1;
  for (int i = 0; i < 4; ++i) {
    g.pad[i] = pick(f, 0, 1);
  }
  g.height = pick(f, 8, 13);
  g.width = pick(f, 8, 13);
  return g;
}

static void set_geometry(fixture *f, const geometry *g) {
  CHECK(lpot_graph_set_ints(f->graph, f->last, "pads", g->pad, 4, e));
  CHECK(lpot_graph_set_ints(f->graph, f->last, "strides", (int64_t[]){g->stride, g->stride}, 2, e));
  CHECK(lpot_graph_set_ints(f->graph, f->last, "dilations", (int64_t[]){g->dilation, g->dilation},
                            2, e));
  CHECK(lpot_graph_set_int(f->graph, f->last, "group", g->group, e));
}

static lpot_value_id f32_conv(fixture *f, lpot_value_id from, const geometry *g) {
  lpot_value_id w = weights(f, 0.3, DIMS(g->out, g->in / g->group, g->kernel_h, g->kernel_w));
  lpot_value_id b = weights(f, 1.0, DIMS(g->out));
  lpot_value_id id = output_of(f, LPOT_OP_CONV, IDS(from, w, b));
  set_geometry(f, g);
  return id;
}

static lpot_value_id int8_conv(fixture *f, lpot_value_id from, const geometry *g) {
  lpot_value_id w = int8_weights(f, 0, pick(f, 0, 1) == 1,
                                 DIMS(g->out, g->in / g->group, g->kernel_h, g->kernel_w));
  lpot_value_id b = weights(f, 1.0, DIMS(g->out));
  lpot_value_id id = output_of(f, LPOT_OP_CONV, IDS(from, w, b));
  set_geometry(f, g);
  return id;
}

static void f32_convolutions_agree_with_the_reference(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    geometry g = random_geometry(&f);
    lpot_value_id x = input(&f, DIMS(g.batch, g.in, g.height, g.width));
    lpot_value_id y = f32_conv(&f, x, &g);
    if (seed % 3 == 1) {
      y = output_of(&f, LPOT_OP_RELU, IDS(y));
    } else if (seed % 3 == 2) {
      lpot_value_id low = number(&f, LPOT_F32, -0.5);
      lpot_value_id high = number(&f, LPOT_F32, 1.5);
      y = output_of(&f, LPOT_OP_CLIP, IDS(y, low, high));
    }
    result(&f, y);
    check_engines_agree(&f, 0.0, "conv");
  }
}

static void int8_convolutions_agree_for_all_activation_types(void **state) {
  (void)state;
  static const struct {
    lpot_dtype dtype;
    int zero_point;
  } types[] = {{LPOT_U8, 0}, {LPOT_U8, 117}, {LPOT_U8, 128}, {LPOT_S8, 0}, {LPOT_S8, -13}};
  for (uint64_t seed = 0; seed < 100; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    geometry g = random_geometry(&f);
    lpot_dtype in = types[seed % 5].dtype;
    lpot_dtype out = types[seed / 5 % 5].dtype;
    lpot_value_id x = input(&f, DIMS(g.batch, g.in, g.height, g.width));
    lpot_value_id q = pair(&f, x, in, 0.02, types[seed % 5].zero_point);
    lpot_value_id y = int8_conv(&f, q, &g);
    if (pick(&f, 0, 1) == 1) {
      y = output_of(&f, LPOT_OP_RELU, IDS(y));
    }
    result(&f, pair(&f, y, out, 0.05, types[seed / 5 % 5].zero_point));
    bool is_grouped = g.group > 1 && (g.in != g.group || g.out != g.group); /* may run in f32 */
    bool is_one_channel = g.in == g.group && g.out != g.group;
    check_engines_agree(&f, 0.05, is_one_channel || is_grouped ? NULL : "conv int8");
  }
}

/* oneDNN gets the borders of these wrong for s8: they must be right all the same. */
static void one_channel_per_group_is_right_at_the_borders(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 120; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    geometry g = random_geometry(&f);
    g.in = g.group = pick(&f, 0, 2) == 0 ? 4 : 1;
    g.out = g.group * pick(&f, 1, 6);
    lpot_value_id x = input(&f, DIMS(g.batch, g.in, g.height, g.width));
    lpot_value_id q = pair(&f, x, LPOT_S8, 0.02, seed % 2 == 0 ? 0 : -13);
    result(&f, pair(&f, int8_conv(&f, q, &g), LPOT_S8, 0.05, 0));
    check_engines_agree(&f, 0.05, NULL);
  }
}

static void residual_sum_keeps_the_rounding_of_the_convolution(void **state) {
  (void)state;
  static const lpot_dtype types[] = {LPOT_U8, LPOT_S8};
  for (uint64_t seed = 0; seed < 40; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    int64_t channels = pick(&f, 1, 8) * 4;
    geometry g = {.batch = 2,
                  .in = channels,
                  .out = channels,
                  .group = 1,
                  .height = 9,
                  .width = 7,
                  .kernel_h = 3,
                  .kernel_w = 3,
                  .stride = 1,
                  .pad = {1, 1, 1, 1},
                  .dilation = 1};
    lpot_value_id x = input(&f, DIMS(2, channels, 9, 7));
    lpot_dtype residual_type = types[seed % 2];
    lpot_dtype conv_type = types[seed / 2 % 2];
    lpot_dtype out_type = types[seed / 4 % 2];
    lpot_value_id q = pair(&f, x, residual_type, 0.03, residual_type == LPOT_U8 ? 100 : 5);
    lpot_value_id y = pair(&f, int8_conv(&f, q, &g), conv_type, 0.1, conv_type == LPOT_U8 ? 90 : 0);
    lpot_value_id sum = output_of(&f, LPOT_OP_ADD, IDS(y, q));
    if (seed % 3 == 0) {
      sum = output_of(&f, LPOT_OP_RELU, IDS(sum));
    }
    result(&f, pair(&f, sum, out_type, 0.11, out_type == LPOT_U8 ? 40 : -3));
    check_engines_agree(&f, 0.11, "conv int8 + sum");
  }
}

static void residual_that_is_read_again_survives_the_sum(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 7);
  geometry g = {.batch = 1,
                .in = 8,
                .out = 8,
                .group = 1,
                .height = 6,
                .width = 6,
                .kernel_h = 1,
                .kernel_w = 1,
                .stride = 1,
                .dilation = 1};
  lpot_value_id x = input(&f, DIMS(1, 8, 6, 6));
  lpot_value_id first = output_of(&f, LPOT_OP_RELU, IDS(f32_conv(&f, x, &g)));
  lpot_value_id sum = output_of(&f, LPOT_OP_ADD, IDS(f32_conv(&f, first, &g), first));
  lpot_value_id again = output_of(&f, LPOT_OP_ADD, IDS(sum, first));
  result(&f, sum);
  result(&f, again);
  check_engines_agree(&f, 0.0, "conv + sum");
}

static void one_dimensional_convolutions_agree(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    int64_t in = pick(&f, 1, 20), out = pick(&f, 1, 20), kernel = pick(&f, 1, 5);
    lpot_value_id x = input(&f, DIMS(2, in, 30));
    lpot_value_id w = weights(&f, 0.3, DIMS(out, in, kernel));
    lpot_value_id y = output_of(&f, LPOT_OP_CONV, IDS(x, w));
    CHECK(lpot_graph_set_ints(f.graph, f.last, "pads", (int64_t[]){1, 0}, 2, e));
    result(&f, y);
    check_engines_agree(&f, 0.0, "conv");
  }
}

static void transposed_convolutions_agree(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    int64_t group = pick(&f, 1, 2), in = 4 * group, out = pick(&f, 1, 5);
    lpot_value_id x = input(&f, DIMS(1, in, 5, 6));
    lpot_value_id w = weights(&f, 0.3, DIMS(in, out, 3, 2));
    lpot_value_id y = output_of(&f, LPOT_OP_CONV_TRANSPOSE, IDS(x, w));
    CHECK(lpot_graph_set_int(f.graph, f.last, "group", group, e));
    CHECK(lpot_graph_set_ints(f.graph, f.last, "strides", (int64_t[]){2, 1 + seed % 2}, 2, e));
    CHECK(lpot_graph_set_ints(f.graph, f.last, "pads", (int64_t[]){1, 0, 0, 1}, 4, e));
    result(&f, y);
    check_engines_agree(&f, 0.0, "conv");
  }
}

/* oneDNN 2.6 runs these by an implementation that is wrong. */
static void grouped_1x1_with_a_zero_point_is_right(void **state) {
  (void)state;
  static const int64_t shapes[][3] = {{8, 8, 1}, {4, 8, 2}, {2, 8, 4}, {16, 8, 1}};
  for (uint64_t seed = 0; seed < 8; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    const int64_t *shape = shapes[seed % 4];
    geometry g = {.batch = 2, .group = shape[0], .kernel_h = 1, .kernel_w = 1, .stride = 1};
    g.dilation = 1;
    g.in = shape[0] * shape[1];
    g.out = shape[0] * shape[2];
    lpot_value_id x = input(&f, DIMS(2, g.in, 6, 6));
    lpot_value_id q = pair(&f, x, seed < 4 ? LPOT_U8 : LPOT_S8, 0.02, seed < 4 ? 128 : 5);
    result(&f, pair(&f, int8_conv(&f, q, &g), LPOT_U8, 0.05, 128));
    check_engines_agree(&f, 0.05, NULL);
  }
}

/* Two clips in one chain of post-ops would share their limits. */
static void clip_behind_an_int8_sum_keeps_its_own_limits(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 4; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    geometry g = {.batch = 2, .in = 8, .out = 8, .group = 1, .kernel_h = 3, .kernel_w = 3};
    g.stride = g.dilation = 1;
    g.pad[0] = g.pad[1] = g.pad[2] = g.pad[3] = 1;
    lpot_value_id x = input(&f, DIMS(2, 8, 6, 6));
    lpot_value_id q = pair(&f, x, LPOT_U8, 0.02, 120);
    lpot_value_id c = pair(&f, int8_conv(&f, q, &g), LPOT_U8, 0.05, 120);
    lpot_value_id low = number(&f, LPOT_F32, -0.5);
    lpot_value_id y =
        output_of(&f, LPOT_OP_CLIP,
                  IDS(output_of(&f, LPOT_OP_ADD, IDS(c, q)), low, number(&f, LPOT_F32, 0.5)));
    result(&f, pair(&f, y, LPOT_U8, 0.02, 128));
    check_engines_agree(&f, 0.02, NULL);
  }
}

/* oneDNN reads outside of the residual where whole output rows see padding only. */
static void sums_with_pads_beyond_the_kernel_agree(void **state) {
  (void)state;
  static const int64_t kernels[][2] = {{1, 3}, {1, 1}, {2, 1}, {3, 3}, {1, 5}};
  for (uint64_t seed = 0; seed < 10; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    geometry g = {.batch = 2, .in = 16, .out = 16, .group = 1, .stride = 1, .dilation = 1};
    g.kernel_h = kernels[seed % 5][0];
    g.kernel_w = kernels[seed % 5][1];
    g.pad[0] = g.pad[2] = 1;
    g.pad[1] = g.pad[3] = g.kernel_w / 2;
    lpot_value_id x = input(&f, DIMS(2, 16, 9, 9));
    x = seed < 5 ? x : pair(&f, x, LPOT_U8, 0.02, 120);
    lpot_value_id c = seed < 5 ? f32_conv(&f, x, &g) : int8_conv(&f, x, &g);
    c = seed < 5 ? c : pair(&f, c, LPOT_U8, 0.05, 120);
    lpot_value_id r = seed < 5 ? f32_conv(&f, x, &g) : int8_conv(&f, x, &g);
    r = seed < 5 ? output_of(&f, LPOT_OP_TANH, IDS(r)) : pair(&f, r, LPOT_U8, 0.05, 110);
    lpot_value_id y = output_of(&f, LPOT_OP_RELU, IDS(output_of(&f, LPOT_OP_ADD, IDS(c, r))));
    result(&f, seed < 5 ? y : pair(&f, y, LPOT_U8, 0.05, 0));
    check_engines_agree(&f, seed < 5 ? 0.0 : 0.05, NULL);
  }
}

/* Shapes that tiled implementations of oneDNN 2.6.3 get wrong, or write behind their output for. */
static void shapes_that_tiles_get_wrong_are_right(void **state) {
  (void)state;
  static const geometry shapes[] = {
      {1, 160, 320, 1, 6, 8, 1, 1, 1, {0, 0, 0, 0}, 1},
      {2, 96, 128, 1, 15, 3, 1, 1, 1, {0, 0, 0, 0}, 1},
      {1, 160, 320, 1, 6, 6, 1, 1, 1, {0, 0, 0, 0}, 1},
      {1, 64, 64, 1, 6, 6, 1, 1, 1, {0, 0, 0, 0}, 1},
      {2, 64, 128, 1, 3, 11, 1, 1, 1, {0, 0, 0, 0}, 1},
      {1, 32, 32, 1, 15, 15, 3, 3, 1, {12, 12, 12, 12}, 12},
      {1, 32, 32, 1, 15, 15, 3, 3, 1, {6, 6, 6, 6}, 6},
      {1, 64, 16, 1, 9, 13, 9, 5, 1, {4, 2, 4, 2}, 1},
      {1, 64, 64, 1, 9, 9, 9, 9, 1, {4, 4, 4, 4}, 1},
  };
  for (uint64_t seed = 0; seed < 36; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    const geometry *g = &shapes[seed % 9];
    lpot_dtype dtype = seed / 9 % 2 == 0 ? LPOT_U8 : LPOT_S8;
    lpot_value_id x = input(&f, DIMS(g->batch, g->in, g->height, g->width));
    lpot_value_id y = int8_conv(&f, pair(&f, x, dtype, 0.02, seed % 9 < 2 ? 0 : 10), g);
    if (seed >= 18) {
      y = pair(&f, y, dtype, 0.2, 100);
      x = input(&f, DIMS(g->batch, g->out, g->height, g->width));
      lpot_value_id other = pair(&f, x, dtype, 0.0137, 3); /* no sum is a tie */
      y = output_of(&f, LPOT_OP_ADD, IDS(y, other));
    }
    result(&f, pair(&f, y, dtype, 0.2, 100));
    check_engines_agree(&f, 0.2, NULL);
  }
}

/* Those of other windows, and without a sum. */
static void unusual_windows_are_right(void **state) {
  (void)state;
  static const geometry shapes[] = {
      {1, 64, 320, 1, 9, 8, 3, 7, 1, {0, 1, 0, 4}, 1},
      {1, 96, 128, 1, 7, 11, 1, 9, 1, {0, 2, 0, 6}, 1},
      {1, 64, 128, 1, 13, 4, 1, 3, 2, {0, 0, 0, 0}, 1},
      {1, 32, 128, 1, 10, 3, 3, 3, 2, {0, 0, 1, 0}, 1},
      {1, 96, 320, 4, 4, 6, 1, 9, 1, {0, 8, 0, 5}, 1},
      {2, 16, 32, 1, 2, 15, 3, 1, 1, {1, 0, 10, 0}, 6},
      {1, 64, 64, 16, 1, 9, 3, 7, 2, {3, 7, 1, 11}, 2},
      {1, 160, 32, 1, 1, 14, 3, 3, 2, {21, 7, 22, 7}, 12},
  };
  for (uint64_t seed = 0; seed < 24; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    const geometry *g = &shapes[seed % 8];
    lpot_dtype dtype = seed % 3 == 0 ? LPOT_S8 : LPOT_U8;
    lpot_value_id x = input(&f, DIMS(g->batch, g->in, g->height, g->width));
    lpot_value_id y = int8_conv(&f, pair(&f, x, dtype, 0.02, seed < 8 ? 0 : 100), g);
    result(&f, pair(&f, y, dtype, 0.2, 100));
    check_engines_agree(&f, 0.2, NULL);
  }
}

/* oneDNN 2.6.3 promises such a primitive and cannot generate it. */
static void grouped_sums_run_apart_where_they_must(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 4; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    geometry g = {1, 32, 32, 8, 17, 1, 1, 1, 1, {0, 0, 0, 0}, 1};
    lpot_value_id x = pair(&f, input(&f, DIMS(1, 32, 17, 1)), LPOT_U8, 0.02, seed % 2 == 0 ? 0 : 9);
    lpot_value_id y = pair(&f, int8_conv(&f, x, &g), LPOT_U8, 0.1, 100);
    lpot_value_id other = pair(&f, output_of(&f, LPOT_OP_TANH, IDS(x)), LPOT_U8, 0.01, 3);
    y = output_of(&f, LPOT_OP_RELU, IDS(output_of(&f, LPOT_OP_ADD, IDS(y, other))));
    result(&f, pair(&f, y, LPOT_U8, 0.1, 0));
    check_engines_agree(&f, 0.1, NULL);
  }
}

/* Dilated windows that step over the input: outputs that see nothing but padding. */
static void sums_with_dilated_windows_agree(void **state) {
  (void)state;
  static const lpot_op activations[] = {LPOT_OP_RELU, LPOT_OP_SIGMOID, LPOT_OP_HARD_SWISH};
  for (uint64_t seed = 0; seed < 9; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    geometry g = {1, 16, 16, 1, 1, 1 + (int64_t)(seed / 3), 3, 3, 1, {3, 3, 1, 1}, 2};
    lpot_value_id c = f32_conv(&f, input(&f, DIMS(1, 16, 1, g.width)), &g);
    lpot_value_id r = output_of(&f, LPOT_OP_TANH, IDS(c));
    r = output_of(&f, LPOT_OP_ABS, IDS(r));
    lpot_value_id other = f32_conv(&f, input(&f, DIMS(1, 16, 1, g.width)), &g);
    lpot_value_id y = output_of(&f, LPOT_OP_ADD, IDS(other, r));
    result(&f, output_of(&f, activations[seed % 3], IDS(y)));
    check_engines_agree(&f, 0.0, NULL);
  }
}

/* Loading the configuration of tiles takes longer than a small convolution in oneDNN 2.x. */
static void small_work_leaves_tiles_alone(void **state) {
  (void)state;
  static const geometry shapes[] = {{1, 64, 64, 1, 8, 8, 1, 1, 1, {0, 0, 0, 0}, 1},
                                    {1, 64, 64, 1, 56, 56, 3, 3, 1, {1, 1, 1, 1}, 1}};
  for (int large = 0; large < 2; ++large) {
    fixture f;
    fixture_begin(&f, 1);
    const geometry *g = &shapes[large];
    lpot_value_id x = pair(&f, input(&f, DIMS(1, 64, g->height, g->width)), LPOT_U8, 0.02, 0);
    result(&f, pair(&f, int8_conv(&f, x, g), LPOT_U8, 0.05, 0));
    lpot_graph *bound = NULL;
    lpot_engine *engine = NULL;
    CHECK(lpot_graph_bind(f.graph, 1, lpot_reference_run, &bound, e));
    lpot_plan *plan = compile_with("onednn", bound, NULL, &engine);
    lpot_plan_stats stats;
    lpot_plan_get_stats(plan, &stats);
    bool found = false;
    bool tiled = false;
    for (size_t i = 0; i < stats.num_steps; ++i) {
      const lpot_plan_step step = lpot_plan_get_step(plan, i);
      found = found || strcmp(step.kind, "conv int8") == 0;
      tiled = tiled || strstr(step.implementation, "amx") != NULL;
    }
    assert_true(found);
    if (large == 1) {
      assert_int_equal(tiled, strstr(lpot_dl_isa(), "amx") != NULL);
    } else if (strncmp(lpot_dl_version(), "oneDNN 2", 8) == 0) {
      assert_false(tiled);
    }
    lpot_plan_free(plan);
    lpot_engine_close(engine);
    lpot_graph_free(bound);
    lpot_graph_free(f.graph);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(small_work_leaves_tiles_alone),
      cmocka_unit_test(shapes_that_tiles_get_wrong_are_right),
      cmocka_unit_test(unusual_windows_are_right),
      cmocka_unit_test(grouped_sums_run_apart_where_they_must),
      cmocka_unit_test(sums_with_dilated_windows_agree),
      cmocka_unit_test(grouped_1x1_with_a_zero_point_is_right),
      cmocka_unit_test(clip_behind_an_int8_sum_keeps_its_own_limits),
      cmocka_unit_test(sums_with_pads_beyond_the_kernel_agree),
      cmocka_unit_test(f32_convolutions_agree_with_the_reference),
      cmocka_unit_test(int8_convolutions_agree_for_all_activation_types),
      cmocka_unit_test(one_channel_per_group_is_right_at_the_borders),
      cmocka_unit_test(residual_sum_keeps_the_rounding_of_the_convolution),
      cmocka_unit_test(residual_that_is_read_again_survives_the_sum),
      cmocka_unit_test(one_dimensional_convolutions_agree),
      cmocka_unit_test(transposed_convolutions_agree),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
