/* The 80 classes of COCO's detection by name, with its category ids (1 to 90, with gaps). */
#ifndef LPOT_DATA_COCO_NAMES_H
#define LPOT_DATA_COCO_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* name has size bytes, no NUL behind them. False, with *ret_class unchanged, where it is none. */
bool lpot_coco_class_of(const uint8_t *name, size_t size, int64_t *ret_class);

#endif
