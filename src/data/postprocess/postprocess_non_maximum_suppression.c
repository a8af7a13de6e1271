/* NonMaximumSuppression: from a detector's raw boxes [images, n, 4] and scores [images, n] or
 * [images, n, classes] to detections: f32 boxes [images, m, 4] (top, left, bottom, right as
 * fractions), f32 scores and s64 classes [images, m], f32 counts [images]. A count is NaN where a
 * number of that image is NaN or infinite. The other outputs are dropped. */
#include <math.h>

#include "base/memory.h"
#include "data/detection.h"
#include "data/postprocess_class.h"
#include "data/setting.h"

typedef struct suppression {
  double score_threshold;
  double overlap;
  int64_t max_detections;
  int64_t background; /* class that is no object; -1: none */
  lpot_box_form form;
  int64_t boxes, scores; /* indices of the outputs; -1: told by their shapes */
} suppression;

static lpot_status parse_suppression(void *parameters, const lpot_yaml_node *settings,
                                     lpot_error *err) {
  static const char *const names[] = {"score_threshold",
                                      "iou_threshold",
                                      "max_detections",
                                      "background_class",
                                      "box_order",
                                      "box_size",
                                      "boxes",
                                      "scores",
                                      NULL};
  suppression *self = parameters;
  *self = (suppression){.score_threshold = 0.05,
                        .overlap = 0.5,
                        .max_detections = 100,
                        .background = -1,
                        .boxes = -1,
                        .scores = -1};
  LPOT_TRY(lpot_setting_check(settings, names, err));
  LPOT_TRY(lpot_setting_double(settings, "score_threshold", &self->score_threshold, err));
  LPOT_TRY(lpot_setting_double(settings, "iou_threshold", &self->overlap, err));
  if (!(self->overlap >= 0 && self->overlap <= 1)) {
    return lpot_yaml_fail(err, lpot_setting_get(settings, "iou_threshold"),
                          "expected an overlap of 0 to 1, got %g", self->overlap);
  }
  LPOT_TRY(lpot_setting_int(settings, "max_detections", 1, 100000, &self->max_detections, err));
  LPOT_TRY(lpot_setting_int(settings, "background_class", -1, LPOT_MAX_DETECTION_CLASS,
                            &self->background, err));
  LPOT_TRY(lpot_setting_int(settings, "boxes", -1, LPOT_MAX_ANSWER_OUTPUTS, &self->boxes, err));
  LPOT_TRY(lpot_setting_int(settings, "scores", -1, LPOT_MAX_ANSWER_OUTPUTS, &self->scores, err));
  return lpot_box_form_read(settings, &self->form, err);
}

/* The raw outputs of a batch. */
typedef struct raw_outputs {
  const lpot_tensor *boxes;
  const lpot_tensor *scores;
  int64_t images, per_image, classes;
} raw_outputs;

static bool could_be_boxes(const lpot_tensor *output) {
  return output->shape.rank == 3 && output->shape.dims[2] == 4;
}

/* The output at index, or where that is -1 the first that looks like boxes, or does not. */
static const lpot_tensor *pick(const lpot_answer *answer, int64_t index, bool boxes) {
  if (index >= 0) {
    return index < (int64_t)answer->num_outputs ? answer->outputs[index] : NULL;
  }
  for (size_t i = 0; i < answer->num_outputs; i++) {
    if (could_be_boxes(answer->outputs[i]) == boxes) {
      return answer->outputs[i];
    }
  }
  return NULL;
}

static lpot_status find_outputs(const suppression *self, const lpot_answer *answer,
                                raw_outputs *raw, lpot_error *err) {
  raw->boxes = pick(answer, self->boxes, true);
  raw->scores = pick(answer, self->scores, false);
  if (raw->boxes == NULL || raw->scores == NULL) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "the model has no output of %s; the settings boxes and scores name them by "
                     "their index",
                     raw->boxes == NULL ? "boxes [images, n, 4]" : "scores");
  }
  const lpot_shape *boxes = &raw->boxes->shape;
  const lpot_shape *scores = &raw->scores->shape;
  bool fits = could_be_boxes(raw->boxes) && (scores->rank == 2 || scores->rank == 3) &&
              scores->dims[0] == boxes->dims[0] && scores->dims[1] == boxes->dims[1];
  if (!fits) {
    char of_boxes[96];
    char of_scores[96];
    lpot_shape_text(boxes, of_boxes, sizeof of_boxes);
    lpot_shape_text(scores, of_scores, sizeof of_scores);
    return LPOT_FAIL(err, LPOT_INVALID,
                     "boxes %s and scores %s, expected [images, n, 4] and [images, n, classes]",
                     of_boxes, of_scores);
  }
  raw->images = boxes->dims[0];
  raw->per_image = boxes->dims[1];
  raw->classes = scores->rank == 3 ? scores->dims[2] : 1;
  return LPOT_OK;
}

/* Fills candidates [per_image * classes] with what passes the threshold; false where a number is
 * not finite. */
static bool collect(const suppression *self, const raw_outputs *raw, int64_t image,
                    lpot_detection *candidates, size_t *ret_count) {
  size_t count = 0;
  bool is_good = true;
  for (int64_t i = 0; i < raw->per_image; i++) {
    int64_t at = image * raw->per_image + i;
    lpot_box box = lpot_box_form_get(&self->form, raw->boxes, at);
    is_good = is_good && isfinite(box.top + box.left + box.bottom + box.right);
    for (int64_t c = 0; c < raw->classes; c++) {
      double score = lpot_tensor_get_double(raw->scores, at * raw->classes + c);
      is_good = is_good && isfinite(score);
      if (score > self->score_threshold && c != self->background) {
        candidates[count++] = (lpot_detection){.box = box, .score = (float)score, .class_index = c};
      }
    }
  }
  *ret_count = count;
  return is_good;
}

typedef struct kept_outputs {
  lpot_tensor *counts, *boxes, *scores, *classes;
} kept_outputs;

static void put_image(const suppression *self, int64_t image, const lpot_detection *kept,
                      size_t count, const kept_outputs *out) {
  for (int64_t i = 0; i < self->max_detections; i++) {
    int64_t at = image * self->max_detections + i;
    bool is_kept = i < (int64_t)count;
    lpot_tensor_set_int(out->classes, at, is_kept ? kept[i].class_index : -1);
    if (is_kept) {
      float *box = (float *)out->boxes->data + at * 4;
      box[0] = (float)kept[i].box.top;
      box[1] = (float)kept[i].box.left;
      box[2] = (float)kept[i].box.bottom;
      box[3] = (float)kept[i].box.right;
      ((float *)out->scores->data)[at] = kept[i].score;
    }
  }
}

static lpot_status make_outputs(const suppression *self, int64_t images, lpot_answer *answer,
                                kept_outputs *out, lpot_error *err) {
  lpot_shape shape = lpot_shape_of(3, (const int64_t[]){images, self->max_detections, 4});
  LPOT_TRY(lpot_answer_make(answer, LPOT_F32, &shape, &out->boxes, err));
  shape.rank = 2;
  LPOT_TRY(lpot_answer_make(answer, LPOT_F32, &shape, &out->scores, err));
  LPOT_TRY(lpot_answer_make(answer, LPOT_S64, &shape, &out->classes, err));
  shape.rank = 1;
  return lpot_answer_make(answer, LPOT_F32, &shape, &out->counts, err);
}

static lpot_status apply_suppression(const void *parameters, lpot_answer *answer, lpot_error *err) {
  const suppression *self = parameters;
  raw_outputs raw = {0};
  kept_outputs out = {0};
  LPOT_TRY(find_outputs(self, answer, &raw, err));
  LPOT_TRY(make_outputs(self, raw.images, answer, &out, err));
  lpot_detection *candidates =
      lpot_calloc((size_t)(raw.per_image * raw.classes), sizeof *candidates);
  if (candidates == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (int64_t image = 0; image < raw.images; image++) {
    size_t count = 0;
    bool is_good = collect(self, &raw, image, candidates, &count);
    count = lpot_detection_suppress(candidates, count, self->overlap, (size_t)self->max_detections);
    put_image(self, image, candidates, count, &out);
    ((float *)out.counts->data)[image] = is_good ? (float)count : (float)NAN;
  }
  lpot_free(candidates);
  answer->num_outputs = 4;
  answer->outputs[0] = out.counts;
  answer->outputs[1] = out.boxes;
  answer->outputs[2] = out.scores;
  answer->outputs[3] = out.classes;
  return LPOT_OK;
}

const lpot_postprocess_class lpot_postprocess_class_non_maximum_suppression = {
    .name = "NonMaximumSuppression",
    .size_bytes = sizeof(suppression),
    .parse = parse_suppression,
    .apply = apply_suppression,
};
