// A browser without JavaScript: cookies, redirects and forms, as far as a sign-in page needs them.
import { createHmac } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', "#34": '"', "#39": "'", "#x27": "'", "#43": "+" };
const text = (html) => html.replace(/&(#?\w+);/g, (whole, name) => ENTITIES[name] ?? whole);

function attributes(tag) {
  const found = {};
  for (const [, name, quoted, bare] of tag.matchAll(/([\w-]+)(?:\s*=\s*(?:"([^"]*)"|([^\s">]+)))?/g)) {
    found[name.toLowerCase()] = text(quoted ?? bare ?? "");
  }
  return found;
}

export class Page {
  constructor(url, status, headers, html) {
    Object.assign(this, { url, status, headers, html });
  }

  get forms() {
    return [...this.html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map(([, head, inside]) => {
      const action = attributes(head).action;
      return {
        method: (attributes(head).method ?? "get").toLowerCase(),
        action: new URL(action === undefined || action === "" ? this.url : action, this.url),
        inputs: [...inside.matchAll(/<input\b([^>]*)>/gi)].map(([, tag]) => attributes(tag)),
        buttons: [...inside.matchAll(/<button\b([^>]*)>([\s\S]*?)<\/button>/gi)].map(([, tag, label]) => ({
          ...attributes(tag), label: text(label.replace(/<[^>]*>/g, "").trim()),
        })),
      };
    });
  }

  formWith(name) {
    return this.forms.find((form) => form.inputs.some((input) => input.name === name));
  }

  get words() {
    const body = this.html.replace(/<style[\s\S]*?<\/style>/gi, " ").replace(/<[^>]*>/g, " ");
    return text(body).replace(/\s+/g, " ").trim();
  }
}

export class Browser {
  cookies = new Map();

  // `isOurs` says of a redirect's address that it is the application's own: there the journey ends, as a URL.
  constructor(isOurs) {
    this.isOurs = isOurs;
  }

  async ask(url, options = {}) {
    const headers = { "user-agent": "Mozilla/5.0 (X11; Linux x86_64) Judge/1.0", ...options.headers };
    if (this.cookies.size) headers.cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(url, { ...options, headers, redirect: "manual" });
    for (const line of answer.headers.getSetCookie()) this.#keep(line);
    return answer;
  }

  #keep(line) {
    const [pair, ...rest] = line.split(";").map((part) => part.trim());
    const at = pair.indexOf("=");
    const isGone = rest.some((part) => /^max-age=0$/i.test(part) || /^expires=.*1970/i.test(part));
    if (isGone) this.cookies.delete(pair.slice(0, at));
    else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }

  async open(url, options = {}) {
    let [here, how] = [new URL(url), options];
    for (let hops = 0; hops < 12; hops += 1) {
      const answer = await this.ask(here, how);
      const location = answer.headers.get("location");
      if (location === null) return new Page(here, answer.status, answer.headers, await answer.text());
      await answer.body?.cancel();
      here = new URL(location, here);
      how = {};
      if (this.isOurs(here)) return here;
    }
    throw new Error(`too many redirects, last to ${here}`);
  }

  async submit(page, form, values = {}, button = form.buttons.find((each) => each.type !== "button")) {
    const fields = new URLSearchParams();
    for (const { name, type, value } of form.inputs) {
      if (name && type !== "submit") fields.set(name, values[name] ?? value ?? "");
    }
    if (button?.name) fields.set(button.name, button.value ?? "");
    if (form.method === "get") return this.open(new URL(`?${fields}`, form.action));
    const headers = { origin: page.url.origin, "sec-fetch-site": "same-origin", referer: String(page.url) };
    return this.open(form.action, { method: "POST", body: fields, headers });
  }
}

// RFC 6238 with SHA-1, six digits, 30 seconds; `secret` is base32. One step is good for one answer, so a second answer
// within it waits for the next.
let lastStep = 0;
export async function totp(secret) {
  let step = Math.floor(Date.now() / 30_000);
  if (step <= lastStep) {
    await pause((lastStep + 1) * 30_000 - Date.now() + 50);
    step = Math.floor(Date.now() / 30_000);
  }
  lastStep = step;
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret.replace(/=+$/, "")].map((sign) => alphabet.indexOf(sign).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", key).update(counter).digest();
  const at = mac[19] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

// Go to `url` and do what the pages ask of `person` until the application's own address is reached, or until `stop`
// says that this page is the end. `cards` tells which forms were filled in on the way.
export async function journey(browser, url, person, stop = () => false) {
  const cards = [];
  let page = await browser.open(url);
  for (let turn = 0; turn < 8; turn += 1) {
    if (page instanceof URL) return { landed: page, cards };
    if (stop(page)) return { page, cards };
    const [password, code] = [page.formWith("password"), page.formWith("code")];
    const [form, values, card] = password
      ? [password, { username: person.username, password: person.password }, "password"]
      : code ? [code, { code: await totp(person.totp) }, "code"] : [page.forms[0], {}, "consent"];
    if (!form || page.status >= 400) throw new Error(`${page.status} at ${page.url}: ${page.words.slice(0, 600)}`);
    cards.push(card);
    page = await browser.submit(page, form, values);
  }
  throw new Error(`still asked after ${cards}: ${page.words.slice(0, 600)}`);
}
