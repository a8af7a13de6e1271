/* Function versions for the vector units of x86-64, chosen when the program is loaded. Other
 * processors and sanitizer builds (whose run-time is not up yet at that moment) get the plain one.
 */
#ifndef LPOT_ENGINE_SIMD_CLONES_H
#define LPOT_ENGINE_SIMD_CLONES_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define LPOT_SIMD_CLONES                                                                           \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define LPOT_SIMD_CLONES
#endif

#endif
