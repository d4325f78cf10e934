/** A schema registry that takes any schema of a subject, and says nothing where it is asked for one by its id. */
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export class SilentRegistry {
  readonly #server: Server;
  #waiting: ServerResponse[] = [];
  #isSilent = true;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<SilentRegistry> {
    const server = createServer((request, response) => registry.#answer(request.url ?? "", response));
    const registry = new SilentRegistry(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return registry;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on it answers: it knows no schema by its id. */
  answers(): void {
    this.#isSilent = false;
    for (const response of this.#waiting) unknown(response);
    this.#waiting = [];
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #answer(path: string, response: ServerResponse): void {
    if (!path.startsWith("/schemas/ids/")) response.end(JSON.stringify({ id: 1, schema: "{}" }));
    else if (this.#isSilent) this.#waiting.push(response);
    else unknown(response);
  }
}

function unknown(response: ServerResponse): void {
  response.statusCode = 404;
  response.end(JSON.stringify({ error_code: 40403, message: "no schema" }));
}
