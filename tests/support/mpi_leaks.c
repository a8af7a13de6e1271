/* In builds with the sanitizers, between lpot and MPI: what MPI allocates to start and to end is no
 * leak of ours. Otherwise the sanitizer would have to tell by the whole stack of each allocation of
 * the process, walked through libraries without frame pointers, and a run would take four times as
 * long.
 *
 * Threads that MPI has started go on allocating: for these lsan.supp names the library. What MPI
 * has loaded stays loaded, so that it still has a name when leaks are looked for. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>

#include <mpi.h>
#include <sanitizer/lsan_interface.h>

static int keep_loaded(struct dl_phdr_info *info, size_t size, void *unused) {
  (void)size;
  (void)unused;
  if (info->dlpi_name[0] != '\0') {
    (void)dlopen(info->dlpi_name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
  }
  return 0;
}

int MPI_Init(int *argc, char ***argv) {
  __lsan_disable();
  int code = PMPI_Init(argc, argv);
  dl_iterate_phdr(keep_loaded, NULL);
  __lsan_enable();
  return code;
}

int MPI_Finalize(void) {
  __lsan_disable();
  int code = PMPI_Finalize();
  __lsan_enable();
  return code;
}
