/* lpot-info: what is in a model file, and where its time goes. Not collective. */
#ifndef LPOT_TUNE_INFO_H
#define LPOT_TUNE_INFO_H

#include <stdbool.h>
#include <stdint.h>

typedef struct lpot_info_options {
  const char *model_path;
  const char *engine_name;
  int64_t batch; /* where the model leaves it open */
  bool profile;  /* run it and time every step */
  int64_t runs;  /* measured runs */
} lpot_info_options;

/* Prints to standard output, errors to the log. Inputs are drawn by a fixed seed. Returns the exit
 * code. */
int lpot_info_print(const lpot_info_options *options);

#endif
