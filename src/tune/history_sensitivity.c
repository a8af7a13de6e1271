/* /sensitivity of history.h5. */
#include <stddef.h>

#include <hdf5.h>

#include "base/memory.h"
#include "base/text.h"
#include "tune/history_parts.h"
#include "tune/history_pieces.h"
#include "tune/sensitivity.h"

#define NAME_SIZE 128
#define TYPE_SIZE 32

typedef struct sensitivity_row {
  char name[NAME_SIZE];
  char type[TYPE_SIZE];
  double alone, without;
} sensitivity_row;

static lpot_status put_facts(hid_t file, const lpot_sensitivities *from, uint64_t samples,
                             lpot_error *err) {
  hid_t dataset = H5Dopen2(file, "sensitivity", H5P_DEFAULT);
  LPOT_TRY(lpot_hdf5_check(dataset, "sensitivity", err));
  lpot_status status = lpot_hdf5_put_uint(dataset, "base_trial", from->base_trial, err);
  if (status == LPOT_OK) {
    status = lpot_hdf5_put_double(dataset, "base_error", from->base_error, err);
  }
  if (status == LPOT_OK) {
    status = lpot_hdf5_put_uint(dataset, "samples", samples, err);
  }
  H5Dclose(dataset);
  return status;
}

static lpot_status put_rows(hid_t file, const lpot_ledger *ledger, const lpot_sensitivities *from,
                            lpot_error *err) {
  static const lpot_hdf5_member members[] = {
      {"name", offsetof(sensitivity_row, name), 's', NAME_SIZE, NULL},
      {"type", offsetof(sensitivity_row, type), 's', TYPE_SIZE, NULL},
      {"alone", offsetof(sensitivity_row, alone), 'd', 0, NULL},
      {"without", offsetof(sensitivity_row, without), 'd', 0, NULL},
  };
  sensitivity_row *rows = lpot_calloc(from->num_ops, sizeof *rows);
  if (rows == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < from->num_ops; i++) {
    lpot_text_copy(rows[i].name, sizeof rows[i].name, ledger->header.op_names[i]);
    lpot_text_copy(rows[i].type, sizeof rows[i].type, ledger->header.op_types[i]);
    rows[i].alone = from->ops[i].alone;
    rows[i].without = from->ops[i].without;
  }
  lpot_status status =
      lpot_hdf5_put_table(file, "sensitivity", members, sizeof members / sizeof members[0],
                          sizeof *rows, rows, from->num_ops, err);
  lpot_free(rows);
  return status;
}

lpot_status lpot_history_put_sensitivity(int64_t file, const lpot_ledger *ledger, lpot_error *err) {
  lpot_sensitivities from;
  LPOT_TRY(lpot_sensitivities_of(ledger, &from, err));
  lpot_status status = LPOT_OK;
  if (from.num_alone + from.num_without > 0) {
    status = put_rows(file, ledger, &from, err);
    if (status == LPOT_OK) {
      status = put_facts(file, &from, ledger->senses[0].samples, err);
    }
  }
  lpot_sensitivities_done(&from);
  return status;
}
