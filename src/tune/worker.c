#include "tune/worker.h"

#include <math.h>

#include "base/clock.h"

#define COORDINATOR 0
/* MPI cannot be waited for together with a socket: it is asked between sleeps on the socket. */
#define SHORTEST_SLEEP 1e-6
#define LONGEST_SLEEP 0.01
/* The coordinator says that it lives every half minute; with so long a silence it does not. */
#define SILENCE_SECONDS 300.0
/* Of a silence: this process itself was stopped for the rest of the time. */
#define LONGEST_GAP 1.0

static double now(void) {
  lpot_clock clock = lpot_clock_monotonic();
  return lpot_clock_now(&clock);
}

/* Takes one message of the coordinator, without waiting. *ret_ended: it was END. */
static lpot_status take_order(lpot_keeper *keeper, lpot_comm *comm, lpot_buffer *inbox,
                              bool *ret_heard, bool *ret_ended, lpot_error *err) {
  int from = -1;
  lpot_message message;
  LPOT_TRY(lpot_comm_receive(comm, 0, &from, inbox, err));
  *ret_heard = from >= 0;
  if (from < 0) {
    *ret_ended = lpot_comm_is_dissolved(comm);
    return LPOT_OK;
  }
  LPOT_TRY(lpot_message_parse(inbox->data, inbox->size, &message, err));
  *ret_ended = message.kind == LPOT_MESSAGE_END;
  if (!*ret_ended && message.kind != LPOT_MESSAGE_PING) {
    LPOT_TRY(lpot_keeper_give(keeper, inbox, err));
  }
  return LPOT_OK;
}

/* A worker without a coordinator has nothing to live for. */
static lpot_status look_for_coordinator(lpot_comm *comm, double silence, lpot_error *err) {
  for (int rank = lpot_comm_next_failure(comm); rank >= 0; rank = lpot_comm_next_failure(comm)) {
    if (rank == COORDINATOR) {
      return LPOT_FAIL(err, LPOT_MPI, "the coordinator has died");
    }
  }
  if (silence > SILENCE_SECONDS) {
    return LPOT_FAIL(err, LPOT_MPI, "no word from the coordinator for %.0f s", SILENCE_SECONDS);
  }
  return LPOT_OK;
}

static lpot_status relay(lpot_keeper *keeper, lpot_comm *comm, lpot_buffer *inbox,
                         lpot_buffer *outcome, lpot_error *err) {
  bool ended = false;
  double sleep = SHORTEST_SLEEP;
  double silence = 0;
  double last_look = now();
  LPOT_TRY(lpot_comm_send(comm, COORDINATOR, lpot_keeper_hello(keeper), err));
  while (!ended) {
    bool heard = false;
    bool came = false;
    LPOT_TRY(take_order(keeper, comm, inbox, &heard, &ended, err));
    double time = now();
    silence = heard ? 0 : silence + fmin(time - last_look, LONGEST_GAP);
    last_look = time;
    LPOT_TRY(look_for_coordinator(comm, silence, err));
    LPOT_TRY(lpot_keeper_wait(keeper, heard ? 0 : sleep, &came, outcome, err));
    if (came) {
      LPOT_TRY(lpot_comm_send(comm, COORDINATOR, outcome, err));
    }
    sleep = heard || came ? SHORTEST_SLEEP : 2 * sleep < LONGEST_SLEEP ? 2 * sleep : LONGEST_SLEEP;
  }
  return LPOT_OK;
}

lpot_status lpot_worker_run(lpot_keeper *keeper, lpot_comm *comm, lpot_error *err) {
  lpot_buffer inbox;
  lpot_buffer outcome;
  lpot_buffer_init(&inbox);
  lpot_buffer_init(&outcome);
  lpot_status status = relay(keeper, comm, &inbox, &outcome, err);
  lpot_buffer_done(&inbox);
  lpot_buffer_done(&outcome);
  return status;
}
