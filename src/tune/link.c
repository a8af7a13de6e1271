#include "tune/link.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "tune/protocol.h"

#define READ_STEP                                                                                  \
  (1u << 20) /* memory for a message grows with what has come, not with its claim                  \
              */

struct lpot_link {
  int fd;
  lpot_buffer outgoing; /* posted, not yet sent */
  size_t sent;          /* bytes of outgoing that have left */
  lpot_buffer incoming; /* the beginning of the next message */
  size_t expected;      /* its size; 0 while its head is not whole */
};

static double now(void) {
  lpot_clock clock = lpot_clock_monotonic();
  return lpot_clock_now(&clock);
}

lpot_status lpot_link_new(int fd, lpot_link **ret_link, lpot_error *err) {
  int flags = fcntl(fd, F_GETFL);
  lpot_link *link = lpot_calloc(1, sizeof *link);
  if (link == NULL || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
    lpot_status status = link == NULL ? LPOT_OUT_OF_MEMORY(err)
                                      : LPOT_FAIL(err, LPOT_IO, "link: %s", strerror(errno));
    close(fd);
    lpot_free(link);
    return status;
  }
  link->fd = fd;
  lpot_buffer_init(&link->outgoing);
  lpot_buffer_init(&link->incoming);
  *ret_link = link;
  return LPOT_OK;
}

void lpot_link_free(lpot_link *link) {
  if (link == NULL) {
    return;
  }
  close(link->fd);
  lpot_buffer_done(&link->outgoing);
  lpot_buffer_done(&link->incoming);
  lpot_free(link);
}

int lpot_link_fd(const lpot_link *link) {
  return link->fd;
}

bool lpot_link_is_sending(const lpot_link *link) {
  return link->sent < link->outgoing.size;
}

static bool would_block(int code) {
  return code == EAGAIN || code == EWOULDBLOCK || code == EINTR;
}

/* ---- sending ---- */

static lpot_status push(lpot_link *link, lpot_error *err) {
  while (lpot_link_is_sending(link)) {
    ssize_t count = send(link->fd, link->outgoing.data + link->sent,
                         link->outgoing.size - link->sent, MSG_NOSIGNAL);
    if (count < 0 && would_block(errno)) {
      return LPOT_OK;
    }
    if (count < 0) {
      return LPOT_FAIL(err, LPOT_IO, "link: %s", strerror(errno));
    }
    link->sent += (size_t)count;
  }
  lpot_buffer_done(&link->outgoing); /* It may have been large. */
  lpot_buffer_init(&link->outgoing);
  link->sent = 0;
  return LPOT_OK;
}

lpot_status lpot_link_post(lpot_link *link, const lpot_buffer *message, lpot_error *err) {
  LPOT_TRY(lpot_buffer_append(&link->outgoing, message->data, message->size, err));
  LPOT_TRY(push(link, err));
  return LPOT_OK;
}

/* Waits at most until deadline (FOREVER: without bound). False when a signal ended the wait. */
static bool wait_for(int fd, short events, double timeout_seconds) {
  double milliseconds = timeout_seconds * 1e3 + 0.999; /* Never less than was asked for. */
  int timeout = milliseconds > INT_MAX ? INT_MAX : (int)milliseconds;
  struct pollfd slot = {.fd = fd, .events = events};
  int count = poll(&slot, 1, timeout_seconds < 0 ? -1 : timeout);
  return count >= 0;
}

lpot_status lpot_link_flush(lpot_link *link, double timeout_seconds, lpot_error *err) {
  double deadline = now() + timeout_seconds;
  LPOT_TRY(push(link, err));
  while (lpot_link_is_sending(link)) {
    double left = deadline - now();
    if (left <= 0) {
      return LPOT_FAIL(err, LPOT_IO, "link: the other end takes nothing for %.0f s",
                       timeout_seconds);
    }
    (void)wait_for(link->fd, POLLOUT, left);
    LPOT_TRY(push(link, err));
  }
  return LPOT_OK;
}

/* ---- receiving ---- */

/* One read of at most what is missing: of the head first, then of its message. *ret_count is 0 at
 * the end of the link and -1 when nothing is there. */
static lpot_status pull(lpot_link *link, ssize_t *ret_count, lpot_error *err) {
  size_t wanted = link->expected == 0 ? LPOT_MESSAGE_HEAD : link->expected;
  size_t missing = wanted - link->incoming.size;
  missing = missing < READ_STEP ? missing : READ_STEP;
  LPOT_TRY(lpot_buffer_reserve(&link->incoming, missing, err));
  ssize_t count = recv(link->fd, link->incoming.data + link->incoming.size, missing, 0);
  if (count < 0 && would_block(errno)) {
    *ret_count = -1;
    return LPOT_OK;
  }
  if (count < 0 && errno == ECONNRESET) {
    count = 0;
  }
  if (count < 0) {
    return LPOT_FAIL(err, LPOT_IO, "link: %s", strerror(errno));
  }
  link->incoming.size += (size_t)count;
  if (link->expected == 0 && link->incoming.size == LPOT_MESSAGE_HEAD) {
    LPOT_TRY(lpot_message_length(link->incoming.data, &link->expected, err));
  }
  *ret_count = count;
  return LPOT_OK;
}

/* Takes what is there, without waiting. */
static lpot_status take(lpot_link *link, lpot_link_news *ret_news, lpot_buffer *out,
                        lpot_error *err) {
  *ret_news = LPOT_LINK_SILENT;
  for (;;) {
    ssize_t count = 0;
    LPOT_TRY(pull(link, &count, err));
    if (count <= 0) {
      *ret_news = count == 0 ? LPOT_LINK_CLOSED : LPOT_LINK_SILENT;
      return LPOT_OK;
    }
    if (link->expected != 0 && link->incoming.size == link->expected) {
      lpot_buffer_done(out);
      *out = link->incoming;
      lpot_buffer_init(&link->incoming);
      link->expected = 0;
      *ret_news = LPOT_LINK_MESSAGE;
      return LPOT_OK;
    }
  }
}

lpot_status lpot_link_receive(lpot_link *link, double timeout_seconds, lpot_link_news *ret_news,
                              lpot_buffer *out, lpot_error *err) {
  double deadline = now() + timeout_seconds;
  for (;;) {
    /* Where the other end is gone its last messages are still there to be taken. */
    (void)!push(link, NULL);
    LPOT_TRY(take(link, ret_news, out, err));
    double left = timeout_seconds < 0 ? LPOT_FOREVER : deadline - now();
    if (*ret_news != LPOT_LINK_SILENT || (timeout_seconds >= 0 && left <= 0)) {
      return LPOT_OK;
    }
    short events = lpot_link_is_sending(link) ? POLLIN | POLLOUT : POLLIN;
    if (!wait_for(link->fd, events, left)) {
      return LPOT_OK;
    }
  }
}
