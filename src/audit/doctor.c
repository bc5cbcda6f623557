/* Every figure is reduced over the ranks first, so that all ranks come to the same judgement
 * and only rank 0 has to write it down. WRONG is what would make a run fail or give other
 * results; what makes it slow is a note. */
#include "audit/doctor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/health.h"
#include "base/hash.h"
#include "base/machine.h"
#include "base/memory.h"
#include "conf/yaml.h"
#include "field/mesh.h"
#include "halograft/cosmology.h"
#include "halograft/version.h"
#include "par/machine_test.h"
#include "store/h5.h"

static const double mib = 1048576.0;

/* Ranks, nodes and whether the cores of the node with the fewest suffice for its threads. */
static hg_status
look_at_launch(const hg_comm *comm, int threads, hg_diagnosis *d)
{
    uint64_t mask[HG_CORES_MAX / 64];
    int64_t least[2] = {hg_comm_node_cores(comm), 0}, most = comm->node_size;
    double spread = hg_comm_clock_spread(comm);

    hg_machine_cores(mask);
    for (int i = 0; i < HG_CORES_MAX / 64; i++) {
        least[1] += __builtin_popcountll(mask[i]);
    }
    hg_comm_min(comm, 2, least);
    hg_comm_max(comm, 1, &most);
    HG_TRY(hg_diagnosis_add(comm, d, HG_FINDING_OK, HG_OK, "launch",
                            "%d rank%s on %d node%s, %d thread%s each", comm->size,
                            comm->size > 1 ? "s" : "", comm->n_node,
                            comm->n_node > 1 ? "s" : "", threads, threads > 1 ? "s" : ""));
    if (least[1] > 0 && threads > least[1]) {
        HG_TRY(
            hg_diagnosis_add(comm, d, HG_FINDING_NOTE, HG_OK, "cores",
                             "a rank with %d threads is bound to %" PRId64
                             " cores: use 'mpirun --bind-to none' or 'srun --cpus-per-task=%d'",
                             threads, least[1], threads));
    } else if (most * threads > least[0]) {
        HG_TRY(hg_diagnosis_add(comm, d, HG_FINDING_NOTE, HG_OK, "cores",
                                "%" PRId64 " x %d threads share %" PRId64
                                " cores of a node: fewer ranks or threads would be faster",
                                most, threads, least[0]));
    } else {
        HG_TRY(hg_diagnosis_add(comm, d, HG_FINDING_OK, HG_OK, "cores",
                                "%" PRId64 " per node, %" PRId64 " open to each rank", least[0],
                                least[1]));
    }
    return hg_diagnosis_add(comm, d, spread > 2 ? HG_FINDING_NOTE : HG_FINDING_OK, HG_OK,
                            "clocks", "%s %.3f s", spread > 2 ? "apart by" : "agree within",
                            spread);
}

static hg_status
look_at_memory(const hg_comm *comm, double budget, hg_diagnosis *d)
{
    int64_t bytes[2] = {hg_mem_machine(), hg_machine_available()}, per_node = comm->node_size;

    hg_comm_min(comm, 2, bytes);
    hg_comm_max(comm, 1, &per_node);
    HG_TRY(hg_diagnosis_add(
        comm, d, HG_FINDING_OK, HG_OK, "memory",
        "%.0f MiB per node (the job's limit counts), %.0f MiB per rank; %.0f MiB free now",
        (double)bytes[0] / mib, (double)bytes[0] / mib / (double)per_node,
        (double)bytes[1] / mib));
    if (budget * (double)per_node > (double)bytes[0] && bytes[0] > 0) {
        return hg_diagnosis_add(comm, d, HG_FINDING_WRONG, HG_E_MEMORY, "memory",
                                "Run.memory_max is %.0f MiB, but %" PRId64
                                " ranks share %.0f MiB: the system would kill the job",
                                budget / mib, per_node, (double)bytes[0] / mib);
    }
    return HG_OK;
}

static hg_status
look_at_limits(const hg_comm *comm, hg_diagnosis *d)
{
    int64_t limit[3] = {hg_machine_limit(HG_LIMIT_FILES), hg_machine_limit(HG_LIMIT_STACK),
                        hg_machine_limit(HG_LIMIT_FILE_SIZE)};

    hg_comm_min(comm, 3, limit);
    if (limit[0] < 64) {
        HG_TRY(hg_diagnosis_add(comm, d, HG_FINDING_WRONG, HG_E_ENVIRONMENT, "limits",
                                "%" PRId64 " open files are too few: 'ulimit -n 1024'",
                                limit[0]));
    } else if (limit[1] < INT64_C(1) << 20) {
        HG_TRY(hg_diagnosis_add(comm, d, HG_FINDING_WRONG, HG_E_ENVIRONMENT, "limits",
                                "a stack of %" PRId64 " KiB is too small: 'ulimit -s 8192'",
                                limit[1] / 1024));
    } else {
        HG_TRY(hg_diagnosis_add(comm, d, HG_FINDING_OK, HG_OK, "limits",
                                "open files %.0f, stack %.0f MiB",
                                limit[0] == INT64_MAX ? 1e6 : (double)limit[0],
                                limit[1] == INT64_MAX ? 1e6 : (double)limit[1] / mib));
    }
    return limit[2] == INT64_MAX
               ? HG_OK
               : hg_diagnosis_add(comm, d, HG_FINDING_NOTE, HG_OK, "limits",
                                  "files end at %" PRId64 " bytes (ulimit -f)", limit[2]);
}

/* What is loaded; nodes of a cluster sometimes hold different software. */
static hg_status
look_at_libraries(const hg_comm *comm, hg_diagnosis *d)
{
    char h5[64];
    char text[1024];
    int64_t range[2];

    hg_h5_version(sizeof h5, h5);
    snprintf(text, sizeof text, "%s; HDF5 %s; %s; GSL %s; libyaml %s; xxHash %u",
             hg_comm_version(), h5, hg_mesh_version(), hg_gsl_version(), hg_yaml_version(),
             hg_hash_version());
    range[0] = (int64_t)(hg_hash_more(hg_hash_bytes(text, strlen(text)), hg_version_commit(),
                                      strlen(hg_version_commit())) >>
                         1);
    range[1] = -range[0];
    hg_comm_max(comm, 2, range);
    HG_TRY(hg_diagnosis_add(comm, d, HG_FINDING_OK, HG_OK, "program", "halograft %s (%s), %s",
                            hg_version(), hg_version_commit(), hg_version_build()));
    HG_TRY(hg_diagnosis_add(comm, d, HG_FINDING_OK, HG_OK, "libraries", "%s", text));
    return range[0] == -range[1]
               ? HG_OK
               : hg_diagnosis_add(comm, d, HG_FINDING_WRONG, HG_E_ENVIRONMENT, "libraries",
                                  "not all ranks run the same program with the same libraries");
}

static hg_status
look_at_health(const hg_comm *comm, int threads, hg_diagnosis *d)
{
    hg_health health = {.speed = 0};
    double speed[3];
    int64_t n_wrong;

    HG_TRY(hg_health_test(comm, threads, 0.3, &health));
    n_wrong = health.model != hg_health_model || health.prediction != hg_health_prediction;
    hg_comm_sum(comm, 1, &n_wrong);
    speed[0] = speed[1] = speed[2] = health.speed;
    hg_comm_min_double(comm, 1, &speed[0]);
    hg_comm_sum_double(comm, 1, &speed[1]);
    hg_comm_max_double(comm, 1, &speed[2]);
    speed[1] /= comm->size;
    if (n_wrong > 0) {
        HG_TRY(hg_diagnosis_add(
            comm, d, HG_FINDING_WRONG, HG_E_VERIFY, "health",
            "%" PRId64
            " of %d ranks train or predict other bits than recorded (here %016" PRIx64
            " %016" PRIx64 "): a fault of compiler, libraries or hardware",
            n_wrong, comm->size, health.model, health.prediction));
    } else {
        HG_TRY(hg_diagnosis_add(comm, d, HG_FINDING_OK, HG_OK, "health",
                                "training and prediction give the recorded bits"));
    }
    return hg_diagnosis_add(
        comm, d, speed[2] > 1.5 * speed[0] ? HG_FINDING_NOTE : HG_FINDING_OK, HG_OK, "speed",
        "%.3g rows/s per rank, from %.3g to %.3g%s", speed[1], speed[0], speed[2],
        speed[2] > 1.5 * speed[0] ? ": all wait for the slowest, is it shared with others?"
                                  : "");
}

hg_status
hg_doctor_run(const hg_comm *comm, const hg_doctor_options *options, hg_diagnosis *diagnosis)
{
    memset(diagnosis, 0, sizeof *diagnosis);
    HG_TRY(look_at_libraries(comm, diagnosis));
    HG_TRY(look_at_launch(comm, options->threads, diagnosis));
    HG_TRY(look_at_memory(comm, options->memory_max, diagnosis));
    HG_TRY(look_at_limits(comm, diagnosis));
    HG_TRY(hg_doctor_files(comm, options, diagnosis));
    return look_at_health(comm, options->threads, diagnosis);
}
