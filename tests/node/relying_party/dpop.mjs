// Tokens bound to a key: useless without its proof, and not to be traded down to Bearer.
import { assert, discovered, done, given, jose, oidc, posted, refused, signedIn, userinfoStatus } from "./setting.mjs";

const config = await discovered();
const pair = await oidc.randomDPoPKeyPair("ES256");
const DPoP = oidc.getDPoPHandle(config, pair);
const thumbprint = await DPoP.calculateThumbprint();
const { tokens, claims } = await signedIn(config, { ask: { dpop_jkt: thumbprint }, options: { DPoP } });
assert.equal(tokens.token_type, "dpop");
assert.equal(jose.decodeJwt(tokens.access_token).cnf.jkt, thumbprint);
const info = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub, { DPoP });
assert.equal(info.sub, claims.sub);
assert.equal(await userinfoStatus(tokens.access_token), 401);
assert.equal(await userinfoStatus(tokens.access_token, "DPoP"), 401);

const other = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair("ES256"));
await assert.rejects(oidc.fetchUserInfo(config, tokens.access_token, claims.sub, { DPoP: other }));
if (!given.client.secret) {
  await refused(oidc.refreshTokenGrant(config, tokens.refresh_token, {}, { DPoP: other }), "invalid_grant");
}
const bare = await posted("/token", given.client, { grant_type: "refresh_token", refresh_token: tokens.refresh_token });
assert.equal(bare.status, 400);
const second = await oidc.refreshTokenGrant(config, tokens.refresh_token, {}, { DPoP });
assert.equal(second.token_type, "dpop");

const elsewhere = signedIn(config, { ask: { dpop_jkt: thumbprint }, options: { DPoP: other } });
await refused(elsewhere, "invalid_grant");

const proof = async (claims = {}, header = {}) => new jose.SignJWT({ jti: crypto.randomUUID(), htm: "GET", htu: `${given.issuer}/userinfo`,
  ath: jose.base64url.encode(new Uint8Array(await crypto.subtle.digest("SHA-256", Buffer.from(second.access_token)))), ...claims })
  .setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk: await jose.exportJWK(pair.publicKey), ...header })
  .setIssuedAt(claims.iat).sign(pair.privateKey);
const proven = async (text) => userinfoStatus(second.access_token, "DPoP", { dpop: text });
const once = await proof();
assert.equal(await proven(once), 200);
assert.equal(await proven(once), 401, "a proof counts once");
const now = Math.floor(Date.now() / 1000);
for (const [claims, header] of [[{ htm: "POST" }], [{ htu: "https://evil.example/userinfo" }], [{ ath: "AAAA" }], [{ iat: now - 400 }], [{ iat: now + 60 }], [{}, { typ: "JWT" }]]) {
  assert.equal(await proven(await proof(claims, header)), 401, JSON.stringify([claims, header]));
}
done();
