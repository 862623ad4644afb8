"""The page in any light, width and hand: chart, colours, keyboard, narrow screens."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from live import SMALL, Live, until
from recurrentnn.demo import look
from support import require

pytest.importorskip("starlette")
expect: Any = require("playwright.sync_api").expect

PIXELS = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.join()"


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    with Live(SMALL | {"cell": "gflstm", "hidden_sizes": "7,6"}) as one:
        yield one


@pytest.fixture
def page(live: Live, opened: Callable[..., Any]) -> Any:
    page = opened(live.address, device_scale_factor=2)
    expect(page.locator("#samples li").first).to_be_visible()
    if page.inner_text("#phase") == "learning":
        page.click("#pause")
    expect(page.locator("#phase")).to_have_text("paused")
    return page


def test_the_chart_is_drawn_sharply_and_tells_its_values(page: Any) -> None:
    chart = page.locator("#chart")
    size = chart.evaluate("c => [c.width / c.clientWidth, c.height / c.clientHeight]")
    assert np.allclose(size, 2, atol=0.01)
    bits = chart.evaluate(PIXELS)
    chart.hover()
    readout = page.locator("#readout")
    expect(readout).to_contain_text("training")
    told = readout.inner_text()
    chart.focus()
    chart.press("End")
    chart.press("ArrowLeft")
    expect(readout).not_to_have_text(told)
    page.mouse.move(0, 0)
    chart.blur()
    expect(readout).to_have_text("")
    shown = {bits, chart.evaluate(PIXELS)}
    perplexity = page.get_by_text("perplexity", exact=True).first
    for control in (perplexity, page.locator("#log"), page.locator("#raw")):
        control.click()
        until(lambda: chart.evaluate(PIXELS) not in shown, "it is not drawn anew")
        shown.add(chart.evaluate(PIXELS))


def test_a_page_that_comes_while_it_is_paused_has_everything(
    page: Any, live: Live, opened: Callable[..., Any]
) -> None:
    other = opened(live.address)
    expect(other.locator("#phase")).to_have_text("paused")
    expect(other.locator("#rate-box")).to_have_value("0.005")
    expect(other.locator("#temperature-box")).to_have_value("1")
    for one in ("#figure-loss", "#figure-step", "#greedy"):
        expect(other.locator(one)).to_have_text(page.locator(one).inner_text())


def test_units_of_the_loss_are_those_of_the_server(page: Any, live: Live) -> None:
    loss = live.session.board._curve.smoothed
    for unit, worth in (
        ("nats", loss),
        ("bits", loss / np.log(2)),
        ("perplexity", np.exp(loss)),
    ):
        page.locator(f'#unit input[value="{unit}"]').check(force=True)
        shown = float(page.inner_text("#figure-loss"))
        assert shown == pytest.approx(worth, rel=0.02)


def test_letters_have_the_colour_of_their_unit(page: Any, live: Live) -> None:
    text = "the cat"
    page.fill("#inside-text", text)
    page.click("#look")
    spans = page.locator("#reading span")
    expect(spans).to_have_count(len(text) + 1)
    page.locator("#inside-layer").select_option("1")
    page.fill("#inside-unit", "3")
    language = live.session.copied().result()
    for signal, scaled in (
        ("hidden", lambda v: v),
        ("cell", np.tanh),
        ("forget", lambda v: 2 * v - 1),
    ):
        page.locator("#inside-signal").select_option(signal)
        values = np.array(look.look(language, text, 1, signal)["values"])[:, 3]
        colours = """async (values) => {
          const { diverging } = await import("/page/colour.js");
          return values.map((v) => `rgb(${diverging(v).join(", ")})`);
        }"""
        wanted = page.evaluate(colours, scaled(values).tolist())
        assert len(set(wanted)) > 1
        for k, colour in enumerate(wanted):
            expect(spans.nth(k)).to_have_css("background-color", colour)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_blue_is_below_nothing_and_red_above(
    live: Live, opened: Callable[..., Any], theme: str
) -> None:
    page = opened(live.address, color_scheme=theme)
    low, none, high = page.evaluate(
        """async () => {
          const { diverging } = await import("/page/colour.js");
          return [-1, 0, 1].map(diverging);
        }"""
    )
    assert low[2] > low[0] + 60
    assert high[0] > high[2] + 60
    assert max(none) - min(none) < 12
    assert (min(none) > 200) == (theme == "light")


def test_what_may_follow_and_the_strongest_units(page: Any, live: Live) -> None:
    page.fill("#inside-text", "the cat")
    page.click("#look")
    expect(page.locator("#reading span")).to_have_count(8)
    page.locator("#reading span").nth(2).hover()
    found = look.look(live.session.copied().result(), "the cat", 0, "hidden")
    expect(page.locator(".eye-symbol")).to_have_text("h")
    strongest = [int(u) for u, _ in found["strongest"][2]]
    names = page.locator(".strongest .name").all_inner_texts()
    assert names == [f"unit {unit}" for unit in strongest]
    follow = page.locator(".bars:not(.strongest) .value").all_inner_texts()
    assert len(follow) == len(found["next"][2])
    assert float(follow[0].split()[0]) == pytest.approx(
        100 * found["next"][2][0][1], abs=0.51
    )
    page.locator(".strongest button").nth(1).press("Enter")
    expect(page.locator("#inside-unit")).to_have_value(str(strongest[1]))
    expect(page.locator(".strongest button").nth(1)).to_be_focused()
    page.locator("#reading").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".eye-symbol")).to_have_text("e")
    page.keyboard.press("End")
    expect(page.locator(".eye-symbol")).to_have_text("t")
    page.locator("#inside-unit").fill("0")
    page.locator("#reading").press("ArrowDown")
    expect(page.locator("#inside-unit")).to_have_value("1")


def test_the_inside_follows_the_learning(page: Any, live: Live) -> None:
    page.fill("#inside-text", "the cat")
    page.click("#look")
    expect(page.locator("#reading span")).to_have_count(8)
    span = page.locator("#reading span").nth(5)
    before = span.evaluate("s => s.style.backgroundColor")
    facts = page.locator("section > .under .note").last
    weights = facts.inner_text()
    page.locator("#inside").scroll_into_view_if_needed()
    page.locator("#inside-follow").uncheck()
    page.click("#pause")
    page.wait_for_timeout(500)
    page.click("#look")
    expect(facts).not_to_have_text(weights)
    weights = facts.inner_text()
    page.locator("#inside-follow").check()
    expect(span).not_to_have_css("background-color", before)
    expect(facts).not_to_have_text(weights)
    page.click("#pause")
    expect(page.locator("#phase")).to_have_text("paused")
    page.locator("#reading").scroll_into_view_if_needed()
    name = page.locator("#weights-name").input_value()
    largest = float(np.abs(live.session.copied().result().net[name].value).max())

    def told() -> float:
        return float(facts.inner_text().rpartition(" ")[2])

    until(lambda: told() == pytest.approx(largest, rel=0.01), "it is behind")


def test_feedback_gates_and_weights_are_the_nets_own(page: Any, live: Live) -> None:
    page.fill("#inside-text", "the cat")
    page.click("#look")
    expect(page.locator("#reading span")).to_have_count(8)
    page.locator("#reading span").nth(5).hover()
    expect(page.locator(".eye-symbol")).to_have_text("c")
    language = live.session.copied().result()
    gates = np.array(look.look(language, "the cat", 0, "hidden")["gates"])[5]
    shown = page.locator(".gates td.gate").all_inner_texts()
    assert np.allclose([float(one) for one in shown], gates.ravel(), atol=0.0051)
    page.locator("#weights-name").select_option("layers.1.forget.weight_h")
    values = np.asarray(language.net["layers.1.forget.weight_h"].value)
    rows, columns = values.shape
    label = re.compile(rf"^layers\.1\.forget\.weight_h: {rows} . {columns}, from")
    expect(page.locator("canvas.weights")).to_have_attribute("aria-label", label)
    page.locator("canvas.weights").hover(position={"x": 2, "y": 2})
    readout = page.locator("section > .under output").last
    expect(readout).to_contain_text("row 0, column 0")
    told = float(readout.inner_text().split(": ")[1])
    assert told == pytest.approx(float(values[0, 0]), rel=0.02, abs=1e-3)


def test_it_can_be_used_by_keyboard_alone(page: Any) -> None:
    page.evaluate("document.activeElement.blur()")
    reached: list[str] = []
    for _ in range(120):
        page.keyboard.press("Tab")
        name, outline = page.evaluate(
            """() => {
              const e = document.activeElement;
              const seen = getComputedStyle(e.type === "radio" ? e.nextSibling : e);
              const outline = seen.outlineStyle + seen.outlineWidth;
              return [e.id || e.name || e.tagName, outline];
            }"""
        )
        if name == "BODY":
            break
        reached.append(name)
        assert outline == "solid2px", f"{name} has no visible focus"
    wanted = "theme learn pause step unit log raw chart rate-box rate-range "
    wanted += "temperature-range prompt-text prompt-go samples text save-tensors load "
    wanted += "inside-layer inside-signal inside-unit reading weights-name race-start"
    assert set(wanted.split()) <= set(reached)
    page.locator("#pause").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#phase")).to_have_text("learning")
    page.keyboard.press("Space")
    expect(page.locator("#phase")).to_have_text("paused")


def test_everything_that_is_filled_in_has_a_name(page: Any) -> None:
    nameless = page.evaluate(
        """() => [..."input select textarea button canvas".split(" ")]
          .flatMap((tag) => [...document.querySelectorAll(tag)])
          .filter((e) => !e.hidden && e.type !== "file" && !e.closest("[hidden]"))
          .filter((e) => !(e.labels?.length || e.ariaLabel || e.textContent.trim()
            || e.getAttribute("aria-labelledby")))
          .map((e) => e.outerHTML)"""
    )
    assert nameless == []


def test_many_layers_fit_on_a_narrow_screen(
    live: Live, opened: Callable[..., Any]
) -> None:
    page = opened(live.address, width=390, height=700)
    expect(page.locator(".gates td.gate").first).to_be_visible()
    sizes = page.evaluate(
        """() => {
          const table = document.querySelector(".gates table");
          const row = table.rows[1];
          for (let k = 0; k < 8; k += 1) row.append(row.cells[1].cloneNode(true));
          return [table.offsetWidth, document.documentElement.scrollWidth];
        }"""
    )
    assert sizes[0] > 390
    assert sizes[1] <= 390


@pytest.mark.parametrize("width", [320, 390, 800])
def test_a_narrow_screen_needs_no_scrolling_sideways(
    live: Live, opened: Callable[..., Any], width: int
) -> None:
    page = opened(live.address, width=width, height=700)
    expect(page.locator("#reading span").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for button in ("#learn", "#pause", "#step"):
        expect(page.locator(button)).to_be_in_viewport()
    page.mouse.wheel(0, 900)
    expect(page.locator("#pause")).to_be_in_viewport()


def test_light_and_dark(live: Live, opened: Callable[..., Any]) -> None:
    page = opened(live.address, color_scheme="dark", reduced_motion="reduce")
    expect(page.locator("#phase")).not_to_have_text("connecting")
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)
    page.click("#theme")
    light = page.evaluate(paper)
    assert sum(map(int, light[4:-1].split(","))) > 600
    assert sum(map(int, dark[4:-1].split(","))) < 100
    page.reload()
    assert page.evaluate(paper) == light
    animation = "getComputedStyle(document.querySelector('#phase'), '::before')"
    assert page.evaluate(f"{animation}.animationName") == "none"
