/* Helpers for tests of the data floor: temporary folders, settings as text, golden arrays. */
#ifndef LPOT_TESTS_DATA_FIXTURE_H
#define LPOT_TESTS_DATA_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/mapping.h"
#include "base/yaml_tree.h"
#include "data/dataset.h"
#include "data/npy.h"
#include "data/path_list.h"
#include "data/transform.h"

#define FIXTURE_PATH 512

static inline void expect_ok(lpot_status status, const lpot_error *err) {
  if (status != LPOT_OK) {
    fail_msg("%s: %s", lpot_status_text(status), err->message);
  }
}

/* Fails unless status and a part of the message are as expected. */
static inline void expect_error(lpot_status status, lpot_status expected, const lpot_error *err,
                                const char *part) {
  if (status != expected || strstr(err->message, part) == NULL) {
    fail_msg("expected '%s' with '%s', got '%s' with '%s'", lpot_status_text(expected), part,
             lpot_status_text(status), err->message);
  }
}

/* A new folder under /tmp; out has FIXTURE_PATH bytes. */
static inline void make_folder(char *out) {
  strcpy(out, "/tmp/lpot_data_XXXXXX");
  assert_non_null(mkdtemp(out));
}

/* Removes folder and what it holds. */
static inline void remove_folder(const char *path) {
  lpot_path_list entries = {0};
  lpot_error err = {0};
  expect_ok(lpot_path_list_add_folder(&entries, path, &err), &err);
  for (size_t i = 0; i < entries.count; i++) {
    if (lpot_path_is_folder(entries.paths[i])) {
      remove_folder(entries.paths[i]);
    } else {
      assert_int_equal(remove(entries.paths[i]), 0);
    }
  }
  lpot_path_list_done(&entries);
  assert_int_equal(remove(path), 0);
}

/* Writes folder/name; a sub-folder in name is made. */
static inline void write_file(const char *folder, const char *name, const void *data, size_t size) {
  char path[FIXTURE_PATH * 2];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  char *slash = strrchr(path, '/');
  *slash = '\0';
  mkdir(path, 0700);
  *slash = '/';
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, size, file), size);
  assert_int_equal(fclose(file), 0);
}

/* The path of a file in the folder golden beside this header. */
static inline void golden_path(const char *name, char out[FIXTURE_PATH]) {
  snprintf(out, FIXTURE_PATH, "%s", __FILE__);
  *strrchr(out, '/') = '\0';
  size_t length = strlen(out);
  snprintf(out + length, FIXTURE_PATH - length, "/golden/%s", name);
}

static inline lpot_mapping *golden_map(const char *name) {
  char path[FIXTURE_PATH];
  lpot_mapping *mapping = NULL;
  lpot_error err = {0};
  golden_path(name, path);
  expect_ok(lpot_mapping_open(path, &mapping, &err), &err);
  return mapping;
}

/* Copies a golden file to folder/as. */
static inline void copy_golden(const char *name, const char *folder, const char *as) {
  lpot_mapping *mapping = golden_map(name);
  write_file(folder, as, lpot_mapping_data(mapping), lpot_mapping_size(mapping));
  lpot_mapping_unref(mapping);
}

/* A golden .npy file as a tensor. */
static inline lpot_tensor *golden_tensor(const char *name) {
  char path[FIXTURE_PATH];
  lpot_tensor *tensor = NULL;
  lpot_error err = {0};
  golden_path(name, path);
  expect_ok(lpot_npy_load(path, &tensor, &err), &err);
  return tensor;
}

/* Largest difference; the shapes must be equal. */
static inline double largest_difference(const lpot_tensor *a, const lpot_tensor *b) {
  assert_true(lpot_shape_equal(&a->shape, &b->shape));
  double largest = 0.0;
  for (int64_t i = 0; i < lpot_tensor_elements(a); i++) {
    double difference = lpot_tensor_get_double(a, i) - lpot_tensor_get_double(b, i);
    difference = difference < 0.0 ? -difference : difference;
    largest = difference > largest ? difference : largest;
  }
  return largest;
}

static inline lpot_yaml *parse_settings(const char *text) {
  lpot_yaml *yaml = NULL;
  lpot_error err = {0};
  expect_ok(lpot_yaml_parse("conf.yaml", text, strlen(text), &yaml, &err), &err);
  return yaml;
}

static inline lpot_status open_with(const char *name, const char *settings, const char *folder,
                                    lpot_dataset **ret, lpot_error *err) {
  lpot_yaml *yaml = parse_settings(settings);
  lpot_status status = lpot_dataset_open(name, lpot_yaml_root(yaml), folder, ret, err);
  lpot_yaml_free(yaml);
  return status;
}

/* Opening must fail with this status and message part. */
static inline void expect_refused(const char *name, const char *settings, const char *folder,
                                  lpot_status expected, const char *part) {
  lpot_dataset *dataset = NULL;
  lpot_error err = {0};
  expect_error(open_with(name, settings, folder, &dataset, &err), expected, &err, part);
  assert_null(dataset);
}

static inline lpot_dataset *open_dataset(const char *name, const char *settings,
                                         const char *folder) {
  lpot_dataset *dataset = NULL;
  lpot_error err = {0};
  expect_ok(open_with(name, settings, folder, &dataset, &err), &err);
  return dataset;
}

static inline void get_sample(lpot_dataset *dataset, int64_t index, lpot_sample *sample) {
  lpot_error err = {0};
  expect_ok(lpot_dataset_get(dataset, index, sample, &err), &err);
}

static inline int64_t label_of(lpot_dataset *dataset, int64_t index) {
  lpot_sample sample;
  lpot_sample_init(&sample);
  get_sample(dataset, index, &sample);
  int64_t label = lpot_tensor_get_int(sample.label, 0);
  lpot_sample_done(&sample);
  return label;
}

static inline lpot_digest manifest_of(const char *name, const char *settings, const char *folder) {
  lpot_dataset *dataset = open_dataset(name, settings, folder);
  lpot_digest digest;
  lpot_error err = {0};
  expect_ok(lpot_dataset_manifest(dataset, &digest, &err), &err);
  lpot_dataset_close(dataset);
  return digest;
}

static inline bool same_digest(lpot_digest a, lpot_digest b) {
  return a.low == b.low && a.high == b.high;
}

static inline lpot_status make_chain(const char *settings, lpot_transforms **ret, lpot_error *err) {
  lpot_yaml *yaml = parse_settings(settings);
  lpot_status status = lpot_transforms_new(lpot_yaml_root(yaml), ret, err);
  lpot_yaml_free(yaml);
  return status;
}

/* The folder with real data plus /name, or false (and the reason on stdout) where it is unset. */
static inline bool real_data(const char *test, const char *name, char out[FIXTURE_PATH]) {
  const char *root = getenv("LPOT_TEST_DATA");
  if (root == NULL || root[0] == '\0') {
    printf("SKIPPED %s: LPOT_TEST_DATA is not set\n", test);
    return false;
  }
  snprintf(out, FIXTURE_PATH, "%s/%s", root, name);
  return true;
}

#endif
