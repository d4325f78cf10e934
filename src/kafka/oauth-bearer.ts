/**
 * SASL OAUTHBEARER for kafkajs, whose own does not look at what the broker answers: a token that is refused would look
 * like a connection that is closed again and again.
 *
 * Source: RFC 7628, 3.1 to 3.2.3.
 */
import type { Mechanism } from "kafkajs";
import { kafkajs } from "./kafkajs.js";

const SEPARATOR = "\x01";
const ANSWER_CHARS_MAX = 200;

/** @param token asked for each time a connection is authenticated */
export function oauthBearer(token: () => Promise<string>): Mechanism {
  return {
    mechanism: "oauthbearer",
    authenticationProvider: ({ saslAuthenticate }) => {
      const say = async (text: string): Promise<string> => {
        const response = { decode: (bytes: Buffer) => bytes, parse: textOf };
        return (await saslAuthenticate({ request: { encode: () => sized(text) }, response })) ?? "";
      };
      return { authenticate: async () => await authenticate(say, await token()) };
    },
  };
}

async function authenticate(say: (text: string) => Promise<string>, token: string): Promise<void> {
  let why: string;
  try {
    why = await say(`n,,${SEPARATOR}auth=Bearer ${token}${SEPARATOR}${SEPARATOR}`);
    if (why === "") return;
    // The broker ends the exchange, and the connection, when it has been answered.
    await say(SEPARATOR);
  } catch (error) {
    why = error instanceof Error ? error.message : String(error);
  }
  // Its types know of no message.
  const Refused = kafkajs().kafkajs.KafkaJSSASLAuthenticationError as unknown as new (message: string) => Error;
  throw new Refused(`SASL OAUTHBEARER authentication failed: ${why.slice(0, ANSWER_CHARS_MAX)}`);
}

/** As kafkajs takes and gives what a mechanism says: behind its length. */
function sized(text: string): Buffer {
  const bytes = Buffer.alloc(4 + Buffer.byteLength(text));
  bytes.writeInt32BE(bytes.length - 4);
  bytes.write(text, 4);
  return bytes;
}

function textOf(bytes: Buffer): string {
  return bytes.toString("utf8", 4);
}
