#!/usr/bin/python3
"""Cold-cache bandwidth of reading a catalogue of many files against reading the same bytes in order.

    read_bandwidth.py BUILD_FOLDER [GB] [FILES] [FOLDER]

Writes a group catalogue of Arepo (random values, every dataset is read), then alternates: all bytes of all
files in pieces of 8 MiB, and all rows by bench_read. The page cache is emptied of the files before each.
Prints medians of three and the ratio.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np

ROW = 52  # bytes
COLUMNS = ["position", "velocity", "m_bound", "vmax", "n_part", "group"]


def write(path, number, n_file, n):
    random = np.random.default_rng(number)
    with h5py.File(path, "w") as f:
        head = f.create_group("Header").attrs
        for name, here, total in (("Ngroups", 0, 0), ("Nsubgroups", n, n * n_file)):
            head[name + "_ThisFile"] = np.int64(here)
            head[name + "_Total"] = np.int64(total)
        head["NumFiles"] = np.int32(n_file)
        for name, value in (("Time", 1), ("Redshift", 0), ("BoxSize", 1000), ("HubbleParam", 0.7),
                            ("Omega0", 0.3), ("OmegaLambda", 0.7)):
            head[name] = float(value)
        f.create_group("Parameters").attrs["UnitLength_in_cm"] = 3.085678e24
        f.create_group("Group")
        f["Subhalo/SubhaloPos"] = 1000 * random.random((n, 3))
        f["Subhalo/SubhaloVel"] = random.random((n, 3), "f4")
        f["Subhalo/SubhaloMass"] = 1 + random.random(n, "f4")
        f["Subhalo/SubhaloVmax"] = random.random(n, "f4")
        f["Subhalo/SubhaloLen"] = random.integers(20, 1000, n, "i4")
        f["Subhalo/SubhaloGrNr"] = np.arange(n, dtype="i4")


def forget(paths):
    for path in paths:
        with open(path, "rb") as f:
            os.fsync(f.fileno())
            os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read_bytes(paths):
    buffer = bytearray(8 << 20)
    start = time.perf_counter()
    for path in paths:
        with open(path, "rb", buffering=0) as f:
            while f.readinto(buffer):
                pass
    return time.perf_counter() - start


def main():
    build = sys.argv[1]
    size = float(sys.argv[2]) if len(sys.argv) > 2 else 2.2
    n_file = int(sys.argv[3]) if len(sys.argv) > 3 else 16
    with tempfile.TemporaryDirectory(dir=sys.argv[4] if len(sys.argv) > 4 else None) as folder:
        paths = [f"{folder}/tab.{k}.hdf5" for k in range(n_file)]
        for k, path in enumerate(paths):
            write(path, k, n_file, int(size * 1e9 / ROW / n_file))
        total = sum(os.path.getsize(p) for p in paths) / 1e9
        plain, reader, cpu = [], [], []
        for _ in range(3):
            forget(paths)
            plain.append(read_bytes(paths))
            forget(paths)
            said = subprocess.run([f"{build}/bench/bench_read", f"{folder}/tab.{{file}}.hdf5", *COLUMNS],
                                  check=True, capture_output=True, text=True).stdout.split()
            reader.append(float(said[1]))
            cpu.append(float(said[2]))
    a, b = statistics.median(plain), statistics.median(reader)
    print(f"{total:.2f} GB in {n_file} files: bytes in order {total / a:.2f} GB/s, catalogue {total / b:.2f} GB/s "
          f"(processor {statistics.median(cpu):.2f} of {b:.2f} s), ratio {a / b:.2f}")


main()
