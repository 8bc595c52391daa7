"""The plots: Vega-Lite by Altair. The page hands in the rows.

Colours are the page's own variables, so light, dark and paper are a matter of its style alone.
Every plot has one band per step, so that the marks of bars and lines have the same places.
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
IS_WHOLE = "datum.is_whole"
# the ticks of small counts are halves, too
WHOLE = "datum.value % 1 ? '' : datum.label"
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
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
    """Lines, with a point at each step: a ring if the step is not complete."""
    base = alt.Chart(ROWS).encode(
        step_axis(), value_axis(unit), alt.Color("colour:N", scale=None), alt.Detail("series:N")
    )
    points = base.mark_point(size=30, opacity=1).encode(
        fill=alt.condition(IS_WHOLE, alt.Fill("colour:N", scale=None), alt.value("var(--page)")),
        tooltip=alt.Tooltip("label:N", title=""),
    )
    return alt.LayerChart(layer=[base.mark_line(strokeWidth=2), points])


def bars(unit: str) -> Chart:
    """Bars, stacked by series: pale if the step is not complete."""
    chart: alt.Chart = alt.Chart(ROWS).mark_bar(stroke="var(--page)", strokeWidth=1)
    return chart.encode(
        step_axis(),
        value_axis(unit),
        alt.Color("colour:N", scale=None),
        alt.Detail("series:N"),
        alt.Order("series:O"),
        alt.Tooltip("label:N", title=""),
        opacity=alt.condition(IS_WHOLE, alt.value(1), alt.value(0.4)),
    )


def heat() -> Chart:
    """Cells by weekday and hour: an hour that no log covers has none."""
    hours = alt.Scale(domain=[f"{hour:02}" for hour in range(24)])
    days = alt.Axis(labelExpr="slice(datum.label, 0, 3)")
    depth = alt.Scale(domainMin=0, range=[0.08, 1])
    legend = alt.Legend(title="Pulls an hour", orient="bottom")
    chart: alt.Chart = alt.Chart(ROWS).mark_rect(color="var(--all)")
    return chart.encode(
        alt.X(
            "hour:O", title=None, scale=hours, axis=alt.Axis(labelAngle=0, labelOverlap="parity")
        ),
        alt.Y("weekday:O", title=None, scale=alt.Scale(domain=WEEKDAYS), axis=days),
        alt.Opacity("value:Q", scale=depth, legend=legend),
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
    "hours": heat(),
}


def specifications() -> dict[str, dict[str, Any]]:
    return {name: styled(chart) for name, chart in CHARTS.items()}


def styled(chart: Chart) -> dict[str, Any]:
    config: dict[str, Any] = {
        "aria": False,  # each plot has a label, and its numbers as a table
        "view": {"stroke": None},
        # a step without a log keeps its place
        "mark": {"invalid": "break-paths-show-domains"},
        "legend": {**TEXT, "titleColor": "var(--ink)", "titleFont": "var(--font)"},
        "axis": {**TEXT, "gridColor": LINES, "domainColor": LINES, "tickColor": LINES},
    }
    # Vega measures labels without the page's font
    padding = {"left": 12, "right": 5, "top": 5, "bottom": 5}
    sized = chart.properties(
        width="container", height=220, background="transparent", padding=padding
    )
    specification: dict[str, Any] = sized.configure(**config).to_dict()
    return specification


def library() -> str:
    """Return Vega, Vega-Lite and their embedder as a script that loads nothing."""
    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return f"(() => {{{bundle}}})();"
