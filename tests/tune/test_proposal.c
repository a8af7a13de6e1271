#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tune/proposal.h"

static lpot_status read_text(const char *text, int64_t *indices, lpot_proposal *proposal,
                             lpot_error *err) {
  return lpot_proposal_read(text, strlen(text), 2, indices, proposal, err);
}

static void proposals_are_read(void **state) {
  (void)state;
  int64_t indices[2] = {0};
  lpot_proposal proposal;
  assert_int_equal(
      read_text(" {\"sampling\": 3, \"recipe\": [ 7 , -1 ] } ", indices, &proposal, NULL), LPOT_OK);
  assert_true(!proposal.stop && proposal.sampling == 3 && proposal.corrections == 0);
  assert_true(indices[0] == 7 && indices[1] == -1);
  assert_int_equal(read_text("{\"recipe\": [1, 2], \"stop\": false, \"corrections\": 5}", indices,
                             &proposal, NULL),
                   LPOT_OK);
  assert_true(!proposal.stop && proposal.sampling == 0 && proposal.corrections == 5);
  assert_true(indices[0] == 1 && indices[1] == 2);
  assert_int_equal(read_text("{\"stop\": true}", indices, &proposal, NULL), LPOT_OK);
  assert_true(proposal.stop);
}

static void what_is_wrong_is_named(void **state) {
  (void)state;
  const struct {
    const char *text, *message;
  } cases[] = {
      {"", "not JSON: line 1: expected an object, got the end of the text"},
      {"hello", "not JSON: line 1: expected an object, got 'h'"},
      {"[]", "not JSON: line 1: expected an object, got '['"},
      {"{", "not JSON: "},
      {"{'stop': true}", "not JSON: "},
      {"{\"stop\": true} {}", "not JSON: line 1: expected the end of the text, got '{'"},
      {"{\"stop\": true \"recipe\": [1, 2]}", "not JSON: "},
      {"{}", "key 'recipe' is missing"},
      {"{\"stop\": false}", "key 'recipe' is missing"},
      {"{\"stop\": 1}", "key 'stop': line 1: expected true or false, got '1'"},
      {"{\"stop\": true, \"stop\": true}", "key 'stop': it comes twice"},
      {"{\"recipes\": [1, 2]}",
       "unknown key 'recipes', expected one of recipe, sampling, corrections, stop"},
      {"{\"rec\\nipe\": [1, 2]}", "unknown key 'rec?ipe'"},
      {"{\"recipe\": 1}", "key 'recipe': line 1: expected an array, got '1'"},
      {"{\"recipe\": [1]}", "key 'recipe': expected 2 items, got 1"},
      {"{\"recipe\": [1, 2, 3]}", "key 'recipe': expected 2 items, got 3"},
      {"{\"recipe\": [1, 2.5]}", "key 'recipe': line 1: '2.5' is not a whole number"},
      {"{\"recipe\": [1, [2]]}", "key 'recipe': line 1: expected a number, got '['"},
      {"{\"recipe\": [1, 99999999999999999999]}", "is not a whole number"},
      {"{\"recipe\": [1, 2], \"sampling\": \"0\"}", "key 'sampling': line 1: expected a number"},
      {"{\"recipe\": [1, 2], \"corrections\": null}",
       "key 'corrections': line 1: expected a number"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    int64_t indices[2] = {0};
    lpot_proposal proposal;
    lpot_error error = {0};
    assert_int_equal(read_text(cases[i].text, indices, &proposal, &error), LPOT_FORMAT);
    if (strstr(error.message, cases[i].message) == NULL) {
      fail_msg("'%s': %s", cases[i].text, error.message);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(proposals_are_read),
      cmocka_unit_test(what_is_wrong_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
