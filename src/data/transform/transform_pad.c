/* Pad: {padding, fill: 0, padding_mode: constant}. padding is one number for all sides, two (left
 * and right, top and bottom) or four (left, top, right, bottom); fill a number or one per channel;
 * padding_mode, or mode, is constant, edge, reflect or symmetric. */
#include "data/setting.h"
#include "data/transform_class.h"

#define MAX_PADDING 65535

static lpot_status read_padding(const lpot_yaml_node *settings, lpot_padding *pad,
                                lpot_error *err) {
  /* Where left, top, right and bottom stand in lists of 1, 2 and 4. */
  static const size_t places[5][4] = {[1] = {0, 0, 0, 0}, [2] = {0, 1, 0, 1}, [4] = {0, 1, 2, 3}};
  const lpot_yaml_node *node = NULL;
  int64_t sides[4];
  size_t count = 0;
  LPOT_TRY(lpot_setting_need(settings, "transform Pad", "padding", &node, err));
  LPOT_TRY(lpot_yaml_ints(node, 4, sides, &count, err));
  if (count == 0 || count == 3) {
    return lpot_yaml_fail(err, node, "expected 1, 2 or 4 numbers, got %zu", count);
  }
  for (size_t i = 0; i < count; i++) {
    if (sides[i] < 0 || sides[i] > MAX_PADDING) {
      return lpot_yaml_fail(err, node, "padding %lld, expected 0 to %d", (long long)sides[i],
                            MAX_PADDING);
    }
  }
  pad->left = sides[places[count][0]];
  pad->top = sides[places[count][1]];
  pad->right = sides[places[count][2]];
  pad->bottom = sides[places[count][3]];
  return LPOT_OK;
}

static lpot_status parse_pad(void *parameters, const lpot_yaml_node *settings, lpot_error *err) {
  static const char *const names[] = {"padding", "fill", "padding_mode", "mode", NULL};
  static const char *const modes[] = {"constant", "edge", "reflect", "symmetric", NULL};
  lpot_padding *pad = parameters;
  LPOT_TRY(lpot_setting_check(settings, names, err));
  LPOT_TRY(read_padding(settings, pad, err));
  LPOT_TRY(lpot_transform_read_channels(settings, "fill", pad->value, err));
  const lpot_yaml_node *node = lpot_setting_get(settings, "padding_mode");
  node = node != NULL ? node : lpot_setting_get(settings, "mode");
  if (node != NULL) {
    int mode = 0;
    LPOT_TRY(lpot_yaml_choice(node, modes, &mode, err));
    pad->mode = (lpot_padding_mode)mode;
  }
  return LPOT_OK;
}

static lpot_status apply_pad(const void *parameters, lpot_tensor *input, lpot_tensor **ret_output,
                             lpot_error *err) {
  LPOT_TRY(lpot_transform_need_image(input, err));
  return lpot_transform_pad(input, parameters, ret_output, err);
}

const lpot_transform_class lpot_transform_class_pad = {
    .name = "Pad",
    .size_bytes = sizeof(lpot_padding),
    .parse = parse_pad,
    .apply = apply_pad,
};
