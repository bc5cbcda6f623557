"""Models of several stages in numpy: labels, hurdles and targets that come after others.

A second implementation of hg_stages_predict() (src/forest/stages_predict.c) on top of `Forest`; its
numbers equal the program's bit for bit.
"""

from dataclasses import dataclass, field, replace

import h5py
import numpy as np

from .forest import Forest, ModelError, check_file, load_stage, read_meta
from .philox import mix64
from .statistics import plain

VALUE, OPEN = 0, 1
BOTH, MEAN, DRAW = 0, 1, 2
USES = ("", "for means", "for draws")


@dataclass
class Stage:
    """One forest; output, input: (target, part) of its targets and of its last features."""

    forest: Forest
    use: int = BOTH
    is_label: bool = False
    output: np.ndarray = None
    input: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.int32))
    closed: np.ndarray = field(default_factory=lambda: np.zeros(0))


class Stages:
    """A model; `stage` lists its forests, the first of which has its features and texts."""

    def __init__(self, stage):
        self.stage = stage
        self.features, self.meta = stage[0].forest.features, stage[0].forest.meta
        n = 1 + max(int(s.output[:, 0].max()) for s in stage)
        self.targets, self.is_label, self.has_hurdle = [None] * n, np.zeros(n, bool), np.zeros(n, bool)
        for s in stage:
            for spec, (target, part) in zip(s.forest.targets, s.output):
                self.targets[target] = spec
                self.has_hurdle[target] |= part == OPEN
                self.is_label[target] |= s.is_label and part == VALUE

    @property
    def n_feature(self):
        return self.stage[0].forest.n_feature

    @property
    def n_target(self):
        return len(self.targets)

    def predict(self, x, key=None, draws=0, seed=1, method="leaf-residual", mates=0, domain=False, quantiles=(),
                library_by="", library_edges=()):
        """As Forest.predict(), with probabilities; closed means and draws are -infinity; what is said of
        rows, not targets, is of the first stage. library_by, library_edges: as in section Scatter."""
        classes = self._classes(library_by, library_edges) if library_by and method in ("library", "twins") else None
        shape = (len(x), self.n_target, 2)
        mean, spread, draw = np.full(shape, np.nan), np.full(shape, np.nan), np.full((draws, *shape), np.nan)
        first, quantile = None, np.full((len(quantiles), len(x), self.n_target), np.nan)
        for s, stage in enumerate(self.stage):
            how = {"seed": stage_seed(seed, s), "method": "leaf-value" if stage.is_label else method,
                   "mates": mates, "classes": classes}
            target, part = stage.output.T
            if stage.use != DRAW:
                result = stage.forest.predict(self._features(x, stage, mean), key, domain=domain and s == 0,
                                              quantiles=() if stage.is_label else quantiles,
                                              draws=draws if stage.use == BOTH else 0, **how)
                first = first or result
                mean[:, target, part], spread[:, target, part] = result.mean, result.spread
                if result.quantile is not None:
                    quantile[:, :, target] = result.quantile
                if stage.use == BOTH and draws:
                    draw[:, :, target, part] = result.draw
                continue
            for d in range(draws):
                features = self._features(x, stage, mean, draw[d])
                draw[d][:, target, part] = stage.forest.predict(features, key, draws=1, first_realisation=d,
                                                                moved_rows=True, **how).draw[0]
        result = replace(first, mean=self._join(mean), spread=spread[:, :, VALUE],
                         draw=self._join(draw) if draws else None, quantile=quantile)
        result.probability = np.where(self.has_hurdle, mean[:, :, OPEN],
                                      np.where(self.is_label, mean[:, :, VALUE], np.nan))
        return result

    def _classes(self, name, edges):
        if self.meta.get("library_by") != name:
            raise ModelError(f"the model keeps no classes by '{name}': train it with Scatter.library_by")
        first = next(s.forest for s in self.stage if not s.is_label and s.use != MEAN)
        return first.classes([spec["name"] for spec in self.features].index(name), edges)

    def _features(self, x, stage, mean, draw=None):
        columns = [np.asarray(x, np.float32)]
        for (target, part), closed in zip(stage.input, stage.closed):
            value = mean[:, target, part]
            if draw is not None:
                value = draw[:, target, part]
                if part == VALUE and self.has_hurdle[target]:
                    value = np.where(draw[:, target, OPEN] > 0, value, closed)
                value = np.where(np.isnan(value), mean[:, target, part], value)
            columns.append(value.astype(np.float32)[:, None])
        return np.concatenate(columns, axis=1)

    def _join(self, parts):
        return np.where(self.has_hurdle & (parts[..., OPEN] < 0.5), -np.inf, parts[..., VALUE])


def stage_seed(seed, stage):
    """Seed of a stage: the model's for stage 0, another for each of the others."""
    if stage == 0:
        return int(seed)
    with np.errstate(over="ignore"):
        return int(mix64(mix64(int(seed)) + np.uint64(stage))[0])


def single(forest):
    """A model of one forest."""
    return Stages([Stage(forest, output=np.array([(t, VALUE) for t in range(forest.n_target)], np.int32))])


def load(path):
    """Read a model file of any number of stages; model_file.verify() checks its seal and hashes."""
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ModelError(f"'{path}' cannot be opened: {error}") from error
    with file:
        check_file(file, path)
        stages = []
        for s in range(int(plain(file.attrs["stages"]))):
            group = file[f"stage{s}"]
            stage = Stage(load_stage(group), int(plain(group.attrs["use"])), bool(plain(group.attrs["label"])),
                          group["output"][()])
            if "input" in group:
                stage.input, stage.closed = group["input"][()], group["closed"][()]
            stages.append(stage)
        stages[0].forest.meta = read_meta(file["meta"])
        return Stages(stages)
