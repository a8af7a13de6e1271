#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include <oneapi/dnnl/dnnl.h>

#include "engine/onednn/dl.h"

/* What is the same in oneDNN 2.x and 3.x. */

void lpot_dl_attributes_init(lpot_dl_attributes *attributes) {
  memset(attributes, 0, sizeof *attributes);
  attributes->src_scale = 1.0f;
  attributes->dst_scale = 1.0f;
}

void lpot_dl_use_one_thread(void) {
  typedef void (*set_threads_function)(int);
  /* libgomp reads OMP_NUM_THREADS when it is loaded, before main. It comes with oneDNN, so it is
   * asked by name: no OpenMP compiler is needed for ours. */
  void *program = dlopen(NULL, RTLD_LAZY);
  if (program == NULL) {
    return;
  }
  void *symbol = dlsym(program, "omp_set_num_threads");
  set_threads_function set_threads = NULL;
  memcpy(&set_threads, &symbol, sizeof set_threads);
  if (set_threads != NULL) {
    set_threads(1);
  }
  (void)dlclose(program);
}

const char *lpot_dl_version(void) {
  static char text[32];
  const dnnl_version_t *version = dnnl_version();
  (void)snprintf(text, sizeof text, "oneDNN %d.%d.%d", version->major, version->minor,
                 version->patch);
  return text;
}

const char *lpot_dl_isa(void) {
  static const struct {
    dnnl_cpu_isa_t isa;
    const char *text;
  } table[] = {
      {dnnl_cpu_isa_sse41, "sse41"},
      {dnnl_cpu_isa_avx, "avx"},
      {dnnl_cpu_isa_avx2, "avx2"},
      {dnnl_cpu_isa_avx2_vnni, "avx2_vnni"},
      {dnnl_cpu_isa_avx512_core, "avx512_core"},
      {dnnl_cpu_isa_avx512_core_vnni, "avx512_core_vnni"},
      {dnnl_cpu_isa_avx512_core_bf16, "avx512_core_bf16"},
      {dnnl_cpu_isa_avx512_core_amx, "avx512_core_amx"},
  };
  dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
  for (size_t i = 0; i < sizeof table / sizeof table[0]; ++i) {
    if (table[i].isa == isa) {
      return table[i].text;
    }
  }
  return "other";
}
