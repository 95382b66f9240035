"""Whether everyone can read a page and use it: the rules of axe-core, and where the keyboard is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from axe_playwright_python.sync_playwright import Axe

#: WCAG 2.2 at level AA. The contrast of glyphs counts, too: each of them stands for a state.
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "checks": {"color-contrast": {"options": {"ignoreLength": True, "ignoreUnicode": False}}},
    "iframes": False,
}
CONTRAST = {**RULES, "runOnly": ["color-contrast"]}
#: The contrast of a node's text with what lies behind it, as WCAG 2 reckons it.
RATIO = """node => {
  const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = color => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = color;
    paint.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = paint.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map(at => top[at] * top[3] + below[at] * (1 - top[3])).concat(1);
  const behind = one => {
    if (!one) return [255, 255, 255, 1];
    const own = rgba(getComputedStyle(one).backgroundColor);
    return own[3] === 1 ? own : over(own, behind(one.parentElement));
  };
  const opacity = one => (one ? Number(getComputedStyle(one).opacity) * opacity(one.parentElement) : 1);
  const light = color => {
    const linear = part => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = color.map(part => linear(part / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const style = getComputedStyle(node);
  const [r, g, b, a] = rgba(node instanceof SVGElement ? style.fill : style.color);
  const back = behind(node);
  const [one, other] = [light(over([r, g, b, a * opacity(node)], back)), light(back)];
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}"""
#: WCAG 2.2 AA, 1.4.3, for text of usual size.
ENOUGH = 4.5
#: More stops of the tab key than any view has.
MOST = 250
#: Keeps how each node looks while the keyboard is elsewhere.
KEEP_LOOKS = """frame => {
  const look = node => {
    const style = getComputedStyle(node);
    const line = style.outlineStyle === 'none' ? '' : `${style.outlineWidth} ${style.outlineColor}`;
    return [line, style.boxShadow, style.borderColor, style.backgroundColor].join('; ');
  };
  const nodes = [...frame.querySelectorAll('*')];
  window.looks = { look, kept: new WeakMap(nodes.map(node => [node, look(node)])) };
}"""
#: Whether the node, or one in it, looks otherwise now that the keyboard is here.
IS_MARKED = """node => {
  const near = [node, ...node.querySelectorAll('*')];
  return near.some(one => looks.look(one) !== looks.kept.get(one));
}"""


def faults(page: Any, where: str, rules: dict[str, Any] = RULES) -> list[str]:
    """Return what is wrong in what the selector finds, in the words of axe-core."""
    # Lab's body has no height of its own, so that axe-core takes all that is in it for cut off.
    page.add_style_tag(content="body { min-height: 100vh; }")
    told = Axe().run(page, where, rules).response
    assert any(rule["id"] == "color-contrast" and rule["nodes"] for rule in told["passes"]), (
        "no text was seen"
    )
    wrong = [
        f"{rule['id']}: {node['html']} {' '.join(check['message'] for check in node['any'])}"
        for rule in told["violations"]
        for node in rule["nodes"]
    ]
    return wrong + [
        faint for rule in told["incomplete"] if rule["id"] == "color-contrast" for faint in faints(page, rule)
    ]


def faints(page: Any, rule: dict[str, Any]) -> Iterator[str]:
    """Measure texts whose ground axe-core cannot tell: beside pseudo elements, in pictures, in lists."""
    for node in rule["nodes"]:
        (target,) = node["target"]
        ratio = page.locator(target).evaluate(RATIO)
        if ratio < ENOUGH:
            yield f"color-contrast: {node['html']} has a contrast of {ratio:.2f}"


@dataclass(frozen=True)
class Stop:
    """Where the tab key comes to: what a screen reader says of it, and whether it is seen."""

    html: str
    role: str
    name: str
    is_marked: bool


def stops(page: Any, frame: Any) -> list[Stop]:
    """Press the tab key through all of the frame, until it has left it or is where it was."""
    frame.evaluate("frame => { frame.tabIndex = -1; frame.focus(); }")
    frame.evaluate(KEEP_LOOKS)
    cdp = page.context.new_cdp_session(page)
    found: list[Stop] = []
    seen: set[int] = set()
    for _ in range(MOST):
        page.keyboard.press("Tab")
        here = cdp.send("Runtime.evaluate", {"expression": "document.activeElement"})["result"]["objectId"]
        node = cdp.send("DOM.describeNode", {"objectId": here})["node"]["backendNodeId"]
        active = page.evaluate_handle("document.activeElement")
        if node in seen or not frame.evaluate("(frame, node) => frame.contains(node)", active):
            break
        seen.add(node)
        told = cdp.send("Accessibility.getPartialAXTree", {"objectId": here, "fetchRelatives": False})[
            "nodes"
        ][0]
        found.append(
            Stop(
                html=active.evaluate("node => node.outerHTML.slice(0, 200)"),
                role=told.get("role", {}).get("value", ""),
                name=told.get("name", {}).get("value", ""),
                is_marked=active.evaluate(IS_MARKED),
            )
        )
    cdp.detach()
    return found
