/* Datasets: labelled samples by index. One class per file, registered in dataset_table.c. */
#ifndef LPOT_DATA_DATASET_H
#define LPOT_DATA_DATASET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/yaml_tree.h"
#include "data/sample.h"

typedef struct lpot_dataset lpot_dataset;

/* Names of all datasets, NULL terminated. */
const char *const *lpot_dataset_names(void);
/* What can be told of a data set without opening it: LPOT_CONFIG where there is none of this name;
 * *ret_keys, NULL terminated, are what its map may have (NULL: it is told when it is opened). */
LPOT_MUST_CHECK lpot_status lpot_dataset_settings(const char *name, const lpot_yaml_node *settings,
                                                  const char *const **ret_keys, lpot_error *err);
/* settings is the map under the dataset's key in the YAML (its file, line and column serve
 * messages; borrowed for the call). folder: where relative paths start (NULL: the working
 * directory). Missing files are LPOT_NOT_FOUND naming path and setting; malformed ones LPOT_FORMAT.
 */
LPOT_MUST_CHECK lpot_status lpot_dataset_open(const char *name, const lpot_yaml_node *settings,
                                              const char *folder, lpot_dataset **ret_dataset,
                                              lpot_error *err);
void lpot_dataset_close(lpot_dataset *dataset);
int64_t lpot_dataset_size(const lpot_dataset *dataset);
/* Number of classes where the dataset knows it, else 0. */
int64_t lpot_dataset_num_classes(const lpot_dataset *dataset);
/* True where labels differ in shape from sample to sample, such as lists of boxes. */
bool lpot_dataset_has_ragged_labels(const lpot_dataset *dataset);
/* Keeps the samples that a filter lets pass. settings: the map under "filter", one key:
 *   LabelBalance: {size: n}   images with exactly n objects
 * LPOT_CONFIG where the dataset has no boxes, LPOT_INVALID where no sample passes. */
LPOT_MUST_CHECK lpot_status lpot_dataset_filter(lpot_dataset *dataset,
                                                const lpot_yaml_node *settings, lpot_error *err);
/* LPOT_CONFIG where settings are none of a filter, whatever the data set. */
LPOT_MUST_CHECK lpot_status lpot_dataset_check_filter(const lpot_yaml_node *settings,
                                                      lpot_error *err);
/* Number of listed samples that were left out because their file is missing (ImagenetRaw). */
int64_t lpot_dataset_num_skipped(const lpot_dataset *dataset);
/* Fills sample (initialised, emptied first). index in [0, size). */
LPOT_MUST_CHECK lpot_status lpot_dataset_get(lpot_dataset *dataset, int64_t index,
                                             lpot_sample *sample, lpot_error *err);
/* Identity of the data for resume: names and sizes of all files, and their contents up to 64 MiB in
 * all. */
LPOT_MUST_CHECK lpot_status lpot_dataset_manifest(const lpot_dataset *dataset, lpot_digest *ret,
                                                  lpot_error *err);

#endif
