#define _GNU_SOURCE /* memfd_create and its seals */
#include "base/mapping_shared.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define WAIT_SECONDS 2.0
#define POLL_SECONDS 0.005
#define NAME_TEXT 64

typedef struct offer {
  const void *data;
  size_t size;
  char name[NAME_TEXT]; /* of the memory file: user and hash of the bytes */
} offer;

/* ---- what others have ---- */

/* Ours, complete, and as it will stay. */
static bool may_be_used(int descriptor, const offer *wanted) {
  struct stat information;
  int seals = fcntl(descriptor, F_GET_SEALS); /* -1: not a memory file */
  return seals >= 0 && (seals & SEALS) == SEALS && fstat(descriptor, &information) == 0 &&
         information.st_uid == geteuid() && (size_t)information.st_size == wanted->size;
}

/* An open descriptor of the wanted file among those of one process, or -1. */
static int find_in_process(const char *process, const offer *wanted) {
  char folder[sizeof "/proc//fd" + NAME_MAX];
  char target[NAME_TEXT + 32];
  char found[NAME_TEXT + 32];
  (void)snprintf(folder, sizeof folder, "/proc/%s/fd", process);
  int expected = snprintf(target, sizeof target, "/memfd:%s (deleted)", wanted->name);
  DIR *files = opendir(folder);
  int descriptor = -1;
  for (struct dirent *entry; descriptor < 0 && files != NULL && (entry = readdir(files)) != NULL;) {
    ssize_t length = readlinkat(dirfd(files), entry->d_name, found, sizeof found);
    if (length != expected || memcmp(found, target, (size_t)length) != 0) {
      continue;
    }
    descriptor = openat(dirfd(files), entry->d_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor >= 0 && !may_be_used(descriptor, wanted)) {
      close(descriptor);
      descriptor = -1;
    }
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
static int find_open_file(const offer *wanted) {
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

/* ---- the first one ---- */

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

/* A writable descriptor could not be mapped: the file is opened once more, to be read. */
static int new_file(const offer *offered) {
  int writable = memfd_create(offered->name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (writable < 0) {
    return -1;
  }
  bool good = fchmod(writable, S_IRUSR) == 0 && write_bytes(writable, offered) &&
              fcntl(writable, F_ADD_SEALS, SEALS) == 0;
  char path[64];
  (void)snprintf(path, sizeof path, "/proc/self/fd/%d", writable);
  int descriptor = good ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  close(writable);
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

/* Who has the turn looks once more: another one may have made the file in between. */
static int find_or_make(const offer *offered) {
  const lpot_clock clock = lpot_clock_monotonic();
  double deadline = lpot_clock_now(&clock) + WAIT_SECONDS;
  int descriptor = find_open_file(offered);
  while (descriptor < 0) {
    int turn = try_turn(offered);
    if (turn < 0 && (errno != EADDRINUSE || lpot_clock_now(&clock) > deadline)) {
      return -1;
    }
    if (turn < 0) {
      lpot_clock_sleep(POLL_SECONDS);
    }
    descriptor = find_open_file(offered);
    if (turn >= 0) {
      descriptor = descriptor >= 0 ? descriptor : new_file(offered);
      close(turn);
      return descriptor;
    }
  }
  return descriptor;
}

/* ---- both ---- */

/* Files that data and journal need must find a number too. */
static bool leaves_room(int descriptor) {
  struct rlimit limit;
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 && (rlim_t)descriptor < limit.rlim_cur / 2;
}

lpot_mapping *lpot_mapping_share(const void *data, size_t size) {
  if (size == 0) {
    return NULL;
  }
  offer offered = {.data = data, .size = size};
  (void)snprintf(offered.name, sizeof offered.name, "lpot-%llu-%016llx",
                 (unsigned long long)geteuid(), (unsigned long long)lpot_hash64(data, size, 0));
  int descriptor = find_or_make(&offered);
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
  return mapping;
}
