#include "base/guard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

typedef struct guard {
  int pipe; /* end to read from */
  pid_t child;
  char *result;
  size_t size, received;
  double deadline;
  lpot_clock clock;
} guard;

static _Noreturn void run_child(int out, void (*function)(void *context, void *result),
                                void *context, void *result, size_t size) {
  (void)dup2(STDERR_FILENO, STDOUT_FILENO);
  function(context, result);
  for (size_t sent = 0; sent < size;) {
    ssize_t count = write(out, (const char *)result + sent, size - sent);
    if (count < 0 && errno != EINTR) {
      _exit(1);
    }
    sent += count > 0 ? (size_t)count : 0;
  }
  _exit(0);
}

/* True when the child has closed its end; false at the deadline. */
static bool receive(guard *self) {
  for (;;) {
    double left = self->deadline - lpot_clock_now(&self->clock);
    struct pollfd wanted = {.fd = self->pipe, .events = POLLIN};
    if (left <= 0) {
      return false;
    }
    if (poll(&wanted, 1, (int)(1000 * left) + 1) <= 0) {
      continue;
    }
    char spare = 0;
    bool full = self->received == self->size;
    ssize_t count = read(self->pipe, full ? &spare : self->result + self->received,
                         full ? 1 : self->size - self->received);
    if (count == 0) {
      return true;
    }
    self->received += count > 0 && !full ? (size_t)count : 0;
  }
}

/* The child's end, in any case. */
static int wait_for(pid_t child) {
  int ending = 0;
  while (waitpid(child, &ending, 0) < 0 && errno == EINTR) {
  }
  return ending;
}

static lpot_status finish(guard *self, double seconds, lpot_error *err) {
  bool ended = receive(self);
  if (!ended) {
    (void)kill(self->child, SIGKILL);
  }
  int ending = wait_for(self->child);
  if (!ended) {
    return LPOT_FAIL(err, LPOT_CRASHED, "did not end within %.0f seconds", seconds);
  }
  if (WIFSIGNALED(ending)) {
    return LPOT_FAIL(err, LPOT_CRASHED, "ended by signal %d (%s)", WTERMSIG(ending),
                     strsignal(WTERMSIG(ending)));
  }
  if (!WIFEXITED(ending) || WEXITSTATUS(ending) != 0 || self->received < self->size) {
    return LPOT_FAIL(err, LPOT_CRASHED, "ended the process with exit code %d", WEXITSTATUS(ending));
  }
  return LPOT_OK;
}

lpot_status lpot_guard_run(void (*function)(void *context, void *result), void *context,
                           double seconds, void *result, size_t size, lpot_error *err) {
  int ends[2];
  if (pipe(ends) != 0) {
    return LPOT_FAIL(err, LPOT_IO, "no pipe for a child process: %s", strerror(errno));
  }
  guard self = {.pipe = ends[0], .result = result, .size = size, .clock = lpot_clock_monotonic()};
  self.deadline = lpot_clock_now(&self.clock) + seconds;
  self.child = fork();
  if (self.child == 0) {
    close(ends[0]);
    run_child(ends[1], function, context, result, size);
  }
  close(ends[1]);
  lpot_status status = self.child < 0
                           ? LPOT_FAIL(err, LPOT_IO, "no child process: %s", strerror(errno))
                           : finish(&self, seconds, err);
  close(ends[0]);
  return status;
}
