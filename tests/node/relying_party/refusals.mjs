// What must not work: a wrong verifier, another redirect_uri, a code twice, somebody else's code, requests without PKCE.
import { assert, checks, discovered, done, given, jose, keys, newBrowser, oidc, person, posted, refused, REDIRECT, signedIn, started, userinfoStatus } from "./setting.mjs";
import { journey } from "./browser.mjs";

const config = await discovered();
const first = await signedIn(config);
const browser = first.browser;
async function code() {
  const flow = await started(config);
  const { landed } = await journey(browser, flow.url, person);
  return { ...flow, landed, code: landed.searchParams.get("code") };
}
const redeem = (flow, client, more = {}) => posted("/token", client, {
  grant_type: "authorization_code", code: flow.code, redirect_uri: REDIRECT, code_verifier: flow.verifier, ...more,
});
const fails = async (answer, error = "invalid_grant") => assert.deepEqual([answer.status, answer.body.error], [400, error]);

const wrong = await code();
await refused(oidc.authorizationCodeGrant(config, wrong.landed, checks(wrong, { pkceCodeVerifier: oidc.randomPKCECodeVerifier() })), "invalid_grant");
await fails(await redeem(await code(), given.client, { code_verifier: "" }), "invalid_grant").catch(async () => {
  await fails(await redeem(await code(), given.client, { code_verifier: "" }), "invalid_request");
});
await fails(await redeem(await code(), given.client, { redirect_uri: `${REDIRECT}/other` }));
await fails(await redeem(await code(), given.other));
await fails(await redeem({ ...(await code()), code: "junk" }, given.client));

const twice = await code();
const tokens = (await redeem(twice, given.client)).body;
assert.equal(await userinfoStatus(tokens.access_token), 200);
await fails(await redeem(twice, given.client));
assert.equal(await userinfoStatus(tokens.access_token), 401, "a code's reuse takes what it gave along");
await fails(await posted("/token", given.client, { grant_type: "refresh_token", refresh_token: tokens.refresh_token }));

async function authorize(change) {
  const flow = await started(config);
  change(flow.url.searchParams);
  return newBrowser().open(flow.url);
}
for (const name of ["redirect_uri", "client_id"]) {
  const page = await authorize((query) => query.set(name, "https://evil.example/callback"));
  assert.ok(!(page instanceof URL) && page.status === 400, `${name}: no redirect`);
  assert.ok(!page.html.includes("evil.example"), `${name}: nothing echoed`);
}
for (const change of [
  (query) => query.delete("code_challenge"), (query) => query.set("code_challenge_method", "plain"),
  (query) => query.delete("code_challenge_method"), (query) => query.set("code_challenge", "short"),
]) {
  const back = await authorize(change);
  assert.ok(back instanceof URL, "an error for the application");
  assert.equal(back.searchParams.get("error"), "invalid_request");
  assert.equal(back.searchParams.get("iss"), given.issuer);
}
const implicit = await authorize((query) => query.set("response_type", "token"));
assert.equal(implicit.searchParams?.get("error"), "unsupported_response_type");
const unknown = await posted("/token", given.client, { grant_type: "password", username: "a", password: "b" });
await fails(unknown, "unsupported_grant_type");

// The client's own checks hold against ours: another state, another nonce, another issuer, another algorithm.
const ours = await code();
await assert.rejects(oidc.authorizationCodeGrant(config, ours.landed, checks(ours, { expectedState: "other" })));
const mixed = new URL(ours.landed);
mixed.searchParams.set("iss", "https://evil.example");
await assert.rejects(oidc.authorizationCodeGrant(config, mixed, checks(ours)));
const nonce = await code();
await assert.rejects(oidc.authorizationCodeGrant(config, nonce.landed, checks(nonce, { expectedNonce: "other" })));
const strict = await discovered(given.client, undefined, { id_token_signed_response_alg: "RS256" });
const other = await code();
await assert.rejects(oidc.authorizationCodeGrant(strict, other.landed, checks(other)));

const header = { alg: "HS256", typ: "JWT", kid: jose.decodeProtectedHeader(first.tokens.id_token).kid };
const published = await (await fetch(`${given.issuer}/.well-known/jwks.json`)).text();
const confused = await new jose.SignJWT(first.claims).setProtectedHeader(header).sign(Buffer.from(published));
await assert.rejects(jose.jwtVerify(confused, keys));
for (const token of [confused, new jose.UnsecuredJWT({ ...first.claims }).encode(), first.tokens.id_token]) {
  assert.equal(await userinfoStatus(token), 401);
}
done();
