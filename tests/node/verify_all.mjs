// Reads deliveries from standard input and says of each whether the official library takes it, at the time given.
import { Webhook } from "standardwebhooks";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { secret, now, deliveries } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
if (now) Date.now = () => now * 1000;
const webhook = new Webhook(secret);
const taken = deliveries.map(({ body, headers }) => {
  try {
    webhook.verify(Buffer.from(body, "base64"), headers);
    return true;
  } catch {
    return false;
  }
});
process.stdout.write(JSON.stringify(taken));
