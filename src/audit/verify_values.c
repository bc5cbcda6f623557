/* Ranges follow from the table of canonical columns and from what kind of number a column
 * holds; they are wide on purpose, so that what is outside is an error and no rarity. */
#include "audit/verify_values.h"

#include <math.h>
#include <string.h>

#include "catalog/layout.h"

enum { SPEED_MAX = 20000 };

static bool
is_amount(const char *unit)
{
    return strcmp(unit, "Msun") == 0 || strcmp(unit, "Msun/yr") == 0 ||
           strcmp(unit, "Mpc") == 0;
}

hg_value_rule
hg_value_rule_of(const char *name, const char *unit, const char *kind, const hg_frame *frame)
{
    const hg_layout_entry *entry = hg_layout_find(name);
    const bool is_input = strcmp(kind, "input") == 0;

    if (entry != NULL && entry->rule == HG_RULE_POSITION) {
        /* folded into [0, L): L itself is outside, and periodic boxes have an L */
        return isfinite(frame->box)
                   ? (hg_value_rule){0, nextafter(frame->box, 0), false, "in [0, box)"}
                   : (hg_value_rule){-HUGE_VAL, HUGE_VAL, false, "finite"};
    }
    if (entry != NULL && entry->rule == HG_RULE_SPEED) {
        return (hg_value_rule){-SPEED_MAX, SPEED_MAX, is_input, "below 20000 km/s"};
    }
    if (strcmp(kind, "probability") == 0) {
        return (hg_value_rule){0, 1, true, "between 0 and 1"};
    }
    if (strcmp(kind, "spread") != 0 && is_amount(unit)) {
        return (hg_value_rule){0, HUGE_VAL, true, "not negative"};
    }
    return (hg_value_rule){-HUGE_VAL, HUGE_VAL, true, "finite"};
}

static bool
count_value(const hg_value_rule *rule, double value, hg_value_tally *tally)
{
    if (isnan(value)) {
        tally->n_nan++;
        return rule->nan_allowed;
    }
    if (isinf(value)) {
        tally->n_infinite++;
        return false;
    }
    if (value < rule->low || value > rule->high) {
        tally->n_outside++;
        return false;
    }
    return true;
}

void
hg_value_count(const hg_value_rule *rule, hg_type type, int64_t n, int64_t width,
               const void *data, int64_t row, hg_value_tally *tally)
{
    if (type != HG_F64 && type != HG_F32) {
        return;
    }
    for (int64_t i = 0; i < n * width; i++) {
        const double value =
            type == HG_F64 ? ((const double *)data)[i] : (double)((const float *)data)[i];

        if (!count_value(rule, value, tally) && row + i / width < tally->first) {
            tally->first = row + i / width;
        }
    }
}
