"""Read statistics.hdf5: curves, covariances, maps and metrics of one run, as docs/formats/statistics.md lays down.

Every curve carries its own description (what, of which catalogue and sample, names and units), so
nothing here knows a particular statistic; figures.py decides how each is drawn.
"""

from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np


class StatisticsError(Exception):
    """A file that cannot be used; the text is one sentence for the user."""


def plain(value):
    """Turn an HDF5 attribute or scalar into a str, int, float, bool or list of these."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray):
        items = [plain(item) for item in value.ravel()]
        return items[0] if len(items) == 1 else items
    if isinstance(value, np.generic):
        return plain(value.item())
    return value


def attributes(item):
    """All attributes of an HDF5 object in plain types."""
    return {name: plain(value) for name, value in item.attrs.items()}


@dataclass
class Curve:
    """y(x) with errors. Arrays that a curve does not have are None."""

    catalogue: str
    name: str
    x: np.ndarray
    y: np.ndarray
    x_low: np.ndarray = None
    x_high: np.ndarray = None
    error: np.ndarray = None
    low: np.ndarray = None
    high: np.ndarray = None
    count: np.ndarray = None
    draw_error: np.ndarray = None
    jackknife_error: np.ndarray = None
    attrs: dict = field(default_factory=dict)

    @property
    def statistic(self):
        return str(self.attrs.get("statistic", self.name))

    @property
    def key(self):
        """What curves of several catalogues must share to be drawn together."""
        return (self.statistic, str(self.attrs.get("column", "")), str(self.attrs.get("sample", "")),
                str(self.attrs.get("variant", "")))

    @property
    def best_error(self):
        """The error to show: that of the jackknife where there is one, else `error`."""
        if self.jackknife_error is None or self.error is None:
            return self.error
        return np.where(np.isfinite(self.jackknife_error), self.jackknife_error, self.error)

    def log(self, axis):
        """Whether an axis ("x" or "y") is meant to be logarithmic."""
        return bool(self.attrs.get(f"log_{axis}", 0))

    def usable(self, log_y=None):
        """Rows with a finite x and y (and positive ones on logarithmic axes)."""
        good = np.isfinite(self.x) & np.isfinite(self.y)
        if self.log("x"):
            good &= self.x > 0
        if self.log("y") if log_y is None else log_y:
            good &= self.y > 0
        return good


@dataclass
class Covariance:
    """Covariance of the bins of some curves of one catalogue, one curve after the other."""

    catalogue: str
    name: str
    kind: str
    curves: list
    x_low: np.ndarray
    x_high: np.ndarray
    values: np.ndarray
    attrs: dict = field(default_factory=dict)

    def matrix(self):
        """The full matrix, shape (curves * bins, curves * bins)."""
        if self.values.ndim == 2:
            return self.values
        blocks, n = self.values.shape[0], self.values.shape[2]
        full = np.zeros((blocks, n, blocks, n))
        full[:, np.arange(n), :, np.arange(n)] = np.moveaxis(self.values, 2, 0)
        return full.reshape(blocks * n, blocks * n)

    def correlation(self):
        """The matrix over the roots of its diagonal; NaN in bins without an estimate."""
        matrix = self.matrix()
        with np.errstate(invalid="ignore", divide="ignore"):
            sigma = np.sqrt(np.diag(matrix))
            return matrix / np.outer(sigma, sigma)


@dataclass
class Map:
    """Counts (or another value) on a grid, shape (n_x, n_y), with edges."""

    catalogue: str
    name: str
    counts: np.ndarray
    x_edges: np.ndarray
    y_edges: np.ndarray
    attrs: dict = field(default_factory=dict)

    @property
    def statistic(self):
        return str(self.attrs.get("statistic", self.name))


@dataclass
class Statistics:
    """Content of one file."""

    path: Path
    curves: list
    maps: list
    metrics: dict
    provenance: dict
    covariances: list = field(default_factory=list)

    def families(self):
        """Curves that belong in one picture: {key: {catalogue: curve}} in order of the file."""
        families = {}
        for curve in self.curves:
            families.setdefault(curve.key, {})[curve.catalogue] = curve
        return families


OPTIONAL = ("x_low", "x_high", "error", "low", "high", "count", "draw_error", "jackknife_error")


def read_curve(group, catalogue, name, path):
    """One curve; arrays of different lengths are an error."""
    for needed in ("x", "y"):
        if needed not in group:
            raise StatisticsError(f"'{path}' has no dataset '{needed}' in '{group.name}'; "
                                  "was it written by halograft measure?")
    arrays = {n: np.asarray(group[n][()], dtype=float) for n in ("x", "y") + OPTIONAL if n in group}
    if len({a.shape for a in arrays.values()}) != 1 or arrays["x"].ndim != 1:
        raise StatisticsError(f"'{path}' holds arrays of different lengths in '{group.name}'")
    return Curve(catalogue, name, attrs=attributes(group), **arrays)


def read_map(group, catalogue, name, path):
    """One map; the edges must fit the counts."""
    for needed in ("counts", "x_edges", "y_edges"):
        if needed not in group:
            raise StatisticsError(f"'{path}' has no dataset '{needed}' in '{group.name}'")
    found = Map(catalogue, name, np.asarray(group["counts"][()], dtype=float),
                np.asarray(group["x_edges"][()], dtype=float),
                np.asarray(group["y_edges"][()], dtype=float), attributes(group))
    if found.counts.shape != (len(found.x_edges) - 1, len(found.y_edges) - 1):
        raise StatisticsError(f"'{path}': counts and edges do not fit in '{group.name}'")
    return found


def read_covariance(group, catalogue, name, path):
    """One covariance; the matrix must fit the bins."""
    attrs = attributes(group)
    curves = [str(attrs.get(f"curve_{k + 1}", "")) for k in range(int(attrs.get("curves", 1)))]
    low, high = (np.asarray(group[n][()], dtype=float) if n in group else np.zeros(0) for n in ("x_low", "x_high"))
    values, blocks = np.asarray(group["covariance"][()], dtype=float), len(curves)
    size = blocks * len(low)
    if len(low) != len(high) or values.shape not in ((size, size), (blocks, blocks, len(low))):
        raise StatisticsError(f"'{path}': covariance and bins do not fit in '{group.name}'")
    return Covariance(catalogue, name, str(attrs.get("kind", "")), curves, low, high, values, attrs)


def leaves(group, is_leaf, prefix=""):
    """All groups below `group` that satisfy is_leaf, with their paths, in order of creation or name."""
    for name, item in group.items():
        if not isinstance(item, h5py.Group):
            continue
        path = f"{prefix}/{name}" if prefix else name
        if is_leaf(item):
            yield path, item
        yield from leaves(item, is_leaf, path)


def read_two_levels(parent, read, marker, path):
    """Objects at /<catalogue>/<name>, or one level deeper when names hold slashes."""
    found = []
    for place, group in leaves(parent, lambda g: marker in g):
        catalogue, _, name = place.partition("/")
        found.append(read(group, catalogue, name or catalogue, path))
    return found


def read_provenance(file):
    """Attributes and text datasets of /Provenance, and the file's own attributes."""
    found = attributes(file)
    if "Provenance" in file:
        group = file["Provenance"]
        found.update(attributes(group))
        for name, item in group.items():
            if isinstance(item, h5py.Dataset) and item.size <= 4096:
                found[name] = plain(item[()])
            elif isinstance(item, h5py.Group):
                found.update({f"{name}: {key}": value for key, value in attributes(item).items()})
    return found


def read(path):
    """Read a whole file; raises StatisticsError with one sentence when it cannot be used."""
    path = Path(path)
    if not path.is_file():
        raise StatisticsError(f"'{path}' does not exist; run 'halograft measure' first")
    try:
        with h5py.File(path, "r") as file:
            if "curves" not in file and "maps" not in file:
                raise StatisticsError(f"'{path}' holds neither curves nor maps; it is not a statistics file")
            curves = read_two_levels(file["curves"], read_curve, "x", path) if "curves" in file else []
            maps = read_two_levels(file["maps"], read_map, "counts", path) if "maps" in file else []
            covariances = []
            if "covariance" in file:
                covariances = read_two_levels(file["covariance"], read_covariance, "covariance", path)
            metrics = {}
            if "metrics" in file:
                metrics = {place: attributes(group)
                           for place, group in leaves(file["metrics"], lambda g: len(g.attrs) > 0)}
            return Statistics(path, curves, maps, metrics, read_provenance(file), covariances)
    except OSError as error:
        raise StatisticsError(f"'{path}' cannot be read as HDF5 ({error})") from error


def find(place):
    """Statistics files meant by an argument: the file itself, or those of a folder and its subfolders."""
    place = Path(place)
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise StatisticsError(f"'{place}' does not exist")
    found = sorted(place.glob("*statistics*.hdf5")) or sorted(place.glob("*/*statistics*.hdf5"))
    if not found:
        raise StatisticsError(f"no statistics file in '{place}'; run 'halograft measure' first")
    return found
