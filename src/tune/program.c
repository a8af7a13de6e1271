#include "tune/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/memory.h"

#define SLICE_MS 200 /* of a wait */
#define CHUNK 65536
#define END_SECONDS 2.0

struct lpot_program {
  pid_t pid;   /* 0: it has ended, or not begun */
  pid_t group; /* of it and what it has started; 0: not begun */
  int fd;      /* our end of its standard input and output */
  double timeout_seconds;
  lpot_program_idle idle; /* may be NULL */
  void *context;
  lpot_clock clock;
  lpot_buffer input; /* what has come */
  size_t taken;      /* bytes of it that were received */
  bool ended;        /* it has closed its output */
  int end_status;    /* as waitpid gives it, when pid is 0 */
};

/* ---- starting ---- */

static lpot_status fill_actions(posix_spawn_file_actions_t *actions, int fd, lpot_error *err) {
  if (posix_spawn_file_actions_adddup2(actions, fd, STDIN_FILENO) != 0 ||
      posix_spawn_file_actions_adddup2(actions, fd, STDOUT_FILENO) != 0 ||
      posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1) != 0) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  return LPOT_OK;
}

/* A process group of its own, so that all of it can be ended; signals as they are at login. */
static lpot_status fill_attributes(posix_spawnattr_t *attributes, lpot_error *err) {
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
  if (posix_spawnattr_setflags(attributes, flags) != 0 ||
      posix_spawnattr_setpgroup(attributes, 0) != 0 ||
      posix_spawnattr_setsigdefault(attributes, &all) != 0 ||
      posix_spawnattr_setsigmask(attributes, &none) != 0) {
    return LPOT_FAIL(err, LPOT_IO, "a program cannot be prepared: %s", strerror(errno));
  }
  return LPOT_OK;
}

static lpot_status spawn_with(const posix_spawn_file_actions_t *actions,
                              const posix_spawnattr_t *attributes, char **words, pid_t *ret_pid,
                              lpot_error *err) {
  int code = posix_spawnp(ret_pid, words[0], actions, attributes, words, environ);
  if (code != 0) {
    return LPOT_FAIL(err, LPOT_CONFIG, "program '%s' cannot be started: %s", words[0],
                     strerror(code));
  }
  return LPOT_OK;
}

static lpot_status spawn(char **words, int fd, pid_t *ret_pid, lpot_error *err) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  if (posix_spawn_file_actions_init(&actions) != 0) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  if (posix_spawnattr_init(&attributes) != 0) {
    posix_spawn_file_actions_destroy(&actions);
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = fill_actions(&actions, fd, err);
  if (status == LPOT_OK) {
    status = fill_attributes(&attributes, err);
  }
  if (status == LPOT_OK) {
    status = spawn_with(&actions, &attributes, words, ret_pid, err);
  }
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return status;
}

/* Starts the program on one end of a socket and keeps the other. */
static lpot_status connect_program(lpot_program *program, const char *const *words, size_t count,
                                   lpot_error *err) {
  int ends[2] = {-1, -1};
  char **copy = lpot_calloc(count + 1, sizeof(char *));
  if (copy == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < count; i++) {
    copy[i] = (char *)words[i]; /* Only read. */
  }
  lpot_status status = LPOT_OK;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    status = LPOT_FAIL(err, LPOT_IO, "no socket for a program: %s", strerror(errno));
  } else {
    program->fd = ends[0];
    status = spawn(copy, ends[1], &program->pid, err);
    program->pid = status == LPOT_OK ? program->pid : 0; /* It may have been set all the same. */
    program->group = program->pid;
    close(ends[1]);
  }
  lpot_free(copy);
  return status;
}

lpot_status lpot_program_start(const char *const *words, size_t count, double timeout_seconds,
                               lpot_program_idle idle, void *context, lpot_program **ret_program,
                               lpot_error *err) {
  lpot_program *program = lpot_calloc(1, sizeof *program);
  if (program == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  program->fd = -1;
  program->timeout_seconds = timeout_seconds;
  program->idle = idle;
  program->context = context;
  program->clock = lpot_clock_monotonic();
  lpot_buffer_init(&program->input);
  lpot_status status = connect_program(program, words, count, err);
  if (status != LPOT_OK) {
    lpot_program_stop(program);
    return status;
  }
  *ret_program = program;
  return LPOT_OK;
}

/* ---- ending ---- */

/* Waits at most so long; true when it has ended. */
static bool wait_for_end(lpot_program *program, double seconds) {
  if (program->pid > 0 && lpot_child_has_ended(program->pid, seconds, &program->end_status)) {
    program->pid = 0;
  }
  return program->pid <= 0;
}

/* Closes its input and waits for its end. What it still writes is thrown away: were it unread when
 * the socket is closed, the program would find its input reset instead of ended. */
static bool let_end(lpot_program *program) {
  uint8_t scrap[4096];
  double deadline = lpot_clock_now(&program->clock) + END_SECONDS;
  shutdown(program->fd, SHUT_WR);
  while (!wait_for_end(program, 0)) {
    if (lpot_clock_now(&program->clock) >= deadline) {
      return false;
    }
    if (recv(program->fd, scrap, sizeof scrap, MSG_DONTWAIT) <= 0) {
      lpot_clock_sleep(0.01);
    }
  }
  return true;
}

void lpot_program_stop(lpot_program *program) {
  if (program == NULL) {
    return;
  }
  bool ended = program->pid == 0 || let_end(program);
  if (program->fd >= 0) {
    close(program->fd);
  }
  if (!ended) {
    kill(-program->group, SIGTERM);
    (void)wait_for_end(program, END_SECONDS);
  }
  if (program->group > 0) {
    kill(-program->group, SIGKILL); /* Also what it has left behind. */
    (void)wait_for_end(program, END_SECONDS);
  }
  lpot_buffer_done(&program->input);
  lpot_free(program);
}

/* ---- talking ---- */

/* Takes what has come. */
static lpot_status take_input(lpot_program *program, lpot_error *err) {
  if (program->taken > 0) {
    memmove(program->input.data, program->input.data + program->taken,
            program->input.size - program->taken);
    program->input.size -= program->taken;
    program->taken = 0;
  }
  LPOT_TRY(lpot_buffer_reserve(&program->input, CHUNK, err));
  ssize_t got = recv(program->fd, program->input.data + program->input.size, CHUNK, MSG_DONTWAIT);
  if (got > 0) {
    program->input.size += (size_t)got;
  }
  program->ended = program->ended || got == 0 ||
                   (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
  if (program->input.size > LPOT_MAX_PROGRAM_LINE) {
    return LPOT_FAIL(err, LPOT_IO, "the program has written %zu bytes that nobody asked for",
                     program->input.size);
  }
  return LPOT_OK;
}

/* Waits until something comes, or may be written, or a slice of time is over. */
static lpot_status wait_slice(lpot_program *program, bool writes, double deadline,
                              bool *ret_writable, lpot_error *err) {
  struct pollfd event = {.fd = program->fd,
                         .events = (short)((program->ended ? 0 : POLLIN) | (writes ? POLLOUT : 0))};
  int ready = poll(&event, 1, SLICE_MS);
  *ret_writable = ready > 0 && (event.revents & (POLLOUT | POLLERR | POLLHUP)) != 0;
  if (ready > 0 && (event.revents & (POLLIN | POLLHUP)) != 0 && !program->ended) {
    LPOT_TRY(take_input(program, err));
    return LPOT_OK;
  }
  if (*ret_writable) {
    return LPOT_OK;
  }
  if (lpot_clock_now(&program->clock) >= deadline) {
    return LPOT_FAIL(err, LPOT_IO, "the program has not answered within %g seconds",
                     program->timeout_seconds);
  }
  if (program->idle != NULL) {
    LPOT_TRY(program->idle(program->context, err));
  }
  return LPOT_OK;
}

/* Text of how it ended, when that was not as it should be. */
static lpot_status check_end(lpot_program *program, lpot_error *err) {
  if (!wait_for_end(program, END_SECONDS)) {
    return LPOT_FAIL(err, LPOT_IO, "the program has closed its standard output, but not ended");
  }
  if (WIFSIGNALED(program->end_status)) {
    return LPOT_FAIL(err, LPOT_IO, "the program was ended by signal %d",
                     WTERMSIG(program->end_status));
  }
  if (WEXITSTATUS(program->end_status) != 0) {
    return LPOT_FAIL(err, LPOT_IO, "the program has ended with exit code %d",
                     WEXITSTATUS(program->end_status));
  }
  return LPOT_OK;
}

static lpot_status send_all(lpot_program *program, const lpot_buffer *line, lpot_error *err) {
  double deadline = lpot_clock_now(&program->clock) + program->timeout_seconds;
  size_t sent = 0;
  while (sent < line->size) {
    ssize_t done =
        send(program->fd, line->data + sent, line->size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (done > 0) {
      sent += (size_t)done;
      continue;
    }
    if (done < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
      LPOT_TRY(check_end(program, err)); /* It may have said all that it wants to say. */
      return LPOT_OK;
    }
    bool writable = false;
    LPOT_TRY(wait_slice(program, true, deadline, &writable, err));
  }
  return LPOT_OK;
}

lpot_status lpot_program_send(lpot_program *program, const char *text, lpot_error *err) {
  lpot_buffer line;
  lpot_buffer_init(&line);
  lpot_status status = lpot_buffer_printf(&line, err, "%s\n", text);
  if (status == LPOT_OK) {
    status = send_all(program, &line, err);
  }
  lpot_buffer_done(&line);
  return status;
}

/* Line number index behind what was received: its bytes, or NULL. */
static const char *find_line(const lpot_program *program, size_t index, size_t *ret_size) {
  size_t start = program->taken;
  for (;; index--) {
    size_t left = program->input.size - start;
    const uint8_t *end = left == 0 ? NULL : memchr(program->input.data + start, '\n', left);
    if (end == NULL) {
      return NULL;
    }
    size_t size = (size_t)(end - program->input.data) - start;
    if (index == 0) {
      *ret_size = size;
      return (const char *)program->input.data + start;
    }
    start += size + 1;
  }
}

static lpot_status copy_line(lpot_program *program, const char *text, size_t size, char **ret_line,
                             lpot_error *err) {
  if (memchr(text, '\0', size) != NULL) {
    return LPOT_FAIL(err, LPOT_IO, "the program has written a line with a zero byte");
  }
  char *line = lpot_calloc(size + 1, 1);
  if (line == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  memcpy(line, text, size);
  program->taken += size + 1;
  *ret_line = line;
  return LPOT_OK;
}

lpot_status lpot_program_receive(lpot_program *program, char **ret_line, lpot_error *err) {
  double deadline = lpot_clock_now(&program->clock) + program->timeout_seconds;
  for (;;) {
    size_t size = 0;
    const char *text = find_line(program, 0, &size);
    if (text != NULL) {
      LPOT_TRY(copy_line(program, text, size, ret_line, err));
      return LPOT_OK;
    }
    if (program->ended && program->input.size > program->taken) {
      return LPOT_FAIL(err, LPOT_IO, "the program has ended in the middle of a line");
    }
    if (program->ended) {
      LPOT_TRY(check_end(program, err));
      *ret_line = NULL;
      return LPOT_OK;
    }
    bool writable = false;
    LPOT_TRY(wait_slice(program, false, deadline, &writable, err));
  }
}

const char *lpot_program_peek(lpot_program *program, size_t index, size_t *ret_size) {
  if (index == 0 && !program->ended) {
    (void)!take_input(program, NULL); /* What is wrong is told when the line is received. */
  }
  return find_line(program, index, ret_size);
}
