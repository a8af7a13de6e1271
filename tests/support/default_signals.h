/* For processes that tests fork and let die: the test library's handlers are not theirs. */
#ifndef LPOT_TESTS_DEFAULT_SIGNALS_H
#define LPOT_TESTS_DEFAULT_SIGNALS_H

#include <signal.h>
#include <stddef.h>

static inline void restore_default_signals(void) {
  static const int numbers[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSYS};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    signal(numbers[i], SIG_DFL);
  }
}

#endif
