/* lpot in a C or C++ program: the whole of the API, and the session that all of it needs.
 *
 *   cc program.c $(pkg-config --cflags --libs lpot)
 *
 * or in CMake: find_package(lpot REQUIRED) and target_link_libraries(program lpot::lpot). The
 * example of quantization.h is a whole program.
 *
 * Conventions. A function that can fail returns lpot_status and takes an lpot_error last, which may
 * be NULL. Pointers that are handed in are borrowed for the call: texts are copied. What comes by
 * ret_ pointers is owned by the caller, and set on success only. Texts that are returned are
 * borrowed from their object. A free function takes NULL too, and a function that can fail answers
 * LPOT_INVALID to NULL in the place of an object. Accuracies and losses are fractions; times are in
 * ms per sample unless it says otherwise. Not collective: may be called on any rank alone.
 * Collective: all ranks of the job have to call it, in the same order. No function may be called
 * from two threads at once.
 *
 * Compatible with C99 and C++. */
#ifndef LPOT_LPOT_H
#define LPOT_LPOT_H

#include <lpot/benchmark.h>
#include <lpot/error.h>
#include <lpot/model.h>
#include <lpot/quantization.h>
#include <lpot/session.h>

#endif
