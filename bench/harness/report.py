"""From samples to the report: medians, ratios to the floor, and whether a mark was missed."""

import json
from statistics import median

from .ratios import estimate, pairwise


def middle(samples):
    """The median of a run's rounds, or None where there are none."""
    return median(samples.values()) if samples else None


def rounded(value):
    return None if value is None else float(f"{value:.5g}")


def best_floor(samples, index, entry):
    """Which of the floors is the lowest over the whole run. Choosing anew in every round would favour luck."""
    medians = {key: middle(samples.of(index, key)) for key in entry.floors}
    present = {key: value for key, value in medians.items() if value is not None}
    return min(present, key=present.get) if present else None


def floor_of(samples, index, entry, rounds_of_weft):
    """The floor's name and its number in every round."""
    if entry.floor_value is not None:
        return None, dict.fromkeys(rounds_of_weft, entry.floor_value)
    key = best_floor(samples, index, entry)
    return key, samples.of(index, key) if key else {}


def interval(estimate_):
    return {name: rounded(getattr(estimate_, name)) for name in ("median", "low", "high")}


def verdict(mark, ratio, value):
    """A mark is missed when the whole interval lies beyond it."""
    limit, measured = (mark.ratio, ratio) if mark.ratio is not None else (mark.value, value)
    if limit is None or measured is None:
        return None
    return "missed" if measured.low > limit else "kept"


def entry_report(samples, index, entry):
    weft = samples.of(index, entry.weft)
    floor_key, floor = floor_of(samples, index, entry, weft)
    ratios = pairwise(weft, floor)
    ratio = estimate(ratios) if ratios else None
    value = estimate(weft.values()) if weft else None
    report = {
        "name": entry.name,
        "unit": entry.unit,
        "better": entry.better,
        "weft": rounded(middle(weft)),
        "floor": rounded(middle(floor)),
        "peers": {name: rounded(middle(samples.of(index, key))) for name, key in entry.peers.items()},
        "ratio_to_floor": interval(ratio) if ratio else None,
        "weft_interval": interval(value) if value else None,
        "floor_is": entry.floor_is,
        "floors": {key: rounded(middle(samples.of(index, key))) for key in entry.floors},
        "rounds": len(ratios),
        "mark": {"value": entry.mark.value, "ratio_to_floor": entry.mark.ratio},
        "verdict": verdict(entry.mark, ratio, value),
    }
    if floor_key is not None and len(entry.floors) > 1:
        report["floor_is"] += f": {floor_key}"
    details = {key: details_of(samples, index, key) for key in (entry.weft, *entry.floors, *entry.peers.values())}
    report["details"] = {key: detail for key, detail in details.items() if detail}
    return report


def details_of(samples, index, key):
    """Medians of what the load client says beside the processor time: latencies, requests per second, how busy."""
    lines = samples.details.get((index, key), [])
    return {name: rounded(median(line[name] for line in lines)) for name in lines[0]} if lines else {}


def report(samples, groups):
    return [entry_report(samples, index, entry) for index, group in enumerate(groups) for entry in group.entries]


def number(value):
    return "-" if value is None else f"{value:.4g}"


def ratio_text(ratio):
    if ratio is None:
        return "-"
    return f"{ratio['median']:.3f} [{ratio['low']:.3f}, {ratio['high']:.3f}]"


def mark_text(entry):
    mark = entry["mark"]
    if mark["ratio_to_floor"] is not None:
        text = f"x{mark['ratio_to_floor']:g}"
    elif mark["value"] is not None:
        text = f"{mark['value']:g}"
    else:
        return "-"
    return f"{text} {entry['verdict'] or '?'}"


def table(entries):
    """The report for people; a mark with an x is a ratio to the floor."""
    rows = [("measurement", "unit", "weft", "floor", "ratio [interval]", "mark", "peers")]
    for entry in entries:
        present = sorted(entry["peers"].items(), key=lambda item: (item[1] is None, item[1]))
        peers = "  ".join(f"{name} {number(value)}" for name, value in present)
        rows.append(
            (entry["name"], entry["unit"], number(entry["weft"]), number(entry["floor"]),
             ratio_text(entry["ratio_to_floor"]), mark_text(entry), peers)
        )  # fmt: skip
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    lines = []
    for row in rows:
        lines.append("  ".join([text.ljust(width) for text, width in zip(row, widths)] + [row[-1]]).rstrip())
    return "\n".join(lines)


def write(path, content):
    path.write_text(json.dumps(content, indent=2) + "\n")


def all_samples(samples, groups):
    """Every single number, for whoever wants to judge differently."""
    return [
        {
            "entries": [entry.name for entry in group.entries],
            "runs": {run.key: list(samples.of(index, run.key).values()) for run in group.runs},
        }
        for index, group in enumerate(groups)
    ]
