#include "quant/quant_fixture.h"

#include "quant/corrections.h"

static const lpot_corrections all_on = {.bias_correction = true, .cross_layer_equalization = true};

static void bits_tell_switches_apart(void **state) {
  (void)state;
  for (unsigned bits = 0; bits < 1u << LPOT_NUM_CORRECTIONS; bits++) {
    lpot_corrections corrections = lpot_corrections_of_bits(bits);
    assert_int_equal(lpot_corrections_bits(&corrections), bits);
    assert_int_equal(lpot_corrections_any(&corrections), bits != 0);
    assert_int_equal(lpot_corrections_equal(&corrections, &all_on), bits == 3);
  }
  assert_true(lpot_corrections_equal(&all_on, &all_on));
}

static void text_names_what_is_on(void **state) {
  (void)state;
  const lpot_corrections none = {0};
  const lpot_corrections one = {.cross_layer_equalization = true};
  char text[LPOT_CORRECTIONS_TEXT];
  lpot_corrections_text(&none, text);
  assert_string_equal(text, "none");
  lpot_corrections_text(&one, text);
  assert_string_equal(text, "cross_layer_equalization");
  lpot_corrections_text(&all_on, text);
  assert_string_equal(text, "bias_correction, cross_layer_equalization");
}

static lpot_status read_text(const char *text, lpot_corrections *ret, lpot_error *err) {
  lpot_yaml *yaml = NULL;
  LPOT_TRY(lpot_yaml_parse("recipe.yaml", text, strlen(text), &yaml, err));
  lpot_status status = lpot_corrections_from_yaml(lpot_yaml_root(yaml), ret, err);
  lpot_yaml_free(yaml);
  return status;
}

static void written_text_is_read_back(void **state) {
  (void)state;
  static const char text[] = "bias_correction: true\n"
                             "cross_layer_equalization: true\n";
  lpot_error err = {0};
  lpot_corrections copy = {0};
  lpot_buffer out;
  lpot_buffer_init(&out);
  CHECK(lpot_corrections_write(&copy, &out, &err));
  assert_int_equal(out.size, 0);
  CHECK(lpot_corrections_write(&all_on, &out, &err));
  CHECK(lpot_buffer_terminate(&out, &err));
  assert_string_equal((const char *)out.data, text);
  CHECK(read_text(text, &copy, &err));
  assert_true(lpot_corrections_equal(&copy, &all_on));
  CHECK(
      read_text("ops: []\ncross_layer_equalization: true\nbias_correction: false\n", &copy, &err));
  assert_int_equal(lpot_corrections_bits(&copy), 1u << LPOT_CROSS_LAYER_EQUALIZATION);
  lpot_buffer_done(&out);
}

static void bad_values_are_refused_with_their_place(void **state) {
  (void)state;
  static const char *const texts[] = {"bias_correction: 2\n", "bias_correction: much\n",
                                      "cross_layer_equalization: []\n"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    lpot_error err = {0};
    lpot_corrections copy = {0};
    CHECK_FAILS(read_text(texts[i], &copy, &err), LPOT_CONFIG, "recipe.yaml:1:");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bits_tell_switches_apart),
      cmocka_unit_test(text_names_what_is_on),
      cmocka_unit_test(written_text_is_read_back),
      cmocka_unit_test(bad_values_are_refused_with_their_place),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
