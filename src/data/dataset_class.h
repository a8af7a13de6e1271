/* What a dataset class brings to dataset_table.c, and the part all datasets share.
 *
 * To add a dataset: one file dataset/dataset_NAME.c that defines its class, one declaration here,
 * one row in each list of dataset_table.c, one test. */
#ifndef LPOT_DATA_DATASET_CLASS_H
#define LPOT_DATA_DATASET_CLASS_H

#include "base/buffer.h"
#include "data/dataset.h"
#include "data/path_list.h"

typedef struct lpot_dataset_class {
  const char *name;            /* as in the YAML */
  size_t size_bytes;           /* of the class's own struct, which begins with lpot_dataset */
  const char *const *settings; /* keys that its map may have; NULL: open sees to it */
  /* Fills the zero-filled object. On failure the object is only closed. */
  lpot_status (*open)(lpot_dataset *dataset, const lpot_yaml_node *settings, const char *folder,
                      lpot_error *err);
  void (*close)(
      lpot_dataset *dataset); /* frees what open made, not the object itself; (optional) */
  /* index is valid, sample is empty. */
  lpot_status (*get)(lpot_dataset *dataset, int64_t index, lpot_sample *sample, lpot_error *err);
  /* Objects in the label of a sample, without reading it; (optional: labels are not boxes) */
  int64_t (*num_boxes)(const lpot_dataset *dataset, int64_t index);
} lpot_dataset_class;

struct lpot_dataset {
  const lpot_dataset_class *class_of;
  int64_t size;
  int64_t num_classes;  /* 0: unknown */
  bool ragged_labels;   /* their shapes differ from sample to sample */
  int64_t num_skipped;  /* listed samples whose file is missing */
  lpot_path_list files; /* all files that the data come from, in a fixed order */
  lpot_buffer identity; /* settings that decide what the samples are */
  int64_t *kept;        /* [size] owned: what a filter left, as the class counts; NULL: all */
};

extern const lpot_dataset_class lpot_dataset_class_bert;
extern const lpot_dataset_class lpot_dataset_class_cifar10;
extern const lpot_dataset_class lpot_dataset_class_cifar100;
extern const lpot_dataset_class lpot_dataset_class_coco_npy;
extern const lpot_dataset_class lpot_dataset_class_coco_raw;
extern const lpot_dataset_class lpot_dataset_class_coco_record;
extern const lpot_dataset_class lpot_dataset_class_dummy;
extern const lpot_dataset_class lpot_dataset_class_dummy_v2;
extern const lpot_dataset_class lpot_dataset_class_fashion_mnist;
extern const lpot_dataset_class lpot_dataset_class_glue;
extern const lpot_dataset_class lpot_dataset_class_hdf5;
extern const lpot_dataset_class lpot_dataset_class_image_folder;
extern const lpot_dataset_class lpot_dataset_class_image_record;
extern const lpot_dataset_class lpot_dataset_class_imagenet;
extern const lpot_dataset_class lpot_dataset_class_imagenet_raw;
extern const lpot_dataset_class lpot_dataset_class_mnist;
extern const lpot_dataset_class lpot_dataset_class_npy;
extern const lpot_dataset_class lpot_dataset_class_plugin;
extern const lpot_dataset_class lpot_dataset_class_shapes;
extern const lpot_dataset_class lpot_dataset_class_tf_record;
extern const lpot_dataset_class lpot_dataset_class_voc_raw;
extern const lpot_dataset_class lpot_dataset_class_voc_record;

#endif
