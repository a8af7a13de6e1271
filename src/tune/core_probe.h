/* Whether something else runs on the calling thread's core, on its other hyper-thread: also where
 * no file tells, as in a virtual machine whose host gives the other thread to somebody else. */
#ifndef LPOT_TUNE_CORE_PROBE_H
#define LPOT_TUNE_CORE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct lpot_core_probe {
  double crowding;        /* how many times as long as alone independent instructions take */
  uint32_t frequency_khz; /* of the core at this moment */
} lpot_core_probe;

/* True where the figures of these loops are known: from Haswell (Intel) and Zen (AMD) on, by the
 * instruction tables of A. Fog and uops.info. To be asked once: it takes microseconds in a virtual
 * machine. */
bool lpot_core_probe_is_known(void);

/* Two loops of some microseconds whose cycles are known: dependent 32-bit products, 3 cycles each
 * however busy the core is, are the clock; independent 128-bit fused products, two in a cycle when
 * nothing else wants the same ports, are what suffers. The least time of several runs of each, so
 * that an interrupt does not count: some 5 us in all. No memory is touched. What only waits for
 * memory on the other thread is seen less. To be called only where it is known
 * (lpot_core_probe_is_known). */
void lpot_core_probe_run(lpot_core_probe *ret);

/* Whether something ran on the other hyper-thread: crowding is 1.2 % above the least that is known.
 * Where even that is above 1.05 the core was never seen alone, and 1.05 stands for it. False where
 * crowding is 0. */
bool lpot_is_crowded(double crowding, double least_crowding);

/* Probes again and again while something is timed. */
typedef struct lpot_core_watch {
  bool known;             /* lpot_core_probe_is_known */
  double least;           /* crowding of all probes; 0: there was none */
  size_t count;           /* of probes since lpot_core_watch_reset */
  lpot_core_probe worst;  /* the most crowded one since lpot_core_watch_reset */
  lpot_core_probe second; /* and the next: one alone may have met a moment's work. Of a single probe
                             that one */
} lpot_core_watch;

/* least: what is known from before; 0: nothing. */
void lpot_core_watch_begin(double least, lpot_core_watch *ret);
void lpot_core_watch_reset(lpot_core_watch *watch);
/* Probes once, or does nothing where that is not known. */
void lpot_core_watch_look(lpot_core_watch *watch);

#endif
