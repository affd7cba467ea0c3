// Revoking a person's refresh token ends the session: introspection, userinfo and the browser know at once.
import { assert, discovered, done, given, oidc, posted, refused, signedIn, userinfoStatus } from "./setting.mjs";

const config = await discovered();
const server = await discovered(given.server);
const { tokens, claims, browser } = await signedIn(config);
const active = await oidc.tokenIntrospection(server, tokens.access_token);
assert.deepEqual([active.active, active.sub, active.client_id], [true, claims.sub, given.client.id]);

const theirs = await posted("/revoke", given.other, { token: tokens.refresh_token });
assert.ok([200, 400].includes(theirs.status));
assert.equal(await userinfoStatus(tokens.access_token), 200, "another client revokes nothing of ours");

await oidc.tokenRevocation(config, tokens.refresh_token);
await refused(oidc.refreshTokenGrant(config, tokens.refresh_token), "invalid_grant");
assert.deepEqual(await oidc.tokenIntrospection(server, tokens.access_token), { active: false });
assert.equal(await userinfoStatus(tokens.access_token), 401);
const again = await signedIn(config, { browser });
assert.deepEqual(again.cards, ["password"]);
assert.notEqual(again.claims.sid, claims.sid);
done();
