// Puts newly scored logins on top of the table. Everything shown was typed by a stranger: text only, never markup.
"use strict";

(() => {
  const body = document.getElementById("rows");
  const pause = document.getElementById("pause");
  const status = document.getElementById("status");
  const shown = document.getElementById("shown");
  const limit = Number(body.dataset.limit);
  const columns = [
    ["Time", "time"], ["User", "user"], ["Address", "ip"], ["Place", "place"],
    ["Network", "network"], ["Device", "device"], ["Score", "score"], ["Reasons", "reasons"],
  ];
  const levels = new Set(["low", "medium", "high"]);
  let waiting = [];
  let paused = false;

  function cell(label, key, row) {
    const place = document.createElement("td");
    place.dataset.label = label;
    if (key === "time") {
      const time = document.createElement("time");
      time.dateTime = row.time_iso;
      time.textContent = row.time;
      place.append(time);
    } else if (key === "score") {
      const mark = document.createElement("span");
      mark.className = "mark";
      mark.textContent = `${row.score} ${row.level}`;
      place.append(mark);
    } else if (key === "reasons") {
      const reasons = document.createElement("span");
      reasons.textContent = row.reasons;
      place.append(reasons);
      if ("explains" in body.dataset) {
        const link = document.createElement("a");
        link.className = "explain";
        link.href = `/dashboard/narrative?event=${row.event}`;
        link.textContent = "Explain";
        place.append(" ", link);
      }
    } else {
      place.textContent = row[key];
    }
    return place;
  }

  function show(row) {
    const line = document.createElement("tr");
    if (levels.has(row.level)) {
      line.className = `${row.level} new`;
    }
    line.dataset.row = "";
    for (const [label, key] of columns) {
      line.append(cell(label, key, row));
    }
    body.prepend(line);
    while (body.rows.length > limit) {
      body.deleteRow(-1);
    }
    shown.textContent = String(body.rows.length);
    document.getElementById("empty").hidden = true;
    document.getElementById("scored").hidden = false;
  }

  function tell() {
    pause.textContent = paused ? "Resume" : "Pause";
    pause.setAttribute("aria-pressed", String(paused));
    if (paused) {
      status.textContent = waiting.length ? `Paused, ${waiting.length} new` : "Paused";
    } else {
      status.textContent = "Live";
    }
  }

  const source = new EventSource("/dashboard/events");
  source.addEventListener("open", tell);
  source.addEventListener("error", () => {
    status.textContent = source.readyState === EventSource.CLOSED ? "Not live: reload the page" : "Reconnecting…";
  });
  source.addEventListener("scored", (event) => {
    const row = JSON.parse(event.data);
    if (paused) {
      waiting.push(row);
      waiting = waiting.slice(-limit);
      tell();
    } else {
      show(row);
    }
  });
  source.addEventListener("ended", () => {
    source.close();
    status.textContent = "Signed out: sign in again";
  });

  pause.addEventListener("click", () => {
    paused = !paused;
    if (!paused) {
      waiting.forEach(show);
      waiting = [];
    }
    tell();
  });
  pause.hidden = false;
})();
