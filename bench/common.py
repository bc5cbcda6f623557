"""What the scripts of bench/ share: where the program is, how it is run, how tables are printed.

Needs Debian's python3-numpy and python3-h5py, and python3-sklearn where a script compares with it.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("HG_DATA", SOURCE.parent / "shared" / "data"))
sys.path.insert(0, str(SOURCE / "tools"))


def program():
    """Path of the program: $HALOGRAFT, else the release build, else the one on the PATH."""
    for place in (os.environ.get("HALOGRAFT"), SOURCE / "build" / "release" / "halograft",
                  shutil.which("halograft")):
        if place and Path(place).is_file():
            return str(place)
    sys.exit("halograft is not built: tools/quickstart build")


def halograft(command, *arguments, ranks=2, log=None):
    """Run a subcommand under mpirun; its log goes to a file, or is shown when it fails."""
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                       HG_DATA=str(DATA))
    environment.setdefault("OMP_NUM_THREADS", "1")
    line = ["mpirun", "-n", str(ranks), "--oversubscribe", "--bind-to", "none", program(), command,
            *map(str, arguments)]
    done = subprocess.run(line, cwd=SOURCE, env=environment, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if log:
        Path(log).write_text(done.stdout, encoding="utf-8")
    if done.returncode != 0:
        sys.exit(f"{' '.join(line)}\nfailed with {done.returncode}:\n{done.stdout[-3000:]}")
    return done.stdout


def need_data(folder):
    """Path of a folder of real data, or the end of the script, loudly, with CTest's code for skipped."""
    place = DATA / folder
    if not place.exists():
        print(f"skipped: {place} is not there (set HG_DATA to the folder of real catalogues)")
        sys.exit(77)
    return place


def table(head, rows):
    """Print a table with columns as wide as they need to be."""
    text = [[f"{c:.4g}" if isinstance(c, float) else str(c) for c in row] for row in [head, *rows]]
    width = [max(len(row[i]) for row in text) for i in range(len(head))]
    for row in text:
        print("  ".join(c.rjust(w) for c, w in zip(row, width)))
