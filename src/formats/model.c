#include "formats/model.h"

#include "base/mapping.h"
#include "formats/onnx/onnx.h"

typedef struct model_format {
  const char *name;
  bool (*probe)(const uint8_t *data, size_t size);
  lpot_status (*load)(const char *path, lpot_graph **ret_graph, lpot_model_info *ret_info,
                      lpot_error *err);
} model_format;

static const model_format formats[] = {
    {"onnx", lpot_onnx_probe, lpot_onnx_load},
};

static lpot_status find_format(const char *path, const model_format **ret_format, lpot_error *err) {
  lpot_mapping *mapping = NULL;
  LPOT_TRY(lpot_mapping_open(path, &mapping, err));
  size_t size = lpot_mapping_size(mapping);
  const model_format *found = NULL;
  for (size_t i = 0; i < sizeof formats / sizeof formats[0] && found == NULL; i++) {
    if (formats[i].probe(lpot_mapping_data(mapping), size)) {
      found = &formats[i];
    }
  }
  lpot_mapping_unref(mapping);
  if (size == 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "model '%s': the file is empty", path);
  }
  if (found == NULL) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "model '%s': the first bytes are of no format that we read, expected onnx",
                     path);
  }
  *ret_format = found;
  return LPOT_OK;
}

lpot_status lpot_model_load(const char *path, lpot_graph **ret_graph, lpot_model_info *ret_info,
                            lpot_error *err) {
  const model_format *format = NULL;
  LPOT_TRY(find_format(path, &format, err));
  LPOT_TRY(format->load(path, ret_graph, ret_info, err));
  return LPOT_OK;
}
