/* Work that is not done but known: a recipe's right answers and the time of its evaluation follow
 * from its hash. For tests and benchmarks of the coordinator with many ranks, real or simulated. */
#ifndef LPOT_TESTS_SIMULATED_WORK_H
#define LPOT_TESTS_SIMULATED_WORK_H

#include "tune/job.h"
#include "tune/protocol.h"

/* What recipe hash % modulus == remainder does, when modulus > 0. */
typedef struct simulated_fault {
  uint64_t modulus, remainder;
} simulated_fault;

typedef struct simulation {
  double block_seconds;   /* for one block */
  double compile_seconds; /* for a recipe that the worker has not evaluated just before */
  double spread;          /* a recipe's blocks take exp(spread * normal) times as long */
  double baseline;        /* share of right answers of f32 */
  double discordance;     /* share that a recipe gains, and loses beside its drop */
  double lowest, highest; /* drops of accuracy of the recipes, uniform */
  double delay_seconds;   /* a random delay of up to so much for each task, by no seed */
  simulated_fault crash, hang, invalid, lie, miscount;
} simulation;

/* Reads "block=0.02,compile=0.1,crash=7:3"; what is not named keeps its default. False for an
 * unknown name. */
bool simulation_read(const char *text, simulation *ret);
/* The outcome of a task: EVALUATE as lpot_evaluate would fill it, and the seconds it takes where
 * the worker's last recipe is last_hash. */
lpot_status simulate(const simulation *self, const lpot_job *job, const lpot_task *task,
                     uint64_t last_hash, lpot_outcome *outcome, double *ret_seconds,
                     lpot_error *err);
bool simulated_fault_hits(const simulated_fault *fault, uint64_t hash);

#endif
