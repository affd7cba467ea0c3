// Puts newly scored logins on top of a table. Everything shown was typed by a stranger: text only, never markup.
// Rows never move under a hand: while somebody selects, ticks, focuses, points or reads further down they are folded
// into a count, and so they are when there are more of them than anybody can read.
"use strict";

(() => {
  const READABLE = 10; // rows a second
  const SPAN_MS = 3000; // over which they are counted
  const TICK_MS = 250;
  const CALM = 5; // so many fade in; a crowd of fading cells would take all of a processor to paint
  const HAND_MS = 1500; // a pointer that moved so lately is a hand
  const FOLLOWED = 30; // rows of a crowd that are laid out; the others are hidden until somebody stops to look
  const body = document.getElementById("rows");
  const shape = document.getElementById("live-row");
  const region = document.getElementById("scored");
  const judge = document.getElementById("judge"); // where rows can be ticked, what is done with them
  const pause = document.getElementById("pause");
  const follow = document.getElementById("follow");
  const newer = document.getElementById("newer");
  const count = document.getElementById("newer-count");
  const status = document.getElementById("status");
  const limit = Number(body.dataset.limit);
  const levels = new Set(["low", "medium", "high"]);
  const shown = new Map([...body.rows].map((row) => [row.dataset.event, row]));
  let waiting = [];
  let folded = 0;
  let arrivals = [];
  let paused = false;
  let follows = false;
  let fast = false;
  let problem = "";
  let isCut = false;
  let pressed = false;
  let pointedAt = -Infinity;
  let frame = 0;
  let isTucked = false;

  function fill(row, cells) {
    for (const place of row.querySelectorAll("[data-text]")) {
      const text = cells[place.dataset.text] ?? "";
      if (place.textContent !== text) {
        place.textContent = text;
      }
    }
  }

  function made(cells) {
    const row = shape.content.firstElementChild.cloneNode(true);
    row.dataset.event = cells.path;
    if (levels.has(cells.level)) {
      row.classList.add(cells.level);
    }
    fill(row, cells);
    for (const link of row.querySelectorAll("[data-path]")) {
      link.href = link.dataset.path + cells.path;
    }
    for (const link of row.querySelectorAll("[data-user]")) {
      link.href = link.dataset.user + cells.user_query;
    }
    const time = row.querySelector("[data-when]");
    time.dateTime = cells.iso;
    time.dataset.epoch = String(cells.epoch);
    time.title = cells.exact;
    time.querySelector(".ago").textContent = "now";
    const box = row.querySelector("[data-choose]");
    if (box) {
      box.value = cells.event_id;
      box.setAttribute("aria-label", cells.choose);
    }
    for (const chips of row.querySelectorAll("[data-chips]")) {
      for (const words of cells.reasons) {
        const chip = document.createElement("span");
        chip.className = "chip";
        chip.textContent = words;
        chips.append(chip, " ");
      }
    }
    return row;
  }

  function isHeld() {
    const selection = getSelection();
    return (
      pressed ||
      performance.now() - pointedAt < HAND_MS ||
      body.contains(document.activeElement) ||
      (selection && !selection.isCollapsed && region.contains(selection.anchorNode)) ||
      body.querySelector("input:checked, [aria-current]") !== null ||
      region.scrollTop > 0
    );
  }

  // Rows far below cost a browser as much to lay out and paint as those that are seen.
  function tuck(isCrowd) {
    if (isCrowd || isTucked) {
      isTucked = isCrowd;
      [...body.rows].forEach((row, at) => {
        const isFar = isCrowd && at >= FOLLOWED;
        if (row.hidden !== isFar) {
          row.hidden = isFar;
        }
      });
    }
  }

  function isFarDown() {
    const last = body.rows[FOLLOWED - 1];
    return last !== undefined && last.getBoundingClientRect().bottom > innerHeight;
  }

  function flush() {
    const rows = document.createDocumentFragment();
    const isCalm = waiting.length <= CALM;
    for (const cells of waiting.reverse()) {
      if (!shown.has(cells.path)) {
        const row = made(cells);
        row.classList.toggle("new", isCalm);
        shown.set(cells.path, row);
        rows.append(row);
      }
    }
    waiting = [];
    folded = 0;
    body.prepend(rows);
    while (body.rows.length > limit) {
      shown.delete(body.lastElementChild.dataset.event);
      body.lastElementChild.remove();
    }
    document.getElementById("empty").hidden = body.rows.length > 0;
    region.hidden = body.rows.length === 0;
    if (judge) {
      judge.hidden = region.hidden;
    }
  }

  function say(words) {
    if (status.textContent !== words) {
      status.textContent = words;
    }
  }

  function tell() {
    pause.textContent = paused ? "Resume" : "Pause";
    pause.setAttribute("aria-pressed", String(paused));
    follow.hidden = !(fast || follows);
    follow.setAttribute("aria-pressed", String(follows));
    count.textContent = String(folded);
    if (newer.hidden !== (folded === 0)) {
      if (document.activeElement === newer) {
        region.focus({ preventScroll: true });
      }
      newer.hidden = folded === 0;
    }
    say(problem || (isCut && "Some were left out: reload the page") || (paused ? "Paused" : fast && !follows ? "Live, folded: too many to read" : "Live"));
  }

  function mayFlush() {
    return waiting.length > 0 && !paused && (!fast || follows) && !isHeld();
  }

  // Once a frame, however many messages came since the last one: then nothing is laid out twice.
  function arrange() {
    frame = 0;
    if (mayFlush()) {
      const isCrowd = fast && follows && isFarDown();
      flush();
      tuck(isCrowd);
    }
    tell();
  }

  function look() {
    const since = performance.now() - SPAN_MS;
    arrivals = arrivals.filter(([at]) => at > since);
    const rate = (arrivals.reduce((sum, [, rows]) => sum + rows, 0) * 1000) / SPAN_MS;
    fast = fast ? rate > READABLE / 2 : rate > READABLE;
    if (mayFlush()) {
      frame = frame || requestAnimationFrame(arrange);
    } else {
      if (!fast || !follows || paused || isHeld()) {
        tuck(false);
      }
      tell();
    }
  }

  function take(news) {
    for (const cells of news.changed) {
      const at = waiting.findIndex((each) => each.path === cells.path);
      if (at >= 0) {
        waiting[at] = cells;
      } else if (shown.has(cells.path)) {
        fill(shown.get(cells.path), cells);
      }
    }
    const held = new Set(waiting.map((cells) => cells.path));
    const fresh = news.new.filter((cells) => !shown.has(cells.path) && !held.has(cells.path));
    folded += fresh.length;
    waiting = waiting.concat(fresh).slice(-limit);
    isCut = isCut || (news.skipped && fresh.length < limit);
    arrivals.push([performance.now(), fresh.length]);
    look();
  }

  const source = new EventSource(body.dataset.feed);
  source.addEventListener("open", () => {
    problem = "";
    tell();
  });
  source.addEventListener("error", () => {
    problem = source.readyState === EventSource.CLOSED ? "Not live: reload the page" : "Reconnecting…";
    tell();
  });
  source.addEventListener("rows", (event) => take(JSON.parse(event.data)));
  source.addEventListener("ended", () => {
    source.close();
    problem = "Signed out: sign in again";
    tell();
  });

  pause.addEventListener("click", () => {
    paused = !paused;
    if (!paused) {
      flush();
    }
    tell();
  });
  follow.addEventListener("click", () => {
    follows = !follows;
    look();
  });
  newer.addEventListener("click", () => {
    region.scrollTop = 0;
    flush();
    tell();
  });
  region.addEventListener("pointerdown", () => { pressed = true; });
  addEventListener("pointerup", () => { pressed = false; });
  addEventListener("pointercancel", () => { pressed = false; });
  body.addEventListener("pointermove", () => { pointedAt = performance.now(); });
  pause.hidden = false;
  setInterval(look, TICK_MS);
})();
