/** Listeners of the local broker beside the open one. */
export interface Listeners {
  /** As a broker's settings name them. */
  readonly listeners: readonly string[];
  /** Where clients are told that they are. */
  readonly advertised: readonly string[];
  /** What else a broker needs for them. */
  readonly settings: Readonly<Record<string, string>>;
  /** For the storage tool. */
  readonly formatOptions: readonly string[];
}

/** Open ones that clients reach by something in between, which may fail. */
export function behind(ways: readonly { readonly port: number; readonly address: string }[]): Listeners {
  const name = (i: number): string => `WAY${i}`;
  const map = ["CONTROLLER", "PLAINTEXT", ...ways.map((_, i) => name(i))].map((one) => `${one}:PLAINTEXT`);
  return {
    listeners: ways.map(({ port }, i) => `${name(i)}://127.0.0.1:${port}`),
    advertised: ways.map(({ address }, i) => `${name(i)}://${address}`),
    settings: {
      "listener.security.protocol.map": map.join(","),
      // Each has threads of its own.
      ...Object.fromEntries(ways.map((_, i) => [`listener.name.${name(i).toLowerCase()}.num.network.threads`, "1"])),
    },
    formatOptions: [],
  };
}
