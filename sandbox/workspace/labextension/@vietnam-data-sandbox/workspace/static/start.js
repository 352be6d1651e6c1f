/**
 * The start page: the first tab. It is a page of the workspace server whose forms and links work
 * by themselves; here they are answered inside the Lab instead of leaving it.
 */

import { openCopy } from "./copies.js";
import { Frame, webAddress } from "./frame.js";
import { placeIcon } from "./icons.js";
import { lab } from "./lab.js";
import { address, settings } from "./server.js";
import { ready } from "./speaking.js";
import { text } from "./texts.js";

export const OPEN_START = "sandbox:start";
const STALE_MS = 15_000;

/** The start page in its tab. */
class StartPage extends Frame {
  constructor(commands) {
    super({
      id: "sandbox-start",
      title: text("start"),
      caption: text("start_caption"),
      icon: placeIcon("start"),
    });
    this.commands = commands;
    this.loadedAt = Date.now();
    this.go(address("start"));
  }

  onLoad() {
    this.loadedAt = Date.now();
    const page = this.iframe.contentDocument;
    if (page) {
      page.addEventListener("submit", (event) => this.onSubmit(event));
      page.addEventListener("click", (event) => this.onClick(event));
      page.addEventListener("keydown", (event) => this.onKey(event));
    }
  }

  /** Runs go on while another tab is looked at: read their states again. */
  onAfterShow() {
    if (Date.now() - this.loadedAt > STALE_MS) {
      this.loadedAt = Date.now();
      this.iframe.contentWindow.location.reload();
    }
  }

  /** Copy and open a notebook in place of the form's own way, a new page. */
  onSubmit(event) {
    const form = event.target;
    if (new URL(form.action).pathname !== new URL(address("open"), document.baseURI).pathname) {
      return;
    }
    event.preventDefault();
    const asked = new FormData(form, event.submitter);
    openCopy(this.commands, { kind: asked.get("kind"), name: asked.get("name") });
  }

  /** Open what a link names in a tab; what is below /sandbox stays in this frame. */
  onClick(event) {
    const link = event.target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey) {
      return;
    }
    const target = webAddress(link.href);
    if (!target || isInside(target, address(""))) {
      return;
    }
    event.preventDefault();
    this.follow(target);
  }

  /** Let the Lab have its shortcuts also while the focus is in the page. */
  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      const copy = new KeyboardEvent("keydown", event);
      if (!this.iframe.dispatchEvent(copy)) {
        event.preventDefault();
      }
    }
  }

  follow(target) {
    const documents = new URL(lab.coreutils.PageConfig.getUrl({ treePath: "x" }));
    const folder = documents.pathname.slice(0, -1);
    const { pages } = settings();
    if (target.origin === location.origin && target.pathname.startsWith(folder)) {
      const path = decodeURIComponent(target.pathname.slice(folder.length));
      this.commands.execute("docmanager:open", { path });
    } else if (pages && target.origin === new URL(pages).origin) {
      this.commands.execute("sandbox:pages", { url: target.href });
    } else {
      window.open(target.href, "_blank", "noopener");
    }
  }
}

function isInside(target, folder) {
  const inside = new URL(folder, document.baseURI);
  return target.origin === inside.origin && target.pathname.startsWith(inside.pathname);
}

/** The plugin of the start page. */
export const startPlugin = {
  id: "@vietnam-data-sandbox/workspace:start",
  description: "Opens the start page as the first tab.",
  autoStart: true,
  optional: [lab.application.ILayoutRestorer],
  activate,
};

async function activate(app, restorer) {
  const { commands, shell } = app;
  // Read now: JupyterLab rewrites it as soon as a document is shown.
  const arrivedAt = lab.coreutils.PageConfig.getOption("treePath");
  const tracker = new lab.apputils.WidgetTracker({ namespace: "sandbox-start" });

  commands.addCommand(OPEN_START, {
    label: () => text("start"),
    caption: () => text("start_caption"),
    icon: () => placeIcon("start"),
    execute: ({ activate = true, first = false }) => {
      const page = tracker.find(() => true) || new StartPage(commands);
      if (!tracker.has(page)) {
        tracker.add(page);
        shell.add(page, "main", { activate, ...(first ? beforeAll(shell) : {}) });
      } else if (activate) {
        shell.activateById(page.id);
      }
      return page;
    },
  });

  restorer?.restore(tracker, {
    command: OPEN_START,
    args: () => ({ activate: false }),
    name: () => "start",
  });
  await ready();
  app.restored.then(() => {
    if (!arrivedAt) {
      // Whoever reloads the Lab stays where they were.
      commands.execute(OPEN_START, { first: true, activate: !isReload() });
    }
  });
}

function beforeAll(shell) {
  const [first] = shell.widgets("main");
  return first ? { mode: "tab-before", ref: first.id } : {};
}

function isReload() {
  return performance.getEntriesByType("navigation")[0]?.type === "reload";
}
