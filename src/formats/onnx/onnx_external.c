#include "formats/onnx/onnx_external.h"

#include <string.h>
#include <sys/stat.h>

#include "base/hash_map.h"
#include "base/memory.h"
#include "base/text.h"

#define MAX_LOCATION 4096

struct lpot_onnx_external {
  char *folder;            /* owned; NULL refuses */
  lpot_hash_map *indices;  /* location to index */
  lpot_mapping **mappings; /* [capacity], the first count are in use */
  size_t count, capacity;
};

static lpot_status fill(lpot_onnx_external *external, const char *folder, lpot_error *err) {
  LPOT_TRY(lpot_hash_map_new(&external->indices, err));
  if (folder == NULL) {
    return LPOT_OK;
  }
  size_t size = strlen(folder) + 1;
  external->folder = lpot_calloc(size, 1);
  if (external->folder == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  (void)lpot_text_copy(external->folder, size, folder);
  return LPOT_OK;
}

lpot_status lpot_onnx_external_new(const char *folder, lpot_onnx_external **ret_external,
                                   lpot_error *err) {
  lpot_onnx_external *external = lpot_calloc(1, sizeof *external);
  if (external == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = fill(external, folder, err);
  if (status != LPOT_OK) {
    lpot_onnx_external_free(external);
    return status;
  }
  *ret_external = external;
  return LPOT_OK;
}

void lpot_onnx_external_free(lpot_onnx_external *external) {
  if (external == NULL) {
    return;
  }
  for (size_t i = 0; i < external->count; i++) {
    lpot_mapping_unref(external->mappings[i]);
  }
  lpot_free(external->mappings);
  lpot_hash_map_free(external->indices);
  lpot_free(external->folder);
  lpot_free(external);
}

/* A location comes from the file: it may name what lies in the model's folder and nothing else,
 * or a model from the net could read any file of its user. */
static lpot_status check_location(const char *location, lpot_error *err) {
  char shown[128];
  lpot_text_printable(location, shown, sizeof shown);
  if (location[0] == '\0' || location[0] == '/' || strlen(location) > MAX_LOCATION) {
    return LPOT_FAIL(err, LPOT_FORMAT, "external data location '%s' is not a relative path", shown);
  }
  const char *part = location;
  while (part != NULL) {
    size_t length = strcspn(part, "/");
    if (length == 2 && part[0] == '.' && part[1] == '.') {
      return LPOT_FAIL(err, LPOT_FORMAT, "external data location '%s' leaves the model's folder",
                       shown);
    }
    part = part[length] == '/' ? part + length + 1 : NULL;
  }
  return LPOT_OK;
}

static lpot_status refuse_link(const char *path, lpot_error *err) {
  struct stat info;
  if (lstat(path, &info) == 0 && S_ISLNK(info.st_mode)) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "external data file '%s' is a symbolic link, expected a file in the model's "
                     "folder",
                     path);
  }
  return LPOT_OK;
}

/* Looks at every prefix of location for a link, so that none can lead out of the folder. */
static lpot_status build_path(const char *folder, const char *location, lpot_buffer *path,
                              lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(path, err, "%s", folder));
  const char *part = location;
  while (part != NULL) {
    size_t length = strcspn(part, "/");
    LPOT_TRY(lpot_buffer_append(path, "/", 1, err));
    LPOT_TRY(lpot_buffer_append(path, part, length, err));
    LPOT_TRY(lpot_buffer_terminate(path, err));
    LPOT_TRY(refuse_link((const char *)path->data, err));
    part = part[length] == '/' ? part + length + 1 : NULL;
  }
  return LPOT_OK;
}

static lpot_status grow(lpot_onnx_external *external, lpot_error *err) {
  if (external->count < external->capacity) {
    return LPOT_OK;
  }
  size_t capacity = external->capacity == 0 ? 4 : 2 * external->capacity;
  lpot_mapping **mappings = lpot_realloc(external->mappings, capacity, sizeof *mappings);
  if (mappings == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  external->mappings = mappings;
  external->capacity = capacity;
  return LPOT_OK;
}

static lpot_status open_location(lpot_onnx_external *external, const char *location,
                                 lpot_error *err) {
  lpot_buffer path;
  lpot_buffer_init(&path);
  lpot_mapping *mapping = NULL;
  lpot_status status = build_path(external->folder, location, &path, err);
  if (status == LPOT_OK) {
    status = lpot_mapping_open((const char *)path.data, &mapping, err);
  }
  lpot_buffer_done(&path);
  LPOT_TRY(status);
  external->mappings[external->count] = mapping;
  external->count++;
  LPOT_TRY(lpot_hash_map_put(external->indices, location, (int64_t)external->count - 1, err));
  return LPOT_OK;
}

lpot_status lpot_onnx_external_get(lpot_onnx_external *external, const char *location,
                                   lpot_mapping **ret_mapping, lpot_error *err) {
  if (external->folder == NULL) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED,
                     "the tensor is in an external file, but no folder is known to look in");
  }
  int64_t index = 0;
  if (!lpot_hash_map_get(external->indices, location, &index)) {
    LPOT_TRY(check_location(location, err));
    LPOT_TRY(grow(external, err));
    LPOT_TRY(open_location(external, location, err));
    index = (int64_t)external->count - 1;
  }
  *ret_mapping = external->mappings[index];
  return LPOT_OK;
}

size_t lpot_onnx_external_count(const lpot_onnx_external *external) {
  return external->count;
}

lpot_mapping *lpot_onnx_external_mapping(const lpot_onnx_external *external, size_t index) {
  return external->mappings[index];
}
