/* Which processor this is, for the numeric class of results. */
#ifndef LPOT_ENGINE_CPU_MODEL_H
#define LPOT_ENGINE_CPU_MODEL_H

#include <stddef.h>

/* "AuthenticAMD family 25 model 17" from /proc/cpuinfo, "unknown cpu" where it cannot be read. */
void lpot_cpu_model(char *out, size_t out_size);

#endif
