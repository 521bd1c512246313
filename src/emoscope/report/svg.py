"""A matplotlib figure as SVG text that is small and the same in every run."""

import io
import re
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_settings = Lock()  # matplotlib's settings belong to the process


def svg(figure: "Figure") -> str:
    """The figure as one `<svg>` element, its text as text."""
    import matplotlib

    out = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with _settings, matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "emoscope"}):
        figure.savefig(out, format="svg", metadata=nothing)
    text = out.getvalue()
    text = text[text.index("<svg") :]  # an element in a page has neither an XML declaration nor a document type
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # a tenth of a point is finer than a screen shows, and makes the text a third as long
    return re.sub(r' d="[^"]*"', lambda d: re.sub(r"(\.\d)\d+", r"\1", d[0]), text)
