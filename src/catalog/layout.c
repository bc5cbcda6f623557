/* Names of datasets follow SOAP where SOAP has the quantity. Galaxy columns of inputs and of
 * the mock's truth stand below SOAP/Catalogue: they are not SOAP's measured apertures and must
 * not pass for them. Exponents of units are not tabulated but follow from the unit text, so the
 * two cannot disagree. Rates in Msun/yr carry exponents 0, because a year is not the unit of
 * time here: a reader that converts blindly then fails loudly.
 */
#include "catalog/layout.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/unit.h"

#define F32 HG_COLUMN_F32
#define F64 HG_COLUMN_F64
#define I64 HG_COLUMN_I64
#define I32 HG_COLUMN_I32
#define U8 HG_COLUMN_U8
#define NONE HG_RULE_NONE
#define FINITE HG_RULE_FINITE
#define POSITIVE HG_RULE_POSITIVE
#define SPEED HG_RULE_SPEED

/* clang-format off */
static const hg_layout_entry entries[] = {
    {"id", "InputHalos/HaloId", "", I64, 1, 0, NONE, "stable identifier of the halo"},
    {"row", "InputHalos/HaloCatalogueIndex", "", I64, 1, 0, NONE, "row in the input catalogue"},
    {"host_id", "InputHalos/HostHaloId", "", I64, 1, 0, NONE, "identifier of the top host, -1 for none"},
    {"host_row", "InputHalos/HostHaloIndex", "", I64, 1, 0, NONE, "row of the top host, -1 for none"},
    {"group", "InputHalos/HostGroup", "", I64, 1, 0, NONE, "number of the friends-of-friends group"},
    {"central", "InputHalos/IsCentral", "", U8, 1, 0, NONE, "1 for centrals, 0 for satellites"},
    {"n_part", "InputHalos/NumberOfBoundParticles", "", I64, 1, 0, NONE, "number of bound particles"},
    {"flags", "InputHalos/Flags", "", I32, 1, 0, NONE, "bits: 1 phantom, 2 not cosmological, 4 position wrapped, 8 bad value, 16 missing host"},
    {"flag", "InputHalos/SubhaloFlag", "", I32, 1, 0, NONE, "0: not of cosmological origin"},
    {"position", "InputHalos/HaloCentre", "Mpc", F64, 3, 0, HG_RULE_POSITION, "position"},
    {"velocity", "BoundSubhalo/CentreOfMassVelocity", "km/s", F32, 3, 0, SPEED, "proper peculiar velocity"},
    {"m_bound", "BoundSubhalo/TotalMass", "Msun", F32, 1, 0, POSITIVE, "bound mass"},
    {"m_dm", "BoundSubhalo/DarkMatterMass", "Msun", F32, 1, 0, FINITE, "bound dark matter mass"},
    {"vmax", "BoundSubhalo/MaximumCircularVelocity", "km/s", F32, 1, 0, FINITE, "maximum of the circular velocity"},
    {"r_vmax", "BoundSubhalo/MaximumCircularVelocityRadius", "Mpc", F32, 1, 0, FINITE, "radius of the maximum circular velocity"},
    {"sigma_v", "BoundSubhalo/VelocityDispersion", "km/s", F32, 1, 0, FINITE, "one-dimensional velocity dispersion"},
    {"r_half", "BoundSubhalo/HalfMassRadiusTotal", "Mpc", F32, 1, 0, FINITE, "half-mass radius"},
    {"r_s", "BoundSubhalo/ScaleRadius", "Mpc", F32, 1, 0, FINITE, "scale radius"},
    {"spin", "BoundSubhalo/SpecificAngularMomentum", "Mpc km/s", F32, 3, 1, FINITE, "specific angular momentum"},
    {"spin_peebles", "BoundSubhalo/SpinPeebles", "", F32, 1, 0, FINITE, "spin parameter of Peebles"},
    {"spin_bullock", "BoundSubhalo/SpinBullock", "", F32, 1, 0, FINITE, "spin parameter of Bullock"},
    {"b_to_a", "BoundSubhalo/AxisRatioMiddle", "", F32, 1, 0, FINITE, "second over largest axis"},
    {"c_to_a", "BoundSubhalo/AxisRatioMinor", "", F32, 1, 0, FINITE, "smallest over largest axis"},
    {"x_off", "BoundSubhalo/CentreOffset", "Mpc", F32, 1, 0, FINITE, "offset of centre and centre of mass"},
    {"v_off", "BoundSubhalo/VelocityOffset", "km/s", F32, 1, 0, FINITE, "offset of core and bulk velocity"},
    {"e_kin", "BoundSubhalo/KineticEnergy", "Msun km/s^2", F32, 1, 0, FINITE, "kinetic energy, Msun (km/s)^2"},
    {"e_pot", "BoundSubhalo/PotentialEnergy", "Msun km/s^2", F32, 1, 0, FINITE, "potential energy, Msun (km/s)^2"},
    {"m200c", "SO/200_crit/TotalMass", "Msun", F32, 1, 0, FINITE, "mass within 200 times the critical density, of the host for satellites"},
    {"r200c", "SO/200_crit/SORadius", "Mpc", F32, 1, 0, FINITE, "radius of m200c"},
    {"m500c", "SO/500_crit/TotalMass", "Msun", F32, 1, 0, FINITE, "mass within 500 times the critical density, of the host for satellites"},
    {"r500c", "SO/500_crit/SORadius", "Mpc", F32, 1, 0, FINITE, "radius of m500c"},
    {"m200m", "SO/200_mean/TotalMass", "Msun", F32, 1, 0, FINITE, "mass within 200 times the mean density, of the host for satellites"},
    {"r200m", "SO/200_mean/SORadius", "Mpc", F32, 1, 0, FINITE, "radius of m200m"},
    {"mvir", "SO/BN98/TotalMass", "Msun", F32, 1, 0, FINITE, "virial mass (Bryan & Norman 1998), of the host for satellites"},
    {"rvir", "SO/BN98/SORadius", "Mpc", F32, 1, 0, FINITE, "radius of mvir"},
    {"m_peak", "SOAP/History/PeakMass", "Msun", F32, 1, 0, FINITE, "largest mass in the past"},
    {"v_peak", "SOAP/History/PeakCircularVelocity", "km/s", F32, 1, 0, FINITE, "largest vmax in the past"},
    {"m_acc", "SOAP/History/AccretionMass", "Msun", F32, 1, 0, FINITE, "mass at accretion"},
    {"a_half", "SOAP/History/HalfMassScaleFactor", "", F32, 1, 0, FINITE, "expansion factor at half of the mass"},
    {"a_last_merger", "SOAP/History/LastMergerScaleFactor", "", F32, 1, 0, FINITE, "expansion factor of the last major merger"},
    {"acc_rate", "SOAP/History/AccretionRate", "Msun/yr", F32, 1, 0, FINITE, "accretion rate"},
    {"descendant_id", "SOAP/History/DescendantId", "", I64, 1, 0, NONE, "identifier of the halo this one becomes, -1 for none"},
    {"progenitor_id", "SOAP/History/ProgenitorId", "", I64, 1, 0, NONE, "identifier of the main progenitor, -1 for none"},
    {"halo_id", "SOAP/History/HaloId", "", I64, 1, 0, NONE, "identifier in the halo catalogue, where trees have identifiers of their own"},
    {"snapshot", "SOAP/History/Snapshot", "", I64, 1, 0, NONE, "number of the snapshot"},
    {"orphan", "SOAP/History/IsOrphan", "", U8, 1, 0, NONE, "1 for orphans, whose subhalo was lost, else 0"},
    {"f_contam", "SOAP/Zoom/Contamination", "", F32, 1, 0, FINITE, "mass fraction in low-resolution particles"},
    {"region", "SOAP/Zoom/Region", "", I32, 1, 0, NONE, "zoom region"},
    {"run", "SOAP/Zoom/Run", "", I32, 1, 0, NONE, "simulation"},
    {"weight", "SOAP/Zoom/Weight", "", F32, 1, 0, FINITE, "weight of the region"},
    {"parent_id", "SOAP/Zoom/ParentId", "", I64, 1, 0, NONE, "identifier of the same halo in the parent volume, -1 for none"},
    {"extrapolated", "SOAP/Domain/Extrapolated", "", I64, 1, 0, NONE, "bit per feature outside the training range"},
    {"in_tails", "SOAP/Domain/InTails", "", I64, 1, 0, NONE, "bit per feature outside the 0.1 and 99.9 per cent points of the training haloes"},
    {"n_eff", "SOAP/Domain/EffectiveNumber", "", F32, 1, 0, NONE, "effective number of training haloes behind a prediction"},
    {"n_regions", "SOAP/Domain/Regions", "", I32, 1, 0, NONE, "different regions among the training haloes behind a prediction, -1: not predicted"},
    {"domain", "SOAP/Domain/Flag", "", U8, 1, 0, NONE, "0: inside the training domain, 1: at its edge, 2: outside, 255: not predicted"},
    {"origin", "SOAP/Domain/Origin", "", U8, 1, 0, NONE, "0: not a training halo, 1 and 2: training halo with and without out-of-bag mean, 255: not predicted"},
    {"leaf_count", "SOAP/Domain/LeafCount", "", F32, 1, 0, NONE, "mean number of training haloes per leaf"},
    {"stellar_mass", "SOAP/Catalogue/stellar_mass", "Msun", F32, 1, 0, FINITE, "stellar mass"},
    {"gas_mass", "SOAP/Catalogue/gas_mass", "Msun", F32, 1, 0, FINITE, "gas mass"},
    {"bh_mass", "SOAP/Catalogue/bh_mass", "Msun", F32, 1, 0, FINITE, "black-hole mass"},
    {"sfr", "SOAP/Catalogue/sfr", "Msun/yr", F32, 1, 0, FINITE, "star formation rate"},
    {"z_star", "SOAP/Catalogue/z_star", "", F32, 1, 0, FINITE, "metal mass fraction of stars"},
    {"sigma_star", "SOAP/Catalogue/sigma_star", "km/s", F32, 1, 0, FINITE, "stellar velocity dispersion"},
    {"r_star", "SOAP/Catalogue/r_star", "Mpc", F32, 1, 0, FINITE, "stellar half-mass radius"},
};
/* clang-format on */
enum { N_ENTRY = sizeof entries / sizeof entries[0] };

static const double mpc_cm = 3.0856775814913673e24, msun_g = 1.988409870698051e33;

const hg_layout_entry *
hg_layout_at(size_t i)
{
    return i < N_ENTRY ? &entries[i] : NULL;
}

const hg_layout_entry *
hg_layout_find(const char *name)
{
    for (size_t i = 0; i < N_ENTRY; i++) {
        if (strcmp(entries[i].name, name) == 0) {
            return &entries[i];
        }
    }
    return NULL;
}

/* Split "X_draw2" into X and the group it belongs to; false for plain names. */
static bool
split_name(const char *name, char base[HG_NAME_MAX], char group[32])
{
    const char *tail = strrchr(name, '_');
    size_t n = tail != NULL ? (size_t)(tail - name) : 0, digits;

    if (n == 0 || n >= HG_NAME_MAX) {
        return false;
    }
    if (strcmp(tail, "_mean") == 0) {
        snprintf(group, 32, "Predicted");
    } else if (strcmp(tail, "_probability") == 0) {
        snprintf(group, 32, "Probability");
    } else if (strcmp(tail, "_spread") == 0) {
        snprintf(group, 32, "Spread");
    } else if (strncmp(tail, "_draw", 5) == 0 && strlen(tail) < 12) {
        digits = strspn(tail + 5, "0123456789");
        if (tail[5 + digits] != '\0') {
            return false;
        }
        snprintf(group, 32, "Drawn%.8s", tail + 5);
    } else if (strncmp(tail, "_q", 2) == 0 && isdigit((unsigned char)tail[2]) &&
               tail[2 + strspn(tail + 2, "0123456789")] == '\0' && strlen(tail) < 8) {
        snprintf(group, 32, "Quantile%.8s", tail + 2);
    } else {
        return false;
    }
    memcpy(base, name, n);
    base[n] = '\0';
    return true;
}

/* Split "extrapolated2" into the entry of the first word of a mask and the number of this one.
 */
static const hg_layout_entry *
find_mask(const char *name, const char **number)
{
    static const char *const masks[] = {"extrapolated", "in_tails"};

    for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
        const size_t n = strlen(masks[i]);

        if (strncmp(name, masks[i], n) == 0 && name[n] != '\0' &&
            name[n + strspn(name + n, "0123456789")] == '\0') {
            *number = name + n;
            return hg_layout_find(masks[i]);
        }
    }
    return NULL;
}

hg_status
hg_layout_place(const char *name, size_t n, char path[])
{
    const hg_layout_entry *entry = hg_layout_find(name);
    char base[HG_NAME_MAX], group[32];
    const char *number = "";

    if (entry == NULL) {
        entry = find_mask(name, &number);
    }

    if (entry != NULL) {
        return hg_text_path(n, path, "%s%s", entry->path, number);
    }
    if (split_name(name, base, group)) {
        return hg_text_path(n, path, "SOAP/%s/%s", group, base);
    }
    return hg_text_path(n, path, "SOAP/Catalogue/%s", name);
}

const hg_layout_entry *
hg_layout_quantity(const char *name)
{
    char base[HG_NAME_MAX], group[32];
    const hg_layout_entry *entry = hg_layout_find(name);

    return entry == NULL && split_name(name, base, group) ? hg_layout_find(base) : entry;
}

hg_type
hg_layout_type(hg_column_type type)
{
    static const hg_type types[] = {
        [F64] = HG_F64, [F32] = HG_F32, [I64] = HG_I64, [I32] = HG_I32, [U8] = HG_U8};

    return types[type];
}

double
hg_layout_fill(hg_column_type type)
{
    return type == F64 || type == F32 ? (double)NAN : type == U8 ? 255 : -1;
}

static hg_status
put_real(hg_h5 *file, const char *path, const char *name, double value)
{
    return hg_h5_put(file, path, name, HG_F64, 1, &value);
}

static hg_status
put_flag(hg_h5 *file, const char *path, const char *name, int32_t value)
{
    return hg_h5_put(file, path, name, HG_I32, 1, &value);
}

hg_status
hg_layout_describe(hg_h5 *file, const char *path, const hg_column *column, const char *kind,
                   const char *text, double a)
{
    const hg_layout_entry *entry = hg_layout_quantity(column->name);
    hg_unit unit;
    bool rate, physical;
    double cgs, power;

    HG_TRY(hg_unit_parse(column->unit, &unit));
    rate = unit.year != 0 || unit.second != 0 || unit.kelvin != 0;
    physical = (entry != NULL && entry->physical) || unit.length == 0;
    power = physical || rate ? 0 : unit.length;
    cgs = rate ? 1
               : unit.factor * pow(msun_g, unit.mass) * pow(mpc_cm, unit.length) *
                     pow(1e5, unit.speed);
    HG_TRY(put_real(file, path, "U_M exponent", rate ? 0 : unit.mass));
    HG_TRY(put_real(file, path, "U_L exponent", rate ? 0 : unit.length + unit.speed));
    HG_TRY(put_real(file, path, "U_t exponent", rate ? 0 : -unit.speed));
    HG_TRY(put_real(file, path, "U_I exponent", 0));
    HG_TRY(put_real(file, path, "U_T exponent", 0));
    HG_TRY(put_real(file, path, "a-scale exponent", power));
    HG_TRY(put_real(file, path, "h-scale exponent", 0));
    HG_TRY(put_flag(file, path, "Value stored as physical", physical));
    HG_TRY(put_flag(file, path, "Property can be converted to comoving", !rate));
    HG_TRY(put_real(file, path,
                    "Conversion factor to CGS (not including cosmological corrections)", cgs));
    HG_TRY(put_real(file, path,
                    "Conversion factor to physical CGS (including cosmological corrections)",
                    power == 0 ? cgs : cgs * pow(a, power)));
    HG_TRY(put_flag(file, path, "Masked", 0));
    HG_TRY(put_flag(file, path, "Is Compressed", 0));
    HG_TRY(hg_h5_put_string(file, path, "Lossy compression filter", "None"));
    HG_TRY(hg_h5_put_string(file, path, "Description",
                            text[0] != '\0' || entry == NULL ? text : entry->description));
    HG_TRY(hg_h5_put_string(file, path, "Column", column->name));
    HG_TRY(hg_h5_put_string(file, path, "Unit", column->unit));
    HG_TRY(hg_h5_put_string(file, path, "Quantity kind", kind[0] != '\0' ? kind : "input"));
    return put_real(file, path, "Fill value", hg_layout_fill(column->type));
}
