/** How the particle ids of one run become those of another. Layer: match. */
#ifndef HG_MATCH_ID_RULE_H
#define HG_MATCH_ID_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "halograft/error.h"

enum { HG_ID_STEPS = 8 };

/** One step of a rule. */
typedef struct hg_id_step {
    char kind; /**< + - * / arithmetic; e even, o odd, < below, > at least: else dropped */
    uint64_t value;
} hg_id_step;

/** A rule; {0} keeps all ids as they are. */
typedef struct hg_id_rule {
    int n;
    hg_id_step step[HG_ID_STEPS];
} hg_id_rule;

/** Parse a rule: steps joined by '|', each one of `id`, `even`, `odd`, `< N`, `>= N`, `+ N`,
 * `- N`, `* N`, `/ N` with whole numbers N; "even | / 2" keeps even ids and halves them.
 *
 * @local
 * @param[in]  text  NULL or "" is the empty rule
 * @param[out] rule  filled
 * @return HG_OK; HG_E_PARAM naming the step
 */
HG_MUST_CHECK hg_status hg_id_rule_parse(const char *text, hg_id_rule *rule);

/** Apply a rule in unsigned 64-bit arithmetic; a difference below 0 drops the id.
 *
 * @local
 * @param[in,out] id  changed in place
 * @return whether the id is kept
 */
bool hg_id_rule_apply(const hg_id_rule *rule, uint64_t *id);

#endif
