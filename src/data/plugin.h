/* Components of a user's shared object (include/lpot/component.h), for the classes named "plugin".
 *
 * A component that fails, or answers what cannot be, when it is opened is LPOT_CONFIG at its place
 * in the YAML; later it is LPOT_CRASHED: the attempt at hand has failed as if the process had died.
 */
#ifndef LPOT_DATA_PLUGIN_H
#define LPOT_DATA_PLUGIN_H

#include <lpot/component.h>

#include "base/arena.h"
#include "base/checksum.h"
#include "base/yaml_tree.h"
#include "tensor/tensor.h"

typedef enum lpot_plugin_kind {
  LPOT_PLUGIN_DATASET,
  LPOT_PLUGIN_TRANSFORM,
  LPOT_PLUGIN_METRIC,
  LPOT_PLUGIN_POSTPROCESS,
  LPOT_PLUGIN_CALIBRATION,
  LPOT_NUM_PLUGIN_KINDS
} lpot_plugin_kind;

/* A component of any kind, as this version knows it. */
typedef union lpot_plugin_component {
  lpot_component base;
  lpot_component_dataset dataset;
  lpot_component_transform transform;
  lpot_component_metric metric;
  lpot_component_postprocess postprocess;
  lpot_component_calibration calibration;
} lpot_plugin_component;

/* All zero: nothing is open. Stays where it was opened. */
typedef struct lpot_plugin {
  void *library;                   /* as dlopen gives it */
  const lpot_component *component; /* of the kind's own struct; points to copy */
  lpot_plugin_component copy;      /* of the library's; what an older one does not have is 0 */
  const char *kind;                /* "dataset" */
  void *object;
  lpot_arena *arena; /* settings, path */
  lpot_component_settings settings;
  const char *path; /* of the library */
} lpot_plugin;

#define LPOT_PLUGIN_PROGRAM "program" /* the library that is this program itself */

/* Components of this program, for library: program; borrowed for the life of the process, which
 * they belong to. NULL: none. */
void lpot_plugin_use_program(const lpot_component_list *list);

/* settings: the map under "plugin", with library, name (optional) and the component's own keys. On
 * failure it is only closed. */
LPOT_MUST_CHECK lpot_status lpot_plugin_open(lpot_plugin *plugin, lpot_plugin_kind kind,
                                             const lpot_yaml_node *settings, lpot_error *err);
void lpot_plugin_close(lpot_plugin *plugin);

/* LPOT_CRASHED: "dataset NAME of 'LIBRARY': text"; 'program' where it is this one's own. */
lpot_status lpot_plugin_fail(const lpot_plugin *plugin, lpot_error *err, const char *format, ...)
    LPOT_PRINTF(3, 4);

/* A call of a component: what it may write to. */
typedef struct lpot_plugin_call {
  lpot_component_output output; /* first: what the component is given */
  const lpot_plugin *plugin;
  size_t num_slots;    /* inputs or outputs that may be made */
  lpot_tensor **made;  /* [num_slots]; NULL where nothing was made; owned by the caller */
  lpot_tensor **label; /* NULL: none may be made */
  char error[LPOT_COMPONENT_TEXT];
} lpot_plugin_call;

void lpot_plugin_begin(lpot_plugin_call *call, const lpot_plugin *plugin, size_t num_slots,
                       lpot_tensor **made, lpot_tensor **label);
/* Takes what the component's function returned. On failure the tensors made so far are unreferenced
 * and cleared. */
LPOT_MUST_CHECK lpot_status lpot_plugin_end(lpot_plugin_call *call, int returned, lpot_error *err);

/* A tensor as components see it; borrowed. */
lpot_component_tensor lpot_plugin_view(const lpot_tensor *tensor);

/* A digest of the files of all libraries that are named under "plugin" anywhere in node; 0 where
 * there is none. Recipes are compared over resumed runs only if it stays. */
LPOT_MUST_CHECK lpot_status lpot_plugin_digest(const lpot_yaml_node *node, lpot_digest *ret,
                                               lpot_error *err);
bool lpot_plugin_is_used(const lpot_yaml_node *node);

#endif
