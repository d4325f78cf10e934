/** What is between each instance and the broker: a way of its own, which can be slow, cut, or silent. */
import { randomUUID } from "node:crypto";
import { type Proxy as OneProxy, Toxiproxy } from "toxiproxy-node-client";
import { behind, type Listeners } from "../components/kafka/listeners.js";
import { freePort } from "../components/local.js";

/** As Toxiproxy names it; `down` refuses connections and ends those that there are. */
export type Trouble =
  | { readonly type: "down" }
  | {
      readonly type: "latency" | "bandwidth" | "slow_close" | "timeout" | "reset_peer" | "limit_data";
      /** Of what is sent to the broker, or of its answers. */
      readonly stream: "upstream" | "downstream";
      readonly attributes: Readonly<Record<string, number>>;
    };

interface Way {
  readonly proxy: OneProxy;
  trouble: Trouble | null;
  /** When it was last cut, until now if it still is; none if it never was. */
  cutUntil: number;
}

export class Network {
  /** Where each instance has to look for the broker. */
  readonly addresses: readonly string[];
  /** What the broker needs for it. */
  readonly listeners: Listeners;
  readonly #ways: readonly Way[];

  private constructor(ways: readonly { readonly port: number; readonly proxy: OneProxy }[]) {
    this.addresses = ways.map(({ proxy }) => proxy.listen);
    this.listeners = behind(ways.map(({ port, proxy }) => ({ port, address: proxy.listen })));
    this.#ways = ways.map(({ proxy }) => ({ proxy, trouble: null, cutUntil: Number.NEGATIVE_INFINITY }));
  }

  /** @param toxiproxy the URL of its API @param count of ways */
  static async start(toxiproxy: string, count: number): Promise<Network> {
    const client = new Toxiproxy(toxiproxy);
    const ways: { port: number; proxy: OneProxy }[] = [];
    for (let i = 0; i < count; i++) {
      const port = await freePort();
      const body = { name: `way-${randomUUID()}`, listen: "127.0.0.1:0", upstream: `127.0.0.1:${port}` };
      ways.push({ port, proxy: await client.createProxy(body) });
    }
    return new Network(ways);
  }

  async end(): Promise<void> {
    await Promise.all(this.#ways.map(({ proxy }) => proxy.remove()));
  }

  /** Whether there is trouble on this way, or on any. */
  hasTrouble(way: number | null): boolean {
    return this.#chosen(way).some(({ trouble }) => trouble !== null);
  }

  /** Whether nothing comes through to the broker and back, or not as a whole. */
  isCut(way: number): boolean {
    return isCut(this.#ways[way]!);
  }

  get isCutForAll(): boolean {
    return this.#ways.every(isCut);
  }

  /** Whether the way was cut at any time since then. */
  wasCut(way: number, since: number): boolean {
    return this.#ways[way]!.cutUntil >= since;
  }

  /** Makes trouble on a way that has none, or on all (null). @returns what ends it */
  async begin(way: number | null, trouble: Trouble): Promise<() => Promise<void>> {
    const ways = this.#chosen(way);
    for (const one of ways) {
      one.trouble = trouble;
      if (isCut(one)) one.cutUntil = Number.POSITIVE_INFINITY;
    }
    const undo = await Promise.all(ways.map(async ({ proxy }) => await begin(proxy, trouble)));
    return async () => {
      await Promise.all(undo.map(async (end) => await end()));
      for (const one of ways) {
        if (isCut(one)) one.cutUntil = performance.now();
        one.trouble = null;
      }
    };
  }

  #chosen(way: number | null): readonly Way[] {
    return way === null ? this.#ways : [this.#ways[way]!];
  }
}

function isCut({ trouble }: Way): boolean {
  return trouble !== null && ["down", "timeout", "reset_peer", "limit_data"].includes(trouble.type);
}

/** @returns what ends it */
async function begin(proxy: OneProxy, trouble: Trouble): Promise<() => Promise<unknown>> {
  if (trouble.type === "down") {
    const { listen, upstream } = proxy;
    await proxy.update({ enabled: false, listen, upstream });
    return async () => await proxy.update({ enabled: true, listen, upstream });
  }
  const toxic = await proxy.addToxic({ name: trouble.type, toxicity: 1, ...trouble });
  return async () => await toxic.remove();
}
