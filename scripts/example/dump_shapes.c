/* Writes samples of the built-in dataset "shapes" as two .npy files for the training script.
 *
 *   dump_shapes SETTINGS IMAGES.npy LABELS.npy
 *
 * SETTINGS is the YAML map under "shapes", for example '{samples: 20000, train: true, seed: 1}'.
 * IMAGES is [samples, size, size, 3] uint8 in the dataset's order, LABELS [samples] int64. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/yaml_tree.h"
#include "data/dataset.h"

static int complain(const lpot_error *err) {
  fprintf(stderr, "dump_shapes: %s\n", err->message);
  return 1;
}

/* Version 1.0 header, padded with blanks so that the data begin at byte 128. */
static bool write_header(FILE *file, const char *descr, const char *shape) {
  char text[118];
  int length = snprintf(text, sizeof(text),
                        "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape);
  if (length < 0 || length > 116) {
    return false;
  }
  return fprintf(file, "%cNUMPY%c%c%c%c%-117s\n", 0x93, 1, 0, 118, 0, text) == 128;
}

static lpot_status write_samples(lpot_dataset *dataset, FILE *images, FILE *labels,
                                 lpot_error *err) {
  lpot_sample sample;
  lpot_sample_init(&sample);
  lpot_status status = LPOT_OK;
  int64_t size = lpot_dataset_size(dataset);
  for (int64_t i = 0; i < size && status == LPOT_OK; i++) {
    status = lpot_dataset_get(dataset, i, &sample, err);
    if (status == LPOT_OK && (fwrite(sample.inputs[0]->data, 1, sample.inputs[0]->size_bytes,
                                     images) != sample.inputs[0]->size_bytes ||
                              fwrite(sample.label->data, 1, sample.label->size_bytes, labels) !=
                                  sample.label->size_bytes)) {
      status = LPOT_FAIL(err, LPOT_IO, "a file cannot be written");
    }
  }
  lpot_sample_done(&sample);
  return status;
}

static lpot_status write_headers(lpot_dataset *dataset, FILE *images, FILE *labels,
                                 lpot_error *err) {
  lpot_sample first;
  lpot_sample_init(&first);
  LPOT_TRY(lpot_dataset_get(dataset, 0, &first, err));
  int64_t side = first.inputs[0]->shape.dims[0];
  lpot_sample_done(&first);
  char image_shape[80];
  char label_shape[40];
  int64_t size = lpot_dataset_size(dataset);
  snprintf(image_shape, sizeof(image_shape), "%" PRId64 ", %" PRId64 ", %" PRId64 ", 3", size, side,
           side);
  snprintf(label_shape, sizeof(label_shape), "%" PRId64 ",", size);
  if (!write_header(images, "|u1", image_shape) || !write_header(labels, "<i8", label_shape)) {
    return LPOT_FAIL(err, LPOT_IO, "a header cannot be written");
  }
  return LPOT_OK;
}

static lpot_status dump(lpot_dataset *dataset, const char *image_path, const char *label_path,
                        lpot_error *err) {
  FILE *images = fopen(image_path, "wb");
  FILE *labels = fopen(label_path, "wb");
  lpot_status status = LPOT_OK;
  if (images == NULL || labels == NULL) {
    status = LPOT_FAIL(err, LPOT_IO, "'%s' or '%s' cannot be opened", image_path, label_path);
  }
  if (status == LPOT_OK) {
    status = write_headers(dataset, images, labels, err);
  }
  if (status == LPOT_OK) {
    status = write_samples(dataset, images, labels, err);
  }
  bool closed = images == NULL || fclose(images) == 0;
  closed = (labels == NULL || fclose(labels) == 0) && closed;
  if (status == LPOT_OK && !closed) {
    status = LPOT_FAIL(err, LPOT_IO, "a file cannot be written");
  }
  return status;
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: dump_shapes SETTINGS IMAGES.npy LABELS.npy\n");
    return 2;
  }
  lpot_error err = {0};
  lpot_yaml *yaml = NULL;
  lpot_dataset *dataset = NULL;
  lpot_status status = lpot_yaml_parse("settings", argv[1], strlen(argv[1]), &yaml, &err);
  if (status == LPOT_OK) {
    status = lpot_dataset_open("shapes", lpot_yaml_root(yaml), NULL, &dataset, &err);
  }
  if (status == LPOT_OK) {
    status = dump(dataset, argv[2], argv[3], &err);
  }
  lpot_dataset_close(dataset);
  lpot_yaml_free(yaml);
  return status == LPOT_OK ? 0 : complain(&err);
}
