/* A sender that stops in the middle of a long message keeps nobody else back: run by mpiexec with 3
 * ranks and a transport that needs the sender for it (TCP). Rank 1 sends a long message and a short
 * one and stops; rank 0 must hear rank 2 meanwhile, and then both messages of rank 1 in order. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "tune/comm.h"

#define LONG_BYTES ((size_t)8 << 20)
#define NUM_WORDS 100 /* of rank 2, with a pause before each */
#define PAUSE_SECONDS 0.02
#define SECONDS 20.0

static lpot_status say(lpot_comm *comm, int to, const void *bytes, size_t size, lpot_error *err) {
  lpot_buffer message;
  lpot_buffer_init(&message);
  lpot_status status = lpot_buffer_append(&message, bytes, size, err);
  if (status == LPOT_OK) {
    status = lpot_comm_send(comm, to, &message, err);
  }
  lpot_buffer_done(&message);
  return status;
}

static lpot_status hear(lpot_comm *comm, int *ret_from, lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(lpot_comm_receive(comm, SECONDS, ret_from, out, err));
  if (*ret_from < 0) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "no message within %.0f s", SECONDS);
  }
  return LPOT_OK;
}

/* ---- rank 1 ---- */

static lpot_status send_and_stop(lpot_comm *comm, lpot_buffer *bytes, lpot_error *err) {
  pid_t self = getpid();
  uint8_t *large = lpot_calloc(LONG_BYTES, 1);
  if (large == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  large[LONG_BYTES - 1] = 7;
  lpot_status status = say(comm, 0, &self, sizeof self, err);
  if (status == LPOT_OK) {
    status = say(comm, 0, large, LONG_BYTES, err);
  }
  if (status == LPOT_OK) {
    status = say(comm, 0, "behind", 6, err);
  }
  lpot_free(large);
  LPOT_TRY(status);
  raise(SIGSTOP);
  int from = -1;
  LPOT_TRY(hear(comm, &from, bytes, err)); /* that it has arrived */
  return LPOT_OK;
}

/* ---- rank 2 ---- */

static lpot_status talk(lpot_comm *comm, lpot_error *err) {
  for (int i = 0; i < NUM_WORDS; i++) {
    lpot_clock_sleep(PAUSE_SECONDS);
    LPOT_TRY(say(comm, 0, &i, sizeof i, err));
  }
  return LPOT_OK;
}

/* ---- rank 0 ---- */

static lpot_status wait_until_stopped(pid_t pid, lpot_error *err) {
  char path[64];
  char state = '?';
  snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
  for (int i = 0; i < 500 && state != 'T'; i++) {
    FILE *file = fopen(path, "r");
    if (file == NULL || fscanf(file, "%*d (%*[^)]) %c", &state) != 1) {
      state = '?';
    }
    if (file != NULL) {
      fclose(file);
    }
    lpot_clock_sleep(0.01);
  }
  return state == 'T' ? LPOT_OK
                      : LPOT_FAIL(err, LPOT_INTERNAL, "process %ld is %c", (long)pid, state);
}

/* Takes words of rank 2 until there are so many; what rank 1 sends is an error. */
static lpot_status hear_words(lpot_comm *comm, int *words, int until, lpot_buffer *bytes,
                              lpot_error *err) {
  while (*words < until) {
    int from = -1;
    LPOT_TRY(hear(comm, &from, bytes, err));
    if (from != 2 || bytes->size != sizeof *words ||
        memcmp(bytes->data, words, sizeof *words) != 0) {
      return LPOT_FAIL(err, LPOT_INTERNAL, "%zu bytes of rank %d in place of word %d", bytes->size,
                       from, *words);
    }
    (*words)++;
  }
  return LPOT_OK;
}

/* The next message of rank 1. */
static lpot_status hear_first(lpot_comm *comm, int *words, lpot_buffer *bytes, lpot_error *err) {
  int from = -1;
  while (from != 1) {
    LPOT_TRY(hear(comm, &from, bytes, err));
    *words += from == 2 ? 1 : 0;
  }
  return LPOT_OK;
}

static lpot_status serve(lpot_comm *comm, lpot_buffer *bytes, lpot_error *err) {
  pid_t pid = 0;
  int words = 0;
  LPOT_TRY(say(comm, 1, "go", 2, err));
  LPOT_TRY(hear_first(comm, &words, bytes, err));
  memcpy(&pid, bytes->data, sizeof pid);
  LPOT_TRY(wait_until_stopped(pid, err));
  LPOT_TRY(say(comm, 2, "go", 2, err));
  LPOT_TRY(hear_words(comm, &words, NUM_WORDS / 2, bytes, err));
  kill(pid, SIGCONT);
  LPOT_TRY(hear_first(comm, &words, bytes, err));
  if (bytes->size != LONG_BYTES || bytes->data[LONG_BYTES - 1] != 7) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "long message of %zu bytes", bytes->size);
  }
  LPOT_TRY(hear_first(comm, &words, bytes, err));
  if (bytes->size != 6 || memcmp(bytes->data, "behind", 6) != 0) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "%zu bytes in place of the short message", bytes->size);
  }
  LPOT_TRY(say(comm, 1, "end", 3, err));
  LPOT_TRY(hear_words(comm, &words, NUM_WORDS, bytes, err));
  return LPOT_OK;
}

static lpot_status play(lpot_comm *comm, lpot_buffer *bytes, lpot_error *err) {
  int from = -1;
  if (lpot_comm_rank(comm) == 0) {
    LPOT_TRY(serve(comm, bytes, err));
    return LPOT_OK;
  }
  LPOT_TRY(hear(comm, &from, bytes, err)); /* to begin */
  if (lpot_comm_rank(comm) == 1) {
    LPOT_TRY(send_and_stop(comm, bytes, err));
  } else {
    LPOT_TRY(talk(comm, err));
  }
  return LPOT_OK;
}

int main(int argc, char **argv) {
  lpot_comm *comm = NULL;
  lpot_error error = {0};
  lpot_buffer bytes;
  if (lpot_comm_start(&argc, &argv, &comm, &error) != LPOT_OK) {
    lpot_log(LPOT_LOG_ERROR, "%s", error.message);
    return 1;
  }
  alarm(60); /* The wait for a message that does not come must not be one for ever. */
  lpot_log_set_rank(lpot_comm_rank(comm));
  lpot_buffer_init(&bytes);
  lpot_status status = play(comm, &bytes, &error);
  lpot_buffer_done(&bytes);
  if (status != LPOT_OK) {
    lpot_log(LPOT_LOG_ERROR, "%s", error.message);
    lpot_comm_abort(comm, 1);
  }
  lpot_comm_finish(comm, 0);
  return 0;
}
