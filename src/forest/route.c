/* Routing by eight independent chains: each step is a dependent load, and eight of them in
 * flight hide most of its latency. Leaves are their own children, so the inner loop has no leaf
 * test; after a burst of steps the eight are tested together. */
#include "forest/tree.h"

#define HG_ROUTE(name, bits)                                                                 \
    static void name(const hg_node *node, const float *const x[8], uint32_t k[8])            \
    {                                                                                        \
        int burst = 8;                                                                       \
        int done;                                                                            \
                                                                                             \
        do {                                                                                 \
            for (int step = 0; step < burst; step++) {                                       \
                for (int i = 0; i < 8; i++) {                                                \
                    hg_node a = node[k[i]];                                                  \
                                                                                             \
                    k[i] = (a.link >> (bits)) + (x[i][a.link & ((1u << (bits)) - 1)] > a.t); \
                }                                                                            \
            }                                                                                \
            burst = 3;                                                                       \
            done = 1;                                                                        \
            for (int i = 0; i < 8; i++) {                                                    \
                done &= node[k[i]].t != node[k[i]].t;                                        \
            }                                                                                \
        } while (!done);                                                                     \
    }

HG_ROUTE(route_narrow, 6)
HG_ROUTE(route_wide, 8)

void
hg_tree_route(const hg_node node[], int bits, size_t n, const float x[], size_t stride,
              const uint32_t index[], uint32_t leaf[])
{
    for (size_t b = 0; b < n; b += 8) {
        const float *row[8];
        uint32_t k[8] = {0};

        for (size_t i = 0; i < 8; i++) {
            size_t at = b + i < n ? b + i : n - 1;

            row[i] = x + (index != NULL ? index[at] : at) * stride;
        }
        if (bits == 6) {
            route_narrow(node, row, k);
        } else {
            route_wide(node, row, k);
        }
        for (size_t i = 0; i < 8 && b + i < n; i++) {
            leaf[b + i] = hg_leaf_number(node[k[i]]);
        }
    }
}
