#include "tune/tune_fixture.h"

#include "tune/block_speed.h"

static void median_of_what_came_last(void **state) {
  (void)state;
  lpot_block_speed speed = {0};
  assert_true(speed.seconds == 0);
  lpot_block_speed_note(&speed, 6, 2);
  assert_true(speed.seconds == 3);
  lpot_block_speed_note(&speed, 1, 1);
  assert_true(speed.seconds == 3);
  lpot_block_speed_note(&speed, 8, 4);
  assert_true(speed.seconds == 2);
}

static void one_slow_piece_changes_nothing(void **state) {
  (void)state;
  lpot_block_speed speed = {0};
  for (int i = 0; i < 5; i++) {
    lpot_block_speed_note(&speed, 1, 1);
  }
  lpot_block_speed_note(&speed, 1000, 1);
  lpot_block_speed_note(&speed, 0.001, 1);
  assert_true(speed.seconds == 1);
}

static void old_pieces_are_forgotten(void **state) {
  (void)state;
  lpot_block_speed speed = {0};
  for (int i = 0; i < 100; i++) {
    lpot_block_speed_note(&speed, 1, 1);
  }
  for (int i = 0; i < LPOT_BLOCK_SPEEDS / 2; i++) {
    lpot_block_speed_note(&speed, 7, 1);
  }
  assert_true(speed.seconds == 1);
  lpot_block_speed_note(&speed, 7, 1);
  assert_true(speed.seconds == 7);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(median_of_what_came_last),
      cmocka_unit_test(one_slow_piece_changes_nothing),
      cmocka_unit_test(old_pieces_are_forgotten),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
