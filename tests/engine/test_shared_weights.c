#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mapping_shared.h"
#include "engine/engine_fixture.h"

/* Memory files of packed weights that this process has open (base/mapping_shared.h). */
static size_t count_memory_files(void) {
  size_t count = 0;
  DIR *files = opendir("/proc/self/fd");
  assert_non_null(files);
  for (struct dirent *entry; (entry = readdir(files)) != NULL;) {
    char target[128];
    ssize_t length = readlinkat(dirfd(files), entry->d_name, target, sizeof target - 1);
    target[length < 0 ? 0 : length] = '\0';
    count += strncmp(target, "/memfd:lpot-", strlen("/memfd:lpot-")) == 0 ? 1 : 0;
  }
  (void)closedir(files);
  return count;
}

/* A convolution of 1 MiB, a product of 512 KiB and one of 16 KiB at most, in f32. */
static void build_f32(fixture *f) {
  fixture_begin(f, 1);
  lpot_value_id x = input(f, DIMS(2, 512, 2, 2));
  x = output_of(f, LPOT_OP_CONV, IDS(x, weights(f, 0.1, DIMS(512, 512, 1, 1))));
  x = output_of(f, LPOT_OP_FLATTEN, IDS(x));
  x = output_of(f, LPOT_OP_MATMUL, IDS(x, weights(f, 0.1, DIMS(2048, 64))));
  result(f, output_of(f, LPOT_OP_MATMUL, IDS(x, weights(f, 0.1, DIMS(64, 10)))));
}

/* One int8 convolution of 256 KiB. */
static void build_int8(fixture *f) {
  fixture_begin(f, 2);
  lpot_value_id x = pair(f, input(f, DIMS(2, 512, 3, 3)), LPOT_U8, 0.05, 128);
  lpot_value_id w = int8_weights(f, 0, true, DIMS(512, 512, 1, 1));
  result(f, pair(f, output_of(f, LPOT_OP_CONV, IDS(x, w)), LPOT_U8, 0.5, 128));
}

/* Plans that share their weights have so many memory files, others none, and all the same results;
 * two of them have the files twice, which are then the same. */
static void check(fixture *f, size_t num_files) {
  const lpot_plan_options shared = {.share_weights = true};
  lpot_graph *bound = NULL;
  lpot_engine *engines[3] = {NULL};
  size_t before = count_memory_files();
  CHECK(lpot_graph_bind(f->graph, 2, lpot_reference_run, &bound, e));
  lpot_plan *own = compile_with("onednn", bound, NULL, &engines[0]);
  assert_int_equal(count_memory_files(), before);
  lpot_plan *first = compile_with("onednn", bound, &shared, &engines[1]);
  assert_int_equal(count_memory_files(), before + num_files);
  lpot_plan *second = compile_with("onednn", bound, &shared, &engines[2]);
  assert_int_equal(count_memory_files(), before + 2 * num_files);
  lpot_tensor *x = random_input(f, lpot_graph_value(bound, lpot_graph_input(bound, 0)));
  lpot_plan *plans[] = {own, first, second};
  for (int i = 0; i < 3; i++) {
    CHECK(lpot_plan_run(plans[i], (const lpot_tensor *const *)&x, e));
    const lpot_tensor *y = lpot_plan_output(plans[i], 0);
    const lpot_tensor *expected = lpot_plan_output(own, 0);
    assert_int_equal(y->size_bytes, expected->size_bytes);
    assert_memory_equal(y->data, expected->data, y->size_bytes);
  }
  lpot_tensor_unref(x);
  for (int i = 0; i < 3; i++) {
    lpot_plan_free(plans[i]);
    lpot_engine_close(engines[i]);
  }
  assert_int_equal(count_memory_files(), before);
  lpot_graph_free(bound);
  lpot_graph_free(f->graph);
}

static void plans_that_share_differ_in_memory_only(void **state) {
  (void)state;
  fixture f;
  assert_non_null(lpot_mapping_shared_index()); /* It has a file of its own. */
  build_f32(&f);
  check(&f, 2);
  build_int8(&f);
  check(&f, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(plans_that_share_differ_in_memory_only),
  };
  return cmocka_run_group_tests_name("shared_weights", tests, NULL, NULL);
}
