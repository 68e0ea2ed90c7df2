"""Pictures by Altair → SVG. Imported in the painter's process alone: it weighs half a second and a hundred megabytes."""

from typing import Any

import altair as alt
import vl_convert

from tactful.web.picture import Picture

FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
INK = {"light": ("#2a2219", "#665a4a", "#e2d7c3"), "dark": ("#efe6d5", "#b5a88f", "#3b3326")}
"""Of the style sheet: words, quiet words, lines."""
COLOURS = {
    "light": ("#8a4a12", "#2f6d94", "#5f7f2c", "#96487a", "#b07a10", "#6b6878"),
    "dark": ("#ecb866", "#82b9dd", "#a9c977", "#de9cc4", "#f3dc9b", "#b3b0c2"),
}


def svg(picture: Picture, theme: str, wide: bool) -> str:
    """The picture, drawn. theme: `light` or `dark`. Nothing is fetched from anywhere."""
    shapes = {"columns": _columns, "bars": _bars, "curve": _curve}
    (width, height), (ink, quiet, line) = picture.size(wide), INK[theme]
    places = {kind: place for place, kind in enumerate(picture.order)}
    rows = [
        {"where": where, "much": much, "kind": kind, "place": places.get(kind, 0)} for where, much, kind in picture.rows
    ]
    chart = shapes[picture.shape](picture, alt.InlineData(values=rows), COLOURS[theme], ink, wide)
    spec = (
        chart.properties(width=width, height=height, background="transparent", padding=4)
        .properties(autosize=alt.AutoSizeParams(type="fit", contains="padding"))
        .configure(font=FONT)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=quiet, titleColor=quiet, gridColor=line, domainColor=line, tickColor=line, labelFontSize=12,
            titleFontSize=12, titleFontWeight="normal", labelPadding=7,
        )
        .configure_legend(
            labelColor=ink, labelFontSize=12, title=None, orient="top", columns=3 if wide else 2, symbolType="square",
            labelLimit=140, offset=8,
        )
    )  # fmt: skip
    return str(vl_convert.vegalite_to_svg(spec.to_dict(), allowed_base_urls=[]))


def _colour(picture: Picture, colours: tuple[str, ...]) -> Any:
    if len(picture.order) < 2:
        return alt.value(colours[0])
    scale = alt.Scale(domain=list(picture.order), range=[colours[n % len(colours)] for n in range(len(picture.order))])
    return alt.Color("kind:N", scale=scale)


def _columns(picture: Picture, data: Any, colours: tuple[str, ...], ink: str, wide: bool) -> Any:
    where: list[Any] = list(dict.fromkeys(where for where, _, _ in picture.rows))
    shown = [one for number, one in enumerate(where) if number % (3 if wide else 6) == 0]
    axis = alt.Axis(title=picture.across, labelAngle=0, grid=False, values=shown, ticks=False)
    return (
        alt.Chart(data)
        .mark_bar(cornerRadiusTopLeft=2, cornerRadiusTopRight=2)
        .encode(
            x=alt.X("where:O", sort=where, axis=axis, scale=alt.Scale(paddingInner=0.25)),
            y=alt.Y(
                "sum(much):Q", axis=alt.Axis(title=picture.up, tickCount=4, domain=False, ticks=False, format="~s")
            ),
            color=_colour(picture, colours),
            order=alt.Order("place:Q"),
        )
    )


def _bars(picture: Picture, data: Any, colours: tuple[str, ...], ink: str, wide: bool) -> Any:
    """Each bar lies under its own name: a name needs no room beside it, however wide the reader's letters are."""
    where: list[Any] = list(dict.fromkeys(where for where, _, _ in picture.rows))
    y = alt.Y("where:N", sort=where, axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0))
    scale = alt.Scale(domain=[0, 100]) if picture.across.startswith("%") else alt.Undefined
    names = alt.InlineData(values=[{"where": name} for name in where])
    return alt.layer(
        alt.Chart(data)
        .mark_bar(height=13, yOffset=9, cornerRadiusEnd=2)
        .encode(
            y=y,
            x=alt.X("sum(much):Q", axis=None, scale=scale),
            color=_colour(picture, colours),
            order=alt.Order("place:Q"),
        ),
        alt.Chart(names)
        .mark_text(align="left", baseline="middle", yOffset=-9, fontSize=13, color=ink, limit=330 if not wide else 530)
        .encode(y=y, x=alt.value(0), text="where:N"),
    )


def _curve(picture: Picture, data: Any, colours: tuple[str, ...], ink: str, wide: bool) -> Any:
    axes: dict[str, Any] = {"tickCount": 4, "format": "%", "domain": False, "ticks": False}
    even = alt.Chart(alt.InlineData(values=[{"where": 0, "much": 0}, {"where": 1, "much": 1}]))
    encoded = {
        "x": alt.X("where:Q", axis=alt.Axis(title=picture.across, **axes), scale=alt.Scale(domain=[0, 1])),
        "y": alt.Y("much:Q", axis=alt.Axis(title=picture.up, **axes), scale=alt.Scale(domain=[0, 1])),
    }
    return alt.layer(
        even.mark_line(color=colours[-1], strokeDash=[5, 4], strokeWidth=1.5).encode(**encoded),
        alt.Chart(data).mark_area(color=colours[0], opacity=0.15).encode(**encoded),
        alt.Chart(data).mark_line(color=colours[0], strokeWidth=2.5).encode(**encoded),
    )
