/* MNIST and FashionMNIST: idx files, plain or gzipped:
 *   big-endian u32 magic 0x00000803 | count | rows | columns | count x rows x columns bytes
 *   big-endian u32 magic 0x00000801 | count | count labels
 * Samples are [rows, columns, 1]. */
#include "data/dataset_class.h"

#include <stdio.h>

#include "base/mapping.h"
#include "base/reader.h"
#include "data/inflate.h"
#include "data/setting.h"

#define IMAGES_MAGIC 0x00000803u
#define LABELS_MAGIC 0x00000801u
#define LIMIT_BYTES ((size_t)1 << 30)
#define MAX_SIDE 4096

/* The content of one file, mapped or inflated. */
typedef struct idx_file {
  lpot_mapping *mapping; /* owned */
  lpot_buffer inflated;
  const uint8_t *data; /* content */
  size_t size;
} idx_file;

typedef struct dataset_mnist {
  lpot_dataset base; /* the class's name is the folder in which torchvision puts the files */
  idx_file images;
  idx_file labels;
  const uint8_t *pixels;  /* [size, rows, columns] */
  const uint8_t *classes; /* [size] */
  int64_t rows;
  int64_t columns;
} dataset_mnist;

static lpot_status load(idx_file *file, const char *path, lpot_error *err) {
  LPOT_TRY(lpot_mapping_open(path, &file->mapping, err));
  file->data = lpot_mapping_data(file->mapping);
  file->size = lpot_mapping_size(file->mapping);
  if (file->size < 2 || file->data[0] != 0x1f || file->data[1] != 0x8b) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_inflate_gzip(file->data, file->size, LIMIT_BYTES, &file->inflated, err));
  lpot_mapping_unref(file->mapping);
  file->mapping = NULL;
  file->data = file->inflated.data;
  file->size = file->inflated.size;
  return LPOT_OK;
}

static lpot_status read_big_u32(lpot_reader *reader, uint32_t *ret, lpot_error *err) {
  const uint8_t *bytes = NULL;
  LPOT_TRY(lpot_reader_bytes(reader, 4, &bytes, err));
  *ret = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
  return LPOT_OK;
}

static lpot_status read_magic(lpot_reader *reader, uint32_t expected, lpot_error *err) {
  uint32_t magic = 0;
  LPOT_TRY(read_big_u32(reader, &magic, err));
  if (magic != expected) {
    return LPOT_FAIL(err, LPOT_FORMAT, "idx magic is 0x%08x, expected 0x%08x", (unsigned)magic,
                     (unsigned)expected);
  }
  return LPOT_OK;
}

static lpot_status read_images(dataset_mnist *set, lpot_error *err) {
  lpot_reader reader;
  uint32_t count = 0;
  uint32_t rows = 0;
  uint32_t columns = 0;
  lpot_reader_init(&reader, set->images.data, set->images.size);
  LPOT_TRY(read_magic(&reader, IMAGES_MAGIC, err));
  LPOT_TRY(read_big_u32(&reader, &count, err));
  LPOT_TRY(read_big_u32(&reader, &rows, err));
  LPOT_TRY(read_big_u32(&reader, &columns, err));
  size_t remaining = lpot_reader_remaining(&reader);
  if (count == 0 || rows == 0 || columns == 0 || rows > MAX_SIDE || columns > MAX_SIDE ||
      (uint64_t)count * rows * columns != remaining) {
    return LPOT_FAIL(err, LPOT_FORMAT, "%u idx images of %u x %u, but %zu bytes of pixels",
                     (unsigned)count, (unsigned)rows, (unsigned)columns, remaining);
  }
  set->base.size = count;
  set->rows = rows;
  set->columns = columns;
  return lpot_reader_bytes(&reader, remaining, &set->pixels, err);
}

static lpot_status read_labels(dataset_mnist *set, lpot_error *err) {
  lpot_reader reader;
  uint32_t count = 0;
  lpot_reader_init(&reader, set->labels.data, set->labels.size);
  LPOT_TRY(read_magic(&reader, LABELS_MAGIC, err));
  LPOT_TRY(read_big_u32(&reader, &count, err));
  if (count != set->base.size || lpot_reader_remaining(&reader) != count) {
    return LPOT_FAIL(err, LPOT_FORMAT, "%u idx labels in %zu bytes for %lld images",
                     (unsigned)count, lpot_reader_remaining(&reader), (long long)set->base.size);
  }
  LPOT_TRY(lpot_reader_bytes(&reader, count, &set->classes, err));
  for (uint32_t i = 0; i < count; i++) {
    if (set->classes[i] > 9) {
      return LPOT_FAIL(err, LPOT_FORMAT, "idx label %u is %d, expected 0 to 9", (unsigned)i,
                       set->classes[i]);
    }
  }
  return LPOT_OK;
}

/* Adds one possible path to the files; *ret_found says whether it exists. */
static lpot_status try_file(dataset_mnist *set, const char *folder, const char *root,
                            const char *file, bool *ret_found, lpot_error *err) {
  lpot_path_list *files = &set->base.files;
  lpot_path_list roots = {0};
  lpot_status status = lpot_path_list_add(&roots, folder, root, err);
  if (status == LPOT_OK) {
    status = lpot_path_list_add(files, roots.paths[0], file, err);
  }
  lpot_path_list_done(&roots);
  LPOT_TRY(status);
  *ret_found = lpot_path_is_file(lpot_path_list_last(files));
  if (!*ret_found) {
    files->count--;
  }
  return LPOT_OK;
}

/* root/NAME, root/NAME.gz, or the same in root/MNIST/raw, where torchvision puts them. */
static lpot_status find_file(dataset_mnist *set, const char *folder, const char *root,
                             const char *name, lpot_error *err) {
  static const char *const endings[] = {"", ".gz"};
  const char *set_name = set->base.class_of->name;
  bool found = false;
  for (size_t i = 0; i < 4 && !found; i++) {
    char file[96];
    snprintf(file, sizeof(file), "%s%s%s%s", i < 2 ? "" : set_name, i < 2 ? "" : "/raw/", name,
             endings[i % 2]);
    LPOT_TRY(try_file(set, folder, root, file, &found, err));
  }
  if (found) {
    return LPOT_OK;
  }
  return LPOT_FAIL(err, LPOT_NOT_FOUND,
                   "dataset %s: setting root: neither '%s/%s' nor '%s/%s.gz' exists (lpot does not "
                   "download)",
                   set_name, root, name, root, name);
}

static lpot_status load_and_read(dataset_mnist *set, idx_file *file,
                                 lpot_status (*read)(dataset_mnist *set, lpot_error *err),
                                 lpot_error *err) {
  const char *path = lpot_path_list_last(&set->base.files);
  lpot_status status = load(file, path, err);
  if (status == LPOT_OK) {
    status = read(set, err);
  }
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "%s file '%s'", set->base.class_of->name, path);
  }
  return status;
}

static const char *const setting_names[] = {"root", "train", "download", "channel_order", NULL};

static lpot_status open_mnist(lpot_dataset *dataset, const lpot_yaml_node *settings,
                              const char *folder, lpot_error *err) {
  dataset_mnist *set = (dataset_mnist *)dataset;
  bool train = false;
  bool bgr = false;
  const lpot_yaml_node *root_node = NULL;
  const char *root = NULL;
  char owner[32];
  snprintf(owner, sizeof(owner), "dataset %s", dataset->class_of->name);
  LPOT_TRY(lpot_setting_need(settings, owner, "root", &root_node, err));
  LPOT_TRY(lpot_yaml_string(root_node, &root, err));
  LPOT_TRY(lpot_setting_bool(settings, "train", &train, err));
  LPOT_TRY(lpot_setting_bgr(settings, &bgr, err));
  LPOT_TRY(find_file(set, folder, root,
                     train ? "train-images-idx3-ubyte" : "t10k-images-idx3-ubyte", err));
  LPOT_TRY(load_and_read(set, &set->images, read_images, err));
  LPOT_TRY(find_file(set, folder, root,
                     train ? "train-labels-idx1-ubyte" : "t10k-labels-idx1-ubyte", err));
  LPOT_TRY(load_and_read(set, &set->labels, read_labels, err));
  dataset->num_classes = 10;
  return LPOT_OK;
}

static void close_mnist(lpot_dataset *dataset) {
  dataset_mnist *set = (dataset_mnist *)dataset;
  lpot_mapping_unref(set->images.mapping);
  lpot_mapping_unref(set->labels.mapping);
  lpot_buffer_done(&set->images.inflated);
  lpot_buffer_done(&set->labels.inflated);
}

static lpot_status get_mnist(lpot_dataset *dataset, int64_t index, lpot_sample *sample,
                             lpot_error *err) {
  const dataset_mnist *set = (const dataset_mnist *)dataset;
  lpot_shape shape = lpot_shape_of(3, (const int64_t[]){set->rows, set->columns, 1});
  const uint8_t *pixels = set->pixels + index * set->rows * set->columns;
  LPOT_TRY(lpot_tensor_copy_of(LPOT_U8, &shape, pixels, &sample->inputs[0], err));
  sample->num_inputs = 1;
  return lpot_sample_set_class(sample, set->classes[index], err);
}

const lpot_dataset_class lpot_dataset_class_mnist = {
    .name = "MNIST",
    .size_bytes = sizeof(dataset_mnist),
    .settings = setting_names,
    .open = open_mnist,
    .close = close_mnist,
    .get = get_mnist,
};

const lpot_dataset_class lpot_dataset_class_fashion_mnist = {
    .name = "FashionMNIST",
    .size_bytes = sizeof(dataset_mnist),
    .settings = setting_names,
    .open = open_mnist,
    .close = close_mnist,
    .get = get_mnist,
};
