// The gallery: arrows (or h j k l) walk the pictures, space chooses, enter opens, C compares.

import { isTyping } from "./app.js";
import { compare, forget, judgeByKey } from "./pick.js";

const STEPS = { ArrowRight: 1, l: 1, ArrowLeft: -1, h: -1 };
const ROWS = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 };

class PictureWall extends HTMLElement {
  connectedCallback() {
    this.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("keydown", (event) => this.global(event));
    this.addEventListener("focusin", (event) => this.rove(event.target.closest(".shot > a")));
    this.addEventListener("change", (event) => {
      const form = event.target.closest(".facets");
      if (form && event.target.matches("select, [type=checkbox]")) form.requestSubmit();
    });
    new MutationObserver(() => this.rove()).observe(this, { childList: true, subtree: true });
    this.rove();
  }

  /** One picture is the wall's tab stop: the one that had the focus last, else the first. */
  rove(link) {
    const links = this.links;
    this.stop = link ?? (links.includes(this.stop) ? this.stop : links[0]);
    for (const each of this.querySelectorAll(".shot :is(a, input, button)")) {
      each.tabIndex = each.closest(".shot")?.querySelector("a") === this.stop ? 0 : -1;
    }
  }

  get links() {
    return [...this.querySelectorAll(".shot:not([hidden]) > a")];
  }

  global(event) {
    if (isTyping(event)) return;
    if (event.key === "c") compare();
    else if (event.key === "Escape" && !document.querySelector(":popover-open")) forget();
    else if (judgeByKey(event)) return;
    else if (event.target === document.body && (event.key in STEPS || event.key in ROWS)) {
      event.preventDefault();
      this.links[0]?.focus();
    }
  }

  key(event) {
    const link = event.target.closest(".shot > a");
    if (!link || isTyping(event)) return;
    if (event.key === " ") {
      event.preventDefault();
      link.parentElement.querySelector("[name=pick]").click();
    } else if (event.key in STEPS || event.key in ROWS) {
      event.preventDefault();
      const next = event.key in STEPS ? this.beside(link, STEPS[event.key]) : this.below(link, ROWS[event.key]);
      next?.focus();
      next?.scrollIntoView({ block: "nearest" });
    }
  }

  beside(link, step) {
    return this.links[this.links.indexOf(link) + step];
  }

  /** The picture of the next row whose middle is nearest. */
  below(link, step) {
    const from = link.getBoundingClientRect();
    const middle = (from.left + from.right) / 2;
    const links = this.links;
    let row = null;
    let best = null;
    for (let at = links.indexOf(link) + step; links[at]; at += step) {
      const box = links[at].getBoundingClientRect();
      if (Math.abs(box.top - from.top) < 2) continue;
      row ??= box.top;
      if (Math.abs(box.top - row) > 2) break;
      const distance = Math.abs((box.left + box.right) / 2 - middle);
      if (!best || distance < best.distance) best = { distance, link: links[at] };
    }
    return best?.link;
  }
}

customElements.define("picture-wall", PictureWall);
