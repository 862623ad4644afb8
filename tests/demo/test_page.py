"""The page as a person meets it: it learns, shows, writes, saves and obeys."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from live import SMALL, Live, until
from support import require

pytest.importorskip("starlette")
expect: Any = require("playwright.sync_api").expect


@pytest.fixture
def live() -> Iterator[Live]:
    with Live(SMALL) as one:
        yield one


@pytest.fixture
def page(live: Live, opened: Callable[..., Any]) -> Any:
    page = opened(live.address)
    expect(page.locator("#phase")).to_have_text("learning")
    return page


def number(page: Any, figure: str) -> float:
    return float(page.inner_text(f"#figure-{figure}").split()[0].replace(",", ""))


def paused(page: Any) -> None:
    page.click("#pause")
    expect(page.locator("#phase")).to_have_text("paused")


def test_it_learns_from_scratch_and_writes_better(opened: Callable[..., Any]) -> None:
    """A text is typed, a net chosen, a button pressed; the rest is watching."""
    with Live() as live:
        page = opened(live.address)
        expect(page.locator("#phase")).to_have_text("ready")
        page.fill("#text", "the cat sat on the mat.\nthe dog sat on the log.\n" * 40)
        expect(page.locator("#text-note")).to_contain_text("Changed")
        page.get_by_label("hidden sizes").fill("24")
        page.get_by_role("button", name="Learn", exact=True).click()
        expect(page.locator("#phase")).to_have_text("learning")
        expect(page.locator("#what")).to_contain_text("LSTM [24]")
        first = page.locator("#samples li").last.inner_text()
        expect(page.locator("#greedy")).to_contain_text("sat on the", timeout=40_000)
        points = live.session.board._curve.entries
        assert points[-1].smoothed < points[0].smoothed / 2
        assert number(page, "loss") < points[0].smoothed
        expect(page.locator("#samples")).to_contain_text("sat on")
        assert "sat on" not in first
        steps = page.locator("#samples b").all_inner_texts()
        assert len(set(steps)) == len(steps) > 1
        assert live.session.text.source == "your text"


def test_pause_stops_the_counter_and_a_step_is_one(page: Any, live: Live) -> None:
    until(lambda: number(page, "step") > 3, "it does not count")
    paused(page)
    at = number(page, "step")
    page.wait_for_timeout(500)
    assert number(page, "step") == at == live.session.board.step
    page.click("#step")
    until(lambda: number(page, "step") == at + 1, "no step")
    page.wait_for_timeout(300)
    assert number(page, "step") == at + 1
    expect(page.locator("#phase")).to_have_text("paused")
    page.get_by_role("button", name="Resume").click()
    until(lambda: number(page, "step") > at + 3, "it does not go on")


def test_sliders_and_their_boxes_act(page: Any, live: Live) -> None:
    def rate() -> float:
        assert live.session._lesson is not None
        return float(live.session._lesson.optimizer.learning_rate)

    before = rate()
    page.get_by_role("slider", name="Learning rate").press("ArrowLeft")
    until(lambda: rate() < before, "the slider does nothing")
    page.locator("#rate-box").fill("0.0123")
    page.locator("#rate-box").press("Enter")
    until(lambda: rate() == 0.0123, "the box does nothing")
    page.locator("#temperature-box").fill("0.5")
    page.locator("#temperature-box").press("Tab")
    until(lambda: live.session.board.temperature == 0.5, "no temperature")
    page.get_by_role("slider", name="Temperature").press("End")
    until(lambda: live.session.board.temperature > 11, "no high temperature")
    page.locator("#rate-box").fill("-1")
    page.locator("#rate-box").press("Enter")
    expect(page.locator("#rate-box")).to_have_attribute("aria-invalid", "true")
    assert rate() == 0.0123


def test_a_saved_model_writes_the_same_when_it_is_loaded(
    page: Any, tmp_path: Path
) -> None:
    until(lambda: page.locator("#samples li").count() > 2, "no samples")
    paused(page)
    with page.expect_download() as download:
        page.click("#save-tensors")
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    step = page.inner_text("#figure-step")
    page.set_input_files("#load-file", file)
    expect(page.locator("#greedy-step")).to_have_text(f"at step {step}")
    expect(page.locator("#files-note")).to_contain_text("is loaded")
    greedy = page.inner_text("#greedy")
    page.click("#learn")
    expect(page.locator("#phase")).to_have_text("learning")
    until(lambda: page.inner_text("#greedy") != greedy, "it writes the same anew")
    page.reload()
    expect(page.locator("#phase")).to_have_text("learning")
    page.set_input_files("#load-file", file)
    expect(page.locator("#files-note")).to_contain_text("is loaded")
    expect(page.locator("#phase")).to_have_text("paused")
    expect(page.locator("#greedy")).to_have_text(greedy)
    assert page.inner_text("#figure-step") == step


def test_recurrentjs_json_goes_out_and_comes_in(page: Any, tmp_path: Path) -> None:
    paused(page)
    with page.expect_download() as download:
        page.click("#save-json")
    file = tmp_path / "model.json"
    download.value.save_as(file)
    page.set_input_files("#load-file", file)
    expect(page.locator("#files-note")).to_contain_text("is loaded")
    file.write_text("{")
    with page.expect_response("**/model"):
        page.set_input_files("#load-file", file)
    expect(page.locator("#files-note")).to_contain_text("Not loaded")


def test_a_text_that_is_too_long_does_not_cost_the_connection(page: Any) -> None:
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.evaluate(
        """() => {
          const box = document.getElementById("inside-text");
          box.value = "\u0001".repeat(20000);  // six bytes each
          document.getElementById("look").click();
        }"""
    )
    step = number(page, "step")
    until(lambda: number(page, "step") > step + 5, "it does not count")
    expect(page.locator("#lost")).to_be_hidden()
    assert sockets == []


def test_markup_in_a_text_is_text(page: Any) -> None:
    line = "<img src=x onerror=window.hit=1><script>window.hit=1</script>"
    page.fill("#text", f"{line}\n" * 60)
    page.get_by_label("learning rate").first.fill("0.02")
    page.click("#learn")
    expect(page.locator("#greedy")).to_contain_text("<img src=x", timeout=60_000)
    page.fill("#prompt-text", "<img src=x onerror=window.hit=1>")
    page.click("#prompt-go")
    expect(page.locator("#prompt-go")).to_have_text("Write")
    page.fill("#inside-text", line)
    page.click("#look")
    expect(page.locator("#reading span")).to_have_count(len(line) + 1)
    assert page.locator("img, main script").count() == 0
    assert page.evaluate("window.hit") is None


def test_a_prompt_is_continued_letter_by_letter(page: Any) -> None:
    page.fill("#prompt-text", "the ")
    page.fill("#prompt-length", "5000")
    page.evaluate(
        """() => {
          window.seen = [];
          const [go, out] = ["prompt-go", "prompt-out"].map(
            (id) => document.getElementById(id));
          const look = () => window.seen.push([go.textContent, out.textContent.length]);
          const what = { childList: true, characterData: true, subtree: true };
          for (const one of [go, out]) new MutationObserver(look).observe(one, what);
        }"""
    )
    page.click("#prompt-go")
    out = page.locator("#prompt-out")
    expect(out).to_be_visible()
    until(lambda: page.inner_text("#prompt-go") == "Write", "no end")
    seen = page.evaluate("window.seen")
    assert "Stop" in [label for label, _ in seen]
    assert len({length for _, length in seen}) > 2, "all at once"
    assert out.inner_text().startswith("the ")
    written = out.inner_text()
    page.fill("#prompt-length", "0")
    page.click("#prompt-go")
    assert page.locator("#prompt-length:invalid").count() == 1
    assert out.inner_text() == written


def test_the_cell_decides_which_options_there_are(page: Any, live: Live) -> None:
    form = page.locator("#form")
    gate = form.locator('[data-name="model.gate"]')
    for more in form.locator("summary").all():
        more.click()
    expect(gate).to_be_hidden()
    page.get_by_label("cell", exact=True).select_option("gflstm")
    expect(gate).to_be_visible()
    gate.locator("select").select_option("vector")
    page.get_by_label("hidden sizes").fill("6,5")
    page.click("#learn")
    expect(page.locator("#what")).to_contain_text("GFLSTM [6, 5]")
    assert live.session._lesson is not None
    assert live.session._lesson.language.net.config()["gate"] == "vector"
    expect(page.locator(".gates table")).to_be_visible()
    page.get_by_label("hidden sizes").fill("many")
    page.click("#learn")
    expect(page.locator("#error")).to_contain_text("many")
    expect(page.locator("#phase")).to_have_text("learning")


def test_a_dropped_text_is_the_one_to_learn(page: Any, live: Live) -> None:
    page.evaluate(
        """() => {
          const dataTransfer = new DataTransfer();
          const text = "to be or not to be\\n".repeat(9);
          dataTransfer.items.add(new File([text], "be.txt"));
          for (const kind of ["dragenter", "dragover", "drop"]) {
            const event = new DragEvent(kind, { dataTransfer, cancelable: true });
            window.dispatchEvent(event);
          }
        }"""
    )
    expect(page.locator("#text")).to_have_value(re.compile("^to be or not"))
    page.click("#text-undo")
    expect(page.locator("#text")).not_to_have_value(re.compile("^to be or not"))
    page.set_input_files(
        "#text-file", {"name": "bad.txt", "mimeType": "", "buffer": b"\xff\xfe\xff"}
    )
    expect(page.locator("#text-note")).to_contain_text("not UTF-8")
    assert live.session.text.source == "a grammar"


def test_a_text_that_is_too_long_to_edit_gives_way_to_another(
    page: Any, live: Live
) -> None:
    box, another = page.locator("#text"), page.locator("#text-new")
    expect(another).to_be_hidden()
    text = b"to be or not to be\n" * 20_000
    page.set_input_files(
        "#text-file", {"name": "long.txt", "mimeType": "", "buffer": text}
    )
    expect(box).not_to_be_editable()
    expect(page.locator("#text-note")).to_contain_text("too long")
    another.click()
    expect(box).to_be_focused()
    box.fill("the cat sat on the mat.\n" * 20)
    page.click("#learn")
    until(lambda: live.session.text.source == "your text", "it learns another")
    expect(another).to_be_hidden()


def test_tabs_share_the_session(
    page: Any, live: Live, opened: Callable[..., Any]
) -> None:
    other = opened(live.address)
    for one in (page, other):
        expect(one.locator("#tabs")).to_contain_text("open in 2 tabs")
    paused(other)
    expect(page.locator("#phase")).to_have_text("paused")
    other.fill("#text", "abc abd\n" * 30)
    other.click("#learn")
    expect(page.locator("#text")).to_have_value("abc abd\n" * 30)
    other.close()
    expect(page.locator("#tabs")).to_be_hidden()


def test_a_lost_connection_comes_back_with_everything(
    live: Live, opened: Callable[..., Any]
) -> None:
    page = opened(live.address)
    lines: list[Any] = []
    lost = [False]

    def connect(line: Any) -> None:
        if lost[0]:
            line.close()
        else:
            line.connect_to_server()
            lines.append(line)

    page.route_web_socket("**/socket", connect)
    page.reload()
    expect(page.locator("#phase")).to_have_text("learning")
    until(lambda: page.locator("#samples li").count() > 1, "no samples")
    lost[0] = True
    lines[-1].close()
    expect(page.locator("#lost")).to_contain_text("connection is lost")
    expect(page.locator("#learn")).to_be_disabled()
    at, count = number(page, "step"), page.locator("#samples li").count()
    lost[0] = False
    expect(page.locator("#lost")).to_be_hidden()
    expect(page.locator("#phase")).to_have_text("learning")
    until(lambda: number(page, "step") > at, "it stands still")
    assert page.locator("#samples li").count() >= count
    labels = page.locator("#samples b").all_inner_texts()
    assert len(set(labels)) == len(labels)


def test_the_race_has_times_of_both(page: Any) -> None:
    page.click("#race-start")
    expect(page.locator("#what")).to_contain_text("LSTM [20, 20]")
    row = page.locator("#race tbody tr").first
    expect(row.locator("td").first).to_contain_text(" s", timeout=60_000)
    expect(row.locator("td").nth(1)).to_contain_text(re.compile(r"s to [\d.]+ s"))
    expect(page.locator("#race")).to_contain_text("recorded")
