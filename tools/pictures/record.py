#!/usr/bin/env python3
"""Draws a flight record (weft/record.h) as an SVG, for a document: record.py TRACE.json >record.svg

Above is the loop: a box for each turn, at least two pixels wide. Below is a line for each task: what it waited for.
"""

import html
import json
import sys

WIDTH, LEFT, ROW, TOP = 920, 150, 26, 34
COLOURS = ["#7aa6c2", "#c29a7a", "#8fb48a", "#b08ab4", "#b4b08a", "#8aa9b4"]


def text(x, y, words, anchor="start", size=12, colour="#333"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">'
            f"{html.escape(words)}</text>")


def read(path):
    """The turns, as (begin, end, name), and the waits by task, as (begin, end, name of the wait)."""
    with open(path, encoding="utf-8") as file:
        events = [event for event in json.load(file)["traceEvents"] if "ts" in event]
    turns, waits, names, begun, waiting = [], {}, {}, None, {}
    for event in events:
        if event["ph"] == "B":
            begun = event
        elif event["ph"] == "E":
            turns.append((begun["ts"], event["ts"], begun["name"]))
        elif event["ph"] == "b":
            waiting[event["id"]] = event
            names[event["id"]] = event["args"]["task"]
        elif event["ph"] == "e":
            waits.setdefault(event["id"], []).append((waiting[event["id"]]["ts"], event["ts"], event["name"]))
    return events[0]["ts"], events[-1]["ts"], turns, waits, names


def draw(path):
    start, end, turns, waits, names = read(path)
    scale = (WIDTH - LEFT - 20) / max(end - start, 1)
    height = TOP + ROW * (len(waits) + 1) + 30
    colour_of = {}

    def place(time):
        return LEFT + (time - start) * scale

    def colour(name):
        return colour_of.setdefault(name, COLOURS[len(colour_of) % len(COLOURS)])

    yield f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif">'
    yield f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
    for i in range(6):
        time = start + (end - start) * i / 5
        yield f'<line x1="{place(time):.1f}" x2="{place(time):.1f}" y1="{TOP - 8}" y2="{height - 24}" stroke="#ddd"/>'
        yield text(place(time), TOP - 14, f"{(time - start) / 1000:.0f} ms", "middle", 11, "#777")
    yield text(LEFT - 8, TOP + 16, "the loop", "end")
    for begin, finish, name in turns:
        width = max((finish - begin) * scale, 2)
        yield (f'<rect x="{place(begin):.1f}" y="{TOP + 2}" width="{width:.1f}" height="{ROW - 6}" fill="#444">'
               f"<title>{html.escape(name)}, {finish - begin:.1f} us</title></rect>")
    for row, task in enumerate(sorted(waits, key=lambda one: waits[one][0][0]), 1):
        top = TOP + ROW * row
        yield text(LEFT - 8, top + 16, names[task], "end")
        for begin, finish, name in waits[task]:
            width = max((finish - begin) * scale, 2)
            yield (f'<rect x="{place(begin):.1f}" y="{top + 2}" width="{width:.1f}" height="{ROW - 6}" '
                   f'fill="{colour(name)}"><title>{html.escape(name)}</title></rect>')
            if width > 60:
                yield text(place(begin) + 6, top + 16, name, size=11, colour="#fff")
    yield "</svg>"


if __name__ == "__main__":
    print("\n".join(draw(sys.argv[1])))
