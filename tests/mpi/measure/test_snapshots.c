/* Real snapshots: matter and haloes of one box, and what the authors of a test of GenPK expect
 * of their two files. */
#include "mpi_folder.h"

#include <math.h>

#include "base/memory.h"
#include "field/mesh.h"
#include "field/paint.h"
#include "halograft/cosmology.h"
#include "measure/measure.h"
#include "read_catalog.h"
#include "stats/curve.h"
#include "store/publish.h"

MPI_SUITE(snapshots);

/* P_mm and P_hm of the 64^3 box; haloes are shifted by so many Mpc/h. */
static hg_status
measure_box(const char *data, const char *name, int shift, hg_statistics *s)
{
    char entry[5][700], map[600], text[512];
    const char *set[] = {entry[0],
                         entry[1],
                         entry[2],
                         entry[3],
                         entry[4],
                         "Measure.mesh=64",
                         "Measure.pairs=false",
                         "Measure.slice_depth=0 Mpc",
                         "Measure.cross=[matter:haloes/all]",
                         "Samples.matter=type == 1"};
    hg_params_options options = {.n_set = 10, .set = set, .snap = -1};
    hg_params *params = NULL;
    hg_status status = HG_OK;

    snprintf(map, sizeof map, "%s/%s.yml", test_folder, name);
    snprintf(text, sizeof text,
             "Header: {box: 32 Mpc/h, redshift: 0, h: 0.6736, omega_m: 0.315192}\n"
             "Columns: {id: id, position: \"x_com, cMpc/h, +%d\"}\n",
             shift);
    if (world.rank == 0) {
        status = hg_publish_text(map, text);
    }
    all_assert(status == HG_OK);
    snprintf(entry[0], sizeof entry[0], "Output.folder=%s", test_folder);
    snprintf(entry[1], sizeof entry[1],
             "Measure.catalogues=[box=%s/snapshots/snapshot_z0_gadget_style.hdf5]", data);
    snprintf(entry[2], sizeof entry[2],
             "Measure.references=[haloes=%s/snapshots/halos_z0_clean.h5]", data);
    snprintf(entry[3], sizeof entry[3], "Measure.reference_mapping=%s", map);
    snprintf(entry[4], sizeof entry[4], "Measure.file=%s.hdf5", name);
    all_assert(hg_params_read(&world, &options, &params) == HG_OK);
    status = hg_measure_run(&world, params, true);
    hg_params_free(params);
    HG_TRY(status);
    snprintf(map, sizeof map, "%s/%s.hdf5", test_folder, name);
    return hg_statistics_read(map, s);
}

/* Linear theory holds on the largest scales of the box, where there are few modes; 381 haloes
 * above 3.8e11 Msun/h are less clustered than matter. Haloes that are not shifted to the place
 * of the particles lie outside the box. */
Test(snapshots, matter_and_haloes_of_a_real_box_have_the_expected_power)
{
    enum { BINS = 2 };
    const hg_cosmology cosmology = {
        .h = 0.6736, .omega_m = 0.315192, .omega_b = 0.0493, .sigma_8 = 0.8079, .n_s = 0.9649};
    const char *data = real_data();
    hg_linear_power *linear = NULL;
    hg_mass_function *mf = NULL;
    const hg_curve *mm, *hm;
    double sum[3] = {0}, variance = 0, bias;
    hg_statistics s;

    if (data == NULL) {
        return;
    }
    share_folder();
    all_assert(measure_box(data, "shifted", 16, &s) == HG_OK);
    mm = hg_statistics_find(&s, "box", "power_matter");
    hm = hg_statistics_find(&s, "box", "power_matter_x_haloes_all");
    all_assert(mm != NULL && hm != NULL);
    all_assert(hg_attributes_find(&mm->attributes, "objects")->value == 262144);
    all_assert(hg_attributes_find(&hm->attributes, "objects_b")->value == 381);
    all_assert(hg_linear_power_create(&cosmology, &linear) == HG_OK);
    all_assert(hg_mass_function_create(linear, HG_MASS_TINKER, 0, &mf) == HG_OK);
    for (int i = 0; i < BINS; i++) {
        const double modes = (double)mm->count[i];

        sum[0] += modes * mm->y[i];
        sum[1] += modes * hm->y[i];
        sum[2] += modes * hg_linear_power_at(linear, mm->x[i]);
        variance += pow(modes * mm->error[i], 2);
    }
    bias = hg_mass_function_bias(mf, 6e11);
    if (world.rank == 0) {
        fprintf(stderr, "P_mm / linear %.3f +- %.3f, P_hm / P_mm %.3f, Tinker at 6e11 %.3f\n",
                sum[0] / sum[2], sqrt(variance) / sum[2], sum[1] / sum[0], bias);
    }
    all_assert(fabs(sum[0] - sum[2]) < 3 * sqrt(variance) && sqrt(variance) < 0.35 * sum[2]);
    all_assert(fabs(sum[1] / sum[0] - bias) < 0.15);
    all_assert(measure_box(data, "aside", 0, &s) == HG_E_INPUT);
    all_assert(strstr(hg_error_last()->message, "is outside the box") != NULL);
    hg_linear_power_free(linear);
    hg_mass_function_free(mf);
    hg_statistics_clear(&s);
    drop_folder();
}

/* Gas and stars on a mesh of 4^3 cells by CIC, over their sum, in two cells: by mass, or by the
 * words given, in the order of the particles of each of the two types. */
static void
paint_baryons(const char *pattern, bool partial, const float *const word[2], double cell[2])
{
    static const char *const names[] = {"position", "mass", "type"};
    const hg_mesh_options mesh_options = {.n = 4, .precision = HG_PRECISION_DOUBLE};
    hg_catalog_options options = one_file(&pattern);
    hg_table t = {0};
    hg_mesh *mesh = NULL;
    void *field = NULL;
    double *mass = NULL, sum = 0;
    uint8_t *keep;
    int64_t seen[2] = {0, 0};

    options.particles = true;
    options.partial = partial;
    all_assert(read_catalog(&options, "gadget", 3, names, &t) == HG_OK);
    keep = hg_table_u8(&t, "type");
    for (int64_t i = 0; i < t.n; i++) {
        const int type = keep[i] == 4;

        keep[i] = world.rank == 0 && (keep[i] == 0 || keep[i] == 4);
        if (keep[i] && word != NULL) {
            hg_table_f32(&t, "mass")[i] = word[type][seen[type]++];
        }
    }
    hg_table_keep(&t, keep);
    all_assert(hg_mem_array(&mass, (size_t)t.n, sizeof *mass) == HG_OK);
    for (int64_t i = 0; i < t.n; i++) {
        mass[i] = (double)hg_table_f32(&t, "mass")[i];
        sum += mass[i];
    }
    hg_comm_sum_double(&world, 1, &sum);
    all_assert(hg_mesh_create(&world, &mesh_options, &mesh) == HG_OK);
    all_assert(hg_mesh_field(mesh, &field) == HG_OK);
    all_assert(hg_paint(&world, mesh, HG_KERNEL_CIC, t.frame.box, t.n,
                        (const double(*)[3])hg_table_f64(&t, "position"), mass, 1, field,
                        NULL) == HG_OK);
    for (int c = 0; c < 2; c++) {
        const int64_t y = 2 * c, z = 3 * c;

        cell[c] = 0;
        if (mesh->x_first == 0 && mesh->n_x > 0 && y >= mesh->y_first &&
            y < mesh->y_first + mesh->n_y) {
            cell[c] = hg_mesh_cell(mesh, field, 0, y, z) / sum;
        }
    }
    hg_comm_sum_double(&world, 2, cell);
    hg_mem_free(field);
    hg_mem_free(mass);
    hg_mesh_free(mesh);
    hg_table_clear(&t);
}

/* So many words of the block MASS of the first file and of what follows it, on every rank. */
static void
words_of_mass(const char *path, size_t n, float *word)
{
    static const char tag[4] = {'M', 'A', 'S', 'S'};
    char bytes[256 * 1024];
    FILE *f = fopen(path, "rb");
    size_t n_bytes = 0, at = 0;

    if (f != NULL) {
        n_bytes = fread(bytes, 1, sizeof bytes, f);
        fclose(f);
    }
    while (at + 16 < n_bytes && memcmp(bytes + at, tag, sizeof tag) != 0) {
        at++;
    }
    /* Behind the tag: its block's length, the end of its record, the start of the next. */
    all_assert(at + 16 + n * sizeof *word < n_bytes);
    memcpy(word, bytes + at + 16, n * sizeof *word);
}

/* By mass: numbers of a CIC in numpy. The second cell of both files is also in GenPK's own test
 * (Bird 2017), in its form of 2010 (0.010949, commit f3deabd). Its later form expects 0.026873
 * and 0.0188683, as the reader of that time took masses for dark matter out of the block MASS,
 * where there are none, and ran on into the energies behind it: with these words as weights,
 * the positions and the mesh give both. */
Test(snapshots, binary_pair_has_the_mesh_of_its_authors)
{
    enum { gas = 4039, stars = 57, skipped = 1994 + 2050 };
    const char *data = real_data();
    char first[512], pattern[512];
    float word[skipped + stars];
    const float *const by_type[2] = {word, word + skipped};
    double cell[2];

    if (data == NULL) {
        return;
    }
    snprintf(first, sizeof first, "%s/snapshots/gadget2_format2/test_g2_snap.0", data);
    snprintf(pattern, sizeof pattern, "%s/snapshots/gadget2_format2/test_g2_snap.{file}", data);
    paint_baryons(first, true, NULL, cell);
    all_assert(fabs(cell[0] / 0.020257002990 - 1) < 1e-6 && fabs(cell[1]) < 1e-12);
    paint_baryons(pattern, false, NULL, cell);
    all_assert(fabs(cell[0] / 0.023870155576 - 1) < 1e-6);
    all_assert(fabs(cell[1] / 0.010948989823 - 1) < 1e-6 &&
               fabs(cell[1] / 0.010949 - 1) < 1e-5);
    words_of_mass(first, skipped + stars, word);
    paint_baryons(pattern, false, by_type, cell);
    all_assert(fabs(cell[0] / 0.026873 - 1) < 1e-5);
    all_assert(fabs(cell[1] / 0.0188683 - 1) < 1e-5);
    _Static_assert(gas <= skipped, "the words of gas lie before those of stars");
}
