/* What a session does between two runs on real ranks: run by mpiexec with 2 and 3 ranks. */
#include <stdio.h>
#include <string.h>

#include "api/api_session.h"

#define SECONDS 30.0

static lpot_status agree(lpot_comm *comm, lpot_error *err) {
  int failed = -1;
  LPOT_TRY(lpot_comm_agree(comm, LPOT_OK, SECONDS, &failed, err));
  return LPOT_OK;
}

static lpot_status send_text(lpot_comm *comm, const char *text, lpot_error *err) {
  lpot_buffer message;
  lpot_buffer_init(&message);
  lpot_status status = lpot_buffer_append(&message, text, strlen(text), err);
  if (status == LPOT_OK) {
    status = lpot_comm_send(comm, 0, &message, err);
  }
  lpot_buffer_done(&message);
  return status;
}

/* The message of the run before would be taken for one of this. */
static lpot_status expect_texts(lpot_comm *comm, const char *text, lpot_error *err) {
  lpot_buffer inbox;
  lpot_buffer_init(&inbox);
  lpot_status status = LPOT_OK;
  for (int i = 1; i < lpot_comm_size(comm) && status == LPOT_OK; i++) {
    int from = -1;
    status = lpot_comm_receive(comm, SECONDS, &from, &inbox, err);
    if (status == LPOT_OK &&
        (from < 1 || inbox.size != strlen(text) || memcmp(inbox.data, text, inbox.size) != 0)) {
      status = LPOT_FAIL(err, LPOT_INTERNAL, "rank %d: '%.*s', expected '%s'", from,
                         (int)inbox.size, (const char *)inbox.data, text);
    }
  }
  lpot_buffer_done(&inbox);
  return status;
}

static lpot_status a_run_hears_nothing_of_the_one_before(lpot_session *session, lpot_error *err) {
  lpot_comm *comm = NULL;
  LPOT_TRY(lpot_session_meet(session, &comm, err));
  bool root = lpot_comm_rank(comm) == 0;
  if (!root) {
    LPOT_TRY(send_text(comm, "late", err));
  }
  LPOT_TRY(agree(comm, err));
  LPOT_TRY(lpot_session_meet(session, &comm, err));
  if (!root) {
    LPOT_TRY(send_text(comm, "new", err));
  } else {
    LPOT_TRY(expect_texts(comm, "new", err));
  }
  LPOT_TRY(agree(comm, err));
  return LPOT_OK;
}

int main(int argc, char **argv) {
  lpot_error error = {0};
  lpot_session *session = NULL;
  lpot_status status = lpot_start(&argc, &argv, &session, &error);
  if (status == LPOT_OK) {
    status = a_run_hears_nothing_of_the_one_before(session, &error);
  }
  if (status != LPOT_OK) {
    fprintf(stderr, "rank %d: %s\n", lpot_rank(), error.message);
  }
  lpot_finish(session, status != LPOT_OK);
  return status != LPOT_OK;
}
