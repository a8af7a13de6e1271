#include "base/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

static double read_clock(clockid_t id) {
  struct timespec time = {0};
  clock_gettime(id, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static double monotonic_now(void *context) {
  (void)context;
  return read_clock(CLOCK_MONOTONIC);
}

lpot_clock lpot_clock_monotonic(void) {
  return (lpot_clock){.now = monotonic_now, .context = NULL};
}

double lpot_clock_now(const lpot_clock *clock) {
  return clock->now(clock->context);
}

double lpot_clock_wall(void) {
  return read_clock(CLOCK_REALTIME);
}

double lpot_clock_thread_cpu(void) {
  return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

double lpot_clock_process_cpu(void) {
  return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

void lpot_clock_sleep(double seconds) {
  const double longest = 1e9;
  /* Also refuses NaN. */
  if (!(seconds > 0)) {
    return;
  }
  seconds = seconds < longest ? seconds : longest;
  struct timespec left = {.tv_sec = (time_t)seconds};
  left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
  /* A signal does not shorten the sleep. */
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

void lpot_clock_text(double wall, char *out, size_t out_size) {
  struct tm parts = {0};
  bool sane = wall >= 0 && wall < 253402300800.0; /* until the year 9999; refuses NaN */
  time_t seconds = sane ? (time_t)wall : 0;
  if (!sane || gmtime_r(&seconds, &parts) == NULL ||
      strftime(out, out_size, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0) {
    snprintf(out, out_size, "unknown");
  }
}
