"""Write small catalogues in the formats of the science cases, each with the traps of its format.

    write_cases.py FOLDER

One universe of centrals and satellites in 60 Mpc, whose stellar mass follows the bound mass; two spheres of it
serve as zooms. Folders: eagle (two redshifts), lgadget3, soap, rockstar; truth.npz holds what the parent is.
"""
import os
import struct
import sys

import h5py
import numpy as np

H, OMEGA_M, OMEGA_L, OMEGA_B, BOX = 0.6777, 0.307, 0.693, 0.04825, 60.0
CENTRES, RADIUS = ((15.0, 15.0, 15.0), (45.0, 40.0, 30.0)), 14.0
MPC, MSUN, YEAR = 3.0856775814913673e24, 1.988409870698051e33, 3.15576e7


def r200c(mass, z):
    rho = 2.77536627e11 * H**2 * (OMEGA_M * (1 + z) ** 3 + OMEGA_L)
    return np.cbrt(mass / (200 * rho * 4 * np.pi / 3)) * (1 + z)


def make_universe(z, lowest, n_group=1200, seed=1):
    """Rows of subhaloes, those of a group together and its central first; comoving Mpc, Msun, km/s."""
    rng = np.random.default_rng(seed)
    n_sub = 1 + (rng.random(n_group) < 0.3)
    group = np.repeat(np.arange(n_group), n_sub)
    rank = np.arange(len(group)) - np.repeat(np.cumsum(n_sub) - n_sub, n_sub)
    m200 = lowest * 10 ** rng.exponential(0.4, n_group)
    place = rng.random((n_group, 3)) * BOX
    u = {"group": group, "rank": rank, "m200": m200, "z": z}
    n = len(group)
    u["m"] = np.where(rank == 0, 0.9, 0.2) * m200[group]
    u["x"] = np.mod(place[group] + rank[:, None] * 0.3, BOX)
    u["v"] = rng.normal(0, 200, (n, 3))
    u["vmax"] = 150 * (u["m"] / 1e12) ** 0.33 * 10 ** rng.normal(0, 0.03, n)
    u["r_vmax"] = 0.05 * (u["m"] / 1e12) ** 0.4
    u["r_half"] = 0.04 * (u["m"] / 1e12) ** 0.35 * 10 ** rng.normal(0, 0.03, n)
    u["n_part"] = (u["m"] / (lowest / 1000)).astype(int)
    u["star"] = 1e-2 * u["m"] * (u["vmax"] / 150) * 10 ** rng.normal(0, 0.1, n)
    u["sfr"] = np.where(rng.random(n) < 0.2, 0, 1e-10 * u["star"])
    return u


def cut_sphere(u, centre):
    """The groups whose central lies inside, renumbered."""
    d = u["x"][u["rank"] == 0] - np.array(centre)
    d -= BOX * np.round(d / BOX)
    inside = np.sqrt((d**2).sum(1)) < RADIUS + 1
    keep = inside[u["group"]]
    zoom = {k: v[keep] if isinstance(v, np.ndarray) and len(v) == len(keep) else v for k, v in u.items()}
    zoom["group"] = (np.cumsum(inside) - 1)[zoom["group"]]
    zoom["m200"] = u["m200"][inside]
    return zoom


def write_regions(folder, columns, lines):
    with open(f"{folder}/regions.csv", "w") as file:
        file.write(",".join(("region", "x", "y", "z", "radius", "weight", "delta", *columns)) + "\n")
        for k, (centre, line) in enumerate(zip(CENTRES, lines)):
            file.write(",".join(map(str, (k, *centre, RADIUS, (0.9, 0.1)[k], (-0.2, 0.4)[k], *line))) + "\n")


def eagle(stem, u, dark, n_file=3):
    """Groups count from 1, the first file is empty and lacks the tables, a group may leave its subhaloes behind."""
    a, n_group, n = 1 / (1 + u["z"]), len(u["m200"]), len(u["group"])
    mass, length, speed = 1.989e43, 3.085678e24, 1e5
    m_unit, l_unit = mass / MSUN / H, length / MPC / H
    baryons = 0 if dark else OMEGA_B / OMEGA_M
    first = np.searchsorted(u["group"], np.arange(n_group))
    kinds = np.zeros((n, 6))
    kinds[:, 1] = u["m"] * (1 - baryons)
    if not dark:
        kinds[:, 4], kinds[:, 0], kinds[:, 5] = u["star"], 5 * u["star"], 1e-3 * u["star"]
    groups, rows = np.linspace(0, n_group, n_file).astype(int), np.linspace(0, n, n_file).astype(int)
    for k in range(n_file):
        g = slice(groups[k - 1], groups[k]) if k > 0 else slice(0, 0)
        s = slice(rows[k - 1], rows[k]) if k > 0 else slice(0, 0)
        with h5py.File(f"{stem}.{k}.hdf5", "w") as file:
            header = {"ExpansionFactor": a, "Redshift": u["z"], "HubbleParam": H, "BoxSize": BOX / l_unit,
                      "Omega0": OMEGA_M, "OmegaLambda": OMEGA_L, "OmegaBaryon": OMEGA_B,
                      "Ngroups": g.stop - g.start, "Nsubgroups": s.stop - s.start, "TotNgroups": n_group,
                      "TotNsubgroups": n, "NumFilesPerSnapshot": n_file}
            for name, value in header.items():
                file.require_group("Header").attrs[name] = np.int32(value) if isinstance(value, int) else value
            for name, value in (("Length_in_cm", length), ("Mass_in_g", mass), ("Velocity_in_cm_per_s", speed)):
                file.require_group("Units").attrs["Unit" + name] = value
            if k == 0:
                continue

            def put(path, values, cgs=1.0, aexp=0.0, hexp=0.0):
                data = file.create_dataset(path, data=values)
                data.attrs["CGSConversionFactor"] = cgs
                data.attrs["aexp-scale-exponent"], data.attrs["h-scale-exponent"] = aexp, hexp

            put("FOF/Group_M_Crit200", u["m200"][g] / m_unit, mass, 0, -1)
            put("FOF/Group_R_Crit200", r200c(u["m200"][g], u["z"]) / l_unit, length, 1, -1)
            put("FOF/GroupMass", 1.2 * u["m200"][g] / m_unit, mass, 0, -1)
            put("FOF/ContaminationMass", np.where(np.arange(n_group)[g] % 50 == 7, 0.3, 0.0) * u["m200"][g] / m_unit,
                mass, 0, -1)
            put("FOF/FirstSubhaloID", first[g].astype("i4"))
            put("FOF/NumOfSubhalos", np.bincount(u["group"], minlength=n_group)[g].astype("i4"))
            put("Subhalo/CentreOfPotential", u["x"][s] / l_unit, length, 1, -1)
            put("Subhalo/Velocity", u["v"][s], speed)
            put("Subhalo/Mass", u["m"][s] / m_unit, mass, 0, -1)
            put("Subhalo/MassType", kinds[s] / m_unit, mass, 0, -1)
            put("Subhalo/Vmax", u["vmax"][s], speed)
            put("Subhalo/VmaxRadius", u["r_vmax"][s] / l_unit, length, 1, -1)
            put("Subhalo/HalfMassRad", np.repeat(u["r_half"][s, None], 6, 1) / l_unit, length, 1, -1)
            put("Subhalo/KineticEnergy", 1e4 * u["m"][s] / m_unit, mass * 1e10, 0, -1)
            put("Subhalo/TotalEnergy", -3e4 * u["m"][s] / m_unit, mass * 1e10, 0, -1)
            put("Subhalo/SubLength", u["n_part"][s].astype("i4"))
            put("Subhalo/GroupNumber", u["group"][s].astype("i4") + 1)
            put("Subhalo/SubGroupNumber", u["rank"][s].astype("i4"))
            if not dark:
                put("Subhalo/StarFormationRate", u["sfr"][s], MSUN / YEAR)
                put("Subhalo/BlackHoleMass", 1e-3 * u["star"][s] / m_unit, mass, 0, -1)
                put("Subhalo/Stars/Metallicity", 0.01 + 0 * u["star"][s])
                put("Subhalo/StellarVelDisp", 0.6 * u["vmax"][s], speed)


def write_eagle(folder, z, lowest):
    """Parent and twins of zooms in one format, pairs by a table: the twin lists the same haloes."""
    os.makedirs(folder)
    u = make_universe(z, lowest)
    eagle(f"{folder}/parent", u, True)
    lines = []
    for k, centre in enumerate(CENTRES):
        zoom = cut_sphere(u, centre)
        eagle(f"{folder}/hydro_{k}", zoom, False)
        eagle(f"{folder}/dmo_{k}", zoom, True)
        n = len(zoom["m"])
        with open(f"{folder}/match_{k}.csv", "w") as file:
            file.write("id,partner_id\n" + "".join(f"{i},{i if i % 40 else -1}\n" for i in reversed(range(n))))
        lines.append((f"hydro_{k}.{{file}}.hdf5", f"dmo_{k}.{{file}}.hdf5", f"match_{k}.csv"))
    write_regions(folder, ("hydro", "dmo", "match"), lines)
    return u


def write_lgadget3(folder, u):
    """subhalo_tab_SSS.K: raw arrays behind a header; a group's subhaloes may stand in the next file."""
    os.makedirs(folder)
    n_group, n = len(u["m200"]), len(u["m"])
    for k, (g, s) in enumerate(((slice(0, 700), slice(0, 800)), (slice(700, n_group), slice(800, n)))):
        ng, ns = g.stop - g.start, s.stop - s.start
        real = lambda x: np.ascontiguousarray(x, "<f4").tobytes()
        m = u["m200"][g] * H / 1e10
        with open(f"{folder}/subhalo_tab_270.{k}", "wb") as file:
            file.write(struct.pack("<iqiqiiq", ng, n_group, 0, 0, 2, ns, n))
            file.write(np.zeros((2, ng), "<i4").tobytes() + np.arange(g.start, g.stop, dtype="<i8").tobytes())
            file.write(real(np.zeros((ng, 9))) + real(1.2 * m) + real(m) + real(np.zeros((ng, 2))))
            file.write(np.zeros((2, ng), "<i4").tobytes())
            file.write(u["n_part"][s].astype("<i4").tobytes() + np.zeros(ns, "<i4").tobytes())
            file.write(u["group"][s].astype("<i8").tobytes() + np.zeros(ns, "<i8").tobytes())
            file.write(real(u["x"][s] * H) + real(u["v"][s]) + real(np.zeros((ns, 6))) + real(0.6 * u["vmax"][s]))
            file.write(real(u["vmax"][s]) + real(np.column_stack([u["r_vmax"][s], u["r_half"][s]]) * H))


def soap(path, u, dark):
    """Attributes are arrays of length one, spherical overdensities are 0 for satellites, lengths may be proper."""
    a, central = 1 / (1 + u["z"]), u["rank"] == 0
    lord = np.searchsorted(u["group"], u["group"])
    with h5py.File(path, "w") as file:
        for group, values in {
                "Header": {"BoxSize": [BOX] * 3, "Redshift": [u["z"]], "Scale-factor": [a],
                           "NumSubhalos_ThisFile": np.array([len(lord)], "i4"),
                           "NumSubhalos_Total": np.array([len(lord)], "i4"),
                           "NumFilesPerSnapshot": np.array([1], "i4"), "OutputType": np.bytes_("SOAP"),
                           "Code": np.bytes_("SOAP")},
                "Units": {"Unit mass in cgs (U_M)": [1e10 * MSUN], "Unit length in cgs (U_L)": [MPC],
                          "Unit time in cgs (U_t)": [MPC / 1e5]},
                "Cosmology": {"h": [H], "Omega_m": [OMEGA_M], "Omega_lambda": [OMEGA_L], "Omega_b": [OMEGA_B]}}.items():
            for name, value in values.items():
                file.require_group(group).attrs[name] = value

        def put(name, values, exponents=(0, 0, 0), aexp=0, physical=True):
            data = file.create_dataset(name, data=values)
            for unit, exponent in zip("MLtIT", (*exponents, 0, 0)):
                data.attrs[f"U_{unit} exponent"] = [float(exponent)]
            data.attrs["h-scale exponent"], data.attrs["a-scale exponent"] = [0.0], [float(aexp)]
            data.attrs["Value stored as physical"] = np.array([physical], "u1")
            data.attrs["Masked"] = np.array([False], "u1")

        put("InputHalos/HaloCentre", u["x"], (0, 1, 0), 1, False)
        put("InputHalos/HaloCatalogueIndex", np.arange(len(lord))[::-1])
        put("InputHalos/HBTplus/TrackId", 7000 - np.arange(len(lord)))
        put("InputHalos/HBTplus/HostFOFId", u["group"])
        put("InputHalos/HBTplus/LastMaxMass", 1.3 * u["m"] / 1e10, (1, 0, 0))
        put("InputHalos/HBTplus/LastMaxVmaxPhysical", 1.1 * u["vmax"], (0, 1, -1))
        put("InputHalos/IsCentral", central.astype("i8"))
        put("InputHalos/NumberOfBoundParticles", u["n_part"])
        put("SOAP/HostHaloIndex", np.where(central, -1, lord))
        put("BoundSubhalo/CentreOfMassVelocity", u["v"], (0, 1, -1))
        put("BoundSubhalo/TotalMass", u["m"] / 1e10, (1, 0, 0))
        put("BoundSubhalo/MaximumCircularVelocity", u["vmax"], (0, 1, -1))
        put("BoundSubhalo/HalfMassRadiusTotal", a * u["r_half"], (0, 1, 0), 1, True)
        put("SO/200_crit/TotalMass", np.where(central, u["m200"][u["group"]], 0) / 1e10, (1, 0, 0))
        put("SO/200_crit/SORadius", np.where(central, r200c(u["m200"], u["z"])[u["group"]], 0), (0, 1, 0), 1, False)
        if not dark:
            put("BoundSubhalo/StellarMass", u["star"] / 1e10, (1, 0, 0))
            put("BoundSubhalo/GasMass", 5 * u["star"] / 1e10, (1, 0, 0))
            put("BoundSubhalo/MostMassiveBlackHoleMass", 1e-3 * u["star"] / 1e10, (1, 0, 0))
            put("BoundSubhalo/StarFormationRate", u["sfr"] * (MSUN / YEAR) / (1e10 * MSUN / (MPC / 1e5)), (1, 0, -1))


def write_soap(folder):
    os.makedirs(folder)
    u = make_universe(0.5, 1e11)
    soap(f"{folder}/halo_properties_0077.hdf5", u, True)
    for k, centre in enumerate(CENTRES):
        soap(f"{folder}/zoom_{k}.hdf5", cut_sphere(u, centre), False)
    write_regions(folder, ("hydro",), [(f"zoom_{k}.hdf5",) for k in range(2)])
    return u


NAMES = ("scale id desc_scale desc_id num_prog pid upid desc_pid phantom sam_Mvir Mvir Rvir rs vrms mmp scale_of_last_MM "
         "vmax x y z vx vy vz Jx Jy Jz Spin").split()
LAST = "M200b M200c M500c M2500c Macc Mpeak Vacc Vpeak Halfmass_Scale".split() # numbers end after the 36th


def rockstar(path, u, galaxies):
    """An hlist of consistent-trees: masses in Msun/h, radii in kpc/h, three-dimensional vrms, pid and upid."""
    n, lord = len(u["m"]), np.searchsorted(u["group"], u["group"])
    ids, host = 9000 + 3 * np.arange(n), np.where(u["rank"] == 0, -1, 9000 + 3 * lord)
    m = u["m"] * H
    value = dict.fromkeys(NAMES + LAST, np.zeros(n))
    value.update(scale=np.ones(n), id=ids, desc_id=-1 + 0 * ids, pid=host, upid=host, phantom=(np.arange(n) % 97 == 5) * 1,
                 sam_Mvir=m, Mvir=m, Rvir=300 + 0 * m, rs=1e3 * H * u["r_half"] / 2, vrms=np.sqrt(3) * 0.6 * u["vmax"],
                 vmax=u["vmax"], Spin=0.03 + 0 * m, M200c=m, Mpeak=1.3 * m, Vpeak=1.1 * u["vmax"],
                 Halfmass_Scale=0.5 + 1e-3 * (np.arange(n) % 100))
    for k, axis in enumerate("xyz"):
        value[axis], value["v" + axis] = u["x"][:, k] * H, u["v"][:, k]
    names, last = NAMES, LAST
    if galaxies:
        last = LAST + ["Central", "Mstar", "SFR"]
        value.update(Central=(u["rank"] == 0) * 1, Mstar=u["star"] * H, SFR=u["sfr"])
    with open(path, "w") as file:
        if galaxies:
            file.write(" ".join(names + last) + "\n")
        else:
            file.write("#" + " ".join([f"{name}({k})" for k, name in enumerate(names)] + last) + "\n")
            file.write(f"#Omega_M = {OMEGA_M}; Omega_L = {OMEGA_L}; h0 = {H}\n#Full box size = {BOX * H} Mpc/h\n")
        columns = [value[name] for name in names + last]
        for row in zip(*columns):
            file.write(" ".join(f"{x:d}" if isinstance(x, (int, np.integer)) else f"{x:.9g}" for x in row) + "\n")


def write_rockstar(folder):
    """The zooms' lists carry the galaxies of their haloes in two more columns, which a mapping names."""
    os.makedirs(folder)
    u = make_universe(0.0, 1e11)
    rockstar(f"{folder}/hlist_1.00000.list", u, False)
    for k, centre in enumerate(CENTRES):
        rockstar(f"{folder}/zoom_{k}.list", cut_sphere(u, centre), True)
    write_regions(folder, ("hydro",), [(f"zoom_{k}.list",) for k in range(2)])
    with open(f"{folder}/zooms.yml", "w") as file:
        file.write(f"Header: {{box: {BOX} Mpc, redshift: 0, h: {H}, omega_m: {OMEGA_M}, omega_l: {OMEGA_L}, "
                   "dark_matter_only: 1}\n"
                   "Columns: {id: id, host_id: upid, phantom: phantom, central: Central, m_bound: 'Mvir, Msun/h',\n"
                   "  position: 'x; y; z, cMpc/h', velocity: 'vx; vy; vz, km/s', vmax: 'vmax, km/s',\n"
                   "  r_s: 'rs, ckpc/h', spin_peebles: Spin, m_peak: 'Mpeak, Msun/h', v_peak: 'Vpeak, km/s',\n"
                   "  a_half: Halfmass_Scale, stellar_mass: 'Mstar, Msun/h', sfr: 'SFR, Msun/yr'}\n")
    return u


def main(folder):
    truth = {}
    truth["lovell2022"] = write_eagle(f"{folder}/lovell2022", 0.101, 1e11)
    truth["flares"] = write_eagle(f"{folder}/flares", 7.0, 1e10)
    write_lgadget3(f"{folder}/lgadget3", truth["lovell2022"])
    truth["swift_soap"] = write_soap(f"{folder}/soap")
    truth["uchuu_rockstar"] = write_rockstar(f"{folder}/rockstar")
    np.savez(f"{folder}/truth.npz", **{case: u["m"] for case, u in truth.items()})


main(sys.argv[1])
