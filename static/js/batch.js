// Writing a list of prompts: lines counted, the limit said at once, sizes as in the studio.

import { pickTier } from "./sizes.js";

const $ = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

class BatchForm extends HTMLElement {
  connectedCallback() {
    this.addEventListener("input", () => this.refresh());
    this.addEventListener("change", (event) => this.changed(event.target));
    this.addEventListener("click", (event) => this.step(event.target.closest("[data-step]")));
    this.addEventListener("focusin", () => import("./picker.js").then(({ watch }) => watch(this)), { once: true });
    this.addEventListener("submit", (event) => this.sending(event));
    this.refresh();
    const preview = $("#preview", this);
    preview?.scrollIntoView({ block: "start" });
  }

  changed(field) {
    if (field.name === "tier") pickTier(this, field.value, this.shape);
    if (field.name === "size" && field.value !== "custom") this.shape = field.dataset.shape;
    this.refresh();
  }

  step(button) {
    if (!button) return;
    const count = $("#count", this);
    count.value = Math.min(count.max, Math.max(1, (parseInt(count.value, 10) || 1) + Number(button.dataset.step)));
    this.refresh();
  }

  get lines() {
    const filled = $("#lines", this).value.split("\n").filter((line) => line.trim()).length;
    return Math.max(0, filled - ($("[name=how]:checked", this).value === "table" ? 1 : 0));
  }

  /** A list over the limit may be larger than what the studio accepts at all: it stays here, with the sentence. */
  sending(event) {
    if (this.lines <= Number(this.dataset.max)) return;
    event.preventDefault();
    $("#lines", this).focus();
  }

  refresh() {
    const counter = $("#lines-count", this);
    const lines = this.lines;
    const over = lines > Number(this.dataset.max);
    const text = this.dataset.lines.replace("{n}", lines);
    counter.textContent = lines ? (over ? `${text} · ${this.dataset.over}` : text) : "";
    counter.classList.toggle("over", over);
    this.showSize();
    for (const range of all("input[type=range]", this)) {
      const part = (range.value - range.min) / (range.max - range.min);
      range.parentElement.style.setProperty("--v", `${part * 100}%`);
      range.nextElementSibling.value = range.value;
    }
  }

  showSize() {
    const tier = $("[name=tier]:checked", this)?.value;
    for (const each of all(".tier", this)) each.classList.toggle("open", each.dataset.tier === tier);
    const chosen = $("[name=size]:checked", this);
    const [width, height] = ["width", "height"].map((side) => parseInt($(`#size-${side}`, this)?.value, 10) || 0);
    const area = width * height;
    const shown = $("#size-shown", this);
    if (shown) shown.value = chosen?.value === "custom" ? (area ? `${width} × ${height}` : "") : chosen?.dataset.shown ?? "";
    const hint = $(".hint.low", this);
    if (hint) hint.hidden = !area || area >= Number($("form", this).dataset.low);
  }
}

customElements.define("batch-form", BatchForm);
