"""`manage.py generate --from FILE`: a line is a run, once, however often the command is stopped and begun."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from generations.management import lists
from generations.management.lists import ListProblem, Wanted
from tests.processes import ROOT
from tests.running import Site, running_site, wait_until

USUAL = Wanted(prompt="", engine="jimeng-image-4.0", settings={"size": "1024x1024"})
LINES = 60


def written(folder: Path, text: str, name: str = "batch.jsonl") -> Path:
    path = folder / name
    path.write_bytes(text.encode("utf-8"))
    return path


def test_a_line_says_only_what_differs(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"looked at later")
    rows = [
        {"prompt": "一只柯基"},
        {"prompt": "a vase", "engine": "jimeng-image-4.6", "count": 3, "settings": {"scale": 70}},
        {"prompt": "the same vase", "references": ["a.jpg"]},
    ]
    text = "\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    first, second, third = lists.read(written(tmp_path, text), USUAL)
    assert (first.number, first.prompt, first.engine, first.count) == (
        1,
        "一只柯基",
        USUAL.engine,
        1,
    )
    assert (second.number, second.engine, second.count) == (3, "jimeng-image-4.6", 3)
    assert second.settings == {"size": "1024x1024", "scale": 70}
    assert third.references == (tmp_path / "a.jpg",)


def test_a_table_has_settings_as_columns(tmp_path: Path) -> None:
    text = '\ufeffprompt,count,scale\r\n"a vase, blue",2,0.7\r\n一只柯基,,\r\n'
    first, second = lists.read(written(tmp_path, text, "batch.csv"), USUAL)
    assert (first.prompt, first.count, first.settings["scale"]) == ("a vase, blue", 2, "0.7")
    assert (second.prompt, second.count, "scale" in second.settings) == ("一只柯基", 1, False)
    assert first.token("") != second.token("")


def test_the_same_line_is_the_same_run_and_another_label_another() -> None:
    assert USUAL.token("") == Wanted(**{n: getattr(USUAL, n) for n in Wanted.__slots__}).token("")
    assert USUAL.token("") != USUAL.token("again")


@pytest.mark.parametrize(
    ("text", "number", "part"),
    [
        ("", 0, "1 to"),
        ("{}", 1, "Write what"),
        ("not json", 1, "no JSON object"),
        ('{"prompt": "x"}\n[1]', 2, "no JSON object"),
        ("[" * 100_000, 1, "no JSON object"),
        ('{"prompt": "x", "colour": "red"}', 1, "colour"),
        ('{"prompt": "x", "count": true}', 1, "whole number"),
        ('{"prompt": "x", "count": 99}', 1, "1 to"),
        ('{"prompt": "x", "count": "' + "9" * 5000 + '"}', 1, "whole number"),
        ('{"prompt": "x", "engine": "no-such"}', 1, "no-such"),
        ('{"prompt": "x", "settings": {"scale": 2}}', 1, "0 to 1"),
        ('{"prompt": "x", "settings": {"seed": 1}}', 1, "seed"),
        ('{"prompt": "x", "settings": []}', 1, "object"),
        ('{"prompt": "\\ud800"}', 1, "cannot be sent"),
        ('{"prompt": "x", "references": ["gone.jpg"]}', 1, "gone.jpg"),
    ],
)
@pytest.mark.django_db  # an unknown model may be one that an administrator made
def test_what_is_wrong_is_said_with_its_line_before_anything_is_made(
    tmp_path: Path, text: str, number: int, part: str
) -> None:
    with pytest.raises(ListProblem) as refused:
        lists.read(written(tmp_path, text), USUAL)
    said = [(line, message % params) for line, message, params in refused.value.said]
    assert said[0][0] == number
    assert part.lower() in said[0][1].replace("“", "").replace("”", "").lower()


@pytest.mark.parametrize("text", ["a,b\n1,2,3\n", 'prompt\n"open', "prompt,colour\nx,red\n"])
def test_a_broken_table_is_a_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(ListProblem):
        lists.read(written(tmp_path, text, "a.csv"), USUAL)


@pytest.mark.parametrize("labels", [("", ""), ("", "again")])
@pytest.mark.timeout(300)
def test_killed_in_the_middle_and_begun_again_each_line_runs_once(
    tmp_path: Path, labels: tuple[str, str]
) -> None:
    """With another label the second call makes all anew: what would happen without the token."""
    rows = [{"prompt": f"第 {n} 只柯基"} for n in range(LINES)]
    path = written(tmp_path, "\n".join(json.dumps(row) for row in rows))
    options = ("--latency", "1", "--fast-media")
    with running_site(
        tmp_path / "site", web=False, worker=False, demo=False, sandbox_options=options
    ) as site:
        site.begin()
        out = tmp_path / "out"
        command = ["generate", "--from", str(path), "--project", "demo", "--out", str(out)]
        command += ["--set", "size=1024x1024", "--set", "output=single"]
        before = _killed_after(site, [*command, "--label", labels[0]], LINES // 2)
        assert LINES // 3 < before < LINES
        done = site.manage(*command, "--label", labels[1], timeout_s=200)
        ledger = site.sandbox.ledger()
    again = before if labels[0] != labels[1] else 0
    assert len(done.stdout.split()) == 2 * LINES  # a number and a path for each line
    assert len(list(out.iterdir())) == LINES
    assert len(ledger) == LINES + again
    assert len({line["client_request_id"] for line in ledger}) == LINES + again


def _killed_after(site: Site, arguments: list[str], runs: int) -> int:
    """Kill the command when so many runs are in the database; how many there are then."""
    command = [sys.executable, "manage.py", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env=site.env(), stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: _runs(site) >= runs, timeout_s=60, every_s=0.01, what="half of it")
    finally:
        process.kill()
        process.wait()
    return _runs(site)


def _runs(site: Site) -> int:
    file = f"file:{site.var}/db.sqlite3?mode=ro"
    with closing(sqlite3.connect(file, uri=True, timeout=20)) as database:
        return int(database.execute("SELECT count(*) FROM generations_generation").fetchone()[0])
