/* Quantization: finds the fastest int8 recipe of a network within an accuracy criterion, and writes
 * the model. What lpot-tune does, for programs; the keys of the configuration are those of its
 * YAML.
 *
 * All in a file:
 *
 *   #include <lpot/lpot.h>
 *   #include <stdio.h>
 *
 *   int main(int argc, char **argv) {
 *     lpot_error error = {LPOT_OK};
 *     lpot_session *session = NULL;
 *     lpot_quantization *quantization = NULL;
 *     lpot_status status = lpot_start(&argc, &argv, &session, &error);
 *     if (status == LPOT_OK) {
 *       status = lpot_quantization_from_file(session, "example.yaml", &quantization, &error);
 *     }
 *     if (status == LPOT_OK) {
 *       status = lpot_quantization_set_model(quantization, "shapes.onnx", &error);
 *     }
 *     if (status == LPOT_OK) {
 *       status = lpot_quantization_run(quantization, &error);
 *     }
 *     if (status != LPOT_OK && lpot_rank() == 0) {
 *       fprintf(stderr, "error: %s\n", error.message);
 *     }
 *     int exit_code = quantization != NULL ? lpot_quantization_exit_code(quantization)
 *                                          : lpot_status_exit_code(status);
 *     lpot_quantization_free(quantization);
 *     lpot_finish(session, exit_code);
 *     return lpot_rank() == 0 ? exit_code : 0;
 *   }
 *
 * All in code, and what came of it:
 *
 *   #include <lpot/lpot.h>
 *   #include <stdio.h>
 *
 *   static const char configuration[] =
 *       "model: {name: shapes, framework: onnxrt_qdqops}\n"
 *       "quantization:\n"
 *       "  calibration:\n"
 *       "    sampling_size: 20\n"
 *       "    dataloader:\n"
 *       "      dataset: {shapes: {train: true, samples: 20}}\n"
 *       "      transform: &preprocessing\n"
 *       "        {Rescale: {}, Normalize: {mean: 0.5, std: 0.25}, Transpose: {perm: [2, 0, 1]}}\n"
 *       "evaluation:\n"
 *       "  accuracy:\n"
 *       "    metric: {topk: 1}\n"
 *       "    dataloader:\n"
 *       "      {batch_size: 25, dataset: {shapes: {samples: 200}}, transform: *preprocessing}\n"
 *       "tuning: {accuracy_criterion: {relative: 0.05}}\n";
 *
 *   static lpot_status tune(lpot_session *session, lpot_quantization **quantization,
 *                           lpot_error *error) {
 *     lpot_status status =
 *         lpot_quantization_from_text(session, "built in", configuration, quantization, error);
 *     if (status == LPOT_OK) {
 *       status = lpot_quantization_set(*quantization, "tuning.exit_policy.max_trials=5", error);
 *     }
 *     if (status == LPOT_OK) {
 *       status = lpot_quantization_set_model(*quantization, "shapes.onnx", error);
 *     }
 *     if (status == LPOT_OK) {
 *       status = lpot_quantization_set_workspace(*quantization, "in_code", error);
 *     }
 *     if (status == LPOT_OK) {
 *       lpot_quantization_set_output(*quantization, LPOT_OUTPUT_NONE);
 *       status = lpot_quantization_run(*quantization, error);
 *     }
 *     return status;
 *   }
 *
 *   int main(int argc, char **argv) {
 *     lpot_error error = {LPOT_OK};
 *     lpot_session *session = NULL;
 *     lpot_quantization *quantization = NULL;
 *     lpot_status status = lpot_start(&argc, &argv, &session, &error);
 *     if (status == LPOT_OK) {
 *       status = tune(session, &quantization, &error);
 *     }
 *     if (status != LPOT_OK) {
 *       fprintf(stderr, "error: %s\n", error.message);
 *     }
 *     const lpot_quantization_result *result = lpot_quantization_get_result(quantization);
 *     if (result != NULL && result->model_path != NULL) {
 *       printf("accuracy %.4f instead of %.4f: %s\n", result->accuracy, result->baseline_accuracy,
 *              result->model_path);
 *     }
 *     lpot_quantization_free(quantization);
 *     lpot_finish(session, lpot_status_exit_code(status));
 *     return lpot_rank() == 0 ? lpot_status_exit_code(status) : 0;
 *   }
 *
 * Mixed: the dataset and the metric in code (component.h has the contract of their functions), the
 * rest in a configuration:
 *
 *   #include <lpot/lpot.h>
 *   #include <stdio.h>
 *
 *   static int64_t count_images(void *object) {
 *     (void)object;
 *     return 100;
 *   }
 *
 *   static int get_image(void *object, int64_t index, lpot_component_output *output, char *error) {
 *     const int64_t dims[] = {3, 32, 32};
 *     float *image = (float *)output->make(output, 0, LPOT_COMPONENT_FLOAT32, 3, dims);
 *     (void)object;
 *     (void)error;
 *     if (image == NULL) {
 *       return 1;
 *     }
 *     for (int i = 0; i < 3 * 32 * 32; i++) {
 *       image[i] = (float)((index + 7) * (i % 1024 + 3) % 101) / 50.0f - 1.0f;
 *     }
 *     return 0;
 *   }
 *
 *   static int add_best(void *object, const lpot_component_batch *batch, double *sums,
 *                       char *error) {
 *     const float *scores = (const float *)batch->outputs[0].data;
 *     (void)object;
 *     (void)error;
 *     for (int64_t row = 0; row < batch->count; row++) {
 *       float best = scores[10 * row];
 *       for (int k = 1; k < 10; k++) {
 *         best = scores[10 * row + k] > best ? scores[10 * row + k] : best;
 *       }
 *       sums[0] += best;
 *     }
 *     return 0;
 *   }
 *
 *   static int mean_best(void *object, const double *sums, int64_t count, double *ret_value,
 *                        char *error) {
 *     (void)object;
 *     (void)error;
 *     *ret_value = sums[0] / (double)count;
 *     return 0;
 *   }
 *
 *   static const lpot_component_dataset images = {
 *       {sizeof(lpot_component_dataset), "images", NULL, NULL}, count_images, get_image, 0, NULL};
 *   static const lpot_component_metric best_score = {
 *       {sizeof(lpot_component_metric), "best_score", NULL, NULL}, 0, NULL, 1, add_best,
 *       mean_best, NULL};
 *   static const lpot_component_dataset *const datasets[] = {&images, NULL};
 *   static const lpot_component_metric *const metrics[] = {&best_score, NULL};
 *   static const lpot_component_list components = {
 *       sizeof(lpot_component_list), LPOT_COMPONENT_VERSION, datasets, NULL, metrics, NULL,
 *       NULL};
 *
 *   static const char configuration[] =
 *       "model: {name: shapes, framework: onnxrt_qdqops}\n"
 *       "quantization:\n"
 *       "  calibration: {sampling_size: 50, dataloader: {dataset: &images {plugin: {library: "
 *       "program}}}}\n"
 *       "evaluation:\n"
 *       "  accuracy:\n"
 *       "    metric: {plugin: {library: program, name: best_score}}\n"
 *       "    dataloader: {batch_size: 10, dataset: *images}\n"
 *       "tuning: {accuracy_criterion: {relative: 0.1}, workspace: {path: mixed}}\n";
 *
 *   int main(int argc, char **argv) {
 *     lpot_error error = {LPOT_OK};
 *     lpot_session *session = NULL;
 *     lpot_quantization *quantization = NULL;
 *     lpot_status status = lpot_start(&argc, &argv, &session, &error);
 *     if (status == LPOT_OK) {
 *       lpot_session_use_components(session, &components);
 *       status =
 *           lpot_quantization_from_text(session, "built in", configuration, &quantization, &error);
 *     }
 *     if (status == LPOT_OK) {
 *       status = lpot_quantization_set_model(quantization, "shapes.onnx", &error);
 *     }
 *     if (status == LPOT_OK) {
 *       status = lpot_quantization_run(quantization, &error);
 *     }
 *     if (status != LPOT_OK) {
 *       fprintf(stderr, "error: %s\n", error.message);
 *     }
 *     const lpot_quantization_result *result = lpot_quantization_get_result(quantization);
 *     if (result != NULL) {
 *       printf("mean best score %.6f, in f32 %.6f\n", result->accuracy, result->baseline_accuracy);
 *     }
 *     lpot_quantization_free(quantization);
 *     lpot_finish(session, lpot_status_exit_code(status));
 *     return lpot_rank() == 0 ? lpot_status_exit_code(status) : 0;
 *   }
 *
 * The evaluation and the calibration in code as well, eval_func and q_func of LPOT's Python API:
 * each is given the model, and runs it (model.h) on data of its own. No dataset is labelled or read
 * for that; the one that is left is what latencies are measured on:
 *
 *   #include <lpot/lpot.h>
 *   #include <stdio.h>
 *
 *   #define IMAGES 100
 *   #define PIXELS (3 * 32 * 32)
 *
 *   static lpot_status run_image(lpot_model *model, int64_t index, lpot_component_tensor *scores,
 *                                lpot_error *error) {
 *     static float image[PIXELS];
 *     const lpot_component_tensor input = {
 *         LPOT_COMPONENT_FLOAT32, 4, {1, 3, 32, 32}, image, sizeof image};
 *     for (int i = 0; i < PIXELS; i++) {
 *       image[i] = (float)((index + 7) * (i % 1024 + 3) % 101) / 50.0f - 1.0f;
 *     }
 *     return lpot_model_run(model, &input, scores, error);
 *   }
 *
 *   static int calibrate(void *object, lpot_model *model, int64_t samples, char *text) {
 *     lpot_error error = {LPOT_OK};
 *     lpot_component_tensor scores;
 *     (void)object;
 *     for (int64_t i = 0; i < samples; i++) {
 *       if (run_image(model, i % IMAGES, &scores, &error) != LPOT_OK) {
 *         snprintf(text, LPOT_COMPONENT_TEXT, "%s", error.message);
 *         return 1;
 *       }
 *     }
 *     return 0;
 *   }
 *
 *   static int evaluate(void *object, lpot_model *model, double *ret_accuracy, char *text) {
 *     lpot_error error = {LPOT_OK};
 *     lpot_component_tensor scores;
 *     double sum = 0;
 *     (void)object;
 *     for (int64_t i = 0; i < IMAGES; i++) {
 *       if (run_image(model, i, &scores, &error) != LPOT_OK) {
 *         snprintf(text, LPOT_COMPONENT_TEXT, "%s", error.message);
 *         return 1;
 *       }
 *       const float *row = (const float *)scores.data;
 *       float best = row[0];
 *       for (int k = 1; k < 10; k++) {
 *         best = row[k] > best ? row[k] : best;
 *       }
 *       sum += best;
 *     }
 *     *ret_accuracy = sum / IMAGES;
 *     return 0;
 *   }
 *
 *   static const lpot_component_metric mean_best = {
 *       {sizeof(lpot_component_metric), "mean_best", NULL, NULL}, 0, NULL, 0, NULL, NULL,
 *       evaluate};
 *   static const lpot_component_calibration feed = {
 *       {sizeof(lpot_component_calibration), "feed", NULL, NULL}, calibrate};
 *   static const lpot_component_metric *const metrics[] = {&mean_best, NULL};
 *   static const lpot_component_calibration *const calibrations[] = {&feed, NULL};
 *   static const lpot_component_list components = {
 *       sizeof(lpot_component_list), LPOT_COMPONENT_VERSION, NULL, NULL, metrics, NULL,
 *       calibrations};
 *
 *   static const char *const settings[] = {
 *       "model.name=shapes",
 *       "model.framework=onnxrt_qdqops",
 *       "quantization.calibration.q_func.plugin.library=program",
 *       "quantization.calibration.sampling_size=50",
 *       "evaluation.accuracy.metric.plugin.library=program",
 *       "evaluation.performance.dataloader.batch_size=10",
 *       "evaluation.performance.dataloader.dataset.dummy.shape=40, 3, 32, 32",
 *       "tuning.accuracy_criterion.relative=0.1",
 *       "tuning.workspace.path=functions"};
 *
 *   static lpot_status tune(lpot_session *session, lpot_quantization **quantization,
 *                           lpot_error *error) {
 *     lpot_session_use_components(session, &components);
 *     lpot_status status =
 *         lpot_quantization_from_text(session, "built in", "{}", quantization, error);
 *     for (size_t i = 0; status == LPOT_OK && i < sizeof settings / sizeof settings[0]; i++) {
 *       status = lpot_quantization_set(*quantization, settings[i], error);
 *     }
 *     if (status == LPOT_OK) {
 *       status = lpot_quantization_set_model(*quantization, "shapes.onnx", error);
 *     }
 *     return status == LPOT_OK ? lpot_quantization_run(*quantization, error) : status;
 *   }
 *
 *   int main(int argc, char **argv) {
 *     lpot_error error = {LPOT_OK};
 *     lpot_session *session = NULL;
 *     lpot_quantization *quantization = NULL;
 *     lpot_status status = lpot_start(&argc, &argv, &session, &error);
 *     if (status == LPOT_OK) {
 *       status = tune(session, &quantization, &error);
 *     }
 *     if (status != LPOT_OK) {
 *       fprintf(stderr, "error: %s\n", error.message);
 *     }
 *     const lpot_quantization_result *result = lpot_quantization_get_result(quantization);
 *     if (result != NULL) {
 *       printf("evaluated to %.6f, in f32 %.6f\n", result->accuracy, result->baseline_accuracy);
 *     }
 *     lpot_quantization_free(quantization);
 *     lpot_finish(session, lpot_status_exit_code(status));
 *     return lpot_rank() == 0 ? lpot_status_exit_code(status) : 0;
 *   }
 */
#ifndef LPOT_QUANTIZATION_H
#define LPOT_QUANTIZATION_H

#include <stddef.h>
#include <stdint.h>

#include <lpot/error.h>
#include <lpot/session.h>
#include <lpot/verdict.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lpot_quantization lpot_quantization;

/* What a run prints on standard output of rank 0. */
typedef enum lpot_output {
  LPOT_OUTPUT_TABLE, /* the default: all trials and the verdict, for people */
  LPOT_OUTPUT_JSON,  /* JSON, a line for each result */
  LPOT_OUTPUT_NONE
} lpot_output;

/* What came of a run; texts are borrowed from the quantization and NULL where there is nothing.
 * Figures that are not known are NaN. Fields may be added at the end. */
typedef struct lpot_quantization_result {
  lpot_verdict verdict;
  uint64_t num_trials;
  uint64_t trial; /* number of the one that is handed out; 0: none, and nothing below is known but
                     baseline_accuracy and the files history and report */
  double baseline_accuracy; /* of the f32 model */
  double accuracy;
  double relative_loss; /* (baseline - accuracy) / |baseline|, turned where lower is better */
  double latency_ms;    /* per sample */
  double baseline_latency_ms;
  double
      speedup; /* of f32 by the recipe, measured side by side: not the quotient of the two above */
  int latency_is_trusted; /* 0: the machine was not steady; the figures say little */
  size_t num_ops;         /* that could be quantized */
  size_t num_quantized;   /* in int8 */
  uint64_t recipe_hash;
  const char *recipe_text;  /* the recipe in its canonical YAML */
  const char *workspace;    /* folder of all files */
  const char *model_path;   /* best_model.onnx */
  const char *recipe_path;  /* best_recipe.yaml */
  const char *deploy_path;  /* deploy.yaml, for lpot-bench */
  const char *history_path; /* history.h5 */
  const char *report_path;  /* report.html */
} lpot_quantization_result;

/* From a configuration file, or from its text, which messages call name. Both are read and checked
 * when they are used: of several mistakes the error has the last one, the others are logged, and so
 * are warnings. session must live longer. LPOT_NO_MEMORY, LPOT_INVALID. Not collective. */
LPOT_API LPOT_MUST_CHECK lpot_status lpot_quantization_from_file(
    lpot_session *session, const char *path, lpot_quantization **ret_quantization, lpot_error *err);
LPOT_API LPOT_MUST_CHECK lpot_status
lpot_quantization_from_text(lpot_session *session, const char *name, const char *text,
                            lpot_quantization **ret_quantization, lpot_error *err);
LPOT_API void lpot_quantization_free(lpot_quantization *quantization);

/* Settings, which all ranks have to make alike. Not collective. */

/* The network (ONNX). */
LPOT_API LPOT_MUST_CHECK lpot_status lpot_quantization_set_model(lpot_quantization *quantization,
                                                                 const char *path, lpot_error *err);
/* Sets a key of the configuration over what it says there: "KEY.PATH=VALUE", such as
 * "tuning.random_seed=7". LPOT_INVALID. */
LPOT_API LPOT_MUST_CHECK lpot_status lpot_quantization_set(lpot_quantization *quantization,
                                                           const char *setting, lpot_error *err);
/* Where all files go; else as tuning.workspace.path says. */
LPOT_API LPOT_MUST_CHECK lpot_status lpot_quantization_set_workspace(
    lpot_quantization *quantization, const char *folder, lpot_error *err);
/* A file best_recipe.yaml: this recipe is evaluated and exported instead of a search. */
LPOT_API LPOT_MUST_CHECK lpot_status lpot_quantization_set_recipe(lpot_quantization *quantization,
                                                                  const char *path,
                                                                  lpot_error *err);
/* A file op_times.yaml: what each op costs, instead of measuring it. */
LPOT_API LPOT_MUST_CHECK lpot_status lpot_quantization_set_cost_table(
    lpot_quantization *quantization, const char *path, lpot_error *err);
/* "onednn" (the default), or "reference", which is slow and for debugging; LPOT_INVALID else. */
LPOT_API LPOT_MUST_CHECK lpot_status lpot_quantization_set_engine(lpot_quantization *quantization,
                                                                  const char *name,
                                                                  lpot_error *err);
/* "auto" (the default), "bar", "line" or "none", on standard error. The first run of a session
 * decides. LPOT_INVALID. */
LPOT_API LPOT_MUST_CHECK lpot_status lpot_quantization_set_progress(lpot_quantization *quantization,
                                                                    const char *style,
                                                                    lpot_error *err);
/* Not 0: go on with the journal in the workspace, if there is one. This and the next do nothing for
 * quantization NULL. */
LPOT_API void lpot_quantization_set_resume(lpot_quantization *quantization, int resume);
LPOT_API void lpot_quantization_set_output(lpot_quantization *quantization, lpot_output output);

/* Prints ops, space, plan and effective configuration on standard output, and tunes nothing.
 * Errors go to the log. Returns the exit code. Not collective. */
LPOT_API int lpot_quantization_dry_run(lpot_quantization *quantization);

/* Tunes. On rank 0 LPOT_OK says that the search has ended with a verdict, LPOT_INTERRUPTED that it
 * was stopped and can be resumed, everything else what went wrong. Other ranks help until rank 0
 * has ended and return LPOT_OK then, whatever came of it; they have no result. May be called again.
 * Collective. */
LPOT_API LPOT_MUST_CHECK lpot_status lpot_quantization_run(lpot_quantization *quantization,
                                                           lpot_error *err);
/* Of the last run; NULL before the first, on other ranks than 0 (where the model is to be had only
 * from the files), and for quantization NULL. Valid until the next run. Not collective. */
LPOT_API const lpot_quantization_result *
lpot_quantization_get_result(const lpot_quantization *quantization);
/* What lpot-tune would return after the last run: 0 criterion met, 5 not met, 6 interrupted, else
 * by the status of the error. 0 on other ranks; 2 for quantization NULL. Not collective. */
LPOT_API int lpot_quantization_exit_code(const lpot_quantization *quantization);

/* Workspaces of ended or running jobs. Results are printed on standard output, errors logged; the
 * exit code is returned, 2 where workspace or engine_name is NULL. engine_name: as of
 * lpot_quantization_set_engine. None is collective. */

/* Writes the model, recipe and deploy file of one recorded trial into folder (NULL:
 * WORKSPACE/trial_N). */
LPOT_API int lpot_workspace_export(const char *workspace, uint64_t trial, const char *folder,
                                   const char *engine_name);
/* Prints how far the job is, as text, or (json not 0) as one JSON object. */
LPOT_API int lpot_workspace_status(const char *workspace, int json);
/* Makes history.h5 again from the journal; refused while a job runs there. */
LPOT_API int lpot_workspace_rebuild(const char *workspace);
/* Makes report.html again from the journal. */
LPOT_API int lpot_workspace_report(const char *workspace, const char *engine_name);

#ifdef __cplusplus
}
#endif

#endif
