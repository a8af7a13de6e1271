#include "tune/transport.h"

/* ---- ranks ---- */

static lpot_status send_to_ranks(void *context, size_t worker, const lpot_buffer *message,
                                 lpot_error *err) {
  lpot_comm *comm = context;
  if (worker == LPOT_NO_WORKER) {
    LPOT_TRY(lpot_comm_send_all(comm, message, err));
  } else {
    LPOT_TRY(lpot_comm_send(comm, (int)worker + 1, message, err));
  }
  return LPOT_OK;
}

static lpot_status receive_from_ranks(void *context, double timeout_seconds, size_t *ret_worker,
                                      lpot_buffer *out, lpot_error *err) {
  lpot_comm *comm = context;
  int from = -1;
  LPOT_TRY(lpot_comm_receive(comm, timeout_seconds, &from, out, err));
  if (from == 0 || from >= lpot_comm_size(comm)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "rank %d is no worker, but sent a message", from);
  }
  *ret_worker = from > 0 ? (size_t)from - 1 : LPOT_NO_WORKER;
  return LPOT_OK;
}

static size_t next_lost_rank(void *context) {
  int rank = lpot_comm_next_failure(context);
  return rank > 0 ? (size_t)rank - 1 : LPOT_NO_WORKER;
}

static lpot_status dismiss_ranks(void *context, bool complete, lpot_error *err) {
  if (!complete) {
    lpot_comm_note_loss(context);
  }
  lpot_buffer message;
  lpot_buffer_init(&message);
  lpot_status status = lpot_message_begin(&message, LPOT_MESSAGE_END, 0, err);
  if (status == LPOT_OK) {
    status = lpot_message_finish(&message, err);
  }
  if (status == LPOT_OK) {
    status = lpot_comm_send_all(context, &message, err);
  }
  lpot_buffer_done(&message);
  return status;
}

lpot_transport lpot_transport_ranks(lpot_comm *comm) {
  return (lpot_transport){.count = (size_t)lpot_comm_size(comm) - 1,
                          .send = send_to_ranks,
                          .receive = receive_from_ranks,
                          .next_loss = next_lost_rank,
                          .dismiss = dismiss_ranks,
                          .context = comm};
}

/* ---- the own evaluator, whose owner ends it ---- */

static lpot_status send_to_own(void *context, size_t worker, const lpot_buffer *message,
                               lpot_error *err) {
  (void)worker;
  lpot_own_evaluator *own = context;
  LPOT_TRY(lpot_keeper_give(own->keeper, message, err));
  return LPOT_OK;
}

static lpot_status receive_from_own(void *context, double timeout_seconds, size_t *ret_worker,
                                    lpot_buffer *out, lpot_error *err) {
  lpot_own_evaluator *own = context;
  bool came = !own->met;
  if (own->met) {
    LPOT_TRY(lpot_keeper_wait(own->keeper, timeout_seconds, &came, out, err));
  } else {
    const lpot_buffer *hello = lpot_keeper_hello(own->keeper);
    lpot_buffer_clear(out);
    LPOT_TRY(lpot_buffer_append(out, hello->data, hello->size, err));
    own->met = true;
  }
  *ret_worker = came ? 0 : LPOT_NO_WORKER;
  return LPOT_OK;
}

lpot_transport lpot_transport_own(lpot_own_evaluator *own) {
  return (lpot_transport){
      .count = 1, .send = send_to_own, .receive = receive_from_own, .context = own};
}
