/* ToArray and ToNDArray: images are arrays already, so nothing changes. */
#include "data/setting.h"
#include "data/transform_class.h"

typedef struct identity_parameters {
  char unused;
} identity_parameters;

static lpot_status parse_identity(void *parameters, const lpot_yaml_node *settings,
                                  lpot_error *err) {
  static const char *const names[] = {NULL};
  (void)parameters;
  return lpot_setting_check(settings, names, err);
}

static lpot_status apply_identity(const void *parameters, lpot_tensor *input,
                                  lpot_tensor **ret_output, lpot_error *err) {
  (void)parameters;
  (void)err;
  *ret_output = lpot_tensor_ref(input);
  return LPOT_OK;
}

const lpot_transform_class lpot_transform_class_to_array = {
    .name = "ToArray",
    .size_bytes = sizeof(identity_parameters),
    .parse = parse_identity,
    .apply = apply_identity,
};

const lpot_transform_class lpot_transform_class_to_nd_array = {
    .name = "ToNDArray",
    .size_bytes = sizeof(identity_parameters),
    .parse = parse_identity,
    .apply = apply_identity,
};
