/* Parameter files: YAML, schema, units, lists, open sections. What is accepted is fed back and
 * must be accepted again, with the same meaning. */
#include "fuzz.h"

#include "halograft/params.h"

static hg_params *
read_params(const uint8_t *data, size_t size)
{
    hg_params_options options = {.path = fuzz_file(0, data, size), .snap = 7};
    hg_params *params = NULL;

    return hg_params_read(&fuzz_world, &options, &params) == HG_OK ? params : NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hg_params *params, *again;
    int64_t before;

    fuzz_start();
    before = hg_mem_used();
    params = read_params(data, size);
    if (params != NULL) {
        const char *text = hg_params_text(params);

        again = read_params((const uint8_t *)text, strlen(text));
        if (again == NULL || hg_params_hash(again) != hg_params_hash(params)) {
            fprintf(stderr, "the echo of the parameters means something else: %s\n%s",
                    again == NULL ? hg_error_last()->message : "another hash", text);
            abort();
        }
        hg_params_free(again);
    }
    hg_params_free(params);
    fuzz_check_memory(before);
    return 0;
}
