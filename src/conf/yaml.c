/* The event stream of libyaml is folded into a flat list of entries by a small state machine:
 * depth 1 holds sections, depth 2 keys, a sequence may only be a value. */
#include "conf/yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/memory.h"
#include "base/text.h"

struct state {
    const char *name;
    hg_yaml *doc;
    int depth;
    bool in_list;
    char section[128];
    char key[256];
    bool has_section;
    bool has_key;
    int documents;
};

static void
clear_entry(hg_yaml_entry *entry)
{
    for (int i = 0; i < entry->n_value; i++) {
        hg_mem_free(entry->value[i]);
    }
    hg_mem_free(entry->value);
    hg_mem_free(entry->section);
    hg_mem_free(entry->key);
    *entry = (hg_yaml_entry){0};
}

void
hg_yaml_clear(hg_yaml *doc)
{
    for (int i = 0; i < doc->n; i++) {
        clear_entry(&doc->entry[i]);
    }
    hg_mem_free(doc->entry);
    *doc = (hg_yaml){0};
}

const hg_yaml_entry *
hg_yaml_find(const hg_yaml *doc, const char *section, const char *key)
{
    for (int i = 0; i < doc->n; i++) {
        if (strcmp(doc->entry[i].section, section) == 0 &&
            strcmp(doc->entry[i].key, key) == 0) {
            return &doc->entry[i];
        }
    }
    return NULL;
}

static hg_status
add_entry(hg_yaml *doc, const char *section, const char *key, int line)
{
    hg_yaml_entry *entry;

    HG_TRY(hg_mem_resize(&doc->entry, (size_t)doc->n + 1, sizeof *doc->entry));
    entry = &doc->entry[doc->n];
    *entry = (hg_yaml_entry){.line = line};
    doc->n++;
    HG_TRY(hg_mem_string(&entry->section, section));
    return hg_mem_string(&entry->key, key);
}

static hg_status
add_value(hg_yaml_entry *entry, const char *value)
{
    char *copy = NULL;

    HG_TRY(hg_mem_string(&copy, value));
    if (hg_mem_resize(&entry->value, (size_t)entry->n_value + 1, sizeof *entry->value) !=
        HG_OK) {
        hg_mem_free(copy);
        return hg_error_last()->status;
    }
    entry->value[entry->n_value++] = copy;
    return HG_OK;
}

hg_status
hg_yaml_set(hg_yaml *doc, const char *section, const char *key, const char *value, int line)
{
    for (int i = 0; i < doc->n; i++) {
        hg_yaml_entry *entry = &doc->entry[i];

        if (strcmp(entry->section, section) == 0 && strcmp(entry->key, key) == 0) {
            clear_entry(entry);
            *entry = doc->entry[--doc->n];
            break;
        }
    }
    HG_TRY(add_entry(doc, section, key, line));
    return add_value(&doc->entry[doc->n - 1], value);
}

static hg_status
refuse(const struct state *s, const yaml_event_t *event, const char *what)
{
    return HG_FAIL(HG_E_PARAM, "'%s', line %zu: %s", s->name, event->start_mark.line + 1, what);
}

static hg_status
take_scalar(struct state *s, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    const int line = (int)event->start_mark.line + 1;

    if (event->data.scalar.anchor != NULL) {
        return refuse(s, event, "anchors are not supported");
    }
    if (s->in_list) {
        return add_value(&s->doc->entry[s->doc->n - 1], text);
    }
    if (s->depth == 1 && !s->has_section) {
        if (strlen(text) >= sizeof s->section) {
            return refuse(s, event, "this section name is too long");
        }
        strcpy(s->section, text);
        s->has_section = true;
        return HG_OK;
    }
    if (s->depth == 1) {
        if (text[0] == '\0') { /* "Section:" with nothing below it */
            s->has_section = false;
            return HG_OK;
        }
        return HG_FAIL(HG_E_PARAM,
                       "'%s', line %d: section '%s' must hold keys, 'key: value', not '%s'",
                       s->name, line, s->section, text);
    }
    if (s->depth == 2 && !s->has_key) {
        if (strlen(text) >= sizeof s->key) {
            return refuse(s, event, "this key is too long");
        }
        strcpy(s->key, text);
        s->has_key = true;
        if (hg_yaml_find(s->doc, s->section, s->key) != NULL) {
            return HG_FAIL(HG_E_PARAM, "'%s', line %d: '%s.%s' is given twice", s->name, line,
                           s->section, s->key);
        }
        return HG_OK;
    }
    if (s->depth == 2) {
        s->has_key = false;
        HG_TRY(add_entry(s->doc, s->section, s->key, line));
        return add_value(&s->doc->entry[s->doc->n - 1], text);
    }
    return refuse(s, event, "text outside a section");
}

static hg_status
take_event(struct state *s, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return ++s->documents > 1 ? refuse(s, event, "only one YAML document is allowed")
                                  : HG_OK;
    case YAML_ALIAS_EVENT:
        return refuse(s, event, "aliases are not supported");
    case YAML_MAPPING_START_EVENT:
        if (event->data.mapping_start.anchor != NULL) {
            return refuse(s, event, "anchors are not supported");
        }
        if (s->in_list || (s->depth == 2) || (s->depth == 1 && !s->has_section)) {
            return refuse(s, event, "only two levels, 'Section: key: value', are allowed");
        }
        s->depth++;
        return HG_OK;
    case YAML_MAPPING_END_EVENT:
        s->depth--;
        s->has_key = false;
        s->has_section = false;
        return HG_OK;
    case YAML_SEQUENCE_START_EVENT:
        if (s->in_list || s->depth != 2 || !s->has_key) {
            return refuse(s, event, "a list may only be the value of a key");
        }
        s->in_list = true;
        HG_TRY(add_entry(s->doc, s->section, s->key, (int)event->start_mark.line + 1));
        s->doc->entry[s->doc->n - 1].is_list = true;
        return HG_OK;
    case YAML_SEQUENCE_END_EVENT:
        s->in_list = false;
        s->has_key = false;
        return HG_OK;
    case YAML_SCALAR_EVENT:
        return take_scalar(s, event);
    default:
        return HG_OK;
    }
}

hg_status
hg_yaml_parse(const char *text, const char *name, hg_yaml *doc)
{
    struct state s = {.name = name, .doc = doc};
    yaml_parser_t parser;
    hg_status status = HG_OK;
    bool done = false;

    *doc = (hg_yaml){0};
    if (!yaml_parser_initialize(&parser)) {
        return HG_FAIL(HG_E_MEMORY, "the YAML parser cannot be started");
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
    while (!done && status == HG_OK) {
        yaml_event_t event;

        if (!yaml_parser_parse(&parser, &event)) {
            status =
                HG_FAIL(HG_E_PARAM, "'%s', line %zu: %s%s", name, parser.problem_mark.line + 1,
                        parser.problem != NULL ? parser.problem : "not valid YAML",
                        strchr(text, '\t') != NULL ? " (the file holds tabs: use blanks)" : "");
            break;
        }
        done = event.type == YAML_STREAM_END_EVENT;
        status = take_event(&s, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (status != HG_OK) {
        hg_yaml_clear(doc);
    }
    return status;
}

hg_status
hg_yaml_read(const char *path, hg_yaml *doc)
{
    hg_text text = {0};
    hg_status status = hg_text_read(path, &text);

    *doc = (hg_yaml){0};
    if (status == HG_OK) {
        status = hg_yaml_parse(hg_text_string(&text), path, doc);
    }
    hg_text_clear(&text);
    return status;
}

const char *
hg_yaml_version(void)
{
    return yaml_get_version_string();
}
