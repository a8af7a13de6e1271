/* Texts and settings that the objects of the API keep. */
#include <string.h>

#include "api/api_session.h"
#include "base/memory.h"

lpot_status lpot_api_check(const void *argument, const char *name, lpot_error *err) {
  if (argument == NULL) {
    return LPOT_FAIL(err, LPOT_INVALID, "%s is NULL", name);
  }
  return LPOT_OK;
}

lpot_status lpot_api_keep(char **slot, const char *text, lpot_error *err) {
  char *copy = NULL;
  if (text != NULL) {
    size_t size = strlen(text) + 1;
    copy = lpot_calloc(size, 1);
    if (copy == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
    memcpy(copy, text, size);
  }
  lpot_free(*slot);
  *slot = copy;
  return LPOT_OK;
}

lpot_status lpot_api_settings_init(lpot_api_settings *settings, const char *name, const char *text,
                                   lpot_error *err) {
  LPOT_TRY(lpot_api_check(name, "name", err));
  LPOT_TRY(lpot_api_keep(&settings->name, name, err));
  LPOT_TRY(lpot_api_keep(&settings->text, text, err));
  LPOT_TRY(lpot_api_keep(&settings->engine_name, "onednn", err));
  return LPOT_OK;
}

void lpot_api_settings_done(lpot_api_settings *settings) {
  for (size_t i = 0; i < settings->count; i++) {
    lpot_free(settings->list[i]);
  }
  lpot_free(settings->list);
  lpot_free(settings->name);
  lpot_free(settings->text);
  lpot_free(settings->engine_name);
  *settings = (lpot_api_settings){0};
}

lpot_status lpot_api_settings_add(lpot_api_settings *settings, const char *setting,
                                  lpot_error *err) {
  LPOT_TRY(lpot_api_check(setting, "setting", err));
  const char *equals = strchr(setting, '=');
  if (equals == NULL || equals == setting) {
    return LPOT_FAIL(err, LPOT_INVALID, "setting '%s': expected KEY.PATH=VALUE", setting);
  }
  if (settings->count == settings->capacity) {
    size_t larger = settings->capacity == 0 ? 8 : 2 * settings->capacity;
    char **grown = lpot_realloc(settings->list, larger, sizeof *grown);
    if (grown == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
    settings->list = grown;
    settings->capacity = larger;
  }
  settings->list[settings->count] = NULL;
  LPOT_TRY(lpot_api_keep(&settings->list[settings->count], setting, err));
  settings->count++;
  return LPOT_OK;
}
