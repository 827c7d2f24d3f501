#!/usr/bin/env python3
"""Drives the page of `sts serve` in a headless Chromium: `bash .ci/page` runs it.

With a folder as argument, pictures of the page are put there.
"""

import csv
import json
import pathlib
import shlex
import subprocess
import sys

from browser import Browser, Page
from server import CASE, ROOT, STS, Server

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
    page.until("document.querySelector('article') && document.querySelector('#history svg, #history p')")


QUESTION = {"text": "entered", "meter": "drn", "displayed": "displayed", "sold_at": "sold_at", "quantity": "quantity",
            "at": "entered_at"}


def explained(page, server, row, causes):
    """Asks, and sees that the page says what the API says of the causes, to eyes and to ears."""
    ask(page, row)
    body = {field: row[column] for field, column in QUESTION.items() if row[column]}
    said = server.ask("/api/v1/explain", body)["answers"]
    assert [one["verdict"]["cause"] for one in said] == causes, (row, said)
    shown = page.run("document.getElementById('answer').innerText")
    status = page.run("document.getElementById('status').innerText")
    assert page.run("document.querySelectorAll('article').length") == len(causes)
    for one in (one["explanation"] for one in said):
        why = [one["why"]["sentence"]] if one["why"] else []
        for sentence in [*one["happened"], *why, one["customer"], *one["todo"]]:
            assert not sentence or sentence["text"] in shown, f"{row['entered']}: {sentence['text']}\n{shown}"
        assert one["customer"]["text"] in status, f"a screen reader hears {status!r}"
    if causes[0] and causes[0].startswith("typed."):
        off = page.run("[...document.querySelectorAll('.group.off')].map((one) => one.innerText).join()")
        fit = page.run("[...document.querySelectorAll('.group.fit')].map((one) => one.innerText).join()")
        assert (off or fit) and off != fit, (off, fit)
        if causes[0] == "typed.digit":
            assert "Group " in shown and " differs: keyed " in shown, shown
    if row["entered"].replace(" ", "").isdigit() and len(row["entered"].replace(" ", "")) == 20:
        assert page.run("document.querySelectorAll('article svg[role=img]').length") >= 1
    assert page.run(WIDE), f"{row['entered']} is too wide"


def answers(page, server):
    for row, verdict in entries():
        explained(page, server, row, [verdict["cause"]])


FIELDS = {"--meter": "drn", "--at": "entered_at", "--sold-at": "sold_at", "--quantity": "quantity", "--seen": "displayed"}


def classes(page):
    """The classes of failure of tests/explain, each at a server that has its case."""
    folder = ROOT / "sts-cli/tests/explain"
    for path in sorted(folder.glob("F*")):
        server = Server(path, "--keys", str(folder / "keys.toml"))
        try:
            page.open(server.address)
            page.until("document.querySelector('#keypad')")
            for line in (path / "cmd").read_text().splitlines():
                if not line.startswith("$ "):
                    continue
                command, causes = line[2:].rsplit(" # ", 1)
                words = iter(shlex.split(command)[2:])
                row = dict.fromkeys(FIELDS.values(), "") | {"entered": ""}
                for word in words:
                    if word in FIELDS:
                        row[FIELDS[word]] = next(words)
                    elif word.startswith("--"):
                        next(words)
                    else:
                        row["entered"] = f"{row['entered']} {word}".strip()
                explained(page, server, row, [None if it == "accepted" else it for it in causes.split()])
        finally:
            server.close()


def slips(page, _server):
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


def markup(page, _server):
    page.run("document.getElementById('question').reset()")
    put(page, "text", "<img src=x onerror=alert(1)><b>1844</b>")
    put(page, "displayed", "<i>017</i>")
    put(page, "meter", "01202401012")
    page.enter()
    page.until("document.querySelector('article')")
    assert page.run("document.querySelectorAll('#answer img, #answer i').length") == 0


def keyboard(page, _server):
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


def files(page, _server):
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


def languages(page, _server):
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
            step(page, server)
            print(f"{step.__name__}: good", flush=True)
        page.size(360, 740)
        assert page.run(WIDE), "too wide for 360 px"
        for step in steps:
            step(page, server)
            assert page.run(WIDE), f"{step.__name__}: too wide for 360 px"
            print(f"{step.__name__} at 360 px: good", flush=True)
        page.size(1200, 900)
        classes(page)
        print("classes: good", flush=True)
        away = [url for url in page.asked_for() if not url.startswith(("http://127.0.0.1:", "data:", "about:"))]
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
