#include "tune/comm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* NULL: not set. */
static void set(const char *name, const char *value) {
  assert_int_equal(value == NULL ? unsetenv(name) : setenv(name, value, 1), 0);
}

static void srun_tells_the_ranks_of_each_node(void **state) {
  (void)state;
  static const struct {
    const char *tasks, *node, *local;
    int rank, size;
  } cases[] = {
      {"4", "0", "0", 0, 4},
      {"4", "0", "3", 3, 4},
      {"16(x4),3", "0", "15", 15, 16},
      {"16(x4),3", "3", "7", 7, 16},
      {"16(x4),3", "4", "2", 2, 3},
      {"2,1(x2),5", "0", "1", 1, 2},
      {"2,1(x2),5", "2", "0", 0, 1},
      {"2,1(x2),5", "3", "4", 4, 5},
      {"16(x4),3", "5", "2", 0, 1}, /* no such node */
      {"16(x4),3", "4", "3", 0, 3}, /* no such rank there */
      {"999999999(x999999999),2", "0", "1", 1, 999999999},
      {NULL, "0", "2", 0, 1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    int rank = -1;
    int size = -1;
    set("OMPI_COMM_WORLD_LOCAL_SIZE", NULL);
    set("SLURM_STEP_TASKS_PER_NODE", cases[i].tasks);
    set("SLURM_NODEID", cases[i].node);
    set("SLURM_LOCALID", cases[i].local);
    lpot_comm_local_by_environment(&rank, &size);
    assert_int_equal(rank, cases[i].rank);
    assert_int_equal(size, cases[i].size);
  }
}

static void what_cannot_be_read_is_one_rank(void **state) {
  (void)state;
  static const char *const lists[] = {"",
                                      ",",
                                      ",4",
                                      "x",
                                      "4(",
                                      "4(x",
                                      "4(x)",
                                      "4(x2",
                                      "4(x2)3",
                                      "4(y2)",
                                      "-4",
                                      " 4",
                                      "4 ",
                                      "4(x-2)",
                                      "4(x0)",
                                      "0",
                                      "4x2",
                                      "4;3",
                                      "9999999999999999999999999",
                                      "4(x9999999999999999999999)"};
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
    int rank = -1;
    int size = -1;
    set("OMPI_COMM_WORLD_LOCAL_SIZE", NULL);
    set("SLURM_STEP_TASKS_PER_NODE", lists[i]);
    set("SLURM_NODEID", "0");
    set("SLURM_LOCALID", "1");
    lpot_comm_local_by_environment(&rank, &size);
    assert_int_equal(rank, 0);
    assert_int_equal(size, 1);
  }
}

static void mpirun_goes_before_slurm(void **state) {
  (void)state;
  int rank = -1;
  int size = -1;
  set("SLURM_STEP_TASKS_PER_NODE", "1(x2)"); /* its daemons */
  set("SLURM_NODEID", "1");
  set("SLURM_LOCALID", "0");
  set("OMPI_COMM_WORLD_LOCAL_SIZE", "8");
  set("OMPI_COMM_WORLD_LOCAL_RANK", "5");
  lpot_comm_local_by_environment(&rank, &size);
  assert_int_equal(rank, 5);
  assert_int_equal(size, 8);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(srun_tells_the_ranks_of_each_node),
      cmocka_unit_test(what_cannot_be_read_is_one_rank),
      cmocka_unit_test(mpirun_goes_before_slurm),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
