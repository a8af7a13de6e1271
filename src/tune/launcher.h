/* The launcher: the process that has started this rank. It is mpirun itself on mpirun's host, and a
 * daemon of it on others, without which mpirun ends the job. Not collective. */
#ifndef LPOT_TUNE_LAUNCHER_H
#define LPOT_TUNE_LAUNCHER_H

#include <stdbool.h>

/* Open MPI 4 does not always end when ranks are gone or hosts cannot be reached. Leaves a process
 * behind that outlives this one and sees to it: what of the launcher is still there in
 * grace_seconds gets SIGTERM, 3 seconds later the same again (upon which mpirun waits for nobody
 * any more), and a second after that SIGKILL. False, and nothing is done, where the parent is no
 * launcher or the system is Linux before 5.3. To be called when this process uses MPI no more, or
 * ends the job. */
bool lpot_launcher_condemn(double grace_seconds);

#endif
