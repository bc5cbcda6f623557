"""Histories written as three codes write them, and what halograft must make of them.

The universe has main branches that skip snapshots, begin late, or are made up in part (phantoms),
mergers, main progenitors that are not the most massive, ids of 64 bits, descendants that are not
in the files, and haloes without any history."""

import os
import sys

import h5py
import numpy as np

H, N, LOST = 0.7, 400, 20
SCALES = np.array([0.11, 0.16, 0.2, 0.25, 0.33, 0.4, 0.5, 0.55, 0.66, 0.75, 0.9, 1.0])
REDSHIFTS, EPOCHS = [0.25, 1, 3], [0.3, 0.5]
rng = np.random.default_rng(7)


class Thing:
    def __init__(self, snap, mass, vmax, descendant, root, phantom=False, mark=1):
        self.id = int(rng.integers(2**53, 2**63))
        self.snap, self.mass, self.vmax, self.phantom, self.mark = snap, mass, vmax, phantom, mark
        self.descendant, self.root = descendant, root


def universe():
    things = []
    for i in range(N - LOST):
        mass, vmax = 10 ** rng.uniform(11, 14), rng.uniform(80, 500)
        this = Thing(11, mass, vmax, -1, i)
        things.append(this)
        for snap in range(10, int(rng.integers(0, 9)) - 1, -1):
            mass *= 10 ** rng.normal(-0.15, 0.15)
            vmax *= 10 ** rng.normal(-0.02, 0.05)
            if rng.random() < 0.15:
                continue  # not found in this snapshot: the link skips it
            phantom = rng.random() < 0.1
            before = Thing(snap, mass * (100 if phantom else 1), vmax, this.id, i, phantom)
            things.append(before)
            if rng.random() < 0.4:  # a merger; sometimes of a halo more massive than the main one
                things.append(Thing(snap, mass * rng.choice([0.2, 3]), 60.0, this.id, i, mark=0))
            this = before
    for i in range(30):  # their descendants are not in the files
        things.append(Thing(5, 1e12, 99.0, int(rng.integers(2**53, 2**63)), 0))
    return things


def branches(things):
    """Walk back from each halo of the last snapshot: the plain way."""
    children = {}
    for t in things:
        children.setdefault(t.descendant, []).append(t)
    found = {}
    for t in things:
        if t.snap == 11:
            branch = found[t.id] = [t]
            while t.id in children:
                t = max(children[t.id], key=lambda c: (c.mark, c.mass, -c.id))
                branch.append(t)
    return found


def expected(branch):
    """The columns of a branch, newest object first."""
    known = [t for t in reversed(branch) if not t.phantom]
    a, row = SCALES[[t.snap for t in known]], []
    for name in ("mass", "vmax"):
        m = np.array([getattr(t, name) for t in known])
        for epoch in [1 / (1 + z) for z in REDSHIFTS] + EPOCHS:
            row.append(0 if epoch < a[0] * (1 - 1e-12) else
                       np.exp(np.interp(np.log(epoch), np.log(a), np.log(m))))
        row += [m.max(), a[m.argmax()]]
        half = np.nonzero(m >= m[-1] / 2)[0][0]
        row.append(a[0] if half == 0 else
                   np.exp(np.interp(np.log(m[-1] / 2), np.log(m[half - 1:half + 1]),
                                    np.log(a[half - 1:half + 1]))))
    return row


def write_trees(folder, things):
    """Two files of consistent-trees, rows of a tree in any order, with names that lose their number."""
    head = ("#scale(0) id(1) desc_scale(2) desc_id(3) num_prog(4) pid(5) upid(6) phantom(7) Mvir(8) Rvir(9) "
            "Vmax(10) vrms(11) mmp?(12) x(13) y(14) z T/|U|\n#Omega_M = 0.3; Omega_L = 0.7; h0 = 0.7\n"
            "#Full box size = 70.0 Mpc/h\n#Units: Masses in Msun / h\n")
    for part in range(2):
        mine = [t for t in things if t.root % 2 == part]
        roots = sorted({t.root for t in mine})
        with open(f"{folder}/tree_0_0_{part}.dat", "w") as f:
            f.write(head + f"{len(roots)}\n")
            for root in roots:
                f.write(f"#tree {root}\n")
                tree = [t for t in mine if t.root == root]
                for k in rng.permutation(len(tree)):
                    t = tree[k]
                    f.write(f"{SCALES[t.snap]:.5f} {t.id} 0.5 {t.descendant} 1 -1 -1 {int(t.phantom)} "
                            f"{t.mass * H!r} 100 {t.vmax!r} 50 {t.mark} 1 2 3 0.5\n")


def write_links(folder, found):
    """A table of links to progenitors, ids of its own, snapshots by number; unknown masses are empty."""
    lines = []
    for tree, branch in enumerate(found.values()):
        for k, t in enumerate(branch):
            own, next_own = (2**63 + tree * 100 + k for k in (k, k + 1))
            known = "," if t.phantom else f"{t.mass * H / 1e10!r},{t.vmax!r}"
            lines.append(f"{own},{next_own if k + 1 < len(branch) else -1},{t.id},{t.snap},{known}\n")
    with open(f"{folder}/links.csv", "w") as f:
        f.write("node,before,halo,snap,mass,vmax\n" + "".join(rng.permutation(lines)))
    with open(f"{folder}/links.yml", "w") as f:
        f.write('Header: {h: 0.7}\nColumns: {id: node, progenitor_id: before, halo_id: halo, snapshot: snap, '
                'm_bound: "mass, 1e10 Msun/h", vmax: "vmax, km/s"}\n')
    with open(f"{folder}/kept.csv", "w") as f:  # one id per branch, that of the halo
        f.write("id,a,mass,vmax\n" + "".join(
            f"{branch[0].id},{SCALES[t.snap]}," + ("," if t.phantom else f"{t.mass!r},{t.vmax!r}") + "\n"
            for branch in found.values() for t in branch))
    with open(f"{folder}/kept.yml", "w") as f:
        f.write('Header: {h: 0.7}\nColumns: {id: id, scale: a, m_bound: "mass, Msun", vmax: "vmax, km/s"}\n')
    with open(f"{folder}/scales.txt", "w") as f:
        f.write("# snapshot a\n" + "".join(f"{i} {a!r}\n" for i, a in enumerate(SCALES.tolist())))


def write_tracks(folder, found):
    """SubSnap files of HBT, two per snapshot; a track that is not resolved has no mass."""
    kind = np.dtype([("TrackId", "i8"), ("Nbound", "i8"), ("Mbound", "f4"), ("VmaxPhysical", "f4"),
                     ("HostHaloId", "i8"), ("Rank", "i8"), ("ComovingMostBoundPosition", "f8", (3,)),
                     ("PhysicalAverageVelocity", "f8", (3,))])
    for snap, a in enumerate(SCALES):
        rows = []
        for track, branch in found.items():
            for t in branch:
                if t.snap == snap:
                    row = np.zeros((), kind)
                    row["TrackId"], row["Nbound"] = track, 1 if t.phantom else 100
                    row["Mbound"] = 0 if t.phantom else t.mass * H / 1e10
                    row["VmaxPhysical"] = 0 if t.phantom else t.vmax
                    rows.append(row)
        rows = np.array(rows, kind)[rng.permutation(len(rows))]
        os.makedirs(f"{folder}/tracks/{snap:03d}")
        for part, some in enumerate((rows[:len(rows) // 3], rows[len(rows) // 3:])):
            with h5py.File(f"{folder}/tracks/{snap:03d}/SubSnap_{snap:03d}.{part}.hdf5", "w") as f:
                for name, value in (("NumberOfFiles", 2), ("NumberOfSubhalosInAllFiles", len(rows)),
                                    ("SnapshotId", snap), ("Cosmology/ScaleFactor", a),
                                    ("Cosmology/OmegaM0", 0.3), ("Cosmology/OmegaLambda0", 0.7),
                                    ("Units/LengthInMpch", 1.0), ("Units/MassInMsunh", 1e10),
                                    ("Units/VelInKmS", 1.0)):
                    f[name] = [value]
                f["Subhalos"] = some


def write_haloes(folder, found):
    """The catalogue, with haloes that have no history at its end."""
    heads = [b[0] for b in found.values()]
    with open(f"{folder}/haloes.csv", "w") as f:
        f.write("id,x,y,z,m,mstar\n")
        for i, t in enumerate(heads):
            past = expected(found[t.id])[1]  # mass at z = 1 decides the galaxy
            x, y, z = rng.uniform(0, 100, 3)
            f.write(f"{t.id},{x},{y},{z},{t.mass!r},{1e9 * (1 + past / t.mass)!r}\n")
        for i in range(LOST):
            f.write(f"{i + 1},1,2,{i},1e12,1e9\n")
    with open(f"{folder}/haloes.yml", "w") as f:
        f.write('Header: {box: 100 Mpc, a: 1, h: 0.7, omega_m: 0.3}\nColumns: {id: id, position: "x; y; z, Mpc", '
                'm_bound: "m, Msun", stellar_mass: "mstar, Msun"}\n')
    table = np.array([expected(b) for b in found.values()] + [[np.nan] * 16] * LOST)
    np.save(f"{folder}/expected.npy", table)


def names():
    epochs = [f"z{z:g}" for z in REDSHIFTS] + [f"a{a:g}" for a in EPOCHS] + ["peak", "peak_scale", "half_scale"]
    return [f"{q}_{e}".replace(".", "p") for q in ("m_bound", "vmax") for e in epochs]


def check(folder, side):
    table, bad = np.load(f"{folder}/expected.npy"), []
    with h5py.File(f"{side}.0.hdf5") as f:
        for i, name in enumerate(names()):
            have = f["SOAP/History/" + name][()]
            ok = np.isclose(have, table[:, i], rtol=3e-6, atol=0, equal_nan=True)
            if not ok.all():
                bad.append(f"{name}: {(~ok).sum()} of {ok.size} rows, {have[~ok][:3]} for {table[~ok, i][:3]}")
    assert np.isfinite(table).sum() > 5000 and (table == 0).sum() > 50, "the universe is too simple"
    if bad:
        sys.exit(f"{side}: " + "; ".join(bad))


if sys.argv[1] == "write":
    things = universe()
    found = branches(things)
    assert sum(len(b) for b in found.values()) > 2000
    write_trees(sys.argv[2], things)
    write_links(sys.argv[2], found)
    write_tracks(sys.argv[2], found)
    write_haloes(sys.argv[2], found)
else:
    for side in sys.argv[3:]:
        check(sys.argv[2], side)
