/* A halo of a run without baryons holds their share as dark matter. */
#include "emulate/baryons.h"

#include <math.h>
#include <string.h>

#include "catalog/format.h"

double
hg_baryons_factor(const hg_frame *zooms, const hg_frame *parent)
{
    const double of_parent = parent->omega_b / parent->omega_m,
                 share = isfinite(of_parent) ? of_parent : zooms->omega_b / zooms->omega_m;

    if (zooms->dark_matter_only || !parent->dark_matter_only) {
        return 1;
    }
    return share > 0 && share < 1 ? 1 - share : (double)NAN;
}

void
hg_baryons_scale(hg_table *table, double factor)
{
    for (int c = 0; c < table->n_column && factor != 1; c++) {
        const hg_column *column = &table->column[c];

        if (strcmp(column->name, HG_BARYONS_COLUMN) == 0) {
            for (int64_t i = 0; i < table->n; i++) {
                hg_column_set(column->type, column->data, i,
                              factor * hg_column_value(column, i, 0));
            }
        }
    }
}
