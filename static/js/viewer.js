// One picture large, or several compared: one viewport (x, y, scale) moves every pane alike.

import { isTyping, say } from "./app.js";

const MOST = 32; // times the fitted size
const STEP = 1.25;
const PAN = 0.1; // of the pane, for Shift and an arrow
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const PANS = { h: [-1, 0], l: [1, 0], k: [0, -1], j: [0, 1] };
const CONTROLS = "a, input, button, label, [controls]";

/** What a pane shows. */
export const media = (pane) => pane.querySelector("img, video");

export class PictureView extends HTMLElement {
  connectedCallback() {
    this.stage = this.querySelector(".stage");
    this.panes = [...this.querySelectorAll(".pane")];
    this.zoom = this.querySelector(".zoom");
    this.drawer = document.getElementById("panel");
    this.pointers = new Map();
    this.show(null);
    if (this.zoom) this.lookCloser();
    document.addEventListener("keydown", (event) => this.key(event));
    this.drawer?.addEventListener("change", () => this.drawer.checked && this.side.focus());
    new ResizeObserver(() => this.show(this.seen)).observe(this.stage);
    this.stage.classList.add("measured");
  }

  /** A video that plays by its own controls is not looked at more closely. */
  lookCloser() {
    this.zoom.hidden = false;
    this.zoom.addEventListener("click", (event) => this.act(event.target.closest("[data-zoom]")?.dataset.zoom));
    this.stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.stage.addEventListener("dblclick", (event) => this.toggle(event));
    for (const [name, handler] of Object.entries({ pointerdown: "down", pointermove: "move", pointerup: "up", pointercancel: "up" })) {
      this.stage.addEventListener(name, (event) => this[handler](event));
    }
  }

  // --- the viewport ---

  fit() {
    this.place(0, 0, 1);
  }

  get side() {
    return this.parentElement.querySelector("aside");
  }

  /**
   * How much of the room the pictures take when fitted: all of it, or less where that would show
   * even the largest of them beyond one pixel for one. They all shrink alike, so that pictures of
   * one shape lie exactly on each other.
   */
  get room() {
    return Math.min(1, Math.max(...this.panes.map((pane) => 1 / (this.filling(pane) * devicePixelRatio))));
  }

  /** How many times its own size a picture has that fills its pane. */
  filling(pane) {
    const { width, height } = this.box;
    return Math.min(width / pane.dataset.width, height / pane.dataset.height);
  }

  /** How a picture lies in its pane when fitted: its size there and its margins. */
  frame(pane = this.panes[0]) {
    const { width, height } = pane.dataset;
    const { width: w, height: h } = this.box;
    const part = this.filling(pane) * this.room;
    return { wide: width * part, high: height * part, left: (w - width * part) / 2, top: (h - height * part) / 2 };
  }

  /** Which part of a pane's picture one screen pixel shows when it is fitted: 1 is one for one. */
  fitted(pane) {
    return this.filling(pane) * this.room * devicePixelRatio;
  }

  /** Read the size of a pane, they are all alike; give every picture its place and size there. */
  measure() {
    this.box = this.panes[0].getBoundingClientRect();
    for (const pane of this.panes) {
      const { wide, high, left, top } = this.frame(pane);
      const { style } = media(pane);
      for (const [name, size] of Object.entries({ fw: wide, fh: high, ox: -left, oy: -top })) style.setProperty(`--${name}`, `${size}px`);
    }
  }

  place(x, y, s) {
    const { width, height } = this.box;
    this.s = Math.min(MOST, Math.max(1, s));
    this.x = Math.min(0, Math.max(width * (1 - this.s), x));
    this.y = Math.min(0, Math.max(height * (1 - this.s), y));
    this.stage.style.setProperty("--x", `${this.x}px`);
    this.stage.style.setProperty("--y", `${this.y}px`);
    this.stage.style.setProperty("--s", this.s);
    this.stage.classList.toggle("zoomed", this.s > 1);
    const percents = this.panes.map((pane) => Math.round(100 * this.s * this.fitted(pane)) || 100);
    this.stage.classList.toggle("sharp", percents[0] > 300);
    this.zoom?.querySelector("output").replaceChildren(`${percents[0]}%`);
    this.panes.forEach((pane, n) => pane.querySelector(".at")?.replaceChildren(`${percents[n]}%`));
    this.seen = this.s > 1 ? this.look(width, height) : null;
    if (this.s > 1.2) this.panes.forEach(sharpen);
  }

  /** What stands in the middle of the pane, as a part of the first picture, and how large. */
  look(width, height) {
    const { wide, high, left, top } = this.frame();
    const across = ((width / 2 - this.x) / this.s - left) / wide;
    const down = ((height / 2 - this.y) / this.s - top) / high;
    return { across, down, size: wide * this.s };
  }

  /** The same look in a pane that has changed its size. */
  show(look) {
    this.measure();
    if (!look) return this.fit();
    const { wide, high, left, top } = this.frame();
    const { width, height } = this.box;
    const s = Math.min(MOST, Math.max(1, look.size / wide));
    this.place(width / 2 - (left + look.across * wide) * s, height / 2 - (top + look.down * high) * s, s);
  }

  /** Scale by `factor` around a point of the pane. */
  scale(factor, at = { x: this.box.width / 2, y: this.box.height / 2 }) {
    const s = Math.min(MOST, Math.max(1, this.s * factor));
    const grown = s / this.s;
    this.place(at.x - (at.x - this.x) * grown, at.y - (at.y - this.y) * grown, s);
  }

  act(what, at) {
    if (!this.zoom) return;
    if (what === "in") this.scale(STEP, at);
    else if (what === "out") this.scale(1 / STEP, at);
    else if (what === "fit") this.fit();
    else if (what === "full") this.scale(1 / this.fitted(this.panes[0]) / this.s, at);
  }

  /** Where in its pane an event happened. */
  spot(event) {
    const pane = event.target.closest?.(".pane") ?? this.panes[0];
    const { left, top } = pane.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  // --- pointer, wheel, pinch ---

  wheel(event) {
    event.preventDefault();
    this.scale(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), this.spot(event));
  }

  toggle(event) {
    if (event.target.closest(CONTROLS)) return;
    this.act(this.s > 1.01 ? "fit" : "full", this.spot(event));
  }

  down(event) {
    if (event.target.closest(CONTROLS) || event.button > 0) return;
    this.under = event.target.closest(".pane") ?? this.panes[0];
    this.pointers.set(event.pointerId, event);
    this.stage.setPointerCapture(event.pointerId);
    this.stage.classList.add("dragging");
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    if (this.pointers.size === 2) this.pinch(event);
    else this.place(this.x + event.clientX - before.clientX, this.y + event.clientY - before.clientY, this.s);
    this.pointers.set(event.pointerId, event);
  }

  /** Two fingers: what lies between them stays between them. */
  pinch(event) {
    const other = [...this.pointers.values()].find((each) => each.pointerId !== event.pointerId);
    const before = this.pointers.get(event.pointerId);
    const apart = (a) => Math.hypot(a.clientX - other.clientX, a.clientY - other.clientY) || 1;
    const { left, top } = this.under.getBoundingClientRect();
    const middle = { x: (before.clientX + other.clientX) / 2 - left, y: (before.clientY + other.clientY) / 2 - top };
    this.scale(apart(event) / apart(before), middle);
    this.place(this.x + (event.clientX - before.clientX) / 2, this.y + (event.clientY - before.clientY) / 2, this.s);
  }

  up(event) {
    this.pointers.delete(event.pointerId);
    if (!this.pointers.size) this.stage.classList.remove("dragging");
  }

  // --- keys ---

  key(event) {
    if (isTyping(event) || event.target.closest?.("[popover], [controls]")) return;
    if (event.key in ARROWS ? this.arrow(event) : this.press(event.key.toLowerCase(), event)) event.preventDefault();
  }

  /** What a key other than an arrow does; whether it does anything. */
  press(key, event) {
    const zoom = { "+": "in", "=": "in", "-": "out", 0: "fit", z: "full" }[key];
    const keyed = this.querySelector(`[aria-keyshortcuts~="${CSS.escape(key)}"]`);
    if (zoom) this.act(zoom);
    else if (key in PANS) this.pan(...PANS[key]);
    else if (key === " ") return this.playOrPause(event);
    else if (keyed) keyed.click();
    else if (key === "escape" && this.drawer?.checked) this.close();
    else return false;
    return true;
  }

  pan(across, down) {
    const { width, height } = this.box;
    this.place(this.x - across * PAN * width, this.y - down * PAN * height, this.s);
  }

  /** Up and down move the view, and every arrow does with Shift; alone they walk the strip. */
  arrow({ key, shiftKey }) {
    const [across, down] = ARROWS[key];
    if (shiftKey || (down && this.s > 1)) this.pan(across, down);
    else if (across) this.walk(across);
    else return false;
    return true;
  }

  /** Play or pause the one video, unless the key belongs to something with the focus. */
  playOrPause({ target }) {
    const video = this.stage.querySelector("video[controls]");
    if (!video || target.closest?.("button, summary, label, input")) return false;
    if (video.paused) video.play();
    else video.pause();
    return true;
  }

  close() {
    this.drawer.checked = false;
    this.drawer.focus();
  }

  /** The neighbour in the strip below: the picture before or after this one. */
  walk(step) {
    const strip = [...this.querySelectorAll(".film a")];
    strip[strip.findIndex((each) => each.ariaCurrent) + step]?.click();
  }
}

/** Put the original in the place of its copy, once, when somebody looks closely. */
function sharpen(pane) {
  const full = pane.dataset.full;
  if (!full) return;
  delete pane.dataset.full;
  const shown = media(pane); // it may move to another pane meanwhile
  const picture = new Image();
  picture.src = full;
  picture.decode().then(() => (shown.src = full), () => (pane.dataset.full = full));
}

customElements.define("picture-view", PictureView);

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
    say(button.dataset.done);
  } catch {
    getSelection().selectAllChildren(source); // no clipboard here: Ctrl+C will do
  }
});
