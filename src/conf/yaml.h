/** YAML of two levels, `Section: {key: value}` with scalars and flat lists, by libyaml.
 *
 * Refused with a plain sentence: tabs, anchors, aliases, tags, several documents, deeper
 * nesting, duplicate keys. Everything is text; the schema gives it a meaning. Layer: conf.
 */
#ifndef HG_CONF_YAML_H
#define HG_CONF_YAML_H

#include <stdbool.h>

#include "halograft/error.h"

/** One `Section: key: value`; a list has n_value >= 0 values and is_list set. */
typedef struct hg_yaml_entry {
    char *section;
    char *key;
    char **value; /**< shape (n_value) */
    int n_value;
    bool is_list;
    int line; /**< from 1 */
} hg_yaml_entry;

/** All entries in file order; {0} is a valid empty document. */
typedef struct hg_yaml {
    int n;
    hg_yaml_entry *entry;
} hg_yaml;

/** Parse YAML text.
 *
 * @local
 * @param[in]  text  the document
 * @param[in]  name  what to call it in messages (a file name)
 * @param[out] doc   release with hg_yaml_clear()
 * @return HG_OK; HG_E_PARAM with name, line and reason
 */
HG_MUST_CHECK hg_status hg_yaml_parse(const char *text, const char *name, hg_yaml *doc);

/** Read and parse a file.
 *
 * @local
 * @return HG_OK; HG_E_NOTFOUND; HG_E_PARAM
 */
HG_MUST_CHECK hg_status hg_yaml_read(const char *path, hg_yaml *doc);

/** Add one entry with a scalar value, or replace the one of the same section and key.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_yaml_set(hg_yaml *doc, const char *section, const char *key,
                                    const char *value, int line);

/** The entry of a section and key, or NULL; borrowed.
 *
 * @local
 */
const hg_yaml_entry *hg_yaml_find(const hg_yaml *doc, const char *section, const char *key);

/** Release all entries; the document is then empty.
 *
 * @local
 */
void hg_yaml_clear(hg_yaml *doc);

/** Version of libyaml as loaded.
 *
 * @local
 */
const char *hg_yaml_version(void);

#endif
