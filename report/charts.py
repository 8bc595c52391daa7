"""The plots: Vega-Lite by Altair. The page hands in the rows.

Colours are the page's own variables, so light, dark and paper are a matter of its style alone.
"""

from typing import Any, Literal

import altair as alt
import vl_convert

ROWS = alt.NamedData("rows")
SERIES = [f"var(--series-{number})" for number in range(1, 8)]
TEXT = {"labelColor": "var(--ink)", "labelFont": "var(--font)", "labelFontSize": 12}
LINES = "var(--lines)"
# of a few days every noon has a tick as well
DAYS_ONLY = "utchours(datum.value) ? '' : datum.label"
# a format of d3 knows SI prefixes and no unit
WITH_UNIT = "replace(datum.label, /([kMGTPE]?)$/, ' $1B')"


def time_axis(binned: Literal["binned"] | None = None) -> alt.X:
    axis = alt.Axis(
        grid=False,
        format="%b %-d",
        labelExpr=DAYS_ONLY,
        labelFlush=False,
        labelOverlap=True,
        labelSeparation=8,
    )
    return alt.X("start:T", title=None, bin=binned, scale=alt.Scale(type="utc"), axis=axis)


def value_axis(unit: str) -> alt.Y:
    axis = alt.Axis(tickCount=5, tickMinStep=1, format=",d")
    if unit == "bytes":
        axis = alt.Axis(tickCount=5, tickMinStep=1, format="~s", labelExpr=WITH_UNIT)
    return alt.Y("value:Q", title=None, axis=axis, scale=alt.Scale(nice=5))


def series(has_legend: bool = True) -> alt.Color:
    scale = alt.Scale(range=SERIES)
    if not has_legend:
        return alt.Color("series:N", scale=scale, legend=None)
    return alt.Color("series:N", title=None, sort=None, scale=scale)


def lines(unit: str) -> alt.Chart:
    chart: alt.Chart = alt.Chart(ROWS).mark_line(point={"size": 30, "filled": True})
    return chart.encode(time_axis(), value_axis(unit), series(), alt.Tooltip("label:N", title=""))


def bars(unit: str, is_stacked: bool = False) -> alt.Chart:
    """Bars, as wide as the step that `start` and `end` span."""
    chart: alt.Chart = alt.Chart(ROWS).mark_bar(stroke="var(--page)", strokeWidth=1)
    return chart.encode(
        time_axis("binned"),
        alt.X2("end:T"),
        value_axis(unit),
        series(is_stacked),
        alt.Tooltip("label:N", title=""),
    )


CHARTS = {
    "pulls": lines("pulls"),
    "clients": lines("clients"),
    "classes": bars("pulls", is_stacked=True),
    "pushes": bars("pushes"),
    "served": bars("bytes"),
    "stored": lines("bytes"),
}


def specifications() -> dict[str, dict[str, Any]]:
    return {name: styled(chart) for name, chart in CHARTS.items()}


def styled(chart: alt.Chart) -> dict[str, Any]:
    config: dict[str, Any] = {
        "aria": False,  # each plot has a label, and its numbers as a table
        "view": {"stroke": None},
        "axis": {
            **TEXT,
            "gridColor": LINES,
            "domainColor": LINES,
            "tickColor": LINES,
        },
        "legend": {**TEXT, "orient": "top", "columnPadding": 16},
    }
    sized = chart.properties(width="container", height=220, background="transparent")
    specification: dict[str, Any] = sized.configure(**config).to_dict()
    return specification


def library() -> str:
    """Return Vega, Vega-Lite and their embedder as a script that loads nothing."""
    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return f"(() => {{{bundle}}})();"
