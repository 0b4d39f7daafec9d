"""Prompts to begin with, in both languages: subject, action, scene, style, camera."""

from __future__ import annotations

from django.db import transaction

from generations.models import Project, Prompt, User
from generations.services.library import prompts
from generations.services.library.prompts import Wording

STARTERS: dict[str, list[Wording]] = {
    "en": [
        Wording("Portrait", "{subject=A young woman in a linen shirt}, {action:looking out of a window|laughing|reading}, in {scene=a sunlit kitchen}, {style:natural light photography|black-and-white film photography}, {camera:85 mm, shallow depth of field|50 mm, eye level}", ["people"]),
        Wording("Product on a table", "{product=A ceramic coffee cup} standing on {surface:pale oak|dark slate|white marble}, {scene=a few leaves beside it}, {style:clean studio photography|editorial still life}, softbox from the left, {camera:macro lens|straight from above}", ["product"]),
        Wording("Poster with a headline", "A poster with the headline “{headline=Summer Market}”, {subject=a basket of fruit} below it, {style:flat vector illustration|risograph print|Swiss typography}, {colours=warm orange and cream}, plenty of empty space", ["poster"]),
        Wording("Landscape", "{place=A mountain lake}, {action:mist rising|snow falling|clouds clearing}, at {time:dawn|noon|blue hour}, {style:landscape photography|gouache painting}, {camera:24 mm wide angle|aerial view}", ["nature"]),
        Wording("City street", "{subject=A cyclist} {action=waiting at a crossing}, {scene=a narrow street with neon signs in the rain}, {style:cinematic photography|watercolour sketch}, {camera:35 mm, low angle|telephoto, compressed}", ["city"]),
        Wording("Food", "{dish=A bowl of noodles with spring onions}, {action:steam rising|being poured with sauce}, on {scene=a wooden table by a window}, {style:food photography|cookbook illustration}, {camera:45 degrees from above|close-up}", ["food"]),
        Wording("Animal", "{animal=A corgi} {action:running|sleeping|jumping over a puddle}, in {scene=a meadow full of daisies}, {style:wildlife photography|picture-book illustration}, {camera:at eye level, fast shutter|long lens}", ["animals"]),
        Wording("Room", "{room=A small living room} with {detail=a reading chair and plants}, {action:morning light falling in|lamps lit in the evening}, {style:Scandinavian|Japanese|mid-century} interior, {camera:wide angle, straight lines|corner view}", ["interior"]),
        Wording("Building", "{building=A public library of timber and glass}, {action=people walking up the steps}, in {scene=a park in autumn}, {style:architectural photography|clay model rendering}, {camera:two-point perspective|from the air}", ["architecture"]),
        Wording("Character", "{character=A travelling clockmaker with a brass backpack} {action=repairing a lantern}, in {scene=a night market}, {style:anime film still|oil painting|3D animation}, {camera:full figure|half figure}", ["character"]),
        Wording("Icon", "An icon of {object=a paper plane}, {action:standing still|in flight}, on {scene=a plain pale background}, {style:soft 3D|line drawing|paper cut}, {camera:seen from the front|isometric view}", ["icon"]),
        Wording("Season's greeting", "{subject=A family of rabbits} {action=hanging up lanterns}, in {scene=a courtyard under a full moon}, {style:paper cut|ink wash|children's book illustration}, {camera:symmetrical frontal view|wide view}", ["occasion"]),
    ],
    "zh-hans": [
        Wording("人像", "{主体=一位穿亚麻衬衫的年轻女子}，{动作:望向窗外|开怀大笑|低头看书}，{场景=洒满阳光的厨房}，{风格:自然光摄影|黑白胶片摄影}，{镜头:85mm 浅景深|50mm 平视}", ["人物"]),
        Wording("桌面产品", "{产品=一只陶瓷咖啡杯}放在{台面:浅色橡木|深色石板|白色大理石}上，{场景=旁边几片绿叶}，{风格:干净的棚拍|杂志静物}，左侧柔光，{镜头:微距|正上方俯拍}", ["产品"]),
        Wording("标题海报", "一张海报，标题为“{标题=夏日市集}”，下方是{主体=一篮水果}，{风格:扁平矢量插画|孔版印刷|瑞士排版}，{配色=暖橙与米白}，大面积留白", ["海报"]),
        Wording("风景", "{地点=高山湖泊}，{动作:晨雾升起|雪花飘落|云层散开}，{时间:黎明|正午|蓝调时刻}，{风格:风光摄影|水粉画}，{镜头:24mm 广角|航拍}", ["自然"]),
        Wording("城市街头", "{主体=一位骑行者}{动作=在路口等待}，{场景=雨中挂满霓虹招牌的窄街}，{风格:电影感摄影|水彩速写}，{镜头:35mm 低角度|长焦压缩}", ["城市"]),
        Wording("美食", "{菜品=一碗葱油拌面}，{动作:热气升腾|正在淋上酱汁}，{场景=窗边的木桌}，{风格:美食摄影|食谱插画}，{镜头:45 度俯拍|特写}", ["美食"]),
        Wording("动物", "{动物=一只柯基}{动作:在奔跑|在睡觉|跃过水坑}，{场景=开满雏菊的草地}，{风格:野生动物摄影|绘本插画}，{镜头:平视高速快门|长焦}", ["动物"]),
        Wording("室内", "{房间=小客厅}，{细节=阅读椅与绿植}，{动作:晨光洒入|傍晚点起灯}，{风格:北欧|日式|中古}风格室内，{镜头:广角横平竖直|角落视角}", ["室内"]),
        Wording("建筑", "{建筑=木与玻璃的公共图书馆}，{动作=人们走上台阶}，{场景=秋天的公园}，{风格:建筑摄影|黏土模型渲染}，{镜头:两点透视|航拍}", ["建筑"]),
        Wording("角色", "{角色=背着黄铜背包的流浪钟表匠}{动作=正在修理灯笼}，{场景=夜市}，{风格:动画电影截图|油画|三维动画}，{镜头:全身|半身}", ["角色"]),
        Wording("图标", "{物体=纸飞机}图标，{动作:静止|飞行中}，{场景=浅色纯净背景}，{风格:柔和三维|线描|剪纸}，{镜头:正面|等距视角}", ["图标"]),
        Wording("节日祝福", "{主体=兔子一家}{动作=正在挂灯笼}，{场景=满月下的院子}，{风格:剪纸|水墨|童书插画}，{镜头:对称正面构图|大全景}", ["节日"]),
    ],
}  # fmt: skip


def add(*, user: User, project: Project | None, language: str) -> list[Prompt]:
    """Put the set in a language on a shelf; nothing where the shelf holds any prompt."""
    shelf = {"project": project} if project else {"project": None, "user": user}
    if Prompt.objects.filter(hidden_at=None, **shelf).exists():
        return []
    chosen = STARTERS.get(language, STARTERS["en"])
    with transaction.atomic():
        return [prompts.create(user=user, project=project, wording=each) for each in chosen]
