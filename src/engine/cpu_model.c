#include "engine/cpu_model.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Copies what follows "key<tab>: " when line begins with key. */
static void take_field(const char *line, const char *key, char *out, size_t out_size) {
  size_t length = strlen(key);
  const char *colon = strchr(line, ':');
  if (out[0] != '\0' || strncmp(line, key, length) != 0 || colon == NULL) {
    return;
  }
  if (line[length] != '\t' && line[length] != ' ' && line[length] != ':') {
    return;
  }
  if (strncmp(key, "model", length) == 0 && strncmp(line, "model name", 10) == 0) {
    return;
  }
  lpot_text_copy(out, out_size, colon + (colon[1] == ' ' ? 2 : 1));
  out[strcspn(out, "\n")] = '\0';
}

void lpot_cpu_model(char *out, size_t out_size) {
  char vendor[40] = "";
  char family[16] = "";
  char model[16] = "";
  char line[512];
  FILE *file = fopen("/proc/cpuinfo", "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL && line[0] != '\n') {
    take_field(line, "vendor_id", vendor, sizeof vendor);
    take_field(line, "cpu family", family, sizeof family);
    take_field(line, "model", model, sizeof model);
  }
  if (file != NULL) {
    (void)fclose(file);
  }
  if (vendor[0] == '\0') {
    lpot_text_copy(out, out_size, "unknown cpu");
    return;
  }
  (void)snprintf(out, out_size, "%s family %s model %s", vendor, family, model);
}
