"""What files of validate, explain and design say, in plain words for the top of the report."""

from . import explanation, proposal, style


def spoken(metric, error=True):
    """An rms error with its own error."""
    text = f"{metric['rmse']:.3f}"
    known = error and metric.get("rmse_error", float("nan"))
    return f"{text} ± {known:.3f}" if known and known == known else text


def of_all_rows(metrics):
    """{target: {method: metrics}} of values of all held-out rows."""
    found = {}
    for place, values in metrics.items():
        if place.startswith("held_out_") and not values.get("sample") and "rmse" in values:
            found.setdefault(values["column"], {})[values["catalogue"]] = values
    return found


def held_out(statistics):
    """A sentence per target: error of the forest, the best baseline, coverage of draws."""
    lines = []
    for target, methods in of_all_rows(statistics.metrics).items():
        forest = methods.pop("forest", None)
        if forest is None:
            continue
        line = (f"{style.spoken_name(target)[0].upper()}{style.spoken_name(target)[1:]}, held out "
                f"({statistics.provenance.get('held_out', 'folds')}): rms error {spoken(forest)}, R² {forest['r2']:.3f}")
        rivals = {name: m for name, m in methods.items() if m["rmse"] == m["rmse"]}
        if rivals:
            best = min(rivals, key=lambda name: rivals[name]["rmse"])
            gap = rivals[best]["rmse"] - forest["rmse"]
            sure = gap > 2 * max(forest.get("rmse_error", 0), rivals[best].get("rmse_error", 0))
            line += (f"; the best baseline ({best.replace('_', ' ')}) has {spoken(rivals[best])}"
                     + ("" if sure else ", so the forest gains no more than the errors" if gap > 0
                        else ", so the forest gains nothing"))
        cover = forest.get("cover68", float("nan"))
        if cover == cover:
            line += f"; {100 * cover:.1f} % of the truth lies within the 68 % of the draws"
        lines.append(line + ".")
    return lines


def coarser(statistics):
    """What the heaviest particles of a study of resolution cost."""
    lines = []
    for key, family in statistics.families().items():
        if key[0] != "resolution_rmse" or not {"fine on fine", "fine on coarse", "coarse on coarse"} <= set(family):
            continue
        fine, mixed, coarse = (family[f"{a} on {b}"] for a, b in (("fine", "fine"), ("fine", "coarse"), ("coarse", "coarse")))
        i = int(fine.x.argmax())
        if fine.y[i] == fine.y[i]:
            lines.append(f"With particles of {style.spoken_number(float(fine.x[i]))} M☉, "
                         f"{style.spoken_name(key[1])}: rms error {mixed.y[i]:.3f} instead of {fine.y[i]:.3f}, and "
                         f"{coarse.y[i]:.3f} where training is made as coarse.")
    return lines


def sentences(statistics):
    """What the file says that is no comparison with a truth; [] for files of measure."""
    lines = held_out(statistics) + coarser(statistics) + proposal.sentences(statistics)
    if any(c.statistic in explanation.STATISTICS for c in statistics.curves):
        lines.append("What the model uses: importances of features with errors, and how predictions change with each.")
    return lines
