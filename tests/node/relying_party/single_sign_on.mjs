// A browser that is signed in is not asked again; prompt, max_age and prompt=none mean what they say.
import { assert, checks, discovered, done, newBrowser, oidc, person, refused, signedIn, started } from "./setting.mjs";
import { journey } from "./browser.mjs";

const config = await discovered();
const stranger = newBrowser();
const silent = await started(config, { prompt: "none" });
const nobody = (await journey(stranger, silent.url, person)).landed;
await refused(oidc.authorizationCodeGrant(config, nobody, checks(silent)), "login_required");

const first = await signedIn(config);
const again = await signedIn(config, { browser: first.browser });
assert.deepEqual(again.cards, []);
assert.equal(again.claims.auth_time, first.claims.auth_time);
assert.equal(again.claims.sid, first.claims.sid);
const none = await signedIn(config, { browser: first.browser, ask: { prompt: "none" } });
assert.equal(none.claims.sub, first.claims.sub);
const recent = await signedIn(config, { browser: first.browser, ask: { max_age: "600" }, check: { maxAge: 600 } });
assert.deepEqual(recent.cards, []);

const anew = await signedIn(config, { browser: first.browser, ask: { prompt: "login" } });
assert.deepEqual(anew.cards, ["password"]);
assert.notEqual(anew.claims.sid, first.claims.sid);
assert.equal(anew.claims.sub, first.claims.sub);
done();
