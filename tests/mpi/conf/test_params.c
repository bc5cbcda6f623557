#include "mpi_fault.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "halograft/params.h"

MPI_SUITE(params);

static char path[64];

static void
write_file(const char *text)
{
    if (world.rank == 0) {
        snprintf(path, sizeof path, "/tmp/hg_params_%ld.yml", (long)getpid());
        FILE *f = fopen(path, "w");

        fputs(text, f);
        fclose(f);
    }
    hg_comm_broadcast(&world, 0, path, sizeof path);
}

static hg_status
read_text(const char *text, int n_set, const char *const set[], hg_params **params)
{
    hg_params_options options = {.path = path, .n_set = n_set, .set = set, .snap = 7};
    hg_status status;

    write_file(text);
    status = hg_params_read(&world, &options, params);
    hg_comm_barrier(&world);
    if (world.rank == 0) {
        unlink(path);
    }
    return status;
}

Test(params, values_lists_units_and_settings_arrive_on_every_rank)
{
    static const char *const set[] = {"Model.trees=12", "Features.speed=norm(velocity) | log10",
                                      "Parent.files=[a, 'b_{snap:03d}']"};
    hg_params *p = NULL;

    all_assert(
        read_text("Meta: {name: x, seed: 9}\nParent: {h: 0.5}\nMock:\n  box: 100 Mpc/h\n"
                  "Features: {m200c: log10}\nModel:\n  trees: 5\n  preset: scikit-learn\n",
                  3, set, &p) == HG_OK);
    all_assert(strcmp(p->meta.name, "x") == 0 && p->meta.seed == 9);
    all_assert(p->mock.box == 200);
    all_assert(p->model.trees == 12 && p->model.min_leaf == 1);
    all_assert(strcmp(p->model.bag, "none") == 0);
    all_assert(p->features.n == 2);
    all_assert(p->parent.files.n == 2 && strcmp(p->parent.files.v[1], "b_007") == 0);
    all_assert(hg_params_given(p, "Model", "trees") &&
               !hg_params_given(p, "Model", "min_leaf"));
    hg_params_free(p);
    all_assert(hg_mem_used() == 0);
}

Test(params, all_errors_are_listed_with_their_lines)
{
    hg_params *p = NULL;
    const char *m;

    all_assert(
        read_text("Model:\n  tres: 5\n  min_leaf: many\n  max_features: 3\nModle: {a: 1}\n"
                  "Mock:\n  box: 500\nParent: {on_bad_rows: ignore}\n",
                  0, NULL, &p) == HG_E_PARAM);
    m = hg_error_last()->message;
    all_assert(p == NULL);
    all_assert(strstr(m, "line 2") && strstr(m, "'Model.tres', did you mean 'trees'"));
    all_assert(strstr(m, "line 3") && strstr(m, "'many' is not an integer"));
    all_assert(strstr(m, "line 4") && strstr(m, "outside the allowed range"));
    all_assert(strstr(m, "line 5") && strstr(m, "'Modle', did you mean 'Model'"));
    all_assert(strstr(m, "line 7") && strstr(m, "has no unit"));
    all_assert(strstr(m, "line 8") && strstr(m, "error|drop|flag"));
}

Test(params, unfit_yaml_is_refused_in_a_sentence)
{
    static const struct {
        const char *text, *part;
    } bad[] = {{"Model: {trees: 1, trees: 2}", "given twice"},
               {"Model:\n\ttrees: 1\n", "tabs"},
               {"Model: {trees: &a 1}", "anchors"},
               {"Model: {trees: {a: 1}}", "two levels"},
               {"Model: 5", "must hold keys"},
               {"a: {b: c}\n---\nd: {e: f}\n", "one YAML document"},
               {"- 1\n", "list"},
               {"Model: {trees: [1, 2]}", "one value"},
               {"Meta: {name: \"${HG_NOT_SET}\"}", "environment variable"}};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        hg_params *p = NULL;

        all_assert(read_text(bad[i].text, 0, NULL, &p) == HG_E_PARAM);
        cr_expect(strstr(hg_error_last()->message, bad[i].part) != NULL, "'%s' gave: %s",
                  bad[i].text, hg_error_last()->message);
    }
}

Test(params, a_folder_is_no_parameter_file)
{
    hg_params_options options = {.path = "/tmp", .snap = -1};
    hg_params *p = NULL;

    all_assert(hg_params_read(&world, &options, &p) == HG_E_READ && p == NULL);
    options.path = "/tmp/hg-there-is-no-such-file.yml";
    all_assert(hg_params_read(&world, &options, &p) == HG_E_NOTFOUND && p == NULL);
    all_assert(strstr(hg_error_last()->message, "parameters: file '/tmp/hg-there") != NULL);
    all_assert(hg_mem_used() == 0);
}

Test(params, the_echo_fed_back_gives_the_same_parameters)
{
    hg_params *p = NULL, *q = NULL;
    char copy[65536];

    all_assert(read_text("Features: {a: \"m200c > 1 || b | log10\"}\nTargets: {t: log10}\n"
                         "Parent: {files: [\"x y\"], box: 3 Mpc}\nRun: {threads: 3}\n",
                         0, NULL, &p) == HG_OK);
    snprintf(copy, sizeof copy, "%s", hg_params_text(p));
    all_assert(read_text(copy, 0, NULL, &q) == HG_OK);
    all_assert(strcmp(hg_params_text(q), copy) == 0);
    all_assert(hg_params_hash(p) == hg_params_hash(q));
    hg_params_free(q);
    all_assert(read_text(copy, 1, (const char *const[]){"Run.threads=8"}, &q) == HG_OK);
    all_assert(hg_params_hash(p) == hg_params_hash(q));
    hg_params_free(q);
    all_assert(read_text(copy, 1, (const char *const[]){"Model.trees=8"}, &q) == HG_OK);
    all_assert(hg_params_hash(p) != hg_params_hash(q));
    hg_params_free(q);
    hg_params_free(p);
}

Test(params, every_agreement_may_fail_on_every_rank)
{
    fault_loop f = {.on_each = true};

    while (fault_next(&f)) {
        hg_params *p = NULL;

        all_assert((fault_status(&f, read_text("Model: {trees: 3}\n", 0, NULL, &p)) == HG_OK) ==
                   (p != NULL));
        hg_params_free(p);
        all_assert(hg_mem_used() == 0);
    }
    all_assert(f.n_failed > world.size);
}

Test(params, too_little_memory_is_no_mistake_in_the_file)
{
    fault_loop f = {.of_memory = true, .on_each = true, .growth = 0.125};

    while (fault_next(&f)) {
        hg_params *p = NULL;
        hg_status status =
            read_text("Meta: {name: few}\nFeatures: {m200c: log10}\n", 0, NULL, &p);

        all_assert((fault_status(&f, status) == HG_OK) == (p != NULL));
        hg_params_free(p);
        all_assert(hg_mem_used() == 0);
    }
}
