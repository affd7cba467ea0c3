// Logout that the application began: the browser comes back, nothing of the session lives on, and the other application
// hears of it by a logout token that stands up to the specification.
import { createServer } from "node:http";
import { once } from "node:events";
import { assert, discovered, done, given, issuer, jose, keys, oidc, refused, signedIn, userinfoStatus } from "./setting.mjs";

const config = await discovered();
const listener = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    response.writeHead(200).end();
    listener.emit("told", request, Buffer.concat(parts).toString("utf8"));
  });
});
listener.listen(given.backchannel_port, "127.0.0.1");
await once(listener, "listening");

const first = await signedIn(config);
const second = await signedIn(await discovered(given.other), { browser: first.browser });
assert.equal(second.claims.sid, first.claims.sid);
const told = once(listener, "told", { signal: AbortSignal.timeout(10_000) });
const url = oidc.buildEndSessionUrl(config, {
  id_token_hint: first.tokens.id_token, post_logout_redirect_uri: given.after_logout, state: "s-123",
});
let page = await first.browser.open(url);
if (!(page instanceof URL)) page = await first.browser.submit(page, page.forms[0]);
assert.ok(page instanceof URL, `no way back: ${page.status} ${page.words}`);
assert.equal(page.origin + page.pathname, given.after_logout);
assert.equal(page.searchParams.get("state"), "s-123");

const [request, body] = await told;
assert.equal(request.method, "POST");
assert.match(request.headers["content-type"], /^application\/x-www-form-urlencoded/);
const fields = new URLSearchParams(body);
assert.deepEqual([...fields.keys()], ["logout_token"]);
const { payload, protectedHeader } = await jose.jwtVerify(fields.get("logout_token"), keys, {
  issuer, audience: given.client.id, typ: "logout+jwt", maxTokenAge: 120, requiredClaims: ["jti", "exp", "sid", "sub"],
});
assert.equal(protectedHeader.alg, "ES256");
assert.equal(payload.sid, first.claims.sid);
assert.equal(payload.sub, first.claims.sub);
assert.deepEqual(payload.events, { "http://schemas.openid.net/event/backchannel-logout": {} });
assert.equal(payload.nonce, undefined);
listener.close();

for (const [who, { tokens }] of [[config, first], [await discovered(given.other), second]]) {
  await refused(oidc.refreshTokenGrant(who, tokens.refresh_token), "invalid_grant");
  assert.equal(await userinfoStatus(tokens.access_token), 401);
}
const again = await signedIn(config, { browser: first.browser });
assert.deepEqual(again.cards, ["password"]);
done();
