/* Transport between real ranks: run by mpiexec with 1, 2, 3 and 5 ranks. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "tune/comm.h"

static lpot_status fill(lpot_buffer *out, size_t size, int seed, lpot_error *err) {
  lpot_buffer_clear(out);
  LPOT_TRY(lpot_buffer_reserve(out, size, err));
  for (size_t i = 0; i < size; i++) {
    out->data[i] = (uint8_t)(i * 31 + (size_t)seed);
  }
  out->size = size;
  return LPOT_OK;
}

static lpot_status expect(const lpot_buffer *got, size_t size, int seed, lpot_error *err) {
  if (got->size != size) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "got %zu bytes, expected %zu", got->size, size);
  }
  for (size_t i = 0; i < size; i++) {
    if (got->data[i] != (uint8_t)(i * 31 + (size_t)seed)) {
      return LPOT_FAIL(err, LPOT_INTERNAL, "byte %zu is wrong", i);
    }
  }
  return LPOT_OK;
}

/* Every rank echoes what rank 0 sends, of sizes from none to 4 MiB, without a blocking send. */
static lpot_status echo_of_any_size_comes_back(lpot_comm *comm, lpot_buffer *bytes,
                                               lpot_error *err) {
  static const size_t sizes[] = {0, 1, 4096, 4u << 20};
  int others = lpot_comm_size(comm) - 1;
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    int from = -1;
    if (lpot_comm_rank(comm) != 0) {
      LPOT_TRY(lpot_comm_receive(comm, 30, &from, bytes, err));
      LPOT_TRY(expect(bytes, sizes[i], (int)i, err));
      LPOT_TRY(lpot_comm_send(comm, 0, bytes, err));
      continue;
    }
    LPOT_TRY(fill(bytes, sizes[i], (int)i, err));
    LPOT_TRY(lpot_comm_send_all(comm, bytes, err));
    for (int k = 0; k < others; k++) {
      LPOT_TRY(lpot_comm_receive(comm, 30, &from, bytes, err));
      if (from < 1) {
        return LPOT_FAIL(err, LPOT_INTERNAL, "no echo");
      }
      LPOT_TRY(expect(bytes, sizes[i], (int)i, err));
    }
  }
  return LPOT_OK;
}

/* What a child does with its copy of the bytes. */
static void spoil(void *context, void *result) {
  lpot_buffer *bytes = context;
  memset(bytes->data, 0xEE, bytes->size);
  *(int *)result = 1;
}

/* Rank 0 runs foreign code in children while the others' messages are on their way to it, and its
 * own to them: lpot_guard_run says why it may. */
static lpot_status messages_stay_whole_beside_guarded_code(lpot_comm *comm, lpot_buffer *bytes,
                                                           lpot_error *err) {
  enum { ROUNDS = 50, SIZE = 300000 };
  int others = lpot_comm_size(comm) - 1;
  for (int round = 0; round < ROUNDS; round++) {
    int from = -1;
    int came_back = 0;
    if (lpot_comm_rank(comm) != 0) {
      LPOT_TRY(lpot_comm_receive(comm, 30, &from, bytes, err));
      LPOT_TRY(expect(bytes, SIZE, round, err));
      LPOT_TRY(lpot_comm_send(comm, 0, bytes, err));
      continue;
    }
    LPOT_TRY(fill(bytes, SIZE, round, err));
    LPOT_TRY(lpot_comm_send_all(comm, bytes, err));
    for (int k = 0; k < others; k++) {
      LPOT_TRY(lpot_guard_run(spoil, bytes, 10, &came_back, sizeof came_back, err));
      LPOT_TRY(lpot_comm_receive(comm, 30, &from, bytes, err));
      LPOT_TRY(lpot_guard_run(spoil, bytes, 10, &came_back, sizeof came_back, err));
      LPOT_TRY(expect(bytes, SIZE, round, err));
    }
  }
  return LPOT_OK;
}

static lpot_status waiting_in_vain_ends_in_time_and_sleeps(lpot_comm *comm, lpot_buffer *bytes,
                                                           lpot_error *err) {
  lpot_clock clock = lpot_clock_monotonic();
  double start = lpot_clock_now(&clock);
  double cpu = lpot_clock_thread_cpu();
  int from = 0;
  LPOT_TRY(lpot_comm_receive(comm, 0.5, &from, bytes, err));
  double waited = lpot_clock_now(&clock) - start;
  if (from != -1 || (lpot_comm_size(comm) > 1 && waited < 0.5)) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "waited %.3f s, sender %d", waited, from);
  }
  if (lpot_clock_thread_cpu() - cpu > 0.25) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "the wait spins");
  }
  return LPOT_OK;
}

static lpot_status all_ranks_learn_of_the_lowest_failing_one(lpot_comm *comm, lpot_error *err) {
  int last = lpot_comm_size(comm) - 1;
  int failed = -2;
  LPOT_TRY(lpot_comm_agree(comm, LPOT_OK, 30, &failed, err));
  if (failed != -1) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "rank %d failed, expected none", failed);
  }
  lpot_error mine = {0};
  lpot_status status = LPOT_OK;
  if (lpot_comm_rank(comm) >= last - 1) {
    status = LPOT_FAIL(&mine, LPOT_CONFIG, "bad on rank %d", lpot_comm_rank(comm));
  }
  int lowest = last > 0 ? last - 1 : 0;
  char expected[64];
  snprintf(expected, sizeof expected, "bad on rank %d", lowest);
  lpot_status agreed = lpot_comm_agree(comm, status, 30, &failed, &mine);
  if (agreed != LPOT_CONFIG || failed != lowest || strcmp(mine.message, expected) != 0) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "agreed on %d of rank %d: '%.100s'", (int)agreed, failed,
                     mine.message);
  }
  return LPOT_OK;
}

static lpot_status run_all(lpot_comm *comm, lpot_buffer *bytes, lpot_error *err) {
  LPOT_TRY(echo_of_any_size_comes_back(comm, bytes, err));
  LPOT_TRY(messages_stay_whole_beside_guarded_code(comm, bytes, err));
  LPOT_TRY(all_ranks_learn_of_the_lowest_failing_one(comm, err));
  LPOT_TRY(waiting_in_vain_ends_in_time_and_sleeps(comm, bytes, err));
  LPOT_TRY(all_ranks_learn_of_the_lowest_failing_one(comm, err));
  return LPOT_OK;
}

int main(int argc, char **argv) {
  lpot_comm *comm = NULL;
  lpot_error error = {0};
  lpot_buffer bytes;
  if (lpot_comm_start(&argc, &argv, &comm, &error) != LPOT_OK) {
    lpot_log(LPOT_LOG_ERROR, "%s", error.message);
    return 1;
  }
  lpot_log_set_rank(lpot_comm_rank(comm));
  lpot_buffer_init(&bytes);
  lpot_status status = run_all(comm, &bytes, &error);
  lpot_buffer_done(&bytes);
  if (status != LPOT_OK) {
    lpot_log(LPOT_LOG_ERROR, "%s", error.message);
    lpot_comm_abort(comm, 1);
  }
  lpot_comm_finish(comm, 0);
  return 0;
}
