"""Bar charts as SVG: a card with a background of its own, so that they can be read on light and on dark pages."""

import dataclasses
from xml.sax.saxutils import escape

WIDTH = 760
LABEL_WIDTH = 190
VALUE_WIDTH = 130
BAR_HEIGHT = 18
STEP = 30
TOP = 62

STYLE = """\
.card { fill: #ffffff; stroke: #d0d7de; }
text { fill: #24292f; font: 13px system-ui, sans-serif; }
.title { font-size: 15px; font-weight: 600; }
.note { fill: #57606a; font-size: 12px; }
.own { fill: #d1491f; }
.other { fill: #6f8ba4; }
.part { fill: #000000; fill-opacity: .28; }
.spread { stroke: #24292f; stroke-width: 1.5; }
@media (prefers-color-scheme: dark) {
  .card { fill: #0d1117; stroke: #30363d; }
  text { fill: #e6edf3; }
  .note { fill: #9198a1; }
  .own { fill: #f0764f; }
  .other { fill: #7f9cb8; }
  .spread { stroke: #e6edf3; }
}"""


@dataclasses.dataclass(frozen=True)
class Bar:
    """`part` is the length of the darker beginning; `least` and `most` are the ends of the line that shows the spread."""

    label: str
    value: float
    text: str
    is_own: bool = False
    part: float = 0
    least: float | None = None
    most: float | None = None


def bars(title, note, values):
    """A horizontal bar for each value."""
    # One that is far longer than the others would make them all look alike.
    lengths = sorted(bar.most or bar.value for bar in values)
    longest = lengths[-1] if lengths else 1
    scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / (longest or 1)
    height = TOP + STEP * len(values) + 14
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        ' role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>\n{STYLE}\n</style>",
        f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>',
        f'<text class="title" x="16" y="26">{escape(title)}</text>',
        f'<text class="note" x="16" y="46">{escape(note)}</text>',
    ]
    for index, bar in enumerate(values):
        lines += draw(bar, TOP + STEP * index, scale)
    return "\n".join([*lines, "</svg>", ""])


def draw(bar, top, scale):
    middle = top + BAR_HEIGHT / 2
    base = middle + 4.5
    yield f'<text x="{LABEL_WIDTH - 10}" y="{base:g}" text-anchor="end">{escape(bar.label)}</text>'
    kind = "own" if bar.is_own else "other"
    yield rectangle(kind, top, bar.value * scale)
    if bar.part:
        yield rectangle("part", top, min(bar.part, bar.value) * scale)
    end = bar.value
    if bar.least is not None and bar.most is not None:
        start, end = LABEL_WIDTH + bar.least * scale, max(bar.most, bar.value)
        yield (f'<line class="spread" x1="{start:.1f}" x2="{LABEL_WIDTH + bar.most * scale:.1f}" '
               f'y1="{middle:g}" y2="{middle:g}"/>')
    yield f'<text x="{LABEL_WIDTH + end * scale + 8:.1f}" y="{base:g}">{escape(bar.text)}</text>'


def rectangle(kind, top, width):
    return f'<rect class="{kind}" x="{LABEL_WIDTH}" y="{top}" width="{width:.1f}" height="{BAR_HEIGHT}" rx="2"/>'
