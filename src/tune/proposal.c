#include "tune/proposal.h"

#include "base/json_reader.h"
#include "base/text.h"

typedef enum proposal_key {
  KEY_RECIPE,
  KEY_SAMPLING,
  KEY_CORRECTIONS,
  KEY_STOP,
  NUM_KEYS
} proposal_key;

static const char *const key_names[NUM_KEYS + 1] = {"recipe", "sampling", "corrections", "stop",
                                                    NULL};

typedef struct proposal_reader {
  lpot_json_reader json;
  size_t num_ops;
  int64_t *indices; /* [num_ops] */
  lpot_proposal *proposal;
  bool seen[NUM_KEYS];
} proposal_reader;

static lpot_status find_key(const char *name, proposal_key *ret_key, lpot_error *err) {
  char known[64];
  char shown[64];
  for (size_t i = 0; i < NUM_KEYS; i++) {
    if (lpot_text_equal(name, key_names[i])) {
      *ret_key = (proposal_key)i;
      return LPOT_OK;
    }
  }
  lpot_text_names(key_names, known, sizeof known);
  lpot_text_printable(name, shown, sizeof shown);
  return LPOT_FAIL(err, LPOT_FORMAT, "unknown key '%s', expected one of %s", shown, known);
}

/* All items are counted, and the first num_ops kept. */
static lpot_status read_recipe(proposal_reader *reader, lpot_error *err) {
  size_t count = 0;
  bool more = false;
  LPOT_TRY(lpot_json_reader_enter(&reader->json, LPOT_JSON_ARRAY, err));
  LPOT_TRY(lpot_json_reader_next(&reader->json, NULL, &more, err));
  while (more) {
    int64_t index = 0;
    LPOT_TRY(lpot_json_reader_int(&reader->json, &index, err));
    if (count < reader->num_ops) {
      reader->indices[count] = index;
    }
    count++;
    LPOT_TRY(lpot_json_reader_next(&reader->json, NULL, &more, err));
  }
  if (count != reader->num_ops) {
    return LPOT_FAIL(err, LPOT_FORMAT, "expected %zu items, got %zu", reader->num_ops, count);
  }
  return LPOT_OK;
}

static lpot_status read_value(proposal_reader *reader, proposal_key key, lpot_error *err) {
  switch (key) {
  case KEY_RECIPE:
    return read_recipe(reader, err);
  case KEY_SAMPLING:
    return lpot_json_reader_int(&reader->json, &reader->proposal->sampling, err);
  case KEY_CORRECTIONS:
    return lpot_json_reader_int(&reader->json, &reader->proposal->corrections, err);
  default:
    return lpot_json_reader_bool(&reader->json, &reader->proposal->stop, err);
  }
}

static lpot_status read_entry(proposal_reader *reader, const char *name, lpot_error *err) {
  proposal_key key = KEY_RECIPE;
  LPOT_TRY(find_key(name, &key, err));
  lpot_status status = reader->seen[key] ? LPOT_FAIL(err, LPOT_FORMAT, "it comes twice")
                                         : read_value(reader, key, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "key '%s'", key_names[key]);
    return status;
  }
  reader->seen[key] = true;
  return LPOT_OK;
}

/* What is wrong between the values. */
static lpot_status not_json(lpot_status status, lpot_error *err) {
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "not JSON");
  }
  return status;
}

static lpot_status next_entry(proposal_reader *reader, const char **ret_name, bool *ret_more,
                              lpot_error *err) {
  lpot_status status = lpot_json_reader_next(&reader->json, ret_name, ret_more, err);
  return not_json(status, err);
}

static lpot_status read_object(proposal_reader *reader, lpot_error *err) {
  const char *name = NULL;
  bool more = false;
  LPOT_TRY(not_json(lpot_json_reader_enter(&reader->json, LPOT_JSON_OBJECT, err), err));
  LPOT_TRY(next_entry(reader, &name, &more, err));
  while (more) {
    LPOT_TRY(read_entry(reader, name, err));
    LPOT_TRY(next_entry(reader, &name, &more, err));
  }
  LPOT_TRY(not_json(lpot_json_reader_end(&reader->json, err), err));
  if (!reader->seen[KEY_RECIPE] && !reader->proposal->stop) {
    return LPOT_FAIL(err, LPOT_FORMAT, "key 'recipe' is missing");
  }
  return LPOT_OK;
}

lpot_status lpot_proposal_read(const char *text, size_t size, size_t num_ops, int64_t *ret_indices,
                               lpot_proposal *ret, lpot_error *err) {
  lpot_proposal proposal = {0};
  proposal_reader reader = {.num_ops = num_ops, .indices = ret_indices, .proposal = &proposal};
  lpot_json_reader_init(&reader.json, text, size);
  lpot_status status = read_object(&reader, err);
  lpot_json_reader_done(&reader.json);
  LPOT_TRY(status);
  *ret = proposal;
  return LPOT_OK;
}
