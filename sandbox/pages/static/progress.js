// Follows a run while it goes on, then its evidence. Without this script the page reloads itself.
"use strict";
(() => {
  const box = document.querySelector("[data-events]");
  if (!box || !window.EventSource) return;
  const source = new EventSource(box.dataset.events);
  const again = () => { source.close(); window.location.reload(); };
  source.addEventListener("gone", again);

  if (box.dataset.live) return followEvidence();
  followRun();

  function followRun() {
    const part = (name) => box.querySelector("[data-part=" + name + "]");
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
    source.addEventListener("error", () => { part("trouble").hidden = false; });
  }

  function followEvidence() {
    let shown = box.dataset.report;
    source.addEventListener("progress", (event) => {
      const known = JSON.parse(event.data);
      if (known.is_over) source.close();
      if (known.report_at === shown && !known.is_over) return;
      shown = known.report_at;
      renew();
    });
  }

  // Exchanges what tells of the evidence, and leaves the rest of the page as it is being read.
  function renew() {
    const request = new XMLHttpRequest();
    request.responseType = "document"; // the pages' policy forbids to make one of a text
    request.addEventListener("load", () => {
      if (request.status === 200 && request.response) exchange(request.response);
    });
    request.open("GET", window.location.href);
    request.send();
  }

  function exchange(fresh) {
    for (const part of document.querySelectorAll("[data-live]")) {
      const other = fresh.querySelector("[data-live=" + part.dataset.live + "]");
      if (other) part.replaceWith(document.adoptNode(other));
    }
    const frame = document.querySelector("iframe.report");
    const newer = fresh.querySelector("iframe.report");
    if (frame && newer) offer(frame, newer.src);
  }

  // A report that nobody can be reading yet is exchanged; else the reader says when.
  function offer(frame, address) {
    const note = document.querySelector("[data-part=newer]");
    const show = () => {
      frame.src = address;
      note.hidden = true;
    };
    if (frame.getBoundingClientRect().top > window.innerHeight) return show();
    note.hidden = false;
    note.querySelector("button").onclick = show;
  }
})();
