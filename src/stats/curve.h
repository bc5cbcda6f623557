/** Curves, maps and scores: what every statistic is turned into, and the file that holds them.
 *
 * statistics.hdf5 has /curves/<catalogue>/<name>, /covariance/<catalogue>/<name>,
 * /maps/<catalogue>/<name>, /metrics/<name> and /Provenance; measure, validate and the report
 * share it. All attributes that define an estimate travel with it. Layer: stats.
 */
#ifndef HG_STATS_CURVE_H
#define HG_STATS_CURVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "halograft/error.h"
#include "store/bundle.h"

enum { HG_LABEL_MAX = 128 };

/** A named number or text. */
typedef struct hg_attribute {
    char name[64];
    bool is_text;
    double value;
    char text[256];
} hg_attribute;

/** A growing list of attributes; {0} is a valid empty one. */
typedef struct hg_attributes {
    int n, room;
    hg_attribute *v;
} hg_attributes;

/** What a curve or map shows. */
typedef struct hg_label {
    char name[HG_LABEL_MAX];      /**< unique within its catalogue */
    char catalogue[HG_LABEL_MAX]; /**< draw, mean, truth, ... */
    char statistic[64];           /**< mass_function, shmr, power, xi, predicted_true, ... */
    char sample[HG_LABEL_MAX];    /**< name of the selection, "" = all rows */
    char column[64];              /**< measured column, "" = none */
    char x_name[64], x_unit[32], y_name[64], y_unit[32];
    bool log_x, log_y;
} hg_label;

/** One curve; the arrays of `data` that a statistic lacks are NULL. */
typedef struct hg_curve {
    hg_label label;
    int64_t n;
    double *x, *x_low, *x_high, *y, *error;
    double *low, *high;      /**< 16 and 84 per cent, or NULL */
    int64_t *count;          /**< objects or modes per bin, or NULL */
    double *draw_error;      /**< standard deviation over draws, or NULL */
    double *jackknife_error; /**< error from regions of the box, or NULL */
    hg_attributes attributes;
} hg_curve;

enum { HG_COVARIANCE_CURVES = 3 };

/** Covariance of the bins of curves of one catalogue that have equal bins. */
typedef struct hg_covariance {
    hg_label label;
    char kind[16]; /**< gaussian, jackknife or draws: what was random */
    int n_curve;
    char curve[HG_COVARIANCE_CURVES][HG_LABEL_MAX]; /**< their names */
    int64_t n;                                      /**< bins of each */
    bool diagonal;          /**< bins are independent, but for those of equal place */
    double *x_low, *x_high; /**< shape (n) */
    double *value; /**< shape (n_curve, n, n_curve, n), diagonal (n_curve, n_curve, n) */
    hg_attributes attributes;
} hg_covariance;

/** Counts on a plane. */
typedef struct hg_map {
    hg_label label;
    int64_t n_x, n_y;
    int64_t *counts;           /**< shape (n_x, n_y) */
    double *x_edges, *y_edges; /**< shapes (n_x + 1), (n_y + 1) */
    hg_attributes attributes;
} hg_map;

/** A group of scalars, for example all metrics of one target. */
typedef struct hg_score {
    char name[HG_LABEL_MAX];
    hg_attributes attributes;
} hg_score;

/** Everything a statistics file holds; {0} is a valid empty one. */
typedef struct hg_statistics {
    int n_curve, n_covariance, n_map, n_score;
    int room_curve, room_covariance, room_map, room_score;
    hg_curve *curve;
    hg_covariance *covariance;
    hg_map *map;
    hg_score *score;
    hg_attributes provenance;
    hg_text parameters; /**< YAML text in force, stored in /Provenance */
    hg_bundle beside;   /**< tables that appear with the file, and only with it */
} hg_statistics;

/** Which of the optional arrays a curve has. */
enum { HG_CURVE_BAND = 1, HG_CURVE_COUNT = 2, HG_CURVE_DRAWS = 4, HG_CURVE_JACKKNIFE = 8 };

/** Add an empty curve (arrays of zero), map (with edges and counts of zero) or score.
 *
 * @local
 * @param[in]  n         number of bins; 0 allowed
 * @param[in]  contents  HG_CURVE_BAND | ...
 * @param[out] curve     borrowed until the next curve is added
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_statistics_curve(hg_statistics *statistics, const hg_label *label,
                                            int64_t n, int contents, hg_curve **curve);
HG_MUST_CHECK hg_status hg_statistics_map(hg_statistics *statistics, const hg_label *label,
                                          int64_t n_x, int64_t n_y, hg_map **map);
HG_MUST_CHECK hg_status hg_statistics_score(hg_statistics *statistics, const char *name,
                                            hg_score **score);
void hg_statistics_clear(hg_statistics *statistics);

/** Add a covariance of zeros.
 *
 * @local
 * @param[in]  kind        gaussian, jackknife or draws
 * @param[in]  n_curve     at most HG_COVARIANCE_CURVES
 * @param[in]  curve       shape (n_curve), names of curves; the covariance is called kind_ and
 *                         the first of them
 * @param[in]  n           bins of each; 0 allowed
 * @param[in]  diagonal    whether only bins of equal place are correlated
 * @param[out] covariance  borrowed until the next one is added
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_statistics_covariance(hg_statistics *statistics,
                                                 const hg_label *label, const char *kind,
                                                 int n_curve, const char *const curve[],
                                                 int64_t n, bool diagonal,
                                                 hg_covariance **covariance);

/** Covariance of bin i of curve number a and bin j of curve number b.
 *
 * @local
 */
double hg_covariance_value(const hg_covariance *covariance, int a, int64_t i, int b, int64_t j);

/** The curve of a catalogue and name, or NULL; borrowed.
 *
 * @local
 */
const hg_curve *hg_statistics_find(const hg_statistics *statistics, const char *catalogue,
                                   const char *name);

/** Replace all curves of equal name in [first, n_curve) by one: y becomes the mean over them
 * and draw_error its standard deviation; other arrays, and covariances, stay those of the
 * first. Curves of a sample get a covariance over the draws, kind "draws": a sum over as many
 * terms as there are draws, so its rank is less than that of a large matrix.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY; HG_E_SHAPE when bins differ
 */
HG_MUST_CHECK hg_status hg_statistics_average(hg_statistics *statistics, int first);

/** Give all curves of one statistic that share a name the same bins: those that any of them
 * has. A new bin gets y = 0, count 0 and, as error, the attribute `upper_limit` where there is
 * one.
 *
 * @local
 * @param[in] name  of the statistic, whose bins lie on one grid ("mass_function")
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_statistics_align(hg_statistics *statistics, const char *name);

/** Add an attribute; one of the same name is replaced.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_attributes_real(hg_attributes *attributes, const char *name,
                                           double value);
HG_MUST_CHECK hg_status hg_attributes_text(hg_attributes *attributes, const char *name,
                                           const char *text);
const hg_attribute *hg_attributes_find(const hg_attributes *attributes, const char *name);
void hg_attributes_clear(hg_attributes *attributes);

/** Write a statistics file sealed (store/seal.h), all curves and covariances as CSV beside it,
 * and publish them and all that waits in `beside`, the file itself last. After a failure there
 * is none of them.
 *
 * @local  rank 0 by convention
 * @param[in] path  NAME.hdf5; the twins are NAME.csv and NAME_covariance.csv
 * @return HG_OK; HG_E_WRITE
 */
HG_MUST_CHECK hg_status hg_statistics_write(hg_statistics *statistics, const char *path);

/** Read a statistics file; its seal is checked where there is one.
 *
 * @local
 * @param[out] statistics  release with hg_statistics_clear()
 * @return HG_OK; HG_E_NOTFOUND; HG_E_VERIFY when the bytes are not those that were sealed;
 * HG_E_FORMAT; HG_E_READ
 */
HG_MUST_CHECK hg_status hg_statistics_read(const char *path, hg_statistics *statistics);

#endif
