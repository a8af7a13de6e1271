/* Preloaded into lpot-tune by tests/cluster/crash_every_write.py: something goes wrong at the k-th
 * call that changes a file or folder below a folder.
 *
 * LPOT_CRASH_FOLDER  absolute path; calls that touch other files are not counted
 * LPOT_CRASH_AT      k, from 1
 * LPOT_CRASH_LOG     file that gets a line with the name of the call and its file
 * LPOT_CRASH_MODE    kill    SIGKILL before the call
 *                    half    SIGKILL after half of the bytes of a write, or after another call
 *                    short   a write writes half of the bytes and says so; other calls go well
 *                    enospc, eio  the call does nothing and fails
 *                    full    from the k-th on, all writes and new files fail with ENOSPC
 *
 * Streams are written by the C library's own calls, which cannot be intercepted: fopen gives them
 * a buffer of ours, and what flushes it counts as a write. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define BUFFER_SIZE 16384
#define MAX_STREAMS 16

typedef enum fault { NONE, KILL, HALF, SHORT, FAIL } fault;

static int num_calls;
static struct {
  FILE *stream;
  char *buffer;
} streams[MAX_STREAMS];

/* The C library's own function. */
#define REAL(name, type) (__extension__(type) dlsym(RTLD_NEXT, name))

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) {
    pause();
  }
}

static bool is_watched(const char *path) {
  const char *folder = getenv("LPOT_CRASH_FOLDER");
  size_t length = folder == NULL ? 0 : strlen(folder);
  return length > 0 && path != NULL && strncmp(path, folder, length) == 0 &&
         (path[length] == '/' || path[length] == '\0');
}

/* The path behind a descriptor; NULL when it is not watched. */
static const char *watched_descriptor(int descriptor, char path[4096]) {
  char name[64];
  int error = errno;
  snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(name, path, 4095);
  errno = error;
  if (length <= 0) {
    return NULL;
  }
  path[length] = '\0';
  return is_watched(path) ? path : NULL;
}

static void note(const char *call, const char *path) {
  const char *log = getenv("LPOT_CRASH_LOG");
  int descriptor =
      log == NULL
          ? -1
          : REAL("open", int (*)(const char *, int, ...))(log, O_WRONLY | O_CREAT | O_APPEND, 0666);
  if (descriptor >= 0) {
    dprintf(descriptor, "%s %s\n", call, path);
    close(descriptor);
  }
}

/* What is to happen at this call; writes tells whether it needs space on the device. */
static fault next_fault(const char *call, const char *path, bool writes) {
  const char *at = getenv("LPOT_CRASH_AT");
  const char *mode = getenv("LPOT_CRASH_MODE");
  if (path == NULL || at == NULL || mode == NULL) {
    return NONE;
  }
  num_calls++;
  if (strcmp(mode, "full") == 0 && num_calls >= atoi(at) && writes) {
    note(call, path);
    errno = ENOSPC;
    return FAIL;
  }
  if (strcmp(mode, "full") == 0 || num_calls != atoi(at)) {
    return NONE;
  }
  note(call, path);
  if (strcmp(mode, "kill") == 0) {
    die();
  }
  if (strcmp(mode, "half") == 0) {
    return HALF;
  }
  if (strcmp(mode, "short") == 0) {
    return SHORT;
  }
  errno = strcmp(mode, "eio") == 0 ? EIO : ENOSPC;
  return FAIL;
}

/* ---- descriptors ---- */

ssize_t write(int descriptor, const void *data, size_t size) {
  ssize_t (*real)(int, const void *, size_t) = REAL("write", ssize_t(*)(int, const void *, size_t));
  char path[4096];
  fault fault = next_fault("write", watched_descriptor(descriptor, path), true);
  if (fault == FAIL) {
    return -1;
  }
  ssize_t written = real(descriptor, data, fault == NONE ? size : size / 2);
  if (fault == HALF) {
    die();
  }
  return written;
}

static ssize_t write_at(int descriptor, const void *data, size_t size, off_t offset) {
  ssize_t (*real)(int, const void *, size_t, off_t) =
      REAL("pwrite", ssize_t(*)(int, const void *, size_t, off_t));
  char path[4096];
  fault fault = next_fault("pwrite", watched_descriptor(descriptor, path), true);
  if (fault == FAIL) {
    return -1;
  }
  ssize_t written = real(descriptor, data, fault == NONE ? size : size / 2, offset);
  if (fault == HALF) {
    die();
  }
  return written;
}

ssize_t pwrite(int descriptor, const void *data, size_t size, off_t offset) {
  return write_at(descriptor, data, size, offset);
}

ssize_t pwrite64(int descriptor, const void *data, size_t size, off_t offset) {
  return write_at(descriptor, data, size, offset);
}

/* Half of the parts stands for half of the bytes. */
ssize_t writev(int descriptor, const struct iovec *parts, int count) {
  ssize_t (*real)(int, const struct iovec *, int) =
      REAL("writev", ssize_t(*)(int, const struct iovec *, int));
  char path[4096];
  fault fault = next_fault("writev", watched_descriptor(descriptor, path), true);
  if (fault == FAIL) {
    return -1;
  }
  ssize_t written = real(descriptor, parts, fault == NONE ? count : count / 2);
  if (fault == HALF) {
    die();
  }
  return written;
}

/* Calls that are done whole or not at all: half means that the process dies behind them. */
static int end_whole(fault fault, int result) {
  if (fault == HALF) {
    die();
  }
  return result;
}

int fsync(int descriptor) {
  char path[4096];
  fault fault = next_fault("fsync", watched_descriptor(descriptor, path), false);
  return fault == FAIL ? -1 : end_whole(fault, REAL("fsync", int (*)(int))(descriptor));
}

int fdatasync(int descriptor) {
  char path[4096];
  fault fault = next_fault("fdatasync", watched_descriptor(descriptor, path), false);
  return fault == FAIL ? -1 : end_whole(fault, REAL("fdatasync", int (*)(int))(descriptor));
}

static int truncate_to(int descriptor, off_t size) {
  char path[4096];
  fault fault = next_fault("ftruncate", watched_descriptor(descriptor, path), false);
  return fault == FAIL ? -1
                       : end_whole(fault, REAL("ftruncate", int (*)(int, off_t))(descriptor, size));
}

int ftruncate(int descriptor, off_t size) {
  return truncate_to(descriptor, size);
}

int ftruncate64(int descriptor, off_t size) {
  return truncate_to(descriptor, size);
}

/* ---- names ---- */

int rename(const char *old_path, const char *new_path) {
  fault fault = next_fault("rename", is_watched(new_path) ? new_path : NULL, false);
  return fault == FAIL
             ? -1
             : end_whole(fault,
                         REAL("rename", int (*)(const char *, const char *))(old_path, new_path));
}

int mkdir(const char *path, mode_t mode) {
  fault fault = next_fault("mkdir", is_watched(path) ? path : NULL, true);
  return fault == FAIL ? -1
                       : end_whole(fault, REAL("mkdir", int (*)(const char *, mode_t))(path, mode));
}

static int open_at(int folder, const char *path, int flags, mode_t mode) {
  bool writes = (flags & O_ACCMODE) != O_RDONLY;
  fault fault = next_fault("open", writes && is_watched(path) ? path : NULL, true);
  return fault == FAIL ? -1
                       : end_whole(fault, REAL("openat", int (*)(int, const char *, int, ...))(
                                              folder, path, flags, mode));
}

static mode_t mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

int open(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_at(folder, path, flags, mode);
}

/* ---- streams ---- */

static int find_stream(const FILE *stream) {
  for (int i = 0; i < MAX_STREAMS; i++) {
    if (streams[i].stream == stream) {
      return i;
    }
  }
  return -1;
}

static FILE *open_stream(const char *path, const char *mode) {
  FILE *(*real)(const char *, const char *) = REAL("fopen", FILE * (*)(const char *, const char *));
  bool watched = is_watched(path) && strpbrk(mode, "wa+") != NULL;
  fault fault = next_fault("fopen", watched ? path : NULL, true);
  FILE *stream = fault == FAIL ? NULL : real(path, mode);
  if (fault == HALF) {
    die();
  }
  int slot = find_stream(NULL);
  if (watched && stream != NULL && slot >= 0) {
    streams[slot].stream = stream;
    streams[slot].buffer = malloc(BUFFER_SIZE);
    setvbuf(stream, streams[slot].buffer, _IOFBF, BUFFER_SIZE);
  }
  return stream;
}

FILE *fopen(const char *path, const char *mode) {
  return open_stream(path, mode);
}

FILE *fopen64(const char *path, const char *mode) {
  return open_stream(path, mode);
}

/* What stands before a write of a stream that has pending bytes; false when it fails. */
static bool may_flush(int slot) {
  FILE *stream = streams[slot].stream;
  char path[4096];
  size_t pending = __fpending(stream);
  if (pending == 0) {
    return true;
  }
  fault fault = next_fault("flush", watched_descriptor(fileno(stream), path), true);
  if (fault == HALF || fault == SHORT) {
    ssize_t written = REAL("write", ssize_t(*)(int, const void *, size_t))(
        fileno(stream), streams[slot].buffer, pending / 2);
    if (fault == HALF || written < 0) {
      die();
    }
    errno = ENOSPC; /* The C library would try the rest again, and then hear of it. */
  }
  return fault == NONE;
}

size_t fwrite(const void *data, size_t size, size_t count, FILE *stream) {
  size_t (*real)(const void *, size_t, size_t, FILE *) =
      REAL("fwrite", size_t(*)(const void *, size_t, size_t, FILE *));
  int slot = stream == NULL ? -1 : find_stream(stream);
  bool flushes = slot >= 0 && __fpending(stream) + size * count > BUFFER_SIZE;
  if (flushes && !may_flush(slot)) {
    return 0;
  }
  return real(data, size, count, stream);
}

int fflush(FILE *stream) {
  int slot = stream == NULL ? -1 : find_stream(stream);
  if (slot >= 0 && !may_flush(slot)) {
    return EOF;
  }
  return REAL("fflush", int (*)(FILE *))(stream);
}

int fclose(FILE *stream) {
  int slot = find_stream(stream);
  bool well = slot < 0 || may_flush(slot);
  int error = errno;
  if (!well) {
    __fpurge(stream);
  }
  int result = REAL("fclose", int (*)(FILE *))(stream);
  if (slot >= 0) {
    free(streams[slot].buffer);
    streams[slot].stream = NULL;
  }
  errno = well ? errno : error;
  return well ? result : EOF;
}
