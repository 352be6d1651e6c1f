/**
 * The door through which JupyterLab loads this extension: a module federation container, as
 * webpack would write it, by hand. What lies behind it are plain ES modules, one idea each.
 */
(function () {
  "use strict";

  const name = "@vietnam-data-sandbox/workspace";
  const here = new URL(".", document.currentScript.src).href;
  let shareScope = null;

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB[name] = {
    /** Keep the modules that JupyterLab shares with its extensions. */
    init(scope) {
      shareScope = scope;
    },

    /** Give a factory of the one module that there is: our plugins. */
    async get(module) {
      if (module !== "./extension") {
        throw new Error(`${name} has no module ${module}`);
      }
      // First the shared modules: ours extend their classes as soon as they are evaluated.
      const { load } = await import(`${here}lab.js`);
      await load(shareScope);
      const { default: plugins } = await import(`${here}extension.js`);
      // A plain object: JupyterLab writes to it, and a module cannot be written to.
      return () => ({ __esModule: true, default: plugins });
    },
  };
})();
