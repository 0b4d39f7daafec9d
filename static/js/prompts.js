// The prompt field's memory: "/" offers saved prompts, alt+↑↓ brings back one's own last ones.
// Loaded with the first of either.

const OPEN = /(^|\s)\/([^\s/]*)$/;
let list = null;
let asked = 0;
let past = null;
let place = -1;
let draft = "";

const options = () => [...(list?.querySelectorAll("[role=option]") ?? [])];
const current = () => list?.querySelector("[aria-selected=true]");

/** Open, filter or close the menu for what stands before the caret. */
export async function update(field) {
  const typed = field.value.slice(0, field.selectionStart).match(OPEN);
  const turn = ++asked;
  if (!typed) return close(field);
  const answer = await fetch(`${field.dataset.menu}?q=${encodeURIComponent(typed[2])}`).catch(() => null);
  if (turn !== asked) return;
  if (!answer?.ok) return close(field);
  const html = await answer.text();
  if (turn !== asked) return;
  if (!list?.isConnected) open(field);
  list.innerHTML = html;
  mark(field, options()[0]);
}

function open(field) {
  list = document.createElement("ul");
  list.className = "prompt-menu";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", field.dataset.menuLabel);
  list.id = "prompt-menu";
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => choose(field, event.target.closest("[role=option]")));
  field.after(list);
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);
  field.addEventListener("keydown", steer);
  field.addEventListener("blur", leave);
}

function leave(event) {
  asked++;
  close(event.target);
}

function close(field) {
  list?.remove();
  list = null;
  field.removeEventListener("keydown", steer);
  field.removeEventListener("blur", leave);
  for (const name of ["aria-autocomplete", "aria-controls", "aria-activedescendant"]) field.removeAttribute(name);
}

function mark(field, option) {
  for (const each of options()) each.setAttribute("aria-selected", String(each === option));
  if (!option) return field.removeAttribute("aria-activedescendant");
  field.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

function steer(event) {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  const field = event.currentTarget;
  const all = options();
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && all.length) mark(field, all.at((all.indexOf(current()) + step + all.length) % all.length));
  else if (event.key === "Enter" && current()) choose(field, current());
  else if (event.key === "Escape") (asked++, close(field));
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** Put a prompt's text where the "/" stood, and its slots beneath the field. */
async function choose(field, option) {
  if (!option) return;
  const end = field.selectionStart;
  const start = end - field.value.slice(0, end).match(OPEN)[2].length - 1;
  asked++;
  close(field);
  const answer = await fetch(option.dataset.insert).catch(() => null);
  if (!answer?.ok) return;
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  const slots = parsed.querySelector(".slots");
  if (!slots) return;
  document.getElementById("saved").replaceChildren(slots);
  field.setRangeText(slots.dataset.text, start, end, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
  (slots.querySelector("select, input:not([type=hidden])") ?? field).focus();
}

/** One's own last prompts, the last first; below the newest waits what was not sent. */
export async function recall(field, step) {
  if (!past) {
    const answer = await fetch(field.dataset.history).catch(() => null);
    if (!answer?.ok) return;
    past = (await answer.json()).prompts;
    document.addEventListener("composed", () => (past = null), { once: true });
    place = -1;
  }
  if (place >= 0 && field.value !== past[place]) place = -1;
  const next = Math.min(past.length - 1, Math.max(-1, place + step));
  if (next === place) return;
  if (place < 0) draft = field.value;
  place = next;
  field.value = place < 0 ? draft : past[place];
  field.setSelectionRange(field.value.length, field.value.length);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
