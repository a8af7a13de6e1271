/* The files that a run hands out: quantized model, recipe, deploy.yaml. Not collective. */
#ifndef LPOT_TUNE_EXPORT_H
#define LPOT_TUNE_EXPORT_H

#include "tune/job.h"
#include "tune/op_times_record.h"

/* Writes folder/name as the configuration's export format asks (QDQ or QOperator); bf16 ops in f32
 * (lpot_recipe_exported). The recipe's calibration must be in the job. */
LPOT_MUST_CHECK lpot_status lpot_export_model(const lpot_job *job, const lpot_recipe *recipe,
                                              const char *folder, const char *name,
                                              lpot_error *err);
/* Bytes that lpot_export_model would write, without writing them. */
LPOT_MUST_CHECK lpot_status lpot_export_size(const lpot_job *job, const lpot_recipe *recipe,
                                             uint64_t *ret_size_bytes, lpot_error *err);
/* The recipe in its canonical text. */
LPOT_MUST_CHECK lpot_status lpot_export_recipe(const lpot_job *job, const lpot_recipe *recipe,
                                               const char *folder, const char *name,
                                               lpot_error *err);
/* deploy.yaml: the sections model and evaluation of the effective configuration, the device and
 * the model file. */
LPOT_MUST_CHECK lpot_status lpot_export_deploy(const lpot_job *job, const char *folder,
                                               const char *model_name, lpot_error *err);
/* Reads a recipe file made by lpot_export_recipe. LPOT_CONFIG names the place. */
LPOT_MUST_CHECK lpot_status lpot_import_recipe(const lpot_job *job, const char *path,
                                               lpot_recipe **ret_recipe, lpot_error *err);

#define LPOT_OP_TIMES_NAME "op_times.yaml" /* of the file in a workspace */
/* Writes folder/op_times.yaml. */
LPOT_MUST_CHECK lpot_status lpot_export_op_times(const lpot_job *job, const lpot_op_times *times,
                                                 const char *folder, lpot_error *err);
/* Reads such a file. LPOT_CONFIG names the place; *ret is owned (lpot_op_times_done). */
LPOT_MUST_CHECK lpot_status lpot_import_op_times(const lpot_job *job, const char *path,
                                                 lpot_op_times *ret, lpot_error *err);

#endif
