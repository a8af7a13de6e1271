/* For LD_PRELOAD: lets the evaluators of one rank die, or hang, in a call of the engine. Never a
 * part of the product.
 *
 * LPOT_FAULT_FOLDER  where marks are kept; without it nothing happens
 * LPOT_FAULT_KIND    count (only counts), segv, kill, abort, limit (asks for more memory than it
 *                    may have, as libraries do that end the process then), eat (takes memory
 *                    until the system ends it), hang
 * LPOT_FAULT_RANK    the rank
 * LPOT_FAULT_CALL    number of the call, from 1, in one evaluator; after the first death it is 1
 * LPOT_FAULT_TIMES   so many evaluators of the job die (1)
 *
 * FOLDER/calls is the number of calls of that rank; FOLDER/death.N is made before the N-th death.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define LIMIT_BYTES (256L << 20)
#define MEAL_BYTES (2048L << 20)

typedef int (*execute_function)(const void *primitive, void *stream, int count, const void *values);

int dnnl_primitive_execute(const void *primitive, void *stream, int count, const void *values);

static const char *setting(const char *name, const char *fallback) {
  const char *text = getenv(name);
  return text == NULL ? fallback : text;
}

/* Only evaluators, and only those of the rank that was named. */
static bool is_meant(void) {
  char name[17] = "";
  prctl(PR_GET_NAME, name);
  return getenv("LPOT_FAULT_FOLDER") != NULL && strcmp(name, "lpot-evaluator") == 0 &&
         strcmp(setting("OMPI_COMM_WORLD_RANK", "0"), setting("LPOT_FAULT_RANK", "0")) == 0;
}

/* The number of calls of all evaluators of the rank, in a file that outlives them. */
static volatile uint64_t *map_total(void) {
  char path[4096];
  snprintf(path, sizeof path, "%s/calls", getenv("LPOT_FAULT_FOLDER"));
  int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0 || ftruncate(file, sizeof(uint64_t)) != 0) {
    _exit(99);
  }
  void *bytes = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (bytes == MAP_FAILED) {
    _exit(99);
  }
  return bytes;
}

static bool is_marked(int number) {
  char path[4096];
  snprintf(path, sizeof path, "%s/death.%d", getenv("LPOT_FAULT_FOLDER"), number);
  return access(path, F_OK) == 0;
}

static void mark(int number) {
  char path[4096];
  snprintf(path, sizeof path, "%s/death.%d", getenv("LPOT_FAULT_FOLDER"), number);
  int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0) {
    _exit(99);
  }
  close(file);
}

static void exceed_limit(void) {
  FILE *file = fopen("/proc/self/statm", "r");
  long pages = 0;
  if (file == NULL || fscanf(file, "%ld", &pages) != 1) {
    _exit(99);
  }
  fclose(file);
  rlim_t bytes = (rlim_t)(pages * sysconf(_SC_PAGESIZE) + LIMIT_BYTES);
  const struct rlimit limit = {.rlim_cur = bytes, .rlim_max = bytes};
  if (setrlimit(RLIMIT_AS, &limit) != 0) {
    _exit(99);
  }
  for (char *block = malloc(1 << 20); block != NULL; block = malloc(1 << 20)) {
    memset(block, 1, 1 << 20);
  }
  fputs("out of memory\n", stderr);
  abort();
}

/* Not all there is: where nothing stops it, the death is of another kind. */
static void eat_memory(void) {
  for (long taken = 0; taken < MEAL_BYTES; taken += 1 << 20) {
    memset(malloc(1 << 20), 1, 1 << 20);
  }
  _exit(99);
}

static void strike(const char *kind) {
  if (strcmp(kind, "segv") == 0) {
    raise(SIGSEGV);
  } else if (strcmp(kind, "kill") == 0) {
    raise(SIGKILL);
  } else if (strcmp(kind, "abort") == 0) {
    abort();
  } else if (strcmp(kind, "limit") == 0) {
    exceed_limit();
  } else if (strcmp(kind, "eat") == 0) {
    eat_memory();
  }
  for (;;) {
    pause();
  }
}

static void count_and_strike(void) {
  static volatile uint64_t *total;
  static long calls;
  const char *kind = setting("LPOT_FAULT_KIND", "count");
  int times = atoi(setting("LPOT_FAULT_TIMES", "1"));
  if (total == NULL) {
    total = map_total();
  }
  calls++;
  *total = *total + 1;
  long wanted = is_marked(1) ? 1 : atol(setting("LPOT_FAULT_CALL", "1"));
  if (strcmp(kind, "count") == 0 || calls < wanted) {
    return;
  }
  for (int number = 1; number <= times; number++) {
    if (!is_marked(number)) {
      mark(number);
      strike(kind);
    }
  }
}

int dnnl_primitive_execute(const void *primitive, void *stream, int count, const void *values) {
  static execute_function next;
  if (next == NULL) {
    void *found = dlsym(RTLD_NEXT, "dnnl_primitive_execute");
    memcpy(&next, &found, sizeof next); /* C has no cast from an object to a function. */
  }
  if (is_meant()) {
    count_and_strike();
  }
  return next(primitive, stream, count, values);
}
