#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "quant/op_items.h"

static const char *const names[] = {"conv1", "add"};
static const char *const types[] = {"Conv", "Add"};

/* Notes which item was which op's. */
static lpot_status note(void *context, size_t index, const lpot_yaml_node *item, lpot_error *err) {
  int *lines = context;
  (void)err;
  lines[index] = item->line;
  return LPOT_OK;
}

static lpot_status read_text(const char *text, int lines[2], lpot_error *err) {
  lpot_yaml *yaml = NULL;
  assert_int_equal(lpot_yaml_parse("ops.yaml", text, strlen(text), &yaml, NULL), LPOT_OK);
  lpot_status status = lpot_op_items_read(lpot_yaml_root(yaml), names, types, 2, note, lines, err);
  lpot_yaml_free(yaml);
  return status;
}

static void items_may_stand_in_any_order_and_without_types(void **state) {
  (void)state;
  int lines[2] = {0, 0};
  assert_int_equal(read_text("- {name: add, x: 1}\n- {name: conv1, type: Conv}\n", lines, NULL),
                   LPOT_OK);
  assert_int_equal(lines[0], 2);
  assert_int_equal(lines[1], 1);
}

static void check_refused(const char *text, const char *message) {
  int lines[2];
  lpot_error error = {0};
  assert_int_equal(read_text(text, lines, &error), LPOT_CONFIG);
  assert_string_equal(error.message, message);
}

static void bad_items_are_refused_with_their_place(void **state) {
  (void)state;
  check_refused("{}\n", "ops.yaml:1:1: expected a list of ops");
  check_refused("- conv1\n", "ops.yaml:1:3: [0]: expected a map with the name of an op");
  check_refused("- {type: Conv}\n", "ops.yaml:1:3: [0]: key 'name' is missing");
  check_refused("- {name: conv2}\n",
                "ops.yaml:1:10: [0].name: the model has no op 'conv2', did you mean 'conv1'?");
  check_refused("- {name: add}\n- {name: add}\n",
                "ops.yaml:2:10: [1].name: op 'add' stands here for the second time");
  check_refused("- {name: add, type: Mul}\n",
                "ops.yaml:1:21: [0].type: op 'add' has the type Add, got Mul");
  check_refused("- {name: add}\n", "ops.yaml:1:1: op 'conv1' is missing");
}

static void item_is_written_with_its_name_in_quotes(void **state) {
  (void)state;
  lpot_buffer out;
  lpot_buffer_init(&out);
  assert_int_equal(lpot_op_item_write("a\"b", "Conv", &out, NULL), LPOT_OK);
  assert_int_equal(lpot_buffer_terminate(&out, NULL), LPOT_OK);
  assert_string_equal((const char *)out.data, "  - name: \"a\\\"b\"\n    type: Conv\n");
  lpot_buffer_done(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(items_may_stand_in_any_order_and_without_types),
      cmocka_unit_test(bad_items_are_refused_with_their_place),
      cmocka_unit_test(item_is_written_with_its_name_in_quotes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
