#include "tune/core_probe.h"

#include <math.h>

#if defined(__x86_64__)

#include <string.h>

#include <cpuid.h>

#include "base/clock.h"

#define REPEATS 3
#define PRODUCT_LOOPS 20
#define PRODUCT_CYCLES (PRODUCT_LOOPS * 32 * 3)
#define FUSED_LOOPS 16
#define FUSED_CYCLES (FUSED_LOOPS * 16 * 15 / 2)
#define FIRST_ZEN_FAMILY 0x17u
#define INTEL_FAMILY 6u

static double now(void) {
  lpot_clock clock = lpot_clock_monotonic();
  return lpot_clock_now(&clock);
}

/* ---- for which processors the figures hold ---- */

static bool has_fused_products(void) {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  bool fma = __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_FMA) != 0 && (c & bit_OSXSAVE) != 0;
  return fma && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_AVX2) != 0;
}

static unsigned cpu_family(void) {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  (void)__get_cpuid(1, &a, &b, &c, &d);
  unsigned family = (a >> 8) & 15u;
  return family == 15 ? family + ((a >> 20) & 255u) : family;
}

bool lpot_core_probe_is_known(void) {
  char vendor[13] = "";
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid(0, &a, &b, &c, &d) == 0 || !has_fused_products()) {
    return false;
  }
  memcpy(vendor, &b, 4);
  memcpy(vendor + 4, &d, 4);
  memcpy(vendor + 8, &c, 4);
  if (strcmp(vendor, "GenuineIntel") == 0) {
    return cpu_family() == INTEL_FAMILY;
  }
  return (strcmp(vendor, "AuthenticAMD") == 0 || strcmp(vendor, "HygonGenuine") == 0) &&
         cpu_family() >= FIRST_ZEN_FAMILY;
}

/* ---- the loops ---- */

static void run_products(void) {
  uint64_t loops = PRODUCT_LOOPS;
  uint32_t value = 1;
  __asm__ volatile("1:\n"
                   ".rept 32\n"
                   "imull %0, %0\n"
                   ".endr\n"
                   "decq %1\n"
                   "jnz 1b\n"
                   : "+r"(value), "+r"(loops)
                   :
                   : "cc");
}

/* Fifteen sums, so that none waits for itself: a fused product takes four or five cycles. All are
 * zero: what the registers held might be denormal, and slow. */
static void run_fused_products(void) {
  uint64_t loops = FUSED_LOOPS;
  __asm__ volatile(".irp sum, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
                   "vxorps %%xmm\\sum, %%xmm\\sum, %%xmm\\sum\n"
                   ".endr\n"
                   "1:\n"
                   ".rept 16\n"
                   ".irp sum, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
                   "vfmadd231ps %%xmm0, %%xmm0, %%xmm\\sum\n"
                   ".endr\n"
                   ".endr\n"
                   "decq %0\n"
                   "jnz 1b\n"
                   : "+r"(loops)
                   :
                   : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
                     "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

void lpot_core_probe_run(lpot_core_probe *ret) {
  double product_cycle = 0;
  double fused_cycle = 0;
  *ret = (lpot_core_probe){0};
  for (int i = 0; i < REPEATS; i++) {
    double start = now();
    run_products();
    double middle = now();
    run_fused_products();
    double end = now();
    double product = (middle - start) / PRODUCT_CYCLES;
    double fused = (end - middle) / FUSED_CYCLES;
    product_cycle = i == 0 || product < product_cycle ? product : product_cycle;
    fused_cycle = i == 0 || fused < fused_cycle ? fused : fused_cycle;
  }
  if (product_cycle > 0) {
    ret->crowding = fused_cycle / product_cycle;
    ret->frequency_khz = (uint32_t)(1e-3 / product_cycle);
  }
}

#else

bool lpot_core_probe_is_known(void) {
  return false;
}

void lpot_core_probe_run(lpot_core_probe *ret) {
  *ret = (lpot_core_probe){0};
}

#endif

/* ---- watching ---- */

#define CROWDED 1.012  /* beside the core alone */
#define MAX_ALONE 1.05 /* what the probe of a core that is alone takes at most */

bool lpot_is_crowded(double crowding, double least_crowding) {
  return crowding > CROWDED * fmin(fmax(least_crowding, 1), MAX_ALONE);
}

void lpot_core_watch_begin(double least, lpot_core_watch *ret) {
  *ret = (lpot_core_watch){.known = lpot_core_probe_is_known(), .least = least};
}

void lpot_core_watch_reset(lpot_core_watch *watch) {
  watch->count = 0;
  watch->worst = (lpot_core_probe){0};
  watch->second = (lpot_core_probe){0};
}

void lpot_core_watch_look(lpot_core_watch *watch) {
  lpot_core_probe probe;
  if (!watch->known) {
    return;
  }
  lpot_core_probe_run(&probe);
  if (watch->least <= 0 || probe.crowding < watch->least) {
    watch->least = probe.crowding;
  }
  watch->count++;
  if (watch->count == 1 || probe.crowding > watch->worst.crowding) {
    watch->second = watch->count == 1 ? probe : watch->worst;
    watch->worst = probe;
  } else if (watch->count == 2 || probe.crowding > watch->second.crowding) {
    watch->second = probe;
  }
}
