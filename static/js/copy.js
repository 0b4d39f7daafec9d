// A text with a button beside it that copies it; without this script the text is there to be selected.

import { say } from "./app.js";

class CopyText extends HTMLElement {
  connectedCallback() {
    const button = this.querySelector("button");
    button.hidden = false;
    button.addEventListener("click", () => this.copy(button));
  }

  async copy(button) {
    const field = this.querySelector("input");
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      say(button.dataset.done);
    } catch {
      field.focus(); // no clipboard here: it is selected, Ctrl+C will do
    }
  }
}
customElements.define("copy-text", CopyText);
