"""A picture of a few measured rows as bars, as SVG text: no library is needed to draw it or to see it."""

from collections.abc import Mapping
from html import escape

WIDTH, LABEL, BAR, GAP = 720, 190, 16, 8
COLOURS = ("#2a6f97", "#e07a1f", "#6a994e", "#9d4edd")


def bars(title: str, unit: str, groups: Mapping[str, Mapping[str, float]]) -> str:
    """Return the SVG of one group of bars for each row, each bar with its name and figure."""
    most = max(value for rows in groups.values() for value in rows.values())
    lines, y = [text(10, 24, title, size=16)], 44
    for group, rows in groups.items():
        y += 18
        lines.append(text(10, y, group, weight="bold"))
        y += GAP
        for number, (name, value) in enumerate(rows.items()):
            length = (WIDTH - LABEL - 110) * value / most
            colour = COLOURS[number % len(COLOURS)]
            lines.append(text(20, y + BAR - 4, name))
            lines.append(f'<rect x="{LABEL}" y="{y}" width="{length:.1f}" height="{BAR}" fill="{colour}"/>')
            lines.append(text(LABEL + length + 6, y + BAR - 4, f"{value:.3g} {unit}"))
            y += BAR + GAP
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 10}" font-family="sans-serif">'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{y + 10}" fill="#ffffff"/>', *lines, "</svg>\n"])


def text(x: float, y: float, words: str, *, size: int = 12, weight: str = "normal") -> str:
    """Return one line of text."""
    style = f'font-size="{size}" font-weight="{weight}" fill="#222222"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(words)}</text>'
