#define _DEFAULT_SOURCE /* kill */
#include "base/child.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define KILL_SECONDS 1.0 /* one that hangs in the kernel dies when that lets it */
#define SHORTEST_SLEEP 1e-4
#define LONGEST_SLEEP 0.01

bool lpot_child_has_ended(pid_t child, double seconds, int *ret_status) {
  const lpot_clock clock = lpot_clock_monotonic();
  double deadline = lpot_clock_now(&clock) + seconds;
  double sleep = SHORTEST_SLEEP;
  for (;;) {
    int status = 0;
    pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child && ret_status != NULL) {
      *ret_status = status;
    }
    if (ended == child || (ended < 0 && errno != EINTR)) {
      return true;
    }
    if (lpot_clock_now(&clock) >= deadline) {
      return false;
    }
    lpot_clock_sleep(sleep);
    sleep = 2 * sleep < LONGEST_SLEEP ? 2 * sleep : LONGEST_SLEEP;
  }
}

void lpot_child_kill(pid_t child) {
  kill(child, SIGKILL);
  (void)lpot_child_has_ended(child, KILL_SECONDS, NULL);
}

void lpot_child_end_with(pid_t parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) {
    _exit(1);
  }
}
