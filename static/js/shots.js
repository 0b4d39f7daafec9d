// Several shots in one video: a numbered line for each. The prompt stays what is sent; the lines write it
// and are read from it. Fetched when the switch is pressed.

const MARK = /(?:镜头|\bshot)\s*\d{1,2}\s*[:：]\s*/gi;
const CHINESE = /[\u3400-\u9fff]/;

const prompt = (panel) => panel.querySelector("#prompt");
const editor = (panel) => panel.querySelector(".shots");
const flat = (text) => text.replace(/\s*\n\s*/g, " ").trim();

/** What a prompt says of its shots, and before them of all; without marks it is one shot. */
export function read(text) {
  const marks = [...text.matchAll(MARK)];
  if (!marks.length) return { all: "", shots: [flat(text)] };
  const shots = marks.map((mark, n) => flat(text.slice(mark.index + mark[0].length, marks[n + 1]?.index)));
  return { all: flat(text.slice(0, marks[0].index)), shots };
}

/** The prompt of these shots: marked in the language they are written in; one alone needs no mark. */
export function write({ all, shots }) {
  const filled = shots.map(flat).filter(Boolean);
  if (filled.length < 2 && !flat(all)) return filled[0] ?? "";
  const mark = CHINESE.test(all + filled.join("")) ? (n) => `镜头${n}：` : (n) => `Shot ${n}: `;
  return [flat(all), ...filled.map((text, n) => mark(n + 1) + text)].filter(Boolean).join("\n");
}

const held = (root) => ({
  all: root.querySelector(".all textarea").value,
  shots: [...root.querySelectorAll(".shot textarea")].map((field) => field.value),
});

/** Lines instead of the plain prompt, or the plain prompt again. */
export function toggle(panel) {
  panel.shooting = !panel.shooting;
  again(panel);
  const root = editor(panel);
  (panel.shooting ? root.querySelector(".shot:last-of-type textarea") : prompt(panel)).focus();
}

/** After the panel was drawn anew: the same, with what the prompt holds now. */
export function again(panel) {
  const root = editor(panel);
  if (!root) return prompt(panel).toggleAttribute("hidden", false);
  const on = Boolean(panel.shooting);
  root.hidden = !on;
  prompt(panel).hidden = on;
  panel.querySelector("[data-shots]").ariaPressed = on;
  if (on && (!root.firstChild || write(held(root)) !== prompt(panel).value)) draw(root, read(prompt(panel).value));
  if (!root.listens) listen(panel, root);
}

function listen(panel, root) {
  root.listens = true;
  root.addEventListener("input", (event) => (split(root, event.target), told(panel, root)));
  root.addEventListener("keydown", (event) => key(panel, root, event));
  root.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.add !== undefined) insert(root, root.querySelector(".shot:last-of-type")).focus();
    else remove(root, button.closest(".shot"));
    told(panel, root);
  });
}

function told(panel, root) {
  prompt(panel).value = write(held(root));
  prompt(panel).dispatchEvent(new Event("input", { bubbles: true }));
}

function draw(root, { all, shots }) {
  const add = document.createElement("button");
  add.type = "button";
  add.className = "btn ghost sm";
  add.dataset.add = "";
  add.textContent = `+ ${root.dataset.add}`;
  root.replaceChildren(line("all", all), ...shots.map((text) => line("shot", text)), add);
  number(root);
}

function line(kind, text) {
  const row = document.createElement("div");
  const field = document.createElement("textarea");
  row.className = kind;
  field.rows = 1;
  field.value = text;
  row.append(document.createElement("i"), field);
  if (kind === "shot") {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn ghost sm icon";
    button.textContent = "×";
    row.append(button);
  }
  return row;
}

function number(root) {
  const first = root.querySelector(".all textarea");
  first.placeholder = first.ariaLabel = root.dataset.all;
  root.querySelectorAll(".shot").forEach((row, n) => {
    row.firstChild.textContent = n + 1;
    row.children[1].ariaLabel = root.dataset.each.replace("{n}", n + 1);
    row.lastChild.ariaLabel = root.dataset.remove.replace("{n}", n + 1);
  });
}

/** A new line after a row; its field. */
function insert(root, row, text = "") {
  const made = line("shot", text);
  row.after(made);
  number(root);
  return made.children[1];
}

function remove(root, row) {
  if (root.querySelectorAll(".shot").length < 2) row.children[1].value = "";
  const beside = row.previousElementSibling.matches(".shot") ? row.previousElementSibling : row.nextElementSibling;
  if (!beside.matches(".shot")) return row.children[1].focus();
  row.remove();
  number(root);
  beside.children[1].focus();
}

/** What is pasted with several lines is several shots. */
function split(root, field) {
  const row = field.closest(".shot");
  const lines = field.value.split("\n").map((text) => text.replace(MARK, "").trim()).filter(Boolean);
  if (!row || lines.length < 2) return;
  field.value = lines[0];
  lines.slice(1).reduce((after, text) => insert(root, after, text).closest(".shot"), row);
}

function key(panel, root, event) {
  const row = event.target.closest("div.shot, div.all");
  if (!row || event.isComposing || event.ctrlKey || event.metaKey || event.target.localName !== "textarea") return;
  if (event.key === "Enter") {
    event.preventDefault();
    insert(root, row).focus();
  } else if (event.key === "Backspace" && row.matches(".shot") && !event.target.value) {
    event.preventDefault();
    remove(root, row);
  } else return;
  told(panel, root);
}
