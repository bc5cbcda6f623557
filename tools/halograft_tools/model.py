"""The command halograft-model: look into a model, predict with numpy alone, import other libraries' models."""

import argparse
import sys

import numpy as np

from . import interchange, model_file, recipes, stages
from .forest import BAGS, METHODS, ModelError


def open_model(path):
    """A halograft model, or a LightGBM text model."""
    with open(path, "rb") as file:
        is_text = file.read(5) == b"tree\n"
    return stages.single(interchange.read_lightgbm(path)) if is_text else stages.load(path)


def show_stage(model, stage):
    """What one forest holds."""
    forest, o = stage.forest, stage.forest.options
    print(f"{forest.n_tree} trees, {int(forest.leaf_offset[-1])} leaves, {forest.n_feature} features, "
          f"{forest.n_target} targets")
    if forest.divisor != forest.n_tree:
        print("trees are added up")
    else:
        known = int((~np.isnan(forest.row["residual"][:, 0])).sum())
        print(f"{len(forest.row['object'])} training rows, {known} with an out-of-bag residual; "
              f"min_leaf {o['min_leaf']}, bag {BAGS[int(o['bag'])]}, seed {o['seed']}")
    total = forest.importance.sum(axis=0)
    share = total / total.sum() if total.sum() > 0 else total
    for i, spec in enumerate(forest.features):
        low, high = forest.range[i, :2]
        print(f"feature {spec['name']}: {spec['expression']} [{spec['unit']}], {low:.6g} to {high:.6g}, "
              f"importance {share[i]:.4f}")
    for (target, part), keep in zip(stage.output, forest.scaling["keep"]):
        spec = model.targets[target]
        print(f"target {spec['name']}{' open' if part == stages.OPEN else ''}: {spec['expression']} [{spec['unit']}]"
              + ("" if stage.is_label else f", keep {keep:g}"))


def show(args):
    """What a model holds."""
    model = open_model(args.model)
    for s, stage in enumerate(model.stage):
        if len(model.stage) > 1:
            print(f"stage {s}: {'labels' if stage.is_label else 'values'} {stages.USES[stage.use]}".rstrip())
        show_stage(model, stage)
    for name, text in model.meta.items():
        print(f"text {name}: {len(text)} bytes")


def verify(args):
    """Check seal and content hash."""
    model_file.check_seal(args.model)
    print(f"{args.model}: content hash {model_file.verify(stages.load(args.model), args.model)}, seal and content match")


def predict(args):
    """Apply a model to a catalogue, without the program."""
    model = open_model(args.model)
    columns = recipes.read_columns(args.catalogue)
    x = recipes.features_of(model, columns)
    key = recipes.keys_of(columns, args.run) if "id" in columns else None
    result = model.predict(x, key, draws=args.draws, seed=args.seed, method=args.method)
    names, output = [], []
    if "id" in columns:
        names, output = ["id"], [[str(v) for v in columns["id"]]]
    for t, recipe in enumerate(recipes.recipes_of(model.targets)):
        values = [] if model.is_label[t] else [("mean", recipe.invert(result.mean[:, t]))]
        if model.is_label[t] or model.has_hurdle[t]:
            values.append(("probability", result.probability[:, t]))
        values += [("draw" if d == 0 else f"draw{d + 1}", recipe.invert(draw[:, t]))
                   for d, draw in enumerate(result.draw if args.draws else [])]
        for kind, value in values:
            names.append(f"{recipe.name}_{kind}")
            output.append([repr(float(v)) for v in value])
    with (open(args.out, "w", encoding="utf-8") if args.out else sys.stdout) as file:
        file.write(",".join(names) + "\n")
        file.writelines(",".join(row) + "\n" for row in zip(*output))


def pairs(texts):
    """NAME=RECIPE arguments as a mapping, or None for none."""
    for text in texts:
        if "=" not in text:
            raise ModelError(f"'{text}' is not of the form NAME=RECIPE")
    return dict(text.split("=", 1) for text in texts) or None


def import_lightgbm(args):
    """A model file from a LightGBM text model."""
    model = interchange.read_lightgbm(args.text, pairs(args.feature), pairs(args.target))
    model_file.save(interchange.as_mean(model), args.model, args.overwrite)
    print(f"{args.model}: {model.n_tree} trees, content hash {model_file.content_hash(model)}")


def parser():
    main_parser = argparse.ArgumentParser(prog="halograft-model", description=__doc__)
    commands = main_parser.add_subparsers(dest="command", required=True)
    for function, arguments in ((show, ("model",)), (verify, ("model",)), (predict, ("model", "catalogue")),
                                (import_lightgbm, ("text", "model"))):
        command = commands.add_parser(function.__name__.replace("_", "-"), help=function.__doc__)
        command.set_defaults(run_command=function)
        for argument in arguments:
            command.add_argument(argument)
        if function is predict:
            command.add_argument("--draws", type=int, default=0, help="realisations")
            command.add_argument("--seed", type=int, default=1, help="Meta.seed of the run")
            command.add_argument("--run", default="parent", help="Parent.run, part of a halo's identity")
            command.add_argument("--method", choices=METHODS, default=METHODS[0])
            command.add_argument("--out", help="CSV file; default: standard output")
        if function is import_lightgbm:
            command.add_argument("--feature", action="append", default=[], metavar="NAME=RECIPE",
                                 help="one per feature, in the order of the text model")
            command.add_argument("--target", action="append", default=[], metavar="NAME=RECIPE")
            command.add_argument("--overwrite", action="store_true")
    return main_parser


def main():
    args = parser().parse_args()
    try:
        args.run_command(args)
    except (ModelError, OSError) as error:
        print(f"halograft-model: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
