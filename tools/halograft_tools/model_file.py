"""Writing of halograft's model files: content hash, layout, seal; and the check of both.

The hashes are XXH3 from libxxhash, which the program itself needs, called through ctypes.
"""

import ctypes
import ctypes.util
import os
from pathlib import Path

import h5py
import numpy as np

from .forest import FORMAT, SPEC_TEXTS, VERSION, Forest, ModelError
from .stages import single
from .statistics import plain

SEAL_MARK = b"HGxxh3\0\0"
INTEGERS = ("trees", "first_tree", "splitter", "bins", "min_leaf", "min_split", "max_depth", "redraw",
            "scale_targets", "leaf_mates_max", "oob_trees_min", "calibrate", "bag", "feature_bits")
REALS = ("max_features", "min_gain", "constant_step", "weight_unit")
ROWS = {"object": np.uint64, "group": np.uint64, "parent": np.uint64, "target": np.float32,
        "residual": np.float32, "shrink": np.float32, "oob_trees": np.uint16, "weight": np.uint32}


class Hash:
    """XXH3 (64 bits) of data that arrive in pieces."""

    _library = None

    def __init__(self):
        self._state = self.library().XXH3_createState()
        self.library().XXH3_64bits_reset(self._state)

    def __del__(self):
        if getattr(self, "_state", None):
            self.library().XXH3_freeState(self._state)

    @classmethod
    def library(cls):
        if cls._library is None:
            name = ctypes.util.find_library("xxhash") or "libxxhash.so.0"
            try:
                library = ctypes.CDLL(name)
            except OSError as error:
                raise ModelError(f"libxxhash is not installed ({error}); on Debian: "
                                 "apt-get install libxxhash0") from error
            library.XXH3_createState.restype = ctypes.c_void_p
            library.XXH3_64bits_reset.argtypes = [ctypes.c_void_p]
            library.XXH3_64bits_update.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
            library.XXH3_64bits_digest.argtypes = [ctypes.c_void_p]
            library.XXH3_64bits_digest.restype = ctypes.c_uint64
            library.XXH3_freeState.argtypes = [ctypes.c_void_p]
            library.XXH3_64bits_withSeed.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64]
            library.XXH3_64bits_withSeed.restype = ctypes.c_uint64
            cls._library = library
        return cls._library

    def feed(self, data):
        """Add bytes, or the memory of an array."""
        data = data if isinstance(data, bytes) else np.ascontiguousarray(data).tobytes()
        self.library().XXH3_64bits_update(self._state, data, len(data))
        return self

    def value(self):
        return self.library().XXH3_64bits_digest(self._state)


def hash_bytes(data, seed=0):
    """XXH3 of bytes, with a seed to chain blocks."""
    return Hash.library().XXH3_64bits_withSeed(data, len(data), seed)


def content_hash(forest):
    """Hash of what decides predictions and draws, as hg_forest_hash() has it; leaf means as float32."""
    o = forest.options
    node = np.empty(len(forest.link), [("t", np.float32), ("link", np.uint32)])
    node["t"].view(np.uint32)[:] = forest.threshold.view(np.uint32)
    node["link"] = forest.link
    h = Hash()
    h.feed(np.array([forest.n_feature, forest.n_target, forest.n_tree, int(o["feature_bits"]),
                     int(o["first_tree"]), int(o["bag"])], np.int32))
    h.feed(np.array([forest.seed], np.uint64))
    for array, kind in ((forest.node_offset, np.uint64), (forest.leaf_offset, np.uint64), (node, None),
                        (forest.leaf_mean, np.float32), (forest.mate_offset, np.uint64),
                        (forest.mate, np.uint32)):
        h.feed(array if kind is None else np.asarray(array, kind))
    for name, kind in ROWS.items():
        h.feed(np.asarray(forest.row[name], kind))
    h.feed(np.array([float(o["weight_unit"])], np.float64))
    h.feed(np.asarray(forest.range, np.float32))
    h.feed(np.asarray(forest.scaling["keep"], np.float64))
    h.feed(np.asarray(forest.limit, np.float64))
    if "twin" in forest.row:
        h.feed(np.asarray(forest.row["twin"], np.float32))
    if "class" in forest.row:
        h.feed(np.asarray(forest.row["class"], np.float32))
    return f"{h.value():016x}"


def model_hash(model):
    """Hash of a whole model, as hg_stages_hash() has it."""
    first = model.stage[0]
    if len(model.stage) == 1 and not first.is_label:
        return content_hash(first.forest)
    h = Hash()
    for stage in model.stage:
        h.feed(np.array([int(content_hash(stage.forest), 16)], np.uint64))
        h.feed(np.array([stage.use, stage.is_label, len(stage.output), len(stage.input)], np.int32))
        h.feed(np.asarray(stage.output, np.int32))
        h.feed(np.asarray(stage.input, np.int32))
        h.feed(np.asarray(stage.closed, np.float64))
    return f"{h.value():016x}"


def _file_hash(path, n):
    h = Hash()
    with open(path, "rb") as file:
        while n > 0:
            piece = file.read(min(n, 1 << 24))
            h.feed(piece)
            n -= len(piece)
    return h.value().to_bytes(8, "little")


def check_seal(path):
    """Check the checksum behind a file's end, which must come before HDF5 opens it; ModelError where it fails."""
    try:
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            file.seek(max(size - 16, 0))
            seal = file.read()
    except OSError as error:
        raise ModelError(f"'{path}' cannot be read: {error.strerror}") from error
    if seal[:8] != SEAL_MARK:
        raise ModelError(f"'{path}' has no seal")
    if seal[8:] != _file_hash(path, size - 16):
        raise ModelError(f"'{path}' is damaged: its bytes do not match its checksum")


def verify(model, path):
    """Check a file's seal and that the content (of stages.load()) has the hash the file says; returns the hash."""
    check_seal(path)
    with h5py.File(path, "r") as file:
        pairs = [(content_hash(stage.forest), plain(file[f"stage{s}"].attrs["content_hash"]))
                 for s, stage in enumerate(model.stage)]
        pairs.append((model_hash(model), plain(file.attrs["content_hash"])))
    for found, wanted in pairs:
        if found != wanted:
            raise ModelError(f"the content of '{path}' has hash {found}, but it says {wanted}")
    return pairs[-1][0]


def _put_text(item, name, text):
    item.attrs.create(name, text, dtype=h5py.string_dtype("utf-8", max(len(text.encode()), 1)))


def _write_forest(stage, forest):
    _put_text(stage, "content_hash", content_hash(forest))
    for group, specs in (("features", forest.features), ("targets", forest.targets)):
        for i, spec in enumerate(specs):
            item = stage.create_group(f"{group}/{i:03d}")
            for text in SPEC_TEXTS:
                _put_text(item, text, spec[text])
    stage["features/range"] = np.asarray(forest.range, np.float32)
    for name, values in forest.scaling.items():
        stage[f"targets/{name}"] = np.asarray(values, np.float64)
    stage["domain/limit"] = np.asarray(forest.limit, np.float64)
    for name in INTEGERS:
        stage.attrs[name] = np.array([int(forest.options[name])], np.int64)
    for name in REALS:
        stage.attrs[name] = np.array([float(forest.options[name])])
    _put_text(stage, "seed", str(forest.seed))
    stage["tree/node_offset"] = np.asarray(forest.node_offset, np.uint64)
    stage["tree/leaf_offset"] = np.asarray(forest.leaf_offset, np.uint64)
    stage["tree/importance"] = np.asarray(forest.importance, np.float64)
    stage["node/threshold"] = forest.threshold
    stage["node/link"] = forest.link
    stage["leaf/mean"] = np.asarray(forest.leaf_mean, np.float32)
    stage["leaf/count"] = np.diff(forest.mate_offset.astype(np.int64)).astype(np.uint32)
    stage["leaf/row"] = np.asarray(forest.mate, np.uint32)
    for name, kind in (*ROWS.items(), ("twin", np.float32), ("class", np.float32)):
        if name in forest.row:
            stage[f"row/{name}"] = np.asarray(forest.row[name], kind)


def _write(file, model):
    _put_text(file, "format", FORMAT)
    file.attrs["version"] = np.array([VERSION], np.int64)
    file.attrs["stages"] = np.array([len(model.stage)], np.int64)
    _put_text(file, "content_hash", model_hash(model))
    _put_text(file.create_group("provenance"), "code_version", "halograft-model")
    meta = file.create_group("meta")
    for name, text in model.meta.items():
        if len(text) > 60000:
            meta.create_dataset(name, data=np.frombuffer(text.encode(), np.uint8))
        else:
            _put_text(meta, name, text)
    for s, stage in enumerate(model.stage):
        group = file.create_group(f"stage{s}")
        for name, value in (("use", stage.use), ("label", int(stage.is_label))):
            group.attrs[name] = np.array([value], np.int64)
        group["output"] = np.asarray(stage.output, np.int32)
        if len(stage.input):
            group["input"] = np.asarray(stage.input, np.int32)
            group["closed"] = np.asarray(stage.closed, np.float64)
        _write_forest(group, stage.forest)


def save(model, path, overwrite=False):
    """Write a model (Forest or Stages) that the program reads: to a temporary name, sealed, then renamed."""
    path, model = Path(path), single(model) if isinstance(model, Forest) else model
    if path.exists() and not overwrite:
        raise ModelError(f"'{path}' exists already")
    if any(stage.forest.divisor != stage.forest.n_tree for stage in model.stage):
        raise ModelError("the trees of this model are added up: make a mean of it by interchange.as_mean()")
    temporary = path.with_name(f".{path.name}.tmp-{os.getpid()}")
    try:
        with h5py.File(temporary, "w") as file:
            _write(file, model)
        seal = SEAL_MARK + _file_hash(temporary, os.path.getsize(temporary))
        with open(temporary, "ab") as file:
            file.write(seal)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
