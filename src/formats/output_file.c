#include "formats/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"

struct lpot_output_file {
  FILE *stream;      /* NULL once closed */
  lpot_buffer path;  /* final name, NUL terminated */
  lpot_buffer draft; /* temporary name, NUL terminated; empty when there is no such file */
  uint64_t size_bytes;
};

static const char *text_of(const lpot_buffer *buffer) {
  return (const char *)buffer->data;
}

static lpot_status io_failure(const char *what, const char *path, lpot_error *err) {
  int code = errno;
  return LPOT_FAIL(err, LPOT_IO, "cannot %s '%s': %s", what, path, strerror(code));
}

static lpot_status open_draft(lpot_output_file *file, const char *path, lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(&file->path, err, "%s", path));
  LPOT_TRY(lpot_buffer_terminate(&file->path, err));
  LPOT_TRY(lpot_buffer_printf(&file->draft, err, "%s.tmp", path));
  LPOT_TRY(lpot_buffer_terminate(&file->draft, err));
  file->stream = fopen(text_of(&file->draft), "wb");
  if (file->stream == NULL) {
    lpot_status status = io_failure("create", text_of(&file->draft), err);
    lpot_buffer_clear(&file->draft);
    return status;
  }
  return LPOT_OK;
}

lpot_status lpot_output_file_open(const char *path, lpot_output_file **ret_file, lpot_error *err) {
  lpot_output_file *file = lpot_calloc(1, sizeof *file);
  if (file == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_buffer_init(&file->path);
  lpot_buffer_init(&file->draft);
  lpot_status status = open_draft(file, path, err);
  if (status != LPOT_OK) {
    lpot_output_file_free(file);
    return status;
  }
  *ret_file = file;
  return LPOT_OK;
}

lpot_status lpot_output_file_write(lpot_output_file *file, const void *data, size_t size,
                                   lpot_error *err) {
  if (size == 0) {
    return LPOT_OK;
  }
  if (fwrite(data, 1, size, file->stream) != size) {
    return io_failure("write", text_of(&file->draft), err);
  }
  file->size_bytes += size;
  return LPOT_OK;
}

uint64_t lpot_output_file_size(const lpot_output_file *file) {
  return file->size_bytes;
}

/* A rename is durable only when the folder is. A folder that cannot be opened or synced (some
 * network file systems) costs durability in a power cut, not correctness. */
lpot_status lpot_output_sync_folder(const char *path, lpot_error *err) {
  lpot_buffer folder;
  lpot_buffer_init(&folder);
  const char *slash = strrchr(path, '/');
  size_t length = slash == NULL ? 0 : (size_t)(slash - path) + 1;
  lpot_status status =
      lpot_buffer_append(&folder, slash == NULL ? "." : path, slash == NULL ? 1 : length, err);
  if (status == LPOT_OK) {
    status = lpot_buffer_terminate(&folder, err);
  }
  int descriptor = status == LPOT_OK ? open(text_of(&folder), O_RDONLY | O_CLOEXEC) : -1;
  if (descriptor >= 0) {
    (void)fsync(descriptor);
    (void)close(descriptor);
  }
  lpot_buffer_done(&folder);
  return status;
}

lpot_status lpot_output_file_commit(lpot_output_file *file, lpot_error *err) {
  if (fflush(file->stream) != 0) {
    return io_failure("write", text_of(&file->draft), err);
  }
  if (fsync(fileno(file->stream)) != 0) {
    return io_failure("sync", text_of(&file->draft), err);
  }
  int closed = fclose(file->stream);
  file->stream = NULL;
  if (closed != 0) {
    return io_failure("write", text_of(&file->draft), err);
  }
  if (rename(text_of(&file->draft), text_of(&file->path)) != 0) {
    return io_failure("rename to", text_of(&file->path), err);
  }
  lpot_buffer_clear(&file->draft);
  LPOT_TRY(lpot_output_sync_folder(text_of(&file->path), err));
  return LPOT_OK;
}

void lpot_output_file_free(lpot_output_file *file) {
  if (file == NULL) {
    return;
  }
  if (file->stream != NULL) {
    (void)fclose(file->stream);
  }
  if (file->draft.size > 0) {
    (void)unlink(text_of(&file->draft));
  }
  lpot_buffer_done(&file->draft);
  lpot_buffer_done(&file->path);
  lpot_free(file);
}

lpot_status lpot_output_file_replace(const char *path, const void *data, size_t size,
                                     lpot_error *err) {
  lpot_output_file *file = NULL;
  LPOT_TRY(lpot_output_file_open(path, &file, err));
  lpot_status status = lpot_output_file_write(file, data, size, err);
  if (status == LPOT_OK) {
    status = lpot_output_file_commit(file, err);
  }
  lpot_output_file_free(file);
  return status;
}
