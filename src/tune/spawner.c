#include "tune/spawner.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/reader.h"
#include "base/text.h"
#include "tune/spawner_impl.h"

#define STOP_SECONDS 7.0 /* the spawner itself takes at most 6 s to end its evaluator */
/* Of an evaluator inside this process. With what goes before and behind it this is less than the
 * coordinator waits for the answer that an evaluator was ended (ten seconds). */
#define DEATH_SECONDS 5.0
#define NO_FD (-1)

struct lpot_spawner {
  lpot_spawner_inside *inside; /* NULL: there is a process */
  pid_t pid;
  int control;
};

/* What came over the control socket. */
typedef struct report {
  bool came;
  unsigned kind;
  int fd; /* STARTED: the link, to be closed by who takes it; NO_FD */
  pid_t pid;
  char cause[128]; /* STARTED: why there is none */
  lpot_death death;
} report;

static double now(void) {
  lpot_clock clock = lpot_clock_monotonic();
  return lpot_clock_now(&clock);
}

lpot_status lpot_spawner_start(lpot_evaluator_main main, const void *context,
                               lpot_spawner **ret_spawner, lpot_error *err) {
  int ends[2];
  lpot_spawner *spawner = lpot_calloc(1, sizeof *spawner);
  if (spawner == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    lpot_free(spawner);
    return LPOT_FAIL(err, LPOT_IO, "cannot make the spawner: %s", strerror(errno));
  }
  fflush(NULL); /* What is still in buffers would be written by both. */
  pid_t parent = getpid();
  spawner->pid = fork();
  int code = errno;
  if (spawner->pid == 0) {
    close(ends[0]);
    lpot_free(spawner);
    lpot_spawner_process(ends[1], parent, main, context);
  }
  close(ends[1]);
  spawner->control = ends[0];
  if (spawner->pid < 0) {
    close(ends[0]);
    lpot_free(spawner);
    return LPOT_FAIL(err, LPOT_IO, "cannot make the spawner: %s", strerror(code));
  }
  *ret_spawner = spawner;
  return LPOT_OK;
}

lpot_status lpot_spawner_start_inside(lpot_evaluator_main main, const void *context,
                                      lpot_spawner **ret_spawner, lpot_error *err) {
  lpot_spawner *spawner = lpot_calloc(1, sizeof *spawner);
  if (spawner == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = lpot_spawner_inside_new(main, context, &spawner->inside, err);
  if (status != LPOT_OK) {
    lpot_free(spawner);
    return status;
  }
  *ret_spawner = spawner;
  return LPOT_OK;
}

bool lpot_spawner_sees_threads(void) {
  struct stat threads; /* A folder for each: two links and one more for each folder in it. */
  return stat("/proc/self/task", &threads) == 0 && threads.st_nlink > 3;
}

bool lpot_spawner_is_inside(const lpot_spawner *spawner) {
  return spawner->inside != NULL;
}

static bool stop_inside(lpot_spawner_inside *inside) {
  if (!lpot_spawner_inside_rest(inside, STOP_SECONDS)) {
    lpot_log(LPOT_LOG_WARNING, "an evaluator inside this program does not end: it is left behind");
  }
  return lpot_spawner_inside_free(inside);
}

bool lpot_spawner_stop(lpot_spawner *spawner) {
  bool stopped = true;
  if (spawner == NULL) {
    return true;
  }
  if (spawner->inside != NULL) {
    stopped = stop_inside(spawner->inside);
  } else {
    close(spawner->control);
    if (!lpot_child_has_ended(spawner->pid, STOP_SECONDS, NULL)) {
      lpot_child_kill(spawner->pid);
    }
  }
  lpot_free(spawner);
  return stopped;
}

bool lpot_spawner_rest(lpot_spawner *spawner, double timeout_seconds) {
  return spawner->inside == NULL || lpot_spawner_inside_rest(spawner->inside, timeout_seconds);
}

int lpot_spawner_fd(const lpot_spawner *spawner) {
  return spawner->inside != NULL ? lpot_spawner_inside_fd(spawner->inside) : spawner->control;
}

/* ---- reports ---- */

static int passed_fd(struct msghdr *packet) {
  struct cmsghdr *head = CMSG_FIRSTHDR(packet);
  int fd = NO_FD;
  if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
      head->cmsg_len == CMSG_LEN(sizeof fd)) {
    memcpy(&fd, CMSG_DATA(head), sizeof fd);
  }
  return fd;
}

static lpot_status parse_report(const uint8_t *bytes, size_t size, report *out, lpot_error *err) {
  lpot_reader reader;
  lpot_reader_init(&reader, bytes, size);
  uint8_t kind = 0;
  int64_t values[3] = {0};
  LPOT_TRY(lpot_reader_u8(&reader, &kind, err));
  LPOT_TRY(lpot_reader_i64(&reader, &values[0], err));
  out->kind = kind;
  out->pid = (pid_t)values[0];
  if (kind == LPOT_REPORT_STARTED) {
    LPOT_TRY(lpot_reader_string(&reader, out->cause, sizeof out->cause, err));
    return LPOT_OK;
  }
  LPOT_TRY(lpot_reader_i64(&reader, &values[1], err));
  LPOT_TRY(lpot_reader_i64(&reader, &values[2], err));
  out->death =
      (lpot_death){.pid = out->pid, .wait_status = (int)values[1], .max_rss_kib = (long)values[2]};
  LPOT_TRY(lpot_reader_string(&reader, out->death.last_lines, sizeof out->death.last_lines, err));
  return LPOT_OK;
}

/* One report, when it comes until deadline. */
static lpot_status receive(const lpot_spawner *spawner, double deadline, report *out,
                           lpot_error *err) {
  uint8_t bytes[LPOT_REPORT_SIZE];
  union {
    struct cmsghdr head; /* for the alignment */
    char bytes[CMSG_SPACE(sizeof(int))];
  } extra = {0};
  struct iovec part = {.iov_base = bytes, .iov_len = sizeof bytes};
  struct msghdr packet = {.msg_iov = &part,
                          .msg_iovlen = 1,
                          .msg_control = extra.bytes,
                          .msg_controllen = sizeof extra.bytes};
  out->came = false;
  double left = deadline - now();
  struct pollfd slot = {.fd = spawner->control, .events = POLLIN};
  if (poll(&slot, 1, left > 0 ? (int)(left * 1e3) + 1 : 0) <= 0) {
    return LPOT_OK;
  }
  ssize_t count = recvmsg(spawner->control, &packet, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
    return LPOT_OK;
  }
  if (count <= 0) {
    return LPOT_FAIL(err, LPOT_IO, "the spawner process is gone");
  }
  out->fd = passed_fd(&packet);
  LPOT_TRY(parse_report(bytes, (size_t)count, out, err));
  out->came = true;
  return LPOT_OK;
}

static lpot_status ask(const lpot_spawner *spawner, lpot_spawner_request request, lpot_error *err) {
  char byte = (char)request;
  if (send(spawner->control, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1) {
    return LPOT_FAIL(err, LPOT_IO, "the spawner process does not listen: %s", strerror(errno));
  }
  return LPOT_OK;
}

lpot_status lpot_spawner_spawn(lpot_spawner *spawner, double timeout_seconds, int *ret_fd,
                               pid_t *ret_pid, lpot_error *err) {
  if (spawner->inside != NULL) {
    return lpot_spawner_inside_spawn(spawner->inside, ret_fd, ret_pid, err);
  }
  double deadline = now() + timeout_seconds;
  report news = {0};
  LPOT_TRY(ask(spawner, LPOT_REQUEST_SPAWN, err));
  while (!news.came || news.kind != LPOT_REPORT_STARTED) {
    LPOT_TRY(receive(spawner, deadline, &news, err));
    if (!news.came && now() >= deadline) {
      return LPOT_FAIL(err, LPOT_IO, "the spawner process does not answer within %.0f s",
                       timeout_seconds);
    }
  }
  if (news.pid == 0 || news.fd == NO_FD) {
    return LPOT_FAIL(err, LPOT_IO, "cannot make an evaluator: %s", news.cause);
  }
  *ret_fd = news.fd;
  *ret_pid = news.pid;
  return LPOT_OK;
}

lpot_status lpot_spawner_kill(lpot_spawner *spawner, lpot_error *err) {
  if (spawner->inside != NULL) {
    lpot_spawner_inside_cut(spawner->inside);
    return LPOT_OK;
  }
  LPOT_TRY(ask(spawner, LPOT_REQUEST_KILL, err));
  return LPOT_OK;
}

lpot_status lpot_spawner_death(lpot_spawner *spawner, double timeout_seconds, bool *ret_died,
                               lpot_death *ret_death, lpot_error *err) {
  if (spawner->inside != NULL) {
    double seconds = timeout_seconds < DEATH_SECONDS ? timeout_seconds : DEATH_SECONDS;
    *ret_died = lpot_spawner_inside_death(spawner->inside, seconds, ret_death);
    return LPOT_OK;
  }
  double deadline = now() + timeout_seconds;
  *ret_died = false;
  do {
    report news = {0};
    LPOT_TRY(receive(spawner, deadline, &news, err));
    if (news.came && news.kind == LPOT_REPORT_DIED) {
      *ret_death = news.death;
      *ret_died = true;
      return LPOT_OK;
    }
    if (news.came && news.fd != NO_FD) {
      close(news.fd); /* The answer to a request that was given up. */
    }
  } while (now() < deadline);
  return LPOT_OK;
}

/* ---- words ---- */

static const char *signal_name(int number) {
  static const struct {
    int number;
    const char *name;
  } names[] = {{SIGSEGV, "SIGSEGV"}, {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},  {SIGFPE, "SIGFPE"},
               {SIGILL, "SIGILL"},   {SIGKILL, "SIGKILL"}, {SIGTERM, "SIGTERM"}};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (names[i].number == number) {
      return names[i].name;
    }
  }
  return strsignal(number);
}

/* The end of text that fits in room characters, from the beginning of a line where one is near. */
static const char *last_part(const char *text, size_t room) {
  size_t size = strlen(text);
  if (size <= room) {
    return text;
  }
  const char *part = text + (size - room);
  const char *newline = strchr(part, '\n');
  return newline != NULL && newline[1] != '\0' ? newline + 1 : part;
}

void lpot_death_text(const lpot_death *death, char *out, size_t out_size) {
  char how[96];
  int status = death->wait_status;
  if (WIFSIGNALED(status)) {
    snprintf(how, sizeof how, "ended by signal %d (%s)", WTERMSIG(status),
             signal_name(WTERMSIG(status)));
  } else {
    snprintf(how, sizeof how, "ended with exit code %d", WEXITSTATUS(status));
  }
  int size = snprintf(out, out_size, "%s, having used %ld MiB", how, death->max_rss_kib / 1024);
  size_t used = size < 0 ? 0 : (size_t)size;
  static const char head[] = "; its last lines: ";
  if (death->last_lines[0] == '\0' || used + sizeof head + 16 > out_size) {
    return;
  }
  char lines[LPOT_LAST_LINES + 1];
  lpot_text_copy(lines, sizeof lines, death->last_lines);
  for (size_t end = strlen(lines); end > 0 && lines[end - 1] == '\n'; end--) {
    lines[end - 1] = '\0';
  }
  char shown[LPOT_LAST_LINES + 1];
  lpot_text_copy(shown, sizeof shown, last_part(lines, out_size - used - sizeof head));
  for (char *newline = strchr(shown, '\n'); newline != NULL; newline = strchr(newline, '\n')) {
    *newline = '|';
  }
  lpot_text_copy(out + used, out_size - used, head);
  used += sizeof head - 1;
  lpot_text_printable(shown, out + used, out_size - used);
}
