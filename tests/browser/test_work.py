"""A day's work in a browser: pictures in, results used again, culled, found, taken away and brought back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.running import Site, running_site, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
ARRIVES_MS = 90_000
ROWS = "from generations.models import *; "
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
TWENTY = """
from generations.models import Project, User
from generations.services import compose
user, project = User.objects.get(username="designer"), Project.objects.get(slug="demo")
for prompt, count in (("沙丘上的落日", 8), ("neon rain", 8), ("山水", 4)):
    compose.submit(project=project, user=user, engine="jimeng-image-4.0", prompt=prompt,
                   settings={"size": "1024x1024"}, count=count)
answer = str(project.public_id)
"""
BUSY = f"{ROWS}answer = Generation.objects.filter(state='active').count()"


@pytest.fixture(scope="module")
def site(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("work")
    with running_site(folder, demo=False) as made:
        made.begin()
        made.shell(f"{ROWS}Allowance.objects.update(limit=1000); answer = None")
        yield made


@pytest.fixture(scope="module")
def project(site: Site) -> str:
    """Twenty pictures of three runs; the project's id."""
    found = str(site.shell(TWENTY))
    wait_until(lambda: site.shell(BUSY) == 0, timeout_s=120, every_s=2, what="twenty pictures")
    return found


def opened(
    site: Site, new_context: Callable[..., BrowserContext], path: str, **more: object
) -> tuple[Page, list[str]]:
    context = new_context(accept_downloads=True, **more)
    language = "en" if str(more.get("locale", "")).startswith("en") else "zh-hans"
    cookie = {"name": "django_language", "value": language, "url": site.url}
    context.add_cookies([*site.login_cookies(), cookie])  # type: ignore[list-item]
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(site.url + path, wait_until="load")
    return page, complaints


def photo(folder: Path, name: str, color: tuple[int, int, int]) -> Path:
    """An upright phone photo, as phones store it: lying, with a note to turn it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    path = folder / name
    Image.new("RGB", (1600, 1200), color).save(path, "JPEG", exif=exif)
    return path


def newest(page: Page, prompt: str) -> Locator:
    card = page.locator("article.batch", has_text=prompt).first
    expect(card.locator("figure.tile:not(.load) img").first).to_be_visible(timeout=ARRIVES_MS)
    return card


@pytest.mark.parametrize(
    "device", [{}, {"locale": "en-GB"}, PHONE], ids=["zh", "en", "by touch at 390 px"]
)
def test_two_photos_a_run_a_result_used_and_its_lineage(
    site: Site,
    project: str,
    new_context: Callable[..., BrowserContext],
    tmp_path: Path,
    device: dict[str, object],
) -> None:
    page, complaints = opened(site, new_context, f"/p/{project}/", **device)
    prompt = f"a vase {len(device)} {device.get('locale', '')}"
    tap = bool(device.get("has_touch"))
    if tap:
        page.locator(".opener").tap()
    photos = [photo(tmp_path, "one.jpg", (200, 120, 40)), photo(tmp_path, "two.jpg", (20, 90, 160))]
    with page.expect_file_chooser() as chooser:
        page.locator(".refs-field .file").click()
    chooser.value.set_files([*photos, Path(__file__)])
    expect(page.locator("#refs [name=reference]")).to_have_count(2, timeout=30_000)
    expect(page.locator("#refs .problem")).to_have_count(1)
    page.locator("#refs .ref").nth(1).locator("[data-move='-1']").click()
    page.locator("#prompt").fill(prompt)
    page.locator("#count").fill("1")
    page.locator("#compose .send .btn.primary").click()
    card = newest(page, prompt)
    expect(card.locator(".mini")).to_have_count(2)
    expect(page.locator("#refs [name=reference]")).to_have_count(2)
    made = card.locator("[data-asset]").first.get_attribute("data-asset")
    page.goto(f"{site.url}/p/{project}/?reference={made}", wait_until="load")
    if tap and not page.locator("#sheet").is_checked():
        page.locator(".opener").tap()
    page.locator("#prompt").fill(f"{prompt} again")
    page.locator("#count").fill("1")
    page.locator("#compose .send .btn.primary").click()
    child = newest(page, f"{prompt} again")
    page.goto(site.url + str(child.locator("figure.tile > a").first.get_attribute("href")))
    if tap:
        page.locator(".peek label").tap()
    expect(page.locator(f".lineage a[href='/a/{made}/']")).to_be_visible()
    page.goto(f"{site.url}/a/{made}/")
    if tap:
        page.locator(".peek label").tap()
    expect(page.locator(".lineage li")).to_have_count(3)  # two photos, and what became of it
    assert complaints == []


LANGUAGES = pytest.mark.parametrize("language", ["zh-CN", "en-GB"])


@LANGUAGES
def test_twenty_pictures_are_culled_by_keyboard(
    site: Site, project: str, new_context: Callable[..., BrowserContext], language: str
) -> None:
    """The second time begins with what the first one left: nothing in the trash, one picture rated."""
    page, complaints = opened(site, new_context, f"/p/{project}/gallery/?q=沙丘", locale=language)
    site.shell(
        f"{ROWS}Asset.objects.update(trashed_at=None, rating=None, favourite=False); answer = 0"
    )
    page.reload(wait_until="load")
    shots = page.locator(".shot:visible")
    expect(shots).to_have_count(8)
    page.keyboard.press("ArrowRight")
    first = page.locator(".shot").first
    expect(first.locator("a")).to_be_focused()
    page.keyboard.press("5")
    expect(first).to_have_attribute("data-rating", "5")
    page.keyboard.press("f")
    expect(first).to_have_attribute("data-favourite", "1")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Delete")
    expect(shots).to_have_count(7)
    expect(page.locator("#toast [data-undo]")).to_be_visible()
    page.keyboard.press("Delete")
    expect(shots).to_have_count(6)
    page.locator("#toast [data-undo]").click()
    expect(shots).to_have_count(7)
    page.goto(f"{site.url}/p/{project}/gallery/?rating=5&q=沙丘")
    expect(page.locator(".shot")).to_have_count(1)
    # Shift and a click choose all between; C compares at most four.
    page.goto(f"{site.url}/p/{project}/gallery/?q=neon", wait_until="load")
    page.locator(".shot .sel input").nth(0).click(force=True)
    page.locator(".shot .sel input").nth(3).click(force=True, modifiers=["Shift"])
    expect(page.locator(".selbar span").first).to_contain_text("4")
    page.keyboard.press("c")
    expect(page.locator(".pane")).to_have_count(4)
    assert complaints == []


def choose(page: Page, file: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.locator(".refs-field .file").click()
    chooser.value.set_files(file)


def drop(page: Page, file: Path, onto: str = "#prompt") -> None:
    """A file of this machine drawn over the page and let go, as the browser itself would tell it."""
    panel = page.locator("compose-panel")
    box = page.locator(onto).bounding_box()
    assert box
    place = {"x": box["x"] + 20, "y": box["y"] + 20}
    browser = page.context.new_cdp_session(page)
    carried = {"items": [], "files": [str(file)], "dragOperationsMask": 1}
    for step in ("dragEnter", "dragOver", "drop"):
        if step == "drop":
            expect(panel).to_have_class(re.compile(r"\bover\b"))
        browser.send("Input.dispatchDragEvent", {"type": step, "data": carried, **place})
    expect(panel).not_to_have_class(re.compile(r"\bover\b"))


def drop_beside(page: Page, file: Path) -> None:
    drop(page, file, ".feed")


@LANGUAGES
@pytest.mark.parametrize("bring", [choose, drop, drop_beside])
def test_found_taken_away_and_brought_back(
    site: Site,
    project: str,
    new_context: Callable[..., BrowserContext],
    tmp_path: Path,
    language: str,
    bring: Callable[[Page, Path], None],
) -> None:
    page, complaints = opened(site, new_context, f"/p/{project}/gallery/", locale=language)
    page.locator("[name=q]").fill("山水")
    page.locator("[name=q]").press("Enter")
    expect(page.locator(".shot")).to_have_count(4)
    page.locator(".shot .sel input").first.click(force=True)
    with page.expect_download() as taken:
        page.locator("[data-export]").click()
    kept = tmp_path / taken.value.suggested_filename
    taken.value.save_as(kept)
    assert kept.suffix == ".jpg"  # one picture is itself, never an archive
    page.goto(f"{site.url}/p/{project}/", wait_until="load")
    page.locator("#prompt").fill("what I was writing")
    bring(page, kept)
    expect(page.locator("#prompt")).to_have_value("山水")
    expect(page.locator("#size-shown")).to_have_text("1024 × 1024")
    expect(page.locator("#refs li")).to_have_count(0)  # a recipe, not one more reference
    page.locator("#toast button").click()
    expect(page.locator("#prompt")).to_have_value("what I was writing")
    expect(page.locator("#size-shown")).to_have_text("2048 × 2048")
    assert complaints == []


@LANGUAGES
def test_four_values_of_a_slot_compared_and_the_best_one_used(
    site: Site, project: str, new_context: Callable[..., BrowserContext], language: str
) -> None:
    address, cat = f"/p/{project}/library/prompts/new/", f"{language} cat"
    page, complaints = opened(site, new_context, address, locale=language)
    page.locator("#title").fill("Cats")
    page.locator("#text").fill(f"a {{colour:red|blue|green|white}} {cat}")
    page.locator("main form button.primary").first.click()
    page.wait_for_load_state("load")
    page.locator("a[href*='?prompt=']").first.click()
    page.wait_for_load_state("load")
    page.locator("#slot-0").select_option("red|blue|green|white")
    page.locator("#count").fill("1")
    page.locator("#compose .send .btn.primary").click()
    for colour in ("red", "blue", "green", "white"):
        newest(page, f"a {colour} {cat}")
    boxes = page.locator(f"article.batch:has-text(' {cat}') [name=pick]")
    for n in range(4):
        boxes.nth(n).check(force=True)
    page.locator(".selbar a.hi").click()
    page.wait_for_load_state("load")
    page.keyboard.press("3")
    expect(page.locator(".pane")).to_have_count(4)
    best = page.locator("form[action*='/best/'] button").nth(2)
    best.click()
    expect(page.locator(".pane").first).to_be_visible()
    use = page.locator("a[href*='?recipe=']").nth(2)
    page.goto(site.url + str(use.get_attribute("href")))
    expect(page.locator("#prompt")).to_have_value(f"a blue {cat}")
    assert complaints == []


def set_limit(site: Site, new_context: Callable[..., BrowserContext], limit: int) -> None:
    """What an administrator does: open everybody's allowance and give it another limit."""
    found = "Allowance.objects.get(scope='person', user=None, period='day').pk"
    number = site.shell(f"{ROWS}answer = {found}")
    context = new_context(locale="en-GB")
    context.add_cookies(site.login_cookies("admin"))  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{site.url}/admin/generations/allowance/{number}/change/")
    page.locator("#id_limit").fill(str(limit))
    page.locator("[name=_save]").click()
    expect(page.locator(".messagelist .success")).to_be_visible()


@LANGUAGES
def test_the_allowance_is_spent_seen_given_more_and_used(
    site: Site, project: str, new_context: Callable[..., BrowserContext], language: str
) -> None:
    used = site.shell(
        f"{ROWS}from generations.services import quota; "
        "meters = quota.summary(user=User.objects.get(username='designer')); "
        "answer = max(meter.used for meter in meters)"
    )
    prompt = f"one too many {language}"
    set_limit(site, new_context, used)
    page, complaints = opened(site, new_context, f"/p/{project}/", locale=language)
    page.locator("#prompt").fill(prompt)
    page.locator("#count").fill("1")
    page.locator("#compose .send .btn.primary").click()
    expect(page.locator(".send .problem")).to_be_visible()
    expect(page.locator("#prompt")).to_have_value(prompt)
    page.goto(f"{site.url}/usage/")
    expect(page.locator("main")).to_contain_text(f"{used}")
    set_limit(site, new_context, 1000)
    page.goto(f"{site.url}/p/{project}/", wait_until="load")
    page.locator("#prompt").fill(prompt)
    page.locator("#count").fill("1")
    page.locator("#compose .send .btn.primary").click()
    newest(page, prompt)
    assert complaints == []
