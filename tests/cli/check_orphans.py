"""Merger trees with subhaloes that were lost, and which rows halograft must make of them.

Written as a set of hlist_*.list files of consistent-trees. There are subhaloes that would live on,
that merged by friction, that were lost in one that was lost itself, hosts across the edge of the
box, links that skip snapshots, phantoms, subhaloes without a mass, and objects later than the catalogue. What is
expected comes from a plain walk and from integrating the orbit in small steps."""

import pickle
import sys

import h5py
import numpy as np

H, OM, BOX, FRICTION, N_HOST = 0.7, 0.3, 100.0, 2.0, 60
SCALES = np.array([0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1])
NOW = 6
G = 4.30091727e-9
rng = np.random.default_rng(11)


def hubble(a):
    return 100 * H * np.sqrt(OM / a**3 + 1 - OM)


class Thing:
    count = 0

    def __init__(self, snap, mass, x, v, host=None, phantom=False):
        Thing.count += 1
        self.id = int(rng.integers(2**40, 2**50)) * 1000 + Thing.count
        self.snap, self.mass, self.x, self.v = snap, mass, np.asarray(x) % BOX, np.asarray(v)
        self.host, self.phantom, self.descendant, self.mark, self.vmax = host, phantom, None, 1, 50 * (mass / 1e10) ** 0.3


def branch(host, first, last, mass, skip=False):
    """A subhalo of a branch of things, from one snapshot to another; it is lost afterwards."""
    before, line = None, []
    for snap in range(first, last + 1):
        if skip and snap == last - 1:
            continue
        top = host[snap]
        offset = rng.normal(size=3)
        offset *= 0.5 * (mass / 1e12) ** 0.2 * rng.uniform(0.2, 1) / np.linalg.norm(offset)
        this = Thing(snap, mass * rng.uniform(0.6, 1), top.x + offset, top.v + rng.normal(0, 200, 3), top)
        if before is not None:
            before.descendant = this
        before = this
        line.append(this)
    return line


def universe():
    things, ends = [], []
    for i in range(N_HOST):
        x, v, host = rng.uniform(0, BOX, 3), rng.normal(0, 300, 3), {}
        x[0] = 0.01 if i % 7 == 0 else x[0]  # some at the edge of the box
        mass = 10 ** rng.uniform(12, 14)
        for snap in range(len(SCALES)):
            host[snap] = Thing(snap, mass * SCALES[snap], x + 0.4 * v / 300 * snap, v)
            if snap > 0:
                host[snap - 1].descendant = host[snap]
        things += host.values()
        for k in range(8):
            last = int(rng.integers(1, 6))
            mass_sub = mass * 10 ** rng.uniform(-3, -0.5)
            line = branch(host, int(rng.integers(0, last + 1)), last, mass_sub, skip=k == 1)
            line[-1].descendant, line[-1].mark = host[last + 1], 0
            things += line
            ends.append(line[-1])
            if k == 2:  # its mass is not known
                line[-1].mass = 0
            if k == 3:  # what consistent-trees made up at the end has a place and a mass
                line[-1].phantom = True
            if k == 4 and len(line) > 1:  # lost in one that was lost itself
                carrier = {t.snap: t for t in line}
                inner = branch(carrier, line[-2].snap, line[-2].snap, mass_sub / 30)
                inner[-1].descendant, inner[-1].mark = line[-1], 0
                things += inner
                ends.append(inner[-1])
            if k == 5:  # its link leads nowhere
                line[-1].descendant = Thing(last + 1, 1, x, v)
        line = branch(host, 2, 7, mass / 50)  # survives
        things += line
    return things, ends


def orbit(a0, m, big_m, r_vec, v_rel):
    """Separation and velocity today (proper), or None once merged: integrated in small steps."""
    h0, a1 = hubble(a0), SCALES[NOW]
    speed = (10 * G * h0 * big_m) ** (1 / 3)
    r0 = np.linalg.norm(r_vec)
    t_end = FRICTION * 1.17 * r0**2 * speed / (G * m * np.log(1 + big_m / m))
    a = np.linspace(a0, a1, 4001)
    f = 1 / (a * hubble(a))
    time = np.concatenate([[0], np.cumsum((f[1:] + f[:-1]) / 2 * np.diff(a))])
    if time[-1] >= t_end:
        return None
    # r dr/dt = - r0^2 / (2 t_end), d(angle)/dt = speed / r
    s = np.linspace(0, time[-1], 40001)
    r = r0 * np.sqrt(1 - s / t_end)
    w = speed / r
    angle = np.sum((w[1:] + w[:-1]) / 2) * (s[1] - s[0])
    e1 = r_vec / r0
    e2 = v_rel - v_rel @ e1 * e1
    e2 /= np.linalg.norm(e2)
    return (r[-1] * (np.cos(angle) * e1 + np.sin(angle) * e2), speed * (np.cos(angle) * e2 - np.sin(angle) * e1),
            1 - time[-1] / t_end)


def expected(things, ends):
    mains = {t.descendant.id: t for t in things if t.descendant is not None and t.mark}
    known = {t.id for t in things}
    rows, n_merged, n_lost = {}, 0, 0
    for end in ends:
        offset, speed, s = np.zeros(3), np.zeros(3), end
        while True:
            d = s.descendant
            if d is None or d.id not in known:
                n_lost += 1
                break
            p = mains.get(d.id)
            place = p if p is not None else d
            x, v = place.x.copy(), place.v.copy()
            if place.snap < s.snap:
                t = (SCALES[s.snap] - SCALES[p.snap]) / (SCALES[d.snap] - SCALES[p.snap])
                step = d.x - p.x
                x, v = x + t * (step - BOX * np.round(step / BOX)), v + t * (d.v - p.v)
            big_m = place.mass if place.mass > 0 else d.mass
            gap = s.x - x
            gap -= BOX * np.round(gap / BOX)
            if not s.mass > 0:
                n_lost += 1
                break
            found = orbit(SCALES[s.snap], s.mass, big_m, SCALES[s.snap] * gap, s.v - v)
            if found is None:
                n_merged += 1
                break
            offset, speed = offset + found[0] / SCALES[NOW], speed + found[1]
            while d.snap < NOW and d.descendant is not None and d.mark:
                d = d.descendant
            if d.snap == NOW:
                rows[end.id] = (d, (d.x + offset) % BOX, d.v + speed)
                break
            s = d
    return rows, n_merged, n_lost


def write(folder, things):
    head = ("#scale(0) id(1) desc_scale(2) desc_id(3) num_prog(4) pid(5) upid(6) phantom(7) Mvir(8) Rvir(9) Rs(10) "
            "Vmax(11) vrms(12) mmp?(13) x(14) y(15) z(16) vx(17) vy(18) vz(19)\n#Omega_M = 0.3; Omega_L = 0.7; h0 = 0.7\n"
            "#Full box size = 70.0 Mpc/h\n")
    for snap, a in enumerate(SCALES):
        with open(f"{folder}/hlist_{a:.5f}.list", "w") as f:
            f.write(head)
            mine = [t for t in things if t.snap == snap]
            for k in rng.permutation(len(mine)):
                t = mine[k]
                up = t.host.id if t.host is not None else -1
                x, v = " ".join(f"{c * H:.10f}" for c in t.x), " ".join(f"{c:.8f}" for c in t.v)
                d = t.descendant.id if t.descendant is not None else -1
                f.write(f"{a:.5f} {t.id} {a:.5f} {d} 1 {up} {up} {int(t.phantom)} {t.mass * H:.10g} 100 10 {t.vmax:.6f} 50 "
                        f"{t.mark} {x} {v}\n")
    with open(f"{folder}/zoom.csv", "w") as f:
        f.write("id,parent,x,y,z,m\n")
        for i, t in enumerate(t for t in things if t.snap == NOW):
            f.write(f"{i},{t.id},{t.x[0]},{t.x[1]},{t.x[2]},{t.mass}\n")


def peaks(things):
    """Largest values along main branches; phantoms are left out."""
    before = {t.descendant.id: t for t in things if t.descendant is not None and t.mark}
    past = {}
    for t in sorted(things, key=lambda t: t.snap):
        m, v = past[before[t.id].id] if t.id in before else (0, 0)
        past[t.id] = (m, v) if t.phantom else (max(m, t.mass), max(v, t.vmax))
    return past


def check_zooms(side, things):
    """Haloes of a zoom have other ids, and the parent's in a column."""
    past = peaks(things)
    with h5py.File(side) as f:
        found = f["SOAP/History/m_bound_peak"][()]
    wanted = [past[t.id][0] for t in things if t.snap == NOW]
    assert np.allclose(found, wanted, rtol=1e-5, atol=0), (found, wanted)


def check(folder, things, rows, n_part):
    data = {}
    for part in range(n_part):
        with h5py.File(f"{folder}.{part}.hdf5") as f:
            for name in ("InputHalos/HaloId", "InputHalos/HostHaloId", "InputHalos/IsCentral", "InputHalos/HaloCentre",
                         "BoundSubhalo/CentreOfMassVelocity", "BoundSubhalo/TotalMass", "SOAP/History/IsOrphan",
                         "SOAP/History/m_bound_peak", "SOAP/History/vmax_peak", "SOAP/Catalogue/host_m_bound"):
                data.setdefault(name.rsplit("/")[-1], []).append(f[name][()])
    data = {k: np.concatenate(v) for k, v in data.items()}
    orphan = data["IsOrphan"] == 1
    n = orphan.sum()
    assert n == len(rows), (n, len(rows))
    assert not orphan[:-n].any() and orphan[-n:].all(), "orphans stand behind the others"
    assert set(data["HaloId"][orphan].tolist()) == set(rows)
    assert (data["IsCentral"][orphan] == 0).all() and np.isnan(data["TotalMass"][orphan]).all()
    past = peaks(things)
    for i in np.nonzero(orphan)[0]:
        host, x, v = rows[int(data["HaloId"][i])]
        top = host.host if host.host is not None else host
        assert data["HostHaloId"][i] == top.id
        gap = data["HaloCentre"][i] - x
        gap -= BOX * np.round(gap / BOX)
        assert np.abs(gap).max() < 1e-5 and (data["HaloCentre"][i] >= 0).all() and (data["HaloCentre"][i] < BOX).all(), gap
        assert np.abs(data["CentreOfMassVelocity"][i] - v).max() < 0.05
        assert abs(data["host_m_bound"][i] / top.mass - 1) < 1e-5
    for i in np.nonzero(np.isfinite(data["m_bound_peak"]))[0]:
        m, v = past[int(data["HaloId"][i])]
        assert abs(data["m_bound_peak"][i] / m - 1) < 1e-5 and abs(data["vmax_peak"][i] / v - 1) < 1e-5
    assert np.isfinite(data["m_bound_peak"]).sum() > len(data["m_bound_peak"]) - 40


def check_pairs(statistics):
    """wp(rp) with and without orphans by counting all pairs."""
    data = [], [], []
    for part in range(4):
        with h5py.File(f"made1/h.{part}.hdf5") as f:
            for to, name in zip(data, ("InputHalos/HaloCentre", "SOAP/History/IsOrphan", "SOAP/History/m_bound_peak")):
                to.append(f[name][()])
    x, orphan, peak = (np.concatenate(d) for d in data)
    with h5py.File(statistics) as f:
        curve = f["curves/made/wp_all"]
        low, high = curve["x_low"][()], curve["x_high"][()]
        score = dict(f["metrics/one_halo_all_made"].attrs)
    near, area, area_sum = high <= 0.6 / H, np.pi * (high**2 - low**2), []
    assert 3 < near.sum() < len(near)
    for rows in (peak > 0, (peak > 0) & (orphan == 0)):
        n = rows.sum()
        gap = np.abs(x[rows][:, None] - x[rows][None])
        gap = np.minimum(gap, BOX - gap)
        rp = np.hypot(gap[..., 0], gap[..., 1])[gap[..., 2] < 20]
        pairs = np.array([((rp >= a) & (rp < b)).sum() for a, b in zip(low, high)])
        wp = 40 * (pairs / (n * (n - 1.0) * area * 40 / BOX**3) - 1)
        area_sum.append((wp * area)[near].sum())
    ratio = area_sum[1] / area_sum[0]
    assert ratio < 0.9 and abs(score["without_orphans"] / ratio - 1) < 1e-6, (score, ratio)
    assert abs(score["rp_max"] / high[near].max() - 1) < 1e-9


if sys.argv[1] == "write":
    things, ends = universe()
    rows, n_merged, n_lost = expected(things, ends)
    assert len(rows) > 100 and n_merged > 30 and n_lost > 60, (len(rows), n_merged, n_lost)
    write(sys.argv[2], things)
    print(sum(t.snap == NOW for t in things), len(rows), n_merged, n_lost)
    with open(sys.argv[2] + "/expected.pickle", "wb") as f:
        pickle.dump((things, rows), f)
elif sys.argv[1] == "pairs":
    check_pairs(sys.argv[2])
else:
    with open(sys.argv[2] + "/expected.pickle", "rb") as f:
        things, rows = pickle.load(f)
    if sys.argv[1] == "zooms":
        check_zooms(sys.argv[3], things)
    else:
        check(sys.argv[3], things, rows, int(sys.argv[4]))
