/* Stands before _exit in programs that count what runs (LPOT_COVERAGE): the counts are written
 * first. */
#include <unistd.h>

_Noreturn void __real__exit(int code); /* the linker's name of the C library's */
_Noreturn void __wrap__exit(int code); /* what calls of _exit become */
void __gcov_dump(void);

_Noreturn void __wrap__exit(int code) {
  __gcov_dump();
  __real__exit(code);
}
