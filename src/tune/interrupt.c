#include "tune/interrupt.h"

#include <signal.h>
#include <stddef.h>

static const int numbers[] = {SIGINT, SIGTERM, SIGUSR1};
#define NUM_NUMBERS (sizeof numbers / sizeof numbers[0])

/* A signal handler has no other place to leave its news. */
static volatile sig_atomic_t requested;

/* Handlers belong to the process, and so does what they replaced. */
static bool installed;
static struct sigaction before[NUM_NUMBERS];

static void note(int number) {
  requested = 1;
  if (number != SIGUSR1) {
    signal(number, SIG_DFL);
  }
}

void lpot_interrupt_install(void) {
  for (size_t i = 0; i < NUM_NUMBERS; i++) {
    struct sigaction action = {0};
    action.sa_handler = note;
    sigemptyset(&action.sa_mask);
    sigaction(numbers[i], &action, installed ? NULL : &before[i]);
  }
  installed = true;
}

void lpot_interrupt_remove(void) {
  for (size_t i = 0; i < NUM_NUMBERS && installed; i++) {
    sigaction(numbers[i], &before[i], NULL);
  }
  installed = false;
  requested = 0;
}

bool lpot_interrupt_requested(void) {
  return requested != 0;
}

void lpot_interrupt_clear(void) {
  requested = 0;
}
