#include "data_fixture.h"

#include "base/checksum.h"

static lpot_digest digest_of(const char *settings, int64_t count) {
  lpot_dataset *dataset = open_dataset("shapes", settings, NULL);
  lpot_sample sample;
  lpot_digest sum = {0, 0};
  lpot_sample_init(&sample);
  for (int64_t i = 0; i < count; i++) {
    get_sample(dataset, i, &sample);
    lpot_digest one = lpot_digest_of(sample.inputs[0]->data, sample.inputs[0]->size_bytes);
    sum.low = sum.low * 31 + one.low;
    sum.high = sum.high * 31 + one.high;
  }
  lpot_sample_done(&sample);
  lpot_dataset_close(dataset);
  return sum;
}

static void wrong_settings_are_refused(void **state) {
  (void)state;
  expect_refused("shapes", "{samples: 0}", NULL, LPOT_CONFIG, "samples");
  expect_refused("shapes", "{classes: 9}", NULL, LPOT_CONFIG, "classes");
  expect_refused("shapes", "{size: 4}", NULL, LPOT_CONFIG, "size");
  expect_refused("shapes", "{noise: -1}", NULL, LPOT_CONFIG, "noise must be in");
  expect_refused("shapes", "{noise: .nan}", NULL, LPOT_CONFIG, "noise");
  expect_refused("shapes", "{colour: 1}", NULL, LPOT_CONFIG, "colour");
}

/* The committed network was trained on these very bytes: they must never change. */
static void bytes_are_the_same_on_every_machine(void **state) {
  (void)state;
  char text[33];
  lpot_digest digest = digest_of("{samples: 100}", 100);
  lpot_digest_text(&digest, text);
  assert_string_equal(text, "cd853fc9362438f711354b36c9c19598");
  digest = digest_of("{samples: 100, train: true, seed: 5, size: 48}", 100);
  lpot_digest_text(&digest, text);
  assert_string_equal(text, "05f7bd83459b19dcfc78436989e54c1e");
}

static void seed_split_and_settings_change_the_images(void **state) {
  (void)state;
  lpot_digest base = digest_of("{samples: 10}", 10);
  assert_true(same_digest(base, digest_of("{samples: 20}", 10)));
  assert_false(same_digest(base, digest_of("{samples: 10, train: true}", 10)));
  assert_false(same_digest(base, digest_of("{samples: 10, seed: 2}", 10)));
  assert_false(same_digest(base, digest_of("{samples: 10, noise: 1}", 10)));
  assert_false(same_digest(base, digest_of("{samples: 10, channel_order: bgr}", 10)));
}

static void sample_does_not_depend_on_what_was_read_before(void **state) {
  (void)state;
  lpot_dataset *dataset = open_dataset("shapes", "{}", NULL);
  lpot_sample a;
  lpot_sample b;
  lpot_sample_init(&a);
  lpot_sample_init(&b);
  assert_int_equal(lpot_dataset_size(dataset), 2000);
  assert_int_equal(lpot_dataset_num_classes(dataset), 10);
  get_sample(dataset, 1234, &a);
  get_sample(dataset, 7, &b);
  get_sample(dataset, 1234, &b);
  assert_memory_equal(a.inputs[0]->data, b.inputs[0]->data, 3072);
  assert_int_equal(lpot_tensor_get_int(a.label, 0), 4);
  lpot_sample_done(&a);
  lpot_sample_done(&b);
  lpot_dataset_close(dataset);
}

/* Without noise, clutter and with full contrast a disc has few edges and a checkerboard many. */
static void classes_look_different(void **state) {
  (void)state;
  lpot_dataset *dataset =
      open_dataset("shapes", "{noise: 0, clutter: 0, contrast: 100, size: 64}", NULL);
  int64_t edges[10] = {0};
  lpot_sample sample;
  lpot_sample_init(&sample);
  for (int64_t i = 0; i < 200; i++) {
    get_sample(dataset, i, &sample);
    const uint8_t *pixels = sample.inputs[0]->data;
    for (int64_t p = 3; p < 64 * 64 * 3; p++) {
      edges[i % 10] += abs(pixels[p] - pixels[p - 3]) > 40 ? 1 : 0;
    }
  }
  lpot_sample_done(&sample);
  lpot_dataset_close(dataset);
  assert_true(edges[1] > edges[0] * 3 / 2);
  assert_true(edges[8] > edges[2] * 2);
  assert_true(edges[7] > edges[6] * 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wrong_settings_are_refused),
      cmocka_unit_test(bytes_are_the_same_on_every_machine),
      cmocka_unit_test(seed_split_and_settings_change_the_images),
      cmocka_unit_test(sample_does_not_depend_on_what_was_read_before),
      cmocka_unit_test(classes_look_different),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
