/* Runs a fuzz target over files and folders of inputs, with any compiler: the corpus as a
 * regression test. A crash, a failed check or a leak ends it. */
#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>

#include "fuzz.h"

static void
replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(1 << 20);
    size_t n;

    if (file == NULL || data == NULL) {
        fprintf(stderr, "cannot read '%s'\n", path);
        exit(1);
    }
    n = fread(data, 1, 1 << 20, file);
    fclose(file);
    printf("%s\n", path);
    fflush(stdout); /* the last line names the input that ended the program */
    alarm(20);
    LLVMFuzzerTestOneInput(data, n);
    free(data);
}

static int
replay(const char *path)
{
    struct stat info;
    struct dirent **entry;
    int n, n_file = 0;

    if (stat(path, &info) != 0) {
        fprintf(stderr, "'%s' does not exist\n", path);
        exit(1);
    }
    if (!S_ISDIR(info.st_mode)) {
        replay_file(path);
        return 1;
    }
    n = scandir(path, &entry, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char name[4096];

        if (entry[i]->d_name[0] != '.') {
            snprintf(name, sizeof name, "%s/%s", path, entry[i]->d_name);
            n_file += replay(name);
        }
        free(entry[i]);
    }
    free(entry);
    return n_file;
}

int
main(int argc, char **argv)
{
    int n = 0;

    for (int i = 1; i < argc; i++) {
        n += replay(argv[i]);
    }
    printf("%d inputs passed\n", n);
    fuzz_start();
    MPI_Finalize();
    return n > 0 ? 0 : 1;
}
