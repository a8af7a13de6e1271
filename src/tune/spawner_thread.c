#define _GNU_SOURCE /* pipe2 */
/* Evaluators that are threads of the rank itself, one at a time: what lpot_spawner_start_inside
 * makes. They cannot be killed. Instead their link is cut, which they notice between two batches;
 * one that does not is left alone, and there is no other from then on until it has ended. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/background.h"
#include "base/clock.h"
#include "base/memory.h"
#include "tune/spawner_impl.h"

#define END_SECONDS 2.0 /* for an evaluator in whose place another one is wanted */
#define NO_FD (-1)

struct lpot_spawner_inside {
  lpot_evaluator_main main;
  const void *context; /* borrowed */
  lpot_background *background;
  pid_t number; /* of the evaluators so far: it stands for a process id */
  bool lives;   /* the death of the last one was not told yet */
  bool stays;   /* it did not end when it was waited for: that is done once */
  int link;     /* its end of the link, which it closes */
  int cut;      /* the same once more, for us to cut */
  int news[2];  /* a pipe: its exit code, when it ends */
};

static void close_fd(int *fd) {
  if (*fd != NO_FD) {
    close(*fd);
  }
  *fd = NO_FD;
}

static double now(void) {
  lpot_clock clock = lpot_clock_monotonic();
  return lpot_clock_now(&clock);
}

/* The thread. What it has sent is still there to be read when the link is cut. */
static void live(void *context) {
  lpot_spawner_inside *self = context;
  int exit_code = self->main(self->link, self->context);
  shutdown(self->cut, SHUT_RDWR);
  (void)!write(self->news[1], &exit_code, sizeof exit_code);
}

lpot_status lpot_spawner_inside_new(lpot_evaluator_main main, const void *context,
                                    lpot_spawner_inside **ret_inside, lpot_error *err) {
  lpot_spawner_inside *self = lpot_calloc(1, sizeof *self);
  if (self == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  *self = (lpot_spawner_inside){
      .main = main, .context = context, .link = NO_FD, .cut = NO_FD, .news = {NO_FD, NO_FD}};
  lpot_status status = lpot_background_new(&self->background, err);
  if (status == LPOT_OK && pipe2(self->news, O_CLOEXEC | O_NONBLOCK) != 0) {
    status = LPOT_FAIL(err, LPOT_IO, "no pipe for evaluators: %s", strerror(errno));
  }
  if (status != LPOT_OK) {
    lpot_spawner_inside_free(self);
    return status;
  }
  *ret_inside = self;
  return LPOT_OK;
}

bool lpot_spawner_inside_free(lpot_spawner_inside *self) {
  if (self->lives) {
    return false;
  }
  lpot_background_free(self->background);
  close_fd(&self->news[0]);
  close_fd(&self->news[1]);
  lpot_free(self);
  return true;
}

int lpot_spawner_inside_fd(const lpot_spawner_inside *self) {
  return self->news[0];
}

void lpot_spawner_inside_cut(const lpot_spawner_inside *self) {
  if (self->lives) {
    shutdown(self->cut, SHUT_RDWR);
  }
}

bool lpot_spawner_inside_death(lpot_spawner_inside *self, double timeout_seconds,
                               lpot_death *ret_death) {
  double deadline = now() + timeout_seconds;
  int exit_code = 0;
  struct pollfd slot = {.fd = self->news[0], .events = POLLIN};
  while (read(self->news[0], &exit_code, sizeof exit_code) != sizeof exit_code) {
    double left = deadline - now();
    if (left <= 0) {
      return false;
    }
    (void)poll(&slot, 1, (int)(left * 1e3) + 1);
  }
  struct rusage usage = {0};
  getrusage(RUSAGE_SELF, &usage); /* Of the whole program: nobody tells them apart. */
  close_fd(&self->cut);
  self->lives = false;
  self->stays = false;
  *ret_death = (lpot_death){.pid = self->number,
                            .wait_status = (exit_code & 0xff) << 8, /* as waitpid has it */
                            .max_rss_kib = usage.ru_maxrss};
  return true;
}

bool lpot_spawner_inside_rest(lpot_spawner_inside *self, double timeout_seconds) {
  lpot_death death;
  lpot_spawner_inside_cut(self);
  if (self->lives) {
    self->stays = !lpot_spawner_inside_death(self, self->stays ? 0 : timeout_seconds, &death);
  }
  return !self->lives;
}

/* Both ends of a link; ours is *ret_fd. */
static lpot_status make_link(lpot_spawner_inside *self, int *ret_fd, lpot_error *err) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return LPOT_FAIL(err, LPOT_IO, "cannot make an evaluator: %s", strerror(errno));
  }
  self->cut = fcntl(ends[1], F_DUPFD_CLOEXEC, 0);
  if (self->cut < 0) {
    lpot_status status = LPOT_FAIL(err, LPOT_IO, "cannot make an evaluator: %s", strerror(errno));
    close(ends[0]);
    close(ends[1]);
    return status;
  }
  self->link = ends[1];
  *ret_fd = ends[0];
  return LPOT_OK;
}

lpot_status lpot_spawner_inside_spawn(lpot_spawner_inside *self, int *ret_fd, pid_t *ret_pid,
                                      lpot_error *err) {
  if (!lpot_spawner_inside_rest(self, END_SECONDS)) {
    return LPOT_FAIL(err, LPOT_IO,
                     "the evaluator before does not end, and as a part of this program it cannot "
                     "be killed: call lpot_start first in main to have it in a process of its own");
  }
  int fd = NO_FD;
  LPOT_TRY(make_link(self, &fd, err));
  lpot_status status = lpot_background_start(self->background, live, self, err);
  if (status != LPOT_OK) {
    close(fd);
    close_fd(&self->link);
    close_fd(&self->cut);
    return status;
  }
  self->lives = true;
  self->number++;
  *ret_fd = fd;
  *ret_pid = self->number;
  return LPOT_OK;
}
