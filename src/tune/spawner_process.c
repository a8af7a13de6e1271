#define _GNU_SOURCE /* wait4 */
#include "tune/spawner_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/writer.h"

#define CHUNK 4096        /* a pipe that is ready takes so many bytes at once */
#define END_SECONDS 5.0   /* bound for the death of a killed evaluator */
#define TAIL_SECONDS 1.0  /* bound for forwarding what a dead evaluator has written */
#define OOM_SCORE "500\n" /* where memory is short, evaluators go before ranks */
#define NO_FD (-1)

typedef struct shop {
  int control; /* to the rank */
  int signals; /* tells of ended children */
  lpot_evaluator_main main;
  const void *context; /* borrowed */
  pid_t pid;           /* of the evaluator; 0: there is none */
  int output;          /* what it writes; NO_FD */
  char chunk[CHUNK];   /* of its output, to be forwarded */
  size_t chunk_begin, chunk_end;
  char tail[LPOT_LAST_LINES + 1]; /* the end of its output, NUL terminated */
  size_t tail_size;
} shop;

static double now(void) {
  lpot_clock clock = lpot_clock_monotonic();
  return lpot_clock_now(&clock);
}

static void close_fd(int *fd) {
  if (*fd != NO_FD) {
    close(*fd);
  }
  *fd = NO_FD;
}

/* ---- the evaluator's output ---- */

static void keep_tail(shop *self, const char *bytes, size_t size) {
  size_t room = LPOT_LAST_LINES;
  if (size > room) {
    bytes += size - room;
    size = room;
  }
  size_t kept = self->tail_size < room - size ? self->tail_size : room - size;
  memmove(self->tail, self->tail + self->tail_size - kept, kept);
  memcpy(self->tail + kept, bytes, size);
  self->tail_size = kept + size;
  for (size_t i = kept; i < self->tail_size; i++) {
    self->tail[i] = self->tail[i] == '\0' ? '?' : self->tail[i];
  }
  self->tail[self->tail_size] = '\0';
}

static bool has_chunk(const shop *self) {
  return self->chunk_begin < self->chunk_end;
}

/* False when there is nothing to read now. */
static bool read_chunk(shop *self) {
  ssize_t count = self->output == NO_FD ? 0 : read(self->output, self->chunk, sizeof self->chunk);
  if (count <= 0) {
    if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
      close_fd(&self->output);
    }
    return false;
  }
  self->chunk_begin = 0;
  self->chunk_end = (size_t)count;
  keep_tail(self, self->chunk, (size_t)count);
  return true;
}

/* To be called when standard error is ready: it then does not wait. */
static void forward_chunk(shop *self) {
  ssize_t count =
      write(STDERR_FILENO, self->chunk + self->chunk_begin, self->chunk_end - self->chunk_begin);
  if (count >= 0) {
    self->chunk_begin += (size_t)count;
  } else if (errno != EINTR && errno != EAGAIN) {
    self->chunk_begin = self->chunk_end; /* Nobody is there to read it. */
  }
}

/* Reads all that a dead evaluator has left; what cannot be forwarded in time is dropped. */
static void drain_output(shop *self) {
  double deadline = now() + TAIL_SECONDS;
  double left = TAIL_SECONDS;
  /* Another process may hold the pipe and never stop writing. */
  while (left > 0 && (has_chunk(self) || read_chunk(self))) {
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
    left = deadline - now();
    if (left > 0 && poll(&ready, 1, (int)(left * 1e3) + 1) > 0) {
      forward_chunk(self);
    } else {
      self->chunk_begin = self->chunk_end;
    }
  }
  close_fd(&self->output);
}

/* ---- reports ---- */

static void send_report(const shop *self, const lpot_buffer *report, int fd) {
  struct iovec part = {.iov_base = report->data, .iov_len = report->size};
  union {
    struct cmsghdr head; /* for the alignment */
    char bytes[CMSG_SPACE(sizeof fd)];
  } extra = {0};
  struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
  if (fd != NO_FD) {
    packet.msg_control = extra.bytes;
    packet.msg_controllen = sizeof extra.bytes;
    struct cmsghdr *head = CMSG_FIRSTHDR(&packet);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
  }
  /* Where it fails the rank is gone, and the control socket tells so. */
  (void)!sendmsg(self->control, &packet, MSG_NOSIGNAL);
}

static void report_start(const shop *self, pid_t pid, const char *cause, int fd) {
  lpot_buffer report;
  lpot_buffer_init(&report);
  if (lpot_writer_u8(&report, LPOT_REPORT_STARTED, NULL) == LPOT_OK &&
      lpot_writer_i64(&report, pid, NULL) == LPOT_OK &&
      lpot_writer_string(&report, cause, NULL) == LPOT_OK) {
    send_report(self, &report, fd);
  }
  lpot_buffer_done(&report);
}

static void report_death(const shop *self, int wait_status, long max_rss_kib) {
  lpot_buffer report;
  lpot_buffer_init(&report);
  if (lpot_writer_u8(&report, LPOT_REPORT_DIED, NULL) == LPOT_OK &&
      lpot_writer_i64(&report, self->pid, NULL) == LPOT_OK &&
      lpot_writer_i64(&report, wait_status, NULL) == LPOT_OK &&
      lpot_writer_i64(&report, max_rss_kib, NULL) == LPOT_OK &&
      lpot_writer_string(&report, self->tail, NULL) == LPOT_OK) {
    send_report(self, &report, NO_FD);
  }
  lpot_buffer_done(&report);
}

static void reap(shop *self) {
  int wait_status = 0;
  struct rusage usage = {0};
  if (self->pid == 0 || wait4(self->pid, &wait_status, WNOHANG, &usage) != self->pid) {
    return;
  }
  drain_output(self);
  report_death(self, wait_status, usage.ru_maxrss);
  self->pid = 0;
}

static void end_evaluator(shop *self) {
  if (self->pid == 0) {
    return;
  }
  kill(self->pid, SIGKILL);
  for (double deadline = now() + END_SECONDS; self->pid != 0 && now() < deadline;) {
    reap(self);
    if (self->pid != 0) {
      lpot_clock_sleep(0.001);
    }
  }
}

/* ---- making an evaluator ---- */

static void ignore_signals(void) {
  static const int numbers[] = {SIGINT, SIGTERM, SIGUSR1, SIGPIPE};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    struct sigaction action = {0};
    action.sa_handler = SIG_IGN;
    sigemptyset(&action.sa_mask);
    sigaction(numbers[i], &action, NULL);
  }
}

static void open_null(int flags, int target) {
  int null = open("/dev/null", flags | O_CLOEXEC);
  if (null >= 0 && null != target) {
    dup2(null, target);
    close(null);
  }
}

/* Where it is not allowed to, all processes stay alike. */
static void offer_memory(void) {
  int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file >= 0) {
    (void)!write(file, OOM_SCORE, sizeof OOM_SCORE - 1);
    close(file);
  }
}

/* The signals that the spawner takes by signalfd. */
static void watched_signals(sigset_t *out) {
  sigemptyset(out);
  sigaddset(out, SIGCHLD);
}

static _Noreturn void live_as_evaluator(shop *self, pid_t parent, int link, int output) {
  sigset_t watched;
  lpot_child_end_with(parent);
  prctl(PR_SET_NAME, "lpot-evaluator");
  watched_signals(&watched);
  sigprocmask(SIG_UNBLOCK, &watched, NULL);
  close_fd(&self->control);
  close_fd(&self->signals);
  close_fd(&self->output);
  dup2(output, STDOUT_FILENO); /* The rank's own stands for results. */
  dup2(output, STDERR_FILENO);
  close(output);
  offer_memory();
  int exit_code = self->main(link, self->context);
  fflush(NULL);
  _exit(exit_code);
}

static bool make_channels(int link[2], int output[2]) {
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, link) != 0) {
    return false;
  }
  if (pipe2(output, O_CLOEXEC) != 0) {
    int code = errno;
    close(link[0]);
    close(link[1]);
    errno = code;
    return false;
  }
  return true;
}

static void spawn(shop *self) {
  int link[2];
  int output[2];
  end_evaluator(self);
  if (self->pid != 0) {
    report_start(self, 0, "the old evaluator does not die", NO_FD);
    return;
  }
  if (!make_channels(link, output)) {
    report_start(self, 0, strerror(errno), NO_FD);
    return;
  }
  self->output = output[0];
  self->tail_size = 0;
  self->tail[0] = '\0';
  self->chunk_begin = self->chunk_end;
  fcntl(output[0], F_SETFL, O_NONBLOCK);
  pid_t parent = getpid();
  pid_t pid = fork();
  int code = errno;
  if (pid == 0) {
    close(link[0]);
    live_as_evaluator(self, parent, link[1], output[1]);
  }
  close(link[1]);
  close(output[1]);
  if (pid < 0) {
    close_fd(&self->output);
    report_start(self, 0, strerror(code), NO_FD);
  } else {
    self->pid = pid;
    report_start(self, pid, "", link[0]);
  }
  close(link[0]);
}

/* ---- the loop ---- */

/* False when the rank is gone. */
static bool serve(shop *self) {
  char request = '\0';
  ssize_t count = recv(self->control, &request, 1, MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
    return true;
  }
  if (count <= 0) {
    return false;
  }
  if (request == LPOT_REQUEST_SPAWN) {
    spawn(self);
  } else if (request == LPOT_REQUEST_KILL && self->pid != 0) {
    kill(self->pid, SIGKILL); /* Its death is reported when it comes. */
  }
  return true;
}

static void loop(shop *self) {
  enum { CONTROL, SIGNALS, OUTPUT, ERRORS, NUM_SLOTS };
  bool goes_on = true;
  while (goes_on) {
    struct pollfd slots[NUM_SLOTS] = {
        [CONTROL] = {.fd = self->control, .events = POLLIN},
        [SIGNALS] = {.fd = self->signals, .events = POLLIN},
        [OUTPUT] = {.fd = has_chunk(self) ? NO_FD : self->output, .events = POLLIN},
        [ERRORS] = {.fd = has_chunk(self) ? STDERR_FILENO : NO_FD, .events = POLLOUT}};
    if (poll(slots, NUM_SLOTS, -1) < 0) {
      continue;
    }
    if (slots[ERRORS].revents != 0) {
      forward_chunk(self);
    }
    if (slots[OUTPUT].revents != 0) {
      (void)read_chunk(self);
    }
    if (slots[SIGNALS].revents != 0) {
      struct signalfd_siginfo news;
      (void)!read(self->signals, &news, sizeof news);
      reap(self);
    }
    if (slots[CONTROL].revents != 0) {
      goes_on = serve(self);
    }
  }
}

_Noreturn void lpot_spawner_process(int control, pid_t parent, lpot_evaluator_main main,
                                    const void *context) {
  ignore_signals();
  signal(SIGCHLD, SIG_DFL); /* Who started us may have had it ignored: no death would be told. */
  lpot_child_end_with(parent);
  prctl(PR_SET_NAME, "lpot-spawner");
  open_null(O_RDONLY, STDIN_FILENO);
  open_null(O_WRONLY, STDOUT_FILENO);
  sigset_t watched;
  watched_signals(&watched);
  sigprocmask(SIG_BLOCK, &watched, NULL);
  shop self = {.control = control, .main = main, .context = context, .output = NO_FD};
  self.signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
  if (self.signals >= 0) {
    loop(&self);
  }
  end_evaluator(&self);
  _exit(self.signals < 0);
}
