/* Why a journal cannot go on with a configuration. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tune/config.h"

#define MAX_SHOWN 96
#define MAX_PATH 160

/* A value that differs, in both trees; NULL where one does not have it. */
typedef struct difference {
  const lpot_yaml_node *old, *fresh;
  const lpot_yaml_node *source; /* where the user wrote the new one; NULL: nowhere */
} difference;

typedef struct comparison {
  const lpot_yaml_node *given; /* root of what the user wrote */
  difference found;            /* the first one, or rather the first one that has a source */
} comparison;

/* The child that lies in a tree where node lies in its own. */
static const lpot_yaml_node *child_like(const lpot_yaml_node *parent, const lpot_yaml_node *node,
                                        size_t index) {
  if (node->key != NULL) {
    return lpot_yaml_get(parent, node->key);
  }
  bool has = parent != NULL && parent->kind == LPOT_YAML_LIST && index < parent->num_children;
  return has ? parent->children[index] : NULL;
}

static size_t index_of(const lpot_yaml_node *node) {
  size_t index = 0;
  while (node->parent->children[index] != node) {
    index++;
  }
  return index;
}

/* The node of the tree under root that has node's path, or NULL. */
static const lpot_yaml_node *find_like(const lpot_yaml_node *root, const lpot_yaml_node *node) {
  if (node->parent == NULL) {
    return root;
  }
  return child_like(find_like(root, node->parent), node, index_of(node));
}

static void note(comparison *self, const lpot_yaml_node *old, const lpot_yaml_node *fresh) {
  const lpot_yaml_node *source = find_like(self->given, fresh == NULL ? old : fresh);
  difference *found = &self->found;
  bool is_first = found->old == NULL && found->fresh == NULL;
  if (is_first || (found->source == NULL && source != NULL)) {
    *found = (difference){old, fresh, source};
  }
}

static bool are_parts(const lpot_yaml_node *old, const lpot_yaml_node *fresh) {
  return old->kind == fresh->kind && (old->kind == LPOT_YAML_MAP || old->kind == LPOT_YAML_LIST);
}

/* The depth of trees is limited by base/yaml_tree.h. */
static void compare(comparison *self, const lpot_yaml_node *old, const lpot_yaml_node *fresh) {
  if (!are_parts(old, fresh)) {
    bool same = old->kind == fresh->kind &&
                (old->kind == LPOT_YAML_NULL || lpot_text_equal(old->text, fresh->text));
    if (!same) {
      note(self, old, fresh);
    }
    return;
  }
  for (size_t i = 0; i < old->num_children; i++) {
    const lpot_yaml_node *other = child_like(fresh, old->children[i], i);
    if (other == NULL) {
      note(self, old->children[i], NULL);
    } else {
      compare(self, old->children[i], other);
    }
  }
  for (size_t i = 0; i < fresh->num_children; i++) {
    if (child_like(old, fresh->children[i], i) == NULL) {
      note(self, NULL, fresh->children[i]);
    }
  }
}

static void value_text(const lpot_yaml_node *node, char *out, size_t out_size) {
  static const char *const kinds[] = {[LPOT_YAML_NULL] = "empty",
                                      [LPOT_YAML_SCALAR] = "a text",
                                      [LPOT_YAML_LIST] = "a list",
                                      [LPOT_YAML_MAP] = "a map"};
  if (node == NULL || node->kind != LPOT_YAML_SCALAR) {
    lpot_text_copy(out, out_size, node == NULL ? "not given" : kinds[node->kind]);
    return;
  }
  char shown[MAX_SHOWN];
  lpot_text_printable(node->text, shown, sizeof shown);
  snprintf(out, out_size, "'%s'", shown);
}

/* " (conf.yaml:12:5)", " (--set KEY)" or nothing. */
static void source_text(const lpot_yaml_node *source, char *out, size_t out_size) {
  out[0] = '\0';
  if (source == NULL) {
    return;
  }
  if (lpot_yaml_node_is_set(source)) {
    snprintf(out, out_size, " (%.120s)", lpot_yaml_node_file(source));
  } else {
    snprintf(out, out_size, " (%.120s:%d:%d)", lpot_yaml_node_file(source), source->line,
             source->column);
  }
}

static lpot_status fail(const difference *found, lpot_error *err) {
  char path[MAX_PATH];
  char old[MAX_SHOWN + 8];
  char fresh[MAX_SHOWN + 8];
  char source[MAX_PATH];
  if (found->old == NULL && found->fresh == NULL) {
    return LPOT_FAIL(err, LPOT_INVALID, "the journal is of another configuration");
  }
  lpot_yaml_path(found->fresh == NULL ? found->old : found->fresh, path, sizeof path);
  value_text(found->old, old, sizeof old);
  value_text(found->fresh, fresh, sizeof fresh);
  source_text(found->source, source, sizeof source);
  return LPOT_FAIL(err, LPOT_INVALID,
                   "the journal is of another configuration: %s was %s, is now %s%s", path, old,
                   fresh, source);
}

lpot_status lpot_config_fail_difference(const lpot_config *config, const char *old_identity,
                                        const char *identity, lpot_error *err) {
  comparison self = {.given = lpot_yaml_root(config->yaml)};
  lpot_yaml *old = NULL;
  lpot_yaml *fresh = NULL;
  /* A text that cannot be read, of a damaged or older journal, is different all the same. */
  lpot_status status = lpot_yaml_parse("journal", old_identity, strlen(old_identity), &old, NULL);
  if (status == LPOT_OK) {
    status = lpot_yaml_parse("configuration", identity, strlen(identity), &fresh, NULL);
  }
  if (status == LPOT_OK) {
    compare(&self, lpot_yaml_root(old), lpot_yaml_root(fresh));
  }
  status = status == LPOT_NO_MEMORY ? LPOT_OUT_OF_MEMORY(err) : fail(&self.found, err);
  lpot_yaml_free(old);
  lpot_yaml_free(fresh);
  return status;
}
