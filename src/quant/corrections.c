#include "quant/corrections.h"

#include <stdio.h>

static const char *const keys[] = {LPOT_CORRECTION_KEYS};

const char *lpot_correction_text(lpot_correction correction) {
  return keys[correction];
}

bool *lpot_correction_of(lpot_corrections *corrections, lpot_correction correction) {
  bool *const fields[LPOT_NUM_CORRECTIONS] = {
      [LPOT_BIAS_CORRECTION] = &corrections->bias_correction,
      [LPOT_CROSS_LAYER_EQUALIZATION] = &corrections->cross_layer_equalization};
  return fields[correction];
}

bool lpot_corrections_equal(const lpot_corrections *a, const lpot_corrections *b) {
  return lpot_corrections_bits(a) == lpot_corrections_bits(b);
}

bool lpot_corrections_any(const lpot_corrections *corrections) {
  return lpot_corrections_bits(corrections) != 0;
}

unsigned lpot_corrections_bits(const lpot_corrections *corrections) {
  lpot_corrections copy = *corrections;
  unsigned bits = 0;
  for (unsigned i = 0; i < LPOT_NUM_CORRECTIONS; i++) {
    bits |= *lpot_correction_of(&copy, (lpot_correction)i) ? 1u << i : 0;
  }
  return bits;
}

lpot_corrections lpot_corrections_of_bits(unsigned bits) {
  lpot_corrections corrections = {0};
  for (unsigned i = 0; i < LPOT_NUM_CORRECTIONS; i++) {
    *lpot_correction_of(&corrections, (lpot_correction)i) = (bits & (1u << i)) != 0;
  }
  return corrections;
}

void lpot_corrections_text(const lpot_corrections *corrections, char out[LPOT_CORRECTIONS_TEXT]) {
  lpot_corrections copy = *corrections;
  size_t used = 0;
  for (int i = 0; i < LPOT_NUM_CORRECTIONS; i++) {
    if (*lpot_correction_of(&copy, (lpot_correction)i)) {
      int length = snprintf(out + used, LPOT_CORRECTIONS_TEXT - used, "%s%s", used == 0 ? "" : ", ",
                            keys[i]);
      used += (size_t)length;
    }
  }
  if (used == 0) {
    snprintf(out, LPOT_CORRECTIONS_TEXT, "none");
  }
}

lpot_status lpot_corrections_write(const lpot_corrections *corrections, lpot_buffer *out,
                                   lpot_error *err) {
  lpot_corrections copy = *corrections;
  for (int i = 0; i < LPOT_NUM_CORRECTIONS; i++) {
    if (*lpot_correction_of(&copy, (lpot_correction)i)) {
      LPOT_TRY(lpot_buffer_printf(out, err, "%s: true\n", keys[i]));
    }
  }
  return LPOT_OK;
}

lpot_status lpot_corrections_from_yaml(const lpot_yaml_node *map, lpot_corrections *ret,
                                       lpot_error *err) {
  lpot_corrections corrections = {0};
  for (int i = 0; i < LPOT_NUM_CORRECTIONS; i++) {
    const lpot_yaml_node *node = lpot_yaml_get(map, keys[i]);
    if (node != NULL) {
      LPOT_TRY(lpot_yaml_bool(node, lpot_correction_of(&corrections, (lpot_correction)i), err));
    }
  }
  *ret = corrections;
  return LPOT_OK;
}
