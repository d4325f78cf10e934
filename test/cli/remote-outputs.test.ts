/** Outputs of a running engine as a command reads them, which may be ended for others on the way. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { RemoteEngine } from "../../src/cli/remote.js";

let server: Server | undefined;
afterEach(() => server?.close());

it("go on behind the last record where a reader was ended for others", async () => {
  const answers = [
    'id: 5\ndata: {"n":5}\n\nid: 6\ndata: {"n":6}\n\n: ended: too much was held for readers that do not read; go on with Last-Event-ID: 6\n\n',
    'id: 7\ndata: {"n":7}\n\n',
  ];
  const asked: (string | null)[] = [];
  server = createServer((request, response) => {
    asked.push(new URL(request.url!, "http://localhost").searchParams.get("from"));
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(answers.shift());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const engine = new RemoteEngine(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, undefined);
  const read: string[] = [];
  for await (const records of engine.outputs("score-changed", 5, new AbortController().signal))
    read.push(...records.map(({ offset, value }) => `${offset} ${value}`));
  expect(read).toEqual(['5 {"n":5}', '6 {"n":6}', '7 {"n":7}']);
  expect(asked).toEqual(["5", "7"]);
});
