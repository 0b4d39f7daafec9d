// A file that carries a recipe of ours brings it into the compose panel. Fetched with the first file.

import { csrfToken, say } from "./app.js";

const MARKS = ["diptych:recipe", '"studio": "Diptych"'];
const ENDS = 256 * 1024;

/** Whether the file says, near its beginning or end, that it is ours. */
async function ours(file) {
  const pieces = [file.slice(0, ENDS), file.slice(Math.max(0, file.size - ENDS))];
  const texts = await Promise.all(pieces.map((piece) => piece.text()));
  return texts.some((text) => MARKS.some((mark) => text.includes(mark)));
}

/** Put the file's recipe into the panel, with a way back; false when it carries none. */
export async function offer(file) {
  const panel = document.querySelector("compose-panel");
  const form = document.getElementById("compose");
  if (!form?.dataset.restore || !(await ours(file))) return false;
  const body = new FormData();
  body.append("file", file);
  const headers = { "HX-Request": "true", "X-CSRFToken": csrfToken() };
  const answer = await fetch(form.dataset.restore, { method: "POST", body, headers }).catch(() => null);
  if (!answer?.ok) {
    // Several recipes, or none after all: it asks which, or says why.
    if (answer?.status === 422) ask(await answer.text());
    else say(document.getElementById("toast").dataset.failed);
    return true;
  }
  const made = document.createElement("template");
  made.innerHTML = await answer.text();
  swap(panel, form, made.content.querySelector("#compose"));
  return true;
}

function ask(html) {
  const dialog = document.createElement("dialog");
  dialog.className = "panel";
  dialog.innerHTML = `<form method="dialog"><button class="btn ghost sm icon" aria-label="×">×</button></form>${html}`;
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function swap(panel, before, after) {
  before.replaceWith(after);
  window.htmx.process(after);
  panel.refresh();
  const undo = document.createElement("button");
  undo.type = "button";
  undo.className = "btn sm";
  undo.textContent = after.dataset.wayBack;
  undo.addEventListener("click", () => {
    after.replaceWith(before);
    panel.refresh();
    say("");
  });
  document.getElementById("toast").replaceChildren(`${after.dataset.restored} `, undo);
  document.getElementById("prompt").focus();
}
