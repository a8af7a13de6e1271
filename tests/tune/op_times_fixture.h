/* A table of op times with every field set, for the two ops of tune_fixture.h. */
#ifndef LPOT_TESTS_OP_TIMES_FIXTURE_H
#define LPOT_TESTS_OP_TIMES_FIXTURE_H

#include <math.h>

#include "tune/op_times_record.h"

static const char *const op_times_names[] = {"conv1", "add1"};
static const char *const op_times_types[] = {"Conv", "Add"};

/* ops has room for two. */
static inline lpot_op_times make_op_times(lpot_op_cost *ops) {
  ops[0] = (lpot_op_cost){12.5, 3.25, 6.1, 1.5, 0.1, 0.75, 0.7, 0.02};
  ops[1] = (lpot_op_cost){2, 0, (double)NAN, 3, 1, (double)NAN, (double)NAN, 0.5};
  return (lpot_op_times){.num_ops = 2,
                         .ops = ops,
                         .whole_us = {15.5, 5, (double)NAN},
                         .rest_us = {1, 1.0 / 3, (double)NAN},
                         .batch = 4,
                         .rounds = 200,
                         .seconds = 2.5,
                         .reason = "why \"not\"",
                         .cores = "0-1",
                         .host = "node7",
                         .numeric_class = "cpu | library | isa"};
}

#endif
