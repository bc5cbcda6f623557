#!/usr/bin/python3
"""How much of what forms a proposed region its Lagrangian points hold, on a mock whose answer is known.

The id of a halo of the mock tells the Lagrangian cell it comes from. Per region of design_regions.csv: the share of
the haloes inside its sphere whose cell lies in the convex hull of its points, the volume of the hull over that of
the sphere grown by Design.grow, and the same share for that sphere, left where it is.

    bench/design_hulls.py FOLDER [--mesh 128] [--grow 1.2]      (the output folder of mock, train, apply and design)
"""

import argparse
import csv
from pathlib import Path

import h5py
import numpy as np
from scipy.spatial import ConvexHull, Delaunay

from common import table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mesh", type=int, default=128)
    parser.add_argument("--grow", type=float, default=1.2)
    options = parser.parse_args()
    with h5py.File(options.folder / "parent.hdf5") as file:
        box = float(np.ravel(file["Header"].attrs["BoxSize"])[0]) if "BoxSize" in file["Header"].attrs else None
        place, identity = file["InputHalos/HaloCentre"][()], file["InputHalos/HaloId"][()]
    box = box or float(np.ceil(place.max()))
    cell = identity // (4096 * 1024 * 32)
    origin = (np.stack([cell // options.mesh**2, cell // options.mesh % options.mesh, cell % options.mesh], axis=1) + 0.5) * box / options.mesh
    rows = []
    with open(options.folder / "design_regions.csv", encoding="utf-8") as file:
        regions = list(csv.DictReader(file))
    wrap = lambda d: d - box * np.rint(d / box)
    for region in regions:
        centre, radius = np.array([float(region[a]) for a in "xyz"]), float(region["radius"])
        points = np.loadtxt(options.folder / "design_hulls" / f"region_{int(region['region']):02d}.txt") * box
        points = wrap(points - centre)
        inside = (wrap(place - centre)**2).sum(axis=1) <= radius**2
        source = wrap(origin[inside] - centre)
        hull = ConvexHull(points)
        held = Delaunay(points[hull.vertices]).find_simplex(source) >= 0
        sphere = 4 / 3 * np.pi * (options.grow * radius)**3
        rows.append([int(region["region"]), float(region["delta"]), int(inside.sum()), float(held.mean()), hull.volume / sphere,
                     float(((source**2).sum(axis=1) <= (options.grow * radius)**2).mean())])
    table(["region", "delta", "haloes", "in the hull", "volume / sphere", "in the sphere"], rows)
    median = np.median(np.array(rows), axis=0)
    print(f"median: {100 * median[3]:.1f} % of the haloes come from the hull, {100 * median[5]:.1f} % from the sphere; "
          f"least {100 * min(r[3] for r in rows):.1f} %")


if __name__ == "__main__":
    main()
