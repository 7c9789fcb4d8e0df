"""The page in a real headless Chromium: it loads, filters, draws, is walked with keys alone, and asks nobody else."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from browser import plain_files, serving
from drawn_release import multiplied
from PIL import Image
from pycocotools import mask as coco

from medloom.cards.explorer.index import index_pack
from medloom.cards.explorer.rows import BLOCK, Rows
from medloom.cards.explorer.server import application
from medloom.cards.explorer.sights import NOT_GRANTED, REASONS, Sights
from medloom.cards.explorer.told import ANNOTATIONS, DERIVED_TEXT, Told, records
from medloom.cards.explorer.written import write
from medloom.schema.lexicon import Lexicon
from medloom.schema.lexicon.tree import DEFAULT
from medloom.schema.region import mask_from_rle, rle_from_mask
from medloom.schema.release import Release

Tab = Callable[..., Any]
SEARCH = """async ([address, chosen]) => {
  const [{ columns }, filter] = [await import(`${address}pack.js`), await import(`${address}filter.js`)];
  const index = filter.prepared(await columns(`${address}data/index.pack`));
  const codes = Object.fromEntries(Object.entries(chosen).map(([field, words]) =>
    [field, new Set(words.map((word) => index.words[field].indexOf(word)))]));
  const found = filter.search(index, codes);
  const named = (node) => ({ value: node.code === null ? null : index.words[filter.LEVELS[node.level]][node.code],
    count: node.count, children: node.children.map(named) });
  const counts = Object.fromEntries(Object.entries(found.counts).map(([field, some]) =>
    [field, Object.fromEntries([...some].map((count, code) => [index.words[field][code], count]))]));
  return { rows: [...found.rows], turns: [...filter.inTurns(index, found.rows)], counts,
    tree: named(filter.grown(index, codes, found.byModality)) };
}"""
CHOICES = (
    {},
    {"modality": ["CT"]},
    {"department": ["Pulmonary Medicine"], "granularity": ["mask"]},
    {"label": ["kidney"]},
    {"label": ["kidney", "liver"], "state": ["absent"]},
    {"state": ["present"], "area": ["abdomen"], "split": ["train", "test"]},
    {"clinical_task": ["Disease Diagnosis"], "modality": ["X-ray"]},
    {"granularity": ["box"], "area": ["fundus"]},
)


def status(page: Any) -> str:
    return page.inner_text("#status")


def until(page: Any, true: str) -> None:
    """Wait for an expression to be true; Playwright's own way would need `eval`, which the page forbids."""
    for _ in range(400):
        if page.evaluate(true):
            return
        page.wait_for_timeout(25)
    pytest.fail(f"never true: {true}")


def painted(page: Any, selector: str) -> np.ndarray:
    """RGB pixels of a canvas, H×W×3 uint8."""
    address = page.locator(selector).first.evaluate("canvas => canvas.toDataURL()")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))).convert("RGB"))


def search(page: Any, address: str, chosen: dict[str, list[str]]) -> dict[str, Any]:
    return page.evaluate(SEARCH, [address, chosen])


@pytest.mark.parametrize("chosen", CHOICES, ids=str)
def test_filters_find_what_select_finds_and_grow_the_same_tree(
    tab: Tab, address: str, rows: Rows, chosen: dict[str, list[str]]
):
    found = search(tab(address), address, chosen)
    selection = Lexicon.open(rows.release.root).select(**chosen)  # type: ignore[arg-type]
    keys = rows.table["key"].to_pylist()
    assert sorted(keys[row] for row in found["rows"]) == sorted(selection.keys())
    assert sorted(found["turns"]) == found["rows"]

    def plain(branch: dict[str, Any]) -> dict[str, Any]:
        children = sorted(map(plain, branch.get("children", ())), key=lambda one: str(one["value"]))
        return {"value": branch.get("value"), "count": branch["count"], "children": children}

    assert plain(found["tree"]) == plain(selection.tree(DEFAULT).as_json())


@pytest.mark.parametrize("chosen", CHOICES[1:5], ids=str)
def test_each_word_says_how_many_samples_it_would_leave(tab: Tab, address: str, chosen: dict[str, list[str]]):
    page = tab(address)
    counts = search(page, address, chosen)["counts"]
    for field in ("modality", "area", "department", "granularity", "label", "split", "suite"):
        alone = {name: words for name, words in chosen.items() if name != field}
        for word, count in list(counts[field].items())[:6]:
            if word != "null":
                assert count == len(search(page, address, {**alone, field: [word]})["rows"]), (field, word)


def test_run_lengths_are_read_as_pycocotools_reads_them(tab: Tab, address: str):
    random, page = np.random.default_rng(3), tab(address)
    for size in ((1, 1), (7, 1), (1, 9), (40, 31), (96, 134), (3, 700)):
        for share in (0.0, 0.03, 0.5, 1.0):
            mask = np.asfortranarray((random.random(size) < share).astype(np.uint8))
            counts: Any = coco.encode(mask)["counts"]
            found = page.evaluate(
                """async ([address, counts, height, width]) => {
                  const { onCanvas } = await import(`${address}rle.js`);
                  const { x, y, width: w, inside } = onCanvas(counts, { width, height }, { width, height });
                  return [x, y, w, [...inside]];
                }""",
                [address, counts.decode(), *size],
            )
            x, y, width, inside = found
            decoded = np.zeros(size, np.uint8)
            if inside:
                part = np.array(inside, np.uint8).reshape(-1, width)
                decoded[y : y + part.shape[0], x : x + width] = part
            assert np.array_equal(decoded, mask), (size, share)


def test_masks_on_smaller_and_larger_canvases_touch_what_their_pixels_touch(tab: Tab, address: str):
    page, mask = tab(address), np.zeros((60, 90), np.uint8)
    mask[10:31, 20:50] = 1
    mask[12:20, 30:33] = 0
    for scale in (0.2, 1.5, 4):
        width, height = int(90 * scale), int(60 * scale)
        frame = page.evaluate(
            """async ([address, counts, width, height]) => {
              const { onCanvas } = await import(`${address}rle.js`);
              const found = onCanvas(counts, { width: 90, height: 60 }, { width, height });
              return [found.x, found.y, found.width, found.height, found.inside.reduce((sum, one) => sum + one, 0)];
            }""",
            [address, rle_from_mask(mask), width, height],
        )
        x0, y0 = int(20 * scale), int(10 * scale)
        assert frame[:4] == [x0, y0, int(np.ceil(50 * scale)) - x0, int(np.ceil(31 * scale)) - y0]
        assert frame[4] >= mask.sum() * scale**2


def test_it_loads_and_filters_and_keeps_the_place_in_the_address(tab: Tab, address: str, rows: Rows):
    page = tab(address)
    assert status(page) == f"{len(rows)} samples, 1 to 60 shown"
    assert page.locator(".tile").count() == 60
    page.locator("#facets label", has_text="X-ray").locator("input").check()
    count = Lexicon.open(rows.release.root).select(modality="X-ray").count()
    assert status(page).startswith(f"{count} samples")
    assert "modality=X-ray" in page.url
    page.get_by_role("button", name="Remove filter Modality: X-ray").click()
    assert status(page).startswith(f"{len(rows)} samples")
    page.go_back()
    until(page, "document.querySelector('#status').textContent.startsWith('" + str(count) + "')")
    assert page.locator("#facets label", has_text="X-ray").locator("input").is_checked()
    page.goto(f"{address}#/samples?label=nothing&page=3")
    until(page, "document.querySelector('#status').textContent.includes('121 to 180')")


def test_the_sunburst_and_its_list_filter_by_a_branch(tab: Tab, address: str, rows: Rows):
    page = tab(address)
    page.wait_for_selector("html[data-tree=drawn]")
    page.wait_for_selector("#sunburst path.surface")
    page.locator("#sunburst g.slice", has_text="FP").first.dispatch_event("click")
    count = Lexicon.open(rows.release.root).select(modality="FP").count()
    until(page, f"document.querySelector('#status').textContent.startsWith('{count} ')")
    page.get_by_role("button", name="Remove filter Modality: FP").click()
    page.locator("#tree-list > summary").click()
    page.locator("#tree [role=treeitem]").first.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    until(page, "document.querySelectorAll('#chips .chip').length === 2")
    assert "clinical_task=" in page.url


def test_overlays_are_drawn_over_the_clean_picture_where_the_record_has_them(tab: Tab, address: str, rows: Rows):
    page = tab(address, place="#/samples?granularity=mask&label=liver&order=stored")
    page.wait_for_selector("html[data-overlays~=mask]")
    page.locator(".tile").first.click()
    page.wait_for_selector("dialog[open] canvas[data-drawn~=mask]")
    row = int(page.get_attribute("dialog", "data-row") or -1)
    drawn = painted(page, "dialog canvas")
    page.locator("dialog fieldset label", has_text="Masks").locator("input").uncheck()
    until(page, "!document.querySelector('dialog canvas').dataset.drawn.includes('mask')")
    clean = painted(page, "dialog canvas")
    assert (clean.std(axis=2) == 0).all()
    record = records(rows, row // 16)[row % 16]
    size = tuple(record["size_hw_px"])
    scale = clean.shape[0] // size[0]
    inside = np.zeros(size, bool)
    for one in record["annotations"]:
        if one["rle"]:
            inside |= mask_from_rle(one["rle"], size).astype(bool)
    inside = inside.repeat(scale, 0).repeat(scale, 1)
    changed = (drawn != clean).any(axis=2)
    assert inside.any()
    assert not changed[~inside].any()
    assert changed[inside].mean() > 0.99


def test_prompts_are_drawn_in_the_grid_when_switched_on(tab: Tab, address: str):
    page = tab(address, place="#/samples?suite=mimoseg&split=train&order=stored&label=kidney")
    page.wait_for_selector("html[data-overlays~=mask]")
    before = painted(page, ".tile canvas")
    page.locator("#overlays label", has_text="Prompts").locator("input").check()
    page.wait_for_selector("html[data-overlays~=prompt]")
    after = painted(page, ".tile canvas")
    changed = after[(after != before).any(axis=2)].astype(int)
    assert (np.abs(changed - (0, 229, 255)).sum(axis=1) < 40).sum() > 10
    for name in ("Boxes", "Masks", "Contours", "Points", "Prompts"):
        page.locator("#overlays label", has_text=name).locator("input").uncheck()
    until(page, "document.documentElement.dataset.overlays === ''")
    clean = painted(page, ".tile canvas")
    assert (clean.std(axis=2) == 0).all()


def test_questions_draw_what_they_point_at_and_show_their_answer_when_asked(tab: Tab, address: str):
    page = tab(address, place="#/samples?suite=mimoseg&split=train&order=stored&label=kidney")
    page.locator(".tile").first.click()
    page.wait_for_selector("dialog canvas[data-drawn~=mask]")
    question = page.locator("dialog details.question", has_text="prompt drawn").first
    question.locator("> summary").click()
    identity = page.wait_for_selector("dialog canvas[data-drawn^=q-]").get_attribute("data-drawn")
    asked = painted(page, "dialog canvas")
    cyan = (np.abs(asked.astype(int) - (0, 229, 255)).sum(axis=2) < 40).sum()
    assert cyan > 20
    assert identity
    assert not question.locator(".answer > :not(summary)").first.is_visible()
    question.locator(".answer > summary").click()
    assert question.locator(".answer > :not(summary)").first.is_visible()
    grounding = page.locator("dialog details.question", has=page.locator(".kind", has_text="grounding")).first
    grounding.locator("> summary").click()
    grounding.locator(".answer > summary").click()
    until(page, "document.querySelector('dialog [role=status]').textContent.includes('the answer')")
    yellow = (np.abs(painted(page, "dialog canvas").astype(int) - (255, 230, 0)).sum(axis=2) < 40).sum()
    assert yellow > 20


def test_withheld_answers_are_said_to_be(tab: Tab, address: str):
    page = tab(address, place="#/samples?suite=mimoseg&split=test&order=stored")
    page.locator(".tile").first.click()
    suite = page.locator("dialog section[aria-label='Suite mimoseg']")
    suite.locator("details.question").first.wait_for(state="attached")
    assert suite.locator("details.question").count() == suite.get_by_text("The answer is withheld.", exact=True).count()
    assert suite.locator(".answer").count() == 0


def test_everything_is_reached_with_the_keyboard_alone(tab: Tab, address: str):
    page = tab(address)
    active = "document.activeElement"
    page.keyboard.press("Tab")
    assert page.evaluate(f"{active}.textContent") == "Skip to the samples"
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(f"{active}.className") == "tile":
            break
    first = page.evaluate(f"{active}.getAttribute('aria-label')")
    assert first.startswith("1: ")
    outline = page.evaluate(f"getComputedStyle({active}).outlineStyle + getComputedStyle({active}).outlineWidth")
    assert outline == "solid3px"
    columns = page.locator("#grid [role=row]").first.locator(".tile").count()
    for key, number in (
        ("ArrowRight", 2),
        ("ArrowDown", 2 + columns),
        ("ArrowLeft", 1 + columns),
        ("ArrowUp", 1),
        ("End", 60),
        ("Home", 1),
    ):
        page.keyboard.press(key)
        assert page.evaluate(f"{active}.getAttribute('aria-label')").startswith(f"{number}: "), key
    page.keyboard.press("PageDown")
    until(page, "document.activeElement.getAttribute('aria-label')?.startsWith('61: ')")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open] canvas[data-drawn]")
    assert page.evaluate(f"{active}.id") == "sample-heading"
    key = page.inner_text("#sample-heading")
    assert f"sample={key}" in page.url
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    until(page, f"document.querySelector('#sample-heading').textContent !== '{key}'")
    until(page, "document.activeElement.textContent === 'Next'")
    page.keyboard.press("ArrowLeft")
    until(page, f"document.querySelector('#sample-heading').textContent === '{key}'")
    page.keyboard.press("Escape")
    until(page, "document.activeElement.getAttribute('aria-label')?.startsWith('62: ')")
    until(page, "!location.hash.includes('sample=')")


def test_a_key_opens_its_sample_and_an_unknown_one_is_said(tab: Tab, address: str, rows: Rows):
    page = tab(address)
    page.fill("#key", rows.one(200)["key"])
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open][data-row='200']")
    page.keyboard.press("Escape")
    page.fill("#key", "phantom-0")
    page.keyboard.press("Enter")
    page.wait_for_selector("#fault:not([hidden])")
    assert "no such sample" in page.inner_text("#fault")


UNNAMED = """() => [...document.querySelectorAll(
    'a, button, input, select, summary, [role=treeitem], [tabindex="0"], img, canvas, dialog')]
  .filter((one) => one.checkVisibility() && !one.closest('[aria-hidden=true]'))
  .filter((one) => !(one.getAttribute('aria-label') || one.labels?.length || one.textContent.trim()
    || one.getAttribute('alt') !== null || document.getElementById(one.getAttribute('aria-labelledby'))))
  .map((one) => one.outerHTML.slice(0, 120))"""
CONTRASTS = """() => {
  const linear = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const parsed = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const paper = (one) => { for (; one; one = one.parentElement) { const c = parsed(getComputedStyle(one).backgroundColor);
    if (c.length === 3 || c[3] > 0.99) return c.slice(0, 3) } return [255, 255, 255] };
  const found = [];
  for (const one of document.querySelectorAll('body *')) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !one.checkVisibility() || one.closest('svg, option, :disabled, .unseen')) continue;
    const [a, b] = [luminance(parsed(getComputedStyle(one).color).slice(0, 3)), luminance(paper(one))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) found.push(`${one.tagName}.${one.className}: ${((a + 0.05) / (b + 0.05)).toFixed(2)}`);
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_that_is_used_has_a_name_and_contrast(tab: Tab, address: str, scheme: str):
    page = tab(address, color_scheme=scheme)
    page.wait_for_selector("html[data-tree=drawn]")
    page.locator("#tree-list > summary").click()
    for place in ("samples", "duplicates", "sources"):
        page.click(f"header nav a[href='#/{place}']")
        page.wait_for_selector(f"#{place}:not([hidden])")
        assert page.evaluate(UNNAMED) == [], place
        assert page.evaluate(CONTRASTS) == [], place
    page.click("header nav a[href='#/samples']")
    page.locator(".tile").first.click()
    page.wait_for_selector("dialog canvas[data-drawn]")
    for summary in page.locator("dialog .fact > summary").all():
        summary.click()
    assert page.evaluate(UNNAMED) == []
    assert page.evaluate(CONTRASTS) == []
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    controls = {
        "button",
        "link",
        "checkbox",
        "textbox",
        "searchbox",
        "combobox",
        "spinbutton",
        "treeitem",
        "image",
        "dialog",
        "grid",
    }
    used = [node for node in nodes if not node.get("ignored") and node.get("role", {}).get("value") in controls]
    assert used
    assert [node for node in used if not node.get("name", {}).get("value")] == []
    assert page.evaluate("document.querySelectorAll('main, header, aside, nav').length") >= 4
    assert page.evaluate("document.documentElement.lang") == "en"


def test_it_fits_a_narrow_screen(tab: Tab, address: str):
    page = tab(address, drawn=False)
    page.set_viewport_size({"width": 400, "height": 800})
    page.reload()
    page.wait_for_selector("html[data-view=drawn]")
    assert not page.locator("#panel").evaluate("one => one.open")
    for place in ("samples", "duplicates", "sources"):
        page.click(f"header nav a[href='#/{place}']")
        page.wait_for_selector(f"#{place}:not([hidden])")
        assert page.evaluate("document.documentElement.scrollWidth") <= 400, place
    page.click("header nav a[href='#/samples']")
    page.locator(".tile").first.click()
    page.wait_for_selector("dialog canvas[data-drawn]")
    assert page.evaluate("document.querySelector('dialog').scrollWidth") <= 400


def test_duplicates_stand_side_by_side_and_open(tab: Tab, twins: Any):
    rows = Rows.of(Release.open(twins.release))
    with serving(application(Sights(rows), Told(rows))) as address:
        page = tab(address, place="#/duplicates", drawn=False)
        page.wait_for_selector(".pairs .pair canvas")
        pairs = page.locator(".pairs > li")
        assert pairs.count() == 5
        assert all("exact copy" in text for text in pairs.all_inner_texts())
        crossing = page.locator(".pairs > li.crosses").count()
        page.get_by_label("Only pairs that cross splits").check()
        assert pairs.count() == crossing
        page.get_by_label("Only pairs that cross splits").uncheck()
        pairs.first.locator("button").first.click()
        page.wait_for_selector("dialog[open] canvas[data-drawn]")


def test_sources_show_licences_rights_and_oddities(tab: Tab, address: str, rows: Rows):
    page = tab(address, place="#/sources", drawn=False)
    page.wait_for_selector("table.sources")
    facts = rows.release.recipes()[0]["facts"]
    text = page.locator("table.sources").evaluate("one => one.textContent")
    assert all(
        word in text for word in (facts["title"], facts["licence"], "pixels: yes", "processing: yes", *facts["oddities"])
    )
    page.get_by_role("button", name="Show the samples of phantom").click()
    page.wait_for_selector("#samples:not([hidden])")
    assert "source=phantom" in page.url


def test_the_written_page_works_behind_a_plain_file_server(tab: Tab, rows: Rows, tmp_path: Path):
    sights = Sights(rows)
    reasons = sights.reasons.copy()
    reasons[::2] = list(REASONS).index(NOT_GRANTED)
    sights.__dict__["reasons"] = reasons
    done = write(sights, Told(rows), tmp_path / "site")
    assert (done.pictures, done.withheld) == (len(rows) // 2, {"phantom": len(rows) - len(rows) // 2})
    assert sorted(int(path.name) for path in (tmp_path / "site/images").iterdir()) == list(range(1, len(rows), 2))
    with plain_files(tmp_path / "site") as address:
        page = tab(address, place="#/samples?order=stored")
        assert page.locator(".tile .withheld").count() == 30
        page.wait_for_selector("html[data-overlays~=mask]")
        page.locator(".tile:not(:has(.withheld))").first.click()
        page.wait_for_selector("dialog canvas[data-drawn]")
        assert painted(page, "dialog canvas").max() > 60
        page.keyboard.press("Escape")
        page.locator(".tile:has(.withheld)").first.click()
        page.wait_for_selector("dialog .withheld.large")
        assert page.locator("dialog canvas").count() == 0


def test_what_isnt_told_is_said_in_the_grid_and_the_sample(tab: Tab, rows: Rows, tmp_path: Path):
    told = Told(rows)
    reasons = told.reasons.copy()
    reasons[:] = DERIVED_TEXT
    reasons[:BLOCK] = ANNOTATIONS
    told.__dict__["reasons"] = reasons
    write(Sights(rows), told, tmp_path / "site", images=False)
    keys = rows.table["key"].to_pylist()
    with plain_files(tmp_path / "site") as address:
        page = tab(address, place="#/samples?order=stored")
        assert "labels not told" in page.locator(".tile").first.inner_text()
        assert "labels not told" not in page.locator(".tile").nth(BLOCK).inner_text()
        for row, words in ((0, "labels and annotations be passed on"), (BLOCK, "its questions aren't told")):
            page = tab(address, place=f"#/samples?sample={keys[row]}")
            page.wait_for_selector("dialog[open] .fact .withheld")
            assert words in page.locator("dialog .fact .withheld").inner_text()


@pytest.mark.slow
def test_a_hundred_thousand_samples_are_shown_filtered_and_turned(tab: Tab, rows: Rows, tmp_path: Path):
    many = Rows.of(multiplied(rows.release, tmp_path / "many", samples=100_000, sources=12))
    sights = Sights(many)
    with serving(application(sights, Told(many))) as address:
        page = tab(address)
        assert status(page) == "100,000 samples, 1 to 60 shown"
        shown = page.locator(".tile .about:last-child").all_inner_texts()
        assert len({text.split(" ")[0] for text in shown}) == 12
        chosen = {"label": ["kidney"], "granularity": ["mask"], "split": ["train"]}
        found = search(page, address, chosen)
        query = """SELECT count(DISTINCT s.key) FROM read_parquet('{0}/*/samples.parquet') s
            JOIN read_parquet('{0}/*/annotations.parquet') a ON s.key = a.key
            WHERE s.split = 'train' AND label = 'kidney' AND granularity = 'mask' AND state = 'present'"""
        [count] = duckdb.sql(query.format(many.release.root / "index")).fetchall()[0]
        assert len(found["rows"]) == count
        page.goto(f"{address}#/samples?label=kidney&granularity=mask&split=train&page=100")
        until(page, f"document.querySelector('#status').textContent.startsWith('{count:,} samples, 5,941 to 6,000')")
        page.locator(".tile").nth(3).click()
        page.wait_for_selector("dialog[open] canvas[data-drawn]")
    assert len(index_pack(sights, Told(many))) < 16 * len(many)
