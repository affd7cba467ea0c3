// An application that needs the person's consent asks once; a refusal reaches it as access_denied.
import { assert, checks, discovered, done, newBrowser, oidc, person, refused, signedIn, started } from "./setting.mjs";

const config = await discovered();
const first = await signedIn(config);
assert.ok(first.cards.includes("consent"), String(first.cards));
const again = await signedIn(config, { browser: first.browser });
assert.deepEqual(again.cards, []);
const flow = await started(config, { prompt: "consent" });
let page = await first.browser.open(flow.url);
assert.ok(!(page instanceof URL), "prompt=consent asks again");
const form = page.forms[0];
const button = form.buttons.find((each) => each.value === "no");
page = await first.browser.submit(page, form, {}, button);
assert.ok(page instanceof URL, page.words);
await refused(oidc.authorizationCodeGrant(config, page, checks(flow)), "access_denied");
done();
