import type { Patch } from "./patch.js";

interface Socket {
  end(): void;
  unref(): void;
}

interface Connection {
  readonly host: string;
  readonly port: number;
  socket?: Socket;
}

interface ConnectionClass {
  readonly prototype: {
    connect(this: Connection): Promise<unknown>;
    disconnect(this: Connection): Promise<unknown>;
  };
}

interface Errors {
  readonly KafkaJSConnectionError: new (message: string, of: { readonly broker: string }) => Error;
}

interface Attempt {
  readonly promise: Promise<unknown>;
  readonly fail: (error: Error) => void;
}

/**
 * A connection has one socket at a time, and whoever waits for it hears of its end. Of kafkajs's own:
 *
 * - Two that ask for a connection at once make two sockets, and one of them is never closed.
 * - So is the socket that another one replaces while it is being closed.
 * - Where the other side ends it before it is there, who waits for it waits for ever.
 */
export const oneSocket: Patch = {
  name: "one socket a connection",
  file: "src/network/connection.js",
  replace: (original, load) => {
    const { prototype } = original as ConnectionClass;
    const { KafkaJSConnectionError } = load("src/errors.js") as Errors;
    const { connect, disconnect } = prototype;
    const attempts = new WeakMap<Connection, Attempt>();
    prototype.connect = async function (): Promise<unknown> {
      let attempt = attempts.get(this);
      if (attempt === undefined) {
        let fail: Attempt["fail"] = () => undefined;
        const ended = new Promise<never>((_, reject) => {
          fail = reject;
        });
        const promise = Promise.race([connect.call(this), ended]).finally(() => attempts.delete(this));
        attempt = { promise, fail };
        attempts.set(this, attempt);
      }
      return await attempt.promise;
    };
    prototype.disconnect = async function (): Promise<unknown> {
      const { socket, host, port } = this;
      const attempt = attempts.get(this);
      const done = await disconnect.call(this);
      socket?.end();
      socket?.unref();
      // An error of the socket says more, and comes at once.
      if (attempt !== undefined)
        setImmediate(() => {
          attempt.fail(new KafkaJSConnectionError("Closed before it was connected", { broker: `${host}:${port}` }));
        });
      return done;
    };
    return original;
  },
};
