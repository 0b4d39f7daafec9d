"""Every page of the studio and the admin, with real content: what axe reads and the camera sees."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from tests.pictures import photo
from tests.running import Site, wait_until

ROWS = "from generations.models import *\n"
BUSY = f"{ROWS}answer = Generation.objects.filter(state='active').count()"

# Runs in the site's own process: people, shelves and lists that no demo has. {photo} is a file.
MAKE = """
from pathlib import Path
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from generations.models import *
from generations.services import people, projects
from generations.services.gallery import marks, trash
from generations.services.library import prompts, references
from tests import videos

demo = Project.objects.get(slug="demo")
designer = User.objects.get(username="designer")
runs = Generation.objects.order_by("pk")
pictures = Asset.objects.order_by("pk")

chosen = references.ingest(source=Path({photo!r}), name="海边.jpg", user=designer, project=demo)
references.adopt(asset=pictures[0], user=designer, project=demo)
references.adopt(asset=pictures[1], user=designer, project=None)

wording = prompts.Wording("品牌主视觉", "一只{{colour:白|黑}}鹤立在{{place=荷塘}}中，水墨，全景")
prompt = prompts.create(project=demo, user=designer, wording=wording)
changed = prompts.Wording("品牌主视觉", "一只{{colour:白|黑|灰}}鹤立在{{place=荷塘}}边，水墨，全景，留白")
prompts.change(prompt=prompt, user=designer, wording=changed)

batch = Batch.objects.create(project=demo, user=designer, name="Ten cats")
BatchLine.objects.create(batch=batch, position=1, prompt="一只猫", generation=runs[0])
BatchLine.objects.create(batch=batch, position=2, prompt="两只猫", problem="Its run was removed.")
BatchLine.objects.create(batch=batch, position=3, prompt="三只猫")

for number, picture in enumerate(pictures[:6]):
    marks.rate(assets=[picture], actor=designer, rating=number % 5 + 1)
marks.favour(assets=list(pictures[:2]), actor=designer, favourite=True)
trash.throw_away(assets=list(pictures[5:10:2]), actor=designer)

still = (settings.MEDIA_ROOT / pictures[0].blob.name).read_bytes()
filmed = videos.run(demo, designer, 49, 121, prompt="{filmed}", size=(1280, 720), still=still)
pair = list(filmed.assets.order_by("job__position"))

link = projects.invite(project=demo, by=designer, role="editor", days="7", once=True)
people.make_token(user=designer, name="夜间渲染", days="90", project=str(demo.public_id), may_run=True)
old = projects.create(name="去年的海报", owner=designer)
projects.archive(project=old)
lin = User.objects.create_user("lin", email="lin@example.test", password="a-password-forgotten")
uid = urlsafe_base64_encode(force_bytes(lin.pk))  # signing in would end the link: nobody does
answer = {{
    "demo": demo.public_id, "old": old.public_id, "batch": batch.public_id, "join": link,
    "prompt": prompt.public_id, "reference": chosen.public_id,
    "new-password": f"/password/new/{{uid}}/{{default_token_generator.make_token(lin)}}/",
    "failed": runs.filter(state="failed").last().public_id,
    "uncertain": runs.filter(state="uncertain").last().public_id,
    "four": [run.assets.order_by("pk")[0].public_id for run in runs[:4]],
    "filmed": filmed.public_id, "pair": [each.public_id for each in pair],
    "allowance": Allowance.objects.order_by("pk")[0].pk,
    "account": ProviderAccount.objects.order_by("pk")[0].pk,
}}
"""

FILMED = "镜头1：海浪拍打礁石，慢动作。镜头2：镜头升起，看见整片海岸线"

NAMES = (
    *("studio", "rerun", "with-prompt", "refused", "uncertain"),
    *("gallery", "narrowed", "nothing", "trash", "everything", "detail"),
    *("compare", "slider", "four", "empty-compare"),
    *("animate", "final", "filmed", "videos", "video", "two-videos", "video-beside"),
    *("many", "batches", "batch", "queue", "news"),
    *(
        "references",
        "own",
        "prompts",
        "own-prompts",
        "prompt",
        "prompt-new",
        "prompt-import",
        "restore",
    ),
    *("projects", "new", "members", "archived", "settings", "api", "password", "usage"),
    *("missing", "unlabelled"),
    *("join", "join-gone", "login", "forgotten", "sent", "new-password"),
    *("admin", "accounts", "account", "allowances", "allowance", "users", "jobs"),
    *("uncertain-jobs", "at-risk", "status"),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """One page: where it is, and as whom it is opened ("" is a stranger)."""

    path: str
    who: str = "designer"


def prepare(site: Site) -> None:
    """Wait for the demo's pictures; leave runs refused, uncertain and under way."""
    wait_until(lambda: site.shell(BUSY) == 0, timeout_s=180, every_s=2, what="the demo's runs")
    generate = ["generate", "--project", "demo", "--skip-checks", "--size", "2048x2048"]
    site.manage(*generate, "敏感词测试")
    site.sandbox.set_faults(faults={"drop_after": 1.0})
    site.manage(*generate, "<b>被丢弃的回答</b>")
    wait_until(lambda: site.shell(BUSY) == 0, timeout_s=60, every_s=1, what="the two failures")
    site.sandbox.set_faults(faults={})
    site.manage(*generate, "陶瓷香薰静物，暖灰背景，柔和的窗光，产品摄影", "--count", "4")
    wait_until(lambda: site.shell(BUSY) == 0, timeout_s=60, every_s=1, what="the still lifes")
    site.sandbox.set_faults(faults={}, latency=900)
    site.manage(*generate, "同样的静物，换成清晨的蓝调光线", "--count", "2")


def everywhere(site: Site, folder: Path) -> dict[str, Shown]:
    """Make what the pages need beyond `prepare`; the pages by name. `folder` takes a photograph."""
    file = folder / "photo.jpg"
    file.write_bytes(photo())
    found = site.shell(MAKE.format(photo=str(file), filmed=FILMED))
    inside = f"/p/{found['demo']}/"
    pages = {
        name: Shown(inside + rest)
        for name, rest in {
            "studio": "",
            "rerun": f"?recipe={found['failed']}",
            "with-prompt": f"?prompt={found['prompt']}",
            "refused": f"g/{found['failed']}/",
            "uncertain": f"g/{found['uncertain']}/",
            "gallery": "gallery/",
            "animate": f"?animate={found['four'][0]}",
            "final": f"?recipe={found['filmed']}&n=1&final=jimeng-video-3.0-1080p",
            "filmed": f"g/{found['filmed']}/",
            "videos": "gallery/?kind=video",
            "narrowed": "gallery/?q=霓虹&sort=oldest&rating=1",
            "nothing": "gallery/?q=nowhere",
            "trash": "trash/",
            "many": "batches/new/",
            "batches": "batches/",
            "batch": f"batches/{found['batch']}/",
            "queue": "queue/",
            "references": "library/references/",
            "own": "library/references/?shelf=mine",
            "prompts": "library/prompts/",
            "own-prompts": "library/prompts/?shelf=mine",
            "prompt": f"library/prompts/{found['prompt']}/",
            "prompt-new": "library/prompts/new/",
            "prompt-import": "library/prompts/import/",
            "restore": "recipe/",
            "members": "settings/",
            "unlabelled": "unlabelled/",
        }.items()
    }
    pages |= elsewhere(found)
    assert set(pages) == set(NAMES)
    return pages


def elsewhere(found: dict[str, str]) -> dict[str, Shown]:
    """The pages that belong to no project, and the admin's."""
    four = dict(zip("abcd", found["four"], strict=True))
    two = {key: four[key] for key in "ab"}
    return {
        "detail": Shown(f"/a/{four['a']}/"),
        "video": Shown(f"/a/{found['pair'][0]}/"),
        "two-videos": Shown(f"/compare/?{urlencode(dict(zip('ab', found['pair'], strict=True)))}"),
        "video-beside": Shown(f"/compare/?a={four['a']}&b={found['pair'][0]}&mode=slider"),
        "compare": Shown(f"/compare/?{urlencode(two)}"),
        "slider": Shown(f"/compare/?{urlencode(two)}&mode=slider"),
        "four": Shown(f"/compare/?{urlencode(four)}"),
        "empty-compare": Shown("/compare/"),
        "everything": Shown("/everything/?sort=best"),
        "projects": Shown("/projects/"),
        "new": Shown("/projects/new/"),
        "archived": Shown(f"/p/{found['old']}/"),
        "settings": Shown("/settings/"),
        "api": Shown("/settings/api/"),
        "password": Shown("/password/"),
        "usage": Shown("/usage/"),
        "news": Shown("/news/"),
        "missing": Shown("/projects/nowhere/"),
        "join": Shown(f"/join/{found['join']}/", ""),
        "join-gone": Shown("/join/nonsense/", ""),
        "login": Shown("/login/", ""),
        "forgotten": Shown("/password/forgotten/", ""),
        "sent": Shown("/password/forgotten/sent/", ""),
        "new-password": Shown(found["new-password"], ""),
        "admin": Shown("/admin/", "admin"),
        "accounts": Shown("/admin/generations/provideraccount/", "admin"),
        "allowances": Shown("/admin/generations/allowance/", "admin"),
        "allowance": Shown(f"/admin/generations/allowance/{found['allowance']}/change/", "admin"),
        "users": Shown("/admin/generations/user/", "admin"),
        "jobs": Shown("/admin/generations/job/", "admin"),
        "account": Shown(f"/admin/generations/provideraccount/{found['account']}/change/", "admin"),
        "uncertain-jobs": Shown("/admin/generations/uncertainjob/", "admin"),
        "at-risk": Shown("/admin/generations/atriskjob/", "admin"),
        "status": Shown("/status/", "admin"),
    }
