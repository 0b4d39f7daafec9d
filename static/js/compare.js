// The comparison: modes, flicker, slider, and other pictures in the same viewport.
// Every choice is a link to the comparison it makes; here it is fetched and put in place.

import { say } from "./app.js";
import { media, PictureView } from "./viewer.js";

const HELD = 350; // ms: a key or finger that stays longer only looks, and goes back on release
const TURN = 600; // ms between pictures while it stays: below two flashes a second
const FLICKER = "flicker";

class CompareView extends PictureView {
  connectedCallback() {
    this.page = this.closest(".cmp");
    this.top = 0; // the place of the picture that flicker shows
    this.turns = 0;
    super.connectedCallback();
    this.page.addEventListener("click", (event) => this.follow(event));
    this.page.addEventListener("submit", (event) => this.send(event));
    for (const name of ["click", "input"]) this.addEventListener(name, ({ target }) => this.ask(target));
    this.stage.addEventListener("input", () => this.cut());
    this.stage.addEventListener("pointerdown", (event) => event.target.closest("[data-flick]") && this.hold());
    for (const name of ["pointerup", "pointercancel", "blur"]) addEventListener(name, () => this.release());
    document.addEventListener("keyup", (event) => event.key === " " && this.release());
    document.addEventListener("pointerover", (event) => (this.over = event.target.closest?.(".pane")?.dataset.letter));
    this.turn(0);
    this.cut();
    this.reveal();
    this.plays();
  }

  get videos() {
    return [...this.stage.querySelectorAll("video")];
  }

  /** Videos are moved together, never each by its own controls. */
  plays() {
    for (const video of this.videos) video.controls = false;
    this.player?.take();
  }

  /** What the bar below the stage is asked for; where it was dragged to is forgotten by the time the code has come. */
  ask(target) {
    const { value } = target;
    if (target.closest(".transport")) this.deck((player) => player.act(target, value));
  }

  /** Have the player do something; its code comes with the first time. */
  async deck(run) {
    this.coming ??= import("./player.js");
    const { Player } = await this.coming;
    this.player ??= new Player(this);
    run(this.player);
  }

  get wipe() {
    return this.stage.querySelector(".wipe");
  }

  get mode() {
    return this.querySelector("[data-mode][aria-current]")?.dataset.mode;
  }

  get letters() {
    return this.panes.map((pane) => pane.dataset.letter);
  }

  /** The letter that keys and strip change; with a free letter chosen, B. */
  get letter() {
    const { at } = this.stage.dataset;
    return this.letters.includes(at) ? at : this.letters.at(1) ?? "a";
  }

  cut() {
    this.stage.style.setProperty("--at", this.wipe.value / 100);
  }

  // --- modes ---

  /** Change the view in place, looking at the same spot; every link on the page keeps it. */
  view(mode) {
    const link = this.querySelector(`[data-mode="${mode}"]`);
    for (const each of this.querySelectorAll("[data-mode]")) {
      this.stage.classList.toggle(each.dataset.mode, each === link);
      if (each === link) each.setAttribute("aria-current", "true");
      else each.removeAttribute("aria-current");
    }
    this.stage.dataset.url = link.href;
    for (const each of this.page.querySelectorAll("a[data-swap]")) each.href = each.href.replace(/mode=\w+/, `mode=${mode}`);
    for (const each of this.page.querySelectorAll("[name=back]")) each.value = each.value.replace(/mode=\w+/, `mode=${mode}`);
    history.replaceState(null, "", link.href);
    this.show(this.seen);
  }

  // --- flicker ---

  turn(step) {
    const count = this.panes.length;
    this.top = (this.top + step + count) % count;
    this.panes.forEach((pane, place) => pane.classList.toggle("shown", place === this.top));
  }

  /** The next picture at once; while the key or finger stays, the ones after it in their turn. */
  hold() {
    if (this.held || this.panes.length < 2) return;
    this.held = { since: performance.now(), mode: this.mode, top: this.top };
    if (this.mode !== FLICKER) this.view(FLICKER);
    this.turn(1);
    if (this.panes.length > 2) this.held.timer = setInterval(() => this.turn(1), TURN);
  }

  release() {
    const { since, mode, top, timer } = this.held ?? {};
    if (!this.held) return;
    this.held = null;
    clearInterval(timer);
    if (performance.now() - since < HELD) return;
    this.turn(top - this.top);
    if (mode !== FLICKER) this.view(mode);
  }

  // --- keys ---

  press(key, event) {
    const free = !event.target.closest?.("button, summary, label, input[type=checkbox]");
    const keyed = this.querySelector(`[data-mode][aria-keyshortcuts="${CSS.escape(key)}"]`);
    if (keyed) this.view(keyed.dataset.mode);
    else if (key === " " && free) this.videos.length ? this.deck((player) => player.toggle()) : this.hold();
    else if (key === "b") this.best();
    else return key !== " " && super.press(key, event);
    return true;
  }

  arrow(event) {
    const across = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.target === this.wipe) return false;
    if (!across) return super.arrow(event);
    if (this.videos.length) this.deck((player) => (event.shiftKey ? player.second(across) : player.step(across)));
    else this.walk(across, event.shiftKey ? "a" : this.letter);
    return true;
  }

  /** Another picture of the strip for a letter; those that have another letter are passed over. */
  walk(step, letter) {
    const url = new URL(this.wanted ?? this.stage.dataset.url, location);
    const others = this.letters.filter((each) => each !== letter).map((each) => url.searchParams.get(each));
    const free = [...this.querySelectorAll(".thumbs a")].filter((each) => !others.includes(each.dataset.asset));
    const place = free.findIndex((each) => each.dataset.asset === url.searchParams.get(letter)) + step;
    if (!free[place]) return;
    url.searchParams.set(letter, free[place].dataset.asset);
    this.go(url.href);
    const after = free[place + step]?.querySelector("img"); // whoever steps once steps again
    if (after) new Image().src = after.src.replace(/\d+$/, 1280);
  }

  /** The picture on top, the one under the pointer, or the one whose letter is chosen. */
  best() {
    const letter = this.mode === FLICKER ? this.letters[this.top] : this.letters.find((each) => each === this.over) ?? this.letter;
    const pane = this.panes.find((each) => each.dataset.letter === letter);
    pane.querySelector("[data-best]")?.click();
  }

  up(event) {
    const from = this.pointers.get(event.pointerId);
    super.up(event);
    if (from && !this.moved && this.mode === FLICKER) this.turn(1);
  }

  down(event) {
    this.moved = false;
    super.down(event);
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (before && Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY) > 2) this.moved = true;
    super.move(event);
  }

  // --- another comparison in the place of this one ---

  follow(event) {
    if (event.target.closest("[data-flick]") && !event.detail) return this.turn(1); // by Enter
    const link = event.target.closest("a[data-swap], a[data-mode]");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    if (link.dataset.mode) this.view(link.dataset.mode);
    else this.go(link.href);
  }

  send(event) {
    const { target: form, submitter } = event;
    event.preventDefault();
    this.go(form.action, { method: "POST", body: new FormData(form, submitter) });
  }

  /** Fetch a comparison and show it; of several asked for quickly, only the last. */
  async go(url, init = {}) {
    const turn = ++this.turns;
    if (!init.method) this.wanted = url;
    try {
      const answer = await fetch(url, init);
      if (!answer.ok || !new URL(answer.url).pathname.endsWith("/compare/")) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (turn === this.turns) await this.ready(page);
      if (turn === this.turns) this.take(page, answer.url);
    } catch {
      if (turn !== this.turns) return;
      if (init.method) say(document.getElementById("toast").dataset.failed);
      else location.assign(url);
    }
  }

  /** Until the new pictures can be drawn, but never long: the old ones stay meanwhile. */
  ready(page) {
    const pictures = [...page.querySelectorAll(".pane > img")].filter((each) => !this.pane(each.parentElement));
    const drawn = pictures.map((each) => Object.assign(new Image(), { src: each.getAttribute("src") }).decode().catch(() => null));
    return Promise.race([Promise.all(drawn), new Promise((done) => setTimeout(done, 3000))]);
  }

  /** The pane that holds the same picture now. */
  pane(other) {
    return this.panes.find((each) => each.dataset.asset === other.dataset.asset);
  }

  take(page, url) {
    const focused = document.activeElement?.closest("[data-key]")?.dataset.key;
    const come = [...page.querySelectorAll(".pane")].filter((each) => !this.pane(each));
    const told = come.map((each) => nameOf(media(each))).join(" · ");
    if (told) this.querySelector("[data-told]").textContent = told;
    this.takeStage(document.adoptNode(page.querySelector(".stage")));
    for (const part of page.querySelectorAll("[data-part]")) this.takePart(part);
    history.replaceState(null, "", url);
    this.wanted = null;
    this.turn(0);
    this.show(this.seen);
    this.reveal();
    this.plays();
    if (focused) this.page.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  /** The new panes, with the pictures that are loaded already, the sharp ones too. */
  takeStage(stage) {
    for (const pane of stage.querySelectorAll(".pane")) {
      const old = this.pane(pane);
      if (!old) continue;
      const shown = media(old);
      const fresh = media(pane);
      if (shown.alt === undefined) shown.ariaLabel = fresh.ariaLabel;
      else shown.alt = fresh.alt;
      fresh.replaceWith(shown);
      if (!old.dataset.full) delete pane.dataset.full;
    }
    const at = this.wipe.value;
    const kept = ["measured", "zoomed", "sharp"].filter((name) => this.stage.classList.contains(name));
    this.stage.className = stage.className;
    this.stage.classList.add(...kept);
    Object.assign(this.stage.dataset, stage.dataset);
    this.stage.replaceChildren(...stage.children);
    this.wipe.value = at;
    this.panes = [...this.stage.querySelectorAll(".pane")];
  }

  /** The picture of the chosen letter, where the strip is longer than its room. */
  reveal() {
    this.querySelector(".thumbs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  takePart(part) {
    const old = this.page.querySelector(`[data-part="${part.dataset.part}"]`);
    const strip = old.querySelector(".thumbs")?.scrollLeft;
    for (const each of old.querySelectorAll("details[open]")) {
      const same = part.querySelector(`details[data-key="${each.dataset.key}"]`);
      if (same) same.open = true;
    }
    old.replaceWith(document.adoptNode(part));
    if (strip) part.querySelector(".thumbs").scrollLeft = strip;
  }
}

/** What a picture or a video is called. */
const nameOf = (shown) => shown.alt ?? shown.ariaLabel;

customElements.define("compare-view", CompareView);
