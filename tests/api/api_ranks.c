/* A program on several ranks that quantizes twice in one session, by the installed interface alone.
 *
 *   mpirun -n N api_ranks MODE CONF MODEL FOLDER
 *
 * MODE lazy: lpot starts MPI. own: the program starts it, behind lpot_start, and uses it before and
 * behind the session. early: before lpot_start; thread: a thread is there before it; in both
 * evaluators run inside the program. A benchmark behind a quantization is refused on all ranks. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <mpi.h>

#include <lpot/lpot.h>

#define SAMPLES 500

static int failures;

static void check(int fine, const char *what) {
  if (!fine) {
    fprintf(stderr, "rank %d: failed: %s\n", lpot_rank(), what);
    failures++;
  }
}

/* What a run has to bring on this rank. */
static void check_result(const lpot_quantization *quantization, lpot_status status,
                         const char *workspace, unsigned long long *ret_hash) {
  const lpot_quantization_result *result = lpot_quantization_get_result(quantization);
  check(status == LPOT_OK, "status is LPOT_OK");
  check(lpot_quantization_exit_code(quantization) == 0, "exit code is 0");
  if (lpot_rank() > 0) {
    check(result == NULL, "the result is rank 0's");
    return;
  }
  check(result != NULL, "rank 0 has a result");
  if (result == NULL) {
    return;
  }
  check(result->verdict == LPOT_VERDICT_MET, "the criterion is met");
  check(result->trial >= 1 && result->trial <= result->num_trials, "there is a trial");
  check(result->baseline_accuracy > 0.9 && result->accuracy > 0.9 && result->accuracy <= 1,
        "accuracies are known");
  check(result->num_quantized > 0 && result->num_quantized <= result->num_ops, "ops are in int8");
  check(result->recipe_text != NULL && strstr(result->recipe_text, "calibration") != NULL,
        "the recipe has a text");
  check(fabs(result->baseline_accuracy * SAMPLES - round(result->baseline_accuracy * SAMPLES)) <
            1e-9,
        "settings hold: a share of so many samples");
  double loss = (result->baseline_accuracy - result->accuracy) / result->baseline_accuracy;
  check(fabs(result->relative_loss - loss) < 1e-12, "the loss is that of the accuracies");
  check(result->latency_ms > 0 && result->baseline_latency_ms > 0 && result->speedup > 0,
        "latencies are known");
  const char *const paths[] = {result->model_path, result->recipe_path, result->deploy_path,
                               result->history_path, result->report_path};
  const char *const names[] = {"/best_model.onnx", "/best_recipe.yaml", "/deploy.yaml",
                               "/history.h5", "/report.html"};
  for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
    FILE *file = paths[i] == NULL ? NULL : fopen(paths[i], "rb");
    size_t length = strlen(workspace);
    check(file != NULL && strncmp(paths[i], workspace, length) == 0 &&
              strcmp(paths[i] + length, names[i]) == 0,
          "files are written into the workspace");
    if (file != NULL) {
      (void)fclose(file);
    }
  }
  *ret_hash = result->recipe_hash;
}

/* A run that fails leaves nothing of the one before. */
static void fail_again(lpot_quantization *quantization) {
  lpot_error error = {LPOT_OK};
  int root = lpot_rank() == 0;
  check(lpot_quantization_set(quantization, "tuning.random_seed=x", &error) == LPOT_OK, "set");
  lpot_status status = lpot_quantization_run(quantization, &error);
  check(status == (root ? LPOT_CONFIG : LPOT_OK), "a wrong setting is rank 0's error");
  check(lpot_quantization_exit_code(quantization) == (root ? 3 : 0), "exit code of the error");
  check(lpot_quantization_get_result(quantization) == NULL, "the earlier result is gone");
}

static unsigned long long quantize(lpot_session *session, char **argv, int number) {
  lpot_error error = {LPOT_OK};
  char workspace[1024];
  unsigned long long hash = 0;
  lpot_quantization *quantization = NULL;
  snprintf(workspace, sizeof workspace, "%s/run_%d", argv[4], number);
  lpot_status status = lpot_quantization_from_file(session, argv[2], &quantization, &error);
  check(status == LPOT_OK, "a quantization is made");
  if (status != LPOT_OK) {
    return 0;
  }
  const char *const settings[] = {
      "evaluation.accuracy.dataloader.dataset.shapes.samples=500", /* SAMPLES */
      "quantization.calibration.sampling_size=50", "evaluation.performance.iteration=2"};
  for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
    check(lpot_quantization_set(quantization, settings[i], &error) == LPOT_OK, settings[i]);
  }
  check(lpot_quantization_set_model(quantization, argv[3], &error) == LPOT_OK, "model is set");
  check(lpot_quantization_set_workspace(quantization, workspace, &error) == LPOT_OK, "workspace");
  check(lpot_quantization_set_progress(quantization, "none", &error) == LPOT_OK, "progress");
  lpot_quantization_set_output(quantization, LPOT_OUTPUT_NONE);
  status = lpot_quantization_run(quantization, &error);
  if (status != LPOT_OK) {
    fprintf(stderr, "rank %d: %s\n", lpot_rank(), error.message);
  }
  check_result(quantization, status, workspace, &hash);
  fail_again(quantization);
  lpot_quantization_free(quantization);
  return hash;
}

static void benchmark_is_refused(lpot_session *session, char **argv, int inside) {
  lpot_error error = {LPOT_OK};
  lpot_benchmark *benchmark = NULL;
  check(lpot_benchmark_from_file(session, argv[2], &benchmark, &error) == LPOT_OK, "a benchmark");
  check(lpot_benchmark_add_model(benchmark, argv[3], NULL, 0, &error) == LPOT_OK, "its model");
  check(lpot_benchmark_run(benchmark, LPOT_BENCHMARK_PERFORMANCE, &error) == LPOT_INVALID &&
            strstr(error.message, inside ? "instances are processes" : "MPI runs already") != NULL,
        "a late benchmark is refused");
  lpot_benchmark_free(benchmark);
}

static void *sleep_on(void *unused) {
  for (;;) {
    pause();
  }
  return unused;
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: api_ranks lazy|own|early|thread CONF MODEL FOLDER\n");
    return 2;
  }
  int early = strcmp(argv[1], "early") == 0;
  int threaded = strcmp(argv[1], "thread") == 0;
  int own = early || strcmp(argv[1], "own") == 0;
  lpot_error error = {LPOT_OK};
  lpot_session *session = NULL;
  pthread_t thread;
  if (threaded) {
    check(pthread_create(&thread, NULL, sleep_on, NULL) == 0, "a thread");
  }
  if (early) {
    MPI_Init(&argc, &argv);
  }
  lpot_status status = lpot_start(&argc, &argv, &session, &error);
  check(status == LPOT_OK, "lpot_start");
  if (status == LPOT_OK) {
    if (own && !early) {
      MPI_Init(&argc, &argv);
    }
    unsigned long long first = quantize(session, argv, 1);
    unsigned long long second = quantize(session, argv, 2);
    check(first == second && (first != 0 || lpot_rank() > 0), "two runs give the same recipe");
    benchmark_is_refused(session, argv, early || threaded);
  }
  lpot_finish(session, failures != 0);
  if (own) {
    int rank = -1;
    check(MPI_Comm_rank(MPI_COMM_WORLD, &rank) == MPI_SUCCESS && rank == lpot_rank(),
          "MPI is still the program's");
    MPI_Finalize();
  }
  return failures != 0;
}
