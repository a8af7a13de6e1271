#include "tune/comm_failure.h" /* mpi-ext.h needs mpi.h before it */

#include <mpi-ext.h>

static int class_of(int code) {
  int class = MPI_ERR_UNKNOWN;
  return MPI_Error_class(code, &class) == MPI_SUCCESS ? class : MPI_ERR_UNKNOWN;
}

/* The ranks of failed in communicator, up to capacity. */
static int list_ranks(MPI_Comm communicator, MPI_Group failed, int count, int *ranks,
                      int capacity) {
  MPI_Group all = MPI_GROUP_NULL;
  if (MPI_Comm_group(communicator, &all) != MPI_SUCCESS) {
    return 0;
  }
  count = count < capacity ? count : capacity;
  for (int i = 0; i < count; i++) {
    MPI_Group_translate_ranks(failed, 1, &i, all, &ranks[i]);
  }
  MPI_Group_free(&all);
  return count;
}

bool lpot_failure_is_told(void) {
  return true;
}

int lpot_failure_poll(MPI_Comm communicator, int *ranks, int capacity) {
  MPI_Group failed = MPI_GROUP_NULL;
  int count = 0;
  int acknowledged = 0;
  if (MPIX_Comm_get_failed(communicator, &failed) != MPI_SUCCESS) {
    return 0;
  }
  if (MPI_Group_size(failed, &count) != MPI_SUCCESS) {
    count = 0;
  }
  count = list_ranks(communicator, failed, count, ranks, capacity);
  MPI_Group_free(&failed);
  if (count > 0) {
    MPIX_Comm_ack_failed(communicator, count, &acknowledged);
  }
  return count;
}

bool lpot_failure_caused(int code) {
  int class = class_of(code);
  return class == MPIX_ERR_PROC_FAILED || class == MPIX_ERR_PROC_FAILED_PENDING ||
         class == MPIX_ERR_REVOKED;
}

bool lpot_failure_revoked(int code) {
  return class_of(code) == MPIX_ERR_REVOKED;
}

bool lpot_failure_dissolve(MPI_Comm communicator) {
  MPI_Comm living = MPI_COMM_NULL;
  MPIX_Comm_revoke(communicator);
  if (MPIX_Comm_shrink(communicator, &living) != MPI_SUCCESS) {
    return false;
  }
  MPI_Comm_free(&living);
  return true;
}
