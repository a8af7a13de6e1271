/* Fuzz target: YAML text, then every typed getter on every node, then an override. */
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "base/yaml_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"model", "tuning", "basic", NULL};

static void get_all(const lpot_yaml_node *node) {
  lpot_error err = {0};
  const char *text = NULL;
  bool flag = false;
  int64_t integer = 0;
  int64_t integers[4];
  double number = 0;
  double numbers[4];
  size_t count = 0;
  int index = 0;
  char path[64];
  (void)!lpot_yaml_string(node, &text, &err);
  (void)!lpot_yaml_bool(node, &flag, &err);
  (void)!lpot_yaml_int(node, -5, 100, &integer, &err);
  (void)!lpot_yaml_double(node, &number, &err);
  (void)!lpot_yaml_percent(node, &number, &err);
  (void)!lpot_yaml_ints(node, 4, integers, &count, &err);
  (void)!lpot_yaml_doubles(node, 4, numbers, &count, &err);
  (void)!lpot_yaml_choice(node, names, &index, &err);
  (void)!lpot_yaml_check_keys(node, names, &err);
  (void)lpot_yaml_get(node, "model");
  lpot_yaml_path(node, path, sizeof path);
  (void)lpot_yaml_fail(&err, node, "%s", lpot_yaml_node_file(node));
  for (size_t i = 0; i < node->num_children; i++) {
    get_all(node->children[i]);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lpot_yaml *yaml = NULL;
  lpot_error err = {0};
  const char *text = size == 0 ? "" : (const char *)data;
  if (lpot_yaml_parse("fuzz.yaml", text, size, &yaml, &err) != LPOT_OK) {
    return 0;
  }
  get_all(lpot_yaml_root(yaml));
  /* The beginning of the text also serves as a path and its rest as a value. */
  char path[32];
  char value[128] = "";
  size_t path_size = size < sizeof path - 1 ? size : sizeof path - 1;
  size_t value_size = size - path_size < sizeof value - 1 ? size - path_size : sizeof value - 1;
  memcpy(path, text, path_size);
  path[path_size] = '\0';
  memcpy(value, text + path_size, value_size);
  if (lpot_yaml_set(yaml, path, value, &err) == LPOT_OK) {
    get_all(lpot_yaml_root(yaml));
  }
  lpot_yaml_free(yaml);
  return 0;
}
