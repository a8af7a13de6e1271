/* Which ops read what others make: where int8 can go on from op to op, and where it has a border.
 */
#ifndef LPOT_QUANT_OP_LINKS_H
#define LPOT_QUANT_OP_LINKS_H

#include "quant/quant_ops.h"

#define LPOT_NO_OP SIZE_MAX

/* to reads an output of from, at once or through transparent nodes. LPOT_NO_OP: the rest of the
 * graph, which is float always (its inputs, outputs, and nodes of no op). */
typedef struct lpot_op_link {
  size_t from;
  size_t to;
} lpot_op_link;

/* Every link once, ordered by `to` and then by `from`, those to LPOT_NO_OP last. *ret_links is
 * owned (lpot_free); NULL where there is none. graph and ops as in lpot_quant_rewrite. */
LPOT_MUST_CHECK lpot_status lpot_quant_op_links(const lpot_graph *graph, const lpot_quant_ops *ops,
                                                lpot_op_link **ret_links, size_t *ret_count,
                                                lpot_error *err);

#endif
