/* What the objects of the API share: the session, copied texts, and the settings of a job. */
#ifndef LPOT_API_SESSION_H
#define LPOT_API_SESSION_H

#include <lpot/session.h>

#include "tune/comm.h"
#include "tune/tune.h"

struct lpot_session {
  int *argc; /* borrowed; NULL */
  char ***argv;
  lpot_spawner *spawner;
  lpot_comm *comm; /* NULL before the first collective call */
  bool has_progress;
  bool inside;             /* evaluators are threads of this process */
  struct api_board *board; /* what evaluators are told */
};

/* Brings *ret_comm for a run: MPI is started, or a fresh communicator made. Collective. */
LPOT_MUST_CHECK lpot_status lpot_session_meet(lpot_session *session, lpot_comm **ret_comm,
                                              lpot_error *err);
/* The run has ended so on this rank. Waits for an evaluator inside this process. A request to stop
 * that it has obeyed stands no longer; nor does one on another rank than the first, which alone
 * decides. Not collective. */
void lpot_session_part(const lpot_session *session, lpot_status status);
/* Puts options where evaluators see them; they work for the last options that were posted.
 * LPOT_INVALID where their texts are too long. */
LPOT_MUST_CHECK lpot_status lpot_session_post(lpot_session *session,
                                              const lpot_tune_options *options, lpot_error *err);

/* Replaces *slot, owned, by a copy of text (NULL: nothing). Unchanged on failure. */
LPOT_MUST_CHECK lpot_status lpot_api_keep(char **slot, const char *text, lpot_error *err);
/* LPOT_INVALID "NAME is NULL" where it is. */
LPOT_MUST_CHECK lpot_status lpot_api_check(const void *argument, const char *name, lpot_error *err);

/* A configuration, and what is set over it. */
typedef struct lpot_api_settings {
  char *name; /* of the file, or of text */
  char *text; /* NULL: the file is read */
  char *engine_name;
  size_t count, capacity;
  char **list; /* [count] "KEY.PATH=VALUE" */
} lpot_api_settings;

LPOT_MUST_CHECK lpot_status lpot_api_settings_init(lpot_api_settings *settings, const char *name,
                                                   const char *text, lpot_error *err);
void lpot_api_settings_done(lpot_api_settings *settings);
LPOT_MUST_CHECK lpot_status lpot_api_settings_add(lpot_api_settings *settings, const char *setting,
                                                  lpot_error *err);

#endif
