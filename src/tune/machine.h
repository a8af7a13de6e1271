/* What the operating system tells of the machine while latency is measured, and where the
 * measuring thread runs. Linux: sched_setaffinity, /proc, /sys. What cannot be read is 0 or
 * "unknown", never a failure. Not collective. */
#ifndef LPOT_TUNE_MACHINE_H
#define LPOT_TUNE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define LPOT_MAX_CPUS 1024

/* A set of processors by number. */
typedef struct lpot_cpu_set {
  uint64_t bits[LPOT_MAX_CPUS / 64];
} lpot_cpu_set;

bool lpot_cpu_set_has(const lpot_cpu_set *set, size_t cpu);
void lpot_cpu_set_add(lpot_cpu_set *set, size_t cpu);
size_t lpot_cpu_set_count(const lpot_cpu_set *set);
/* Takes all but the first of the processors in siblings out of set: of a core with several
 * hyper-threads one stays. */
void lpot_cpu_set_keep_first(lpot_cpu_set *set, const lpot_cpu_set *siblings);
/* The count processors behind the first `skipped` ones of set, where those that are in preferred
 * too come before the others; fewer where there are not so many. */
void lpot_cpu_set_take(const lpot_cpu_set *set, const lpot_cpu_set *preferred, size_t skipped,
                       size_t count, lpot_cpu_set *ret);
/* Reads "0-3,8"; what follows something else is left out. */
void lpot_cpu_set_parse(const char *text, lpot_cpu_set *ret);
/* Writes "0-3,8"; cut where it does not fit. */
void lpot_cpu_set_text(const lpot_cpu_set *set, char *out, size_t out_size);

/* Busy and stolen ticks (of 1/100 s) of each processor since the machine's start. */
typedef struct lpot_cpu_times {
  uint64_t busy[LPOT_MAX_CPUS];
  uint64_t steal[LPOT_MAX_CPUS];
} lpot_cpu_times;

/* Reads the lines "cpuN user nice system idle iowait irq softirq steal ..." of /proc/stat. */
void lpot_cpu_times_parse(const char *text, lpot_cpu_times *ret);

/* Where the calling thread runs, and was allowed to run before. */
typedef struct lpot_pinning {
  bool active;
  lpot_cpu_set before;
  lpot_cpu_set pinned;
} lpot_pinning;

/* Pins the calling thread to so many of its allowed processors: those that are the least busy at
 * this moment, and of those the ones whose other hyper-thread is (core_probe.h), of equal ones the
 * highest. LPOT_UNSUPPORTED when fewer are allowed than asked. */
LPOT_MUST_CHECK lpot_status lpot_machine_pin(int64_t cores, lpot_pinning *ret, lpot_error *err);
/* The processors that the calling thread may use. */
LPOT_MUST_CHECK lpot_status lpot_machine_allowed(lpot_cpu_set *ret, lpot_error *err);
/* Leaves one processor of each core in the set, as the kernel knows cores. */
void lpot_machine_keep_cores(lpot_cpu_set *set);
/* Pins the calling thread, and the threads that it makes, to these processors. LPOT_UNSUPPORTED. */
LPOT_MUST_CHECK lpot_status lpot_machine_pin_to(const lpot_cpu_set *cpus, lpot_error *err);
/* The most bytes that this process has ever had in memory; 0: not told. */
uint64_t lpot_machine_peak_resident_bytes(void);
/* Lets the thread run where it was allowed to before; nothing when it is not pinned. */
void lpot_machine_unpin(lpot_pinning *pinning);

/* Looks at what others do beside a pinned thread. */
typedef struct lpot_watch {
  lpot_cpu_set pinned;
  lpot_cpu_set package; /* processors that share memory and caches with the pinned ones */
  size_t num_package;
  lpot_cpu_times last;
  double last_wall, last_own; /* seconds: monotonic, CPU time of this process */
} lpot_watch;

/* What happened since the watch began or was asked last. */
typedef struct lpot_watch_report {
  double wall_seconds;
  double steal;      /* share of the time that the hypervisor took from the pinned processors */
  double neighbours; /* processors of the package that were busy with others, on average: what this
                        process took is left out, and two ticks that rounding may add */
} lpot_watch_report;

void lpot_watch_begin(lpot_watch *watch, const lpot_pinning *pinning);
void lpot_watch_look(lpot_watch *watch, lpot_watch_report *ret);
/* So many busy neighbours are normal on a package of this size: a twentieth of it, at least a tenth
 * of a processor, at most half a one. */
double lpot_watch_allowed(size_t num_package);

/* Involuntary context switches of the calling thread so far. */
uint32_t lpot_machine_switches(void);
uint32_t lpot_machine_frequency_khz(const lpot_pinning *pinning); /* 0: not told */
void lpot_machine_governor(const lpot_pinning *pinning, char *out, size_t out_size);
double lpot_machine_load(void); /* NaN: not told */
/* Bytes of the largest cache of the pinned processor; 0: not told. */
size_t lpot_machine_cache_bytes(const lpot_pinning *pinning);

#endif
