// acr_values asks for a second factor: the code card, a token that says aal2, and no other password.
import { assert, checks, discovered, done, oidc, person, refused, signedIn, started } from "./setting.mjs";
import { journey } from "./browser.mjs";

const config = await discovered();
const weak = await signedIn(config);
assert.equal(weak.claims.acr, "aal1");
const silent = await started(config, { acr_values: "aal2", prompt: "none" });
const { landed } = await journey(weak.browser, silent.url, person);
await refused(oidc.authorizationCodeGrant(config, landed, checks(silent)), "interaction_required");

const strong = await signedIn(config, { browser: weak.browser, ask: { acr_values: "aal2" } });
assert.deepEqual(strong.cards, ["code"]);
assert.equal(strong.claims.acr, "aal2");
assert.deepEqual([...strong.claims.amr].sort(), ["mfa", "otp", "pwd"]);
assert.equal(strong.claims.auth_time, weak.claims.auth_time);
assert.notEqual(strong.claims.sid, weak.claims.sid);

const again = await signedIn(config, { browser: weak.browser, ask: { acr_values: "aal2" } });
assert.deepEqual(again.cards, []);
done();
