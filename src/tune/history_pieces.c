#include "tune/history_pieces.h"

#include <string.h>

#include <hdf5.h>

#include "base/buffer.h"
#include "formats/output_file.h"

#define IMAGE_STEP ((size_t)1 << 20) /* bytes by which the image grows */

/* ---- errors ---- */

static herr_t take_description(unsigned depth, const H5E_error2_t *entry, void *context) {
  (void)depth;
  const char **text = context;
  if (entry->desc != NULL) {
    *text = entry->desc; /* The last one walked is the innermost cause. */
  }
  return 0;
}

lpot_status lpot_hdf5_check(int64_t result, const char *what, lpot_error *err) {
  if (result >= 0) {
    return LPOT_OK;
  }
  const char *text = "unknown cause";
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, take_description, &text);
  lpot_status status = LPOT_FAIL(err, LPOT_IO, "hdf5: %s: %s", what, text);
  H5Eclear2(H5E_DEFAULT);
  return status;
}

/* ---- small pieces ---- */

int64_t lpot_hdf5_text_type(size_t size) {
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, size);
  return type;
}

lpot_status lpot_hdf5_put_attribute(int64_t object, const char *name, int64_t type,
                                    const void *value, lpot_error *err) {
  hid_t space = H5Screate(H5S_SCALAR);
  hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  lpot_status status = lpot_hdf5_check(attribute, name, err);
  if (status == LPOT_OK) {
    status = lpot_hdf5_check(H5Awrite(attribute, type, value), name, err);
    H5Aclose(attribute);
  }
  H5Sclose(space);
  return status;
}

lpot_status lpot_hdf5_put_text(int64_t object, const char *name, const char *text,
                               lpot_error *err) {
  hid_t type = lpot_hdf5_text_type(strlen(text) + 1);
  lpot_status status = lpot_hdf5_put_attribute(object, name, type, text, err);
  H5Tclose(type);
  return status;
}

lpot_status lpot_hdf5_put_double(int64_t object, const char *name, double value, lpot_error *err) {
  LPOT_TRY(lpot_hdf5_put_attribute(object, name, H5T_NATIVE_DOUBLE, &value, err));
  return LPOT_OK;
}

lpot_status lpot_hdf5_put_uint(int64_t object, const char *name, uint64_t value, lpot_error *err) {
  LPOT_TRY(lpot_hdf5_put_attribute(object, name, H5T_NATIVE_UINT64, &value, err));
  return LPOT_OK;
}

lpot_status lpot_hdf5_put_dataset(int64_t parent, const char *name, int64_t type, int num_dims,
                                  const uint64_t *dims, const void *data, lpot_error *err) {
  hsize_t sizes[2] = {0, 0}; /* its type depends on the version */
  for (int i = 0; i < num_dims; i++) {
    sizes[i] = dims[i];
  }
  hid_t space = num_dims == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(num_dims, sizes, NULL);
  LPOT_TRY(lpot_hdf5_check(space, name, err));
  hid_t create = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_obj_track_times(create, false); /* The same content is the same bytes. */
  hid_t dataset = H5Dcreate2(parent, name, type, space, H5P_DEFAULT, create, H5P_DEFAULT);
  H5Pclose(create);
  lpot_status status = lpot_hdf5_check(dataset, name, err);
  if (status == LPOT_OK) {
    status =
        lpot_hdf5_check(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), name, err);
    H5Dclose(dataset);
  }
  H5Sclose(space);
  return status;
}

static hid_t enum_type(const lpot_hdf5_member *spec) {
  hid_t type = H5Tenum_create(H5T_NATIVE_UINT8);
  for (size_t i = 0; i < spec->size; i++) {
    uint8_t value = (uint8_t)i;
    H5Tenum_insert(type, spec->text((int)i), &value);
  }
  return type;
}

static hid_t member_type(const lpot_hdf5_member *spec) {
  switch (spec->kind) {
  case 'u':
    return H5Tcopy(H5T_NATIVE_UINT64);
  case 'i':
    return H5Tcopy(H5T_NATIVE_INT64);
  case 'd':
    return H5Tcopy(H5T_NATIVE_DOUBLE);
  case 'f':
    return H5Tcopy(H5T_NATIVE_FLOAT);
  case 'r':
    return H5Tcopy(H5T_NATIVE_INT32);
  case 'n':
    return H5Tcopy(H5T_NATIVE_UINT32);
  case 'b':
    return H5Tcopy(H5T_NATIVE_UINT8);
  case 'e':
    return enum_type(spec);
  default:
    return lpot_hdf5_text_type(spec->size);
  }
}

lpot_status lpot_hdf5_put_table(int64_t parent, const char *name, const lpot_hdf5_member *specs,
                                size_t num_specs, size_t row_size, const void *rows, size_t count,
                                lpot_error *err) {
  hid_t type = H5Tcreate(H5T_COMPOUND, row_size);
  LPOT_TRY(lpot_hdf5_check(type, name, err));
  lpot_status status = LPOT_OK;
  for (size_t i = 0; i < num_specs && status == LPOT_OK; i++) {
    hid_t member = member_type(&specs[i]);
    status = lpot_hdf5_check(H5Tinsert(type, specs[i].name, specs[i].offset, member), specs[i].name,
                             err);
    H5Tclose(member);
  }
  const uint64_t dims[1] = {count};
  if (status == LPOT_OK) {
    status = lpot_hdf5_put_dataset(parent, name, type, 1, dims, rows, err);
  }
  H5Tclose(type);
  return status;
}

/* ---- the file ---- */

static lpot_status take_image(hid_t file, lpot_buffer *image, lpot_error *err) {
  LPOT_TRY(lpot_hdf5_check(H5Fflush(file, H5F_SCOPE_GLOBAL), "flush", err));
  ssize_t size = H5Fget_file_image(file, NULL, 0);
  LPOT_TRY(lpot_hdf5_check(size, "size of the image", err));
  LPOT_TRY(lpot_buffer_reserve(image, (size_t)size, err));
  LPOT_TRY(lpot_hdf5_check(H5Fget_file_image(file, image->data, (size_t)size), "image", err));
  image->size = (size_t)size;
  return LPOT_OK;
}

/* HDF5 makes the file in memory and never sees the disk: after a write that failed (no space) its
 * libraries crash when the program ends. */
static lpot_status draw(lpot_hdf5_fill fill, const void *context, lpot_buffer *image,
                        lpot_error *err) {
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  LPOT_TRY(lpot_hdf5_check(access, "access", err));
  lpot_status status = lpot_hdf5_check(H5Pset_fapl_core(access, IMAGE_STEP, false), "access", err);
  hid_t file = H5I_INVALID_HID;
  if (status == LPOT_OK) {
    file = H5Fcreate("file.h5", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    status = lpot_hdf5_check(file, "file.h5", err);
  }
  H5Pclose(access);
  LPOT_TRY(status);
  status = fill(file, context, err);
  if (status == LPOT_OK) {
    status = take_image(file, image, err);
  }
  lpot_status closed = lpot_hdf5_check(H5Fclose(file), "close", status == LPOT_OK ? err : NULL);
  return status != LPOT_OK ? status : closed;
}

lpot_status lpot_hdf5_write_file(const char *path, lpot_hdf5_fill fill, const void *context,
                                 lpot_error *err) {
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  lpot_buffer image;
  lpot_buffer_init(&image);
  lpot_status status = draw(fill, context, &image, err);
  if (status == LPOT_OK) {
    status = lpot_output_file_replace(path, image.data, image.size, err);
  }
  lpot_buffer_done(&image);
  return status;
}
