/* Clocks in seconds. What decides takes a clock as a parameter, so that tests can bring their own.
 */
#ifndef LPOT_BASE_CLOCK_H
#define LPOT_BASE_CLOCK_H

#include <stddef.h>

typedef struct lpot_clock {
  double (*now)(void *context); /* seconds since an arbitrary start, never backwards */
  void *context;
} lpot_clock;

lpot_clock lpot_clock_monotonic(void);
double lpot_clock_now(const lpot_clock *clock);
double lpot_clock_wall(void);        /* seconds since 1970 */
double lpot_clock_thread_cpu(void);  /* CPU seconds of the calling thread */
double lpot_clock_process_cpu(void); /* CPU seconds of all threads of this process */
void lpot_clock_sleep(double seconds);
/* Writes a wall clock's time as "2024-01-31 23:59:59 UTC"; "unknown" when it is out of range. */
void lpot_clock_text(double wall, char *out, size_t out_size);

#endif
