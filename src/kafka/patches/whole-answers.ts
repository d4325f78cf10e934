import type { Socket } from "node:net";
import type { Patch } from "./patch.js";

interface SocketOptions {
  readonly onData: (bytes: Buffer) => void;
}

/** Each answer has its length before it. */
const LENGTH_BYTES = 4;

/**
 * What has come of an answer when its connection ends goes with it. kafkajs takes it for the beginning of the first answer
 * on the next connection, and the process ends with a RangeError, or waits for an answer that it has passed over.
 *
 * Source: https://github.com/tulios/kafkajs/issues/715
 */
export const wholeAnswers: Patch = {
  name: "whole answers",
  file: "src/network/socket.js",
  replace: (original) => {
    const open = original as (options: SocketOptions) => Socket;
    return (options: SocketOptions): Socket => {
      const answers = new Answers();
      const onData = (bytes: Buffer): void => {
        try {
          for (const answer of answers.take(bytes)) options.onData(answer);
        } catch (error) {
          socket.destroy(error as Error);
        }
      };
      const socket = open({ ...options, onData });
      return socket;
    };
  },
};

/** Those of one connection. */
class Answers {
  #pieces: Buffer[] = [];
  #bytes = 0;
  #needed = LENGTH_BYTES;

  /** @returns what is whole now, lengths and all. @throws RangeError where it can't come from a broker */
  *take(piece: Buffer): Generator<Buffer> {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    while (this.#bytes >= this.#needed) {
      const all = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
      const length = all.readInt32BE();
      if (length < 0) throw new RangeError(`what comes is no answer of a broker: ${length} bytes; check the address`);
      this.#needed = LENGTH_BYTES + length;
      const isWhole = this.#bytes >= this.#needed;
      this.#pieces = [isWhole ? all.subarray(this.#needed) : all];
      if (!isWhole) return;
      const answer = all.subarray(0, this.#needed);
      this.#bytes -= this.#needed;
      this.#needed = LENGTH_BYTES;
      yield answer;
    }
  }
}
