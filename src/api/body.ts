/** Bodies of requests: read whole, since they are appended whole, and bounded one by one and all together. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ApiLimits } from "./options.js";
import { Problem, retryable } from "./problems.js";

export class Bodies {
  readonly #bytesMax: number;
  readonly #allBytesMax: number;
  #allBytes = 0;

  constructor({ bodyBytesMax, bodiesBytesMax }: ApiLimits) {
    this.#bytesMax = bodyBytesMax;
    this.#allBytesMax = bodiesBytesMax;
  }

  /** Held by requests that are under way. */
  get bytes(): number {
    return this.#allBytes;
  }

  /** Whether a body is known to be too large before it is sent. */
  isTooLarge(request: IncomingMessage): boolean {
    return Number(request.headers["content-length"] ?? 0) > this.#bytesMax;
  }

  /**
   * Reads the body. What is left of one that is refused is read and dropped by Node once it is answered: a connection
   * that is closed in the middle of an upload would lose the answer on its way.
   *
   * @throws Problem `body-too-large`, `too-many`, `malformed-http` where the client went away
   */
  async read(request: IncomingMessage, response: ServerResponse): Promise<Buffer> {
    if (this.isTooLarge(request)) throw this.#tooLarge();
    if (request.destroyed) throw new Problem("malformed-http", "the client went away");
    let bytes = 0;
    response.once("close", () => {
      this.#allBytes -= bytes;
    });
    const chunks: Buffer[] = [];
    return await new Promise((resolve, reject) => {
      const settle = (problem: Problem | null): void => {
        request.off("data", onData).off("end", onEnd).off("error", onGone).off("close", onGone);
        if (problem === null) {
          resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
        } else {
          request.on("error", () => undefined).resume();
          reject(problem);
        }
      };
      const onData = (chunk: Buffer): void => {
        const isBeyondAll = this.#allBytes + chunk.length > this.#allBytesMax;
        if (bytes + chunk.length > this.#bytesMax) {
          settle(this.#tooLarge());
        } else if (isBeyondAll) {
          settle(retryable("too-many", "more bytes of requests are under way than are taken; send again later"));
        } else {
          bytes += chunk.length;
          this.#allBytes += chunk.length;
          chunks.push(chunk);
        }
      };
      const onEnd = (): void => settle(null);
      const onGone = (): void => settle(new Problem("malformed-http", "the body ended before it was complete"));
      request.on("data", onData).on("end", onEnd).on("error", onGone).on("close", onGone);
    });
  }

  #tooLarge(): Problem {
    const max = this.#bytesMax;
    const detail = `the body has more than ${max} bytes; send smaller batches, or load the file with scorefold ingest`;
    return new Problem("body-too-large", detail, { bytesMax: max });
  }
}
