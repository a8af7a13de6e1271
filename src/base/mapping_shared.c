#define _GNU_SOURCE /* memfd_create and its seals */
#include "base/mapping_shared.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/checksum.h"
#include "base/clock.h"
#include "base/mapping_index.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define WAIT_SECONDS 2.0
#define POLL_SECONDS 0.005
#define NAME_TEXT 64

/* A memory file that is wanted, or offered. */
typedef struct offer {
  const void *data; /* NULL: the index */
  size_t size;
  char name[NAME_TEXT]; /* user and hash of the bytes */
  uint64_t key;         /* of the bytes, in the index */
  lpot_mapping_index *index;
  int access; /* O_RDONLY or O_RDWR */
  int seals;  /* at least */
} offer;

/* ---- one file ---- */

/* Ours, complete, and as it will stay. */
static bool is_as_wanted(int descriptor, const offer *wanted) {
  struct stat information;
  int seals = fcntl(descriptor, F_GET_SEALS); /* -1: not a memory file */
  return seals >= 0 && (seals & wanted->seals) == wanted->seals &&
         fstat(descriptor, &information) == 0 && information.st_uid == geteuid() &&
         (size_t)information.st_size == wanted->size;
}

/* The file number text among those of a process, opened; -1 when it is not the wanted one. */
static int open_file_of(int folder, const char *number, const offer *wanted) {
  char target[NAME_TEXT + 32];
  char found[NAME_TEXT + 32];
  int expected = snprintf(target, sizeof target, "/memfd:%s (deleted)", wanted->name);
  ssize_t length = readlinkat(folder, number, found, sizeof found);
  if (length != expected || memcmp(found, target, (size_t)length) != 0) {
    return -1;
  }
  int descriptor = openat(folder, number, wanted->access | O_CLOEXEC | O_NONBLOCK);
  if (descriptor >= 0 && !is_as_wanted(descriptor, wanted)) {
    close(descriptor);
    return -1;
  }
  return descriptor;
}

/* Takes the turn of this user's processes: a socket bound to an abstract address. -1 with errno
 * EADDRINUSE while another one has it. */
static int try_turn(const offer *offered) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int length = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s", offered->name);
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
  int turn = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (turn >= 0 && bind(turn, (struct sockaddr *)&address, size) != 0) {
    int reason = errno;
    close(turn);
    errno = reason;
    return -1;
  }
  return turn;
}

/* An open descriptor: found, or made by who has the turn, who looks once more: another one may have
 * made the file in between. -1 when neither can be had. */
static int find_or_make(const offer *offered, int (*find)(const offer *wanted),
                        int (*make)(const offer *wanted)) {
  const lpot_clock clock = lpot_clock_monotonic();
  double deadline = lpot_clock_now(&clock) + WAIT_SECONDS;
  int descriptor = find(offered);
  while (descriptor < 0) {
    int turn = try_turn(offered);
    if (turn < 0 && (errno != EADDRINUSE || lpot_clock_now(&clock) > deadline)) {
      return -1;
    }
    if (turn < 0) {
      lpot_clock_sleep(POLL_SECONDS);
    }
    descriptor = find(offered);
    if (turn >= 0) {
      descriptor = descriptor >= 0 ? descriptor : make(offered);
      close(turn);
      return descriptor;
    }
  }
  return descriptor;
}

/* ---- the index: looked for once, in all processes of the program ---- */

static int find_in_process(const char *process, const offer *wanted) {
  char folder[sizeof "/proc//fd" + NAME_MAX];
  (void)snprintf(folder, sizeof folder, "/proc/%s/fd", process);
  DIR *files = opendir(folder);
  int descriptor = -1;
  for (struct dirent *entry; descriptor < 0 && files != NULL && (entry = readdir(files)) != NULL;) {
    descriptor = open_file_of(dirfd(files), entry->d_name, wanted);
  }
  if (files != NULL) {
    closedir(files);
  }
  return descriptor;
}

/* The program that a process runs, by its place; empty when it cannot be told. */
static void read_program(const char *process, char out[PATH_MAX]) {
  char path[sizeof "/proc//exe" + NAME_MAX];
  (void)snprintf(path, sizeof path, "/proc/%s/exe", process);
  ssize_t length = readlink(path, out, PATH_MAX - 1);
  out[length > 0 ? length : 0] = '\0';
}

/* Only processes of this program are looked at, and of this user, since others' cannot be: a node
 * has many files open. */
static int find_index(const offer *wanted) {
  char own[PATH_MAX];
  char other[PATH_MAX];
  read_program("self", own);
  DIR *processes = opendir("/proc");
  int descriptor = -1;
  for (struct dirent *entry;
       descriptor < 0 && processes != NULL && (entry = readdir(processes)) != NULL;) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') {
      continue;
    }
    read_program(entry->d_name, other);
    if (other[0] != '\0' && strcmp(own, other) == 0) {
      descriptor = find_in_process(entry->d_name, wanted);
    }
  }
  if (processes != NULL) {
    closedir(processes);
  }
  return descriptor;
}

static int new_index(const offer *wanted) {
  int descriptor = memfd_create(wanted->name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (descriptor >= 0 && (fchmod(descriptor, S_IRUSR | S_IWUSR) != 0 ||
                          ftruncate(descriptor, (off_t)wanted->size) != 0 ||
                          fcntl(descriptor, F_ADD_SEALS, wanted->seals) != 0)) {
    close(descriptor);
    return -1;
  }
  return descriptor;
}

/* Its file stays open, for others to find it. */
static lpot_mapping_index *open_index(void) {
  offer wanted = {.size = sizeof(lpot_mapping_index),
                  .access = O_RDWR,
                  .seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW};
  (void)snprintf(wanted.name, sizeof wanted.name, "lpot-%llu-index", (unsigned long long)geteuid());
  int descriptor = find_or_make(&wanted, find_index, new_index);
  if (descriptor < 0) {
    return NULL;
  }
  void *index = mmap(NULL, wanted.size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (index == MAP_FAILED) {
    close(descriptor);
    return NULL;
  }
  return index;
}

/* ---- bytes ---- */

static int find_file(const offer *wanted) {
  pid_t processes[LPOT_MAPPING_INDEX_PLACES];
  int files[LPOT_MAPPING_INDEX_PLACES];
  size_t count = lpot_mapping_index_find(wanted->index, wanted->key, processes, files);
  int descriptor = -1;
  for (size_t i = 0; i < count && descriptor < 0; i++) {
    char folder[64];
    char number[32];
    (void)snprintf(folder, sizeof folder, "/proc/%lld/fd", (long long)processes[i]);
    (void)snprintf(number, sizeof number, "%d", files[i]);
    int opened = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened >= 0) {
      descriptor = open_file_of(opened, number, wanted);
      close(opened);
    }
  }
  return descriptor;
}

static bool write_bytes(int descriptor, const offer *offered) {
  for (size_t done = 0; done < offered->size;) {
    ssize_t count = write(descriptor, (const uint8_t *)offered->data + done, offered->size - done);
    if (count == 0 || (count < 0 && errno != EINTR)) {
      return false;
    }
    done += count > 0 ? (size_t)count : 0;
  }
  return true;
}

/* A writable descriptor could not be mapped: the file is opened once more, to be read. It is told
 * of before the turn ends, so that the next one finds it. */
static int new_file(const offer *offered) {
  int writable = memfd_create(offered->name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (writable < 0) {
    return -1;
  }
  bool good = fchmod(writable, S_IRUSR) == 0 && write_bytes(writable, offered) &&
              fcntl(writable, F_ADD_SEALS, offered->seals) == 0;
  char path[64];
  (void)snprintf(path, sizeof path, "/proc/self/fd/%d", writable);
  int descriptor = good ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  close(writable);
  if (descriptor >= 0) {
    lpot_mapping_index_put(offered->index, offered->key, getpid(), descriptor);
  }
  return descriptor;
}

/* ---- all of it ---- */

/* Of the process, as its open files are; made at first use, and inherited by children. No object
 * holds it, against the rule of no globals: whatever is shared, by whichever part, must be found
 * through the one table that others look into, and a second one in the same process would leave
 * files that nobody finds. It says nothing about results: without it each keeps its own bytes. */
static lpot_mapping_index *_Atomic index_of_process;

lpot_mapping_index *lpot_mapping_shared_index(void) {
  if (atomic_load(&index_of_process) == NULL) {
    atomic_store(&index_of_process, open_index());
  }
  return atomic_load(&index_of_process);
}

/* Files that data and journal need must find a number too. */
static bool leaves_room(int descriptor) {
  struct rlimit limit;
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 && (rlim_t)descriptor < limit.rlim_cur / 2;
}

lpot_mapping *lpot_mapping_share(const void *data, size_t size) {
  lpot_mapping_index *index = size > 0 ? lpot_mapping_shared_index() : NULL;
  if (index == NULL) {
    return NULL;
  }
  uint64_t hash = lpot_hash64(data, size, 0);
  offer offered = {.data = data,
                   .size = size,
                   .key = hash != 0 ? hash : 1,
                   .index = index,
                   .access = O_RDONLY,
                   .seals = SEALS};
  (void)snprintf(offered.name, sizeof offered.name, "lpot-%llu-%016llx",
                 (unsigned long long)geteuid(), (unsigned long long)hash);
  int descriptor = find_or_make(&offered, find_file, new_file);
  if (descriptor < 0) {
    return NULL;
  }
  lpot_mapping *mapping = NULL;
  if (!leaves_room(descriptor) ||
      lpot_mapping_of_descriptor(descriptor, offered.name, &mapping, NULL) != LPOT_OK) {
    close(descriptor);
    return NULL;
  }
  if (memcmp(lpot_mapping_data(mapping), data, size) != 0) {
    lpot_mapping_unref(mapping);
    return NULL;
  }
  lpot_mapping_index_put(index, offered.key, getpid(), descriptor);
  return mapping;
}
