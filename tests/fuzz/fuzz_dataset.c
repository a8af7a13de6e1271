/* Fuzz target: bytes as the files of a dataset, which is opened and gives its first and last
 * sample. The first byte chooses the class. Where it has two files the next two bytes are the size
 * of the first one (little endian), the rest is the second one. TFRecords come without their
 * checksums, which no fuzzer finds: length (2 bytes, little endian), data, and so on. HDF5 is left
 * out: over damaged files its library allocates what they say, and loses memory. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/writer.h"
#include "data/dataset.h"
#include "data/tf_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct dataset_kind {
  const char *name;
  const char *files[2]; /* in the folder; the second one may be NULL */
  const char *settings;
  bool has_records; /* the first file is one of TFRecords */
} dataset_kind;

static const dataset_kind kinds[] = {
    {"MNIST", {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}, "root: .", false},
    {"CIFAR10", {"test_batch.bin", NULL}, "root: .", false},
    {"CIFAR100", {"test.bin", NULL}, "root: .", false},
    {"TFRecordDataset", {"records", NULL}, "root: records", true},
    {"COCORecord", {"records", NULL}, "root: records", true},
    {"VOCRecord", {"val-00000-of-00001.tfrecord", NULL}, "root: .", true},
    {"ImageRecord", {"val-00000-of-00001", NULL}, "root: .", true},
    {"ImagenetRaw", {"list.txt", "a.png"}, "{data_path: ., image_list: list.txt}", false},
    {"npy", {"x.npz", "y.npy"}, "{inputs: x.npz#x, labels: y.npy}", false},
    {"VOCRaw", {"ImageSets/Main/val.txt", "Annotations/a.xml"}, "root: .", false},
    {"COCORaw",
     {"instances.json", "a.png"},
     "{root: ., img_dir: ., anno_dir: instances.json}",
     false},
    {"GLUE", {"dev.tsv", "vocab.txt"}, "{data_dir: ., model_name_or_path: ., task: mrpc}", false},
};

/* ---- the folder ---- */

static char folder[] = "/tmp/fuzz_dataset_XXXXXX"; /* all that is in it goes at the end */

static void path_of(const char *name, char path[128]) {
  (void)snprintf(path, 128, "%s/%s", folder, name);
}

static const char *const inner_folders[] = {"ImageSets", "ImageSets/Main", "Annotations",
                                            "JPEGImages"};
#define NUM_INNER (sizeof inner_folders / sizeof inner_folders[0])

static void remove_file(const char *name) {
  char path[128];
  if (name != NULL) {
    path_of(name, path);
    (void)remove(path);
  }
}

static void remove_folder(void) {
  remove_file("JPEGImages/a.jpg");
  for (size_t i = NUM_INNER; i > 0; i--) {
    remove_file(inner_folders[i - 1]);
  }
  (void)rmdir(folder);
}

static void write_file(const char *name, const void *data, size_t size) {
  char path[128];
  path_of(name, path);
  FILE *file = fopen(path, "wb");
  LPOT_ASSERT(file != NULL);
  size_t written = size == 0 ? 0 : fwrite(data, 1, size, file);
  int closed = fclose(file);
  LPOT_ASSERT(written == size && closed == 0);
}

static void make_folder(void) {
  static bool is_made;
  if (is_made) {
    return;
  }
  is_made = mkdtemp(folder) != NULL;
  LPOT_ASSERT(is_made);
  for (size_t i = 0; i < NUM_INNER; i++) {
    char path[128];
    path_of(inner_folders[i], path);
    int made = mkdir(path, 0700);
    LPOT_ASSERT(made == 0);
  }
  write_file("JPEGImages/a.jpg", "", 0);
  (void)atexit(remove_folder);
}

/* ---- records ---- */

/* The number in the first two bytes of size >= 2, or as much as follows them. */
static size_t first_size(const uint8_t *data, size_t size) {
  size_t first = (size_t)data[0] + 256 * (size_t)data[1];
  return first < size - 2 ? first : size - 2;
}

static void put_record(lpot_buffer *out, const uint8_t *data, size_t size) {
  lpot_status status = lpot_writer_u64(out, size, NULL);
  LPOT_ASSERT(status == LPOT_OK);
  status = lpot_writer_u32(out, lpot_tf_record_checksum(out->data + out->size - 8, 8), NULL);
  LPOT_ASSERT(status == LPOT_OK);
  if (size > 0) {
    status = lpot_writer_bytes(out, data, size, NULL);
    LPOT_ASSERT(status == LPOT_OK);
  }
  status = lpot_writer_u32(out, lpot_tf_record_checksum(data, size), NULL);
  LPOT_ASSERT(status == LPOT_OK);
}

static void put_records(lpot_buffer *out, const uint8_t *data, size_t size) {
  while (size >= 2) {
    size_t length = first_size(data, size);
    put_record(out, data + 2, length);
    data += 2 + length;
    size -= 2 + length;
  }
}

/* ---- the dataset ---- */

static void write_files(const dataset_kind *kind, const uint8_t *data, size_t size) {
  lpot_buffer records;
  lpot_buffer_init(&records);
  if (kind->has_records) {
    put_records(&records, data, size);
    write_file(kind->files[0], records.data, records.size);
  } else if (kind->files[1] == NULL) {
    write_file(kind->files[0], data, size);
  } else if (size >= 2) {
    size_t first = first_size(data, size);
    write_file(kind->files[0], data + 2, first);
    write_file(kind->files[1], data + 2 + first, size - 2 - first);
  }
  lpot_buffer_done(&records);
}

static lpot_status read_samples(lpot_dataset *dataset, lpot_error *err) {
  lpot_sample sample;
  lpot_digest digest;
  lpot_sample_init(&sample);
  lpot_status status = lpot_dataset_get(dataset, lpot_dataset_size(dataset) - 1, &sample, err);
  lpot_sample_done(&sample);
  LPOT_TRY(status);
  status = lpot_dataset_get(dataset, 0, &sample, err);
  lpot_sample_done(&sample);
  LPOT_TRY(status);
  LPOT_TRY(lpot_dataset_manifest(dataset, &digest, err));
  return LPOT_OK;
}

static lpot_status open_dataset(const dataset_kind *kind, lpot_error *err) {
  lpot_yaml *yaml = NULL;
  lpot_dataset *dataset = NULL;
  LPOT_TRY(lpot_yaml_parse("fuzz.yaml", kind->settings, strlen(kind->settings), &yaml, err));
  lpot_status status = lpot_dataset_open(kind->name, lpot_yaml_root(yaml), folder, &dataset, err);
  if (status == LPOT_OK) {
    status = read_samples(dataset, err);
    lpot_dataset_close(dataset);
  }
  lpot_yaml_free(yaml);
  return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lpot_error error = {0};
  if (size == 0) {
    return 0;
  }
  const dataset_kind *kind = &kinds[data[0] % (sizeof kinds / sizeof kinds[0])];
  make_folder();
  write_files(kind, data + 1, size - 1);
  lpot_status status = open_dataset(kind, &error);
  LPOT_ASSERT(status == LPOT_OK || (error.message[0] != '\0' && status != LPOT_INTERNAL));
  remove_file(kind->files[0]);
  remove_file(kind->files[1]);
  return 0;
}
