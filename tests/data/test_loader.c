#include "data_fixture.h"

#include "base/memory.h"
#include "data/dataset_class.h"
#include "data/loader.h"

static lpot_status make_loader(const char *name, const char *settings, const char *transforms,
                               const lpot_loader_options *options, lpot_loader **ret,
                               lpot_error *err) {
  lpot_dataset *dataset = open_dataset(name, settings, NULL);
  lpot_transforms *chain = NULL;
  expect_ok(make_chain(transforms, &chain, err), err);
  lpot_status status = lpot_loader_new(&dataset, &chain, options, ret, err);
  assert_null(dataset);
  assert_null(chain);
  return status;
}

static lpot_loader *new_loader(const char *name, const char *settings, const char *transforms,
                               const lpot_loader_options *options) {
  lpot_loader *loader = NULL;
  lpot_error err = {0};
  expect_ok(make_loader(name, settings, transforms, options, &loader, &err), &err);
  return loader;
}

static const lpot_batch *get_batch(lpot_loader *loader, int64_t index) {
  const lpot_batch *batch = NULL;
  lpot_error err = {0};
  expect_ok(lpot_loader_batch(loader, index, &batch, &err), &err);
  return batch;
}

static void wrong_options_are_refused(void **state) {
  (void)state;
  lpot_loader *loader = NULL;
  lpot_error err = {0};
  lpot_loader_options options = {.batch_size = 0};
  expect_error(make_loader("dummy", "{shape: [5, 2]}", "~", &options, &loader, &err), LPOT_INVALID,
               &err, "batch size is 0");
  assert_null(loader);
  lpot_loader_free(NULL);
}

static void counts_follow_batch_size_and_limits(void **state) {
  (void)state;
  static const struct {
    lpot_loader_options options;
    int64_t samples, batches;
  } cases[] = {
      {{.batch_size = 4}, 10, 3},
      {{.batch_size = 4, .max_samples = 5}, 5, 2},
      {{.batch_size = 4, .max_samples = 99}, 10, 3},
      {{.batch_size = 5}, 10, 2},
      {{.batch_size = 100}, 10, 1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    lpot_loader *loader = new_loader("dummy", "{shape: [10, 2]}", "~", &cases[i].options);
    assert_int_equal(lpot_loader_num_samples(loader), cases[i].samples);
    assert_int_equal(lpot_loader_num_batches(loader), cases[i].batches);
    assert_int_equal(lpot_loader_batch_size(loader), cases[i].options.batch_size);
    assert_int_equal(lpot_dataset_size(lpot_loader_dataset(loader)), 10);
    lpot_loader_free(loader);
  }
}

static void batch_outside_is_refused(void **state) {
  (void)state;
  lpot_loader_options options = {.batch_size = 4};
  lpot_loader *loader = new_loader("dummy", "{shape: [10, 2]}", "~", &options);
  const lpot_batch *batch = NULL;
  lpot_error err = {0};
  expect_error(lpot_loader_batch(loader, 3, &batch, &err), LPOT_INVALID, &err,
               "batch 3 is outside [0, 3)");
  expect_error(lpot_loader_batch(loader, -1, &batch, &err), LPOT_INVALID, &err, "batch -1");
  lpot_loader_free(loader);
}

static void every_sample_comes_once_in_a_seeded_order(void **state) {
  (void)state;
  lpot_loader_options options = {.batch_size = 7, .seed = 3};
  lpot_loader *loader = new_loader("shapes", "{samples: 50, size: 8}", "~", &options);
  int counts[10] = {0};
  int in_place = 0;
  for (int64_t b = 0; b < lpot_loader_num_batches(loader); b++) {
    const lpot_batch *batch = get_batch(loader, b);
    assert_int_equal(batch->num_valid, b == 7 ? 1 : 7);
    for (int64_t row = 0; row < batch->num_valid; row++) {
      int64_t label = lpot_tensor_get_int(batch->labels, row);
      counts[label]++;
      assert_int_equal(label, batch->indices[row] % 10);
      in_place += label == (b * 7 + row) % 10 ? 1 : 0;
    }
  }
  for (int i = 0; i < 10; i++) {
    assert_int_equal(counts[i], 5);
  }
  assert_true(in_place < 25);
  lpot_loader_free(loader);
}

static void last_batch_repeats_its_last_sample(void **state) {
  (void)state;
  lpot_loader_options options = {.batch_size = 4, .seed = 1};
  lpot_loader *loader = new_loader("dummy", "{shape: [6, 3], label: true}", "~", &options);
  const lpot_batch *batch = get_batch(loader, 1);
  assert_int_equal(batch->num_valid, 2);
  assert_int_equal(batch->inputs[0]->shape.dims[0], 4);
  assert_int_equal(batch->labels->shape.rank, 1);
  const float *rows = batch->inputs[0]->data;
  assert_memory_not_equal(rows, rows + 3, 12);
  assert_memory_equal(rows + 3, rows + 6, 12);
  assert_memory_equal(rows + 3, rows + 9, 12);
  lpot_loader_free(loader);
}

/* Reads all batches twice and folds the bytes. */
static uint64_t fold(const lpot_loader_options *options) {
  lpot_loader *loader =
      new_loader("shapes", "{samples: 40, size: 8}",
                 "{Transpose: {perm: [2, 0, 1]}, Cast: {dtype: float32}}", options);
  uint64_t sum = 0;
  for (int64_t i = 0; i < 2 * lpot_loader_num_batches(loader); i++) {
    const lpot_batch *batch = get_batch(loader, i % lpot_loader_num_batches(loader));
    sum = sum * 31 + lpot_hash64(batch->inputs[0]->data, batch->inputs[0]->size_bytes, 0);
    sum = sum * 31 + lpot_hash64(batch->labels->data, batch->labels->size_bytes, 0);
  }
  lpot_loader_free(loader);
  return sum;
}

static void cache_changes_nothing(void **state) {
  (void)state;
  lpot_loader_options options = {.batch_size = 16, .seed = 9};
  uint64_t expected = fold(&options);
  options.cache_bytes = 10000;
  assert_true(fold(&options) == expected);
  options.cache_bytes = 1 << 30;
  assert_true(fold(&options) == expected);
  options.cache_bytes = 1;
  assert_true(fold(&options) == expected);
  options.seed = 10;
  assert_false(fold(&options) == expected);
}

/* A hash by dataset index of what a sample becomes. */
static void hash_rows(const lpot_loader_options *options, uint64_t hashes[30]) {
  lpot_loader *loader = new_loader("shapes", "{samples: 30, size: 12}",
                                   "{RandomCrop: {size: 8}, RandomHorizontalFlip: {}}", options);
  for (int64_t b = 0; b < lpot_loader_num_batches(loader); b++) {
    const lpot_batch *batch = get_batch(loader, b);
    size_t row = batch->inputs[0]->size_bytes / (size_t)options->batch_size;
    for (int64_t i = 0; i < batch->num_valid; i++) {
      const uint8_t *data = (const uint8_t *)batch->inputs[0]->data + (size_t)i * row;
      hashes[batch->indices[i]] = lpot_hash64(data, row, 0);
    }
  }
  lpot_loader_free(loader);
}

static void random_transforms_see_the_sample_and_not_its_batch(void **state) {
  (void)state;
  uint64_t one[30];
  uint64_t two[30];
  lpot_loader_options options = {.batch_size = 7, .seed = 3};
  hash_rows(&options, one);
  options = (lpot_loader_options){.batch_size = 30, .seed = 3, .cache_bytes = 1 << 20};
  hash_rows(&options, two);
  assert_memory_equal(one, two, sizeof one);
  options.keeps_order = true;
  hash_rows(&options, two);
  assert_memory_equal(one, two, sizeof one);
  options.seed = 4;
  hash_rows(&options, two);
  assert_memory_not_equal(one, two, sizeof one);
}

static void samples_of_different_shapes_are_both_named(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  char settings[FIXTURE_PATH + 16];
  const lpot_batch *batch = NULL;
  lpot_error err = {0};
  make_folder(folder);
  copy_golden("grey.png", folder, "a/1.png");
  copy_golden("rgb.png", folder, "a/2.png");
  snprintf(settings, sizeof settings, "{root: '%s'}", folder);
  lpot_loader_options options = {.batch_size = 2};
  lpot_loader *loader = new_loader("ImageFolder", settings, "~", &options);
  expect_error(lpot_loader_batch(loader, 0, &batch, &err), LPOT_INVALID, &err, "samples ");
  assert_non_null(strstr(err.message, "[7, 9, 3]"));
  assert_non_null(strstr(err.message, "[24, 31, 3]"));
  lpot_loader_free(loader);
  options.batch_size = 1;
  loader = new_loader("ImageFolder", settings, "~", &options);
  int64_t heights = get_batch(loader, 0)->inputs[0]->shape.dims[1];
  heights += get_batch(loader, 1)->inputs[0]->shape.dims[1];
  assert_int_equal(heights, 31);
  lpot_loader_free(loader);
  remove_folder(folder);
}

static void failing_transform_names_the_sample(void **state) {
  (void)state;
  const lpot_batch *batch = NULL;
  lpot_error err = {0};
  lpot_loader_options options = {.batch_size = 1};
  lpot_loader *loader = new_loader("dummy", "{shape: [1, 3]}", "Resize: {size: 4}", &options);
  expect_error(lpot_loader_batch(loader, 0, &batch, &err), LPOT_INVALID, &err,
               "sample 0: transform Resize of [3] float32");
  lpot_loader_free(loader);
}

static void exhausted_memory_is_an_error(void **state) {
  (void)state;
  lpot_loader_options options = {.batch_size = 2, .cache_bytes = 1000};
  lpot_status status = LPOT_NO_MEMORY;
  for (uint64_t n = 1; status != LPOT_OK; n++) {
    lpot_dataset *dataset = open_dataset("dummy", "{shape: [3, 3], label: true}", NULL);
    lpot_transforms *chain = NULL;
    lpot_loader *loader = NULL;
    const lpot_batch *batch = NULL;
    expect_ok(make_chain("Rescale:", &chain, NULL), NULL);
    lpot_memory_fail_after(n);
    status = lpot_loader_new(&dataset, &chain, &options, &loader, NULL);
    if (status == LPOT_OK) {
      status = lpot_loader_batch(loader, 0, &batch, NULL);
    }
    lpot_memory_fail_after(0);
    lpot_loader_free(loader);
    assert_true(status == LPOT_NO_MEMORY || status == LPOT_OK);
    assert_true(n < 100);
  }
}

static void order_is_kept_where_that_is_wished(void **state) {
  (void)state;
  lpot_loader_options options = {.batch_size = 4, .seed = 5, .keeps_order = true};
  lpot_loader *loader = new_loader("dummy", "{shape: [10, 1]}", "~", &options);
  for (uint64_t i = 0; i < 10; i++) {
    assert_int_equal(get_batch(loader, (int64_t)(i / 4))->indices[i % 4], i);
  }
  lpot_loader_free(loader);
}

/* Ten samples: input i and i + 1 labels of value i; sample 7 cannot be read where fails is set. */
typedef struct ragged_set {
  lpot_dataset base;
  bool fails;
} ragged_set;

static lpot_status get_ragged(lpot_dataset *dataset, int64_t index, lpot_sample *sample,
                              lpot_error *err) {
  if (((ragged_set *)dataset)->fails && index == 7) {
    return LPOT_FAIL(err, LPOT_FORMAT, "no such luck");
  }
  lpot_shape scalar = lpot_shape_of(0, NULL);
  lpot_shape row = lpot_shape_of(1, (const int64_t[]){index + 1});
  LPOT_TRY(lpot_tensor_new(LPOT_F32, &scalar, &sample->inputs[0], err));
  sample->num_inputs = 1;
  lpot_tensor_set_double(sample->inputs[0], 0, (double)index);
  LPOT_TRY(lpot_tensor_new(LPOT_S64, &row, &sample->label, err));
  for (int64_t i = 0; i <= index; i++) {
    lpot_tensor_set_int(sample->label, i, index);
  }
  return LPOT_OK;
}

static lpot_loader *ragged_loader(bool fails, const lpot_loader_options *options) {
  static const lpot_dataset_class class_of = {.name = "ragged", .get = get_ragged};
  ragged_set *set = lpot_calloc(1, sizeof *set);
  assert_non_null(set);
  set->base.class_of = &class_of;
  set->base.size = 10;
  set->base.ragged_labels = true;
  set->fails = fails;
  lpot_dataset *dataset = &set->base;
  lpot_transforms *chain = NULL;
  lpot_loader *loader = NULL;
  lpot_error err = {0};
  expect_ok(make_chain("~", &chain, &err), &err);
  expect_ok(lpot_loader_new(&dataset, &chain, options, &loader, &err), &err);
  return loader;
}

static void expect_ragged_batch(const lpot_batch *batch) {
  for (int64_t i = 0; i < batch->num_valid; i++) {
    int64_t index = (int64_t)batch->indices[i];
    assert_int_equal(lpot_tensor_get_int(batch->inputs[0], i), index);
    assert_int_equal(lpot_tensor_elements(batch->row_labels[i]), index + 1);
    assert_int_equal(lpot_tensor_get_int(batch->row_labels[i], index), index);
  }
}

static void batches_made_ahead_are_the_same(void **state) {
  (void)state;
  static const int64_t walk[] = {0, 1, 2, 3, 0, 2, 1, 1, 3, 3, 0};
  for (uint64_t cache = 0; cache < 3; cache++) {
    lpot_loader_options options = {.batch_size = 3, .seed = 2, .cache_bytes = cache * cache * 500};
    lpot_loader *loader = ragged_loader(false, &options);
    for (size_t i = 0; i < sizeof walk / sizeof walk[0]; i++) {
      const lpot_batch *batch = get_batch(loader, walk[i]);
      lpot_loader_prefetch(loader, walk[i] + 1);
      expect_ragged_batch(batch); /* while the next one is being made */
      if (i % 3 == 2) {
        lpot_loader_rest(loader);
        lpot_loader_prefetch(loader, i % 2 == 0 ? 0 : -1);
        expect_ragged_batch(batch);
      }
    }
    lpot_loader_prefetch(loader, 1);
    lpot_loader_free(loader);
  }
}

static void errors_of_batches_made_ahead_are_told_when_they_are_asked_for(void **state) {
  (void)state;
  const lpot_batch *batch = NULL;
  lpot_error err = {0};
  lpot_loader_options options = {.batch_size = 4, .keeps_order = true};
  lpot_loader *loader = ragged_loader(true, &options);
  for (int i = 0; i < 2; i++) {
    expect_ragged_batch(get_batch(loader, 0));
    lpot_loader_prefetch(loader, 1);
    lpot_loader_rest(loader);
    expect_ragged_batch(get_batch(loader, 2)); /* another one: nothing has failed */
    lpot_loader_prefetch(loader, 1);
    expect_error(lpot_loader_batch(loader, 1, &batch, &err), LPOT_FORMAT, &err,
                 "sample 7: no such luck");
    lpot_loader_prefetch(loader, 1);
    assert_int_equal(lpot_loader_batch(loader, 1, &batch, NULL), LPOT_FORMAT);
  }
  lpot_loader_free(loader);
}

static void batch_at_hand_stays_while_the_next_is_made(void **state) {
  (void)state;
  lpot_loader_options options = {.batch_size = 50};
  lpot_loader *loader = new_loader("shapes", "{samples: 200, size: 32}", "Rescale:", &options);
  uint64_t expected = 0;
  uint64_t found = 0;
  for (int64_t b = 0; b < 4; b++) {
    const lpot_batch *batch = get_batch(loader, b);
    expected += lpot_hash64(batch->inputs[0]->data, batch->inputs[0]->size_bytes, (uint64_t)b);
  }
  for (int64_t b = 0; b < 4; b++) {
    const lpot_batch *batch = get_batch(loader, b);
    const void *data = batch->inputs[0]->data;
    lpot_loader_prefetch(loader, b + 1);
    found += lpot_hash64(data, batch->inputs[0]->size_bytes, (uint64_t)b);
  }
  assert_true(found == expected);
  lpot_loader_free(loader);
}

static void released_batches_are_made_anew(void **state) {
  (void)state;
  lpot_loader_options options = {.batch_size = 50};
  lpot_loader *loader = new_loader("shapes", "{samples: 100, size: 32}", "Rescale:", &options);
  const lpot_batch *batch = get_batch(loader, 1);
  uint64_t expected = lpot_hash64(batch->inputs[0]->data, batch->inputs[0]->size_bytes, 0);
  lpot_loader_release(loader);
  lpot_loader_prefetch(loader, 1);
  lpot_loader_release(loader); /* also one that is being made */
  batch = get_batch(loader, 1);
  assert_true(lpot_hash64(batch->inputs[0]->data, batch->inputs[0]->size_bytes, 0) == expected);
  lpot_loader_prefetch(loader, 0);
  (void)get_batch(loader, 0);
  lpot_loader_release(loader);
  lpot_loader_free(loader);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wrong_options_are_refused),
      cmocka_unit_test(counts_follow_batch_size_and_limits),
      cmocka_unit_test(batch_outside_is_refused),
      cmocka_unit_test(every_sample_comes_once_in_a_seeded_order),
      cmocka_unit_test(last_batch_repeats_its_last_sample),
      cmocka_unit_test(cache_changes_nothing),
      cmocka_unit_test(random_transforms_see_the_sample_and_not_its_batch),
      cmocka_unit_test(samples_of_different_shapes_are_both_named),
      cmocka_unit_test(failing_transform_names_the_sample),
      cmocka_unit_test(exhausted_memory_is_an_error),
      cmocka_unit_test(released_batches_are_made_anew),
      cmocka_unit_test(order_is_kept_where_that_is_wished),
      cmocka_unit_test(batches_made_ahead_are_the_same),
      cmocka_unit_test(errors_of_batches_made_ahead_are_told_when_they_are_asked_for),
      cmocka_unit_test(batch_at_hand_stays_while_the_next_is_made),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
