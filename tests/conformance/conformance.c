/* conformance DATA [--engine NAME] [--only TEXT] [--table FILE] [--verbose]
 *
 * Runs ONNX's backend tests (Debian's libonnx-testdata; DATA is the folder that holds node/,
 * simple/, pytorch-operator/ and pytorch-converted/), each in a process of its own with 60 seconds
 * to live, and compares outputs: |a - b| <= 1e-5 + 1e-3 |b| for floating point, equal for integers,
 * up to one unit for 8-bit outputs, whose rounding ties differ between implementations (counted).
 *
 * Prints what did not pass and why, then a line for each operator; --table writes that as Markdown.
 * Exit codes: 0, or 1 when a case failed, crashed or hung that conformance_scope.c does not know.
 */
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance_case.h"
#include "conformance_scope.h"

#define SECONDS_TO_LIVE 60
#define MAX_CASES 4096
#define MAX_OPS 512

typedef struct options {
  const char *data, *engine, *only, *table;
  bool verbose;
} options;

typedef struct case_row {
  const char *suite; /* static */
  char name[128];
  bool in_scope;
  case_result result;
} case_row;

typedef struct op_row {
  char op[MAX_OP_TEXT];
  int counts[NUM_CASE_VERDICTS];
} op_row;

static case_row cases[MAX_CASES];
static int num_cases;

static const char *const suites[] = {"node", "simple", "pytorch-operator", "pytorch-converted"};
static const char *const verdict_texts[NUM_CASE_VERDICTS] = {"passed", "failed", "unsupported",
                                                             "crashed", "hung"};

/* ---- finding ---- */

static int compare_names(const void *a, const void *b) {
  return strcmp(((const case_row *)a)->name, ((const case_row *)b)->name);
}

static void find_cases(const options *given, const char *suite) {
  char path[512];
  int first = num_cases;
  snprintf(path, sizeof path, "%s/%s", given->data, suite);
  DIR *folder = opendir(path);
  if (folder == NULL) {
    return;
  }
  for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
    bool wanted = strncmp(entry->d_name, "test_", 5) == 0 &&
                  (given->only == NULL || strstr(entry->d_name, given->only) != NULL);
    if (wanted && num_cases < MAX_CASES) {
      cases[num_cases].suite = suite;
      snprintf(cases[num_cases].name, sizeof cases[0].name, "%.127s", entry->d_name);
      num_cases++;
    }
  }
  closedir(folder);
  qsort(cases + first, (size_t)(num_cases - first), sizeof cases[0], compare_names);
}

/* ---- running ---- */

static void read_result(int from, pid_t child, case_result *result) {
  size_t size = 0;
  char *bytes = (char *)result;
  for (ssize_t got = 1; got > 0 && size<sizeof *result; size += got> 0 ? (size_t)got : 0) {
    got = read(from, bytes + size, sizeof *result - size);
  }
  int status = 0;
  if (waitpid(child, &status, 0) == child && size == sizeof *result && WIFEXITED(status) &&
      WEXITSTATUS(status) == 0) {
    return;
  }
  bool hung = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
  result->verdict = hung ? CASE_HUNG : CASE_CRASHED;
  snprintf(result->reason, sizeof result->reason, "%s %d",
           WIFSIGNALED(status) ? "signal" : "exit code",
           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

/* The child is a copy of this process, so that nothing it does can harm the others. */
static int run_case(const options *given, case_row *row) {
  char path[1024];
  int ends[2];
  snprintf(path, sizeof path, "%s/%s/%s", given->data, row->suite, row->name);
  fflush(NULL);
  if (pipe(ends) != 0) {
    return -1;
  }
  pid_t child = fork();
  if (child < 0) {
    return -1;
  }
  if (child == 0) {
    close(ends[0]);
    alarm(SECONDS_TO_LIVE);
    conformance_run_case(path, given->engine, &row->result);
    bool written = write(ends[1], &row->result, sizeof row->result) == sizeof row->result;
    exit(written ? 0 : 1);
  }
  close(ends[1]);
  read_result(ends[0], child, &row->result);
  close(ends[0]);
  return 0;
}

/* ---- reporting ---- */

static const char *group_of(const case_row *row) {
  return row->result.num_ops == 1 ? row->result.ops[0] : "(several operators)";
}

static int compare_ops(const void *a, const void *b) {
  return strcmp(((const op_row *)a)->op, ((const op_row *)b)->op);
}

static int count_by_op(op_row *rows, bool in_scope) {
  int count = 0;
  for (int i = 0; i < num_cases; i++) {
    if (cases[i].in_scope != in_scope) {
      continue;
    }
    int k = 0;
    while (k < count && strcmp(rows[k].op, group_of(&cases[i])) != 0) {
      k++;
    }
    if (k == count && count < MAX_OPS) {
      snprintf(rows[k].op, sizeof rows[k].op, "%s", group_of(&cases[i]));
      count++;
    }
    rows[k].counts[cases[i].result.verdict]++;
  }
  qsort(rows, (size_t)count, sizeof *rows, compare_ops);
  return count;
}

static void print_row(FILE *out, const char *title, const int *counts) {
  int failed = counts[CASE_FAILED] + counts[CASE_CRASHED] + counts[CASE_HUNG];
  fprintf(out, "| %s | %d | %d | %d |\n", title, counts[CASE_PASSED], failed,
          counts[CASE_UNSUPPORTED]);
}

static void print_suites(FILE *out) {
  fprintf(out, "| suite | passed | failed | unsupported |\n|---|---|---|---|\n");
  for (size_t s = 0; s < sizeof suites / sizeof suites[0]; s++) {
    int counts[NUM_CASE_VERDICTS] = {0};
    for (int i = 0; i < num_cases; i++) {
      counts[cases[i].result.verdict] += cases[i].in_scope && cases[i].suite == suites[s];
    }
    print_row(out, suites[s], counts);
  }
  fputc('\n', out);
}

static void print_table(FILE *out) {
  static op_row rows[MAX_OPS];
  int totals[2][NUM_CASE_VERDICTS] = {{0}, {0}};
  for (int i = 0; i < num_cases; i++) {
    totals[cases[i].in_scope][cases[i].result.verdict]++;
  }
  fprintf(out, "| operator | passed | failed | unsupported |\n|---|---|---|---|\n");
  print_row(out, "**all in scope**", totals[1]);
  print_row(out, "**all out of scope**", totals[0]);
  int count = count_by_op(rows, true);
  for (int i = 0; i < count; i++) {
    print_row(out, rows[i].op, rows[i].counts);
  }
}

static void print_reasons(FILE *out) {
  fprintf(out, "\n| in scope, not passed | why |\n|---|---|\n");
  for (int i = 0; i < num_cases; i++) {
    const case_result *result = &cases[i].result;
    if (cases[i].in_scope && result->verdict != CASE_PASSED) {
      const char *known = conformance_known_failure(cases[i].name);
      fprintf(out, "| %s/%s | %s: %s |\n", cases[i].suite, cases[i].name,
              verdict_texts[result->verdict], known != NULL ? known : result->reason);
    }
  }
}

static int count_bad(void) {
  int bad = 0;
  for (int i = 0; i < num_cases; i++) {
    case_verdict verdict = cases[i].result.verdict;
    bad += verdict == CASE_CRASHED || verdict == CASE_HUNG ||
           (verdict == CASE_FAILED && cases[i].in_scope &&
            conformance_known_failure(cases[i].name) == NULL);
  }
  return bad;
}

static void print_summary(const options *given) {
  int counts[2][NUM_CASE_VERDICTS] = {{0}, {0}};
  int off_by_one = 0;
  int constants = 0;
  for (int i = 0; i < num_cases; i++) {
    counts[cases[i].in_scope][cases[i].result.verdict]++;
    bool passed = cases[i].result.verdict == CASE_PASSED;
    off_by_one += passed && cases[i].result.off_by_one > 0;
    constants += passed && cases[i].result.given_as_constants > 0;
  }
  for (int scope = 1; scope >= 0; scope--) {
    printf("engine %s, %s:", given->engine, scope ? "in scope" : "out of scope");
    int total = 0;
    for (int v = 0; v < NUM_CASE_VERDICTS; v++) {
      printf(" %d %s%s", counts[scope][v], verdict_texts[v], v + 1 < NUM_CASE_VERDICTS ? "," : "");
      total += counts[scope][v];
    }
    printf(", %.1f %% passed\n", total == 0 ? 0.0 : 100.0 * counts[scope][CASE_PASSED] / total);
  }
  printf("passed with 8-bit outputs one unit off: %d; with inputs given as constants: %d\n",
         off_by_one, constants);
}

static int write_table(const char *path, const char *engine) {
  FILE *out = fopen(path, "w");
  if (out == NULL) {
    fprintf(stderr, "cannot write '%s'\n", path);
    return -1;
  }
  fprintf(out,
          "ONNX's backend tests, written by `conformance DATA --table FILE` (engine %s). In scope "
          "are the operators that conformance_scope.c does not exclude.\n\n",
          engine);
  print_suites(out);
  print_table(out);
  print_reasons(out);
  return fclose(out);
}

static bool parse_options(int argc, char **argv, options *given) {
  *given = (options){.engine = "onednn"};
  for (int i = 1; i < argc; i++) {
    bool has_value = i + 1 < argc;
    if (strcmp(argv[i], "--engine") == 0 && has_value) {
      given->engine = argv[++i];
    } else if (strcmp(argv[i], "--only") == 0 && has_value) {
      given->only = argv[++i];
    } else if (strcmp(argv[i], "--table") == 0 && has_value) {
      given->table = argv[++i];
    } else if (strcmp(argv[i], "--verbose") == 0) {
      given->verbose = true;
    } else if (argv[i][0] != '-' && given->data == NULL) {
      given->data = argv[i];
    } else {
      return false;
    }
  }
  return given->data != NULL;
}

int main(int argc, char **argv) {
  options given;
  if (!parse_options(argc, argv, &given)) {
    fprintf(stderr, "usage: conformance DATA [--engine NAME] [--only TEXT] [--table FILE] "
                    "[--verbose]\n");
    return 2;
  }
  for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
    find_cases(&given, suites[i]);
  }
  if (num_cases == 0) {
    printf("SKIPPED program conformance: no tests in '%s' (Debian: libonnx-testdata)\n",
           given.data);
    return 0;
  }
  for (int i = 0; i < num_cases; i++) {
    case_row *row = &cases[i];
    if (run_case(&given, row) != 0) {
      perror("conformance");
      return 1;
    }
    row->in_scope = conformance_in_scope(row->name, &row->result);
    bool tell = row->in_scope || row->result.verdict == CASE_CRASHED ||
                row->result.verdict == CASE_HUNG || given.verbose;
    if (row->result.verdict != CASE_PASSED && tell) {
      printf("%s %s/%s: %s\n", verdict_texts[row->result.verdict], row->suite, row->name,
             row->result.reason);
    }
  }
  print_summary(&given);
  if (given.table != NULL && write_table(given.table, given.engine) != 0) {
    return 1;
  }
  return count_bad() > 0 ? 1 : 0;
}
