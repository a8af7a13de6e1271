#include "tune/neighbours.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

#define NO_FD (-1)
#define FIELDS_TO_START 20 /* of /proc/PID/stat: from behind the name to the time of the start */

struct lpot_neighbours {
  int first, count;
  struct pollfd *slots; /* [count] descriptors to watch; NO_FD: none */
};

/* 0 when it cannot be told. */
static int64_t start_ticks_of(int64_t pid) {
  char path[64];
  char text[1024];
  (void)snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
  FILE *file = fopen(path, "r");
  if (file == NULL) {
    return 0;
  }
  size_t size = fread(text, 1, sizeof text - 1, file);
  (void)fclose(file);
  text[size] = '\0';
  char *field = strrchr(text, ')'); /* The name may hold anything. */
  for (int i = 0; i < FIELDS_TO_START && field != NULL; i++) {
    field = strchr(field + 1, ' ');
  }
  if (field == NULL) {
    return 0;
  }
  field[strcspn(field + 1, " ") + 1] = '\0';
  int64_t ticks = 0;
  return lpot_text_to_int64(field + 1, &ticks) ? ticks : 0;
}

lpot_process_id lpot_process_own(void) {
  lpot_process_id id = {.pid = getpid()};
  id.start_ticks = start_ticks_of(id.pid);
  return id;
}

int lpot_process_watch(const lpot_process_id *id) {
  if (id->start_ticks == 0) {
    return NO_FD;
  }
  int fd = pidfd_open((pid_t)id->pid, 0);
  if (fd >= 0 && start_ticks_of(id->pid) != id->start_ticks) {
    close(fd);
    return NO_FD;
  }
  return fd;
}

lpot_status lpot_neighbours_new(const lpot_process_id *ids, int first, int count,
                                lpot_neighbours **ret_neighbours, lpot_error *err) {
  lpot_neighbours *neighbours = lpot_calloc(1, sizeof *neighbours);
  if (neighbours == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  neighbours->first = first;
  neighbours->slots = lpot_calloc((size_t)count, sizeof *neighbours->slots);
  if (neighbours->slots == NULL) {
    lpot_neighbours_free(neighbours);
    return LPOT_OUT_OF_MEMORY(err);
  }
  neighbours->count = count;
  for (int i = 0; i < count; i++) {
    neighbours->slots[i] =
        (struct pollfd){.fd = lpot_process_watch(&ids[first + i]), .events = POLLIN};
  }
  *ret_neighbours = neighbours;
  return LPOT_OK;
}

static void let_go(struct pollfd *slot) {
  if (slot->fd != NO_FD) {
    close(slot->fd);
  }
  slot->fd = NO_FD;
}

void lpot_neighbours_free(lpot_neighbours *neighbours) {
  if (neighbours == NULL) {
    return;
  }
  for (int i = 0; i < neighbours->count; i++) {
    let_go(&neighbours->slots[i]);
  }
  lpot_free(neighbours->slots);
  lpot_free(neighbours);
}

int lpot_neighbours_ended(lpot_neighbours *neighbours, int *ranks, int num_ranks) {
  if (poll(neighbours->slots, (nfds_t)neighbours->count, 0) <= 0) {
    return num_ranks;
  }
  for (int i = 0; i < neighbours->count; i++) {
    if (neighbours->slots[i].fd != NO_FD && neighbours->slots[i].revents != 0) {
      let_go(&neighbours->slots[i]);
      ranks[num_ranks++] = neighbours->first + i;
    }
  }
  return num_ranks;
}
