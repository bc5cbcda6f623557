"""What `design` proposes, in a sentence and as tables: the regions to simulate next, and those that have run."""

from . import page


def curves(statistics):
    """Expected errors after each region: {"mass_function" or "power": curve}."""
    return {c.attrs.get("sample", c.name): c for c in statistics.curves if c.statistic == "design"}


def regions(statistics, kind):
    """Regions of a kind, "given" or "proposed", in their order."""
    return [values for name, values in sorted(statistics.metrics.items()) if name.startswith(f"{kind}_")]


def sentences(statistics):
    """How many regions are proposed, and what errors they promise; [] for files of other commands."""
    found, new = curves(statistics), regions(statistics, "proposed")
    if not found or not new:
        return []
    count = f"{len(new)} regions are" if len(new) > 1 else "One region is"
    falls = [f"that of {'P(k)' if name == 'power' else 'the mass function'} from {100 * c.y[0]:.0f} to {100 * c.y[-1]:.0f} %"
             for name, c in found.items()]
    return [f"{count} proposed to be simulated next. The expected relative error falls: {', '.join(falls)}."]


def tables(statistics):
    """Both tables as HTML, with units; "" for files of other commands."""
    new, old = regions(statistics, "proposed"), regions(statistics, "given")
    if not new:
        return ""
    errors = curves(statistics)
    words = {"mass_function": "error of the mass function [%]", "power": "error of P(k) [%]"}
    place = ["x [Mpc]", "y [Mpc]", "z [Mpc]", "radius [Mpc]", "overdensity", "matter inside [M☉]"]

    def where(region):
        return [*(f"{region[axis]:.1f}" for axis in "xyz"), f"{region['radius']:g}", f"{region['delta']:+.2f}",
                page.power(region["content_mass"])]

    rows = [[str(i + 1), f"{region['region']:g}", *where(region), f"{region['cost']:.3g}", f"{region['expected_gain']:.3f}",
             *(f"{100 * c.y[i + 1]:.1f}" for c in errors.values())] for i, region in enumerate(new)]
    html = "<h3>Proposed regions</h3>" + page.table(
        ["order", "region", *place, "cost", "expected gain", *(words[name] for name in errors)], rows)
    html += ("<p class=note>Cost in the unit of Design.cost. Gain: by how much the combined error falls, which is 1 at first. "
             "Errors: what is expected once the region and all above it have run.</p>")
    if old:
        html += "<h3>Regions that have run</h3>" + page.table(["number", *place],
                                                              [[str(i + 1), *where(r)] for i, r in enumerate(old)])
    return html
