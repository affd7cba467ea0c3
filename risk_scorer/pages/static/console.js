// The console's keys: rows by j and k, views by g and a letter. Without it everything is a link or a form as well.
"use strict";

(() => {
  const SWITCH = "riskgate-single-keys";
  const G_MS = 1500;
  const WORDS_MS = 15000;
  const SENT_MS = 3000;
  const dialog = document.getElementById("keys");
  const box = document.getElementById("keys-on");
  let gAt = -Infinity;

  function isOn() {
    try {
      return localStorage.getItem(SWITCH) !== "off";
    } catch {
      return true;
    }
  }

  function keep(on) {
    try {
      localStorage.setItem(SWITCH, on ? "on" : "off");
    } catch {
      // A browser that keeps nothing keeps it for this page alone.
    }
  }

  function rows() {
    return [...document.querySelectorAll("#main [data-row]")].filter((row) => row.checkVisibility());
  }

  function current() {
    return document.querySelector("#main [data-row][aria-current]");
  }

  function choose(row) {
    current()?.removeAttribute("aria-current");
    row.setAttribute("aria-current", "true");
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  function step(by) {
    const all = rows();
    const at = all.indexOf(current());
    const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by));
    if (all[next]) {
      choose(all[next]);
    }
  }

  function open() {
    const row = current();
    (row?.querySelector("a[data-open]") ?? row?.querySelector("a[href]"))?.click();
  }

  function select() {
    current()?.querySelector("input[type=checkbox]")?.click();
  }

  function search() {
    const field = document.querySelector("#main [data-search]");
    field?.focus();
    field?.select?.();
  }

  function go(letter) {
    document.querySelector(`.side a[data-key="${CSS.escape(letter)}"]`)?.click();
  }

  function close() {
    if (dialog.open) {
      dialog.close();
      return;
    }
    for (const each of document.querySelectorAll(".person[open], .drawer[open], .act[open]")) {
      each.open = false;
      each.querySelector("summary").focus();
    }
    document.dispatchEvent(new CustomEvent("console:close"));
  }

  const keys = {
    j: () => step(1),
    k: () => step(-1),
    o: open,
    x: select,
    "/": search,
    p: () => document.querySelector("[data-pause]:not([hidden])")?.click(),
    "?": () => (dialog.open ? dialog.close() : dialog.showModal()),
  };

  function types(target) {
    return target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (event.key === "Escape") {
      if (types(event.target)) {
        event.target.blur();
      }
      close();
      return;
    }
    if (types(event.target) || !isOn()) {
      return;
    }
    if (event.key === "Enter" && event.target === current()) {
      open();
      return;
    }
    const follows = event.timeStamp - gAt < G_MS;
    gAt = -Infinity;
    if (follows) {
      event.preventDefault();
      go(event.key);
    } else if (event.key === "g") {
      gAt = event.timeStamp;
    } else if (Object.hasOwn(keys, event.key) && (!dialog.open || event.key === "?")) {
      event.preventDefault();
      keys[event.key]();
    }
  });

  // A form that is on its way is not sent a second time: the answer to that one would say that it was refused.
  const sent = new WeakMap();
  document.addEventListener("submit", (event) => {
    if (event.timeStamp - (sent.get(event.target) ?? -Infinity) < SENT_MS) {
      event.preventDefault();
    } else {
      sent.set(event.target, event.timeStamp);
    }
  });

  // Words of time go on while a page stays open; the exact ones say the reader's own zone as well.
  function ago(seconds) {
    const distance = Math.abs(seconds);
    for (const [below, unit, sign] of [[60, 1, "s"], [3600, 60, "min"], [86400, 3600, "h"], [2592000, 86400, "d"]]) {
      if (distance < below) {
        const text = `${Math.floor(distance / unit)} ${sign}`;
        return distance < 1 ? "now" : seconds > 0 ? `${text} ago` : `in ${text}`;
      }
    }
    return "";
  }

  function retell() {
    for (const time of document.querySelectorAll("time[data-epoch]")) {
      const words = ago(Date.now() / 1000 - Number(time.dataset.epoch));
      const place = time.querySelector(".ago") ?? time;
      if (words && place.textContent !== words) {
        place.textContent = words;
      }
      if (!time.dataset.told) {
        time.dataset.told = "1";
        const zone = new Date(time.dateTime).toLocaleString(undefined, { timeZoneName: "short" });
        time.title = `${time.title} · ${zone}`;
      }
    }
  }

  // Whoever opens an act types the reason next.
  for (const act of document.querySelectorAll("details.act")) {
    act.querySelector("summary").addEventListener("click", () => {
      requestAnimationFrame(() => act.open && act.querySelector("input:not([type=hidden])")?.focus());
    });
  }

  const button = document.getElementById("keys-button");
  button.hidden = false;
  button.addEventListener("click", () => dialog.showModal());
  document.getElementById("keys-close").addEventListener("click", () => dialog.close());
  box.checked = isOn();
  box.addEventListener("change", () => keep(box.checked));
  retell();
  setInterval(retell, WORDS_MS);
})();
