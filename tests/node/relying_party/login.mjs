// Discovery, the code flow with PKCE, state, nonce and iss, userinfo, and what the tokens say.
import { assert, discovered, done, given, issuer, jose, keys, oidc, person, REDIRECT, signedIn } from "./setting.mjs";

const config = await discovered();
const server = config.serverMetadata();
assert.equal(server.issuer, issuer);
assert.equal(server.authorization_response_iss_parameter_supported, true);
assert.deepEqual(server.code_challenge_methods_supported, ["S256"]);
assert.ok(!server.id_token_signing_alg_values_supported.includes("none"));

const { tokens, claims, landed, cards, state, nonce } = await signedIn(config);
assert.deepEqual(cards, ["password"]);
assert.equal(landed.origin + landed.pathname, REDIRECT);
assert.equal(landed.searchParams.get("iss"), issuer);
assert.equal(landed.searchParams.get("state"), state);
assert.equal(claims.nonce, nonce);
assert.equal(claims.acr, "aal1");
assert.deepEqual(claims.amr, ["pwd"]);
assert.ok(claims.sid && claims.auth_time);
assert.equal(tokens.token_type, "bearer");
assert.ok(tokens.expires_in > 0);

const id = await jose.jwtVerify(tokens.id_token, keys, { issuer, audience: given.client.id, algorithms: [given.alg] });
const half = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(tokens.access_token));
assert.equal(id.payload.at_hash, jose.base64url.encode(new Uint8Array(half).slice(0, 16)));
const access = await jose.jwtVerify(tokens.access_token, keys, { issuer, audience: "iam-clients", typ: "at+jwt" });
assert.equal(access.payload.client_id, given.client.id);
assert.equal(access.payload.sid, claims.sid);

const info = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
assert.equal(info.preferred_username, person.username);
assert.equal(info.email, person.email);
done({ claims, info });
