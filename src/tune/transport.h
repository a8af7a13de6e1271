/* A transport: how messages go between the coordinator and its workers. What decides knows no more
 * of it than this, so that the same coordinator runs over MPI, with its own evaluator alone, and in
 * a simulation. Workers are numbered from 0 to count - 1. Not collective. */
#ifndef LPOT_TUNE_TRANSPORT_H
#define LPOT_TUNE_TRANSPORT_H

#include "tune/comm.h"
#include "tune/keeper.h"

#define LPOT_NO_WORKER SIZE_MAX

typedef struct lpot_transport {
  size_t count; /* workers */
  /* Sends a whole message to one worker, or (LPOT_NO_WORKER) to all. */
  lpot_status (*send)(void *context, size_t worker, const lpot_buffer *message, lpot_error *err);
  /* Waits for a message and puts it in out (initialised); *ret_worker is LPOT_NO_WORKER when none
   * came in time. Every worker's first message is its HELLO. */
  lpot_status (*receive)(void *context, double timeout_seconds, size_t *ret_worker,
                         lpot_buffer *out, lpot_error *err);
  /* The next worker that is known to be gone, LPOT_NO_WORKER when there is none (optional). */
  size_t (*next_loss)(void *context);
  /* Tells all workers to end (optional). complete: none of them is missing. */
  lpot_status (*dismiss)(void *context, bool complete, lpot_error *err);
  void *context;
} lpot_transport;

/* Worker i is rank i + 1. comm is borrowed for the transport's life. */
lpot_transport lpot_transport_ranks(lpot_comm *comm);
/* The only worker is this process's own evaluator, which its keeper has met. The struct's address
 * must not change: keep it where it is used. */
typedef struct lpot_own_evaluator {
  lpot_keeper *keeper;
  bool met; /* its HELLO has been shown */
} lpot_own_evaluator;
lpot_transport lpot_transport_own(lpot_own_evaluator *own);

#endif
