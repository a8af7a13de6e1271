/* SIGINT, SIGTERM and SIGUSR1 as a question that loops ask between two pieces of work. */
#ifndef LPOT_TUNE_INTERRUPT_H
#define LPOT_TUNE_INTERRUPT_H

#include <stdbool.h>

/* Installs the handlers. A second SIGINT or SIGTERM ends the process as usual. */
void lpot_interrupt_install(void);
bool lpot_interrupt_requested(void);

#endif
