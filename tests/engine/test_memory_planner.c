#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "engine/memory_planner.h"

static void buffers_alive_together_never_overlap(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    enum { COUNT = 40 };
    lpot_planned_buffer buffers[COUNT];
    lpot_rng rng;
    lpot_error err = {0};
    size_t arena = 0;
    lpot_rng_init(&rng, seed);
    for (int i = 0; i < COUNT; ++i) {
      buffers[i].size_bytes = 1 + lpot_rng_below(&rng, 5000);
      buffers[i].first_step = (int)lpot_rng_below(&rng, 30);
      buffers[i].last_step = buffers[i].first_step + (int)lpot_rng_below(&rng, 8);
    }
    assert_int_equal(lpot_memory_plan(buffers, COUNT, &arena, &err), LPOT_OK);
    for (int i = 0; i < COUNT; ++i) {
      assert_int_equal(buffers[i].offset % 64, 0);
      assert_true(buffers[i].offset + buffers[i].size_bytes <= arena);
      for (int j = 0; j < i; ++j) {
        const lpot_planned_buffer *a = &buffers[i], *b = &buffers[j];
        int together = a->first_step <= b->last_step && b->first_step <= a->last_step;
        int apart =
            a->offset + a->size_bytes <= b->offset || b->offset + b->size_bytes <= a->offset;
        assert_true(!together || apart);
      }
    }
  }
}

static void a_chain_needs_two_buffers(void **state) {
  (void)state;
  lpot_planned_buffer buffers[10];
  lpot_error err = {0};
  size_t arena = 0;
  for (int i = 0; i < 10; ++i) {
    buffers[i] = (lpot_planned_buffer){.size_bytes = 640, .first_step = i, .last_step = i + 1};
  }
  assert_int_equal(lpot_memory_plan(buffers, 10, &arena, &err), LPOT_OK);
  assert_int_equal(arena, 1280);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(buffers_alive_together_never_overlap),
      cmocka_unit_test(a_chain_needs_two_buffers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
