#include "base/protobuf_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/writer.h"

#define MUST(call) assert_int_equal((call), LPOT_OK)

static void assert_refused(const uint8_t *data, size_t size, const char *word) {
  lpot_wire wire;
  lpot_wire_field field;
  lpot_error err = {0};
  lpot_wire_init(&wire, data, size);
  assert_int_equal(lpot_wire_next(&wire, &field, &err), LPOT_FORMAT);
  assert_non_null(strstr(err.message, "offset 0"));
  assert_non_null(strstr(err.message, word));
}

static void wire_refuses_groups_and_unknown_types(void **state) {
  (void)state;
  for (uint8_t type = 3; type < 8; type++) {
    const uint8_t data[2] = {(uint8_t)(1u << 3 | type), 0};
    if (type != 5) {
      assert_refused(data, sizeof data, "wire type");
    }
  }
}

static void wire_refuses_field_number_zero(void **state) {
  (void)state;
  const uint8_t data[2] = {0x00, 0x01};
  assert_refused(data, sizeof data, "field number");
}

static void wire_refuses_field_numbers_beyond_29_bits(void **state) {
  (void)state;
  const uint8_t data[6] = {0x80, 0x80, 0x80, 0x80, 0x10, 0x01};
  assert_refused(data, sizeof data, "field number");
}

static void wire_refuses_lengths_beyond_the_message(void **state) {
  (void)state;
  const uint8_t data[3] = {0x0a, 0x7f, 0x00};
  lpot_wire wire;
  lpot_wire_field field;
  lpot_error err = {0};
  lpot_wire_init(&wire, data, sizeof data);
  assert_int_equal(lpot_wire_next(&wire, &field, &err), LPOT_FORMAT);
  assert_non_null(strstr(err.message, "offset 1: field 1 should have 127 bytes, but 1 remain"));
}

static lpot_status read_all(const uint8_t *data, size_t size) {
  lpot_wire wire;
  lpot_wire_init(&wire, data, size);
  while (lpot_wire_more(&wire)) {
    lpot_wire_field field;
    LPOT_TRY(lpot_wire_next(&wire, &field, NULL));
  }
  return LPOT_OK;
}

static void wire_refuses_every_truncation_inside_a_field(void **state) {
  (void)state;
  lpot_buffer one;
  lpot_buffer_init(&one);
  for (int kind = 0; kind < 3; kind++) {
    lpot_buffer_clear(&one);
    if (kind == 0) {
      MUST(lpot_wire_put_int64(&one, 300, -1, NULL));
    } else if (kind == 1) {
      MUST(lpot_wire_put_float(&one, 300, 1.0f, NULL));
    } else {
      MUST(lpot_wire_put_string(&one, 300, "some text", NULL));
    }
    MUST(read_all(one.data, one.size));
    for (size_t size = 1; size < one.size; size++) {
      assert_int_equal(read_all(one.data, size), LPOT_FORMAT);
    }
  }
  lpot_buffer_done(&one);
}

static void wire_refuses_messages_nested_too_deep(void **state) {
  (void)state;
  lpot_buffer buffers[2];
  lpot_buffer_init(&buffers[0]);
  lpot_buffer_init(&buffers[1]);
  for (int i = 0; i < LPOT_WIRE_MAX_DEPTH + 2; i++) {
    lpot_buffer_clear(&buffers[(i + 1) % 2]);
    MUST(lpot_wire_put_message(&buffers[(i + 1) % 2], 1, &buffers[i % 2], NULL));
  }
  lpot_buffer *outer = &buffers[LPOT_WIRE_MAX_DEPTH % 2];
  lpot_wire wire;
  lpot_wire_init(&wire, outer->data, outer->size);
  lpot_status status = LPOT_OK;
  int depth = 0;
  for (; depth < LPOT_WIRE_MAX_DEPTH + 2 && status == LPOT_OK; depth++) {
    lpot_wire_field field;
    MUST(lpot_wire_next(&wire, &field, NULL));
    status = lpot_wire_enter(&field, &wire, NULL);
  }
  assert_int_equal(status, LPOT_FORMAT);
  assert_int_equal(depth, LPOT_WIRE_MAX_DEPTH);
  lpot_buffer_done(&buffers[0]);
  lpot_buffer_done(&buffers[1]);
}

static void wire_refuses_a_field_of_the_wrong_type(void **state) {
  (void)state;
  lpot_wire_field field = {.number = 3, .type = LPOT_WIRE_VARINT};
  float real = 0;
  lpot_wire wire;
  assert_int_equal(lpot_wire_float(&field, &real, NULL), LPOT_FORMAT);
  assert_int_equal(lpot_wire_enter(&field, &wire, NULL), LPOT_FORMAT);
  field.type = LPOT_WIRE_BYTES;
  int64_t integer = 0;
  assert_int_equal(lpot_wire_int64(&field, &integer, NULL), LPOT_FORMAT);
}

static void wire_refuses_strings_with_a_nul_or_too_long(void **state) {
  (void)state;
  static const uint8_t data[LPOT_WIRE_MAX_STRING + 1] = {'a', 0, 'b'};
  lpot_arena *arena = NULL;
  const char *text = NULL;
  MUST(lpot_arena_new(&arena, NULL));
  lpot_wire_field field = {.type = LPOT_WIRE_BYTES, .data = data, .size = 3};
  assert_int_equal(lpot_wire_string(&field, arena, &text, NULL), LPOT_FORMAT);
  field.size = sizeof data;
  assert_int_equal(lpot_wire_string(&field, arena, &text, NULL), LPOT_FORMAT);
  field.size = 0;
  MUST(lpot_wire_string(&field, arena, &text, NULL));
  assert_string_equal(text, "");
  field.size = 1;
  MUST(lpot_wire_string(&field, arena, &text, NULL));
  assert_string_equal(text, "a");
  lpot_arena_free(arena);
}

static void wire_reads_what_it_wrote(void **state) {
  (void)state;
  lpot_buffer buffer;
  lpot_buffer_init(&buffer);
  MUST(lpot_wire_put_int64(&buffer, 1, INT64_MIN, NULL));
  MUST(lpot_wire_put_float(&buffer, 2, -0.5f, NULL));
  MUST(lpot_wire_put_string(&buffer, 3, "name", NULL));
  lpot_wire wire;
  lpot_wire_field field;
  int64_t integer = 0;
  float real = 0;
  lpot_wire_init(&wire, buffer.data, buffer.size);
  MUST(lpot_wire_next(&wire, &field, NULL));
  MUST(lpot_wire_int64(&field, &integer, NULL));
  assert_true(integer == INT64_MIN);
  MUST(lpot_wire_next(&wire, &field, NULL));
  MUST(lpot_wire_float(&field, &real, NULL));
  assert_true(real == -0.5f);
  MUST(lpot_wire_next(&wire, &field, NULL));
  assert_int_equal(field.number, 3);
  assert_int_equal(field.size, 4);
  assert_memory_equal(field.data, "name", 4);
  assert_int_equal(field.offset, buffer.size - 4);
  assert_false(lpot_wire_more(&wire));
  lpot_buffer_done(&buffer);
}

/* All bytes as a field of an imagined message around them. */
static lpot_wire_field whole_of(const void *data, size_t size) {
  return (lpot_wire_field){.type = LPOT_WIRE_BYTES, .data = data, .size = size, .depth = -1};
}

static void scalars_come_packed_or_not_and_mixed(void **state) {
  (void)state;
  lpot_buffer buffer, packed;
  lpot_buffer_init(&buffer);
  lpot_buffer_init(&packed);
  MUST(lpot_writer_varint(&packed, 2, NULL));
  MUST(lpot_writer_varint(&packed, 300, NULL));
  MUST(lpot_wire_put_int64(&buffer, 7, 1, NULL));
  MUST(lpot_wire_put_string(&buffer, 8, "between", NULL));
  MUST(lpot_wire_put_message(&buffer, 7, &packed, NULL));
  MUST(lpot_wire_put_bytes(&buffer, 7, NULL, 0, NULL));
  MUST(lpot_wire_put_int64(&buffer, 7, -4, NULL));
  lpot_wire_field whole = whole_of(buffer.data, buffer.size);
  lpot_wire_scalars scalars;
  MUST(lpot_wire_scalars_init(&scalars, &whole, 7, LPOT_WIRE_VARINT, NULL));
  const int64_t expected[4] = {1, 2, 300, -4};
  bool found = false;
  uint64_t bits = 0;
  for (int i = 0; i < 4; i++) {
    MUST(lpot_wire_scalars_next(&scalars, &found, &bits, NULL));
    assert_true(found);
    assert_true((int64_t)bits == expected[i]);
  }
  MUST(lpot_wire_scalars_next(&scalars, &found, &bits, NULL));
  assert_false(found);
  lpot_buffer_done(&packed);
  lpot_buffer_done(&buffer);
}

static void scalars_refuse_a_broken_packed_field(void **state) {
  (void)state;
  lpot_buffer buffer;
  lpot_buffer_init(&buffer);
  MUST(lpot_wire_put_bytes(&buffer, 7, "\1\2\3", 3, NULL));
  lpot_wire_field whole = whole_of(buffer.data, buffer.size);
  lpot_wire_scalars scalars;
  bool found = false;
  uint64_t bits = 0;
  MUST(lpot_wire_scalars_init(&scalars, &whole, 7, LPOT_WIRE_FIXED32, NULL));
  assert_int_equal(lpot_wire_scalars_next(&scalars, &found, &bits, NULL), LPOT_FORMAT);
  lpot_buffer_done(&buffer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wire_refuses_groups_and_unknown_types),
      cmocka_unit_test(wire_refuses_field_number_zero),
      cmocka_unit_test(wire_refuses_field_numbers_beyond_29_bits),
      cmocka_unit_test(wire_refuses_lengths_beyond_the_message),
      cmocka_unit_test(wire_refuses_every_truncation_inside_a_field),
      cmocka_unit_test(wire_refuses_messages_nested_too_deep),
      cmocka_unit_test(wire_refuses_a_field_of_the_wrong_type),
      cmocka_unit_test(wire_refuses_strings_with_a_nul_or_too_long),
      cmocka_unit_test(wire_reads_what_it_wrote),
      cmocka_unit_test(scalars_come_packed_or_not_and_mixed),
      cmocka_unit_test(scalars_refuse_a_broken_packed_field),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
