/* A loader: dataset, order, transforms, fixed blocks of whole batches.
 *
 * Sample order is a permutation of the dataset's natural order by seed, or that order itself. Block
 * b holds samples [b B, (b+1) B) of it, B a multiple of the batch size, decided by configuration
 * alone: so any sharding over ranks reads the same batches. */
#ifndef LPOT_DATA_LOADER_H
#define LPOT_DATA_LOADER_H

#include "data/dataset.h"
#include "data/transform.h"

typedef struct lpot_loader_options {
  uint64_t seed;        /* of the order, and of random transforms */
  bool keeps_order;     /* samples in the dataset's own order */
  int64_t batch_size;   /* >= 1 */
  int64_t max_samples;  /* 0: all; else the first N of the order */
  uint64_t cache_bytes; /* transformed samples kept in memory at most; 0 for none */
} lpot_loader_options;

/* A batch: inputs stacked along a new dimension 0. When the samples run out the rest is filled by
 * repeating the last sample, so that every batch has the same shape; only the first num_valid rows
 * count. */
typedef struct lpot_batch {
  size_t num_inputs;
  lpot_tensor *inputs[LPOT_MAX_SAMPLE_INPUTS]; /* [batch, ...] */
  lpot_tensor *labels;                         /* [batch, ...]; NULL: none, or ragged ones */
  lpot_tensor *const *row_labels; /* [batch] labels whose shapes differ from sample to sample, as
                                     the dataset gives them; NULL unless it has such */
  int64_t num_valid;              /* 1 .. batch size */
  const uint64_t *indices;        /* [num_valid] the rows' places in the dataset; borrowed */
} lpot_batch;

typedef struct lpot_loader lpot_loader;

/* dataset and transforms are moved, also on failure. */
LPOT_MUST_CHECK lpot_status lpot_loader_new(lpot_dataset **dataset, lpot_transforms **transforms,
                                            const lpot_loader_options *options,
                                            lpot_loader **ret_loader, lpot_error *err);
void lpot_loader_free(lpot_loader *loader);
int64_t lpot_loader_num_samples(const lpot_loader *loader);
int64_t lpot_loader_batch_size(const lpot_loader *loader);
int64_t lpot_loader_num_batches(const lpot_loader *loader);
const lpot_dataset *lpot_loader_dataset(const lpot_loader *loader);
/* Batch number index in [0, num_batches); its tensors are borrowed until the next call. Errors name
 * the sample. Waits for a batch that is being made ahead. */
LPOT_MUST_CHECK lpot_status lpot_loader_batch(lpot_loader *loader, int64_t index,
                                              const lpot_batch **ret_batch, lpot_error *err);
/* Begins to make batch number index on a thread of the loader, into memory for one more batch, so
 * that lpot_loader_batch need not; the batch at hand stays. A hint: nothing happens where there is
 * no such batch, where all of it is cached, or where the system gives no thread. An error of the
 * batch is told when it is asked for. Dataset, transforms and cache belong to the thread until the
 * next call for this loader. */
void lpot_loader_prefetch(lpot_loader *loader, int64_t index);
/* Returns when no batch is being made ahead: then the loader takes no processor time. */
void lpot_loader_rest(lpot_loader *loader);
/* Frees the memory of batches until the next one is asked for, and forgets one made ahead. */
void lpot_loader_release(lpot_loader *loader);

#endif
