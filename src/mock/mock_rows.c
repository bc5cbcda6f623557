/* Latents u = rho e + sqrt(1 - rho^2) z of concentration, formation time and spin, with e the
 * environment and z normals correlated such that the u have the stated correlations; keyed by
 * the halo's id. From the mass and the concentration everything else is a closed form of the
 * NFW profile. Subhaloes have a profile of their peak mass, lose mass by a law of their
 * distance, and their structure follows the lost share. They sit on the host's profile and move
 * with its isotropic Jeans dispersion. */
#include "mock/mock_rows.h"

#include <math.h>

#include "base/memory.h"
#include "base/random.h"

enum { N_SHMF = 2048, MAX_SUB = 4095 };
static const double spin_median = 0.035, formation_width = 0.5, log_ratio_min = -18.5;

typedef struct row_maker {
    const hg_mock_plan *plan;
    double chol[3][3];        /* of the residual normals of (c, a, spin) */
    double rho[3];            /* correlation of the latents with the environment */
    double above[N_SHMF + 1]; /* subhaloes above exp(ln ratio), at steps of ln ratio */
} row_maker;

/* Cholesky factor of the correlation matrix that is left beside the environment. */
static hg_status
set_correlations(row_maker *m)
{
    const hg_params_mock *p = m->plan->param;
    double want[3][3] = {{1, p->concentration_formation, p->concentration_spin},
                         {p->concentration_formation, 1, 0.1},
                         {p->concentration_spin, 0.1, 1}};

    m->rho[0] = p->concentration_environment;
    m->rho[1] = p->formation_environment;
    m->rho[2] = p->spin_environment;
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j <= i; j++) {
            double left = sqrt((1 - m->rho[i] * m->rho[i]) * (1 - m->rho[j] * m->rho[j]));
            double sum = (want[i][j] - m->rho[i] * m->rho[j]) / left;

            for (int k = 0; k < j; k++) {
                sum -= m->chol[i][k] * m->chol[j][k];
            }
            if (i == j && sum <= 0) {
                return HG_FAIL(HG_E_PARAM, "the correlations of the mock's concentration, "
                                           "formation time, spin and environment contradict "
                                           "each other: bring them closer to 0");
            }
            m->chol[i][j] = i == j ? sqrt(sum) : sum / m->chol[j][j];
        }
    }
    return HG_OK;
}

/* Cumulative subhalo mass function dN/dln x = A x^-s exp(-6.283 x^3), from the top. */
static void
set_subhaloes(row_maker *m)
{
    const hg_params_mock *p = m->plan->param;
    double step = -log_ratio_min / N_SHMF;

    m->above[N_SHMF] = 0;
    for (int i = N_SHMF - 1; i >= 0; i--) {
        double x = exp(log_ratio_min + (i + 0.5) * step);

        m->above[i] = m->above[i + 1] +
                      step * p->subhaloes * pow(x, -p->subhalo_slope) * exp(-6.283 * x * x * x);
    }
}

static double
subhaloes_above(const row_maker *m, double ratio)
{
    double s = (log(ratio) / -log_ratio_min + 1) * N_SHMF;
    int i = s > 0 ? (s < N_SHMF - 1 ? (int)s : N_SHMF - 1) : 0;

    if (ratio >= 1) {
        return 0;
    }
    return m->above[i] + (s - i) * (m->above[i + 1] - m->above[i]);
}

static double
subhalo_ratio(const row_maker *m, double above)
{
    int low = 0, high = N_SHMF;
    double part;

    while (high - low > 1) {
        int middle = (low + high) / 2;

        if (m->above[middle] > above) {
            low = middle;
        } else {
            high = middle;
        }
    }
    part = (m->above[low] - above) / (m->above[low] - m->above[high]);
    return exp(log_ratio_min * (1 - (low + part) / N_SHMF));
}

static double
median_concentration(const hg_mock_plan *plan, double mass)
{
    const hg_params_mock *p = plan->param;

    return p->concentration * pow(mass / 1e12, p->concentration_slope) *
           sqrt(plan->scale_factor);
}

/* Centre of logit(a_half / a): later for massive haloes. */
static double
median_formation(double mass)
{
    return 0.2 + 0.15 * log10(mass / 1e12);
}

static double
feature_mass(const hg_mock_row *row)
{
    return (double)(hg_mock_row_is_host(row) ? row->m200c : row->m_bound);
}

double
hg_mock_row_concentration(const hg_mock_plan *plan, const hg_mock_row *row)
{
    double scatter = plan->param->concentration_scatter;
    double median = median_concentration(plan, feature_mass(row));

    return scatter > 0 ? log10((double)row->concentration / median) / scatter : 0;
}

double
hg_mock_row_formation(const hg_mock_plan *plan, const hg_mock_row *row)
{
    double share = (double)row->a_half / plan->scale_factor;

    return (log(share / (1 - share)) - median_formation(feature_mass(row))) / formation_width;
}

static void
draw_latents(const row_maker *m, int64_t id, double environment, double u[3])
{
    hg_stream s = hg_stream_start(m->plan->seed, 0, (uint64_t)id, HG_PURPOSE_LATENT);
    double z[3];

    for (int i = 0; i < 3; i++) {
        double sum = 0;

        z[i] = hg_stream_normal(&s);
        for (int k = 0; k <= i; k++) {
            sum += m->chol[i][k] * z[k];
        }
        u[i] = m->rho[i] * environment + sqrt(1 - m->rho[i] * m->rho[i]) * sum;
    }
}

/* Structure of an unstripped halo of a mass: all that follows from the latents. */
static void
set_structure(const row_maker *m, double mass, const double u[3], hg_mock_row *row)
{
    const hg_mock_plan *plan = m->plan;
    const hg_params_mock *p = plan->param;
    double c = median_concentration(plan, mass) * pow(10, p->concentration_scatter * u[0]);
    double radius = hg_cosmology_r200c(&plan->cosmology, plan->redshift, mass);
    double speed2 = HG_GRAVITY * mass / (plan->scale_factor * radius);

    c = fmin(fmax(c, 1.2), 60);
    row->concentration = (float)c;
    row->vmax = (float)(sqrt(speed2) * hg_nfw_vmax(c));
    row->r_vmax = (float)(radius / c * hg_nfw_radius_of_vmax());
    row->r_half = (float)(radius * hg_nfw_half_mass(c));
    row->e_pot = (float)(mass * speed2 * hg_nfw_potential(c));
    row->spin = (float)(spin_median * pow(10, p->spin_scatter * u[2]));
    row->a_half = (float)(plan->scale_factor /
                          (1 + exp(-median_formation(mass) - formation_width * u[1])));
}

/* Relative errors of properties measured from n_part particles; M200c stays exact, so that the
 * mass function does. */
static void
add_noise(const row_maker *m, hg_mock_row *row)
{
    const hg_params_mock *p = m->plan->param;
    hg_stream s = hg_stream_start(m->plan->seed, 0, (uint64_t)row->id, HG_PURPOSE_NOISE);
    double size = p->resolution_noise * sqrt(p->particle_mass / (double)row->m_bound);
    float *noisy[] = {&row->m_bound, &row->vmax, &row->r_vmax,
                      &row->r_half,  &row->spin, &row->concentration};

    for (size_t i = 0; size > 0 && i < sizeof noisy / sizeof noisy[0]; i++) {
        *noisy[i] *= (float)exp(size * hg_stream_normal(&s));
    }
}

static void
make_host_row(const row_maker *m, const hg_mock_host *host, hg_mock_row *row)
{
    double mass = (double)host->mass, u[3];
    hg_stream s = hg_stream_start(m->plan->seed, 1, (uint64_t)host->id, HG_PURPOSE_LATENT);

    *row = (hg_mock_row){.id = host->id,
                         .m200c = host->mass,
                         .environment = host->environment,
                         .bin = host->bin,
                         .region = -1};
    for (int k = 0; k < 3; k++) {
        row->position[k] = host->position[k];
        row->velocity[k] = host->velocity[k];
    }
    row->r200c = (float)hg_cosmology_r200c(&m->plan->cosmology, m->plan->redshift, mass);
    draw_latents(m, host->id, (double)host->environment, u);
    set_structure(m, mass, u, row);
    row->m_bound = (float)(mass * pow(10, 0.04 + 0.03 * hg_stream_normal(&s)));
    row->m_peak = (float)(mass * pow(10, 0.06 * fabs(hg_stream_normal(&s))));
    add_noise(m, row);
}

/* Mean number of subhaloes of a host: fewer in early-forming ones. */
static double
mean_subhaloes(const row_maker *m, const hg_mock_row *host)
{
    double late = hg_mock_row_formation(m->plan, host);
    double n = subhaloes_above(m, m->plan->param->mass_min / (double)host->m200c);

    return n * exp(0.15 * late - 0.5 * 0.15 * 0.15);
}

static hg_stream
subhalo_stream(const row_maker *m, const hg_mock_row *host, int64_t *n)
{
    hg_stream s = hg_stream_start(m->plan->seed, 0, (uint64_t)host->id, HG_PURPOSE_SUBHALO);

    *n = hg_stream_poisson(&s, mean_subhaloes(m, host));
    return s;
}

static void
draw_direction(hg_stream *s, double n[3])
{
    double z = 2 * hg_stream_uniform(s) - 1, phi = 2 * M_PI * hg_stream_uniform(s);

    n[0] = sqrt(1 - z * z) * cos(phi);
    n[1] = sqrt(1 - z * z) * sin(phi);
    n[2] = z;
}

/* Share of the peak mass that is still bound: less near the centre, with scatter. */
static double
bound_share(double distance, double normal)
{
    double share = (0.2 + 0.6 * distance) * pow(10, 0.15 * normal);

    return fmin(fmax(share, 0.05), 0.98);
}

static void
make_subhalo(const row_maker *m, const hg_mock_row *host, int64_t sub, hg_stream *s,
             hg_mock_row *row)
{
    const hg_mock_plan *plan = m->plan;
    double c = (double)host->concentration, radius = (double)host->r200c;
    double ratio = plan->param->mass_min / (double)host->m200c, mass, x, y, speed, u[3], n[3];

    *row = *host;
    row->id = host->id + sub;
    ratio = subhalo_ratio(m, hg_stream_open(s) * subhaloes_above(m, ratio));
    mass = fmax(ratio * (double)host->m200c, plan->param->mass_min);
    x = hg_nfw_inverse(c, hg_stream_uniform(s));
    draw_direction(s, n);
    speed = sqrt(HG_GRAVITY * (double)host->m200c / (plan->scale_factor * radius)) *
            hg_nfw_dispersion(c, x);
    for (int k = 0; k < 3; k++) {
        double at = host->position[k] + x * radius * n[k];

        at -= plan->box * floor(at / plan->box);
        row->position[k] = at < plan->box ? at : 0;
        row->velocity[k] = (float)((double)host->velocity[k] + speed * hg_stream_normal(s));
    }
    y = bound_share(x, hg_stream_normal(s));
    draw_latents(m, row->id, (double)host->environment, u);
    set_structure(m, mass, u, row);
    row->host_distance = (float)x;
    row->m_peak = (float)mass;
    row->m_bound = (float)(mass * y);
    row->vmax *= (float)(pow(2, 0.4) * pow(y, 0.3) / pow(1 + y, 0.4));
    row->r_vmax *= (float)(pow(2, -0.3) * pow(y, 0.4) / pow(1 + y, -0.3));
    row->r_half *= (float)pow(y, 0.5);
    row->e_pot *= (float)pow(y, 1.6);
    add_noise(m, row);
}

/* Rows of the hosts, and where each begins in the table that also holds the subhaloes. */
static hg_status
count_rows(const row_maker *m, int64_t n_host, const hg_mock_host host[], hg_mock_row own[],
           int64_t first[])
{
    int64_t most = 0;

#pragma omp parallel for reduction(max : most) schedule(dynamic, 4096)
    for (int64_t i = 0; i < n_host; i++) {
        make_host_row(m, &host[i], &own[i]);
        subhalo_stream(m, &own[i], &first[i + 1]);
        most = first[i + 1] > most ? first[i + 1] : most;
    }
    if (most > MAX_SUB) {
        return HG_FAIL(HG_E_PARAM,
                       "a host of the mock has %lld subhaloes, more than %d: use a larger "
                       "Mock.mass_min or smaller Mock.subhaloes",
                       (long long)most, MAX_SUB);
    }
    first[0] = 0;
    for (int64_t i = 0; i < n_host; i++) {
        first[i + 1] += first[i] + 1;
    }
    return HG_OK;
}

hg_status
hg_mock_rows_make(const hg_mock_plan *plan, int64_t n_host, const hg_mock_host host[],
                  int64_t *n, hg_mock_row **rows)
{
    row_maker *m = NULL;
    hg_mock_row *own = NULL;
    int64_t *first = NULL;
    hg_status status;

    *n = 0;
    *rows = NULL;
    HG_TRY_OR(done, status, hg_mem_zeros(&m, 1, sizeof *m));
    m->plan = plan;
    HG_TRY_OR(done, status, set_correlations(m));
    set_subhaloes(m);
    HG_TRY_OR(done, status, hg_mem_array(&own, (size_t)n_host, sizeof *own));
    HG_TRY_OR(done, status, hg_mem_array(&first, (size_t)n_host + 1, sizeof *first));
    HG_TRY_OR(done, status, count_rows(m, n_host, host, own, first));
    HG_TRY_OR(done, status, hg_mem_array(rows, (size_t)first[n_host], sizeof **rows));
    *n = first[n_host];
#pragma omp parallel for schedule(dynamic, 4096)
    for (int64_t i = 0; i < n_host; i++) {
        int64_t n_sub = 0;
        hg_stream s = subhalo_stream(m, &own[i], &n_sub);

        (*rows)[first[i]] = own[i];
        for (int64_t k = 1; k <= n_sub; k++) {
            make_subhalo(m, &own[i], k, &s, &(*rows)[first[i] + k]);
        }
    }
done:
    hg_mem_free(own);
    hg_mem_free(first);
    hg_mem_free(m);
    return status;
}
