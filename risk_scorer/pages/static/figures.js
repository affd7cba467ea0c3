// Looks at the overview's figures again every ten seconds while somebody can see them. Without it a reload does the same.
"use strict";

(() => {
  const EVERY_MS = 10000;
  const whole = document.querySelector("[data-figures]");
  const pause = document.getElementById("pause");

  function isBusy(part) {
    return part.contains(document.activeElement) || (getSelection()?.containsNode(part, true) && !getSelection().isCollapsed);
  }

  function put(fresh) {
    for (const part of whole.querySelectorAll("[data-part]")) {
      const next = fresh.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
      if (next && !isBusy(part)) {
        part.replaceWith(document.adoptNode(next));
      }
    }
  }

  async function look() {
    if (document.hidden || pause?.getAttribute("aria-pressed") === "true") {
      return;
    }
    try {
      const answer = await fetch(whole.dataset.figures, { headers: { accept: "text/html" } });
      if (answer.ok) {
        put(new DOMParser().parseFromString(await answer.text(), "text/html"));
      }
    } catch {
      // The next look may find the server again; the page says how old its figures are.
    }
  }

  setInterval(look, EVERY_MS);
  document.addEventListener("visibilitychange", look);
})();
