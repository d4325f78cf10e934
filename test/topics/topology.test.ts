/** Topics together. */
import { describe, expect, it } from "vitest";
import { completed, type TopicFile, topicsOf, topologyOf, withPartitions } from "../../src/topics/topology.js";
import { topicOf } from "./given.js";

function file(name: string, role: string, partitions = 4, kind?: string): TopicFile {
  const text = `name: ${name}\nrole: ${role}\npartitions: ${partitions}\n${kind === undefined ? "" : `kind: ${kind}\n`}`;
  return { file: `${name}.yaml`, topic: topicOf(text) };
}

const shipped = [
  file("visits", "input"),
  file("scores", "output", 4, "score-changed"),
  file("crossings", "output", 4, "threshold-crossed"),
  file("letters", "output", 4, "dead-letter"),
];

function problemsOf(files: readonly TopicFile[]): readonly string[] {
  const result = topologyOf(files);
  return result.ok ? [] : result.problems;
}

describe("topics together", () => {
  it("have inputs by name, and each output", () => {
    const result = topologyOf([file("zeal", "input"), file("mails", "input"), ...shipped]);
    if (!result.ok) throw new Error(result.problems.join("\n"));
    expect(topicsOf(result.topology).map(({ name }) => name)).toEqual([
      "mails",
      "visits",
      "zeal",
      ...["scores", "crossings", "letters"],
    ]);
    const more = topicsOf(withPartitions(result.topology, 9));
    expect(more.map(({ partitions }) => partitions)).toEqual([9, 9, 9, 9, 9, 9]);
  });

  it("take what is missing from the shipped ones, but no inputs", () => {
    const own = [file("my-scores", "output", 6, "score-changed"), file("mails", "input", 6)];
    expect(completed(own, shipped).map(({ topic }) => `${topic.name} ${topic.partitions}`)).toEqual([
      ...["my-scores 6", "mails 6", "crossings 6", "letters 6"],
    ]);
  });

  it("are told every reason why they don't fit", () => {
    expect(problemsOf(shipped)).toEqual([]);
    expect(problemsOf([...shipped, { ...file("visits", "input"), file: "copy.yaml" }])).toEqual([
      "copy.yaml: the topic visits is in visits.yaml too; keep one of them",
    ]);
    expect(problemsOf(shipped.slice(1, 3))).toEqual([
      "there is no input topic; define one with `role: input`",
      "there is no topic for dead-letter; define one",
    ]);
    expect(problemsOf([...shipped, file("late", "output", 4, "dead-letter")])).toEqual([
      "letters.yaml and late.yaml are both for dead-letter; keep one of them",
    ]);
    expect(problemsOf([...shipped, file("mails", "input", 5)])).toEqual([
      expect.stringMatching(/^mails.yaml: mails has 5 partitions, and visits has 4; a task is one partition number/),
    ]);
  });
});
