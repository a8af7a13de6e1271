/* The process of an instance: its birth and its end. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/child.h"
#include "tune/benchmark.h"
#include "tune/protocol.h"

#define TELL_SECONDS 60.0 /* for the parent to take the last message */

/* What the child does. Its parent's other descriptors and those of other instances do no harm: it
 * ends with the parent. */
_Noreturn static void be_instance(const lpot_benchmark_instance *what, int fd) {
  lpot_error error = {0};
  lpot_link *link = NULL;
  lpot_buffer message;
  lpot_buffer_init(&message);
  lpot_status status = lpot_link_new(fd, &link, &error);
  if (status == LPOT_OK) {
    status = lpot_benchmark_work(what, link, &error);
  }
  if (status != LPOT_OK && link != NULL) {
    lpot_status told = lpot_message_begin(&message, LPOT_MESSAGE_FAILED, 0, NULL);
    told = told == LPOT_OK ? lpot_failure_write(status, error.message, &message, NULL) : told;
    told = told == LPOT_OK ? lpot_message_finish(&message, NULL) : told;
    told = told == LPOT_OK ? lpot_link_post(link, &message, NULL) : told;
    told = told == LPOT_OK ? lpot_link_flush(link, TELL_SECONDS, NULL) : told;
    (void)
        told; /* Where it fails the parent is gone, or has hung up: it knows of another failure. */
  }
  lpot_buffer_done(&message);
  lpot_link_free(link);
  _exit(status == LPOT_OK ? 0 : 1);
}

lpot_status lpot_benchmark_fork(const lpot_benchmark_instance *what, pid_t *ret_pid,
                                lpot_link **ret_link, lpot_error *err) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return LPOT_FAIL(err, LPOT_IO, "no socket for an instance: %s", strerror(errno));
  }
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    lpot_child_end_with(parent);
    be_instance(what, ends[1]);
  }
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    return LPOT_FAIL(err, LPOT_IO, "no process for an instance: %s", strerror(errno));
  }
  *ret_pid = pid; /* Also where there is no link: it has to be ended. */
  LPOT_TRY(lpot_link_new(ends[0], ret_link, err));
  return LPOT_OK;
}

void lpot_benchmark_end(pid_t pid) {
  if (pid > 0) {
    lpot_child_kill(pid); /* What it had to say was said. */
  }
}
