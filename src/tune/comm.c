#include "tune/comm.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <mpi.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/reader.h"
#include "base/size.h"
#include "base/text.h"
#include "base/writer.h"
#include "tune/comm_failure.h"
#include "tune/launcher.h"
#include "tune/neighbours.h"
#include "tune/protocol.h"

#define TAG 1
#define START_SECONDS 300u /* bound for MPI_Init and what follows at once */
#define FINISH_SECONDS 60u /* bound for each step of the end */
#define AGREE_SIZE 544     /* bytes that each rank brings to an agreement */
#define SHORTEST_SLEEP_NS 1000L
#define LONGEST_SLEEP_NS 10000000L
#define POLL_SECONDS 0.05      /* between two looks for ranks that died */
#define LAST_WORDS_SECONDS 1.5 /* for what was printed to get through the launcher */
/* No further message is begun to be taken while those on their way in have so many bytes. */
#define MAX_RECEIVING (256u << 20)
#define ABORT_SECONDS 10u /* bound for an abort by MPI */
#define PROCESS_SIZE 16   /* bytes of an lpot_process_id */

/* Bytes on their way to one or more ranks. */
typedef struct parcel {
  int references;
  lpot_buffer bytes;
} parcel;

typedef struct pending_send {
  MPI_Request request;
  parcel *parcel;
} pending_send;

/* A message on its way in: of a long one only the envelope is there at first, and its sender may
 * stop behind it. */
typedef struct pending_receive {
  MPI_Request request;
  int from;
  bool arrived;
  lpot_buffer bytes;
} pending_receive;

struct lpot_comm {
  bool alone;    /* no launcher: MPI is not used */
  bool borrowed; /* the program has started MPI, and will finish it */
  MPI_Comm communicator;
  int rank, size, local_size;
  char host[LPOT_HOST_SIZE];
  size_t num_pending;
  size_t pending_capacity;
  pending_send *pending; /* [num_pending] */
  size_t num_receiving;
  size_t receiving_capacity;
  size_t receiving_bytes;     /* of all of them */
  pending_receive *receiving; /* [num_receiving] in the order in which they were found */
  bool lossy;                 /* some ranks will not come to the end */
  bool dissolved;             /* another rank has revoked the communicator */
  int num_failed, num_told;
  int *failed;                 /* [size] ranks that died, of which the first num_told were told */
  lpot_neighbours *neighbours; /* NULL where MPI tells of deaths */
  double last_poll;
};

static const char *const rank_variables[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK",
                                             "SLURM_PROCID"};

static const char *launcher_rank(void) {
  for (size_t i = 0; i < sizeof rank_variables / sizeof rank_variables[0]; i++) {
    const char *text = getenv(rank_variables[i]);
    if (text != NULL) {
      return text;
    }
  }
  return NULL;
}

/* A number from 0 on, or fallback. */
static int number_of(const char *text, int fallback) {
  int64_t number = 0;
  bool valid =
      text != NULL && lpot_text_to_int64(text, &number) && number >= 0 && number <= INT32_MAX;
  return valid ? (int)number : fallback;
}

int lpot_comm_rank_by_environment(void) {
  return number_of(launcher_rank(), 0);
}

/* A whole number of at most nine digits; *text is then behind it. */
static bool take_number(const char **text, int64_t *ret) {
  size_t length = strspn(*text, "0123456789");
  *ret = 0;
  for (size_t i = 0; i < length && i < 9; i++) {
    *ret = *ret * 10 + ((*text)[i] - '0');
  }
  *text += length;
  return length > 0 && length <= 9;
}

/* One of "16(x4)", four nodes with sixteen tasks each, and "3"; *list is then behind it. */
static bool take_nodes(const char **list, int64_t *ret_tasks, int64_t *ret_nodes) {
  *ret_nodes = 1;
  if (!take_number(list, ret_tasks)) {
    return false;
  }
  if (strncmp(*list, "(x", 2) != 0) {
    return true;
  }
  *list += 2;
  if (!take_number(list, ret_nodes) || **list != ')') {
    return false;
  }
  (*list)++;
  return true;
}

/* Tasks of a node by Slurm's list of all nodes, "16(x4),3"; 1 where it does not tell. */
static int tasks_of_node(const char *list, int node) {
  int64_t first_behind = 0;
  int64_t tasks = 0;
  int64_t nodes = 0;
  while (list != NULL && take_nodes(&list, &tasks, &nodes) && (*list == ',' || *list == '\0')) {
    first_behind += nodes;
    if (node < first_behind) {
      return (int)tasks;
    }
    list = *list == ',' ? list + 1 : NULL;
  }
  return 1;
}

void lpot_comm_local_by_environment(int *ret_rank, int *ret_size) {
  const char *open_mpi = getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
  bool by_mpirun = open_mpi != NULL;
  /* srun sets it for what it starts; SLURM_TASKS_PER_NODE is there without srun, too. */
  const char *slurm = getenv("SLURM_STEP_TASKS_PER_NODE");
  int size = by_mpirun ? number_of(open_mpi, 1)
                       : tasks_of_node(slurm, number_of(getenv("SLURM_NODEID"), 0));
  int rank = number_of(getenv(by_mpirun ? "OMPI_COMM_WORLD_LOCAL_RANK" : "SLURM_LOCALID"), 0);
  *ret_size = size > 0 ? size : 1;
  *ret_rank = rank < *ret_size ? rank : 0;
}

static lpot_status check(int code, const char *what, lpot_error *err) {
  if (code == MPI_SUCCESS) {
    return LPOT_OK;
  }
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  return LPOT_FAIL(err, LPOT_MPI, "%s failed: %s", what, text);
}

/* What goes wrong since a rank has died is no error of this one. */
static lpot_status check_alive(lpot_comm *comm, int code, const char *what, lpot_error *err) {
  if (code != MPI_SUCCESS && lpot_failure_caused(code)) {
    comm->dissolved = comm->dissolved || lpot_failure_revoked(code);
    return LPOT_OK;
  }
  LPOT_TRY(check(code, what, err));
  return LPOT_OK;
}

/* Sleeps and doubles the next sleep; a signal ends it early. */
static void doze(long *nanoseconds) {
  struct timespec time = {.tv_sec = 0, .tv_nsec = *nanoseconds};
  nanosleep(&time, NULL);
  long doubled = *nanoseconds * 2;
  *nanoseconds = doubled < LONGEST_SLEEP_NS ? doubled : LONGEST_SLEEP_NS;
}

static double now(void) {
  lpot_clock clock = lpot_clock_monotonic();
  return lpot_clock_now(&clock);
}

/* All ranks tell which process they are; rank 0 watches the others, they watch it. */
static lpot_status watch_neighbours(lpot_comm *comm, lpot_error *err) {
  const lpot_process_id own = lpot_process_own();
  lpot_buffer mine;
  lpot_buffer_init(&mine);
  uint8_t *all = lpot_calloc((size_t)comm->size, PROCESS_SIZE);
  lpot_process_id *ids = lpot_calloc((size_t)comm->size, sizeof *ids);
  lpot_status status = all == NULL || ids == NULL ? LPOT_OUT_OF_MEMORY(err) : LPOT_OK;
  if (status == LPOT_OK) {
    status = lpot_writer_i64(&mine, own.pid, err);
  }
  if (status == LPOT_OK) {
    status = lpot_writer_i64(&mine, own.start_ticks, err);
  }
  if (status == LPOT_OK) {
    status = check(MPI_Allgather(mine.data, PROCESS_SIZE, MPI_BYTE, all, PROCESS_SIZE, MPI_BYTE,
                                 comm->communicator),
                   "MPI_Allgather", err);
  }
  lpot_reader reader;
  lpot_reader_init(&reader, all, (size_t)comm->size * PROCESS_SIZE);
  for (int rank = 0; rank < comm->size && status == LPOT_OK; rank++) {
    status = lpot_reader_i64(&reader, &ids[rank].pid, err);
    if (status == LPOT_OK) {
      status = lpot_reader_i64(&reader, &ids[rank].start_ticks, err);
    }
  }
  if (status == LPOT_OK) {
    bool root = comm->rank == 0;
    status =
        lpot_neighbours_new(ids, root ? 1 : 0, root ? comm->size - 1 : 1, &comm->neighbours, err);
  }
  lpot_buffer_done(&mine);
  lpot_free(all);
  lpot_free(ids);
  return status;
}

/* MPI as the program has started it, or started here. */
static lpot_status begin_mpi(lpot_comm *comm, int *argc, char ***argv, lpot_error *err) {
  int started = 0;
  int ended = 0;
  LPOT_TRY(check(MPI_Initialized(&started), "MPI_Initialized", err));
  LPOT_TRY(check(MPI_Finalized(&ended), "MPI_Finalized", err));
  if (ended) {
    return LPOT_FAIL(err, LPOT_INVALID, "MPI was finalised by the program, expected it to run");
  }
  comm->borrowed = started != 0;
  if (comm->borrowed) {
    return LPOT_OK;
  }
  LPOT_TRY(check(MPI_Init(argc, argv), "MPI_Init", err));
  LPOT_TRY(check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN),
                 "MPI_Comm_set_errhandler", err));
  return LPOT_OK;
}

static lpot_status join_ranks(lpot_comm *comm, int *argc, char ***argv, lpot_error *err) {
  alarm(START_SECONDS); /* The only bound that can be put on MPI_Init. */
  LPOT_TRY(begin_mpi(comm, argc, argv, err));
  LPOT_TRY(check(MPI_Comm_dup(MPI_COMM_WORLD, &comm->communicator), "MPI_Comm_dup", err));
  LPOT_TRY(check(MPI_Comm_set_errhandler(comm->communicator, MPI_ERRORS_RETURN),
                 "MPI_Comm_set_errhandler", err));
  LPOT_TRY(check(MPI_Comm_rank(comm->communicator, &comm->rank), "MPI_Comm_rank", err));
  LPOT_TRY(check(MPI_Comm_size(comm->communicator, &comm->size), "MPI_Comm_size", err));
  MPI_Comm local = MPI_COMM_NULL;
  LPOT_TRY(
      check(MPI_Comm_split_type(comm->communicator, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &local),
            "MPI_Comm_split_type", err));
  LPOT_TRY(check(MPI_Comm_size(local, &comm->local_size), "MPI_Comm_size", err));
  LPOT_TRY(check(MPI_Comm_free(&local), "MPI_Comm_free", err));
  comm->failed = lpot_calloc((size_t)comm->size, sizeof *comm->failed);
  if (comm->failed == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  if (!lpot_failure_is_told()) {
    LPOT_TRY(watch_neighbours(comm, err));
  }
  return LPOT_OK;
}

lpot_status lpot_comm_start(int *argc, char ***argv, lpot_comm **ret_comm, lpot_error *err) {
  lpot_comm *comm = lpot_calloc(1, sizeof *comm);
  if (comm == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  comm->size = 1;
  comm->local_size = 1;
  comm->communicator = MPI_COMM_NULL;
  comm->alone = launcher_rank() == NULL;
  if (gethostname(comm->host, sizeof comm->host - 1) != 0) {
    lpot_text_copy(comm->host, sizeof comm->host, "unknown");
  }
  lpot_status status = comm->alone ? LPOT_OK : join_ranks(comm, argc, argv, err);
  alarm(0);
  if (status != LPOT_OK) {
    lpot_free(comm->failed);
    lpot_neighbours_free(comm->neighbours);
    lpot_free(comm);
    return status;
  }
  *ret_comm = comm;
  return LPOT_OK;
}

int lpot_comm_rank(const lpot_comm *comm) {
  return comm->rank;
}

int lpot_comm_size(const lpot_comm *comm) {
  return comm->size;
}

int lpot_comm_local_size(const lpot_comm *comm) {
  return comm->local_size;
}

const char *lpot_comm_host(const lpot_comm *comm) {
  return comm->host;
}

/* ---- sending ---- */

static void drop_parcel(parcel *sent) {
  sent->references--;
  if (sent->references == 0) {
    lpot_buffer_done(&sent->bytes);
    lpot_free(sent);
  }
}

/* Lets go of what has been sent; also gives MPI a chance to move the rest. */
static lpot_status progress(lpot_comm *comm, lpot_error *err) {
  size_t kept = 0;
  lpot_status status = LPOT_OK;
  for (size_t i = 0; i < comm->num_pending; i++) {
    int done = 0;
    if (status == LPOT_OK) {
      int code = MPI_Test(&comm->pending[i].request, &done, MPI_STATUS_IGNORE);
      done = done || (code != MPI_SUCCESS && lpot_failure_caused(code)); /* It will never arrive. */
      status = check_alive(comm, code, "MPI_Test", err);
    }
    if (done) {
      drop_parcel(comm->pending[i].parcel);
    } else {
      comm->pending[kept++] = comm->pending[i];
    }
  }
  comm->num_pending = kept;
  return status;
}

static lpot_status new_parcel(const lpot_buffer *message, parcel **ret_parcel, lpot_error *err) {
  parcel *fresh = lpot_calloc(1, sizeof *fresh);
  if (fresh == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  fresh->references = 1;
  lpot_buffer_init(&fresh->bytes);
  lpot_status status = lpot_buffer_append(&fresh->bytes, message->data, message->size, err);
  if (status != LPOT_OK) {
    drop_parcel(fresh);
    return status;
  }
  *ret_parcel = fresh;
  return LPOT_OK;
}

/* list with room for one more object of size bytes; NULL when there is no memory. */
static void *grow(void *list, size_t count, size_t *capacity, size_t size) {
  if (count < *capacity) {
    return list;
  }
  size_t larger = *capacity == 0 ? 64 : 2 * *capacity;
  void *grown = lpot_realloc(list, larger, size);
  *capacity = grown != NULL ? larger : *capacity;
  return grown;
}

static lpot_status post(lpot_comm *comm, int to, parcel *sent, lpot_error *err) {
  pending_send *grown =
      grow(comm->pending, comm->num_pending, &comm->pending_capacity, sizeof *grown);
  if (grown == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  comm->pending = grown;
  int count = 0;
  LPOT_TRY(lpot_to_int((int64_t)sent->bytes.size, &count, err));
  pending_send *slot = &comm->pending[comm->num_pending];
  int code =
      MPI_Isend(sent->bytes.data, count, MPI_BYTE, to, TAG, comm->communicator, &slot->request);
  LPOT_TRY(check_alive(comm, code, "MPI_Isend", err));
  if (code != MPI_SUCCESS) {
    return LPOT_OK;
  }
  slot->parcel = sent;
  sent->references++;
  comm->num_pending++;
  return LPOT_OK;
}

lpot_status lpot_comm_send(lpot_comm *comm, int to, const lpot_buffer *message, lpot_error *err) {
  LPOT_TRY(progress(comm, err));
  parcel *sent = NULL;
  LPOT_TRY(new_parcel(message, &sent, err));
  lpot_status status = post(comm, to, sent, err);
  drop_parcel(sent);
  return status;
}

lpot_status lpot_comm_send_all(lpot_comm *comm, const lpot_buffer *message, lpot_error *err) {
  if (comm->size == 1) {
    return LPOT_OK;
  }
  LPOT_TRY(progress(comm, err));
  parcel *sent = NULL;
  LPOT_TRY(new_parcel(message, &sent, err));
  lpot_status status = LPOT_OK;
  for (int rank = 0; rank < comm->size && status == LPOT_OK; rank++) {
    if (rank != comm->rank) {
      status = post(comm, rank, sent, err);
    }
  }
  drop_parcel(sent);
  return status;
}

/* ---- receiving ---- */

/* Sees how far the messages on their way in are; those of ranks that died will never come. */
static lpot_status test_receives(lpot_comm *comm, lpot_error *err) {
  size_t kept = 0;
  lpot_status status = LPOT_OK;
  for (size_t i = 0; i < comm->num_receiving; i++) {
    pending_receive *one = &comm->receiving[i];
    int done = 0;
    int code = MPI_SUCCESS;
    if (status == LPOT_OK && !one->arrived) {
      code = MPI_Test(&one->request, &done, MPI_STATUS_IGNORE);
      status = check_alive(comm, code, "MPI_Test", err);
      one->arrived = code == MPI_SUCCESS && done;
    }
    if (code != MPI_SUCCESS && lpot_failure_caused(code)) {
      comm->receiving_bytes -= one->bytes.size;
      lpot_buffer_done(&one->bytes);
    } else {
      comm->receiving[kept++] = *one;
    }
  }
  comm->num_receiving = kept;
  return status;
}

/* Begins to take a message that was matched. */
static lpot_status begin_receive(lpot_comm *comm, MPI_Message *message, const MPI_Status *found,
                                 lpot_error *err) {
  int count = 0;
  LPOT_TRY(check(MPI_Get_count(found, MPI_BYTE, &count), "MPI_Get_count", err));
  if (count < 0 || (size_t)count > LPOT_MAX_MESSAGE) {
    return LPOT_FAIL(err, LPOT_FORMAT, "message from rank %d has %d bytes, at most %u are allowed",
                     found->MPI_SOURCE, count, LPOT_MAX_MESSAGE);
  }
  pending_receive *grown =
      grow(comm->receiving, comm->num_receiving, &comm->receiving_capacity, sizeof *grown);
  if (grown == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  comm->receiving = grown;
  pending_receive *slot = &grown[comm->num_receiving];
  *slot = (pending_receive){.request = MPI_REQUEST_NULL, .from = found->MPI_SOURCE};
  LPOT_TRY(lpot_buffer_reserve(&slot->bytes, (size_t)count, err));
  int code = MPI_Imrecv(slot->bytes.data, count, MPI_BYTE, message, &slot->request);
  lpot_status status = check_alive(comm, code, "MPI_Imrecv", err);
  if (code != MPI_SUCCESS) {
    lpot_buffer_done(&slot->bytes);
    return status;
  }
  slot->bytes.size = (size_t)count;
  comm->receiving_bytes += (size_t)count;
  comm->num_receiving++;
  return LPOT_OK;
}

/* The first message that is there and has none of the same sender before it; SIZE_MAX: none. */
static size_t find_arrived(const lpot_comm *comm) {
  for (size_t i = 0; i < comm->num_receiving; i++) {
    bool next = comm->receiving[i].arrived;
    for (size_t before = 0; before < i && next; before++) {
      next = comm->receiving[before].from != comm->receiving[i].from;
    }
    if (next) {
      return i;
    }
  }
  return SIZE_MAX;
}

/* Hands out a message that has arrived. */
static void take(lpot_comm *comm, size_t index, int *ret_from, lpot_buffer *out) {
  pending_receive *one = &comm->receiving[index];
  *ret_from = one->from;
  lpot_buffer_done(out);
  *out = one->bytes;
  comm->receiving_bytes -= out->size;
  comm->num_receiving--;
  for (size_t i = index; i < comm->num_receiving; i++) {
    comm->receiving[i] = comm->receiving[i + 1];
  }
}

/* Looks for ranks that died, not too often. */
static void look_for_failures(lpot_comm *comm) {
  double time = now();
  if (comm->alone || time - comm->last_poll < POLL_SECONDS) {
    return;
  }
  comm->last_poll = time;
  comm->num_failed = comm->neighbours == NULL
                         ? lpot_failure_poll(comm->communicator, comm->failed, comm->size)
                         : lpot_neighbours_ended(comm->neighbours, comm->failed, comm->num_failed);
  comm->lossy = comm->lossy || comm->num_failed > 0;
}

int lpot_comm_next_failure(lpot_comm *comm) {
  look_for_failures(comm);
  return comm->num_told < comm->num_failed ? comm->failed[comm->num_told++] : -1;
}

bool lpot_comm_is_dissolved(const lpot_comm *comm) {
  return comm->dissolved;
}

void lpot_comm_note_loss(lpot_comm *comm) {
  comm->lossy = true;
}

/* Looks for one more message and begins to take it. */
static lpot_status look_for_message(lpot_comm *comm, bool *ret_found, lpot_error *err) {
  int found = 0;
  MPI_Message message = MPI_MESSAGE_NULL;
  MPI_Status status;
  *ret_found = false;
  if (comm->receiving_bytes >= MAX_RECEIVING) {
    return LPOT_OK;
  }
  int code = MPI_Improbe(MPI_ANY_SOURCE, TAG, comm->communicator, &found, &message, &status);
  LPOT_TRY(check_alive(comm, code, "MPI_Improbe", err));
  if (code == MPI_SUCCESS && found) {
    LPOT_TRY(begin_receive(comm, &message, &status, err));
    *ret_found = true;
  }
  return LPOT_OK;
}

/* Looks until a whole message is there, or no other can be begun. */
static lpot_status try_receive(lpot_comm *comm, int *ret_from, lpot_buffer *out, lpot_error *err) {
  bool found = true;
  LPOT_TRY(progress(comm, err));
  look_for_failures(comm);
  LPOT_TRY(test_receives(comm, err));
  size_t index = find_arrived(comm);
  while (index == SIZE_MAX && found) {
    LPOT_TRY(look_for_message(comm, &found, err));
    LPOT_TRY(test_receives(comm, err));
    index = find_arrived(comm);
  }
  if (index != SIZE_MAX) {
    take(comm, index, ret_from, out);
  }
  return LPOT_OK;
}

lpot_status lpot_comm_receive(lpot_comm *comm, double timeout_seconds, int *ret_from,
                              lpot_buffer *out, lpot_error *err) {
  *ret_from = -1;
  if (comm->alone) {
    return LPOT_OK;
  }
  double deadline = now() + timeout_seconds;
  long sleep_ns = SHORTEST_SLEEP_NS;
  for (;;) {
    LPOT_TRY(try_receive(comm, ret_from, out, err));
    bool over = timeout_seconds <= 0 || now() >= deadline;
    if (over || *ret_from >= 0 || comm->dissolved || comm->num_told < comm->num_failed) {
      return LPOT_OK;
    }
    doze(&sleep_ns);
  }
}

/* ---- agreeing and ending ---- */

static lpot_status wait_for(MPI_Request *request, double timeout_seconds, const char *what,
                            lpot_error *err) {
  double deadline = now() + timeout_seconds;
  long sleep_ns = SHORTEST_SLEEP_NS;
  for (;;) {
    int done = 0;
    LPOT_TRY(check(MPI_Test(request, &done, MPI_STATUS_IGNORE), what, err));
    if (done) {
      return LPOT_OK;
    }
    if (now() >= deadline) {
      return LPOT_FAIL(err, LPOT_MPI, "%s: no answer from all ranks within %.0f s", what,
                       timeout_seconds);
    }
    doze(&sleep_ns);
  }
}

static lpot_status read_verdicts(const uint8_t *all, int size, int *ret_rank, lpot_error *err) {
  for (int rank = 0; rank < size; rank++) {
    lpot_reader reader;
    lpot_reader_init(&reader, all + (size_t)rank * AGREE_SIZE, AGREE_SIZE);
    uint32_t status = 0;
    char message[sizeof err->message] = "";
    LPOT_TRY(lpot_reader_u32(&reader, &status, err));
    LPOT_TRY(lpot_reader_string(&reader, message, sizeof message, err));
    if (status != LPOT_OK) {
      *ret_rank = rank;
      lpot_status known = status < LPOT_NUM_STATUSES ? (lpot_status)status : LPOT_INTERNAL;
      return lpot_error_set(err, known, NULL, 0, "%s", message);
    }
  }
  return LPOT_OK;
}

static lpot_status gather_verdicts(lpot_comm *comm, const lpot_buffer *mine, uint8_t *all,
                                   double timeout_seconds, int *ret_rank, lpot_error *err) {
  MPI_Request request = MPI_REQUEST_NULL;
  LPOT_TRY(check(MPI_Iallgather(mine->data, AGREE_SIZE, MPI_BYTE, all, AGREE_SIZE, MPI_BYTE,
                                comm->communicator, &request),
                 "MPI_Iallgather", err));
  LPOT_TRY(wait_for(&request, timeout_seconds, "agreement of the ranks", err));
  LPOT_TRY(read_verdicts(all, comm->size, ret_rank, err));
  return LPOT_OK;
}

lpot_status lpot_comm_agree(lpot_comm *comm, lpot_status status, double timeout_seconds,
                            int *ret_rank, lpot_error *err) {
  *ret_rank = status == LPOT_OK ? -1 : comm->rank;
  if (comm->alone) {
    return status;
  }
  *ret_rank = -1;
  static const uint8_t padding[AGREE_SIZE];
  lpot_buffer mine;
  lpot_buffer_init(&mine);
  uint8_t *all = lpot_calloc((size_t)comm->size, AGREE_SIZE);
  lpot_status result = all == NULL ? LPOT_OUT_OF_MEMORY(err) : LPOT_OK;
  if (result == LPOT_OK) {
    result = lpot_writer_u32(&mine, (uint32_t)status, err);
  }
  if (result == LPOT_OK) {
    result = lpot_writer_string(&mine, status == LPOT_OK ? "" : err->message, err);
  }
  if (result == LPOT_OK) {
    result = lpot_buffer_append(&mine, padding, AGREE_SIZE - mine.size, err);
  }
  if (result == LPOT_OK) {
    result = gather_verdicts(comm, &mine, all, timeout_seconds, ret_rank, err);
  }
  if (result != LPOT_MPI) { /* Else MPI may still write there: the program ends anyway. */
    lpot_buffer_done(&mine);
    lpot_free(all);
  }
  return result;
}

static bool is_receiving(const lpot_comm *comm) {
  bool all = true;
  for (size_t i = 0; i < comm->num_receiving; i++) {
    all = all && comm->receiving[i].arrived;
  }
  return !all;
}

/* Waits for all that is on its way, in either direction. */
static lpot_status drain(lpot_comm *comm, lpot_error *err) {
  double deadline = now() + FINISH_SECONDS;
  long sleep_ns = SHORTEST_SLEEP_NS;
  while (comm->num_pending > 0 || is_receiving(comm)) {
    LPOT_TRY(progress(comm, err));
    LPOT_TRY(test_receives(comm, err));
    if (now() >= deadline) {
      return LPOT_FAIL(err, LPOT_MPI, "%zu messages were not taken, %zu did not come",
                       comm->num_pending, comm->num_receiving);
    }
    doze(&sleep_ns);
  }
  return LPOT_OK;
}

/* All ranks live: they meet at a barrier. */
static lpot_status meet_at_the_end(lpot_comm *comm, lpot_error *err) {
  MPI_Request request = MPI_REQUEST_NULL;
  LPOT_TRY(check(MPI_Ibarrier(comm->communicator, &request), "MPI_Ibarrier", err));
  LPOT_TRY(wait_for(&request, FINISH_SECONDS, "end of the ranks", err));
  return LPOT_OK;
}

static lpot_status leave_ranks(lpot_comm *comm, lpot_error *err) {
  LPOT_TRY(drain(comm, err));
  comm->last_poll = 0;
  look_for_failures(comm);
  bool whole = comm->num_failed == 0 && !comm->dissolved;
  alarm(2 * FINISH_SECONDS); /* The only bound that can be put on what follows. */
  if (!whole || meet_at_the_end(comm, err) != LPOT_OK) {
    if (!lpot_failure_dissolve(comm->communicator)) {
      return LPOT_FAIL(err, LPOT_MPI, "the ranks do not come to the end");
    }
  }
  MPI_Comm_free(&comm->communicator); /* Fails where ranks have died. */
  if (!comm->borrowed) {
    LPOT_TRY(check(MPI_Finalize(), "MPI_Finalize", err));
  }
  alarm(0);
  return LPOT_OK;
}

void lpot_comm_finish(lpot_comm *comm, int exit_code) {
  if (comm == NULL) {
    return;
  }
  bool plain_loss = comm->lossy && (comm->num_failed == 0 || !lpot_failure_is_told());
  if (!comm->alone && plain_loss) {
    lpot_comm_abort(comm, exit_code != 0 ? exit_code : 1);
  }
  if (!comm->alone && leave_ranks(comm, NULL) != LPOT_OK) {
    lpot_comm_abort(comm, exit_code != 0 ? exit_code : 1);
  }
  for (size_t i = 0; i < comm->num_receiving; i++) {
    lpot_buffer_done(&comm->receiving[i].bytes);
  }
  lpot_free(comm->receiving);
  lpot_free(comm->pending);
  lpot_free(comm->failed);
  lpot_neighbours_free(comm->neighbours);
  lpot_free(comm);
}

bool lpot_comm_mpi_runs(void) {
  int started = 0;
  int ended = 0;
  MPI_Initialized(&started);
  MPI_Finalized(&ended);
  return started && !ended;
}

lpot_status lpot_comm_renew(lpot_comm **comm, lpot_error *err) {
  lpot_comm *old = *comm;
  lpot_comm *fresh = NULL;
  if (old->lossy || old->dissolved || old->num_failed > 0) {
    return LPOT_FAIL(err, LPOT_MPI, "ranks were lost: this program cannot begin anything more");
  }
  LPOT_TRY(lpot_comm_start(NULL, NULL, &fresh, err));
  fresh->borrowed = old->borrowed;
  old->borrowed = true;
  lpot_comm_finish(old, 0);
  *comm = fresh;
  return LPOT_OK;
}

/* Without ULFM neither MPI_Finalize nor mpirun comes to an end when a rank is gone, and an abort of
 * all ranks may be told as success. Where the launcher cannot be ended this returns. */
static void end_launcher(void) {
  lpot_clock_sleep(LAST_WORDS_SECONDS);
  if (lpot_launcher_condemn(0)) {
    lpot_clock_sleep(ABORT_SECONDS); /* It ends this process too. */
  }
}

_Noreturn void lpot_comm_abort(lpot_comm *comm, int exit_code) {
  bool in_job = comm != NULL && !comm->alone;
  if (in_job && comm->lossy && !lpot_failure_is_told()) {
    end_launcher();
  }
  if (in_job) {
    (void)lpot_launcher_condemn(ABORT_SECONDS);
    alarm(ABORT_SECONDS);
    MPI_Abort(MPI_COMM_WORLD, exit_code);
  }
  _exit(exit_code);
}
