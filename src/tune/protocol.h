/* Messages between the coordinator and its workers: kinds and encoding. Pure: no MPI, no files.
 *
 * message = magic "LPMG" (u32) version (u16) kind (u16) task id (u64) length (u64) payload
 *
 * HELLO        worker -> coordinator: who it is and what it reads
 * TASK         coordinator -> worker: one piece of work
 * OUTCOME      worker -> coordinator: its result, or a status and a text
 * CALIBRATION  coordinator -> worker: merged statistics for a number of samples
 * CANCEL       coordinator -> worker: the task with this id is not needed any more
 * END          coordinator -> worker: leave the loop
 * KILL         coordinator -> worker: end the process that does the task with this id
 * START        worker -> its evaluator: who it works for; answered by HELLO or FAILED
 * PING         coordinator -> worker: it lives
 * FAILED       evaluator -> worker: it cannot work: a status and a text
 *
 * Integers are little endian; every field is checked when read (LPOT_FORMAT). */
#ifndef LPOT_TUNE_PROTOCOL_H
#define LPOT_TUNE_PROTOCOL_H

#include "base/buffer.h"
#include "base/checksum.h"
#include "base/reader.h"
#include "data/metric.h"
#include "quant/calibration.h"
#include "quant/recipe.h"
#include "tune/footprint_record.h"
#include "tune/latency_record.h"
#include "tune/op_times_record.h"
#include "tune/race.h"

#define LPOT_MESSAGE_HEAD 24u
#define LPOT_MAX_MESSAGE (512u << 20) /* bytes of one message */
#define LPOT_CAUSE_SIZE 512

typedef enum lpot_message_kind {
  LPOT_MESSAGE_HELLO,
  LPOT_MESSAGE_TASK,
  LPOT_MESSAGE_OUTCOME,
  LPOT_MESSAGE_CALIBRATION,
  LPOT_MESSAGE_CANCEL,
  LPOT_MESSAGE_END,
  LPOT_MESSAGE_KILL,
  LPOT_MESSAGE_START,
  LPOT_MESSAGE_FAILED,
  LPOT_MESSAGE_PING,
  LPOT_NUM_MESSAGE_KINDS
} lpot_message_kind;

typedef struct lpot_message {
  lpot_message_kind kind;
  uint64_t task_id;
  const uint8_t *payload; /* [size], borrowed from the message's bytes */
  size_t size;
} lpot_message;

/* Empties out and starts a message; the payload is then appended by the writers below. */
LPOT_MUST_CHECK lpot_status lpot_message_begin(lpot_buffer *out, lpot_message_kind kind,
                                               uint64_t task_id, lpot_error *err);
/* Enters the payload's length. */
LPOT_MUST_CHECK lpot_status lpot_message_finish(lpot_buffer *out, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_message_parse(const void *data, size_t size, lpot_message *ret,
                                               lpot_error *err);
/* Bytes of the whole message that begins with these LPOT_MESSAGE_HEAD bytes, at most
 * LPOT_MAX_MESSAGE. */
LPOT_MUST_CHECK lpot_status lpot_message_length(const void *head, size_t *ret_size,
                                                lpot_error *err);

/* ---- HELLO ---- */
typedef struct lpot_hello {
  int rank;
  char host[LPOT_HOST_SIZE];
  char numeric_class[LPOT_CLASS_SIZE];
  lpot_digest model;    /* of the model file that this rank read */
  uint64_t config_hash; /* of the configuration's identity text */
  lpot_digest data;     /* of evaluation and calibration data: lpot_job_manifest */
  bool saturates;       /* its processor has no VNNI: lpot_engine_saturates */
} lpot_hello;

LPOT_MUST_CHECK lpot_status lpot_hello_write(const lpot_hello *hello, lpot_buffer *out,
                                             lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_hello_read(lpot_reader *reader, lpot_hello *ret, lpot_error *err);

/* ---- START ---- */
typedef struct lpot_start_order {
  int rank;        /* that it works for */
  int local_ranks; /* ranks that share this host's memory */
  char host[LPOT_HOST_SIZE];
} lpot_start_order;

LPOT_MUST_CHECK lpot_status lpot_start_write(const lpot_start_order *start, lpot_buffer *out,
                                             lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_start_read(lpot_reader *reader, lpot_start_order *ret,
                                            lpot_error *err);

/* ---- FAILED ---- */
LPOT_MUST_CHECK lpot_status lpot_failure_write(lpot_status status, const char *cause,
                                               lpot_buffer *out, lpot_error *err);
/* cause has room for LPOT_CAUSE_SIZE bytes; *ret_status is never LPOT_OK. */
LPOT_MUST_CHECK lpot_status lpot_failure_read(lpot_reader *reader, lpot_status *ret_status,
                                              char *cause, lpot_error *err);

/* ---- TASK ---- */
typedef enum lpot_task_kind {
  LPOT_TASK_EVALUATE,  /* blocks [first, first + count) of the evaluation set */
  LPOT_TASK_CALIBRATE, /* samples [first, first + count) of the calibration order */
  LPOT_TASK_LATENCY,   /* the recipe against f32 */
  LPOT_TASK_OP_TIMES,  /* of every op in each precision */
  LPOT_TASK_FOOTPRINT, /* of the recipe: done by a new process */
  LPOT_NUM_TASK_KINDS
} lpot_task_kind;

typedef struct lpot_task {
  uint64_t id;
  lpot_task_kind kind;
  int64_t first, count;
  bool equalized;      /* CALIBRATE: through the equalized graph */
  lpot_recipe *recipe; /* owned; NULL: f32 */
  bool senses;         /* EVALUATE: outputs are compared with f32's, the block is sense.h's; no race
                        */
  bool held_out;       /* EVALUATE: blocks of the part held out (holdout.h); no race, no sensing */
  bool raced;          /* EVALUATE: stop behind a block with which the race is lost */
  lpot_race_terms terms;
  lpot_race race;    /* before the first block */
  size_t num_bits;   /* samples of the blocks */
  uint8_t *baseline; /* [lpot_bits_size(num_bits)], owned: what f32 gets right; NULL unless raced */
} lpot_task;

void lpot_task_init(lpot_task *task);
void lpot_task_done(lpot_task *task);
LPOT_MUST_CHECK lpot_status lpot_task_write(const lpot_task *task, lpot_buffer *out,
                                            lpot_error *err);
/* Replaces an initialised task; its id is set by the caller from the message. */
LPOT_MUST_CHECK lpot_status lpot_task_read(lpot_reader *reader, lpot_task *task, lpot_error *err);

/* ---- OUTCOME ---- */
typedef struct lpot_outcome {
  uint64_t task_id;
  lpot_task_kind kind;
  lpot_status status;            /* LPOT_INTERRUPTED: cancelled; LPOT_CRASHED: the process that
                                    did it died; LPOT_LOST: the worker cannot do tasks any more */
  char cause[LPOT_CAUSE_SIZE];   /* why it failed; empty when status is LPOT_OK */
  double seconds;                /* wall time of the task */
  uint64_t recipe_hash;          /* of the task's recipe, 0 for f32 */
  int64_t first;                 /* of the task */
  size_t num_states;             /* EVALUATE: one state per finished block from first on, also when
                                    the next one failed or a race is lost */
  lpot_metric_state *states;     /* [num_states], owned */
  size_t num_bits;               /* samples of these blocks; 0 where the metric knows no right */
  uint8_t *correct;              /* [lpot_bits_size(num_bits)], owned */
  lpot_calibration *calibration; /* CALIBRATE: owned */
  lpot_latency latency;          /* LATENCY: its rounds are owned */
  lpot_op_times op_times;        /* OP_TIMES: its ops are owned */
  lpot_footprint footprint;      /* FOOTPRINT */
} lpot_outcome;

void lpot_outcome_init(lpot_outcome *outcome);
void lpot_outcome_done(lpot_outcome *outcome);
LPOT_MUST_CHECK lpot_status lpot_outcome_write(const lpot_outcome *outcome, lpot_buffer *out,
                                               lpot_error *err);
/* Replaces an initialised outcome; its task id is set by the caller from the message. */
LPOT_MUST_CHECK lpot_status lpot_outcome_read(lpot_reader *reader, lpot_outcome *outcome,
                                              lpot_error *err);

/* ---- CALIBRATION: i64 samples, bool equalized, then the statistics ---- */
LPOT_MUST_CHECK lpot_status lpot_calibration_message_write(lpot_calibration_key key,
                                                           const lpot_calibration *calibration,
                                                           lpot_buffer *out, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_calibration_message_read(lpot_reader *reader,
                                                          lpot_calibration_key *ret_key,
                                                          lpot_calibration **ret_calibration,
                                                          lpot_error *err);

/* ---- helpers shared with the journal's records ---- */
/* An enum value below limit, or LPOT_FORMAT naming what. */
LPOT_MUST_CHECK lpot_status lpot_read_choice(lpot_reader *reader, const char *what, unsigned limit,
                                             unsigned *ret, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_read_bool(lpot_reader *reader, const char *what, bool *ret,
                                           lpot_error *err);
/* count packed bits (base/bits.h), the count before them; *ret_bits is owned, and is not set (like
 * *ret_count) when there are none. */
LPOT_MUST_CHECK lpot_status lpot_bits_write(const uint8_t *bits, size_t count, lpot_buffer *out,
                                            lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_bits_read(lpot_reader *reader, uint8_t **ret_bits,
                                           size_t *ret_count, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_digest_write(const lpot_digest *digest, lpot_buffer *out,
                                              lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_digest_read(lpot_reader *reader, lpot_digest *ret,
                                             lpot_error *err);

#endif
