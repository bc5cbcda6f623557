/* The seal is "HGxxh3" and two zero bytes, then the hash as eight bytes, least significant
 * first. */
#include "store/seal.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "store/publish.h"

enum { SEAL = 16, BUFFER = 1 << 20 };

static const unsigned char mark[8] = {'H', 'G', 'x', 'x', 'h', '3', 0, 0};

static void
encode(uint64_t hash, unsigned char seal[SEAL])
{
    memcpy(seal, mark, sizeof mark);
    for (int i = 0; i < 8; i++) {
        seal[8 + i] = (unsigned char)(hash >> (8 * i));
    }
}

hg_status
hg_seal_put(const char *path)
{
    unsigned char seal[SEAL];
    uint64_t hash = 0;
    int64_t bytes = 0;
    FILE *file = NULL;
    bool ok;

    HG_TRY(hg_file_hash(path, &hash, &bytes));
    encode(hash, seal);
    file = fopen(path, "ab");
    ok = file != NULL && fwrite(seal, 1, SEAL, file) == SEAL;
    ok = file != NULL && fclose(file) == 0 && ok;
    return ok ? HG_OK
              : HG_FAIL(HG_E_WRITE, "'%s' cannot be written: %s", path, strerror(errno));
}

hg_status
hg_seal_file(const char *path, hg_seal_content *content, const void *context)
{
    hg_h5 *file = NULL;
    hg_status status, closed;

    HG_TRY(hg_h5_create(path, &file));
    status = content(context, file);
    closed = hg_h5_close(file);
    HG_TRY(status != HG_OK ? status : closed);
    return hg_seal_put(path);
}

/* hash of the first n bytes of an open file */
static hg_status
hash_front(FILE *file, const char *path, int64_t n, uint64_t *hash)
{
    hg_status status = HG_OK;
    hg_hash *state = hg_hash_create();
    char *buffer = NULL;

    if (state == NULL) {
        status = HG_FAIL(HG_E_MEMORY, "allocation of a hash state failed");
        goto done;
    }
    HG_TRY_OR(done, status, hg_mem_array(&buffer, BUFFER, 1));
    while (n > 0) {
        size_t piece = n < BUFFER ? (size_t)n : BUFFER;

        if (fread(buffer, 1, piece, file) != piece) {
            status = HG_FAIL(HG_E_READ, "file '%s' cannot be read to its end", path);
            goto done;
        }
        hg_hash_feed(state, buffer, piece);
        n -= (int64_t)piece;
    }
    *hash = hg_hash_value(state);
done:
    hg_mem_free(buffer);
    hg_hash_free(state);
    return status;
}

hg_status
hg_seal_check(const char *path, bool *is_sealed)
{
    unsigned char seal[SEAL], wanted[SEAL];
    int64_t n = hg_file_size(path) - SEAL;
    hg_status status = HG_OK;
    uint64_t hash = 0;
    FILE *file = fopen(path, "rb");

    *is_sealed = false;
    if (file == NULL) {
        return HG_FAIL(HG_E_NOTFOUND, "file '%s' cannot be opened: %s", path, strerror(errno));
    }
    if (n < 0 || fseek(file, -(long)SEAL, SEEK_END) != 0 ||
        fread(seal, 1, SEAL, file) != SEAL || memcmp(seal, mark, sizeof mark) != 0) {
        goto done;
    }
    *is_sealed = true;
    rewind(file);
    HG_TRY_OR(done, status, hash_front(file, path, n, &hash));
    encode(hash, wanted);
    if (memcmp(seal, wanted, SEAL) != 0) {
        status =
            HG_FAIL(HG_E_VERIFY, "'%s' is damaged: its bytes do not match its checksum", path);
    }
done:
    fclose(file);
    return status;
}
