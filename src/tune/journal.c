#include "tune/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/checksum.h"
#include "base/clock.h"
#include "base/mapping.h"
#include "base/memory.h"
#include "base/reader.h"
#include "base/writer.h"
#include "formats/output_file.h"

#define MAGIC 0x524a504cu /* "LPJR" */
#define VERSION 2u
#define MARK 0u /* type of what is written behind a sync */
#define LOCK_TRIES 10
#define LOCK_PAUSE_SECONDS 0.05
#define CHECKED_HEAD 20u /* bytes of the head that the checksum covers */

struct lpot_journal {
  int descriptor;
  uint64_t size;       /* bytes of valid records in the file */
  uint64_t durable;    /* of them that are known to be on disk */
  size_t num_dropped;  /* bytes cut off at opening */
  bool dirty;          /* something was appended since the last sync */
  lpot_buffer scratch; /* the record under construction */
  lpot_buffer path;    /* NUL terminated, for messages */
};

typedef struct record {
  unsigned type;
  uint64_t durable;
  const uint8_t *payload;
  size_t size;
} record;

/* What a scan finds. */
typedef struct extent {
  size_t valid;     /* length of the valid prefix */
  size_t told;      /* of it, without marks at its end */
  uint64_t durable; /* bytes of which some record says that they were */
} extent;

static uint64_t checksum_of(const uint8_t *head, const uint8_t *payload, size_t size,
                            uint64_t offset) {
  uint64_t seed = lpot_hash64(head, CHECKED_HEAD, offset);
  return lpot_hash64(payload, size, seed);
}

/* Reads the head of a record, or LPOT_FORMAT; the payload is not looked at. */
static lpot_status read_head(lpot_reader *reader, record *ret, unsigned *ret_version,
                             uint64_t *ret_checksum) {
  uint32_t magic = 0;
  uint16_t type = 0;
  uint16_t version = 0;
  uint32_t length = 0;
  LPOT_TRY(lpot_reader_u32(reader, &magic, NULL));
  LPOT_TRY(lpot_reader_u16(reader, &type, NULL));
  LPOT_TRY(lpot_reader_u16(reader, &version, NULL));
  LPOT_TRY(lpot_reader_u32(reader, &length, NULL));
  LPOT_TRY(lpot_reader_u64(reader, &ret->durable, NULL));
  LPOT_TRY(lpot_reader_u64(reader, ret_checksum, NULL));
  ret->type = type;
  ret->size = length;
  *ret_version = version;
  return magic == MAGIC ? LPOT_OK : LPOT_FORMAT;
}

/* True when a whole, valid record stands at offset. */
static bool record_at(const uint8_t *data, size_t size, size_t offset, record *ret) {
  if (offset > size) {
    return false;
  }
  lpot_reader reader;
  lpot_reader_init(&reader, data + offset, size - offset);
  unsigned version = 0;
  uint64_t checksum = 0;
  bool whole = read_head(&reader, ret, &version, &checksum) == LPOT_OK && version == VERSION &&
               ret->size <= LPOT_JOURNAL_MAX_PAYLOAD && ret->durable <= offset &&
               lpot_reader_bytes(&reader, ret->size, &ret->payload, NULL) == LPOT_OK;
  return whole && checksum_of(data + offset, ret->payload, ret->size, offset) == checksum;
}

static void note_record(extent *found, const record *one) {
  found->durable = one->durable > found->durable ? one->durable : found->durable;
}

/* Shows the records of the valid prefix. */
static lpot_status visit_prefix(const uint8_t *data, size_t size, lpot_journal_visitor visit,
                                void *context, extent *found, lpot_error *err) {
  record one;
  while (found->valid < size && record_at(data, size, found->valid, &one)) {
    lpot_status status =
        one.type == MARK ? LPOT_OK : visit(context, one.type, one.payload, one.size, err);
    if (status != LPOT_OK) {
      lpot_error_prefix(err, "journal record at byte %zu", found->valid);
      return status;
    }
    note_record(found, &one);
    found->valid += LPOT_JOURNAL_RECORD_HEAD + one.size;
    found->told = one.type == MARK ? found->told : found->valid;
  }
  return LPOT_OK;
}

/* Nothing of a journal of another version is valid, and nothing of it may be taken for a tail. */
static lpot_status check_version(const uint8_t *data, size_t size, lpot_error *err) {
  lpot_reader reader;
  record one;
  unsigned version = 0;
  uint64_t checksum = 0;
  lpot_reader_init(&reader, data, size);
  if (read_head(&reader, &one, &version, &checksum) == LPOT_OK && version != VERSION) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED,
                     "journal is of version %u, this program writes version %u: finish it with the "
                     "program that began it, or choose another --workspace",
                     version, VERSION);
  }
  return LPOT_OK;
}

static lpot_status scan(const uint8_t *data, size_t size, lpot_journal_visitor visit, void *context,
                        extent *found, lpot_error *err) {
  *found = (extent){0};
  LPOT_TRY(visit_prefix(data, size, visit, context, found, err));
  record one;
  for (size_t at = found->valid + 1; at + LPOT_JOURNAL_RECORD_HEAD <= size; at++) {
    if (record_at(data, size, at, &one)) {
      note_record(found, &one);
      at += LPOT_JOURNAL_RECORD_HEAD + one.size - 1;
    }
  }
  if (found->durable > found->valid) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "journal is damaged: no valid record at byte %zu, but %" PRIu64
                     " bytes were durable",
                     found->valid, found->durable);
  }
  if (found->valid == 0) {
    LPOT_TRY(check_version(data, size, err));
  }
  return LPOT_OK;
}

lpot_status lpot_journal_scan(const uint8_t *data, size_t size, lpot_journal_visitor visit,
                              void *context, size_t *ret_valid, lpot_error *err) {
  extent found;
  LPOT_TRY(scan(data, size, visit, context, &found, err));
  *ret_valid = found.valid;
  return LPOT_OK;
}

/* What is wrong in a journal is no fault of the model: LPOT_FORMAT would say so. */
static lpot_status blame_journal(const char *path, lpot_status status, lpot_error *err) {
  lpot_error_prefix(err, "'%s'", path);
  if (status != LPOT_FORMAT && status != LPOT_UNSUPPORTED) {
    return status;
  }
  if (err != NULL) {
    err->status = LPOT_IO;
  }
  return LPOT_IO;
}

lpot_status lpot_journal_read(const char *path, lpot_journal_visitor visit, void *context,
                              lpot_error *err) {
  lpot_buffer bytes;
  size_t valid = 0;
  lpot_buffer_init(&bytes);
  lpot_status status = lpot_file_read(path, &bytes, err);
  if (status == LPOT_OK) {
    status = lpot_journal_scan(bytes.data, bytes.size, visit, context, &valid, err);
    status = status == LPOT_OK ? status : blame_journal(path, status, err);
  }
  lpot_buffer_done(&bytes);
  return status;
}

static lpot_status io_failure(const lpot_journal *journal, const char *what, lpot_error *err) {
  int code = errno;
  return LPOT_FAIL(err, LPOT_IO, "cannot %s '%s': %s", what, (const char *)journal->path.data,
                   strerror(code));
}

/* Tries a few times: lpot_journal_in_use of another process has the lock for an instant. */
static lpot_status open_and_lock(lpot_journal *journal, const char *path, int flags,
                                 lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(&journal->path, err, "%s", path));
  LPOT_TRY(lpot_buffer_terminate(&journal->path, err));
  journal->descriptor = open(path, O_RDWR | O_CLOEXEC | flags, 0666);
  if (journal->descriptor < 0 && errno == ENOENT && (flags & O_CREAT) == 0) {
    return LPOT_FAIL(err, LPOT_NOT_FOUND, "file '%s': %s", path, strerror(errno));
  }
  if (journal->descriptor < 0) {
    return io_failure(journal, "open", err);
  }
  for (int i = 0; i < LOCK_TRIES; i++) {
    if (flock(journal->descriptor, LOCK_EX | LOCK_NB) == 0) {
      return LPOT_OK;
    }
    if (errno != EWOULDBLOCK) {
      return io_failure(journal, "lock", err);
    }
    lpot_clock_sleep(LOCK_PAUSE_SECONDS);
  }
  return LPOT_FAIL(err, LPOT_INVALID, "'%s' is in use by another lpot-tune", path);
}

static lpot_status cut_to(lpot_journal *journal, uint64_t size, lpot_error *err) {
  if (ftruncate(journal->descriptor, (off_t)size) != 0) {
    return io_failure(journal, "truncate", err);
  }
  return LPOT_OK;
}

/* Shows what is there and cuts the tail off. */
static lpot_status recover(lpot_journal *journal, const char *path, lpot_journal_visitor visit,
                           void *context, lpot_error *err) {
  lpot_mapping *mapping = NULL;
  LPOT_TRY(lpot_mapping_open(path, &mapping, err));
  size_t size = lpot_mapping_size(mapping);
  extent found;
  lpot_status status = scan(lpot_mapping_data(mapping), size, visit, context, &found, err);
  lpot_mapping_unref(mapping);
  if (status != LPOT_OK) {
    return blame_journal(path, status, err);
  }
  journal->size = found.valid;
  journal->durable = found.durable;
  journal->dirty = found.told > found.durable; /* What was shown is going to be acted upon. */
  journal->num_dropped = size - found.valid;
  if (journal->num_dropped > 0) {
    LPOT_TRY(cut_to(journal, found.valid, err));
  }
  return LPOT_OK;
}

static lpot_status open_into(lpot_journal *journal, const char *path, bool resume,
                             lpot_journal_visitor visit, void *context, lpot_error *err) {
  LPOT_TRY(open_and_lock(journal, path, O_CREAT | O_APPEND, err));
  struct stat information;
  if (fstat(journal->descriptor, &information) != 0) {
    return io_failure(journal, "look at", err);
  }
  if (information.st_size == 0) {
    /* A record that is on disk is of no use in a file whose name is not. */
    LPOT_TRY(lpot_output_sync_folder(path, err));
    return LPOT_OK;
  }
  if (!resume) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "'%s' exists: go on with it by --resume, or choose another --workspace", path);
  }
  LPOT_TRY(recover(journal, path, visit, context, err));
  return LPOT_OK;
}

/* NULL when there is no memory. */
static lpot_journal *journal_new(void) {
  lpot_journal *journal = lpot_calloc(1, sizeof *journal);
  if (journal != NULL) {
    journal->descriptor = -1;
    lpot_buffer_init(&journal->scratch);
    lpot_buffer_init(&journal->path);
  }
  return journal;
}

lpot_status lpot_journal_in_use(const char *path, bool *ret_in_use, lpot_error *err) {
  int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) {
    lpot_status status = errno == ENOENT || errno == ENOTDIR ? LPOT_NOT_FOUND : LPOT_IO;
    return LPOT_FAIL(err, status, "file '%s': %s", path, strerror(errno));
  }
  int result = flock(descriptor, LOCK_SH | LOCK_NB);
  int code = result == 0 ? 0 : errno;
  close(descriptor);
  if (code != 0 && code != EWOULDBLOCK) {
    return LPOT_FAIL(err, LPOT_IO, "cannot look at the lock of '%s': %s", path, strerror(code));
  }
  *ret_in_use = code != 0;
  return LPOT_OK;
}

lpot_status lpot_journal_hold(const char *path, lpot_journal **ret_journal, lpot_error *err) {
  lpot_journal *journal = journal_new();
  if (journal == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = open_and_lock(journal, path, 0, err);
  if (status != LPOT_OK) {
    lpot_journal_close(journal);
    return status;
  }
  *ret_journal = journal;
  return LPOT_OK;
}

lpot_status lpot_journal_open(const char *path, bool resume, lpot_journal_visitor visit,
                              void *context, lpot_journal **ret_journal, lpot_error *err) {
  lpot_journal *journal = journal_new();
  if (journal == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = open_into(journal, path, resume, visit, context, err);
  if (status != LPOT_OK) {
    lpot_journal_close(journal);
    return status;
  }
  *ret_journal = journal;
  return LPOT_OK;
}

void lpot_journal_close(lpot_journal *journal) {
  if (journal == NULL) {
    return;
  }
  if (journal->descriptor >= 0) {
    close(journal->descriptor);
  }
  lpot_buffer_done(&journal->scratch);
  lpot_buffer_done(&journal->path);
  lpot_free(journal);
}

size_t lpot_journal_num_dropped(const lpot_journal *journal) {
  return journal->num_dropped;
}

static lpot_status build(lpot_journal *journal, unsigned type, const void *payload, size_t size,
                         lpot_error *err) {
  lpot_buffer *out = &journal->scratch;
  lpot_buffer_clear(out);
  LPOT_TRY(lpot_writer_u32(out, MAGIC, err));
  LPOT_TRY(lpot_writer_u16(out, (uint16_t)type, err));
  LPOT_TRY(lpot_writer_u16(out, VERSION, err));
  LPOT_TRY(lpot_writer_u32(out, (uint32_t)size, err));
  LPOT_TRY(lpot_writer_u64(out, journal->durable, err));
  uint64_t checksum = checksum_of(out->data, payload, size, journal->size);
  LPOT_TRY(lpot_writer_u64(out, checksum, err));
  LPOT_TRY(lpot_writer_bytes(out, payload, size, err));
  return LPOT_OK;
}

/* On failure the file is cut back to what it was. */
static lpot_status write_record(lpot_journal *journal, unsigned type, const void *payload,
                                size_t size, lpot_error *err) {
  LPOT_TRY(build(journal, type, payload, size, err));
  ssize_t written = 0;
  do {
    written = write(journal->descriptor, journal->scratch.data, journal->scratch.size);
  } while (written < 0 && errno == EINTR);
  if (written == (ssize_t)journal->scratch.size) {
    journal->size += journal->scratch.size;
    return LPOT_OK;
  }
  if (written >= 0) {
    errno = ENOSPC; /* A short write to a file means that the space ran out. */
  }
  lpot_status status = io_failure(journal, "write to", err);
  lpot_status cut = cut_to(journal, journal->size, NULL);
  (void)cut; /* The tail is then cut off when the journal is opened again. */
  return status;
}

lpot_status lpot_journal_append(lpot_journal *journal, unsigned type, const void *payload,
                                size_t size, lpot_error *err) {
  if (size > LPOT_JOURNAL_MAX_PAYLOAD) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "journal record has %zu bytes, at most %u are allowed",
                     size, LPOT_JOURNAL_MAX_PAYLOAD);
  }
  LPOT_TRY(write_record(journal, type, payload, size, err));
  journal->dirty = true;
  return LPOT_OK;
}

lpot_status lpot_journal_sync(lpot_journal *journal, lpot_error *err) {
  if (!journal->dirty) {
    return LPOT_OK;
  }
  if (fdatasync(journal->descriptor) != 0) {
    return io_failure(journal, "make durable", err);
  }
  journal->dirty = false;
  journal->durable = journal->size;
  LPOT_TRY(write_record(journal, MARK, "", 0, err)); /* not durable itself */
  return LPOT_OK;
}
