#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "api/api_session.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/guard.h"
#include "base/log.h"
#include "base/memory.h"
#include "data/hdf5_file.h"
#include "data/plugin.h"
#include "tune/evaluator.h"
#include "tune/interrupt.h"
#include "tune/work.h"

#define BOARD_BYTES ((size_t)16 << 20)
#define REST_SECONDS 60.0 /* for the functions of a program to come back at the end of a run */

/* Memory that the spawner and all evaluators share with this process, at the same address: they are
 * forked before a job is known, and find it here. */
typedef struct api_board {
  lpot_evaluator_context context;
  lpot_tune_options options;             /* its texts lie in texts */
  const lpot_component_list *components; /* the program's own; NULL */
  size_t used;                           /* bytes of texts */
  char texts[];
} api_board;

const char *lpot_version(void) {
  return LPOT_VERSION;
}

int lpot_rank(void) {
  return lpot_comm_rank_by_environment();
}

lpot_status lpot_set_log_level(const char *level, lpot_error *err) {
  lpot_log_level chosen = LPOT_LOG_INFO;
  LPOT_TRY(lpot_api_check(level, "level", err));
  if (!lpot_log_level_from_text(level, &chosen)) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "log level '%s': expected debug, info, warning, error or silent", level);
  }
  lpot_log_set_level(chosen);
  return LPOT_OK;
}

/* ---- the board ---- */

/* A copy of text on the board; NULL is NULL. */
static lpot_status post_text(api_board *board, const char *text, const char **ret,
                             lpot_error *err) {
  size_t size = text == NULL ? 0 : strlen(text) + 1;
  if (size > BOARD_BYTES - sizeof *board - board->used) {
    return LPOT_FAIL(err, LPOT_INVALID, "configuration and settings have more than %zu bytes",
                     BOARD_BYTES - sizeof *board);
  }
  *ret = NULL;
  if (size > 0) {
    char *copy = board->texts + board->used;
    memcpy(copy, text, size);
    board->used += size;
    *ret = copy;
  }
  return LPOT_OK;
}

/* Room for the list of settings, aligned. */
static lpot_status post_settings(api_board *board, const lpot_tune_options *options,
                                 lpot_error *err) {
  size_t step = sizeof(const char *);
  size_t begin = (board->used + step - 1) / step * step;
  size_t room = BOARD_BYTES - sizeof *board;
  if (begin > room || options->num_settings > (room - begin) / step) {
    return LPOT_FAIL(err, LPOT_INVALID, "%zu settings are too many", options->num_settings);
  }
  const char **list = (const char **)(void *)(board->texts + begin);
  board->used = begin + options->num_settings * step;
  for (size_t i = 0; i < options->num_settings; i++) {
    LPOT_TRY(post_text(board, options->settings[i], &list[i], err));
  }
  board->options.settings = list;
  return LPOT_OK;
}

lpot_status lpot_session_post(lpot_session *session, const lpot_tune_options *options,
                              lpot_error *err) {
  api_board *board = session->board;
  if (!lpot_spawner_rest(session->spawner, 0)) {
    return LPOT_OK; /* It may still read the last ones; no run gets further than to want another. */
  }
  board->used = 0;
  board->options = (lpot_tune_options){.num_settings = options->num_settings};
  LPOT_TRY(post_settings(board, options, err));
  LPOT_TRY(post_text(board, options->config_path, &board->options.config_path, err));
  LPOT_TRY(post_text(board, options->config_text, &board->options.config_text, err));
  LPOT_TRY(post_text(board, options->model_path, &board->options.model_path, err));
  LPOT_TRY(post_text(board, options->engine_name, &board->options.engine_name, err));
  return LPOT_OK;
}

/* ---- the session ---- */

static lpot_status make_board(api_board **ret_board, lpot_error *err) {
  void *memory = mmap(NULL, BOARD_BYTES, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    return LPOT_FAIL(err, LPOT_NO_MEMORY, "no memory to share with evaluators: %s",
                     strerror(errno));
  }
  api_board *board = memory;
  board->context = (lpot_evaluator_context){.options = &board->options, .work = lpot_work};
  *ret_board = board;
  return LPOT_OK;
}

static int run_evaluator(int link_fd, const void *context) {
  const api_board *board = context;
  lpot_plugin_use_program(board->components);
  return lpot_evaluator_run(link_fd, &board->context);
}

void lpot_session_use_components(lpot_session *session, const lpot_component_list *list) {
  if (session == NULL) {
    return;
  }
  session->board->components = list;
  lpot_plugin_use_program(list);
}

/* Why this process must not be forked any more; NULL where it may be. */
static const char *find_obstacle(void) {
  return lpot_comm_mpi_runs()          ? "MPI runs already"
         : lpot_spawner_sees_threads() ? "there are threads already"
                                       : NULL;
}

static lpot_status start_inside(lpot_session *session, const char *obstacle, lpot_error *err) {
  if (!lpot_hdf5_is_thread_safe()) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED,
                     "%s, and the HDF5 library of this machine is not made for threads: lpot_start "
                     "must come before MPI_Init and before threads are made",
                     obstacle);
  }
  session->inside = true;
  session->board->context.inside = true;
  lpot_guard_set(false);
  LPOT_TRY(lpot_spawner_start_inside(lpot_evaluator_run, &session->board->context,
                                     &session->spawner, err));
  if (lpot_rank() == 0) {
    lpot_log(
        LPOT_LOG_WARNING,
        "%s: evaluators run inside this program, so what crashes or hangs in one ends the run, "
        "and there are no benchmarks and no footprints; where lpot_start comes before MPI_Init "
        "and before threads are made, evaluators are processes of their own",
        obstacle);
  }
  return LPOT_OK;
}

static lpot_status start(lpot_session *session, lpot_error *err) {
  const char *obstacle = find_obstacle();
  LPOT_TRY(make_board(&session->board, err));
  if (obstacle != NULL) {
    LPOT_TRY(start_inside(session, obstacle, err));
    return LPOT_OK;
  }
  LPOT_TRY(lpot_spawner_start(run_evaluator, session->board, &session->spawner, err));
  return LPOT_OK;
}

lpot_status lpot_start(int *argc, char ***argv, lpot_session **ret_session, lpot_error *err) {
  LPOT_TRY(lpot_api_check(ret_session, "ret_session", err));
  lpot_session *session = lpot_calloc(1, sizeof *session);
  if (session == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  session->argc = argc;
  session->argv = argv;
  lpot_interrupt_install(); /* Before MPI starts, which takes a while on many ranks. */
  lpot_status status = start(session, err);
  if (status != LPOT_OK) {
    lpot_finish(session, lpot_status_exit_code(status));
    return status;
  }
  *ret_session = session;
  return LPOT_OK;
}

lpot_status lpot_session_meet(lpot_session *session, lpot_comm **ret_comm, lpot_error *err) {
  lpot_interrupt_install();
  if (session->comm == NULL) {
    LPOT_TRY(lpot_comm_start(session->argc, session->argv, &session->comm, err));
  } else {
    LPOT_TRY(lpot_comm_renew(&session->comm, err));
  }
  int rank = lpot_comm_rank(session->comm);
  lpot_log_set_rank(rank == 0 ? -1 : rank);
  *ret_comm = session->comm;
  return LPOT_OK;
}

void lpot_session_part(const lpot_session *session, lpot_status status) {
  (void)lpot_spawner_rest(session->spawner, REST_SECONDS);
  bool decides = session->comm == NULL || lpot_comm_rank(session->comm) == 0;
  if (status == LPOT_INTERRUPTED || !decides) {
    lpot_interrupt_clear();
  }
}

void lpot_finish(lpot_session *session, int exit_code) {
  if (session == NULL) {
    return;
  }
  /* First: launchers wait until nobody holds their pipes. */
  bool stopped = lpot_spawner_stop(session->spawner);
  lpot_comm_finish(session->comm, exit_code);
  lpot_interrupt_remove(); /* Last: a signal to all must not end a rank that still talks. */
  lpot_guard_set(true);
  if (session->board != NULL && stopped) {
    munmap(session->board, BOARD_BYTES);
  }
  lpot_free(session);
}
