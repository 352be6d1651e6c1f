/** The plugins of the workspace, and their style sheet. */

import { cardsPlugin } from "./cards.js";
import { element } from "./elements.js";
import { pagesPlugin } from "./pages.js";
import { startPlugin } from "./start.js";
import { submitPlugin } from "./submit.js";

const style = new URL("workspace.css", import.meta.url).href;
document.head.append(element("link", { rel: "stylesheet", href: style }));

export default [startPlugin, pagesPlugin, cardsPlugin, submitPlugin];
