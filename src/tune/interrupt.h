/* SIGINT, SIGTERM and SIGUSR1 as a question that loops ask between two pieces of work. */
#ifndef LPOT_TUNE_INTERRUPT_H
#define LPOT_TUNE_INTERRUPT_H

#include <stdbool.h>

/* Installs the handlers, or again those that were used up: a second SIGINT or SIGTERM ends the
 * process as usual. */
void lpot_interrupt_install(void);
/* What was there before the first lpot_interrupt_install comes back, and no request stands. */
void lpot_interrupt_remove(void);
bool lpot_interrupt_requested(void);
/* The request was obeyed, and its sender told. What it has used up stays so. */
void lpot_interrupt_clear(void);

#endif
