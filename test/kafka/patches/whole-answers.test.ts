/** Answers come as they were sent, whatever pieces they come in, and none goes on from one connection to the next. */
import { EventEmitter, once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import type { Patch } from "../../../src/kafka/patches/patch.js";
import { wholeAnswers } from "../../../src/kafka/patches/whole-answers.js";
import { copyOfKafkajs } from "./copies.js";

interface Connection {
  readonly bytesBuffered: number;
  connect(): Promise<void>;
  send(of: object): Promise<Buffer>;
}

const servers: Server[] = [];

afterAll(() => {
  for (const server of servers) server.close();
});

/** @param serve answers a request on a connection; the first connection is 0 */
async function connectionTo(
  serve: (socket: Socket, connection: number, correlationId: number) => void,
  patches: readonly Patch[],
) {
  let count = 0;
  const server = createServer((socket) => {
    const connection = count++;
    // After the length, the api and its version.
    socket.on("data", (bytes) => serve(socket, connection, bytes.readInt32BE(8))).on("error", () => undefined);
  });
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as { port: number };
  const { load } = copyOfKafkajs(patches);
  const Made = load("src/network/connection.js") as new (options: object) => Connection;
  const Encoder = load("src/protocol/encoder.js") as new () => object;
  const socketFactory = (load("src/network/socketFactory.js") as () => object)();
  const log = { namespace: () => log, debug: () => undefined, warn: () => undefined, error: () => undefined };
  const own = { host: "127.0.0.1", port, clientId: "c", connectionTimeout: 5_000, requestTimeout: 30_000 };
  const connection = new Made({ ...own, socketFactory, logger: log });
  const request = { apiKey: 18, apiVersion: 0, apiName: "ApiVersions", encode: async () => new Encoder() };
  const response = { decode: async (bytes: Buffer) => bytes, parse: async (bytes: Buffer) => bytes };
  const ask = async (): Promise<string> => {
    await connection.connect();
    return (await connection.send({ request, response })).toString();
  };
  return { connection, ask };
}

function answer(correlationId: number, body: string): Buffer {
  const head = Buffer.alloc(8);
  head.writeInt32BE(4 + body.length);
  head.writeInt32BE(correlationId, 4);
  return Buffer.concat([head, Buffer.from(body)]);
}

/** The first connection ends in the middle of an answer. */
function cut(socket: Socket, connection: number, correlationId: number): void {
  const whole = answer(correlationId, "x".repeat(100));
  if (connection === 0) socket.end(whole.subarray(0, 30));
  else socket.end(answer(correlationId, "whole"));
}

describe("an answer that is cut off", () => {
  it("goes on with the next connection without the correction", async () => {
    const { ask, connection } = await connectionTo(cut, []);
    await expect(ask()).rejects.toThrow("Closed connection");
    expect(connection.bytesBuffered).toBe(30);
    await expect(ask()).rejects.toThrow("Closed connection");
  });

  it("goes with its connection with it", async () => {
    const { ask, connection } = await connectionTo(cut, [wholeAnswers]);
    await expect(ask()).rejects.toThrow("Closed connection");
    expect(await ask()).toBe("whole");
    expect(connection.bytesBuffered).toBe(0);
  });
});

it("answers come one by one and whole, whatever pieces they came in", () => {
  const { load } = copyOfKafkajs([wholeAnswers]);
  const open = load("src/network/socket.js") as (options: object) => unknown;
  const bodies = fc.array(fc.string({ maxLength: 12, unit: "binary-ascii" }), { maxLength: 6 });
  fc.assert(
    fc.property(bodies, fc.array(fc.nat(100)), (texts, cuts) => {
      const answers = texts.map((text, i) => answer(i, text));
      const all = Buffer.concat(answers);
      const socket = new EventEmitter();
      const came: Buffer[] = [];
      const [onEnd, onError, onTimeout] = Array(3).fill(() => undefined);
      const onData = (bytes: Buffer): void => void came.push(bytes);
      open({ socketFactory: () => socket, onData, onEnd, onError, onTimeout });
      const ends = [0, ...cuts.filter((at) => at < all.length), all.length].sort((a, b) => a - b);
      for (const [i, end] of ends.entries()) if (i > 0) socket.emit("data", all.subarray(ends[i - 1], end));
      expect(came).toEqual(answers);
    }),
  );
});

it("what can't be an answer ends the connection, and says why", async () => {
  const { ask } = await connectionTo((socket) => void socket.write(Buffer.from([0xff, 0, 0, 0])), [wholeAnswers]);
  await expect(ask()).rejects.toThrow("no answer of a broker: -16777216 bytes; check the address");
});
