#include <stdlib.h>

#include "engine/engine_fixture.h"

/* A processor without VNNI, as oneDNN lets one play it: the limit must stand before oneDNN's first
 * use, so this is a program of its own. */

static bool saturates(const char *engine_name) {
  lpot_engine *engine = NULL;
  CHECK(lpot_engine_open(engine_name, &engine, e));
  bool answer = lpot_engine_saturates(engine);
  lpot_engine_close(engine);
  return answer;
}

static void products_saturate_without_vnni(void **state) {
  (void)state;
  assert_true(saturates("onednn"));
}

static void the_reference_engine_never_saturates(void **state) {
  (void)state;
  assert_false(saturates("reference"));
}

int main(void) {
  setenv("ONEDNN_MAX_CPU_ISA", "AVX2", 1);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(products_saturate_without_vnni),
      cmocka_unit_test(the_reference_engine_never_saturates),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
