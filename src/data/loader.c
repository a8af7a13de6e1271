#include "data/loader.h"

#include <string.h>

#include "base/background.h"
#include "base/memory.h"
#include "base/rng.h"

/* What a cached sample costs beside its elements, roughly. */
#define CACHE_OVERHEAD (sizeof(lpot_tensor) + 64)

/* Room for one batch. */
typedef struct batch_room {
  lpot_batch batch;         /* its tensors are owned */
  lpot_tensor **row_labels; /* [batch size] owned, where labels are ragged: of the batch's rows */
} batch_room;

struct lpot_loader {
  lpot_dataset *dataset;       /* owned */
  lpot_transforms *transforms; /* owned */
  lpot_loader_options options;
  uint64_t *order;     /* [dataset size] owned: dataset index by position */
  int64_t num_samples; /* positions in use */
  lpot_sample *cache;  /* [num_samples] owned, NULL without a cache; empty where not cached */
  uint64_t cached_bytes;
  bool cache_is_full;
  lpot_sample scratch; /* the sample at hand where it is not cached */
  batch_room rooms[2];
  int current;                 /* the room of the batch that was handed out last */
  lpot_background *background; /* owned; NULL: nothing was made ahead yet */
  int64_t ahead;               /* the batch made ahead, in the other room; -1: none */
  lpot_status ahead_status;    /* how that ended */
  lpot_error ahead_error;
};

static lpot_status make_order(lpot_loader *loader, lpot_error *err) {
  int64_t size = lpot_dataset_size(loader->dataset);
  if (size < 1) {
    return LPOT_FAIL(err, LPOT_INVALID, "the dataset is empty");
  }
  loader->order = lpot_calloc((size_t)size, sizeof(*loader->order));
  if (loader->order == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  if (loader->options.keeps_order) {
    for (int64_t i = 0; i < size; i++) {
      loader->order[i] = (uint64_t)i;
    }
  } else {
    lpot_rng rng;
    lpot_rng_init(&rng, loader->options.seed);
    lpot_rng_permutation(&rng, (size_t)size, loader->order);
  }
  int64_t wanted = loader->options.max_samples;
  loader->num_samples = wanted > 0 && wanted < size ? wanted : size;
  return LPOT_OK;
}

static lpot_status prepare_room(const lpot_loader *loader, batch_room *room, lpot_error *err) {
  if (!lpot_dataset_has_ragged_labels(loader->dataset) || room->row_labels != NULL) {
    return LPOT_OK;
  }
  room->row_labels = lpot_calloc((size_t)loader->options.batch_size, sizeof *room->row_labels);
  return room->row_labels == NULL ? LPOT_OUT_OF_MEMORY(err) : LPOT_OK;
}

static lpot_status prepare(lpot_loader *loader, lpot_error *err) {
  if (loader->options.batch_size < 1) {
    return LPOT_FAIL(err, LPOT_INVALID, "batch size is %lld, expected at least 1",
                     (long long)loader->options.batch_size);
  }
  LPOT_TRY(make_order(loader, err));
  LPOT_TRY(prepare_room(loader, &loader->rooms[0], err));
  if (loader->options.cache_bytes == 0) {
    return LPOT_OK;
  }
  loader->cache = lpot_calloc((size_t)loader->num_samples, sizeof(*loader->cache));
  return loader->cache == NULL ? LPOT_OUT_OF_MEMORY(err) : LPOT_OK;
}

lpot_status lpot_loader_new(lpot_dataset **dataset, lpot_transforms **transforms,
                            const lpot_loader_options *options, lpot_loader **ret_loader,
                            lpot_error *err) {
  lpot_loader *loader = lpot_calloc(1, sizeof(*loader));
  if (loader == NULL) {
    lpot_dataset_close(*dataset);
    lpot_transforms_free(*transforms);
    *dataset = NULL;
    *transforms = NULL;
    return LPOT_OUT_OF_MEMORY(err);
  }
  loader->dataset = *dataset;
  loader->transforms = *transforms;
  loader->options = *options;
  loader->ahead = -1;
  *dataset = NULL;
  *transforms = NULL;
  lpot_status status = prepare(loader, err);
  if (status != LPOT_OK) {
    lpot_loader_free(loader);
    return status;
  }
  *ret_loader = loader;
  return LPOT_OK;
}

static void clear_row_labels(batch_room *room, int64_t batch_size) {
  for (int64_t i = 0; room->row_labels != NULL && i < batch_size; i++) {
    lpot_tensor_unref(room->row_labels[i]);
    room->row_labels[i] = NULL;
  }
}

static void clear_room(batch_room *room, int64_t batch_size) {
  clear_row_labels(room, batch_size);
  for (size_t i = 0; i < LPOT_MAX_SAMPLE_INPUTS; i++) {
    lpot_tensor_unref(room->batch.inputs[i]);
  }
  lpot_tensor_unref(room->batch.labels);
  room->batch = (lpot_batch){0};
}

void lpot_loader_free(lpot_loader *loader) {
  if (loader == NULL) {
    return;
  }
  lpot_background_free(loader->background);
  for (int64_t i = 0; loader->cache != NULL && i < loader->num_samples; i++) {
    lpot_sample_done(&loader->cache[i]);
  }
  lpot_free(loader->cache);
  lpot_sample_done(&loader->scratch);
  for (int i = 0; i < 2; i++) {
    clear_room(&loader->rooms[i], loader->options.batch_size);
    lpot_free(loader->rooms[i].row_labels);
  }
  lpot_free(loader->order);
  lpot_transforms_free(loader->transforms);
  lpot_dataset_close(loader->dataset);
  lpot_free(loader);
}

int64_t lpot_loader_num_samples(const lpot_loader *loader) {
  return loader->num_samples;
}

int64_t lpot_loader_batch_size(const lpot_loader *loader) {
  return loader->options.batch_size;
}

int64_t lpot_loader_num_batches(const lpot_loader *loader) {
  int64_t batch_size = loader->options.batch_size;
  return loader->num_samples / batch_size + (loader->num_samples % batch_size != 0 ? 1 : 0);
}

const lpot_dataset *lpot_loader_dataset(const lpot_loader *loader) {
  return loader->dataset;
}

/* Moves scratch into the cache where there is room; the first come stay. */
static void keep(lpot_loader *loader, int64_t position) {
  if (loader->cache == NULL || loader->cache_is_full) {
    return;
  }
  uint64_t bytes = CACHE_OVERHEAD;
  for (size_t i = 0; i < loader->scratch.num_inputs; i++) {
    bytes += loader->scratch.inputs[i]->size_bytes + CACHE_OVERHEAD;
  }
  if (loader->scratch.label != NULL) {
    bytes += loader->scratch.label->size_bytes;
  }
  if (bytes > loader->options.cache_bytes - loader->cached_bytes) {
    loader->cache_is_full = true;
    return;
  }
  loader->cached_bytes += bytes;
  loader->cache[position] = loader->scratch;
  lpot_sample_init(&loader->scratch);
}

/* The transformed sample at a position of the order; borrowed until the next call. */
static lpot_status fetch(lpot_loader *loader, int64_t position, const lpot_sample **ret,
                         lpot_error *err) {
  if (loader->cache != NULL && loader->cache[position].num_inputs > 0) {
    *ret = &loader->cache[position];
    return LPOT_OK;
  }
  int64_t index = (int64_t)loader->order[position];
  lpot_status status = lpot_dataset_get(loader->dataset, index, &loader->scratch, err);
  if (status == LPOT_OK) {
    status = lpot_transforms_apply(loader->transforms, loader->options.seed, index,
                                   &loader->scratch, err);
  }
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "sample %lld", (long long)index);
    return status;
  }
  keep(loader, position);
  bool is_kept = loader->cache != NULL && loader->cache[position].num_inputs > 0;
  *ret = is_kept ? &loader->cache[position] : &loader->scratch;
  return LPOT_OK;
}

/* Makes *target a [batch, ...] tensor for rows like row; NULL row: none. */
static lpot_status fit(lpot_tensor **target, const lpot_tensor *row, int64_t batch_size,
                       lpot_error *err) {
  if (row == NULL) {
    lpot_tensor_unref(*target);
    *target = NULL;
    return LPOT_OK;
  }
  if (row->shape.rank == LPOT_MAX_RANK) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "a sample of %d dimensions cannot be batched",
                     LPOT_MAX_RANK);
  }
  lpot_shape shape = lpot_shape_of(row->shape.rank + 1, (int64_t[LPOT_MAX_RANK]){batch_size});
  for (int i = 0; i < row->shape.rank; i++) {
    shape.dims[i + 1] = row->shape.dims[i];
  }
  if (*target != NULL && (*target)->dtype == row->dtype &&
      lpot_shape_equal(&(*target)->shape, &shape)) {
    return LPOT_OK;
  }
  lpot_tensor_unref(*target);
  *target = NULL;
  return lpot_tensor_new(row->dtype, &shape, target, err);
}

static lpot_status fit_batch(const lpot_loader *loader, batch_room *room, const lpot_sample *sample,
                             lpot_error *err) {
  lpot_batch *batch = &room->batch;
  for (size_t i = 0; i < LPOT_MAX_SAMPLE_INPUTS; i++) {
    const lpot_tensor *row = i < sample->num_inputs ? sample->inputs[i] : NULL;
    LPOT_TRY(fit(&batch->inputs[i], row, loader->options.batch_size, err));
  }
  batch->num_inputs = sample->num_inputs;
  if (room->row_labels != NULL) {
    return LPOT_OK;
  }
  return fit(&batch->labels, sample->label, loader->options.batch_size, err);
}

/* True when row may become a row of target, [batch, ...]. */
static bool matches(const lpot_tensor *target, const lpot_tensor *row) {
  if (target == NULL || row == NULL) {
    return target == NULL && row == NULL;
  }
  return target->dtype == row->dtype && target->shape.rank == row->shape.rank + 1 &&
         memcmp(target->shape.dims + 1, row->shape.dims,
                (size_t)row->shape.rank * sizeof(row->shape.dims[0])) == 0;
}

/* Copies row where *target has the same type and shape, else says what differs. */
static lpot_status put_row(const lpot_loader *loader, const char *what, lpot_tensor *target,
                           const lpot_tensor *row, int64_t first, int64_t offset, lpot_error *err) {
  if (matches(target, row)) {
    if (row != NULL && row->size_bytes > 0) {
      memcpy((uint8_t *)target->data + (size_t)offset * row->size_bytes, row->data,
             row->size_bytes);
    }
    return LPOT_OK;
  }
  char expected[96] = "nothing";
  char found[96] = "nothing";
  if (target != NULL) {
    lpot_shape shape = lpot_shape_of(target->shape.rank - 1, target->shape.dims + 1);
    lpot_shape_text(&shape, expected, sizeof(expected));
  }
  if (row != NULL) {
    lpot_shape_text(&row->shape, found, sizeof(found));
  }
  return LPOT_FAIL(err, LPOT_INVALID,
                   "samples %llu and %llu do not fit into one batch: %s of %s %s and %s %s; "
                   "transforms such as Resize and CenterCrop make them equal",
                   (unsigned long long)loader->order[first],
                   (unsigned long long)loader->order[first + offset], what, expected,
                   target == NULL ? "" : lpot_dtype_text(target->dtype), found,
                   row == NULL ? "" : lpot_dtype_text(row->dtype));
}

/* The first row of a batch decides its shapes. */
static lpot_status put_sample(const lpot_loader *loader, batch_room *room,
                              const lpot_sample *sample, int64_t first, int64_t offset,
                              lpot_error *err) {
  lpot_batch *batch = &room->batch;
  if (offset == 0) {
    LPOT_TRY(fit_batch(loader, room, sample, err));
  }
  for (size_t i = 0; i < LPOT_MAX_SAMPLE_INPUTS; i++) {
    const lpot_tensor *row = i < sample->num_inputs ? sample->inputs[i] : NULL;
    LPOT_TRY(put_row(loader, "inputs", batch->inputs[i], row, first, offset, err));
  }
  if (room->row_labels != NULL) {
    room->row_labels[offset] = sample->label == NULL ? NULL : lpot_tensor_ref(sample->label);
    return LPOT_OK;
  }
  return put_row(loader, "labels", batch->labels, sample->label, first, offset, err);
}

/* Copies row source of a tensor [batch, ...] over the rows behind it. */
static void repeat_row(lpot_tensor *tensor, int64_t source, int64_t batch_size) {
  size_t row_bytes = tensor->size_bytes / (size_t)batch_size;
  uint8_t *data = tensor->data;
  for (int64_t row = source + 1; row < batch_size && row_bytes > 0; row++) {
    memcpy(data + (size_t)row * row_bytes, data + (size_t)source * row_bytes, row_bytes);
  }
}

static void fill_up(batch_room *room, int64_t batch_size) {
  lpot_batch *batch = &room->batch;
  for (size_t i = 0; i < batch->num_inputs; i++) {
    repeat_row(batch->inputs[i], batch->num_valid - 1, batch_size);
  }
  if (batch->labels != NULL) {
    repeat_row(batch->labels, batch->num_valid - 1, batch_size);
  }
  for (int64_t row = batch->num_valid; room->row_labels != NULL && row < batch_size; row++) {
    lpot_tensor *last = room->row_labels[batch->num_valid - 1];
    room->row_labels[row] = last == NULL ? NULL : lpot_tensor_ref(last);
  }
}

/* Fills room with batch number index, which exists. */
static lpot_status make_batch(lpot_loader *loader, batch_room *room, int64_t index,
                              lpot_error *err) {
  int64_t batch_size = loader->options.batch_size;
  int64_t first = index * batch_size;
  int64_t left = loader->num_samples - first;
  lpot_batch *batch = &room->batch;
  batch->indices = loader->order + first;
  batch->num_valid = left < batch_size ? left : batch_size;
  batch->row_labels = room->row_labels;
  clear_row_labels(room, batch_size);
  for (int64_t row = 0; row < batch->num_valid; row++) {
    const lpot_sample *sample = NULL;
    LPOT_TRY(fetch(loader, first + row, &sample, err));
    LPOT_TRY(put_sample(loader, room, sample, first, row, err));
  }
  fill_up(room, batch_size);
  return LPOT_OK;
}

/* Takes what was made ahead: the batch or its error. */
static lpot_status take_ahead(lpot_loader *loader, lpot_error *err) {
  loader->ahead = -1;
  if (loader->ahead_status != LPOT_OK) {
    if (err != NULL) {
      *err = loader->ahead_error;
    }
    return loader->ahead_status;
  }
  loader->current = 1 - loader->current;
  return LPOT_OK;
}

lpot_status lpot_loader_batch(lpot_loader *loader, int64_t index, const lpot_batch **ret_batch,
                              lpot_error *err) {
  if (index < 0 || index >= lpot_loader_num_batches(loader)) {
    return LPOT_FAIL(err, LPOT_INVALID, "batch %lld is outside [0, %lld)", (long long)index,
                     (long long)lpot_loader_num_batches(loader));
  }
  lpot_background_wait(loader->background);
  if (index == loader->ahead) {
    LPOT_TRY(take_ahead(loader, err));
  } else {
    LPOT_TRY(make_batch(loader, &loader->rooms[loader->current], index, err));
  }
  *ret_batch = &loader->rooms[loader->current].batch;
  return LPOT_OK;
}

/* ---- making ahead ---- */

static void make_ahead(void *context) {
  lpot_loader *loader = context;
  batch_room *room = &loader->rooms[1 - loader->current];
  loader->ahead_error = (lpot_error){0};
  loader->ahead_status = prepare_room(loader, room, &loader->ahead_error);
  if (loader->ahead_status == LPOT_OK) {
    loader->ahead_status = make_batch(loader, room, loader->ahead, &loader->ahead_error);
  }
}

/* Copying from the cache is not worth a thread. */
static bool is_cached(const lpot_loader *loader, int64_t index) {
  int64_t first = index * loader->options.batch_size;
  int64_t end = first + loader->options.batch_size;
  bool cached = loader->cache != NULL;
  for (int64_t i = first; cached && i < end && i < loader->num_samples; i++) {
    cached = loader->cache[i].num_inputs > 0;
  }
  return cached;
}

void lpot_loader_prefetch(lpot_loader *loader, int64_t index) {
  lpot_background_wait(loader->background);
  if (index < 0 || index >= lpot_loader_num_batches(loader) || index == loader->ahead ||
      is_cached(loader, index)) {
    return;
  }
  if (loader->background == NULL && lpot_background_new(&loader->background, NULL) != LPOT_OK) {
    return;
  }
  loader->ahead = index;
  if (lpot_background_start(loader->background, make_ahead, loader, NULL) != LPOT_OK) {
    loader->ahead = -1;
  }
}

void lpot_loader_rest(lpot_loader *loader) {
  lpot_background_wait(loader->background);
}

void lpot_loader_release(lpot_loader *loader) {
  lpot_background_wait(loader->background);
  loader->ahead = -1;
  clear_room(&loader->rooms[0], loader->options.batch_size);
  clear_room(&loader->rooms[1], loader->options.batch_size);
}
