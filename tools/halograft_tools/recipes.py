"""Recipes and keys: from the columns of a catalogue to the numbers a model sees, and back.

The arithmetic is that of src/table/expression.c and recipe.c, with the C library's functions, so that
features and outputs equal the program's bit for bit.
"""

import math
import re

import h5py
import numpy as np

from .forest import ModelError
from .model_file import hash_bytes
from .philox import mix64
from .statistics import plain

# Factors into canonical units (Msun, Mpc, km/s, yr) of the single words a number may carry.
UNITS = {"": 1.0, "Msun": 1.0, "Mpc": 1.0, "km/s": 1.0, "yr": 1.0, "kpc": 1e-3, "pc": 1e-6, "Gpc": 1e3, "cMpc": 1.0,
         "ckpc": 1e-3, "Gyr": 1e9, "Myr": 1e6, "K": 1.0, "dex": 1.0, "mag": 1.0, "-": 1.0, "%": 0.01,
         "Msun/yr": 1.0}
TOKEN = re.compile(r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)"
                   r"|(?P<sign>\|\||&&|==|!=|<=|>=|[-+*/^()<>!,\[\]]))")
LEVELS = (("||",), ("&&",), ("==", "!=", "<", "<=", ">", ">="), ("+", "-"), ("*", "/"))


def _libm(function, *arguments):
    """A function of the C library over arrays; a value it refuses gives NaN."""
    def one(*values):
        try:
            return function(*values)
        except (ValueError, OverflowError, ZeroDivisionError):
            return math.nan
    return np.frompyfunc(one, len(arguments), 1)(*arguments).astype(np.float64)


FUNCTIONS = {"log10": lambda a: _libm(math.log10, a), "ln": lambda a: _libm(math.log, a),
             "exp": lambda a: _libm(math.exp, a), "sqrt": np.sqrt, "abs": np.abs, "min": np.fmin, "max": np.fmax,
             "isfinite": lambda a: np.isfinite(a).astype(np.float64)}
BINARY = {"||": lambda a, b: (a != 0) | (b != 0), "&&": lambda a, b: (a != 0) & (b != 0), "==": np.equal,
          "!=": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
          "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}


class Expression:
    """Evaluates one expression text over columns (a mapping of names to arrays) by recursive descent."""

    def __init__(self, text, columns):
        self.text, self.columns, self.tokens, at = text, columns, [], 0
        while text[at:].strip():
            match = TOKEN.match(text, at)
            if match is None:
                raise ModelError(f"expression '{text}': cannot read '{text[at:].strip()}'")
            self.tokens.append((match.lastgroup, match.group(match.lastgroup)))
            at = match.end()
        self.at = 0

    def value(self):
        """Values of all rows, float64."""
        n = len(next(iter(self.columns.values())))
        with np.errstate(all="ignore"):
            value = self._level(0)
        if self.at != len(self.tokens):
            raise ModelError(f"expression '{self.text}': unexpected '{self.tokens[self.at][1]}'")
        return np.broadcast_to(value, n).astype(np.float64)

    def _peek(self):
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def _take(self, wanted=None):
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")
        if kind == "end" or (wanted and text != wanted):
            raise ModelError(f"expression '{self.text}': expected '{wanted or 'a value'}', found '{text}'")
        self.at += 1
        return kind, text

    def _level(self, level):
        if level == len(LEVELS):
            return self._unary()
        value = self._level(level + 1)
        while self._peek() in LEVELS[level]:
            sign = self._take()[1]
            value = np.asarray(BINARY[sign](value, self._level(level + 1)), np.float64)
        return value

    def _unary(self):
        if self._peek() in ("-", "!"):
            sign = self._take()[1]
            value = self._unary()
            return -value if sign == "-" else np.asarray(value == 0, np.float64)
        value = self._atom()
        if self._peek() == "^":
            self._take()
            value = _libm(math.pow, value, self._unary())
        return value

    def _atom(self):
        kind, text = self._take()
        if text == "(":
            value = self._level(0)
            self._take(")")
            return value
        if kind == "number":
            value = float(text)
            if self.at < len(self.tokens) and self.tokens[self.at][0] == "name" and self._peek() in UNITS:
                value *= UNITS[self._take()[1]]
            return np.float64(value)
        if kind != "name":
            raise ModelError(f"expression '{self.text}': unexpected '{text}'")
        if self._peek() == "(":
            return self._call(text)
        if text not in self.columns:
            raise ModelError(f"column '{text}' is missing")
        column = np.asarray(self.columns[text])
        if self._peek() == "[":
            self._take("[")
            column = column[:, int(self._take()[1])]
            self._take("]")
        return column.astype(np.float64)

    def _call(self, name):
        self._take("(")
        if name == "norm":
            column = np.asarray(self.columns[self._take()[1]], np.float64)
            self._take(")")
            total = np.zeros(len(column))
            for k in range(column.shape[1]):
                total = total + column[:, k] * column[:, k]
            return np.sqrt(total)
        arguments = [self._level(0)]
        while self._peek() == ",":
            self._take()
            arguments.append(self._level(0))
        self._take(")")
        if name not in FUNCTIONS:
            raise ModelError(f"expression '{self.text}': there is no function '{name}'")
        return FUNCTIONS[name](*arguments)


class Recipe:
    """One feature or target: "expression | transform | option ..."; see src/table/recipe.h."""

    TRANSFORMS = ("none", "log10", "asinh", "signed_log")
    OPTIONS = ("floor", "weight", "scale", "min", "max", "hurdle")

    def __init__(self, name, text):
        self.name, self.expression, self.transform = name, name, "none"
        self.options = {"floor": math.nan, "weight": 1.0, "scale": 1.0, "min": math.nan, "max": math.nan,
                        "hurdle": math.nan}
        pieces = [p.strip() for p in re.split(r"(?<!\|)\|(?!\|)", text)]
        for i, piece in enumerate(pieces):
            word, *rest = piece.split(None, 2) or [""]
            if piece in self.TRANSFORMS:
                self.transform = piece
            elif i == 0:
                self.expression = piece or name
            elif piece in ("hurdle", "label") or word == "after":
                pass  # what a target is to the model stands in its stages
            elif piece and word in self.OPTIONS and rest:
                unit = rest[1].strip() if len(rest) > 1 else ""
                if unit not in UNITS:
                    raise ModelError(f"recipe '{name}': unit '{unit}' is not known here")
                self.options[word] = float(rest[0]) * UNITS[unit]
            elif piece:
                raise ModelError(f"recipe '{name}': cannot read '{piece}'")

    def evaluate(self, columns):
        """Transformed values of all rows."""
        x = Expression(self.expression, columns).value()
        x = np.where(x < self.options["floor"], self.options["floor"], x)
        if self.transform == "log10":
            return _libm(math.log10, x)
        if self.transform == "asinh":
            return _libm(math.asinh, x / self.options["scale"])
        if self.transform == "signed_log":
            return np.copysign(_libm(math.log10, 1 + np.abs(x) / self.options["scale"]), x)
        return x

    def invert(self, value):
        """Back into the unit of the expression, clipped to the declared bounds; -infinity, closed, becomes 0."""
        scale, closed = self.options["scale"], np.isneginf(value)
        if self.transform == "log10":
            value = _libm(math.pow, 10.0, value)
        elif self.transform == "asinh":
            value = scale * _libm(math.sinh, value)
        elif self.transform == "signed_log":
            value = np.copysign(scale * (_libm(math.pow, 10.0, np.abs(value)) - 1), value)
        low, high = self.options["min"], self.options["max"]
        value = np.where(value < low, low, value)
        return np.where(closed, 0.0, np.where(value > high, high, value))


def recipes_of(specs):
    """Recipes of a model's features or targets."""
    return [Recipe(spec["name"], spec["expression"]) for spec in specs]


def features_of(forest, columns):
    """Transformed features of all rows, float32, shape (n, features)."""
    return np.stack([r.evaluate(columns).astype(np.float32) for r in recipes_of(forest.features)], axis=1)


def halo_keys(run, ids, region=-1):
    """Keys of haloes: a hash of (run, region, id); region -1 is that of a parent volume."""
    prefix = hash_bytes(int(region).to_bytes(8, "little", signed=True), hash_bytes(run.encode()))
    key = mix64(np.uint64(prefix) ^ mix64(np.asarray(ids, np.int64).view(np.uint64)))
    return np.where(key == 0, np.uint64(1), key)


def keys_of(columns, run="parent"):
    """Keys of the haloes of a catalogue; columns region and run, where there are any, tell haloes apart too."""
    place = np.full(len(columns["id"]), -1, np.int64)
    if "region" in columns:
        place = np.asarray(columns["region"], np.int64)
    if "run" in columns:
        place = place + ((np.asarray(columns["run"], np.int64) + 1) << 32)
    key = np.empty(len(place), np.uint64)
    for region in np.unique(place):
        key[place == region] = halo_keys(run, columns["id"][place == region], region)
    return key


def read_columns(path):
    """All columns of a catalogue halograft wrote, by their short names; a .csv file by its head line."""
    if str(path).endswith(".csv"):
        table = np.genfromtxt(path, delimiter=",", names=True, dtype=None, encoding="utf-8")
        return {name: np.atleast_1d(table[name]) for name in table.dtype.names}
    columns = {}

    def visit(_, item):
        if isinstance(item, h5py.Dataset) and "Column" in item.attrs:
            columns[str(plain(item.attrs["Column"]))] = item[()]
    with h5py.File(path, "r") as file:
        file.visititems(visit)
    return columns
