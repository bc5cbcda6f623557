/* Closed forms of the alias sums per axis; the unit test compares them with explicit sums. */
#include "field/window.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

static const char *const names[] = {"ngp", "cic", "tsc", "pcs"};

const char *
hg_kernel_name(hg_kernel kernel)
{
    return names[kernel - 1];
}

hg_status
hg_kernel_parse(const char *name, hg_kernel *kernel)
{
    for (int p = 1; p <= 4; p++) {
        if (strcasecmp(name, names[p - 1]) == 0) {
            *kernel = (hg_kernel)p;
            return HG_OK;
        }
    }
    return HG_FAIL(HG_E_ARG, "'%s' is no mass assignment: choose ngp, cic, tsc or pcs", name);
}

/* C(theta) with s2 = sin^2 theta. */
static double
alias_sum(hg_kernel kernel, double s2)
{
    switch (kernel) {
    case HG_KERNEL_NGP:
        return 1;
    case HG_KERNEL_CIC:
        return 1 - 2.0 / 3 * s2;
    case HG_KERNEL_TSC:
        return 1 + s2 * (-1 + 2.0 / 15 * s2);
    case HG_KERNEL_PCS:
        break;
    }
    return 1 + s2 * (-4.0 / 3 + s2 * (2.0 / 5 - 4.0 / 315 * s2));
}

/* A(theta) / cos theta. */
static double
alternating_sum(hg_kernel kernel, double s2)
{
    switch (kernel) {
    case HG_KERNEL_NGP:
        return 1;
    case HG_KERNEL_CIC:
        return 1 - s2 / 6;
    case HG_KERNEL_TSC:
        return 1 + s2 * (-0.5 + s2 / 120);
    case HG_KERNEL_PCS:
        break;
    }
    return 1 + s2 * (-5.0 / 6 + s2 * (13.0 / 120 - s2 / 5040));
}

hg_status
hg_window_init(hg_window *window, int64_t n, hg_kernel kernel)
{
    double *table = NULL;

    *window = (hg_window){.n = n, .kernel = kernel};
    HG_TRY(hg_mem_array(&table, 5 * (size_t)n, sizeof *table));
    window->w = table;
    window->c = table + n;
    window->a = table + 2 * n;
    window->cosine = table + 3 * n;
    window->sine = table + 4 * n;
    for (int64_t i = 0; i < n; i++) {
        double t = M_PI * (double)hg_wave_number(i, n) / (double)n;
        double s = sin(t), sinc = i == 0 ? 1 : s / t, w = 1;

        for (int p = 0; p < (int)kernel; p++) {
            w *= sinc;
        }
        window->w[i] = w;
        window->cosine[i] = cos(t);
        window->sine[i] = s;
        window->c[i] = alias_sum(kernel, s * s);
        window->a[i] = cos(t) * alternating_sum(kernel, s * s);
    }
    return HG_OK;
}

void
hg_window_clear(hg_window *window)
{
    hg_mem_free(window->w);
    memset(window, 0, sizeof *window);
}
