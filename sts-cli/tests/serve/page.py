#!/usr/bin/env python3
"""Drives the page of `sts serve` in a headless Chromium: `bash .ci/page` runs it.

With a folder as argument, pictures of the page are put there.
"""

import csv
import json
import pathlib
import subprocess
import sys

from browser import Browser, Page
from server import CASE, STS, Server

WIDE = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


def entries():
    """The refusals of the example, with what a replay says of each."""
    done = subprocess.run([STS, "replay", str(CASE), "--format", "ndjson"], capture_output=True, text=True)
    verdicts = {one["id"]: one for one in map(json.loads, done.stdout.splitlines())}
    with open(CASE / "entries.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [(row, verdicts[row["id"]]) for row in rows if verdicts[row["id"]]["cause"]]


def put(page, field, value):
    page.run(f"document.getElementById('{field}').focus(); document.getElementById('{field}').select()")
    page.type(value) if value else page.key("Delete", number=46)


def ask(page, row):
    page.run("document.getElementById('question').reset()")
    page.until("!document.querySelector('article')")
    page.run("document.querySelector('form details').open = true")
    for field, value in (("text", row["entered"]), ("meter", row["drn"]), ("displayed", row["displayed"]),
                         ("sold_at", row["sold_at"]), ("quantity", row["quantity"]), ("at", row["entered_at"])):
        put(page, field, value)
    page.enter()
    page.until("document.querySelector('article') && document.querySelector('#history svg')")


def answers(page):
    texts = json.loads(page.run("fetch('/api/v1/texts/en').then((answer) => answer.text())"))
    for row, verdict in entries():
        ask(page, row)
        shown = page.run("document.querySelector('article').innerText")
        cause = verdict["cause"]
        for part in ("why", "next", "customer"):
            sentence = texts[f"cause.{cause}.{part}"]
            assert sentence in shown, f"{row['id']} {cause}: {sentence}\n{shown}"
        status = page.run("document.getElementById('status').innerText")
        assert texts[f"cause.{cause}.customer"] in status, f"a screen reader hears {status!r}"
        if cause.startswith("typed."):
            off = page.run("[...document.querySelectorAll('.group.off')].map((one) => one.innerText).join()")
            fit = page.run("[...document.querySelectorAll('.group.fit')].map((one) => one.innerText).join()")
            assert off and fit and off != fit, (off, fit)
            assert "Group " in shown and " differs: keyed " in shown, shown
        assert page.run("document.querySelectorAll('article svg[role=img]').length") >= 1
        assert page.run(WIDE), f"{row['id']} is too wide"


def slips(page):
    page.run("document.getElementById('question').reset()")
    put(page, "text", "Meter 01202401012\nToken 0443 4137 6791 7902 4103\n10.0 m3\n")
    page.enter()
    assert page.run("getComputedStyle(document.getElementById('keypad')).display") == "none", "a slip is no keypad"
    assert "Tell the customer" in page.until("document.querySelector('article')?.innerText")
    put(page, "meter", "01202401013")
    page.enter()
    problem = page.until("!document.getElementById('problem').hidden && document.getElementById('problem').innerText")
    assert "did you mean 01202401012" in problem, problem
    assert page.run("document.activeElement.id") == "meter"


def markup(page):
    page.run("document.getElementById('question').reset()")
    put(page, "text", "<img src=x onerror=alert(1)><b>1844</b>")
    put(page, "displayed", "<i>017</i>")
    put(page, "meter", "01202401012")
    page.enter()
    page.until("document.querySelector('article')")
    assert page.run("document.querySelectorAll('#answer img, #answer i').length") == 0


def keyboard(page):
    """Everything with Tab, Enter and letters alone."""
    page.run("document.getElementById('question').reset(); document.activeElement.blur()")
    page.run("document.querySelector('form details').open = false")
    reached, visible = [], []
    for _ in range(30):
        page.tab()
        name = page.run("document.activeElement.id || document.activeElement.className || document.activeElement.tagName")
        # Past the last comes the first, at times by way of the window itself.
        if name == "BODY":
            continue
        reached.append(name)
        visible.append(page.run("getComputedStyle(document.activeElement).outlineStyle !== 'none'"))
    for name in ("skip", "language", "text", "meter", "displayed", "SUMMARY", "second", "file", "zone"):
        assert name in reached, (name, reached)
    assert all(visible), list(zip(reached, visible))
    page.key("n", "KeyN", 78, modifiers=1)
    page.until("document.activeElement.id === 'text'")
    page.type("6387 3003 5772 6401 6202")
    page.tab()
    page.type("01202401046")
    page.enter()
    page.until("document.querySelector('article')")
    page.key("l", "KeyL", 76, modifiers=1)
    assert page.run("document.activeElement.id") == "answer"


def files(page):
    document = page.call("DOM.getDocument")["root"]["nodeId"]
    node = page.call("DOM.querySelector", nodeId=document, selector="#file")["nodeId"]
    page.call("DOM.setFileInputFiles", files=[str(CASE / "entries.csv")], nodeId=node)
    link = page.until("document.querySelector('#replay a')?.href", 60)
    shown = page.run("document.getElementById('replay').innerText")
    assert "33 rows; 17 taken, 15 refused" in shown, shown
    report = page.run(f"fetch('{link}').then((answer) => answer.text())")
    assert report.startswith("<!DOCTYPE html>") and "krn.behind" in report
    # Dropped, and no table at all.
    bad = pathlib.Path(page.browser.folder.name) / "bad.csv"
    bad.write_text("nothing,here\n1,2\n")
    where = {"x": 10, "y": 10}
    data = {"items": [], "files": [str(bad)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        page.call("Input.dispatchDragEvent", type=kind, data=data, **where)
    page.until("document.getElementById('replay').innerText.includes('could not be replayed')", 30)


def languages(page):
    for language, word in (("af", "Afrikaans"), ("st", "Sesotho"), ("en", "English")):
        page.run(f"document.getElementById('language').value = '{language}';"
                 "document.getElementById('language').dispatchEvent(new Event('change'))")
        page.until(f"document.documentElement.lang === '{language}'")
        hidden = page.run("document.getElementById('review').hidden")
        assert hidden == (language == "en"), f"{word} says that it awaits a reviewer"
    assert page.run("[...document.querySelectorAll('input, textarea, select')].every((one) => one.labels.length)")


def once(page, server):
    page.open(server.address)
    assert page.run("location.search") == "", "the token is still in the address"
    assert page.run("document.cookie") == "", "a script can read the cookie"
    page.until("document.querySelector('#keypad')")


def pictures(page, server, folder):
    folder.mkdir(parents=True, exist_ok=True)
    page.open(server.base + "/")
    page.until("Object.keys(texts).length")
    rows = {row["id"]: row for row, _ in entries()}
    for name, width, dark in (("desktop", 1200, False), ("desktop-dark", 1200, True), ("phone", 360, False),
                              ("phone-dark", 360, True)):
        page.size(width, 900, dark)
        for number in ("2", "12d", "10e"):
            ask(page, rows[number])
            page.run("document.activeElement.blur(); document.querySelector('form details').open = false")
            page.picture(folder / f"{name}-{number}.png")


def main():
    server, browser = Server(), Browser()
    try:
        page = Page(browser)
        page.size(1200, 900)
        once(page, server)
        steps = [answers, slips, markup, keyboard, files, languages]
        for step in steps:
            step(page)
            print(f"{step.__name__}: good", flush=True)
        page.size(360, 740)
        assert page.run(WIDE), "too wide for 360 px"
        for step in steps:
            step(page)
            assert page.run(WIDE), f"{step.__name__}: too wide for 360 px"
            print(f"{step.__name__} at 360 px: good", flush=True)
        away = [url for url in page.asked_for() if not url.startswith((server.base, "data:", "about:"))]
        assert not away, away
        # A question that is refused is told by the browser too.
        complaints = [one for one in page.complaints() if "400 (Bad Request)" not in one]
        assert not complaints, complaints
        print("no request left the machine, and the console has no error")
        if len(sys.argv) > 1:
            pictures(page, server, pathlib.Path(sys.argv[1]))
    finally:
        browser.close()
        server.close()


if __name__ == "__main__":
    main()
