/** A connection has one socket at a time, which is closed with it. */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { oneSocket } from "../../../src/kafka/patches/one-socket.js";
import type { Patch } from "../../../src/kafka/patches/patch.js";
import { copyOfKafkajs } from "./copies.js";

interface Connection {
  connect(): Promise<unknown>;
  disconnect(): Promise<unknown>;
  isConnected(): boolean;
}

let server: Server;
const sockets = new Set<Socket>();

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  server.close();
});

async function connectionWith(patches: readonly Patch[], ssl: object | null = null): Promise<Connection> {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as { port: number };
  const { load } = copyOfKafkajs(patches);
  const Made = load("src/network/connection.js") as new (options: object) => Connection;
  const socketFactory = (load("src/network/socketFactory.js") as () => object)();
  const log = { namespace: () => log, debug: () => undefined, warn: () => undefined, error: () => undefined };
  const own = { host: "127.0.0.1", port, clientId: "c", connectionTimeout: 5_000, requestTimeout: 30_000 };
  return new Made({ ...own, ssl, socketFactory, logger: log });
}

async function connectTwice(connection: Connection): Promise<void> {
  await Promise.all([connection.connect(), connection.connect()]);
  await expect.poll(() => sockets.size).toBeGreaterThan(0);
  await connection.disconnect();
}

describe("a connection that two ask for at once", () => {
  it("leaves a socket open without the correction", async () => {
    const connection = await connectionWith([]);
    await connectTwice(connection);
    await expect.poll(() => sockets.size).toBe(1);
    const [left] = sockets;
    expect(left!.readableEnded).toBe(false);
  });

  it("leaves none with it, and can be made again", async () => {
    const connection = await connectionWith([oneSocket]);
    await connectTwice(connection);
    await expect.poll(() => sockets.size).toBe(0);
    await connection.connect();
    expect(connection.isConnected()).toBe(true);
    await expect.poll(() => sockets.size).toBe(1);
    await connection.disconnect();
    await expect.poll(() => sockets.size).toBe(0);
  });
});

it("a connection that ends before it is there says so to who waits for it", async () => {
  // The other side does not speak TLS, nor anything else.
  const connection = await connectionWith([oneSocket], { rejectUnauthorized: false });
  const waits = expect(connection.connect()).rejects.toThrow("Closed before it was connected");
  await expect.poll(() => sockets.size).toBe(1);
  await connection.disconnect();
  await waits;
});
