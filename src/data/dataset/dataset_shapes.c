/* shapes: the project's own example, drawn in memory: ten classes of figures at a random place,
 * size, angle and colour, among clutter and under noise.
 *
 * Sample i of a seed and a split is the same bytes on every machine: the numbers come from
 * base/rng.h, and the arithmetic is + - * / and sqrt in double, which IEEE 754 fixes (the project
 * is compiled without contraction to fused multiply-add). Rotations are rational points of the
 * unit circle instead of sines, and the noise is a sum of four uniform numbers. */
#include "data/dataset_class.h"

#include <math.h>

#include "base/rng.h"
#include "data/setting.h"

typedef bool (*inside_function)(double u, double v);

typedef struct figure {
  const char *name;
  inside_function inside; /* in the unit frame: the figure lies within the circle of radius 1.42 */
  double max_turn;        /* largest |tan(angle / 2)|; upright patterns keep their direction */
} figure;

typedef struct dataset_shapes {
  lpot_dataset base;
  uint64_t seed;
  bool train;
  bool bgr;
  int64_t side;    /* pixels */
  int64_t clutter; /* largest number of small foreign marks */
  double noise;    /* standard deviation in grey levels */
  double contrast; /* least distance of figure and ground in grey levels */
} dataset_shapes;

typedef struct colour {
  double channel[3]; /* red, green, blue in 0 .. 255 */
} colour;

/* A figure on the canvas. */
typedef struct placement {
  inside_function inside;
  double x, y, radius;
  double cosine, sine;
  double opacity;
  colour ink;
} placement;

#define SUBSAMPLES 3 /* per pixel and direction */
#define REACH 1.42   /* nothing is drawn further from the centre than this many radii */

static bool inside_disc(double u, double v) {
  return u * u + v * v <= 1.0;
}

static bool inside_ring(double u, double v) {
  double square = u * u + v * v;
  return square <= 1.0 && square >= 0.36;
}

static double larger_of(double u, double v) {
  return fabs(u) > fabs(v) ? fabs(u) : fabs(v);
}

static bool inside_square(double u, double v) {
  return larger_of(u, v) <= 0.88;
}

static bool inside_frame(double u, double v) {
  double distance = larger_of(u, v);
  return distance <= 0.88 && distance >= 0.52;
}

static bool inside_triangle(double u, double v) {
  return v <= 0.6 && v >= -1.2 + 1.732 * fabs(u);
}

static bool inside_cross(double u, double v) {
  double small = fabs(u) < fabs(v) ? fabs(u) : fabs(v);
  return small <= 0.27 && larger_of(u, v) <= 1.0;
}

/* Bands of width 0.36: even ones are drawn. */
static bool is_even_band(double u) {
  return ((int)((u + 3.6) / 0.36) & 1) == 0;
}

static bool inside_rows(double u, double v) {
  return larger_of(u, v) <= 0.95 && is_even_band(v);
}

static bool inside_columns(double u, double v) {
  return larger_of(u, v) <= 0.95 && is_even_band(u);
}

static bool inside_checkerboard(double u, double v) {
  return larger_of(u, v) <= 0.95 && is_even_band(u) == is_even_band(v);
}

static bool inside_star(double u, double v) {
  return sqrt(fabs(u)) + sqrt(fabs(v)) <= 1.18;
}

/* The class is the row. */
static const figure figures[] = {
    {"disc", inside_disc, 1.0},
    {"ring", inside_ring, 1.0},
    {"square", inside_square, 1.0},
    {"frame", inside_frame, 1.0},
    {"triangle", inside_triangle, 1.0},
    {"cross", inside_cross, 1.0},
    {"rows", inside_rows, 0.2},
    {"columns", inside_columns, 0.2},
    {"checkerboard", inside_checkerboard, 1.0},
    {"star", inside_star, 1.0},
};
#define NUM_FIGURES ((int64_t)(sizeof(figures) / sizeof(figures[0])))

static double between(lpot_rng *rng, double low, double high) {
  return low + (high - low) * lpot_rng_uniform(rng);
}

static double clip(double value) {
  if (value < 0.0) {
    return 0.0;
  }
  return value > 255.0 ? 255.0 : value;
}

static colour random_colour(lpot_rng *rng, double low, double high) {
  colour result;
  for (int c = 0; c < 3; c++) {
    result.channel[c] = between(rng, low, high);
  }
  return result;
}

/* A colour whose mean level differs from the ground's by at least contrast. */
static colour contrasting_colour(lpot_rng *rng, const colour *ground, double contrast) {
  double level = (ground->channel[0] + ground->channel[1] + ground->channel[2]) / 3.0;
  double distance = contrast * between(rng, 1.0, 2.0);
  double sign = lpot_rng_below(rng, 2) == 0 ? 1.0 : -1.0;
  if (level + sign * distance > 255.0 || level + sign * distance < 0.0) {
    sign = -sign;
  }
  colour result;
  for (int c = 0; c < 3; c++) {
    double tint = between(rng, -0.5, 0.5) * contrast;
    result.channel[c] = clip(ground->channel[c] + sign * distance + tint);
  }
  return result;
}

static void turn(lpot_rng *rng, double max_turn, placement *place) {
  double t = between(rng, -max_turn, max_turn);
  place->cosine = (1.0 - t * t) / (1.0 + t * t);
  place->sine = 2.0 * t / (1.0 + t * t);
}

/* Share of the pixel that the figure covers. */
static double coverage(const placement *place, int64_t row, int64_t column) {
  int hits = 0;
  for (int i = 0; i < SUBSAMPLES * SUBSAMPLES; i++) {
    double dy = (double)row + ((double)(i / SUBSAMPLES) + 0.5) / SUBSAMPLES - place->y;
    double dx = (double)column + ((double)(i % SUBSAMPLES) + 0.5) / SUBSAMPLES - place->x;
    double u = (place->cosine * dx + place->sine * dy) / place->radius;
    double v = (place->cosine * dy - place->sine * dx) / place->radius;
    hits += place->inside(u, v) ? 1 : 0;
  }
  return (double)hits / (SUBSAMPLES * SUBSAMPLES);
}

/* First and last + 1 pixel that may be touched along one direction. */
static void touched(double centre, double radius, int64_t side, int64_t *first, int64_t *end) {
  double low = centre - REACH * radius;
  double high = centre + REACH * radius + 1.0;
  *first = low < 0.0 ? 0 : (int64_t)low;
  *end = high > (double)side ? side : (int64_t)high;
}

/* canvas is [side, side, 3]. */
static void draw(const placement *place, int64_t side, float *canvas) {
  int64_t first_row;
  int64_t end_row;
  int64_t first_column;
  int64_t end_column;
  touched(place->y, place->radius, side, &first_row, &end_row);
  touched(place->x, place->radius, side, &first_column, &end_column);
  for (int64_t row = first_row; row < end_row; row++) {
    for (int64_t column = first_column; column < end_column; column++) {
      double share = coverage(place, row, column) * place->opacity;
      float *pixel = canvas + (row * side + column) * 3;
      for (int c = 0; c < 3; c++) {
        pixel[c] = (float)((double)pixel[c] + (place->ink.channel[c] - (double)pixel[c]) * share);
      }
    }
  }
}

/* A slope from one colour to another: no two grounds are alike. */
static colour draw_ground(lpot_rng *rng, int64_t side, float *canvas) {
  colour ground = random_colour(rng, 40.0, 215.0);
  colour slope_x = random_colour(rng, -30.0, 30.0);
  colour slope_y = random_colour(rng, -30.0, 30.0);
  for (int64_t i = 0; i < side * side; i++) {
    double y = (double)(i / side) / (double)side - 0.5;
    double x = (double)(i % side) / (double)side - 0.5;
    for (int c = 0; c < 3; c++) {
      canvas[i * 3 + c] =
          (float)clip(ground.channel[c] + slope_x.channel[c] * x + slope_y.channel[c] * y);
    }
  }
  return ground;
}

/* Small discs and bars that belong to no class. */
static void draw_clutter(lpot_rng *rng, const dataset_shapes *set, float *canvas) {
  int64_t count = (int64_t)lpot_rng_below(rng, (uint64_t)set->clutter + 1);
  for (int64_t i = 0; i < count; i++) {
    placement mark = {.inside = lpot_rng_below(rng, 2) == 0 ? inside_disc : inside_square};
    mark.x = between(rng, 0.0, (double)set->side);
    mark.y = between(rng, 0.0, (double)set->side);
    mark.radius = (double)set->side * between(rng, 0.03, 0.09);
    mark.opacity = between(rng, 0.4, 0.9);
    mark.ink = random_colour(rng, 0.0, 255.0);
    turn(rng, 1.0, &mark);
    draw(&mark, set->side, canvas);
  }
}

static void draw_figure(lpot_rng *rng, const dataset_shapes *set, const figure *chosen,
                        const colour *ground, float *canvas) {
  double side = (double)set->side;
  placement place = {.inside = chosen->inside, .opacity = between(rng, 0.8, 1.0)};
  place.radius = side * between(rng, 0.2, 0.36);
  place.x = side * 0.5 + side * between(rng, -0.16, 0.16);
  place.y = side * 0.5 + side * between(rng, -0.16, 0.16);
  place.ink = contrasting_colour(rng, ground, set->contrast);
  turn(rng, chosen->max_turn, &place);
  draw(&place, set->side, canvas);
}

/* Sum of the four 16-bit parts of a random number: mean 0, variance 1, nearly normal. */
static double noise_of(uint64_t random) {
  uint64_t sum =
      (random & 0xffff) + (random >> 16 & 0xffff) + (random >> 32 & 0xffff) + (random >> 48);
  return ((double)sum - 131070.0) / 37837.0;
}

static void finish(lpot_rng *rng, const dataset_shapes *set, const float *canvas, uint8_t *pixels) {
  int64_t count = set->side * set->side;
  for (int64_t i = 0; i < count; i++) {
    for (int c = 0; c < 3; c++) {
      double value = (double)canvas[i * 3 + c] + set->noise * noise_of(lpot_rng_next(rng));
      pixels[i * 3 + (set->bgr ? 2 - c : c)] = (uint8_t)(clip(value) + 0.5);
    }
  }
}

/* Every sample has its own stream of numbers, so that it does not matter which are asked for. */
static void start_stream(const dataset_shapes *set, int64_t index, lpot_rng *rng) {
  lpot_rng_init(rng, set->seed);
  uint64_t key = lpot_rng_next(rng);
  if (set->train) {
    key = lpot_rng_next(rng);
  }
  lpot_rng_init(rng, key + (uint64_t)index * 0xd1342543de82ef95u);
}

static void draw_sample(const dataset_shapes *set, int64_t index, float *canvas, uint8_t *pixels) {
  lpot_rng rng;
  start_stream(set, index, &rng);
  colour ground = draw_ground(&rng, set->side, canvas);
  draw_figure(&rng, set, &figures[index % NUM_FIGURES], &ground, canvas);
  draw_clutter(&rng, set, canvas);
  finish(&rng, set, canvas, pixels);
}

static lpot_status get_shapes(lpot_dataset *dataset, int64_t index, lpot_sample *sample,
                              lpot_error *err) {
  const dataset_shapes *set = (const dataset_shapes *)dataset;
  lpot_shape shape = lpot_shape_of(3, (const int64_t[]){set->side, set->side, 3});
  lpot_tensor *canvas = NULL;
  LPOT_TRY(lpot_tensor_new(LPOT_F32, &shape, &canvas, err));
  lpot_status status = lpot_tensor_new(LPOT_U8, &shape, &sample->inputs[0], err);
  if (status == LPOT_OK) {
    sample->num_inputs = 1;
    draw_sample(set, index, canvas->data, sample->inputs[0]->data);
  }
  lpot_tensor_unref(canvas);
  LPOT_TRY(status);
  return lpot_sample_set_class(sample, index % NUM_FIGURES, err);
}

static const char *const setting_names[] = {"samples",  "classes", "seed",    "train",
                                            "size",     "noise",   "clutter", "channel_order",
                                            "contrast", NULL};

static lpot_status open_shapes(lpot_dataset *dataset, const lpot_yaml_node *settings,
                               const char *folder, lpot_error *err) {
  (void)folder;
  dataset_shapes *set = (dataset_shapes *)dataset;
  set->side = 32;
  set->noise = 34.0;
  set->contrast = 36.0;
  set->clutter = 6;
  dataset->size = 2000;
  dataset->num_classes = NUM_FIGURES;
  int64_t seed = 1;
  LPOT_TRY(lpot_setting_int(settings, "samples", 1, 100000000, &dataset->size, err));
  LPOT_TRY(
      lpot_setting_int(settings, "classes", NUM_FIGURES, NUM_FIGURES, &dataset->num_classes, err));
  LPOT_TRY(lpot_setting_int(settings, "seed", 0, INT64_MAX, &seed, err));
  LPOT_TRY(lpot_setting_bool(settings, "train", &set->train, err));
  LPOT_TRY(lpot_setting_int(settings, "size", 8, 1024, &set->side, err));
  LPOT_TRY(lpot_setting_int(settings, "clutter", 0, 1000, &set->clutter, err));
  LPOT_TRY(lpot_setting_double(settings, "noise", &set->noise, err));
  LPOT_TRY(lpot_setting_double(settings, "contrast", &set->contrast, err));
  LPOT_TRY(lpot_setting_bgr(settings, &set->bgr, err));
  if (!(set->noise >= 0.0 && set->noise <= 255.0 && set->contrast >= 0.0 &&
        set->contrast <= 127.0)) {
    return lpot_setting_fail(settings, err,
                             "shapes: noise must be in [0, 255], contrast in [0, 127]");
  }
  set->seed = (uint64_t)seed;
  return lpot_buffer_printf(&dataset->identity, err, "shapes %lld %lld %d %d %lld %lld %.17g %.17g",
                            (long long)dataset->size, (long long)seed, (int)set->train,
                            (int)set->bgr, (long long)set->side, (long long)set->clutter,
                            set->noise, set->contrast);
}

const lpot_dataset_class lpot_dataset_class_shapes = {
    .name = "shapes",
    .size_bytes = sizeof(dataset_shapes),
    .settings = setting_names,
    .open = open_shapes,
    .get = get_shapes,
};
