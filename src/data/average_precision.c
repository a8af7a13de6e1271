/* A record, little endian:
 *   u32 image; u32 classes with objects that count, for each u32 class, u32 objects;
 *   u32 detections, for each u32 class, f32 score, u32 matched, u32 ignored
 * Bit t of matched and ignored: at overlap t. Detections of a class stand in falling order. */
#include "data/average_precision.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/reader.h"
#include "base/writer.h"

/* ---- matching one image ---- */

/* Of one class in one image. */
typedef struct class_match {
  const lpot_detection *detections; /* [num_detections] in falling order */
  size_t num_detections;
  const lpot_truth *truths; /* [num_truths] those that count first */
  size_t num_truths;
  bool *taken; /* [num_truths] scratch: matched at the overlap at hand */
  uint32_t matched[LPOT_MAX_DETECTIONS_PER_CLASS];
  uint32_t ignored[LPOT_MAX_DETECTIONS_PER_CLASS];
} class_match;

/* The truth that a detection matches: the one it overlaps most (the last of equals) among those
 * that count, else among the others; num_truths: none. */
static size_t best_truth(const class_match *match, const lpot_box *box, double overlap) {
  size_t best = match->num_truths;
  double most = fmin(overlap, 1 - 1e-10);
  for (size_t i = 0; i < match->num_truths; i++) {
    const lpot_truth *truth = &match->truths[i];
    bool counts = truth->kind == LPOT_TRUTH_COUNTS;
    if (counts && match->taken[i]) {
      continue;
    }
    if (!counts && best < match->num_truths && match->truths[best].kind == LPOT_TRUTH_COUNTS) {
      break;
    }
    double found = lpot_box_overlap(box, &truth->box, truth->kind == LPOT_TRUTH_CROWD);
    if (found >= most) {
      most = found;
      best = i;
    }
  }
  return best;
}

static void match_class(class_match *match, const double *overlaps, size_t num_overlaps) {
  for (size_t i = 0; i < match->num_detections; i++) {
    match->matched[i] = 0;
    match->ignored[i] = 0;
  }
  for (size_t t = 0; t < num_overlaps; t++) {
    memset(match->taken, 0, match->num_truths * sizeof *match->taken);
    for (size_t i = 0; i < match->num_detections; i++) {
      size_t best = best_truth(match, &match->detections[i].box, overlaps[t]);
      if (best == match->num_truths) {
        continue;
      }
      match->taken[best] = true;
      match->matched[i] |= UINT32_C(1) << t;
      if (match->truths[best].kind != LPOT_TRUTH_COUNTS) {
        match->ignored[i] |= UINT32_C(1) << t;
      }
    }
  }
}

/* Number of truths from the first on that have its class, and of those that count. */
static size_t class_length(const lpot_truth *truths, size_t count, size_t *ret_counting) {
  size_t length = 0;
  *ret_counting = 0;
  while (length < count && truths[length].class_index == truths[0].class_index) {
    *ret_counting += truths[length].kind == LPOT_TRUTH_COUNTS ? 1 : 0;
    length++;
  }
  return length;
}

static lpot_status write_count(int64_t class_index, size_t counting, lpot_buffer *records,
                               lpot_error *err) {
  if (counting == 0) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_writer_u32(records, (uint32_t)class_index, err));
  return lpot_writer_u32(records, (uint32_t)counting, err);
}

static lpot_status write_truths(const lpot_truth *truths, size_t num_truths, lpot_buffer *records,
                                lpot_error *err) {
  uint32_t classes = 0;
  size_t counting = 0;
  size_t length = 0;
  for (size_t i = 0; i < num_truths; i += length) {
    length = class_length(truths + i, num_truths - i, &counting);
    classes += counting > 0 ? 1 : 0;
  }
  LPOT_TRY(lpot_writer_u32(records, classes, err));
  for (size_t i = 0; i < num_truths; i += length) {
    length = class_length(truths + i, num_truths - i, &counting);
    LPOT_TRY(write_count(truths[i].class_index, counting, records, err));
  }
  return LPOT_OK;
}

static lpot_status write_detections(const class_match *match, lpot_buffer *records,
                                    lpot_error *err) {
  for (size_t i = 0; i < match->num_detections; i++) {
    const lpot_detection *detection = &match->detections[i];
    LPOT_TRY(lpot_writer_u32(records, (uint32_t)detection->class_index, err));
    LPOT_TRY(lpot_writer_f32(records, detection->score, err));
    LPOT_TRY(lpot_writer_u32(records, match->matched[i], err));
    LPOT_TRY(lpot_writer_u32(records, match->ignored[i], err));
  }
  return LPOT_OK;
}

/* Number of detections from the first on that have its class. */
static size_t detections_of_class(const lpot_detection *detections, size_t count) {
  size_t length = 0;
  while (length < count && detections[length].class_index == detections[0].class_index) {
    length++;
  }
  return length;
}

static size_t at_most_limit(size_t count) {
  return count < LPOT_MAX_DETECTIONS_PER_CLASS ? count : LPOT_MAX_DETECTIONS_PER_CLASS;
}

/* Both lists are sorted by class: one walk over the detections' classes finds their truths. */
static lpot_status match_classes(const lpot_detection *detections, size_t num_detections,
                                 const lpot_truth *truths, size_t num_truths,
                                 const double *overlaps, size_t num_overlaps, bool *taken,
                                 lpot_buffer *records, lpot_error *err) {
  size_t length = 0;
  size_t truth = 0;
  size_t counting = 0;
  for (size_t i = 0; i < num_detections; i += length) {
    length = detections_of_class(detections + i, num_detections - i);
    while (truth < num_truths && truths[truth].class_index < detections[i].class_index) {
      truth++;
    }
    bool has_truths = truth < num_truths && truths[truth].class_index == detections[i].class_index;
    class_match match = {
        .detections = detections + i,
        .num_detections = at_most_limit(length),
        .truths = truths + truth,
        .num_truths = has_truths ? class_length(truths + truth, num_truths - truth, &counting) : 0,
        .taken = taken};
    match_class(&match, overlaps, num_overlaps);
    LPOT_TRY(write_detections(&match, records, err));
  }
  return LPOT_OK;
}

lpot_status lpot_average_precision_match(uint32_t image, lpot_detection *detections,
                                         size_t num_detections, lpot_truth *truths,
                                         size_t num_truths, const double *overlaps,
                                         size_t num_overlaps, lpot_buffer *records,
                                         lpot_error *err) {
  LPOT_ASSERT(num_overlaps <= LPOT_MAX_OVERLAP_THRESHOLDS);
  lpot_detection_sort(detections, num_detections, true);
  lpot_truth_sort(truths, num_truths);
  uint32_t kept = 0;
  size_t length = 0;
  for (size_t i = 0; i < num_detections; i += length) {
    length = detections_of_class(detections + i, num_detections - i);
    kept += (uint32_t)at_most_limit(length);
  }
  LPOT_TRY(lpot_writer_u32(records, image, err));
  LPOT_TRY(write_truths(truths, num_truths, records, err));
  LPOT_TRY(lpot_writer_u32(records, kept, err));
  bool *taken = lpot_calloc(num_truths, sizeof *taken);
  if (taken == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = match_classes(detections, num_detections, truths, num_truths, overlaps,
                                     num_overlaps, taken, records, err);
  lpot_free(taken);
  return status;
}

/* ---- the value of all images ---- */

/* A detection of the whole set. */
typedef struct outcome {
  uint32_t class_index;
  float score;
  uint32_t image;
  uint32_t place; /* within the image */
  uint32_t matched;
  uint32_t ignored;
} outcome;

typedef struct class_count {
  uint32_t class_index;
  uint32_t objects;
} class_count;

typedef struct outcome_list {
  lpot_buffer outcomes; /* of outcome */
  lpot_buffer counts;   /* of class_count */
} outcome_list;

static lpot_status read_counts(lpot_reader *reader, outcome_list *list, lpot_error *err) {
  uint32_t classes = 0;
  LPOT_TRY(lpot_reader_u32(reader, &classes, err));
  for (uint32_t i = 0; i < classes; i++) {
    class_count count = {0};
    LPOT_TRY(lpot_reader_u32(reader, &count.class_index, err));
    LPOT_TRY(lpot_reader_u32(reader, &count.objects, err));
    LPOT_TRY(lpot_buffer_append(&list->counts, &count, sizeof count, err));
  }
  return LPOT_OK;
}

static lpot_status read_image(lpot_reader *reader, outcome_list *list, lpot_error *err) {
  uint32_t image = 0;
  uint32_t detections = 0;
  LPOT_TRY(lpot_reader_u32(reader, &image, err));
  LPOT_TRY(read_counts(reader, list, err));
  LPOT_TRY(lpot_reader_u32(reader, &detections, err));
  for (uint32_t i = 0; i < detections; i++) {
    outcome found = {.image = image, .place = i};
    LPOT_TRY(lpot_reader_u32(reader, &found.class_index, err));
    LPOT_TRY(lpot_reader_f32(reader, &found.score, err));
    LPOT_TRY(lpot_reader_u32(reader, &found.matched, err));
    LPOT_TRY(lpot_reader_u32(reader, &found.ignored, err));
    if (isnan(found.score)) {
      return LPOT_FAIL(err, LPOT_FORMAT, "detection %u of image %u has no score", i, image);
    }
    LPOT_TRY(lpot_buffer_append(&list->outcomes, &found, sizeof found, err));
  }
  return LPOT_OK;
}

static lpot_status read_records(const lpot_buffer *records, outcome_list *list, lpot_error *err) {
  lpot_reader reader;
  lpot_reader_init(&reader, records->data, records->size);
  while (lpot_reader_remaining(&reader) > 0) {
    LPOT_TRY(read_image(&reader, list, err));
  }
  return LPOT_OK;
}

static int compare_numbers(uint32_t left, uint32_t right) {
  return (left > right) - (left < right);
}

static int compare_outcomes(const void *a, const void *b) {
  const outcome *left = a;
  const outcome *right = b;
  if (left->class_index != right->class_index) {
    return compare_numbers(left->class_index, right->class_index);
  }
  if (left->score != right->score) {
    return left->score > right->score ? -1 : 1;
  }
  int by_image = compare_numbers(left->image, right->image);
  return by_image != 0 ? by_image : compare_numbers(left->place, right->place);
}

static int compare_counts(const void *a, const void *b) {
  const class_count *left = a;
  const class_count *right = b;
  return compare_numbers(left->class_index, right->class_index);
}

/* A point of the curve; precision is made falling. */
typedef struct curve_point {
  double recall;
  double precision;
} curve_point;

/* Fills the curve of one class at overlap number t; returns its length. */
static size_t fill_curve(const outcome *outcomes, size_t count, double objects, size_t t,
                         curve_point *curve) {
  size_t length = 0;
  double right = 0;
  double wrong = 0;
  for (size_t i = 0; i < count; i++) {
    if ((outcomes[i].ignored >> t & 1) == 0) {
      bool is_right = (outcomes[i].matched >> t & 1) != 0;
      right += is_right ? 1 : 0;
      wrong += is_right ? 0 : 1;
    }
    /* The smallest number keeps 0 / 0 from being NaN, as in pycocotools. */
    curve[length++] = (curve_point){.recall = right / objects,
                                    .precision = right / (right + wrong + 2.220446049250313e-16)};
  }
  for (size_t i = length; i > 1; i--) {
    curve[i - 2].precision = fmax(curve[i - 2].precision, curve[i - 1].precision);
  }
  return length;
}

/* Mean precision at evenly spread recalls from 0 to 1. */
static double sampled_precision(const curve_point *curve, size_t length, int points) {
  double sum = 0;
  size_t at = 0;
  double step = 1.0 / (points - 1);
  for (int i = 0; i < points; i++) {
    double recall = i + 1 == points ? 1.0 : i * step;
    while (at < length && curve[at].recall < recall) {
      at++;
    }
    sum += at < length ? curve[at].precision : 0;
  }
  return sum / points;
}

static double area_under(const curve_point *curve, size_t length) {
  double sum = 0;
  double recall = 0;
  for (size_t i = 0; i < length; i++) {
    sum += (curve[i].recall - recall) * curve[i].precision;
    recall = curve[i].recall;
  }
  return sum;
}

/* Sum over the overlaps of one class's average precision. */
static double class_precision(const outcome *outcomes, size_t count, double objects,
                              size_t num_overlaps, int points, curve_point *curve) {
  double sum = 0;
  for (size_t t = 0; t < num_overlaps; t++) {
    size_t length = fill_curve(outcomes, count, objects, t, curve);
    sum += points == 0 ? area_under(curve, length) : sampled_precision(curve, length, points);
  }
  return sum;
}

/* Sums up over the classes; both lists are sorted by class. */
static double mean_precision(const outcome_list *list, size_t num_overlaps, int points,
                             curve_point *curve) {
  const outcome *outcomes = (const outcome *)(const void *)list->outcomes.data;
  const class_count *counts = (const class_count *)(const void *)list->counts.data;
  size_t num_outcomes = list->outcomes.size / sizeof *outcomes;
  size_t num_counts = list->counts.size / sizeof *counts;
  size_t first = 0;
  double sum = 0;
  size_t classes = 0;
  for (size_t i = 0; i < num_counts; classes++) {
    uint32_t class_index = counts[i].class_index;
    double objects = 0;
    for (; i < num_counts && counts[i].class_index == class_index; i++) {
      objects += counts[i].objects;
    }
    while (first < num_outcomes && outcomes[first].class_index < class_index) {
      first++;
    }
    size_t end = first;
    while (end < num_outcomes && outcomes[end].class_index == class_index) {
      end++;
    }
    sum += class_precision(outcomes + first, end - first, objects, num_overlaps, points, curve);
    first = end;
  }
  return sum / (double)(classes * num_overlaps);
}

static lpot_status value_of(outcome_list *list, size_t num_overlaps, int points, double *ret_value,
                            lpot_error *err) {
  size_t num_outcomes = list->outcomes.size / sizeof(outcome);
  if (list->counts.size == 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "no image has an object that counts");
  }
  if (num_outcomes == 0) {
    *ret_value = 0;
    return LPOT_OK;
  }
  qsort(list->outcomes.data, num_outcomes, sizeof(outcome), compare_outcomes);
  qsort(list->counts.data, list->counts.size / sizeof(class_count), sizeof(class_count),
        compare_counts);
  curve_point *curve = lpot_calloc(num_outcomes, sizeof *curve);
  if (curve == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  *ret_value = mean_precision(list, num_overlaps, points, curve);
  lpot_free(curve);
  return LPOT_OK;
}

lpot_status lpot_average_precision_value(const lpot_buffer *records, size_t num_overlaps,
                                         int points, double *ret_value, lpot_error *err) {
  outcome_list list = {0};
  lpot_status status = read_records(records, &list, err);
  if (status == LPOT_OK) {
    status = value_of(&list, num_overlaps, points, ret_value, err);
  }
  lpot_buffer_done(&list.outcomes);
  lpot_buffer_done(&list.counts);
  return status;
}
