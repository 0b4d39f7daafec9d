// Choosing pictures by the boxes in their corners, and judging them: one under the focus, or all chosen.

import { csrfToken, say } from "./app.js";

const bar = document.querySelector(".selbar");
const menu = document.querySelector(".tile-menu");
const MOST = 4; // compared at once
const order = [];
let last = null;
let subject = null; // the picture whose menu is open

/** The boxes that are checked, in the order in which they were. */
export const picked = () => order.filter((box) => box.isConnected && box.checked);
const boxes = () => [...document.querySelectorAll("[name=pick]")].filter((box) => box.offsetParent);
/** The element of a picture, by anything inside it. */
export const pictureOf = (inside) => inside?.closest?.("[data-asset]");

export function forget() {
  picked().forEach((box) => (box.checked = false));
  order.length = 0;
  show();
}

/** Open the comparison of two to four chosen pictures. */
export function compare() {
  const count = picked().length;
  if (count > MOST) say(bar.querySelector("a").dataset.many);
  else if (count >= 2) bar.querySelector("a").click();
}

const comparing = (ids) => `${bar.dataset.url}?${ids.slice(0, MOST).map((id, n) => `${"abcd"[n]}=${id}`).join("&")}`;

function show() {
  const ids = picked().map((box) => box.value);
  bar.hidden = ids.length === 0;
  const text = bar.querySelector("span");
  text.textContent = text.dataset.text.replace("{n}", ids.length);
  const link = bar.querySelector("a");
  link.toggleAttribute("aria-disabled", ids.length < 2 || ids.length > MOST);
  link.href = comparing(ids);
  const all = bar.querySelector("[data-export]");
  if (all) all.href = `${all.dataset.export}?${ids.map((id) => `asset=${id}`).join("&")}`;
  for (const button of document.querySelectorAll("[data-whole-day]")) button.ariaPressed = whole(dayOf(button));
}

// A day may go on in sections that came later, without a heading of their own.
function dayOf(button) {
  const { day } = button.closest("[data-day]").dataset;
  return [...document.querySelectorAll(`[data-day="${day}"] .shot:not([hidden]) [name=pick]`)];
}
const whole = (day) => day.length > 0 && day.every((box) => box.checked);

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-whole-day]");
  if (!button) return;
  const day = dayOf(button);
  const is = !whole(day);
  order.push(...day.filter((box) => is && !box.checked));
  day.forEach((box) => (box.checked = is));
  order.splice(0, order.length, ...picked());
  show();
});

document.addEventListener("change", (event) => {
  if (event.target.name !== "pick") return;
  if (event.target.checked) order.push(event.target);
  order.splice(0, order.length, ...picked());
  show();
});
// Shift and a click choose everything between the box before and this one.
document.addEventListener("click", (event) => {
  const box = event.target.name === "pick" ? event.target : null;
  if (!box) return;
  const all = boxes();
  if (event.shiftKey && last?.isConnected) {
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    for (const each of all.slice(from, to + 1)) {
      if (each.checked !== box.checked && each !== box) {
        each.checked = box.checked;
        each.dispatchEvent(new Event("change", { bubbles: true }));
      }
    }
  }
  last = box;
});

// --- Judging ------------------------------------------------------------------------------------

async function post(ids, name, value) {
  const body = new FormData();
  ids.forEach((id) => body.append("asset", id));
  body.append(name, value);
  const headers = { "HX-Request": "true", "X-CSRFToken": csrfToken() };
  const answer = await fetch(bar.dataset.mark, { method: "POST", body, headers }).catch(() => null);
  const text = answer && (answer.ok || answer.status === 422) ? await answer.text() : null;
  if (text === null) say(document.getElementById("toast").dataset.failed);
  else if (text.trim()) document.getElementById("toast").innerHTML = text;
  return Boolean(answer?.ok);
}

const elements = (ids) => ids.flatMap((id) => [...document.querySelectorAll(`[data-asset="${CSS.escape(id)}"]`)]);

function draw(element) {
  const { favourite, rating } = element.dataset;
  const stars = element.querySelector("[data-stars]");
  if (stars) stars.textContent = `${favourite === "1" ? "♥" : ""}${rating > 0 ? ` ★${rating}` : ""}`;
}

/** Judge pictures: `what` is favourite, rating or trash. The page follows once the studio has agreed. */
export async function judge(ids, what, value = "1") {
  if (!ids.length || !bar?.querySelector("[data-do=trash]")) return;
  const found = elements(ids);
  if (ids.length > 500) return say(bar.dataset.most);
  if (found.some((each) => each.dataset.write === "0")) return say(bar.dataset.readonly);
  if (what === "favourite") value = found.every((each) => each.dataset.favourite === "1") ? "0" : "1";
  if (!(await post(ids, what, value))) return;
  if (what === "trash") return hide(found, true);
  found.forEach((each) => ((each.dataset[what] = value), draw(each)));
}

/** The picture that takes the focus when these go: the next one that stays, else the one before. */
function neighbour(found) {
  const all = [...document.querySelectorAll("[data-asset]:not([hidden])")].filter((each) => each.querySelector("a"));
  const place = all.indexOf(found.at(-1));
  const stays = (each) => !found.includes(each);
  return all.slice(place + 1).find(stays) ?? all.slice(0, Math.max(place, 0)).reverse().find(stays);
}

function hide(found, is) {
  const next = is ? neighbour(found) : found[0];
  for (const each of found) {
    each.hidden = is;
    const box = each.querySelector("[name=pick]");
    if (box) box.checked = false;
  }
  order.splice(0, order.length, ...picked());
  show();
  next?.querySelector("a")?.focus();
}

document.addEventListener("click", async (event) => {
  const undo = event.target.closest("button[data-undo]");
  if (!undo) return;
  const ids = undo.dataset.undo.split(" ");
  if (await post(ids, "restore", "1")) hide(elements(ids), false);
});

const chosen = () => picked().map((box) => box.value);
bar?.addEventListener("click", (event) => {
  const what = event.target.closest("[data-do]")?.dataset.do;
  if (what === "forget") forget();
  else if (what === "move") document.getElementById("move-to").showModal();
  else if (what) judge(chosen(), what);
});
document.getElementById("move-to")?.addEventListener("click", async (event) => {
  const to = event.target.closest("[data-move-to]")?.dataset.moveTo;
  if (!to) return;
  event.currentTarget.close();
  const ids = chosen();
  if (await post(ids, "move", to)) hide(elements(ids), true);
});

/** A key on a picture: 1–5 and 0 rate it, F favours it, Delete throws it away. True when it was one. */
export function judgeByKey(event) {
  const element = pictureOf(event.target);
  const ids = element ? [element.dataset.asset] : chosen();
  if (!ids.length) return false;
  if (/^[0-5]$/.test(event.key)) judge(ids, "rating", event.key);
  else if (event.key === "f") judge(ids, "favourite");
  else if (event.key === "Delete" || event.key === "Backspace") judge(ids, "trash");
  else return false;
  event.preventDefault();
  return true;
}

// A video shows what it holds while the mouse moves over it; the code for it comes with the first.
document.addEventListener("pointerover", (event) => {
  if (event.target.closest?.("[data-video]")) import("./strip.js").then(({ point }) => point(event));
});

// --- The menu of one picture ----------------------------------------------------------------------

/** What a picture is compared with: those chosen; where none is, the next of its run, else of the page. */
function others(element) {
  const { asset, run } = element.dataset;
  const taken = chosen().filter((id) => id !== asset);
  if (taken.length && taken.length < MOST) return taken;
  const all = [...document.querySelectorAll("[data-asset]:not([hidden])")];
  const place = all.indexOf(element);
  const around = [...all.slice(place + 1), ...all.slice(0, place).reverse()];
  const next = around.find((each) => each.dataset.run === run) ?? around[0];
  return next ? [next.dataset.asset] : [];
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-menu]");
  if (!button || !menu) return;
  subject = pictureOf(button);
  const { asset, run, project, final, video } = subject.dataset;
  const picture = video === undefined;
  const links = {
    animate: picture && `${project}?animate=${asset}`,
    final: final && `${project}?${final}`,
    reference: picture && `${project}?reference=${asset}`,
    edit: picture && `${project}?recipe=${run}&reference=${asset}`,
    again: `${project}?recipe=${run}`,
    download: `/a/${asset}/download/`,
    compare: comparing([asset, ...others(subject)]),
  };
  for (const link of menu.querySelectorAll("[data-link]")) {
    const to = links[link.dataset.link];
    link.hidden = !to;
    if (to) link.href = to;
  }
  menu.showPopover();
  const box = button.getBoundingClientRect();
  const left = Math.max(8, Math.min(box.right - menu.offsetWidth, innerWidth - menu.offsetWidth - 8));
  const top = box.bottom + menu.offsetHeight + 8 < innerHeight ? box.bottom + 4 : Math.max(8, box.top - menu.offsetHeight - 4);
  menu.style.setProperty("inset", `${top}px auto auto ${left}px`);
  menu.querySelector("button, a:not([hidden])").focus();
});
menu?.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  menu.hidePopover();
  if (button) judge([subject.dataset.asset], button.dataset.do, button.dataset.value);
});
