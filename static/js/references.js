// Bringing pictures into the compose panel. Fetched when the first one is dropped, pasted or asked for.

import { csrfToken, say } from "./app.js";

const MB = 1024 * 1024;
const AT_ONCE = 2;
const waiting = [];
let busy = 0;

const field = () => document.querySelector(".refs-field");
const list = () => document.getElementById("refs");
const engine = () => document.querySelector("#compose [name=engine]:checked")?.value ?? "";

/** Whatever changed, the panel counts and estimates again. */
function changed() {
  list().dispatchEvent(new Event("input", { bubbles: true }));
}

// --- Uploads ------------------------------------------------------------------------------------

/** Take files in, each with its own progress; one that carries a recipe of ours restores that instead. */
export async function add(files) {
  const { offer } = await import("./restore.js");
  for (const file of files) {
    if (await offer(file)) continue;
    const size = Math.ceil(file.size / MB);
    const large = field().dataset.large.replace("{name}", file.name).replace("{size}", size);
    if (size > 50) refuse(large);
    else waiting.push([file, placeholder(file)]);
  }
  next();
}

function placeholder(file) {
  const item = document.createElement("li");
  const bar = document.createElement("progress");
  const cancel = document.createElement("button");
  item.className = "ref wait";
  item.append(file.name, bar, cancel);
  bar.max = file.size;
  bar.value = 0;
  bar.setAttribute("aria-label", file.name);
  cancel.type = "button";
  cancel.className = "btn ghost sm icon";
  cancel.textContent = "×";
  cancel.setAttribute("aria-label", `× ${file.name}`);
  cancel.addEventListener("click", () => (item.request?.abort(), item.remove()));
  list().append(item);
  field().hidden = false;
  return item;
}

function next() {
  while (busy < AT_ONCE && waiting.length) {
    const [file, item] = waiting.shift();
    if (item.isConnected) send(file, item);
  }
}

function send(file, item) {
  const request = new XMLHttpRequest();
  const body = new FormData();
  body.append("file", file);
  body.append("engine", engine());
  item.request = request;
  busy += 1;
  request.open("POST", field().dataset.upload);
  request.setRequestHeader("HX-Request", "true");
  request.setRequestHeader("X-CSRFToken", csrfToken());
  request.upload.addEventListener("progress", (event) => (item.querySelector("progress").value = event.loaded));
  // What was read is now being looked at: how long that takes is not known.
  request.upload.addEventListener("load", () => item.querySelector("progress")?.removeAttribute("value"));
  request.addEventListener("loadend", () => {
    busy -= 1;
    if (item.isConnected) arrived(request, item);
    next();
  });
  request.send(body);
}

function arrived(request, item) {
  item.remove();
  if (request.status === 200 || request.status === 422) place(request.responseText);
  else if (request.status) refuse(field().dataset.failed);
}

function refuse(text) {
  const item = document.createElement("li");
  item.className = "problem";
  item.setAttribute("role", "alert");
  item.textContent = text;
  list().append(item);
}

/** Put tiles into the list; a picture that is there already is only ticked again. */
function place(html) {
  const made = document.createElement("template");
  made.innerHTML = html;
  for (const item of made.content.querySelectorAll("li")) {
    const token = item.querySelector("[name=reference]")?.value;
    const known = token && list().querySelector(`[name=reference][value="${CSS.escape(token)}"]`);
    if (known) known.checked = true;
    else list().append(item);
  }
  field().hidden = false;
  changed();
}

/** Fetch tiles for pictures that are in the studio already: `ref=` or `reference=` and an id each. */
export async function take(query) {
  const answer = await fetch(`${field().dataset.upload}tiles/?${query}&engine=${engine()}`, { headers: { "HX-Request": "true" } });
  if (answer.ok) place(await answer.text());
  else say(field().dataset.failed);
}

// --- Choosing -----------------------------------------------------------------------------------

export async function browse(href) {
  const address = new URL(href);
  address.searchParams.set("pick", "1");
  const answer = await fetch(address, { headers: { "HX-Request": "true" } });
  if (!answer.ok) return say(field().dataset.failed);
  const dialog = document.getElementById("shelf") ?? shelf();
  dialog.lastElementChild.innerHTML = await answer.text();
  if (!dialog.open) dialog.showModal();
}

function shelf() {
  const dialog = document.createElement("dialog");
  dialog.id = "shelf";
  dialog.className = "panel";
  dialog.innerHTML = '<header><h2></h2><form method="dialog"><button class="btn ghost sm icon">×</button></form></header><div></div>';
  dialog.querySelector("h2").textContent = field().querySelector("[data-refs=shelf]").textContent;
  dialog.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-refs]");
    const picture = event.target.closest("[data-pick]");
    if (link) {
      event.preventDefault();
      browse(link.href);
    } else if (picture) {
      picture.setAttribute("aria-pressed", "true");
      take(`ref=${picture.dataset.pick}`);
    } else if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  return dialog;
}

// --- Order --------------------------------------------------------------------------------------

/** One place forward or back; the button keeps the focus, so that it can be pressed again. */
export function move(button) {
  const item = button.closest(".ref");
  const step = Number(button.dataset.move);
  const beside = step < 0 ? item.previousElementSibling : item.nextElementSibling;
  if (!beside?.matches(".ref")) return;
  if (step < 0) beside.before(item);
  else beside.after(item);
  button.focus();
}

/** While one is dragged over another, it takes that one's place. */
export function drag(event) {
  const item = event.target.closest?.(".ref");
  if (!item) return;
  event.dataTransfer.effectAllowed = "move";
  const over = (each) => {
    const target = each.target.closest?.(".ref");
    if (!target || target === item || target.parentElement !== item.parentElement) return;
    each.preventDefault();
    const after = item.compareDocumentPosition(target) & Node.DOCUMENT_POSITION_FOLLOWING;
    if (after) target.after(item);
    else target.before(item);
  };
  document.addEventListener("dragover", over);
  document.addEventListener("dragend", () => document.removeEventListener("dragover", over), { once: true });
}
