/* Passkeys on our pages. A form with `data-passkey` ("get" or "create") has in `data-options` what the server asks, and
   a hidden field "credential" for the answer, which is posted like every other form. A form stays hidden where the
   browser has no passkeys, and what has `data-passkey-missing` is shown there. With `data-autofill` it also offers passkeys where the name is typed. */
"use strict";
(() => {
  const forms = [...document.querySelectorAll("form[data-passkey]")];
  if (!window.isSecureContext || !window.PublicKeyCredential || !navigator.credentials) {
    for (const text of document.querySelectorAll("[data-passkey-missing]")) text.hidden = false;
    return;
  }

  let waiting = null; // a browser has one question open at a time

  const bytesOf = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
  const textOf = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const named = (keys) => (keys || []).map((key) => ({ ...key, id: bytesOf(key.id) }));

  function asked(form) {
    const options = JSON.parse(form.dataset.options);
    options.challenge = bytesOf(options.challenge);
    if (form.dataset.passkey === "get") return { ...options, allowCredentials: named(options.allowCredentials) };
    const user = { ...options.user, id: bytesOf(options.user.id) };
    return { ...options, user, excludeCredentials: named(options.excludeCredentials) };
  }

  function answered(credential) {
    const { response } = credential;
    const said = { clientDataJSON: textOf(response.clientDataJSON) };
    if (response.attestationObject) {
      said.attestationObject = textOf(response.attestationObject);
      said.transports = response.getTransports ? response.getTransports() : [];
    } else {
      said.authenticatorData = textOf(response.authenticatorData);
      said.signature = textOf(response.signature);
      if (response.userHandle) said.userHandle = textOf(response.userHandle);
    }
    return JSON.stringify({ id: credential.id, rawId: textOf(credential.rawId), type: credential.type, response: said });
  }

  function say(form, what) {
    const place = form.querySelector("[data-said]");
    place.hidden = !what;
    place.textContent = what ? place.dataset[what] : "";
  }

  async function ask(form, more) {
    if (waiting) waiting.abort();
    const mine = (waiting = new AbortController());
    const question = { publicKey: asked(form), signal: mine.signal, ...more };
    const credential = await navigator.credentials[form.dataset.passkey](question);
    if (mine.signal.aborted || !credential) return;
    form.elements.credential.value = answered(credential);
    form.submit();
  }

  async function asButton(form) {
    const button = form.querySelector("button");
    say(form, "");
    button.disabled = true;
    try {
      await ask(form, {});
    } catch (problem) {
      if (problem.name !== "AbortError") {
        say(form, { NotAllowedError: "cancelled", InvalidStateError: "known" }[problem.name] || "failed");
      }
    }
    button.disabled = false;
    button.focus();
  }

  async function asAutofill(form) {
    try {
      if (await PublicKeyCredential.isConditionalMediationAvailable?.()) await ask(form, { mediation: "conditional" });
    } catch {
      /* Nobody asked for it, so nobody is told. */
    }
  }

  for (const form of forms) {
    form.elements.credential.value = "";
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      asButton(form);
    });
    if ("autofill" in form.dataset) asAutofill(form);
  }
  // A page that comes back out of the browser's memory has asked its question already.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
})();
