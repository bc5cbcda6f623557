/** Orders of numbers for qsort() and the like: smallest first. Layer: base. */
#ifndef HG_BASE_ORDER_H
#define HG_BASE_ORDER_H

/** Compare two floats, two doubles (no NaN), two uint64_t, two int64_t.
 *
 * @local
 * @return below, at or above 0
 */
int hg_order_f32(const void *a, const void *b);
int hg_order_f64(const void *a, const void *b);
int hg_order_u64(const void *a, const void *b);
int hg_order_i64(const void *a, const void *b);

#endif
