"""SVG drawings made again from an allow-list of shapes, to be shown inside `<img>`.

Never inlined: inside `<img>` a drawing runs no script, fetches nothing and cannot reach the page.
It is filtered all the same, since a saved report may be opened elsewhere: shapes, text, gradients
and clips stay; style sheets, scripts, links, pictures, filters, animation and embedded HTML go.
`<use>` may point at shapes of the same drawing, but not at another `<use>` (copies of copies grow
without end), and all copies together may not exceed a budget.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET
from xml.parsers import expat

from sandbox.runs.report.characters import names
from sandbox.runs.report.pictures import BROKEN, TOO_LARGE, Picture, PictureError

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
LARGEST_CHARACTERS = 4_000_000
LARGEST_ELEMENTS = 40_000
LARGEST_COPIES = 200_000
DEEPEST = 40
ELEMENTS = names(
    "svg g defs symbol path rect circle ellipse line polyline polygon text tspan clipPath "
    "linearGradient radialGradient stop use title desc"
)
GEOMETRY = names(
    "id d x y x1 y1 x2 y2 dx dy cx cy r rx ry fx fy width height points transform viewBox "
    "preserveAspectRatio offset gradientUnits gradientTransform spreadMethod clipPathUnits "
    "rotate textLength lengthAdjust pathLength"
)
PAINT = names(
    "fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-linecap "
    "stroke-linejoin stroke-miterlimit stroke-dasharray stroke-dashoffset opacity color "
    "clip-path clip-rule stop-color stop-opacity display visibility font font-family font-size "
    "font-style font-weight font-variant text-anchor dominant-baseline alignment-baseline "
    "baseline-shift letter-spacing word-spacing text-decoration"
)
# A value of letters, numbers and commas; a function only if it is a colour, a transform or a
# reference to a shape of this drawing. No other address, escape or expression can be written so.
LOCAL = re.compile(r"url\(\s*['\"]?#[\w.:-]+['\"]?\s*\)")
FUNCTIONS = re.compile(
    r"\b(?:rgba?|hsla?|matrix|translate|scale|rotate|skew[XY])\(([-+\d.,%\sedEg]*)\)"
)
HARMLESS = re.compile(r"[\w\s.,#%+'\"/-]*")


def drawing(source: object) -> Picture:
    """Filter an SVG document; raise PictureError if it is none or too large to draw."""
    if not isinstance(source, str):
        raise PictureError(BROKEN)
    if len(source) > LARGEST_CHARACTERS:
        raise PictureError(TOO_LARGE)
    root = _parse(source)
    kept = _kept(root, depth=0)
    if kept is None or kept.tag != f"{{{SVG}}}svg":
        raise PictureError(BROKEN)
    _limit_copies(kept)
    width, height = _size(kept)
    ET.register_namespace("", SVG)
    return Picture(mime="image/svg+xml", data=ET.tostring(kept), width=width, height=height)


def _parse(source: str) -> ET.Element:
    """Parse without entities: a document that declares one is refused."""
    builder, n_elements = ET.TreeBuilder(), 0
    parser = expat.ParserCreate(namespace_separator="}")

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal n_elements
        n_elements += 1
        if n_elements > LARGEST_ELEMENTS:
            raise PictureError(TOO_LARGE)
        builder.start(_braced(name), {_braced(key): text for key, text in attributes.items()})

    def refuse(*_: object) -> None:
        raise PictureError(BROKEN)

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda name: builder.end(_braced(name))
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(source.encode("utf-8", "replace"), True)
        return builder.close()
    except (expat.ExpatError, AssertionError) as error:
        raise PictureError(BROKEN) from error


def _braced(name: str) -> str:
    return "{" + name if "}" in name else name


def _kept(element: ET.Element, *, depth: int) -> ET.Element | None:
    name = element.tag.removeprefix(f"{{{SVG}}}")
    if name not in ELEMENTS or depth > DEEPEST:
        return None
    made = ET.Element(f"{{{SVG}}}{name}", _attributes(name, element.attrib))
    if name in {"text", "tspan", "title", "desc"}:
        made.text, made.tail = element.text, element.tail
    made.extend(
        child for child in (_kept(inner, depth=depth + 1) for inner in element) if child is not None
    )
    return made


def _attributes(name: str, given: dict[str, str]) -> dict[str, str]:
    kept = {
        key: text
        for key, text in given.items()
        if key in GEOMETRY and HARMLESS.fullmatch(FUNCTIONS.sub("", text))
    }
    declared = [(key, text) for key, text in given.items() if key in PAINT]
    for declaration in given.get("style", "").split(";"):
        key, _, text = declaration.partition(":")
        declared.append((key.strip(), text.strip()))
    for key, text in declared:
        if key in PAINT and HARMLESS.fullmatch(LOCAL.sub("", FUNCTIONS.sub("", text))):
            kept[key] = text
    target = given.get("href") or given.get(f"{{{XLINK}}}href") or ""
    if name == "use" and re.fullmatch(r"#[\w.:-]+", target):
        kept["href"] = target
    return kept


def _limit_copies(root: ET.Element) -> None:
    """Drop references to what itself holds a copy, and refuse more copies than a page draws."""
    use = f"{{{SVG}}}use"
    shapes = {element.get("id"): element for element in root.iter() if element.get("id")}
    sizes: dict[str, int | None] = {}
    n_copies = 0
    for element in root.iter(use):
        key = element.get("href", "").removeprefix("#")
        if key not in sizes:
            inside = list(shapes[key].iter()) if key in shapes else []
            sizes[key] = None if any(shape.tag == use for shape in inside) else len(inside)
        size = sizes[key]
        if size is None:
            del element.attrib["href"]
        else:
            n_copies += size
        if n_copies > LARGEST_COPIES:
            raise PictureError(TOO_LARGE)


def _size(root: ET.Element) -> tuple[int, int]:
    """Give the drawing's proportions in whole CSS pixels; a drawing without them is 640 x 480."""
    box = re.findall(r"-?\d+(?:\.\d+)?", root.get("viewBox", ""))
    sides = box[2:4] if len(box) == 4 else [root.get("width", ""), root.get("height", "")]
    read = [re.match(r"\d{1,5}(?:\.\d+)?", side) for side in sides]
    width, height = (max(1, round(float(found[0]))) if found else 0 for found in read)
    return (width, height) if width and height else (640, 480)
