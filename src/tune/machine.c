#include "tune/machine.h"

#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "tune/core_probe.h"

#define TICKS_PER_SECOND 100.0
#define ROUNDING_TICKS 2.0
#define CHOICE_SECONDS 0.05   /* of looking for the least busy processors */
#define CROWDING_PASSES 4u    /* over the processors that may be chosen */
#define CROWDING_PROBES 4u    /* of each in a pass */
#define CROWDING_PAUSE 2e-3   /* seconds between passes */
#define TICK_WEIGHT 8u        /* of a tick, in crowded probes */
#define FILE_SIZE (256 << 10) /* of /proc/stat that is read */

/* ---- text ---- */

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* Reads a number at *text and moves behind it; 0 where there is none. Saturates. */
static uint64_t take_number(const char **text) {
  uint64_t value = 0;
  while (is_digit(**text)) {
    uint64_t digit = (uint64_t)(**text - '0');
    value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : 10 * value + digit;
    (*text)++;
  }
  return value;
}

/* The text of a small file, cut at size - 1 bytes; empty when it cannot be read. */
static void read_file(const char *path, char *out, size_t size) {
  size_t length = 0;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  while (file >= 0 && length < size - 1) {
    ssize_t got = read(file, out + length, size - 1 - length);
    if (got <= 0) {
      break;
    }
    length += (size_t)got;
  }
  if (file >= 0) {
    close(file);
  }
  out[length] = '\0';
}

static void read_cpu_file(size_t cpu, const char *name, char *out, size_t size) {
  char path[128];
  snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%zu/%s", cpu, name);
  read_file(path, out, size);
  out[strcspn(out, "\n")] = '\0';
}

/* ---- sets ---- */

bool lpot_cpu_set_has(const lpot_cpu_set *set, size_t cpu) {
  return cpu < LPOT_MAX_CPUS && (set->bits[cpu / 64] >> (cpu % 64) & 1) != 0;
}

void lpot_cpu_set_add(lpot_cpu_set *set, size_t cpu) {
  if (cpu < LPOT_MAX_CPUS) {
    set->bits[cpu / 64] |= UINT64_C(1) << (cpu % 64);
  }
}

size_t lpot_cpu_set_count(const lpot_cpu_set *set) {
  size_t count = 0;
  for (size_t cpu = 0; cpu < LPOT_MAX_CPUS; cpu++) {
    count += lpot_cpu_set_has(set, cpu) ? 1 : 0;
  }
  return count;
}

void lpot_cpu_set_keep_first(lpot_cpu_set *set, const lpot_cpu_set *siblings) {
  bool found = false;
  for (size_t cpu = 0; cpu < LPOT_MAX_CPUS; cpu++) {
    bool both = lpot_cpu_set_has(set, cpu) && lpot_cpu_set_has(siblings, cpu);
    if (both && found) {
      set->bits[cpu / 64] &= ~(UINT64_C(1) << (cpu % 64));
    }
    found = found || both;
  }
}

void lpot_cpu_set_take(const lpot_cpu_set *set, const lpot_cpu_set *preferred, size_t skipped,
                       size_t count, lpot_cpu_set *ret) {
  *ret = (lpot_cpu_set){0};
  for (size_t i = 0; i < 2 * LPOT_MAX_CPUS && count > 0; i++) {
    size_t cpu = i % LPOT_MAX_CPUS;
    bool is_turn = lpot_cpu_set_has(preferred, cpu) == (i < LPOT_MAX_CPUS);
    if (!lpot_cpu_set_has(set, cpu) || !is_turn) {
      continue;
    }
    if (skipped > 0) {
      skipped--;
      continue;
    }
    lpot_cpu_set_add(ret, cpu);
    count--;
  }
}

void lpot_cpu_set_parse(const char *text, lpot_cpu_set *ret) {
  *ret = (lpot_cpu_set){0};
  while (is_digit(*text)) {
    uint64_t first = take_number(&text);
    uint64_t last = first;
    if (*text == '-') {
      text++;
      last = take_number(&text);
    }
    for (uint64_t cpu = first; cpu <= last && cpu < LPOT_MAX_CPUS; cpu++) {
      lpot_cpu_set_add(ret, (size_t)cpu);
    }
    text += *text == ',' ? 1 : 0;
  }
}

void lpot_cpu_set_text(const lpot_cpu_set *set, char *out, size_t out_size) {
  size_t length = 0;
  out[0] = '\0';
  for (size_t cpu = 0; cpu < LPOT_MAX_CPUS && length < out_size; cpu++) {
    if (!lpot_cpu_set_has(set, cpu)) {
      continue;
    }
    size_t last = cpu;
    while (lpot_cpu_set_has(set, last + 1)) {
      last++;
    }
    const char *comma = length > 0 ? "," : "";
    int added = last == cpu
                    ? snprintf(out + length, out_size - length, "%s%zu", comma, cpu)
                    : snprintf(out + length, out_size - length, "%s%zu-%zu", comma, cpu, last);
    length += added > 0 ? (size_t)added : 0;
    cpu = last;
  }
}

static size_t first_of(const lpot_cpu_set *set) {
  size_t cpu = 0;
  while (cpu < LPOT_MAX_CPUS - 1 && !lpot_cpu_set_has(set, cpu)) {
    cpu++;
  }
  return cpu;
}

/* ---- /proc/stat ---- */

static void parse_cpu_line(const char *text, lpot_cpu_times *times) {
  uint64_t cpu = take_number(&text);
  uint64_t fields[8] = {0}; /* user nice system idle iowait irq softirq steal */
  for (size_t i = 0; i < 8; i++) {
    while (*text == ' ') {
      text++;
    }
    fields[i] = take_number(&text);
  }
  if (cpu < LPOT_MAX_CPUS) {
    times->busy[cpu] = fields[0] + fields[1] + fields[2] + fields[5] + fields[6];
    times->steal[cpu] = fields[7];
  }
}

void lpot_cpu_times_parse(const char *text, lpot_cpu_times *ret) {
  *ret = (lpot_cpu_times){0};
  while (text != NULL && *text != '\0') {
    if (strncmp(text, "cpu", 3) == 0 && is_digit(text[3])) {
      parse_cpu_line(text + 3, ret);
    }
    text = strchr(text, '\n');
    text = text == NULL ? NULL : text + 1;
  }
}

static void read_cpu_times(lpot_cpu_times *ret) {
  char *text = lpot_calloc(FILE_SIZE, 1);
  *ret = (lpot_cpu_times){0};
  if (text != NULL) {
    read_file("/proc/stat", text, FILE_SIZE);
    lpot_cpu_times_parse(text, ret);
  }
  lpot_free(text);
}

/* ---- pinning ---- */

static lpot_status read_allowed(lpot_cpu_set *ret, lpot_error *err) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED,
                     "the processors that this process may use are not told (more than %d?)",
                     LPOT_MAX_CPUS);
  }
  *ret = (lpot_cpu_set){0};
  for (size_t cpu = 0; cpu < LPOT_MAX_CPUS && cpu < CPU_SETSIZE; cpu++) {
    if (CPU_ISSET(cpu, &allowed)) {
      lpot_cpu_set_add(ret, cpu);
    }
  }
  return LPOT_OK;
}

static bool set_allowed(const lpot_cpu_set *set) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  for (size_t cpu = 0; cpu < LPOT_MAX_CPUS && cpu < CPU_SETSIZE; cpu++) {
    if (lpot_cpu_set_has(set, cpu)) {
      CPU_SET(cpu, &allowed);
    }
  }
  return sched_setaffinity(0, sizeof allowed, &allowed) == 0;
}

/* How busy each processor is, TICK_WEIGHT for a tick that it was busy or stolen while we slept for
 * a moment. */
static void sample_business(uint64_t business[LPOT_MAX_CPUS], lpot_cpu_times times[2]) {
  read_cpu_times(&times[0]);
  lpot_clock_sleep(CHOICE_SECONDS);
  read_cpu_times(&times[1]);
  for (size_t cpu = 0; cpu < LPOT_MAX_CPUS; cpu++) {
    business[cpu] = TICK_WEIGHT * (times[1].busy[cpu] - times[0].busy[cpu] + times[1].steal[cpu] -
                                   times[0].steal[cpu]);
  }
}

/* Adds the number of crowded probes of each allowed processor; leaves the thread on one of them. */
static void add_crowding(const lpot_cpu_set *allowed, uint64_t business[LPOT_MAX_CPUS]) {
  for (size_t pass = 0; pass < CROWDING_PASSES && lpot_core_probe_is_known(); pass++) {
    for (size_t cpu = 0; cpu < LPOT_MAX_CPUS; cpu++) {
      lpot_cpu_set one = {0};
      lpot_cpu_set_add(&one, cpu);
      if (!lpot_cpu_set_has(allowed, cpu) || !set_allowed(&one)) {
        continue;
      }
      for (size_t i = 0; i < CROWDING_PROBES; i++) {
        lpot_core_probe probe;
        lpot_core_probe_run(&probe);
        business[cpu] += lpot_is_crowded(probe.crowding, 1) ? 1 : 0;
      }
    }
    lpot_clock_sleep(CROWDING_PAUSE);
  }
}

static void choose_cpus(const lpot_cpu_set *allowed, int64_t cores,
                        const uint64_t business[LPOT_MAX_CPUS], lpot_cpu_set *ret) {
  *ret = (lpot_cpu_set){0};
  for (int64_t i = 0; i < cores; i++) {
    size_t best = LPOT_MAX_CPUS;
    for (size_t cpu = 0; cpu < LPOT_MAX_CPUS; cpu++) {
      if (lpot_cpu_set_has(allowed, cpu) && !lpot_cpu_set_has(ret, cpu) &&
          (best == LPOT_MAX_CPUS || business[cpu] <= business[best])) {
        best = cpu;
      }
    }
    lpot_cpu_set_add(ret, best);
  }
}

lpot_status lpot_machine_pin(int64_t cores, lpot_pinning *ret, lpot_error *err) {
  lpot_pinning pinning = {.active = true};
  LPOT_TRY(read_allowed(&pinning.before, err));
  size_t allowed = lpot_cpu_set_count(&pinning.before);
  if (cores > (int64_t)allowed) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED,
                     "cores_per_instance asks for %lld cores, this process may use %zu "
                     "(more with mpirun --bind-to none, or a larger allocation)",
                     (long long)cores, allowed);
  }
  lpot_cpu_times *times = lpot_calloc(2, sizeof *times);
  uint64_t *business = lpot_calloc(LPOT_MAX_CPUS, sizeof *business);
  if (times == NULL || business == NULL) {
    lpot_free(times);
    lpot_free(business);
    return LPOT_OUT_OF_MEMORY(err);
  }
  sample_business(business, times);
  add_crowding(&pinning.before, business);
  choose_cpus(&pinning.before, cores, business, &pinning.pinned);
  lpot_free(times);
  lpot_free(business);
  if (!set_allowed(&pinning.pinned)) {
    (void)set_allowed(&pinning.before);
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "the measuring thread cannot be pinned to a core");
  }
  *ret = pinning;
  return LPOT_OK;
}

lpot_status lpot_machine_allowed(lpot_cpu_set *ret, lpot_error *err) {
  LPOT_TRY(read_allowed(ret, err));
  return LPOT_OK;
}

void lpot_machine_keep_cores(lpot_cpu_set *set) {
  for (size_t cpu = 0; cpu < LPOT_MAX_CPUS; cpu++) {
    char text[256];
    lpot_cpu_set siblings;
    if (lpot_cpu_set_has(set, cpu)) {
      read_cpu_file(cpu, "topology/thread_siblings_list", text, sizeof text);
      lpot_cpu_set_parse(text, &siblings);
      lpot_cpu_set_keep_first(set, &siblings);
    }
  }
}

lpot_status lpot_machine_pin_to(const lpot_cpu_set *cpus, lpot_error *err) {
  if (!set_allowed(cpus)) {
    char text[64];
    lpot_cpu_set_text(cpus, text, sizeof text);
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "a process cannot be pinned to the cores %s", text);
  }
  return LPOT_OK;
}

uint64_t lpot_machine_peak_resident_bytes(void) {
  struct rusage usage = {0};
  return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss << 10 : 0;
}

void lpot_machine_unpin(lpot_pinning *pinning) {
  if (pinning->active) {
    (void)set_allowed(&pinning->before);
    pinning->active = false;
  }
}

/* ---- watching ---- */

static double now(void) {
  lpot_clock clock = lpot_clock_monotonic();
  return lpot_clock_now(&clock);
}

/* The package of the pinned processors by the kernel's newer or older name for it; all processors
 * where it is not told. */
static void find_package(const lpot_cpu_set *pinned, lpot_cpu_set *ret) {
  char text[4096];
  size_t cpu = first_of(pinned);
  read_cpu_file(cpu, "topology/package_cpus_list", text, sizeof text);
  if (text[0] == '\0') {
    read_cpu_file(cpu, "topology/core_siblings_list", text, sizeof text);
  }
  if (text[0] == '\0') {
    read_file("/sys/devices/system/cpu/online", text, sizeof text);
  }
  lpot_cpu_set_parse(text, ret);
}

void lpot_watch_begin(lpot_watch *watch, const lpot_pinning *pinning) {
  *watch = (lpot_watch){.pinned = pinning->pinned};
  find_package(&watch->pinned, &watch->package);
  watch->num_package = lpot_cpu_set_count(&watch->package);
  read_cpu_times(&watch->last);
  watch->last_wall = now();
  watch->last_own = lpot_clock_process_cpu();
}

static void add_up(const lpot_watch *watch, const lpot_cpu_times *times, double *ret_busy,
                   double *ret_steal) {
  *ret_busy = 0;
  *ret_steal = 0;
  for (size_t cpu = 0; cpu < LPOT_MAX_CPUS; cpu++) {
    if (lpot_cpu_set_has(&watch->package, cpu)) {
      *ret_busy += (double)(times->busy[cpu] - watch->last.busy[cpu]);
    }
    if (lpot_cpu_set_has(&watch->pinned, cpu)) {
      *ret_steal += (double)(times->steal[cpu] - watch->last.steal[cpu]);
    }
  }
}

void lpot_watch_look(lpot_watch *watch, lpot_watch_report *ret) {
  lpot_cpu_times times;
  double busy = 0;
  double steal = 0;
  read_cpu_times(&times);
  double wall = now();
  double own = lpot_clock_process_cpu();
  add_up(watch, &times, &busy, &steal);
  double seconds = wall - watch->last_wall;
  double ticks = seconds * TICKS_PER_SECOND;
  double others = busy - (own - watch->last_own) * TICKS_PER_SECOND - ROUNDING_TICKS;
  *ret = (lpot_watch_report){.wall_seconds = seconds};
  if (ticks > 0) {
    ret->neighbours = others > 0 ? others / ticks : 0;
    ret->steal = steal / ticks / (double)lpot_cpu_set_count(&watch->pinned);
  }
  watch->last = times;
  watch->last_wall = wall;
  watch->last_own = own;
}

double lpot_watch_allowed(size_t num_package) {
  double allowed = 0.05 * (double)num_package;
  allowed = allowed < 0.1 ? 0.1 : allowed;
  return allowed > 0.5 ? 0.5 : allowed;
}

/* ---- small facts ---- */

uint32_t lpot_machine_switches(void) {
  struct rusage usage;
  return getrusage(RUSAGE_THREAD, &usage) == 0 ? (uint32_t)usage.ru_nivcsw : 0;
}

uint32_t lpot_machine_frequency_khz(const lpot_pinning *pinning) {
  char text[32];
  read_cpu_file(first_of(&pinning->pinned), "cpufreq/scaling_cur_freq", text, sizeof text);
  const char *at = text;
  uint64_t value = take_number(&at);
  return value > UINT32_MAX ? 0 : (uint32_t)value;
}

void lpot_machine_governor(const lpot_pinning *pinning, char *out, size_t out_size) {
  char text[64];
  read_cpu_file(first_of(&pinning->pinned), "cpufreq/scaling_governor", text, sizeof text);
  lpot_text_copy(out, out_size, text[0] == '\0' ? "unknown" : text);
}

double lpot_machine_load(void) {
  char text[64];
  double load = 0;
  read_file("/proc/loadavg", text, sizeof text);
  text[strcspn(text, " ")] = '\0';
  return lpot_text_to_double(text, &load) ? load : (double)NAN;
}

size_t lpot_machine_cache_bytes(const lpot_pinning *pinning) {
  size_t largest = 0;
  for (int index = 0; index < 8; index++) {
    char name[32];
    char text[32];
    snprintf(name, sizeof name, "cache/index%d/size", index);
    read_cpu_file(first_of(&pinning->pinned), name, text, sizeof text);
    const char *at = text;
    uint64_t size = take_number(&at);
    size = size > (UINT64_C(1) << 30) ? 0 : size;
    size *= *at == 'M' ? UINT64_C(1) << 20 : *at == 'K' ? UINT64_C(1) << 10 : 1;
    largest = size > largest ? (size_t)size : largest;
  }
  return largest;
}
