/* A bad neighbour: streams over a buffer that no cache holds until it is killed or its time is up.
 *
 *   memory_burner SECONDS [CPU] [MIB] [PERIOD]
 *
 * CPU: the processor to run on (-1: any); MIB: size of the buffer (256); PERIOD: with more than 0,
 * so many seconds of streaming and of sleep in turn. Prints "ready" when the buffer is filled. */
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

static double now(void) {
  lpot_clock clock = lpot_clock_monotonic();
  return lpot_clock_now(&clock);
}

static void run_on(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET((size_t)cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) {
    fprintf(stderr, "memory_burner: cannot run on processor %d\n", cpu);
  }
}

int main(int argc, char **argv) {
  double seconds = argc > 1 ? strtod(argv[1], NULL) : 10;
  long cpu = argc > 2 ? strtol(argv[2], NULL, 10) : -1;
  size_t mib = argc > 3 ? strtoul(argv[3], NULL, 10) : 256;
  double period = argc > 4 ? strtod(argv[4], NULL) : 0;
  if (cpu >= 0 && cpu < CPU_SETSIZE) {
    run_on((int)cpu);
  }
  size_t words = (mib << 20) / sizeof(uint64_t);
  uint64_t *buffer = lpot_alloc_aligned(words * sizeof *buffer);
  if (buffer == NULL || words == 0) {
    return 1;
  }
  memset(buffer, 1, words * sizeof *buffer);
  puts("ready");
  fflush(stdout);
  uint64_t sum = 0;
  double end = now() + seconds;
  double pause = now() + period;
  while (now() < end) {
    for (size_t i = 0; i < words; i += 8) {
      sum += buffer[i];
      buffer[i] = sum; /* Lines are written back too. */
    }
    if (period > 0 && now() > pause) {
      lpot_clock_sleep(period);
      pause = now() + period;
    }
  }
  lpot_free(buffer);
  return sum == 0;
}
