#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tune/link.h"
#include "tune/protocol.h"

typedef struct pair {
  lpot_link *link; /* under test */
  int fd;          /* the other end */
} pair;

static pair make_pair(void) {
  int ends[2];
  pair made = {0};
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  assert_int_equal(lpot_link_new(ends[0], &made.link, NULL), LPOT_OK);
  made.fd = ends[1];
  return made;
}

static void make_message(lpot_buffer *out, size_t payload, uint8_t seed) {
  lpot_buffer_init(out);
  assert_int_equal(lpot_message_begin(out, LPOT_MESSAGE_CALIBRATION, seed, NULL), LPOT_OK);
  assert_int_equal(lpot_buffer_reserve(out, payload, NULL), LPOT_OK);
  for (size_t i = 0; i < payload; i++) {
    out->data[out->size + i] = (uint8_t)(i * 7 + seed);
  }
  out->size += payload;
  assert_int_equal(lpot_message_finish(out, NULL), LPOT_OK);
}

static void expect_news(lpot_link *link, double seconds, lpot_link_news expected,
                        lpot_buffer *out) {
  lpot_link_news news = LPOT_LINK_SILENT;
  assert_int_equal(lpot_link_receive(link, seconds, &news, out, NULL), LPOT_OK);
  assert_int_equal(news, expected);
}

static void assert_same(const lpot_buffer *a, const lpot_buffer *b) {
  assert_int_equal(a->size, b->size);
  assert_memory_equal(a->data, b->data, a->size);
}

static void message_that_comes_byte_by_byte_is_whole_only_at_its_end(void **state) {
  (void)state;
  pair both = make_pair();
  lpot_buffer message;
  lpot_buffer got;
  lpot_buffer_init(&got);
  make_message(&message, 40, 3);
  for (size_t i = 0; i < message.size; i++) {
    expect_news(both.link, 0, LPOT_LINK_SILENT, &got);
    assert_int_equal(write(both.fd, message.data + i, 1), 1);
  }
  expect_news(both.link, 0, LPOT_LINK_MESSAGE, &got);
  assert_same(&got, &message);
  lpot_buffer_done(&got);
  lpot_buffer_done(&message);
  close(both.fd);
  lpot_link_free(both.link);
}

static void messages_in_one_piece_are_taken_one_by_one(void **state) {
  (void)state;
  pair both = make_pair();
  lpot_buffer messages[3];
  lpot_buffer got;
  lpot_buffer_init(&got);
  for (uint8_t i = 0; i < 3; i++) {
    make_message(&messages[i], i * 100u, i);
    assert_int_equal(write(both.fd, messages[i].data, messages[i].size), (int)messages[i].size);
  }
  close(both.fd);
  for (size_t i = 0; i < 3; i++) {
    expect_news(both.link, 1, LPOT_LINK_MESSAGE, &got);
    assert_same(&got, &messages[i]);
    lpot_buffer_done(&messages[i]);
  }
  expect_news(both.link, 1, LPOT_LINK_CLOSED, &got);
  lpot_buffer_done(&got);
  lpot_link_free(both.link);
}

static void end_within_a_message_is_the_end(void **state) {
  (void)state;
  lpot_buffer message;
  lpot_buffer got;
  lpot_buffer_init(&got);
  make_message(&message, 10, 1);
  for (size_t size = 0; size < message.size; size++) {
    pair both = make_pair();
    assert_int_equal(write(both.fd, message.data, size), (int)size);
    close(both.fd);
    expect_news(both.link, LPOT_FOREVER, LPOT_LINK_CLOSED, &got);
    lpot_link_free(both.link);
  }
  lpot_buffer_done(&got);
  lpot_buffer_done(&message);
}

static void head_of_garbage_or_of_too_much_is_refused(void **state) {
  (void)state;
  /* Bytes of the magic, the version, the kind, and of the length: 2^32 more, 2^60 more. */
  static const size_t places[] = {0, 4, 7, 20, 23};
  lpot_buffer message;
  lpot_buffer got;
  lpot_buffer_init(&got);
  make_message(&message, 10, 1);
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    pair both = make_pair();
    lpot_link_news news = LPOT_LINK_SILENT;
    message.data[places[i]] ^= 0x10;
    assert_int_equal(write(both.fd, message.data, message.size), (int)message.size);
    assert_int_equal(lpot_link_receive(both.link, 1, &news, &got, NULL), LPOT_FORMAT);
    message.data[places[i]] ^= 0x10;
    close(both.fd);
    lpot_link_free(both.link);
  }
  lpot_buffer_done(&got);
  lpot_buffer_done(&message);
}

static void posting_to_nobody_fails_and_does_not_kill(void **state) {
  (void)state;
  pair both = make_pair();
  lpot_buffer message;
  make_message(&message, 10, 1);
  close(both.fd);
  assert_int_equal(lpot_link_post(both.link, &message, NULL), LPOT_IO);
  lpot_buffer_done(&message);
  lpot_link_free(both.link);
}

static void flush_to_one_who_takes_nothing_ends_in_time(void **state) {
  (void)state;
  pair both = make_pair();
  lpot_buffer message;
  make_message(&message, 8u << 20, 1);
  assert_int_equal(lpot_link_post(both.link, &message, NULL), LPOT_OK);
  assert_true(lpot_link_is_sending(both.link));
  assert_int_equal(lpot_link_flush(both.link, 0.05, NULL), LPOT_IO);
  lpot_buffer_done(&message);
  close(both.fd);
  lpot_link_free(both.link);
}

static void both_ends_send_much_at_the_same_time(void **state) {
  (void)state;
  pair both = make_pair();
  lpot_link *other = NULL;
  assert_int_equal(lpot_link_new(both.fd, &other, NULL), LPOT_OK);
  lpot_link *const links[2] = {both.link, other};
  lpot_buffer sent[2];
  lpot_buffer got[2];
  bool came[2] = {false, false};
  for (uint8_t i = 0; i < 2; i++) {
    make_message(&sent[i], 40u << 20, i);
    lpot_buffer_init(&got[i]);
    assert_int_equal(lpot_link_post(links[i], &sent[i], NULL), LPOT_OK);
  }
  for (int round = 0; round < 100000 && !(came[0] && came[1]); round++) {
    for (size_t i = 0; i < 2; i++) {
      lpot_link_news news = LPOT_LINK_SILENT;
      lpot_buffer next;
      lpot_buffer_init(&next);
      assert_int_equal(lpot_link_receive(links[i], 0, &news, &next, NULL), LPOT_OK);
      if (news == LPOT_LINK_MESSAGE) {
        got[i] = next;
        came[i] = true;
      }
    }
  }
  assert_true(came[0] && came[1]);
  for (size_t i = 0; i < 2; i++) {
    assert_same(&got[i], &sent[1 - i]);
    assert_false(lpot_link_is_sending(links[i]));
  }
  for (size_t i = 0; i < 2; i++) {
    lpot_buffer_done(&got[i]);
    lpot_buffer_done(&sent[i]);
    lpot_link_free(links[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(message_that_comes_byte_by_byte_is_whole_only_at_its_end),
      cmocka_unit_test(messages_in_one_piece_are_taken_one_by_one),
      cmocka_unit_test(end_within_a_message_is_the_end),
      cmocka_unit_test(head_of_garbage_or_of_too_much_is_refused),
      cmocka_unit_test(posting_to_nobody_fails_and_does_not_kill),
      cmocka_unit_test(flush_to_one_who_takes_nothing_ends_in_time),
      cmocka_unit_test(both_ends_send_much_at_the_same_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
