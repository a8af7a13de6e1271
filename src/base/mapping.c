#define _DEFAULT_SOURCE /* madvise: posix_madvise of glibc takes DONTNEED and does nothing */
#include "base/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/size.h"

struct lpot_mapping {
  void *data; /* mapped; NULL for an empty file */
  size_t size;
  int references;
  int descriptor; /* kept open, owned; -1 for none */
};

static lpot_status size_of(int descriptor, const char *path, size_t *ret_size, lpot_error *err) {
  struct stat information;
  if (fstat(descriptor, &information) != 0) {
    return LPOT_FAIL(err, LPOT_IO, "file '%s': %s", path, strerror(errno));
  }
  if (!S_ISREG(information.st_mode)) {
    return LPOT_FAIL(err, LPOT_IO, "file '%s': expected a regular file, got a %s", path,
                     S_ISDIR(information.st_mode) ? "folder" : "device or pipe");
  }
  LPOT_TRY(lpot_to_size(information.st_size, ret_size, err));
  return LPOT_OK;
}

static lpot_status map_descriptor(int descriptor, const char *path, lpot_mapping *mapping,
                                  lpot_error *err) {
  LPOT_TRY(size_of(descriptor, path, &mapping->size, err));
  if (mapping->size == 0) {
    return LPOT_OK;
  }
  void *data = mmap(NULL, mapping->size, PROT_READ, MAP_SHARED, descriptor, 0);
  if (data == MAP_FAILED) {
    return LPOT_FAIL(err, LPOT_IO, "file '%s' cannot be mapped: %s", path, strerror(errno));
  }
  mapping->data = data;
  return LPOT_OK;
}

static lpot_status new_mapping(lpot_mapping **ret_mapping, lpot_error *err) {
  lpot_mapping *mapping = lpot_calloc(1, sizeof *mapping);
  if (mapping == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  mapping->references = 1;
  mapping->descriptor = -1;
  *ret_mapping = mapping;
  return LPOT_OK;
}

lpot_status lpot_mapping_of_descriptor(int descriptor, const char *name, lpot_mapping **ret_mapping,
                                       lpot_error *err) {
  lpot_mapping *mapping = NULL;
  LPOT_TRY(new_mapping(&mapping, err));
  lpot_status status = map_descriptor(descriptor, name, mapping, err);
  if (status != LPOT_OK) {
    lpot_free(mapping);
    return status;
  }
  mapping->descriptor = descriptor;
  *ret_mapping = mapping;
  return LPOT_OK;
}

static lpot_status open_to_read(const char *path, int *ret_descriptor, lpot_error *err) {
  /* O_NONBLOCK: opening a pipe must not wait for a writer. It means nothing to regular files. */
  *ret_descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (*ret_descriptor < 0) {
    lpot_status status = errno == ENOENT || errno == ENOTDIR ? LPOT_NOT_FOUND : LPOT_IO;
    return LPOT_FAIL(err, status, "file '%s': %s", path, strerror(errno));
  }
  return LPOT_OK;
}

/* Until the end, wherever that is by now. */
static lpot_status read_all(int descriptor, const char *path, lpot_buffer *out, lpot_error *err) {
  size_t step = 0;
  LPOT_TRY(size_of(descriptor, path, &step, err));
  for (ssize_t count = 1; count != 0;) {
    LPOT_TRY(lpot_buffer_reserve(out, step + 1, err)); /* The last read finds nothing. */
    count = read(descriptor, out->data + out->size, step + 1);
    if (count < 0 && errno != EINTR) {
      return LPOT_FAIL(err, LPOT_IO, "file '%s': %s", path, strerror(errno));
    }
    out->size += count > 0 ? (size_t)count : 0;
  }
  return LPOT_OK;
}

lpot_status lpot_file_read(const char *path, lpot_buffer *out, lpot_error *err) {
  int descriptor = -1;
  lpot_buffer_clear(out);
  LPOT_TRY(open_to_read(path, &descriptor, err));
  lpot_status status = read_all(descriptor, path, out, err);
  close(descriptor);
  return status;
}

lpot_status lpot_mapping_open(const char *path, lpot_mapping **ret_mapping, lpot_error *err) {
  lpot_mapping *mapping = NULL;
  int descriptor = -1;
  LPOT_TRY(open_to_read(path, &descriptor, err));
  lpot_status status = new_mapping(&mapping, err);
  if (status == LPOT_OK) {
    status = map_descriptor(descriptor, path, mapping, err);
  }
  close(descriptor);
  if (status != LPOT_OK) {
    lpot_free(mapping);
    return status;
  }
  *ret_mapping = mapping;
  return LPOT_OK;
}

lpot_mapping *lpot_mapping_ref(lpot_mapping *mapping) {
  mapping->references++;
  return mapping;
}

void lpot_mapping_unref(lpot_mapping *mapping) {
  if (mapping == NULL) {
    return;
  }
  LPOT_ASSERT(mapping->references > 0);
  mapping->references--;
  if (mapping->references > 0) {
    return;
  }
  if (mapping->data != NULL) {
    munmap(mapping->data, mapping->size);
  }
  if (mapping->descriptor >= 0) {
    close(mapping->descriptor);
  }
  lpot_free(mapping);
}

const uint8_t *lpot_mapping_data(const lpot_mapping *mapping) {
  return mapping->data;
}

size_t lpot_mapping_size(const lpot_mapping *mapping) {
  return mapping->size;
}

void lpot_mapping_release(const lpot_mapping *mapping, const uint8_t *data, size_t size) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  const uint8_t *start = mapping->data;
  if (mapping->data == NULL || data < start || size > mapping->size ||
      (size_t)(data - start) > mapping->size - size) {
    return;
  }
  /* Whole pages only: what is beside them may be in use. */
  size_t first = ((size_t)(data - start) + page - 1) / page * page;
  size_t end = (size_t)(data - start) + size;
  end = end == mapping->size ? end : end / page * page;
  if (first < end) {
    (void)madvise((uint8_t *)mapping->data + first, end - first, MADV_DONTNEED);
  }
}
