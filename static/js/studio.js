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
    this.addEventListener("click", (event) => event.target.closest("[data-shots]") && this.shots(({ toggle }) => toggle(this)));
    this.addEventListener("htmx:after:swap", () => this.redrawn());
    this.addEventListener("focusin", () => (import("./keep.js"), import("./picker.js").then(({ watch }) => watch(this))), { once: true });
    this.pictures();
    this.refresh();
  }

  /** Reference pictures, by drop, paste, button or drag; the code for them comes with the first. */
  pictures() {
    const bring = (run) => import("./references.js").then(run);
    // A list of files empties itself when its event is over.
    const add = (list) => ((files) => bring(({ add }) => add(files)))([...list]);
    let own = false;
    document.addEventListener("dragstart", () => (own = true));
    document.addEventListener("dragend", () => (own = false));
    // Beside the panel too: the browser would leave the page for the file, and what was written with it.
    const files = (event) =>
      event.dataTransfer?.types.includes("Files") && (!own || this.contains(event.target));
    const over = (is) => this.classList.toggle("over", is);
    document.addEventListener("dragover", (event) => files(event) && (event.preventDefault(), over(true)));
    document.addEventListener("dragleave", (event) => event.relatedTarget || over(false));
    document.addEventListener("drop", (event) => {
      if (!files(event)) return;
      event.preventDefault();
      over(false);
      if (sheet) sheet.checked = true;
      add(event.dataTransfer.files);
    });
    this.addEventListener("paste", (event) => {
      if (!event.clipboardData.files.length) return;
      event.preventDefault();
      add(event.clipboardData.files);
    });
    this.addEventListener("change", ({ target }) => target.files && (add(target.files), (target.value = "")));
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
      bring(({ browse, move }) => (button.dataset.move ? move(button) : browse(button.href)));
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

  /** A line for each shot of a video; the code for it comes with the first press of its switch. */
  shots(run) {
    import("./shots.js").then(run);
  }

  redrawn() {
    this.refresh();
    if (this.shooting) this.shots(({ again }) => again(this));
  }

  get form() {
    return $("form", this);
  }

  changed(field) {
    if (field.name === "tier") import("./sizes.js").then(({ pickTier }) => (pickTier(this, field.value, this.shape), this.refresh()));
    if (field.name === "size" && field.value !== "custom") this.shape = field.dataset.shape;
    this.refresh();
  }

  step(button) {
    if (!button) return;
    const count = $("#count", this);
    count.value = Math.min(count.max, Math.max(1, (parseInt(count.value, 10) || 1) + Number(button.dataset.step)));
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
    const count = Math.min($("#count", this).max, Math.max(1, parseInt($("#count", this).value, 10) || 1));
    const references = this.showReferences();
    const mode = $("[name=output]:checked", this)?.value ?? "single";
    for (const line of all("#estimates > span", this)) {
      line.hidden = line.dataset.mode !== mode || Number(line.dataset.count) !== count;
      const most = $(".most", line);
      if (!most) continue;
      const asked = Number($(`[name="${most.dataset.limit}"]`, this)?.value) || Infinity;
      most.textContent = count * Math.max(1, Math.min(asked, most.dataset.total - references));
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
    for (const each of all("[data-need]", this)) each.hidden = used >= Number(each.dataset.need);
    const usual = $("[data-alone]", this)?.dataset.alone; // with a picture only this shape may be chosen
    for (const each of all("[data-alone] input", this)) {
      each.disabled = used > 0 && each.value !== usual;
      each.checked ||= used > 0 && each.value === usual;
    }
    return used;
  }

  showSize() {
    if (!$("#size-shown", this)) return;
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
    this.addEventListener("htmx:sse:after:connection", () => this.show(true));
    this.addEventListener("htmx:sse:error", () => this.show(false));
    this.addEventListener("htmx:sse:close", () => this.show(false));
    this.addEventListener("htmx:error", () => this.show(false));
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

  show(up = this.up) {
    this.up = up;
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
  $("#prompt:not([hidden]), .shots textarea")?.focus();
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

// What is typed while the panel's answer is under way stays; the code for it came with the first focus.
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (ctx.target?.id === "compose") import("./keep.js").then(({ note }) => note(ctx));
});

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
    $("compose-panel")?.redrawn();
    write();
  }
});
