// private_key_jwt with each algorithm that is offered; an assertion counts once, for us, and for a short time.
import { assert, discovered, done, given, issuer, jose, oidc, posted } from "./setting.mjs";

for (const { alg, client, jwk } of given.signers) {
  const key = await jose.importJWK(jwk, alg, { extractable: false });
  const config = await discovered(client, oidc.PrivateKeyJwt({ key, kid: jwk.kid }));
  const tokens = await oidc.clientCredentialsGrant(config, { scope: "read" }).catch((error) => assert.fail(`${alg}: ${error.error}`));
  assert.equal(jose.decodeJwt(tokens.access_token).client_id, client.id, alg);
}

const { alg, client, jwk } = given.signers[0];
const key = await jose.importJWK(jwk, alg);
const type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const assertion = (claims = {}, { alg: used = alg, signer = key } = {}) => new jose.SignJWT({
  iss: client.id, sub: client.id, aud: `${issuer}/token`, jti: crypto.randomUUID(), iat: Math.floor(Date.now() / 1000),
  exp: Math.floor(Date.now() / 1000) + 60, ...claims,
}).setProtectedHeader({ alg: used, kid: jwk.kid }).sign(signer);
const asked = async (text, more = {}) => (await posted("/token", { id: client.id },
  { grant_type: "client_credentials", client_assertion_type: type, client_assertion: text, ...more }));

const once = await assertion();
assert.equal((await asked(once)).status, 200);
const replayed = await asked(once);
assert.deepEqual([replayed.status, replayed.body.error], [401, "invalid_client"]);
assert.equal((await asked(await assertion({ aud: issuer }))).status, 200);
const now = Math.floor(Date.now() / 1000);
const stranger = (await jose.generateKeyPair("ES256")).privateKey;
const bad = {
  "another audience": await assertion({ aud: "https://evil.example" }),
  "expired": await assertion({ exp: now - 10, iat: now - 60 }),
  "good for hours": await assertion({ exp: now + 7200 }),
  "no jti": await assertion({ jti: undefined }),
  "another subject": await assertion({ sub: "somebody" }),
  "a stranger's key": await assertion({}, { alg: "ES256", signer: stranger }),
  "a shared secret made of the public key": await assertion({}, { alg: "HS256", signer: Buffer.from(JSON.stringify({ ...jwk, d: undefined })) }),
  "unsigned": new jose.UnsecuredJWT({ iss: client.id, sub: client.id, aud: issuer, jti: "1", exp: now + 60 }).encode(),
};
for (const [what, text] of Object.entries(bad)) {
  const answer = await asked(text);
  assert.deepEqual([answer.status, answer.body.error], [401, "invalid_client"], what);
}
done();
