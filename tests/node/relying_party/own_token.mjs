// An application's own token: client_credentials, introspection by a resource server, revocation.
import { assert, discovered, done, given, issuer, jose, keys, oidc, posted } from "./setting.mjs";

const config = await discovered();
const tokens = await oidc.clientCredentialsGrant(config, { scope: "read" });
assert.equal(tokens.refresh_token, undefined);
assert.equal(tokens.id_token, undefined);
const { payload } = await jose.jwtVerify(tokens.access_token, keys, { issuer, typ: "at+jwt", audience: "iam-clients" });
assert.deepEqual([payload.sub, payload.client_id, payload.scope], [given.client.id, given.client.id, "read"]);

const server = await discovered(given.server);
const before = await oidc.tokenIntrospection(server, tokens.access_token);
assert.equal(before.active, true);
assert.equal(before.client_id, given.client.id);
await oidc.tokenRevocation(config, tokens.access_token);
const after = await oidc.tokenIntrospection(server, tokens.access_token);
assert.deepEqual(after, { active: false });
assert.deepEqual(await oidc.tokenIntrospection(server, "junk"), { active: false });

const wrong = await discovered({ ...given.client, secret: "rgc_wrong" });
const challenged = await oidc.clientCredentialsGrant(wrong).catch((error) => error);
assert.equal(challenged.status, 401);
assert.equal(challenged.cause[0].scheme, "basic");
const nobody = await posted("/introspect", { id: given.client.id }, { token: tokens.access_token });
assert.equal(nobody.status, 401);
const both = await posted("/token", given.client, { grant_type: "client_credentials", client_secret: given.client.secret, client_id: given.client.id });
assert.ok([400, 401].includes(both.status), "two ways to prove oneself at once");
const scope = await posted("/token", given.client, { grant_type: "client_credentials", scope: "admin" });
assert.deepEqual([scope.status, scope.body.error], [400, "invalid_scope"]);
done();
