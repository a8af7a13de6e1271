/* The session: what lpot keeps for the life of a program.
 *
 * A rank that quantizes is two processes: the program itself, which coordinates or relays, and an
 * evaluator, which computes and may die without harm. Evaluators are forked by a small process, the
 * spawner, and that has to be forked before MPI and threads are there: lpot_start comes first in
 * main.
 *
 * A program that cannot do so, such as one in another language that loads liblpot.so late, gets
 * evaluators that are threads of itself, and is told by a warning on rank 0. Trials, recipes and
 * accuracies are the same. Nothing is contained then:
 *
 * - What crashes, or ends the process, in a recipe, a plug-in or a function of the program ends the
 *   program.
 * - What hangs cannot be ended. Where a piece of work misses its deadline (tuning.lease_seconds)
 * the evaluator is asked to stop, which it does between two batches, and the work is done again;
 * where it does not stop within some eight seconds that rank's worker is lost, and the run ends
 * (LPOT_LOST) where no other one is left. The hanging call stays behind, further runs of the
 * session are refused where they want an evaluator on that rank, and the program should end.
 * - Functions of the program are called on a thread of lpot. With a single rank the coordinator has
 *   objects of its own in the same process: state belongs into what open makes, not into static
 *   data. It may call a metric's value while another function runs, which must not run a model
 * then. What functions print on standard output goes there.
 * - A run returns when they have come back, at most 60 seconds later. Until then no other thread
 * may call lpot, nor run models by the same oneDNN library.
 * - lpot_benchmark_run is LPOT_INVALID, the objective footprint LPOT_CONFIG.
 * - Latencies are those of a process that has more in it than the model; whether they are to be
 *   trusted is said as ever. */
#ifndef LPOT_SESSION_H
#define LPOT_SESSION_H

#include <lpot/component.h>
#include <lpot/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lpot_session lpot_session;

/* The version of the library, such as "0.1.0"; static. */
LPOT_API const char *lpot_version(void);

/* The rank of this process as the launcher (mpirun, srun) tells it by the environment, 0 where
 * there is no launcher: for messages that only one rank prints. Known before lpot_start. Not
 * collective. */
LPOT_API int lpot_rank(void);

/* Forks the spawner and makes SIGINT, SIGTERM and SIGUSR1 requests to stop, until lpot_finish; a
 * second SIGINT or SIGTERM ends the process as usual. A request ends one run: the one at hand or,
 * where it comes between two, the next. That is LPOT_INTERRUPTED on rank 0, and a run behind it
 * starts clean. To be called before MPI_Init and before the first thread is made; behind that
 * evaluators run inside the program (above), LPOT_UNSUPPORTED where the installed HDF5 library is
 * not made for threads. argc and argv go to MPI_Init; both may be NULL, else they must live as long
 * as the session.
 *
 * MPI is started by the first collective call under a launcher, unless the program has started it
 * by then: lpot then works on a duplicate of MPI_COMM_WORLD, and the program calls MPI_Finalize
 * after lpot_finish. Without a launcher MPI is not touched. Not collective. */
LPOT_API LPOT_MUST_CHECK lpot_status lpot_start(int *argc, char ***argv, lpot_session **ret_session,
                                                lpot_error *err);

/* Datasets, transforms, metrics, postprocesses and calibrations that the program itself brings, as
 * component.h says: in configurations their library is called "program", such as dataset: {plugin:
 * {library: program, name: readings}}. NULL: none. list and all that it points to must be there,
 * unchanged, from lpot_start to the end of the program: evaluators were forked before and use them
 * at the same addresses, so they are static data and functions of the program or of a library that
 * it links. Their open functions are called in each evaluator, and in the coordinator. For
 * session NULL nothing happens. Not collective, to be called alike on all ranks. */
LPOT_API void lpot_session_use_components(lpot_session *session, const lpot_component_list *list);

/* Ends evaluators, spawner and what lpot has started of MPI, gives the program back its own signal
 * handlers, and frees the session, which must be the last of lpot's objects. exit_code is what the
 * program is about to return: where other ranks do not come to the end within a minute, all ranks
 * are ended with it. Collective. */
LPOT_API void lpot_finish(lpot_session *session, int exit_code);

/* What is logged on standard error: "debug", "info" (the default), "warning", "error" or "silent".
 * LPOT_INVALID. Not collective. */
LPOT_API LPOT_MUST_CHECK lpot_status lpot_set_log_level(const char *level, lpot_error *err);

#ifdef __cplusplus
}
#endif

#endif
