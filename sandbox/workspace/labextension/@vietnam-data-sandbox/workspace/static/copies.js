/** A template or guided notebook becomes a copy in the work folder, opened in the Lab. */

import { lab } from "./lab.js";
import { post } from "./server.js";
import { text } from "./texts.js";

let opening = false;

/**
 * Copy and open; a second click while the first is under way does nothing.
 * @returns {Promise<object|undefined>} the opened widget
 */
export async function openCopy(commands, { kind, name }) {
  if (opening) {
    return undefined;
  }
  opening = true;
  try {
    const { path } = await post("api/copies", { kind, name });
    return await commands.execute("docmanager:open", { path });
  } catch (fault) {
    await lab.apputils.showErrorMessage(text("copy_failed"), fault.message, [
      lab.apputils.Dialog.okButton({ label: text("close") }),
    ]);
    return undefined;
  } finally {
    opening = false;
  }
}
