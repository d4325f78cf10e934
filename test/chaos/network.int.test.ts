/** Trouble on a way is what it says: a run under faults that do not bite would go well for nothing. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addressIfThere } from "../components/component.js";
import { Network, type Trouble } from "./network.js";

const toxiproxy = await addressIfThere("toxiproxy");

describe.skipIf(toxiproxy === null)("a network", () => {
  let network: Network;
  const servers = [createServer(), createServer()];

  beforeAll(async () => {
    network = await Network.start(toxiproxy!, servers.length);
    for (const [i, server] of servers.entries()) {
      server.on("connection", (socket) => void socket.on("error", () => undefined).pipe(socket));
      const port = Number(/:(\d+)$/.exec(network.listeners.listeners[i]!)?.[1]);
      await once(server.listen(port, "127.0.0.1"), "listening");
    }
  });

  afterAll(async () => {
    await network.end();
    for (const server of servers) server.close();
  });

  /** Sends ten bytes, which should come back. @returns how many did, when all did or the connection has ended */
  async function echoed(socket: Socket): Promise<number> {
    let count = 0;
    if (socket.closed) return count;
    socket.write("0123456789");
    return await new Promise((resolve) => {
      socket.on("data", (bytes: Buffer) => {
        count += bytes.length;
        if (count === 10) resolve(count);
      });
      socket.once("close", () => resolve(count));
    });
  }

  function opened(way: number): Socket {
    const [host, port] = network.addresses[way]!.split(":");
    return connect(Number(port), host).on("error", () => undefined);
  }

  it.each<[Trouble["type"], Trouble, number]>([
    ["down", { type: "down" }, 0],
    ["timeout", { type: "timeout", stream: "downstream", attributes: { timeout: 0 } }, 0],
    ["reset_peer", { type: "reset_peer", stream: "upstream", attributes: { timeout: 0 } }, 0],
    ["limit_data", { type: "limit_data", stream: "downstream", attributes: { bytes: 4 } }, 4],
    ["latency", { type: "latency", stream: "upstream", attributes: { latency: 20, jitter: 0 } }, 10],
  ])("has %s on one way, until it ends", async (_, trouble, comes) => {
    const troubled = opened(0);
    expect(await echoed(troubled)).toBe(10);
    const began = performance.now();
    const end = await network.begin(0, trouble);
    expect(await echoed(opened(1))).toBe(10);
    expect(network.hasTrouble(0)).toBe(true);
    expect([network.isCut(0), network.isCut(1), network.isCutForAll]).toEqual([comes < 10, false, false]);
    const count = echoed(troubled);
    // In silence a connection stays, and it ends with the trouble.
    if (trouble.type !== "timeout") await count;
    await end();
    expect(await count).toBe(comes);
    expect([network.hasTrouble(null), network.isCut(0)]).toEqual([false, false]);
    expect(network.wasCut(0, began)).toBe(comes < 10);
    expect(await echoed(opened(0))).toBe(10);
  });
});
