#include "tune/interrupt.h"

#include <signal.h>
#include <stddef.h>

/* A signal handler has no other place to leave its news. */
static volatile sig_atomic_t requested;

static void note(int number) {
  requested = 1;
  if (number != SIGUSR1) {
    signal(number, SIG_DFL);
  }
}

void lpot_interrupt_install(void) {
  static const int numbers[] = {SIGINT, SIGTERM, SIGUSR1};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    struct sigaction action = {0};
    action.sa_handler = note;
    sigemptyset(&action.sa_mask);
    sigaction(numbers[i], &action, NULL);
  }
}

bool lpot_interrupt_requested(void) {
  return requested != 0;
}
