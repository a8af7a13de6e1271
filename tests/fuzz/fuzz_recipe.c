/* Any bytes as a recipe (--recipe): it is read or refused, and what is read can be written and read
 * again to the same recipe, as text and in the form of messages. */
#include <stddef.h>
#include <stdint.h>

#include "quant/recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"conv1", "add"};
static const char *const types[] = {"Conv", "Add"};

static lpot_status read_recipe(const char *text, size_t size, lpot_recipe **ret, lpot_error *err) {
  lpot_yaml *yaml = NULL;
  LPOT_TRY(lpot_yaml_parse("fuzz.yaml", text, size, &yaml, err));
  lpot_status status = lpot_recipe_from_yaml(lpot_yaml_root(yaml), names, types, 2, ret, err);
  lpot_yaml_free(yaml);
  return status;
}

static void check_text(const lpot_recipe *recipe, lpot_error *err) {
  lpot_recipe *back = NULL;
  lpot_buffer text;
  lpot_buffer_init(&text);
  lpot_status status = lpot_recipe_to_text(recipe, names, types, &text, err);
  LPOT_ASSERT(status == LPOT_OK);
  status = read_recipe((const char *)text.data, text.size, &back, err);
  LPOT_ASSERT(status == LPOT_OK && lpot_recipe_hash(back) == lpot_recipe_hash(recipe));
  lpot_recipe_free(back);
  lpot_buffer_done(&text);
}

static void check_message(const lpot_recipe *recipe, lpot_error *err) {
  lpot_recipe *back = NULL;
  lpot_reader reader;
  lpot_buffer bytes;
  lpot_buffer_init(&bytes);
  lpot_status status = lpot_recipe_write(recipe, &bytes, err);
  LPOT_ASSERT(status == LPOT_OK);
  lpot_reader_init(&reader, bytes.data, bytes.size);
  status = lpot_recipe_read(&reader, &back, err);
  LPOT_ASSERT(status == LPOT_OK && lpot_recipe_hash(back) == lpot_recipe_hash(recipe));
  lpot_recipe_free(back);
  lpot_buffer_done(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lpot_recipe *recipe = NULL;
  lpot_error error = {0};
  if (read_recipe((const char *)data, size, &recipe, &error) != LPOT_OK) {
    LPOT_ASSERT(error.status != LPOT_OK && error.message[0] != '\0');
    return 0;
  }
  check_text(recipe, &error);
  check_message(recipe, &error);
  lpot_recipe_free(recipe);
  return 0;
}
