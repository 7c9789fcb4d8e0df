"""The explorer over HTTP: what is answered, with which headers, and to whom."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from browser import serving

from medloom.cards.explorer.page_files import page_files, plotly
from medloom.cards.explorer.rows import Rows
from medloom.cards.explorer.server import application, is_loopback, serve
from medloom.cards.explorer.sights import NOT_GRANTED, REASONS, Sights
from medloom.cards.explorer.told import Told
from medloom.cards.explorer.written import write
from medloom.schema.errors import UsageError


def asked(address: str, path: str, *, host: str | None = None, method: str = "GET") -> tuple[HTTPResponse, bytes]:
    place = urlsplit(address)
    connection = HTTPConnection(str(place.hostname), place.port, timeout=30)
    try:
        connection.request(method, path, headers={"Host": host} if host else {})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def partly(rows: Rows) -> Iterator[str]:
    """Served with the picture of sample 0 withheld."""
    sights = Sights(rows)
    reasons = np.zeros(len(rows), np.uint8)
    reasons[0] = list(REASONS).index(NOT_GRANTED)
    sights.__dict__["reasons"] = reasons
    with serving(application(sights, Told(rows))) as address:
        yield address


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/main.js", "text/javascript; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/plotly.min.js", "text/javascript; charset=utf-8"),
        ("/data/release.json", "application/json"),
        ("/data/index.pack", "application/octet-stream"),
        ("/data/keys.pack", "application/octet-stream"),
        ("/data/pairs.pack", "application/octet-stream"),
        ("/records/0.pack", "application/octet-stream"),
        ("/questions/0.pack", "application/octet-stream"),
        ("/thumbs/1.jpg", "image/jpeg"),
        ("/images/1", "image/png"),
    ],
)
def test_everything_is_answered_with_headers_that_keep_it_at_home(partly: str, path: str, kind: str):
    answer, body = asked(partly, path)
    assert (answer.status, answer.headers["content-type"]) == (200, kind)
    assert body
    assert answer.headers["content-security-policy"].startswith("default-src 'self';")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


WRONG = "nothing.js ../pyproject.toml %2e%2e/index.py page_files.py images/-1 images/x data/nothing records/9999.pack"


@pytest.mark.parametrize("path", [*WRONG.split(), "images/0", "thumbs/0.jpg", "images/999999", "thumbs/999999.jpg"])
def test_what_isnt_there_or_withheld_is_not_found(partly: str, path: str):
    assert asked(partly, f"/{path}")[0].status == 404


def test_only_names_of_loopback_are_answered(partly: str):
    assert asked(partly, "/data/release.json", host="example.org")[0].status == 400
    assert asked(partly, "/data/release.json", host="localhost")[0].status == 200
    assert asked(partly, "/data/release.json", method="POST")[0].status == 405


def test_the_written_files_are_what_the_server_answers(rows: Rows, address: str, tmp_path: Path):
    done = write(Sights(rows), Told(rows), tmp_path / "site", workers=2)
    files = {str(path.relative_to(done.folder)): path.read_bytes() for path in done.folder.rglob("*") if path.is_file()}
    assert (done.files, done.bytes) == (len(files), sum(map(len, files.values())))
    served = [name for name in files if not name.startswith(("sprites/", "data/release.json"))]
    assert [name for name in served[::7] if asked(address, f"/{name}")[1] != files[name]] == []
    said, written = json.loads(asked(address, "/data/release.json")[1]), json.loads(files["data/release.json"])
    assert said.pop("pictures")["sheets"] is False
    assert written.pop("pictures")["sheets"] is True
    assert said == written
    assert json.loads(gzip.decompress(files["records/0.pack"]))[3]["key"] == rows.one(3)["key"]


def test_a_folder_is_replaced_only_where_we_wrote_it(rows: Rows, tmp_path: Path):
    site = tmp_path / "site"
    write(Sights(rows), Told(rows), site, images=False)
    assert not (site / "images").exists()
    (site / "old").touch()
    write(Sights(rows), Told(rows), site, images=False)
    assert not (site / "old").exists()
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.tex").touch()
    with pytest.raises(UsageError, match="other files"):
        write(Sights(rows), Told(rows), mine)
    assert [path.name for path in mine.iterdir()] == ["thesis.tex"]


def test_the_page_holds_no_address_of_another_host():
    for name, (body, _) in page_files().items():
        found = set(re.findall(r"""["'`(]((?:https?:)?//[\w.][^"'`)]*)""", body.decode()))
        assert found <= {"http://www.w3.org/2000/svg"}, name
    assert plotly().stat().st_size > 1 << 20


@pytest.mark.parametrize(("host", "is_"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False)])
def test_loopback_is_known(host: str, is_: bool):
    assert is_loopback(host) is is_


def test_a_port_that_is_taken_is_said(rows: Rows, address: str):
    told: list[Any] = []
    with pytest.raises(UsageError, match="expected a free port"):
        serve(Sights(rows), Told(rows), host="127.0.0.1", port=urlsplit(address).port or 0, ready=told.append)
    assert told == []
