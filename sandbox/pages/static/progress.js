// Follows a run while it goes on. Without this script the page reloads itself now and then.
"use strict";
(() => {
  const box = document.querySelector("[data-events]");
  if (!box || !window.EventSource) return;
  const part = (name) => box.querySelector("[data-part=" + name + "]");
  const source = new EventSource(box.dataset.events);
  const again = () => { source.close(); window.location.reload(); };
  source.addEventListener("progress", (event) => {
    const known = JSON.parse(event.data);
    if (known.is_final) return again();
    part("title").textContent = known.title;
    part("text").textContent = known.text;
    const bar = part("bar");
    if (known.n_cells) {
      bar.max = known.n_cells;
      bar.value = known.n_ended;
    }
    part("trouble").hidden = true;
  });
  source.addEventListener("gone", again);
  source.addEventListener("error", () => { part("trouble").hidden = false; });
})();
