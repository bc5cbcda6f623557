"""Tests of tools/halograft_tools on statistics that are synthesised here, and so have known answers.

Run by test_report.sh; `check_report.py --make DIR` writes the synthetic file to look at its report.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from html.parser import HTMLParser
from pathlib import Path

import h5py
import numpy as np

SOURCE = Path(os.environ.get("HG_SOURCE", Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(SOURCE / "tools"))
from halograft_tools import closure, figures, maps, report, statistics, style  # noqa: E402

CATALOGUES = {"truth": 1.0, "oracle": 1.0, "draws": 1.02, "mean": 0.8}


def put_curve(file, catalogue, name, attrs, **arrays):
    group = file.create_group(f"curves/{catalogue}/{name}")
    for key, value in arrays.items():
        group[key] = value
    group.attrs.update({"catalogue": catalogue, "sample": "", "column": "", "log_x": 1, "log_y": 1, **attrs})


def synthesise(path, catalogues=CATALOGUES, seed=1, samples=("mstar_10.0", "mstar_10.5")):
    """A file as `halograft measure` writes it: a Schechter-like mass function with a mean that lacks
    its bright end, a relation with scatter, power spectra and correlation functions, maps, metrics."""
    rng = np.random.default_rng(seed)
    edges = np.arange(8.0, 12.01, 0.2)
    x = 10 ** (edges[:-1] + 0.1)
    phi = 4e-3 * (x / 10**10.7) ** -0.4 * np.exp(-x / 10**10.7) + 2e-8
    k = np.geomspace(0.02, 2.5, 24)
    power = 2.2e4 * k / 0.02 / (1 + (k / 0.02) ** 2) ** 1.15 + 300
    r = np.geomspace(1, 120, 22)
    xi = (r / 7) ** -1.75 * np.exp(-((r / 110) ** 4))
    halo = np.arange(11, 15, 0.25) + 0.125
    relation = 10 ** (10.6 + 1.1 * (halo - 12.2) - np.log10(1 + 10 ** (0.75 * (halo - 12.2))))
    scatter = 0.18 + 0.08 / (1 + np.exp(3 * (halo - 12)))
    with h5py.File(path, "w") as file:
        for name, factor in catalogues.items():
            bright = np.exp(-np.clip(np.log10(x) - 10.9, 0, None) * 2) if name == "mean" else 1.0
            noise = 0 if name == "truth" else 0.01
            y = phi * bright * (factor if name != "mean" else 1) * (1 + noise * rng.standard_normal(len(x)))
            count = np.round(y * 0.2 * 500**3)
            more = {"draw_error": 0.012 * y + 1e-9} if name in ("oracle", "draws") else {}
            put_curve(file, name, "gsmf", {
                "statistic": "mass_function", "column": "stellar_mass", "x_name": "stellar_mass",
                "x_unit": "Msun", "y_name": "dn/dlog10", "y_unit": "Mpc^-3 dex^-1"},
                x=x, x_low=10 ** edges[:-1], x_high=10 ** edges[1:], y=y, count=count,
                error=y / np.sqrt(np.maximum(count, 1)), **more)
            put_curve(file, name, "shmr", {
                "statistic": "shmr", "column": "stellar_mass", "x_name": "m200c", "x_unit": "Msun",
                "y_name": "stellar_mass", "y_unit": "Msun"}, x=10**halo, x_low=10 ** (halo - 0.125),
                x_high=10 ** (halo + 0.125), y=relation * (1 + 0.01 * rng.standard_normal(len(halo))),
                error=0.01 * relation, low=relation * 10 ** (-scatter * (name != "mean")),
                high=relation * 10 ** (scatter * (name != "mean")))
            put_curve(file, name, "shmr_scatter", {
                "statistic": "shmr_scatter", "column": "stellar_mass", "x_name": "m200c", "x_unit": "Msun",
                "y_name": "scatter", "y_unit": "dex", "log_y": 0}, x=10**halo, x_low=10 ** (halo - 0.125),
                x_high=10 ** (halo + 0.125),
                y=(0.02 if name == "mean" else scatter) * (1 + 0.02 * noise * 100 * rng.standard_normal(len(halo))),
                error=0.02 * scatter)
            put_curve(file, name, "shmr_width", {
                "statistic": "shmr_width", "column": "stellar_mass", "x_name": "m200c", "x_unit": "Msun",
                "y_name": "scatter of stellar_mass", "y_unit": "dex", "log_y": 0}, x=10**halo, y=0.9 * scatter)
            for i, sample in enumerate(samples):
                bias = (1 + 0.4 * i) * (0.93 if name == "mean" else 1 + noise * rng.standard_normal(len(k)))
                more = {"draw_error": 0.01 * power * (1 + i)} if name in ("oracle", "draws") else {}
                put_curve(file, name, f"power_{sample}", {
                    "statistic": "power", "column": "stellar_mass", "sample": sample, "x_name": "k",
                    "x_unit": "Mpc^-1", "y_name": "P_0", "y_unit": "Mpc^3"},
                    x=k, x_low=k / 1.1, x_high=k * 1.1, y=bias * power, error=0.5 * power / (1 + 30 * k), **more)
                more = {"draw_error": 0.01 * np.abs(xi) + 1e-4} if name in ("oracle", "draws") else {}
                put_curve(file, name, f"xi_{sample}", {
                    "statistic": "xi", "column": "stellar_mass", "sample": sample, "x_name": "r",
                    "x_unit": "Mpc", "y_name": "xi", "y_unit": "", "log_y": 0},
                    x=r, x_low=r / 1.1, x_high=r * 1.1,
                    y=xi * (0.93 if name == "mean" else 1 + noise * rng.standard_normal(len(r))),
                    error=0.02 * xi + 1e-4, **more)
                put_curve(file, name, f"wp_{sample}", {
                    "statistic": "wp", "column": "stellar_mass", "sample": sample, "x_name": "rp",
                    "x_unit": "Mpc", "y_name": "wp", "y_unit": "Mpc"},
                    x=r, x_low=r / 1.1, x_high=r * 1.1, y=90 * r**-0.8 * (0.95 if name == "mean" else 1),
                    error=0.9 * r**-0.8, count=np.round(1e4 * r))
        true = rng.normal(9.5, 0.8, 40000)
        predicted = 9.5 + 0.92 * (true - 9.5) + rng.normal(0, 0.2, 40000)
        grid = np.linspace(7, 12, 81)
        for name in ("mean", "draws"):
            group = file.create_group(f"maps/{name}/stellar_mass")
            group["counts"] = np.histogram2d(true, predicted, (grid, grid))[0].astype(np.int64)
            group["x_edges"] = group["y_edges"] = grid
            group.attrs.update({"statistic": "predicted_true", "catalogue": name, "column": "stellar_mass",
                                "sample": "", "x_name": "log10 true stellar_mass", "x_unit": "Msun",
                                "y_name": f"log10 {name} stellar_mass", "y_unit": "Msun"})
            metrics = file.create_group(f"metrics/{name}_stellar_mass")
            metrics.attrs.update({"catalogue": name, "column": "stellar_mass", "n": len(true), "r2": 0.912,
                                  "pearson": 0.957, "bias": -0.003, "rms": 0.208})
        for name in [n for n in ("truth", "draws") if n in catalogues]:
            group = file.create_group(f"maps/{name}/slice")
            clumps = rng.uniform(0, 500, (400, 2))
            points = (clumps[rng.integers(0, 400, 60000)] + rng.normal(0, 9, (60000, 2))) % 500
            sides = np.linspace(0, 500, 129)
            group["counts"] = np.histogram2d(points[:, 0], points[:, 1], (sides, sides))[0].astype(np.int64)
            group["x_edges"] = group["y_edges"] = sides
            group.attrs.update({"statistic": "slice", "catalogue": name, "sample": "mstar_10.0", "x_name": "x",
                                "x_unit": "Mpc", "y_name": "y", "y_unit": "Mpc", "depth": 25.0})
        file.create_group("Provenance").attrs.update({
            "version": "0.1.0", "run_name": "closure on a mock universe", "seed": 42,
            "parameters": "Meta: {name: demo, seed: 42}\nModel: {trees: 256}\n", "command": "halograft run <demo>.yml"})


class PageParser(HTMLParser):
    """Collects tags, links and images, and checks that tags close."""

    VOID = {"meta", "img", "br", "link", "input"}

    def __init__(self, text):
        super().__init__()
        self.open, self.images, self.references, self.text = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "img":
            self.images.append(attrs["src"])
        self.references += [attrs[k] for k in ("href", "src") if k in attrs]

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data):
        self.text.append(data)


class ReportTest(unittest.TestCase):
    """The whole way: file in, page and pictures out."""

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.temporary.name) / "run one"
        cls.folder.mkdir()
        synthesise(cls.folder / "statistics.hdf5")
        (cls.folder / "run.json").write_text(json.dumps({
            "ranks": 2, "threads": 1, "wall_seconds": 201.5, "peak_bytes": 2**30,
            "phases": [{"name": "mock", "min": 50, "mean": 51, "max": 52}, {"name": "apply", "seconds": 20}],
            "warnings": [{"text": "apply: 12 haloes lie <outside> the training range", "times": 3}]}))
        cls.result = cls.report(str(cls.folder))
        cls.page = (cls.folder / "report.html").read_text(encoding="utf-8")

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    @staticmethod
    def report(*arguments):
        return subprocess.run([str(SOURCE / "tools/halograft-report"), *arguments], text=True,
                              capture_output=True, check=False)

    def test_prints_paths_that_exist_the_report_first(self):
        self.assertEqual(self.result.returncode, 0, self.result.stderr)
        self.assertEqual(self.result.stderr, "")
        paths = [Path(line) for line in self.result.stdout.splitlines()]
        self.assertEqual(paths[0].name, "report.html")
        self.assertTrue(all(path.stat().st_size > 1000 for path in paths))
        stems = {p.stem for p in paths if p.suffix == ".png"}
        self.assertEqual(stems, {p.stem for p in paths if p.suffix == ".pdf"})
        self.assertEqual(len(stems), 1 + 1 + 2 + 2 + 2 + 2 + 2)

    def test_page_is_well_formed_and_needs_no_network(self):
        page = PageParser(self.page)
        self.assertEqual(page.open, [])
        self.assertEqual(len(page.images), 12)
        self.assertTrue(all(src.startswith("data:image/png;base64,") for src in page.images))
        self.assertEqual([r for r in page.references if not r.startswith(("data:", "#"))], [])
        self.assertIsNone(re.search(r"https?://|<script|@import|url\(", self.page))

    def test_page_holds_numbers_warnings_provenance_and_escapes(self):
        text = "".join(PageParser(self.page).text)
        for expected in ("closure on a mock universe", "12 haloes lie <outside> the training range (3 times)",
                         "halograft run <demo>.yml", "Model: {trees: 256}", "2 ranks × 1 threads", "mock", "51.00"):
            self.assertIn(expected, text)
        self.assertLess(text.index("Warnings"), text.index("Galaxy content"))
        self.assertNotIn("<outside>", self.page)

    def test_pictures_have_the_size_of_a_column_at_300_dpi(self):
        pngs = sorted((self.folder / "figures").glob("*.png"))
        for png in pngs:
            width = int.from_bytes(png.read_bytes()[16:20], "big")
            self.assertEqual(width, round(style.COLUMN * style.DPI), png.name)

    def test_runs_share_a_page_but_no_file_and_equal_input_gives_equal_pictures(self):
        second = self.folder.parent / "two"
        second.mkdir()
        synthesise(second / "statistics.hdf5", {"draws": 1.3}, seed=2, samples=())
        out = self.folder.parent / "both"
        result = self.report(str(second), str(second / "statistics.hdf5"), "--out", str(out))
        self.assertEqual(result.returncode, 0, result.stderr)
        lines = result.stdout.splitlines()
        self.assertEqual(len(lines), len(set(lines)))
        self.assertEqual((out / "report.html").read_text().count("<article"), 2)
        pictures = sorted(p.name for p in (out / "figures").glob("run1_*"))
        self.assertGreater(len(pictures), 6)
        for name in pictures:
            twin = name.replace("run1_", "run2_")
            self.assertEqual((out / "figures" / name).read_bytes(), (out / "figures" / twin).read_bytes(), name)


class ClosureTest(unittest.TestCase):
    """Numbers of the summary against the known construction."""

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.path = Path(self.temporary.name) / "statistics.hdf5"

    def tearDown(self):
        self.temporary.cleanup()

    def write(self, truth, other, **more):
        x = np.array([1.0, 2.0, 3.0, 4.0])
        with h5py.File(self.path, "w") as file:
            put_curve(file, "truth", "p", {"statistic": "power"}, x=x, y=np.array(truth))
            put_curve(file, "draws", "p", {"statistic": "power"}, x=x[: len(other)], y=np.array(other))
            for name, (y, noise) in more.items():
                put_curve(file, name, "p", {"statistic": "power"}, x=x, y=np.array(y), draw_error=np.array(noise))
        return statistics.read(self.path)

    def test_counts_bins_within_the_stated_tolerance(self):
        found = closure.closures(self.write([1.0, 1, 1, 1], [1.01, 0.99, 1.05, 1.02]))
        self.assertEqual([(c.catalogue, c.bins, c.within) for c in found], [("draws", 4, 3)])
        self.assertAlmostEqual(found[0].worst, 0.05)
        self.assertEqual(found[0].worst_x, 3.0)
        self.assertAlmostEqual(found[0].median, 0.015)

    def test_noise_of_the_oracle_widens_the_tolerance(self):
        found = closure.closures(self.write([1.0, 1, 1, 1], [1.05, 1.05, 1.05, 1.05],
                                            oracle=([1, 1, 1, 1], [0.02, 0.01, 0.02, 0.0])))
        self.assertEqual({c.catalogue: c.within for c in found}, {"oracle": 4, "draws": 2})

    def test_bins_with_few_objects_are_left_out_of_mass_functions(self):
        with h5py.File(self.path, "w") as file:
            for name, y in (("truth", [1.0, 1.0]), ("draws", [1.01, 3.0])):
                put_curve(file, name, "m", {"statistic": "mass_function"}, x=[1.0, 2.0], y=y, count=[1000, 3])
        self.assertEqual([(c.bins, c.within) for c in closure.closures(statistics.read(self.path))], [(1, 1)])

    def test_missing_bins_and_nan_are_left_out(self):
        found = closure.closures(self.write([1.0, np.nan, 0.0, 1], [1.0, 1.0]))
        self.assertEqual([(c.bins, c.within) for c in found], [(1, 1)])

    def test_without_truth_nothing_is_compared(self):
        synthesise(self.path, {"draws": 1.0})
        found = statistics.read(self.path)
        self.assertEqual(closure.closures(found), [])
        self.assertIn("nothing is compared", closure.sentences(found, [])[0])

    def test_a_validation_is_told_in_words_with_its_warnings(self):
        marks = {"forest": (0.2, 0.8), "ridge": (0.21, 0.78), "training mean": (0.5, 0.0)}
        with h5py.File(self.path, "w") as file:
            for way, y in (("fine on fine", 0.2), ("fine on coarse", 0.3), ("coarse on coarse", 0.25)):
                put_curve(file, way, "r", {"statistic": "resolution_rmse", "column": "stellar_mass"}, x=[1e9, 1e10],
                          y=[0.2, y])
            for method, (rmse, r2) in marks.items():
                file.create_group(f"metrics/held_out_{method}").attrs.update(
                    {"catalogue": method, "column": "stellar_mass", "sample": "", "rmse": rmse, "rmse_error": 0.01,
                     "r2": r2, "cover68": 0.66 if method == "forest" else np.nan})
            file.create_group("Provenance").attrs["warning_1"] = "the zooms lack haloes"
        found = statistics.read(self.path)
        first, second = closure.sentences(found, [])
        self.assertIn("rms error 0.200 ± 0.010, R² 0.800; the best baseline (ridge) has 0.210 ± 0.010, so the forest gains "
                      "no more than the errors; 66.0 % of the truth", first)
        self.assertIn("rms error 0.300 instead of 0.200, and 0.250", second)
        self.assertEqual(report.warnings_of(found, {}, []), ["The zooms lack haloes."])

    def test_a_design_is_told_in_words_and_tables_with_units(self):
        with h5py.File(self.path, "w") as file:
            for name, y in (("mass_function", [2.0, 1.2]), ("power", [0.33, 0.19])):
                put_curve(file, "design", f"design_{name}", {"statistic": "design", "column": "stellar_mass", "sample": name,
                          "x_name": "cost", "log_x": 0, "log_y": 0}, x=[0.0, 3.0], y=y, error=[np.nan, np.nan])
            grid = file.create_group("maps/design/design_places")
            grid["counts"], grid["x_edges"], grid["y_edges"] = np.ones((4, 4), int), np.arange(5.0), np.arange(5.0)
            grid.attrs.update({"catalogue": "design", "statistic": "design_places", "x_name": "x", "x_unit": "Mpc",
                               "y_name": "y", "y_unit": "Mpc", "column": "", "sample": ""})
            region = {"x": 0.01, "y": 2.0, "z": 3.0, "radius": 1.0, "delta": 0.35, "content_mass": 3.94e14}
            file.create_group("metrics/given_0000").attrs.update(region)
            file.create_group("metrics/proposed_0000").attrs.update({**region, "region": 7.0, "cost": 3.0, "expected_gain": 0.3})
        (self.path.parent / "run.json").write_text('{"warnings": ["of another run"], "phases": [{"name": "a", "mean": 1}]}')
        found = statistics.read(self.path)
        self.assertEqual(closure.sentences(found, []), ["One region is proposed to be simulated next. The expected relative error "
                         "falls: that of the mass function from 200 to 120 %, that of P(k) from 33 to 19 %."])
        html = report.build([self.path], self.path.parent)[0].read_text(encoding="utf-8")
        self.assertIn("<td>1</td><td>7</td><td>0.0</td><td>2.0</td><td>3.0</td><td>1</td><td>+0.35</td>"
                      "<td>3.9 × 10<sup>14</sup></td><td>3</td><td>0.300</td><td>120.0</td><td>19.0</td>", html)
        self.assertEqual([words for words in ("of another run", "Timings", "given_0000", "catalogues:") if words in html], [])

    def test_curves_with_other_bins_meet_at_equal_x_only(self):
        x = np.array([1.0, 2.0, 4.0])
        truth = statistics.Curve("truth", "p", np.array([1.0, 2.0, 3.0, 4.0]), np.ones(4))
        y, _, _ = figures.at_reference(statistics.Curve("draws", "p", x, 2 * x), truth)
        np.testing.assert_array_equal(y, [2.0, 4.0, np.nan, 8.0])


class PictureTest(unittest.TestCase):
    """Properties of the pictures that the eye would check."""

    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "statistics.hdf5"
            synthesise(path, samples=("mstar_10.0",))
            cls.pictures = list(figures.draw_all(statistics.read(path)))

    def test_legends_cover_no_data(self):
        checked = 0
        for picture in self.pictures:
            axes = picture.figure.axes[0]
            legend = axes.get_legend()
            if legend is None or picture.section in ("prediction", "maps"):
                continue
            box = legend.get_window_extent(picture.figure.canvas.get_renderer())
            for line in axes.lines:
                xy = axes.transData.transform(np.column_stack(line.get_data()))
                xy = xy[np.isfinite(xy).all(axis=1)]
                self.assertFalse(any(box.contains(*point) for point in xy), picture.name)
                checked += len(xy)
        self.assertGreater(checked, 200)

    def test_every_panel_has_labels_and_data(self):
        for picture in self.pictures:
            for axes in picture.figure.axes:
                self.assertTrue(axes.get_ylabel(), picture.name)
                self.assertTrue(axes.lines or axes.collections, picture.name)
            self.assertTrue(any(axes.get_xlabel() for axes in picture.figure.axes), picture.name)

    def test_running_percentiles_of_a_known_histogram(self):
        counts = np.zeros((2, 10))
        counts[0, 4:6] = 50
        low, median, high = maps.running_percentiles(counts, np.arange(11.0))
        np.testing.assert_allclose([low[0], median[0], high[0]], [4.32, 5.0, 5.68])
        self.assertTrue(np.isnan(median[1]))

    def test_labels_carry_units(self):
        self.assertEqual(style.axis_label("stellar_mass", "Msun"), r"$M_\star$  [${\rm M_\odot}$]")
        self.assertEqual(style.pretty_unit("Mpc^-3 dex^-1"), r"${\rm Mpc}^{-3}\,{\rm dex}^{-1}$")
        self.assertEqual(style.pretty_unit("Msun/yr"), r"${\rm M_\odot}\,{\rm yr}^{-1}$")
        self.assertEqual(style.spoken_ranges("centrals, log10 m200c 12.00 to 12.50"), "centrals, M200c 10^12 to 10^12.5 M☉")
        self.assertEqual(style.spoken_ranges("log10 vmax 2.0 to 3.0"), "Vmax 10^2 to 10^3 km/s")
        self.assertEqual(style.spoken_ranges("log10 of nothing"), "log10 of nothing")
        self.assertEqual(style.axis_label("xi", ""), r"$\xi(r)$")
        for mass in ("log10 m200c", "m200c | log10"):  # of a recipe, without its unit
            self.assertEqual(style.axis_label(mass, ""), r"$\log_{10}$ ($M_{200{\rm c}}$ / ${\rm M_\odot}$)")
        self.assertEqual(style.axis_label("log10 m200c", "dex"), r"$\log_{10}$ $M_{200{\rm c}}$")
        self.assertEqual(style.axis_label("log10 true sfr", "Msun/yr"),
                         r"$\log_{10}$ (true ${\rm SFR}$ / ${\rm M_\odot}\,{\rm yr}^{-1}$)")
        self.assertEqual(style.axis_label("log10 draw gas_mass", "Msun"),
                         r"$\log_{10}$ (draw $M_{\rm gas}$ / ${\rm M_\odot}$)")


class CovarianceTest(unittest.TestCase):
    """Covariances: read, expanded, drawn, and jackknife errors preferred to Poisson ones."""

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.path = Path(self.temporary.name) / "statistics.hdf5"
        x = np.array([1.0, 2.0, 3.0])
        with h5py.File(self.path, "w") as file:
            put_curve(file, "truth", "xi_a", {"statistic": "xi"}, x=x, y=x, error=0.1 * x,
                      jackknife_error=np.array([0.5, np.nan, 0.5]))
            for name, kind, values, curves in (
                    ("jackknife_xi_a", "jackknife", np.array([[4.0, 1, 0], [1, 1, 0], [0, 0, np.nan]]), 1),
                    ("gaussian_p", "gaussian", np.arange(12.0).reshape(2, 2, 3), 2)):
                group = file.create_group(f"covariance/truth/{name}")
                group.attrs.update({"kind": kind, "curves": curves, "curve_1": "xi_a", "curve_2": "p2",
                                    "x_name": "r", "x_unit": "Mpc", "regions": 27.0})
                group["x_low"], group["x_high"], group["covariance"] = x - 0.5, x + 0.5, values
        self.found = statistics.read(self.path)

    def tearDown(self):
        self.temporary.cleanup()

    def test_matrices_are_expanded_and_normalised(self):
        gaussian, jackknife = sorted(self.found.covariances, key=lambda c: c.name)
        matrix = gaussian.matrix()
        self.assertEqual(matrix.shape, (6, 6))
        self.assertEqual(matrix[1, 4], 4.0)
        self.assertEqual(matrix[5, 2], 8.0)
        self.assertEqual(matrix[0, 4], 0.0)
        np.testing.assert_allclose(jackknife.correlation()[0], [1, 0.5, np.nan])

    def test_the_jackknife_is_drawn_and_gives_the_error_bars(self):
        np.testing.assert_allclose(self.found.curves[0].best_error, [0.5, 0.2, 0.5])
        pictures = {p.name: p for p in figures.draw_all(self.found)}
        self.assertIn("jackknife", pictures["xi"].caption)
        picture = pictures["jackknife_xi_a_truth"]
        self.assertIn("27 regions", picture.caption)
        self.assertEqual(picture.figure.axes[0].collections[0].get_array().size, 9)
        self.assertFalse(any(name.startswith("gaussian") for name in pictures))

    def test_a_matrix_that_does_not_fit_is_refused(self):
        with h5py.File(self.path, "r+") as file:
            del file["covariance/truth/gaussian_p/x_low"]
        with self.assertRaisesRegex(statistics.StatisticsError, "do not fit"):
            statistics.read(self.path)


class ContentTest(unittest.TestCase):
    """Probabilities, occupations and conditional functions have their place, axes and panels."""

    def test_each_family_gets_its_picture(self):
        x = np.array([0.1, 0.5, 0.9])
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "statistics.hdf5"
            with h5py.File(path, "w") as file:
                for name in ("truth", "draws"):
                    put_curve(file, name, "hod", {"statistic": "hod_central", "sample": "a", "y_name": "N_central"},
                              x=x, y=x, error=0.1 * x)
                    put_curve(file, name, "cmf", {"statistic": "conditional_mass_function", "column": "stellar_mass",
                                                  "y_name": "dN/dlog10 per host", "variant": "centrals"}, x=x, y=x)
                    put_curve(file, name, "q", {"statistic": "quenched_fraction", "log_y": 0,
                                                "y_name": "quenched fraction"},
                              x=x, y=x, error=np.ones(3))
                put_curve(file, "mean", "r", {"statistic": "reliability", "column": "sfr"}, x=x, y=x, error=0 * x,
                          x_low=x - 0.05, x_high=x + 0.05, count=np.array([10, 20, 70]))
            pictures = {p.curves[0].statistic: p for p in figures.draw_all(statistics.read(path))}
        sections = {name: p.section for name, p in pictures.items()}
        self.assertEqual(sections, {"hod_central": "content", "conditional_mass_function": "content",
                                    "quenched_fraction": "content", "reliability": "prediction"})
        self.assertIn("per host", pictures["conditional_mass_function"].figure.axes[0].get_ylabel())
        self.assertIn("cen", pictures["hod_central"].figure.axes[0].get_ylabel())
        self.assertLess(pictures["quenched_fraction"].figure.axes[0].get_ylim()[1], 1.2)
        shares = pictures["reliability"].figure.axes[1].patches[0].get_data().values
        np.testing.assert_allclose(shares, [0.1, 0.2, 0.7])


class BadInputTest(unittest.TestCase):
    """One sentence and the right code for files that cannot be used."""

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name)

    def tearDown(self):
        self.temporary.cleanup()

    def refuse(self, place, words, code=4, *more):
        result = ReportTest.report(str(place), *more)
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertIn(words, result.stderr)
        self.assertFalse((self.folder / "report.html").exists())

    def test_missing_and_foreign_files(self):
        self.refuse(self.folder / "nowhere", "does not exist")
        self.refuse(self.folder, "no statistics file")
        (self.folder / "statistics.hdf5").write_text("not HDF5")
        self.refuse(self.folder, "cannot be read as HDF5")
        with h5py.File(self.folder / "statistics.hdf5", "w") as file:
            file["x"] = 1
        self.refuse(self.folder, "neither curves nor maps")

    def test_arrays_of_different_lengths(self):
        with h5py.File(self.folder / "statistics.hdf5", "w") as file:
            put_curve(file, "truth", "p", {}, x=np.ones(3), y=np.ones(2))
        self.refuse(self.folder, "different lengths in '/curves/truth/p'")

    def test_output_folder_that_is_a_file(self):
        synthesise(self.folder / "statistics.hdf5", {"draws": 1})
        (self.folder / "taken").write_text("")
        self.refuse(self.folder, "cannot write", 5, "--out", str(self.folder / "taken"))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--make"]:
        Path(sys.argv[2]).mkdir(parents=True, exist_ok=True)
        synthesise(Path(sys.argv[2]) / "statistics.hdf5")
    else:
        unittest.main()
