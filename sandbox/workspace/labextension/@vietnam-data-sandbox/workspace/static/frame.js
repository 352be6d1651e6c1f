/** A page in a tab of the main area. */

import { element } from "./elements.js";
import { lab } from "./lab.js";
import { language } from "./texts.js";

/** A widget that shows one address; by its class, JupyterLab covers it while tabs are dragged. */
export class Frame extends lab.widgets.Widget {
  /** @param {{id: string, title: string, caption: string, icon: object}} options */
  constructor({ id, title, caption, icon }) {
    super();
    this.id = id;
    this.addClass("jp-IFrame");
    this.addClass("vds-Frame");
    this.node.tabIndex = -1;
    this.title.label = title;
    this.title.caption = caption;
    this.title.icon = icon;
    this.title.closable = true;
    // Addresses can carry a token, which no other server should hear of.
    this.iframe = element("iframe", { title, lang: language(), referrerpolicy: "no-referrer" });
    this.iframe.addEventListener("load", () => this.onLoad());
    this.node.append(this.iframe);
  }

  /** Go to an address. */
  go(url) {
    this.node.querySelector(".vds-Frame-message")?.remove();
    this.iframe.hidden = false;
    this.iframe.src = url;
  }

  /** Say something in the page's place. */
  say(title, remedy) {
    this.node.querySelector(".vds-Frame-message")?.remove();
    this.iframe.hidden = true;
    this.node.append(
      element(
        "div",
        { class: "vds-Frame-message", role: "alert", lang: language() },
        element("h1", {}, title),
        element("p", {}, remedy)
      )
    );
  }

  /** What to do when a page has come; for those who extend this. */
  onLoad() {}

  /** Take the focus, but not into the page: the Lab's shortcuts would end there. Tab leads in. */
  onActivateRequest() {
    this.node.focus();
  }
}

/** Give the address as one of http, or null: other schemes would run as code. */
export function webAddress(url) {
  const address = new URL(url, document.baseURI);
  return ["http:", "https:"].includes(address.protocol) ? address : null;
}
