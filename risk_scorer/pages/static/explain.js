// Puts a language model's words under the facts that they were written from. They are a stranger's: text, never markup.
"use strict";

(() => {
  const parts = [
    ["Signals", "signals"], ["Why unusual", "why_unusual"],
    ["Likelihood of an attack, in the model's words", "attack_likelihood"],
    ["Recommended response", "recommended_response"],
  ];

  function said(answer) {
    const list = document.createElement("dl");
    for (const [label, key] of parts) {
      const name = document.createElement("dt");
      const text = document.createElement("dd");
      name.textContent = label;
      text.textContent = answer.narrative[key];
      list.append(name, text);
    }
    return list;
  }

  async function ask(link, told) {
    const event = new URL(link.href).searchParams.get("event");
    const note = document.createElement("p");
    let answer = {};
    try {
      const response = await fetch(`/events/${encodeURIComponent(event)}/narrative`, { cache: "no-store" });
      answer = await response.json();
      note.textContent = response.ok ? `${answer.note}.` : answer.error_description;
    } catch {
      note.textContent = "The scorer did not answer.";
    }
    told.replaceChildren(note);
    if (answer.narrative) {
      told.append(said(answer));
      link.remove();
    }
  }

  document.getElementById("rows").addEventListener("click", async (click) => {
    const link = click.target.closest("a.explain");
    // A click with a modifier opens the page in its own tab, as any link does.
    if (!link || click.ctrlKey || click.metaKey || click.shiftKey) {
      return;
    }
    click.preventDefault();
    if (link.getAttribute("aria-busy") === "true") {
      return;
    }
    let told = link.parentElement.querySelector(".told");
    if (!told) {
      told = document.createElement("div");
      told.className = "told";
      told.setAttribute("role", "status");
      link.parentElement.append(told);
    }
    told.textContent = "Asking…";
    link.setAttribute("aria-busy", "true");
    await ask(link, told);
    link.removeAttribute("aria-busy");
  });
})();
