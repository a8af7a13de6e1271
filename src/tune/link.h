/* A link: messages (tune/protocol.h) over a stream socket between two processes of one rank. The
 * bytes are those that MPI messages carry; the head tells where a message ends. Sends never block:
 * what the socket does not take is kept and leaves with the next call, so that both ends may send
 * large messages at the same time. Not collective. */
#ifndef LPOT_TUNE_LINK_H
#define LPOT_TUNE_LINK_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"

#define LPOT_FOREVER (-1.0) /* a wait that only a message or the end of the link ends */

typedef struct lpot_link lpot_link;

typedef enum lpot_link_news {
  LPOT_LINK_SILENT,  /* nothing came in time, or a signal ended the wait */
  LPOT_LINK_MESSAGE, /* a whole message came */
  LPOT_LINK_CLOSED   /* the other end is gone, perhaps within a message */
} lpot_link_news;

/* Takes fd, also on failure: it is closed by lpot_link_free. */
LPOT_MUST_CHECK lpot_status lpot_link_new(int fd, lpot_link **ret_link, lpot_error *err);
void lpot_link_free(lpot_link *link); /* NULL is allowed */

/* For poll: wait for input always, for output while lpot_link_is_sending. */
int lpot_link_fd(const lpot_link *link);
bool lpot_link_is_sending(const lpot_link *link);

/* Keeps a copy of message and sends what the socket takes at once. LPOT_IO when the other end is
 * gone. */
LPOT_MUST_CHECK lpot_status lpot_link_post(lpot_link *link, const lpot_buffer *message,
                                           lpot_error *err);
/* Waits until all that was posted is sent; LPOT_IO when the other end is gone or does not take it
 * within timeout_seconds. */
LPOT_MUST_CHECK lpot_status lpot_link_flush(lpot_link *link, double timeout_seconds,
                                            lpot_error *err);
/* Waits for a message, sending meanwhile, and puts it in out (initialised). LPOT_FORMAT when what
 * comes is no message: the link is then only freeable. */
LPOT_MUST_CHECK lpot_status lpot_link_receive(lpot_link *link, double timeout_seconds,
                                              lpot_link_news *ret_news, lpot_buffer *out,
                                              lpot_error *err);

#endif
