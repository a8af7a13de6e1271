/* Child processes: whose end is waited for, never without a bound, and who end with their parent.
 */
#ifndef LPOT_BASE_CHILD_H
#define LPOT_BASE_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* Waits at most so long until the child has ended. False: it lives. *ret_status (NULL is allowed)
 * is as waitpid gives it, or unchanged where nobody can tell any more, as when SIGCHLD is ignored.
 */
bool lpot_child_has_ended(pid_t child, double seconds, int *ret_status);
/* Ends it by SIGKILL, and waits a second at most for its end. */
void lpot_child_kill(pid_t child);
/* For a child: when its parent ends it is ended by SIGKILL, also where that has happened before
 * this was called. */
void lpot_child_end_with(pid_t parent);

#endif
