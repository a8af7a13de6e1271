#include "graph/unique.h"

#include <stdlib.h>

#include "base/memory.h"
#include "graph/infer_rules.h"

typedef struct slicing {
  const lpot_tensor *tensor;
  int64_t outer, total, inner; /* slice i has the elements (o * total + i) * inner + k */
} slicing;

/* What is sorted: qsort passes no context, so that each item brings it. */
typedef struct slice {
  const slicing *slicing;
  int64_t index;
} slice;

static int compare_elements(const slicing *all, int64_t a, int64_t b) {
  for (int64_t o = 0; o < all->outer; o++) {
    for (int64_t k = 0; k < all->inner; k++) {
      int64_t left = lpot_tensor_get_order(all->tensor, (o * all->total + a) * all->inner + k);
      int64_t right = lpot_tensor_get_order(all->tensor, (o * all->total + b) * all->inner + k);
      if (left != right) {
        return left < right ? -1 : 1;
      }
    }
  }
  return 0;
}

/* Among equal ones the first comes first. */
static int compare_slices(const void *left, const void *right) {
  const slice *a = left;
  const slice *b = right;
  int order = compare_elements(a->slicing, a->index, b->index);
  if (order != 0) {
    return order;
  }
  return (a->index > b->index) - (a->index < b->index);
}

static lpot_status slice_tensor(const lpot_node *node, const lpot_tensor *tensor, int *ret_axis,
                                slicing *ret, lpot_error *err) {
  *ret = (slicing){.tensor = tensor, .outer = 1, .total = 1, .inner = 1};
  *ret_axis = -1;
  if (lpot_node_attribute(node, "axis") == NULL) {
    ret->total = lpot_tensor_elements(tensor);
    return LPOT_OK;
  }
  int axis = 0;
  LPOT_TRY(lpot_infer_axis(lpot_node_int(node, "axis", 0), tensor->shape.rank, &axis, err));
  for (int i = 0; i < tensor->shape.rank; i++) {
    int64_t *part = i < axis ? &ret->outer : &ret->inner;
    part = i == axis ? &ret->total : part;
    *part *= tensor->shape.dims[i];
  }
  if (lpot_tensor_elements(tensor) == 0) {
    ret->total = 0; /* Slices of nothing: there may be more of them than memory. */
  }
  *ret_axis = axis;
  return LPOT_OK;
}

/* Groups of equal slices lie side by side: numbers them in sorted order. */
static void number_groups(const slice *sorted, lpot_unique *unique) {
  for (int64_t i = 0; i < unique->total; i++) {
    int64_t index = sorted[i].index;
    bool is_new = i == 0 || compare_elements(sorted[i].slicing, sorted[i - 1].index, index) != 0;
    if (is_new) {
      unique->first[unique->count] = index;
      unique->occurrences[unique->count] = 0;
      unique->count++;
    }
    unique->inverse[index] = unique->count - 1;
    unique->occurrences[unique->count - 1]++;
  }
}

/* From sorted order to that of first occurrence. number_of has room for count numbers. */
static void renumber_by_occurrence(lpot_unique *unique, int64_t *number_of) {
  int64_t next = 0;
  for (int64_t i = 0; i < unique->total; i++) {
    int64_t group = unique->inverse[i];
    if (unique->first[group] == i) {
      number_of[group] = next++;
    }
    unique->inverse[i] = number_of[group];
  }
  /* first and occurrences follow from the new numbers. */
  for (int64_t group = 0; group < unique->count; group++) {
    unique->occurrences[group] = 0;
  }
  for (int64_t i = 0; i < unique->total; i++) {
    int64_t number = unique->inverse[i];
    if (unique->occurrences[number] == 0) {
      unique->first[number] = i;
    }
    unique->occurrences[number]++;
  }
}

void lpot_unique_done(lpot_unique *unique) {
  lpot_free(unique->first);
  lpot_free(unique->occurrences);
  lpot_free(unique->inverse);
  *unique = (lpot_unique){.axis = -1};
}

static lpot_status allocate(lpot_unique *unique, slice **ret_slices, int64_t **ret_numbers,
                            lpot_error *err) {
  size_t total = (size_t)unique->total;
  unique->first = lpot_calloc(total, sizeof *unique->first);
  unique->occurrences = lpot_calloc(total, sizeof *unique->occurrences);
  unique->inverse = lpot_calloc(total, sizeof *unique->inverse);
  *ret_slices = lpot_calloc(total, sizeof **ret_slices);
  *ret_numbers = lpot_calloc(total, sizeof **ret_numbers);
  if (unique->first == NULL || unique->occurrences == NULL || unique->inverse == NULL ||
      *ret_slices == NULL || *ret_numbers == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  return LPOT_OK;
}

lpot_status lpot_unique_find(const lpot_node *node, const lpot_tensor *tensor,
                             lpot_unique *ret_unique, lpot_error *err) {
  slicing all;
  lpot_unique unique = {.axis = -1};
  LPOT_TRY(slice_tensor(node, tensor, &unique.axis, &all, err));
  slice *slices = NULL;
  int64_t *numbers = NULL;
  unique.total = all.total;
  lpot_status status = allocate(&unique, &slices, &numbers, err);
  if (status == LPOT_OK) {
    for (int64_t i = 0; i < all.total; i++) {
      slices[i] = (slice){&all, i};
    }
    qsort(slices, (size_t)all.total, sizeof *slices, compare_slices);
    number_groups(slices, &unique);
    if (lpot_node_int(node, "sorted", 1) == 0) {
      renumber_by_occurrence(&unique, numbers);
    }
  }
  lpot_free(slices);
  lpot_free(numbers);
  if (status != LPOT_OK) {
    lpot_unique_done(&unique);
    return status;
  }
  *ret_unique = unique;
  return LPOT_OK;
}
