#include "mpi_fault.h"

#include "audit/verify.h"
#include "catalog_test.h"
#include "mpi_folder.h"
#include "store/h5.h"

MPI_SUITE(verify);

static const int64_t part_rows[] = {2000, 0, 1, 700};
enum { N_PART = 4, N_ROW = 2701 };

typedef void (*planter)(hg_table *table);

/* A catalogue of four parts, with a mistake planted in some. */
static void
write_planted(const char *name, planter plant)
{
    hg_output_options options = test_options(in_folder(name));
    hg_output *output = NULL;
    hg_status status = HG_OK;
    int64_t first = 0;

    all_assert(hg_output_create(&world, &options, &output) == HG_OK);
    for (int64_t k = 0; k < N_PART && status == HG_OK; k++) {
        if (k % world.size == world.rank) {
            hg_table table = {0};

            status = make_rows(first, part_rows[k], &table);
            if (plant != NULL && status == HG_OK) {
                plant(&table);
            }
            status = status == HG_OK ? hg_output_part(output, k, &table) : status;
            hg_table_clear(&table);
        }
        first += part_rows[k];
    }
    all_assert(status == HG_OK);
    all_assert(hg_output_finish(&world, output, false) == HG_OK);
}

/* Verify, and look for a word in what was found; the text stands on rank 0 only. */
static int
wrong_with(const char *file, const char *word)
{
    hg_findings findings = {.n_wrong = 0};
    const bool verified = hg_verify_file(&world, in_folder(file), &findings) == HG_OK;
    int n = verified ? findings.n_wrong : -1;

    if (world.rank == 0 && strstr(hg_text_string(&findings.text), word) == NULL) {
        cr_log_error("no '%s' in\n%s", word, hg_text_string(&findings.text));
        n = -2;
    }
    hg_comm_broadcast(&world, 0, &n, sizeof n);
    hg_findings_clear(&findings);
    return n;
}

static void
change_byte(const char *file, long at, int flip)
{
    if (world.rank == 0) {
        FILE *f = fopen(in_folder(file), "r+b");
        int c;

        cr_assert_not_null(f);
        fseek(f, at, SEEK_SET);
        c = fgetc(f);
        fseek(f, at, SEEK_SET);
        fputc(c ^ flip, f);
        fclose(f);
    }
    hg_comm_barrier(&world);
}

Test(verify, a_whole_catalogue_passes)
{
    share_folder();
    write_planted("good", NULL);
    all_assert(wrong_with("good.hdf5", "28 datasets match") == 0);
    all_assert(wrong_with("good.xxh3", "5 files match") == 0);
    drop_folder();
}

Test(verify, a_flipped_bit_a_cut_and_a_lost_part_are_found)
{
    hg_findings findings = {.n_wrong = 0};

    share_folder();
    write_planted("flip", NULL);
    change_byte("flip.0.hdf5", 60000, 1);
    /* the manifest, the part's own sum, and the dataset or HDF5 itself */
    all_assert(wrong_with("flip.hdf5", "'flip.0.hdf5' does not match its checksum") >= 2);
    all_assert(wrong_with("flip.xxh3", "'flip.0.hdf5' does not match") == 1);
    /* HDF5 may crash on a damaged master: it is not opened, so nothing more is said of it */
    write_planted("master", NULL);
    change_byte("master.hdf5", 3000, 1);
    all_assert(wrong_with("master.hdf5", "'master.hdf5' does not match its checksum") == 1);
    all_assert(wrong_with("master.hdf5", "not opened") == 1);
    write_planted("unlisted", NULL);
    if (world.rank == 0) {
        cr_assert_eq(truncate(in_folder("unlisted.xxh3"), 0), 0);
    }
    hg_comm_barrier(&world);
    all_assert(wrong_with("unlisted.hdf5", "does not list 'unlisted.hdf5'") == 1);
    all_assert(wrong_with("unlisted.xxh3", "does not list 'unlisted.hdf5'") == 1);
    if (world.rank == 0) {
        cr_assert_eq(rename(in_folder("unlisted.xxh3"), in_folder("alone.xxh3")), 0);
    }
    hg_comm_barrier(&world);
    all_assert(wrong_with("alone.xxh3", "lists no files") == 1);
    write_planted("joined", NULL);
    change_byte("joined.xxh3", 39, '\n' ^ ' '); /* the end of the first line */
    all_assert(hg_verify_file(&world, in_folder("joined.xxh3"), &findings) == HG_E_FORMAT);
    hg_findings_clear(&findings);
    write_planted("cut", NULL);
    if (world.rank == 0) {
        cr_assert_eq(truncate(in_folder("cut.3.hdf5"), 4000), 0);
    }
    hg_comm_barrier(&world);
    all_assert(wrong_with("cut.hdf5", "part 3 has 4000 bytes") >= 2);
    write_planted("lost", NULL);
    if (world.rank == 0) {
        cr_assert_eq(unlink(in_folder("lost.2.hdf5")), 0);
    }
    hg_comm_barrier(&world);
    all_assert(wrong_with("lost.hdf5", "'lost.2.hdf5' is missing") >= 2);
    drop_folder();
}

static void
plant_infinity(hg_table *t)
{
    if (t->n == 700) {
        hg_table_f32(t, "stellar_mass_draw")[17] = INFINITY;
    }
}

static void
plant_outside(hg_table *t)
{
    if (t->n == 700) {
        hg_table_f64(t, "position")[3 * 5 + 1] = 100; /* L itself is 0 */
    }
}

static void
plant_negative(hg_table *t)
{
    if (t->n == 1) {
        hg_table_f32(t, "sfr")[0] = -1;
    }
}

static void
plant_twin(hg_table *t)
{
    if (t->n == 700) {
        hg_table_i64(t, "id")[3] = 1000003; /* the id of row 0, of another part */
    }
}

Test(verify, impossible_values_and_repeated_ids_are_found)
{
    share_folder();
    write_planted("infinite", plant_infinity);
    all_assert(wrong_with("infinite.hdf5", "1 infinite, 0 NaN, first in row 2018") == 1);
    write_planted("outside", plant_outside);
    all_assert(wrong_with("outside.hdf5", "should be in [0, box): 1 outside") == 1);
    write_planted("negative", plant_negative);
    all_assert(wrong_with("negative.hdf5", "not negative: 1 outside, 0 infinite, 0 NaN, first "
                                           "in row 2000") == 1);
    write_planted("twin", plant_twin);
    all_assert(wrong_with("twin.hdf5", "1 rows repeat the id of another") == 1);
    drop_folder();
}

Test(verify, other_files_are_refused_in_words)
{
    hg_findings findings = {.n_wrong = 0};

    share_folder();
    write_planted("some", NULL);
    all_assert(wrong_with("some.0.hdf5", "is verified with its master") == 0);
    if (world.rank == 0) {
        hg_h5 *file = NULL;

        cr_assert_eq(hg_h5_create(in_folder("other.hdf5"), &file), HG_OK);
        cr_assert_eq(hg_h5_close(file), HG_OK);
    }
    hg_comm_barrier(&world);
    all_assert(hg_verify_file(&world, in_folder("other.hdf5"), &findings) == HG_E_FORMAT);
    all_assert(hg_verify_file(&world, in_folder("none.hdf5"), &findings) == HG_E_NOTFOUND);
    hg_findings_clear(&findings);
    drop_folder();
}

/* Any agreement may fail on any rank: all return the same status, nothing is leaked. */
Test(verify, every_agreement_may_fail)
{
    fault_loop f = {.on_each = true};

    share_folder();
    write_planted("fault", NULL);
    while (fault_next(&f)) {
        hg_findings findings = {.n_wrong = 0};

        fault_status(&f, hg_verify_file(&world, in_folder("fault.hdf5"), &findings));
        hg_findings_clear(&findings);
    }
    all_assert(f.n_failed > 3 * world.size);
    drop_folder();
}
