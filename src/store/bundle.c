/* All files stand whole on the disk under temporary names before the first is renamed, so that
 * what commonly fails, a full disk, touches no final name. Renames hardly fail; those that were
 * done before one that does are taken back. */
#include "store/bundle.h"

#include <stdio.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/publish.h"
#include "store/textout.h"

enum { PIECE = 1 << 20 };

struct hg_bundle_file {
    char path[HG_PATH_MAX], temporary[HG_PATH_MAX], old[HG_PATH_MAX];
    bool has_old;
};

static hg_status
add_file(hg_bundle *bundle, const char *path, const char *temporary)
{
    struct hg_bundle_file *file;

    if (bundle->n == bundle->room) {
        const int room = 2 * bundle->room + 4;

        HG_TRY(hg_mem_resize(&bundle->file, (size_t)room, sizeof *bundle->file));
        bundle->room = room;
    }
    file = &bundle->file[bundle->n];
    HG_TRY(hg_text_path(sizeof file->path, file->path, "%s", path));
    HG_TRY(hg_text_path(sizeof file->temporary, file->temporary, "%s", temporary));
    file->has_old = false;
    bundle->n++;
    return HG_OK;
}

hg_status
hg_bundle_file(hg_bundle *bundle, const char *path)
{
    char temporary[HG_PATH_MAX];
    hg_status status;

    HG_TRY(hg_publish_name(path, sizeof temporary, temporary));
    HG_TRY(hg_publish_flush(temporary, NULL));
    status = add_file(bundle, path, temporary);
    if (status != HG_OK) {
        unlink(temporary);
    }
    return status;
}

hg_status
hg_bundle_fill(hg_bundle *bundle, const char *path, hg_fill *fill, const void *context)
{
    HG_TRY(hg_publish_fill(path, fill, context));
    return hg_bundle_file(bundle, path);
}

static hg_status
write_lines(const hg_bundle_table *lines, hg_textout *file)
{
    hg_text text = {0};
    hg_status status = lines->add_head(lines->context, &text);

    for (int64_t i = 0; i < lines->n && status == HG_OK; i++) {
        status = lines->add_row(lines->context, i, &text);
        if (status == HG_OK && text.n >= PIECE) {
            status = hg_textout_write(file, text.data, text.n);
            text.n = 0;
        }
    }
    status = status == HG_OK ? hg_textout_write(file, text.data, text.n) : status;
    hg_text_clear(&text);
    return status;
}

static hg_status
fill_lines(const void *lines, const char *temporary)
{
    hg_textout *file = NULL;
    hg_status status, closed;

    HG_TRY(hg_textout_create(temporary, false, &file));
    status = write_lines(lines, file);
    closed = hg_textout_close(file);
    return status != HG_OK ? status : closed;
}

hg_status
hg_bundle_lines(hg_bundle *bundle, const char *path, const hg_bundle_table *lines)
{
    return hg_bundle_fill(bundle, path, fill_lines, lines);
}

hg_status
hg_bundle_text(hg_bundle *bundle, const char *path, hg_status status, hg_text *text)
{
    status = status == HG_OK ? hg_publish_write(path, hg_text_string(text)) : status;
    hg_text_clear(text);
    return status == HG_OK ? hg_bundle_file(bundle, path) : status;
}

/* A second name for what a file replaces. */
static hg_status
keep_old(struct hg_bundle_file *file)
{
    char name[HG_PATH_MAX];

    HG_TRY(hg_text_path(sizeof name, name, "%s.old", file->path));
    HG_TRY(hg_publish_name(name, sizeof file->old, file->old));
    unlink(file->old); /* of a job that was killed and has come back */
    file->has_old = link(file->path, file->old) == 0;
    return HG_OK;
}

static hg_status
publish_file(struct hg_bundle_file *file)
{
    HG_TRY(keep_old(file));
    return hg_publish_rename(file->temporary, file->path);
}

hg_status
hg_bundle_publish(hg_bundle *bundle)
{
    hg_status status = HG_OK;
    int n = 0;

    while (n < bundle->n && status == HG_OK) {
        status = publish_file(&bundle->file[n]);
        n++;
    }
    for (int i = 0; i < n && status != HG_OK; i++) {
        struct hg_bundle_file *file = &bundle->file[i];

        if (file->has_old) { /* stays where it is when it cannot come back */
            file->has_old = rename(file->old, file->path) == 0;
        } else if (i < n - 1) { /* the last one did not come so far */
            unlink(file->path);
        }
    }
    hg_bundle_clear(bundle);
    return status;
}

void
hg_bundle_clear(hg_bundle *bundle)
{
    for (int i = 0; i < bundle->n; i++) {
        unlink(bundle->file[i].temporary);
        if (bundle->file[i].has_old) {
            unlink(bundle->file[i].old);
        }
    }
    hg_mem_free(bundle->file);
    *bundle = (hg_bundle){0};
}
