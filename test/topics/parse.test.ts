/** Topic files: those that are shipped, and what is said of those that can't be. */
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { topologyOf } from "../../src/topics/topology.js";
import { mapped, problemsOf, textIn, topicOf, topicsPath } from "./given.js";

const shipped = readdirSync(topicsPath).filter((name) => name.endsWith(".yaml"));

describe("the shipped topics", () => {
  it("fit together, keep their data, and have the broker's instants", () => {
    const files = shipped.map((file) => ({ file, topic: topicOf(textIn(file), file) }));
    for (const { file, topic } of files) expect(file).toBe(`${topic.name}.yaml`);
    const result = topologyOf(files);
    if (!result.ok) throw new Error(result.problems.join("\n"));
    const { inputs, scoreChanged, deadLetters } = result.topology;
    expect(inputs.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      "adjustments adjustment",
      "contacts profile",
      ...["email", "form", "meeting", "product", "sms", "social", "web"].map(
        (one) => `interactions.${one} interaction`,
      ),
    ]);
    for (const { config } of inputs) {
      expect(Object.fromEntries(config)).toEqual({
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "cleanup.policy": "delete",
        "message.timestamp.type": "LogAppendTime",
      });
    }
    expect([scoreChanged.name, deadLetters.key]).toEqual(["score-changed", "place"]);
  });

  it("have a schema each, and each schema of an input its topic", () => {
    const inputs = shipped.map((file) => topicOf(textIn(file))).filter(({ role }) => role === "input");
    const schemas = readdirSync(`${topicsPath}../schemas`).filter((name) =>
      /^(interactions|contacts|adjustments)/.test(name),
    );
    expect(inputs.map(({ name }) => `${name}.avsc`).sort()).toEqual(schemas.sort());
  });
});

it("the examples of the documentation are topics", () => {
  const blocks = [...textIn("../docs/kafka.md").matchAll(/```yaml\n(name: [^`]*)```/g)].map(([, text]) => text ?? "");
  expect(blocks.map((text) => topicOf(text).name)).toEqual(["interactions.email", "visits"]);
});

describe("a topic file", () => {
  it("is read with what may be left out", () => {
    expect(topicOf("name: my-events\nrole: input\npartitions: 6\n")).toEqual({
      name: "my-events",
      description: null,
      role: "input",
      key: null,
      partitions: 6,
      config: new Map(),
      kind: "interaction",
      mapping: null,
    });
  });

  it("has settings in Kafka's words, digits as they are written", () => {
    const config = "{ retention.bytes: 9007199254740993, preallocate: true, min.cleanable.dirty.ratio: 0.50, x.y: z }";
    expect([...topicOf(`name: t\nrole: input\npartitions: 1\nconfig: ${config}\n`).config]).toEqual([
      ["retention.bytes", "9007199254740993"],
      ["preallocate", "true"],
      ["min.cleanable.dirty.ratio", "0.50"],
      ["x.y", "z"],
    ]);
  });

  it("is told all of its problems at once, each with its place", () => {
    const text = `name: my topic
role: inptu
partitions: 0
kee: contactId
config:
  retention.mss: -1
  Retention: 5
  cleanup.policy: [compact]
  retention.bytes: 1e3
`;
    expect(problemsOf(text)).toEqual([
      "1:7 name: a topic is named by 1 to 249 letters, digits, dots, dashes or underscores",
      "2:7 role: expected one of input, output",
      "3:13 partitions: expected a whole number from 1 to 4096",
      '4:1 kee: unknown key "kee"; did you mean "key"?',
      '6:3 config["retention.mss"]: Kafka has no setting retention.mss; did you mean `retention.ms`?',
      "7:3 config.Retention: a setting is named as retention.ms is",
      '8:19 config["cleanup.policy"]: expected a text, a number written in digits, or true or false',
      '9:20 config["retention.bytes"]: expected a text, a number written in digits, or true or false',
    ]);
  });

  it.each([
    ["", /the file is empty; a topic starts with/],
    ["name: [", /1:\d+ : /],
    [
      "name: t\nrole: output\npartitions: 1\n",
      /"kind" is missing; expected one of score-changed, threshold-crossed, dead-letter/,
    ],
    [
      "name: t\nrole: output\nkind: dead-letter\npartitions: 1\nmapping: {}\n",
      /only topics with the role input have a mapping/,
    ],
    ["name: ..\nrole: input\npartitions: 1\n", /a topic is named by/],
    ["role: input\n", /"name" is missing/],
    ["- 1\n", /expected a mapping with name, description/],
  ])("can't be %j", (text, problem) => {
    expect(problemsOf(text).join("\n")).toMatch(problem);
  });
});

describe("a mapping", () => {
  const fields = "contactId: { from: u }, at: { from: t }, type: { value: web.seen }";

  it.each([
    [
      "{ fields: { type: { from: e } } }",
      /"contactId" is missing: inputs of the kind interaction need it\n.*"at" is missing/,
    ],
    [
      "{ kind: profile, fields: { contactId: { from: u }, at: { from: t } } }",
      /"fields" is missing: inputs of the kind profile/,
    ],
    [`{ erase: { d: [1] }, fields: { ${fields} } }`, /only an input of the kind profile can erase/],
    [`{ only: { type: [] }, fields: { ${fields} } }`, /expected at least one value; null stands for nothing/],
    [`{ only: { a..b: [1] }, fields: { ${fields} } }`, /a path is names with dots between them/],
    [
      `{ fields: { ${fields}, tenantId: acme } }`,
      /tenantId: expected \{ from: <path> \} for a value of the record, or \{ value/,
    ],
    [`{ fields: { ${fields}, id: { from: a, value: b } } }`, /`value` is a constant and stands alone/],
    [`{ fields: { ${fields}, id: { default: b } } }`, /expected `from`, `record` or `value`/],
    [`{ fields: { ${fields}, id: { from: a, others: skip } } }`, /there is no such table/],
    [`{ fields: { ${fields}, id: { from: a, format: s } } }`, /unknown key "format"/],
    [`{ fields: { ${fields}, id: { from: [] } } }`, /expected a path, or a list of paths/],
    [`{ fields: { ${fields}, attributes: {} } }`, /expected `from` for an object as a whole, or `fields`/],
    [`{ fields: { ${fields}, attributes: { without: [a], fields: {} } } }`, /there is no `from`/],
    [`{ fields: { ${fields}, attribute: { from: p } } }`, /did you mean "attributes"/],
    [`{ fields: { ${fields}, resource: { from: ${Array(33).fill("a").join(".")} } } }`, /a path has at most 32 names/],
    ["", /expected at least one input/],
  ])("can't be %s", (input, problem) => {
    expect(problemsOf(mapped(input)).join("\n")).toMatch(problem);
  });

  it("has a version", () => {
    const text = mapped(`{ fields: { ${fields} } }`);
    expect(problemsOf(text.replace("version: 3", "version: 0"))[0]).toMatch(/one more with each change/);
    expect(problemsOf(text.replace("version: 3, ", ""))[0]).toMatch(/"version" is missing/);
  });
});
