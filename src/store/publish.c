/* The protocol: write to a hidden temporary name, close with a check, fsync, drop the page
 * cache of the file where the system allows, read it back in full, rename, fsync the folder. A
 * rename on one file system is atomic, so a final name always means a whole file.
 *
 * A process that is killed leaves its temporary file. Names hold process and host, so that the
 * next one to write the same file can tell those of the dead from those of the living. Of other
 * hosts and of batch jobs it knows nothing, and waits a day. A job that is requeued has the
 * names it had, and writes over its own. */
#include "store/publish.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/memory.h"

enum { BUFFER = 1 << 20, HOST = 64, ABANDONED_SECONDS = 24 * 3600, AWAIT_SECONDS = 4 };

static double space_margin = 1.1;

static void
split_path(const char *path, char folder[HG_PATH_MAX], const char **name)
{
    const char *slash = strrchr(path, '/');

    *name = slash != NULL ? slash + 1 : path;
    snprintf(folder, HG_PATH_MAX, "%.*s", slash != NULL ? (int)(slash - path) : 1,
             slash != NULL ? path : ".");
    if (folder[0] == '\0') {
        strcpy(folder, "/");
    }
}

static void
host_name(char host[HOST])
{
    memset(host, 0, HOST);
    if (gethostname(host, HOST - 1) != 0 || host[0] == '\0') {
        strcpy(host, "unknown");
    }
}

hg_status
hg_publish_name(const char *path, size_t n, char temporary[])
{
    char folder[HG_PATH_MAX], host[HOST];
    const char *name, *job = getenv("SLURM_JOB_ID");

    split_path(path, folder, &name);
    if (job != NULL) {
        return hg_text_path(n, temporary, "%s/.%s.tmp-%.20s", folder, name, job);
    }
    host_name(host);
    return hg_text_path(n, temporary, "%s/.%s.tmp-%ld@%s", folder, name, (long)getpid(), host);
}

/* Whether nobody writes to a temporary file any more; `job` is what follows ".tmp-". */
static bool
is_abandoned(const char *file, const char *job)
{
    char host[HOST], *end;
    const long process = strtol(job, &end, 10);
    struct stat info;

    host_name(host);
    if (end != job && *end == '@' && strcmp(end + 1, host) == 0) {
        return process > 0 && kill((pid_t)process, 0) != 0 && errno == ESRCH;
    }
    return stat(file, &info) == 0 && time(NULL) - info.st_mtime > ABANDONED_SECONDS;
}

void
hg_publish_sweep(const char *stem)
{
    char folder[HG_PATH_MAX], file[2 * HG_PATH_MAX];
    const char *name, *mark;
    struct dirent *entry;
    DIR *dir;

    split_path(stem, folder, &name);
    dir = opendir(folder);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        mark = strstr(entry->d_name, ".tmp-");
        if (entry->d_name[0] != '.' || mark == NULL ||
            strncmp(entry->d_name + 1, name, strlen(name)) != 0) {
            continue;
        }
        snprintf(file, sizeof file, "%s/%s", folder, entry->d_name);
        if (is_abandoned(file, mark + strlen(".tmp-"))) {
            unlink(file);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
}

hg_status
hg_publish_begin(const char *path, size_t n, char temporary[])
{
    hg_publish_sweep(path);
    return hg_publish_name(path, n, temporary);
}

static hg_status
sync_path(const char *path, bool is_folder)
{
    int fd = open(path, is_folder ? O_RDONLY | O_DIRECTORY : O_RDONLY);
    int rc;

    if (fd < 0) {
        return HG_FAIL(HG_E_WRITE, "'%s' cannot be opened to flush it: %s", path,
                       strerror(errno));
    }
    rc = fsync(fd);
    if (rc == 0 && !is_folder) {
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    }
    /* some file systems cannot flush folders; that is no loss of data */
    if (rc != 0 && is_folder && (errno == EINVAL || errno == ENOTSUP)) {
        rc = 0;
    }
    if (close(fd) != 0 || rc != 0) {
        return HG_FAIL(HG_E_WRITE, "'%s' cannot be flushed to disk: %s", path, strerror(errno));
    }
    return HG_OK;
}

hg_status
hg_publish_rename(const char *temporary, const char *path)
{
    hg_status status;

    if (rename(temporary, path) != 0) {
        status = HG_FAIL(HG_E_WRITE, "'%s' cannot be renamed to '%s': %s", temporary, path,
                         strerror(errno));
        unlink(temporary);
        return status;
    }
    status = hg_folder_sync(path);
    if (status != HG_OK) {
        unlink(path);
    }
    return status;
}

hg_status
hg_publish_flush(const char *temporary, uint64_t *hash)
{
    uint64_t value = 0;
    int64_t bytes = 0;
    hg_status status;

    HG_TRY_OR(fail, status, sync_path(temporary, false));
    HG_TRY_OR(fail, status, hg_file_hash(temporary, &value, &bytes));
    if (bytes != hg_file_size(temporary)) {
        status =
            HG_FAIL(HG_E_WRITE, "'%s' has another size on disk than was written", temporary);
        goto fail;
    }
    if (hash != NULL) {
        *hash = value;
    }
    return HG_OK;
fail:
    unlink(temporary);
    return status;
}

hg_status
hg_publish(const char *temporary, const char *path, uint64_t *hash)
{
    HG_TRY(hg_publish_flush(temporary, hash));
    return hg_publish_rename(temporary, path);
}

hg_status
hg_folder_sync(const char *path)
{
    char folder[HG_PATH_MAX];
    const char *name;

    split_path(path, folder, &name);
    return sync_path(folder, true);
}

hg_status
hg_publish_fill(const char *path, hg_fill *fill, const void *context)
{
    char temporary[HG_PATH_MAX];
    hg_status status;

    HG_TRY(hg_publish_begin(path, sizeof temporary, temporary));
    status = fill(context, temporary);
    if (status != HG_OK) {
        unlink(temporary);
    }
    return status;
}

hg_status
hg_publish_file(const char *path, hg_fill *fill, const void *context)
{
    char temporary[HG_PATH_MAX];

    HG_TRY(hg_publish_fill(path, fill, context));
    HG_TRY(hg_publish_name(path, sizeof temporary, temporary));
    return hg_publish(temporary, path, NULL);
}

static hg_status
fill_text(const void *text, const char *temporary)
{
    const size_t n = strlen(text);
    FILE *file = fopen(temporary, "wb");
    bool ok;

    if (file == NULL) {
        return HG_FAIL(HG_E_WRITE, "'%s' cannot be created: %s", temporary, strerror(errno));
    }
    ok = fwrite(text, 1, n, file) == n;
    ok = fclose(file) == 0 && ok;
    return ok ? HG_OK
              : HG_FAIL(HG_E_WRITE, "'%s' cannot be written: %s", temporary, strerror(errno));
}

hg_status
hg_publish_write(const char *path, const char *text)
{
    return hg_publish_fill(path, fill_text, text);
}

hg_status
hg_publish_text(const char *path, const char *text)
{
    return hg_publish_file(path, fill_text, text);
}

hg_status
hg_file_hash(const char *path, uint64_t *hash, int64_t *bytes)
{
    FILE *file = fopen(path, "rb");
    hg_hash *state = hg_hash_create();
    char *buffer = NULL;
    hg_status status;
    size_t n;

    *hash = 0;
    *bytes = 0;
    if (file == NULL) {
        status =
            HG_FAIL(HG_E_NOTFOUND, "file '%s' cannot be opened: %s", path, strerror(errno));
        goto done;
    }
    if (state == NULL) {
        status = HG_FAIL(HG_E_MEMORY, "allocation of a hash state failed");
        goto done;
    }
    HG_TRY_OR(done, status, hg_mem_array(&buffer, BUFFER, 1));
    while ((n = fread(buffer, 1, BUFFER, file)) > 0) {
        hg_hash_feed(state, buffer, n);
        *bytes += (int64_t)n;
    }
    if (ferror(file)) {
        status = HG_FAIL(HG_E_READ, "file '%s' cannot be read: %s", path, strerror(errno));
        goto done;
    }
    *hash = hg_hash_value(state);
done:
    hg_mem_free(buffer);
    hg_hash_free(state);
    if (file != NULL) {
        fclose(file);
    }
    return status;
}

bool
hg_file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

int64_t
hg_file_size(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 ? (int64_t)info.st_size : -1;
}

/* Clients of network file systems keep for a while that a name was not there; NFS asks the
 * server again when a folder is opened. */
static void
look_again(const char *path)
{
    char folder[HG_PATH_MAX];

    for (size_t n = 0; path[n] != '\0' && n < sizeof folder; n++) {
        if (n == 0 || path[n] == '/') {
            snprintf(folder, sizeof folder, "%.*s", n > 0 ? (int)n : 1,
                     n > 0 || path[0] == '/' ? path : ".");
            const int handle = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

            if (handle >= 0) {
                close(handle);
            }
        }
    }
}

bool
hg_file_await(const char *path)
{
    for (int i = 0; i < 10 * AWAIT_SECONDS && !hg_file_exists(path); i++) {
        look_again(path);
        usleep(100000);
    }
    return hg_file_exists(path);
}

static hg_status
make_parents(const char *path)
{
    char part[HG_PATH_MAX];
    struct stat info;

    if (path[0] == '\0') {
        return HG_FAIL(HG_E_ARG, "the name of a folder is empty: '.' is the current one");
    }
    HG_TRY(hg_text_path(sizeof part, part, "%s", path));
    for (char *p = part + 1;; p++) {
        if (*p == '/' || *p == '\0') {
            char kept = *p;

            *p = '\0';
            if (mkdir(part, 0777) != 0 && errno != EEXIST) {
                return HG_FAIL(HG_E_WRITE, "folder '%s' cannot be created: %s", part,
                               strerror(errno));
            }
            *p = kept;
        }
        if (*p == '\0') {
            break;
        }
    }
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
        return HG_FAIL(HG_E_WRITE, "'%s' is not a folder", path);
    }
    if (access(path, W_OK) != 0) {
        return HG_FAIL(HG_E_WRITE, "folder '%s' cannot be written to: %s", path,
                       strerror(errno));
    }
    return HG_OK;
}

hg_status
hg_folder_make(const hg_comm *comm, const char *path)
{
    hg_status status = HG_OK;

    if (comm->rank == 0) {
        status = make_parents(path);
    }
    HG_TRY(hg_comm_agree(comm, status));
    if (!hg_file_await(path)) {
        status = HG_FAIL(HG_E_WRITE,
                         "folder '%s' is not visible here %d s after another rank has made it: "
                         "all ranks need the same file system and working folder",
                         path, AWAIT_SECONDS);
    }
    return hg_comm_agree(comm, status);
}

hg_status
hg_output_claim(const hg_comm *comm, const char *path, bool overwrite)
{
    hg_status status = HG_OK;

    if (comm->rank == 0 && hg_file_exists(path)) {
        if (!overwrite) {
            status = HG_FAIL(HG_E_EXISTS,
                             "'%s' exists already: give --overwrite or another folder", path);
        } else if (unlink(path) != 0) {
            status = HG_FAIL(HG_E_WRITE, "'%s' cannot be removed: %s", path, strerror(errno));
        }
    }
    return hg_comm_agree(comm, status);
}

void
hg_space_margin(double margin)
{
    space_margin = margin;
}

hg_status
hg_space_check(const char *path, double bytes)
{
    char folder[HG_PATH_MAX];
    const char *name;
    struct statvfs info;
    double room;

    split_path(path, folder, &name);
    if (statvfs(folder, &info) != 0) {
        return HG_OK; /* the write itself will tell */
    }
    room = (double)info.f_bavail * (double)info.f_frsize;
    if (room < space_margin * bytes) {
        return HG_FAIL(HG_E_WRITE,
                       "'%s' has %.3g bytes free, '%s' needs about %.3g: make room, or lower "
                       "Output.space_margin if the estimate is too careful",
                       folder, room, name, space_margin * bytes);
    }
    return HG_OK;
}
