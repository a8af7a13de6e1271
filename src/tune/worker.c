#include "tune/worker.h"

#define COORDINATOR 0
/* MPI cannot be waited for together with a socket: it is asked between sleeps on the socket. */
#define SHORTEST_SLEEP 1e-6
#define LONGEST_SLEEP 0.01

/* Takes one message of the coordinator, without waiting. *ret_ended: it was END. */
static lpot_status take_order(lpot_keeper *keeper, lpot_comm *comm, lpot_buffer *inbox,
                              bool *ret_heard, bool *ret_ended, lpot_error *err) {
  int from = -1;
  lpot_message message;
  LPOT_TRY(lpot_comm_receive(comm, 0, &from, inbox, err));
  *ret_heard = from >= 0;
  if (from < 0) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_message_parse(inbox->data, inbox->size, &message, err));
  *ret_ended = message.kind == LPOT_MESSAGE_END;
  if (!*ret_ended) {
    LPOT_TRY(lpot_keeper_give(keeper, inbox, err));
  }
  return LPOT_OK;
}

static lpot_status relay(lpot_keeper *keeper, lpot_comm *comm, lpot_buffer *inbox,
                         lpot_buffer *outcome, lpot_error *err) {
  bool ended = false;
  double sleep = SHORTEST_SLEEP;
  LPOT_TRY(lpot_comm_send(comm, COORDINATOR, lpot_keeper_hello(keeper), err));
  while (!ended) {
    bool heard = false;
    bool came = false;
    LPOT_TRY(take_order(keeper, comm, inbox, &heard, &ended, err));
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
