"""The inside of a net as one file: it needs nothing else, and markup in it is text."""

import base64
import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
from recurrentnn.cli import main
from recurrentnn.demo import look
from recurrentnn.demo.html import PAGE, Inspection, bundled, embedded
from support import require

EVIL = "</script><img src=x onerror=window.hit=1><!-- & \u2028"


@pytest.fixture(scope="module")
def lm() -> rnn.CharModel:
    return rnn.CharModel.create(EVIL, cell="gflstm", hidden_sizes=[5, 4], seed=3)


def data_of(document: str) -> dict[str, Any]:
    found = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', document
    )
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def shown_in_a_browser(opened: Callable[..., Any], address: str) -> Any:
    expect = require("playwright.sync_api").expect
    page = opened(address)
    place = page.frame_locator("iframe") if address.endswith("book.html") else page
    expect(place.locator("#reading span")).to_have_count(len(EVIL))
    return place


def test_the_file_shows_what_the_net_does(
    lm: rnn.CharModel, opened: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "out.html"
    inspection = lm.inspect(EVIL)
    inspection.save(path)
    expect = require("playwright.sync_api").expect
    page = shown_in_a_browser(opened, path.as_uri())
    assert "".join(page.locator("#reading span").all_inner_texts()) == EVIL
    assert page.evaluate("window.hit") is None
    assert page.locator("img").count() == 0
    page.locator("#inside-layer").select_option("1")
    page.locator("#inside-signal").select_option("output")
    page.locator("#inside-unit").fill("3")
    page.locator("#reading span").nth(6).hover()
    value = inspection.activations["layers.1.output"][6, 3]
    note = page.locator(".eye .note").first
    expect(note).to_have_text(re.compile(re.escape(f"{value:.2f}") + "$"))
    gates = look.look(lm, EVIL, 0, "hidden")["gates"][6]
    told = page.locator(".gates td.gate").all_inner_texts()
    assert np.allclose([float(t) for t in told], np.ravel(gates), atol=0.0051)
    colours = {
        span.evaluate("s => s.style.backgroundColor")
        for span in page.locator("#reading span").all()
    }
    assert len(colours) > 3


def test_a_notebook_shows_it_in_a_frame_that_reaches_nothing(
    lm: rnn.CharModel, opened: Callable[..., Any], tmp_path: Path
) -> None:
    shown = lm.inspect(EVIL)._repr_html_()
    assert shown.startswith('<iframe sandbox="allow-scripts"')
    assert "<script" not in shown
    book = tmp_path / "book.html"
    book.write_text(f"<!doctype html><p>cell</p>{shown}", encoding="utf-8")
    frame = shown_in_a_browser(opened, book.as_uri())
    assert frame.locator(".strongest button").count() == 5


def test_all_numbers_are_in_it(lm: rnn.CharModel) -> None:
    inspection = lm.inspect(EVIL)
    data = data_of(inspection.to_html())
    activations = lm.net.activations(lm.vocabulary.encode(EVIL))
    assert set(data["values"]) == {
        name.removeprefix("layers.") for name in activations if name != "output"
    }
    for name, packed in data["values"].items():
        values = activations[f"layers.{name}"]
        found = np.frombuffer(base64.b64decode(packed["data"]), "<i2") * packed["scale"]
        largest = np.abs(values).max()
        assert np.allclose(found, values.ravel(), rtol=0, atol=largest * 2**-15.9)
    assert set(data["weights"]) == set(lm.net.parameters())
    assert data["text"] == list(EVIL)


def test_nothing_in_the_data_ends_its_element(lm: rnn.CharModel) -> None:
    document = lm.inspect(EVIL).to_html()
    assert document.count("<script") == document.count("</script>") == 2
    assert "<img" not in document
    # A net of words has symbols that are elements by themselves.
    words = ["<!--", EVIL]
    assert "<" not in embedded(words)
    assert json.loads(embedded(words)) == words


def test_the_file_names_no_address(lm: rnn.CharModel) -> None:
    document = lm.inspect("img").to_html()
    assert not re.findall(r"https?://|//\w+\.\w+/|@import|url\(", document)
    policy = html.unescape(document)
    assert "default-src 'none'; script-src 'sha256-" in policy
    assert "unsafe" not in policy


def test_it_is_the_net_of_then() -> None:
    model = rnn.CharModel.create("abc", hidden_sizes=[4])
    inspection = model.inspect("abc")
    model.learn("abcabcabc", steps=3)
    again = model.inspect("abc")
    assert inspection.to_html() != again.to_html()
    assert repr(inspection).startswith("Inspection(CharModel(lstm [4], 3 symbols")


def test_modules_come_after_what_they_import() -> None:
    script = bundled("standalone.js")
    assert not re.search(r"^\s*(?:import|export)\b", script, re.MULTILINE)
    order = re.findall(r'^modules\["([\w.]+)"\] = ', script, re.MULTILINE)
    assert order[-1] == "standalone.js"
    for place, name in enumerate(order):
        source = (PAGE / name).read_text(encoding="utf-8")
        assert set(re.findall(r'from "\./([\w.]+)"', source)) <= set(order[:place])


@pytest.mark.parametrize(
    ("text", "words"), [("", "empty"), ("a" * 1001, "at most 1000 symbols")]
)
def test_texts_that_cannot_be_shown_are_refused(
    lm: rnn.CharModel, text: str, words: str
) -> None:
    with pytest.raises(rnn.ArgumentError, match=words):
        Inspection(lm, text)


def test_the_command_writes_the_file(
    lm: rnn.CharModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, out, text = (tmp_path / n for n in ("m.safetensors", "out.html", "t.txt"))
    lm.save(model)
    text.write_text(EVIL, encoding="utf-8")
    command = ["inspect", str(model), "--activations", f"@{text}"]
    assert main([*command, "--html", str(out)]) == 0
    assert out.read_text(encoding="utf-8") == lm.inspect(EVIL).to_html()
    out.unlink()
    assert main(command) == 2
    assert main([*command, "--html", str(tmp_path / "none" / "out.html")]) == 3
    assert main(["inspect", str(model), "--html", str(out)]) == 2
    assert "--activations and --html go together" in capsys.readouterr().err
    assert not out.exists()
