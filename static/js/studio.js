// The studio's own behaviour: composing, live cards, progress between events.

import { isTyping } from "./app.js";
import { compare, forget, judgeByKey } from "./pick.js";

const $ = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const sheet = document.getElementById("sheet");

/** The compose form: counter, sizes, estimate. The server renders the same without it. */
class ComposePanel extends HTMLElement {
  connectedCallback() {
    this.addEventListener("input", () => this.refresh());
    this.addEventListener("change", (event) => this.changed(event.target));
    this.addEventListener("click", (event) => this.step(event.target.closest("[data-step]")));
    this.addEventListener("keydown", (event) => (this.send(event), this.recall(event)));
    this.addEventListener("input", (event) => this.offer(event));
    this.addEventListener("htmx:after:swap", () => this.refresh());
    this.pictures();
    this.refresh();
  }

  /** Reference pictures, by drop, paste, button or drag; the code for them comes with the first. */
  pictures() {
    const bring = (run) => import("./references.js").then(run);
    const files = (event) => event.dataTransfer?.types.includes("Files");
    const over = (is) => this.classList.toggle("over", is);
    this.addEventListener("dragover", (event) => files(event) && (event.preventDefault(), over(true)));
    this.addEventListener("dragleave", (event) => this.contains(event.relatedTarget) || over(false));
    this.addEventListener("drop", (event) => {
      if (!files(event)) return;
      event.preventDefault();
      over(false);
      const dropped = [...event.dataTransfer.files];
      bring(({ add }) => add(dropped));
    });
    this.addEventListener("paste", (event) => {
      const pasted = [...event.clipboardData.files];
      if (!pasted.length) return;
      event.preventDefault();
      bring(({ add }) => add(pasted));
    });
    document.addEventListener("click", (event) => {
      const link = event.target.closest("[data-reference]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      bring(({ take }) => take(`reference=${link.dataset.reference}`));
      if (sheet) sheet.checked = true;
    });
    this.addEventListener("dragstart", (event) => bring(({ drag }) => drag(event)));
    this.addEventListener("click", (event) => {
      const button = event.target.closest("[data-refs], [data-move]");
      if (!button) return;
      event.preventDefault();
      bring(({ act, move }) => (button.dataset.move ? move(button) : act(button)));
    });
  }

  /** "/" offers saved prompts, alt+↑↓ one's own last ones; the code comes with the first. */
  offer(event) {
    const { target: field, isComposing } = event;
    if (field.id !== "prompt" || isComposing) return;
    const typing = /(^|\s)\/\S*$/.test(field.value.slice(0, field.selectionStart));
    if (typing || this.offered) import("./prompts.js").then(({ update }) => update(field));
    this.offered = typing;
  }

  recall(event) {
    const step = event.altKey && !event.isComposing && { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!step || event.target.id !== "prompt") return;
    event.preventDefault();
    import("./prompts.js").then(({ recall }) => recall(event.target, step));
  }

  get form() {
    return $("form", this);
  }

  changed(field) {
    if (field.name === "tier") this.pickTier(field.value);
    if (field.name === "size" && field.value !== "custom") this.shape = field.dataset.shape;
    this.refresh();
  }

  /** Another size class keeps the shape, where it has it. */
  pickTier(name) {
    const options = all(`[data-tier="${name}"] [name=size]`, this);
    const kept = this.shape ?? $("[name=size]:checked", this)?.dataset.shape;
    const chosen = options.find((each) => each.dataset.shape === kept)
      ?? options.find((each) => each.dataset.shape === "1:1") ?? options[0];
    if (name === "custom") this.fillCustom();
    if (chosen) chosen.checked = true;
  }

  fillCustom() {
    const shown = $("[name=size]:checked", this)?.dataset.shown?.match(/^(\d+) × (\d+)$/);
    const sides = [$("#size-width", this), $("#size-height", this)];
    if (shown && sides.every((side) => !side.value)) sides.forEach((side, i) => (side.value = shown[i + 1]));
  }

  step(button) {
    if (!button) return;
    const count = $("#count", this);
    count.value = Math.min(8, Math.max(1, (parseInt(count.value, 10) || 1) + Number(button.dataset.step)));
    this.refresh();
  }

  send(event) {
    if (event.key !== "Enter" || event.isComposing || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.form.requestSubmit();
  }

  refresh() {
    this.count();
    this.showSize();
    for (const range of all("input[type=range]", this)) {
      const part = (range.value - range.min) / (range.max - range.min);
      // On the wrapper: htmx copies the style attribute of elements with an id, which the CSP forbids.
      range.parentElement.style.setProperty("--v", `${part * 100}%`);
      range.nextElementSibling.value = range.value;
    }
    const count = Math.min(8, Math.max(1, parseInt($("#count", this).value, 10) || 1));
    const references = this.showReferences();
    const mode = $("[name=output]:checked", this)?.value ?? "single";
    for (const line of all("#estimates > span", this)) {
      line.hidden = line.dataset.mode !== mode || Number(line.dataset.count) !== count;
      const most = $(".most", line);
      if (most) most.textContent = count * Math.max(1, Number(most.dataset.total) - references);
    }
    const go = $(".go", this);
    go.textContent = (go.dataset[mode] ?? go.dataset.single).replace("{n}", count);
  }

  count() {
    const counter = $("#prompt-count", this);
    const length = [...$("#prompt", this).value].length;
    counter.textContent = `${length} / ${counter.dataset.max}`;
    counter.classList.toggle("over", length > Number(counter.dataset.max));
  }

  showReferences() {
    const used = all(".ref [name=reference]:checked", this).length;
    const counter = $("[data-refs-count]", this);
    counter.textContent = `${used} / ${counter.dataset.most}`;
    counter.classList.toggle("err", used > Number(counter.dataset.most));
    $(".many", this).hidden = used <= 6;
    return used;
  }

  showSize() {
    const tier = $("[name=tier]:checked", this)?.value;
    for (const each of all(".tier", this)) each.classList.toggle("open", each.dataset.tier === tier);
    const chosen = $("[name=size]:checked", this);
    const [width, height] = ["width", "height"].map((side) => parseInt($(`#size-${side}`, this)?.value, 10) || 0);
    const area = width * height;
    const custom = chosen?.value === "custom";
    $("#size-shown", this).value = custom ? (area ? `${width} × ${height}` : "") : chosen?.dataset.shown ?? "";
    const hint = $(".hint.low", this);
    if (hint) hint.hidden = !area || area >= Number(this.form.dataset.low);
  }
}

/** The stream's element: says what is under way, and asks every 3 s itself while the stream is down. */
class LiveFeed extends HTMLElement {
  early = new Set();

  connectedCallback() {
    this.up = true;
    this.addEventListener("htmx:sse:after:connection", () => this.is(true));
    this.addEventListener("htmx:sse:error", () => this.is(false));
    this.addEventListener("htmx:sse:close", () => this.is(false));
    this.addEventListener("htmx:error", () => this.is(false));
    this.addEventListener("refresh", () => this.ask(all(".batch")));
    this.addEventListener("htmx:sse:before:message", (event) => this.note(event.detail.message.event));
    addEventListener("pagehide", () => this._htmx?.sse?.reader?.cancel());
    setInterval(() => this.poll(), 3000);
    new MutationObserver(() => (this.show(), this.catchUp())).observe(document.querySelector(".cards"), { childList: true, subtree: true });
    this.show();
  }

  /** An event for a card still on its way here is kept until the card has come. */
  note(name) {
    if (name?.startsWith("g-") && !document.getElementById(name)) this.early.add(name);
  }

  catchUp() {
    const come = [...this.early].filter((name) => document.getElementById(name));
    if (!come.length) return;
    come.forEach((name) => this.early.delete(name));
    setTimeout(() => come.forEach((name) => this.dispatchEvent(new CustomEvent(name))), 50);
  }

  is(up) {
    this.up = up;
    this.show();
  }

  show() {
    const running = all(".tile.load").length;
    const text = this.up ? running && this.dataset.active.replace("{n}", running) : this.dataset.down;
    if (text === this.said) return;
    this.said = text;
    this.replaceChildren();
    if (!text) return;
    const dot = document.createElement("i");
    dot.className = this.up ? "dot" : "dot warn";
    this.append(dot, text);
  }

  poll() {
    if (this.up || document.hidden) return;
    if (!this._htmx?.sse) window.htmx.process(this, true);
    const waiting = all(".batch[data-active]");
    if (waiting.length) this.ask(waiting);
  }

  /** Have cards fetch themselves, as the stream's events would. */
  ask(cards) {
    for (const card of cards.slice(0, 24)) this.dispatchEvent(new CustomEvent(card.id));
    this.dispatchEvent(new CustomEvent("new"));
  }
}

/** Time passing on a placeholder: elapsed over typical, at most 95 %. The server tells where it stood. */
class JobProgress extends HTMLElement {
  static observedAttributes = ["data-elapsed", "data-typical"];

  attributeChangedCallback() {
    this.since = performance.now() - Number(this.dataset.elapsed) * 1000;
  }

  tick() {
    const typical = Number(this.dataset.typical);
    if (!typical) return;
    const passed = (performance.now() - this.since) / 1000;
    $("progress", this).value = Math.min(95, Math.round((100 * passed) / typical));
  }
}

customElements.define("job-progress", JobProgress);
customElements.define("compose-panel", ComposePanel);
customElements.define("live-feed", LiveFeed);
setInterval(() => document.hidden || all("job-progress").forEach((each) => each.tick()), 1000);

// --- Keys, the sheet, running again ---------------------------------------------------------------

function write() {
  if (sheet) sheet.checked = true;
  $("#prompt")?.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing) {
    if (sheet?.checked && matchMedia("(width < 1100px)").matches) sheet.checked = false;
    else if (!isTyping(event)) forget();
    return;
  }
  if (isTyping(event)) return;
  if (event.key === "/" || event.key === "e") {
    event.preventDefault();
    write();
  } else if (event.key === "c") {
    compare();
  } else {
    judgeByKey(event);
  }
});

// Buttons of the panel that lead to another page.
document.addEventListener("submit", (event) => event.submitter?.matches("[data-plain]") && event.stopPropagation(), true);

// Where there is no panel to put the recipe into, the link leads to the page that has one.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-rerun]") && !$("#compose")) event.stopPropagation();
}, true);

document.addEventListener("composed", () => {
  if (sheet) sheet.checked = false;
  $(".feed").scrollTo({ top: 0 });
});
document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail.ctx?.sourceElement?.matches?.("[data-rerun]")) {
    $("compose-panel")?.refresh();
    write();
  }
});
