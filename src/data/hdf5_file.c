#include "data/hdf5_file.h"

#include <string.h>
#include <sys/stat.h>

#include <hdf5.h>

#include "base/memory.h"

/* Chunks are kept unpacked up to this size for each array: rows are read in random order. */
#define CHUNK_CACHE_BYTES ((size_t)64 << 20)
#define CHUNK_CACHE_SLOTS 10007
#define MAX_ROW_ELEMENTS ((int64_t)1 << 28)

struct lpot_hdf5_file {
  hid_t handle;
};

/* The library's types for ours. F16 is made where it is needed. */
typedef struct type_row {
  H5T_class_t kind;
  H5T_sign_t sign; /* of integers */
  size_t size;
  lpot_dtype dtype;
} type_row;

static const type_row types[] = {
    {H5T_INTEGER, H5T_SGN_2, 1, LPOT_S8},        {H5T_INTEGER, H5T_SGN_NONE, 1, LPOT_U8},
    {H5T_INTEGER, H5T_SGN_2, 2, LPOT_S16},       {H5T_INTEGER, H5T_SGN_NONE, 2, LPOT_U16},
    {H5T_INTEGER, H5T_SGN_2, 4, LPOT_S32},       {H5T_INTEGER, H5T_SGN_NONE, 4, LPOT_U32},
    {H5T_INTEGER, H5T_SGN_2, 8, LPOT_S64},       {H5T_INTEGER, H5T_SGN_NONE, 8, LPOT_U64},
    {H5T_FLOAT, H5T_SGN_ERROR, 2, LPOT_F16},     {H5T_FLOAT, H5T_SGN_ERROR, 4, LPOT_F32},
    {H5T_FLOAT, H5T_SGN_ERROR, 8, LPOT_F64},     {H5T_ENUM, H5T_SGN_ERROR, 1, LPOT_BOOL},
    {H5T_BITFIELD, H5T_SGN_ERROR, 1, LPOT_BOOL},
};

static herr_t take_description(unsigned depth, const H5E_error2_t *entry, void *context) {
  (void)depth;
  const char **text = context;
  if (entry->desc != NULL) {
    *text = entry->desc; /* The last one walked is the innermost cause. */
  }
  return 0;
}

/* The library's error stack as an error. */
static lpot_status fail(lpot_status status, const char *what, lpot_error *err) {
  const char *text = "unknown cause";
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, take_description, &text);
  status = LPOT_FAIL(err, status, "%s: %s", what, text);
  H5Eclear2(H5E_DEFAULT);
  return status;
}

bool lpot_hdf5_is_thread_safe(void) {
  hbool_t is_safe = 0;
  return H5is_library_threadsafe(&is_safe) >= 0 && is_safe;
}

lpot_status lpot_hdf5_file_open(const char *path, lpot_hdf5_file **ret_file, lpot_error *err) {
  struct stat info;
  if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) {
    return LPOT_FAIL(err, LPOT_NOT_FOUND, "no file '%s'", path);
  }
  lpot_hdf5_file *file = lpot_calloc(1, sizeof(*file));
  if (file == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  file->handle = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file->handle < 0) {
    lpot_free(file);
    return fail(LPOT_FORMAT, "not a whole HDF5 file", err);
  }
  *ret_file = file;
  return LPOT_OK;
}

void lpot_hdf5_file_close(lpot_hdf5_file *file) {
  if (file == NULL) {
    return;
  }
  H5Fclose(file->handle);
  lpot_free(file);
}

/* Finds our type for the library's. */
static bool match_type(hid_t type, lpot_dtype *ret_dtype) {
  H5T_class_t kind = H5Tget_class(type);
  size_t size = H5Tget_size(type);
  H5T_sign_t sign = kind == H5T_INTEGER ? H5Tget_sign(type) : H5T_SGN_ERROR;
  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
    if (types[i].kind == kind && types[i].size == size && types[i].sign == sign) {
      *ret_dtype = types[i].dtype;
      return true;
    }
  }
  return false;
}

/* Half precision of this machine's byte order; to be closed. */
static hid_t half_type(void) {
  hid_t type = H5Tcopy(H5T_NATIVE_FLOAT);
  H5Tset_fields(type, 15, 10, 5, 0, 10);
  H5Tset_size(type, 2);
  H5Tset_ebias(type, 15);
  return type;
}

/* The type of elements in memory; to be closed. Booleans are single bytes. */
static hid_t memory_type(lpot_dtype dtype, hid_t file_type) {
  if (dtype == LPOT_F16) {
    return half_type();
  }
  return dtype == LPOT_BOOL ? H5Tcopy(file_type) : H5Tget_native_type(file_type, H5T_DIR_ASCEND);
}

/* Reads what the array is. */
static lpot_status describe(lpot_hdf5_array *array, hid_t type, hid_t space, lpot_error *err) {
  hsize_t dims[H5S_MAX_RANK];
  int rank = H5Sget_simple_extent_ndims(space);
  if (!match_type(type, &array->dtype)) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED,
                     "elements of a type that cannot be read (class %d, %zu bytes); expected "
                     "integers, floats or booleans",
                     (int)H5Tget_class(type), H5Tget_size(type));
  }
  if (rank < 1 || rank > LPOT_MAX_RANK) {
    return LPOT_FAIL(err, LPOT_FORMAT, "an array of %d dimensions, expected 1 to %d", rank,
                     LPOT_MAX_RANK);
  }
  H5Sget_simple_extent_dims(space, dims, NULL);
  if (dims[0] < 1 || dims[0] > INT32_MAX) {
    return LPOT_FAIL(err, LPOT_FORMAT, "%llu rows, expected 1 to %d", (unsigned long long)dims[0],
                     INT32_MAX);
  }
  int64_t row[LPOT_MAX_RANK];
  int64_t elements = 1;
  for (int i = 1; i < rank; i++) {
    if (dims[i] < 1 || dims[i] > (hsize_t)(MAX_ROW_ELEMENTS / elements)) {
      return LPOT_FAIL(err, LPOT_FORMAT, "a row must have 1 to %lld elements",
                       (long long)MAX_ROW_ELEMENTS);
    }
    row[i - 1] = (int64_t)dims[i];
    elements *= row[i - 1];
  }
  array->count = (int64_t)dims[0];
  array->row = lpot_shape_of(rank - 1, row);
  return LPOT_OK;
}

lpot_status lpot_hdf5_array_open(const lpot_hdf5_file *file, const char *name,
                                 lpot_hdf5_array *ret_array, lpot_error *err) {
  lpot_hdf5_array array = {0};
  hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
  H5Pset_chunk_cache(access, CHUNK_CACHE_SLOTS, CHUNK_CACHE_BYTES, 1.0);
  hid_t handle = H5Dopen2(file->handle, name, access);
  lpot_status opened = handle < 0 ? fail(LPOT_NOT_FOUND, "no such array", err) : LPOT_OK;
  H5Pclose(access); /* Forgets the cause. */
  LPOT_TRY(opened);
  hid_t type = H5Dget_type(handle);
  hid_t space = H5Dget_space(handle);
  lpot_status status = type < 0 || space < 0 ? fail(LPOT_FORMAT, "its description", err)
                                             : describe(&array, type, space, err);
  H5Tclose(type);
  H5Sclose(space);
  if (status != LPOT_OK) {
    H5Dclose(handle);
    return status;
  }
  array.handle = handle;
  *ret_array = array;
  return LPOT_OK;
}

void lpot_hdf5_array_close(lpot_hdf5_array *array) {
  if (array->handle > 0) {
    H5Dclose((hid_t)array->handle);
  }
  array->handle = 0;
}

/* Reads one row into data. */
static herr_t read_row(const lpot_hdf5_array *array, int64_t index, void *data) {
  hid_t handle = (hid_t)array->handle;
  hsize_t start[LPOT_MAX_RANK] = {(hsize_t)index};
  hsize_t count[LPOT_MAX_RANK] = {1};
  for (int i = 0; i < array->row.rank; i++) {
    count[i + 1] = (hsize_t)array->row.dims[i];
  }
  hid_t file_type = H5Dget_type(handle);
  hid_t type = memory_type(array->dtype, file_type);
  hid_t space = H5Dget_space(handle);
  hid_t row_space = H5Screate_simple(array->row.rank + 1, count, NULL);
  herr_t result = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
  if (result >= 0) {
    result = H5Dread(handle, type, row_space, space, H5P_DEFAULT, data);
  }
  H5Sclose(row_space);
  H5Sclose(space);
  H5Tclose(type);
  H5Tclose(file_type);
  return result;
}

lpot_status lpot_hdf5_array_row(const lpot_hdf5_array *array, int64_t index, lpot_tensor **ret_row,
                                lpot_error *err) {
  lpot_tensor *row = NULL;
  LPOT_TRY(lpot_tensor_new(array->dtype, &array->row, &row, err));
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  if (read_row(array, index, row->data) < 0) {
    lpot_tensor_unref(row);
    return fail(LPOT_FORMAT, "a row cannot be read", err);
  }
  if (row->dtype == LPOT_BOOL) {
    uint8_t *values = row->data;
    for (size_t i = 0; i < row->size_bytes; i++) {
      values[i] = values[i] != 0 ? 1 : 0;
    }
  }
  *ret_row = row;
  return LPOT_OK;
}
