/* Model files with well-formed HDF5 but wrong content: a good model is copied object by object,
 * and the input says what is changed on the way, 14 bytes for each change. Content hashes are
 * set right afterwards, as a tool that writes models would, so that damaged trees must be found
 * by the checks of their links and numbers, and what is accepted must be able to predict. */
#include "fuzz.h"

#include <inttypes.h>
#include <math.h>

#include "base/random.h"
#include "halograft/stages.h"
#include "store/h5.h"

enum { N_ROW = 60, N_FEATURE = 3, N_TARGET = 2, OBJECTS_MAX = 1024, CHANGES_MAX = 8 };

/** One change: what is done with which element of which object. */
typedef struct change {
    uint16_t object;
    uint16_t action;
    uint16_t place;
    uint64_t value;
} change;

enum { FIXES_MAX = 6 };

/** A content hash and what it has to be after a change. */
typedef struct hash_fix {
    char old[20];
    char now[20];
} hash_fix;

static char good[64], bad[64];
static char object[OBJECTS_MAX][128]; /* datasets, and attributes as "group@name" */
static int n_object;

static void
remove_files(void)
{
    unlink(good);
    unlink(bad);
}

static hg_status
note_object(const char *group, const char *name, char mark)
{
    if (n_object < OBJECTS_MAX) {
        snprintf(object[n_object++], sizeof object[0], "%.60s%c%.60s", group, mark, name);
    }
    return HG_OK;
}

typedef struct walk {
    hg_h5 *file;
    const char *group;
} walk;

static hg_status
visit_attribute(const char *name, bool is_group, void *context)
{
    (void)is_group;
    return note_object(((walk *)context)->group, name, '@');
}

static hg_status
visit_link(const char *name, bool is_group, void *context)
{
    const walk *here = context;
    char path[128];
    walk below = {here->file, path};

    snprintf(path, sizeof path, "%s/%s", here->group, name);
    HG_TRY(is_group ? HG_OK : note_object(here->group, name, '/'));
    HG_TRY(hg_h5_list_attributes(here->file, path, visit_attribute, &below));
    return is_group ? hg_h5_list(here->file, path, visit_link, &below) : HG_OK;
}

/* A small model with a hurdle, so that it has several stages and inputs. */
static hg_status
make_model(void)
{
    hg_train_options options = HG_TRAIN_OPTIONS_INIT;
    hg_field_spec spec[N_FEATURE] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
    const hg_target_role role[N_TARGET] = {{0, 0, 0}, {0, 1, 1}};
    float x[N_ROW * N_FEATURE];
    double y[N_ROW * N_TARGET];
    uint64_t key[N_ROW];
    hg_train_data data = {.n = N_ROW,
                          .n_feature = N_FEATURE,
                          .n_target = N_TARGET,
                          .x = x,
                          .y = y,
                          .key = key,
                          .feature = spec,
                          .target = spec};
    hg_stages *stages = NULL;
    walk top = {NULL, ""};
    hg_status status;

    for (int i = 0; i < N_ROW; i++) {
        key[i] = hg_mix64((uint64_t)i + 1);
        for (int f = 0; f < N_FEATURE; f++) {
            x[i * N_FEATURE + f] = (float)(hg_mix64(key[i] + (uint64_t)f) >> 40);
        }
        y[i * N_TARGET] = (double)x[i * N_FEATURE];
        y[i * N_TARGET + 1] = i % 3 == 0 ? (double)NAN : (double)x[i * N_FEATURE + 1];
    }
    options.trees = 4;
    options.oob_trees_min = 1;
    options.threads = 1;
    HG_TRY(hg_stages_train(&fuzz_world, &options, &data, role, NULL, &stages));
    status = hg_stages_save(&fuzz_world, stages, good, 1);
    hg_stages_free(stages);
    HG_TRY(status);
    HG_TRY(hg_h5_open(good, &top.file));
    HG_TRY(hg_h5_list_attributes(top.file, "/", visit_attribute, &top));
    HG_TRY(hg_h5_list(top.file, "/", visit_link, &top));
    return hg_h5_close(top.file);
}

/* Change an element, or the number of rows; whether the object is still there. */
static bool
apply_changes(const change changes[], int n_change, int number, hg_h5_info *info, char *data)
{
    const int64_t size = (int64_t)hg_type_size(info->type);
    const int64_t n_value = info->dims[0] * info->row;

    for (int c = 0; c < n_change; c++) {
        if (changes[c].object % n_object != number) {
            continue;
        }
        switch (changes[c].action % 4) {
        case 0:
            return false;
        case 1:
            info->dims[0] -= info->dims[0] > 1 ? 1 + changes[c].place % (info->dims[0] - 1) : 0;
            break;
        default:
            if (n_value > 0 && changes[c].place % n_value < info->dims[0] * info->row) {
                memcpy(data + changes[c].place % n_value * size, &changes[c].value,
                       (size_t)size);
            }
        }
    }
    return true;
}

static hg_status
copy_dataset(hg_h5 *from, hg_h5 *to, const change changes[], int n_change, int number)
{
    hg_h5_info info;
    char *data = NULL;
    hg_status status;

    HG_TRY(hg_h5_describe(from, object[number], &info));
    if (!info.numeric) {
        return HG_OK;
    }
    status = hg_h5_read_all(from, object[number], info.type, &data, NULL);
    if (status == HG_OK && apply_changes(changes, n_change, number, &info, data)) {
        status = hg_h5_write(to, object[number], info.type, info.n_dim, info.dims, NULL, data);
    }
    hg_mem_free(data);
    return status;
}

static hg_status
copy_attribute(hg_h5 *from, hg_h5 *to, const change changes[], int n_change, int number,
               const hash_fix fixes[])
{
    hg_h5_info info = {.n_dim = 1, .dims = {1}, .type = HG_I64, .row = 1};
    char group[128], text[256];
    const char *name = strchr(object[number], '@') + 1;
    int64_t integer = 0;
    double real = 0;

    snprintf(group, sizeof group, "%.*s", (int)(name - 1 - object[number]), object[number]);
    if (group[0] == '\0') {
        strcpy(group, "/");
    }
    HG_TRY(hg_h5_group(to, group));
    if (hg_h5_get_real(from, group, name, &real) == HG_OK) {
        HG_TRY(hg_h5_get_integer(from, group, name, &integer));
        if ((double)integer == real) {
            return apply_changes(changes, n_change, number, &info, (char *)&integer)
                       ? hg_h5_put_integer(to, group, name, integer)
                       : HG_OK;
        }
        return apply_changes(changes, n_change, number, &info, (char *)&real)
                   ? hg_h5_put_real(to, group, name, real)
                   : HG_OK;
    }
    HG_TRY(hg_h5_get_string(from, group, name, sizeof text, text));
    info.type = HG_U8;
    info.dims[0] = (int64_t)strlen(text);
    if (!apply_changes(changes, n_change, number, &info, text)) {
        return HG_OK;
    }
    text[info.dims[0]] = '\0';
    for (int i = 0; i < FIXES_MAX && strcmp(name, "content_hash") == 0; i++) {
        if (fixes[i].old[0] != '\0' && strcmp(text, fixes[i].old) == 0) {
            snprintf(text, sizeof text, "%s", fixes[i].now);
        }
    }
    return hg_h5_put_string(to, group, name, text);
}

static hg_status
copy_model(const change changes[], int n_change, const hash_fix fixes[])
{
    hg_h5 *from = NULL, *to = NULL;
    hg_status status, closed;

    HG_TRY(hg_h5_open(good, &from));
    HG_TRY(hg_h5_create(bad, &to));
    status = hg_h5_group(to, "meta"); /* may be empty */
    for (int i = 0; i < n_object && status == HG_OK; i++) {
        status = strchr(object[i], '@') != NULL
                     ? copy_attribute(from, to, changes, n_change, i, fixes)
                     : copy_dataset(from, to, changes, n_change, i);
    }
    closed = hg_h5_close(to);
    status = status == HG_OK ? closed : status;
    return hg_h5_close(from) == HG_OK ? status : HG_E_READ;
}

static void
use_model(hg_stages *stages)
{
    enum { N = 5, DRAWS = 2, LEVELS = 2 };
    const double level[LEVELS] = {0.2, 0.8};
    hg_predict_options options = HG_PREDICT_OPTIONS_INIT;
    float x[N * N_FEATURE];
    double mean[N * N_TARGET], draw[DRAWS * N * N_TARGET], spread[N * N_TARGET],
        quantile[LEVELS * N * N_TARGET], n_eff[N], probability[N * N_TARGET];
    uint64_t key[N], outside[N], in_tails[N];
    int32_t n_group[N];
    uint8_t domain[N], origin[N];
    const hg_prediction result = {mean,  draw,    spread, outside, in_tails,   quantile,
                                  n_eff, n_group, domain, origin,  probability};

    if (hg_stages_targets(stages) > N_TARGET ||
        hg_forest_features(hg_stages_forest(stages, 0)) > N_FEATURE) {
        return;
    }
    for (int i = 0; i < N; i++) {
        key[i] = hg_mix64((uint64_t)i + 1);
        for (int f = 0; f < N_FEATURE; f++) {
            x[i * N_FEATURE + f] = (float)(i * f * 1000);
        }
    }
    options.n_draw = DRAWS;
    options.threads = 1;
    options.n_quantile = LEVELS;
    options.level = level;
    if (hg_stages_predict(stages, &options, N, key, x, &result) != HG_OK) {
        options.n_draw = 0; /* a model without residuals cannot draw */
        if (hg_stages_predict(stages, &options, N, key, x, &result) != HG_OK) {
            return;
        }
    }
}

/* Take the hash that a failing load has found, to set it right; false when it failed otherwise.
 */
static bool
learn_hash(hash_fix *fix)
{
    const char *found = strstr(hg_error_last()->message, " has hash ");

    return found != NULL && sscanf(found, " has hash %16[0-9a-f], but it says %16[0-9a-f]",
                                   fix->now, fix->old) == 2;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hash_fix fixes[FIXES_MAX] = {{"", ""}};
    change changes[CHANGES_MAX];
    int n_change = 0;
    int64_t before;
    hg_stages *stages = NULL;

    fuzz_start();
    if (n_object == 0) {
        snprintf(good, sizeof good, "/tmp/fuzz_model_%ld.hdf5", (long)getpid());
        snprintf(bad, sizeof bad, "/tmp/fuzz_model_%ld.bad.hdf5", (long)getpid());
        atexit(remove_files);
        if (make_model() != HG_OK) {
            fprintf(stderr, "%s\n", hg_error_last()->message);
            abort();
        }
    }
    for (; n_change < CHANGES_MAX && size >= 14; n_change++, data += 14, size -= 14) {
        memcpy(&changes[n_change].object, data, 2);
        memcpy(&changes[n_change].action, data + 2, 2);
        memcpy(&changes[n_change].place, data + 4, 2);
        memcpy(&changes[n_change].value, data + 6, 8);
    }
    before = hg_mem_used();
    for (int round = 0; round < FIXES_MAX && stages == NULL; round++) {
        if (copy_model(changes, n_change, fixes) != HG_OK ||
            (hg_stages_load(&fuzz_world, bad, &stages) != HG_OK &&
             !learn_hash(&fixes[round]))) {
            break;
        }
    }
    if (stages != NULL) {
        use_model(stages);
    } else if (n_change == 0) {
        fprintf(stderr, "the unchanged model is refused: %s\n", hg_error_last()->message);
        abort();
    }
    hg_stages_free(stages);
    fuzz_check_memory(before);
    return 0;
}
