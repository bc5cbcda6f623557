/** The descriptor table made from halograft/schema.h, and what is printed from it. Layer: conf.
 */
#ifndef HG_CONF_SCHEMA_TABLE_H
#define HG_CONF_SCHEMA_TABLE_H

#include <stddef.h>

#include "base/text.h"
#include "halograft/params.h"

typedef enum hg_key_type {
    HG_KEY_REAL,
    HG_KEY_INT,
    HG_KEY_BOOL,
    HG_KEY_STRING,
    HG_KEY_CHOICE,
    HG_KEY_REALS,
    HG_KEY_STRINGS
} hg_key_type;

/** One parameter. */
typedef struct hg_schema_key {
    const char *section;
    const char *key;
    hg_key_type type;
    const char *unit;    /**< canonical unit, or the choices */
    const char *initial; /**< default as text, NULL = none */
    double low;
    double high;
    const char *help;
    size_t offset; /**< of the member in hg_params */
} hg_schema_key;

extern const hg_schema_key hg_schema[];
extern const int hg_schema_n;

/** The parameter of a name.
 *
 * @local
 * @return a row of hg_schema; NULL if there is none
 */
const hg_schema_key *hg_schema_find(const char *section, const char *key);

/** Append the parameters in force as YAML.
 *
 * @local
 * @param[in] results_only  leave out the sections that do not affect results (Run, Output)
 */
HG_MUST_CHECK hg_status hg_schema_echo(const hg_params *params, bool results_only,
                                       hg_text *text);

/** Append the parameters in force whose names ("Scatter.draws") begin with one of some texts,
 * as lines "Section.key: value".
 *
 * @local
 * @param[in]     n       number of beginnings
 * @param[in]     begins  shape (n)
 * @param[in,out] text    lines are appended
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_params_lines(const hg_params *params, int n,
                                        const char *const begins[], hg_text *text);

#endif
