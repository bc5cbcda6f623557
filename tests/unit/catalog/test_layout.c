#include <criterion/criterion.h>

#include <string.h>

#include "base/unit.h"
#include "catalog/layout.h"

Test(layout, columns_have_distinct_places_and_readable_units)
{
    for (size_t i = 0; hg_layout_at(i) != NULL; i++) {
        const hg_layout_entry *a = hg_layout_at(i);
        hg_unit unit;

        cr_assert_eq(hg_unit_parse(a->unit, &unit), HG_OK, "%s", a->name);
        cr_expect_eq(unit.factor, 1, "%s is not canonical", a->name);
        cr_expect_eq(hg_layout_find(a->name), a);
        for (size_t j = 0; j < i; j++) {
            cr_expect_str_neq(a->name, hg_layout_at(j)->name);
            cr_expect_str_neq(a->path, hg_layout_at(j)->path);
        }
    }
}

Test(layout, predictions_have_places_of_their_own)
{
    static const char *const pair[][2] = {
        {"stellar_mass", "SOAP/Catalogue/stellar_mass"},
        {"stellar_mass_mean", "SOAP/Predicted/stellar_mass"},
        {"stellar_mass_draw", "SOAP/Drawn/stellar_mass"},
        {"stellar_mass_draw12", "SOAP/Drawn12/stellar_mass"},
        {"stellar_mass_q16", "SOAP/Quantile16/stellar_mass"},
        {"stellar_mass_drawn", "SOAP/Catalogue/stellar_mass_drawn"},
        {"latent_3", "SOAP/Catalogue/latent_3"},
        {"position", "InputHalos/HaloCentre"}};
    char path[128];

    for (size_t i = 0; i < sizeof pair / sizeof pair[0]; i++) {
        cr_assert_eq(hg_layout_place(pair[i][0], sizeof path, path), HG_OK);
        cr_expect_str_eq(path, pair[i][1]);
    }
    cr_expect_str_eq(hg_layout_quantity("sfr_draw3")->unit, "Msun/yr");
    cr_expect_null(hg_layout_quantity("latent_mean"));
    cr_expect_eq(hg_layout_place("stellar_mass_mean", 10, path), HG_E_ARG);
}
