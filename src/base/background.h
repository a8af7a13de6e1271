/* One thread that does one piece of work at a time beside the caller.
 *
 * Between lpot_background_start and the return of lpot_background_wait the work owns what its
 * context leads to; outside of that the caller does. So nothing else needs a lock. The thread takes
 * no signals but those of its own faults, and it is not there before the first work. */
#ifndef LPOT_BASE_BACKGROUND_H
#define LPOT_BASE_BACKGROUND_H

#include <stdbool.h>

#include "base/error.h"

typedef struct lpot_background lpot_background;

LPOT_MUST_CHECK lpot_status lpot_background_new(lpot_background **ret_background, lpot_error *err);
/* Waits for the work at hand, then ends the thread. NULL is allowed. */
void lpot_background_free(lpot_background *background);
/* Waits for earlier work, then starts work(context). LPOT_NO_MEMORY where the system gives no
 * thread: nothing is started then. */
LPOT_MUST_CHECK lpot_status lpot_background_start(lpot_background *background,
                                                  void (*work)(void *context), void *context,
                                                  lpot_error *err);
/* Returns when nothing is being done. NULL is allowed. */
void lpot_background_wait(lpot_background *background);

#endif
