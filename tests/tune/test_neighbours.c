#include "tune/neighbours.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Ranks 0, 1, 2, where 0 is this process and the others wait to be ended. */
typedef struct ranks {
  pid_t pids[3];
  lpot_process_id ids[3];
} ranks;

static int begin(void **state) {
  static ranks self;
  self.ids[0] = lpot_process_own();
  for (int i = 1; i < 3; i++) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    self.pids[i] = fork();
    if (self.pids[i] == 0) {
      const lpot_process_id own = lpot_process_own();
      _exit(write(ends[1], &own, sizeof own) == sizeof own && pause() == 0 ? 0 : 1);
    }
    assert_int_equal(read(ends[0], &self.ids[i], sizeof self.ids[i]), sizeof self.ids[i]);
    close(ends[0]);
    close(ends[1]);
  }
  *state = &self;
  return 0;
}

static void end_rank(ranks *self, int rank) {
  if (self->pids[rank] != 0) {
    kill(self->pids[rank], SIGKILL);
    assert_int_equal(waitpid(self->pids[rank], NULL, 0), self->pids[rank]);
  }
  self->pids[rank] = 0;
}

static int finish(void **state) {
  end_rank(*state, 1);
  end_rank(*state, 2);
  return 0;
}

static void process_knows_its_number_and_start(void **state) {
  const ranks *self = *state;
  assert_int_equal(self->ids[0].pid, getpid());
  assert_true(self->ids[0].start_ticks > 0);
  assert_true(self->ids[1].start_ticks >= self->ids[0].start_ticks);
}

static void rank_that_ended_is_told_once(void **state) {
  ranks *self = *state;
  int ended[3] = {9, 9, 9};
  lpot_neighbours *neighbours = NULL;
  assert_int_equal(lpot_neighbours_new(self->ids, 1, 2, &neighbours, NULL), LPOT_OK);
  assert_int_equal(lpot_neighbours_ended(neighbours, ended, 0), 0);
  end_rank(self, 2);
  assert_int_equal(lpot_neighbours_ended(neighbours, ended, 0), 1);
  assert_int_equal(ended[0], 2);
  assert_int_equal(lpot_neighbours_ended(neighbours, ended, 1), 1);
  end_rank(self, 1);
  assert_int_equal(lpot_neighbours_ended(neighbours, ended, 1), 2);
  assert_int_equal(ended[1], 1);
  lpot_neighbours_free(neighbours);
}

/* A rank of another host may have the number of a process of this one. */
static void process_with_another_start_is_not_watched(void **state) {
  ranks *self = *state;
  int ended[3] = {0};
  lpot_neighbours *neighbours = NULL;
  self->ids[1].start_ticks++;
  self->ids[2].start_ticks = 0;
  assert_int_equal(lpot_process_watch(&self->ids[1]), -1);
  assert_int_equal(lpot_process_watch(&self->ids[2]), -1);
  assert_int_equal(lpot_neighbours_new(self->ids, 1, 2, &neighbours, NULL), LPOT_OK);
  end_rank(self, 1);
  end_rank(self, 2);
  assert_int_equal(lpot_neighbours_ended(neighbours, ended, 0), 0);
  lpot_neighbours_free(neighbours);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(process_knows_its_number_and_start, begin, finish),
      cmocka_unit_test_setup_teardown(rank_that_ended_is_told_once, begin, finish),
      cmocka_unit_test_setup_teardown(process_with_another_start_is_not_watched, begin, finish),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
