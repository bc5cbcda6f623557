#include <criterion/criterion.h>

#include "match/id_rule.h"

static uint64_t
apply(const char *text, uint64_t id, bool *keep)
{
    hg_id_rule rule;

    cr_assert_eq(hg_id_rule_parse(text, &rule), HG_OK, "%s", text);
    *keep = hg_id_rule_apply(&rule, &id);
    return id;
}

Test(id_rule, rules_of_known_codes_map_ids)
{
    bool keep;

    cr_assert(apply(NULL, 7, &keep) == 7 && keep);
    cr_assert(apply("id", UINT64_MAX, &keep) == UINT64_MAX && keep);
    cr_assert(apply("even | / 2", 14, &keep) == 7 && keep);
    (void)apply("even | / 2", 15, &keep);
    cr_assert(!keep);
    cr_assert(apply("odd|-1|/2", 15, &keep) == 7 && keep);
    cr_assert(apply("- 1000", 1007, &keep) == 7 && keep);
    (void)apply("- 1000", 999, &keep); /* never wraps round */
    cr_assert(!keep);
    (void)apply("< 100", 100, &keep);
    cr_assert(!keep);
    cr_assert(apply(">= 100 | + 18446744073709551515", 100, &keep) == UINT64_MAX && keep);
    cr_assert(apply("* 2 | + 1", 1ULL << 62, &keep) == (1ULL << 63) + 1 && keep);
}

Test(id_rule, nonsense_is_named)
{
    static const char *const bad[] = {"half",
                                      "/ 0",
                                      "- x",
                                      "even || / 2",
                                      "< ",
                                      "+ 18446744073709551616",
                                      "id|id|+1|+1|+1|+1|+1|+1|+1|+1|+1",
                                      "1 - id"};
    hg_id_rule rule;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_eq(hg_id_rule_parse(bad[i], &rule), HG_E_PARAM, "%s", bad[i]);
        cr_assert(strstr(hg_error_last()->message, bad[i]) != NULL);
    }
}
