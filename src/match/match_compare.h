/** Comparison of members in functions for qsort(). Layer: match. */
#ifndef HG_MATCH_COMPARE_H
#define HG_MATCH_COMPARE_H

/** Return -1 or 1 from the function around when a and b differ. */
#define HG_COMPARE(a, b)           \
    if ((a) != (b)) {              \
        return (a) < (b) ? -1 : 1; \
    }

#endif
