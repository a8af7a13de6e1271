#define _GNU_SOURCE /* pipe2 */
#include "base/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"

#define END_MARK 1 /* a byte behind the result: the function has come back */

typedef struct guard {
  int pipe; /* end to read from */
  pid_t child;
  char *result;
  size_t size, received; /* bytes of the result */
  bool returned;         /* the function, and all of its result is there */
  double deadline;
  lpot_clock clock;
} guard;

/* Whether a process may fork is the process's own, as its threads are. */
static bool is_off;

bool lpot_guard_protects(void) {
  return !is_off;
}

void lpot_guard_set(bool protects) {
  is_off = !protects;
}

static double time_left(const guard *self) {
  return self->deadline - lpot_clock_now(&self->clock);
}

static void write_all(int out, const char *bytes, size_t size) {
  for (size_t sent = 0; sent < size;) {
    ssize_t count = write(out, bytes + sent, size - sent);
    if (count < 0 && errno != EINTR) {
      _exit(1);
    }
    sent += count > 0 ? (size_t)count : 0;
  }
}

static _Noreturn void run_child(int out, void (*function)(void *context, void *result),
                                void *context, void *result, size_t size) {
  const char mark = END_MARK;
  (void)dup2(STDERR_FILENO, STDOUT_FILENO);
  function(context, result);
  write_all(out, result, size);
  write_all(out, &mark, sizeof mark);
  _exit(0);
}

/* One read of what is missing. False when the child has closed its end. */
static bool take(guard *self) {
  char mark = 0;
  bool full = self->received == self->size;
  ssize_t count = read(self->pipe, full ? &mark : self->result + self->received,
                       full ? 1 : self->size - self->received);
  self->returned = full && count == 1 && mark == END_MARK;
  self->received += count > 0 && !full ? (size_t)count : 0;
  return count != 0;
}

/* Until all has come, or nothing more can. */
static void receive(guard *self) {
  bool open = true;
  while (open && !self->returned && time_left(self) > 0) {
    struct pollfd wanted = {.fd = self->pipe, .events = POLLIN};
    if (poll(&wanted, 1, (int)(1000 * time_left(self)) + 1) > 0) {
      open = take(self);
    }
  }
}

static lpot_status finish(guard *self, double seconds, lpot_error *err) {
  int ending = 0;
  receive(self);
  if (!lpot_child_has_ended(self->child, fmax(time_left(self), 0), &ending)) {
    lpot_child_kill(self->child);
    return LPOT_FAIL(err, LPOT_CRASHED, "did not end within %.0f seconds", seconds);
  }
  if (WIFSIGNALED(ending)) {
    return LPOT_FAIL(err, LPOT_CRASHED, "ended by signal %d (%s)", WTERMSIG(ending),
                     strsignal(WTERMSIG(ending)));
  }
  if (!self->returned) {
    return LPOT_FAIL(err, LPOT_CRASHED, "ended the process with exit code %d", WEXITSTATUS(ending));
  }
  return LPOT_OK;
}

lpot_status lpot_guard_run(void (*function)(void *context, void *result), void *context,
                           double seconds, void *result, size_t size, lpot_error *err) {
  int ends[2];
  if (is_off) {
    function(context, result);
    return LPOT_OK;
  }
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return LPOT_FAIL(err, LPOT_IO, "no pipe for a child process: %s", strerror(errno));
  }
  guard self = {.pipe = ends[0], .result = result, .size = size, .clock = lpot_clock_monotonic()};
  self.deadline = lpot_clock_now(&self.clock) + seconds;
  pid_t parent = getpid();
  self.child = fork();
  if (self.child == 0) {
    lpot_child_end_with(parent);
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
