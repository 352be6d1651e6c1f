/**
 * JupyterLab's own modules, out of webpack's share scope. They must be these very ones and no
 * copies: plugins find each other by the identity of the tokens in them.
 */

const NAMES = {
  application: "@jupyterlab/application",
  apputils: "@jupyterlab/apputils",
  coreutils: "@jupyterlab/coreutils",
  launcher: "@jupyterlab/launcher",
  notebook: "@jupyterlab/notebook",
  services: "@jupyterlab/services",
  ui: "@jupyterlab/ui-components",
  widgets: "@lumino/widgets",
};

/** The modules by short name; filled by `load` before any other file of ours is evaluated. */
export const lab = {};

/**
 * Take the modules out of the share scope.
 * @param {object} scope - by package name and version: {get, loaded, from}
 */
export async function load(scope) {
  await Promise.all(
    Object.entries(NAMES).map(async ([short, name]) => {
      const factory = await offered(scope, name).get();
      lab[short] = factory();
    })
  );
}

/** Give the copy that is in use, else JupyterLab's own, else the only one there is. */
function offered(scope, name) {
  const copies = Object.values(scope[name] || {});
  const copy =
    copies.find((one) => one.loaded) ||
    copies.find((one) => one.from === "@jupyterlab/application-top") ||
    copies[0];
  if (!copy) {
    throw new Error(`JupyterLab shares no ${name}; this version of it is not supported`);
  }
  return copy;
}
