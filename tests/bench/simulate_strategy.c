/* Replays strategies without inference: demands are answered from a model of what each op's
 * quantization costs in accuracy and saves in time. Prints for every strategy how much it takes
 * until it ends and what is then handed out.
 *
 *   simulate_strategy [--ops N] [--models M] [--seed S] [--workers W] [--max-trials K]
 *                     [--table FILE] [STRATEGY ...]
 *
 * Model. Drop of a recipe in points = sum over the int8 ops of their damage (times a factor of the
 * configuration) + an interaction of neighbours that are both int8 (may be negative). An accuracy
 * may be at most one point below f32. Time = sum of the ops' times in f32 or int8 + a twentieth
 * of the mean op for each border between int8 and f32 along the chain; strategies that ask are told
 * these times. What is sensed is an op's
 * damage, off by a factor whose logarithm correlates with that of the damage by 0.9.
 *   synthetic: N ops; damage log-normal (sigma 1.5), scaled so that all-int8 drops 2 to 10 points;
 *              int8 takes a third of f32's time.
 *   --table: one network as tests/bench/record_damage.py writes it: damages, times, and what the
 *            recorded answers say of races.
 *
 * Cost. A full set counts 1. A demand that may be cut short counts the share of the samples
 * (synthetic: of 50,000) that a paired test at 3.29 standard deviations needs for its drop, looked
 * at when the samples double from 250 on; a share of 0.04 + its drop (synthetic) is answered
 * otherwise than by f32. Sensing counts 64 samples. Rounds: with W workers a demand and W - 1 hints
 * are evaluated side by side; `work` is what all of them cost. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash_map.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/text.h"
#include "strategy/space_build.h"
#include "strategy/strategy.h"

#define MAX_OPS 512
#define MAX_WORKERS 256
#define TOLERANCE 1.0 /* points */
#define SENSED 64
#define NUM_ALGORITHMS 4

typedef struct network {
  size_t num_ops;
  double samples, baseline;    /* of the evaluation set; f32's accuracy in points */
  double discordance, by_drop; /* share that is answered otherwise: discordance + by_drop * drop */
  char names[MAX_OPS][64];
  char types[MAX_OPS][32];
  double damage[MAX_OPS];                        /* points, of u8 asym minmax per_channel */
  double interaction[MAX_OPS];                   /* points, of op i with op i + 1 */
  double factors[MAX_OPS][2][2][NUM_ALGORITHMS]; /* [dtype u8, s8][scheme][algorithm] */
  double sensed[MAX_OPS];
  double time[MAX_OPS], int8_time[MAX_OPS];
} network;

typedef struct settings {
  size_t num_ops, num_models, workers;
  uint64_t seed;
  size_t max_trials;
  const char *table; /* or NULL */
} settings;

typedef struct outcome {
  bool met;
  double trials, senses, sets, rounds, work, latency, share;
} outcome;

/* ---- networks ---- */

static const network plain = {.samples = 50000, .baseline = 76, .discordance = 0.04, .by_drop = 1};

static void fill_rest(network *net, lpot_rng *rng) {
  const double proxy_sigma = 1.5 * sqrt(1 / (0.9 * 0.9) - 1);
  for (size_t i = 0; i < net->num_ops; i++) {
    net->sensed[i] = net->damage[i] * exp(proxy_sigma * lpot_rng_normal(rng));
    double next = i + 1 < net->num_ops ? net->damage[i + 1] : 0;
    net->interaction[i] = 0.3 * lpot_rng_normal(rng) * sqrt(net->damage[i] * next);
    for (size_t k = 0; k < 2 * 2 * NUM_ALGORITHMS; k++) {
      double *factor = &net->factors[i][k / 8][k / 4 % 2][k % 4];
      *factor = k == 4 ? 1 : exp(0.1 * (double)(k / 8) + 0.3 * lpot_rng_normal(rng));
    }
  }
}

static void make_synthetic(const settings *options, uint64_t model, network *net) {
  lpot_rng rng;
  lpot_rng_init(&rng, options->seed + model);
  double sum = 0;
  *net = plain;
  net->num_ops = options->num_ops;
  for (size_t i = 0; i < net->num_ops; i++) {
    snprintf(net->names[i], sizeof net->names[i], "op%zu", i);
    static const char *const types[] = {"Conv", "Conv", "Conv", "MatMul", "Gemm"};
    snprintf(net->types[i], sizeof net->types[i], "%s", types[lpot_rng_below(&rng, 5)]);
    net->damage[i] = exp(1.5 * lpot_rng_normal(&rng));
    net->time[i] = exp(lpot_rng_normal(&rng));
    net->int8_time[i] = net->time[i] / 3;
    sum += net->damage[i];
  }
  double drop = 2 + 8 * lpot_rng_uniform(&rng);
  for (size_t i = 0; i < net->num_ops; i++) {
    net->damage[i] *= drop / sum;
  }
  fill_rest(net, &rng);
}

/* Lines: network SAMPLES BASELINE DISCORDANCE BY_DROP, which may be left out; op NAME TYPE
 * DAMAGE_POINTS TIME [INT8_TIME]; the latter is a third where it is left out. */
static void read_table(const settings *options, network *net) {
  FILE *file = fopen(options->table, "r");
  if (file == NULL) {
    fprintf(stderr, "simulate_strategy: '%s' cannot be opened\n", options->table);
    exit(1);
  }
  char line[512];
  *net = plain;
  while (fgets(line, sizeof line, file) != NULL && net->num_ops < MAX_OPS) {
    size_t i = net->num_ops;
    if (line[0] == '#' || sscanf(line, "network %lf %lf %lf %lf", &net->samples, &net->baseline,
                                 &net->discordance, &net->by_drop) == 4) {
      continue;
    }
    int found = sscanf(line, "op %63s %31s %lf %lf %lf", net->names[i], net->types[i],
                       &net->damage[i], &net->time[i], &net->int8_time[i]);
    if (found < 4) {
      fprintf(stderr,
              "simulate_strategy: expected 'op NAME TYPE DAMAGE TIME [INT8_TIME]', got '%s'\n",
              line);
      exit(1);
    }
    net->int8_time[i] = found < 5 ? net->time[i] / 3 : net->int8_time[i];
    net->damage[i] = fmax(net->damage[i], 1e-4);
    net->num_ops++;
  }
  fclose(file);
  lpot_rng rng;
  lpot_rng_init(&rng, options->seed);
  fill_rest(net, &rng);
}

/* ---- what a recipe is worth ---- */

static bool is_int8(const lpot_recipe *recipe, size_t op) {
  return lpot_op_config_is_quantized(&recipe->ops[op]);
}

static double drop_of(const network *net, const lpot_recipe *recipe) {
  double drop = 0;
  for (size_t i = 0; i < net->num_ops; i++) {
    if (!is_int8(recipe, i)) {
      continue;
    }
    const lpot_op_config *config = &recipe->ops[i];
    size_t dtype = config->activation.dtype == LPOT_S8;
    double factor = net->factors[i][dtype][config->activation.scheme][config->activation.algorithm];
    factor *= config->weight.granularity == LPOT_PER_TENSOR ? 1.5 : 1;
    drop += net->damage[i] * factor;
    drop += i + 1 < net->num_ops && is_int8(recipe, i + 1) ? net->interaction[i] : 0;
  }
  return drop;
}

static double error_of(const network *net, const lpot_recipe *recipe) {
  double error = 0;
  for (size_t i = 0; i < net->num_ops; i++) {
    error += is_int8(recipe, i) ? net->sensed[i] : 0;
  }
  return error;
}

static double time_of(const network *net, const lpot_recipe *recipe) {
  double time = 0;
  double mean = 0;
  size_t borders = 0;
  for (size_t i = 0; i < net->num_ops; i++) {
    time += is_int8(recipe, i) ? net->int8_time[i] : net->time[i];
    mean += net->time[i] / (double)net->num_ops;
    borders += i > 0 && is_int8(recipe, i) != is_int8(recipe, i - 1);
  }
  return time + 0.05 * mean * (double)borders;
}

/* Share of the set that a race takes. */
static double race_share(const network *net, double drop) {
  double distance = fabs(drop - TOLERANCE) / 100;
  double discordance = net->discordance + net->by_drop * fabs(drop) / 100;
  if (drop <= TOLERANCE || distance == 0) {
    return 1; /* What is accepted is always evaluated on the whole set. */
  }
  double needed = 3.29 * 3.29 * discordance / (distance * distance);
  double look = 250;
  while (look < needed && look < net->samples) {
    look *= 2;
  }
  return fmin(look, net->samples) / net->samples;
}

/* What time_of is made of, for strategies. */
typedef struct op_costs {
  lpot_op_cost costs[MAX_OPS];
  lpot_op_link links[MAX_OPS];
} op_costs;

static void fill_costs(const network *net, op_costs *all) {
  double mean = 0;
  for (size_t i = 0; i < net->num_ops; i++) {
    mean += net->time[i] / (double)net->num_ops;
  }
  for (size_t i = 0; i < net->num_ops; i++) {
    all->costs[i] = (lpot_op_cost){.f32_us = net->time[i],
                                   .int8_us = net->int8_time[i],
                                   .bf16_us = (double)NAN,
                                   .quantize_us = 0.05 * mean,
                                   .dequantize_us = 0.05 * mean};
    all->links[i] = (lpot_op_link){.from = i, .to = i + 1};
  }
}

/* ---- a search ---- */

typedef struct search {
  const network *net;
  lpot_hash_map *known; /* what was evaluated, by recipe and purpose */
  outcome result;
  size_t accepted;
  double latency, share; /* of what is handed out */
} search;

static void fail_on(lpot_status status, const lpot_error *err) {
  if (status != LPOT_OK) {
    fprintf(stderr, "simulate_strategy: %s\n", err->message);
    exit(1);
  }
}

static double cost_of(const search *self, const lpot_recipe *recipe, lpot_purpose purpose) {
  if (purpose == LPOT_SENSE) {
    return SENSED / self->net->samples;
  }
  return purpose == LPOT_DECIDE ? race_share(self->net, drop_of(self->net, recipe)) : 1;
}

/* True where it was known already. */
static bool look_up(search *self, const lpot_recipe *recipe, lpot_purpose purpose) {
  char key[48];
  int64_t unused = 0;
  snprintf(key, sizeof key, "%llx %d", (unsigned long long)lpot_recipe_hash(recipe), (int)purpose);
  if (lpot_hash_map_get(self->known, key, &unused)) {
    return true;
  }
  lpot_error error = {0};
  fail_on(lpot_hash_map_put(self->known, key, 1, &error), &error);
  return false;
}

/* One round: the demand and, on the other workers, hints. */
static void evaluate(search *self, const settings *options, const lpot_strategy *strategy,
                     const lpot_demand *demand) {
  if (look_up(self, demand->recipe, demand->purpose)) {
    return;
  }
  self->result.rounds++;
  self->result.work += cost_of(self, demand->recipe, demand->purpose);
  lpot_recipe *hints[MAX_WORKERS];
  lpot_purpose purposes[MAX_WORKERS];
  lpot_error error = {0};
  size_t count = 0;
  fail_on(lpot_strategy_hints(strategy, options->workers - 1, hints, purposes, &count, &error),
          &error);
  for (size_t i = 0; i < count; i++) {
    if (!look_up(self, hints[i], purposes[i])) {
      self->result.work += cost_of(self, hints[i], purposes[i]);
    }
    lpot_recipe_free(hints[i]);
  }
}

static lpot_result answer(search *self, const lpot_demand *demand) {
  double cost = cost_of(self, demand->recipe, demand->purpose);
  self->result.sets += cost;
  if (demand->purpose == LPOT_SENSE) {
    self->result.senses++;
    return (lpot_result){
        .valid = true, .error = error_of(self->net, demand->recipe), .samples = SENSED};
  }
  double drop = drop_of(self->net, demand->recipe);
  self->result.trials++;
  lpot_result result = {.valid = true,
                        .accuracy = (self->net->baseline - drop) / 100,
                        .samples = (int64_t)(cost * self->net->samples),
                        .meets = drop <= TOLERANCE};
  if (result.meets) {
    self->accepted++;
    self->latency = time_of(self->net, demand->recipe);
    self->share = (double)lpot_recipe_num_quantized(demand->recipe) / (double)self->net->num_ops;
  }
  return result;
}

static void run(search *self, const settings *options, const char *name, const op_costs *costs,
                lpot_strategy *strategy) {
  lpot_error error = {0};
  bool goes_on = lpot_strategy_goes_on(name);
  while (self->result.trials < (double)options->max_trials && (goes_on || self->accepted == 0)) {
    lpot_demand demand = {0};
    if (lpot_strategy_wants_costs(strategy)) {
      lpot_strategy_set_costs(strategy, costs->costs);
    }
    fail_on(lpot_strategy_next(strategy, &demand, &error), &error);
    if (demand.recipe == NULL) {
      return;
    }
    evaluate(self, options, strategy, &demand);
    const lpot_result result = answer(self, &demand);
    lpot_recipe_free(demand.recipe);
    fail_on(lpot_strategy_tell(strategy, &result, &error), &error);
  }
}

static lpot_space *make_space(const network *net) {
  static const char *names[MAX_OPS];
  static const char *types[MAX_OPS];
  static lpot_op_choices choices[MAX_OPS];
  static const int64_t sampling_sizes[] = {100};
  for (size_t i = 0; i < net->num_ops; i++) {
    bool weight = strcmp(net->types[i], "Add") != 0 && strstr(net->types[i], "Pool") == NULL;
    names[i] = net->names[i];
    types[i] = net->types[i];
    choices[i] = (lpot_op_choices){
        .activation = {.dtype = {3, {LPOT_U8, LPOT_S8, LPOT_F32}},
                       .scheme = {2, {LPOT_SCHEME_ASYM, LPOT_SCHEME_SYM}},
                       .granularity = {1, {LPOT_PER_TENSOR}},
                       .algorithm = {4, {LPOT_MINMAX, LPOT_KL, LPOT_PERCENTILE, LPOT_MSE}}}};
    if (weight) {
      choices[i].weight =
          (lpot_tensor_choices){.dtype = {2, {LPOT_S8, LPOT_F32}},
                                .scheme = {1, {LPOT_SCHEME_SYM}},
                                .granularity = {2, {LPOT_PER_CHANNEL, LPOT_PER_TENSOR}},
                                .algorithm = {1, {LPOT_MINMAX}}};
    }
  }
  const lpot_space_ops ops = {
      .count = net->num_ops, .names = names, .types = types, .capabilities = choices};
  const lpot_wishes wishes = {.num_sampling_sizes = 1,
                              .sampling_sizes = sampling_sizes,
                              .scale_propagation_concat = true,
                              .first_conv_or_matmul_quantization = true};
  lpot_space *space = NULL;
  lpot_error error = {0};
  fail_on(lpot_space_new_from_ops(&ops, &wishes, &space, &error), &error);
  return space;
}

static double all_int8_time(const network *net) {
  double time = 0;
  for (size_t i = 0; i < net->num_ops; i++) {
    time += net->int8_time[i];
  }
  return time;
}

static outcome simulate(const settings *options, const network *net, const char *name,
                        uint64_t seed) {
  static op_costs costs;
  search self = {.net = net};
  lpot_error error = {0};
  lpot_space *space = make_space(net);
  fill_costs(net, &costs);
  const lpot_strategy_options strategy_options = {.seed = seed,
                                                  .higher_is_better = true,
                                                  .baseline = net->baseline / 100,
                                                  .samples = (int64_t)net->samples,
                                                  .num_links = net->num_ops - 1,
                                                  .links = costs.links,
                                                  .accuracy_weight = 1,
                                                  .latency_weight = 1};
  lpot_strategy *strategy = NULL;
  fail_on(lpot_strategy_new(name, space, &strategy_options, &strategy, &error), &error);
  fail_on(lpot_hash_map_new(&self.known, &error), &error);
  run(&self, options, name, &costs, strategy);
  self.result.met = self.accepted > 0;
  self.result.latency = self.latency / all_int8_time(net);
  self.result.share = self.share;
  lpot_hash_map_free(self.known);
  lpot_strategy_free(strategy);
  lpot_space_free(space);
  return self.result;
}

/* ---- the table ---- */

static void print_row(const settings *options, const char *name) {
  static network net;
  outcome sum = {0};
  size_t met = 0;
  size_t models = options->table != NULL ? 1 : options->num_models;
  for (uint64_t model = 0; model < models; model++) {
    if (options->table != NULL) {
      read_table(options, &net);
    } else {
      make_synthetic(options, model, &net);
    }
    outcome one = simulate(options, &net, name, options->seed + model);
    sum.trials += one.trials;
    sum.senses += one.senses;
    sum.sets += one.sets;
    sum.rounds += one.rounds;
    sum.work += one.work;
    met += one.met;
    sum.latency += one.met ? one.latency : 0;
    sum.share += one.met ? one.share : 0;
  }
  double count = (double)models;
  double solved = met > 0 ? (double)met : (double)NAN;
  printf("| %-12s | %3.0f %% | %6.1f | %7.1f | %6.1f | %6.1f | %6.1f | %5.2f | %3.0f %% |\n", name,
         100 * (double)met / count, sum.trials / count, sum.senses / count, sum.sets / count,
         sum.rounds / count, sum.work / count, sum.latency / solved, 100 * sum.share / solved);
  fflush(stdout);
}

static size_t number_of(const char *text, size_t low, size_t high) {
  int64_t value = 0;
  if (!lpot_text_to_int64(text, &value) || value < (int64_t)low || value > (int64_t)high) {
    fprintf(stderr, "simulate_strategy: expected a number from %zu to %zu, got '%s'\n", low, high,
            text);
    exit(2);
  }
  return (size_t)value;
}

/* Returns the index of the first strategy's name. */
static int read_options(int argc, char **argv, settings *options) {
  int i = 1;
  for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
    const char *value = argv[i + 1];
    if (strcmp(argv[i], "--ops") == 0) {
      options->num_ops = number_of(value, 2, MAX_OPS);
    } else if (strcmp(argv[i], "--models") == 0) {
      options->num_models = number_of(value, 1, 100000);
    } else if (strcmp(argv[i], "--seed") == 0) {
      options->seed = number_of(value, 0, 1u << 30);
    } else if (strcmp(argv[i], "--workers") == 0) {
      options->workers = number_of(value, 1, MAX_WORKERS);
    } else if (strcmp(argv[i], "--max-trials") == 0) {
      options->max_trials = number_of(value, 1, 1u << 30);
    } else if (strcmp(argv[i], "--table") == 0) {
      options->table = value;
    } else {
      fprintf(stderr, "simulate_strategy: unknown option '%s'\n", argv[i]);
      exit(2);
    }
  }
  return i;
}

int main(int argc, char **argv) {
  settings options = {.num_ops = 150, .num_models = 10, .workers = 1, .seed = 1, .max_trials = 600};
  int first = read_options(argc, argv, &options);
  printf(
      "| strategy     | met   | trials | sensed  | sets   | rounds | work   | time  | int8  |\n");
  printf(
      "|--------------|-------|--------|---------|--------|--------|--------|-------|-------|\n");
  for (int i = first; i < argc; i++) {
    print_row(&options, argv[i]);
  }
  for (const char *const *name = lpot_strategy_names(); first >= argc && *name != NULL; name++) {
    if (strcmp(*name, "external") != 0) {
      print_row(&options, *name);
    }
  }
  return 0;
}
