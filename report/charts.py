"""The plots: Vega-Lite by Altair. The page hands in the rows.

Colours are the page's own variables, so light, dark and paper are a matter of its style alone.
Every plot has one band per step, so that the marks of bars and lines stand on the same places.
"""

from typing import Any

import altair as alt
import vl_convert

ROWS = alt.NamedData("rows")
TEXT = {"labelColor": "var(--ink)", "labelFont": "var(--font)", "labelFontSize": 12}
LINES = "var(--lines)"
# a step is YYYY-MM-DD or, of months, YYYY-MM
STEP = "utcFormat(toDate(datum.value), length(datum.value) > 7 ? '%b %-d' : '%b %Y')"
# a format of d3 knows SI prefixes and no unit
WITH_UNIT = "replace(datum.label, /([kMGTPE]?)$/, ' $1B')"
DASHED = [4, 3]
# the ticks of small counts are halves, too
WHOLE = "datum.value % 1 ? '' : datum.label"
Chart = alt.Chart | alt.LayerChart


def step_axis() -> alt.X:
    axis = alt.Axis(
        grid=False, labelAngle=0, labelExpr=STEP, labelOverlap="parity", labelSeparation=8
    )
    return alt.X("step:O", title=None, axis=axis)


def value_axis(unit: str) -> alt.Y:
    axis = alt.Axis(tickCount=5, tickMinStep=1, format=",d", labelExpr=WHOLE)
    if unit == "bytes":
        axis = alt.Axis(tickCount=5, tickMinStep=1, format="~s", labelExpr=WITH_UNIT)
    return alt.Y("value:Q", title=None, axis=axis, scale=alt.Scale(nice=5))


def lines(unit: str) -> Chart:
    """Lines; segments to and from a step that is not complete are dashed."""
    base = alt.Chart(ROWS).encode(
        step_axis(), value_axis(unit), alt.Color("colour:N", scale=None), alt.Detail("series:N")
    )
    segments = [
        base.mark_line(strokeWidth=2, strokeDash=dash)
        .encode(alt.Detail("segment:N"))
        .transform_filter(f"datum.mark == '{mark}'")
        for mark, dash in (("line", []), ("dash", DASHED))
    ]
    points = (
        base.mark_point(size=30, filled=True, opacity=1)
        .encode(alt.Tooltip("label:N", title=""))
        .transform_filter("datum.mark == 'point'")
    )
    return alt.LayerChart(layer=[*segments, points])


def bars(unit: str) -> Chart:
    """Bars, stacked by series; the page hatches those of a step that is not complete."""
    chart: alt.Chart = alt.Chart(ROWS).mark_bar(stroke="var(--page)", strokeWidth=1)
    return chart.encode(
        step_axis(),
        value_axis(unit),
        alt.Color("fill:N", scale=None),
        alt.Detail("series:N"),
        alt.Order("series:O"),
        alt.Tooltip("label:N", title=""),
    )


CHARTS = {
    "pulls": lines("pulls"),
    "clients": lines("clients"),
    "classes": bars("pulls"),
    "pushes": bars("pushes"),
    "served": bars("bytes"),
    "egress": bars("bytes"),
    "failed": bars("requests"),
    "incomplete": bars("pulls"),
    "stored": lines("bytes"),
}


def specifications() -> dict[str, dict[str, Any]]:
    return {name: styled(chart) for name, chart in CHARTS.items()}


def styled(chart: Chart) -> dict[str, Any]:
    config: dict[str, Any] = {
        "aria": False,  # each plot has a label, and its numbers as a table
        "view": {"stroke": None},
        # a step without a log keeps its place
        "mark": {"invalid": "break-paths-show-domains"},
        "axis": {**TEXT, "gridColor": LINES, "domainColor": LINES, "tickColor": LINES},
    }
    sized = chart.properties(width="container", height=220, background="transparent")
    specification: dict[str, Any] = sized.configure(**config).to_dict()
    return specification


def library() -> str:
    """Return Vega, Vega-Lite and their embedder as a script that loads nothing."""
    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return f"(() => {{{bundle}}})();"
