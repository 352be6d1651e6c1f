/**
 * The report pages in one tab. They are another server's: each address that logs in comes fresh
 * from ours and is kept nowhere, so a saved layout holds a path such as /runs and no token.
 */

import { Frame, webAddress } from "./frame.js";
import { placeIcon } from "./icons.js";
import { lab } from "./lab.js";
import { settings } from "./server.js";
import { ready } from "./speaking.js";
import { text } from "./texts.js";

export const OPEN_PAGES = "sandbox:pages";
export const OPEN_REPORTS = "sandbox:reports";
export const OPEN_DATA = "sandbox:data";

/** The tab of the report pages. */
class Pages extends Frame {
  constructor() {
    super({
      id: "sandbox-pages",
      title: text("reports"),
      caption: text("reports_caption"),
      icon: placeIcon("reports"),
    });
    this.path = "/";
  }

  /** Show the page at a local path, or at an address that was given for it. */
  visit(path, url) {
    const target = webAddress(url || loginAddress(path) || "about:blank");
    this.path = path;
    const isData = path.startsWith("/data");
    this.title.label = text(isData ? "data" : "reports");
    this.title.caption = text(isData ? "data_caption" : "reports_caption");
    this.title.icon = placeIcon(isData ? "data" : "reports");
    if (target) {
      this.go(target.href);
    } else {
      this.say(text("pages_missing"), text("pages_missing_remedy"));
    }
  }
}

/** Give the address of a path of the pages that logs in by itself, null without pages. */
function loginAddress(path) {
  const { pages } = settings();
  if (!pages) {
    return null;
  }
  const address = new URL(pages);
  address.searchParams.set("next", path);
  return address.href;
}

/** Give the local path that an address of the pages leads to. */
function pathOf(url) {
  const address = new URL(url);
  return address.searchParams.get("next") || address.pathname;
}

/** The plugin of the report pages. */
export const pagesPlugin = {
  id: "@vietnam-data-sandbox/workspace:pages",
  description: "Opens runs, reports and the catalogue in a tab.",
  autoStart: true,
  optional: [lab.application.ILayoutRestorer],
  activate,
};

async function activate(app, restorer) {
  const { commands, shell } = app;
  const tracker = new lab.apputils.WidgetTracker({ namespace: "sandbox-pages" });

  commands.addCommand(OPEN_PAGES, {
    label: () => text("reports"),
    execute: async ({ path = "/runs", url = null, activate: isWanted = true }) => {
      const pages = tracker.find(() => true) || new Pages();
      pages.visit(url ? pathOf(url) : path, url);
      if (!tracker.has(pages)) {
        await tracker.add(pages);
        shell.add(pages, "main", { activate: isWanted });
      } else {
        await tracker.save(pages);
        shell.activateById(pages.id);
      }
      return pages;
    },
  });
  for (const [id, name, path] of [
    [OPEN_REPORTS, "reports", "/runs"],
    [OPEN_DATA, "data", "/data"],
  ]) {
    commands.addCommand(id, {
      label: () => text(name),
      caption: () => text(`${name}_caption`),
      icon: () => placeIcon(name),
      execute: () => commands.execute(OPEN_PAGES, { path }),
    });
  }

  restorer?.restore(tracker, {
    command: OPEN_PAGES,
    args: (pages) => ({ path: pages.path, activate: false }),
    name: () => "pages",
  });
  await ready();
}
